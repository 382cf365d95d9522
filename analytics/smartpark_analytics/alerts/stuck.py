"""Gauges that do not move although they should: frozen, or their last value repeated by something between.

A stretch of values within `tolerance` of one another that has lasted `stuck_us` is a breach. What may rest is not
stuck: values at `rest` (no load at night, a photovoltaic plant in the dark, a closed valve) and samples that the
caller says may stand still. For values of whole steps a tolerance below the step means "the very same value". A value
that drifts by less than the tolerance from reading to reading moves, once the drift adds up. How many different
values there are is not asked: two that take turns within the tolerance stand still, beyond it they move.

    verdicts, carry = stuck.judge(samples, carry, stuck_us=…, tolerance=0.5 * resolution, rest=0.0)

A stretch ends at a hole longer than `max_gap_us`: nobody knows whether the value moved in it. How values are cut into
stretches is greedy: a stretch begins with the value that left the one before. A gauge that freezes is thus found no
later than `stuck_us` after it did, whatever went before. For counters see `stuck_counters`.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from smartpark_analytics.alerts.rows import (
    Bools,
    Index,
    durations,
    in_order,
    later,
    opens_row,
    per_row,
    seen_after,
    some_samples,
)
from smartpark_analytics.alerts.samples import NEVER_US, NOT_YET_US, Floats, Ints, Level, Samples, Verdicts

_SECOND_US: Final = 1e6
_CHUNK: Final = 1 << 18
"""Samples whose stretches are cut together, so that the tables for it stay small."""
_WIDEST: Final = 12
"""Powers of two in those tables."""


class StuckCarry(NamedTuple):
    """What is remembered of each object; all of shape (rows,)."""

    since_us: Ints
    """First sample of the stretch it is in; `NEVER_US`: it is in none."""
    last_us: Ints
    """Last sample with a value."""
    low: Floats
    """Lowest value of the stretch."""
    high: Floats
    number: Ints
    """Samples in the stretch."""
    seen_us: Ints
    """Latest moment judged."""


def fresh_carry(rows: int) -> StuckCarry:
    """Nothing seen so far."""
    return StuckCarry(
        np.full(rows, NEVER_US, np.int64),
        np.full(rows, NOT_YET_US, np.int64),
        np.full(rows, np.nan),
        np.full(rows, np.nan),
        np.zeros(rows, np.int64),
        np.full(rows, NOT_YET_US, np.int64),
    )


def lookback_us(stuck_us: ArrayLike) -> int:
    """How far back, in µs, samples are needed to find what is stuck; for since when, as far as it reaches."""
    return int(np.max(stuck_us))


def judge(
    samples: Samples,
    carry: StuckCarry,
    *,
    stuck_us: ArrayLike,
    tolerance: ArrayLike,
    rest: ArrayLike = np.nan,
    may_rest: Bools | None = None,
    max_gap_us: ArrayLike = NEVER_US,
    min_count: int = 3,
) -> tuple[Verdicts, StuckCarry]:
    """BREACH at samples whose value has not moved for long, although it should.

    Parameters
    ----------
    samples : Samples
        Gauges; later than those before. Values that are not numbers are UNKNOWN and end nothing.
    carry : StuckCarry
        From the step before or `fresh_carry`. Not changed.
    stuck_us : int or ndarray of int64, shape (rows,)
        Standing still for so long is a breach; `NEVER_US`: none is. [µs]
    tolerance : float or ndarray of float64, shape (rows,)
        Values no further apart than this are the same: noise of the instrument, or half its step. [its unit]
    rest : float or ndarray of float64, shape (rows,), optional
        Value at which it may stand still, within the tolerance; NaN: it may at none. [unit of the object]
    may_rest : ndarray of bool, shape (n,), optional
        Samples at which it may stand still whatever its value.
    max_gap_us : int or ndarray of int64, shape (rows,), optional
        After a longer hole it is not known to have stood still. [µs]
    min_count : int
        So many equal samples at least, so that two readings far apart prove nothing.

    Returns
    -------
    verdicts : Verdicts
        One per sample; `value` is for how long it has stood still, `limit` how long it may. [s]
    carry : StuckCarry
        For the next step.

    Raises
    ------
    ValueError
        When samples are out of order or not later than those before, or parameters do not fit.

    Examples
    --------
    A reading each minute; 20.5 for three minutes is too long, 0 is not:

    >>> samples = Samples(np.zeros(8, np.int64), np.arange(8) * 60_000_000,
    ...                   np.array([0.0, 0.0, 0.0, 0.0, 20.5, 20.5, 20.5, 20.5]))
    >>> verdicts, _ = judge(samples, fresh_carry(1), stuck_us=180_000_000, tolerance=0.05, rest=0.0)
    >>> verdicts.level.tolist(), verdicts.value.tolist()
    ([0, 0, 0, 0, 0, 0, 0, 2], [0.0, 0.0, 0.0, 0.0, 0.0, 60.0, 120.0, 180.0])
    """
    rows = len(carry.since_us)
    longest = durations(stuck_us, rows, "stuck_us")
    apart = per_row(tolerance, rows, "tolerance")
    opens = in_order(samples.row, samples.time_us, rows, carry.seen_us)
    known = np.isfinite(samples.value)
    said = samples if known.all() else some_samples(samples, known)
    resting = _resting(said, apart, per_row(rest, rows, "rest"))
    if may_rest is not None:
        resting |= may_rest[known]
    line = _line(said, resting, carry)
    starts = _starts(line, apart, durations(max_gap_us, rows, "max_gap_us"))
    still_us, count = _stood_still(line, starts, carry)
    after = _carried(line, starts, count, carry)
    never = np.full(rows, NOT_YET_US, np.int64)
    after.seen_us[:] = seen_after(samples.row, samples.time_us, opens, carry.seen_us, never)
    is_new = line.source >= 0
    still_us, count = still_us[is_new], count[is_new]
    level = np.full(len(samples.row), Level.UNKNOWN, np.int8)
    is_stuck = (still_us >= longest[said.row]) & (count >= min_count) & ~resting
    level[known] = np.where(is_stuck, Level.BREACH, Level.CLEAR)
    value = np.full(len(samples.row), np.nan)
    value[known] = still_us / _SECOND_US
    return Verdicts(samples.row, samples.time_us, level, value, longest[samples.row] / _SECOND_US), after


class _Line(NamedTuple):
    """Known samples, each row's behind the lowest and the highest value of the stretch it was in."""

    row: Ints
    time_us: Ints
    """Of what stands for a stretch: its last sample."""
    value: Floats
    resting: Bools
    source: Index
    """Place among the known samples; -2 and -1 for the lowest and highest of a stretch."""


def _resting(said: Samples, tolerance: Floats, rest: Floats) -> Bools:
    if np.isnan(rest).all():
        return np.zeros(len(said.row), np.bool_)
    return np.abs(said.value - rest[said.row]) <= tolerance[said.row]


def _line(said: Samples, resting: Bools, carry: StuckCarry) -> _Line:
    head = np.flatnonzero(carry.since_us != NEVER_US)
    place = np.repeat(np.searchsorted(said.row, head), 2)
    both = np.repeat(head, 2)
    ends = np.column_stack([carry.low[head], carry.high[head]]).ravel()
    return _Line(
        np.insert(said.row, place, both),
        np.insert(said.time_us, place, carry.last_us[both]),
        np.insert(said.value, place, ends),
        np.insert(resting, place, np.zeros(len(both), np.bool_)),
        np.insert(np.arange(len(said.row)), place, np.tile([-2, -1], len(head))),
    )


def _starts(line: _Line, tolerance: Floats, max_gap_us: Ints) -> Bools:
    """True where a stretch begins."""
    row, value = line.row, line.value
    starts = opens_row(row)
    starts[1:] |= np.abs(np.diff(value)) > tolerance[row[1:]]
    starts[1:] |= line.resting[1:] | line.resting[:-1]
    starts[1:] |= line.time_us[1:] > later(line.time_us[:-1], max_gap_us[row[1:]])
    # The lowest and highest of a stretch are of one stretch, however rounding compares them.
    starts[line.source == -1] = False
    first = np.flatnonzero(starts)
    if first.size:
        stop = np.append(first[1:], len(row)).astype(np.intp)
        width = np.maximum.reduceat(value, first) - np.minimum.reduceat(value, first)
        wide = np.flatnonzero(width > tolerance[row[first]])
        _cut_drifts(value, first[wide], stop[wide], tolerance[row[first[wide]]], starts)
    return starts


def _cut_drifts(value: Floats, first: Index, stop: Index, tolerance: Floats, starts: Bools) -> None:
    """Cut stretches that drift: each part ends before the first value too far from another of it. In place."""
    size = stop - first
    chunk = (np.cumsum(size) - size) // _CHUNK
    for begin, end in _spans_of(chunk):
        part = slice(begin, end)
        count = size[part]
        offset = np.cumsum(count) - count
        at = np.arange(count.sum()) + np.repeat(first[part] - offset, count)
        following = _following(value[at], np.repeat(offset + count, count), np.repeat(tolerance[part], count))
        here, last = offset, offset + count
        # Each round begins the next part of every stretch that has one.
        while (here := following[here]).size:
            inside = here < last
            here, last = here[inside], last[inside]
            starts[at[here]] = True


def _spans_of(chunk: Ints) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(chunk, prepend=-1, append=-1)) if chunk.size else np.zeros(0, np.intp)
    return list(zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True))


def _following(value: Floats, end: Index, tolerance: Floats) -> Index:
    """For each value the first one behind it that is too far from it or one between; `end` of its stretch if none.

    Extremes of windows of 1, 2, 4, … values let each step look twice as far; then halved, until nothing more fits.
    """
    here = np.arange(len(value))
    longest = int((end - here).max(initial=1))
    lows, highs = [value], [value]
    while (width := 1 << len(lows)) < longest and len(lows) < _WIDEST:
        half = width // 2
        lows.append(np.minimum(lows[-1], np.append(lows[-1][half:], lows[-1][-half:])))
        highs.append(np.maximum(highs[-1], np.append(highs[-1][half:], highs[-1][-half:])))
    last, low, high = here.copy(), value.copy(), value.copy()
    for power in range(len(lows) - 1, -1, -1):
        trying = here
        while trying.size:
            target = last[trying] + (1 << power)
            trying = trying[target < end[trying]]
            behind = last[trying] + 1
            lower, higher = (
                np.minimum(low[trying], lows[power][behind]),
                np.maximum(high[trying], highs[power][behind]),
            )
            fits = higher - lower <= tolerance[trying]
            trying, lower, higher = trying[fits], lower[fits], higher[fits]
            last[trying] += 1 << power
            low[trying], high[trying] = lower, higher
            if power < _WIDEST - 1:
                break
    return last + 1


def _stood_still(line: _Line, starts: Bools, carry: StuckCarry) -> tuple[Ints, Ints]:
    """How long each of the line has stood still [µs], and how many samples that were."""
    here = np.arange(len(line.row))
    first = np.maximum.accumulate(np.where(starts, here, 0))
    is_old = line.source[first] == -2
    since = np.where(is_old, carry.since_us[line.row], line.time_us[first])
    # What stands for a stretch is two of the line and `count` samples.
    count = here - first + 1 + np.where(is_old, carry.number[line.row] - 2, 0)
    return line.time_us - since, count


def _carried(line: _Line, starts: Bools, count: Ints, carry: StuckCarry) -> StuckCarry:
    after = StuckCarry(
        carry.since_us.copy(),
        carry.last_us.copy(),
        carry.low.copy(),
        carry.high.copy(),
        carry.number.copy(),
        carry.seen_us.copy(),
    )
    if not line.row.size:
        return after
    first = np.flatnonzero(starts)
    row = line.row[first]
    newest = np.append(row[1:] != row[:-1], True)
    stop = np.append(first[1:], len(line.row)).astype(np.intp)
    row, last = row[newest], stop[newest] - 1
    after.low[row] = np.minimum.reduceat(line.value, first)[newest]
    after.high[row] = np.maximum.reduceat(line.value, first)[newest]
    is_old = line.source[first[newest]] == -2
    since = np.where(is_old, carry.since_us[row], line.time_us[first[newest]])
    after.since_us[row] = np.where(line.resting[last], NEVER_US, since)
    after.last_us[row] = line.time_us[last]
    after.number[row] = count[last]
    return after
