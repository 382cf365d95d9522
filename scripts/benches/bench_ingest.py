"""Ingest: readings from publishers through a broker into the database, beside the database's own speed.

All processes run on this machine. As fast as the edges' windows let them, in turns with the ceiling: the same rows,
bytes ready made, by raw binary COPY into the same table, as many rows a transaction as ingest stored and on as many
connections as there are workers, with the same durability, and compressed on the way where ingest would do so. Then
at half of that rate, to see how long it takes from a message's first reading until its edge hears of the commit
(which is later than the commit). What was acknowledged is counted in the database. The table is emptied between the
parts, so that each finds it alike.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from itertools import repeat
from pathlib import Path
from typing import Any, Final

import numpy as np
import psutil
from park import meters
from processes import Broker, MemoryWatch, cpu_seconds, running_broker, running_command
from publishers import STEP_US, Task
from servers import Server, installed_timescale, plain_server, table_bytes, timescale_server
from smartpark.catalogue import parse_catalogue
from smartpark.clock import utc_now, utc_now_us
from smartpark_storage import READING_DTYPE, Connection, connect, describe_database, load_catalogue, load_registry
from smartpark_storage.copying import send_copy
from smartpark_storage.preparing import Load, prepare_load
from smartpark_storage.queries import query

_READY_MADE: Final = 16
"""Different transactions of the ceiling; it goes round them."""

Say = Callable[[str], None]

PARK: Final = "bench"
_POINTS: Final = (
    ("active_energy_import", "0.01"),
    ("active_power", "0.01"),
    ("voltage", "0.1"),
    ("current", "0.001"),
)
_EMPTIED_EVERY_S: Final = 30.0
"""In the long run the table is emptied now and then: ten minutes would fill a disk."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of this bench."""
    add = parser.add_argument
    add("--readings-per-message", type=int, default=2000, metavar="N", help="default 2000")
    add("--edges", type=int, default=8, metavar="N", help="publishers, each with its own connection (default 8)")
    add("--points", type=int, default=2000, metavar="N", help="points of all edges together (default 2000)")
    add(
        "--window",
        type=int,
        default=32,
        metavar="N",
        help="batches an edge sends without an ack (default 32, like an agent)",
    )
    add("--workers", type=int, default=1, metavar="N", help="ingest workers (default 1)")
    add("--seconds", type=float, default=20.0, metavar="S", help="of each part (default 20)")
    add("--rounds", type=int, default=3, metavar="N", help="in which ingest and ceiling take turns (default 3)")
    add("--minutes", type=float, default=0.0, metavar="M", help="run at half load so long and watch the memory")
    add(
        "--database", choices=("auto", "timescale", "plain"), default="auto", help="default: TimescaleDB if installed"
    )


def measure(arguments: argparse.Namespace, say: Say) -> dict[str, Any]:
    """Measure ingest, the ceiling and the latency at half load."""
    programs = None if arguments.database == "plain" else installed_timescale()
    if programs is None and arguments.database == "timescale":
        raise SystemExit("scripts/bench: no PostgreSQL with TimescaleDB is installed here")
    told = {} if programs else {"timescaledb": "not measured: plain PostgreSQL"}
    with (
        timescale_server(programs) if programs else plain_server() as server,
        running_broker() as broker,
        tempfile.TemporaryDirectory(prefix="smartpark-bench-") as folder,
    ):
        return {**told, **_Bench(server, broker, Path(folder), arguments, say).run()}


class _Bench:
    """One run on one server."""

    def __init__(self, server: Server, broker: Broker, folder: Path, arguments: argparse.Namespace, say: Say) -> None:
        self._server, self._broker, self._folder = server, broker, folder
        self._arguments, self._say = arguments, say
        self._boot = 0
        with connect(server.dsn, application="bench") as connection:
            self._label = describe_database(connection).label
            catalogue = parse_catalogue(meters(PARK, arguments.points, _POINTS), file="bench")
            load_catalogue(connection, catalogue, source="bench", loaded_by="bench", at=utc_now())
            self._records = sorted(load_registry(connection).by_id.values(), key=lambda r: r.point_id)
        self._records = self._records[: arguments.points]

    def run(self) -> dict[str, Any]:
        """All parts."""
        given = self._arguments
        environment = {
            "SMARTPARK_DSN": self._server.dsn,
            "SMARTPARK_BROKER_URL": self._broker.url,
            "SMARTPARK_LOG_LEVEL": "WARNING",
        }
        line = ("ingest", "run", "--workers", str(given.workers), "--ready-file", str(self._folder / "ready"))
        files = {"ready": self._folder / "ready", "log": self._folder / "log"}
        self._say(f"{self._label}, {self._broker.kind}: {given.edges} publishers as fast as they are acknowledged")
        with running_command(*line, environment=environment, **files) as ingest:
            full, ceiling = self._rounds(ingest)
            half = self._load(ingest, seconds=given.seconds, rate=full["readings_per_second"] / 2)
            long_run = self._long_run(ingest, full["readings_per_second"]) if given.minutes else {}
        return {
            "database": self._label,
            "broker": self._broker.kind,
            "readings_per_second": full["readings_per_second"],
            "copy_ceiling_per_second": ceiling["readings_per_second"],
            "ratio": round(full["readings_per_second"] / ceiling["readings_per_second"], 3),
            "ratio_by_round": full["ratios"],
            "bytes_per_reading": full["bytes_per_reading"],
            "readings_per_message": given.readings_per_message,
            "readings_per_transaction": full["readings_per_transaction"],
            "messages_per_second": round(full["readings_per_second"] / given.readings_per_message),
            "publishers": given.edges,
            "points": given.points,
            "workers": given.workers,
            "ack_p50_ms": full["p50_ms"],
            "ack_p99_ms": full["p99_ms"],
            "cpu_seconds_by_process": full["cpu_seconds_by_process"],
            "cpu_seconds_per_million_readings": _per_million(full["cpu_seconds_by_process"], full["readings"]),
            "database_cpu_seconds_per_million_copied": ceiling["cpu_seconds_per_million"],
            "ceiling_compressed_on_the_way": ceiling["compressed"],
            "seconds": full["seconds"],
            "readings": full["readings"],
            "sent_again": full["sent_again"],
            "readings_stored_minus_acknowledged": full["difference"] + half["difference"],
            "half_load": {
                "readings_per_second": half["readings_per_second"],
                "reading_to_commit_p50_ms": half["p50_ms"],
                "reading_to_commit_p99_ms": half["p99_ms"],
            },
            **long_run,
        }

    def _rounds(self, ingest: psutil.Process) -> tuple[dict[str, Any], dict[str, float]]:
        """Ingest and ceiling in turns, so that a busy machine slows both; sums, and the ceiling's rate and cost."""
        rounds: int = self._arguments.rounds
        loads: list[dict[str, Any]] = []
        copies: list[dict[str, float]] = []
        for _ in range(rounds):
            loads.append(self._load(ingest, seconds=self._arguments.seconds / rounds))
            copies.append(self._ceiling(loads[-1]["readings_per_transaction"], self._arguments.seconds / rounds))
        rates = [load["readings_per_second"] for load in loads]
        spent = [load["cpu_seconds_by_process"] for load in loads]
        full = {
            **max(loads, key=lambda load: load["p99_ms"]),
            "readings_per_second": round(sum(rates) / rounds),
            **{key: sum(load[key] for load in loads) for key in ("readings", "seconds", "sent_again", "difference")},
            "cpu_seconds_by_process": {name: round(sum(one[name] for one in spent), 2) for name in spent[0]},
            "ratios": [round(r / c["readings_per_second"], 3) for r, c in zip(rates, copies, strict=True)],
        }
        return full, {
            "readings_per_second": round(sum(copy["readings_per_second"] for copy in copies) / rounds),
            "cpu_seconds_per_million": round(sum(copy["cpu_seconds_per_million"] for copy in copies) / rounds, 2),
            "compressed": round(sum(copy["compressed"] for copy in copies) / rounds, 2),
        }

    def _long_run(self, ingest: psutil.Process, rate: float) -> dict[str, Any]:
        minutes: float = self._arguments.minutes
        self._say(f"{minutes:g} minutes at half load, to see the memory")
        watch = MemoryWatch({"ingest": ingest, "broker": self._broker.process})
        with watch.watching(), self._emptied_now_and_then():
            told = self._publish(minutes * 60, rate / 2)
        return {
            "long_run": {
                "minutes": minutes,
                "readings": sum(count for _, count, _ in told["acks"]),
                "memory_mb": watch.report(),
            }
        }

    def _load(self, ingest: psutil.Process, *, seconds: float, rate: float | None = None) -> dict[str, Any]:
        """Let the publishers send; what arrived, how fast, and what it cost."""
        self._empty()
        before = self._cpu(ingest)
        told = self._publish(seconds, rate)
        spent = {name: round(now - before[name], 2) for name, now in self._cpu(ingest).items()}
        stored, transactions = self._stored()
        readings, latency = _counted(told)
        # The first batch of each edge is from before the clock started; it too was acknowledged.
        acknowledged = sum(count for _, count, _ in told["acks"]) + told["before"]
        measured = told["ended"] - told["started"]
        return {
            "readings_per_second": round(readings / measured),
            "readings": acknowledged,
            "seconds": round(measured, 1),
            "p50_ms": _ms(latency, 0.5),
            "p99_ms": _ms(latency, 0.99),
            "sent_again": told["sent_again"],
            "readings_per_transaction": round(stored / max(transactions, 1)),
            "cpu_seconds_by_process": {**spent, "publishers": round(told["cpu_seconds"], 2)},
            "bytes_per_reading": round(self._bytes() / max(stored, 1), 1),
            "difference": stored - acknowledged,
        }

    def _publish(self, seconds: float, rate: float | None) -> dict[str, Any]:
        self._boot += 1
        points = [{"point": r.key, "measurand": r.measurand, "exponent": r.exponent} for r in self._records]
        edges = self._arguments.edges
        task = Task(
            host="127.0.0.1",
            port=self._broker.port,
            edges={f"bench-{n}": points[n::edges] for n in range(edges)},
            boot=self._boot,
            start_us=_start_us(),
            readings_per_message=self._arguments.readings_per_message,
            window=self._arguments.window,
            seconds=seconds,
            readings_per_second=rate,
        )
        program = [sys.executable, str(Path(__file__).with_name("publishers.py"))]
        done = subprocess.run(program, input=json.dumps(asdict(task)), stdout=subprocess.PIPE, text=True, check=True)
        return json.loads(done.stdout)

    def _ceiling(self, rows: int, seconds: float) -> dict[str, float]:
        """Readings a second on as many connections as there are workers, and the database's seconds a million."""
        workers = self._arguments.workers
        self._say(f"the ceiling: binary COPY of {rows:,} rows a transaction on {workers} connection(s)")
        self._empty()
        streams = [self._stream(worker, rows) for worker in range(workers)]
        compressed = sum(load.is_dense for stream in streams for load in stream)
        start = threading.Barrier(workers)
        with ExitStack() as stack, ThreadPoolExecutor(workers) as pool:
            # Open until the processor seconds are read: those of a backend that ends are missing for a moment.
            connections = [stack.enter_context(connect(self._server.dsn, application="bench")) for _ in streams]
            before = self._server.cpu_seconds()
            copied = list(pool.map(self._copy, connections, streams, repeat(seconds), repeat(start)))
            spent = sum(self._server.cpu_seconds().values()) - sum(before.values())
        readings = sum(one for one, _ in copied)
        return {
            "readings_per_second": round(sum(one / elapsed for one, elapsed in copied)),
            "cpu_seconds_per_million": spent * 1e6 / readings,
            "compressed": compressed / sum(map(len, streams)),
        }

    def _stream(self, worker: int, rows: int) -> list[Load]:
        """Transactions' worth of ready-made bytes, each ordered and encoded as the writer does it."""
        records = self._records[worker :: self._arguments.workers]
        ids = np.array([record.point_id for record in records], np.int32)
        made: list[Load] = []
        for number in range(_READY_MADE):
            place = np.arange(number * rows, (number + 1) * rows)
            readings = np.zeros(rows, READING_DTYPE)
            step, alias = np.divmod(place, len(ids))
            readings["point_id"], readings["time"] = ids[alias], _start_us() + step * STEP_US
            readings["scaled"], readings["raw"] = 1000 * alias + 3 * step, np.nan
            load = prepare_load([readings])
            made += [] if load is None else [load]
        return made

    def _copy(
        self, connection: Connection, stream: list[Load], seconds: float, start: threading.Barrier
    ) -> tuple[int, float]:
        copied, place = 0, 0
        start.wait()
        began = time.monotonic()
        while time.monotonic() - began < seconds:
            load = stream[place % len(stream)]
            with connection.transaction():
                if load.is_dense:
                    connection.execute(query("compress_on_the_way"))
                send_copy(connection, load.pieces)
            copied, place = copied + load.readings, place + 1
        return copied, time.monotonic() - began

    def _cpu(self, ingest: psutil.Process) -> dict[str, float]:
        return {
            **self._server.cpu_seconds(),
            "broker": cpu_seconds(self._broker.process),
            "ingest": cpu_seconds(ingest),
        }

    @contextmanager
    def _emptied_now_and_then(self) -> Iterator[None]:
        done = threading.Event()

        def empty() -> None:
            while not done.wait(_EMPTIED_EVERY_S):
                self._empty()

        thread = threading.Thread(target=empty, daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()

    def _empty(self) -> None:
        with connect(self._server.dsn, application="bench") as connection:
            connection.execute("TRUNCATE smartpark.reading, smartpark.stale_mark, smartpark.stale_hour")

    def _stored(self) -> tuple[int, int]:
        """Rows of the table, and the transactions that brought them: each has marked what it touched."""
        with connect(self._server.dsn, application="bench") as connection:
            found = connection.execute(
                "SELECT (SELECT count(*) FROM smartpark.reading), count(*)"
                " FROM (SELECT xmin FROM smartpark.stale_mark GROUP BY xmin) AS by_transaction"
            ).fetchone()
        return found or (0, 0)

    def _bytes(self) -> int:
        return table_bytes(self._server.dsn)


def _per_million(spent: dict[str, float], readings: int) -> dict[str, float]:
    return {name: round(seconds * 1e6 / readings, 3) for name, seconds in spent.items()}


def _start_us() -> int:
    return (utc_now_us() // (7200 * STEP_US) * 7200 - 86_400) * STEP_US


def _counted(told: dict[str, Any]) -> tuple[int, list[float]]:
    """Readings acknowledged while the publishers sent, and the seconds that each batch took."""
    counted = [(readings, latency) for at, readings, latency in told["acks"] if at <= told["ended"]]
    return sum(readings for readings, _ in counted), [latency for _, latency in counted]


def _ms(latency: list[float], quantile: float) -> float:
    return round(float(np.quantile(latency, quantile)) * 1000, 1) if latency else float("nan")
