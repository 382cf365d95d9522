"""Electricity by tariff period as statements: days of which only the sharp, peak, flat or valley quarter-hours count.

What is stated is what was purchased, so that the four periods add up to `electricity_purchased`. A day without hours
of a period has none of it, and misses nothing.
"""

from dataclasses import replace
from typing import Final

import numpy as np
from smartpark.tariff_hours import TARIFF_PERIODS, TariffPeriod

from smartpark_analytics.accounting.recipes import RECIPES, Recipe
from smartpark_analytics.accounting.statement import Series
from smartpark_analytics.accounting.sums import HOUR_US, HOURS_A_DAY, QUARTERS_A_DAY, Quarters
from smartpark_analytics.aggregate import PeriodSums, period_sums
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
    column = np.flatnonzero(tariff.period == TARIFF_PERIODS.index(period))
    day = column // QUARTERS_A_DAY
    expected = np.bincount(day, minlength=n_days).astype(np.int64)
    has_hours = (expected > 0)[np.newaxis]
    if column.size:
        found = period_sums(
            quarters.amount[:, column],
            quarters.completeness[:, column],
            quarters.estimated_share[:, column],
            day.astype(np.int64),
            np.maximum(expected, 1),
        )
    else:
        found = PeriodSums(*(np.zeros((len(quarters.amount), n_days)) for _ in range(3)))
    sums = PeriodSums(
        np.where(has_hours, found.amount, 0.0), np.where(has_hours, found.completeness, 1.0), found.estimated_share
    )
    return Series(quarters.place, sums, quarters.days_us, quarters.days_us + HOURS_A_DAY * HOUR_US)
