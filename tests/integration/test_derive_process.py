"""`smartpark derive` as processes: killed, side by side, without a database, and as commands that people type."""

import json
import random
import threading
from typing import Any

import numpy as np
import psycopg
import pytest
from derive_park import DAY, HOUR, KWH_PER_HOUR, LOADS, MIDNIGHT, QUARTER, T_PER_HOUR, DerivePark
from fix_process import SmartparkRunner
from psycopg.conninfo import conninfo_to_dict
from smartpark.factors import builtin_factors
from smartpark_ingest.derive import Deriver
from smartpark_ingest.derive_worker import DeriveWorker
from smartpark_ingest.recompute import mark_park_stale
from smartpark_storage import INTERVAL_DTYPE, Connection, connect, transaction, write_interval_energy
from smartpark_storage.deriving import lock_parks
from waiting import wait_until

DAYS = 8


def start_over(connection: Connection) -> None:
    connection.execute("TRUNCATE smartpark.interval_energy, smartpark.indicator_value, smartpark.stale_mark")
    connection.commit()


def counted(connection: Connection, table: str) -> int:
    row = connection.execute(f"SELECT count(*) FROM smartpark.{table}").fetchone()  # noqa: S608  our own names
    connection.commit()
    return 0 if row is None else int(row[0])


@pytest.fixture
def derived(hill: DerivePark) -> tuple[list[Any], list[Any]]:
    """What must come of eight days of readings; the park is then as if nothing had been derived."""
    hill.feed(MIDNIGHT, MIDNIGHT + DAYS * DAY, every=QUARTER)
    hill.derive()
    result = hill.everything()
    start_over(hill.connection)
    mark_park_stale(hill.connection, "hill", MIDNIGHT, MIDNIGHT + DAYS * DAY + 1)
    return result


def test_a_worker_killed_anywhere_costs_time_and_nothing_else(
    hill: DerivePark, derived: tuple[list[Any], list[Any]], database_dsn: str, smartpark: SmartparkRunner
):
    environment = {"SMARTPARK_DSN": database_dsn}
    seed = random.Random(7)
    kills = 0
    for _ in range(4):
        process = smartpark.start("derive", "run", environment=environment)
        # Into its first transaction, at a different depth each time: the marks are locked while it works.
        wait_until(lambda: is_deriving(database_dsn) or not counted(hill.connection, "stale_mark"), what="a claim")
        threading.Event().wait(seed.uniform(0, 0.25))
        kills += process.is_running
        process.kill()
    assert kills == 4
    done = smartpark.run("derive", "run", "--once", "--json", environment=environment)
    assert done.returncode == 0, done.stderr
    assert hill.everything() == derived
    every = [r for g in ("hour", "day") for r in hill.published("carbon_location", g, every_revision=True)]
    assert {row["revision"] for row in every} == {1}
    assert counted(hill.connection, "stale_mark") == 0


def is_deriving(dsn: str) -> bool:
    with psycopg.connect(dsn, autocommit=True) as admin:
        row = admin.execute(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = 7262003"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        ).fetchone()
    return row is not None and row[0] > 0


def test_workers_side_by_side_neither_block_nor_double_nor_miss_each_others_meters(
    hill: DerivePark, derived: tuple[list[Any], list[Any]], database_dsn: str
):
    failures: list[BaseException] = []

    def work(seed: int) -> None:
        deriver, idle = Deriver(builtin_factors(), claim_points=2), 0
        order = random.Random(seed)
        try:
            with connect(database_dsn, application=f"derive {seed}") as connection:
                while idle < 5:
                    found = deriver.step(connection, now_us=MIDNIGHT + 30 * DAY).found_work
                    idle = 0 if found else idle + 1
                    threading.Event().wait(order.uniform(0, 0.01))
        except Exception as error:  # noqa: BLE001  the edge of a thread: told to the test below
            failures.append(error)

    workers = [threading.Thread(target=work, args=(seed,)) for seed in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(120)
    assert not failures
    assert hill.everything() == derived
    assert counted(hill.connection, "stale_mark") == 0


def test_a_worker_waits_for_its_turn_at_the_park_and_then_sees_what_the_other_has_committed(
    hill: DerivePark, database_dsn: str
):
    others, gas = [key for key in LOADS if not key.startswith("G1")], hill.registry.by_key["hill/G1/gas_volume"]
    hill.feed(MIDNIGHT, MIDNIGHT + HOUR, keys=others)
    rows = np.zeros(4, INTERVAL_DTYPE)
    rows["point_id"], rows["start"] = gas.point_id, MIDNIGHT + QUARTER * np.arange(4)
    rows["amount"], rows["completeness"] = LOADS["G1/gas_volume"] / 4, 1.0
    thread = threading.Thread(target=hill.derive)
    with connect(database_dsn, application="other worker") as other:
        with transaction(other):
            lock_parks(other, ["hill"])
            write_interval_energy(other, rows)
            thread.start()
            wait_until(lambda: is_waiting(database_dsn), what="derive waits for the park")
        thread.join(90)
    row = hill.hour("carbon_location", 0)
    assert (row["value"], row["revision"]) == (pytest.approx(T_PER_HOUR), 1)


def is_waiting(dsn: str) -> bool:
    with psycopg.connect(dsn, autocommit=True) as admin:
        row = admin.execute(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = 7262004 AND NOT granted"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        ).fetchone()
    return row is not None and row[0] > 0


def test_a_worker_outlives_the_absence_of_its_database(
    plain_database_dsn: str, plain_server_dsn: str, caplog: pytest.LogCaptureFixture
):
    with connect(plain_database_dsn, application="test") as connection:
        hill = DerivePark(connection)
        hill.feed(MIDNIGHT, MIDNIGHT + HOUR)
    name = conninfo_to_dict(plain_database_dsn)["dbname"]
    stop = threading.Event()
    worker = DeriveWorker(plain_database_dsn, stop, clock=lambda: MIDNIGHT + 30 * DAY + QUARTER // 2)
    thread = threading.Thread(target=worker.run)
    with psycopg.connect(plain_server_dsn, autocommit=True) as admin:
        admin.execute(f"ALTER DATABASE {name} RENAME TO {name}_away")
        try:
            thread.start()
            wait_until(lambda: "trying again" in caplog.text, what="the worker says that the database is away")
        finally:
            admin.execute(f"ALTER DATABASE {name}_away RENAME TO {name}")
        wait_until(lambda: worker.totals.indicators_published, what="the worker derives after all")
        # And again, in the middle of its life.
        caplog.clear()
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'smartpark derive'"
        )
        wait_until(lambda: "trying again" in caplog.text, what="the worker notices")
    with connect(plain_database_dsn, application="test") as connection:
        before = worker.totals.indicators_published
        hill.connection = connection
        hill.feed(MIDNIGHT + 2 * HOUR, MIDNIGHT + 3 * HOUR)
        wait_until(lambda: worker.totals.indicators_published > before, what="late readings are derived")
        stop.set()
        thread.join(90)
        assert not thread.is_alive()
        assert hill.hour("electricity_consumption", 2)["value"] == pytest.approx(KWH_PER_HOUR)


def test_run_once_tells_what_it_did(hill: DerivePark, database_dsn: str, smartpark: SmartparkRunner):
    hill.feed(MIDNIGHT, MIDNIGHT + HOUR)
    environment = {"SMARTPARK_DSN": database_dsn}
    told = json.loads(smartpark.run("derive", "run", "--once", "--json", environment=environment).stdout)
    assert told["intervals_changed"] == 4 * len(LOADS)
    assert told["indicators_published"] == counted(hill.connection, "indicator") > 0
    assert told["not_published"] == 0
    again = json.loads(smartpark.run("derive", "run", "--once", "--json", environment=environment).stdout)
    assert (again["intervals_changed"], again["indicators_published"]) == (0, 0)


def test_recompute_publishes_what_a_changed_catalogue_changes(
    hill: DerivePark, database_dsn: str, smartpark: SmartparkRunner
):
    hill.feed(MIDNIGHT, MIDNIGHT + 2 * HOUR)
    hill.derive()
    hill.connection.execute("UPDATE smartpark.park SET electricity_factor_scope = 'national'")
    hill.connection.commit()
    words = ("derive", "--park", "hill", "--from", "2026-11-10", "--to", "2026-11-11", "--json")
    told = smartpark.run(*words, environment={"SMARTPARK_DSN": database_dsn})
    assert told.returncode == 0, told.stderr
    with transaction(hill.connection):
        second = hill.connection.execute(
            "SELECT indicator, grain FROM smartpark.indicator WHERE revision = 2"
        ).fetchall()
    assert json.loads(told.stdout)["indicators_published"] == len(second)
    assert {("carbon_location", "hour"), ("carbon_location", "day")} <= set(second)
    assert all("carbon" in indicator for indicator, _ in second), second
    row = hill.hour("carbon_location", 0)
    assert row["revision"] == 2
    assert "mee-2025-47:electricity:national:2023" in row["factors"]
    assert hill.hour("electricity_consumption", 0)["revision"] == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--park", "nowhere", "--from", "2026-11-10"), "no park of the code 'nowhere' has counters"),
        (("--park", "hill", "--from", "yesterday"), "'yesterday' is no date such as 2026-11-01"),
        (("--park", "hill", "--from", "2026-11-10", "--to", "2026-11-09"), "the span to recompute is empty"),
    ],
)
def test_a_wrong_recompute_is_told_in_a_sentence(
    plain_database_dsn: str, smartpark: SmartparkRunner, words: tuple[str, ...], said: str
):
    told = smartpark.run("derive", *words, environment={"SMARTPARK_DSN": plain_database_dsn})
    assert told.returncode in {1, 2}
    assert said in told.stderr
    assert "Traceback" not in told.stderr


def test_a_running_worker_ends_on_sigterm_with_exit_code_zero(plain_database_dsn: str, smartpark: SmartparkRunner):
    process = smartpark.start("derive", "run", environment={"SMARTPARK_DSN": plain_database_dsn})
    wait_until(lambda: "derive works on" in process.output(), what="the worker is up")
    assert process.terminate() == 0
    assert "Traceback" not in process.output()
