"""The numbers of docs/validation.md, from the sets themselves, where they are at hand."""

import importlib

import numpy as np
import pytest


@pytest.fixture(scope="module")
def real_sets():
    """What measures them: loaded where it is asked for, because pandas and CoolProp take seconds to load."""
    return importlib.import_module("real_sets")


@pytest.fixture
def data(real_sets):
    folder = real_sets.folder()
    if folder is None:
        pytest.skip("the real sets are not part of the project: set SMARTPARK_SHARED_DATA to their folder")
    return folder


def test_the_campus_load_is_its_generation_and_import_where_its_own_meters_agree(real_sets, data):
    found = real_sets.campus(data)
    months = found["residual_share_by_month"]
    troubled = {month for month, share in months.items() if abs(share) > 1e-3}
    assert troubled == {"2018-01", "2018-02", "2018-09", "2019-01"}
    assert max(abs(share) for month, share in months.items() if month not in troubled) < 1e-4
    verdicts = found["verdicts_if_all_meters_were_of_class_0.5"]
    assert sum(verdicts.values()) == found["quarter_hours"] == 52416
    assert verdicts["within"] / found["quarter_hours"] > 0.93


def test_every_power_factor_of_the_steel_plant_is_the_published_one_rounded_as_a_bill_does(real_sets, data):
    found = real_sets.steel(data)["power_factor_worst_difference_points"]
    assert found["lagging_rows"] == found["leading_rows"] == 23328
    assert found["lagging"] <= 0.5
    assert found["leading"] <= 0.5


def test_the_heat_meter_counts_what_its_water_gave_off(real_sets, data):
    found = real_sets.heat_meter(data)
    assert found["energy_kwh"] == pytest.approx(found["register_difference_kwh"], abs=0.1)
    # A flow sensor in the inlet: the heat of water at inlet temperature fits, that at return temperature does not.
    at_inlet = found["kwh_per_m3_kelvin"] / found["kwh_per_m3_kelvin_of_water_at_inlet"] - 1
    at_return = found["kwh_per_m3_kelvin"] / found["kwh_per_m3_kelvin_of_water_at_return"] - 1
    assert abs(at_inlet) < 0.005 < abs(at_return)


def test_registers_of_a_house_are_conserved_and_its_balance_is_what_its_meters_say(real_sets, data):
    found = real_sets.household_with_photovoltaics(data)
    assert found["registers_off_by_kwh"] < 1e-9
    assert found["hours_negative_consumption"] == 7
    assert found["hours_negative_rest"] / found["hours_with_every_register"] < 0.01


def test_sliding_windows_find_at_least_what_blocks_find_on_a_real_year(real_sets, data):
    found = real_sets.household_demand(data)
    ratio = np.array(found["sliding_kw"]) / np.array(found["block_kw"])
    assert ((ratio >= 1) & (ratio <= 2)).all()
    assert found["sliding_over_block_max"] > 1.1
