"""The hourly index beside the one that 20 stations published themselves, row by row; and other real sets.

The set (the real-time feed of the national network, Fuzhou, Quanzhou, Ningde and Putian, 2019) has no licence and is
not part of the project; `SMARTPARK_SHARED_DATA` names the folder that holds it. What it taught is pinned without it
in `test_air_quality.py`.
"""

import os
from pathlib import Path
from typing import Any

import pytest

GIVEN = os.environ.get("SMARTPARK_SHARED_DATA")
if not GIVEN:
    reason = "SMARTPARK_SHARED_DATA is not set: the published station hours are not part of the project"
    pytest.skip(reason, allow_module_level=True)

# Below, so that nobody loads pandas for nothing.
from validation.environment_sets import (  # noqa: E402  see above
    Stations,
    beijing,
    fujian_first_hour,
    fujian_stations,
    gas_turbine,
    published_index,
    published_means,
)


@pytest.fixture(scope="module")
def stations() -> Stations:
    return fujian_stations(Path(GIVEN or ""))


@pytest.fixture(scope="module")
def index(stations: Stations) -> dict[str, Any]:
    return published_index([fujian_first_hour(Path(GIVEN or "")), stations])


def test_every_row_with_all_six_pollutants_has_the_index_that_the_station_published(index: dict[str, Any]):
    assert index["rows_with_all_six"] == 131_282
    assert index["rows_with_all_six_and_index"] == 131_282
    assert index["rows_that_agree"] == 131_282


def test_another_rule_would_have_been_noticed(index: dict[str, Any]):
    assert index["would_agree_rounding_to_nearest"] < 110_000
    assert index["would_agree_with_24_hour_particles"] < 0.2


def test_the_network_takes_the_largest_of_what_is_there_where_we_give_none(index: dict[str, Any]):
    published, largest = index["index_published_with_a_pollutant_missing"], index["of_these_the_largest_of_the_rest"]
    assert (published, largest) == (13_271, 13_246)
    # The rest rests on concentrations that were not published with it.
    assert index["of_these_with_nothing_but_particles_or_nothing"] == published - largest == 25


def test_published_means_are_rounded_with_halves_to_even(stations: Stations):
    for name, found in published_means(stations).items():
        assert found["agree"] / found["means"] > 0.9998, name
        # Rounding halves up would agree with about one in two.
        assert found["halves"] > 2500, name
        assert found["halves_to_even"] / found["halves"] > 0.9995, name


def test_the_new_edition_moves_days_from_good_to_lightly_polluted_and_nothing_else():
    found = beijing(Path(GIVEN or ""))
    old, new = found["2012"]["share_of_levels"], found["2026"]["share_of_levels"]
    assert old == [838, 1860, 1190, 711, 527, 135]
    assert new == [838, 1860 - 376, 1190 + 376, 711, 527, 135]
    assert sum(old) == found["2012"]["days_with_index"] == 5261


def test_a_percent_of_oxygen_is_worth_a_fifth():
    found = gas_turbine(Path(GIVEN or ""))
    assert found["hours"] == 22_191
    assert found["at_15_percent"]["mean"] == found["mean"]
    assert found["at_16_percent"]["mean"] / found["mean"] == pytest.approx(6 / 5, abs=1e-3)
    assert found["at_14_percent"]["mean"] / found["mean"] == pytest.approx(6 / 7, abs=1e-3)
    assert found["at_14_percent"]["hours_above"] < found["at_15_percent"]["hours_above"]
