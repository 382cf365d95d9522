"""An explanation on the terminal, in English or Chinese: numbers as they are, so that they can be added up."""

from collections.abc import Iterable, Sequence
from math import isnan

from smartpark.clock import PARK_ZONE, from_us
from smartpark.indicators import INDICATORS
from smartpark.measurands import CARRIER_WORDS, Carrier
from smartpark.periods import Grain
from smartpark_analytics.accounting import SteamSummary
from smartpark_analytics.accounting.explained import ExplainedFactor, ExplainedInput, ExplainedTerm, Explanation

from smartpark_api.explaining.evidence import Answer, day_of
from smartpark_api.explaining.gauge_text import derivation_lines
from smartpark_api.explaining.questions import period_text
from smartpark_api.explaining.text_inputs import quarter_lines, side_lines, tariff_lines
from smartpark_api.explaining.text_words import TextWords


def told(answer: Answer, *, chinese: bool) -> str:
    """The whole derivation."""
    return "\n".join(_Told(TextWords(chinese)).lines(answer))


class _Told:
    """Lines of an answer in one language."""

    def __init__(self, words: TextWords) -> None:
        self.words = words

    def lines(self, answer: Answer) -> Iterable[str]:
        """Head, everything it is made of, every factor once, and where the method is told."""
        words, found = self.words, answer.explanation
        yield from self._head(answer)
        yield from self.body(found, answer.question.period.grain, "  ")
        factors = {(one.id, one.why): one for one in _factors(found)}
        if factors or found.terms:
            yield f"  {words('factors')}" if factors else f"  {words('factors')}: -"
        for factor in factors.values():
            yield from self._factor(factor)
        if answer.question.period.grain is Grain.YEAR and _has_untold_days(found):
            yield f"  {words('whole')}"
        yield f"  {words('page')}: docs/methods/{answer.meaning.method_page}.md"

    def body(self, found: Explanation, grain: Grain, pad: str) -> Iterable[str]:
        """What a number of a period of some grain is made of, and so on down."""
        words, unit = self.words, INDICATORS[found.indicator].unit
        if found.tariff is not None:
            yield from tariff_lines(found.tariff, words, pad)
        if found.terms:
            yield f"{pad}{words('terms')} [{unit}]"
            for term in found.terms:
                yield from self._term(term, f"{pad}  ")
            yield f"{pad}  {words('sum')} = {words.measured(found.added_up(), unit)}"
            yield from self._steam(found.steam, pad)
        yield from self._parts(found, grain, pad)
        yield from side_lines(found, words, pad, self.body)
        if found.numerator is not None and not found.above:
            yield f"{pad}{words('numerator')} = {found.numerator!r}"
            yield f"{pad}{words('denominator')} = {words.number(found.denominator)}"
        if found.derivation is not None:
            lines = derivation_lines(found.derivation, chinese=words.is_chinese, are_parts_listed=bool(found.parts))
            yield from (f"{pad[2:]}{line}" for line in lines)
        if not found.is_whole:
            yield f"{pad}{words('alone')}"
        yield f"{pad}{words('reason')}: {words.said(found.reason) or '-'}"

    def _head(self, answer: Answer) -> Iterable[str]:
        words, found, question = self.words, answer.explanation, answer.question
        name, period = words.name(question.indicator), period_text(question.period)
        yield f"{name} ({question.indicator})  {question.park}, {question.boundary}  {period}"
        yield f"  {words('value')}: {words.number(found.value)} {answer.meaning.unit}{self._quality(found)}"
        if answer.published is not None:
            row = answer.published
            computed = f"{from_us(row.computed_at_us).astimezone(PARK_ZONE):%Y-%m-%d %H:%M:%S}"
            yield "  " + words("published", revision=row.revision, computed=computed, method=row.method)
        for line in found.differences:
            yield f"  ! {words('differs')}: {words.said(line)}"
        if found.formula:
            yield f"  {words('formula')}: {found.formula}"

    def _quality(self, found: Explanation) -> str:
        words = self.words
        said: list[str] = []
        if found.completeness is not None:
            said.append(f"{words('complete')} {found.completeness:.1%}")
        if found.estimated_share:
            said.append(f"{words('estimated')} {found.estimated_share:.1%}")
        if found.uncertainty is not None:
            said.append(f"{words('uncertainty')} ± {found.uncertainty:.1%}")
        return f"  ({', '.join(said)})" if said else ""

    def _term(self, term: ExplainedTerm, pad: str) -> Iterable[str]:
        words = self.words
        carrier = f" ({words.either(CARRIER_WORDS[Carrier(term.carrier)])})" if term.carrier else ""
        amount, contribution = words.number(term.amount), words.number(term.contribution)
        yield f"{pad}{term.meter}{carrier}: {amount} {term.unit} x {term.weight!r} = {contribution}"
        details: list[str] = []
        if term.factors:
            sign = "-" if term.times < 0 else ""
            details.append(f"{sign}{term.coefficient!r} {term.coefficient_unit}: {term.formula}")
        if term.completeness < 1.0:
            known = f"{words('complete')} {term.completeness:.1%}"
            details.append(known if term.awaited else words("not_awaited"))
        if term.estimated_share:
            details.append(f"{words('estimated')} {term.estimated_share:.1%}")
        if details:
            yield f"{pad}    {'; '.join(details)}"
        yield from quarter_lines(term.quarters, term.unit, _clock, words, f"{pad}  ")

    def _steam(self, steam: Sequence[SteamSummary], pad: str) -> Iterable[str]:
        if steam:
            yield f"{pad}{self.words('steam')}"
        for one in steam:
            state = (
                ""
                if isnan(one.enthalpy)
                else (f", p {one.pressure!r} kPa (abs), T {one.temperature!r} Cel, h {one.enthalpy!r} GJ/t")
            )
            by_table = f", {one.by_table!r} t {self.words('by_table')}" if one.by_table else ""
            yield f"{pad}  {one.meter}: {one.mass!r} t{state}{by_table} = {one.heat!r} GJ"

    def _factor(self, factor: ExplainedFactor) -> Iterable[str]:
        stated = f" (as stated: {factor.as_stated})" if factor.as_stated else ""
        until = f" to {factor.valid_to}" if factor.valid_to else ""
        yield f"    {factor.id} = {factor.value!r} {factor.unit}{stated}, grade {factor.grade}"
        yield f"        {factor.source}"
        yield f"        {self.words('why')}: {self.words.said(factor.why)} (from {factor.valid_from}{until})"

    def _parts(self, found: Explanation, grain: Grain, pad: str) -> Iterable[str]:
        words = self.words
        if not found.parts:
            return
        yield f"{pad}{words('parts')} [{INDICATORS[found.indicator].unit}]"
        form, finer = ("%Y-%m-%d", Grain.DAY) if grain is Grain.MONTH else ("%Y-%m", Grain.MONTH)
        for part in found.parts:
            ratio = "" if part.denominator is None else f" = {part.numerator!r} / {part.denominator!r}"
            quality = f"({words('complete')} {part.completeness:.1%}, r{part.revision})"
            yield f"{pad}  {day_of(part.start_us):{form}}: {words.number(part.value)}{ratio}  {quality}"
            if part.explanation is not None:
                yield from self.body(part.explanation, finer, f"{pad}    ")
        if found.derivation is None:
            yield f"{pad}  {words('sum')} = {words.number(found.added_up())}"


def _clock(start_us: int) -> str:
    return f"{from_us(start_us).astimezone(PARK_ZONE):%H:%M}"


def _behind(found: Explanation) -> Iterable[Explanation]:
    """Explanations of what a number is made of, one level down."""
    yield from (part.explanation for part in found.parts if part.explanation is not None)
    for one in (*found.above, *found.below, *found.inputs):
        yield from _behind_input(one)


def _behind_input(one: ExplainedInput) -> Iterable[Explanation]:
    if one.explanation is not None:
        yield one.explanation
    for inner in one.inputs:
        yield from _behind_input(inner)


def _factors(found: Explanation) -> Iterable[ExplainedFactor]:
    """Factors of a number, and of all that it is made of."""
    yield from found.factors
    for one in _behind(found):
        yield from _factors(one)


def _has_untold_days(found: Explanation) -> bool:
    """Whether somewhere months end at their days."""
    untold = any(part.explanation is None for part in found.parts)
    return untold or any(_has_untold_days(one) for one in _behind(found))
