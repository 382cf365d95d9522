"""What a contract leaves: whose it is, by demand or by capacity, and what is not known."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from smartpark.catalogue import parse_catalogue
from smartpark_analytics.planning.contracts import Agreed, Demand, agreements, capacity_room, demand_room

OCTOBER, NOVEMBER = (datetime(2026, month, 1, tzinfo=UTC) for month in (10, 11))
PARK = {
    "code": "p",
    "name": "园区",
    "name_en": "Park",
    "region": "350121",
    "terrain": "coastal",
    "peer_class": 1,
    "area_mu": 10.0,
    "contract_demand_kw": 900.0,
}


def enterprise(code, **more):
    return {
        "code": code,
        "name": code,
        "name_en": code,
        "uscc": "91350100M000100Y43",
        "is_above_scale": False,
        **more,
    }


def test_a_contract_counts_more_than_what_is_said_of_its_owner():
    contract = {"code": "HT", "valid_from": "2026-01-01", "valid_to": "2027-01-01"}
    catalogue = parse_catalogue(
        {
            "park": PARK,
            "enterprise": [enterprise("A", contract_demand_kw=100.0), enterprise("B"), enterprise("C")],
            "contract": [
                {**contract, "basic_charge": "contract_demand", "contract_demand_kw": 1000.0},
                {**contract, "code": "HT-C", "enterprise": "C", "basic_charge": "capacity", "capacity_kva": 630.0},
            ],
        },
        file="test",
    )
    assert agreements(catalogue, date(2026, 6, 1)) == [
        Agreed("HT", None, 1000.0, None),
        Agreed("A", "A", 100.0, None),
        Agreed("HT-C", "C", None, 630.0),
    ]
    # After its end there is what is said of the park.
    assert agreements(catalogue, date(2027, 6, 1)) == [
        Agreed("park", None, 900.0, None),
        Agreed("A", "A", 100.0, None),
    ]
    assert agreements(None, date(2026, 6, 1)) == []


def test_the_month_with_the_highest_demand_is_named():
    room = demand_room(1000.0, [Demand(OCTOBER, 1200.0, 1.0), Demand(NOVEMBER, 800.0, 0.5)], least_completeness=0.1)
    assert (room.peak, room.peak_at, room.headroom, room.reason) == (1200.0, OCTOBER, -200.0, None)
    assert room.completeness == pytest.approx(1.5 / 12)
    assert not room.is_lower_bound


def test_quarter_hours_by_the_clock_are_a_lower_bound_of_what_is_billed():
    both = [Demand(OCTOBER, 900.0, 0.2), Demand(OCTOBER, 950.0, 1.0, is_block=True)]
    room = demand_room(1000.0, both, least_completeness=0.05)
    assert (room.peak, room.completeness, room.is_lower_bound) == (950.0, 1 / 12, True)


@pytest.mark.parametrize("months", [[], [Demand(OCTOBER, None, 0.0)]])
def test_without_a_known_month_there_is_a_reason_and_no_number(months):
    room = demand_room(1000.0, months, least_completeness=0.5)
    assert (room.peak, room.headroom, room.completeness) == (None, None, 0.0)
    assert room.reason is not None


def test_a_capacity_that_nothing_measures_has_a_reason():
    nothing = capacity_room(630.0, None, None, completeness=0.0, is_lower_bound=True)
    assert (nothing.headroom, nothing.reason) == (None, "nothing measures its apparent power")
    assert capacity_room(630.0, 400.0, OCTOBER, completeness=0.9, is_lower_bound=False).headroom == 230.0


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=13), st.floats(1, 1e6))
def test_headroom_and_peak_make_up_what_was_agreed_on(values, agreed):
    room = demand_room(agreed, [Demand(OCTOBER, value, 1.0) for value in values], least_completeness=0.5)
    assert room.peak == max(values)
    assert room.headroom == agreed - max(values)
    assert 0 < room.completeness <= 1
