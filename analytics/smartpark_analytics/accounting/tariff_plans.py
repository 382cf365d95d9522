"""Whose electricity is told by tariff period, by which price plan, and in which period each quarter-hour lies."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from smartpark.accounts import PARK, Boundary, ParkAccounts
from smartpark.catalogue import Catalogue
from smartpark.contracts import contract_on
from smartpark.errors import SmartparkError
from smartpark.periods import Period
from smartpark.price_plans import PlanChoice, PlanVersion, PricePlans
from smartpark.workdays import DayKind, builtin_workdays

from smartpark_analytics.accounting.sums import QUARTERS_A_DAY
from smartpark_analytics.groups import Ints
from smartpark_analytics.tariff import QUARTER_HOUR_US, TariffIntervals, classify_intervals


@dataclass(frozen=True, slots=True)
class TariffSubject:
    """Whose electricity, by which plans."""

    accounts: ParkAccounts
    catalogue: Catalogue
    plans: PricePlans


def tariff_owners(accounts: ParkAccounts) -> list[Boundary]:
    """Boundaries whose electricity is told by tariff period: the park and its enterprises."""
    return [
        one
        for one in accounts.boundaries
        if one.name.partition("/")[0] in {PARK, "enterprise"} and any(flow.is_electric for flow in one.flows)
    ]


def plan_choice(subject: TariffSubject, boundary: str, day: Period) -> PlanChoice | SmartparkError:
    """Price plan of a boundary on a day, or why there is none."""
    contract = contract_on(subject.catalogue, boundary.partition("/")[2] or None, day.day)
    code = None if contract is None else contract.price_plan
    try:
        found = subject.plans.choose(code=code, region=subject.catalogue.park.region)
        if any(version.uses_day_kinds for version in found.plan.version):
            builtin_workdays().describe(day.day)
    except SmartparkError as error:
        return error
    return found


def classified_days(days_us: Ints, versions: Sequence[PlanVersion], days: Sequence[Period]) -> TariffIntervals:
    """Tariff period of every quarter-hour, day by day where working days differ from others.

    Parameters
    ----------
    days_us : ndarray of int64, shape (n_days,)
        First instant of each day. [µs]
    versions : sequence of PlanVersion
    days : sequence of Period
        The same days.

    Returns
    -------
    TariffIntervals
        Of n_days x 96 quarter-hours.
    """
    starts = days_us[:, np.newaxis] + QUARTER_HOUR_US * np.arange(QUARTERS_A_DAY)
    if not any(version.uses_day_kinds for version in versions):
        return classify_intervals(starts.ravel(), versions)
    parts = [classify_intervals(row, versions, day_kind=[_kind(day)]) for row, day in zip(starts, days, strict=True)]
    return TariffIntervals(
        np.concatenate([part.period for part in parts]), np.concatenate([part.version for part in parts])
    )


def _kind(day: Period) -> DayKind:
    calendar = builtin_workdays()
    # Of a year that the calendar does not cover nothing is published: see `plan_choice`.
    return calendar.describe(day.day).kind if day.day.year in calendar.years else DayKind.WORKDAY
