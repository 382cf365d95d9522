"""A month's electricity of a park or an enterprise as a statement in terms, from what is stored. Nothing is written.

Energy and its periods come from quarter-hours by the contract's price plan, demand from what derive has published,
prices from the plan's version and, where it has none, from whoever asks. What is not known is named, and a total
that needs it is not known. It is a statement for understanding and comparing, not the utility's bill.
"""

from dataclasses import dataclass, replace
from datetime import date
from math import isfinite, nan

import numpy as np
from numpy.typing import NDArray
from smartpark.accounts import PARK
from smartpark.catalogue import BasicCharge, Contract
from smartpark.contracts import contract_on
from smartpark.electricity_rules import BasicChargeRule, ElectricityRules, PowerFactorTable, builtin_electricity_rules
from smartpark.errors import SmartparkError
from smartpark.periods import Period
from smartpark.price_plans import PlanChoice, PlanVersion, price_plans_in_use
from smartpark_analytics.accounting.tariff_plans import TariffSubject, classified_days, plan_choice
from smartpark_analytics.basic_charge import BASIC_CHARGE_MODES
from smartpark_analytics.electricity_bill import (
    NO_BASIC_CHARGE,
    BillInputs,
    BillTerm,
    ElectricityBill,
    bill_terms,
    electricity_bill,
)
from smartpark_analytics.tariff import amounts_by_tariff, interval_prices
from smartpark_storage import Connection
from smartpark_storage.revisions import PublishedRow

from smartpark_api.electricity.advice import Advice, Prices, advise, demand_of, settled, value_of
from smartpark_api.electricity.quarters import (
    REACTIVE,
    BoundaryQuarters,
    ParkElectricity,
    boundary_quarters,
    days_of,
    electricity_of,
    meter_quarters,
)

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Energy:
    """Energy of a month and what it costs."""

    kwh: Floats
    """By tariff period, shape (1, 1, 4); NaN where too little is known. [kWh]"""
    yuan: Floats
    """Without government funds, same shape. [yuan]"""
    completeness: float
    """Least of the tariff periods. [0-1]"""


@dataclass(frozen=True, slots=True)
class Statement:
    """A month of a contract, told."""

    park: str
    boundary: str
    period: Period
    contract: Contract
    plan: PlanChoice
    version: PlanVersion
    prices: Prices
    """As they were used; None: not known."""
    energy_kwh: float
    completeness: float
    reactive_kvarh: float
    maximum_demand_kw: float
    meters: tuple[str, ...]
    bill: ElectricityBill
    terms: tuple[BillTerm, ...]
    advice: Advice | None
    rule: BasicChargeRule
    table: PowerFactorTable | None
    missing: tuple[str, ...]
    """What is not known and keeps a term or the advice from being known."""
    notes: tuple[str, ...]


def state_bill(
    connection: Connection,
    park: str,
    month: date,
    *,
    enterprise: str | None = None,
    contract: str | None = None,
    prices: Prices,
) -> Statement:
    """Statement of the settlement month that begins in a calendar month.

    Raises
    ------
    SmartparkError
        When there is no such park, contract, price plan or boundary; it says what there is.
    """
    source = electricity_of(connection, park)
    chosen_contract = _contract(source, month, enterprise=enterprise, code=contract)
    if prices.capacity_kva is not None:
        chosen_contract = chosen_contract.model_copy(update={"capacity_kva": prices.capacity_kva})
    boundary = PARK if chosen_contract.enterprise is None else f"enterprise/{chosen_contract.enterprise}"
    period = settled(month, chosen_contract)
    plan, version = _plan(source, boundary, period)
    known = _prices(version, prices)
    rules = builtin_electricity_rules()
    drawn = boundary_quarters(source, boundary, "electricity_purchased", period)
    reactive = meter_quarters(source, drawn.devices, REACTIVE, period)
    energy = _energy(drawn, plan, period, known, rules)
    demand = demand_of(source, boundary, period)
    inputs = BillInputs(
        energy_kwh=energy.kwh,
        energy_cost_yuan=energy.yuan,
        reactive_kvarh=np.array([[_total(reactive.energy_kwh, rules, period)]]),
        maximum_demand_kw=np.array([[value_of(demand)]]),
        fund_price=np.array([[_or_nan(known.fund)]]),
        demand_price=np.array([[_or_nan(known.demand)]]),
        capacity_price=np.array([[_or_nan(known.capacity)]]),
        mode=np.array([_mode(chosen_contract)], np.int8),
        capacity_kva=np.array([_or_nan(chosen_contract.capacity_kva)]),
        contract_demand_kw=np.array([_or_nan(chosen_contract.contract_demand_kw)]),
    )
    rule = rules.basic_charge_on(period.day)
    standard = chosen_contract.power_factor_standard
    table = None if standard is None else rules.power_factor_on(standard, period.day)
    bill = electricity_bill(inputs, rule, table)
    statement = Statement(
        park=park,
        boundary=boundary,
        period=period,
        contract=chosen_contract,
        plan=plan,
        version=version,
        prices=known,
        energy_kwh=float(energy.kwh.sum()),
        completeness=energy.completeness,
        reactive_kvarh=float(inputs.reactive_kvarh[0, 0]),
        maximum_demand_kw=value_of(demand),
        meters=drawn.meters,
        bill=bill,
        terms=tuple(bill_terms(inputs, bill, 0, 0)),
        advice=advise(source, boundary, month, chosen_contract, prices=known, rule=rule),
        rule=rule,
        table=table,
        missing=(),
        notes=(),
    )
    return replace(statement, missing=tuple(_missing(statement, reactive)), notes=tuple(_notes(statement, demand)))


def _contract(source: ParkElectricity, month: date, *, enterprise: str | None, code: str | None) -> Contract:
    """Contract asked for, by its code or by whose it is."""
    contracts = source.catalogue.contract
    last = month.replace(day=28)
    found = (
        contract_on(source.catalogue, enterprise, last)
        if code is None
        else next((c for c in contracts if c.code == code and c.valid_from <= last), None)
    )
    if found is None:
        known = ", ".join(f"{c.code} ({c.enterprise or 'park'}, from {c.valid_from})" for c in contracts) or "none"
        whose = f"contract {code}" if code else f"contract of {enterprise or 'the park'}"
        raise SmartparkError(f"{source.park} has no {whose} in {month:%Y-%m}; the catalogue has: {known}")
    return found


def _plan(source: ParkElectricity, boundary: str, period: Period) -> tuple[PlanChoice, PlanVersion]:
    subject = TariffSubject(source.accounts, source.catalogue, price_plans_in_use())
    found = plan_choice(subject, boundary, period)
    if not isinstance(found, PlanChoice):
        raise found
    return found, found.plan.version_on(period.day)


def _prices(version: PlanVersion, given: Prices) -> Prices:
    """Prices of the plan, those that were given in their place."""
    return replace(
        given,
        flat=version.flat_price if given.flat is None else given.flat,
        fund=version.fund_price if given.fund is None else given.fund,
        demand=version.demand_price if given.demand is None else given.demand,
        capacity=version.capacity_price if given.capacity is None else given.capacity,
    )


def _energy(
    drawn: BoundaryQuarters, plan: PlanChoice, period: Period, prices: Prices, rules: ElectricityRules
) -> Energy:
    """Energy by tariff period and its cost; of a period of which too little is known neither."""
    versions, days = plan.plan.version, days_of(period)
    starts = drawn.start_us[::96]
    tariff = classified_days(starts, versions, days)
    per_kwh = np.array([_of_version(version, prices) for version in versions])
    month = np.zeros(drawn.energy_kwh.size, np.int64)
    amount = drawn.energy_kwh[np.newaxis]
    kwh = amounts_by_tariff(amount, tariff, month, 1)
    yuan = amounts_by_tariff(amount * interval_prices(tariff, per_kwh), tariff, month, 1)
    enough = kwh.completeness >= rules.load_judgement_on(period.day).least_completeness
    # A period without hours has no energy, and its price need not be known.
    has_none = kwh.amount == 0.0
    return Energy(
        np.where(enough, kwh.amount, np.nan),
        np.where(enough, np.where(has_none, 0.0, yuan.amount), np.nan),
        float(kwh.completeness.min()),
    )


def _of_version(version: PlanVersion, prices: Prices) -> list[float]:
    if version.price is None and prices.flat is None and version.flat_price is None:
        return [nan] * 4
    return list(version.prices(flat_price=prices.flat))


def _total(energy: Floats, rules: ElectricityRules, period: Period) -> float:
    known = np.isfinite(energy)
    is_enough = known.mean() >= rules.load_judgement_on(period.day).least_completeness
    return float(np.cumsum(energy[known])[-1]) if known.any() and is_enough else nan


def _missing(told: Statement, reactive: BoundaryQuarters) -> list[str]:
    """What is not known, each with what to do about it."""
    prices, contract, said = told.prices, told.contract, list[str]()
    if np.isnan(told.bill.energy_charge_yuan).all() and told.completeness == 0.0:
        said.append("energy")
    elif told.completeness < 1.0 and np.isnan(told.bill.energy_charge_yuan).any():
        said.append("energy_incomplete")
    if prices.flat is None and told.version.price is None:
        said.append("flat_price")
    if prices.fund is None:
        said.append("fund_price")
    needs_demand = contract.basic_charge in {BasicCharge.CONTRACT_DEMAND, BasicCharge.ACTUAL_DEMAND}
    if needs_demand and prices.demand is None:
        said.append("demand_price")
    if contract.basic_charge is BasicCharge.CAPACITY and prices.capacity is None:
        said.append("capacity_price")
    if needs_demand and not isfinite(told.maximum_demand_kw):
        said.append("maximum_demand")
    if needs_demand and contract.capacity_kva is None and told.rule.discount_from_kwh_per_kva is not None:
        said.append("capacity_kva")
    if told.table is not None and not isfinite(told.reactive_kvarh):
        said.append("reactive_energy" if reactive.meters else "reactive_register")
    return said


def _notes(told: Statement, demand: PublishedRow | None) -> list[str]:
    said = list[str]()
    if told.completeness < 1.0:
        said.append("incomplete")
    if demand is not None and demand.indicator == "maximum_demand_block":
        said.append("lower_bound")
    if told.advice is None:
        said.append("no_advice")
    return said


def _mode(contract: Contract) -> int:
    if contract.basic_charge not in BASIC_CHARGE_MODES:
        return NO_BASIC_CHARGE
    return BASIC_CHARGE_MODES.index(contract.basic_charge)


def _or_nan(value: float | None) -> float:
    return nan if value is None else value
