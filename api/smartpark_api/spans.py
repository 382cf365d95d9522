"""Half-open spans of time as requests give them: `from` and `to`, ISO 8601 with an offset."""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

from fastapi import Query
from pydantic import AfterValidator, BeforeValidator
from smartpark.isotext import IsoInstant

from smartpark_api.problems import InvalidField, ProblemError, ProblemKind

_EARLIEST: Final = datetime(1990, 1, 1, tzinfo=UTC)
_LATEST: Final = datetime(2200, 1, 1, tzinfo=UTC)
_LOST_PLUS: Final = re.compile(r" (?=\d\d:?\d\d$)")


def _mend_plus(text: object) -> object:
    # A plus sign in a query means a space; whoever pasted +08:00 without escaping it meant the offset.
    return _LOST_PLUS.sub("+", text) if isinstance(text, str) else text


def _within_reason(instant: datetime) -> datetime:
    if not _EARLIEST <= instant < _LATEST:
        raise ValueError("is outside 1990 to 2200")
    return instant.astimezone(UTC)


GivenInstant = Annotated[IsoInstant, BeforeValidator(_mend_plus), AfterValidator(_within_reason)]

From = Annotated[
    GivenInstant | None,
    Query(
        alias="from",
        description="First instant, ISO 8601 with offset; default 24 hours before `to`.",
        examples=["2026-11-22T00:00:00+08:00"],
    ),
]
To = Annotated[
    GivenInstant | None,
    Query(
        alias="to",
        description="First instant after the span; default now.",
        examples=["2026-11-23T00:00:00+08:00"],
    ),
]


def span_of(start: datetime | None, end: datetime | None, *, now: datetime) -> tuple[datetime, datetime]:
    """The span asked for, with the defaults filled in; a problem when it is empty or runs backwards."""
    until = end or now
    since = start or until - timedelta(days=1)
    if since >= until:
        message = "has to be before `to`: spans are half-open, [from, to)"
        raise ProblemError(
            ProblemKind.INVALID_REQUEST,
            f"query.from: {message}",
            [InvalidField(location="query.from", message=message)],
        )
    return since, until
