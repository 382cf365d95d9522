"""Ingest with a real broker and a real database: what arrives is stored exactly once, or kept as a dead letter."""

import base64
import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from fix_ingest import (
    ENERGY,
    PARK,
    POWER,
    STRANGER,
    VOLTAGE,
    as_ingest,
    count,
    fetch,
    load_park,
    shuffled_and_doubled,
)
from psycopg.conninfo import make_conninfo
from smartpark.clock import from_us, utc_now_us
from smartpark.status import BAD_NO_DATA
from smartpark.wire import MISSING, Ack, DeadLetter, Death, double_bits, unpack_json
from smartpark_storage import connect, embedded, migrate
from waiting import wait_until

READINGS = (
    "SELECT p.key, r.scaled, r.raw, r.status FROM smartpark.reading r JOIN smartpark.point p USING (point_id)"
    " ORDER BY p.key, r.time"
)
LETTERS = "SELECT reason, point_key, detail, payload, topic FROM smartpark.dead_letter ORDER BY dead_letter_id"


def _stream(edge, *, messages: int, readings: int, start_us: int) -> int:
    """Send so many messages with distinct readings; returns how many readings that were."""
    for message in range(messages):
        first = message * readings
        edge.send([(VOLTAGE.alias, 0, start_us + n, 2300 + n % 50) for n in range(first, first + readings)])
    return messages * readings


def _stored_exactly_once(dsn: str, readings: int) -> None:
    assert fetch(dsn, "SELECT count(*), count(DISTINCT (point_id, time)) FROM smartpark.reading") == [
        (readings, readings)
    ]


def test_readings_arrive_exactly_as_the_meter_said_them(database_dsn, broker, make_edge, start_ingest):
    load_park(database_dsn)
    start_ingest(database_dsn, broker)
    edge = make_edge(broker)
    now = utc_now_us()
    edge.send(
        [
            (VOLTAGE.alias, 0, now, 2301),
            (ENERGY.alias, 0, now, 123456),
            (POWER.alias, 0, now, double_bits(12.3456)),
            (VOLTAGE.alias, BAD_NO_DATA, now + 1, MISSING),
        ]
    )
    edge.wait_until_acknowledged()
    assert fetch(database_dsn, READINGS) == [
        ("park/M1/active_energy_import", 123456, None, 0),
        ("park/M1/active_power", None, 12.3456, 0),
        ("park/M1/voltage", 2301, None, 0),
        ("park/M1/voltage", None, None, BAD_NO_DATA - 2**32),
    ]
    assert count(database_dsn, "smartpark.dead_letter") == 0
    assert count(database_dsn, "smartpark.stale_mark") == 1


def test_lost_doubled_and_shuffled_messages_are_stored_exactly_once(
    plain_database_dsn, each_broker, make_edge, start_ingest
):
    load_park(plain_database_dsn)
    start_ingest(plain_database_dsn, each_broker)
    edge = make_edge(each_broker, resend_s=0.2, mangle=shuffled_and_doubled(seed=7))
    sent = _stream(edge, messages=200, readings=20, start_us=utc_now_us() - 10_000_000)
    edge.wait_until_acknowledged()
    assert edge.sent > 200
    _stored_exactly_once(plain_database_dsn, sent)


def test_a_killed_worker_loses_and_doubles_nothing(database_dsn, broker, make_edge, start_ingest):
    load_park(database_dsn)
    edge = make_edge(broker, resend_s=0.3)
    start_us = utc_now_us() - 60_000_000
    sent = 0
    cut_short = round_number = 0
    # Whether a kill comes in the middle is the scheduler's to say: until some have, and not for ever.
    while (round_number < 4 or not cut_short) and round_number < 20:
        worker = start_ingest(database_dsn, broker)
        before = len(edge.acknowledged)
        for part in range(2):
            first_us = start_us + (2 * round_number + part) * 5_000_000
            sent += _stream(edge, messages=40 + 30 * round_number, readings=20, start_us=first_us)
            wait_until(lambda before=before: len(edge.acknowledged) > before, what="the worker stores something")
        worker.kill()
        cut_short += len(edge.pending)
        round_number += 1
    assert cut_short, "every kill came when all was done already"
    start_ingest(database_dsn, broker)
    edge.wait_until_acknowledged()
    _stored_exactly_once(database_dsn, sent)


def test_connections_that_the_database_cuts_lose_and_double_nothing(database_dsn, broker, make_edge, start_ingest):
    load_park(database_dsn)
    worker = start_ingest(database_dsn, broker)
    edge = make_edge(broker, resend_s=0.5)
    start_us = utc_now_us() - 60_000_000
    sent = 0
    for round_number in range(5):
        sent += _stream(edge, messages=60, readings=20, start_us=start_us + round_number * 10_000_000)
        fetch(
            database_dsn,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'smartpark ingest-%'",
        )
    edge.wait_until_acknowledged()
    assert "trying again" in worker.output()
    assert worker.is_running
    _stored_exactly_once(database_dsn, sent)


def test_a_database_that_is_away_for_a_while_is_waited_for(passable_path, broker, make_edge, start_ingest):
    server = embedded.start(passable_path / "postgresql")
    try:
        with connect(server.dsn(), application="test") as connection:
            migrate(connection)
        load_park(server.dsn())
        worker = start_ingest(server.dsn(), broker)
        edge = make_edge(broker, resend_s=0.5)
        start_us = utc_now_us() - 60_000_000
        sent = _stream(edge, messages=50, readings=20, start_us=start_us)
        embedded.stop(server.data)
        sent += _stream(edge, messages=50, readings=20, start_us=start_us + 10_000_000)
        wait_until(lambda: "not available" in worker.output(), what="the worker notices")
        embedded.start(server.data)
        edge.wait_until_acknowledged()
        _stored_exactly_once(server.dsn(), sent)
        assert "Traceback" not in worker.output()
    finally:
        embedded.stop(server.data)


def test_a_database_that_takes_no_writes_for_a_while_is_waited_for(
    plain_database_dsn, broker, make_edge, start_ingest
):
    """After a failover the address may lead to a standby for a moment."""
    load_park(plain_database_dsn)
    worker = start_ingest(plain_database_dsn, broker)
    edge = make_edge(broker, resend_s=0.5)
    ((name,),) = fetch(plain_database_dsn, "SELECT current_database()")
    writing = make_conninfo(plain_database_dsn, options="-c default_transaction_read_only=off")
    fetch(writing, f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
    fetch(
        writing,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'smartpark ingest-%'",
    )
    sent = _stream(edge, messages=20, readings=20, start_us=utc_now_us() - 60_000_000)
    wait_until(lambda: "read-only" in worker.output(), what="the worker meets the standby")
    fetch(writing, f'ALTER DATABASE "{name}" RESET default_transaction_read_only')
    edge.wait_until_acknowledged()
    _stored_exactly_once(plain_database_dsn, sent)
    assert worker.is_running
    assert "Traceback" not in worker.output()


def test_a_killed_broker_loses_and_doubles_nothing(plain_database_dsn, each_broker, make_edge, start_ingest):
    load_park(plain_database_dsn)
    worker = start_ingest(plain_database_dsn, each_broker)
    edge = make_edge(each_broker, resend_s=0.5)
    start_us = utc_now_us() - 60_000_000
    sent = _stream(edge, messages=100, readings=20, start_us=start_us)
    each_broker.kill()
    sent += _stream(edge, messages=100, readings=20, start_us=start_us + 10_000_000)
    each_broker.start()
    edge.wait_until_acknowledged()
    _stored_exactly_once(plain_database_dsn, sent)
    assert "Traceback" not in worker.output()


def test_an_unknown_point_is_replayed_once_the_catalogue_knows_it(
    database_dsn, broker, make_edge, start_ingest, smartpark
):
    load_park(database_dsn)
    start_ingest(database_dsn, broker)
    edge = make_edge(broker, points=(VOLTAGE, STRANGER))
    now = utc_now_us()
    edge.send([(VOLTAGE.alias, 0, now, 2301), (STRANGER.alias, 0, now, 2299), (STRANGER.alias, 0, now + 1, 2298)])
    edge.wait_until_acknowledged()
    assert count(database_dsn, "smartpark.reading") == 1
    letters = fetch(database_dsn, LETTERS)
    assert [letter[:2] for letter in letters] == [("unknown_point", "park/M99/voltage")] * 2
    assert json.loads(letters[0][3]) == {
        "boot": edge.boot,
        "sequence": 1,
        "index": 1,
        "alias": 4,
        "point": "park/M99/voltage",
        "time": now,
        "status": 0,
        "exponent": -1,
        "bits": 2299,
        "shown": "229.9",
    }
    environment = {"SMARTPARK_DSN": as_ingest(database_dsn)}

    def replay(*words: str) -> dict:
        done = smartpark.run("dead", "replay", "--json", *words, environment=environment)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    assert (replay()["accepted"], replay()["refused"]) == (0, 2)
    load_park(database_dsn, {**PARK, "device": [*PARK["device"], {**PARK["device"][0], "code": "M99"}]})
    assert replay("--dry-run")["accepted"] == 2
    assert count(database_dsn, "smartpark.reading") == 1
    assert replay("--reason", "unknown_point")["accepted"] == 2
    # Somebody was interrupted before the letters were marked, and replays once more.
    fetch(database_dsn, "UPDATE smartpark.dead_letter SET replayed_at = NULL")
    assert replay()["accepted"] == 2
    assert replay() == {"dry_run": False, "accepted": 0, "refused": 0, "reasons": []}
    assert fetch(database_dsn, READINGS)[1:] == [
        ("park/M99/voltage", 2299, None, 0),
        ("park/M99/voltage", 2298, None, 0),
    ]
    # And what comes from now on needs no replay: the worker has taken over the new catalogue.
    edge.send([(STRANGER.alias, 0, now + 2, 2297)])
    edge.wait_until_acknowledged()
    assert count(database_dsn, "smartpark.reading") == 4


def test_impossible_values_and_wrong_clocks_stay_out_of_the_hypertable(database_dsn, broker, make_edge, start_ingest):
    load_park(database_dsn)
    start_ingest(database_dsn, broker)
    edge = make_edge(broker)
    now = utc_now_us()
    edge.send(
        [
            (VOLTAGE.alias, 0, now, -1),
            (POWER.alias, 0, now, double_bits(float("inf"))),
            (VOLTAGE.alias, 0, now, MISSING),
            (VOLTAGE.alias, 0, 0, 2300),
            (VOLTAGE.alias, 0, now + 3600 * 1_000_000, 2300),
            (VOLTAGE.alias, 0, 2**62, 2300),
            (VOLTAGE.alias, 0, now, 2300),
        ]
    )
    edge.wait_until_acknowledged()
    assert fetch(database_dsn, READINGS) == [("park/M1/voltage", 2300, None, 0)]
    assert [letter[0] for letter in fetch(database_dsn, LETTERS)] == [
        *["impossible_value"] * 3,
        *["clock_out_of_range"] * 3,
    ]


def test_a_batch_that_the_database_refuses_does_not_stop_the_others(database_dsn, broker, make_edge, start_ingest):
    load_park(database_dsn)
    with psycopg.connect(database_dsn, autocommit=True) as connection:
        connection.execute(
            "CREATE FUNCTION smartpark.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            " IF NEW.scaled = 6666 THEN RAISE EXCEPTION 'no sixes' USING ERRCODE = '22003'; END IF;"
            " RETURN NEW; END $$"
        )
        connection.execute(
            "CREATE TRIGGER refuse BEFORE INSERT ON smartpark.reading FOR EACH ROW"
            " EXECUTE FUNCTION smartpark.refuse()"
        )
    worker = start_ingest(database_dsn, broker)
    edge = make_edge(broker)
    now = utc_now_us()
    for n in range(20):
        edge.send([(VOLTAGE.alias, 0, now + 10 * n + k, 6666 if n == 13 and k == 2 else 2300) for k in range(5)])
    edge.wait_until_acknowledged()
    assert worker.is_running
    assert count(database_dsn, "smartpark.reading") == 19 * 5
    letters = fetch(database_dsn, LETTERS)
    assert [(letter[0], letter[1]) for letter in letters] == [("other", "park/M1/voltage")] * 5
    assert "no sixes" in letters[0][2]


def test_a_poison_batch_can_be_replayed_once_the_database_takes_it(
    plain_database_dsn, broker, make_edge, start_ingest, smartpark
):
    load_park(plain_database_dsn)
    fetch(plain_database_dsn, "ALTER TABLE smartpark.reading ADD CHECK (scaled <> 6666)")
    start_ingest(plain_database_dsn, broker)
    edge = make_edge(broker)
    now = utc_now_us()
    edge.send([(VOLTAGE.alias, 0, now, 6666), (POWER.alias, 0, now, double_bits(-0.1))])
    edge.wait_until_acknowledged()
    environment = {"SMARTPARK_DSN": as_ingest(plain_database_dsn)}
    half = smartpark.run("dead", "replay", environment=environment)
    assert half.stdout.startswith("1 letters were let in, 1 stay")
    fetch(plain_database_dsn, "ALTER TABLE smartpark.reading DROP CONSTRAINT reading_scaled_check")
    rest = smartpark.run("dead", "replay", environment=environment)
    assert rest.stdout.startswith("1 letters were let in, 0 stay")
    assert fetch(plain_database_dsn, READINGS) == [
        ("park/M1/active_power", None, -0.1, 0),
        ("park/M1/voltage", 6666, None, 0),
    ]


def test_what_cannot_be_read_is_kept_once_and_not_acknowledged(plain_database_dsn, broker, make_edge, start_ingest):
    load_park(plain_database_dsn)
    worker = start_ingest(plain_database_dsn, broker)
    edge = make_edge(broker)
    damaged = bytearray(edge.data([(VOLTAGE.alias, 0, utc_now_us(), 2300)]))
    edge.pending.clear()
    damaged[-1] ^= 0xFF
    for _ in range(3):
        edge.say("data", bytes(damaged))
    for leaf, payload in (("data", b"\xff\x00garbage"), ("json", b"{"), ("birth", b"[]"), ("dead", b"\x80")):
        edge.say(leaf, payload)
    edge.send([(VOLTAGE.alias, 0, utc_now_us(), 2300)])
    edge.wait_until_acknowledged()
    letters = fetch(plain_database_dsn, LETTERS)
    assert [(letter[0], bytes(letter[3]), letter[4].rsplit("/")[-1]) for letter in letters] == [
        ("malformed", bytes(damaged), "data"),
        ("malformed", b"\xff\x00garbage", "data"),
        ("malformed", b"{", "json"),
        ("malformed", b"[]", "birth"),
        ("malformed", b"\x80", "dead"),
    ]
    assert "checksum" in letters[0][2]
    assert 1 not in edge.acknowledged
    assert worker.is_running


def test_two_shards_share_the_edges_and_each_edge_has_one(database_dsn, broker, make_edge, start_ingest):
    load_park(database_dsn)
    # crc32 puts these four two and two.
    edges = [make_edge(broker, code, resend_s=0.5) for code in ("edge-a", "edge-b", "edge-c", "edge-d")]
    start_ingest(database_dsn, broker, "--workers", "2")
    now = utc_now_us()
    for number, edge in enumerate(edges):
        _stream(edge, messages=20, readings=10, start_us=now - (number + 1) * 1_000_000)
    for edge in edges:
        edge.wait_until_acknowledged()
    _stored_exactly_once(database_dsn, 4 * 200)
    late = make_edge(broker, "edge-late", resend_s=0.5)
    late.send([(VOLTAGE.alias, 0, now, 2300)])
    late.wait_until_acknowledged()
    _stored_exactly_once(database_dsn, 801)


def test_a_batch_without_a_birth_waits_for_it(plain_database_dsn, each_broker, make_edge, start_ingest):
    load_park(plain_database_dsn)
    start_ingest(plain_database_dsn, each_broker)
    edge = make_edge(each_broker, points=(VOLTAGE,), resend_s=60)
    now = utc_now_us()
    edge.send([(VOLTAGE.alias, 0, now, 2300)])
    edge.wait_until_acknowledged()
    # An alias that the birth does not have: a new worker knows of it only if it asks.
    edge.points = (VOLTAGE, ENERGY)
    edge.send([(ENERGY.alias, 0, now, 100)])
    edge.wait_until_acknowledged()
    assert edge.rebirths >= 1
    assert [row[:2] for row in fetch(plain_database_dsn, READINGS)] == [
        ("park/M1/active_energy_import", 100),
        ("park/M1/voltage", 2300),
    ]


def test_births_deaths_and_health_are_told(plain_database_dsn, broker, make_edge, start_ingest):
    load_park(plain_database_dsn)
    start_ingest(plain_database_dsn, broker)
    edge = make_edge(broker)
    state = "SELECT online, points, status IS NOT NULL FROM smartpark.edge_state"
    wait_until(lambda: fetch(plain_database_dsn, state) == [(True, 3, False)], what="the birth is recorded")
    edge.say_status()
    wait_until(lambda: fetch(plain_database_dsn, state) == [(True, 3, True)], what="the status is recorded")
    # The will of a session that is over says nothing about this one.
    edge.say("death", Death(edge=edge.code, boot=edge.boot, session=edge.session - 1))
    edge.send([(VOLTAGE.alias, 0, utc_now_us(), 2300)])
    edge.wait_until_acknowledged()
    assert fetch(plain_database_dsn, state) == [(True, 3, True)]
    edge.vanish()
    wait_until(lambda: fetch(plain_database_dsn, state) == [(False, 3, True)], what="the death is recorded")


def test_a_hand_made_gateway_is_acknowledged_and_its_mistakes_are_named(
    plain_database_dsn, broker, make_edge, start_ingest
):
    load_park(plain_database_dsn)
    start_ingest(plain_database_dsn, broker)
    edge = make_edge(broker, "gateway", points=())
    now = from_us(utc_now_us()).isoformat()
    batch = {
        "boot": edge.boot,
        "sequence": 1,
        "readings": [
            {"point": "park/M1/voltage", "time": now, "value": "230.1"},
            {"point": "park/M1/active_energy_import", "time": now, "value": 0.1},
            {"point": "park/M1/active_power", "time": now, "value": "1e-3"},
            {"point": "park/M1/voltage", "time": now, "value": None, "status": BAD_NO_DATA},
            {"point": "park/M1/voltage", "time": "yesterday", "value": 1},
            {"point": "park/M1/voltage", "time": now, "value": "12,5"},
            {"point": "park/M98/voltage", "time": now, "value": 230.25},
            {"point": "park/M1/voltage", "time": now, "value": 230.25},
        ],
    }
    edge.resend_s = 60
    edge.say("json", json.dumps(batch).encode())
    wait_until(lambda: 1 in edge.acknowledged, what="the batch is acknowledged")
    assert fetch(
        plain_database_dsn,
        "SELECT key, scaled, raw FROM smartpark.reading JOIN smartpark.point USING (point_id)"
        " ORDER BY key, scaled, raw",
    ) == [
        ("park/M1/active_energy_import", 10, None),
        ("park/M1/active_power", None, 0.001),
        ("park/M1/voltage", 2301, None),
        # Finer than the catalogue's resolution: kept as it is, not rounded.
        ("park/M1/voltage", None, 230.25),
        ("park/M1/voltage", None, None),
    ]
    letters = fetch(plain_database_dsn, LETTERS)
    assert sorted(letter[0] for letter in letters) == ["malformed", "malformed", "unknown_point"]
    assert any("yesterday" in letter[2] for letter in letters)
    assert any("12,5" in bytes(letter[3]).decode() for letter in letters)


def test_what_an_edge_could_not_understand_is_kept_under_its_number(
    plain_database_dsn, broker, make_edge, start_ingest
):
    load_park(plain_database_dsn)
    start_ingest(plain_database_dsn, broker)
    edge = make_edge(broker)
    letter = DeadLetter(
        boot=edge.boot,
        sequence=1,
        floor=1,
        time=utc_now_us(),
        source="meters",
        topic="tele/T01/SENSOR",
        reason="unmapped: no model knows this topic",
        payload_base64=base64.b64encode(b"\x00\xffraw").decode(),
    )
    for _ in range(3):
        edge.say("dead", letter)
    wait_until(lambda: 1 in edge.acknowledged, what="the letter is acknowledged")
    edge.send([(VOLTAGE.alias, 0, utc_now_us(), 1)])  # number 1 again: known, and therefore not stored
    edge.wait_until_acknowledged()
    assert count(plain_database_dsn, "smartpark.reading") == 0
    assert [(r, bytes(p), t) for r, _, _, p, t in fetch(plain_database_dsn, LETTERS)] == [
        ("unmapped", b"\x00\xffraw", "tele/T01/SENSOR")
    ]


def test_the_supervisor_restarts_a_killed_worker_and_takes_its_workers_with_it(
    plain_database_dsn, broker, make_edge, start_ingest
):
    load_park(plain_database_dsn)
    supervisor = start_ingest(plain_database_dsn, broker, "--workers", "2")
    pids = "SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'smartpark ingest-%'"
    psutil = pytest.importorskip("psutil")
    children = psutil.Process(supervisor.pid).children()
    assert len(children) == 2
    children[0].kill()
    edges = [make_edge(broker, code, resend_s=0.5) for code in ("edge-a", "edge-b", "edge-c", "edge-d")]
    for edge in edges:
        edge.send([(VOLTAGE.alias, 0, utc_now_us(), 2300)])
    for edge in edges:
        edge.wait_until_acknowledged()
    assert count(plain_database_dsn, "smartpark.reading") == 4
    assert "starting it again" in supervisor.output()
    supervisor.kill()
    wait_until(lambda: not fetch(plain_database_dsn, pids), what="orphaned workers end")


def test_it_ends_cleanly_when_asked(plain_database_dsn, broker, start_ingest):
    load_park(plain_database_dsn)
    for arguments in ((), ("--workers", "2")):
        process = start_ingest(plain_database_dsn, broker, *arguments)
        assert process.terminate() == 0
        assert "Traceback" not in process.output()


def test_wrong_settings_are_one_message(smartpark, plain_database_dsn):
    environment = {"SMARTPARK_DSN": plain_database_dsn}
    wrong = smartpark.run("ingest", "run", "--shard", "2/2", environment=environment)
    assert (wrong.returncode, wrong.stderr.count("\n")) == (1, 1)
    assert "0 <= k < N" in wrong.stderr
    lost = smartpark.run("ingest", "run", environment={"SMARTPARK_DSN": ""})
    assert (lost.returncode, "SMARTPARK_DSN is not set" in lost.stderr) == (1, True)


def test_a_database_without_our_tables_is_said_so(plain_server_dsn, smartpark):
    done = smartpark.run("ingest", "run", environment={"SMARTPARK_DSN": plain_server_dsn})
    assert done.returncode == 1
    assert "run: smartpark migrate" in done.stderr
    assert "Traceback" not in done.stderr


def test_acks_are_ranges(plain_database_dsn, broker, make_edge, start_ingest):
    load_park(plain_database_dsn)
    worker = start_ingest(plain_database_dsn, broker)
    edge = make_edge(broker)
    heard: list[Ack] = []
    edge._client.message_callback_add(
        edge.topics.of("ack"), lambda _c, _u, message: heard.append(unpack_json(message.payload, Ack))
    )
    now = utc_now_us()
    # It finds them all at once, however slowly they come.
    worker.process.send_signal(signal.SIGSTOP)
    for n in range(100):
        edge.send([(VOLTAGE.alias, 0, now + n, 2300)])
    wait_until(lambda: edge.delivered > 100, what="the broker has all hundred")
    worker.process.send_signal(signal.SIGCONT)
    wait_until(
        lambda: {n for ack in heard for numbers in ack.sequences() for n in numbers} == set(range(1, 101)),
        what="all hundred are acknowledged",
    )
    assert len(heard) < 50
    edge.pending.clear()


def test_the_gateway_of_the_wire_document_works(plain_database_dsn, broker, start_ingest):
    load_park(plain_database_dsn)
    start_ingest(plain_database_dsn, broker)
    text = (Path(__file__).parents[2] / "docs" / "wire.md").read_text(encoding="utf-8")
    (program,) = re.findall(r"^```python\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
    for told, here in (
        ('"broker.example", 1883', f'"{broker.host}", {broker.port}'),
        ("minhou-demo/T01", "park/M1"),
        ("time.sleep(1)", "time.sleep(0.3)"),
    ):
        assert told in program
        program = program.replace(told, here)
    done = subprocess.run(
        [sys.executable, "-c", f"{program}\nprint(sorted(unacknowledged))"],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    # The last batch or two may still be on their way; what was acknowledged was forgotten.
    assert len(json.loads(done.stdout)) < 5
    wait_until(lambda: count(plain_database_dsn, "smartpark.reading") == 10, what="all ten readings are stored")
    assert count(plain_database_dsn, "smartpark.dead_letter") == 0
