"""Price plans: which hours are sharp, peak, flat and valley, and what a kilowatt-hour costs in them.

A plan belongs to a contract and changes by date, so it is a list of dated versions; since 2026-03-01 the hours of
market participants are no longer fixed by the administration. Each version covers the 24 hours of every day exactly
once, or the file is refused. Hours are half open, in quarters of an hour of the park's zone. Prices are absolute, or
relative to a flat price that changes monthly: whoever needs money enters it, there is no default.
"""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cache
from importlib.resources import files
from itertools import groupby
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import AfterValidator, Field, model_validator

from smartpark.dated import DatedRow, RuleNotFoundError, in_force
from smartpark.errors import InvalidFileError, Problem
from smartpark.tomlfile import StrictModel, load_model, parse_model
from smartpark.workdays import DayKind

QUARTERS = 96
"""Quarters of an hour in a day."""
MONTHS = tuple(range(1, 13))
Entry = TypeVar("Entry")
_SPAN = re.compile(r"(\d{2}):(00|15|30|45)-(\d{2}):(00|15|30|45)")


class TariffPeriod(StrEnum):
    """Periods of a day by price, dearest first; their order is that of the columns of every result."""

    SHARP = "sharp"
    PEAK = "peak"
    FLAT = "flat"
    VALLEY = "valley"


TARIFF_PERIODS = tuple(TariffPeriod)
TARIFF_WORDS = {
    TariffPeriod.SHARP: ("尖", "sharp"),
    TariffPeriod.PEAK: ("峰", "peak"),
    TariffPeriod.FLAT: ("平", "flat"),
    TariffPeriod.VALLEY: ("谷", "valley"),
}
"""Names in Chinese and English."""
DAY_KINDS = tuple(DayKind)


def _span(text: str) -> str:
    first, end = quarters_of(text)
    if not 0 <= first < end <= QUARTERS:
        raise ValueError(f"{text!r} does not lie within a day; write two spans for one across midnight")
    return text


def quarters_of(span: str) -> tuple[int, int]:
    """First quarter of an hour of a span such as ``08:00-10:30``, and the one after its last."""
    found = _SPAN.fullmatch(span)
    if found is None:
        raise ValueError(f'{span!r} is not a span of time in quarters of an hour, e.g. "08:00-10:30"')
    from_h, from_min, to_h, to_min = map(int, found.groups())
    return from_h * 4 + from_min // 15, to_h * 4 + to_min // 15


def _not_empty(entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
    # Not pydantic's min_length: that also calls a list empty whose entries are all wrong.
    if not entries:
        raise ValueError("is empty; at least one is needed")
    return entries


Span = Annotated[str, AfterValidator(_span)]
Month = Annotated[int, Field(ge=1, le=12)]
Price = Annotated[float, Field(ge=0)]


class TariffHours(StrictModel):
    """Spans of time of one tariff period."""

    period: TariffPeriod
    spans: Annotated[tuple[Span, ...], AfterValidator(_not_empty)]
    """Half open, e.g. ``10:00-12:00``; a day ends at ``24:00``."""
    months: tuple[Month, ...] = MONTHS
    days: tuple[DayKind, ...] = DAY_KINDS
    overrides: bool = False
    """Takes the place of whatever else holds then, as sharp hours do with peak hours."""


class PlanVersion(DatedRow):
    """Hours and prices of a plan from a day on."""

    hours: Annotated[tuple[TariffHours, ...], AfterValidator(_not_empty)]
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
        problems = [*self._price_problems(), *self._coverage_problems()]
        if problems:
            raise ValueError("; ".join(problems))
        return self

    @property
    def uses_day_kinds(self) -> bool:
        """Whether one must know working days to classify by it."""
        return any(set(rule.days) != set(DAY_KINDS) for rule in self.hours)

    def table(self) -> tuple[tuple[tuple[int, ...], ...], ...]:
        """Index in `TARIFF_PERIODS` by month, kind of day (as `DAY_KINDS`) and quarter of an hour."""
        return tuple(
            tuple(_periods_of_day(_rules_of_day(self.hours, month, kind)) for kind in DAY_KINDS) for month in MONTHS
        )

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

    def _coverage_problems(self) -> Iterator[str]:
        """What is wrong with the hours, each once with the months and days it happens in."""
        where: dict[str, list[str]] = {}
        for month in MONTHS:
            for kind in DAY_KINDS:
                for problem in _problems_of_day(_rules_of_day(self.hours, month, kind)):
                    where.setdefault(problem, []).append(f"month {month}, {kind}")
        for problem, days in where.items():
            more = f" and {len(days) - 1} more" if len(days) > 1 else ""
            yield f"{problem} ({days[0]}{more})"


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
    version: Annotated[tuple[PlanVersion, ...], AfterValidator(_not_empty)]

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


def _rules_of_day(hours: tuple[TariffHours, ...], month: int, kind: DayKind) -> tuple[TariffHours, ...]:
    return tuple(rule for rule in hours if month in rule.months and kind in rule.days)


@cache
def _rules_by_quarter(rules: tuple[TariffHours, ...]) -> tuple[tuple[TariffHours, ...], ...]:
    spans = [(rule, *quarters_of(span)) for rule in rules for span in rule.spans]
    return tuple(tuple(rule for rule, first, end in spans if first <= q < end) for q in range(QUARTERS))


@cache
def _periods_of_day(rules: tuple[TariffHours, ...]) -> tuple[int, ...]:
    """Index in `TARIFF_PERIODS` of each quarter of an hour of a day on which these rules hold."""
    chosen = (next((r for r in found if r.overrides), found[0]) for found in _rules_by_quarter(rules))
    return tuple(TARIFF_PERIODS.index(rule.period) for rule in chosen)


@cache
def _problems_of_day(rules: tuple[TariffHours, ...]) -> tuple[str, ...]:
    findings = enumerate(map(_finding, _rules_by_quarter(rules)))
    spans = [(finding, [q for q, _ in same]) for finding, same in groupby(findings, key=lambda pair: pair[1])]
    return tuple(f"{_clock(qs[0])}-{_clock(qs[-1] + 1)} {finding}" for finding, qs in spans if finding)


def _finding(rules: tuple[TariffHours, ...]) -> str:
    """What is wrong where these rules meet; nothing: the empty string."""
    plain = [rule.period for rule in rules if not rule.overrides]
    overriding = [rule.period for rule in rules if rule.overrides]
    if len(overriding) > 1:
        return f"is overridden twice, by {' and '.join(overriding)}"
    if len(plain) > 1:
        return f"belongs to {' and '.join(plain)}"
    return "" if plain else "belongs to no period"


def _clock(quarter: int) -> str:
    return f"{quarter // 4:02}:{quarter % 4 * 15:02}"


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
