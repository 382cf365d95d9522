"""What a pull asks for, as an address writes it: filters, page, cursor; and which problem a wrong one is.

Whatever is not listed here is refused: a filter that was misspelt must not hand out everything.
"""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema, model_validator
from smartpark.aggregates import (
    BadCursorError,
    Cursor,
    CursorError,
    CursorGoneError,
    CursorOfOtherFiltersError,
    CursorScopeChangedError,
)
from smartpark.indicators import INDICATORS
from smartpark_storage.aggregates import DEFAULT_BOUNDARIES, FeedFilter, Revisions

from smartpark_api.aggregates.totals import ADDABLE
from smartpark_api.models.indicators import IndicatorGrain
from smartpark_api.problems import ProblemError, ProblemKind
from smartpark_api.spans import GivenInstant

DEFAULT_ROWS: Final = 10_000
MOST_ROWS: Final = 50_000
"""Of one page."""
_MOST_NAMES: Final = 500
_KINDS: Final = "sub_park|enterprise|device|transformer|feeder|virtual_meter"


def _known_indicator(code: str) -> str:
    if code not in INDICATORS:
        raise ValueError("no such indicator; GET /api/v1/aggregates/fields lists them")
    return code


IndicatorCode = Annotated[
    str,
    AfterValidator(_known_indicator),
    WithJsonSchema({"type": "string", "enum": sorted(INDICATORS), "examples": ["electricity_consumption"]}),
]
AddableIndicator = Annotated[
    str,
    AfterValidator(_known_indicator),
    WithJsonSchema(
        {
            "type": "string",
            # The others are known, and refused with the reason.
            "enum": sorted(code for code, one in INDICATORS.items() if one.accumulation in ADDABLE),
            "examples": ["electricity_consumption"],
        }
    ),
]
PERIOD_PATTERN: Final = r"^(19|20|21)[0-9]{2}(-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01]))?)?$"
"""A year, month or day; whether a month has that day is for the calendar."""
ParkName = Annotated[str, Field(min_length=1, max_length=100, examples=["minhou-demo"])]
BoundaryName = Annotated[
    str, Field(pattern=rf"^(park|({_KINDS})(/[!-~]+)?)$", max_length=200, examples=["park", "enterprise/T03"])
]


class RowsQuery(BaseModel):
    """Which rows; what is not given is no bound."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    park: Annotated[
        list[ParkName], Field(max_length=_MOST_NAMES, description="Parks; default: all you may see.")
    ] = []
    boundary: Annotated[
        list[BoundaryName],
        Field(
            max_length=_MOST_NAMES,
            description="Kinds of boundaries, or single ones; default: parks, sub-parks and enterprises.",
        ),
    ] = []
    indicator: Annotated[list[IndicatorCode], Field(max_length=_MOST_NAMES, description="Default: all.")] = []
    grain: Annotated[list[IndicatorGrain], Field(max_length=4, description="Default: all.")] = []
    start: Annotated[
        GivenInstant | None,
        Field(alias="from", description="Periods that begin then or later.", examples=["2026-11-01T00:00:00+08:00"]),
    ] = None
    end: Annotated[GivenInstant | None, Field(alias="to", description="Periods that begin before.")] = None

    @model_validator(mode="after")
    def _runs_forward(self) -> "RowsQuery":
        if self.start is not None and self.end is not None and self.start >= self.end:
            raise ValueError("from has to be before to: spans are half-open, [from, to)")
        return self

    def filter(self, scope: frozenset[str] | None, revisions: Revisions = Revisions.LATEST) -> FeedFilter:
        """As storage understands it, for somebody who may see the parks of `scope` (None: all)."""
        return FeedFilter(
            parks=frozenset(self.park) or None,
            boundaries=frozenset(self.boundary) or DEFAULT_BOUNDARIES,
            indicators=frozenset(self.indicator) or None,
            grains=frozenset(grain.value for grain in self.grain) or None,
            since=self.start,
            until=self.end,
            revisions=revisions,
            scope=scope,
        )


class PullQuery(RowsQuery):
    """The same, page by page."""

    revisions: Annotated[
        Revisions,
        Field(description="`latest`: what holds, and whatever was submitted; `all`: every revision there has been."),
    ] = Revisions.LATEST
    cursor: Annotated[
        str | None,
        Field(description="`cursor` of the answer before; without one, from the beginning."),
    ] = None
    limit: Annotated[int, Field(ge=1, le=MOST_ROWS, description="Rows of a page, at most.")] = DEFAULT_ROWS


class DigestQuery(RowsQuery):
    """The same, as of a cursor."""

    at: Annotated[
        str | None,
        Field(
            description="A cursor of a pull with these filters that had all there was; default: now.",
        ),
    ] = None


class IdentitiesQuery(BaseModel):
    """Whose identities."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    park: Annotated[
        list[ParkName], Field(max_length=_MOST_NAMES, description="Codes; default: all parks you may see.")
    ] = []


class TotalsQuery(BaseModel):
    """One number over many parks."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    indicator: Annotated[AddableIndicator, Field(description="A sum or a ratio; nothing else adds up.")]
    grain: IndicatorGrain
    start: Annotated[GivenInstant, Field(alias="from", examples=["2026-01-01T00:00:00+08:00"])]
    end: Annotated[GivenInstant, Field(alias="to", examples=["2027-01-01T00:00:00+08:00"])]
    region: Annotated[
        str | None,
        Field(
            pattern=r"^[0-9]{2}([0-9]{2}([0-9]{2})?)?$",
            description="GB/T 2260 code: of a province (35, 350000), a city (3501, 350100) or a county (350121).",
            examples=["350100"],
        ),
    ] = None
    boundary: Annotated[
        Literal["park", "enterprise"], Field(description="What is added up: parks, or their enterprises.")
    ] = "park"

    @model_validator(mode="after")
    def _runs_forward(self) -> "TotalsQuery":
        if self.start >= self.end:
            raise ValueError("from has to be before to: spans are half-open, [from, to)")
        return self


_KIND_OF: Final[dict[type[CursorError], ProblemKind]] = {
    BadCursorError: ProblemKind.BAD_CURSOR,
    CursorGoneError: ProblemKind.CURSOR_GONE,
    CursorOfOtherFiltersError: ProblemKind.CURSOR_OF_OTHER_FILTERS,
    CursorScopeChangedError: ProblemKind.CURSOR_SCOPE_CHANGED,
}


@contextmanager
def cursor_problems() -> Generator[None]:
    """A cursor that does not serve becomes its problem."""
    try:
        yield
    except CursorError as error:
        raise ProblemError(_KIND_OF[type(error)], str(error)) from None


def cursor_of(text: str | None) -> Cursor | None:
    """Cursor as an address gives it."""
    return None if text is None else Cursor.decode(text)
