"""The park that does not exist obeys the laws of one that does: balance, integrals, registers, replay."""

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from smartpark.catalogue import load_catalogue
from smartpark.clock import to_us
from smartpark.measurands import MEANINGS, Kind
from smartpark_simulators import replay
from smartpark_simulators.flows import DAY_US, Flow
from smartpark_simulators.instruments import Instrument, Register, build_instruments, decimals
from smartpark_simulators.parks import DEMO_PARK
from smartpark_simulators.physics import FEEDERS, LOADS, World

ORIGIN = to_us(datetime(2026, 10, 5, tzinfo=UTC))
SPAN = 5 * DAY_US
CATALOGUE = load_catalogue(DEMO_PARK)
WORLD = World(7, ORIGIN)
INSTRUMENTS = build_instruments(CATALOGUE, WORLD)
COUNTERS = [one for points in INSTRUMENTS.values() for one in points.values() if one.point.kind is Kind.COUNTER]
offsets = st.integers(0, SPAN)


def _at(*instants: int) -> np.ndarray:
    return np.array(instants, dtype=np.int64)


@given(offsets)
def test_what_comes_in_and_what_is_made_equals_what_is_drawn_and_lost(offset):
    t = _at(ORIGIN + offset)
    tenants = sum(WORLD.electric(load.code).integral(t)[0] for load in LOADS) + WORLD.electric("T01").integral(t)[0]
    feeders = sum(WORLD.electric(feeder).integral(t)[0] for feeder in FEEDERS)
    assert feeders == pytest.approx(tenants, rel=1e-9, abs=1e-6)
    losses = WORLD.net_import_kwh(t)[0] + WORLD.electric("PV1").integral(t)[0] - feeders
    assert 0 <= losses <= 0.02 * feeders + 1e-6


@given(offsets)
def test_gas_of_the_boundary_is_the_gas_of_its_users(offset):
    t = _at(ORIGIN + offset)
    parts = sum(WORLD.medium(device, "gas_volume").integral(t)[0] for device in ("G2", "G3"))
    assert WORLD.medium("G1", "gas_volume").integral(t)[0] == pytest.approx(parts, rel=1e-9, abs=1e-6)


@given(st.lists(offsets, min_size=2, max_size=12, unique=True))
def test_an_integral_adds_up_whatever_the_cuts(cuts):
    flow = WORLD.electric("T03")
    t = np.sort(_at(*(ORIGIN + cut for cut in cuts)))
    integral = flow.integral(t)
    assert (np.diff(integral) >= 0).all()
    assert np.diff(integral).sum() == pytest.approx(integral[-1] - integral[0], abs=1e-6)


def test_an_integral_is_the_area_under_the_line():
    flow = Flow(lambda _day: np.linspace(0.0, 1439.0, 1440), 0)
    # A line from 0 to 60 kW over the first hour holds 30 kWh.
    assert flow.integral(_at(0, 3_600_000_000)).tolist() == pytest.approx([0.0, 30.0])
    assert flow.at(_at(90_000_000))[0] == pytest.approx(1.5)


@settings(max_examples=40)
@given(st.sampled_from(COUNTERS), st.lists(offsets, min_size=2, max_size=6, unique=True))
def test_a_register_counts_the_energy_that_flowed_to_within_a_step(instrument: Instrument, cuts):
    register = instrument.source
    assert isinstance(register, Register)
    t = np.sort(_at(*(ORIGIN + cut for cut in cuts)))
    shown = register.steps(t)
    assert (np.diff(shown) >= 0).all()
    flowed = np.diff(register.flow.integral(t))
    assert np.abs(np.diff(shown) * register.per_step - flowed).max() <= register.per_step * (1 + 1e-6)


def test_two_worlds_of_one_seed_are_the_same_and_of_two_seeds_are_not():
    t = ORIGIN + np.arange(0, SPAN, 7_777_777_777)
    again, other = World(7, ORIGIN), World(8, ORIGIN)
    assert (again.electric("M0").integral(t) == WORLD.electric("M0").integral(t)).all()
    assert (other.electric("M0").at(t) != WORLD.electric("M0").at(t)).all()


def test_a_later_origin_moves_the_registers_zero_and_nothing_else():
    later = World(7, ORIGIN + 2 * DAY_US)
    t = ORIGIN + 2 * DAY_US + np.arange(0, DAY_US, 3_333_333_333)
    assert later.electric("T05").at(t).tolist() == WORLD.electric("T05").at(t).tolist()
    expected = np.diff(WORLD.electric("T05").integral(t))
    assert np.diff(later.electric("T05").integral(t)) == pytest.approx(expected)


def test_the_roof_makes_nothing_at_night_and_much_at_noon():
    midnight, noon = (to_us(datetime(2026, 10, 7, hour, tzinfo=UTC)) for hour in (16, 4))
    dark, bright = WORLD.electric("PV1").at(_at(midnight, noon))
    assert dark == 0
    assert bright > 200


def test_a_register_that_rolls_over_shows_the_rest_after_its_last_digit():
    world = World(7, ORIGIN)
    register = build_instruments(CATALOGUE, world)["T05"]["active_energy_import"].source
    assert isinstance(register, Register)
    register.roll_over_at(ORIGIN + DAY_US)
    before, after = register.steps(_at(ORIGIN + DAY_US - 3_600_000_000, ORIGIN + DAY_US + 3_600_000_000)).tolist()
    assert register.modulus is not None
    assert before > 0.99 * register.modulus
    assert 0 <= after < 0.01 * register.modulus
    flowed = np.diff(register.flow.integral(_at(ORIGIN + DAY_US - 3_600_000_000, ORIGIN + DAY_US + 3_600_000_000)))[0]
    assert (after - before + register.modulus) * register.per_step == pytest.approx(flowed, abs=2 * register.per_step)


def test_a_replaced_meter_was_read_and_then_began_at_zero():
    world = World(7, ORIGIN)
    register = build_instruments(CATALOGUE, world)["C01"]["active_energy_import"].source
    assert isinstance(register, Register)
    untouched = register.steps(_at(ORIGIN + DAY_US))[0]
    register.resets.append(ORIGIN + DAY_US)
    at_reset, after = register.steps(_at(ORIGIN + DAY_US, ORIGIN + DAY_US + 900_000_000)).tolist()
    flowed = np.diff(register.flow.integral(_at(ORIGIN + DAY_US, ORIGIN + DAY_US + 900_000_000)))[0]
    assert at_reset == untouched
    assert after * register.per_step == pytest.approx(flowed, abs=register.per_step)


def test_decimal_text_keeps_every_digit():
    assert decimals(np.array([12340, -7, 0]), -2) == ["123.40", "-0.07", "0.00"]
    assert decimals(np.array([12]), 3) == ["12000"]


def test_every_gauge_lies_within_the_range_of_its_measurand():
    t = ORIGIN + np.arange(0, SPAN, 1_234_567_890)
    for points in INSTRUMENTS.values():
        for code, one in points.items():
            values = [float(text) for text in one.show(t) if text is not None]
            meaning = MEANINGS[one.point.measurand]
            assert values, code
            assert meaning.low <= min(values) <= max(values) <= meaning.high, one.point.key


def test_the_steel_works_rows_are_taken_in_file_order_because_a_label_a_day_is_wrong():
    rows = replay._rows("steel_15min.csv.gz")
    days = [rows[i : i + 96] for i in range(0, len(rows), 96)]
    assert len(days) == 56
    for day in days:
        # The defect: the last row of each day is labelled 00:00 of the same day.
        assert [row["date"].split()[0] for row in day] == [day[0]["date"].split()[0]] * 96
        assert day[0]["date"].endswith("00:15")
        assert day[-1]["date"].endswith("00:00")
    assert replay.steel_power()[95] == pytest.approx(float(rows[95]["Usage_kWh"]) * 4)


def test_a_replayed_monday_morning_stays_a_monday_morning():
    monday = to_us(datetime(2026, 11, 15, 16, tzinfo=UTC))  # Monday 16 November, 00:00 in Shanghai
    weeks = (monday - replay._MONDAY_US) // (7 * DAY_US)
    quarter = (weeks % 8) * 7 * 96
    nodes = replay.daily_nodes(replay.steel_power(), 15, monday // DAY_US)
    assert nodes[16 * 60] == replay.steel_power()[quarter]


def test_what_the_real_station_did_not_measure_stays_missing():
    column = replay.air_column("NO2")
    assert np.isnan(column).any()
    hour = int(np.flatnonzero(np.isnan(column))[0])
    instant = replay._MONDAY_US + hour * 3_600_000_000
    assert np.isnan(replay.hourly_at(column, _at(instant)))[0]


def test_the_demo_park_has_something_of_every_kind_to_show():
    assert {contract.enterprise for contract in CATALOGUE.contract} == {None, "T02"}
    assert all(transformer.feeder for transformer in CATALOGUE.transformer)
    assert [meter.code for meter in CATALOGUE.virtual_meter] == ["V1"]
    assert all(device.accuracy_class for device in CATALOGUE.device if device.kind == "meter")
    assert all(device.emission_limit and device.furnace for device in CATALOGUE.device if device.kind == "stack")
    burners = [d.code for d in CATALOGUE.device if d.carrier == "natural_gas" and d.furnace is not None]
    assert burners == ["G2", "G3"]
