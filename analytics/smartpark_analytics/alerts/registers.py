"""Counters that go back, start again, are replaced, or jump further than they can.

How a register that falls is understood is said in one place, `smartpark_analytics.registers`, and asked there: a
rollover of known width is fine, a reading that is soon taken back is set aside, and a change of meter that was
written down is none. What is left is a finding, held here against a rule: `findings` chooses which of them breach.

    verdicts, carry = registers.judge(readings, points, carry, findings=IntervalFlag.RESET, until_us=until_us)
    found, episodes_carry = episodes.step(verdicts, …, for_us=0, until_us=registers.judged_until_us(carry))

Whether a fall is taken back is known only later. So a reading is judged once `delay_us` has gone by and another
sound reading has come; the verdict bears the reading's own moment. `episodes` is to be told how far that has got,
not what time it is.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from smartpark_analytics.alerts.rows import Bools, Index, in_order, last_not_after, opens_row, per_row_us, seen_after
from smartpark_analytics.alerts.samples import NOT_YET_US, Floats, Ints, Level, Verdicts
from smartpark_analytics.changes import RegisterChanges, movements_through_changes
from smartpark_analytics.flags import IntervalFlag
from smartpark_analytics.registers import (
    HOUR_US,
    NO_VALUE,
    Movements,
    RegisterLimits,
    RegisterPoints,
    RegisterReadings,
    register_movements,
)

BACKWARDS: Final = IntervalFlag.RESET | IntervalFlag.REPLACED
"""It shows less than before, and neither rolled over nor took it back."""
JUMP: Final = IntervalFlag.IMPLAUSIBLE
"""It rose faster than the point can."""
_KEPT_WINDOWS: Final = 3
"""A fall is understood by what lies a window around it, and that by what lies a window around each of its ends."""
_KEPT_SOUND: Final = 3
"""Sound readings that the next one is compared with: the one before, how fast that moved, and one to spare."""


class RegisterCarry(NamedTuple):
    """What is remembered."""

    recent: RegisterReadings
    """Of all registers, those that later ones are to be understood with."""
    judged_us: Ints
    """Last reading judged, shape (rows,)."""
    seen_us: Ints
    """Latest moment known, shape (rows,)."""


def fresh_carry(rows: int) -> RegisterCarry:
    """Nothing seen so far."""
    nothing = np.zeros(0, np.int64)
    never = np.full(rows, NOT_YET_US, np.int64)
    return RegisterCarry(
        RegisterReadings(nothing, nothing, nothing, np.zeros(0, np.int32), np.zeros(0)), never, never.copy()
    )


def delay_us(limits: RegisterLimits | None = None) -> int:
    """How long after a reading, in µs, it is known whether it was meant; it is judged with the next one after."""
    return 2 * (limits or RegisterLimits()).glitch_window_us


def lookback_us(step_us: int, limits: RegisterLimits | None = None) -> int:
    """How far back, in µs, readings every `step_us` are needed to go on as if never interrupted."""
    window = (limits or RegisterLimits()).glitch_window_us
    return delay_us(limits) + _KEPT_WINDOWS * window + (_KEPT_SOUND + 1) * step_us


def judged_until_us(carry: RegisterCarry) -> Ints:
    """What to tell `episodes` as `until_us`: no more verdicts before this. [µs], shape (rows,)."""
    return np.where(carry.judged_us == NOT_YET_US, NOT_YET_US, carry.judged_us + 1)


def judge(
    readings: RegisterReadings,
    points: RegisterPoints,
    carry: RegisterCarry,
    *,
    findings: IntervalFlag = BACKWARDS | JUMP,
    limits: RegisterLimits | None = None,
    changes: RegisterChanges | None = None,
    until_us: ArrayLike = NOT_YET_US,
) -> tuple[Verdicts, RegisterCarry]:
    """BREACH at readings that a register cannot have come to by counting.

    Parameters
    ----------
    readings : RegisterReadings
        In order, no moment twice, later than those before.
    points : RegisterPoints
        What is known of each register.
    carry : RegisterCarry
        From the step before or `fresh_carry`. Not changed.
    findings : IntervalFlag
        Which findings are a breach.
    limits : RegisterLimits, optional
        As for energy: what counts as taken back, near zero, and so on.
    changes : RegisterChanges, optional
        Changes of meters that were written down.
    until_us : int or ndarray of int64, shape (rows,), optional
        No more readings from before this moment. [µs]

    Returns
    -------
    verdicts : Verdicts
        Of sound readings that can be judged by now. `value` is by how much the register moved since the one before;
        `limit` how much it can have at most, 0 where it fell. UNKNOWN for the first reading. [unit]
    carry : RegisterCarry
        For the next step.

    Raises
    ------
    ValueError
        When readings are out of order or not later than those before, or parameters do not fit.

    Examples
    --------
    A reading an hour; the meter is set to zero after the third:

    >>> count = np.array([500, 510, 520, 4, 14, 24])
    >>> readings = RegisterReadings(np.zeros(6, np.int64), np.arange(6) * HOUR_US, count,
    ...                             np.zeros(6, np.int32), np.ones(6))
    >>> verdicts, carry = judge(readings, RegisterPoints.unknown(1), fresh_carry(1), until_us=6 * HOUR_US)
    >>> verdicts.level.tolist(), verdicts.value.tolist()
    ([-1, 0, 0, 2, 0], [nan, 10.0, 10.0, -516.0, 10.0])
    >>> int(carry.judged_us[0]) == 4 * HOUR_US
    True
    """
    rows = points.count
    until = per_row_us(until_us, rows, "until_us")
    opens = in_order(readings.point, readings.time, rows, carry.seen_us)
    seen = seen_after(readings.point, readings.time, opens, carry.seen_us, until)
    known = _joined(carry.recent, readings)
    moves = _movements(known, points, changes, limits)
    settled = np.where(seen == NOT_YET_US, NOT_YET_US, seen - delay_us(limits))
    is_ready = _has_settled_successor(moves, settled)
    verdicts = _verdicts(moves, known, points, findings)
    is_new = is_ready & (moves.time > carry.judged_us[moves.point]) & _are_readings(moves, known)
    judged = carry.judged_us.copy()
    np.maximum.at(judged, moves.point[is_new], moves.time[is_new])
    kept = _kept(known, moves, judged, limits or RegisterLimits())
    return _some(verdicts, is_new), RegisterCarry(_where(known, kept), judged, seen)


def _some(verdicts: Verdicts, which: Bools) -> Verdicts:
    return Verdicts(
        verdicts.row[which],
        verdicts.time_us[which],
        verdicts.level[which],
        verdicts.value[which],
        verdicts.limit[which],
    )


def _where(readings: RegisterReadings, which: Bools | Index) -> RegisterReadings:
    return RegisterReadings(
        readings.point[which],
        readings.time[which],
        readings.steps[which],
        readings.status[which],
        readings.scale[which],
    )


def _joined(recent: RegisterReadings, new: RegisterReadings) -> RegisterReadings:
    """Usable readings in order; what is bad or empty is no reading, here as for energy."""
    usable = _where(new, (new.steps != NO_VALUE) & (new.status >= 0))
    point = np.concatenate([recent.point, usable.point])
    both = RegisterReadings(
        point,
        np.concatenate([recent.time, usable.time]),
        np.concatenate([recent.steps, usable.steps]),
        np.concatenate([recent.status, usable.status]),
        np.concatenate([recent.scale, usable.scale]),
    )
    return _where(both, np.argsort(point, kind="stable"))


def _movements(
    known: RegisterReadings, points: RegisterPoints, changes: RegisterChanges | None, limits: RegisterLimits | None
) -> Movements:
    if changes is None:
        return register_movements(known, points, limits)
    return movements_through_changes(known, points, changes, limits)


def _has_settled_successor(moves: Movements, settled_us: Ints) -> Bools:
    """Whether it is known of each reading's successor that it was meant."""
    has = np.zeros(len(moves.point), np.bool_)
    has[:-1] = (moves.point[1:] == moves.point[:-1]) & (moves.time[1:] <= settled_us[moves.point[1:]])
    return has


def _are_readings(moves: Movements, known: RegisterReadings) -> Bools:
    """Counts at a change of meter stand among the movements and are no readings."""
    at = last_not_after(moves.point, moves.time, known.point, known.time)
    return (at >= 0) & (known.time[at] == moves.time) if known.time.size else np.zeros(len(moves.time), np.bool_)


def _verdicts(moves: Movements, known: RegisterReadings, points: RegisterPoints, findings: IntervalFlag) -> Verdicts:
    moved = moves.rise * moves.scale
    lost = np.flatnonzero(~moves.known & ~moves.first)
    fallen = np.flatnonzero((moves.flags & int(IntervalFlag.RESET | IntervalFlag.REPLACED)) != 0)
    shown = np.union1d(lost, fallen)
    moved[shown] = _shown_difference(moves, known, shown)
    limit = _most(moves, points)
    limit[moved < 0] = 0.0
    level = np.where(moves.flags & int(findings) != 0, Level.BREACH, Level.CLEAR).astype(np.int8)
    level[moves.first] = Level.UNKNOWN
    moved[moves.first] = np.nan
    return Verdicts(moves.point, moves.time, level, moved, limit)


def _shown_difference(moves: Movements, known: RegisterReadings, which: Index) -> Floats:
    """What the register shows more than at the reading before, where that is not what it counted."""
    here, before = (
        last_not_after(moves.point[at], moves.time[at], known.point, known.time) for at in (which, which - 1)
    )
    shown = (known.steps[here] - known.steps[before]) * moves.scale[which]
    # Where a change of meter comes first, there is no reading before.
    return np.where(before >= 0, shown, np.nan)


def _most(moves: Movements, points: RegisterPoints) -> Floats:
    """Most that each can have moved since the reading before; NaN where nobody said how fast it can."""
    fastest = points.max_rate[moves.point]
    hours = np.zeros(len(moves.time))
    hours[1:] = np.diff(moves.time) / HOUR_US
    return np.where(np.isfinite(fastest) & ~moves.first, np.where(np.isfinite(fastest), fastest, 0.0) * hours, np.nan)


def _kept(known: RegisterReadings, moves: Movements, judged_us: Ints, limits: RegisterLimits) -> Bools:
    """Readings that later ones need: those near the last one judged and behind it, and some sound ones before."""
    reach = _KEPT_WINDOWS * limits.glitch_window_us
    since = np.where(judged_us == NOT_YET_US, NOT_YET_US, judged_us - reach)
    kept = known.time >= since[known.point]
    old = np.flatnonzero(moves.time <= judged_us[moves.point])
    # Counted from behind within each register.
    opens = opens_row(moves.point[old])
    size = np.diff(np.append(np.flatnonzero(opens), len(old)))
    from_behind = np.repeat(np.cumsum(size), size) - np.arange(len(old))
    newest = old[from_behind <= _KEPT_SOUND]
    place = last_not_after(moves.point[newest], moves.time[newest], known.point, known.time)
    kept[place[place >= 0]] = True
    return kept
