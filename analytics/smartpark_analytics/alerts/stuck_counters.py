"""Counters that stand still while something flows, as an instrument beside them says.

What has flowed since the counter last moved is held against what it can have missed. No duration is needed: a counter
in steps of 10 kWh may stand still for hours at a small load, and for a minute at a large one.

    beside = companions.as_of(power, samples.row, samples.time_us, latest, max_age_us=…)
    verdicts, carry = stuck_counters.judge(samples, beside, carry, due=3 * resolution)

Counters without such an instrument, and how a counter moves, are not judged here (`registers`).
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from smartpark_analytics.alerts.rows import (
    Bools,
    durations,
    in_order,
    later,
    opens_row,
    per_row,
    seen_after,
    some_samples,
)
from smartpark_analytics.alerts.samples import NEVER_US, NOT_YET_US, Floats, Ints, Level, Samples, Verdicts

_HOUR_US: Final = 3.6e9
_PARTS: Final = 1 << 30
"""What is due has so many parts: whole numbers add up to the same however they are cut."""


class CounterCarry(NamedTuple):
    """What is remembered of each counter; all of shape (rows,)."""

    value: Floats
    """Last value; NaN: none so far."""
    flow: Floats
    """What was said beside it."""
    last_us: Ints
    flowed: Ints
    """Since it last moved, in `_PARTS` of what is due."""
    seen_us: Ints
    """Latest moment judged."""


def fresh_carry(rows: int) -> CounterCarry:
    """Nothing seen so far."""
    return CounterCarry(
        np.full(rows, np.nan),
        np.full(rows, np.nan),
        np.full(rows, NOT_YET_US, np.int64),
        np.zeros(rows, np.int64),
        np.full(rows, NOT_YET_US, np.int64),
    )


def lookback_us(due: ArrayLike, usual_flow: ArrayLike) -> int:
    """How far back, in µs, readings are needed: until what is due has flowed at the usual flow."""
    with np.errstate(divide="ignore"):
        hours = np.asarray(due) / np.asarray(usual_flow)
    return int(np.max(np.where(np.isfinite(hours), hours, 0.0)) * _HOUR_US)


def judge(
    samples: Samples, flow: Floats, carry: CounterCarry, *, due: ArrayLike, max_gap_us: ArrayLike = NEVER_US
) -> tuple[Verdicts, CounterCarry]:
    """BREACH at readings of a counter that stands still while more has flowed than it can have missed.

    Parameters
    ----------
    samples : Samples
        What counters show; later than those before. NaN is UNKNOWN and ends nothing.
    flow : ndarray of float64, shape (n,)
        What flows at each of these moments, in either direction, by another instrument (`companions.as_of`);
        NaN: not known. Between two readings the smaller of both is taken. [unit of the counter per h]
    carry : CounterCarry
        From the step before or `fresh_carry`. Not changed.
    due : float or ndarray of float64, shape (rows,)
        So much without a movement is a breach: three steps of the counter, or more where the flow is known badly.
        NaN: not judged. [unit of the counter]
    max_gap_us : int or ndarray of int64, shape (rows,), optional
        Over a longer hole nothing is taken to have flowed. [µs]

    Returns
    -------
    verdicts : Verdicts
        One per sample; `value` is what has flowed since the counter moved, `limit` what is due. UNKNOWN where the
        flow is not known and it does not move. [unit of the counter]
    carry : CounterCarry
        For the next step.

    Raises
    ------
    ValueError
        When samples are out of order or not later than those before, or parameters do not fit.

    Examples
    --------
    60 kW, and a counter in steps of 1 kWh that stops after the second minute:

    >>> samples = Samples(np.zeros(6, np.int64), np.arange(6) * 60_000_000, np.array([7.0, 8.0, 8.0, 8.0, 8.0, 9.0]))
    >>> verdicts, _ = judge(samples, np.full(6, 60.0), fresh_carry(1), due=2.5)
    >>> verdicts.level.tolist(), verdicts.value.round(6).tolist()
    ([0, 0, 0, 0, 2, 0], [0.0, 0.0, 1.0, 2.0, 3.0, 0.0])
    """
    rows = len(carry.value)
    needed = per_row(due, rows, "due")
    opens = in_order(samples.row, samples.time_us, rows, carry.seen_us)
    known = np.isfinite(samples.value)
    said, beside = some_samples(samples, known), np.abs(flow[known])
    flowed, moved, after = _flowed(said, beside, carry, needed, durations(max_gap_us, rows, "max_gap_us"))
    never = np.full(rows, NOT_YET_US, np.int64)
    after.seen_us[:] = seen_after(samples.row, samples.time_us, opens, carry.seen_us, never)
    level = np.full(len(samples.row), Level.UNKNOWN, np.int8)
    level[known] = np.where(moved | np.isfinite(beside), Level.CLEAR, Level.UNKNOWN)
    level[known] = np.where(flowed >= _PARTS, Level.BREACH, level[known])
    limit = needed[samples.row]
    level[np.isnan(limit)] = Level.UNKNOWN
    value = np.full(len(samples.row), np.nan)
    value[known] = flowed / _PARTS * limit[known]
    return Verdicts(samples.row, samples.time_us, level, value, limit), after


class _Before(NamedTuple):
    """The reading before each, of this step or carried over."""

    value: Floats
    flow: Floats
    time_us: Ints


def _before(said: Samples, flow: Floats, opens: Bools, carry: CounterCarry) -> _Before:
    count, at = len(said.row), said.row[opens]
    before = _Before(np.empty(count), np.empty(count), np.empty(count, np.int64))
    before.value[1:], before.flow[1:], before.time_us[1:] = said.value[:-1], flow[:-1], said.time_us[:-1]
    before.value[opens], before.flow[opens], before.time_us[opens] = (
        carry.value[at],
        carry.flow[at],
        carry.last_us[at],
    )
    return before


def _flowed(
    said: Samples, flow: Floats, carry: CounterCarry, due: Floats, max_gap_us: Ints
) -> tuple[Ints, Bools, CounterCarry]:
    """What has flowed at each reading since its counter moved, in parts of what is due; whether it moves there."""
    row, opens = said.row, opens_row(said.row)
    before = _before(said, flow, opens, carry)
    is_pair = (before.time_us != NOT_YET_US) & (said.time_us <= later(before.time_us, max_gap_us[row]))
    hours = (said.time_us - np.where(is_pair, before.time_us, said.time_us)) / _HOUR_US
    share = np.minimum(flow, before.flow) * hours / due[row]
    # One pair alone reaches what is due at most: sums stay far from the end of the integers.
    parts = np.rint(np.where(np.isfinite(share), np.clip(share, 0.0, 1.0), 0.0) * _PARTS).astype(np.int64)
    moved = said.value != before.value
    total = np.cumsum(parts)
    at = np.maximum.accumulate(np.where(moved | opens, np.arange(len(row)), 0))
    # A row that opens without moving goes on from what was carried, its own part included.
    flowed = total - total[at] + np.where(moved[at], 0, carry.flowed[row] + parts[at])
    last = np.flatnonzero(np.append(opens[1:], True)) if row.size else np.zeros(0, np.intp)
    after = CounterCarry(
        carry.value.copy(), carry.flow.copy(), carry.last_us.copy(), carry.flowed.copy(), carry.seen_us.copy()
    )
    after.value[row[last]], after.flow[row[last]] = said.value[last], flow[last]
    after.last_us[row[last]], after.flowed[row[last]] = said.time_us[last], flowed[last]
    return flowed, moved, after
