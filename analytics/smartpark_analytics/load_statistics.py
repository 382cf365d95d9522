"""Load statistics: how evenly power is drawn over a period, and how far the peaks of several users coincide.

Load factor 负荷率 is mean over maximum of one curve; a transformer's load rate 负载率 (module `transformer`) is
another quantity. Both mean and maximum rest on the known intervals of the period; a period with too little known is
not judged but has a reason. A ratio is carried as numerator and denominator; it is never averaged over users.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from smartpark.electricity_rules import LoadJudgement

from smartpark_analytics.groups import Groups, Ints
from smartpark_analytics.sufficiency import Codes, Sufficiency, sufficiency

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class LoadStatistics:
    """Of each point and period; arrays have shape (n_points, n_periods)."""

    mean_kw: Floats
    """Mean of the known intervals: numerator of the load factor. NaN where not judged. [kW]"""
    maximum_kw: Floats
    """Highest interval: denominator of the load factor and of the peak-valley ratio. NaN where not judged. [kW]"""
    minimum_kw: Floats
    """Lowest interval. NaN where not judged. [kW]"""
    load_factor: Floats
    """Mean over maximum 负荷率; NaN where not judged or without load. [0-1]"""
    peak_valley_ratio: Floats
    """(Maximum - minimum) / maximum 峰谷差率; above 1 where power flowed back. NaN as for the load factor. [1]"""
    completeness: Floats
    """Share of the period's intervals that are known. [0-1]"""
    reason: Codes
    """`Sufficiency` of each period."""


@dataclass(frozen=True, slots=True)
class Coincidence:
    """How far peaks coincide in each period; arrays have shape (n_periods,)."""

    factor: Floats
    """Coincidence factor 同时率: peak of the system over the sum of its members' own peaks. [0-1]"""
    diversity: Floats
    """1 / coincidence factor. [1]"""
    system_peak_kw: Floats
    """Numerator. [kW]"""
    sum_of_peaks_kw: Floats
    """Denominator. [kW]"""


@dataclass(frozen=True, slots=True)
class DurationCurve:
    """Load duration curve of each point in steps of equal time; arrays have shape (n_points, n_steps)."""

    power_kw: Floats
    """Mean power of each step, descending; NaN where nothing is known of the point. [kW]"""
    hours: Floats
    """Length of each step: the known time over the number of steps. [h]"""


def load_statistics(power: Floats, period: Ints, n_periods: int, rule: LoadJudgement) -> LoadStatistics:
    """Load factor and peak-valley ratio.

    Parameters
    ----------
    power : ndarray of float64, shape (n_points, n_intervals)
        Mean power of each interval, positive into the consumer; NaN where not known. [kW]
    period : ndarray of int64, shape (n_intervals,)
        Day or month of each interval, 0 … n_periods - 1; below zero where it is not asked for.
    n_periods : int
        Periods there are.
    rule : LoadJudgement
        Share of a period that must be known.

    Returns
    -------
    LoadStatistics

    References
    ----------
    GB/T 3485-1998 (load factor); docs/methods/load-statistics.md.

    Examples
    --------
    >>> from smartpark.electricity_rules import builtin_electricity_rules
    >>> rule = builtin_electricity_rules().load_judgement[0]
    >>> day = load_statistics(np.array([[600.0, 800.0, 1000.0, 800.0]]), np.zeros(4, np.int64), 1, rule)
    >>> day.load_factor, day.peak_valley_ratio
    (array([[0.8]]), array([[0.4]]))
    """
    periods = Groups.of(period, n_periods)
    completeness = periods.known_share(power)
    reason = sufficiency(completeness, rule.least_completeness)
    is_judged = reason == Sufficiency.ENOUGH
    known = np.maximum(completeness * periods.sizes, 1)
    maximum = np.where(is_judged, periods.maximum(power), np.nan)
    minimum = np.where(is_judged, periods.minimum(power), np.nan)
    mean = np.where(is_judged, periods.total(power) / known, np.nan)
    has_load = maximum > 0
    return LoadStatistics(
        mean_kw=mean,
        maximum_kw=maximum,
        minimum_kw=minimum,
        load_factor=_ratio(mean, maximum),
        peak_valley_ratio=_ratio(maximum - minimum, maximum),
        completeness=completeness,
        reason=np.where(is_judged & ~has_load, Sufficiency.NO_LOAD, reason).astype(np.int8),
    )


def utilisation_hours(energy: Floats, maximum_demand: Floats) -> Floats:
    """Hours at maximum demand that would take the period's energy 最大负荷利用小时数.

    Parameters
    ----------
    energy : ndarray of float64
        Of the period. [kWh]
    maximum_demand : ndarray of float64, same shape
        Of the same period. [kW]

    Returns
    -------
    ndarray of float64, same shape
        NaN where either is not known or there was no demand. [h]

    Examples
    --------
    >>> utilisation_hours(np.array([700_000.0]), np.array([2_000.0]))
    array([350.])
    """
    return _ratio(energy, maximum_demand)


def coincidence(member_peaks: Floats, system_peak: Floats) -> Coincidence:
    """Coincidence and diversity factor from peaks.

    Parameters
    ----------
    member_peaks : ndarray of float64, shape (n_members, n_periods)
        Each member's own peak, whenever it was. [kW]
    system_peak : ndarray of float64, shape (n_periods,)
        Peak of all together. [kW]

    Returns
    -------
    Coincidence
        NaN in a period in which any peak is not known: a sum without one of its parts is another quantity. The
        factor exceeds 1 only where the system was measured apart and has losses or users of its own.

    Examples
    --------
    >>> of = coincidence(np.array([[3000.0], [2000.0], [1500.0]]), np.array([5200.0]))
    >>> of.factor, of.diversity
    (array([0.8]), array([1.25]))
    """
    sum_of_peaks = member_peaks.sum(axis=0)
    return Coincidence(
        factor=_ratio(system_peak, sum_of_peaks),
        diversity=_ratio(sum_of_peaks, system_peak),
        system_peak_kw=system_peak,
        sum_of_peaks_kw=sum_of_peaks,
    )


def coincidence_of_curves(power: Floats, period: Ints, n_periods: int, rule: LoadJudgement) -> Coincidence:
    """Coincidence of members whose curves are known: the system is their sum.

    Parameters
    ----------
    power : ndarray of float64, shape (n_members, n_intervals)
        Mean power of each interval; NaN where not known. [kW]
    period : ndarray of int64, shape (n_intervals,)
        Day or month of each interval, 0 … n_periods - 1; below zero where it is not asked for.
    n_periods : int
        Periods there are.
    rule : LoadJudgement
        Share of a period in which all members must be known together.

    Returns
    -------
    Coincidence
        From the intervals in which every member is known; NaN where these are too few.

    Examples
    --------
    Two shifts that take turns:

    >>> from smartpark.electricity_rules import builtin_electricity_rules
    >>> rule = builtin_electricity_rules().load_judgement[0]
    >>> turns = np.array([[900.0, 100.0], [100.0, 900.0]])
    >>> coincidence_of_curves(turns, np.zeros(2, np.int64), 1, rule).factor.round(4)
    array([0.5556])
    """
    together = np.where(np.isfinite(power).all(axis=0), power, np.nan)
    system = together.sum(axis=0, keepdims=True)
    periods = Groups.of(period, n_periods)
    is_judged = sufficiency(periods.known_share(system), rule.least_completeness) == Sufficiency.ENOUGH
    return coincidence(periods.maximum(together), np.where(is_judged, periods.maximum(system), np.nan)[0])


def load_duration_curve(power: Floats, interval_hours: float, n_steps: int) -> DurationCurve:
    """Load duration curve 负荷持续曲线: the powers of a period in descending order, in steps of equal time.

    A step is the mean over its part of the ordered curve, so that the steps hold the energy of the known intervals
    exactly, however many steps there are.

    Parameters
    ----------
    power : ndarray of float64, shape (n_points, n_intervals)
        Mean power of each interval; NaN where not known. [kW]
    interval_hours : float
        Length of an interval. [h]
    n_steps : int
        Steps of the curve; as many as intervals gives the curve itself.

    Returns
    -------
    DurationCurve

    Examples
    --------
    >>> curve = load_duration_curve(np.array([[1.0, 4.0, 2.0, np.nan, 3.0]]), 0.25, 2)
    >>> curve.power_kw, curve.hours
    (array([[3.5, 1.5]]), array([[0.5, 0.5]]))
    """
    descending = -np.sort(-power, axis=1)
    known = np.isfinite(power).sum(axis=1)[:, np.newaxis]
    running = np.zeros((power.shape[0], power.shape[1] + 1))
    np.cumsum(np.nan_to_num(descending), axis=1, out=running[:, 1:])
    edge = known * np.arange(n_steps + 1) / n_steps
    below = np.minimum(edge.astype(np.int64), power.shape[1])
    above = np.minimum(below + 1, power.shape[1])
    at_below = np.take_along_axis(running, below, axis=1)
    at_edge = at_below + (edge - below) * (np.take_along_axis(running, above, axis=1) - at_below)
    length = np.broadcast_to(known / n_steps, (power.shape[0], n_steps))
    return DurationCurve(power_kw=_ratio(np.diff(at_edge, axis=1), length), hours=length * interval_hours)


def _ratio(numerator: Floats, denominator: Floats) -> Floats:
    """Quotient where the denominator is positive, NaN elsewhere."""
    return np.divide(numerator, denominator, out=np.full(np.shape(numerator), np.nan), where=denominator > 0)
