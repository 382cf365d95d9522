"""Alerts: from the commit of a reading that breaks a limit to the notification at a stub webhook, and what it costs.

A park of many points, each with a reading every few seconds, stored by ingest's own writer in a process of its own;
`smartpark alerts run` beside it, as in operation, with many rules of several kinds that each watch every point.
Breaches are injected evenly, each on a device of its own, so that none is told together with another. The clock of a
breach runs from the moment its transaction had been committed until the webhook was called. Processor time is that of
the worker's process; what the database spends for it is told apart.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

import numpy as np
import psutil
from alert_feeder import EDGES
from park import meters
from processes import cpu_seconds, memory_mb, running, wait_until
from servers import Server, installed_timescale, plain_server, timescale_server
from smartpark.catalogue import parse_catalogue
from smartpark.cli import command_line
from smartpark.clock import utc_now
from smartpark_storage import connect, describe_database, load_catalogue

Say = Callable[[str], None]

PARK: Final = "bench"
_MEASURANDS: Final = ("active_power", "reactive_power", "current", "voltage")
_BREACH: Final = 5000
"""What a broken point shows, ten times what it shows else. [steps]"""
_LAST_S: Final = 20.0
"""How long is waited for the last notifications. [s]"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of this bench."""
    add = parser.add_argument
    add("--points", type=int, default=10_000, metavar="N", help="default 10000")
    add("--rules", type=int, default=50, metavar="N", help="each watches every point (default 50)")
    add("--every", type=float, default=10.0, metavar="S", help="between two readings of a point (default 10 s)")
    add("--seconds", type=float, default=120.0, metavar="S", help="default 120")
    add("--warm", type=float, default=15.0, metavar="S", help="readings before the clock runs (default 15)")
    add("--breaches", type=int, default=300, metavar="N", help="injected in that time (default 300)")
    add(
        "--database", choices=("auto", "timescale", "plain"), default="auto", help="default: TimescaleDB if installed"
    )


def measure(arguments: argparse.Namespace, say: Say) -> dict[str, Any]:
    """Measure on one database."""
    programs = None if arguments.database == "plain" else installed_timescale()
    if programs is None and arguments.database == "timescale":
        raise SystemExit("scripts/bench: no PostgreSQL with TimescaleDB is installed here")
    with (
        timescale_server(programs) if programs else plain_server() as server,
        tempfile.TemporaryDirectory(prefix="smartpark-bench-") as folder,
    ):
        return _Bench(server, Path(folder), arguments, say).run()


class _Bench:
    """One run on one server."""

    def __init__(self, server: Server, folder: Path, arguments: argparse.Namespace, say: Say) -> None:
        self._server, self._folder, self._arguments, self._say = server, folder, arguments, say
        self._watched = 0
        with connect(server.dsn, application="bench") as connection:
            self._label = describe_database(connection).label
            catalogue = parse_catalogue(
                meters(PARK, arguments.points, [(name, "0.1") for name in _MEASURANDS]), file="bench"
            )
            load_catalogue(connection, catalogue, source="bench", loaded_by="bench", at=utc_now())

    def run(self) -> dict[str, Any]:
        """Set up, warm up, measure."""
        given = self._arguments
        with _receiver() as heard:
            environment = self._configure(heard.url)
            line = command_line("alerts", "run")
            with running(line, self._folder / "log", {**os.environ, **environment}) as worker:
                self._feed([], given.warm, boot=1)
                wait_until(lambda: self._waiting() < 4 * EDGES, what="the worker keeps up", log=self._folder / "log")
                self._say(f"{given.seconds:g} s of readings, {given.breaches} breaches")
                before, began = self._spent(worker), time.monotonic()
                told = self._feed(_broken(given.points, given.breaches), given.seconds, boot=2)
                spent, lasted = self._spent(worker), time.monotonic() - began
                self._await(heard, told)
                memory = memory_mb(worker)
        said = (self._folder / "log").read_text(encoding="utf-8", errors="replace")
        if said:
            self._say(f"the worker said:\n{said[-2000:]}")
        return {**self._report(heard, told, before, spent, lasted), "memory_mb": round(memory)}

    def _report(
        self,
        heard: "_Heard",
        told: list[dict[str, Any]],
        before: Mapping[str, float],
        spent: Mapping[str, float],
        lasted: float,
    ) -> dict[str, Any]:
        breaches = {line["point"]: line["committed_s"] for line in told if "point" in line}
        waits = np.array([heard.first[key] - at for key, at in breaches.items() if key in heard.first])
        used = {name: round((spent[name] - before[name]) / lasted, 3) for name in spent}
        quantiles = {name: _quantile(waits, q) for name, q in (("p50_s", 0.5), ("p95_s", 0.95), ("p99_s", 0.99))}
        return {
            "database": self._label,
            "points": self._arguments.points,
            "rules": self._arguments.rules,
            "objects_watched": self._watched,
            "readings_per_second": round(self._arguments.points / self._arguments.every),
            "breaches": len(breaches),
            "told": int(waits.size),
            "told_twice": heard.repeated(breaches),
            **quantiles,
            "max_s": _quantile(waits, 1.0),
            "cpu_cores": used["worker"],
            "cpu_cores_of_its_database_sessions": used["sessions"],
            "cpu_cores_of_all_database": used["database"],
            "feeder_behind_s": told[-1]["behind_s"],
            "seconds": round(lasted, 1),
        }

    def _configure(self, url: str) -> dict[str, str]:
        """Rules, a contact and a route; the environment of the worker."""
        secrets = self._folder / "secrets"
        secrets.mkdir()
        (secrets / "stub").write_text(f"{url}\na secret of the bench's own\n", encoding="utf-8")
        (secrets / "stub").chmod(0o600)
        (self._folder / "rules.toml").write_text(_rules(self._arguments.rules), encoding="utf-8")
        (self._folder / "routes.toml").write_text(_ROUTES, encoding="utf-8")
        environment = {
            "SMARTPARK_DSN": self._server.dsn,
            "SMARTPARK_LOG_LEVEL": "WARNING",
            "SMARTPARK_ALERT_SECRETS": str(secrets),
            "SMARTPARK_WEBHOOKS_PRIVATE": "yes",
        }
        for line in (
            ("alerts", "rules", "load", str(self._folder / "rules.toml"), "--only"),
            ("alerts", "routes", "load", str(self._folder / "routes.toml")),
        ):
            _command(line, environment)
        checked = _command(("alerts", "check", str(self._folder / "rules.toml"), "--json"), environment)
        self._watched = sum(json.loads(line)["watched"] for line in checked.splitlines())
        return environment

    def _feed(self, breaches: list[str], seconds: float, *, boot: int) -> list[dict[str, Any]]:
        feed = {
            "dsn": self._server.dsn,
            "park": PARK,
            "every_s": self._arguments.every,
            "commits_per_second": 10.0,
            "seconds": seconds,
            "breaches": breaches,
            "breach_value": _BREACH,
            "boot": boot,
        }
        program = [sys.executable, str(Path(__file__).with_name("alert_feeder.py"))]
        done = subprocess.run(program, input=json.dumps(feed), stdout=subprocess.PIPE, text=True, check=True)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def _await(self, heard: "_Heard", told: list[dict[str, Any]]) -> None:
        wanted = {line["point"] for line in told if "point" in line}
        give_up = time.monotonic() + _LAST_S
        while not wanted <= heard.first.keys() and time.monotonic() < give_up:
            time.sleep(0.1)

    def _waiting(self) -> int:
        with connect(self._server.dsn, application="bench") as connection:
            row = connection.execute("SELECT count(*) FROM smartpark.reading_change").fetchone()
        return int(row[0]) if row else 0

    def _spent(self, worker: psutil.Process) -> dict[str, float]:
        with connect(self._server.dsn, application="bench") as connection:
            rows = connection.execute(
                "SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'smartpark alerts%'"
            ).fetchall()
        return {
            "worker": cpu_seconds(worker),
            "sessions": sum(cpu_seconds(psutil.Process(pid)) for (pid,) in rows),
            "database": sum(self._server.cpu_seconds().values()),
        }


def _command(words: tuple[str, ...], environment: Mapping[str, str]) -> str:
    given = {**os.environ, **environment}
    return subprocess.run(command_line(*words), check=True, stdout=subprocess.PIPE, text=True, env=given).stdout


def _broken(points: int, breaches: int) -> list[str]:
    """Points that break their limit: of each device one at most, in an order that has nothing to do with theirs."""
    devices = np.random.default_rng(1).permutation(-(-points // len(_MEASURANDS)))
    if breaches > devices.size:
        raise SystemExit(f"scripts/bench: {breaches} breaches need as many devices, and there are {devices.size}")
    return [f"{PARK}/M{device}/{_MEASURANDS[place % 4]}" for place, device in enumerate(devices[:breaches].tolist())]


def _rules(many: int) -> str:
    """Rules of several kinds; the first one alone is broken."""
    detectors = (
        'kind = "limit", above = {above}, clear_above = {clear}',
        'kind = "rate", rise_per_h = 1e{power}',
        'kind = "stuck", after_s = {long}',
        'kind = "stale", after_s = {long}',
        'kind = "limit", below = -{above}',
    )
    found: list[str] = []
    for number in range(many):
        above = 200.0 if number == 0 else 1000.0 + number
        text = detectors[number % len(detectors)].format(
            above=above, clear=0.9 * above, power=9 + number, long=3600 + 60 * number
        )
        found.append(
            f'[[rule]]\ncode = "bench-{number}"\nname = "{number}"\nname_en = "Rule {number}"\nwhy = "a bench"\n'
            f'severity = "critical"\ncause = "process"\nfor_s = {0 if number == 0 else 60}\n'
            f'scope = {{ parks = ["{PARK}"] }}\ndetector = {{ {text} }}\n'
        )
    return "\n".join(found)


_ROUTES: Final = """
[[contact]]
code = "stub"
name = "stub"
language = "en"
channel = "webhook"
address = "stub"
most_at_once = 100
most_per_hour = 3600

[[route]]
code = "all"
contacts = ["stub"]
group_wait_s = 0
"""


class _Heard:
    """What the stub webhook was told."""

    def __init__(self) -> None:
        self.url = ""
        self.first: dict[str, float] = {}
        """Point to when it was first told of. [s since the epoch]"""
        self._times: dict[str, int] = {}
        self._lock = threading.Lock()

    def note(self, body: str, at: float) -> None:
        """Take a message: every point that it names counts as told."""
        names = {f"{PARK}/{rest}" for rest in _named(body)}
        with self._lock:
            for name in names:
                self.first.setdefault(name, at)
                self._times[name] = self._times.get(name, 0) + 1

    def repeated(self, wanted: Mapping[str, float]) -> int:
        """Points that more than one message named."""
        return sum(self._times.get(name, 0) > 1 for name in wanted)


def _named(body: str) -> Iterator[str]:
    for part in body.split(f"point:{PARK}/")[1:]:
        device, _, rest = part.partition("/")
        code = next((name for name in _MEASURANDS if rest.startswith(name)), None)
        if code is not None:
            yield f"{device}/{code}"


@contextmanager
def _receiver() -> Iterator[_Heard]:
    """A webhook that takes everything at once."""
    heard = _Heard()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            at = time.time()
            body = self.rfile.read(int(self.headers.get("Content-Length", "0"))).decode("utf-8", "replace")
            self.send_response(204)
            self.end_headers()
            heard.note(body, at)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the name is the library's
            del format, args

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    heard.url = f"http://127.0.0.1:{server.server_address[1]}/"
    thread = threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True)
    thread.start()
    try:
        yield heard
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _quantile(waits: np.ndarray, quantile: float) -> float | None:
    return round(float(np.quantile(waits, quantile)), 3) if waits.size else None
