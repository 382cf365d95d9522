"""What an explanation rests on, read in one transaction: the published row, and the inputs stored today.

Hours and days are recomputed from interval energy with the factors in the database, ratios and budgets from entered
figures and published numbers, by the same functions that derive publishes with. Months and years are added up from
the published days and months. What is published behind a number is explained in turn, down to meters and figures.
Nothing is written.
"""

from dataclasses import dataclass, replace

from smartpark.clock import from_us, to_us
from smartpark.errors import SmartparkError
from smartpark.indicators import INDICATORS, IndicatorMeaning, meaning_of
from smartpark.periods import Grain, period_containing
from smartpark_analytics.accounting.certified import METHODS
from smartpark_analytics.accounting.explained import ExplainedInput, ExplainedPart
from smartpark_analytics.accounting.explanation import (
    Explanation,
    NothingToExplainError,
    compared,
    explain_row,
)
from smartpark_storage.revisions import PublishedRow, published_row

from smartpark_api.explaining.divided import from_certificates, from_figures
from smartpark_api.explaining.gauges import GAUGES, from_gauges, settled
from smartpark_api.explaining.questions import (
    LISTED,
    WHOLE,
    Depth,
    Question,
    day_of,
    parse_period,
    published_instead,
    unknown_indicator,
)
from smartpark_api.explaining.sources import Sources
from smartpark_api.explaining.sums import (
    CARBON_PER_ENERGY,
    METERED,
    PARTS,
    SUMMED,
    TARIFFS,
    from_both_sides,
    from_meters,
    from_parts,
    from_quarters,
)

__all__ = ["LISTED", "WHOLE", "Answer", "Depth", "Question", "Sources", "day_of", "explain", "parse_period"]


@dataclass(frozen=True, slots=True)
class Answer:
    """A number, what is published of it, and what it is made of."""

    question: Question
    meaning: IndicatorMeaning
    explanation: Explanation
    published: PublishedRow | None


def explain(sources: Sources, question: Question, depth: Depth = LISTED) -> Answer:
    """Explain a number, and what it is made of as deep as asked for.

    Raises
    ------
    NothingToExplainError
        When there is no such indicator, park or number.
    """
    if question.indicator not in INDICATORS:
        raise NothingToExplainError(unknown_indicator(question.indicator))
    meaning, question = meaning_of(question.indicator), settled(sources, question)
    published = _published(sources, question)
    found = compared(_explained(sources, question, published), published)
    return Answer(question, meaning, _deeper(sources, question, found, depth), published)


def _explained(sources: Sources, question: Question, published: PublishedRow | None) -> Explanation:
    """By what kind of number it is."""
    code, grain = question.indicator, question.period.grain
    if code in METERED and grain in {Grain.HOUR, Grain.DAY}:
        return from_meters(sources, question)
    required = _required(sources, question, published)
    if code in SUMMED and grain in PARTS:
        return from_parts(sources, question, required)
    if code in TARIFFS:
        return from_quarters(sources, question)
    if code in GAUGES:
        return from_gauges(sources, question, required)
    return _from_published(sources, question, required)


def _from_published(sources: Sources, question: Question, required: PublishedRow) -> Explanation:
    """From other numbers that are published, and from figures."""
    code = question.indicator
    if code == CARBON_PER_ENERGY:
        return from_both_sides(required, question)
    if code in METHODS:
        return from_certificates(sources, question, required)
    return from_figures(sources, question, required)


def _deeper(sources: Sources, question: Question, found: Explanation, depth: Depth) -> Explanation:
    """The same, with the published numbers it is made of explained in turn."""
    if depth.levels <= 0:
        return found

    def of(one: ExplainedInput) -> ExplainedInput:
        inputs = tuple(map(of, one.inputs))
        if one.number is None or one.value is None:
            return replace(one, inputs=inputs)
        period = period_containing(from_us(one.number.start_us), Grain(one.number.grain))
        asked = Question(one.number.indicator, question.park, period, one.number.boundary)
        return replace(one, inputs=inputs, explanation=_in_turn(sources, asked, depth))

    def part(one: ExplainedPart) -> ExplainedPart:
        asked = replace(question, period=period_containing(from_us(one.start_us), grain), revision=None)
        return replace(one, explanation=_in_turn(sources, asked, depth))

    grain = PARTS.get(question.period.grain, Grain.DAY)
    are_told = bool(found.parts) and (depth.days or grain is not Grain.DAY)
    return replace(
        found,
        above=tuple(map(of, found.above)),
        below=tuple(map(of, found.below)),
        inputs=tuple(map(of, found.inputs)),
        parts=tuple(map(part, found.parts)) if are_told else found.parts,
    )


def _in_turn(sources: Sources, asked: Question, depth: Depth) -> Explanation | None:
    if asked.period.grain is Grain.DAY and not depth.days:
        return None
    try:
        return explain(sources, asked, depth.below).explanation
    except SmartparkError as error:
        # What is published outlives its quarter-hours; the number above it still stands.
        published = _published(sources, asked)
        if published is None:
            return None
        alone = explain_row(published, indicator=asked.indicator, boundary=asked.boundary)
        return replace(alone, reason=f"not taken apart: {error}")


def _published(sources: Sources, question: Question) -> PublishedRow | None:
    found = published_row(
        sources.connection,
        question.park,
        question.boundary,
        question.indicator,
        grain=question.period.grain.value,
        start_us=to_us(question.period.start),
        revision=question.revision,
    )
    if found is None and question.revision is not None:
        raise NothingToExplainError(f"{question.named} has no revision {question.revision}")
    return found


def _required(sources: Sources, question: Question, published: PublishedRow | None) -> PublishedRow:
    if published is None:
        sources.accounts(question.park)  # an unknown park says so first
        said = published_instead(sources.connection, question)
        raise NothingToExplainError(f"{question.named} is not published; {said}")
    return published
