"""Quarter-hours of a boundary's or a meter's electricity over whole days, read from interval energy."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from smartpark.accounts import ParkAccounts, accounts_of_catalogue
from smartpark.catalogue import Catalogue
from smartpark.clock import to_us
from smartpark.errors import SmartparkError
from smartpark.measurands import Measurand
from smartpark.periods import Grain, Period, period_containing
from smartpark_analytics.accounting import RECIPES, Context, park_quarters, plan_of, quarters_of
from smartpark_analytics.accounting.statement import awaited_in
from smartpark_analytics.accounting.sums import QUARTER_US
from smartpark_storage import Connection, Registry, fetch_interval_energy, load_registry
from smartpark_storage.deriving import park_factor_scopes
from smartpark_storage.factors import load_factor_set
from smartpark_storage.registry import current_catalogue

Floats = NDArray[np.float64]
REACTIVE = (Measurand.REACTIVE_ENERGY_IMPORT, Measurand.REACTIVE_ENERGY_EXPORT)
_RECIPES = {recipe.indicator: recipe for recipe in RECIPES}


class NoElectricityError(SmartparkError):
    """There is no such park, boundary or meter, or nothing of it is electric."""


@dataclass(frozen=True, slots=True)
class ParkElectricity:
    """A park's catalogue, its accounts and its points."""

    connection: Connection
    catalogue: Catalogue
    accounts: ParkAccounts
    registry: Registry
    scope: str

    @property
    def park(self) -> str:
        """Its code."""
        return self.catalogue.park.code


def electricity_of(connection: Connection, park: str) -> ParkElectricity:
    """What has to be known of a park before its quarter-hours are read."""
    catalogue, registry = current_catalogue(connection, park), load_registry(connection)
    scopes = park_factor_scopes(connection)
    if catalogue is None:
        raise NoElectricityError(f"there is no park {park!r}; known: {', '.join(sorted(scopes)) or 'none yet'}")
    accounts = accounts_of_catalogue(catalogue, registry.by_id.values())
    return ParkElectricity(connection, catalogue, accounts, registry, scopes[park])


@dataclass(frozen=True, slots=True)
class BoundaryQuarters:
    """Energy of a boundary's quarter-hours; arrays have shape (n_quarters,)."""

    start_us: NDArray[np.int64]
    energy_kwh: Floats
    """NaN where one of its meters is not known. [kWh]"""
    meters: tuple[str, ...]
    """Keys of the registers that were added up."""
    devices: tuple[str, ...]


def boundary_quarters(source: ParkElectricity, boundary: str, indicator: str, period: Period) -> BoundaryQuarters:
    """Quarter-hours of a sum over meters, as the accounts define it."""
    inside = source.accounts.boundary(boundary)
    context = Context(load_factor_set(source.connection), source.park, period.day, source.scope, frozenset())
    plan = None if inside is None else plan_of(_RECIPES[indicator], inside, context)
    if plan is None:
        names = ", ".join(b.name for b in source.accounts.boundaries if any(f.is_electric for f in b.flows))
        raise NoElectricityError(f"{source.park} has no electricity of {boundary}; it has: {names or 'none'}")
    days = _days(period)
    intervals = fetch_interval_energy(
        source.connection, source.accounts.point_ids, to_us(period.start), to_us(period.end)
    )
    quarters = park_quarters(source.accounts, intervals, days)
    starts = _starts(days)
    known = quarters.amount[[quarters.place[term.flow.point_id] for term in plan.terms]]
    # A meter that is not in service then has nothing, and nobody waits for it.
    awaited = awaited_in([term.flow for term in plan.terms], starts, starts + QUARTER_US)
    amount = np.where(~awaited & np.isnan(known), 0.0, known)
    times = np.array([float(term.times) for term in plan.terms])
    total = np.cumsum(amount * times[:, np.newaxis], axis=0)[-1]
    return BoundaryQuarters(
        starts,
        np.where((awaited | np.isfinite(known)).any(axis=0), total, np.nan),
        tuple(term.flow.key for term in plan.terms),
        tuple(dict.fromkeys(term.flow.device for term in plan.terms)),
    )


def meter_quarters(
    source: ParkElectricity, devices: tuple[str, ...], measurands: tuple[Measurand, ...], period: Period
) -> BoundaryQuarters:
    """Quarter-hours of registers of some meters, added up without their signs; NaN throughout where there is none."""
    points = [
        p
        for p in source.registry.by_id.values()
        if p.park == source.park and p.device in devices and p.measurand in measurands
    ]
    days = _days(period)
    if not points:
        return BoundaryQuarters(_starts(days), np.full(len(days) * 96, np.nan), (), ())
    ids = [p.point_id for p in points]
    intervals = fetch_interval_energy(source.connection, ids, to_us(period.start), to_us(period.end))
    quarters = quarters_of(ids, intervals, days)
    rows = [quarters.place[p.point_id] for p in points]
    return BoundaryQuarters(
        _starts(days),
        np.cumsum(np.abs(quarters.amount[rows]), axis=0)[-1],
        tuple(p.key for p in points),
        tuple(dict.fromkeys(p.device for p in points)),
    )


def days_of(period: Period) -> list[Period]:
    """Accounting days of a period."""
    found = [period_containing(period.start, Grain.DAY)]
    while found[-1].end < period.end:
        found.append(period_containing(found[-1].end, Grain.DAY))
    return found


def _days(period: Period) -> NDArray[np.int64]:
    return np.array([to_us(day.start) for day in days_of(period)], np.int64)


def _starts(days: NDArray[np.int64]) -> NDArray[np.int64]:
    return (days[:, np.newaxis] + QUARTER_US * np.arange(96)).ravel()
