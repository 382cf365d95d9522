"""Price plans: which hours are sharp, peak, flat and valley, and what a kilowatt-hour costs in them.

A plan belongs to a contract and changes by date, so it is a list of dated versions; since 2026-03-01 the hours of
market participants are no longer fixed by the administration. Each version covers the 24 hours of every day exactly
once, or the file is refused. Hours are half open, in quarters of an hour of the park's zone. Prices are absolute, or
relative to a flat price that changes monthly: whoever needs money enters it, there is no default.
"""

import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from smartpark.dated import DatedRow, RuleNotFoundError, in_force
from smartpark.errors import InvalidFileError, Problem
from smartpark.tariff_hours import (
    DAY_KINDS,
    TARIFF_PERIODS,
    TariffHours,
    TariffPeriod,
    coverage_problems,
    hours_table,
    not_empty,
)
from smartpark.tomlfile import StrictModel, load_model, parse_model

Price = Annotated[float, Field(ge=0)]


class PlanVersion(DatedRow):
    """Hours and prices of a plan from a day on."""

    hours: Annotated[tuple[TariffHours, ...], AfterValidator(not_empty)]
    relative: dict[TariffPeriod, Price] | None = None
    """Price of each period over the flat price. [1]"""
    price: dict[TariffPeriod, Price] | None = None
    """Price of each period. [yuan/kWh]"""
    flat_price: Price | None = None
    """Flat price that `relative` multiplies. [yuan/kWh]"""
    fixed_price: Price = 0.0
    """Part of the price that is the same in every period, without government funds. [yuan/kWh]"""
    fund_price: Price | None = None
    """Government funds 政府性基金及附加: paid per energy, but no base of the power-factor adjustment. [yuan/kWh]"""
    demand_price: Price | None = None
    """Basic charge by demand. [yuan/(kW month)]"""
    capacity_price: Price | None = None
    """Basic charge by capacity. [yuan/(kVA month)]"""

    @model_validator(mode="after")
    def _is_whole(self) -> "PlanVersion":
        problems = [*self._price_problems(), *coverage_problems(self.hours)]
        if problems:
            raise ValueError("; ".join(problems))
        return self

    @property
    def uses_day_kinds(self) -> bool:
        """Whether one must know working days to classify by it."""
        return any(set(rule.days) != set(DAY_KINDS) for rule in self.hours)

    def table(self) -> tuple[tuple[tuple[int, ...], ...], ...]:
        """Index in `TARIFF_PERIODS` by month, kind of day (as `DAY_KINDS`) and quarter of an hour."""
        return hours_table(self.hours)

    def prices(self, *, flat_price: float | None = None) -> tuple[float, ...]:
        """Price of each of `TARIFF_PERIODS`, without government funds. [yuan/kWh].

        Parameters
        ----------
        flat_price : float, optional
            Flat price of the month where the version has relative prices; else that of the version. [yuan/kWh]

        Raises
        ------
        RuleNotFoundError
            When prices are relative and no flat price is known; it says what to enter.
        """
        if self.price is not None:
            return tuple(self.price.get(period, 0.0) + self.fixed_price for period in TARIFF_PERIODS)
        flat = self.flat_price if flat_price is None else flat_price
        if flat is None or self.relative is None:
            raise RuleNotFoundError(
                f"{self.id} gives prices relative to a flat price, and that is not known: enter flat_price "
                "[yuan/kWh] of the month, from the notice of the agency purchase, in a version of your own price plan"
            )
        return tuple(self.relative.get(period, 0.0) * flat + self.fixed_price for period in TARIFF_PERIODS)

    def _price_problems(self) -> Iterator[str]:
        if (self.relative is None) == (self.price is None):
            yield "needs either relative or price, and not both"
        if self.price is not None and self.flat_price is not None:
            yield "flat_price belongs to relative prices"
        if self.relative is not None and self.relative.get(TariffPeriod.FLAT, 1.0) != 1.0:
            yield f"relative price of flat is {self.relative[TariffPeriod.FLAT]}; flat is what it is relative to, 1"
        used = {rule.period for rule in self.hours}
        given = set(self.relative or self.price or {})
        missing = [period for period in TARIFF_PERIODS if period in used - given]
        if missing and given:
            yield f"no price for {', '.join(missing)}"


class Purchase(StrEnum):
    """How a user buys electricity."""

    AGENCY = "agency"
    """By the grid company 代理购电: hours and relations of prices are the administration's."""
    MARKET = "market"
    """In the market: hours and prices are those of the contract."""


class PricePlan(StrictModel):
    """A plan by its code, as `price_plan` of a contract in the catalogue names it."""

    code: str
    name: str
    name_en: str
    purchase: Purchase
    province: str | None = None
    """First two digits of the region codes for which it is the default of its way of purchase; none: of no region."""
    version: Annotated[tuple[PlanVersion, ...], AfterValidator(not_empty)]

    @model_validator(mode="after")
    def _versions_differ(self) -> "PricePlan":
        starts = [version.valid_from for version in self.version]
        twice = sorted({day for day in starts if starts.count(day) > 1})
        if twice:
            raise ValueError(f"several versions start on {', '.join(map(str, twice))}")
        return self

    def version_on(self, on: date) -> PlanVersion:
        """Version in force on a day; `RuleNotFoundError` when there is none."""
        return in_force(self.version, on, what=f"version of price plan {self.code}")


class PlanReason(StrEnum):
    """Why a plan was chosen."""

    NAMED = "named"
    """The contract names it."""
    DEFAULT = "default"
    """The contract names none; it is what the province prescribes for agency purchase."""


@dataclass(frozen=True, slots=True)
class PlanChoice:
    """A plan, and why it was chosen."""

    plan: PricePlan
    reason: PlanReason


class PricePlans(StrictModel):
    """Plans of a file."""

    version: str
    plan: tuple[PricePlan, ...]

    @model_validator(mode="after")
    def _codes_are_unique(self) -> "PricePlans":
        codes = [plan.code for plan in self.plan]
        twice = sorted({code for code in codes if codes.count(code) > 1})
        if twice:
            raise ValueError(f"plan codes used twice: {', '.join(twice)}")
        return self

    def choose(self, *, code: str | None, region: str) -> PlanChoice:
        """Plan of a contract.

        Parameters
        ----------
        code : str or None
            `price_plan` of the contract; none: the default of agency purchase.
        region : str
            Region code of the park, GB/T 2260.

        Raises
        ------
        RuleNotFoundError
            When the code is not known, or none is named and the province has no default; it says what to enter.
        """
        known = ", ".join(plan.code for plan in self.plan)
        for plan in self.plan:
            if code is not None and plan.code == code:
                return PlanChoice(plan, PlanReason.NAMED)
            if code is None and plan.purchase is Purchase.AGENCY and plan.province == region[:2]:
                return PlanChoice(plan, PlanReason.DEFAULT)
        if code is None:
            raise RuleNotFoundError(
                f"no price plan is the default in region {region}: enter price_plan in the contract; "
                f"there are: {known}"
            )
        raise RuleNotFoundError(f"no price plan has the code {code!r}; there are: {known}")


@cache
def builtin_price_plans() -> PricePlans:
    """Plans that come with the platform."""
    text = files("smartpark.data").joinpath("price_plans.toml").read_text(encoding="utf-8")
    return parse_model(tomllib.loads(text), PricePlans, file="smartpark/data/price_plans.toml")


def load_price_plans(path: Path) -> PricePlans:
    """Read plans of one's own, beside those that come with the platform.

    Raises
    ------
    InvalidFileError
        With every problem of the file by key; also where it takes the code of a plan that comes with the platform.
    """
    builtin, own = builtin_price_plans(), load_model(path, PricePlans)
    taken = {plan.code for plan in builtin.plan}
    problems = [
        Problem(str(path), f"plan[{plan.code}].code", "is the code of a plan that comes with the platform")
        for plan in own.plan
        if plan.code in taken
    ]
    if problems:
        raise InvalidFileError(problems)
    return PricePlans(version=f"{builtin.version}+{own.version}", plan=(*builtin.plan, *own.plan))


def price_plans_in_use(environment: Mapping[str, str] | None = None) -> PricePlans:
    """Plans that come with the platform, and those of the file that ``SMARTPARK_PRICE_PLANS`` names.

    Raises
    ------
    InvalidFileError
        As `load_price_plans`.
    """
    name = (os.environ if environment is None else environment).get("SMARTPARK_PRICE_PLANS")
    return load_price_plans(Path(name)) if name else builtin_price_plans()
