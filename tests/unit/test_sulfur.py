"""Sulfur dioxide by material balance: the worked examples, the rows behind them, and the laws they obey."""

import tomllib
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from smartpark.catalogue import Furnace
from smartpark.errors import FactorNotFoundError
from smartpark.factor_kinds import FactorKind, in_internal_unit
from smartpark.factors import MEASURED, SUPPLIER, TABLE, builtin_factors
from smartpark.measurands import Carrier
from smartpark_analytics.sulfur import (
    INVENTORY_SO2_PER_SULFUR,
    MOLAR_SO2_PER_SULFUR,
    sulfur_dioxide_factor,
    sulfur_dioxide_mass,
)

GOLDEN = tomllib.loads((Path(__file__).parents[1] / "golden" / "sulfur.toml").read_text(encoding="utf-8"))
FACTORS = {row.id: row for row in builtin_factors().factor}
SHARES = st.floats(0, 1)


def content_of(example: dict[str, Any]) -> float:
    if "content_row" in example:
        return FACTORS[example["content_row"]].value
    return in_internal_unit(FactorKind.SULFUR_CONTENT, example["content"], example["content_unit"])[0]


@pytest.mark.parametrize("example", GOLDEN["example"], ids=lambda e: e["name"])
def test_the_balance_reproduces_the_worked_example(example: dict[str, Any]):
    content = np.array([content_of(example)])
    conversion = np.array([FACTORS[example["conversion"]].value])
    unabated = sulfur_dioxide_factor(content, conversion)
    assert unabated == pytest.approx([example["equivalent_kg_per_unit"]], rel=1e-12)
    factor = sulfur_dioxide_factor(content, conversion, removal=example["removal"])
    mass = sulfur_dioxide_mass(np.array([[example["fuel"]]]), factor)
    assert mass == pytest.approx(np.array([[example["so2_kg"]]]), rel=1e-12)


@pytest.mark.parametrize("row", GOLDEN["equivalent"], ids=lambda r: r["conversion"])
def test_conversion_of_a_furnace_gives_the_equivalent_coefficient(row: dict[str, Any]):
    percent = in_internal_unit(FactorKind.SULFUR_CONTENT, 1.0, "%")[0]
    conversion = FACTORS[row["conversion"]]
    factor = sulfur_dioxide_factor(np.array([percent]), np.array([conversion.value]))
    assert factor == pytest.approx([row["kg_per_t_and_percent"]], rel=1e-12)
    assert conversion.grade == row["grade"]


@pytest.mark.parametrize("carrier", [Carrier.RAW_COAL, Carrier.FUEL_OIL, Carrier.BIOMASS])
def test_sulfur_content_of_coal_oil_and_biomass_has_no_default(carrier: Carrier):
    with pytest.raises(FactorNotFoundError, match="no sulfur_content factor for"):
        builtin_factors().choose(FactorKind.SULFUR_CONTENT, carrier, (MEASURED, SUPPLIER, TABLE), date(2026, 10, 1))


def test_a_kiln_has_no_default_conversion_for_coal():
    with pytest.raises(FactorNotFoundError, match="sulfur_conversion"):
        builtin_factors().choose(
            FactorKind.SULFUR_CONVERSION,
            Carrier.RAW_COAL,
            (MEASURED, SUPPLIER, "furnace:kiln", TABLE),
            date(2026, 10, 1),
        )


@pytest.mark.parametrize("furnace", [Furnace.CHAIN_GRATE, Furnace.PULVERISED, Furnace.FLUIDISED_BED])
@pytest.mark.parametrize("coal", [Carrier.RAW_COAL, Carrier.BITUMINOUS, Carrier.ANTHRACITE, Carrier.BRIQUETTE])
def test_each_coal_has_a_conversion_in_each_coal_furnace_and_none_without(coal: Carrier, furnace: Furnace):
    day, factors = date(2026, 10, 1), builtin_factors()
    scopes = (MEASURED, SUPPLIER, f"furnace:{furnace}", TABLE)
    assert 0.8 <= factors.choose(FactorKind.SULFUR_CONVERSION, coal, scopes, day).value <= 0.85
    with pytest.raises(FactorNotFoundError, match=f"furnace:{furnace}"):
        factors.choose(FactorKind.SULFUR_CONVERSION, coal, (MEASURED, SUPPLIER, TABLE), day)


def test_inventories_round_the_molar_ratio_up_by_a_thousandth():
    assert round(MOLAR_SO2_PER_SULFUR, 5) == 1.99807
    ratio = INVENTORY_SO2_PER_SULFUR / MOLAR_SO2_PER_SULFUR
    assert ratio == pytest.approx(1.00097, abs=5e-6)
    sulfur, conversion = np.array([6.0]), np.array([0.85])
    exact = sulfur_dioxide_factor(sulfur, conversion, so2_per_sulfur=MOLAR_SO2_PER_SULFUR)
    assert sulfur_dioxide_factor(sulfur, conversion) == pytest.approx(exact * ratio)


def test_a_scrubber_that_runs_half_the_time_removes_half_as_much():
    sulfur, conversion = np.array([6.0]), np.array([1.0])
    always = sulfur_dioxide_factor(sulfur, conversion, removal=0.9)
    half = sulfur_dioxide_factor(sulfur, conversion, removal=0.9, operating_share=0.5)
    assert (always, half) == (pytest.approx([1.2]), pytest.approx([6.6]))


@pytest.mark.parametrize("wrong", ["conversion", "removal", "operating_share"])
def test_percent_in_place_of_a_share_is_refused(wrong: str):
    given_ = {"conversion": np.array([0.85]), "removal": 0.9, "operating_share": 1.0}
    given_[wrong] = np.array([85.0]) if wrong == "conversion" else 92.0
    with pytest.raises(ValueError, match=f"{wrong} is a share between 0 and 1"):
        sulfur_dioxide_factor(np.array([6.0]), **given_)


def test_factors_that_do_not_fit_the_fuels_are_refused():
    with pytest.raises(ValueError, match=r"factors of shape \(2,\) do not fit fuels of shape \(3, 4\)"):
        sulfur_dioxide_mass(np.ones((3, 4)), np.ones(2))


def test_fuel_that_is_not_known_makes_no_sulfur_dioxide_rather_than_none():
    mass = sulfur_dioxide_mass(np.array([[1.0, np.nan]]), np.array([10.0]))
    assert mass[0, 0] == 10.0
    assert np.isnan(mass[0, 1])


@given(
    fuel=arrays(np.float64, (3, 5), elements=st.floats(0, 1e6)),
    scale=st.floats(1e-3, 1e3),
    conversion=SHARES,
    removal=SHARES,
    running=SHARES,
)
def test_mass_scales_with_fuel_and_hours_add_up(
    fuel: np.ndarray, scale: float, conversion: float, removal: float, running: float
):
    factor = sulfur_dioxide_factor(
        np.array([6.0, 0.01, 1e-4]), np.full(3, conversion), removal=removal, operating_share=running
    )
    mass = sulfur_dioxide_mass(fuel, factor)
    assert (mass >= 0).all()
    assert sulfur_dioxide_mass(fuel * scale, factor) == pytest.approx(mass * scale, rel=1e-9)
    total = sulfur_dioxide_mass(fuel.sum(axis=1, keepdims=True), factor)
    assert mass.sum(axis=1, keepdims=True) == pytest.approx(total, rel=1e-9)


@given(conversion=SHARES, removal=SHARES, running=SHARES)
def test_what_is_removed_and_what_leaves_add_up_to_what_burns(conversion: float, removal: float, running: float):
    sulfur = np.array([6.0])
    leaves = sulfur_dioxide_factor(sulfur, np.array([conversion]), removal=removal, operating_share=running)
    burns = sulfur_dioxide_factor(sulfur, np.array([conversion]))
    assert leaves == pytest.approx(burns - burns * removal * running, abs=1e-12)
