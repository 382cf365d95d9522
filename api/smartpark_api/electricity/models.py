"""A month's bill and a load duration curve, as the API gives them."""

from math import isnan
from typing import Annotated

from pydantic import Field
from smartpark_analytics.basic_charge import BASIC_CHARGE_MODES
from smartpark_analytics.sufficiency import REASONS, Sufficiency

from smartpark_api.electricity.advice import Advice
from smartpark_api.electricity.billing import Statement
from smartpark_api.electricity.load_curve import LoadCurve
from smartpark_api.models.base import Answer, Instant

TERMS_EN = {
    "basic_charge": "basic charge",
    "basic_charge_excess": "basic charge beyond 105 % of the contract demand",
    "energy_charge_sharp": "energy, sharp hours",
    "energy_charge_peak": "energy, peak hours",
    "energy_charge_flat": "energy, flat hours",
    "energy_charge_valley": "energy, valley hours",
    "government_funds": "government funds",
    "power_factor_adjustment": "power-factor adjustment",
}


class BillTermOut(Answer):
    """One line: quantity x price = amount."""

    code: Annotated[str, Field(examples=["energy_charge_peak"])]
    zh: str
    en: str
    quantity: float | None
    unit: str
    price: Annotated[float | None, Field(description="Per unit; of the adjustment the rate. Null: not known.")]
    amount_yuan: Annotated[float | None, Field(description="Null: not known, see `missing`.")]


class AdviceOut(Answer):
    """What each way of charging would have cost over past months. It knows nothing of next year."""

    months: Annotated[int, Field(description="Looked back on.")]
    months_known: Annotated[int, Field(description="With a published demand; the sums cover these.")]
    cost_yuan: Annotated[dict[str, float | None], Field(description="By way of charging.")]
    best: Annotated[str | None, Field(examples=["contract_demand"])]
    best_contract_demand_kw: Annotated[float | None, Field(description="The cheapest contract demand.")]
    least_contract_demand_kw: Annotated[float | None, Field(description="The least that is allowed.")]
    break_even_kw_per_kva: Annotated[
        float | None, Field(description="Demand per capacity above which capacity is the cheaper way.")
    ]


class BillOut(Answer):
    """A month's electricity, term by term; the amounts add up to the total."""

    park: Annotated[str, Field(examples=["minhou-demo"])]
    boundary: Annotated[str, Field(examples=["park", "enterprise/T02"])]
    start: Instant
    end: Instant
    contract: Annotated[str, Field(examples=["HT-2026"])]
    basic_charge: Annotated[str, Field(description="Way of charging.", examples=["contract_demand"])]
    price_plan: str
    price_plan_zh: str
    price_plan_en: str
    price_version: str
    source: str
    meters: list[str]
    energy_kwh: float | None
    completeness: Annotated[float, Field(description="Least of the tariff periods. [0-1]")]
    reactive_kvarh: float | None
    maximum_demand_kw: float | None
    power_factor: Annotated[float | None, Field(description="Rounded to 0.01, as the bill does.")]
    contested_rate_pct: Annotated[
        float | None, Field(description="Where sources disagree about the adjustment: what another says. [%]")
    ]
    terms: list[BillTermOut]
    total_yuan: Annotated[float | None, Field(description="Null: a term is not known.")]
    average_price: Annotated[float | None, Field(description="[yuan/kWh]")]
    missing: Annotated[
        list[str],
        Field(description="What keeps a term from being known: energy, flat_price, demand_price …"),
    ]
    notes: Annotated[list[str], Field(description="incomplete, lower_bound, no_advice.")]
    advice: AdviceOut | None
    rules: Annotated[list[str], Field(description="Dated rows behind it.")]
    method: Annotated[str, Field(examples=["electricity-bill/1"])] = "electricity-bill/1"


class LoadCurveOut(Answer):
    """A load duration curve in steps of equal time, the highest first."""

    park: str
    boundary: str
    start: Instant
    end: Instant
    meters: list[str]
    power_kw: Annotated[list[float | None], Field(description="Mean of each step, descending.")]
    step_h: Annotated[float, Field(description="Length of a step: the known time over their number. [h]")]
    energy_kwh: Annotated[float | None, Field(description="Of what is known; the steps hold it exactly.")]
    maximum_kw: Annotated[float | None, Field(description="Highest quarter-hour.")]
    mean_kw: float | None
    minimum_kw: float | None
    load_factor: float | None
    utilisation_h: float | None
    completeness: float
    reason: Annotated[str, Field(description="Why statistics are not judged; empty: they are.")]
    method: Annotated[str, Field(examples=["load-duration/1"])] = "load-duration/1"


def bill_out(told: Statement) -> BillOut:
    """A statement in the API's words."""
    bill = told.bill
    hundredths = int(bill.adjustment.hundredths[0, 0])
    return BillOut(
        park=told.park,
        boundary=told.boundary,
        start=told.period.start,
        end=told.period.end,
        contract=told.contract.code,
        basic_charge=told.contract.basic_charge.value,
        price_plan=told.plan.plan.code,
        price_plan_zh=told.plan.plan.name,
        price_plan_en=told.plan.plan.name_en,
        price_version=told.version.id,
        source=told.version.source,
        meters=list(told.meters),
        energy_kwh=known(told.energy_kwh),
        completeness=told.completeness,
        reactive_kvarh=known(told.reactive_kvarh),
        maximum_demand_kw=known(told.maximum_demand_kw),
        power_factor=None if hundredths < 0 else hundredths / 100.0,
        contested_rate_pct=known(float(bill.adjustment.contested_rate_pct[0, 0])),
        terms=[
            BillTermOut(
                code=term.code,
                zh=term.zh,
                en=TERMS_EN[term.code],
                quantity=known(term.quantity),
                unit=term.unit,
                price=known(term.price),
                amount_yuan=known(term.amount_yuan),
            )
            for term in told.terms
        ],
        total_yuan=known(float(bill.total_yuan[0, 0])),
        average_price=known(float(bill.average_price[0, 0])),
        missing=list(told.missing),
        notes=list(told.notes),
        advice=None if told.advice is None else _advice(told.advice),
        rules=[told.rule.id, *([] if told.table is None else [told.table.id])],
    )


def _advice(advice: Advice) -> AdviceOut:
    found, best = advice.found, int(advice.found.best[0])
    return AdviceOut(
        months=advice.months,
        months_known=int(found.months_known[0]),
        cost_yuan={mode.value: known(float(found.cost_yuan[0, n])) for n, mode in enumerate(BASIC_CHARGE_MODES)},
        best=None if best < 0 else BASIC_CHARGE_MODES[best].value,
        best_contract_demand_kw=known(float(found.contract_demand_kw[0])),
        least_contract_demand_kw=known(float(found.least_contract_kw[0])),
        break_even_kw_per_kva=known(advice.break_even),
    )


def curve_out(found: LoadCurve) -> LoadCurveOut:
    """A load duration curve in the API's words."""
    statistics = found.statistics
    return LoadCurveOut(
        park=found.park,
        boundary=found.boundary,
        start=found.period.start,
        end=found.period.end,
        meters=list(found.meters),
        power_kw=[known(float(power)) for power in found.curve.power_kw[0]],
        step_h=float(found.curve.hours[0, 0]),
        energy_kwh=known(found.energy_kwh),
        maximum_kw=known(float(statistics.maximum_kw[0, 0])),
        mean_kw=known(float(statistics.mean_kw[0, 0])),
        minimum_kw=known(float(statistics.minimum_kw[0, 0])),
        load_factor=known(float(statistics.load_factor[0, 0])),
        utilisation_h=known(found.utilisation_h),
        completeness=float(statistics.completeness[0, 0]),
        reason=REASONS[Sufficiency(int(statistics.reason[0, 0]))],
    )


def known(value: float) -> float | None:
    """None for NaN."""
    return None if isnan(value) else float(value)
