"""Clocks of devices that go wrong, as seen from when readings come in.

A reading comes in later than it was measured by what transport takes; the quickest of many is nearly free of
waiting, so its delay beyond the usual one is what the clock is off: positive where the clock is behind, negative
where it is ahead [1]_. Time here is that of receipt: readings that were kept back during an outage and sent later
come among fresh ones and do not count, as long as there are fresh ones. From one way alone a clock that is behind
cannot be told from a path that has become slow; limits should leave room for that. Windows lie on multiples of their
width, and each is judged when it is over.

    verdicts, carry = clocks.judge(row, measured_us, received_us, carry, limit_s=5.0, usual_delay_us=…, until_us=…)

`judge_future` needs no window: what has not happened yet was not measured.

References
----------
.. [1] RFC 5905, Network Time Protocol Version 4, clause 10 (clock filter: of several samples that of least delay).
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from smartpark_analytics.alerts import limits as held
from smartpark_analytics.alerts.rows import Bools, Index, per_row, per_row_us
from smartpark_analytics.alerts.samples import NOT_YET_US, Floats, Ints, Level, Samples, Verdicts

QUARTER_HOUR_US: Final = 900_000_000
_SECOND_US: Final = 1e6


class ClockCarry(NamedTuple):
    """What is remembered of each object; all of shape (rows,)."""

    window: Ints
    """Number of the window it is in, counted from the epoch."""
    least_us: Ints
    """Least delay of its readings there."""
    number: Ints
    """Its readings there; 0: none."""
    seen_us: Ints
    """End of the last window that was judged; what comes in must do so later."""


def fresh_carry(rows: int) -> ClockCarry:
    """Nothing received so far."""
    zero = np.zeros(rows, np.int64)
    return ClockCarry(zero, zero.copy(), zero.copy(), np.full(rows, NOT_YET_US, np.int64))


def lookback_us(window_us: int = QUARTER_HOUR_US) -> int:
    """How far back, in µs of receipt, readings are needed: to the begin of the window."""
    return window_us


def judge(
    row: Ints,
    measured_us: Ints,
    received_us: Ints,
    carry: ClockCarry,
    *,
    limit_s: ArrayLike,
    clear_s: ArrayLike | None = None,
    usual_delay_us: ArrayLike = 0,
    window_us: int = QUARTER_HOUR_US,
    min_count: int = 5,
    until_us: ArrayLike = NOT_YET_US,
) -> tuple[Verdicts, ClockCarry]:
    """How far each clock is off, once per window.

    Parameters
    ----------
    row, measured_us, received_us : ndarray of int64, shape (n,)
        Readings in any order; received no earlier than the windows judged before. [µs]
    carry : ClockCarry
        From the step before or `fresh_carry`. Not changed.
    limit_s, clear_s : float or ndarray of float64, shape (rows,)
        Off by more than the limit is a breach, by no more than `clear_s` (by default the same) is fine. [s]
    usual_delay_us : int or ndarray of int64, shape (rows,)
        What transport takes at least; of many objects `usual_delay_us` tells it. [µs]
    window_us : int
        Width of the windows. [µs]
    min_count : int
        With fewer readings a window is UNKNOWN.
    until_us : int or ndarray of int64, shape (rows,), optional
        Nothing more is received before this moment. [µs]

    Returns
    -------
    verdicts : Verdicts
        At the end of each window with readings; `value` is by how much the clock is behind, negative: ahead. [s]
    carry : ClockCarry
        For the next step.

    Raises
    ------
    ValueError
        When something was received in a window that is judged, or parameters do not fit.

    Examples
    --------
    Transport takes 2 s or more; the clock is 8 s ahead:

    >>> measured = np.array([100, 110, 120, 130]) * 1_000_000
    >>> received = measured - 8_000_000 + np.array([2, 9, 4, 3]) * 1_000_000
    >>> found, _ = judge(np.zeros(4, np.int64), measured, received, fresh_carry(1), limit_s=5.0,
    ...                  usual_delay_us=2_000_000, min_count=3, until_us=QUARTER_HOUR_US)
    >>> (found.time_us / 60e6).tolist(), found.value.tolist(), found.level.tolist()
    ([15.0], [-8.0], [2])
    """
    rows = len(carry.number)
    usual, until = per_row_us(usual_delay_us, rows, "usual_delay_us"), per_row_us(until_us, rows, "until_us")
    limit = per_row(limit_s, rows, "limit_s")
    clear = limit if clear_s is None else per_row(clear_s, rows, "clear_s")
    band = held.band(-limit, limit, below_clear=-clear, above_clear=clear)
    _refuse_judged(row, received_us, carry.seen_us)
    windows = _windows(row, received_us // window_us, received_us - measured_us, carry)
    is_last = np.append(windows.row[1:] != windows.row[:-1], True) if windows.row.size else np.zeros(0, np.bool_)
    end_us = (windows.window + 1) * window_us
    is_over = ~is_last | (until[windows.row] >= end_us)
    offset = np.where(windows.number >= min_count, (windows.least_us - usual[windows.row]) / _SECOND_US, np.nan)
    verdicts = held.judge(Samples(windows.row[is_over], end_us[is_over], offset[is_over]), band)
    # The moment before all others is no multiple of anything.
    over_us = np.where(until == NOT_YET_US, NOT_YET_US, until - until % window_us)
    return verdicts, _carried(windows, end_us, is_over, carry, over_us)


class _Windows(NamedTuple):
    """Windows with readings, sorted by row and time; all of shape (n_windows,)."""

    row: Ints
    window: Ints
    least_us: Ints
    number: Ints


def _refuse_judged(row: Ints, received_us: Ints, seen_us: Ints) -> None:
    judged = received_us < seen_us[row]
    if judged.any():
        at = int(np.argmax(judged))
        raise ValueError(
            f"row {row[at]} was judged up to {seen_us[row[at]]} µs of receipt; {received_us[at]} µs is before that"
        )


def _windows(row: Ints, window: Ints, delay_us: Ints, carry: ClockCarry) -> _Windows:
    kept = np.flatnonzero(carry.number)
    at, of = np.concatenate([kept, row]), np.concatenate([carry.window[kept], window])
    least = np.concatenate([carry.least_us[kept], delay_us])
    number = np.concatenate([carry.number[kept], np.ones(len(row), np.int64)])
    order, first = _groups(at, of)
    if not first.size:
        return _Windows(at, of, least, number)
    return _Windows(
        at[order[first]],
        of[order[first]],
        np.minimum.reduceat(least[order], first),
        np.add.reduceat(number[order], first),
    )


def _groups(row: Ints, key: Ints) -> tuple[Index, Index]:
    """An order by row and key, and where each pair of them begins in it."""
    order = np.lexsort((key, row))
    row, key = row[order], key[order]
    begins = np.ones(len(row), np.bool_)
    begins[1:] = (row[1:] != row[:-1]) | (key[1:] != key[:-1])
    return order, np.flatnonzero(begins)


def _carried(windows: _Windows, end_us: Ints, is_over: Bools, carry: ClockCarry, until_us: Ints) -> ClockCarry:
    rows = len(carry.number)
    after = fresh_carry(rows)._replace(seen_us=np.maximum(carry.seen_us, until_us))
    over, still = windows.row[is_over], windows.row[~is_over]
    np.maximum.at(after.seen_us, over, end_us[is_over])
    after.window[still] = windows.window[~is_over]
    after.least_us[still] = windows.least_us[~is_over]
    after.number[still] = windows.number[~is_over]
    return after


def usual_delay_us(row: Ints, measured_us: Ints, received_us: Ints) -> int:
    """What transport takes at least: the median over objects of each one's least delay.

    Half of the clocks may be wrong in any direction before it is off; by all of them being wrong it is.

    Parameters
    ----------
    row, measured_us, received_us : ndarray of int64, shape (n,)
        Readings of objects that take the same way. [µs]

    Raises
    ------
    ValueError
        When there are no readings.

    Examples
    --------
    >>> row, measured = np.array([0, 0, 1, 2]), np.zeros(4, np.int64)
    >>> usual_delay_us(row, measured, np.array([7, 3, 4, -900]))
    3
    """
    if not row.size:
        raise ValueError("without readings nothing is known of how long transport takes")
    order = np.argsort(row, kind="stable")
    first = np.flatnonzero(np.diff(row[order], prepend=-1))
    return int(np.median(np.minimum.reduceat((received_us - measured_us)[order], first)))


def judge_future(row: Ints, measured_us: Ints, received_us: Ints, *, ahead_s: ArrayLike, rows: int) -> Verdicts:
    """Readings that are said to be measured after they came in.

    Each is judged by itself; nothing is remembered and no history is needed.

    Parameters
    ----------
    row, measured_us, received_us : ndarray of int64, shape (n,)
        Readings in any order. [µs]
    ahead_s : float or ndarray of float64, shape (rows,)
        So much is let pass. [s]
    rows : int
        Number of objects.

    Returns
    -------
    Verdicts
        One per object and moment of receipt, at that moment, of the reading that lies furthest ahead: `value` is how
        far. A step must bring all that was received at a moment, lest `episodes` refuses the rest. [s]

    Examples
    --------
    >>> zero = np.zeros(2, np.int64)
    >>> found = judge_future(zero, np.array([90_000_000, 0]), zero, ahead_s=60.0, rows=1)
    >>> found.value.tolist(), found.level.tolist()
    ([90.0], [2])
    """
    order, first = _groups(row, received_us)
    at, time_us = row[order[first]], received_us[order[first]]
    ahead: Floats = (measured_us - received_us)[order] / _SECOND_US
    most = np.maximum.reduceat(ahead, first) if first.size else ahead
    allowed = per_row(ahead_s, rows, "ahead_s")[at]
    level = np.where(most > allowed, Level.BREACH, Level.CLEAR).astype(np.int8)
    return Verdicts(at, time_us, level, most, allowed)
