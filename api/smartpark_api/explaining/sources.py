"""What explanations of one moment rest on, read from the database once: accounts, factors, quarter-hours, figures."""

from datetime import UTC, date, datetime, time
from functools import cached_property
from typing import Final

import numpy as np
from smartpark.accounts import ParkAccounts, accounts_of_catalogue
from smartpark.catalogue import Catalogue
from smartpark.clock import PARK_ZONE, to_us
from smartpark.dated import in_force
from smartpark.evaluation import builtin_rules
from smartpark.factors import FactorSet
from smartpark.periods import Period
from smartpark.price_plans import PricePlans, price_plans_in_use
from smartpark.steam_meters import SteamMeter, steam_meters
from smartpark_analytics.accounting import Context, SteamHeat, add_steam_heat, park_quarters
from smartpark_analytics.accounting.certified import INPUTS as CERTIFIED
from smartpark_analytics.accounting.explanation import NothingToExplainError
from smartpark_analytics.accounting.tariff_plans import TariffSubject
from smartpark_analytics.ratios.book import Book
from smartpark_analytics.ratios.cells import Subject
from smartpark_analytics.ratios.periods import rows_of_months
from smartpark_analytics.ratios.rows import RatioRow
from smartpark_analytics.ratios.specs import INPUTS, RATIOS
from smartpark_storage import Connection, Registry, fetch_interval_energy, load_registry
from smartpark_storage.deriving import park_factor_scopes
from smartpark_storage.factors import load_factor_set
from smartpark_storage.figures import ratio_entities, ratio_inputs, read_figures
from smartpark_storage.registry import current_catalogue
from smartpark_storage.steam_minutes import fetch_steam_minutes

RatioKey = tuple[str, str, str, int]
"""Boundary, indicator, grain, start."""
_DAYS_KEPT: Final = 8
"""Days of quarter-hours in memory; both sides of a ratio ask for the same ones."""


class Sources:
    """What explanations of one moment rest on; everything is read once."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._catalogues: dict[str, Catalogue] = {}
        self._accounts: dict[str, ParkAccounts] = {}
        self._quarters: dict[tuple[str, int], SteamHeat] = {}
        self._steam: dict[str, tuple[SteamMeter, ...]] = {}
        self._books: dict[tuple[str, int], Book] = {}
        self._ratios: dict[tuple[str, date, int], dict[RatioKey, RatioRow]] = {}

    @cached_property
    def factors(self) -> FactorSet:
        """Rows in the database."""
        return load_factor_set(self.connection)

    @cached_property
    def scopes(self) -> dict[str, str]:
        """Whose grid average counts, by park."""
        return park_factor_scopes(self.connection)

    @cached_property
    def plans(self) -> PricePlans:
        """Price plans in use."""
        return price_plans_in_use()

    @cached_property
    def registry(self) -> Registry:
        """Points in force."""
        return load_registry(self.connection)

    def catalogue(self, park: str) -> Catalogue:
        """Catalogue in force of a park."""
        if park not in self._catalogues:
            found = current_catalogue(self.connection, park)
            if found is None:
                known = ", ".join(sorted(self.scopes)) or "none yet"
                raise NothingToExplainError(f"there is no park {park!r}; known: {known}")
            self._catalogues[park] = found
        return self._catalogues[park]

    def accounts(self, park: str) -> ParkAccounts:
        """Accounts of a park, from the catalogue in force."""
        if park not in self._accounts:
            catalogue, points = self.catalogue(park), self.registry.by_id
            self._accounts[park] = accounts_of_catalogue(catalogue, points.values())
            self._steam[park] = steam_meters(catalogue, (p for p in points.values() if p.park == park))
        return self._accounts[park]

    def context(self, park: str, day: Period) -> Context:
        """By whose factors the park counts on a day, and which of its steam by enthalpy."""
        self.accounts(park)
        by_enthalpy = frozenset(meter.mass_id for meter in self._steam[park])
        return Context(self.factors, park, day.day, self.scopes[park], by_enthalpy)

    def tariff(self, park: str) -> TariffSubject:
        """Whose electricity is told by tariff period."""
        return TariffSubject(self.accounts(park), self.catalogue(park), self.plans)

    def quarters(self, park: str, day: Period) -> SteamHeat:
        """Quarter-hours of an accounting day, with the heat of its steam."""
        key = (park, to_us(day.start))
        if key not in self._quarters:
            if len(self._quarters) >= _DAYS_KEPT:
                del self._quarters[next(iter(self._quarters))]
            self._quarters[key] = self._read_quarters(park, day)
        return self._quarters[key]

    def _read_quarters(self, park: str, day: Period) -> SteamHeat:
        start, end, accounts = to_us(day.start), to_us(day.end), self.accounts(park)
        intervals = fetch_interval_energy(self.connection, accounts.point_ids, start, end)
        if not intervals.size:
            raise NothingToExplainError(f"{park}, {day.day}: there is no interval energy on that day")
        steam, points = self._steam[park], self.registry.by_id
        return add_steam_heat(
            park_quarters(accounts, intervals, np.array([start], np.int64)),
            steam,
            self.context(park, day),
            lambda first, last: fetch_steam_minutes(self.connection, steam, points, first, last),
        )

    def book(self, park: str, year: int) -> Book:
        """Business figures and published numbers of a year, and of the years that its budgets look back on."""
        if (park, year) not in self._books:
            self._books[park, year] = self._read_book(park, year)
        return self._books[park, year]

    def ratios(self, park: str, first: date, now_us: int) -> dict[RatioKey, RatioRow]:
        """Ratios, budgets and gaps of a month (by its first day) and its year, as derive would have formed them."""
        asked = (park, first, now_us)
        if asked not in self._ratios:
            rules = builtin_rules()
            subject = Subject(
                park=park,
                book=self.book(park, first.year),
                factors=self.factors,
                min_completeness=in_force(rules.ratio_rule, first, what="ratio rule").min_completeness,
                now_us=now_us,
            )
            rows = rows_of_months(subject, [first], rules)
            self._ratios[asked] = {(row.boundary, row.indicator, row.grain, row.start_us): row for row in rows}
        return self._ratios[asked]

    def _read_book(self, park: str, year: int) -> Book:
        first, end = date(year, 1, 1), date(year + 1, 1, 1)
        back = in_force(builtin_rules().budget_rule, first, what="budget rule").history_years
        published = [
            row
            for grain, since in (("month", date(year - back, 1, 1)), ("year", first))
            for row in ratio_inputs(
                self.connection,
                park,
                indicators={*INPUTS, *RATIOS, *CERTIFIED},
                grains=[grain],
                start=_midnight(since),
                end=_midnight(end),
            )
        ]
        figures = read_figures(self.connection, park=park, end=end)
        return Book(figures, published, ratio_entities(self.connection, park))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, tzinfo=PARK_ZONE).astimezone(UTC)
