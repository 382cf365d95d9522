"""Enthalpy of steam: the release's own verification values, what is no steam, and the two constants it replaces."""

import tomllib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from smartpark.factors import FactorKind, builtin_factors
from smartpark_analytics.steam import (
    SteamState,
    saturated_steam_enthalpy,
    saturation_temperature,
    steam_enthalpy,
    steam_heat,
)

GOLDEN = tomllib.loads((Path(__file__).parents[1] / "golden" / "steam_enthalpy.toml").read_text(encoding="utf-8"))
ZERO = 273.15
SUPERHEATED, SATURATED, WATER, OUTSIDE = SteamState


@pytest.mark.parametrize("row", GOLDEN["superheated"], ids=str)
def test_superheated_steam_is_that_of_the_verification_table(row):
    found = steam_enthalpy(np.array([row["pressure_kpa"]]), np.array([row["temperature_k"] - ZERO]), band=0.0)
    assert found.state.tolist() == [SUPERHEATED]
    assert found.enthalpy * 1000 == pytest.approx([row["enthalpy_kj_per_kg"]], rel=1e-8)


@pytest.mark.parametrize("row", GOLDEN["saturation"], ids=str)
def test_saturation_is_that_of_the_verification_table(row):
    found = saturation_temperature(np.array([row["pressure_kpa"]]))
    assert found + ZERO == pytest.approx([row["temperature_k"]], abs=1e-6)


def test_dry_saturated_steam_is_the_limit_of_superheated_steam():
    pressure = np.array([200.0, 1000.0, 4000.0])
    just_above = steam_enthalpy(pressure, saturation_temperature(pressure) + 1e-6, band=0.0).enthalpy
    assert saturated_steam_enthalpy(pressure, np.ones(3)) == pytest.approx(just_above, rel=1e-7)


def test_within_the_band_of_saturation_steam_is_dry_and_below_it_is_no_steam():
    pressure = np.full(4, 800.0)
    boiling = saturation_temperature(pressure)
    found = steam_enthalpy(pressure, boiling + np.array([-2.9, 2.9, -3.1, 3.1]))
    assert found.state.tolist() == [SATURATED, SATURATED, WATER, SUPERHEATED]
    assert found.enthalpy[0] == found.enthalpy[1] == pytest.approx(2.76832, abs=2e-5)
    assert np.isnan(found.enthalpy[2])


def test_what_is_missing_or_out_of_range_has_a_state_and_no_enthalpy():
    pressure = np.array([np.nan, 1000.0, -1.0, 2e5, 1000.0])
    temperature = np.array([200.0, np.nan, 200.0, 200.0, 900.0])
    found = steam_enthalpy(pressure, temperature)
    assert found.state.tolist() == [OUTSIDE] * 5
    assert np.isnan(found.enthalpy).all()


def test_dryness_is_a_share():
    found = saturated_steam_enthalpy(np.full(4, 1000.0), np.array([-0.1, 0.0, 1.0, 1.1]))
    assert np.isnan(found[[0, 3]]).all()
    assert found[1:3] == pytest.approx([0.762683, 2.777120], abs=1e-6)


def test_no_values_give_no_values():
    assert steam_enthalpy(np.zeros(0), np.zeros(0)).enthalpy.shape == (0,)


@given(st.floats(200, 4000), st.floats(4, 300), st.floats(0.5, 50))
def test_hotter_steam_holds_more_heat(pressure, above, more):
    boiling = saturation_temperature(np.array([pressure]))
    colder, hotter = (steam_enthalpy(np.array([pressure]), boiling + d).enthalpy[0] for d in (above, above + more))
    assert hotter > colder


@given(st.floats(0, 1e5), st.floats(2.0, 3.5))
def test_heat_grows_with_mass_and_counts_from_the_reference(mass, enthalpy):
    one, two = steam_heat(np.array([mass, 2 * mass]), np.array([enthalpy, enthalpy]), 0.08374)
    assert two == pytest.approx(2 * one)
    assert one == pytest.approx(mass * enthalpy - mass * 0.08374, abs=1e-6)


def test_the_reference_enthalpy_is_a_dated_factor():
    (row,) = [row for row in builtin_factors().factor if row.kind == FactorKind.REFERENCE_ENTHALPY]
    assert (row.value, row.unit, row.as_stated) == (pytest.approx(0.08374), "GJ/t", "83.74 kJ/kg")


def test_the_constants_in_service_differ_by_a_third_and_enthalpy_decides():
    # 0.1286 and 0.0943 kgce/kg stand in two deployed systems; saturated steam of 0.8 MPa counts by its own heat.
    heat = steam_heat(np.ones(1), saturated_steam_enthalpy(np.array([800.0]), np.ones(1)), 0.08374)
    per_kg = float(heat[0]) * 34.12 / 1000
    assert round(0.1286 / 0.0943, 2) == 1.36
    assert per_kg == pytest.approx(0.0916, abs=1e-4)
