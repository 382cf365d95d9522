"""Power quality against its limits: voltage deviation, frequency, unbalance, harmonic distortion, flicker.

Records are means of equal length (3 s to 10 min). A record beyond the limit is a warning, not yet non-compliance:
that is judged by the value kept 95 % of the time, over 24 hours at least. A period of which too little is known is
not judged, and the reason says so.
"""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray
from smartpark.power_quality_limits import Basis, QualityLimit

from smartpark_analytics.groups import Bools, Groups, Ints
from smartpark_analytics.sufficiency import Codes, Sufficiency, sufficiency

Floats = NDArray[np.float64]


class Verdict(IntEnum):
    """Whether a period keeps its limit."""

    NOT_JUDGED = -1
    """`reason` says why."""
    EXCEEDED = 0
    KEPT = 1


@dataclass(frozen=True, slots=True)
class LimitShare:
    """Time within limits of each point and period; arrays have shape (n_points, n_periods)."""

    share: Floats
    """In limits over known (for voltage: 电压合格率); NaN where `reason` says so. [0-1]"""
    in_limits: Ints
    """Known records within the limits: numerator."""
    known: Ints
    """Known records: denominator."""
    highest: Floats
    """Highest known record; NaN where none is. [unit of the limit]"""
    lowest: Floats
    """Lowest known record; NaN where none is. [unit of the limit]"""
    completeness: Floats
    """Share of the period's records that are known. [0-1]"""
    reason: Codes
    """`Sufficiency`: why there is a share, or none."""


@dataclass(frozen=True, slots=True)
class Compliance:
    """Judgement of each point and period; arrays have shape (n_points, n_periods)."""

    judged_value: Floats
    """95 % probability value, or range of deviations: what is compared with the limit. NaN where not judged."""
    verdict: Codes
    """`Verdict`."""
    completeness: Floats
    """Share of the period's records that are known. [0-1]"""
    reason: Codes
    """`Sufficiency`: why it is judged, or not."""


def voltage_deviation(voltage: Floats, nominal: Floats) -> Floats:
    """Voltage deviation (U - U_N) / U_N.

    Parameters
    ----------
    voltage : ndarray of float64, shape (n_points, n_records)
        Line or phase voltage; NaN where not known. [V]
    nominal : ndarray of float64, shape (n_points,)
        Nominal voltage of the same kind. [V]

    Returns
    -------
    ndarray of float64, shape (n_points, n_records)
        [%]

    References
    ----------
    GB/T 12325-2008, Power quality: deviation of supply voltage.

    Examples
    --------
    >>> voltage_deviation(np.array([[10_700.0, 9_300.0]]), np.array([10_000.0]))
    array([[ 7., -7.]])
    """
    columns = nominal[:, np.newaxis]
    return (voltage - columns) * 100.0 / columns


def is_within(values: Floats, limit: QualityLimit) -> Bools:
    """Which records lie within a limit, both ends included; false where not known.

    Parameters
    ----------
    values : ndarray of float64
        [unit of the limit]
    limit : QualityLimit
        By time or by probability.

    Returns
    -------
    ndarray of bool, same shape
    """
    # Deviations come from a division: 235.4 V of 220 V is 7 %, and must not fail by the last bit of a double.
    margin = 1e-9
    low = -np.inf if limit.low is None else limit.low - margin
    return (values >= low) & (values <= limit.high + margin)


def limit_share(values: Floats, limit: QualityLimit, period: Ints, n_periods: int) -> LimitShare:
    """Share of time in which a quantity is within its limits.

    Parameters
    ----------
    values : ndarray of float64, shape (n_points, n_records)
        NaN where not known. [unit of the limit]
    limit : QualityLimit
        Of the points' voltage level.
    period : ndarray of int64, shape (n_records,)
        Hour, day or month of each record, 0 … n_periods - 1; below zero where it is not asked for.
    n_periods : int
        Periods there are.

    Returns
    -------
    LimitShare
        Without a share at 35 kV and above for voltage deviation, where the standard gives a range and no band.

    Examples
    --------
    >>> from datetime import date
    >>> from smartpark.power_quality_limits import QualityQuantity, builtin_quality_limits
    >>> limit = builtin_quality_limits().limit_on(
    ...     QualityQuantity.VOLTAGE_DEVIATION, nominal_kv=0.22, on=date(2026, 11, 1)
    ... )
    >>> deviation = voltage_deviation(np.array([[198.0, 235.4, 240.0, 220.0]]), np.array([220.0]))
    >>> limit_share(deviation, limit, np.zeros(4, np.int64), 1).share
    array([[0.75]])
    """
    periods = Groups.of(period, n_periods)
    known = periods.count(np.isfinite(values))
    in_limits = periods.count(is_within(values, limit))
    completeness = periods.known_share(values)
    reason = sufficiency(completeness, limit.least_completeness)
    if limit.basis is Basis.RANGE:
        reason = np.where(reason == Sufficiency.ENOUGH, Sufficiency.NO_REQUIREMENT, reason).astype(np.int8)
    return LimitShare(
        share=np.where(reason == Sufficiency.ENOUGH, in_limits / np.maximum(known, 1), np.nan),
        in_limits=in_limits,
        known=known,
        highest=periods.maximum(values),
        lowest=periods.minimum(values),
        completeness=completeness,
        reason=reason,
    )


def compliance(
    values: Floats, limit: QualityLimit, period: Ints, n_periods: int, *, record_hours: float
) -> Compliance:
    """Judge periods by the limit, as its basis says.

    Parameters
    ----------
    values : ndarray of float64, shape (n_points, n_records)
        NaN where not known. [unit of the limit]
    limit : QualityLimit
        Of the points' voltage level. One by time cannot be judged: no row says how much time is enough.
    period : ndarray of int64, shape (n_records,)
        Day, week or month of each record, 0 … n_periods - 1; below zero where it is not asked for.
    n_periods : int
        Periods there are.
    record_hours : float
        Length of a record. [h]

    Returns
    -------
    Compliance

    Examples
    --------
    A day of ten-minute records of harmonic distortion; seven of 144 stand out, one in twenty may:

    >>> from datetime import date
    >>> from smartpark.power_quality_limits import QualityQuantity, builtin_quality_limits
    >>> limit = builtin_quality_limits().limit_on(QualityQuantity.VOLTAGE_THD, nominal_kv=10.0, on=date(2026, 11, 1))
    >>> day = np.repeat([[3.1, 6.0]], [137, 7], axis=1)
    >>> judged = compliance(day, limit, np.zeros(144, np.int64), 1, record_hours=1 / 6)
    >>> judged.judged_value, Verdict(int(judged.verdict[0, 0])).name
    (array([[3.1]]), 'KEPT')
    """
    periods = Groups.of(period, n_periods)
    completeness = periods.known_share(values)
    reason = sufficiency(completeness, limit.least_completeness)
    is_short = periods.sizes * record_hours < (limit.least_hours or 0.0) - 1e-9
    reason = np.where((reason == Sufficiency.ENOUGH) & is_short, Sufficiency.TOO_SHORT, reason)
    match limit.basis:
        case Basis.PROBABILITY:
            measured = probability_value(values, limit.probability or 0.0, period, n_periods)
        case Basis.RANGE:
            measured = np.maximum(periods.maximum(values), 0.0) + np.maximum(-periods.minimum(values), 0.0)
        case Basis.TIME:
            measured = np.full(completeness.shape, np.nan)
            reason = np.where(reason == Sufficiency.ENOUGH, Sufficiency.NO_REQUIREMENT, reason)
    is_judged = reason == Sufficiency.ENOUGH
    verdict = np.where(is_within(measured, limit), Verdict.KEPT, Verdict.EXCEEDED)
    return Compliance(
        judged_value=np.where(is_judged, measured, np.nan),
        verdict=np.where(is_judged, verdict, Verdict.NOT_JUDGED).astype(np.int8),
        completeness=completeness,
        reason=reason.astype(np.int8),
    )


def probability_value(values: Floats, probability: float, period: Ints, n_periods: int) -> Floats:
    """95 % probability value: the largest record left after the largest 5 % have been set aside.

    Parameters
    ----------
    values : ndarray of float64, shape (n_points, n_records)
        NaN where not known. [any unit]
    probability : float
        Share of the known records that are kept. [0-1]
    period : ndarray of int64, shape (n_records,)
        Period of each record, 0 … n_periods - 1; below zero where it is not asked for.
    n_periods : int
        Periods there are.

    Returns
    -------
    ndarray of float64, shape (n_points, n_periods)
        NaN where nothing is known. [unit of the values]

    References
    ----------
    GB/T 14549-1993, annex on measurement: records in descending order, the first 5 % left out. Not an interpolated
    quantile: the result is one of the records.

    Examples
    --------
    >>> probability_value(np.arange(1.0, 41.0)[np.newaxis], 0.95, np.zeros(40, np.int64), 1)
    array([[38.]])
    """
    ascending = np.sort(Groups.of(period, n_periods).padded(values), axis=2)
    known = np.isfinite(ascending).sum(axis=2)
    set_aside = np.floor(known * (1.0 - probability) + 1e-9).astype(np.int64)
    place = np.clip(known - 1 - set_aside, 0, max(ascending.shape[2] - 1, 0))
    if ascending.shape[2] == 0:
        return np.full(known.shape, np.nan)
    return np.take_along_axis(ascending, place[:, :, np.newaxis], axis=2)[:, :, 0]
