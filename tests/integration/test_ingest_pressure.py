"""Ingest under pressure: transactions in each other's way, a schema that changes, a database that is away."""

import json
import time
from contextlib import contextmanager, suppress
from statistics import median

import psutil
import psycopg
import pytest
from edge_park import write_config
from fix_ingest import ENERGY, VOLTAGE, count, fetch, load_park
from smartpark.clock import from_us, utc_now_us
from smartpark_storage import connect, embedded, migrate
from smartpark_storage.migrations import builtin_migrations
from waiting import wait_until

BLOCKED = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    " AND wait_event_type = 'Lock' AND application_name LIKE 'smartpark ingest-%'"
)


def _alter(dsn: str, setting: str) -> None:
    ((name,),) = fetch(dsn, "SELECT current_database()")
    fetch(dsn, f'ALTER DATABASE "{name}" SET {setting}')


def _stored_exactly_once(dsn: str, readings: int) -> None:
    assert fetch(dsn, "SELECT count(*), count(DISTINCT (point_id, time)) FROM smartpark.reading") == [
        (readings, readings)
    ]


@contextmanager
def _somebody(dsn: str):
    """Another session with a transaction of its own, which never is the one that a deadlock ends."""
    with psycopg.connect(dsn) as connection:
        connection.execute("SET deadlock_timeout = '1h'")
        yield connection
        connection.rollback()


def _voltage_and_energy(start_us: int) -> list:
    return [(VOLTAGE.alias, 0, start_us, 2300), (ENERGY.alias, 0, start_us, 5000)]


def test_a_deadlock_is_retried_and_stores_everything_once(database_dsn, broker, make_edge, start_ingest):
    load_park(database_dsn)
    _alter(database_dsn, "deadlock_timeout = '2s'")
    worker = start_ingest(database_dsn, broker)
    edge = make_edge(broker)
    now = utc_now_us()
    edge.send(_voltage_and_energy(now))
    edge.wait_until_acknowledged()
    rounds = 0
    # The server looks once, two seconds after ingest began to wait: a test that comes too late tries again.
    while "deadlock detected; trying again" not in worker.output() and rounds < 5:
        rounds += 1
        _get_into_each_others_way(database_dsn, lambda n=rounds: edge.send(_voltage_and_energy(now + n)))
        edge.wait_until_acknowledged()
    assert "deadlock detected; trying again" in worker.output()
    assert worker.is_running
    _stored_exactly_once(database_dsn, 2 + 2 * rounds)


def _get_into_each_others_way(dsn: str, send) -> None:
    """Hold what ingest wants while wanting what ingest holds; the server ends ingest's transaction."""
    (low,), (high,) = fetch(dsn, "SELECT point_id FROM smartpark.latest ORDER BY point_id")
    with _somebody(dsn) as other:
        other.execute("SET lock_timeout = '20s'")
        other.execute("SELECT FROM smartpark.latest WHERE point_id = %s FOR UPDATE", (high,))
        send()
        wait_until(lambda: fetch(dsn, BLOCKED) == [(1,)], what="ingest waits for the row")
        with suppress(psycopg.errors.LockNotAvailable):
            other.execute("SELECT FROM smartpark.latest WHERE point_id = %s FOR UPDATE", (low,))


def test_a_failed_serialization_is_retried_and_stores_everything_once(database_dsn, broker, make_edge, start_ingest):
    load_park(database_dsn)
    _alter(database_dsn, "default_transaction_isolation = 'repeatable read'")
    worker = start_ingest(database_dsn, broker)
    edge = make_edge(broker)
    now = utc_now_us()
    edge.send(_voltage_and_energy(now))
    edge.wait_until_acknowledged()
    with _somebody(database_dsn) as other:
        other.execute("UPDATE smartpark.latest SET received_at = now()")
        edge.send(_voltage_and_energy(now + 1))
        wait_until(lambda: fetch(database_dsn, BLOCKED) == [(1,)], what="ingest waits for the row")
        other.commit()
    edge.wait_until_acknowledged()
    assert "could not serialize access due to concurrent update; trying again" in worker.output()
    assert worker.is_running
    _stored_exactly_once(database_dsn, 4)


OLD, USED_BY_INGEST = 9, 29
"""A schema of before, and the last migration that holds anything that ingest or the catalogue touches."""


def _migrate_to(dsn: str, number: int) -> None:
    with connect(dsn, application="test migrations") as connection:
        migrate(connection, migrations=[m for m in builtin_migrations() if m.number <= number])


def test_an_old_database_is_migrated_while_ingest_runs_without_a_loss(
    empty_database_dsn, broker, make_edge, start_ingest, smartpark
):
    dsn = empty_database_dsn
    _migrate_to(dsn, OLD)
    worker = start_ingest(dsn, broker, "--workers", "2", wait=False)
    edge = make_edge(broker, resend_s=0.3)
    start_us = utc_now_us() - 60_000_000
    sent = _send(edge, start_us, range(50))
    wait_until(lambda: "run: smartpark migrate" in worker.output(), what="a word about the old schema")
    _migrate_to(dsn, USED_BY_INGEST)
    load_park(dsn)
    edge.wait_until_acknowledged()
    # Whoever came before the catalogue waits among the dead letters.
    assert smartpark.run("dead", "replay", environment={"SMARTPARK_DSN": dsn}).returncode == 0
    migration = smartpark.start("migrate", environment={"SMARTPARK_DSN": dsn})
    while migration.is_running:
        sent += _send(edge, start_us, range(sent, sent + 20))
        time.sleep(0.02)
    assert migration.process.returncode == 0, migration.output()
    sent += _send(edge, start_us, range(sent, sent + 20))
    edge.wait_until_acknowledged()
    assert count(dsn, "smartpark.migration") >= len({m.number for m in builtin_migrations()})
    _stored_exactly_once(dsn, sent)
    assert worker.is_running
    assert "Traceback" not in worker.output()


def _send(edge, start_us: int, numbers: range) -> int:
    for number in numbers:
        edge.send([(VOLTAGE.alias, 0, start_us + number, 2300)])
    return len(numbers)


SOURCE = """
[[mqtt]]
name = "meters"
url = "{url}"
  [[mqtt.device]]
  topic = "logger/M1"
  model = "generic-flat"
  device = "park/M1"
  resolutions = {{ voltage = "0.1" }}
  [[mqtt.device]]
  topic = "meters/M2"
  model = "generic-flat"
  device = "park/M2"
  resolutions = {{ voltage = "0.1" }}
"""
BACKLOG, PER_MESSAGE = 60_000, 20
LIVE = (
    "SELECT extract(epoch FROM l.time), (SELECT spool_readings FROM park.edge WHERE code = 'edge-a')"
    " FROM smartpark.latest AS l JOIN smartpark.point AS p USING (point_id) WHERE p.key = 'park/M2/voltage'"
)


def _megabytes(*pids: int) -> float:
    return sum(psutil.Process(pid).memory_info().rss for pid in pids) / 1e6


def _logged(start_us: int, numbers: range) -> dict:
    return {"records": [{"time": from_us(start_us + 1_000 * n).isoformat(), "voltage": 230.1} for n in numbers]}


def test_with_the_database_away_memory_stays_bounded_and_afterwards_live_values_go_first(  # noqa: PLR0917  fixtures
    tmp_path, passable_path, broker, smartpark, start_ingest, devices
):
    server = embedded.start(passable_path / "postgresql")
    try:
        with connect(server.dsn(), application="test") as connection:
            migrate(connection)
        load_park(server.dsn())
        # Slow on purpose, so that there is a backlog for long enough to look at what passes it.
        pace = {"max_readings": 200, "in_flight": 8, "backfill_readings_per_second": 8_000, "live_for_s": 2}
        config = write_config(tmp_path, broker.url, body=SOURCE.format(url=broker.url), **pace)
        worker = start_ingest(server.dsn(), broker)
        ready = tmp_path / "ready"
        agent = smartpark.start("edge", "run", config, "--ready-file", ready)
        agent.wait_for_file(ready)
        embedded.stop(server.data)
        start_us = utc_now_us() - 200_000_000
        sizes = []
        for first in range(0, BACKLOG, BACKLOG // 3):
            documents = [
                _logged(start_us, range(n, n + PER_MESSAGE)) for n in range(first, first + BACKLOG // 3, PER_MESSAGE)
            ]
            devices.say_many("logger/M1", documents)
            wait_until(
                lambda up_to=first + BACKLOG // 3: _spool(smartpark, config)["accepted"] == up_to, what="taken"
            )
            sizes.append(_megabytes(agent.pid, worker.pid, broker.pid))
        # The second and third twenty thousand readings need no more memory than their acknowledgements' bookkeeping.
        assert sizes[2] - sizes[0] < 25, sizes
        wait_until(lambda: _spool(smartpark, config)["hours_left"], what="hours left", every_s=0.5)
        embedded.start(server.data)
        lags, hiccup_s = _live_lags_while_the_backlog_drains(server.dsn(), devices)
        assert len(lags) >= 5, "the backlog was gone too soon to say anything"
        assert median(lags) < 2, lags
        # A machine on which a fifth of a second takes this test one second holds up everybody else as well.
        assert max(lags) < 2 + 4 * hiccup_s, (lags, hiccup_s)
        wait_until(lambda: _spool(smartpark, config)["pending_batches"] == 0, what="an empty spool")
        fetched = fetch(server.dsn(), "SELECT count(*), count(DISTINCT (point_id, time)) FROM smartpark.reading")
        assert fetched[0][0] == fetched[0][1] == _spool(smartpark, config)["accepted"]
        assert "Traceback" not in agent.output() + worker.output()
    finally:
        embedded.stop(server.data)


def _spool(smartpark, config) -> dict:
    return json.loads(smartpark.run("edge", "spool", config, "--json").stdout)


def _live_lags_while_the_backlog_drains(dsn: str, devices) -> tuple[list[float], float]:
    """How old the newest live value in the database is, from the first one on, as long as there is a backlog. [s]

    And by how much the worst round of this loop, a thing of milliseconds, was longer than it should be. [s]
    """
    lags: list[float] = []
    hiccup_s = 0.0
    deadline = time.monotonic() + 150
    while time.monotonic() < deadline:
        devices.say("meters/M2", {"time": from_us(utc_now_us()).isoformat(), "voltage": 230.5})
        began_s = time.monotonic()
        time.sleep(0.2)
        now = time.time()
        for seconds, waiting in fetch(dsn, LIVE):
            if waiting is not None and waiting < 1_000:
                return lags, hiccup_s
            lags.append(now - float(seconds))
        hiccup_s = max(hiccup_s, time.monotonic() - began_s - 0.25)
    pytest.fail(f"the backlog did not drain: {lags}")
