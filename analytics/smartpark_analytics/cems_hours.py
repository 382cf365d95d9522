"""From minutes of a stack to hours, days and months, and whether each may be used.

A minute counts when its flag says so and it has a value; an hour that has too few of them has no mean. An hour in
which the furnace was off is *stopped*: neither zero nor missing, and nobody's fault. How many minutes, hours and days
are enough is a dated row (`smartpark.cems_rules`), not a constant here.
"""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from smartpark.status import (
    BAD,
    BAD_OUT_OF_SERVICE,
    BAD_SENSOR_FAILURE,
    BAD_SHUTDOWN,
    UNCERTAIN_OVER_RANGE,
    UNCERTAIN_SUBSTITUTE,
)

from smartpark_analytics.aggregate import period_sums
from smartpark_analytics.cems import StackFlag
from smartpark_analytics.in_order import sums_in_order

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Flags = NDArray[np.uint16]
Letters = NDArray[np.str_]


class DataFlag(StrEnum):
    """Flag that a data logger gives each value (HJ 212)."""

    NORMAL = "N"
    STOPPED = "F"
    MAINTENANCE = "M"
    MANUAL = "S"
    FAULT = "D"
    CALIBRATION = "C"
    OVER_RANGE = "T"
    COMMUNICATION = "B"


NORMAL_ONLY = (DataFlag.NORMAL,)
WITH_OVER_RANGE = (DataFlag.NORMAL, DataFlag.OVER_RANGE)
"""Where the authority wants values above the range to count rather than to be replaced."""


_BY_STATUS = (
    (BAD_SHUTDOWN, DataFlag.STOPPED),
    (BAD_OUT_OF_SERVICE, DataFlag.MAINTENANCE),
    (BAD_SENSOR_FAILURE, DataFlag.FAULT),
    (UNCERTAIN_SUBSTITUTE, DataFlag.MANUAL),
    (UNCERTAIN_OVER_RANGE, DataFlag.OVER_RANGE),
)


@dataclass(frozen=True, slots=True)
class HourMeans:
    """Hours of several series; all arrays have shape (n_series, n_hours)."""

    value: Floats
    """Mean of the valid minutes; NaN where the hour is stopped or has too few. [unit]"""
    valid_minutes: Ints
    flags: Flags
    """`StackFlag`: `STOPPED` or `TOO_FEW_MINUTES`."""

    @property
    def valid(self) -> Bools:
        """Hours that have a mean."""
        return np.isfinite(self.value)

    @property
    def stopped(self) -> Bools:
        """Hours in which the furnace was off."""
        return (self.flags & StackFlag.STOPPED) != 0


@dataclass(frozen=True, slots=True)
class PeriodMeans:
    """Days, months or years; all arrays have shape (n_series, n_periods)."""

    value: Floats
    """Mean of the valid parts; NaN where there are too few. [unit]"""
    valid_parts: Ints
    valid: Bools


@dataclass(frozen=True, slots=True)
class EmittedMass:
    """Mass over days, months or years; all arrays have shape (n_series, n_periods)."""

    total: Floats
    """Sum of measured and substituted hours; NaN where there is none. [kg]"""
    completeness: Floats
    """Share of the hours in which the furnace ran that the total covers; 1 where it did not run. [0-1]"""
    substituted_share: Floats
    """Share of the total that the substitution rules put in. [0-1]"""
    stopped_hours: Ints


def letters_of_status(status: Ints) -> Letters:
    """Flag of each value from its OPC UA status code: what `smartpark.status` names, any other bad one ``B``.

    Parameters
    ----------
    status : ndarray of int64
        Unsigned codes (`smartpark.status.as_uint32` of what storage holds).

    Returns
    -------
    ndarray of str, same shape
        `DataFlag`.

    Examples
    --------
    >>> letters_of_status(np.array([0, 0x800C0000, 0x808C0000, 0x80050000])).tolist()
    ['N', 'F', 'D', 'B']
    """
    conditions = [status == code for code, _ in _BY_STATUS] + [(status & BAD) != 0]
    letters = [str(flag) for _, flag in _BY_STATUS] + [str(DataFlag.COMMUNICATION)]
    return np.select(conditions, letters, default=str(DataFlag.NORMAL))


def hour_means(
    minutes: Floats,
    letters: Letters,
    *,
    required_minutes: int,
    usable: Collection[str] = NORMAL_ONLY,
    minutes_per_hour: int = 60,
) -> HourMeans:
    """Hourly means of minute means.

    Parameters
    ----------
    minutes : ndarray of float64, shape (n_series, n_hours x minutes_per_hour)
        Minute means; NaN where there is none. [unit]
    letters : ndarray of str, same shape
        `DataFlag` of each minute.
    required_minutes : int
        Valid minutes that make an hour valid, and stopped minutes that make it stopped: 45; older systems 54.
    usable : collection of str
        Flags that count: `NORMAL_ONLY` or `WITH_OVER_RANGE`.
    minutes_per_hour : int
        60.

    Returns
    -------
    HourMeans

    References
    ----------
    HJ 75-2017 and HJ 76-2017, annex B: an hour is valid with at least 45 valid minutes.

    Examples
    --------
    45 good minutes and 15 of calibration:

    >>> letters = np.array([["N"] * 45 + ["C"] * 15])
    >>> hour_means(np.full((1, 60), 35.2), letters, required_minutes=45).value
    array([[35.2]])
    >>> hour_means(np.full((1, 60), 35.2), letters, required_minutes=54).value
    array([[nan]])
    """
    shape = (minutes.shape[0], -1, minutes_per_hour)
    said = np.logical_or.reduce([letters == str(flag) for flag in usable])
    counts = (said & np.isfinite(minutes)).reshape(shape)
    n_valid = counts.sum(axis=2)
    total = sums_in_order(np.where(counts, minutes.reshape(shape), np.nan))
    is_valid = n_valid >= required_minutes
    off = (letters == DataFlag.STOPPED).reshape(shape).sum(axis=2) >= required_minutes
    value = np.where(is_valid, total / np.maximum(n_valid, 1), np.nan)
    is_stopped = off & ~is_valid
    flags = is_stopped * StackFlag.STOPPED + (~is_valid & ~is_stopped) * StackFlag.TOO_FEW_MINUTES
    return HourMeans(value, n_valid.astype(np.int64), flags.astype(np.uint16))


def period_means(parts: Floats, period: Ints, required: Ints) -> PeriodMeans:
    """Means of hours over days, or of days over months: valid with enough valid parts.

    Parameters
    ----------
    parts : ndarray of float64, shape (n_series, n_parts)
        NaN where not valid. [unit]
    period : ndarray of int64, shape (n_parts,)
        Index of the period that each part belongs to.
    required : ndarray of int64, shape (n_periods,)
        Valid parts that each period needs: 20 hours a day; 25 days a month, 23 in February.

    Returns
    -------
    PeriodMeans

    References
    ----------
    HJ 76-2017, annex B.

    Examples
    --------
    20 of a day's 24 hours:

    >>> hours = np.r_[np.full(20, 30.0), np.full(4, np.nan)][np.newaxis]
    >>> period_means(hours, np.zeros(24, np.int64), np.array([20])).value
    array([[30.]])
    """
    count = _sums(np.isfinite(parts).astype(np.float64), period, required)
    is_valid = (count >= required) & (count > 0)
    mean = np.where(is_valid, _sums(np.nan_to_num(parts), period, required) / np.maximum(count, 1.0), np.nan)
    return PeriodMeans(mean, count.astype(np.int64), is_valid)


def emitted_mass(mass: Floats, flags: Flags, period: Ints, n_periods: int) -> EmittedMass:
    """Mass over longer periods, with what of it is substituted and what is not known.

    Parameters
    ----------
    mass : ndarray of float64, shape (n_series, n_hours)
        Measured or substituted; NaN where stopped or not known. [kg]
    flags : ndarray of uint16, same shape
        `StackFlag` of each hour.
    period : ndarray of int64, shape (n_hours,)
        Index of the period that each hour belongs to.
    n_periods : int
        How many there are.

    Returns
    -------
    EmittedMass

    Examples
    --------
    Three hours at 4 kg, one of them substituted, and one hour off:

    >>> flags = np.array([[0, 32, 0, 1]], np.uint16)
    >>> day = emitted_mass(np.array([[4.0, 4.0, 4.0, np.nan]]), flags, np.zeros(4, np.int64), 1)
    >>> float(day.total[0, 0]), float(day.completeness[0, 0]), round(float(day.substituted_share[0, 0]), 3)
    (12.0, 1.0, 0.333)
    """
    slots = np.ones(n_periods, np.int64)
    known = np.isfinite(mass)
    amount = np.where(known, mass, 0.0)
    n_known = _sums(known.astype(np.float64), period, slots)
    n_stopped = _sums(((flags & StackFlag.STOPPED) != 0).astype(np.float64), period, slots)
    n_running = _sums(np.ones(mass.shape), period, slots) - n_stopped
    total = _sums_in_order(amount, period, n_periods)
    substituted = _sums_in_order(np.where((flags & StackFlag.SUBSTITUTED) != 0, amount, 0.0), period, n_periods)
    return EmittedMass(
        total=np.where(n_known > 0, total, np.nan),
        completeness=np.divide(n_known, n_running, out=np.ones_like(n_running), where=n_running > 0),
        substituted_share=np.divide(substituted, total, out=np.zeros_like(total), where=total > 0),
        stopped_hours=n_stopped.astype(np.int64),
    )


def _sums_in_order(values: Floats, period: Ints, n_periods: int) -> Floats:
    """Sums by period, from the first part to the last, shape (n_series, n_periods)."""
    cell = np.arange(values.shape[0])[:, np.newaxis] * n_periods + period
    found = np.bincount(cell.ravel(), weights=values.ravel(), minlength=values.shape[0] * n_periods)
    return found.astype(np.float64).reshape(values.shape[0], n_periods)


def _sums(values: Floats, period: Ints, per_period: Ints) -> Floats:
    """Plain sums by period, shape (n_series, n_periods); nothing in a period is 0."""
    sums = period_sums(values, np.ones_like(values), np.zeros_like(values), period, per_period)
    return np.nan_to_num(sums.amount)
