"""Explanations: a published number taken apart into everything it is made of, such that the parts give it again.

An hour or a day is the sum of its terms; a month that of its days, a year that of its months; a ratio is divided
from two sums (`ratios`). `Explanation.added_up` does with the listed parts what a reader with a calculator would do,
and is the number itself to the last digit. What was published may differ: data or factors have changed since; that is
said.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from smartpark.accounts import PARK, ParkAccounts
from smartpark.addition import in_order
from smartpark.coefficients import Coefficient

from smartpark_analytics.accounting.certified import VERSIONS, CertifiedCarbon, CertifiedTerm
from smartpark_analytics.accounting.coefficients import Context
from smartpark_analytics.accounting.explained import (
    ExplainedFactor,
    ExplainedFigure,
    ExplainedInput,
    ExplainedPart,
    ExplainedQuarter,
    ExplainedRule,
    ExplainedTariff,
    ExplainedTerm,
    Explanation,
    NothingToExplainError,
    Published,
    PublishedNumber,
    factor_of,
    known,
)
from smartpark_analytics.accounting.recipes import RECIPES
from smartpark_analytics.accounting.statement import Plan, Statement, plan_of
from smartpark_analytics.accounting.tree_plans import tree_plans

__all__ = [
    "ExplainedFactor",
    "ExplainedFigure",
    "ExplainedInput",
    "ExplainedPart",
    "ExplainedQuarter",
    "ExplainedRule",
    "ExplainedTariff",
    "ExplainedTerm",
    "Explanation",
    "NothingToExplainError",
    "Published",
    "PublishedNumber",
    "compared",
    "explain_certified",
    "explain_parts",
    "explain_row",
    "explain_statement",
    "plan_for",
]


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
        names = ", ".join(b.name for b in accounts.boundaries) or PARK
        raise NothingToExplainError(
            f"nothing in {accounts.park}, {boundary} makes up {indicator}; boundaries with meters: {names}"
        )
    return found


def explain_statement(statement: Statement, column: int, reason: str) -> Explanation:
    """An hour or a day: its terms and their factors."""
    plan = statement.plan
    choices = {choice.factor.id: choice for term in plan.terms for choice in term.coefficient.choices}
    return Explanation(
        indicator=plan.recipe.indicator,
        boundary=plan.boundary,
        method=plan.recipe.method,
        formula=plan.recipe.formula,
        value=known(float(statement.value[column])),
        completeness=float(statement.completeness[column]),
        estimated_share=float(statement.estimated_share[column]),
        uncertainty=known(float(statement.uncertainty[column])),
        reason=reason,
        terms=tuple(_term(statement, row, column) for row in range(len(plan.terms))),
        factors=tuple(factor_of(choices[name]) for name in sorted(choices)),
    )


def _term(statement: Statement, row: int, column: int) -> ExplainedTerm:
    term = statement.plan.terms[row]
    return ExplainedTerm(
        meter=term.flow.key,
        carrier=term.flow.carrier.value,
        measurand=term.flow.measurand.value,
        amount=known(float(statement.amount[row, column])),
        unit=term.flow.unit,
        times=term.times,
        coefficient=term.coefficient.value,
        coefficient_unit=term.coefficient.unit,
        formula=term.coefficient.formula,
        factors=term.coefficient.ids,
        weight=term.weight(statement.plan.recipe.per),
        contribution=known(float(statement.contribution[row, column])),
        completeness=float(statement.term_completeness[row, column]),
        estimated_share=float(statement.term_estimated_share[row, column]),
        awaited=bool(statement.awaited[row, column]),
    )


def explain_parts(published: Published, parts: Sequence[Published], *, indicator: str, boundary: str) -> Explanation:
    """A month or a year: its published parts."""
    listed = tuple(
        ExplainedPart(p.start_us, p.revision, p.value, p.numerator, p.denominator, p.completeness, p.reason)
        for p in parts
    )
    values = [part.value for part in listed if part.value is not None]
    found = Explanation(
        indicator=indicator,
        boundary=boundary,
        method=published.method,
        formula="sum(parts)",
        value=in_order(values) if values else None,
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
        factors=tuple(factor_of(choice) for choice in coefficient.choices),
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
