"""Rows of aggregates as columns: a hundred thousand of them are a few arrays, and no object each.

What rows of a series have in common stands once, and so does how they came about; a row names both by their place in
the lists. Rows become objects where somebody asks for them one by one, and not before.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from smartpark.aggregates import AggregateRow, instant_text, line_head, line_middle, line_tail
from smartpark.clock import from_us, to_us
from smartpark.periods import Grain, period_containing

ROW_DTYPE: Final = np.dtype(
    [
        ("series", "<i4"),
        ("start", "<i8"),
        ("revision", "<i4"),
        ("origin", "<i4"),
        ("value", "<f8"),
        ("numerator", "<f8"),
        ("denominator", "<f8"),
        ("uncertainty", "<f8"),
        ("completeness", "<f8"),
        ("estimated_share", "<f8"),
        ("computed_at", "<i8"),
        ("submission", "<i4"),
    ]
)
"""Instants in µs since 1970; numbers that are not known are NaN; `series`, `origin` and `submission` are places in
the lists beside, -1: not submitted."""
_NULLABLE: Final = ("value", "numerator", "denominator", "uncertainty")
_NUMBERS: Final = (
    "start",
    "revision",
    "value",
    "numerator",
    "denominator",
    "completeness",
    "estimated_share",
    "uncertainty",
    "computed_at",
)


@dataclass(frozen=True, slots=True)
class Series:
    """What the rows of one number have in common."""

    park: str
    boundary: str
    indicator: str
    grain: str
    region: str = ""
    """GB/T 2260 code of the park."""
    uscc: str | None = None
    """Unified social credit code, where the boundary is an enterprise."""

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What it is known by."""
        return self.park, self.boundary, self.indicator, self.grain


@dataclass(frozen=True, slots=True)
class Origin:
    """How numbers came about."""

    unit: str
    method: str
    factor_set: str
    factors: tuple[str, ...]
    reason: str


def _no_rows() -> NDArray[np.void]:
    return np.empty(0, ROW_DTYPE)


@dataclass(frozen=True, slots=True, eq=False)
class AggregateColumns:
    """Rows with what they name."""

    rows: NDArray[np.void] = field(default_factory=_no_rows)
    """ndarray of ROW_DTYPE, shape (n_rows,)."""
    series: Sequence[Series] = ()
    origins: Sequence[Origin] = ()
    submissions: Sequence[str] = ()
    """Codes."""

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def ends(self) -> NDArray[np.int64]:
        """When the period of each row ends, in µs since 1970."""
        grains = sorted({one.grain for one in self.series})
        of_row = np.array([grains.index(one.grain) for one in self.series], np.int64)[self.rows["series"]]
        ends = np.empty(len(self.rows), np.int64)
        for number, grain in enumerate(grains):
            here = of_row == number
            starts, places = np.unique(self.rows["start"][here], return_inverse=True)
            ends[here] = np.array([end_of_period(grain, int(start)) for start in starts], np.int64)[places]
        return ends

    @classmethod
    def of(cls, rows: Iterable[AggregateRow]) -> "AggregateColumns":
        """Columns of rows that are at hand one by one."""
        series, origins, submissions = dict[Series, int](), dict[Origin, int](), dict[str, int]()
        found = [_packed(row, series, origins, submissions) for row in rows]
        return cls(np.array(found, ROW_DTYPE), list(series), list(origins), list(submissions))

    def __iter__(self) -> Iterator[AggregateRow]:
        for record, end in zip(_records(self.rows), self.ends.tolist(), strict=True):
            yield self._row(record, end)

    def _row(self, record: dict[str, Any], end_us: int) -> AggregateRow:
        series, origin = self.series[record["series"]], self.origins[record["origin"]]
        place: int = record["submission"]
        return AggregateRow(
            park=series.park,
            boundary=series.boundary,
            indicator=series.indicator,
            grain=series.grain,
            start=from_us(record["start"]),
            end=from_us(end_us),
            revision=record["revision"],
            value=record["value"],
            numerator=record["numerator"],
            denominator=record["denominator"],
            unit=origin.unit,
            completeness=record["completeness"],
            estimated_share=record["estimated_share"],
            uncertainty=record["uncertainty"],
            method=origin.method,
            factor_set=origin.factor_set,
            factors=origin.factors,
            reason=origin.reason,
            computed_at=from_us(record["computed_at"]),
            submitted=place >= 0,
            submission=self.submissions[place] if place >= 0 else None,
            region=series.region,
            uscc=series.uscc,
        )

    def lines(self) -> Iterator[bytes]:
        """Canonical lines of the rows, in their order."""
        heads = [line_head(*one.key) for one in self.series]
        tails = [line_tail(one.unit, one.method, one.factor_set, one.factors, one.reason) for one in self.origins]
        columns = [
            _instants(self.rows[name]) if name in {"start", "computed_at"} else listed(self.rows, name)
            for name in ("series", "origin", *_NUMBERS)
        ]
        for series, origin, *numbers in zip(*columns, strict=True):
            yield f"{heads[series]}{line_middle(*numbers)}{tails[origin]}".encode()

    def order_of_keys(self) -> NDArray[np.intp]:
        """Places of the rows in the order over which digests are formed."""
        ranks = np.empty(len(self.series), np.int64)
        ranks[sorted(range(len(self.series)), key=lambda place: self.series[place].key)] = np.arange(len(self.series))
        return np.lexsort((self.rows["revision"], self.rows["start"], ranks[self.rows["series"]]))

    def in_order_of_keys(self) -> "AggregateColumns":
        """The same rows in the order over which digests are formed."""
        return AggregateColumns(self.rows[self.order_of_keys()], self.series, self.origins, self.submissions)


def _packed(
    row: AggregateRow, series: dict[Series, int], origins: dict[Origin, int], submissions: dict[str, int]
) -> tuple[int | float, ...]:
    def place(of: dict[Any, int], one: object) -> int:
        return of.setdefault(one, len(of))

    return (
        place(series, Series(row.park, row.boundary, row.indicator, row.grain, row.region, row.uscc)),
        to_us(row.start),
        row.revision,
        place(origins, Origin(row.unit, row.method, row.factor_set, row.factors, row.reason)),
        *(np.nan if (number := getattr(row, name)) is None else number for name in _NULLABLE),
        row.completeness,
        row.estimated_share,
        to_us(row.computed_at),
        -1 if row.submission is None else place(submissions, row.submission),
    )


def _instants(us: NDArray[np.int64]) -> list[str]:
    """Text of each instant; few differ, and each is written once."""
    found, places = np.unique(us, return_inverse=True)
    texts = [instant_text(one) for one in found.tolist()]
    return [texts[place] for place in places.tolist()]


def _records(rows: NDArray[np.void]) -> Iterator[dict[str, Any]]:
    names = ROW_DTYPE.names or ()
    for values in zip(*(listed(rows, name) for name in names), strict=True):
        yield dict(zip(names, values, strict=True))


def listed(rows: NDArray[np.void], name: str) -> list[Any]:
    """A column as Python's own numbers; None where one is not known."""
    values: list[Any] = rows[name].tolist()
    if name in _NULLABLE and np.isnan(rows[name]).any():
        return [None if value != value else value for value in values]  # noqa: PLR0124  only NaN differs from itself
    return values


@lru_cache(maxsize=65_536)
def end_of_period(grain: str, start_us: int) -> int:
    """End of the period of a grain that begins at `start_us`, both in µs since 1970."""
    return to_us(period_containing(from_us(start_us), Grain(grain)).end)


def instant(us: int | None) -> datetime | None:
    """Aware instant; None stays None."""
    return None if us is None else from_us(us)
