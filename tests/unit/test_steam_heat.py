"""Steam in balances: heat by pressure and temperature, quarter-hour by quarter-hour; the table where they fail."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from accounting_cases import DAY, START, context, point, quarters
from hypothesis import given
from hypothesis import strategies as st
from smartpark.accounts import park_accounts
from smartpark.catalogue import PressureReference, Role
from smartpark.clock import to_us
from smartpark.measurands import Carrier, Measurand
from smartpark.steam_meters import heat_number, steam_meters
from smartpark_analytics.accounting import (
    LEAD_QUARTERS,
    RECIPES,
    HeatTerms,
    days_of,
    heat_terms,
    plan_of,
    state,
    steam_states,
    steam_summary,
    steam_words,
    with_steam_heat,
)
from smartpark_analytics.steam import SteamState

MASS = point(5, "S1", Measurand.STEAM_MASS, Carrier.STEAM, Role.BOUNDARY)
PRESSURE = point(6, "S1", Measurand.PRESSURE, Carrier.STEAM, Role.BOUNDARY)
TEMPERATURE = point(7, "S1", Measurand.TEMPERATURE, Carrier.STEAM, Role.BOUNDARY)
METERS = steam_meters(None, [MASS, PRESSURE, TEMPERATURE])
ACCOUNTS = park_accounts("hill", [MASS, PRESSURE, TEMPERATURE])
MINUTES = (96 + LEAD_QUARTERS) * 15
DRY_800_KPA = 2.7683
"""DOMAIN.md 1.2: dry saturated steam of 0.8 MPa. [GJ/t]"""


def minutes(value: float | np.ndarray) -> np.ndarray:
    return np.broadcast_to(np.asarray(value, float), (1, MINUTES)).copy()


def stated(pressure, temperature, mass: float = 1.0, indicator: str = "comprehensive_energy"):
    """Statement of a day with so much steam in every quarter-hour, and the words to it."""
    states = steam_states(METERS, pressure, temperature)
    reference, table = heat_terms(context(), "S1")
    terms = {MASS.point_id: HeatTerms(reference.value, table.value)}
    known = with_steam_heat(quarters(ACCOUNTS, {5: mass}), states, terms)
    recipe = next(recipe for recipe in RECIPES if recipe.indicator == indicator)
    plan = plan_of(recipe, ACCOUNTS.boundaries[0], replace(context(), by_enthalpy=frozenset({5})))
    assert plan is not None
    series = days_of(known)
    statement = state(plan, series)
    words = steam_words(statement, known, states, series.start_us, series.end_us)
    return statement, words, steam_summary(known, states, 5, START, to_us(DAY.end))


def test_a_meter_knows_its_steam_where_it_has_both_instruments():
    (meter,) = METERS
    assert (meter.device, meter.mass_id, meter.pressure_id, meter.temperature_id) == ("S1", 5, 6, 7)
    assert steam_meters(None, [MASS, PRESSURE]) == ()
    two = [replace(PRESSURE, code="p1"), replace(PRESSURE, code="p2", point_id=8)]
    assert steam_meters(None, [MASS, *two, TEMPERATURE]) == ()


def test_gauge_pressure_has_the_atmosphere_added():
    catalogue = SimpleNamespace(device=[SimpleNamespace(code="S1", pressure_reference=PressureReference.GAUGE)])
    (meter,) = steam_meters(catalogue, [MASS, PRESSURE, TEMPERATURE])  # type: ignore[arg-type]  the two keys it reads
    states = steam_states([meter], minutes(800.0 - 101.325), minutes(170.4))
    assert states.pressure[0, 0] == pytest.approx(800.0)


def test_the_worked_example_of_dry_steam():
    statement, words, summary = stated(minutes(800.0), minutes(170.4))
    # 96 t of 2684.6 MJ each, at 34.12 kgce/GJ.
    assert statement.amount[0, 0] == pytest.approx(96 * (DRY_800_KPA - 0.08374), rel=2e-5)
    assert statement.value[0] == pytest.approx(96 * 0.0916, rel=1e-3)
    assert statement.estimated_share[0] == 0.0
    assert words == ["hill/S1/steam_mass: 96 quarter-hours at saturation, taken as dry steam"]
    assert (summary.pressure, summary.temperature) == (pytest.approx(800.0), pytest.approx(170.4))
    assert summary.enthalpy == pytest.approx(DRY_800_KPA, abs=5e-5)
    assert summary.mass * (summary.enthalpy - 0.08374) == pytest.approx(summary.heat)


def test_carbon_of_heat_follows_the_enthalpy():
    heat, _, _ = stated(minutes(1000.0), minutes(250.0), indicator="carbon_heat")
    assert heat.value[0] == pytest.approx(96 * (2.94322 - 0.08374) * 0.11, rel=1e-5)
    (term,) = heat.plan.terms
    assert "guideline:steam:reference_enthalpy" in term.coefficient.ids


@pytest.mark.parametrize(
    ("pressure", "temperature", "why"),
    [
        (1000.0, 120.0, "colder than saturation"),
        (1000.0, np.nan, "without usable pressure or temperature"),
        (2e5, 300.0, "without usable pressure or temperature"),
    ],
)
def test_where_the_instruments_fail_the_table_stands_in_and_is_an_estimate(pressure, temperature, why):
    statement, (words,), summary = stated(minutes(pressure), minutes(temperature))
    assert statement.amount[0, 0] == pytest.approx(96 * 3.763)
    assert (statement.completeness[0], statement.estimated_share[0]) == (1.0, 1.0)
    assert words == f"hill/S1/steam_mass: 96 quarter-hours {why}, by the table's heat"
    assert summary.by_table == 96.0


def test_a_reading_holds_for_an_hour_and_no_longer():
    silent = minutes(250.0)
    silent[0, (LEAD_QUARTERS + 1) * 15 :] = np.nan
    states = steam_states(METERS, minutes(1000.0), silent)
    found = [SteamState(code) for code in states.state[0, :6].tolist()]
    assert found == [SteamState.SUPERHEATED] * 5 + [SteamState.OUTSIDE]


def test_mass_that_is_not_known_is_no_heat():
    statement, words, _ = stated(minutes(1000.0), minutes(250.0), mass=np.nan)
    assert np.isnan(statement.value[0])
    assert words == [""]


def test_heat_has_a_series_of_its_own_beside_virtual_meters():
    assert heat_number(5) == -1_000_000_005


@given(st.floats(0.1, 100.0), st.floats(200.0, 400.0))
def test_scaling_the_mass_scales_the_heat(mass: float, temperature: float):
    one, _, _ = stated(minutes(1000.0), minutes(temperature))
    many, _, _ = stated(minutes(1000.0), minutes(temperature), mass=mass)
    assert many.value[0] == pytest.approx(mass * one.value[0])
