"""Nodes and paths of a park's network, and what kind of day each slot lies in."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from smartpark.load_network import LoadPointRow, NodeRow
from smartpark.workdays import builtin_workdays
from smartpark_analytics.forecast_features import DayType
from smartpark_analytics.planning.curves import MeterCurves, calendar_slots, floor_to, meter_signs, park_signs
from smartpark_analytics.planning.network import UnknownNodeError, find_node, node_loads, nodes_of, paths_of
from smartpark_api.planning.asking import month_or_day


def transformer(code, *, feeder=None, rated=1000.0):
    return NodeRow("transformer", code, code, rated, 10.0, None, None, feeder)


def feeder(code, *, main=None):
    return NodeRow("feeder", code, code, 3000.0, None, None, None, main)


def meter(device, *, on=None, parent=None, role="distribution", measurand="active_power", point=1, code=None):
    return LoadPointRow(point, device, code or measurand, measurand, parent, on, role, "electricity", False)


def test_a_feeder_and_a_transformer_may_have_the_same_code():
    nodes = nodes_of([feeder("1", main="1"), transformer("1"), transformer("2", feeder="1")], [], [])
    assert [node.code for node in nodes] == ["feeder/1", "transformer/1", "transformer/2", "park"]
    assert paths_of(nodes)[2] == ("transformer/2", "feeder/1", "transformer/1", "park")
    assert find_node(nodes, "feeder/1").kind == "feeder"
    assert find_node(nodes, "2").code == "transformer/2"
    with pytest.raises(UnknownNodeError, match="'1' names 2"):
        find_node(nodes, "1")


def test_the_topmost_meter_of_a_transformer_is_its_load():
    points = [
        meter("F1", on="A", parent="M0"),
        meter("T1", on="A", parent="F1"),
        meter("X", on="A", parent="elsewhere"),
        meter("PV", on="A", role="generation"),
    ]
    node, _ = nodes_of([transformer("A")], points, [])
    assert node.meters == ("F1", "X")


def test_the_park_is_what_all_its_supplies_carry_and_what_crosses_its_boundary():
    points = [
        meter("M1", role="boundary", on="A"),
        meter("M2", role="boundary"),
        meter("CHECK", role="boundary", parent="M2"),
        meter("PV", role="generation"),
    ]
    rows = [feeder("F", main="A"), feeder("G"), transformer("A", rated=5000.0), transformer("D", feeder="F")]
    park = nodes_of(rows, points, [])[-1]
    assert (park.code, park.meters, park.rated_kva) == ("park", ("M1", "M2"), 8000.0)
    assert not park.is_replaceable
    nobody = nodes_of([], [], [])
    assert [(node.code, node.rated_kva, node.meters) for node in nobody] == [("park", None, ())]


def test_only_a_distribution_transformer_is_replaced():
    rows = [feeder("F", main="A"), transformer("A"), transformer("D", feeder="F")]
    assert {node.code: node.is_replaceable for node in nodes_of(rows, [], [])} == {
        "feeder/F": False,
        "transformer/A": False,
        "transformer/D": True,
        "park": False,
    }


def test_a_transformer_is_found_as_its_station():
    nodes = nodes_of([transformer("A"), transformer("B")], [], [("A", "B")])
    assert {find_node(nodes, name).code for name in ("A", "transformer/B", "transformer/A+B")} == {"transformer/A+B"}
    with pytest.raises(UnknownNodeError):
        find_node(nodes, "feeder/A")


def test_a_station_needs_a_meter_on_each_of_its_transformers():
    rows = [transformer("A"), transformer("B")]
    half = nodes_of(rows, [meter("F1", on="A")], [("A", "B")])
    assert [(node.code, node.meters, node.ratings) for node in half] == [
        ("transformer/A+B", (), (1000.0, 1000.0)),
        ("park", (), (1000.0, 1000.0)),
    ]
    whole = nodes_of(rows, [meter("F1", on="A"), meter("F2", on="B")], [("A", "B")])
    assert whole[0].meters == ("F1", "F2")


def test_a_sum_with_an_unmeasured_part_is_not_known():
    rows = [feeder("F"), transformer("A", feeder="F"), transformer("B", feeder="F")]
    curves = MeterCurves(("MA", "MB"), np.array([[1.0, 2.0], [10.0, np.nan]]), np.zeros((2, 2)))
    both = nodes_of(rows, [meter("MA", on="A"), meter("MB", on="B")], [])
    active, _ = node_loads(both, curves)
    park = [11.0, np.nan]  # no meter at its boundary: the sum of its supplies
    assert np.array_equal(active, [[11.0, np.nan], [1.0, 2.0], [10.0, np.nan], park], equal_nan=True)
    one = nodes_of(rows, [meter("MA", on="A")], [])
    active, _ = node_loads(one, curves)
    assert np.isnan(active[0]).all()
    assert np.isnan(active[2]).all()


def test_a_device_with_phases_and_a_total_counts_once():
    points = [
        meter("M", point=1),
        meter("M", point=2, code="active_power_a"),
        meter("M", point=3, measurand="active_energy_export"),
        meter("N", point=4, code="active_power_a"),
        meter("N", point=5, code="active_power_b"),
    ]
    assert meter_signs(points) == {1: 1, 3: -1, 4: 1, 5: 1}


def test_reactive_power_is_no_part_of_the_parks_load():
    points = [meter("M", role="boundary", point=1), meter("M", role="boundary", measurand="reactive_power", point=2)]
    assert park_signs(points) == {1: 1}


def test_days_begin_at_midnight_of_the_park():
    eve = datetime(2026, 9, 30, 15, 0, tzinfo=UTC)  # eleven at night in the park
    slots = calendar_slots(builtin_workdays(), eve, 26, timedelta(hours=1))
    assert slots.types.tolist() == [DayType.WORKED] + [DayType.HOLIDAY] * 24 + [DayType.HOLIDAY]
    assert list(slots.days) == [date(2026, 9, 30), date(2026, 10, 1), date(2026, 10, 2)]


@pytest.mark.parametrize(
    ("day", "kind"),
    [
        (datetime(2026, 2, 17, tzinfo=UTC), DayType.FESTIVAL),
        (datetime(2026, 10, 10, tzinfo=UTC), DayType.MAKE_UP),
        (datetime(2026, 11, 22, tzinfo=UTC), DayType.REST),
        (datetime(2031, 11, 20, tzinfo=UTC), DayType.WORKED),  # not covered: by its weekday
    ],
)
def test_kinds_of_days(day, kind):
    slots = calendar_slots(builtin_workdays(), day, 1, timedelta(hours=1))
    assert slots.types.tolist() == [kind]
    assert (slots.days[day.date()] is None) == (day.year == 2031)


def test_slots_begin_on_whole_quarters():
    assert floor_to(datetime(2026, 11, 23, 1, 29, 59, tzinfo=UTC), timedelta(minutes=15)).minute == 15


def test_a_month_is_its_first_day():
    assert month_or_day("2027-03") == date(2027, 3, 1)
    assert month_or_day("2027-03-15") == date(2027, 3, 15)
