"""From touched hours to published indicators: the second half of a step of derive.

The publisher is told which hours of which parks have quarter-hours that were computed anew. It takes the parks'
turns, reads their interval energy, and publishes what differs from what is current: hours and days of the park, its
sub-parks, its enterprises and its meters, then the months and years these days belong to. A month is the sum of its
days as they are published, a year that of its months; quarter-hours are read for the touched days alone.

It keeps the parks' accounts between steps, and what each number is summed from, for as long as the same factors hold.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import date
from itertools import groupby
from typing import Final

import numpy as np
from smartpark.accounts import PARK, ParkAccounts, accounts_of_catalogue, park_accounts
from smartpark.clock import from_us, to_us
from smartpark.errors import SmartparkError
from smartpark.factors import FactorSet
from smartpark.periods import Grain, Period, period_containing
from smartpark.price_plans import price_plans_in_use
from smartpark.steam_meters import SteamMeter, steam_meters
from smartpark_analytics.accounting import (
    RECIPES,
    TREE_RECIPES,
    Context,
    Plan,
    Statement,
    add_steam_heat,
    hours_and_days,
    park_quarters,
    plan_of,
    residual_words,
    state,
    tree_plans,
)
from smartpark_analytics.accounting.tariff_days import TARIFF_RECIPES
from smartpark_storage import (
    Connection,
    IndicatorRow,
    PointRecord,
    Registry,
    fetch_interval_energy,
    publish_indicators,
)
from smartpark_storage.deriving import lock_parks, park_factor_scopes
from smartpark_storage.registry import current_catalogue
from smartpark_storage.revisions import sum_parts
from smartpark_storage.steam_minutes import fetch_steam_minutes

from smartpark_ingest.derive_certified import publish_certified
from smartpark_ingest.derive_ratios import publish_ratios
from smartpark_ingest.derive_rows import Columns, Noted, longer_row, ratio_rows, rows_of
from smartpark_ingest.derive_tariff import TariffSubject, plan_problems, tariff_rows

HOUR_US: Final = 3_600_000_000
DAY_US: Final = 24 * HOUR_US
QUARTERS_AT_ONCE: Final = 2_000_000
"""Quarter-hours in memory at once; a day of all counters at least."""
PUBLISHED: Final = (
    *dict.fromkeys(recipe.indicator for recipe in (*RECIPES, *TREE_RECIPES, *TARIFF_RECIPES.values())),
    "carbon_per_energy",
)
"""What is published for days, and for months and years by their sums."""


@dataclass(frozen=True, slots=True)
class PublishReport:
    """What was published, and what was not."""

    published: int = 0
    """New revisions."""
    missing: tuple[str, ...] = ()
    """What could not be published for want of a factor."""


@dataclass(slots=True)
class _Park:
    """A park's accounts, and the plans of each span of days with the same factors."""

    accounts: ParkAccounts
    electricity_scope: str
    point_ids: list[int]
    steam: tuple[SteamMeter, ...]
    tariff: TariffSubject | None
    """None: no catalogue was loaded."""
    gauges: dict[int, PointRecord]
    """Points of pressure and temperature of the steam."""
    plans: dict[tuple[int, int], tuple[list[Plan], list[str]]] = field(
        default_factory=dict[tuple[int, int], tuple[list[Plan], list[str]]]
    )


class Publisher:
    """Publishes parks from their interval energy."""

    def __init__(self) -> None:
        self._factors = FactorSet(version="", factor=())
        self._changes: list[date] = []
        self._parks: dict[str, _Park] = {}
        self._plans_in_use = price_plans_in_use()

    def use(self, factors: FactorSet) -> None:
        """Sum by these factors from now on; what is published keeps those it names until it is derived again."""
        if factors is self._factors:
            return
        self._factors = factors
        self._changes = sorted({d for row in factors.factor for d in (row.valid_from, row.valid_to) if d is not None})
        for park in self._parks.values():
            park.plans.clear()

    def refresh(self, connection: Connection, registry: Registry) -> None:
        """Take over a registry that has changed."""
        records = list(registry.by_id.values())
        self._parks = {}
        for park, scope in park_factor_scopes(connection).items():
            catalogue = current_catalogue(connection, park)
            accounts = (
                park_accounts(park, records) if catalogue is None else accounts_of_catalogue(catalogue, records)
            )
            steam = steam_meters(catalogue, (p for p in records if p.park == park))
            tariff = None if catalogue is None else TariffSubject(accounts, catalogue, self._plans_in_use)
            gauges = {p: registry.by_id[p] for meter in steam for p in (meter.pressure_id, meter.temperature_id)}
            self._parks[park] = _Park(accounts, scope, accounts.point_ids, steam, tariff, gauges)

    def concerns(self, point: PointRecord) -> bool:
        """Whether what a counter measures is part of anything that is published."""
        return point.point_id in self._parks[point.park].point_ids

    def publish(self, connection: Connection, touched: Mapping[str, AbstractSet[int]], now_us: int) -> PublishReport:
        """Publish what touched hours (starts in µs, per park) change, in the caller's transaction."""
        lock_parks(connection, touched)
        published, missing = 0, dict[str, None]()
        for park, hours in sorted(touched.items()):
            one = self._parks[park]
            for days in self._blocks(one, hours):
                missing |= dict.fromkeys(self._plans(one, days[0])[1])
                missing |= dict.fromkeys(() if one.tariff is None else plan_problems(one.tariff, days[0]))
                rows = list(self._rows(connection, one, days, hours, now_us=now_us))
                published += publish_indicators(connection, rows)
            published += _publish_longer(connection, park, hours, now_us)
            published += self._publish_from_months(connection, one, hours, now_us)
        return PublishReport(published, tuple(missing))

    def _publish_from_months(self, connection: Connection, park: _Park, hours: AbstractSet[int], now_us: int) -> int:
        """What is made of published months: methods with certificates, then ratios, which rest on them."""
        code = park.accounts.park
        months = sorted({to_us(period_containing(from_us(hour), Grain.MONTH).start) for hour in hours})
        certified = publish_certified(
            connection, code, months, now_us, factors=self._factors, grid_scope=park.electricity_scope
        )
        return certified + publish_ratios(connection, code, months, now_us, factors=self._factors).published

    def _blocks(self, park: _Park, hours: AbstractSet[int]) -> Iterator[list[Period]]:
        """Touched days in order, together while the same factors hold, and no more than fit into memory."""
        days = sorted({period_containing(from_us(hour), Grain.DAY) for hour in hours})
        most = max(1, QUARTERS_AT_ONCE // (96 * max(1, len(park.point_ids))))
        for _, found in groupby(days, key=lambda day: self._epoch(day.day)):
            block = list(found)
            yield from (block[n : n + most] for n in range(0, len(block), most))

    def _epoch(self, day: date) -> tuple[int, int]:
        """Days of one epoch have the same factors for the same reasons."""
        return day.year, bisect_right(self._changes, day)

    def _plans(self, park: _Park, day: Period) -> tuple[list[Plan], list[str]]:
        epoch = self._epoch(day.day)
        if epoch not in park.plans:
            park.plans[epoch] = _plans(park, self._context(park, day))
        return park.plans[epoch]

    def _context(self, park: _Park, day: Period) -> Context:
        by_enthalpy = frozenset(meter.mass_id for meter in park.steam)
        return Context(self._factors, park.accounts.park, day.day, park.electricity_scope, by_enthalpy)

    def _rows(
        self, connection: Connection, park: _Park, days: Sequence[Period], hours: AbstractSet[int], *, now_us: int
    ) -> Iterator[IndicatorRow]:
        intervals = np.concatenate(
            [fetch_interval_energy(connection, park.point_ids, start, end) for start, end in _runs(days)]
        )
        starts = np.array([to_us(day.start) for day in days], np.int64)
        quarters = park_quarters(park.accounts, intervals, starts)
        heat = add_steam_heat(
            quarters,
            park.steam,
            self._context(park, days[0]),
            lambda start, end: fetch_steam_minutes(connection, park.steam, park.gauges, start, end),
        )
        series, n_hours = hours_and_days(heat.quarters, hours)
        columns = Columns(series.start_us.tolist(), [Grain.HOUR.value] * n_hours + [Grain.DAY.value] * len(days))
        noted = Noted(park.accounts.park, self._factors.version, now_us)
        stated: dict[tuple[str, str], Statement] = {}
        for plan in self._plans(park, days[0])[0]:
            statement = state(plan, series)
            findings = residual_words(statement, park.accounts) or heat.words(statement, series)
            yield from rows_of(statement, columns, noted, findings)
            if plan.recipe.indicator in {"carbon_location", "comprehensive_energy"}:
                stated[plan.boundary, plan.recipe.indicator] = statement
        if park.tariff is not None:
            yield from tariff_rows(park.tariff, heat.quarters, days, self._context(park, days[0]), noted)
        for (boundary, indicator), energy in stated.items():
            carbon = stated.get((boundary, "carbon_location"))
            if indicator == "comprehensive_energy" and carbon is not None:
                yield from ratio_rows(carbon, energy, columns, noted)


def _plans(park: _Park, context: Context) -> tuple[list[Plan], list[str]]:
    """What is summed, and what cannot be for want of a factor."""
    plans, missing = list[Plan](), list[str]()
    for boundary in park.accounts.boundaries:
        for recipe in RECIPES:
            try:
                plan = plan_of(recipe, boundary, context)
            except SmartparkError as error:
                if not recipe.is_optional:
                    whose = "" if boundary.name == PARK else f"{boundary.name}, "
                    missing.append(f"park {context.park}, {whose}{recipe.indicator} of {context.on}: {error}")
                continue
            plans += [] if plan is None else [plan]
    return plans + tree_plans(park.accounts, context.factors), missing


def _runs(days: Iterable[Period]) -> Iterator[tuple[int, int]]:
    """Spans of days that follow on one another, in µs."""
    start = end = 0
    for day in days:
        if to_us(day.start) != end:
            if end:
                yield start, end
            start = to_us(day.start)
        end = to_us(day.end)
    yield start, end


def _publish_longer(connection: Connection, park: str, hours: AbstractSet[int], now_us: int) -> int:
    """Publish the months of touched hours from their days, and their years from the months."""
    published = 0
    for grain, parts in ((Grain.MONTH, Grain.DAY), (Grain.YEAR, Grain.MONTH)):
        periods = sorted({period_containing(from_us(hour), grain) for hour in hours})
        for period in periods:
            found = sum_parts(
                connection,
                park,
                PUBLISHED,
                grain=parts.value,
                start_us=to_us(period.start),
                end_us=to_us(period.end),
            )
            rows = [longer_row(one, period, park=park, computed_at_us=now_us) for one in found]
            published += publish_indicators(connection, rows)
    return published
