"""One page of a pull as an answer: for whose eyes, in which form, and whether there is anything new at all.

An entity tag says what an answer was read from: how far the publications of the parks that may be seen have come.
So "nothing new" is said without looking at a row, and what other parks publish shows neither in the tag nor in the
cursor.
"""

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
            upto = head(connection, parks=wanted.seen_parks)
            tag = _tag(upto, wanted, asked, form)
            if is_known(request, tag):
                return unchanged(tag, {} if asked.cursor is None else {CURSOR_HEADER: asked.cursor})
            check_parks(connection, asked.park)
            page = read_feed(connection, wanted, after, limit=asked.limit, at=upto)
    audited(
        request,
        park=asked.park[0] if len(asked.park) == 1 else None,
        rows=len(page.columns),
        detail={"after": None if after is None else after.position, "upto": page.next.position, "form": form.name},
    )
    return _answer(request, page, form, tag)


def _tag(upto: Head, wanted: FeedFilter, asked: PullQuery, form: Form) -> str:
    question = (wanted.filter_digest.hex(), wanted.scope_digest.hex(), asked.cursor, asked.limit, form.name)
    return tag_of(upto.instance, upto.position, upto.token, *question)


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
