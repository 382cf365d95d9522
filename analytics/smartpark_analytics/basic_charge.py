"""Basic charge 基本电费 of the two-part tariff: by capacity, by contract demand or by actual demand.

The user chooses; the advice over past months says what each choice would have cost, and which contract demand would
have been the cheapest. The rule comes from a dated row, the prices from the contract's price plan: no default exists.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from smartpark.catalogue import BasicCharge
from smartpark.electricity_rules import BasicChargeRule

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Codes = NDArray[np.int8]
BASIC_CHARGE_MODES = (BasicCharge.CAPACITY, BasicCharge.CONTRACT_DEMAND, BasicCharge.ACTUAL_DEMAND)
"""Ways of charging, in the order of the advice's columns."""


@dataclass(frozen=True, slots=True)
class BasicChargeAdvice:
    """What the past months would have cost; months without a maximum demand are left out of every sum."""

    cost_yuan: Floats
    """By way of charging in the order of `BASIC_CHARGE_MODES`, shape (n_points, 3); NaN without a month. [yuan]"""
    best: Codes
    """Index of the cheapest way, shape (n_points,); -1 without a month."""
    contract_demand_kw: Floats
    """Contract demand that would have been the cheapest, whole kW, shape (n_points,). [kW]"""
    least_contract_kw: Floats
    """Least contract demand that is allowed, shape (n_points,). [kW]"""
    months_known: Ints
    """Months that the sums cover, shape (n_points,)."""


def capacity_charge(capacity: Floats, price: Floats | float) -> Floats:
    """Basic charge by capacity.

    Parameters
    ----------
    capacity : ndarray of float64
        Transformers and high-voltage motors together. [kVA]
    price : float or ndarray
        [yuan/(kVA month)]

    Returns
    -------
    ndarray of float64
        [yuan/month]

    Examples
    --------
    >>> capacity_charge(np.array([2500.0]), 22.6)
    array([56500.])
    """
    return capacity * np.asarray(price, dtype=np.float64)


def actual_demand_charge(demand: Floats, price: Floats | float) -> Floats:
    """Basic charge by the month's maximum demand.

    Parameters
    ----------
    demand : ndarray of float64
        [kW]
    price : float or ndarray
        [yuan/(kW month)]

    Returns
    -------
    ndarray of float64
        [yuan/month]

    Examples
    --------
    >>> actual_demand_charge(np.array([1500.0]), 36.1)
    array([54150.])
    """
    return demand * np.asarray(price, dtype=np.float64)


def contract_demand_charge(demand: Floats, contract: Floats, price: Floats | float, rule: BasicChargeRule) -> Floats:
    """Basic charge by contract demand, with the excess beyond 105 % at twice the price.

    Parameters
    ----------
    demand : ndarray of float64
        Maximum demand of the month. [kW]
    contract : ndarray of float64, broadcast against demand
        Contract demand. [kW]
    price : float or ndarray
        [yuan/(kW month)]
    rule : BasicChargeRule
        Tolerance and multiple.

    Returns
    -------
    ndarray of float64
        C p up to 1.05 C; beyond, 1.05 C p + (MD - 1.05 C) 2 p. It jumps by 0.05 C p there. [yuan/month]

    References
    ----------
    发改办价格〔2016〕1583号.

    Examples
    --------
    >>> from smartpark.electricity_rules import builtin_electricity_rules
    >>> rule = builtin_electricity_rules().basic_charge[-1]
    >>> contract_demand_charge(np.array([2500.0, 2520.0, 2600.0]), np.array([2400.0]), 40.0, rule)
    array([ 96000.,  96000., 107200.])
    """
    per_kw = np.asarray(price, dtype=np.float64)
    tolerated = contract * rule.tolerance
    # 1.05 has no exact double: 2520 kW on 2400 must not count as above by the last bit.
    is_above = demand > tolerated * (1.0 + 1e-12)
    beyond = tolerated * per_kw + (demand - tolerated) * rule.excess_multiple * per_kw
    return np.where(np.isnan(demand), np.nan, np.where(is_above, beyond, contract * per_kw))


def discounted_demand_price(price: Floats | float, energy: Floats, capacity: Floats, rule: BasicChargeRule) -> Floats:
    """Demand price of a month after the discount for high use of the capacity.

    Parameters
    ----------
    price : float or ndarray
        [yuan/(kW month)]
    energy : ndarray of float64
        Of the month. [kWh]
    capacity : ndarray of float64, broadcast against energy
        [kVA]
    rule : BasicChargeRule
        Energy per capacity from which it holds, and factor.

    Returns
    -------
    ndarray of float64
        NaN where energy or capacity is not known: neither price can be claimed. [yuan/(kW month)]

    References
    ----------
    发改价格〔2023〕526号.

    Examples
    --------
    >>> from smartpark.electricity_rules import builtin_electricity_rules
    >>> rule = builtin_electricity_rules().basic_charge[-1]
    >>> discounted_demand_price(40.0, np.array([700_000.0, 600_000.0]), np.array([2500.0]), rule)
    array([36., 40.])
    """
    per_kw = np.asarray(price, dtype=np.float64) * np.ones_like(energy)
    if rule.discount_from_kwh_per_kva is None:
        return per_kw
    above = energy - rule.discount_from_kwh_per_kva * capacity
    return np.where(np.isnan(above), np.nan, np.where(above >= 0, per_kw * rule.discount_factor, per_kw))


def least_contract_demand(transformer_kva: Floats, motor_kva: Floats, rule: BasicChargeRule) -> Floats:
    """Least contract demand: 40 % of transformers and high-voltage motors together.

    Parameters
    ----------
    transformer_kva : ndarray of float64
        [kVA]
    motor_kva : ndarray of float64, same shape
        Motors on the high voltage itself. [kVA]
    rule : BasicChargeRule
        The share.

    Returns
    -------
    ndarray of float64
        [kW]

    Examples
    --------
    >>> from smartpark.electricity_rules import builtin_electricity_rules
    >>> rule = builtin_electricity_rules().basic_charge[-1]
    >>> least_contract_demand(np.array([2500.0]), np.array([500.0]), rule)
    array([1200.])
    """
    return (transformer_kva + motor_kva) * rule.least_contract_share


def break_even_load(capacity_price: Floats | float, demand_price: Floats | float) -> Floats:
    """Maximum demand per capacity above which the charge by capacity is the cheaper one.

    Parameters
    ----------
    capacity_price : float or ndarray
        [yuan/(kVA month)]
    demand_price : float or ndarray
        [yuan/(kW month)]

    Returns
    -------
    ndarray of float64
        NaN where demand has no price. [kW/kVA]

    Examples
    --------
    >>> break_even_load(22.6, 36.1).round(3)
    np.float64(0.626)
    """
    above, below = np.broadcast_arrays(
        np.asarray(capacity_price, dtype=np.float64), np.asarray(demand_price, dtype=np.float64)
    )
    return np.divide(above, below, out=np.full(above.shape, np.nan), where=below > 0)


def advise_basic_charge(
    demand: Floats, capacity: Floats, demand_price: Floats, capacity_price: Floats, rule: BasicChargeRule
) -> BasicChargeAdvice:
    """Compare the ways of charging over past months, the contract demand at its best.

    The cost of a contract demand is a straight line between the points at which one more month falls within
    105 %, so the cheapest whole kW is one of those points, the whole kW before one, or the least allowed: all of them
    are tried, and none else need be.

    Parameters
    ----------
    demand : ndarray of float64, shape (n_points, n_months)
        Maximum demand of each month; NaN where not known. [kW]
    capacity : ndarray of float64, shape (n_points,)
        Transformers and high-voltage motors together. [kVA]
    demand_price, capacity_price : ndarray of float64, shape (n_points, n_months)
        Demand price after the discount [yuan/(kW month)] and capacity price [yuan/(kVA month)].
    rule : BasicChargeRule
        Of the months.

    Returns
    -------
    BasicChargeAdvice
        Of the past: it knows nothing of next year's load.

    Examples
    --------
    A small load on a large transformer, at the prices of Guangdong in 2026-02:

    >>> from smartpark.electricity_rules import builtin_electricity_rules
    >>> rule = builtin_electricity_rules().basic_charge[-1]
    >>> demand = np.array([[1200.0, 1260.0, 1180.0]])
    >>> prices = np.full((1, 3), 36.1), np.full((1, 3), 22.6)
    >>> advice = advise_basic_charge(demand, np.array([2500.0]), *prices, rule)
    >>> BASIC_CHARGE_MODES[advice.best[0]].value, advice.contract_demand_kw
    ('contract_demand', array([1200.]))
    """
    is_known = np.isfinite(demand + demand_price + capacity_price)
    months = is_known.sum(axis=1)
    least = np.ceil(least_contract_demand(capacity, np.zeros_like(capacity), rule))
    edges = np.ceil(np.where(is_known, demand, 0.0) / rule.tolerance - 1e-9)
    tried = np.maximum(np.concatenate([least[:, np.newaxis], edges, edges - 1.0], axis=1), least[:, np.newaxis])
    by_contract = contract_demand_charge(
        demand[:, np.newaxis, :], tried[:, :, np.newaxis], demand_price[:, np.newaxis, :], rule
    )
    totals = _sum_of_known(by_contract, is_known[:, np.newaxis, :])
    chosen = np.argmin(totals, axis=1)[:, np.newaxis]
    by_mode = np.stack(
        [
            _sum_of_known(capacity_charge(capacity[:, np.newaxis], capacity_price), is_known),
            np.take_along_axis(totals, chosen, axis=1)[:, 0],
            _sum_of_known(actual_demand_charge(demand, demand_price), is_known),
        ],
        axis=1,
    )
    has_months = months > 0
    return BasicChargeAdvice(
        cost_yuan=np.where(has_months[:, np.newaxis], by_mode, np.nan),
        best=np.where(has_months, np.argmin(by_mode, axis=1), -1).astype(np.int8),
        contract_demand_kw=np.where(has_months, np.take_along_axis(tried, chosen, axis=1)[:, 0], np.nan),
        least_contract_kw=least,
        months_known=months,
    )


def _sum_of_known(values: Floats, is_known: NDArray[np.bool_]) -> Floats:
    return np.where(is_known, values, 0.0).sum(axis=-1)
