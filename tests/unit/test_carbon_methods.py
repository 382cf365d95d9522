"""Scope 1 and 2 by four electricity methods: the worked example, certificates, and the laws that hold."""

import tomllib
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from smartpark.coefficients import Basis, Lookup
from smartpark.factors import ElectricityMethod, Factor, builtin_factors
from smartpark.measurands import MEDIA, Carrier
from smartpark_analytics import (
    CarbonInventory,
    carbon_per_energy,
    carbonate_carbon,
    combustion_carbon,
    consumed_from_stock,
    electricity_carbon,
    emission_factor,
    energy_totals,
    net_of_conversion,
)

FOLDER = Path(__file__).parents[1] / "golden"
MONTH = tomllib.loads((FOLDER / "electricity_methods.toml").read_text(encoding="utf-8"))
FUELS = tomllib.loads((FOLDER / "fuel_carbon.toml").read_text(encoding="utf-8"))["fuel"]
DAY = date(2026, 11, 1)
LOOKUP = Lookup(builtin_factors(), DAY)
METHODS = [ElectricityMethod(entry["method"]) for entry in MONTH["method"]]
USED = {
    Carrier.ELECTRICITY: 12e6,
    Carrier.NATURAL_GAS: 6e5,
    Carrier.DIESEL: 45.0,
    Carrier.RAW_COAL: 1200.0,
    Carrier.HEAT: 30_000.0,
}
"""The month of the worked examples, in the units of the meters."""
ENERGY = arrays(np.float64, 6, elements=st.floats(0, 1e9))


def by_methods(purchased, *, certified=0.0, self_consumed=0.0, sold=0.0):
    factors = [LOOKUP.grid_carbon(method, "provincial:FJ").value for method in METHODS]
    counts = [builtin_factors().electricity(method).certificates for method in METHODS]

    def full(value):
        return np.broadcast_to(np.asarray(value, np.float64), np.shape(purchased)).copy()

    return electricity_carbon(
        full(purchased),
        np.array(factors),
        np.array(counts),
        certified=full(certified),
        self_consumed=full(self_consumed),
        certificates_sold=full(sold),
    )


def month_energy(basis=Basis.CALORIFIC, lookup=LOOKUP, **more):
    used = {**USED, **{Carrier(name): amount for name, amount in more.items()}}
    return energy_totals(
        np.array(list(used.values()))[:, np.newaxis],
        np.array([lookup.coal_equivalent(carrier, basis).value for carrier in used]),
        is_medium=np.array([carrier in MEDIA for carrier in used]),
        is_feedstock=np.zeros(len(used), np.bool_),
        is_renewable=np.array([carrier == Carrier.PHOTOVOLTAIC for carrier in used]),
    )


def month_inventory():
    fuels = [Carrier.NATURAL_GAS, Carrier.DIESEL, Carrier.RAW_COAL]
    electricity = by_methods(
        np.array([MONTH["purchased_kwh"]]),
        certified=MONTH["certified_kwh"],
        self_consumed=MONTH["self_consumed_kwh"],
    )
    return CarbonInventory(
        combustion=combustion_carbon(
            np.array([[USED[fuel]] for fuel in fuels]), np.array([LOOKUP.fuel_carbon(fuel).value for fuel in fuels])
        ),
        process=np.zeros(1),
        heat=np.array([USED[Carrier.HEAT]]) * LOOKUP.heat_carbon(Carrier.HEAT).value / 1000,
        electricity=electricity.emitted,
    )


# --- the worked examples --------------------------------------------------------------------------------------------


def test_the_month_of_the_worked_example_by_four_methods():
    inventory, energy = month_inventory(), month_energy()
    assert inventory.scope1 == pytest.approx([MONTH["scope1_t"]], abs=5e-5)
    assert inventory.heat == pytest.approx([MONTH["heat_t"]])
    assert energy.statistical_total == pytest.approx([MONTH["comprehensive_energy_tce"]], abs=5e-5)
    ratio = carbon_per_energy(inventory.total, energy.statistical_total)
    for place, entry in enumerate(MONTH["method"]):
        assert inventory.electricity[place] == pytest.approx([entry["electricity_t"]], abs=5e-3)
        assert inventory.total[place] == pytest.approx([entry["total_t"]], abs=1e-3)
        assert ratio[place] == pytest.approx([entry["per_tce"]], abs=5e-5)


def test_the_month_on_primary_basis_with_the_rate_that_was_entered():
    rate = Factor.model_validate(
        {
            "id": "rate",
            "kind": "coal_equivalent_primary",
            "carrier": "electricity",
            "scope": "national",
            "value": 0.2850,
            "unit": "kgce/kWh",
            "data_year": 2025,
            "valid_from": date(2026, 1, 1),
            "source": "worked example",
            "grade": "X",
        }
    )
    factors = builtin_factors()
    lookup = Lookup(factors.with_rows((*factors.factor, rate)), DAY)
    assert month_energy(Basis.PRIMARY, lookup).statistical_total == pytest.approx([6164.3295], abs=5e-5)


def test_water_counts_for_the_standard_and_not_for_statistics():
    dry, wet = month_energy(), month_energy(water=10_000.0)
    assert wet.media == pytest.approx([2.571])
    assert wet.gbt2589_total - dry.gbt2589_total == pytest.approx([2.571])
    assert wet.statistical_total == dry.statistical_total


def test_own_solar_electricity_is_energy_and_is_not_assessed():
    totals = month_energy(photovoltaic=1.5e6)
    assert totals.renewable == pytest.approx([184.35])
    assert totals.statistical_total - month_energy().statistical_total == pytest.approx([184.35])
    assert totals.assessed_total == pytest.approx(month_energy().statistical_total)


@pytest.mark.parametrize(
    "fuel", [f for f in FUELS if f["parameters"].endswith("other-industry")], ids=lambda f: f["carrier"]
)
def test_the_product_of_the_table_is_that_of_its_parameters(fuel):
    choices = LOOKUP.fuel_carbon(Carrier(fuel["carrier"])).choices
    heat, carbon, oxidation = (np.array([choice.value]) for choice in choices)
    assert emission_factor(heat, carbon, oxidation) * 1000 == pytest.approx([fuel["kg"]], abs=fuel["within"])


def test_feedstock_stays_in_the_total_and_leaves_the_assessment():
    totals = energy_totals(
        np.array([[100.0], [50.0]]),
        np.array([1457.1, 1330.0]),
        is_medium=np.zeros(2, np.bool_),
        is_feedstock=np.array([False, True]),
        is_renewable=np.zeros(2, np.bool_),
    )
    assert totals.statistical_total == pytest.approx([145.71 + 66.5])
    assert totals.assessed_total == pytest.approx([145.71])


def test_what_was_in_stock_counts_and_what_was_only_bought_does_not():
    consumed = consumed_from_stock(np.array([300.0]), np.array([1500.0]), np.array([100.0]), np.array([500.0]))
    assert consumed.tolist() == [1200.0]


def test_steam_made_from_counted_coal_is_not_counted_again():
    # A power station burns 1200 t, makes 20 000 GJ of steam, uses 12 000 and sells 8000.
    coal, steam = np.array([1200.0]), net_of_conversion(np.array([12_000.0]), np.array([20_000.0]))
    totals = energy_totals(
        np.array([coal, steam]),
        np.array([714.3, 34.12]),
        is_medium=np.zeros(2, np.bool_),
        is_feedstock=np.zeros(2, np.bool_),
        is_renewable=np.zeros(2, np.bool_),
    )
    assert totals.energy == pytest.approx([(1200 * 714.3 - 8000 * 34.12) / 1000])


def test_a_missing_medium_leaves_the_statistical_total_known():
    totals = month_energy(water=float("nan"))
    assert np.isnan(totals.gbt2589_total).all()
    assert totals.statistical_total == pytest.approx([4219.1295], abs=5e-5)


# --- laws ----------------------------------------------------------------------------------------------------


@given(ENERGY)
def test_without_certificates_a_market_method_charges_everything_at_the_residual_factor(purchased):
    found = by_methods(purchased)
    place = METHODS.index(ElectricityMethod.MARKET)
    assert found.charged[place] == pytest.approx(purchased)
    assert found.emitted[place] == pytest.approx(purchased * 0.6096 / 1000)
    assert found.certified.tolist() == [0.0] * 6


@given(ENERGY, ENERGY)
def test_certificates_never_make_electricity_negative_and_what_is_over_is_kept_apart(purchased, certified):
    found = by_methods(purchased, certified=certified)
    assert (found.charged >= 0).all()
    assert found.certified + found.unused == pytest.approx(certified)
    assert (found.certified <= purchased).all()


@given(ENERGY, ENERGY)
def test_certificates_do_not_touch_location_based_methods(purchased, certified):
    with_them, without = by_methods(purchased, certified=certified), by_methods(purchased)
    places = [METHODS.index(m) for m in METHODS if not builtin_factors().electricity(m).certificates]
    assert len(places) == 2
    for place in places:
        assert with_them.emitted[place].tolist() == without.emitted[place].tolist()


@given(ENERGY, ENERGY, ENERGY)
def test_a_sold_certificate_takes_the_claim_on_own_generation_along(purchased, made, sold):
    found = by_methods(purchased, self_consumed=made, sold=sold)
    place = METHODS.index(ElectricityMethod.MARKET)
    lost = np.minimum(made, sold)
    assert found.claim_lost == pytest.approx(lost)
    assert found.charged[place] == pytest.approx(purchased + lost)
    assert found.charged[METHODS.index(ElectricityMethod.LOCATION_PROVINCIAL)] == pytest.approx(purchased)


@given(ENERGY, ENERGY, st.floats(0.001, 1000))
def test_scaling_activity_scales_every_method(purchased, certified, scale):
    one = by_methods(purchased, certified=certified).emitted
    many = by_methods(purchased * scale, certified=certified * scale).emitted
    assert many == pytest.approx(one * scale, rel=1e-9, abs=1e-9)


@given(ENERGY)
def test_periods_add_up_for_methods_without_certificates(purchased):
    whole, parts = by_methods(purchased.sum(keepdims=True)), by_methods(purchased)
    assert whole.emitted[:, 0] == pytest.approx(parts.emitted.sum(axis=1), rel=1e-9)


@given(st.permutations(range(5)))
def test_the_order_of_carriers_does_not_matter(order):
    amounts, factors = np.array(list(USED.values()))[:, np.newaxis], np.arange(1.0, 6.0)
    places = list(order)
    found = combustion_carbon(amounts[places], factors[places])
    assert found == pytest.approx(combustion_carbon(amounts, factors), rel=1e-12)


@given(ENERGY, st.floats(0, 1))
def test_carbonates_scale_with_purity(mass, purity):
    pure = carbonate_carbon(mass[np.newaxis], np.array([1.0]), np.array([439.7]))
    found = carbonate_carbon(mass[np.newaxis], np.array([purity]), np.array([439.7]))
    assert found == pytest.approx(pure * purity, rel=1e-9, abs=1e-12)


def test_selling_more_than_one_buys_leaves_nothing_for_certificates_to_cover():
    found = by_methods(np.array([-5e5]), certified=1e6)
    assert found.certified.tolist() == [0.0]
    assert found.unused.tolist() == [1e6]
    assert (found.charged == -5e5).all()


def test_a_ratio_to_no_energy_is_not_known():
    assert np.isnan(carbon_per_energy(np.array([1.0, 1.0]), np.array([0.0, -1.0]))).all()


def test_factors_that_do_not_fit_the_methods_are_refused():
    zeros = np.zeros(3)
    with pytest.raises(ValueError, match=r"factors of shape \(2,\) do not fit \(3,\) methods"):
        electricity_carbon(
            zeros, np.ones(2), np.zeros(3, np.bool_), certified=zeros, self_consumed=zeros, certificates_sold=zeros
        )
