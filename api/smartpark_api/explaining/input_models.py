"""What stands behind an explained number, as the API gives it: figures, published numbers, price plans, rules."""

from typing import Annotated

from pydantic import Field
from smartpark.clock import from_us
from smartpark_analytics.accounting.explained import ExplainedInput, ExplainedTariff, ExplainedTerm

from smartpark_api.models.base import Answer, Instant


class QuarterOut(Answer):
    """A quarter-hour of a meter."""

    start: Instant
    amount: Annotated[float | None, Field(description="Null: not known, and not in the sum.")]


class TariffOut(Answer):
    """By which price plan quarter-hours were picked."""

    period: Annotated[str, Field(description="sharp, peak, flat or valley.", examples=["peak"])]
    plan: Annotated[str, Field(examples=["fujian-agency"])]
    name: str
    name_en: str
    why: Annotated[str, Field(description="named by the contract, or default of the province.", examples=["default"])]
    version: str
    valid_from: str
    valid_to: str | None
    source: str
    grade: str
    spans: Annotated[list[str], Field(description="Hours of the day.", examples=[["10:00-12:00"]])]


class FigureBehindOut(Answer):
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


class NumberBehindOut(Answer):
    """A published number."""

    boundary: str
    indicator: str
    grain: str
    start: Instant


class RuleOut(Answer):
    """A dated row that decided something."""

    id: str
    says: str
    source: str
    grade: str
    valid_from: str
    valid_to: str | None


def quarters_out(term: ExplainedTerm) -> list[QuarterOut]:
    """Quarter-hours of a term; none but of electricity by tariff period."""
    return [QuarterOut(start=from_us(one.start_us), amount=one.amount) for one in term.quarters]


def tariff_out(tariff: ExplainedTariff | None) -> TariffOut | None:
    """The price plan, where there is one."""
    return None if tariff is None else TariffOut.model_validate(tariff, from_attributes=True)


def figure_out(one: ExplainedInput) -> FigureBehindOut | None:
    """The figure as it was entered."""
    return None if one.figure is None else FigureBehindOut.model_validate(one.figure, from_attributes=True)


def number_out(one: ExplainedInput) -> NumberBehindOut | None:
    """The published number."""
    found = one.number
    if found is None:
        return None
    return NumberBehindOut(
        boundary=found.boundary, indicator=found.indicator, grain=found.grain, start=from_us(found.start_us)
    )
