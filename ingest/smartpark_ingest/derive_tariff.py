"""Electricity of days by tariff period: of the park and its enterprises, by their contracts' price plans. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from smartpark.accounts import Boundary
from smartpark.periods import Grain, Period
from smartpark.price_plans import PlanChoice
from smartpark.tariff_hours import TARIFF_PERIODS
from smartpark_analytics.accounting import Context, Quarters, plan_of, state
from smartpark_analytics.accounting.tariff_days import TARIFF_RECIPES, plan_words, tariff_days
from smartpark_analytics.accounting.tariff_plans import TariffSubject, classified_days, plan_choice, tariff_owners
from smartpark_analytics.tariff import TariffIntervals
from smartpark_storage import IndicatorRow

from smartpark_ingest.derive_rows import Columns, Noted, rows_of

__all__ = ["TariffSubject", "plan_problems", "tariff_rows"]


def tariff_rows(
    subject: TariffSubject, quarters: Quarters, days: Sequence[Period], context: Context, noted: Noted
) -> Iterator[IndicatorRow]:
    """Rows of the days; none of a boundary and day for which there is no plan (`plan_problems` says why)."""
    tariffs: dict[str, TariffIntervals] = {}
    for boundary in tariff_owners(subject.accounts):
        choices = [plan_choice(subject, boundary.name, day) for day in days]
        for chosen in {one.plan.code: one for one in choices if isinstance(one, PlanChoice)}.values():
            code = chosen.plan.code
            if code not in tariffs:
                tariffs[code] = classified_days(quarters.days_us, chosen.plan.version, days)
            at = [isinstance(one, PlanChoice) and one.plan.code == code for one in choices]
            yield from _rows(chosen, boundary, quarters, tariffs[code], context=context, noted=noted, at=at)


def plan_problems(subject: TariffSubject, day: Period) -> Iterator[str]:
    """Why there is no plan for the park or an enterprise on a day."""
    for boundary in tariff_owners(subject.accounts):
        found = plan_choice(subject, boundary.name, day)
        if not isinstance(found, PlanChoice):
            yield f"park {subject.accounts.park}, {boundary.name}, electricity by tariff period of {day.day}: {found}"


def _rows(
    chosen: PlanChoice,
    boundary: Boundary,
    quarters: Quarters,
    tariff: TariffIntervals,
    *,
    context: Context,
    noted: Noted,
    at: Sequence[bool],
) -> Iterable[IndicatorRow]:
    first_of_day = tariff.version[:: quarters.amount.shape[1] // len(at)].tolist()
    columns = Columns(quarters.days_us.tolist(), [Grain.DAY.value] * len(at))
    for period in TARIFF_PERIODS:
        plan = plan_of(TARIFF_RECIPES[period], boundary, context)
        if plan is None:
            return
        said = [plan_words(chosen)] * len(at)
        rows = rows_of(state(plan, tariff_days(quarters, tariff, period)), columns, noted, said)
        for row, version, is_chosen in zip(rows, first_of_day, at, strict=True):
            if is_chosen and version >= 0:
                yield replace(row, factors=(chosen.plan.version[version].id,))
