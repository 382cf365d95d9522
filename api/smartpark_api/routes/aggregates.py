"""Aggregates for those who pull: rows behind a cursor, digests to compare, identities, totals; docs/aggregates.md."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request
from smartpark.access import Scope
from smartpark.periods import Grain
from starlette.responses import Response

from smartpark_api.access.audit import audited
from smartpark_api.access.needs import needs
from smartpark_api.aggregates import pulling
from smartpark_api.aggregates.answers import KNOWN_TAG
from smartpark_api.aggregates.describing import FIELDS_OUT, give_digest, give_identities
from smartpark_api.aggregates.formats import Form
from smartpark_api.aggregates.models import DigestOut, FieldsOut, IdentitiesOut, RowsPage, TotalsOut
from smartpark_api.aggregates.query import DigestQuery, IdentitiesQuery, PullQuery, TotalsQuery
from smartpark_api.aggregates.summing import TotalsOf, day_of, total_up
from smartpark_api.aggregates.totals import NoTotalError
from smartpark_api.aggregates.whose import scope_of
from smartpark_api.database import Now, reading
from smartpark_api.openapi.answers import headers
from smartpark_api.problems import ProblemError, ProblemKind

router = APIRouter(tags=["aggregates"])
READS: Final = [needs(Scope.AGGREGATES_READ)]
READS_TAGGED: Final = [*READS, KNOWN_TAG]

_TEXT: Final = {"schema": {"type": "string"}}
_BYTES: Final = {"schema": {"type": "string", "format": "binary"}}
_DIGESTS: Final = ("ETag", "Repr-Digest", "Unencoded-Digest")
UNCHANGED: Final[dict[str, Any]] = {
    "description": "Nothing has changed since the answer of the tag that `If-None-Match` names.",
    "headers": headers("ETag"),
}
TAGGED: Final[dict[int | str, dict[str, Any]]] = {200: {"headers": headers(*_DIGESTS)}, 304: UNCHANGED}
CURSOR_PROBLEMS: Final[dict[int | str, dict[str, Any]]] = {
    400: {"description": "That is no cursor, or it belongs to a pull with other filters."},
    409: {"description": "Which parks you see has changed, or the cursor stands between pages: see `detail`."},
    410: {"description": "The cursor's history is not this one; start over without a cursor."},
}
_PAGE: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "A page of rows, in the form that `Accept` likes best.",
        "content": {Form.NDJSON: _TEXT, Form.CSV: _TEXT, Form.PARQUET: _BYTES, Form.ARROW: _BYTES},
        "headers": headers(
            *_DIGESTS, "Link", "Smartpark-Cursor", "Smartpark-Instance", "Smartpark-More", "Smartpark-Rows"
        ),
    },
    304: UNCHANGED,
    **CURSOR_PROBLEMS,
}


@router.get("/aggregates", dependencies=READS_TAGGED, response_model=RowsPage, responses=_PAGE)
def pull_aggregates(request: Request, asked: Annotated[PullQuery, Query()]) -> Response:
    """Published numbers behind a cursor, in the order in which they became known: a page, and where to go on.

    Give the cursor of the answer before, and you get what has changed since, late corrections included, nothing
    twice. The same cursor gives the same rows again. With `If-None-Match` an unchanged answer is a 304.
    """
    return pulling.pull(request, asked)


@router.get(
    "/aggregates/digest",
    dependencies=READS_TAGGED,
    response_model=DigestOut,
    responses={**TAGGED, **CURSOR_PROBLEMS},
)
def get_aggregates_digest(request: Request, asked: Annotated[DigestQuery, Query()]) -> Response:
    """Digest over what holds, now or as of a cursor: whoever has pulled everything has the same."""
    return give_digest(request, asked)


@router.get("/aggregates/identities", dependencies=READS_TAGGED, response_model=IdentitiesOut, responses=TAGGED)
def get_aggregates_identities(request: Request, asked: Annotated[IdentitiesQuery, Query()]) -> Response:
    """Parks, sub-parks and enterprises that rows are about, with the codes by which others know them."""
    return give_identities(request, asked)


@router.get("/aggregates/fields", dependencies=READS)
def get_aggregates_fields() -> FieldsOut:
    """Columns of the rows, and what the codes of indicators stand for."""
    return FIELDS_OUT


@router.get("/aggregates/totals", dependencies=READS)
def get_aggregates_totals(request: Request, asked: Annotated[TotalsQuery, Query()], *, now: Now) -> TotalsOut:
    """One number over all parks that you may see, or those of a region, for each period.

    Amounts are added up; ratios are divided last. Whoever has no number is named, and is no zero. Highest values do
    not add up. Totals over enterprises keep the secrecy of statistics.
    """
    wanted = TotalsOf(
        indicator=asked.indicator,
        grain=Grain(asked.grain.value),
        start=asked.start,
        end=asked.end,
        region=asked.region,
        boundary=asked.boundary,
        scope=scope_of(request),
    )
    with reading(request) as connection:
        try:
            found = total_up(connection, wanted, today=day_of(now))
        except NoTotalError as error:
            raise ProblemError(ProblemKind.TOTAL_REFUSED, str(error)) from None
    audited(request, rows=len(found.totals), detail={"indicator": asked.indicator, "region": asked.region})
    return found
