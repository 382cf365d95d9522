"""Stacks against their limits: hours and days at the reference oxygen, and the hour that will not keep its limit.

Corrected concentration, valid hours and what is not judged are those of `cems`, `cems_hours` and `cems_compliance`:
minutes of maintenance, calibration, fault or stand-still do not count, hours with too few others are not known, and
stopped hours break no limit. Limits are the outlet's dated row; one that was never entered is not judged.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from smartpark.cems_rules import StackValidity

from smartpark_analytics.alerts.samples import Floats, Ints, Level, Levels, Samples, Verdicts
from smartpark_analytics.alerts.waiting import chosen, joined
from smartpark_analytics.cems import corrected_concentration
from smartpark_analytics.cems_compliance import limit_findings
from smartpark_analytics.cems_hours import HourMeans, Letters, hour_means, period_means
from smartpark_analytics.cems_stack import stack_hours

Flags = NDArray[np.uint16]
_HOURS = 24


class StackLimits(NamedTuple):
    """What holds for each series, one pollutant of one stack; arrays have shape (n_series,)."""

    limit: Floats
    """Of the outlet; NaN: none was entered. [mg/m3]"""
    reference_oxygen: Floats
    """NaN: not known, and nothing is judged. [%]"""
    share: float = 1.0
    """Of the limit; below one: early warning. [1]"""
    clear_share: float = 1.0
    """Share of that at or below which it is over. [0-1]"""


class StackVerdicts(NamedTuple):
    """Hours and days of the same series."""

    hours: Verdicts
    """At each hour's start; value: corrected hourly mean [mg/m3]."""
    days: Verdicts
    """At each day's start; value: mean of its valid corrected hours [mg/m3]."""


class WaitingHours(NamedTuple):
    """Hourly means that wait for each other."""

    concentration: Samples
    oxygen: Samples


def emission_levels(corrected: Floats, flags: Flags, limits: StackLimits) -> tuple[Levels, Floats]:
    """Level of corrected means, and what they were held against.

    Parameters
    ----------
    corrected : ndarray of float64, shape (n_series, n_means)
        At the reference oxygen; NaN where not known. [mg/m3]
    flags : ndarray of uint16, same shape
        `StackFlag`: stopped, substituted and uncorrectable means are not judged.
    limits : StackLimits, shape (n_series,)

    Returns
    -------
    level : ndarray of int8, shape (n_series, n_means)
    bound : ndarray of float64, shape (n_series,)
        [mg/m3]

    References
    ----------
    GB 13271-2014, 5.2; `smartpark_analytics.cems_compliance`. A value that equals its limit keeps it.

    Examples
    --------
    >>> limits = StackLimits(np.array([50.0]), np.array([9.0]), clear_share=0.9)
    >>> emission_levels(np.array([[40.0, 48.0, 50.5, 60.0]]), np.array([[0, 0, 0, 1]], np.uint16), limits)[0]
    array([[ 0,  1,  2, -1]], dtype=int8)
    """
    bound = limits.limit * limits.share
    found = limit_findings(corrected, flags, bound)
    level = np.select(
        [np.isnan(found.ratio), found.exceeded, found.ratio <= limits.clear_share],
        [Level.UNKNOWN, Level.BREACH, Level.CLEAR],
        Level.HOLD,
    ).astype(np.int8)
    return level, bound


def stack_verdicts(
    minutes: Floats,
    letters: Letters,
    oxygen: Floats,
    oxygen_letters: Letters,
    *,
    start_us: int,
    hourly: StackLimits,
    daily: StackLimits,
    validity: StackValidity,
) -> StackVerdicts:
    """Judge whole days of minutes with their flags.

    Parameters
    ----------
    minutes, oxygen : ndarray of float64, shape (n_series, n_days x 1440)
        Measured concentration of each series and oxygen of its stack, dry. [mg/m3], [%]
    letters, oxygen_letters : ndarray of str, same shape
        `DataFlag` of each minute: maintenance, calibration, fault and the others but N do not count.
    start_us : int
        Start of the first day. [µs]
    hourly, daily : StackLimits, shape (n_series,)
        Limits of hourly and of daily means; NaN where there is none.
    validity : StackValidity
        Minutes that an hour needs, and hours that a day needs.

    Returns
    -------
    StackVerdicts

    References
    ----------
    HJ 75-2017 and HJ 76-2017, annexes B and C.

    Examples
    --------
    A day at 48 mg/m3, of which one hour is calibration:

    >>> from smartpark.cems_rules import cems_rules
    >>> letters = np.full((1, 1440), "N")
    >>> letters[0, 60:120] = "C"
    >>> limits = StackLimits(np.array([50.0]), np.array([9.0]))
    >>> found = stack_verdicts(
    ...     np.full((1, 1440), 48.0), letters, np.full((1, 1440), 9.6), np.full((1, 1440), "N"), start_us=0,
    ...     hourly=limits, daily=limits, validity=cems_rules().validity[0],
    ... )
    >>> found.hours.level[:3], found.days.value.round(2)
    (array([ 2, -1,  2], dtype=int8), array([50.53]))
    """
    concentration = hour_means(minutes, letters, required_minutes=validity.hour_minutes)
    beside = hour_means(oxygen, oxygen_letters, required_minutes=validity.hour_minutes)
    hours = stack_hours(
        concentration,
        beside,
        _no_flow(concentration),
        hourly.reference_oxygen,
        suspicious_above=validity.oxygen_suspicious_pct,
    )
    n_days = hours.corrected.shape[1] // _HOURS
    of_day = np.repeat(np.arange(n_days), _HOURS)
    days = period_means(hours.corrected, of_day, np.full(n_days, validity.day_hours, np.int64)).value
    hour_us = 3_600_000_000
    return StackVerdicts(
        _flat(hours.corrected, hours.flags, hourly, start_us, hour_us),
        _flat(days, np.zeros(days.shape, np.uint16), daily, start_us, _HOURS * hour_us),
    )


def emission_hours(
    concentration: Samples,
    oxygen: Samples,
    limits: StackLimits,
    waiting: WaitingHours,
    until_us: int,
    *,
    oxygen_of: Ints,
    ripens_after_us: int,
) -> tuple[Verdicts, WaitingHours]:
    """Judge hourly means as they come.

    Parameters
    ----------
    concentration : Samples
        Valid hourly means of each series, measured; NaN where too few minutes were valid, or the furnace was off.
        [mg/m3]
    oxygen : Samples
        Hourly means of the stacks' oxygen, at the same times. [%]
    limits : StackLimits, shape (n_series,)
    waiting : WaitingHours
        Two `waiting.no_samples`, or from the step before.
    until_us : int
        Moment until which everything has come. [µs]
    oxygen_of : ndarray of int64, shape (n_series,)
        Row of the oxygen of each series.
    ripens_after_us : int
        An hour is judged so long after the time of its samples. [µs]

    Returns
    -------
    verdicts : Verdicts
        One for each mean of a concentration; unknown where its oxygen has not come.
    waiting : WaitingHours

    Examples
    --------
    >>> from smartpark_analytics.alerts.waiting import no_samples
    >>> at = np.zeros(1, np.int64)
    >>> found, _ = emission_hours(
    ...     Samples(at, at, np.array([48.0])), Samples(at, at, np.array([10.0])),
    ...     StackLimits(np.array([50.0]), np.array([9.0])), WaitingHours(no_samples(), no_samples()), 1,
    ...     oxygen_of=at, ripens_after_us=1,
    ... )
    >>> found.value.round(2), found.level
    (array([52.36]), array([2], dtype=int8))
    """
    means, beside = joined(waiting.concentration, concentration), joined(waiting.oxygen, oxygen)
    is_ripe = means.time_us + ripens_after_us <= until_us
    is_old = beside.time_us + ripens_after_us <= until_us
    ripe, air = chosen(means, is_ripe), chosen(beside, is_old)
    corrected = corrected_concentration(
        ripe.value, _at_same_time(air, oxygen_of[ripe.row], ripe.time_us), limits.reference_oxygen[ripe.row]
    )
    each = StackLimits(limits.limit[ripe.row], limits.reference_oxygen[ripe.row], limits.share, limits.clear_share)
    level, bound = emission_levels(corrected.value[:, np.newaxis], corrected.flags[:, np.newaxis], each)
    verdicts = Verdicts(ripe.row, ripe.time_us, level[:, 0], corrected.value, bound)
    return verdicts, WaitingHours(chosen(means, ~is_ripe), chosen(beside, ~is_old))


def _no_flow(like: HourMeans) -> HourMeans:
    """Concentrations need none; unknown, and not stopped."""
    return HourMeans(
        np.full(like.value.shape, np.nan), np.zeros_like(like.valid_minutes), np.zeros(like.flags.shape, np.uint16)
    )


def _flat(corrected: Floats, flags: Flags, limits: StackLimits, start_us: int, width_us: int) -> Verdicts:
    level, bound = emission_levels(corrected, flags, limits)
    n_series, n_means = corrected.shape
    times = start_us + width_us * np.arange(n_means)
    return Verdicts(
        np.repeat(np.arange(n_series), n_means),
        np.tile(times, n_series),
        level.ravel(),
        corrected.ravel(),
        np.repeat(bound, n_means),
    )


def _at_same_time(oxygen: Samples, row: Ints, time_us: Ints) -> Floats:
    """Oxygen of the same stack at the very same time; NaN where there is none."""
    n = oxygen.row.size
    both_row, both_time = np.concatenate([oxygen.row, row]), np.concatenate([oxygen.time_us, time_us])
    order = np.lexsort((both_time, both_row))
    # Stable: of equal ones the oxygen stands first, and those that ask behind it.
    is_new = np.ones(order.size, np.bool_)
    is_new[1:] = (np.diff(both_row[order]) != 0) | (np.diff(both_time[order]) != 0)
    leader = order[np.maximum.accumulate(np.where(is_new, np.arange(order.size), 0))]
    found = np.empty(order.size, np.int64)
    found[order] = leader
    asked = found[n:]
    values = np.concatenate([oxygen.value, np.full(row.size, np.nan)])
    return np.where(asked < n, values[asked], np.nan)
