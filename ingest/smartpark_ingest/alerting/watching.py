"""Which readings came since last time, told apart by whether they lie beyond what has been judged of their point.

What lies beyond is live and is judged in its turn; what lies behind came late, and its stretch is judged anew. A
commit may bring both of one point. Nothing here reads a reading.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from smartpark.clock import to_us
from smartpark_analytics.alerts.samples import NOT_YET_US, Ints
from smartpark_storage.alerts import Change

WATCHER: Final = "alerts"
"""Name under which writers are asked to tell what they bring."""

AHEAD_US: Final = 86_400_000_000
"""Readings further ahead of their arrival are not judged; a clock that is less so is found to be off. [µs]"""


class Spans(NamedTuple):
    """Stretches [start, end) of points, each point once, ascending; arrays have shape (n,)."""

    point: Ints
    start_us: Ints
    end_us: Ints

    @property
    def size(self) -> int:
        """How many."""
        return self.point.size


class Claimed(NamedTuple):
    """What came."""

    changes: tuple[int, ...]
    """Numbers of the changes that were claimed."""
    live: Spans
    late: Spans
    received_us: int
    """When the first of it was received; 0: nothing came. [µs]"""
    arrived_us: Ints
    """When the last of each point in `live` was received, shape (n_live,). [µs]"""


class Watermarks:
    """How far each point has been judged, and through which edge it speaks; by number of the point."""

    def __init__(self) -> None:
        self.seen_us: Ints = np.zeros(0, np.int64)
        """Newest moment judged; `NOT_YET_US`: none. [µs]"""
        self.edge: Ints = np.zeros(0, np.int64)
        """Number of the edge agent; 0: not known."""
        self.heard_us: Ints = np.zeros(0, np.int64)
        """When, by the clock here, something of it came last; `NOT_YET_US`: not since the work began. [µs]"""

        self._before: Ints = self.seen_us
        """How far each had been judged when the work was taken up. [µs]"""
        self._covered: Ints = np.zeros(0, np.int64)
        """Changes that waited then, ascending: what they brought beyond `_before` was read then."""

    def begin_covering(self, waiting: Ints) -> None:
        """Readings of these changes are about to be read, as far as they lie beyond what has been judged."""
        self._before, self._covered = self.seen_us.copy(), waiting

    def judged(self, point: Ints, change: Ints) -> Ints:
        """Until when each point had been judged when a change told of it; `NOT_YET_US`: not at all [µs]."""
        seen = self.seen_us[point]
        if not self._covered.size:
            return seen
        place = np.minimum(np.searchsorted(self._covered, change), self._covered.size - 1)
        is_covered = self._covered[place] == change
        if not is_covered.any() and int(change.min(initial=0)) > int(self._covered[-1]):
            self._covered = self._covered[:0]
        known = np.minimum(point, max(self._before.size - 1, 0))
        before = np.where(point < self._before.size, self._before[known], NOT_YET_US) if self._before.size else seen
        return np.where(is_covered, before, seen)

    def reach(self, point: int) -> None:
        """Make room for numbers up to this one."""
        missing = point + 1 - self.seen_us.size
        if missing > 0:
            room = max(missing, self.seen_us.size // 2)
            self.seen_us = np.append(self.seen_us, np.full(room, NOT_YET_US, np.int64))
            self.edge = np.append(self.edge, np.zeros(room, np.int64))
            self.heard_us = np.append(self.heard_us, np.full(room, NOT_YET_US, np.int64))

    def advance(self, point: Ints, time_us: Ints) -> None:
        """Points have been judged until these moments."""
        np.maximum.at(self.seen_us, point, time_us)


def split(changes: Sequence[Change], marks: Watermarks) -> Claimed:
    """What came, live and late; the marks learn through which edge each point speaks."""
    if not changes:
        return Claimed((), NO_SPANS, NO_SPANS, 0, np.zeros(0, np.int64))
    point = np.concatenate([change.points for change in changes]).astype(np.int64)
    first = np.concatenate([change.first_us for change in changes]).astype(np.int64)
    end = np.concatenate([change.end_us for change in changes]).astype(np.int64)
    # One reading of the year 2099 must not make all that follow late.
    ahead = [to_us(change.received_at) + AHEAD_US for change in changes]
    end = np.minimum(end, np.repeat(ahead, [change.points.size for change in changes]))
    marks.reach(int(point.max(initial=0)))
    marks.edge[point] = np.repeat([change.edge_id for change in changes], [change.points.size for change in changes])
    number = np.repeat([change.change_id for change in changes], [change.points.size for change in changes])
    beyond, behind = _after(marks.seen_us[point]), _after(marks.judged(point, number))
    is_live, is_late = end > beyond, first < behind
    live = united(point[is_live], np.maximum(first, beyond)[is_live], end[is_live])
    late = united(point[is_late], first[is_late], np.minimum(end, behind)[is_late])
    received = np.array([to_us(change.received_at) for change in changes], np.int64)
    arrived = np.zeros(marks.seen_us.size, np.int64)
    np.maximum.at(arrived, point, np.repeat(received, [change.points.size for change in changes]))
    numbers = tuple(change.change_id for change in changes)
    return Claimed(numbers, live, late, int(received.min()), arrived[live.point])


def _after(seen_us: Ints) -> Ints:
    return np.where(seen_us == NOT_YET_US, NOT_YET_US, seen_us + 1)


def united(point: Ints, start_us: Ints, end_us: Ints) -> Spans:
    """One stretch per point, around all of its own.

    Examples
    --------
    >>> united(np.array([7, 3, 7]), np.array([10, 0, 30]), np.array([20, 5, 40])).end_us.tolist()
    [5, 40]
    """
    if not point.size:
        return NO_SPANS
    order = np.argsort(point, kind="stable")
    point, start_us, end_us = point[order], start_us[order], end_us[order]
    first = np.flatnonzero(np.diff(point, prepend=-1) != 0)
    return Spans(point[first], np.minimum.reduceat(start_us, first), np.maximum.reduceat(end_us, first))


def chosen(spans: Spans, is_wanted: NDArray[np.bool_]) -> Spans:
    """Those that are wanted."""
    return Spans(spans.point[is_wanted], spans.start_us[is_wanted], spans.end_us[is_wanted])


NO_SPANS: Final = Spans(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.int64))
