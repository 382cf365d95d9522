"""From what registers show to how far they moved: cleaned readings, and one movement per pair of neighbours.

The first of two steps towards interval energy; `intervals` apportions the movements over time. Differences are
formed between exact integers (steps of the register) and multiplied last, so that no billing-grade digit is lost.
Many points at once, sorted or not; nothing loops over readings or points. Refused here: guessing. Where a register's
movement cannot be known the movement says so, and no energy is invented.

How a register that falls is understood, in this order (docs/methods/register-to-interval.md):

1. it is back within `glitch_window`, or was as low just before: a *glitch*, those readings are set aside;
2. from near its last digit to near zero: a *rollover*;
3. down to near zero: a *reset*, energy since then counts from zero;
4. down by next to nothing: a glitch that stays; the step counts zero;
5. anything else: *replaced*, the step is not known.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from smartpark_analytics.flags import IntervalFlag
from smartpark_analytics.glitches import glitches

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.int32]
Bools = NDArray[np.bool_]

NO_VALUE: Final = -(2**63)
"""Steps of a reading without a value; the same number as `smartpark.wire.MISSING`."""
HOUR_US: Final = 3_600_000_000
QUARTER_HOUR_US: Final = 900_000_000


@dataclass(frozen=True, slots=True)
class RegisterReadings:
    """Readings of many registers; all arrays have shape (n_readings,).

    Any order is accepted; sorted by point and time is fastest.
    """

    point: Ints
    """Index of the point, 0 … n_points - 1."""
    time: Ints
    """Source time. [µs since the epoch]"""
    steps: Ints
    """What the register shows, in its steps; `NO_VALUE` where it shows nothing."""
    status: Flags
    """OPC UA status code, two's complement of the 32 bits."""
    scale: Floats
    """Amount that one step stands for at that time: resolution x multiplier. [unit]"""


@dataclass(frozen=True, slots=True)
class RegisterPoints:
    """What is known of each register; both arrays have shape (n_points,)."""

    modulus: Ints
    """Steps at which it rolls over; 0 where that is not known."""
    max_rate: Floats
    """Fastest plausible movement; inf where nobody said. [unit/h]"""

    @staticmethod
    def unknown(count: int) -> "RegisterPoints":
        """Registers of which neither the width nor the fastest movement is known."""
        return RegisterPoints(np.zeros(count, np.int64), np.full(count, np.inf))

    @property
    def count(self) -> int:
        """Number of points."""
        return len(self.modulus)


@dataclass(frozen=True, slots=True)
class RegisterLimits:
    """Thresholds, each with the reason for its default."""

    glitch_window_us: int = QUARTER_HOUR_US
    """A fall that is undone within this time was no movement. One interval: longer dips are rather resets."""
    near_share: float = 0.1
    """*Near zero* is below this share of the register's range (rollover) or of what it showed before (reset)."""
    little_share: float = 1e-3
    """*Next to nothing*: a fall by less than this share of what it showed before."""
    rate_tolerance: float = 20.0
    """A rollover or reset may have moved this many times faster than the pairs of readings beside it, not more:
    a used replacement meter would otherwise pass for a reset and invent energy."""


@dataclass(frozen=True, slots=True)
class Movements:
    """Cleaned readings, ascending by point and time, each with the movement since the one before.

    All arrays of readings have shape (n_clean,), those of events (n_events,).
    """

    point: Ints
    time: Ints
    rise: Ints
    """Steps moved since the point's previous reading; 0 for its first one and where not `known`."""
    scale: Floats
    """Amount of a step during the movement. [unit]"""
    known: Bools
    """False where the movement cannot be known (replaced, implausible)."""
    first: Bools
    """True at a point's first reading."""
    flags: Flags
    """`IntervalFlag` of the movement."""
    event_point: Ints
    """Findings about single readings, used or set aside."""
    event_time: Ints
    event_flags: Flags


def steps_of_doubles(point: Ints, value: Floats, n_points: int) -> tuple[Ints, Floats]:
    """Registers that come as doubles, as integers of a binary step of their own.

    The step of a point is the power of two that puts its largest value just below 2**61, so that the error is
    below 2**-61 of that value: less than the double itself leaves open.

    Parameters
    ----------
    point : ndarray of int64, shape (n_readings,)
        Index of the point.
    value : ndarray of float64, shape (n_readings,)
        What the register shows; NaN for nothing. [unit]
    n_points : int
        Number of points.

    Returns
    -------
    steps : ndarray of int64, shape (n_readings,)
        `NO_VALUE` where `value` is not finite.
    step : ndarray of float64, shape (n_points,)
        Size of a step. [unit]

    Examples
    --------
    >>> steps, step = steps_of_doubles(np.array([0, 0]), np.array([1.5, np.nan]), 1)
    >>> float(steps[0] * step[0]), bool(steps[1] == NO_VALUE)
    (1.5, True)
    """
    finite = np.isfinite(value)
    largest = np.zeros(n_points)
    np.maximum.at(largest, point, np.where(finite, np.abs(value), 0.0))
    # Below the smallest double there is no step to be had.
    exponent = np.where(largest > 0, np.maximum(np.frexp(largest)[1] - 61, -1074), 0).astype(np.int32)
    scaled = np.ldexp(np.where(finite, value, 0.0), -exponent[point])
    steps = np.rint(scaled).astype(np.int64)
    steps[~finite] = NO_VALUE
    return steps, np.ldexp(np.ones(n_points), exponent)


def register_movements(
    readings: RegisterReadings, points: RegisterPoints, limits: RegisterLimits | None = None
) -> Movements:
    """How far each register moved between its usable readings.

    Parameters
    ----------
    readings : RegisterReadings
        Of any number of points, in any order, duplicates included.
    points : RegisterPoints
        What is known of each register.
    limits : RegisterLimits, optional
        Thresholds.

    Returns
    -------
    Movements
        The sum of `rise` over any stretch of a point's readings without reset, rollover or glitch equals the
        difference of the register exactly.
    """
    chosen = limits or RegisterLimits()
    kept, events = _usable(readings)
    kept, conflicts = _in_order(kept)
    away = glitches(
        kept.point,
        kept.time,
        kept.steps,
        modulus=points.modulus,
        window_us=chosen.glitch_window_us,
        near_share=chosen.near_share,
    )
    events += [conflicts, _events(kept, away, IntervalFlag.GLITCH)]
    return _movements(_where(kept, ~away), points, chosen, events)


_Events = tuple[Ints, Ints, Flags]


def _events(readings: RegisterReadings, mask: Bools, flag: IntervalFlag) -> _Events:
    point = readings.point[mask]
    return point, readings.time[mask], np.full(len(point), flag, np.int32)


def _where(readings: RegisterReadings, mask: Bools) -> RegisterReadings:
    if mask.all():
        return readings
    return _take(readings, np.flatnonzero(mask))


def _take(readings: RegisterReadings, index: NDArray[np.intp]) -> RegisterReadings:
    return RegisterReadings(
        readings.point[index],
        readings.time[index],
        readings.steps[index],
        readings.status[index],
        readings.scale[index],
    )


def _usable(readings: RegisterReadings) -> tuple[RegisterReadings, list[_Events]]:
    """Readings with a value that the device does not call bad."""
    bad = readings.status < 0  # bit 31: severity 10 or 11
    usable = _where(readings, ~bad & (readings.steps != NO_VALUE))
    uncertain = usable.status & 0x4000_0000 != 0
    return usable, [
        _events(readings, bad, IntervalFlag.BAD_STATUS),
        _events(usable, uncertain, IntervalFlag.UNCERTAIN),
    ]


def _in_order(readings: RegisterReadings) -> tuple[RegisterReadings, _Events]:
    """Ascending by point and time, one reading per instant: the smallest, whatever the order of arrival."""
    step_point, step_time = np.diff(readings.point), np.diff(readings.time)
    if not ((step_point > 0) | ((step_point == 0) & (step_time > 0))).all():
        order = np.lexsort((readings.steps, readings.time, readings.point))
        readings = _take(readings, order)
        step_point, step_time = np.diff(readings.point), np.diff(readings.time)
    again = np.zeros(len(readings.point), np.bool_)
    again[1:] = (step_point == 0) & (step_time == 0)
    differs = again.copy()
    differs[1:] &= np.diff(readings.steps) != 0
    return _where(readings, ~again), _events(readings, differs, IntervalFlag.CONFLICT)


@dataclass(frozen=True, slots=True)
class _Pairs:
    """Movements while they are being explained; `rise`, `known` and `flags` are worked on in place."""

    readings: RegisterReadings
    points: RegisterPoints
    limits: RegisterLimits
    first: Bools
    rise: Ints
    scale: Floats
    known: Bools
    flags: Flags


def _movements(
    readings: RegisterReadings, points: RegisterPoints, limits: RegisterLimits, events: list[_Events]
) -> Movements:
    pairs = _pairs(readings, points, limits)
    _explain_falls(pairs)
    _refuse_implausible(pairs)
    at, when, what = (np.concatenate(column) for column in zip(*events, strict=True))
    return Movements(
        point=readings.point,
        time=readings.time,
        rise=pairs.rise,
        scale=pairs.scale,
        known=pairs.known,
        first=pairs.first,
        flags=pairs.flags,
        event_point=at,
        event_time=when,
        event_flags=what,
    )


def _pairs(readings: RegisterReadings, points: RegisterPoints, limits: RegisterLimits) -> _Pairs:
    count = len(readings.point)
    first = np.ones(count, np.bool_)
    first[1:] = readings.point[1:] != readings.point[:-1]
    rise = np.zeros(count, np.int64)
    np.subtract(readings.steps[1:], readings.steps[:-1], out=rise[1:])
    rise[first] = 0
    scale = readings.scale.copy()
    scale[1:] = readings.scale[:-1]
    scale[first] = readings.scale[first]
    flags = np.zeros(count, np.int32)
    flags[scale != readings.scale] = IntervalFlag.MULTIPLIER_CHANGED
    return _Pairs(readings, points, limits, first, rise, scale, np.ones(count, np.bool_), flags)


def _explain_falls(pairs: _Pairs) -> None:
    """Replace negative rises: rollover, reset, glitch that stays, or not known."""
    fallen = np.flatnonzero(pairs.rise < 0)
    if not fallen.size:
        return
    limits = pairs.limits
    before, after = pairs.readings.steps[fallen - 1], pairs.readings.steps[fallen]
    modulus = pairs.points.modulus[pairs.readings.point[fallen]]
    credible = _credible_steps(fallen, pairs)
    wrapped = after + (modulus - before)
    from_top = (modulus > 0) & (before >= (1 - limits.near_share) * modulus)
    is_rollover = from_top & (after <= limits.near_share * modulus) & (wrapped <= credible)
    is_reset = ~is_rollover & (after >= 0) & (after <= limits.near_share * before) & (after <= credible)
    is_little = ~is_rollover & ~is_reset & (before - after <= limits.little_share * np.abs(before))
    pairs.rise[fallen] = np.select([is_rollover, is_reset], [wrapped, after], 0)
    pairs.known[fallen] = is_rollover | is_reset | is_little
    pairs.flags[fallen] |= np.select(
        [is_rollover, is_reset, is_little],
        [int(IntervalFlag.ROLLOVER), int(IntervalFlag.RESET), int(IntervalFlag.GLITCH)],
        int(IntervalFlag.REPLACED),
    ).astype(np.int32)


def _credible_steps(fallen: NDArray[np.intp], pairs: _Pairs) -> Floats:
    """Most steps that each fallen pair may hide, by the faster of the pairs beside it; inf without any."""
    time, steps, first = pairs.readings.time, pairs.readings.steps, pairs.first
    last = len(first) - 1
    earlier, later = np.maximum(fallen - 2, 0), np.minimum(fallen + 1, last)
    has_earlier = ~first[fallen - 1]
    has_later = (fallen < last) & ~first[later]
    with np.errstate(divide="ignore", invalid="ignore"):
        rate_before = (steps[fallen - 1] - steps[earlier]) / (time[fallen - 1] - time[earlier])
        rate_after = (steps[later] - steps[fallen]) / (time[later] - time[fallen])
    rate = np.maximum(np.where(has_earlier, rate_before, 0.0), np.where(has_later, rate_after, 0.0))
    span = time[fallen] - time[fallen - 1]
    # Two steps of grace: a register of coarse steps stands still for a while and then moves by one.
    allowed = pairs.limits.rate_tolerance * np.maximum(rate, 0.0) * span + 2.0
    return np.where(has_earlier | has_later, allowed, np.inf)


def _refuse_implausible(pairs: _Pairs) -> None:
    """Movements faster than the point can are not known."""
    if not np.isfinite(pairs.points.max_rate).any():
        return
    limited = np.flatnonzero((pairs.rise > 2) & np.isfinite(pairs.points.max_rate[pairs.readings.point]))
    hours = (pairs.readings.time[limited] - pairs.readings.time[limited - 1]) / HOUR_US
    fastest = pairs.points.max_rate[pairs.readings.point[limited]]
    too_fast = limited[(pairs.rise[limited] - 2) * pairs.scale[limited] > fastest * hours]
    pairs.rise[too_fast], pairs.known[too_fast] = 0, False
    pairs.flags[too_fast] |= IntervalFlag.IMPLAUSIBLE
