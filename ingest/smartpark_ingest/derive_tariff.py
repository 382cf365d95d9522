"""Electricity of days by tariff period: of the park and its enterprises, by their contracts' price plans. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from smartpark.accounts import PARK, Boundary, ParkAccounts
from smartpark.catalogue import Catalogue
from smartpark.contracts import contract_on
from smartpark.errors import SmartparkError
from smartpark.periods import Grain, Period
from smartpark.price_plans import PlanChoice, PlanVersion, PricePlans
from smartpark.tariff_hours import TARIFF_PERIODS
from smartpark.workdays import DayKind, builtin_workdays
from smartpark_analytics.accounting import Context, Quarters, plan_of, state
from smartpark_analytics.accounting.tariff_days import TARIFF_RECIPES, tariff_days
from smartpark_analytics.tariff import QUARTER_HOUR_US, TariffIntervals, classify_intervals
from smartpark_storage import IndicatorRow

from smartpark_ingest.derive_rows import Columns, Noted, rows_of


@dataclass(frozen=True, slots=True)
class TariffSubject:
    """Whose electricity, by which plans."""

    accounts: ParkAccounts
    catalogue: Catalogue
    plans: PricePlans


def tariff_rows(
    subject: TariffSubject, quarters: Quarters, days: Sequence[Period], context: Context, noted: Noted
) -> Iterator[IndicatorRow]:
    """Rows of the days; none of a boundary and day for which there is no plan (`plan_problems` says why)."""
    tariffs: dict[str, TariffIntervals] = {}
    for boundary in _owners(subject.accounts):
        choices = [_choice(subject, boundary, day) for day in days]
        for chosen in {one.plan.code: one for one in choices if isinstance(one, PlanChoice)}.values():
            code = chosen.plan.code
            if code not in tariffs:
                tariffs[code] = _classified(quarters, chosen.plan.version, days)
            at = [isinstance(one, PlanChoice) and one.plan.code == code for one in choices]
            yield from _rows(chosen, boundary, quarters, tariffs[code], context=context, noted=noted, at=at)


def plan_problems(subject: TariffSubject, day: Period) -> Iterator[str]:
    """Why there is no plan for the park or an enterprise on a day."""
    for boundary in _owners(subject.accounts):
        found = _choice(subject, boundary, day)
        if not isinstance(found, PlanChoice):
            yield f"park {subject.accounts.park}, {boundary.name}, electricity by tariff period of {day.day}: {found}"


def _owners(accounts: ParkAccounts) -> list[Boundary]:
    return [
        one
        for one in accounts.boundaries
        if one.name.partition("/")[0] in {PARK, "enterprise"} and any(flow.is_electric for flow in one.flows)
    ]


def _choice(subject: TariffSubject, boundary: Boundary, day: Period) -> PlanChoice | SmartparkError:
    contract = contract_on(subject.catalogue, boundary.name.partition("/")[2] or None, day.day)
    code = None if contract is None else contract.price_plan
    try:
        found = subject.plans.choose(code=code, region=subject.catalogue.park.region)
        if any(version.uses_day_kinds for version in found.plan.version):
            builtin_workdays().describe(day.day)
    except SmartparkError as error:
        return error
    return found


def _classified(quarters: Quarters, versions: Sequence[PlanVersion], days: Sequence[Period]) -> TariffIntervals:
    """Tariff period of every quarter-hour, day by day where working days differ from others."""
    n_quarters = quarters.amount.shape[1] // len(days)
    starts = quarters.days_us[:, np.newaxis] + QUARTER_HOUR_US * np.arange(n_quarters)
    if not any(version.uses_day_kinds for version in versions):
        return classify_intervals(starts.ravel(), versions)
    parts = [classify_intervals(row, versions, day_kind=[_kind(day)]) for row, day in zip(starts, days, strict=True)]
    return TariffIntervals(
        np.concatenate([part.period for part in parts]), np.concatenate([part.version for part in parts])
    )


def _kind(day: Period) -> DayKind:
    calendar = builtin_workdays()
    # Of a year that the calendar does not cover nothing is published: see `_choice`.
    return calendar.describe(day.day).kind if day.day.year in calendar.years else DayKind.WORKDAY


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
        said = [f"price plan {chosen.plan.code} ({chosen.reason})"] * len(at)
        rows = rows_of(state(plan, tariff_days(quarters, tariff, period)), columns, noted, said)
        for row, version, is_chosen in zip(rows, first_of_day, at, strict=True):
            if is_chosen and version >= 0:
                yield replace(row, factors=(chosen.plan.version[version].id,))
