"""Statements of a boundary: what counts, in which direction, by which factor, and when there is no value."""

from dataclasses import replace
from datetime import UTC, date, datetime
from types import SimpleNamespace

import numpy as np
import pytest
from accounting_cases import DAY, EXPORT, GRID, IMPORT, RECIPE, START, context, day, hill, point, statements, values
from smartpark.accounts import Flow
from smartpark.business_figures import parse_period
from smartpark.catalogue import Furnace, Role
from smartpark.clock import to_us
from smartpark.coefficients import Lookup
from smartpark.errors import FactorNotFoundError
from smartpark.factors import Factor, FactorKind, FactorSet, builtin_factors
from smartpark.measurands import Carrier, Measurand
from smartpark.periods import Grain, period_containing
from smartpark_analytics.accounting import UnitMismatchError, plan_of, reason_of, state
from smartpark_analytics.accounting.certified import INPUTS, Certificates, certificates_of, certified_carbon

GAS = point(2, "G1", Measurand.GAS_VOLUME, Carrier.NATURAL_GAS, Role.BOUNDARY)
ROOF = point(3, "PV1", EXPORT, Carrier.PHOTOVOLTAIC, Role.GENERATION)


def signs(*records) -> dict[str, int]:
    (park, *_) = hill(*records).boundaries
    return {flow.key.removeprefix("hill/"): flow.sign for flow in park.flows if not flow.is_medium}


def test_export_at_the_boundary_leaves_the_park():
    assert signs(GRID, replace(GRID, point_id=9, measurand=EXPORT, key="hill/M0/export")) == {
        "M0/active_energy_import": 1,
        "M0/export": -1,
    }


def test_a_generators_product_is_its_export_and_its_own_use_is_deducted():
    used = point(4, "PV1", IMPORT, Carrier.PHOTOVOLTAIC, Role.GENERATION)
    assert signs(ROOF, used) == {"PV1/active_energy_export": 1, "PV1/active_energy_import": -1}


def test_a_production_meter_of_one_direction_counts_production_whichever_way_it_is_wired():
    assert signs(point(3, "PV1", IMPORT, Carrier.PHOTOVOLTAIC, Role.GENERATION)) == {"PV1/active_energy_import": 1}


def test_what_is_split_up_handed_on_or_no_energy_stays_out_of_the_park():
    others = [
        point(2, "F1", IMPORT, Carrier.ELECTRICITY, Role.DISTRIBUTION),
        point(3, "T1", IMPORT, Carrier.ELECTRICITY, Role.CONSUMPTION),
        point(4, "X1", IMPORT, Carrier.ELECTRICITY, Role.BOUNDARY, internal_transfer=True),
        point(5, "W1", Measurand.WATER_VOLUME, Carrier.WATER, Role.BOUNDARY),
        point(6, "M0", Measurand.REACTIVE_ENERGY_IMPORT, Carrier.ELECTRICITY, Role.BOUNDARY),
        point(7, "N1", IMPORT, Carrier.ELECTRICITY, Role.BOUNDARY, park="valley"),
    ]
    assert signs(*others) == {}


def test_a_turbine_inside_makes_electricity_but_no_energy_anew():
    turbine = point(3, "TG", EXPORT, Carrier.ELECTRICITY, Role.GENERATION)
    accounts = hill(GRID, GAS, turbine)
    found = values(accounts, day(accounts, {1: 10.0, 2: 4.0, 3: 6.0}))
    assert found["electricity_consumption"] == pytest.approx(96 * 16)
    assert found["comprehensive_energy"] == pytest.approx(96 * (10 * 0.1229 + 4 * 1.33) / 1000)
    assert found["carbon_location"] == pytest.approx(96 * (10 * 0.4211 + 4 * 2.162188809) / 1000)
    assert found["carbon_location_national"] == pytest.approx(96 * (10 * 0.5306 + 4 * 2.162188809) / 1000)
    assert found["carbon_scope1"] + found["carbon_scope2"] == pytest.approx(found["carbon_location"])


def test_of_a_roof_what_is_not_sold_is_used_inside():
    sold = replace(GRID, point_id=9, measurand=EXPORT, key="hill/M0/export")
    accounts = hill(GRID, sold, ROOF)
    found = values(accounts, day(accounts, {1: 10.0, 9: 2.0, 3: 6.0}))
    assert found["photovoltaic_generation"] == pytest.approx(96 * 6)
    assert found["photovoltaic_self_used"] == pytest.approx(96 * 4)
    assert found["electricity_purchased"] == pytest.approx(96 * 10)
    assert found["electricity_exported"] == pytest.approx(96 * 2)
    assert found["electricity_consumption"] == pytest.approx(96 * 14)
    # Assessed is what is not the roof's: what was bought, although some of the roof's was sold meanwhile.
    assert found["energy_under_control"] == pytest.approx(96 * 10 * 0.1229 / 1000)


def test_beside_a_turbine_nobody_knows_what_of_the_sale_was_the_roofs():
    turbine = point(8, "TG", EXPORT, Carrier.ELECTRICITY, Role.GENERATION)
    accounts = hill(GRID, ROOF, turbine)
    assert "photovoltaic_self_used" not in values(accounts, day(accounts, {1: 10.0, 3: 6.0, 8: 1.0}))


def test_feedstock_is_energy_but_neither_assessed_nor_burnt():
    feed = replace(GAS, point_id=5, device="G2", key="hill/G2/gas_volume", is_feedstock=True)
    accounts = hill(GAS, feed)
    found = values(accounts, day(accounts, {2: 4.0, 5: 1.0}))
    assert found["comprehensive_energy"] == pytest.approx(96 * 5 * 1.33 / 1000)
    assert found["energy_under_control"] == pytest.approx(96 * 4 * 1.33 / 1000)
    assert found["carbon_scope1"] == pytest.approx(96 * 4 * 2.162188809 / 1000)


def test_working_media_count_where_the_standard_counts_them_and_nowhere_else():
    water = point(5, "W1", Measurand.WATER_VOLUME, Carrier.WATER, Role.BOUNDARY)
    accounts = hill(GRID, water)
    found = values(accounts, day(accounts, {1: 10.0, 5: 100.0}))
    assert found["comprehensive_energy"] == pytest.approx(96 * 10 * 0.1229 / 1000)
    with_media = found["comprehensive_energy_with_media"] - found["comprehensive_energy"]
    assert with_media == pytest.approx(96 * 100 * 0.2571 / 1000)


def test_steam_by_mass_is_heat_bought():
    steam = point(5, "S1", Measurand.STEAM_MASS, Carrier.STEAM, Role.BOUNDARY)
    accounts = hill(steam)
    statement = statements(accounts, day(accounts, {5: 1.0}))["carbon_heat"]
    (term,) = statement.plan.terms
    heat = next(c.factor for c in term.coefficient.choices if c.factor.kind is FactorKind.NET_CALORIFIC_VALUE)
    assert term.coefficient.value == pytest.approx(heat.value * 110.0)


def test_sulfur_needs_a_furnace_and_says_what_to_enter():
    accounts = hill(replace(GAS, furnace=Furnace.GAS_BOILER))
    assert values(accounts, day(accounts, {2: 1.0}))["so2_by_fuel"] == pytest.approx(96 * 2 * 100e-6)
    assert "so2_by_fuel" not in values(hill(GAS), day(hill(GAS), {2: 1.0}))
    coal = point(5, "C1", Measurand.FUEL_MASS, Carrier.RAW_COAL, Role.BOUNDARY, furnace=Furnace.CHAIN_GRATE)
    with pytest.raises(FactorNotFoundError, match="no sulfur_content factor for raw_coal"):
        plan_of(RECIPE["so2_by_fuel"], hill(coal).boundaries[0], context())


def test_the_primary_basis_waits_for_somebody_to_enter_its_factor():
    boundary = hill(GRID).boundaries[0]
    recipe = RECIPE["comprehensive_energy_primary"]
    assert recipe.is_optional
    with pytest.raises(FactorNotFoundError, match="enter one with its date"):
        plan_of(recipe, boundary, context())
    row = Factor(
        id="cec:2025",
        kind=FactorKind.COAL_EQUIVALENT_PRIMARY,
        carrier=Carrier.ELECTRICITY,
        scope="table",
        value=0.285,
        unit="kgce/kWh",
        data_year=2025,
        valid_from=date(2026, 1, 1),
        source="entered by the administrator",
        grade="S",
    )
    plan = plan_of(recipe, boundary, context(FactorSet(version="t", factor=(*builtin_factors().factor, row))))
    assert plan is not None
    assert [term.coefficient.value for term in plan.terms] == [0.285]


def test_a_meter_is_awaited_in_the_periods_that_begin_with_it_or_after_it():
    late = Flow(1, "k", "d", Carrier.ELECTRICITY, IMPORT, "kWh", 1, awaited_from_us=START)
    before = period_containing(datetime(2026, 11, 9, 4, tzinfo=UTC), Grain.DAY)
    month = period_containing(datetime(2026, 11, 9, 4, tzinfo=UTC), Grain.MONTH)
    awaited = [late.is_awaited(to_us(p.start), to_us(p.end)) for p in (before, month, DAY)]
    assert awaited == [False, False, True]


def test_where_no_meter_is_awaited_and_none_is_known_there_is_no_value():
    accounts = hill(replace(GRID, installed_at_us=to_us(DAY.end)))
    for statement in statements(accounts, day(accounts, {1: np.nan})).values():
        assert np.isnan(statement.value).all()
        assert statement.completeness.tolist() == [0.0]
        assert reason_of(statement, 0).rpartition("; ")[2] == "no meter in service"


def test_a_meter_of_which_nothing_is_known_leaves_no_value_and_is_named():
    accounts = hill(GRID, GAS)
    found = statements(accounts, day(accounts, {1: 10.0, 2: np.nan}))["carbon_location"]
    assert np.isnan(found.value).all()
    assert "hill/G1/gas_volume known for 0.0%" in reason_of(found, 0)


def test_a_park_without_energy_meters_states_nothing():
    accounts = hill()
    assert statements(accounts, day(accounts, {})) == {}


def test_a_factor_per_another_unit_is_refused_by_name():
    factor = Factor(
        id="wrong",
        kind=FactorKind.COAL_EQUIVALENT,
        carrier=Carrier.ELECTRICITY,
        scope="table",
        value=122.9,
        unit="kgce/GJ",
        valid_from=date(2008, 1, 1),
        source="a mistake",
        grade="S",
    )
    with pytest.raises(
        UnitMismatchError, match=r"factor wrong is in kgce/GJ; hill/M0/active_energy_import counts kWh"
    ):
        plan_of(
            RECIPE["comprehensive_energy"],
            hill(GRID).boundaries[0],
            context(FactorSet(version="test", factor=(factor,))),
        )


def test_terms_add_up_to_the_value_to_the_last_digit():
    accounts = hill(GRID, GAS, ROOF)
    series = day(accounts, {1: 0.1 + np.arange(96) / 7, 2: 1 / 3, 3: 0.7})
    for statement in statements(accounts, series).values():
        added = 0.0
        for contribution in statement.contribution[:, 0].tolist():
            added += contribution
        assert added == statement.value[0]
        weights = [term.weight(statement.plan.recipe.per) for term in statement.plan.terms]
        assert (statement.amount[:, 0] * weights).tolist() == statement.contribution[:, 0].tolist()


def test_uncertainty_is_that_of_meters_and_factors_together():
    accounts = hill(replace(GRID, accuracy_class=0.5))
    found = statements(accounts, day(accounts, {1: 10.0}))
    meter = 0.005 / 3**0.5 * 1.96
    assert found["electricity_consumption"].uncertainty[0] == pytest.approx(meter)
    (choice,) = found["carbon_scope2"].plan.terms[0].coefficient.choices
    grid = builtin_factors().half_width(choice.factor)
    assert found["carbon_scope2"].uncertainty[0] == pytest.approx((meter**2 + grid**2) ** 0.5)
    assert grid > 0


def worked_month():
    """The month of DOMAIN's examples: five carriers, as meters at the boundary."""
    amounts = {1: 12e6, 2: 6e5, 3: 45.0, 4: 1200.0, 5: 30_000.0, 6: 1.5e6}
    fuel = Measurand.FUEL_MASS
    accounts = hill(
        GRID,
        GAS,
        point(3, "D1", fuel, Carrier.DIESEL, Role.BOUNDARY),
        point(4, "C1", fuel, Carrier.RAW_COAL, Role.BOUNDARY),
        point(5, "H1", Measurand.HEAT_ENERGY, Carrier.HEAT, Role.BOUNDARY),
    )
    return accounts, day(accounts, {p: a / 96 for p, a in amounts.items() if p < 6})


def test_statements_give_the_worked_month_again():
    found = values(*worked_month())
    assert found["comprehensive_energy"] == pytest.approx(4219.1295, abs=5e-5)
    assert found["carbon_scope1"] == pytest.approx(3924.6549, abs=1e-3)
    assert found["carbon_heat"] == pytest.approx(3300.0)
    assert found["carbon_location"] == pytest.approx(12_277.8549, abs=1e-3)
    assert found["carbon_location_national"] == pytest.approx(13_591.8549, abs=1e-3)


@pytest.mark.parametrize(
    ("indicator", "total"), [("carbon_market", 13_320.6549), ("carbon_zero_carbon_park", 15_497.6549)]
)
def test_methods_with_certificates_give_the_worked_month_again(indicator, total):
    known = {name: value for name, value in values(*worked_month()).items() if name in INPUTS}
    lookup = Lookup(builtin_factors(), DAY.day)
    given = Certificates(claimed_kwh=2e6, is_entered=True)
    carbon = certified_carbon(indicator, known, given, lookup, "provincial:FJ")
    assert carbon.value == pytest.approx(total, abs=1e-3)
    assert sum(term.contribution for term in carbon.terms) == pytest.approx(carbon.value)
    assert all(term.amount * term.weight == term.contribution for term in carbon.terms)


def figure(kind: str, period: str, value: float, entity: str = "park"):
    return SimpleNamespace(entity=entity, kind=kind, period=parse_period(period), value=value)


def test_certificates_of_a_year_are_those_of_the_year_or_else_of_its_parts():
    november = period_containing(DAY.start, Grain.MONTH)
    year = period_containing(DAY.start, Grain.YEAR)
    figures = [
        figure("gec_mwh", "2026-11", 3.0),
        figure("gec_mwh", "2026-12", 4.0),
        figure("green_trade_mwh", "2026", 10.0),
        figure("green_trade_mwh", "2026-11", 1.0),
        figure("gec_sold_mwh", "2026Q4", 9.2),
        figure("gec_mwh", "2026-11", 99.0, "enterprise/E1"),
    ]
    # Thirty of the quarter's 92 days.
    assert certificates_of(figures, "park", november) == Certificates(4000.0, pytest.approx(3000.0), is_entered=True)
    assert certificates_of(figures, "park", year) == Certificates(17_000.0, 9200.0, is_entered=True)
    assert certificates_of([], "park", year) == Certificates()


def test_certificates_cover_what_was_bought_and_no_more():
    lookup = Lookup(builtin_factors(), DAY.day)
    known = {"electricity_purchased": 1000.0, "carbon_scope1": 2.0}
    carbon = certified_carbon("carbon_market", known, Certificates(1500.0, 0.0, is_entered=True), lookup, "x")
    assert (carbon.value, carbon.unused_kwh) == (pytest.approx(2.0), 500.0)


def coal_with_scrubber(efficiency: float) -> FactorSet:
    """Factors of a park whose coal has 0.8 % sulfur, known for certain, and a desulfurisation known to 5 %."""
    base = {
        "carrier": Carrier.RAW_COAL,
        "scope": "measured",
        "park": "hill",
        "valid_from": date(2026, 1, 1),
        "source": "laboratory",
        "grade": "P",
    }
    rows = (
        {"id": "s", "kind": "sulfur_content", "value": 8.0, "unit": "kg/t", "uncertainty": 0.0},
        {"id": "c", "kind": "sulfur_conversion", "value": 0.8, "unit": "1", "uncertainty": 0.0},
        {"id": "eta", "kind": "desulfurisation", "value": efficiency, "unit": "1", "uncertainty": 0.05},
    )
    builtin = builtin_factors()
    return builtin.with_rows([*builtin.factor, *(Factor(**(base | row)) for row in rows)])


@pytest.mark.parametrize("efficiency", [0.5, 0.9])
def test_what_a_desulfurisation_leaves_is_less_sure_than_what_it_takes(efficiency: float):
    coal = point(5, "C1", Measurand.FUEL_MASS, Carrier.RAW_COAL, Role.BOUNDARY, furnace=Furnace.CHAIN_GRATE)
    accounts = hill(replace(coal, accuracy_class=0.0))
    one = statements(accounts, day(accounts, {5: 1.0}), factors=coal_with_scrubber(efficiency))["so2_by_fuel"]
    # By hand: the two ends of the interval, against the middle.
    ends = [
        statements(accounts, day(accounts, {5: 1.0}), factors=coal_with_scrubber(efficiency * end))["so2_by_fuel"]
        for end in (0.95, 1.05)
    ]
    half = (ends[0].value[0] - ends[1].value[0]) / 2 / one.value[0]
    assert one.uncertainty[0] == pytest.approx(half)
    assert one.uncertainty[0] == pytest.approx(0.05 * efficiency / (1 - efficiency))


def test_of_nothing_left_nobody_can_say_how_sure_it_is():
    coal = point(5, "C1", Measurand.FUEL_MASS, Carrier.RAW_COAL, Role.BOUNDARY, furnace=Furnace.CHAIN_GRATE)
    accounts = hill(coal)
    found = statements(accounts, day(accounts, {5: 1.0}), factors=coal_with_scrubber(1.0))["so2_by_fuel"]
    assert (found.value[0], np.isnan(found.uncertainty[0])) == (0.0, True)


def test_a_plan_without_terms_is_none():
    assert plan_of(RECIPE["carbon_scope1"], hill(GRID).boundaries[0], context()) is None


def test_statements_of_nothing_known_do_not_warn():
    accounts = hill(GRID)
    plan = plan_of(RECIPE["carbon_scope2"], accounts.boundaries[0], context())
    assert plan is not None
    assert np.isnan(state(plan, day(accounts, {})).value).all()
