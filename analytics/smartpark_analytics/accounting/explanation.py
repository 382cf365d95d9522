"""Explanations: a published number taken apart into everything it is made of, such that the parts give it again.

An hour or a day is the sum of its terms; a month that of its days, a year that of its months; a ratio is divided
from two numbers. `Explanation.added_up` does with the listed parts what a reader with a calculator would do, and is
the number itself to the last digit. What was published may differ: data or factors have changed since; that is said.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from smartpark.accounts import PARK, ParkAccounts
from smartpark.coefficients import Coefficient
from smartpark.errors import SmartparkError
from smartpark.factors import FactorChoice

from smartpark_analytics.accounting.certified import VERSIONS, CertifiedCarbon, CertifiedTerm
from smartpark_analytics.accounting.coefficients import Context
from smartpark_analytics.accounting.recipes import RECIPES
from smartpark_analytics.accounting.statement import Plan, Statement, plan_of
from smartpark_analytics.accounting.steam_heat import SteamSummary
from smartpark_analytics.accounting.tree_plans import tree_plans


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
    differences: tuple[str, ...] = ()
    """How what is published differs, and why."""

    def added_up(self) -> float | None:
        """The number again, from the listed parts alone."""
        if self.numerator is not None and self.denominator:
            return self.numerator / self.denominator
        listed = [t.contribution for t in self.terms] or [p.value for p in self.parts if p.value is not None]
        if self.value is None or not listed or any(part is None for part in listed):
            return None
        return in_order(part for part in listed if part is not None)


def in_order(values: Iterable[float]) -> float:
    """Sum from the first to the last, one addition after the other."""
    total: float | None = None
    for value in values:
        total = value if total is None else total + value
    return 0.0 if total is None else total


def plan_for(accounts: ParkAccounts, indicator: str, boundary: str, context: Context) -> Plan:
    """What a number is summed from.

    Raises
    ------
    NothingToExplainError
        When the indicator is no sum over meters, or nothing inside the boundary counts in it.
    SmartparkError
        When a factor is missing.
    """
    recipe = next((recipe for recipe in RECIPES if recipe.indicator == indicator), None)
    if recipe is None:
        trees = tree_plans(accounts, context.factors)
        found = next((p for p in trees if (p.recipe.indicator, p.boundary) == (indicator, boundary)), None)
    else:
        inside = accounts.boundary(boundary)
        found = None if inside is None else plan_of(recipe, inside, context)
    if found is None:
        known = ", ".join(b.name for b in accounts.boundaries) or PARK
        raise NothingToExplainError(
            f"nothing in {accounts.park}, {boundary} makes up {indicator}; boundaries with meters: {known}"
        )
    return found


def explain_statement(statement: Statement, column: int, reason: str) -> Explanation:
    """An hour or a day: its terms and their factors."""
    plan, known = statement.plan, statement.value[column]
    choices = {choice.factor.id: choice for term in plan.terms for choice in term.coefficient.choices}
    return Explanation(
        indicator=plan.recipe.indicator,
        boundary=plan.boundary,
        method=plan.recipe.method,
        formula=plan.recipe.formula,
        value=_known(float(known)),
        completeness=float(statement.completeness[column]),
        estimated_share=float(statement.estimated_share[column]),
        uncertainty=_known(float(statement.uncertainty[column])),
        reason=reason,
        terms=tuple(_term(statement, row, column) for row in range(len(plan.terms))),
        factors=tuple(_factor(choices[name]) for name in sorted(choices)),
    )


def _term(statement: Statement, row: int, column: int) -> ExplainedTerm:
    term = statement.plan.terms[row]
    return ExplainedTerm(
        meter=term.flow.key,
        carrier=term.flow.carrier.value,
        measurand=term.flow.measurand.value,
        amount=_known(float(statement.amount[row, column])),
        unit=term.flow.unit,
        times=term.times,
        coefficient=term.coefficient.value,
        coefficient_unit=term.coefficient.unit,
        formula=term.coefficient.formula,
        factors=term.coefficient.ids,
        weight=term.weight(statement.plan.recipe.per),
        contribution=_known(float(statement.contribution[row, column])),
        completeness=float(statement.term_completeness[row, column]),
        estimated_share=float(statement.term_estimated_share[row, column]),
        awaited=bool(statement.awaited[row, column]),
    )


def _factor(choice: FactorChoice) -> ExplainedFactor:
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


def _known(value: float) -> float | None:
    return None if value != value else value  # noqa: PLR0124  NaN alone is not itself


def explain_parts(published: Published, parts: Sequence[Published], *, indicator: str, boundary: str) -> Explanation:
    """A month or a year: its published parts."""
    listed = tuple(
        ExplainedPart(p.start_us, p.revision, p.value, p.numerator, p.denominator, p.completeness, p.reason)
        for p in parts
    )
    known = [part.value for part in listed if part.value is not None]
    found = Explanation(
        indicator=indicator,
        boundary=boundary,
        method=published.method,
        formula="sum(parts)",
        value=in_order(known) if known else None,
        completeness=published.completeness,
        estimated_share=published.estimated_share,
        uncertainty=published.uncertainty,
        reason=published.reason,
        parts=listed,
    )
    if published.denominator is None:
        return found
    above = in_order(p.numerator for p in listed if p.numerator is not None)
    below = in_order(p.denominator for p in listed if p.denominator is not None)
    value = above / below if below else None
    return replace(
        found, formula="sum(numerators) / sum(denominators)", value=value, numerator=above, denominator=below
    )


def explain_row(published: Published, *, indicator: str, boundary: str) -> Explanation:
    """A number that is no sum over meters: what is published of it."""
    is_ratio = published.numerator is not None and bool(published.denominator)
    return Explanation(
        indicator=indicator,
        boundary=boundary,
        method=published.method,
        formula="numerator / denominator" if is_ratio else "",
        value=published.value,
        completeness=published.completeness,
        estimated_share=published.estimated_share,
        uncertainty=published.uncertainty,
        reason=published.reason,
        numerator=published.numerator,
        denominator=published.denominator,
    )


def explain_certified(carbon: CertifiedCarbon, published: Published, *, boundary: str, is_known: bool) -> Explanation:
    """A method with certificates: published sums of the period, and what certificates took off."""
    coefficient = carbon.coefficient
    terms = tuple(_certified_term(term, coefficient) for term in carbon.terms)
    return Explanation(
        indicator=carbon.indicator,
        boundary=boundary,
        method=VERSIONS[carbon.indicator],
        formula="scope 1 + heat + (purchased - exported + claim lost - certified) x factor / 1000",
        value=carbon.value if is_known else None,
        completeness=published.completeness,
        estimated_share=published.estimated_share,
        uncertainty=published.uncertainty,
        reason=published.reason,
        terms=terms,
        factors=tuple(_factor(choice) for choice in coefficient.choices),
    )


def _certified_term(term: CertifiedTerm, coefficient: Coefficient) -> ExplainedTerm:
    is_electric = term.unit == "kWh"
    return ExplainedTerm(
        meter=term.name,
        carrier="electricity" if is_electric else "",
        measurand="",
        amount=term.amount,
        unit=term.unit,
        times=-1 if term.weight < 0 else 1,
        coefficient=coefficient.value if is_electric else 1.0,
        coefficient_unit=coefficient.unit if is_electric else "",
        formula=coefficient.formula if is_electric else "",
        factors=coefficient.ids if is_electric else (),
        weight=term.weight,
        contribution=term.contribution,
        completeness=1.0,
        estimated_share=0.0,
        awaited=True,
    )


def compared(explanation: Explanation, published: Published | None) -> Explanation:
    """The explanation, with how what is published differs from it and why."""
    return replace(explanation, differences=tuple(_differences(explanation, published)))


def _differences(explanation: Explanation, published: Published | None) -> Iterable[str]:
    if published is None:
        yield "nothing is published for this period"
        return
    if published.superseded_at_us is not None:
        yield f"revision {published.revision} has been superseded"
    if published.value == explanation.value:
        return
    now, then = {factor.id for factor in explanation.factors}, set(published.factors)
    yield f"published is {published.value!r}, from what is stored today follows {explanation.value!r}"
    if explanation.factors and not now <= then:
        yield f"factors then: {', '.join(sorted(then)) or 'none'}; factors now: {', '.join(sorted(now)) or 'none'}"
    elif published.method != explanation.method:
        yield f"published by method {published.method}"
    else:
        yield "readings or meters have changed since; derive has not published that yet"
