"""Dual control: a year's budget of energy or carbon, month by month: pace, forecast, level.

Pure arithmetic over monthly amounts of many budgets at once. The thresholds of the levels are the caller's (dated
rows), and so is what counts under the budget: `assessed_energy` excludes feedstock and renewable energy before. A
month that is not known is NaN; from there on pace and forecast are not known either, because a sum without one of its
months would look like thrift.
"""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MONTHS = 12
_EDGE = 1e-9
"""Relative slack of a threshold: binary fractions of a month must not decide a level."""


class BudgetLevel(IntEnum):
    """What the three colours say; higher is worse."""

    NOT_KNOWN = -1
    """A month, or the budget, is not known."""
    GREEN = 0
    """On schedule."""
    YELLOW = 1
    """The budget is nearly spent by forecast, or spent faster than planned."""
    RED = 2
    """It will be exceeded and is well ahead of the plan, or the intensity rose against last year."""


class ForecastBasis(IntEnum):
    """What the months to come were forecast from."""

    NONE = 0
    """There is no forecast."""
    LAST_YEAR = 1
    """The same months of last year, times growth."""
    WEIGHTS = 2
    """The weights of the months to come, at the pace so far."""


@dataclass(frozen=True, slots=True)
class BudgetThresholds:
    """Where the levels begin; shares of the budget and of the plan."""

    red_forecast: float
    """Forecast over budget, above which the level is red together with"""
    red_pace: float
    """this pace."""
    yellow_forecast: float
    """Forecast over budget above which it is yellow."""
    yellow_pace: float
    """Pace above which it is yellow."""


@dataclass(frozen=True, slots=True)
class BudgetTrack:
    """Where budgets stand after each month; arrays of shape (n_budgets, 12), NaN where not known."""

    spent: Floats
    """Amount from January to the month. [unit of the budget]"""
    planned: Floats
    """Budget up to the month, by its weights. [unit of the budget]"""
    pace: Floats
    """Spent over planned; 1.00 is on budget. [1]"""
    forecast: Floats
    """What the whole year will come to. [unit of the budget]"""
    basis: NDArray[np.int8]
    """`ForecastBasis` of each month."""
    level: NDArray[np.int8]
    """`BudgetLevel` of each month."""


def budget_of_target(target_intensity: Floats, planned_denominator: Floats) -> Floats:
    """Absolute budget that a target of intensity allows: I* times the planned value added.

    Parameters
    ----------
    target_intensity : ndarray of float64, shape (n_budgets,)
        [tce or t per 10^4 CNY]
    planned_denominator : ndarray of float64, shape (n_budgets,)
        Planned value added of the year. [10^4 CNY]

    Returns
    -------
    ndarray of float64, shape (n_budgets,)
        [tce or t]

    Examples
    --------
    >>> budget_of_target(np.array([0.48]), np.array([250_000.0]))
    array([120000.])
    """
    return target_intensity * planned_denominator


def assessed_energy(comprehensive: Floats, *, feedstock: Floats, non_fossil: Floats) -> Floats:
    """Energy that counts under dual control: without raw material and without non-fossil energy.

    Parameters
    ----------
    comprehensive, feedstock, non_fossil : ndarray of float64, one shape
        Comprehensive energy, and the parts of it used as raw material or of non-fossil origin (own renewable use,
        green power, certificates). [tce]

    Returns
    -------
    ndarray of float64
        NaN where a part is NaN. [tce]

    References
    ----------
    Energy dual control since 2022/23: raw-material energy and non-fossil energy are excluded from the assessed total.

    Examples
    --------
    >>> assessed_energy(np.array([4219.13]), feedstock=np.array([0.0]), non_fossil=np.array([430.15])).round(2)
    array([3788.98])
    """
    return comprehensive - feedstock - non_fossil


def seasonal_weights(history: Floats, days_in_month: Floats) -> Floats:
    """Share of the year that each month takes, from years past, else from the calendar.

    Parameters
    ----------
    history : ndarray of float64, shape (n_budgets, n_years, 12)
        Monthly amounts of past years; a year with a month missing, or that adds up to nothing, is left out.
        [unit of the budget]
    days_in_month : ndarray of float64, shape (12,)
        Days of the months of the budget's year: what is used for a budget without a complete year. [d]

    Returns
    -------
    ndarray of float64, shape (n_budgets, 12)
        Each row adds up to one. [1]

    Examples
    --------
    >>> days = np.array([31.0, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
    >>> seasonal_weights(np.full((1, 3, 12), 7.0), days)[0, :2].round(4)
    array([0.0833, 0.0833])
    >>> seasonal_weights(np.full((1, 3, 12), np.nan), days)[0, :2].round(4)
    array([0.0849, 0.0767])
    """
    yearly = np.sum(history, axis=2)
    with np.errstate(invalid="ignore"):
        complete = (yearly > 0.0) & ~np.any(history < 0.0, axis=2)
    months = np.sum(np.where(complete[:, :, np.newaxis], history, 0.0), axis=1)
    months = np.where(np.any(complete, axis=1)[:, np.newaxis], months, days_in_month)
    # One after the other, as whoever adds them up does.
    return months / np.cumsum(months, axis=1)[:, -1:]


def track_budget(
    actual: Floats,
    *,
    budget: Floats,
    weights: Floats,
    last_year: Floats,
    thresholds: BudgetThresholds,
    growth: Floats | None = None,
    intensity_rises: NDArray[np.bool_] | None = None,
) -> BudgetTrack:
    """Pace, forecast and level of budgets after each month.

    Parameters
    ----------
    actual : ndarray of float64, shape (n_budgets, 12)
        Amount of each month of the year; NaN: to come, or not known. [unit of the budget]
    budget : ndarray of float64, shape (n_budgets,)
        Of the whole year, above zero. [unit of the budget]
    weights : ndarray of float64, shape (n_budgets, 12)
        Share of the year that each month takes; rows add up to one. [1]
    last_year : ndarray of float64, shape (n_budgets, 12)
        Amounts of the same months a year before; where one to come is NaN, the forecast goes by the weights.
        [unit of the budget]
    thresholds : BudgetThresholds
        Where the levels begin.
    growth : ndarray of float64, shape (n_budgets,), optional
        Of the months to come against last year; default what the months so far have grown by. [1]
    intensity_rises : ndarray of bool, shape (n_budgets, 12), optional
        Whether the intensity up to the month is above that of a year before: red by itself.

    Returns
    -------
    BudgetTrack

    Notes
    -----
    pace_m = ΣA_1..m / (B Σw_1..m); forecast = ΣA_1..m + Σ_{k>m} A_k(last year) growth.

    Examples
    --------
    120 000 t a year, even weights, 63 000 t to June:

    >>> actual = np.r_[np.full(6, 10_500.0), np.full(6, np.nan)][np.newaxis]
    >>> track = track_budget(
    ...     actual, budget=np.array([120_000.0]), weights=np.full((1, 12), 1 / 12),
    ...     last_year=np.full((1, 12), np.nan), thresholds=BudgetThresholds(1.00, 1.05, 0.98, 1.00))
    >>> float(track.pace[0, 5].round(6)), float(track.forecast[0, 5].round(1)), BudgetLevel(track.level[0, 5]).name
    (1.05, 126000.0, 'YELLOW')
    """
    known_budget = np.where(budget > 0.0, budget, np.nan)[:, np.newaxis]
    spent = np.cumsum(actual, axis=1)
    so_far = np.cumsum(weights, axis=1)
    planned = known_budget * so_far
    pace = np.divide(spent, planned, out=np.full(spent.shape, np.nan), where=planned > 0.0)
    forecast, basis = _forecast(spent, so_far, last_year, growth)
    ahead = forecast / known_budget
    level = _level(pace, ahead, thresholds, intensity_rises)
    return BudgetTrack(spent, planned, pace, forecast, basis, level)


def _forecast(
    spent: Floats, so_far: Floats, last_year: Floats, growth: Floats | None
) -> tuple[Floats, NDArray[np.int8]]:
    before = np.cumsum(last_year, axis=1)
    to_come = _sum_after(last_year)
    if growth is None:
        grown = np.divide(spent, before, out=np.full(spent.shape, np.nan), where=before > 0.0)
    else:
        grown = np.broadcast_to(growth[:, np.newaxis], spent.shape)
    by_last_year = spent + np.where(to_come == 0.0, 0.0, to_come * grown)
    by_weights = np.divide(spent, so_far, out=np.full(spent.shape, np.nan), where=so_far > 0.0)
    forecast = np.where(np.isnan(by_last_year), by_weights, by_last_year)
    basis = np.where(np.isnan(by_last_year), ForecastBasis.WEIGHTS, ForecastBasis.LAST_YEAR)
    return forecast, np.where(np.isnan(forecast), ForecastBasis.NONE, basis).astype(np.int8)


def _sum_after(amounts: Floats) -> Floats:
    """Sum of the months after each; of December nothing."""
    later = np.cumsum(amounts[:, :0:-1], axis=1)[:, ::-1]
    return np.concatenate([later, np.zeros((amounts.shape[0], 1))], axis=1)


def _level(
    pace: Floats, ahead: Floats, thresholds: BudgetThresholds, intensity_rises: NDArray[np.bool_] | None
) -> NDArray[np.int8]:
    def above(values: Floats, limit: float) -> NDArray[np.bool_]:
        return values > limit * (1.0 + _EDGE)

    red = above(ahead, thresholds.red_forecast) & above(pace, thresholds.red_pace)
    if intensity_rises is not None:
        red = red | intensity_rises
    yellow = above(ahead, thresholds.yellow_forecast) | above(pace, thresholds.yellow_pace)
    level = np.where(red, BudgetLevel.RED, np.where(yellow, BudgetLevel.YELLOW, BudgetLevel.GREEN))
    return np.where(np.isnan(pace) | np.isnan(ahead), BudgetLevel.NOT_KNOWN, level).astype(np.int8)
