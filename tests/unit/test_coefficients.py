"""What a unit of a carrier comes to: which factors are asked, in which order, and what the number rests on."""

import tomllib
from datetime import date
from pathlib import Path

import pytest
from smartpark.coefficients import Basis, Lookup
from smartpark.errors import FactorNotFoundError
from smartpark.factors import ElectricityMethod, Factor, Reason, builtin_factors
from smartpark.measurands import Carrier

GOLDEN = tomllib.loads((Path(__file__).parents[1] / "golden" / "fuel_carbon.toml").read_text(encoding="utf-8"))
DAY = date(2026, 11, 1)


def own(**row):
    return Factor.model_validate(
        {"carrier": "raw_coal", "park": "hill", "valid_from": date(2026, 1, 1), "source": "laboratory", "grade": "P"}
        | row
    )


def lookup(*rows, on=DAY, **whose):
    builtin = builtin_factors()
    return Lookup(builtin.with_rows((*builtin.factor, *rows)), on, "hill", **whose)


@pytest.mark.parametrize("fuel", GOLDEN["fuel"], ids=lambda fuel: f"{fuel['carrier']} {fuel['parameters']}")
def test_the_table_of_fuels_is_reproduced(fuel):
    found = lookup(fuel_parameters=(fuel["parameters"],)).fuel_carbon(Carrier(fuel["carrier"]))
    assert found.unit == fuel["unit"]
    assert found.value == pytest.approx(fuel["kg"], abs=fuel["within"])
    assert len(found.choices) == 3


def test_a_parameter_set_is_selected_and_the_next_one_fills_in():
    both = lookup(fuel_parameters=("table:national-database-2026-03", "table:guideline-other-industry"))
    assert both.fuel_carbon(Carrier.NATURAL_GAS).value == pytest.approx(2.154, abs=5e-4)
    assert both.fuel_carbon(Carrier.COKE).value == pytest.approx(2851.8, abs=0.1)
    # The edition holds since 2026-03-01; before, the guideline did.
    before = lookup(
        on=date(2026, 2, 28), fuel_parameters=("table:national-database-2026-03", "table:guideline-other-industry")
    )
    assert before.fuel_carbon(Carrier.NATURAL_GAS).value == pytest.approx(2.16219, abs=1e-5)
    assert before.fuel_carbon(Carrier.NATURAL_GAS).choices[0].passed_over == (
        "measured",
        "supplier",
        "table:national-database-2026-03",
    )


def test_a_measured_calorific_value_counts_in_energy_and_in_carbon():
    measured = own(id="lab", kind="net_calorific_value", scope="measured", value=21.0, unit="GJ/t")
    found = lookup(measured)
    energy = found.coal_equivalent(Carrier.RAW_COAL)
    assert energy.value == pytest.approx(21.0e6 / 29307)
    assert (energy.unit, energy.ids, energy.choices[0].reason) == ("kgce/t", ("lab",), Reason.MEASURED)
    carbon = found.fuel_carbon(Carrier.RAW_COAL)
    assert carbon.value == pytest.approx(21.0 * 0.02618 * 0.93 * 44 / 12 * 1000)
    assert carbon.ids[0] == "lab"


def test_the_suppliers_value_stands_in_until_one_is_measured_and_the_table_before_both():
    supplier = own(id="s", kind="net_calorific_value", scope="supplier", value=20.0, unit="GJ/t")
    measured = own(
        id="m", kind="net_calorific_value", scope="measured", value=21.0, unit="GJ/t", valid_from=date(2026, 6, 1)
    )
    ids = [
        lookup(supplier, measured, on=on).coal_equivalent(Carrier.RAW_COAL).ids
        for on in (date(2025, 12, 31), date(2026, 1, 1), date(2026, 6, 1))
    ]
    assert ids == [("gbt2589-2020:raw_coal",), ("s",), ("m",)]


def test_the_published_coefficient_is_used_and_not_the_ratio():
    assert lookup().coal_equivalent(Carrier.ELECTRICITY).value == 0.1229
    assert lookup().coal_equivalent(Carrier.HEAT).value == 34.12


def test_the_primary_basis_needs_a_row_that_somebody_entered():
    with pytest.raises(FactorNotFoundError, match="smartpark factors load FILE"):
        lookup().coal_equivalent(Carrier.ELECTRICITY, Basis.PRIMARY)
    entered = own(
        id="rate-2024",
        kind="coal_equivalent_primary",
        carrier="electricity",
        scope="national",
        value=285.0,
        unit="gce/kWh",
        data_year=2024,
        park=None,
    )
    found = lookup(entered)
    assert found.coal_equivalent(Carrier.ELECTRICITY, Basis.PRIMARY).value == pytest.approx(0.285)
    assert found.coal_equivalent(Carrier.PHOTOVOLTAIC, Basis.PRIMARY).value == pytest.approx(0.285)
    assert found.coal_equivalent(Carrier.DIESEL, Basis.PRIMARY).value == 1457.1


@pytest.mark.parametrize(
    ("method", "value"),
    [
        (ElectricityMethod.LOCATION_PROVINCIAL, 0.4211),
        (ElectricityMethod.LOCATION_NATIONAL, 0.5306),
        (ElectricityMethod.MARKET, 0.6096),
        (ElectricityMethod.ZERO_CARBON_PARK, 0.8273),
    ],
)
def test_four_methods_select_four_factors(method, value):
    assert lookup().grid_carbon(method, "provincial:FJ").value == value


def test_a_supplier_of_heat_goes_before_the_default():
    assert lookup().heat_carbon(Carrier.HEAT).value == pytest.approx(110.0)
    supplier = own(id="chp", kind="carbon_dioxide", carrier="heat", scope="supplier", value=0.09, unit="t/GJ")
    assert lookup(supplier).heat_carbon(Carrier.HEAT).value == pytest.approx(90.0)


def test_purity_of_a_carbonate_has_no_default():
    with pytest.raises(FactorNotFoundError, match="no purity factor for limestone of scope measured or supplier"):
        lookup().process_carbon(Carrier.LIMESTONE)
    pure = own(id="lab", kind="purity", carrier="limestone", scope="measured", value=95, unit="%")
    assert lookup(pure).process_carbon(Carrier.LIMESTONE).value == pytest.approx(439.7 * 0.95)


def test_a_range_in_the_table_is_no_default():
    with pytest.raises(FactorNotFoundError, match="of other scopes: table:high, table:low"):
        lookup().coal_equivalent(Carrier.COKE_OVEN_GAS)


def test_a_fuel_without_carbon_has_its_own_factor():
    assert lookup().fuel_carbon(Carrier.HYDROGEN).value == 0.0
    with pytest.raises(FactorNotFoundError):
        lookup().fuel_carbon(Carrier.METHANOL)
