"""Which quarter-hours a stale span touches: pure planning, no database.

A reading changes the movement since the reading before it and the one until the reading after it, so the
quarter-hours from the one to the other are computed anew, and one more on either side: whether a reading is a glitch
may show only within a quarter of an hour. A quarter-hour is *closed* by the first reading at or after its end; until
then nothing can be said of it, and nothing is published. So a span that closes nothing needs no work at all: the
reading that closes its quarter-hour will bring a span of its own, and that reaches back to the reading before.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from smartpark.clock import from_us, to_us
from smartpark.periods import Grain, Period, period_containing, periods_between
from smartpark_storage import StaleSpan
from smartpark_storage.derived import BACKLOG_US

QUARTER_US: Final = 900_000_000
DAY_US: Final = 96 * QUARTER_US
POINTS_PER_FETCH: Final = 16
"""With one reading a second a day of these is 1.4 million readings: what is in memory at once. [points]"""


@dataclass(frozen=True, slots=True, order=True)
class WorkRange:
    """Quarter-hours [start, end) of a point that are to be computed anew."""

    start_us: int
    end_us: int
    point_id: int


@dataclass(frozen=True, slots=True)
class WorkPiece:
    """Points that have the same quarter-hours to be computed, never more than a day of them."""

    start_us: int
    end_us: int
    point_ids: tuple[int, ...]


def floor_quarter(time_us: int) -> int:
    """Start of the quarter-hour that contains the instant."""
    return time_us - time_us % QUARTER_US


def ceil_quarter(time_us: int) -> int:
    """First quarter-hour boundary at or after the instant."""
    return -floor_quarter(-time_us)


def work_range(span: StaleSpan, before_us: int | None, after_us: int | None, now_us: int) -> WorkRange | None:
    """Quarter-hours to compute for a span; None where it closes none.

    Parameters
    ----------
    span : StaleSpan
    before_us, after_us : int or None
        The point's nearest usable readings before the span and at or after its end. [µs]
    now_us : int
        Quarter-hours that end later than now, or than the span itself, are not closed. [µs]
    """
    first = floor_quarter(span.start_us if before_us is None else before_us)
    last_reading = span.end_us - 1
    last = floor_quarter(last_reading) if after_us is None else ceil_quarter(after_us)
    ended = floor_quarter(max(now_us, last_reading))
    if min(last, ended) <= first:
        return None
    return WorkRange(first - QUARTER_US, min(last + QUARTER_US, ended), span.point_id)


def neighbours_by_point(readings: NDArray[np.void], start_us: int) -> dict[int, tuple[int | None, int | None]]:
    """Times before and after a window, per point, from what storage's `fetch_neighbours` gives."""
    found: dict[int, tuple[int | None, int | None]] = {}
    for point, time in zip(readings["point_id"].tolist(), readings["time"].tolist(), strict=True):
        before, after = found.get(point, (None, None))
        found[point] = (time, after) if time < start_us else (before, time)
    return found


def spans_by_window(spans: Iterable[StaleSpan]) -> Mapping[tuple[int, int], Sequence[StaleSpan]]:
    """Group spans whose neighbours one question can find: those in the same quarter-hours."""
    groups: defaultdict[tuple[int, int], list[StaleSpan]] = defaultdict(list)
    for span in spans:
        groups[floor_quarter(span.start_us), ceil_quarter(span.end_us)].append(span)
    return groups


def within_budget(spans: Sequence[StaleSpan], point_days: int) -> tuple[list[StaleSpan], list[StaleSpan]]:
    """Split spans into those for this transaction and the rest.

    Short ones go first: they are what has just come, or come late. Of long ones, a backlog's, go the earliest
    accounting days of all points together: so an hour is published once and not once per counter, and whoever waits
    for a short one waits for some days of the backlog and not for all of it.
    """
    short = sorted((s for s in spans if s.end_us - s.start_us <= BACKLOG_US), key=lambda s: (s.start_us, s.point_id))
    long = [s for s in spans if s.end_us - s.start_us > BACKLOG_US]
    taken, rest = short[:point_days], short[point_days:]
    if not long:
        return taken, rest
    first = period_containing(from_us(min(s.start_us for s in long)), Grain.DAY)
    end = to_us(first.start) + max(1, (point_days - len(taken)) // len(long)) * DAY_US
    taken += [StaleSpan(s.point_id, s.start_us, min(s.end_us, end)) for s in long if s.start_us < end]
    rest += [StaleSpan(s.point_id, max(s.start_us, end), s.end_us) for s in long if s.end_us > end]
    return sorted(taken), sorted(rest)


def work_pieces(ranges: Iterable[WorkRange]) -> Iterator[WorkPiece]:
    """Cut ranges by day, and put points with the same quarter-hours together, in order of time."""
    groups: defaultdict[tuple[int, int], list[int]] = defaultdict(list)
    for one in merge_ranges(ranges):
        start = one.start_us
        while start < one.end_us:
            end = min(one.end_us, start - start % DAY_US + DAY_US)
            groups[start, end].append(one.point_id)
            start = end
    for start, end in sorted(groups):
        points = groups[start, end]
        for first in range(0, len(points), POINTS_PER_FETCH):
            yield WorkPiece(start, end, tuple(points[first : first + POINTS_PER_FETCH]))


def merge_ranges(ranges: Iterable[WorkRange]) -> list[WorkRange]:
    """Ranges of each point that overlap or touch, made one."""
    merged: list[WorkRange] = []
    for one in sorted(ranges, key=lambda r: (r.point_id, r.start_us)):
        last = merged[-1] if merged else None
        if last is not None and last.point_id == one.point_id and one.start_us <= last.end_us:
            merged[-1] = WorkRange(last.start_us, max(last.end_us, one.end_us), last.point_id)
        else:
            merged.append(one)
    return merged


def months_between(start_us: int, end_us: int) -> list[str]:
    """Accounting months that [start, end) touches, as ``2026-11``."""
    return [month_name(month) for month in periods_between(from_us(start_us), from_us(end_us), Grain.MONTH)]


def month_name(month: Period) -> str:
    """A month as ``2026-11``."""
    return month.day.isoformat()[:7]
