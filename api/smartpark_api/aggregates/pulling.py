"""One page of a pull as an answer: for whose eyes, in which form, and whether there is anything new at all.

An entity tag says what an answer was read from. For whoever sees all parks that is how far publications have come,
so that "nothing new" is said without looking at a row. For whoever sees some parks it is the rows themselves: how far
publications have come is the doing of all parks, and only theirs is their business.
"""

from hashlib import sha256
from typing import Final
from urllib.parse import urlencode

from fastapi import Request
from smartpark_storage.aggregates import FeedFilter, FeedPage, Head, head, read_feed
from starlette.responses import Response

from smartpark_api.access.audit import audited
from smartpark_api.aggregates import formats
from smartpark_api.aggregates.answers import answer, is_known, tag_of, unchanged
from smartpark_api.aggregates.formats import Form
from smartpark_api.aggregates.query import PullQuery, cursor_of, cursor_problems
from smartpark_api.aggregates.tables import table_of
from smartpark_api.aggregates.up_to_date import reading_the_feed
from smartpark_api.aggregates.whose import check_parks, scope_of
from smartpark_api.negotiation import chosen_type

CURSOR_HEADER: Final = "Smartpark-Cursor"
MORE_HEADER: Final = "Smartpark-More"
ROWS_HEADER: Final = "Smartpark-Rows"
INSTANCE_HEADER: Final = "Smartpark-Instance"


def pull(request: Request, asked: PullQuery) -> Response:
    """The next page, or that nothing has changed."""
    form = Form(chosen_type(request.headers.get("accept", "*/*"), tuple(Form)))
    wanted = asked.filter(scope_of(request, asked.park), asked.revisions)
    with cursor_problems():
        after = cursor_of(asked.cursor)
        with reading_the_feed(request) as connection:
            if wanted.scope is None and is_known(request, tag := _tag(head(connection), wanted, asked, form)):
                return unchanged(tag, {} if asked.cursor is None else {CURSOR_HEADER: asked.cursor})
            check_parks(connection, asked.park)
            page = read_feed(connection, wanted, after, limit=asked.limit)
    tag = _tag(page.head if wanted.scope is None else page, wanted, asked, form)
    if is_known(request, tag):
        return unchanged(tag, {} if asked.cursor is None else {CURSOR_HEADER: asked.cursor})
    audited(
        request,
        park=asked.park[0] if len(asked.park) == 1 else None,
        rows=len(page.columns),
        detail={"after": None if after is None else after.position, "upto": page.next.position, "form": form.name},
    )
    return _answer(request, page, form, tag)


def _tag(source: Head | FeedPage, wanted: FeedFilter, asked: PullQuery, form: Form) -> str:
    question = (wanted.filter_digest.hex(), wanted.scope_digest.hex(), asked.cursor, asked.limit, form.name)
    if isinstance(source, Head):
        return tag_of(source.instance, source.position, source.token, *question)
    columns = source.columns
    rows = sha256(columns.rows.tobytes() + source.positions.tobytes()).hexdigest()
    return tag_of(source.head.instance, source.more, rows, *columns.series, *columns.submissions, *question)


def _answer(request: Request, page: FeedPage, form: Form, tag: str) -> Response:
    cursor = page.next.encode()
    rows = table_of(page.columns).replace_schema_metadata(_said_in_the_body(page, cursor))
    headers = {
        CURSOR_HEADER: cursor,
        MORE_HEADER: "true" if page.more else "false",
        ROWS_HEADER: str(len(page.columns)),
        INSTANCE_HEADER: str(page.head.instance),
    }
    if page.more:
        headers["Link"] = f'<{_address_of_next(request, cursor)}>; rel="next"'
    if form is Form.JSON:
        body = formats.json_document(rows, {"cursor": cursor, "more": page.more, "instance": str(page.head.instance)})
    else:
        body = formats.ROWS_ONLY[form](rows)
    return answer(request, body, form.content_type, tag=tag, headers=headers)


def _said_in_the_body(page: FeedPage, cursor: str) -> dict[str, str]:
    """What Arrow and Parquet keep beside their rows: the body's digest covers it, as it does not cover headers."""
    return {
        "smartpark.cursor": cursor,
        "smartpark.more": "true" if page.more else "false",
        "smartpark.instance": str(page.head.instance),
    }


def _address_of_next(request: Request, cursor: str) -> str:
    kept = [(name, value) for name, value in request.query_params.multi_items() if name != "cursor"]
    return f"{request.url.path}?{urlencode([*kept, ('cursor', cursor)])}"
