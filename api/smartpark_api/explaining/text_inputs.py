"""What is behind a number on the terminal: figures with who entered them, published numbers in turn, price plans."""

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from smartpark.business_figures import CURRENT_PRICES
from smartpark.clock import PARK_ZONE, parse_instant
from smartpark.periods import Grain
from smartpark.tariff_hours import TARIFF_WORDS, TariffPeriod
from smartpark_analytics.accounting.explained import (
    ExplainedFigure,
    ExplainedInput,
    ExplainedQuarter,
    ExplainedRule,
    ExplainedTariff,
    Explanation,
)

from smartpark_api.explaining.text_words import TextWords

Body = Callable[[Explanation, Grain, str], Iterable[str]]
"""Lines of an explanation of a period, indented."""
_IN_A_LINE: Final = 8


def side_lines(found: Explanation, words: TextWords, pad: str, body: Body) -> Iterable[str]:
    """Both sides of a ratio, or what a number is made of, and the division."""
    if found.above:
        yield f"{pad}{words('numerator' if found.below else 'made_of')}"
        yield from input_lines(found.above, words, f"{pad}  ", body)
    if found.below:
        yield f"{pad}{words('denominator')}"
        yield from input_lines(found.below, words, f"{pad}  ", body)
    if found.above:
        yield f"{pad}{_put_together(found, words)}"
    if found.inputs:
        yield f"{pad}{words('behind')}"
        yield from input_lines(found.inputs, words, f"{pad}  ", body)
    if found.rules:
        yield f"{pad}{words('rules')}"
        for rule in found.rules:
            yield from _rule(rule, f"{pad}  ")


def _put_together(found: Explanation, words: TextWords) -> str:
    def side(given: Sequence[ExplainedInput]) -> str:
        return " + ".join(words.number(one.value) for one in given)

    above = side(found.above)
    if not found.below:
        return f"{above} = {words.number(found.added_up())}"
    bracketed = f"({above})" if len(found.above) > 1 else above
    below = f"({side(found.below)})" if len(found.below) > 1 else side(found.below)
    return f"{bracketed} / {below} = {words.number(found.added_up())}"


def input_lines(inputs: Iterable[ExplainedInput], words: TextWords, pad: str, body: Body) -> Iterable[str]:
    """Numbers that another is made of, each with what it is made of itself."""
    for one in inputs:
        name = words.name(one.name) + (f" ({one.name})" if one.name else "")
        formula = f"{one.formula} = " if one.formula else ""
        note = f"  [{words.said(one.note)}]" if one.note else ""
        yield f"{pad}{name}, {one.entity}: {formula}{words.measured(one.value, one.unit)}{note}"
        if one.figure is not None:
            yield f"{pad}  {_entered(one.figure, words)}"
        yield from input_lines(one.inputs, words, f"{pad}  ", body)
        if one.explanation is not None and one.number is not None:
            yield from body(one.explanation, Grain(one.number.grain), f"{pad}  ")


def _entered(figure: ExplainedFigure, words: TextWords) -> str:
    on = parse_instant(figure.recorded_at).astimezone(PARK_ZONE)
    return words(
        "entered",
        period=figure.period,
        basis=_basis(figure.price_basis, words),
        product=f", {figure.product}" if figure.product else "",
        source=figure.source_document,
        by=figure.entered_by,
        on=f"{on:%Y-%m-%d %H:%M}",
        revision=figure.revision,
        estimated=words("is_estimate") if figure.is_estimated else "",
        note=f": {figure.note}" if figure.note else "",
    )


def _basis(basis: str, words: TextWords) -> str:
    if not basis:
        return ""
    return words("current") if basis == CURRENT_PRICES else words("constant", year=basis.rpartition("-")[2])


def _rule(rule: ExplainedRule, pad: str) -> Iterable[str]:
    until = f" to {rule.valid_to}" if rule.valid_to else ""
    yield f"{pad}{rule.id}: {rule.says}"
    yield f"{pad}    {rule.source}, grade {rule.grade} (from {rule.valid_from}{until})"


def tariff_lines(tariff: ExplainedTariff, words: TextWords, pad: str) -> Iterable[str]:
    """The price plan in force, and the hours of the period."""
    yield pad + words(
        "plan",
        plan=tariff.plan,
        name=words.either((tariff.name, tariff.name_en)),
        why=words(tariff.why),
        version=tariff.version,
        start=tariff.valid_from,
        end=words("until", end=tariff.valid_to) if tariff.valid_to else "",
    )
    yield f"{pad}    {tariff.source}, grade {tariff.grade}"
    period = words.either(TARIFF_WORDS[TariffPeriod(tariff.period)])
    yield f"{pad}{words('hours', period=period)}: {', '.join(tariff.spans) or words('no_hours')}"


def quarter_lines(
    quarters: Sequence[ExplainedQuarter], unit: str, clock: Callable[[int], str], words: TextWords, pad: str
) -> Iterable[str]:
    """Quarter-hours of a meter, some to a line."""
    if quarters:
        yield f"{pad}{words('quarters', unit=unit)}"
    for first in range(0, len(quarters), _IN_A_LINE):
        line = quarters[first : first + _IN_A_LINE]
        yield f"{pad}  {', '.join(f'{clock(q.start_us)} {words.number(q.amount)}' for q in line)}"
