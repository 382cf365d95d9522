"""Air quality index by HJ 633: from concentrations to index, level and primary pollutants.

The breakpoints are dated rows (`smartpark.air_quality`); which edition holds on a day is decided there. Interpolation
is exact in whole steps, so that rounding up never adds one for the noise of doubles. With one of the six pollutants
missing there is no index, and the result says which are missing: a maximum without one of its parts may be too good.
Averages come from `air_quality_means`.
"""

from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
from numpy.typing import NDArray
from smartpark.air_quality import AirQualityRules, Form

from smartpark_analytics.rounding import round_gb8170

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

_STEPS: Final = 10.0
"""Concentrations and breakpoints are whole numbers of tenths."""


@dataclass(frozen=True, slots=True)
class Breakpoints:
    """Table of one edition and one form (hourly or daily): what concentration makes which individual index."""

    concentration: Floats
    """Shape (n_pollutants, n_rows), ascending; NaN behind a column's last row. [ug/m3; CO mg/m3]"""
    index: Ints
    """Individual index of each row; shape (n_rows,)."""
    decimals: Ints
    """Digits to which each pollutant is rounded first: 0, CO 1; shape (n_pollutants,)."""
    level_bounds: Ints
    """Highest index of each level but the last: 50, 100, 150, 200, 300."""

    @staticmethod
    def of(rules: AirQualityRules, form: Form, day: date) -> "Breakpoints":
        """Table of the edition in force on a day, pollutants in the order of `smartpark.air_quality.POLLUTANTS`."""
        edition = rules.edition_on(day)
        columns = edition.columns(form)
        rows = np.full((len(columns), len(edition.index)), np.nan)
        for row, column in zip(rows, columns, strict=True):
            row[: len(column.concentration)] = column.concentration
        return Breakpoints(
            concentration=rows,
            index=np.array(edition.index, np.int64),
            decimals=np.array([column.decimals for column in columns], np.int64),
            level_bounds=np.array([level.upto for level in rules.level[:-1]], np.int64),
        )


@dataclass(frozen=True, slots=True)
class AirQuality:
    """Index of several stations, hours or days; n is their number."""

    index: Floats
    """AQI; NaN where a pollutant is missing; shape (n,)."""
    individual: Floats
    """IAQI of each pollutant; NaN where missing; shape (n_pollutants, n)."""
    primary: Bools
    """Primary pollutants, all of them where several tie; none up to 50; shape (n_pollutants, n)."""
    above_standard: Bools
    """Pollutants whose own index is above 100 (超标污染物); shape (n_pollutants, n)."""
    level: Ints
    """1 excellent … 6 severely polluted; 0 where there is no index; shape (n,)."""
    missing: Bools
    """Pollutants that are not there; shape (n_pollutants, n)."""


def individual_index(concentration: Floats, breakpoints: Breakpoints) -> Floats:
    """Individual air quality index (IAQI) of each pollutant.

    Parameters
    ----------
    concentration : ndarray of float64, shape (n_pollutants, n)
        In the order of the breakpoints. [ug/m3; CO mg/m3]
    breakpoints : Breakpoints

    Returns
    -------
    ndarray of float64, shape (n_pollutants, n)
        Whole numbers, rounded up; the column's last index above its last row; NaN where the concentration is NaN or
        below zero.

    References
    ----------
    HJ 633-2026, 4.2, table 3 and notes (a), (b); HJ 633-2012, 4.2, table 1. Rounding first: GB/T 8170.

    Examples
    --------
    PM2.5 of 50 ug/m3 by the breakpoints of 2026 and of 2012:

    >>> def table(at_100):
    ...     rows = np.array([[0.0, 35, at_100, 115]])
    ...     return Breakpoints(rows, np.array([0, 50, 100, 150]), np.array([0]), np.array([50, 100]))
    >>> individual_index(np.array([[50.0]]), table(60)), individual_index(np.array([[50.0]]), table(75))
    (array([[80.]]), array([[69.]]))
    """
    rounded = np.stack(
        [round_gb8170(row, int(digits)) for row, digits in zip(concentration, breakpoints.decimals, strict=True)]
    )
    usable = rounded >= 0.0
    rows = [
        _interpolated(row, column, breakpoints.index)
        for row, column in zip(np.where(usable, rounded, 0.0), breakpoints.concentration, strict=True)
    ]
    return np.where(usable, np.stack(rows), np.nan)


def _interpolated(concentration: Floats, column: Floats, index: Ints) -> Floats:
    """Index of one pollutant, in whole tenths: exact, rounded up, held above the last row."""
    is_row = np.isfinite(column)
    steps = np.rint(column[is_row] * _STEPS).astype(np.int64)
    values = index[is_row]
    here = np.minimum(np.rint(concentration * _STEPS), float(steps[-1])).astype(np.int64)
    upper = np.clip(np.searchsorted(steps, here, side="left"), 1, len(steps) - 1)
    rise, run = values[upper] - values[upper - 1], steps[upper] - steps[upper - 1]
    above = (here - steps[upper - 1]) * rise
    return (values[upper - 1] - (-above // run)).astype(np.float64)


def air_quality_index(concentration: Floats, breakpoints: Breakpoints) -> AirQuality:
    """Air quality index, level and primary pollutants.

    Parameters
    ----------
    concentration : ndarray of float64, shape (n_pollutants, n)
        Hourly form: means of one hour, particles too. Daily form: means of 24 hours, and the daily maximum of the
        8-hour means of ozone. In the order of the breakpoints. [ug/m3; CO mg/m3]
    breakpoints : Breakpoints

    Returns
    -------
    AirQuality

    References
    ----------
    HJ 633-2026, 4.3 and 4.4; HJ 633-2012, 4.3 and 4.4.

    Examples
    --------
    >>> rows = np.array([[0.0, 35, 60], [0.0, 50, 120]])
    >>> table = Breakpoints(rows, np.array([0, 50, 100]), np.array([0, 0]), np.array([50, 100]))
    >>> found = air_quality_index(np.array([[50.0, 50.0], [90.0, np.nan]]), table)
    >>> found.index, found.primary[:, 0], found.missing[:, 1]
    (array([80., nan]), array([ True, False]), array([False,  True]))
    """
    individual = individual_index(concentration, breakpoints)
    missing = np.isnan(individual)
    index = np.max(individual, axis=0)  # NaN wherever one is
    # HJ 633, 4.4: primary above "excellent", above the standard beyond "good".
    primary = (individual == index) & (index > breakpoints.level_bounds[0])
    level = np.searchsorted(breakpoints.level_bounds, np.nan_to_num(index), side="left") + 1
    return AirQuality(
        index=index,
        individual=individual,
        primary=primary,
        above_standard=individual > breakpoints.level_bounds[1],
        level=np.where(np.isnan(index), 0, level).astype(np.int64),
        missing=missing,
    )
