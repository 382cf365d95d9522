"""An explanation as the API gives it."""

from math import isnan
from typing import Annotated, Any

from pydantic import Field
from smartpark.clock import from_us
from smartpark_analytics.accounting import SteamSummary
from smartpark_analytics.accounting.explained import ExplainedInput, ExplainedPart, ExplainedTerm, Explanation
from smartpark_storage.revisions import PublishedRow

from smartpark_api.explaining.evidence import Answer as Found
from smartpark_api.explaining.gauge_models import DerivationOut, derivation_out
from smartpark_api.explaining.input_models import (
    FigureBehindOut,
    NumberBehindOut,
    QuarterOut,
    RuleOut,
    TariffOut,
    figure_out,
    number_out,
    quarters_out,
    tariff_out,
)
from smartpark_api.models.base import Answer, Instant


class TermOut(Answer):
    """One summand of an hour or a day: amount x weight = contribution, exactly."""

    meter: Annotated[str, Field(examples=["minhou-demo/M0/active_energy_import"])]
    carrier: str
    measurand: str
    amount: Annotated[float | None, Field(description="What the meter measured; null: not known.")]
    unit: str
    times: Annotated[int, Field(description="How often it counts, with its sign.")]
    coefficient: Annotated[float, Field(description="What a unit comes to.", examples=[0.4211])]
    coefficient_unit: Annotated[str, Field(examples=["kg/kWh"])]
    formula: Annotated[str, Field(description="How the coefficient follows from its factors.")]
    factors: Annotated[list[str], Field(description="Rows that the coefficient is made of.")]
    weight: Annotated[float, Field(description="What a unit contributes, in the indicator's unit.")]
    contribution: float | None
    completeness: float
    estimated_share: float
    awaited: Annotated[bool, Field(description="False: not in service then; nobody waits for it.")]
    quarters: Annotated[list[QuarterOut], Field(description="Of a day by tariff period: they add up to the amount.")]


class FactorOut(Answer):
    """A factor, and why it was chosen."""

    id: str
    value: float
    unit: str
    as_stated: Annotated[str, Field(description="Value and unit as the document has them, where they are others.")]
    scope: str
    data_year: int | None
    valid_from: str
    valid_to: str | None
    source: str
    grade: str
    why: str


class SteamOut(Answer):
    """Steam of a meter whose pressure and temperature are known; means are over the steam."""

    meter: str
    mass_t: float
    pressure_kpa: Annotated[float | None, Field(description="Absolute; null: never known.")]
    temperature_cel: float | None
    enthalpy_gj_per_t: float | None
    by_table_t: Annotated[float, Field(description="Steam whose heat is the factor table's: an estimate.")]
    heat_gj: float


class PartOut(Answer):
    """A day of a month, or a month of a year, as it is published."""

    start: Instant
    revision: int
    value: float | None
    numerator: float | None
    denominator: float | None
    completeness: float
    reason: str
    made_of: "Annotated[MadeOfOut | None, Field(description='Where it was asked for: whole=true.')]" = None


class InputOut(Answer):
    """A number that another is made of: a figure, a published number, or computed from others."""

    name: Annotated[str, Field(description="Indicator, kind of figure, or what else.", examples=["value_added"])]
    entity: str
    value: float | None
    unit: str
    formula: Annotated[str, Field(description="In numbers; empty: a figure or published number itself.")]
    note: str
    completeness: float
    estimated_share: float
    figure: Annotated[FigureBehindOut | None, Field(description="As it was entered, when and by whom.")]
    number: NumberBehindOut | None
    inputs: "list[InputOut]"
    made_of: "Annotated[MadeOfOut | None, Field(description='Where it was asked for: whole=true.')]" = None


class MadeOfOut(Answer):
    """What a number is made of."""

    value: Annotated[float | None, Field(description="Computed from what is stored now; null: not known.")]
    formula: str
    reason: str
    terms: list[TermOut]
    parts: list[PartOut]
    steam: Annotated[list[SteamOut], Field(description="Behind heat by enthalpy.")]
    factors: list[FactorOut]
    tariff: Annotated[TariffOut | None, Field(description="Of electricity by tariff period.")]
    numerator: float | None
    denominator: float | None
    above: Annotated[list[InputOut], Field(description="Added up: the numerator; without `below` the value.")]
    below: Annotated[list[InputOut], Field(description="Added up: the denominator.")]
    inputs: Annotated[list[InputOut], Field(description="What a level was chosen by, what terms rest on.")]
    rules: list[RuleOut]
    derivation: Annotated[
        DerivationOut | None, Field(description="Of a number from gauges: inputs, rules, and step after step.")
    ]


class RevisionOut(Answer):
    """The published row that was asked about."""

    revision: int
    value: float | None
    completeness: float
    method: str
    factor_set: str
    factors: list[str]
    reason: str
    computed_at: Instant
    superseded_at: Instant | None


class ExplanationOut(MadeOfOut):
    """A number taken apart; the terms, or the parts, add up to the value from the first to the last."""

    indicator: Annotated[str, Field(examples=["carbon_location"])]
    zh: str
    en: str
    park: str
    boundary: Annotated[str, Field(examples=["park", "enterprise/T01"])]
    grain: str
    start: Instant
    end: Instant
    unit: str
    completeness: float | None
    estimated_share: float | None
    uncertainty: Annotated[float | None, Field(description="Relative half-width of the 95 % interval.")]
    method: str
    method_page: Annotated[str, Field(examples=["docs/methods/location-based-carbon.md"])]
    published: RevisionOut | None
    differences: Annotated[
        list[str], Field(description="How what is published differs, and why; empty: it does not.")
    ]


def answer_out(found: Found) -> ExplanationOut:
    """An answer in the API's words."""
    question, meaning, explained = found.question, found.meaning, found.explanation
    return ExplanationOut(
        indicator=meaning.code,
        zh=meaning.zh,
        en=meaning.en,
        park=question.park,
        boundary=question.boundary,
        grain=question.period.grain.value,
        start=question.period.start,
        end=question.period.end,
        unit=meaning.unit,
        completeness=explained.completeness,
        estimated_share=explained.estimated_share,
        uncertainty=explained.uncertainty,
        method=explained.method,
        method_page=f"docs/methods/{meaning.method_page}.md",
        published=None if found.published is None else _revision(found.published),
        differences=list(explained.differences),
        **_made_of(explained),
    )


def _made_of(explained: Explanation) -> dict[str, Any]:
    """Fields of `MadeOfOut`."""
    return {
        "value": explained.value,
        "formula": explained.formula,
        "reason": explained.reason,
        "terms": [_term(term) for term in explained.terms],
        "parts": [_part(part) for part in explained.parts],
        "steam": [_steam(one) for one in explained.steam],
        "factors": [FactorOut.model_validate(factor, from_attributes=True) for factor in explained.factors],
        "tariff": tariff_out(explained.tariff),
        "numerator": explained.numerator,
        "denominator": explained.denominator,
        "above": [_input(one) for one in explained.above],
        "below": [_input(one) for one in explained.below],
        "inputs": [_input(one) for one in explained.inputs],
        "rules": [RuleOut.model_validate(rule, from_attributes=True) for rule in explained.rules],
        "derivation": None if explained.derivation is None else derivation_out(explained.derivation),
    }


def _in_turn(explained: Explanation | None) -> MadeOfOut | None:
    return None if explained is None else MadeOfOut(**_made_of(explained))


def _term(term: ExplainedTerm) -> TermOut:
    plain = {name: getattr(term, name) for name in TermOut.model_fields if name != "quarters"}
    return TermOut(**plain, quarters=quarters_out(term))


def _part(part: ExplainedPart) -> PartOut:
    return PartOut(
        start=from_us(part.start_us),
        revision=part.revision,
        value=part.value,
        numerator=part.numerator,
        denominator=part.denominator,
        completeness=part.completeness,
        reason=part.reason,
        made_of=_in_turn(part.explanation),
    )


def _input(one: ExplainedInput) -> InputOut:
    return InputOut(
        name=one.name,
        entity=one.entity,
        value=one.value,
        unit=one.unit,
        formula=one.formula,
        note=one.note,
        completeness=one.completeness,
        estimated_share=one.estimated_share,
        figure=figure_out(one),
        number=number_out(one),
        inputs=[_input(inner) for inner in one.inputs],
        made_of=_in_turn(one.explanation),
    )


def _steam(one: SteamSummary) -> SteamOut:
    pressure, temperature, enthalpy = (
        None if isnan(value) else value for value in (one.pressure, one.temperature, one.enthalpy)
    )
    return SteamOut(
        meter=one.meter,
        mass_t=one.mass,
        pressure_kpa=pressure,
        temperature_cel=temperature,
        enthalpy_gj_per_t=enthalpy,
        by_table_t=one.by_table,
        heat_gj=one.heat,
    )


def _revision(row: PublishedRow) -> RevisionOut:
    return RevisionOut(
        revision=row.revision,
        value=row.value,
        completeness=row.completeness,
        method=row.method,
        factor_set=row.factor_set,
        factors=row.factors,
        reason=row.reason,
        computed_at=from_us(row.computed_at_us),
        superseded_at=None if row.superseded_at_us is None else from_us(row.superseded_at_us),
    )
