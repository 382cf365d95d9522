"""Faults come when the seed says, and each has an exact consequence in the ledger."""

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime

import pytest
from smartpark.catalogue import load_catalogue
from smartpark.cli import main
from smartpark.clock import to_us
from smartpark_simulators.commands import FAULTS
from smartpark_simulators.demo.report import judge
from smartpark_simulators.devices import Devices, skewed_clock
from smartpark_simulators.faults import (
    SLOT_US,
    FaultKind,
    FaultPlan,
    RegisterEvents,
    UnknownFaultError,
    parse_faults,
)
from smartpark_simulators.instruments import build_instruments
from smartpark_simulators.ledger import ExpectedDead, LedgerError, TrueReading, TruthLedger
from smartpark_simulators.parks import DEMO_PARK
from smartpark_simulators.physics import World
from smartpark_simulators.truth import CarbonFactors, complete_quarters, write_truth

CATALOGUE = load_catalogue(DEMO_PARK)
START = to_us(datetime(2026, 11, 16, tzinfo=UTC)) // SLOT_US * SLOT_US
DEVICES = ["T03", "T04", "T07", "T09", "T10", "G1", "A2", "W1", "T01"]


def _devices(*kinds: FaultKind, names: list[str] | None = None) -> Devices:
    instruments = build_instruments(CATALOGUE, World(3, START - 2 * 86_400_000_000))
    return Devices.of(CATALOGUE, instruments, FaultPlan(3, frozenset(kinds), names or DEVICES))


def _minute(devices: Devices):
    return [(s, message) for s in range(60) for message in devices.live(START + s * 1_000_000)]


def test_the_command_names_the_faults_there_are():
    assert set(FAULTS) == set(FaultKind)


def test_an_unknown_fault_is_told_with_those_there_are():
    with pytest.raises(UnknownFaultError, match=r"earthquake.*dropout"):
        parse_faults("dropout,earthquake")


@pytest.mark.parametrize("slot", range(0, 40, 7))
def test_a_plan_is_repeatable_and_stays_within_its_slot(slot):
    plan = FaultPlan(5, frozenset(FaultKind), DEVICES)
    troubles = plan.passing(slot)
    assert troubles == FaultPlan(5, frozenset(FaultKind), DEVICES).passing(slot)
    assert all(slot * SLOT_US <= t.start <= t.end < (slot + 1) * SLOT_US for t in troubles)
    assert len({t.device for t in troubles}) == len(troubles)


def test_without_faults_every_message_is_only_what_it_says():
    messages = [message for _, message in _minute(_devices())]
    assert messages
    assert all(message.dead is None and message.readings for message in messages)


def test_a_dropout_sends_nothing_for_its_span():
    quiet, normal = (_minute(_devices(*kinds)) for kinds in ((FaultKind.DROPOUT,), ()))
    assert len(quiet) < len(normal)
    assert {m.body for _, m in quiet} < {m.body for _, m in normal}


def test_a_duplicate_is_the_same_message_twice():
    bodies = [message.body for _, message in _minute(_devices(FaultKind.DUPLICATES))]
    assert len(bodies) - len(set(bodies)) >= 3


def test_garbage_is_one_letter_and_no_reading():
    broken = [message for _, message in _minute(_devices(FaultKind.GARBAGE)) if message.dead is not None]
    assert len(broken) == 3
    assert all(message.dead.letters == 1 and not message.readings for message in broken)
    for message in broken:
        with pytest.raises(ValueError):  # noqa: PT011  JSON or UTF-8, whichever breaks first
            json.loads(message.body)


def test_a_clock_out_of_range_is_one_letter_for_each_of_its_readings():
    skewed = [m for _, m in _minute(_devices(FaultKind.CLOCK_SKEW, names=["T04"])) if m.dead is not None]
    assert len(skewed) == 3
    for message in skewed:
        fields = json.loads(message.body)
        assert message.dead.letters == len(fields) - 1
        assert fields["time"][:4] in {"1976", "2049"}
        assert not message.readings


def test_skewed_clocks_lie_beyond_what_the_platform_believes():
    assert {datetime.fromtimestamp(skewed_clock(START + s * 1_000_000) / 1e6, UTC).year for s in (0, 1)} == {
        1976,
        2049,
    }


def test_a_stuck_meter_repeats_its_gauges_and_counts_on():
    devices = _devices(FaultKind.STUCK, names=["T10"])
    start = next(t for t in devices.plan.passing(START // SLOT_US)).start
    shown = []
    for s in range(5):
        [message] = [m for m in devices.live(start + s * 1_000_000) if m.topic == "meters/T10"]
        shown.append(json.loads(message.body))
    assert len({one["active_power"] for one in shown}) == 1
    free = _devices(names=["T10"])
    powers = set()
    for s in range(5):
        [message] = [m for m in free.live(start + s * 1_000_000) if m.topic == "meters/T10"]
        powers.add(json.loads(message.body)["active_power"])
    assert len(powers) > 1


def test_a_sensor_that_fails_has_a_status_instead_of_a_value():
    devices = _devices(FaultKind.SENSOR_FAILURE)
    start = next(iter(devices.plan.passing(START // SLOT_US))).start
    readings = {reading.point: reading for reading in devices.plc(start + 500_000)}
    failed = readings["minhou-demo/S2/so2_concentration"]
    assert failed.value is None
    assert failed.status == 0x808C0000
    assert readings["minhou-demo/S1/dust_concentration"].status == 0x40000000


def test_history_has_each_quarter_of_an_hour_once():
    devices = _devices()
    start, end = START - 86_400_000_000, START
    readings = [(r.point, r.time) for message in devices.history(start, end) for r in message.readings]
    assert len(readings) == len(set(readings))
    times = {time for point, time in readings if point == "minhou-demo/M0/active_energy_import"}
    assert times == set(range(start, end + 1, 900_000_000))


def test_register_events_fall_into_the_history_and_a_reset_onto_a_reading():
    now = START + 123_456
    events = RegisterEvents.draw(
        frozenset(FaultKind), rolls="T05", resets="C01", history_start=START - 10 * 86_400_000_000, live_start=now
    )
    assert START - 10 * 86_400_000_000 < events.rollover["T05"] < now
    assert events.reset["C01"] % 900_000_000 == 0


def test_the_ledger_keeps_one_row_for_a_reading_said_twice(tmp_path):
    ledger = TruthLedger(tmp_path / "truth.sqlite")
    reading = TrueReading("p/d/x", 1, "1.0")
    ledger.add([reading, reading], ExpectedDead("garbage", "t", 1, 1))
    ledger.add([reading])
    ledger.close()
    with closing(sqlite3.connect(tmp_path / "truth.sqlite")) as database:
        assert database.execute("SELECT count(*) FROM reading").fetchone() == (1,)
        assert database.execute("SELECT sum(letters) FROM expected_dead").fetchone() == (1,)


def test_a_ledger_that_is_none_is_refused_by_name(tmp_path):
    (tmp_path / "text.sqlite").write_text("no database, but long enough to be looked at " * 50, encoding="utf-8")
    with pytest.raises(LedgerError, match=r"text\.sqlite"):
        TruthLedger(tmp_path / "text.sqlite")


def test_the_truth_holds_only_whole_quarters_and_its_carbon_follows_from_them(tmp_path):
    world, factors = World(3, START), CarbonFactors.on(CATALOGUE, START)
    ledger = TruthLedger(tmp_path / "truth.sqlite")
    assert write_truth(ledger, world, factors, START + 1, START + 3_600_000_000) == 3
    ledger.close()
    with closing(sqlite3.connect(tmp_path / "truth.sqlite")) as database:
        rows = database.execute("SELECT start, electricity_kwh, co2_t FROM park_truth ORDER BY start").fetchall()
        gas = dict(database.execute("SELECT start, amount FROM amount WHERE device = 'G1'").fetchall())
        heat = dict(database.execute("SELECT start, amount FROM amount WHERE device = 'H1'").fetchall())
        bought = dict(database.execute("SELECT start, kwh FROM energy WHERE device = 'M0'").fetchall())
    assert [start for start, _, _ in rows] == complete_quarters(START + 1, START + 3_600_000_000).tolist()
    for start, kwh, co2_t in rows:
        assert kwh == pytest.approx(bought[start])
        # 2023 factor of Fujian, default factors of gas and heat: written out, so that a changed row is noticed.
        assert co2_t == pytest.approx((kwh * 0.4211 + gas[start] * 2.162188809 + heat[start] * 110.0) / 1000)


def test_a_comparison_with_a_lost_reading_or_wrong_energy_is_judged_wrong():
    fine = {
        "readings_sent": 10,
        **dict.fromkeys(("readings_lost", "readings_duplicated", "readings_altered", "readings_unexpected"), 0),
        "dead_letters": 2,
        "dead_letters_expected": 2,
        "energy_kwh_true": 1000.0,
        "energy_kwh_computed": 1000.9,
        "co2_t_true": 1.0,
        "co2_t_computed": 1.0,
    }
    assert judge(fine) == []
    for name, value in (
        ("readings_lost", 1),
        ("dead_letters", 1),
        ("energy_kwh_computed", 1001.1),
        ("co2_t_true", 0),
    ):
        assert len(judge({**fine, name: value})) == 1


def test_a_ledger_that_something_else_wrote_is_named(tmp_path, capsys):
    path = tmp_path / "load.sqlite"
    ledger = TruthLedger(path)
    ledger.note({"park": "minhou-demo", "seed": "1"})
    ledger.close()
    assert main(["simulate", "park", "--ledger", str(path), "--broker", "mqtt://127.0.0.1:1"]) == 1
    said = capsys.readouterr().err
    assert "load.sqlite was not written by `smartpark simulate park`: it lacks rollover, reset" in said
