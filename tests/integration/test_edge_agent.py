"""The agent as a process beside real brokers: nothing accepted is lost, nothing is said twice."""

import json
import os
import signal
import sqlite3
import threading
from datetime import UTC, datetime, timedelta

from edge_park import START, Devices, FakeIngest, plug_source, tasmota, write_config
from smartpark.clock import to_us
from smartpark.wire import Flag
from waiting import wait_until

ENERGY = "park/T01/active_energy_import"


def energy(numbers):
    """(time, mantissa) of the register for some telegrams."""
    return [(to_us(START + timedelta(seconds=n)), 500_000 + n) for n in numbers]


def last_status(ingest):
    """Readings accepted and readings waiting, as last told."""
    return [(status.accepted, status.spool_readings) for status in ingest.statuses[-1:]]


def run(smartpark, tmp_path, *configs):
    """Start agents and wait until they hear and are heard."""
    ready = tmp_path / "ready"
    agent = smartpark.start("edge", "run", *configs, "--ready-file", ready)
    agent.wait_for_file(ready)
    return agent


def distinct(ingest):
    """Every (point, time) that reached the wire, failing when one did in two batches."""
    found = [(point, time) for point, _, time, _ in ingest.readings()]
    assert len(found) == len(set(found))
    return found


def test_a_meter_s_readings_reach_the_platform_and_are_forgotten_when_acknowledged(
    tmp_path, broker, smartpark, fake_ingest, devices
):
    ingest = fake_ingest("edge-a")
    agent = run(smartpark, tmp_path, write_config(tmp_path, broker.url))
    for n in range(20):
        devices.say("tele/T01/SENSOR", tasmota(n))
    wait_until(lambda: ingest.values(ENERGY) == energy(range(20)), what="20 readings at the platform")
    wait_until(lambda: last_status(ingest) == [(40, 0)], what="40 readings accepted, none of them waiting")
    assert agent.terminate() == 0
    wait_until(lambda: ingest.deaths == 1, what="the death")
    assert not (tmp_path / "ready").exists()
    assert "Traceback" not in agent.output()


def test_it_works_with_every_kind_of_broker_and_outlives_its_restart(tmp_path, each_broker, smartpark):
    ingest = FakeIngest("edge-a", each_broker.host, each_broker.port)
    meters = Devices(each_broker.host, each_broker.port)
    try:
        run(smartpark, tmp_path, write_config(tmp_path, each_broker.url, max_readings=5000))
        meters.say_many("tele/T01/SENSOR", [tasmota(n) for n in range(3000)])
        wait_until(lambda: len(ingest.values(ENERGY)) == 3000, what="3,000 readings")
        before = {birth.session for birth in ingest.births}
        each_broker.restart()
        # A broker that kept it says the old session's retained birth again: that one proves nothing.
        wait_until(lambda: ingest.births[-1].session not in before, what="the birth of a new session")
        session = ingest.births[-1].session
        wait_until(
            lambda: any(one.session == session and one.sources[0].connected for one in ingest.statuses),
            what="the source connected again, told in the new session",
        )
        meters.say("tele/T01/SENSOR", tasmota(3000))
        wait_until(lambda: ingest.values(ENERGY) == energy(range(3001)), what="the reading after the restart")
    finally:
        meters.close()
        ingest.close()


def test_killed_in_the_middle_it_loses_nothing_and_says_nothing_twice(
    tmp_path, broker, smartpark, fake_ingest, devices
):
    ingest = fake_ingest("edge-a")
    config = write_config(tmp_path, broker.url, max_readings=50)
    step, rounds, unfinished = 1500, 3, 0
    for first in range(0, step * rounds, step):
        agent = run(smartpark, tmp_path, config)
        telegrams = [tasmota(n) for n in range(first, first + step)]
        meters = threading.Thread(target=devices.say_many, args=("tele/T01/SENSOR", telegrams))
        meters.start()
        wait_until(lambda first=first: len(ingest.values(ENERGY)) > first, what="the first of this round")
        agent.kill()
        unfinished += len(ingest.values(ENERGY)) < first + step
        meters.join()
    assert unfinished > 0, "the agent was never killed in the middle"
    run(smartpark, tmp_path, config)
    wait_until(lambda: len(ingest.values(ENERGY)) >= step * rounds, what="every reading")
    assert ingest.values(ENERGY) == energy(range(step * rounds))
    distinct(ingest)
    assert not ingest.letters


def test_a_message_is_acknowledged_to_its_broker_only_when_it_is_in_the_spool(
    tmp_path, broker, smartpark, fake_ingest, devices
):
    """The spool is locked by somebody else: nothing may be acknowledged, and nothing is lost."""
    ingest = fake_ingest("edge-a")
    config = write_config(tmp_path, broker.url)
    agent = run(smartpark, tmp_path, config)
    holder = sqlite3.connect(tmp_path / "edge-a.sqlite", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    devices.say_many("tele/T01/SENSOR", [tasmota(n) for n in range(50)])
    agent.kill()
    holder.execute("ROLLBACK")
    assert holder.execute("SELECT accepted FROM counter").fetchone() == (0,)
    holder.close()
    run(smartpark, tmp_path, config)
    wait_until(lambda: ingest.values(ENERGY) == energy(range(50)), what="all 50, delivered again by the broker")


def test_a_device_message_said_again_after_a_crash_is_stored_once(tmp_path, broker, smartpark, fake_ingest, devices):
    ingest = fake_ingest("edge-a")
    config = write_config(tmp_path, broker.url)
    agent = run(smartpark, tmp_path, config)
    devices.say_many("tele/T01/SENSOR", [tasmota(n) for n in range(30)])
    wait_until(lambda: last_status(ingest) == [(60, 0)], what="everything acknowledged")
    agent.kill()
    run(smartpark, tmp_path, config)
    devices.say_many("tele/T01/SENSOR", [tasmota(n) for n in range(31)])
    wait_until(lambda: ingest.values(ENERGY) == energy(range(31)), what="only the new one")
    wait_until(lambda: ingest.statuses[-1].duplicates == 60, what="the repeated ones counted")
    distinct(ingest)


def test_batches_that_nobody_acknowledged_come_again_and_go_when_they_are(
    tmp_path, broker, smartpark, fake_ingest, devices
):
    ingest = fake_ingest("edge-a", acknowledges=False)
    run(smartpark, tmp_path, write_config(tmp_path, broker.url, ack_timeout_s=0.3))
    devices.say("tele/T01/SENSOR", tasmota(0))
    wait_until(lambda: any(len(p) > 1 for p in ingest.batches.values()), what="the batch a second time")
    [payloads] = ingest.batches.values()
    assert len({payload[:20] for payload in payloads}) == 1
    assert ingest.statuses[-1].spool_readings == 2
    ingest.acknowledge_all()
    ingest.acknowledge_all()
    wait_until(lambda: ingest.statuses[-1].spool_readings == 0, what="an empty spool")


def test_garbage_becomes_a_dead_letter_with_its_bytes_and_the_agent_goes_on(
    tmp_path, broker, smartpark, fake_ingest, devices
):
    ingest = fake_ingest("edge-a")
    run(smartpark, tmp_path, write_config(tmp_path, broker.url))
    devices.say("tele/T01/SENSOR", b"\x00\xffgarbage")
    devices.say("tele/T01/SENSOR", tasmota(0))
    devices.say("tele/T01/SENSOR", tasmota(0) | {"ENERGY": {"Total": 1.0}})
    wait_until(lambda: len(ingest.letters) == 2, what="two dead letters")
    first, second = (ingest.letters[key] for key in sorted(ingest.letters))
    assert first.payload_base64 == "AP9nYXJiYWdl"
    assert first.reason.startswith("malformed: ")
    assert (first.topic, first.source) == ("tele/T01/SENSOR", "meters")
    assert second.reason.startswith(f"conflicting_value: {ENERGY}")
    wait_until(lambda: ingest.values(ENERGY) == energy([0]), what="the reading between them")
    wait_until(lambda: ingest.statuses[-1].dead_letters == 2, what="both counted")


def test_it_survives_the_restart_of_its_broker(tmp_path, broker, smartpark, fake_ingest, devices):
    ingest = fake_ingest("edge-a")
    agent = run(smartpark, tmp_path, write_config(tmp_path, broker.url))
    devices.say("tele/T01/SENSOR", tasmota(0))
    wait_until(lambda: ingest.values(ENERGY) == energy([0]), what="the first reading")
    before = ingest.births[-1].session
    broker.restart()
    wait_until(lambda: ingest.births[-1].session > before, what="a birth in a new session")
    # A broker without persistent sessions keeps nothing for a source that is not back yet.
    wait_until(
        lambda: ingest.statuses[-1].session > before and ingest.statuses[-1].sources[0].connected,
        what="the source listening again",
    )
    devices.say("tele/T01/SENSOR", tasmota(1))
    wait_until(lambda: ingest.values(ENERGY) == energy([0, 1]), what="the second reading")
    assert agent.is_running
    assert "Traceback" not in agent.output()


def test_history_follows_behind_live_readings_and_is_marked(tmp_path, broker, smartpark, fake_ingest, devices):
    ingest = fake_ingest("edge-a", acknowledges=False)
    body = plug_source(broker.url).replace('model = "tasmota-energy"', 'model = "generic-flat"')
    run(smartpark, tmp_path, write_config(tmp_path, broker.url, body=body, max_readings=100, in_flight=8))
    now = datetime.now(UTC)
    old = [{"time": (now - timedelta(days=1, seconds=n)).isoformat(), "voltage": 230 + n} for n in range(2000)]
    devices.say("tele/T01/SENSOR", {"records": old})
    wait_until(lambda: len(ingest.order) == 4, what="half of the window full of history")
    devices.say("tele/T01/SENSOR", {"time": now.isoformat(), "voltage": 1})
    wait_until(lambda: any(not history for _, history in ingest.order), what="the live reading")
    assert [history for _, history in ingest.order] == [True] * 4 + [False]
    ingest.acknowledge_all()
    wait_until(lambda: len(ingest.values("park/T01/voltage")) == 2001, what="everything")
    live = [key for key in ingest.batches if Flag.HISTORY not in ingest.message(*key).flags]
    assert [ingest.message(*key).columns.count for key in live] == [1]


def test_what_waited_while_the_platform_was_away_is_sent_as_backlog(
    tmp_path, broker, make_mosquitto, smartpark, devices
):
    """Devices and platform have brokers of their own here: the platform's is away for a while."""
    away = make_mosquitto()
    away.stop()
    config = write_config(tmp_path, away.url, body=plug_source(broker.url), live_for_s=0.5)
    agent = smartpark.start("edge", "run", config)
    spool = tmp_path / "edge-a.sqlite"
    wait_until(spool.exists, what="a spool")
    wait_until(lambda: "hears 1 topics" in agent.output(), what="the source's subscription")
    devices.say_many("tele/T01/SENSOR", [tasmota(n) for n in range(40)])
    shown = []

    def waiting():
        shown[:] = [json.loads(smartpark.run("edge", "spool", config, "--json").stdout)]
        return shown[0]["pending_readings"] == 80

    wait_until(waiting, what="80 readings shown as waiting", every_s=0.5)
    assert shown[0]["limit_bytes"] == 256_000_000
    away.start()
    ingest = FakeIngest("edge-a", away.host, away.port)
    try:
        wait_until(lambda: ingest.values(ENERGY) == energy(range(40)), what="all 40")
        assert all(history for _, history in ingest.order)
    finally:
        ingest.close()


def test_a_change_of_settings_is_applied_while_it_runs_and_never_touches_the_spool(
    tmp_path, broker, smartpark, fake_ingest, devices
):
    ingest = fake_ingest("edge-a", acknowledges=False)
    config = write_config(tmp_path, broker.url)
    agent = run(smartpark, tmp_path, config)
    devices.say("tele/T01/SENSOR", tasmota(0))
    wait_until(lambda: ingest.values(ENERGY), what="the first reading")
    good = config.read_text()
    config.write_text(good.replace("tasmota-energy", "no-such-model"))
    wait_until(lambda: "refused" in agent.output(), what="the refusal")
    assert "mqtt[meters].device[0].model: no device model is called 'no-such-model'" in agent.output()
    devices.say("tele/T01/SENSOR", tasmota(1))
    wait_until(lambda: ingest.values(ENERGY) == energy([0, 1]), what="the old settings in force")
    ready = tmp_path / "ready"
    ready.unlink()
    second = "\n".join(plug_source(broker.url, topic="tele/T02/SENSOR", device="park/T02").splitlines()[5:])
    config.write_text(good + second + "\n")
    agent.wait_for_file(ready)
    devices.say("tele/T02/SENSOR", tasmota(2))
    devices.say("tele/T01/SENSOR", tasmota(2))
    wait_until(lambda: ingest.values(ENERGY) == energy([0, 1, 2]), what="the old device")
    wait_until(lambda: ingest.values("park/T02/active_energy_import") == energy([2]), what="the new device")
    assert len({boot for boot, _ in ingest.batches}) == 1
    wait_until(lambda: ingest.statuses[-1].spool_readings == 8, what="all eight readings still in the spool")
    ready.unlink()
    config.write_text(good)
    os.kill(agent.pid, signal.SIGHUP)
    agent.wait_for_file(ready)
    devices.say("tele/T02/SENSOR", tasmota(3))
    devices.say("tele/T01/SENSOR", tasmota(3))
    wait_until(lambda: ingest.values(ENERGY) == energy([0, 1, 2, 3]), what="the device that stayed")
    assert ingest.values("park/T02/active_energy_import") == energy([2])


def test_two_agents_in_one_process_do_not_mix(tmp_path, broker, smartpark, fake_ingest, devices):
    first, second = fake_ingest("edge-a"), fake_ingest("edge-b")
    configs = [
        write_config(tmp_path, broker.url, code="edge-a"),
        write_config(
            tmp_path,
            broker.url,
            code="edge-b",
            body=plug_source(broker.url, topic="tele/T02/SENSOR", device="park/T02"),
        ),
    ]
    run(smartpark, tmp_path, *configs)
    assert json.loads((tmp_path / "ready").read_text())["edges"] == ["edge-a", "edge-b"]
    devices.say("tele/T01/SENSOR", tasmota(0))
    devices.say("tele/T02/SENSOR", tasmota(1))
    wait_until(lambda: first.values(ENERGY) == energy([0]), what="the first agent's reading")
    wait_until(lambda: second.values("park/T02/active_energy_import") == energy([1]), what="the second's")
    assert {point for point, *_ in first.readings()}.isdisjoint(point for point, *_ in second.readings())


def test_a_damaged_spool_does_not_stop_it_and_is_told(tmp_path, broker, smartpark, fake_ingest, devices):
    ingest = fake_ingest("edge-a")
    (tmp_path / "edge-a.sqlite").write_bytes(b"this was a database" * 1000)
    run(smartpark, tmp_path, write_config(tmp_path, broker.url))
    devices.say("tele/T01/SENSOR", tasmota(0))
    wait_until(lambda: ingest.values(ENERGY) == energy([0]), what="a reading")
    [alarm] = ingest.statuses[-1].alarms
    assert "damaged" in alarm
    assert [source.name for source in ingest.statuses[-1].sources] == ["meters"]


def test_a_full_spool_names_its_loss(tmp_path, broker, smartpark, fake_ingest, devices):
    ingest = fake_ingest("edge-a", acknowledges=False)
    config = write_config(tmp_path, broker.url, max_readings=20)
    config.write_text(config.read_text().replace("[broker]", "spool_limit_mb = 0.01\n[broker]", 1))
    agent = run(smartpark, tmp_path, config)
    devices.say_many("tele/T01/SENSOR", [tasmota(n) for n in range(400)])
    wait_until(lambda: [s for s in ingest.statuses if s.accepted == 800], what="800 readings accepted")
    status = ingest.statuses[-1]
    assert status.dropped > 0
    assert status.dropped + status.spool_readings == 800
    assert status.dropped_from == to_us(START)
    assert "is full" in agent.output()


def test_a_rebirth_is_answered(tmp_path, broker, smartpark, fake_ingest):
    ingest = fake_ingest("edge-a")
    run(smartpark, tmp_path, write_config(tmp_path, broker.url))
    before = len(ingest.births)
    ingest.ask_birth()
    wait_until(lambda: len(ingest.births) > before, what="another birth")


def test_an_ingest_that_has_come_back_gets_at_once_what_its_predecessor_took_along(
    tmp_path, broker, smartpark, fake_ingest, devices
):
    dead = fake_ingest("edge-a", acknowledges=False)
    run(smartpark, tmp_path, write_config(tmp_path, broker.url, ack_timeout_s=600))
    devices.say_many("tele/T01/SENSOR", [tasmota(n) for n in range(50)])
    wait_until(lambda: dead.values(ENERGY) == energy(range(50)), what="everything on its way, unacknowledged")
    back = fake_ingest("edge-a")
    wait_until(lambda: back.births, what="the retained birth")
    for _ in range(10):
        back.ask_birth()
    # Long before the ten minutes after which it would come without being asked for.
    wait_until(lambda: back.values(ENERGY) == energy(range(50)), what="all of it again")
    wait_until(lambda: last_status(back) == [(100, 0)], what="an empty spool")
    assert max(len(payloads) for payloads in dead.batches.values()) <= 3, "ten questions are no storm"


def test_it_waits_for_a_platform_that_is_not_there_and_stops_when_told(tmp_path, broker, smartpark):
    config = write_config(tmp_path, "mqtt://127.0.0.1:9", body=plug_source(broker.url))
    agent = smartpark.start("edge", "run", config)
    wait_until(lambda: "platform broker" in agent.output(), what="a word about the platform")
    assert agent.terminate() == 0
    assert "Traceback" not in agent.output()
