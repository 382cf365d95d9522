"""Statements of electricity cost: the worked examples joined, and terms that add up to the total."""

import tomllib
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from smartpark.catalogue import BasicCharge
from smartpark.electricity_rules import builtin_electricity_rules
from smartpark.price_plans import builtin_price_plans
from smartpark.tariff_hours import TARIFF_PERIODS
from smartpark_analytics.basic_charge import BASIC_CHARGE_MODES
from smartpark_analytics.electricity_bill import NO_BASIC_CHARGE, BillInputs, bill_terms, electricity_bill

GOLDEN = tomllib.loads(
    (Path(__file__).parents[1] / "golden" / "electricity_charges.toml").read_text(encoding="utf-8")
)
ON = date(2026, 11, 1)
RULES = builtin_electricity_rules()
RULE, TABLE = RULES.basic_charge_on(ON), RULES.power_factor_on("0.90", ON)
FUJIAN = builtin_price_plans().plan[0].version_on(ON)


def of_periods(values):
    return np.array([[[values[period] for period in TARIFF_PERIODS]]])


def inputs_of(example):
    def cell(key):
        return np.array([[example.get(key, np.nan)]])

    energy = of_periods(example["energy_kwh"])
    return BillInputs(
        energy_kwh=energy,
        energy_cost_yuan=energy * np.array(FUJIAN.prices(flat_price=example["flat_price"])),
        reactive_kvarh=cell("reactive_kvarh"),
        maximum_demand_kw=cell("demand_kw"),
        fund_price=cell("fund_price"),
        demand_price=cell("demand_price"),
        capacity_price=cell("capacity_price"),
        mode=np.array([BASIC_CHARGE_MODES.index(BasicCharge(example["mode"]))], np.int8),
        capacity_kva=np.array([example["capacity_kva"]]),
        contract_demand_kw=np.array([example.get("contract_kw", np.nan)]),
    )


EXAMPLES = pytest.mark.parametrize("example", GOLDEN["bill"], ids=lambda example: example["name"])


@EXAMPLES
def test_the_statement_reproduces_the_worked_example(example):
    bill = electricity_bill(inputs_of(example), RULE, TABLE)
    assert bill.energy_charge_yuan == pytest.approx(of_periods(example["energy_charge_yuan"]), abs=0.005)
    for key, found in (
        ("basic_charge_yuan", bill.basic_charge_yuan),
        ("funds_yuan", bill.funds_yuan),
        ("adjustment_base_yuan", bill.adjustment_base_yuan),
        ("adjustment_yuan", bill.adjustment.amount_yuan),
        ("total_yuan", bill.total_yuan),
    ):
        assert found[0, 0] == pytest.approx(example[key], abs=0.005), key


@EXAMPLES
def test_every_term_is_quantity_times_price_and_they_add_up(example):
    inputs = inputs_of(example)
    bill = electricity_bill(inputs, RULE, TABLE)
    terms = bill_terms(inputs, bill, 0, 0)
    assert sum(term.amount_yuan for term in terms) == pytest.approx(bill.total_yuan[0, 0], rel=1e-12)
    for term in terms:
        if term.quantity:
            assert term.quantity * term.price == pytest.approx(term.amount_yuan, rel=1e-12)


def test_what_was_paid_beyond_the_contract_is_a_term_of_its_own():
    inputs = inputs_of(GOLDEN["bill"][0])
    terms = {term.code: term for term in bill_terms(inputs, electricity_bill(inputs, RULE, TABLE), 0, 0)}
    assert terms["basic_charge"].amount_yuan == pytest.approx(96_000)
    assert terms["basic_charge_excess"].amount_yuan == pytest.approx(11_200)
    assert terms["basic_charge_excess"].quantity == pytest.approx(200)


@pytest.mark.parametrize(
    "missing", ["reactive_kvarh", "maximum_demand_kw", "fund_price", "demand_price", "energy_kwh"]
)
def test_a_term_that_is_not_known_makes_the_total_not_known(missing):
    inputs = inputs_of(GOLDEN["bill"][0])
    gone = np.full(getattr(inputs, missing).shape, np.nan)
    assert np.isnan(electricity_bill(replace(inputs, **{missing: gone}), RULE, TABLE).total_yuan[0, 0])


def test_a_one_part_tariff_without_adjustment_is_energy_and_funds():
    inputs = replace(inputs_of(GOLDEN["bill"][0]), mode=np.array([NO_BASIC_CHARGE], np.int8))
    bill = electricity_bill(inputs, RULE, None)
    assert bill.basic_charge_yuan[0, 0] == 0.0
    assert bill.total_yuan[0, 0] == pytest.approx(542_800 + 30_000)
    assert bill.average_price[0, 0] == pytest.approx(0.5728)
    assert {term.code for term in bill_terms(inputs, bill, 0, 0)} >= {"government_funds", "energy_charge_peak"}


@given(order=st.permutations(range(3)), scale=st.floats(0.1, 10))
def test_many_bills_at_once_are_each_its_own_and_scale_with_their_prices(order, scale):
    singles = [inputs_of(example) for example in GOLDEN["bill"]]
    names = BillInputs.__dataclass_fields__
    joined = BillInputs(**{name: np.concatenate([getattr(singles[i], name) for i in order]) for name in names})
    priced = ("energy_cost_yuan", "fund_price", "demand_price", "capacity_price")
    dearer = replace(joined, **{name: getattr(joined, name) * scale for name in priced})
    expected = [GOLDEN["bill"][i]["total_yuan"] for i in order]
    np.testing.assert_allclose(electricity_bill(joined, RULE, TABLE).total_yuan[:, 0], expected, atol=0.005)
    np.testing.assert_allclose(
        electricity_bill(dearer, RULE, TABLE).total_yuan, electricity_bill(joined, RULE, TABLE).total_yuan * scale
    )
