"""Movements of registers apportioned to intervals of time: the second step towards interval energy.

The register's value at an interval's boundary is the reading of that instant, or lies on the straight line between
the two readings around it when these are no further apart than `max_gap`. An amount is the difference of the two
boundary values: whatever lies between them, gaps included, is in it. So amounts of neighbouring intervals add up to
the amount of the two together, as the register itself does. An interval with a boundary that is not known has no
amount: NaN and flagged, never zero.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from smartpark_analytics.flags import IntervalFlag
from smartpark_analytics.registers import HOUR_US, QUARTER_HOUR_US, Bools, Flags, Floats, Ints, Movements

Index = NDArray[np.intp]
_ESTIMATED_FROM = 1e-9
"""Shares below this are the noise of doubles."""


@dataclass(frozen=True, slots=True)
class Intervals:
    """Equal intervals of time at points; both arrays have shape (n_intervals,).

    Ascending by point and start, disjoint.
    """

    point: Ints
    start: Ints
    """First instant, included. [µs since the epoch]"""
    width_us: int = QUARTER_HOUR_US

    @staticmethod
    def dense(n_points: int, start: int, count: int, width_us: int = QUARTER_HOUR_US) -> "Intervals":
        """The same `count` intervals at every point; results reshape to (n_points, count)."""
        starts = start + width_us * np.arange(count, dtype=np.int64)
        return Intervals(np.repeat(np.arange(n_points, dtype=np.int64), count), np.tile(starts, n_points), width_us)


@dataclass(frozen=True, slots=True)
class IntervalAmounts:
    """What flowed in each interval; all arrays have shape (n_intervals,)."""

    amount: Floats
    """NaN where not known. [unit]"""
    completeness: Floats
    """Share of the interval's time that the amount covers; 0 where there is none. [0-1]"""
    estimated_share: Floats
    """Share of the amount that was apportioned across a span longer than nominal. [0-1]"""
    flags: Flags
    """`IntervalFlag`."""


def interval_amounts(
    movements: Movements, intervals: Intervals, *, max_gap_us: int = HOUR_US, nominal_us: int | None = None
) -> IntervalAmounts:
    """What flowed in each interval.

    Parameters
    ----------
    movements : Movements
        From `register_movements`.
    intervals : Intervals
        Where to apportion them.
    max_gap_us : int
        Readings further apart than this say nothing about the instants between them. One hour: four intervals, over
        which a load may be taken as even for accounting; the estimated share tells how much rests on that. [µs]
    nominal_us : int, optional
        Readings further apart than this make what is apportioned between them an estimate. Default the width. [µs]

    Returns
    -------
    IntervalAmounts
        Amount, completeness, estimated share and flags.
    """
    nominal = intervals.width_us if nominal_us is None else nominal_us
    keys = _Keys.of(movements, intervals)
    start = _boundary(movements, keys, intervals.point, intervals.start, max_gap_us)
    end = _boundary(movements, keys, intervals.point, intervals.start + intervals.width_us, max_gap_us)
    amount = _difference(movements, start, end)
    missing = ~(start.known & end.known)
    amount[missing] = np.nan
    flags = np.where(missing, np.int32(IntervalFlag.GAP), np.int32(0)).astype(np.int32)
    completeness = np.where(missing, 0.0, 1.0)
    estimated = _estimated_share(movements, start, end, amount, nominal)
    flags[estimated > _ESTIMATED_FROM] |= IntervalFlag.ESTIMATED
    _paint(movements, keys, intervals, flags, completeness)
    # A step that is not known and fills the interval leaves no amount, however close its readings are.
    amount[completeness <= _ESTIMATED_FROM] = np.nan
    flags[np.isnan(amount)] |= IntervalFlag.GAP
    return IntervalAmounts(amount, completeness, estimated, flags)


@dataclass(frozen=True, slots=True)
class _Keys:
    """Point and time as one ascending integer, so that one `searchsorted` serves all points."""

    origin: int
    stride: int

    @staticmethod
    def of(movements: Movements, intervals: Intervals) -> "_Keys":
        times = (movements.time, movements.event_time, intervals.start)
        points = (movements.point, movements.event_point, intervals.point)
        low = min((int(t.min()) for t in times if t.size), default=0)
        high = max((int(t.max()) for t in times if t.size), default=0) + intervals.width_us
        n_points = max(int(p.max(initial=0)) for p in points) + 1
        stride = high - low + 1
        if n_points * stride >= 2**63:
            raise ValueError(f"{n_points} points over {stride / 1e6:.0f} s are too many for one call; split them")
        return _Keys(low, stride)

    def of_instants(self, point: Ints, time: Ints) -> Ints:
        """Key of instants between `low` and `high`."""
        return point * self.stride + (time - self.origin)


@dataclass(frozen=True, slots=True)
class _Boundary:
    """Where boundaries lie among the readings."""

    after: Index
    """Index of the first reading at or after the boundary."""
    part: Floats
    """Share of the movement towards `after` that lies before the boundary. [0-1]"""
    known: Bools


def _boundary(movements: Movements, keys: _Keys, point: Ints, time: Ints, max_gap_us: int) -> _Boundary:
    count = len(movements.time)
    if not count:
        nowhere = np.zeros(len(time), np.intp)
        return _Boundary(nowhere, np.zeros(len(time)), np.zeros(len(time), np.bool_))
    found = np.searchsorted(keys.of_instants(movements.point, movements.time), keys.of_instants(point, time))
    after = np.minimum(found, count - 1)
    is_same = (found < count) & (movements.point[after] == point)
    on_reading = is_same & (movements.time[after] == time)
    between = is_same & ~movements.first[after]
    before = np.maximum(after - 1, 0)
    span = movements.time[after] - movements.time[before]
    between &= (span <= max_gap_us) & ~on_reading
    # Where there is no pair the division has no meaning and its result no use.
    part = np.where(between, (time - movements.time[before]) / np.where(between, span, 1), 1.0)
    return _Boundary(after, part, between | on_reading)


def _difference(movements: Movements, start: _Boundary, end: _Boundary) -> Floats:
    """Amount between two boundaries: whole movements as exact integers, the parts at both ends as doubles."""
    if not movements.time.size:
        return np.full(len(start.after), np.nan)
    total = np.cumsum(movements.rise)  # may wrap around; differences stay right
    whole = total[end.after] - total[start.after]
    ends = (1.0 - start.part) * movements.rise[start.after] - (1.0 - end.part) * movements.rise[end.after]
    amount = (whole + ends) * movements.scale[end.after]
    _count_each_at_its_scale(movements, start, end, amount)
    return np.maximum(amount, 0.0)


def _count_each_at_its_scale(movements: Movements, start: _Boundary, end: _Boundary, amount: Floats) -> None:
    """Where the scale changes inside an interval, sum its movements one by one, in place.

    Of the interval's own movements only: so the last digit does not depend on what else is computed with it.
    """
    changes = np.zeros(len(movements.time), np.int64)
    changes[1:] = (movements.scale[1:] != movements.scale[:-1]) & ~movements.first[1:]
    if not changes.any():
        return
    until = np.cumsum(changes)
    mixed = np.flatnonzero(start.known & end.known & (until[end.after] > until[start.after]))
    count = end.after[mixed] - start.after[mixed] + 1
    opens = np.cumsum(count) - count
    movement = np.arange(count.sum()) + np.repeat(start.after[mixed] - opens, count)
    share = np.ones(len(movement))
    share[opens] = 1.0 - start.part[mixed]
    share[opens + count - 1] = end.part[mixed]
    contribution = share * movements.rise[movement] * movements.scale[movement]
    if mixed.size:
        amount[mixed] = np.add.reduceat(contribution, opens)


def _estimated_share(
    movements: Movements, start: _Boundary, end: _Boundary, amount: Floats, nominal_us: int
) -> Floats:
    """Share of the amount that lies in long pairs which a boundary cuts in two."""
    if not movements.time.size:
        return np.zeros(len(amount))
    span = np.zeros(len(movements.time), np.int64)
    np.subtract(movements.time[1:], movements.time[:-1], out=span[1:])
    moved = np.where((span > nominal_us) & ~movements.first, movements.rise * movements.scale, 0.0)
    at_start, at_end = (1.0 - start.part) * moved[start.after], end.part * moved[end.after]
    one_pair = (end.part - start.part) * moved[end.after]
    estimated = np.where(start.after == end.after, one_pair, at_start + np.where(end.part < 1.0, at_end, 0.0))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(amount > 0, np.clip(estimated / amount, 0.0, 1.0), 0.0)


def _paint(movements: Movements, keys: _Keys, intervals: Intervals, flags: Flags, completeness: Floats) -> None:
    """Findings of movements and readings onto the intervals they touch, in place."""
    at = np.flatnonzero(movements.flags)
    if at.size:
        begin, end = movements.time[at - 1], movements.time[at]
        hit, which = _touched(keys, intervals, movements.point[at], begin, end)
        np.bitwise_or.at(flags, hit, movements.flags[at][which])
        lost = ~movements.known[at][which]
        hit, which = hit[lost], which[lost]
        overlap = np.minimum(end[which], intervals.start[hit] + intervals.width_us)
        overlap -= np.maximum(begin[which], intervals.start[hit])
        np.subtract.at(completeness, hit, overlap / intervals.width_us)
        np.maximum(completeness, 0.0, out=completeness)
    # One microsecond long, so that a reading belongs to the interval that it opens.
    hit, which = _touched(keys, intervals, movements.event_point, movements.event_time, movements.event_time + 1)
    np.bitwise_or.at(flags, hit, movements.event_flags[which])


def _touched(keys: _Keys, intervals: Intervals, point: Ints, begin: Ints, end: Ints) -> tuple[Index, Index]:
    """Pairs (interval, event) that overlap, both half-open."""
    starts = keys.of_instants(intervals.point, intervals.start)
    first = np.searchsorted(starts + intervals.width_us, keys.of_instants(point, begin), side="right")
    last = np.searchsorted(starts, keys.of_instants(point, end), side="left")
    count = np.maximum(last - first, 0)
    which = np.repeat(np.arange(len(count)), count)
    within = np.arange(len(which)) - np.repeat(np.cumsum(count) - count, count)
    return first[which] + within, which
