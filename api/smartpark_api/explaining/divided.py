"""Ratios, budgets, gaps, and carbon with certificates: computed anew from what is entered and published now.

By the same functions as derive, so that a difference means that something has changed since it published.
"""

from dataclasses import replace

from smartpark.business_figures import FigureGrain, FigurePeriod
from smartpark.clock import PARK_ZONE, to_us
from smartpark.coefficients import Lookup
from smartpark.periods import Grain
from smartpark_analytics.accounting.certified import INPUTS, certificates_of, certified_carbon
from smartpark_analytics.accounting.explanation import Explanation, NothingToExplainError, explain_certified
from smartpark_analytics.ratios.explaining import certified_inputs, explain_ratio
from smartpark_storage.figures import read_figures
from smartpark_storage.revisions import PublishedRow, published_parts

from smartpark_api.explaining.questions import Question
from smartpark_api.explaining.sources import Sources


def from_figures(sources: Sources, question: Question, published: PublishedRow) -> Explanation:
    """A ratio, a budget's pace, forecast or level, or a gap: of a month or a year."""
    first = question.period.start.astimezone(PARK_ZONE).date()
    # What had ended by then; an unfinished month counts under no budget.
    rows = sources.ratios(question.park, first, published.computed_at_us)
    asked = (question.boundary, question.indicator, question.period.grain.value, to_us(question.period.start))
    if asked in rows:
        return explain_ratio(rows[asked], published)
    raise NothingToExplainError(f"{question.named} was published, and nothing of what it was made of is left")


def from_certificates(sources: Sources, question: Question, published: PublishedRow) -> Explanation:
    """Methods with certificates: from what is published of the period, and the certificates on record."""
    period, park = question.period, question.park
    found = published_parts(
        sources.connection,
        park,
        question.boundary,
        INPUTS,
        grain=period.grain.value,
        start_us=to_us(period.start),
        end_us=to_us(period.end),
    )
    certificates = certificates_of(read_figures(sources.connection, park=park), question.boundary, period)
    carbon = certified_carbon(
        question.indicator,
        {row.indicator: row.value for row in found if row.value is not None},
        certificates,
        Lookup(sources.factors, period.day, park=park),
        sources.scopes[park],
    )
    is_known = all(row.value is not None for row in found)
    explained = explain_certified(carbon, published, boundary=question.boundary, is_known=is_known)
    grain = FigureGrain.YEAR if period.grain is Grain.YEAR else FigureGrain.MONTH
    book = sources.book(park, period.day.year)
    inputs = certified_inputs(book, question.boundary, FigurePeriod(period.day, grain), carbon, certificates)
    return replace(explained, inputs=inputs)
