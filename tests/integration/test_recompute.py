"""A park's past computed anew: on processes, on a Dask cluster, with workers killed, beside a running worker."""

import json
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psutil
import psycopg
import pytest
from derive_park import DAY, HOUR, KWH_PER_HOUR, LOADS, MIDNIGHT, QUARTER, DerivePark
from distributed import LocalCluster
from fix_database import FilledDatabases
from fix_process import SmartparkProcess, SmartparkRunner
from smartpark_ingest import recompute
from smartpark_storage import Connection, connect, transaction
from smartpark_storage.deriving import MonthOfPark, lock_parks, take_month
from waiting import wait_until

START, DAYS = MIDNIGHT - 60 * DAY, 45
"""2026-09-11 and on; it reaches into two months."""
STRETCH = ("--park", "hill", "--from", "2026-09-01", "--to", "2026-11-01", "--json")
MONTHS = 2


def start_over(connection: Connection) -> None:
    connection.execute("TRUNCATE smartpark.interval_energy, smartpark.indicator_value, smartpark.stale_mark")
    connection.commit()


def revisions(connection: Connection) -> list[Any]:
    """All that was derived, revisions that were superseded included, without when."""
    with transaction(connection):
        return [
            connection.execute("SELECT * FROM smartpark.interval_energy ORDER BY point_id, start").fetchall(),
            connection.execute(
                "SELECT park, boundary, indicator, grain, start, revision, value, numerator, denominator, unit,"
                " completeness, estimated_share, uncertainty, method, factor_set, factors, reason"
                " FROM smartpark.indicator WHERE grain IN ('hour', 'day') ORDER BY 1, 2, 3, 4, 5, 6"
            ).fetchall(),
            connection.execute(
                "SELECT park, boundary, indicator, grain, start, value, numerator, denominator, unit,"
                " completeness, estimated_share, uncertainty, method, factor_set, factors, reason"
                " FROM smartpark.indicator WHERE superseded_at IS NULL ORDER BY 1, 2, 3, 4, 5"
            ).fetchall(),
        ]


def derive_and_start_over(dsn: str) -> tuple[int, list[Any]]:
    """Feed and derive, and then it is as if nothing had been derived; how many batches that were, and what came."""
    with connect(dsn, application="test") as connection:
        park = DerivePark(connection)
        park.feed(START, START + DAYS * DAY, every=QUARTER, register=_shifted(park))
        park.derive()
        result = revisions(connection)
        start_over(connection)
        return park.sequence, result


Fed = tuple[str, tuple[int, list[Any]]]


@pytest.fixture
def _fed(filled_databases: FilledDatabases, database_kind: str) -> Iterator[Fed]:
    with filled_databases.one(database_kind, derive_and_start_over) as filled:
        yield filled


@pytest.fixture
def database_dsn(_fed: Fed) -> str:
    """Address of a database with readings, for a test alone."""
    return _fed[0]


@pytest.fixture
def hill(connection: Connection, _fed: Fed) -> DerivePark:
    """The park with its readings, of which nothing has been derived."""
    return DerivePark(connection, sequence=_fed[1][0], is_loaded=True)


@pytest.fixture
def derived(_fed: Fed) -> list[Any]:
    """What must come of the readings, as derived from what is stale."""
    return _fed[1][1]


@contextmanager
def turn_at_the_park(dsn: str) -> Iterator[None]:
    """Hold what every worker needs before it publishes: they stand still with their quarter-hours written."""
    with connect(dsn, application="test") as other, transaction(other):
        lock_parks(other, ["hill"])
        yield


def waiting_workers(dsn: str, lock: int = 7262004) -> int:
    with psycopg.connect(dsn, autocommit=True) as admin:
        row = admin.execute(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = %s AND NOT granted"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
            (lock,),
        ).fetchone()
    return 0 if row is None else int(row[0])


def told(process: SmartparkProcess) -> dict[str, Any]:
    """What the command said at its end, which must be a good one."""
    assert process.process.wait(120) == 0, process.output()
    return json.loads(process.output().splitlines()[-1])


def test_recomputing_gives_what_deriving_gave_and_once_more_changes_nothing(
    hill: DerivePark, derived: list[Any], database_dsn: str, smartpark: SmartparkRunner
):
    environment = {"SMARTPARK_DSN": database_dsn}
    done = smartpark.run("derive", *STRETCH, environment=environment)
    assert done.returncode == 0, done.stderr
    first = json.loads(done.stdout)
    assert first["parts"] == MONTHS
    assert first["intervals_changed"] == DAYS * 96 * len(LOADS)
    assert first["readings"] >= DAYS * 96 * len(LOADS)
    assert "days done" in done.stderr
    assert revisions(hill.connection) == derived
    again = json.loads(smartpark.run("derive", *STRETCH, environment=environment).stdout)
    assert (again["intervals_changed"], again["indicators_published"]) == (0, 0)
    assert revisions(hill.connection) == derived


def test_a_killed_process_costs_time_and_nothing_else(
    hill: DerivePark, derived: list[Any], database_dsn: str, smartpark: SmartparkRunner
):
    with turn_at_the_park(database_dsn):
        driver = smartpark.start("derive", *STRETCH, "--workers", 2, environment={"SMARTPARK_DSN": database_dsn})
        wait_until(lambda: waiting_workers(database_dsn) == 2, what="both processes are in the middle of a month")
        workers = [p for p in psutil.Process(driver.pid).children() if "spawn_main" in " ".join(p.cmdline())]
        assert len(workers) == 2
        workers[0].kill()
        wait_until(lambda: not workers[0].is_running() or workers[0].status() == "zombie", what="it is dead")
    report = told(driver)
    assert (report["parts"], report["repeated"]) == (MONTHS, 1)
    assert revisions(hill.connection) == derived


def test_a_killed_worker_of_a_cluster_costs_time_and_nothing_else(
    hill: DerivePark,
    derived: list[Any],
    database_dsn: str,
    smartpark: SmartparkRunner,
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setenv("SMARTPARK_DSN", database_dsn)  # each worker finds it in its own environment
    with LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster:
        with turn_at_the_park(database_dsn):
            driver = smartpark.start("derive", *STRETCH, "--scheduler", cluster.scheduler_address)
            wait_until(lambda: waiting_workers(database_dsn) == 2, what="both workers are in the middle of a month")
            os.kill(cluster.workers[0].pid, signal.SIGKILL)
            wait_until(lambda: len(cluster.scheduler_info["workers"]) < 2, what="the scheduler misses one")
        assert told(driver)["parts"] == MONTHS
    assert revisions(hill.connection) == derived


def test_a_killed_command_is_begun_again_and_comes_to_the_same(
    hill: DerivePark, derived: list[Any], database_dsn: str, smartpark: SmartparkRunner
):
    environment = {"SMARTPARK_DSN": database_dsn}
    with turn_at_the_park(database_dsn):
        driver = smartpark.start("derive", *STRETCH, environment=environment)
        wait_until(lambda: waiting_workers(database_dsn), what="it is in the middle of a month")
        driver.kill()
    assert smartpark.run("derive", *STRETCH, environment=environment).returncode == 0
    assert revisions(hill.connection) == derived


def test_small_chunks_and_pieces_lead_to_the_same(
    hill: DerivePark, derived: list[Any], database_dsn: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("SMARTPARK_DSN", database_dsn)
    monkeypatch.setattr(recompute, "CHUNK_READINGS", 2 * 96 * len(LOADS))
    monkeypatch.setattr(recompute.pieces_of, "__defaults__", (300,))
    days: list[int] = []
    for part in recompute.parts_of("hill", START, START + DAYS * DAY + 1):
        recompute.recompute_part(part, days.append)
    assert days == [*range(2, 22, 2), *range(2, 25, 2), 25]
    assert revisions(hill.connection) == derived


def test_a_late_reading_waits_for_a_chunk_that_is_recomputed_and_then_sees_it(hill: DerivePark, database_dsn: str):
    hill.feed(MIDNIGHT, MIDNIGHT + HOUR)
    thread = threading.Thread(target=hill.derive)
    with connect(database_dsn, application="recompute") as other, transaction(other):
        take_month(other, MonthOfPark("hill", "2026-11"))
        thread.start()
        wait_until(lambda: waiting_workers(database_dsn, 7262007), what="derive waits for the month")
        assert not hill_energy(other)
    thread.join(90)
    assert not thread.is_alive()
    assert hill.hour("electricity_consumption", 0)["value"] == pytest.approx(KWH_PER_HOUR)


def hill_energy(connection: Connection) -> list[Any]:
    return connection.execute("SELECT start FROM smartpark.interval_energy").fetchall()


def test_recomputing_beside_a_running_worker_and_late_readings_comes_to_the_same(
    hill: DerivePark, derived: list[Any], database_dsn: str, smartpark: SmartparkRunner
):
    register = _shifted(hill)
    hill.connection.execute("TRUNCATE smartpark.reading")
    hill.connection.commit()
    late = range(START + 2 * HOUR, START + DAYS * DAY, DAY)
    hill.feed(START, START + DAYS * DAY, every=QUARTER, register=lambda k, t: None if t in late else register(k, t))
    environment = {"SMARTPARK_DSN": database_dsn}
    worker = smartpark.start("derive", "run", environment=environment)
    driver = smartpark.start("derive", *STRETCH, "--workers", 2, environment=environment)
    for time in late:
        hill.feed(time, time, register=register)
    told(driver)
    wait_until(
        lambda: hill.connection.execute("SELECT count(*) FROM smartpark.stale_mark").fetchone() == (0,),
        what="nothing is stale any more",
    )
    hill.connection.rollback()
    assert worker.terminate() == 0
    # Bad readings were set aside before the late ones came; amounts are whole all the same.
    energy, _, current = revisions(hill.connection)
    assert [row[:5] for row in energy] == [row[:5] for row in derived[0]]
    assert [row[:10] for row in current] == [row[:10] for row in derived[2]]


def _shifted(hill: DerivePark) -> Callable[[str, int], int]:
    return lambda key, time: hill.register(key, time + 90 * DAY)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--from", "2026-09-01"), "give --park and --from"),
        (("--park", "hill"), "give --park and --from"),
        (("--park", "hill", "--from", "2026-09-01", "--workers", "0"), "'0' is no number of processes"),
        (
            ("--park", "hill", "--from", "2026-09-01", "--scheduler", "tcp://127.0.0.1:1", "--workers", "2"),
            "not allowed with argument",
        ),
    ],
)
def test_a_wrong_command_is_told_in_a_sentence(smartpark: SmartparkRunner, words: tuple[str, ...], said: str):
    done = smartpark.run("derive", *words)
    assert done.returncode == 2
    assert said in done.stderr
