"""What each way of charging the basic charge would have cost over past months, from published demand."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from math import nan
from typing import Final

import numpy as np
from smartpark.catalogue import Contract
from smartpark.clock import to_us
from smartpark.contracts import settlement_month
from smartpark.electricity_rules import BasicChargeRule
from smartpark.periods import Grain, Period
from smartpark_analytics.basic_charge import (
    BasicChargeAdvice,
    advise_basic_charge,
    break_even_load,
    discounted_demand_price,
)
from smartpark_storage.revisions import PublishedRow, published_row

from smartpark_api.electricity.quarters import ParkElectricity

MONTHS: Final = 12
"""Looked back on, the month itself included."""


@dataclass(frozen=True, slots=True)
class Prices:
    """What plan and contract lack, from the notice or the bill; None: what they say."""

    flat: float | None = None
    """[yuan/kWh]"""
    fund: float | None = None
    """[yuan/kWh]"""
    demand: float | None = None
    """[yuan/(kW month)]"""
    capacity: float | None = None
    """[yuan/(kVA month)]"""
    capacity_kva: float | None = None
    """Transformers and high-voltage motors together, where the contract does not say. [kVA]"""


@dataclass(frozen=True, slots=True)
class Advice:
    """What the ways of charging would have cost over past months."""

    found: BasicChargeAdvice
    break_even: float
    """Demand per capacity above which capacity is the cheaper way. [kW/kVA]"""
    months: int
    """Looked at; of how many the demand is known says `found`."""


def advise(
    source: ParkElectricity, boundary: str, month: date, contract: Contract, *, prices: Prices, rule: BasicChargeRule
) -> Advice | None:
    """Over the months up to one, at the prices of that one; None where capacity or a price is not known."""
    if contract.capacity_kva is None or prices.demand is None or prices.capacity is None:
        return None
    months = [settled(first, contract) for first in _back_from(month)]
    demand = np.array([[value_of(demand_of(source, boundary, one)) for one in months]])
    energy = np.array([[_energy_of(source, boundary, one) for one in months]])
    capacity = np.array([contract.capacity_kva])
    per_kw = discounted_demand_price(prices.demand, energy, capacity[:, np.newaxis], rule)
    found = advise_basic_charge(demand, capacity, per_kw, np.full(demand.shape, prices.capacity), rule)
    return Advice(found, float(break_even_load(prices.capacity, prices.demand)), len(months))


def _back_from(month: date) -> Iterator[date]:
    for n in range(MONTHS):
        index = month.year * 12 + month.month - 1 - n
        yield date(index // 12, index % 12 + 1, 1)


def settled(month: date, contract: Contract) -> Period:
    """Settlement month that begins in a calendar month."""
    return settlement_month(month.replace(day=contract.settlement_day), contract.settlement_day)


def demand_of(source: ParkElectricity, boundary: str, period: Period) -> PublishedRow | None:
    """Published maximum demand of a settlement month; else that of its blocks, a lower bound."""
    for indicator in ("maximum_demand", "maximum_demand_block"):
        found = _published(source, boundary, indicator, period)
        if found is not None and found.value is not None:
            return found
    return None


def _energy_of(source: ParkElectricity, boundary: str, period: Period) -> float:
    # Of settlement months that are no calendar months no energy is published; the discount of those is not known.
    return value_of(_published(source, boundary, "electricity_purchased", period))


def _published(source: ParkElectricity, boundary: str, indicator: str, period: Period) -> PublishedRow | None:
    return published_row(
        source.connection,
        source.park,
        boundary,
        indicator,
        grain=Grain.MONTH.value,
        start_us=to_us(period.start),
    )


def value_of(row: PublishedRow | None) -> float:
    """Its value; NaN: there is none."""
    return nan if row is None or row.value is None else row.value
