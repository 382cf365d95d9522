"""Electricity by tariff period as statements: days of which only the sharp, peak, flat or valley quarter-hours count.

What is stated is what was purchased, so that the four periods add up to `electricity_purchased`.
"""

from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray
from smartpark.price_plans import PlanChoice
from smartpark.tariff_hours import TARIFF_PERIODS, TariffPeriod

from smartpark_analytics.accounting.recipes import RECIPES, Recipe
from smartpark_analytics.accounting.statement import Series
from smartpark_analytics.accounting.sums import HOUR_US, HOURS_A_DAY, QUARTERS_A_DAY, Quarters
from smartpark_analytics.aggregate import PeriodSums
from smartpark_analytics.tariff import TariffIntervals

_PURCHASED: Final = next(recipe for recipe in RECIPES if recipe.indicator == "electricity_purchased")
TARIFF_RECIPES: Final[dict[TariffPeriod, Recipe]] = {
    period: replace(
        _PURCHASED,
        indicator=f"electricity_{period}",
        method="electricity-by-tariff/1",
        formula=f"sum(import in {period} quarter-hours)",
    )
    for period in TARIFF_PERIODS
}


def tariff_days(quarters: Quarters, tariff: TariffIntervals, period: TariffPeriod) -> Series:
    """Sums of every day over its quarter-hours of a tariff period.

    Parameters
    ----------
    quarters : Quarters
    tariff : TariffIntervals
        Of the quarter-hours, shape (n_days x 96,).
    period : TariffPeriod
    """
    n_days = len(quarters.days_us)
    is_in = (tariff.period == TARIFF_PERIODS.index(period)).reshape(n_days, QUARTERS_A_DAY)
    expected = is_in.sum(axis=1)
    found = _day_sums(quarters, is_in, np.maximum(expected, 1))
    # A day without hours of the period has none of it, and misses nothing.
    has_hours = (expected > 0)[np.newaxis]
    sums = PeriodSums(
        np.where(has_hours, found.amount, 0.0), np.where(has_hours, found.completeness, 1.0), found.estimated_share
    )
    return Series(quarters.place, sums, quarters.days_us, quarters.days_us + HOURS_A_DAY * HOUR_US)


def _day_sums(quarters: Quarters, is_in: NDArray[np.bool_], expected: NDArray[np.int64]) -> PeriodSums:
    """Sums of each day over the quarter-hours that are in, one after the other as they are listed."""
    shape = (len(quarters.amount), *is_in.shape)
    amount = quarters.amount.reshape(shape)
    known = np.where(is_in & np.isfinite(amount), amount, 0.0)
    counted = is_in & np.isfinite(amount)
    covered = np.where(counted, quarters.completeness.reshape(shape), 0.0).sum(axis=2)
    weight = np.abs(known)
    estimated = (weight * quarters.estimated_share.reshape(shape)).sum(axis=2)
    total = weight.sum(axis=2)
    return PeriodSums(
        np.where(covered > 0, np.cumsum(known, axis=2)[:, :, -1], np.nan),
        np.minimum(covered / expected, 1.0),
        np.divide(estimated, total, out=np.zeros_like(total), where=total > 0),
    )


def plan_words(chosen: PlanChoice) -> str:
    """Which price plan was chosen, and why."""
    return f"price plan {chosen.plan.code} ({chosen.reason})"
