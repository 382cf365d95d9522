"""A month's cost of electricity, term by term: basic charge, energy by period, government funds, power factor.

Every term is a quantity times a price, or a percentage of other terms, and the total is their sum: what is told can
be added up again. A term that is not known makes the total not known; none is left out silently. It is a statement
for understanding and comparing, not the utility's bill.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from smartpark.catalogue import BasicCharge
from smartpark.electricity_rules import BasicChargeRule, PowerFactorTable
from smartpark.tariff_hours import TARIFF_PERIODS, TARIFF_WORDS

from smartpark_analytics.basic_charge import (
    BASIC_CHARGE_MODES,
    actual_demand_charge,
    capacity_charge,
    contract_demand_charge,
    discounted_demand_price,
)
from smartpark_analytics.power_factor import PowerFactorAdjustment, power_factor_adjustment, power_factor_hundredths

Floats = NDArray[np.float64]
Codes = NDArray[np.int8]
NO_BASIC_CHARGE = -1
"""Way of charging of a one-part tariff, which has no basic charge."""


@dataclass(frozen=True, slots=True)
class BillInputs:
    """What a month's statement rests on; arrays have shape (n_points, n_months) unless said."""

    energy_kwh: Floats
    """Energy by tariff period, shape (n_points, n_months, 4). [kWh]"""
    energy_cost_yuan: Floats
    """Energy times the price of its hour, without government funds, same shape. [yuan]"""
    reactive_kvarh: Floats
    """Import and export added up without their signs. [kvarh]"""
    maximum_demand_kw: Floats
    """Sliding maximum of the billing month. [kW]"""
    fund_price: Floats
    """Government funds. [yuan/kWh]"""
    demand_price: Floats
    """Before any discount; NaN where no charge needs it. [yuan/(kW month)]"""
    capacity_price: Floats
    """NaN where no charge needs it. [yuan/(kVA month)]"""
    mode: Codes
    """Index in `BASIC_CHARGE_MODES`, or `NO_BASIC_CHARGE`, shape (n_points,)."""
    capacity_kva: Floats
    """Shape (n_points,). [kVA]"""
    contract_demand_kw: Floats
    """NaN where none was agreed on, shape (n_points,). [kW]"""


@dataclass(frozen=True, slots=True)
class ElectricityBill:
    """Terms of each point and month; arrays have shape (n_points, n_months) unless said."""

    basic_charge_yuan: Floats
    """[yuan]"""
    demand_price: Floats
    """After the discount for high use of the capacity. [yuan/(kW month)]"""
    energy_charge_yuan: Floats
    """By tariff period, shape (n_points, n_months, 4). [yuan]"""
    funds_yuan: Floats
    """Government funds 政府性基金及附加. [yuan]"""
    adjustment_base_yuan: Floats
    """Basic and energy charge, without the funds. [yuan]"""
    adjustment: PowerFactorAdjustment
    """Power-factor adjustment of that base."""
    total_yuan: Floats
    """Sum of basic charge, energy charge, funds and adjustment; NaN where one of them is not known. [yuan]"""
    average_price: Floats
    """Total over energy; NaN without energy. [yuan/kWh]"""


@dataclass(frozen=True, slots=True)
class BillTerm:
    """One line of a statement."""

    code: str
    zh: str
    quantity: float
    unit: str
    price: float
    """Per unit; of the adjustment the rate, of excess and energy the mean. NaN where there is no quantity."""
    amount_yuan: float


def electricity_bill(inputs: BillInputs, rule: BasicChargeRule, table: PowerFactorTable | None) -> ElectricityBill:
    """State what a month's electricity costs, in terms that add up.

    Parameters
    ----------
    inputs : BillInputs
        Energy by period with its cost, demand, prices and contracts.
    rule : BasicChargeRule
        In force in these months.
    table : PowerFactorTable or None
        Of the standard that the contracts name; None: their bills are not adjusted.

    Returns
    -------
    ElectricityBill

    References
    ----------
    发改办价格〔2016〕1583号; 发改价格〔2023〕526号; (83)水电财字第215号. See docs/methods/electricity-bill.md.

    Examples
    --------
    >>> from smartpark.electricity_rules import builtin_electricity_rules
    >>> rules = builtin_electricity_rules()
    >>> energy = np.array([[[0.0, 300_000.0, 300_000.0, 100_000.0]]])
    >>> one = np.ones((1, 1))
    >>> bill = electricity_bill(
    ...     BillInputs(
    ...         energy_kwh=energy, energy_cost_yuan=energy * np.array([1.08, 0.948, 0.6, 0.222]),
    ...         reactive_kvarh=371_000.0 * one, maximum_demand_kw=2600.0 * one, fund_price=0.03 * one,
    ...         demand_price=40.0 * one, capacity_price=np.nan * one, mode=np.array([1], np.int8),
    ...         capacity_kva=np.array([2500.0]), contract_demand_kw=np.array([2400.0]),
    ...     ),
    ...     rules.basic_charge[-1],
    ...     rules.power_factor[0],
    ... )
    >>> bill.basic_charge_yuan, bill.adjustment.rate_pct, bill.total_yuan
    (array([[96480.]]), array([[1.]]), array([[609910.8]]))
    """
    energy = inputs.energy_kwh.sum(axis=2)
    demand_price = discounted_demand_price(inputs.demand_price, energy, inputs.capacity_kva[:, np.newaxis], rule)
    basic = _basic_charge(inputs, demand_price, rule)
    funds = energy * inputs.fund_price
    base = basic + inputs.energy_cost_yuan.sum(axis=2)
    adjustment = _adjustment(energy, inputs.reactive_kvarh, base, table)
    total = base + funds + adjustment.amount_yuan
    return ElectricityBill(
        basic_charge_yuan=basic,
        demand_price=demand_price,
        energy_charge_yuan=inputs.energy_cost_yuan,
        funds_yuan=funds,
        adjustment_base_yuan=base,
        adjustment=adjustment,
        total_yuan=total,
        average_price=np.divide(total, energy, out=np.full(total.shape, np.nan), where=energy > 0),
    )


def bill_terms(inputs: BillInputs, bill: ElectricityBill, point: int, month: int) -> list[BillTerm]:
    """Terms of one bill, in the order in which they add up to its total.

    Parameters
    ----------
    inputs : BillInputs
        What the bill rests on.
    bill : ElectricityBill
        Made from them.
    point, month : int
        Which of its bills.

    Returns
    -------
    list of BillTerm
        Each amount is quantity times price, and they add up to `total_yuan`. What a demand beyond 105 % costs is a
        term of its own; the adjustment is the base times its rate.
    """
    at = (point, month)
    terms = _basic_terms(inputs, bill, point, month)
    for code, period in enumerate(TARIFF_PERIODS):
        energy, cost = float(inputs.energy_kwh[*at, code]), float(bill.energy_charge_yuan[*at, code])
        price = cost / energy if energy else math.nan
        terms.append(
            BillTerm(f"energy_charge_{period}", f"{TARIFF_WORDS[period][0]}电量电费", energy, "kWh", price, cost)
        )
    energy = float(inputs.energy_kwh[at].sum())
    funds = float(bill.funds_yuan[at])
    terms.append(BillTerm("government_funds", "政府性基金及附加", energy, "kWh", float(inputs.fund_price[at]), funds))
    base, rate = float(bill.adjustment_base_yuan[at]), float(bill.adjustment.rate_pct[at]) / 100.0
    amount = float(bill.adjustment.amount_yuan[at])
    terms.append(BillTerm("power_factor_adjustment", "力调电费", base, "yuan", rate, amount))
    return terms


def _basic_terms(inputs: BillInputs, bill: ElectricityBill, point: int, month: int) -> list[BillTerm]:
    mode = int(inputs.mode[point])
    if mode == NO_BASIC_CHARGE:
        return []
    charge, price = float(bill.basic_charge_yuan[point, month]), float(bill.demand_price[point, month])
    match BASIC_CHARGE_MODES[mode]:
        case BasicCharge.CAPACITY:
            capacity, price = float(inputs.capacity_kva[point]), float(inputs.capacity_price[point, month])
            return [BillTerm("basic_charge", "基本电费(容量)", capacity, "kVA", price, charge)]
        case BasicCharge.CONTRACT_DEMAND:
            return _contract_terms(inputs, charge, price, point, month)
        case _:
            demand = float(inputs.maximum_demand_kw[point, month])
            return [BillTerm("basic_charge", "基本电费(实际需量)", demand, "kW", price, charge)]


def _contract_terms(inputs: BillInputs, charge: float, price: float, point: int, month: int) -> list[BillTerm]:
    """Charge of the contract, and apart from it what the month paid beyond it."""
    contract = float(inputs.contract_demand_kw[point])
    terms = [BillTerm("basic_charge", "基本电费(合同需量)", contract, "kW", price, contract * price)]
    if charge > contract * price:
        beyond = charge - contract * price
        excess = float(inputs.maximum_demand_kw[point, month]) - contract
        terms.append(BillTerm("basic_charge_excess", "基本电费(超合同需量)", excess, "kW", beyond / excess, beyond))
    return terms


def _basic_charge(inputs: BillInputs, demand_price: Floats, rule: BasicChargeRule) -> Floats:
    """Charge of each point by its own way."""
    demand, contract = inputs.maximum_demand_kw, inputs.contract_demand_kw[:, np.newaxis]
    by_mode = np.stack(
        [
            capacity_charge(inputs.capacity_kva[:, np.newaxis], inputs.capacity_price),
            contract_demand_charge(demand, contract, demand_price, rule),
            actual_demand_charge(demand, demand_price),
            np.zeros(demand.shape),
        ]
    )
    mode = np.where(inputs.mode == NO_BASIC_CHARGE, len(BASIC_CHARGE_MODES), inputs.mode)
    return by_mode[mode, np.arange(mode.size)]


def _adjustment(
    energy: Floats, reactive: Floats, base: Floats, table: PowerFactorTable | None
) -> PowerFactorAdjustment:
    hundredths = power_factor_hundredths(energy, reactive)
    if table is None:
        nothing = np.zeros(base.shape)
        return PowerFactorAdjustment(hundredths, nothing, nothing, np.full(base.shape, np.nan))
    return power_factor_adjustment(hundredths, base, table)
