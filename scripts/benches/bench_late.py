"""Late readings: how soon a running worker corrects the hour and the day they belong to.

A park runs with `smartpark derive run` beside it, as in operation. An hour of the grid meter that was missing is
stored, and the clock runs from its commit until both the hour and the day have a new revision; once per hour missing.
"""

import argparse
import os
import statistics
import subprocess
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from bench_analytics import START_US
from park import DAY_US, make_park
from servers import Server, installed_timescale, plain_server, timescale_server
from smartpark.cli import command_line
from smartpark.clock import from_us
from smartpark_storage import (
    Batch,
    Connection,
    connect,
    describe_database,
    load_registry,
    register_edge,
    store_batches,
)
from smartpark_storage.derived import fetch_readings

HOUR_US = 3_600_000_000
MISSING = range(2, 22)
"""Hours of the last day."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of this bench."""
    parser.add_argument("--meters", type=int, default=100, metavar="N", help="meters of the park (default 100)")


def measure(arguments: argparse.Namespace, say: Callable[[str], None]) -> dict[str, Any]:
    """Measure on each database there is."""
    reports: list[dict[str, Any]] = []
    if (programs := installed_timescale()) is not None:
        with timescale_server(programs) as server:
            reports.append(_measure_on(server, arguments.meters, say))
    else:
        say("no PostgreSQL with TimescaleDB is installed here: measuring plain PostgreSQL only")
    with plain_server() as server:
        reports.append(_measure_on(server, arguments.meters, say))
    first, *others = reports
    return {**first, **{f"on {other['database']}": other for other in others}}


def _measure_on(server: Server, meters: int, say: Callable[[str], None]) -> dict[str, Any]:
    with connect(server.dsn, application="bench") as connection:
        label = describe_database(connection).label
        say(f"{label}: three days of {meters} meters, a reading a minute; {len(MISSING)} hours come late")
        make_park(connection, "late", meters=meters, start_us=START_US, days=3, every_s=60)
        grid = load_registry(connection).by_key["late/M0/active_energy_import"].point_id
        last_day = START_US + 2 * DAY_US
        late = fetch_readings(connection, [grid], last_day + MISSING[0] * HOUR_US, last_day + MISSING[-1] * HOUR_US)
        connection.execute(
            "DELETE FROM smartpark.reading WHERE point_id = %s AND time >= %s AND time < %s",
            (grid, from_us(int(late["time"][0])), from_us(int(late["time"][-1]) + 1)),
        )
        connection.commit()
        worker = subprocess.Popen(
            command_line("derive", "run"),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "SMARTPARK_DSN": server.dsn},
        )
        try:
            _wait(lambda: _nothing_is_stale(connection))
            waits = [_correct(connection, late, last_day + hour * HOUR_US) for hour in MISSING[:-1]]
        finally:
            worker.terminate()
            worker.wait()
    return {
        "database": label,
        "late_hours": len(waits),
        "seconds_p50": round(statistics.median(waits), 3),
        "seconds_max": round(max(waits), 3),
    }


def _correct(connection: Connection, late: np.ndarray, hour_us: int) -> float:
    """Store an hour; seconds until it and its day are revised."""
    rows = late[(late["time"] >= hour_us) & (late["time"] < hour_us + HOUR_US)]
    before = _revisions(connection, hour_us)
    sequence = hour_us // HOUR_US
    edge = register_edge(connection, "late hours")
    store_batches(connection, [Batch(edge, 1, sequence, 0, rows)], received_at=from_us(hour_us))
    connection.commit()
    began_s = time.monotonic()
    _wait(lambda: all(now > then for now, then in zip(_revisions(connection, hour_us), before, strict=True)))
    return time.monotonic() - began_s


def _revisions(connection: Connection, hour_us: int) -> list[int]:
    """How many revisions the hour and its day have of the park's consumption of electricity."""
    day_us = hour_us - (hour_us - START_US) % DAY_US
    counts = [
        connection.execute(
            "SELECT count(*) FROM smartpark.indicator WHERE park = 'late' AND boundary = 'park'"
            " AND indicator = 'electricity_consumption' AND grain = %s AND start = %s",
            (grain, from_us(start)),
        ).fetchone()
        for grain, start in (("hour", hour_us), ("day", day_us))
    ]
    connection.commit()
    return [0 if row is None else int(row[0]) for row in counts]


def _nothing_is_stale(connection: Connection) -> bool:
    row = connection.execute("SELECT NOT EXISTS (SELECT FROM smartpark.stale_mark)").fetchone()
    connection.commit()
    return row is not None and bool(row[0])


def _wait(condition: Callable[[], bool], timeout_s: float = 120.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            raise SystemExit(f"scripts/bench: not done within {timeout_s:g} s")
        time.sleep(0.01)
