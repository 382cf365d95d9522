"""Points, flows and series for tests of accounting, without a database."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime

import numpy as np
from smartpark.accounts import PARK, ParkAccounts, park_accounts
from smartpark.catalogue import Role
from smartpark.clock import to_us
from smartpark.factors import FactorSet, builtin_factors
from smartpark.measurands import MEANINGS, Carrier, Measurand
from smartpark.periods import Grain, period_containing
from smartpark_analytics.accounting import (
    RECIPES,
    Context,
    Quarters,
    Series,
    Statement,
    days_of,
    plan_of,
    quarters_of,
    state,
    tree_plans,
    with_virtual_meters,
)
from smartpark_storage import INTERVAL_DTYPE, PointRecord

DAY = period_containing(datetime(2026, 11, 10, 4, tzinfo=UTC), Grain.DAY)
START = to_us(DAY.start)
QUARTER_US = 900_000_000
IMPORT, EXPORT = Measurand.ACTIVE_ENERGY_IMPORT, Measurand.ACTIVE_ENERGY_EXPORT
RECIPE = {recipe.indicator: recipe for recipe in RECIPES}


def point(point_id: int, device: str, measurand: Measurand, carrier: Carrier, role: Role, **more) -> PointRecord:
    record = PointRecord(
        point_id=point_id,
        key=f"hill/{device}/{measurand}",
        park="hill",
        device=device,
        code=str(measurand),
        measurand=measurand,
        kind=MEANINGS[measurand].kind,
        unit=MEANINGS[measurand].unit,
        carrier=carrier,
        exponent=-2,
        register_modulus=None,
        multiplier=1.0,
        role=role,
        internal_transfer=False,
        parent_device=None,
        installed_at_us=None,
        retired_at_us=None,
    )
    return replace(record, **more)


GRID = point(1, "M0", IMPORT, Carrier.ELECTRICITY, Role.BOUNDARY)


def quarters(accounts: ParkAccounts, amounts: Mapping[int, float | Sequence[float]]) -> Quarters:
    """Of a day: the same amount in every quarter-hour of a point, or one of its own in each."""
    rows = np.zeros(96 * len(amounts), INTERVAL_DTYPE)
    rows["point_id"] = np.repeat(list(amounts), 96)
    rows["start"] = np.tile(START + QUARTER_US * np.arange(96), len(amounts))
    rows["amount"] = np.ravel([np.broadcast_to(np.asarray(a, float), 96) for a in amounts.values()])
    rows["completeness"] = 1.0
    found = quarters_of(accounts.point_ids, rows, np.array([START]))
    virtual = {meter.point_id: meter.expression for meter in accounts.virtual}
    return with_virtual_meters(found, virtual, accounts.names)


def day(accounts: ParkAccounts, amounts: Mapping[int, float | Sequence[float]]) -> Series:
    return days_of(quarters(accounts, amounts))


def context(factors: FactorSet | None = None, on: date = DAY.day) -> Context:
    return Context(factors or builtin_factors(), "hill", on, "provincial:FJ")


def statements(
    accounts: ParkAccounts, series: Series, boundary: str = PARK, factors: FactorSet | None = None
) -> dict[str, Statement]:
    """What is published of a boundary, by indicator."""
    found = accounts.boundary(boundary)
    plans = (
        []
        if found is None
        else [plan_of(recipe, found, context(factors)) for recipe in RECIPES if not recipe.is_optional]
    )
    trees = [plan for plan in tree_plans(accounts, builtin_factors()) if plan.boundary == boundary]
    return {p.recipe.indicator: state(p, series) for p in (*plans, *trees) if p is not None}


def values(*args, **more) -> dict[str, float]:
    """Of the first period."""
    return {name: float(found.value[0]) for name, found in statements(*args, **more).items()}


def hill(*points: PointRecord, **more) -> ParkAccounts:
    return park_accounts("hill", points, **more)
