"""Explanations of ratios, budgets and gaps, and of what stands behind carbon with certificates.

Both sides are told down to entered figures and published numbers; who reads the database explains those in turn.
"""

from collections.abc import Mapping

from smartpark.business_figures import FigurePeriod
from smartpark.dated import DatedRow
from smartpark.evaluation import BudgetRule, ZeroCarbonThreshold
from smartpark.green_claims import CLAIMED, GIVEN_AWAY

from smartpark_analytics.accounting.certified import (
    BOUGHT,
    INPUTS,
    KWH_PER_MWH,
    SELF_USED,
    SOLD,
    Certificates,
    CertifiedCarbon,
)
from smartpark_analytics.accounting.explained import (
    ExplainedFigure,
    ExplainedInput,
    ExplainedRule,
    Explanation,
    Published,
    PublishedNumber,
    factor_of,
    known,
)
from smartpark_analytics.ratios.book import Book
from smartpark_analytics.ratios.quantity import Quantity, added_up
from smartpark_analytics.ratios.rows import Figure, RatioRow


def explain_ratio(row: RatioRow, published: Published) -> Explanation:
    """A ratio, pace, forecast, level or gap, from the row that the same functions make as derive does."""
    basis = row.made_of()
    return Explanation(
        indicator=row.indicator,
        boundary=row.boundary,
        method=row.method,
        formula=basis.formula,
        value=row.value,
        completeness=row.completeness,
        estimated_share=row.estimated_share,
        uncertainty=published.uncertainty,
        reason=row.reason,
        factors=tuple(factor_of(choice) for choice in basis.choices),
        numerator=row.numerator,
        denominator=row.denominator,
        above=tuple(map(input_of, basis.numerator)),
        below=tuple(map(input_of, basis.denominator)),
        inputs=tuple(map(input_of, basis.deciding)),
        rules=tuple(map(_rule, basis.rules)),
    )


def input_of(quantity: Quantity) -> ExplainedInput:
    """A quantity, with everything it was made of."""
    row = quantity.number
    return ExplainedInput(
        name=quantity.name,
        entity=quantity.entity,
        value=known(quantity.value),
        unit=quantity.unit,
        formula=quantity.formula if quantity.is_known else "",
        note="; ".join(filter(None, (quantity.why, quantity.note))),
        completeness=quantity.completeness,
        estimated_share=quantity.estimated_share,
        figure=None if quantity.figure is None else _figure(quantity.figure),
        number=None if row is None else PublishedNumber(row.boundary, row.indicator, row.grain, row.start_us),
        inputs=tuple(map(input_of, quantity.parts)),
    )


def _figure(row: Figure) -> ExplainedFigure:
    return ExplainedFigure(
        entity=row.entity,
        kind=row.kind,
        product=row.product,
        period=str(row.period),
        price_basis=row.price_basis,
        value=row.value,
        unit=row.unit,
        is_estimated=row.is_estimated,
        source_document=row.source_document,
        entered_by=row.entered_by,
        recorded_at=row.recorded_at.isoformat(),
        revision=row.revision,
        note=row.note,
    )


def _rule(row: DatedRow) -> ExplainedRule:
    match row:
        case BudgetRule():
            says = (
                f"red above {row.red_forecast:g} of the budget with a pace above {row.red_pace:g}, "
                f"yellow above {row.yellow_forecast:g} or a pace above {row.yellow_pace:g}"
            )
        case ZeroCarbonThreshold():
            until = "" if row.to_energy_tce is None else f" and below {row.to_energy_tce:g}"
            says = f"{row.limit:g} {row.unit} from {row.from_energy_tce:g}{until} tce a year"
        case _:
            says = row.note
    until = None if row.valid_to is None else row.valid_to.isoformat()
    return ExplainedRule(row.id, says, row.source, row.grade, row.valid_from.isoformat(), until)


def certified_inputs(
    book: Book, entity: str, period: FigurePeriod, carbon: CertifiedCarbon, certificates: Certificates
) -> tuple[ExplainedInput, ...]:
    """What the terms of a method with certificates rest on: published numbers, and certificates as entered."""
    published = {
        name: book.published(entity, name, period) for name in INPUTS if book.row(entity, name, period) is not None
    }
    claims = [_in_kwh(book.claim(entity, kind, period)) for kind in CLAIMED]
    claimed = added_up(claims, Quantity(0.0, name="claimed", entity=entity, unit="kWh"))
    sold = _in_kwh(book.claim(entity, GIVEN_AWAY, period))
    amounts = {term.name: term.amount for term in carbon.terms}
    lost = Quantity(
        amounts.get("claim_lost", 0.0),
        name="claim_lost",
        entity=entity,
        unit="kWh",
        formula=f"max(min({_value(published, SELF_USED)!r}, {certificates.sold_kwh!r}), 0)",
        parts=(sold,),
    )
    net = f"{_value(published, BOUGHT)!r} - {_value(published, SOLD)!r} + {lost.value!r}"
    certified = Quantity(
        amounts.get("certified", 0.0),
        name="certified",
        entity=entity,
        unit="kWh",
        formula=f"max(min({net}, {certificates.claimed_kwh!r}), 0)",
        parts=(claimed,),
    )
    return tuple(input_of(one) for one in (*published.values(), lost, certified))


def _in_kwh(claim: Quantity) -> Quantity:
    return Quantity(
        claim.value * KWH_PER_MWH,
        name=claim.name,
        entity=claim.entity,
        unit="kWh",
        estimated_share=claim.estimated_share,
        formula=f"{claim.value!r} x {KWH_PER_MWH!r}",
        parts=(claim,),
    )


def _value(published: Mapping[str, Quantity], name: str) -> float:
    found = published.get(name)
    return found.value if found is not None and found.is_known else 0.0
