"""Explanations of electricity by tariff period: the price plan, its hours, and the quarter-hours of each meter."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from smartpark.price_plans import PlanChoice
from smartpark.tariff_hours import TARIFF_PERIODS, TariffPeriod

from smartpark_analytics.accounting.explained import ExplainedQuarter, ExplainedTariff, Explanation, known
from smartpark_analytics.accounting.explanation import explain_statement
from smartpark_analytics.accounting.statement import Plan, reason_of, state
from smartpark_analytics.accounting.sums import QUARTER_US, Quarters
from smartpark_analytics.accounting.tariff_days import plan_words, tariff_days
from smartpark_analytics.tariff import TariffIntervals


def explain_tariff(
    plan: Plan, quarters: Quarters, tariff: TariffIntervals, period: TariffPeriod, chosen: PlanChoice
) -> Explanation:
    """A day of one tariff period; the listed quarter-hours of each meter add up to its amount.

    Parameters
    ----------
    plan : Plan
        Of one of `TARIFF_RECIPES` and a boundary.
    quarters : Quarters
        Of that day alone.
    tariff : TariffIntervals
        Of its 96 quarter-hours.
    period : TariffPeriod
    chosen : PlanChoice
        Behind `tariff`.
    """
    column = np.flatnonzero(tariff.period == TARIFF_PERIODS.index(period))
    statement = state(plan, tariff_days(quarters, tariff, period))
    reason = "; ".join(filter(None, (plan_words(chosen), reason_of(statement, 0))))
    found = explain_statement(statement, 0, reason)
    terms = tuple(
        replace(term, quarters=_quarters(quarters, quarters.place[one.flow.point_id], column))
        for term, one in zip(found.terms, plan.terms, strict=True)
    )
    return replace(found, terms=terms, tariff=_tariff(chosen, tariff, period, column))


def _quarters(quarters: Quarters, row: int, column: NDArray[np.intp]) -> tuple[ExplainedQuarter, ...]:
    starts = (quarters.days_us[0] + QUARTER_US * column).tolist()
    amounts = quarters.amount[row, column].tolist()
    return tuple(ExplainedQuarter(start, known(amount)) for start, amount in zip(starts, amounts, strict=True))


def _tariff(
    chosen: PlanChoice, tariff: TariffIntervals, period: TariffPeriod, column: NDArray[np.intp]
) -> ExplainedTariff:
    version = chosen.plan.version[int(tariff.version[0])]
    return ExplainedTariff(
        period=period.value,
        plan=chosen.plan.code,
        name=chosen.plan.name,
        name_en=chosen.plan.name_en,
        why=chosen.reason.value,
        version=version.id,
        valid_from=version.valid_from.isoformat(),
        valid_to=None if version.valid_to is None else version.valid_to.isoformat(),
        source=version.source,
        grade=version.grade,
        spans=_spans(column),
    )


def _spans(column: NDArray[np.intp]) -> tuple[str, ...]:
    """Hours of the day of runs of quarter-hours: ``08:00-11:00``."""
    runs = np.split(column, np.flatnonzero(np.diff(column) > 1) + 1) if column.size else []
    return tuple(f"{_clock(int(run[0]))}-{_clock(int(run[-1]) + 1)}" for run in runs)


def _clock(quarter: int) -> str:
    return f"{quarter // 4:02}:{quarter % 4 * 15:02}"
