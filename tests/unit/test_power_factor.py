"""Power-factor adjustment: the table, the worked example, and what integers are for."""

import tomllib
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from smartpark.electricity_rules import builtin_electricity_rules
from smartpark_analytics.power_factor import power_factor_adjustment, power_factor_hundredths

GOLDEN = tomllib.loads(
    (Path(__file__).parents[1] / "golden" / "electricity_charges.toml").read_text(encoding="utf-8")
)
RULES = builtin_electricity_rules()
ON = date(2026, 11, 1)
STANDARDS = GOLDEN["power_factor_table"]["standards"]


def rates_of(standard, hundredths):
    hundredths = np.asarray(hundredths)
    return power_factor_adjustment(
        hundredths, np.ones(hundredths.shape), RULES.power_factor_on(standard, ON)
    ).rate_pct


@pytest.mark.parametrize("example", GOLDEN["power_factor"], ids=lambda example: example["name"])
def test_the_adjustment_reproduces_the_worked_example(example):
    active, reactive = np.array([example["active_kwh"]]), np.array([example["reactive_kvarh"]])
    assert active / np.hypot(active, reactive) == pytest.approx([example["power_factor"]], abs=5e-6)
    hundredths = power_factor_hundredths(active, reactive)
    assert hundredths.tolist() == [example["hundredths"]]
    table = RULES.power_factor_on(example["standard"], ON)
    found = power_factor_adjustment(hundredths, np.array([example["base_yuan"]]), table)
    assert found.rate_pct.tolist() == [example["rate_pct"]]
    assert found.amount_yuan.tolist() == [example["amount_yuan"]]


@pytest.mark.parametrize("row", GOLDEN["power_factor_table"]["rows"], ids=lambda row: f"0.{row[0]:02}")
def test_the_table_is_that_of_1983(row):
    assert [rates_of(standard, [row[0]])[0] for standard in STANDARDS] == row[1:]


@pytest.mark.parametrize("standard", STANDARDS)
def test_a_better_power_factor_never_costs_more(standard):
    rates = rates_of(standard, np.arange(101))
    assert np.all(np.diff(rates) <= 0)
    assert rates[RULES.power_factor_on(standard, ON).standard_h] == 0


def test_a_stricter_standard_never_costs_less():
    table = np.array([rates_of(standard, np.arange(101)) for standard in STANDARDS])
    assert np.all(np.diff(table, axis=0) <= 0)


def test_the_open_conflict_stays_visible_beside_the_value_used():
    table = RULES.power_factor_on("0.85", ON)
    found = power_factor_adjustment(np.array([93, 94, 100]), np.full(3, 1000.0), table)
    assert found.rate_pct.tolist() == [-0.95, -1.10, -1.10]
    np.testing.assert_array_equal(found.contested_rate_pct, [np.nan, -1.0, -1.0])
    assert "M92" in table.note
    contested = [segment for segment in table.segment if segment.contested_at_from is not None]
    assert [(segment.from_h, segment.contested_grade) for segment in contested] == [(94, "S")]


@pytest.mark.parametrize("hundredths", range(50, 100))
def test_energies_that_make_a_hundredth_exactly_are_of_that_hundredth(hundredths):
    active = np.array([1e3, 12_345.6, 7e8]) * hundredths
    reactive = np.array([1e3, 12_345.6, 7e8]) * np.sqrt(100**2 - hundredths**2)
    assert power_factor_hundredths(active, reactive).tolist() == [hundredths] * 3


def test_without_active_energy_there_is_no_power_factor_and_no_adjustment():
    hundredths = power_factor_hundredths(np.array([0.0, np.nan, 5.0, 5.0]), np.array([1.0, 1.0, np.nan, 0.0]))
    assert hundredths.tolist() == [-1, -1, -1, 100]
    found = power_factor_adjustment(hundredths, np.full(4, 100.0), RULES.power_factor_on("0.90", ON))
    np.testing.assert_array_equal(found.amount_yuan, [np.nan, np.nan, np.nan, -0.75])


@given(active=st.floats(1, 1e9), reactive=st.floats(0, 1e9), scale=st.floats(1e-3, 1e3))
def test_the_power_factor_does_not_depend_on_scale_but_for_the_last_bit(active, reactive, scale):
    pair = power_factor_hundredths(np.array([active, active * scale]), np.array([reactive, reactive * scale]))
    assert 0 <= pair[0] <= 100
    assert abs(int(pair[0]) - int(pair[1])) <= 1
