"""An explanation: what a published number is made of, as data. Everything listed in it adds up to the number."""

from dataclasses import dataclass
from math import isnan
from typing import Protocol

from smartpark.addition import in_order
from smartpark.errors import SmartparkError
from smartpark.factors import FactorChoice

from smartpark_analytics.accounting.steam_heat import SteamSummary
from smartpark_analytics.gauges.derivation import Derivation


class NothingToExplainError(SmartparkError):
    """There is no such number."""


class Published(Protocol):
    """A published row, as storage reads it."""

    @property
    def start_us(self) -> int:
        """First instant of its period, in µs."""
        ...

    @property
    def revision(self) -> int:
        """Which one it is, from 1."""
        ...

    @property
    def value(self) -> float | None:
        """In the indicator's unit; None where it is not known."""
        ...

    @property
    def numerator(self) -> float | None:
        """Upper side of a ratio."""
        ...

    @property
    def denominator(self) -> float | None:
        """Lower side of a ratio."""
        ...

    @property
    def completeness(self) -> float:
        """Share of the period that it covers, 0 to 1."""
        ...

    @property
    def estimated_share(self) -> float:
        """Share of it that was apportioned, 0 to 1."""
        ...

    @property
    def uncertainty(self) -> float | None:
        """Relative half-width of the 95 % interval; None: not known."""
        ...

    @property
    def method(self) -> str:
        """Name and version."""
        ...

    @property
    def factors(self) -> list[str]:
        """Ids of the rows that it rests on."""
        ...

    @property
    def reason(self) -> str:
        """Why these factors, and what is not complete."""
        ...

    @property
    def superseded_at_us(self) -> int | None:
        """Until when it was current, in µs; None: it still is."""
        ...


@dataclass(frozen=True, slots=True)
class ExplainedTerm:
    """One summand: amount x weight = contribution, exactly."""

    meter: str
    carrier: str
    measurand: str
    amount: float | None
    """None: not known."""
    unit: str
    times: int
    """How often it counts, with its sign."""
    coefficient: float
    coefficient_unit: str
    formula: str
    """How the coefficient follows from its factors."""
    factors: tuple[str, ...]
    weight: float
    """times x coefficient / what its unit is divided by."""
    contribution: float | None
    completeness: float
    estimated_share: float
    awaited: bool
    quarters: tuple["ExplainedQuarter", ...] = ()
    """Of electricity by tariff period: what the amount was added up from."""


@dataclass(frozen=True, slots=True)
class ExplainedQuarter:
    """A quarter-hour of a meter."""

    start_us: int
    amount: float | None
    """None: not known, and not in the sum."""


@dataclass(frozen=True, slots=True)
class ExplainedTariff:
    """By which price plan quarter-hours were picked."""

    period: str
    """sharp, peak, flat, valley"""
    plan: str
    name: str
    name_en: str
    why: str
    """named, default"""
    version: str
    valid_from: str
    valid_to: str | None
    source: str
    grade: str
    spans: tuple[str, ...]
    """Hours of the day that lie in the period: ``08:00-11:00``."""


@dataclass(frozen=True, slots=True)
class ExplainedFigure:
    """A business figure on record."""

    entity: str
    kind: str
    product: str
    period: str
    price_basis: str
    value: float | None
    unit: str
    is_estimated: bool
    source_document: str
    entered_by: str
    recorded_at: str
    revision: int
    note: str


@dataclass(frozen=True, slots=True)
class PublishedNumber:
    """Which published number is meant."""

    boundary: str
    indicator: str
    grain: str
    start_us: int


@dataclass(frozen=True, slots=True)
class ExplainedInput:
    """A number that another is made of: a figure, a published number, or computed from others."""

    name: str
    entity: str
    value: float | None
    unit: str
    formula: str
    """How it follows from its inputs, in numbers; empty: it is a figure or a published number itself."""
    note: str
    completeness: float
    estimated_share: float
    figure: ExplainedFigure | None = None
    number: PublishedNumber | None = None
    explanation: "Explanation | None" = None
    """Of the published number, where it was asked for."""
    inputs: tuple["ExplainedInput", ...] = ()


@dataclass(frozen=True, slots=True)
class ExplainedRule:
    """A dated row that decided something."""

    id: str
    says: str
    source: str
    grade: str
    valid_from: str
    valid_to: str | None


@dataclass(frozen=True, slots=True)
class ExplainedFactor:
    """A row, and why it was chosen."""

    id: str
    value: float
    unit: str
    as_stated: str
    scope: str
    data_year: int | None
    valid_from: str
    valid_to: str | None
    source: str
    grade: str
    why: str


@dataclass(frozen=True, slots=True)
class ExplainedPart:
    """A day of a month, or a month of a year, as it is published."""

    start_us: int
    revision: int
    value: float | None
    numerator: float | None
    denominator: float | None
    completeness: float
    reason: str
    explanation: "Explanation | None" = None
    """Where it was asked for."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """A number taken apart."""

    indicator: str
    boundary: str
    method: str
    formula: str
    value: float | None
    """From the listed parts; None: not known."""
    completeness: float | None
    estimated_share: float | None
    uncertainty: float | None
    reason: str
    terms: tuple[ExplainedTerm, ...] = ()
    factors: tuple[ExplainedFactor, ...] = ()
    parts: tuple[ExplainedPart, ...] = ()
    steam: tuple[SteamSummary, ...] = ()
    """Behind heat by enthalpy."""
    numerator: float | None = None
    denominator: float | None = None
    above: tuple[ExplainedInput, ...] = ()
    """Added up they are the numerator; without `below`, the value."""
    below: tuple[ExplainedInput, ...] = ()
    """Added up they are the denominator."""
    inputs: tuple[ExplainedInput, ...] = ()
    """Numbers behind it: what a level was chosen by, what terms rest on."""
    rules: tuple[ExplainedRule, ...] = ()
    tariff: ExplainedTariff | None = None
    derivation: Derivation | None = None
    """Of a number from gauges: inputs, rules, and step after step."""
    differences: tuple[str, ...] = ()
    """How what is published differs, and why."""

    @property
    def is_whole(self) -> bool:
        """Whether it says what the number is made of, and not only that it is published."""
        return bool(self.terms or self.parts or self.above or self.inputs or self.derivation)

    def added_up(self) -> float | None:
        """The number again, from the listed parts alone."""
        if self.derivation is not None:
            return self.derivation.steps[-1].added_up() if self.derivation.steps else None
        if self.above:
            return _divided(self.above, self.below)
        if self.numerator is not None and self.denominator:
            return self.numerator / self.denominator
        listed = [t.contribution for t in self.terms] or [p.value for p in self.parts if p.value is not None]
        if self.value is None or not listed or any(part is None for part in listed):
            return None
        return in_order(part for part in listed if part is not None)


def _divided(above: tuple[ExplainedInput, ...], below: tuple[ExplainedInput, ...]) -> float | None:
    sums = [
        None if any(one.value is None for one in side) else in_order(one.value or 0.0 for one in side)
        for side in (above, below)
    ]
    if sums[0] is None or sums[1] is None or (below and not sums[1]):
        return None
    return sums[0] / sums[1] if below else sums[0]


def known(value: float) -> float | None:
    """None for NaN."""
    return None if isnan(value) else float(value)


def factor_of(choice: FactorChoice) -> ExplainedFactor:
    """A factor, and why it was chosen."""
    row = choice.factor
    return ExplainedFactor(
        id=row.id,
        value=row.value,
        unit=row.unit,
        as_stated=row.as_stated,
        scope=row.scope,
        data_year=row.data_year,
        valid_from=row.valid_from.isoformat(),
        valid_to=None if row.valid_to is None else row.valid_to.isoformat(),
        source=row.source,
        grade=row.grade,
        why=choice.why,
    )
