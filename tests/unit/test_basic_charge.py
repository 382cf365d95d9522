"""Basic charge: the worked examples, the jump at 105 %, and advice that cannot be beaten."""

import tomllib
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from smartpark.catalogue import BasicCharge
from smartpark.electricity_rules import builtin_electricity_rules
from smartpark_analytics.basic_charge import (
    BASIC_CHARGE_MODES,
    actual_demand_charge,
    advise_basic_charge,
    break_even_load,
    capacity_charge,
    contract_demand_charge,
    discounted_demand_price,
    least_contract_demand,
)

GOLDEN = tomllib.loads(
    (Path(__file__).parents[1] / "golden" / "electricity_charges.toml").read_text(encoding="utf-8")
)
RULE = builtin_electricity_rules().basic_charge_on(date(2026, 11, 1))
BEFORE_DISCOUNT = builtin_electricity_rules().basic_charge_on(date(2020, 1, 1))


def of(name):
    return pytest.mark.parametrize("example", GOLDEN[name], ids=lambda example: example["name"])


@of("contract_demand")
def test_contract_demand_reproduces_the_worked_example(example):
    demand, contract = np.array([example["demand_kw"]]), np.array([example["contract_kw"]])
    charge = contract_demand_charge(demand, contract, example["price"], RULE)
    assert charge == pytest.approx([example["charge_yuan"]], rel=1e-12)


@of("break_even")
def test_the_break_even_reproduces_the_worked_example(example):
    load = break_even_load(example["capacity_price"], example["demand_price"])
    assert load == pytest.approx(example["load_kw_per_kva"], abs=5e-4)
    capacity = np.array([1000.0])
    by_capacity = capacity_charge(capacity, example["capacity_price"])
    assert actual_demand_charge(capacity * load * 1.01, example["demand_price"]) > by_capacity
    assert actual_demand_charge(capacity * load * 0.99, example["demand_price"]) < by_capacity


@of("discount")
def test_the_discount_reproduces_the_worked_example(example):
    energy, capacity = np.array([example["energy_kwh"]]), np.array([example["capacity_kva"]])
    price = discounted_demand_price(1.0, energy, capacity, RULE)
    assert price.tolist() == [example["factor"]]
    assert discounted_demand_price(1.0, energy, capacity, BEFORE_DISCOUNT).tolist() == [1.0]


@of("least_contract")
def test_the_least_contract_demand_reproduces_the_worked_example(example):
    transformer, motor = np.array([example["transformer_kva"]]), np.array([example["motor_kva"]])
    assert least_contract_demand(transformer, motor, RULE) == pytest.approx([example["contract_kw"]])


def test_the_discount_starts_at_260_exactly_and_is_not_claimed_blindly():
    energy = np.array([259_999.0, 260_000.0, np.nan])
    price = discounted_demand_price(40.0, energy, np.array([1000.0]), RULE)
    np.testing.assert_array_equal(price, [40.0, 36.0, np.nan])
    assert np.isnan(discounted_demand_price(40.0, energy[:1], np.array([np.nan]), RULE)[0])


@pytest.mark.parametrize("contract", [100.0, 2400.0, 333.0, 1e5])
def test_the_charge_jumps_by_the_tolerated_excess_at_105_percent(contract):
    demand = np.array([contract * 1.05, contract * 1.05 * (1 + 1e-9)])
    at, beyond = contract_demand_charge(demand, np.array([contract]), 40.0, RULE)
    assert at == contract * 40.0
    assert beyond - at == pytest.approx(0.05 * contract * 40.0, rel=1e-6)


@given(contract=st.floats(1, 1e5), first=st.floats(0, 2e5), more=st.floats(0, 1e5), price=st.floats(0.1, 100))
def test_more_demand_never_costs_less(contract, first, more, price):
    demand = np.array([first, first + more])
    low, high = contract_demand_charge(demand, np.array([contract]), price, RULE)
    assert high >= low * (1 - 1e-12)
    assert low >= contract * price * (1 - 1e-12)


@given(scale=st.floats(1e-2, 1e3))
def test_the_charge_scales_with_demand_and_contract_together(scale):
    demand, contract = np.array([1000.0, 2519.0, 3000.0]), np.array([2400.0])
    plain = contract_demand_charge(demand, contract, 40.0, RULE)
    np.testing.assert_allclose(contract_demand_charge(demand * scale, contract * scale, 40.0, RULE), plain * scale)


def test_demand_that_is_not_known_has_no_charge():
    assert np.isnan(contract_demand_charge(np.array([np.nan]), np.array([100.0]), 40.0, RULE)[0])


# --- advice -------------------------------------------------------------------------------------------------------


def advise(demand, capacity, demand_price=36.1, capacity_price=22.6):
    demand = np.asarray(demand, dtype=np.float64)
    prices = np.full(demand.shape, demand_price), np.full(demand.shape, capacity_price)
    return advise_basic_charge(demand, np.asarray(capacity, dtype=np.float64), *prices, RULE)


@given(
    demand=st.lists(st.floats(10, 400), min_size=1, max_size=6),
    capacity=st.floats(5, 800),
    price=st.floats(1, 60),
)
def test_no_whole_kilowatt_of_contract_demand_would_have_been_cheaper(demand, capacity, price):
    advice = advise([demand], [capacity], demand_price=price)
    tried = np.arange(np.ceil(capacity * 0.4), 500.0)
    costs = contract_demand_charge(np.array(demand), tried[:, np.newaxis], price, RULE).sum(axis=1)
    assert advice.cost_yuan[0, 1] <= costs.min() * (1 + 1e-9)
    assert advice.contract_demand_kw[0] >= advice.least_contract_kw[0]
    assert advice.contract_demand_kw[0] == np.floor(advice.contract_demand_kw[0])


def test_a_kilowatt_less_than_the_contract_that_covers_a_month_may_be_cheaper():
    # 20 kW would cover 19.96 kW; 19 kW and its excess cost 19.97 kW.
    advice = advise([[19.96]], [40.0], demand_price=1.0)
    assert advice.contract_demand_kw.tolist() == [19.0]
    assert advice.cost_yuan[0, 1] == pytest.approx(19.97)


def test_a_full_transformer_is_better_charged_by_capacity():
    # Uneven months: whichever contract demand one takes, some are paid for too much or beyond it.
    advice = advise([[950.0, 1000.0, 800.0], [300.0, 310.0, 290.0], [900.0, 100.0, 150.0]], [1000.0] * 3)
    best = [BASIC_CHARGE_MODES[i] for i in advice.best]
    assert best == [BasicCharge.CAPACITY, BasicCharge.ACTUAL_DEMAND, BasicCharge.ACTUAL_DEMAND]
    assert advice.cost_yuan[0, 0] == pytest.approx(3 * 22_600)
    assert advice.cost_yuan[1, 2] == pytest.approx(900 * 36.1)


def test_an_even_load_is_better_charged_by_contract_within_its_tolerance():
    advice = advise([[525.0] * 12], [1200.0])
    assert BASIC_CHARGE_MODES[advice.best[0]] is BasicCharge.CONTRACT_DEMAND
    assert advice.contract_demand_kw.tolist() == [500.0]
    assert advice.cost_yuan[0, 1] == pytest.approx(12 * 500 * 36.1)


def test_months_that_are_not_known_are_left_out_of_every_way_alike():
    advice = advise([[525.0, np.nan, 525.0], [np.nan] * 3], [1200.0, 1200.0])
    assert advice.months_known.tolist() == [2, 0]
    assert advice.cost_yuan[0, 0] == pytest.approx(2 * 1200 * 22.6)
    assert np.isnan(advice.cost_yuan[1]).all()
    assert advice.best.tolist() == [1, -1]
    assert np.isnan(advice.contract_demand_kw[1])


@given(data=st.data())
def test_the_order_of_the_users_does_not_matter(data):
    demand = np.array([[950.0, 1000.0], [300.0, 310.0], [525.0, 525.0]])
    capacity = np.array([1000.0, 1000.0, 1200.0])
    order = data.draw(st.permutations(range(3)))
    before, after = advise(demand, capacity), advise(demand[order], capacity[order])
    np.testing.assert_array_equal(after.cost_yuan, before.cost_yuan[order])
    np.testing.assert_array_equal(after.best, before.best[order])


def test_where_demand_has_no_price_no_load_breaks_even():
    assert np.isnan(break_even_load(22.6, 0.0))
