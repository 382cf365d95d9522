"""Comprehensive energy and location-based carbon: the worked examples, and the laws they obey."""

import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from smartpark.factors import builtin_factors
from smartpark_analytics import comprehensive_energy, location_based_carbon

GOLDEN = Path(__file__).parents[1] / "golden"
FACTORS = {row.id: row for row in builtin_factors().factor}
AMOUNTS = arrays(np.float64, (3, 4), elements=st.floats(0, 1e9))


def examples(file: str) -> list[Any]:
    document = tomllib.loads((GOLDEN / file).read_text(encoding="utf-8"))
    return [pytest.param(example, id=example["name"]) for example in document["example"]]


@pytest.mark.parametrize("example", examples("comprehensive_energy.toml"))
def test_comprehensive_energy_reproduces_the_worked_example(example: dict[str, Any]):
    rows = example["carrier"]
    amounts = np.array([[row["amount"]] for row in rows])
    coefficients = np.array([FACTORS[row["factor"]].value for row in rows])
    assert [FACTORS[row["factor"]].carrier for row in rows] == [row["carrier"] for row in rows]
    for row, amount, coefficient in zip(rows, amounts, coefficients, strict=True):
        part = comprehensive_energy(amount[np.newaxis], np.array([coefficient]))
        assert part == pytest.approx([row["tce"]], abs=5e-5)
    assert comprehensive_energy(amounts, coefficients) == pytest.approx([example["total_tce"]], abs=5e-5)


@pytest.mark.parametrize("example", examples("location_based_carbon.toml"))
def test_location_based_carbon_reproduces_the_worked_example(example: dict[str, Any]):
    rows = example["fuel"]
    result = location_based_carbon(
        fuels=np.array([[row["amount"]] for row in rows]).reshape(len(rows), 1),
        fuel_factors=np.array([FACTORS[row["factor"]].value for row in rows]),
        electricity=np.array([[example["purchased_kwh"]]]),
        electricity_factors=np.array([FACTORS[example["electricity_factor"]].value]),
        heat=np.array([[example["heat_gj"]]]),
        heat_factors=np.array([FACTORS["guideline:heat:default"].value]),
    )
    for row in rows:
        assert row["amount"] * FACTORS[row["factor"]].value / 1000 == pytest.approx(row["co2_t"], abs=5e-5)
    assert result.combustion == pytest.approx([example["combustion_t"]], abs=5e-5)
    assert result.electricity == pytest.approx([example["electricity_t"]], abs=5e-5)
    assert result.heat == pytest.approx([example["heat_t"]], abs=5e-5)
    assert result.total == pytest.approx([example["total_t"]], abs=1e-4)


def carbon_of(amounts: np.ndarray) -> np.ndarray:
    return location_based_carbon(
        fuels=amounts[:1],
        fuel_factors=np.array([2.162188809]),
        electricity=np.array([amounts[1], -amounts[2]]),
        electricity_factors=np.array([0.4211, 0.4211]),
        heat=amounts[:1],
        heat_factors=np.array([110.0]),
    ).total


# No scale so small that the results are subnormal: those have fewer digits than the law asks for.
@given(amounts=AMOUNTS, scale=st.just(0.0) | st.floats(1e-6, 1e3))
def test_scaling_activity_scales_energy_and_emissions(amounts: np.ndarray, scale: float):
    coefficients = np.array([0.1229, 1.33, 34.12])
    energy = comprehensive_energy(amounts, coefficients)
    assert comprehensive_energy(amounts * scale, coefficients) == pytest.approx(energy * scale, rel=1e-9)
    # Purchase and sale nearly cancel at times; what remains is judged against what was subtracted.
    tolerance = 1e-9 * scale * float(amounts.sum())
    assert carbon_of(amounts * scale) == pytest.approx(carbon_of(amounts) * scale, rel=1e-9, abs=tolerance)


@given(amounts=AMOUNTS)
def test_hours_add_up_to_their_day(amounts: np.ndarray):
    day = amounts.sum(axis=1, keepdims=True)
    coefficients = np.array([0.1229, 1.33, 34.12])
    parts = comprehensive_energy(amounts, coefficients).sum()
    assert comprehensive_energy(day, coefficients) == pytest.approx([parts], rel=1e-9)
    assert carbon_of(day) == pytest.approx([carbon_of(amounts).sum()], rel=1e-9, abs=1e-9 * float(amounts.sum()))


def test_a_missing_carrier_makes_the_sum_missing_not_smaller():
    amounts = np.array([[1.0, 2.0], [np.nan, 3.0]])
    energy = comprehensive_energy(amounts, np.array([0.1229, 1.33]))
    assert np.isnan(energy[0])
    assert energy[1] == pytest.approx((2 * 0.1229 + 3 * 1.33) / 1000)


def test_selling_more_than_one_buys_is_negative_purchased_electricity():
    none = np.zeros((0, 1))
    result = location_based_carbon(
        fuels=none,
        fuel_factors=np.zeros(0),
        electricity=np.array([[1.0], [-11.0]]),
        electricity_factors=np.full(2, 0.4211),
        heat=none,
        heat_factors=np.zeros(0),
    )
    assert result.total == pytest.approx([-10 * 0.4211 / 1000])


def test_factors_may_change_from_period_to_period():
    amounts = np.array([[1000.0, 1000.0]])
    assert comprehensive_energy(amounts, np.array([[0.1229, 0.2]])) == pytest.approx([0.1229, 0.2])


def test_factors_that_do_not_fit_the_carriers_are_refused():
    with pytest.raises(ValueError, match=r"factors of shape \(4,\) do not fit amounts of shape \(3, 4\)"):
        comprehensive_energy(np.ones((3, 4)), np.ones(4))
