"""Analytics: from stored raw readings to the carbon of a park, in processor seconds of every process.

Measured is `smartpark derive --park P --from D --to D` as people run it: a process of its own from its start to its
end, and all processes of a database server of the bench's own. Readings are stored as the writer stores a backlog,
nothing is computed yet. Growth is the exponent of processor time over meters and over days (1: linear), without what
an empty run costs. Then the numpy core by itself, on quarter-hour registers of many meters for a year, beside the
same indicators plainly written in pandas.
"""

import argparse
import json
import math
import os
import resource
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import analytics_core
from park import Park, make_park
from servers import Server, installed_timescale, plain_server, timescale_server
from smartpark.cli import command_line
from smartpark.clock import PARK_ZONE, from_us
from smartpark_storage import connect, describe_database

Say = Callable[[str], None]

START_US = 1_767_196_800_000_000
"""2026-01-01 in Asia/Shanghai. [µs]"""
DAYS = 31


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of this bench."""
    parser.add_argument("--meters", type=int, default=100, metavar="N", help="meters of the park (default 100)")
    parser.add_argument("--every", type=int, default=60, metavar="S", help="seconds between readings (default 60)")
    parser.add_argument(
        "--core-meters",
        type=int,
        default=10_000,
        metavar="N",
        help="meters of the numpy core, a year (default 10000)",
    )
    parser.add_argument(
        "--database", choices=("both", "timescale", "plain"), default="both", help="what to measure on (default both)"
    )


def measure(arguments: argparse.Namespace, say: Say) -> dict[str, Any]:
    """Measure on each database; the product's is told first."""
    programs = installed_timescale()
    reports: list[dict[str, Any]] = []
    if arguments.database != "plain":
        if programs is None:
            say("no PostgreSQL with TimescaleDB is installed here: measuring plain PostgreSQL only")
        else:
            with timescale_server(programs) as server:
                reports.append(_measure_on(server, arguments, say))
    if arguments.database != "timescale":
        with plain_server() as server:
            reports.append(_measure_on(server, arguments, say))
    if not reports:
        raise SystemExit("scripts/bench: no TimescaleDB here to measure on")
    first, *others = reports
    say(f"the numpy core: {arguments.core_meters} meters, a year of quarter-hours, and the same in pandas")
    core = analytics_core.measure(meters=arguments.core_meters)
    return {
        **first,
        **core,
        **({"timescaledb": "not installed here"} if programs is None else {}),
        **{f"on {other['database']}": other for other in others},
    }


def _measure_on(server: Server, arguments: argparse.Namespace, say: Say) -> dict[str, Any]:
    sizes = sorted({max(4, arguments.meters // 4), max(4, arguments.meters // 2), arguments.meters})
    with connect(server.dsn, application="bench") as connection:
        label = describe_database(connection).label
        parks: list[Park] = []
        for meters in sizes:
            say(f"{label}: storing {DAYS} days of {meters} meters, a reading every {arguments.every} s")
            made = make_park(
                connection, f"bench{meters}", meters=meters, start_us=START_US, days=DAYS, every_s=arguments.every
            )
            parks.append(made)
        connection.commit()
    _settle(server)
    say(f"{label}: computing")
    # The cheaper of two: the server may still be busy with what storing has left to do.
    idle = min((_run(server, parks[0], days=(-1, 0)) for _ in range(2)), key=lambda run: run["cpu_seconds"])
    by_meters = [_run(server, park, days=(0, DAYS)) for park in parks]
    by_days = [_run(server, parks[-1], days=(0, days)) for days in (DAYS // 4, DAYS // 2)] + by_meters[-1:]
    again = _run(server, parks[-1], days=(0, DAYS), keep=True)
    whole = by_meters[-1]
    return {
        "database": label,
        "readings_per_cpu_second": round(whole["readings"] / whole["cpu_seconds"]),
        "readings": whole["readings"],
        "meters": parks[-1].meters,
        "seconds_between_readings": arguments.every,
        "indicator_revisions": whole["indicators_published"],
        "quarter_hours": whole["intervals_changed"],
        "cpu_seconds_by_process": whole["cpu_seconds_by_process"],
        "seconds": whole["seconds"],
        "readings_per_cpu_second_when_nothing_changes": round(again["readings"] / again["cpu_seconds"]),
        "cpu_seconds_of_an_empty_run": idle["cpu_seconds"],
        "peak_memory_mb": whole["peak_memory_mb"],
        "peak_memory_mb_by_days": _series("days", (DAYS // 4, DAYS // 2, DAYS), by_days, "peak_memory_mb"),
        "growth_with_meters": _growth("meters", [park.meters for park in parks], by_meters, idle),
        "growth_with_days": _growth("days", (DAYS // 4, DAYS // 2, DAYS), by_days, idle),
    }


def _settle(server: Server) -> None:
    """Let the server finish what storing has left to do."""
    with connect(server.dsn, application="bench") as connection:
        connection.autocommit = True
        connection.execute("TRUNCATE smartpark.stale_mark")
        connection.execute("VACUUM ANALYZE")
        connection.execute("CHECKPOINT")


def _run(server: Server, park: Park, *, days: tuple[int, int], keep: bool = False) -> dict[str, Any]:
    """One run of the command from nothing, unless what is there is kept; what it said, and what it cost."""
    if not keep:
        with connect(server.dsn, application="bench") as connection:
            connection.execute("TRUNCATE smartpark.interval_energy, smartpark.indicator_value")
    first, last = (_day(START_US + day * 86_400_000_000) for day in days)
    command = command_line("derive", "--park", park.code, "--from", first, "--to", last, "--json")
    before = server.cpu_seconds()
    environment = {**os.environ, "SMARTPARK_DSN": server.dsn, "SMARTPARK_LOG_LEVEL": "WARNING"}
    with (
        tempfile.TemporaryFile("w+", encoding="utf-8") as told,
        tempfile.TemporaryFile("w+", encoding="utf-8") as complaints,
        subprocess.Popen(command, stdout=told, stderr=complaints, env=environment) as process,
    ):
        usage, peak_mb = _watch(process)
        told.seek(0)
        complaints.seek(0)
        if process.returncode:
            raise SystemExit(f"scripts/bench: smartpark derive failed:\n{complaints.read()}")
        answer = json.load(told)
    after = server.cpu_seconds()
    spent = {kind: round(after[kind] - before[kind], 3) for kind in before}
    spent["smartpark derive"] = round(usage.ru_utime + usage.ru_stime, 3)
    return {
        **answer,
        "cpu_seconds_by_process": spent,
        "cpu_seconds": round(sum(spent.values()), 3),
        "peak_memory_mb": peak_mb,
    }


def _watch(process: subprocess.Popen[bytes]) -> tuple[resource.struct_rusage, int]:
    """Wait for a process; what it used, and the most memory it had in MB.

    The kernel's own peak (ru_maxrss) would begin with what this process had when it started the other.
    """
    peak_kb = 0
    while True:
        with suppress(OSError, StopIteration):
            lines = Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8").splitlines()
            peak_kb = int(next(line for line in lines if line.startswith("VmHWM")).split()[1])
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            process.returncode = os.waitstatus_to_exitcode(status)
            return usage, round(peak_kb / 1024)
        time.sleep(0.02)


def _day(time_us: int) -> str:
    """Date in the park's zone."""
    return from_us(time_us).astimezone(PARK_ZONE).date().isoformat()


def _series(name: str, sizes: Sequence[int], runs: Sequence[dict[str, Any]], key: str) -> dict[str, Any]:
    return {f"{size} {name}": run[key] for size, run in zip(sizes, runs, strict=True)}


def _growth(name: str, sizes: Sequence[int], runs: Sequence[dict[str, Any]], idle: dict[str, Any]) -> dict[str, Any]:
    """Processor time per size, and the exponent from the smallest to the largest."""
    net = [max(run["cpu_seconds"] - idle["cpu_seconds"], 1e-3) for run in runs]
    exponent = math.log(net[-1] / net[0]) / math.log(sizes[-1] / sizes[0]) if sizes[-1] > sizes[0] else math.nan
    return {**_series(name, sizes, runs, "cpu_seconds"), "exponent": round(exponent, 3)}
