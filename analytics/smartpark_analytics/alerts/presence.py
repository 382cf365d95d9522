"""Whether objects speak: silent too long, told too late, and holes that were closed later.

Silence is found by time alone: `until_us` says that nothing more comes from before it, and the verdict carries the
moment at which the silence became too long, whatever the tick. Whether what is said makes sense is not asked here:
a reading without a value is one.

    verdicts, carry = presence.judge(samples, carry, stale_us=…, until_us=until_us)
    found, episodes_carry = episodes.step(verdicts, …, holds_us=NEVER_US, until_us=until_us)

`holds_us=NEVER_US` because silence goes on by itself until the next reading.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from smartpark_analytics.alerts.episodes import Change, Episodes
from smartpark_analytics.alerts.rows import (
    Bools,
    Index,
    durations,
    in_order,
    later,
    opens_row,
    per_row_us,
    seen_after,
    some_verdicts,
)
from smartpark_analytics.alerts.samples import NEVER_US, NOT_YET_US, Ints, Level, Samples, Verdicts

_SECOND_US = 1e6


class PresenceCarry(NamedTuple):
    """What is remembered of each object; all of shape (rows,)."""

    expected_us: Ints
    """From when it is expected to speak; `NEVER_US`: once it has spoken."""
    since_us: Ints
    """Since when it is silent: last reading, or `expected_us`; `NEVER_US`: nothing is expected yet."""
    is_stale: Bools
    """That this is too long was said."""
    seen_us: Ints
    """Latest moment judged."""


def fresh_carry(rows: int, expected_since_us: ArrayLike = NEVER_US) -> PresenceCarry:
    """Nothing heard so far; objects that are expected to speak since a moment may be silent from then on."""
    expected = per_row_us(expected_since_us, rows, "expected_since_us").copy()
    return PresenceCarry(expected, expected.copy(), np.zeros(rows, np.bool_), np.full(rows, NOT_YET_US, np.int64))


def lookback_us(stale_us: ArrayLike) -> int:
    """How far back, in µs, readings are needed; of objects silent for longer `fresh_carry` needs the last one."""
    return int(np.max(stale_us))


def judge(
    samples: Samples, carry: PresenceCarry, *, stale_us: ArrayLike, until_us: ArrayLike = NOT_YET_US
) -> tuple[Verdicts, PresenceCarry]:
    """CLEAR at each reading, BREACH at the moment since when there has been none for too long.

    Parameters
    ----------
    samples : Samples
        Readings later than those before; their values do not matter.
    carry : PresenceCarry
        From the step before or `fresh_carry`. Not changed.
    stale_us : int or ndarray of int64, shape (rows,)
        Silence longer than this is a breach; `NEVER_US`: none is. [µs]
    until_us : int or ndarray of int64, shape (rows,), optional
        No more readings from before this moment. [µs]

    Returns
    -------
    verdicts : Verdicts
        `value` is how long it had been silent, `limit` how long it may be. [s]
    carry : PresenceCarry
        For the next step.

    Raises
    ------
    ValueError
        When readings are out of order or not later than those before, or parameters do not fit.

    Examples
    --------
    Silent from second 0 on, more than 30 s, heard again at second 95:

    >>> heard = Samples(np.array([0, 0]), np.array([0, 95_000_000]), np.array([1.0, 1.0]))
    >>> verdicts, _ = judge(heard, fresh_carry(1), stale_us=30_000_000)
    >>> (verdicts.time_us / 1e6).tolist(), verdicts.level.tolist(), verdicts.value.tolist()
    ([0.0, 30.0, 95.0], [0, 2, 0], [0.0, 30.0, 95.0])
    """
    rows = len(carry.since_us)
    stale = durations(stale_us, rows, "stale_us")
    until = per_row_us(until_us, rows, "until_us")
    row, time_us = samples.row, samples.time_us
    opens = in_order(row, time_us, rows, carry.seen_us)
    starts = _silent_from(row, time_us, carry.expected_us)
    since = np.empty(len(row), np.int64)
    since[1:] = starts[:-1]
    since[opens] = carry.since_us[row[opens]]
    after = _carried(row, starts, opens, carry)
    after.seen_us[:] = seen_after(row, time_us, opens, carry.seen_us, until)
    ends = np.flatnonzero(~after.is_stale & (until > later(after.since_us, stale)) & (after.since_us != NEVER_US))
    after.is_stale[ends] = True
    is_hole = time_us > later(since, stale[row])
    is_hole[opens] &= ~carry.is_stale[row[opens]]
    silence = np.where(since == NEVER_US, 0, np.maximum(time_us - since, 0)) / _SECOND_US
    heard = Verdicts(row, time_us, np.zeros(len(row), np.int8), silence, stale[row] / _SECOND_US)
    holes = np.flatnonzero(is_hole)
    silent_row = np.concatenate([row[holes], ends])
    silent_since = np.concatenate([since[holes], after.since_us[ends]])
    return _merged(heard, silent_row, silent_since, stale), after


def _silent_from(row: Ints, time_us: Ints, expected_us: Ints) -> Ints:
    """From when silence counts after each reading: not before the object is expected to speak."""
    expected = expected_us[row]
    return np.where(expected == NEVER_US, time_us, np.maximum(time_us, expected))


def _carried(row: Ints, starts: Ints, opens: Bools, carry: PresenceCarry) -> PresenceCarry:
    last = np.append(np.flatnonzero(opens)[1:], len(row)).astype(np.intp)[: np.count_nonzero(opens)] - 1
    since, is_stale = carry.since_us.copy(), carry.is_stale.copy()
    since[row[last]] = starts[last]
    is_stale[row[last]] = False
    return carry._replace(since_us=since, is_stale=is_stale, seen_us=carry.seen_us.copy())


def _merged(heard: Verdicts, row: Ints, since_us: Ints, stale_us: Ints) -> Verdicts:
    """Verdicts on readings, and on the silence of objects since a moment."""
    if not row.size:
        return heard
    allowed = stale_us[row]
    silent = Verdicts(
        row,
        since_us + allowed,
        np.full(len(row), Level.BREACH, np.int8),
        allowed / _SECOND_US,
        allowed / _SECOND_US,
    )
    order = np.lexsort((silent.time_us, silent.row))
    silent = some_verdicts(silent, order)
    place = _place_among(heard, silent)
    return Verdicts(
        np.insert(heard.row, place, silent.row),
        np.insert(heard.time_us, place, silent.time_us),
        np.insert(heard.level, place, silent.level),
        np.insert(heard.value, place, silent.value),
        np.insert(heard.limit, place, silent.limit),
    )


def _place_among(heard: Verdicts, silent: Verdicts) -> Index:
    """Before which reading each silence belongs, by halving between the ends of its row."""
    low = np.searchsorted(heard.row, silent.row, side="left")
    high = np.searchsorted(heard.row, silent.row, side="right")
    while (open_ := np.flatnonzero(low < high)).size:
        middle = (low[open_] + high[open_]) // 2
        is_before = heard.time_us[middle] <= silent.time_us[open_]
        low[open_[is_before]] = middle[is_before] + 1
        high[open_[~is_before]] = middle[~is_before]
    return low


def judge_late(row: Ints, time_us: Ints, received_us: Ints, *, late_us: ArrayLike, rows: int) -> Verdicts:
    """Readings received long after they were measured.

    Each is judged by itself; nothing is remembered and no history is needed.

    Parameters
    ----------
    row, time_us, received_us : ndarray of int64, shape (n,)
        Readings, when they were measured and when they came in. [µs]
    late_us : int or ndarray of int64, shape (rows,)
        A reading that took longer is late. [µs]
    rows : int
        Number of objects.

    Returns
    -------
    Verdicts
        One per reading, at the time of its measurement: BREACH where late, HOLD where it took more than half as long;
        `value` is how long it took, `limit` how long it may. [s]

    Examples
    --------
    >>> zero = np.zeros(2, np.int64)
    >>> judge_late(zero, zero, np.array([2_000_000, 90_000_000]), late_us=60_000_000, rows=1).level.tolist()
    [0, 2]
    """
    allowed = durations(late_us, rows, "late_us")[row]
    took = received_us - time_us
    level = np.where(took > allowed, Level.BREACH, np.where(took > allowed // 2, Level.HOLD, Level.CLEAR))
    return Verdicts(row, time_us, level.astype(np.int8), took / _SECOND_US, allowed / _SECOND_US)


class GapCarry(NamedTuple):
    """What is remembered of each object; of shape (rows,)."""

    seen_us: Ints
    """Last reading; `NOT_YET_US`: none. [µs]"""


def fresh_gap_carry(rows: int) -> GapCarry:
    """Nothing heard so far."""
    return GapCarry(np.full(rows, NOT_YET_US, np.int64))


def gaps(samples: Samples, carry: GapCarry, *, gap_us: ArrayLike) -> tuple[Episodes, GapCarry]:
    """Holes between two readings, each known only when the second one comes: over as soon as found.

    While the hole is still open it is silence (`judge`). Late readings may fill it; judged anew with them, it is gone
    or smaller.

    Parameters
    ----------
    samples : Samples
        Readings later than those before; their values do not matter.
    carry : GapCarry
        From the step before or `fresh_gap_carry`. Not changed.
    gap_us : int or ndarray of int64, shape (rows,)
        Two readings further apart than this have a hole between them. [µs]

    Returns
    -------
    episodes : Episodes
        From the one reading to the other, fired when the hole had become too long; `worst` is the distance, held
        against `worst_limit`. [s]
    carry : GapCarry
        For the next step.

    Examples
    --------
    >>> heard = Samples(np.array([0, 0]), np.array([0, 95_000_000]), np.array([1.0, 1.0]))
    >>> found, _ = gaps(heard, fresh_gap_carry(1), gap_us=30_000_000)
    >>> [int(moment[0]) / 1e6 for moment in (found.since_us, found.fired_us, found.cleared_us)], found.worst.tolist()
    ([0.0, 30.0, 95.0], [95.0])
    """
    row, time_us = samples.row, samples.time_us
    allowed = durations(gap_us, len(carry.seen_us), "gap_us")
    opens = in_order(row, time_us, len(allowed), carry.seen_us)
    before = np.empty(len(row), np.int64)
    before[1:] = time_us[:-1]
    before[opens] = carry.seen_us[row[opens]]
    at = np.flatnonzero((before != NOT_YET_US) & (time_us > later(before, allowed[row])))
    since, limit = before[at], allowed[row[at]]
    change = np.full(len(at), Change.BEGAN | Change.FIRED | Change.CLEARED | Change.GREW, np.int8)
    found = Episodes(
        row=row[at],
        since_us=since,
        fired_us=since + limit,
        cleared_us=time_us[at],
        worst=(time_us[at] - since) / _SECOND_US,
        worst_limit=limit / _SECOND_US,
        worst_us=time_us[at],
        n_breaches=np.ones(len(at), np.int64),
        change=change,
    )
    never = np.full(len(allowed), NOT_YET_US, np.int64)
    return found, GapCarry(seen_after(row, time_us, opens, carry.seen_us, never))


def expected_step_us(row: Ints, time_us: Ints, rows: int, *, quantile: float = 0.5, min_count: int = 5) -> Ints:
    """How far apart readings of each object usually are: the median, which holes and bursts do not move.

    Parameters
    ----------
    row, time_us : ndarray of int64, shape (n,)
        Readings in order. [µs]
    rows : int
        Number of objects.
    quantile : float
        Other than the median for objects that speak on change: the time that this share of distances keeps. [0-1]
    min_count : int
        Fewer distances than this tell nothing.

    Returns
    -------
    ndarray of int64, shape (rows,)
        Distance of neighbours; `NEVER_US` where there are too few. [µs]

    Raises
    ------
    ValueError
        When readings are out of order.

    Examples
    --------
    >>> expected_step_us(np.zeros(7, np.int64), np.array([0, 10, 20, 31, 40, 900, 910]), 2).tolist()[0]
    10
    """
    in_order(row, time_us, rows)
    inside = ~opens_row(row)[1:]
    of, step = row[1:][inside], np.diff(time_us)[inside]
    # Row and distance in one integer sort fast; nobody speaks less than twice in twelve days.
    longest = (1 << 40) - 1
    ordered = np.sort((of << 40) | np.minimum(step, longest)) & longest
    count = np.bincount(of, minlength=rows)
    enough = np.flatnonzero(count >= max(min_count, 1))
    starts = np.cumsum(count) - count
    found = np.full(rows, NEVER_US, np.int64)
    found[enough] = ordered[starts[enough] + np.floor(quantile * (count[enough] - 1)).astype(np.intp)]
    return found
