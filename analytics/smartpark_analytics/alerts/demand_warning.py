"""Demand of the window that is still open: whether it will exceed the contract, told before the window closes.

The energy of the window so far is known, the rest is forecast from the recent power and from how much that moved.
Near the start the forecast is wide and near the end narrow, so a warning comes when it has become certain enough, and
a window of which too much is unknown is not judged. As for the meter, what flows back counts nothing (`demand`). What
the window came to in the end is `demand`'s to say, not this module's.
"""

from dataclasses import dataclass
from statistics import NormalDist
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from smartpark.electricity_rules import DemandRule

from smartpark_analytics.alerts.recursion import forgetting_sum, put, sums_in_runs
from smartpark_analytics.alerts.rows import in_order
from smartpark_analytics.alerts.samples import NOT_YET_US, Floats, Ints, Level, Levels, Samples, Verdicts

Bools = NDArray[np.bool_]
MINUTE_US: Final = 60_000_000
_HOUR_US: Final = 60 * MINUTE_US
_STEPS: Final = 1000.0
"""Energy is added up as integers of a thousandth of a kW µs: exact, so that cuts between steps change nothing."""
_BELIEVABLE_KW: Final = 2e6
"""Two gigawatts: above, the integers of an hour would overflow, and no park draws it."""
_ROUNDING: Final = 1e-9
"""Share of the limit by which rounding alone decides nothing."""


@dataclass(frozen=True, slots=True)
class DemandWarningSettings:
    """Choices of the method; the defaults are those scored in docs/methods/alerts.md."""

    certainty: float = 0.95
    """How sure it must be that the limit is exceeded. [0.5-1)"""
    clear_share: float = 0.97
    """Surely below this share of the limit it is over; between it and the limit nothing changes. [0-1]"""
    recent_us: int = 3 * MINUTE_US
    """Time over which the recent power and its scatter forget. [µs]"""
    max_gap_us: int | Ints = 3 * MINUTE_US
    """Longest step between two samples that is believed; one value, or of each object by its rhythm. [µs]"""


class DemandCarry(NamedTuple):
    """What is remembered of each object; arrays have shape (n_rows,)."""

    time_us: Ints
    """Last sample. [µs]"""
    value: Floats
    energy: Ints
    """Of its window until then. [kW µs / 1000]"""
    known_us: Ints
    """Time of its window that is known. [µs]"""
    power: Floats
    """Recent power. [kW]"""
    variance: Floats
    """Of the recent power around itself. [kW²]"""
    spoke_us: Ints
    """Last moment with a known power. [µs]"""
    since_us: Ints
    """From when on the power has been known without a gap. [µs]"""


class DemandWarnings(NamedTuple):
    """Verdicts and what to do; arrays have shape (n,)."""

    verdicts: Verdicts
    """Value: demand forecast for the window's end [kW]; limit: share of the contract demand [kW]."""
    low: Floats
    """Lower end of the forecast's interval. [kW]"""
    high: Floats
    """Upper end. [kW]"""
    minutes_left: Floats
    """Until the window closes. [min]"""
    shed_kw: Floats
    """By how much less to draw until then, so as to stay at the limit; 0: nothing. NaN where not judged. [kW]"""


def demand_carry(n_rows: int) -> DemandCarry:
    """Carry of objects that have not spoken."""
    never, zero = np.full(n_rows, NOT_YET_US, np.int64), np.zeros(n_rows)
    none = np.zeros(n_rows, np.int64)
    return DemandCarry(never, np.full(n_rows, np.nan), none, none, zero, zero, never, never)


def demand_lookback_us(rule: DemandRule, settings: DemandWarningSettings) -> int:
    """History from which a carry is rebuilt: the open window, and what the recent power rests on. [µs]."""
    return rule.period_min * MINUTE_US + 10 * settings.recent_us


def demand_warning(
    samples: Samples,
    limit_kw: Floats,
    carry: DemandCarry,
    *,
    rule: DemandRule,
    is_register: Bools,
    settings: DemandWarningSettings,
    offset_us: Ints | int = 0,
) -> tuple[DemandWarnings, DemandCarry]:
    """Warn of windows that will exceed a demand.

    Parameters
    ----------
    samples : Samples
        Active power [kW], each value held until the next; or an import register [kWh].
    limit_kw : ndarray of float64, shape (n_rows,)
        Contract demand times a share; NaN: not judged. [kW]
    carry : DemandCarry, shape (n_rows,)
        From `demand_carry`, or from the step before.
    rule : DemandRule
        Length of the window, and how much of it must be known.
    is_register : ndarray of bool, shape (n_rows,)
        Whether the samples are of a register.
    settings : DemandWarningSettings
        How sure, how recent.
    offset_us : int or ndarray of int64, shape (n_rows,)
        Where windows begin, from the clock's. [µs]

    Returns
    -------
    warnings : DemandWarnings
        One verdict for each sample. A window that is beyond the limit already is a breach whatever follows.
    carry : DemandCarry

    Notes
    -----
    Forecast: (energy so far + recent power x time left) / (known time + time left). Its standard deviation is that of
    the recent power, taken to persist until the end: times the share of the window that is left.

    References
    ----------
    DL/T 645-2007 (demand period and slip); docs/methods/alerts.md, "Demand warning".

    Examples
    --------
    A contract of 1000 kW, five minutes at 800 and five at 1300: 1133 would follow, 400 less from now on keep it:

    >>> from smartpark.electricity_rules import builtin_electricity_rules
    >>> minutes = np.arange(11)
    >>> power = Samples(np.zeros(11, np.int64), minutes * MINUTE_US, np.where(minutes < 5, 800.0, 1300.0))
    >>> found, _ = demand_warning(
    ...     power, np.array([1000.0]), demand_carry(1), rule=builtin_electricity_rules().demand[0],
    ...     is_register=np.array([False]), settings=DemandWarningSettings(certainty=0.5, recent_us=1),
    ... )
    >>> found.verdicts.value[-1:].round(2), found.minutes_left[-1:], found.shed_kw[-1:]
    (array([1133.33]), array([5.]), array([400.]))
    """
    max_gap_us = np.broadcast_to(np.asarray(settings.max_gap_us, np.int64), is_register.shape)[samples.row]
    steps = _steps(samples, carry, is_register, max_gap_us)
    window = _windows(samples, steps, carry, rule.period_min * MINUTE_US, np.asarray(offset_us, np.int64))
    recent = _recent(samples, steps.power_now, carry, max_gap_us, recent_us=settings.recent_us)
    found = _warnings(samples, window, recent, limit_kw[samples.row], rule=rule, settings=settings)
    return found, _carried(samples, window, recent, carry)


class _Steps(NamedTuple):
    """From each sample's predecessor to itself; arrays have shape (n,)."""

    is_first: Bools
    """First of its object in this call."""
    length_us: Ints
    """0 where the step is not known."""
    power: Floats
    """Mean over the step; 0 where it is not known. [kW]"""
    power_now: Floats
    """At the sample; NaN where not known. [kW]"""


class _Windows(NamedTuple):
    """The window of each sample, until it; arrays have shape (n,)."""

    energy: Ints
    known_us: Ints
    gone_us: Ints
    left_us: Ints


class _Recent(NamedTuple):
    """Recent power at each sample; arrays have shape (n,), NaN where it is not known."""

    place: Ints
    """Samples at which the power is known, shape (n_known,)."""
    power: Floats
    variance: Floats
    since_us: Ints


def _steps(samples: Samples, carry: DemandCarry, is_register: Bools, max_gap_us: Ints) -> _Steps:
    row, time, value = samples
    is_first = in_order(row, time, is_register.size, carry.time_us)
    time_before = np.where(is_first, carry.time_us[row], np.roll(time, 1))
    value_before = np.where(is_first, carry.value[row], np.roll(value, 1))
    is_seen = time_before != NOT_YET_US
    length = time - np.where(is_seen, time_before, time)
    counts = is_register[row]
    moved = np.divide((value - value_before) * _HOUR_US, length, out=np.full(time.size, np.nan), where=length > 0)
    mean = np.where(counts, moved, np.maximum(value_before, 0.0))
    is_known = is_seen & (length > 0) & (length <= max_gap_us) & (mean >= 0) & (mean <= _BELIEVABLE_KW)
    now = np.where(counts, np.where(is_known, mean, np.nan), np.maximum(value, 0.0))
    now = np.where(now <= _BELIEVABLE_KW, now, np.nan)
    return _Steps(is_first, np.where(is_known, length, 0), np.where(is_known, mean, 0.0), now)


def _windows(samples: Samples, steps: _Steps, carry: DemandCarry, width_us: int, offset: Ints) -> _Windows:
    row, time, _ = samples
    shift = np.broadcast_to(offset, carry.time_us.shape)
    gone = (time - shift[row]) % width_us
    part = np.minimum(steps.length_us, gone)
    energy = np.rint(steps.power * part * _STEPS).astype(np.int64)
    start = time - gone
    goes_on = steps.is_first & (carry.time_us[row] >= start)
    # At the very start of a window nothing of it is known yet, and nothing is taken over.
    is_start = steps.is_first | (np.diff(start, prepend=0) != 0)
    energy = energy + np.where(goes_on, carry.energy[row], 0)
    known = part + np.where(goes_on, carry.known_us[row], 0)
    return _Windows(sums_in_runs(energy, is_start), sums_in_runs(known, is_start), gone, width_us - gone)


def _recent(samples: Samples, power_now: Floats, carry: DemandCarry, max_gap_us: Ints, *, recent_us: int) -> _Recent:
    place = np.flatnonzero(np.isfinite(power_now))
    row, time, power = samples.row[place], samples.time_us[place], power_now[place]
    is_first = np.diff(row, prepend=-1) != 0
    spoke = np.where(is_first, carry.spoke_us[row], np.roll(time, 1))
    silence = time - np.where(spoke == NOT_YET_US, time, spoke)
    restarts = (spoke == NOT_YET_US) | (silence > max_gap_us[place])
    keep = np.where(restarts, 0.0, np.exp(-silence / recent_us))
    mean = forgetting_sum(keep, (1.0 - keep) * power, row, carry.power)
    off = np.where(restarts, 0.0, power - np.where(is_first, carry.power[row], np.roll(mean, 1)))
    variance = forgetting_sum(keep, keep * (1.0 - keep) * off**2, row, carry.variance)
    begun = np.maximum.accumulate(np.where(restarts | is_first, np.arange(place.size), 0))
    since = np.where(restarts[begun], time[begun], carry.since_us[row]) if place.size else time
    n = samples.row.size
    found = _Recent(place, np.full(n, np.nan), np.full(n, np.nan), np.full(n, NOT_YET_US, np.int64))
    found.power[place], found.variance[place], found.since_us[place] = mean, variance, since
    return found


def _warnings(
    samples: Samples,
    window: _Windows,
    recent: _Recent,
    limit: Floats,
    *,
    rule: DemandRule,
    settings: DemandWarningSettings,
) -> DemandWarnings:
    energy = window.energy / _STEPS
    span = (window.known_us + window.left_us).astype(np.float64)
    forecast = (energy + recent.power * window.left_us) / span
    spread = NormalDist().inv_cdf(settings.certainty) * np.sqrt(recent.variance) * window.left_us / span
    low, high = np.maximum(forecast - spread, energy / span), forecast + spread
    allowed = (limit * span - energy) / window.left_us
    missing = window.gone_us - window.known_us
    is_judged = np.isfinite(forecast) & (missing <= (rule.period_min - rule.valid_min) * MINUTE_US)
    is_judged &= (recent.since_us != NOT_YET_US) & (
        np.where(recent.since_us == NOT_YET_US, 0, recent.since_us) + settings.recent_us <= samples.time_us
    )
    drawn = energy / (window.gone_us + window.left_us)
    beyond = limit * (1.0 + _ROUNDING)
    is_lost = drawn > beyond
    level: Levels = np.select(
        [is_lost, ~is_judged | np.isnan(limit), low > beyond, high <= beyond * settings.clear_share],
        [Level.BREACH, Level.UNKNOWN, Level.BREACH, Level.CLEAR],
        Level.HOLD,
    ).astype(np.int8)
    value = np.where(is_judged, forecast, np.where(is_lost, drawn, np.nan))
    return DemandWarnings(
        Verdicts(samples.row, samples.time_us, level, value, limit),
        np.where(is_judged, low, np.nan),
        np.where(is_judged, high, np.nan),
        window.left_us / MINUTE_US,
        np.where(is_judged, np.maximum(recent.power - allowed, 0.0), np.nan),
    )


def _carried(samples: Samples, window: _Windows, recent: _Recent, carry: DemandCarry) -> DemandCarry:
    last = np.flatnonzero(np.diff(samples.row, append=-1) != 0)
    known = recent.place[np.flatnonzero(np.diff(samples.row[recent.place], append=-1) != 0)]
    row, row_known = samples.row[last], samples.row[known]
    return DemandCarry(
        time_us=put(carry.time_us, row, samples.time_us[last]),
        value=put(carry.value, row, samples.value[last]),
        energy=put(carry.energy, row, window.energy[last]),
        known_us=put(carry.known_us, row, window.known_us[last]),
        power=put(carry.power, row_known, recent.power[known]),
        variance=put(carry.variance, row_known, recent.variance[known]),
        spoke_us=put(carry.spoke_us, row_known, samples.time_us[known]),
        since_us=put(carry.since_us, row_known, recent.since_us[known]),
    )
