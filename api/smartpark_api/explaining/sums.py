"""Sums: an hour or a day from its meters, a month from its published days, a year from its published months."""

from dataclasses import replace
from typing import Final

from smartpark.clock import to_us
from smartpark.errors import SmartparkError
from smartpark.periods import Grain, period_containing
from smartpark.tariff_hours import TariffPeriod
from smartpark_analytics.accounting import (
    RECIPES,
    TREE_RECIPES,
    hours_and_days,
    plan_of,
    reason_of,
    residual_words,
    state,
)
from smartpark_analytics.accounting.explained import ExplainedInput, PublishedNumber
from smartpark_analytics.accounting.explanation import (
    Explanation,
    NothingToExplainError,
    explain_parts,
    explain_statement,
    plan_for,
)
from smartpark_analytics.accounting.tariff_days import TARIFF_RECIPES
from smartpark_analytics.accounting.tariff_explained import explain_tariff
from smartpark_analytics.accounting.tariff_plans import classified_days, plan_choice
from smartpark_storage.revisions import PublishedRow, published_parts

from smartpark_api.explaining.questions import Question
from smartpark_api.explaining.sources import Sources

PARTS: Final = {Grain.MONTH: Grain.DAY, Grain.YEAR: Grain.MONTH}
TARIFFS: Final = {recipe.indicator: period for period, recipe in TARIFF_RECIPES.items()}
METERED: Final = frozenset(recipe.indicator for recipe in (*RECIPES, *TREE_RECIPES))
"""Hours and days are sums over meters."""
CARBON_PER_ENERGY: Final = "carbon_per_energy"
SUMMED: Final = METERED | TARIFFS.keys() | {CARBON_PER_ENERGY}
"""Months and years are sums over days and months."""


def from_meters(sources: Sources, question: Question) -> Explanation:
    """An hour or a day of a sum over meters."""
    accounts, period = sources.accounts(question.park), question.period
    day = period_containing(period.start, Grain.DAY)
    plan = plan_for(accounts, question.indicator, question.boundary, sources.context(question.park, day))
    heat = sources.quarters(question.park, day)
    is_hour = period.grain is Grain.HOUR
    series, _ = hours_and_days(heat.quarters, {to_us(period.start)} if is_hour else set())
    statement = state(plan, series)
    said = (residual_words(statement, accounts) or heat.words(statement, series) or [""])[0]
    explained = explain_statement(statement, 0, "; ".join(filter(None, (said, reason_of(statement, 0)))))
    return replace(explained, steam=tuple(heat.summaries(statement, to_us(period.start), to_us(period.end))))


def from_quarters(sources: Sources, question: Question) -> Explanation:
    """A day of electricity by tariff period."""
    period: TariffPeriod = TARIFFS[question.indicator]
    subject = sources.tariff(question.park)
    boundary = subject.accounts.boundary(question.boundary)
    chosen = plan_choice(subject, question.boundary, question.period)
    if isinstance(chosen, SmartparkError):
        raise NothingToExplainError(f"{question.named}: {chosen}")
    recipe, context = TARIFF_RECIPES[period], sources.context(question.park, question.period)
    plan = None if boundary is None else plan_of(recipe, boundary, context)
    if plan is None:
        raise NothingToExplainError(f"{question.named}: nothing in {question.boundary} is electricity purchased")
    quarters = sources.quarters(question.park, question.period).quarters
    tariff = classified_days(quarters.days_us, chosen.plan.version, [question.period])
    if tariff.version[0] < 0:
        raise NothingToExplainError(f"{question.named}: no version of {chosen.plan.code} is in force on that day")
    return explain_tariff(plan, quarters, tariff, period, chosen)


def from_both_sides(published: PublishedRow, question: Question) -> Explanation:
    """A day of CO2 per energy: the two published numbers of that day, divided."""
    above, below = (
        ExplainedInput(
            name=name,
            entity=question.boundary,
            value=value,
            unit=unit,
            formula="",
            note="",
            completeness=published.completeness,
            estimated_share=published.estimated_share,
            number=PublishedNumber(
                question.boundary, name, question.period.grain.value, to_us(question.period.start)
            ),
        )
        for name, value, unit in (
            ("carbon_location", published.numerator, "t"),
            ("comprehensive_energy", published.denominator, "tce"),
        )
    )
    return Explanation(
        indicator=question.indicator,
        boundary=question.boundary,
        method=published.method,
        formula="carbon_location / comprehensive_energy",
        value=published.value,
        completeness=published.completeness,
        estimated_share=published.estimated_share,
        uncertainty=published.uncertainty,
        reason=published.reason,
        numerator=published.numerator,
        denominator=published.denominator,
        above=(above,),
        below=(below,),
    )


def parts_of(sources: Sources, question: Question) -> list[PublishedRow]:
    """Published days of a month, or months of a year."""
    period = question.period
    return published_parts(
        sources.connection,
        question.park,
        question.boundary,
        [question.indicator],
        grain=PARTS[period.grain].value,
        start_us=to_us(period.start),
        end_us=to_us(period.end),
    )


def from_parts(sources: Sources, question: Question, published: PublishedRow) -> Explanation:
    """A month or a year."""
    return explain_parts(
        published, parts_of(sources, question), indicator=question.indicator, boundary=question.boundary
    )
