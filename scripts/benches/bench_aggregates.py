"""Aggregates: how fast a province pulls the published numbers of many parks, all of them and what has changed.

A database server of the bench's own is filled with a thousand parks and three years of daily and monthly numbers;
`smartpark api serve` runs beside it as in operation: access enforced, the puller a client with a key, so that what is
measured goes through log-in, the rules of the database's rows, and the audit log. Timed is the whole answer, in the
client, checked and read. Full pulls are also compared with a raw COPY of the same rows, which is what there is to be
had: `share_of_copy`.
"""

import argparse
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import httpx
import pyarrow as pa
from aggregates_park import INDICATORS, Filled, fill
from api_server import api_server
from servers import Server, installed_timescale, plain_server, timescale_server
from smartpark.access import Grant, Role
from smartpark.clock import to_us, utc_now
from smartpark.periods import Grain, period_containing
from smartpark_storage import Connection, IndicatorRow, connect, describe_database, publish_indicators
from smartpark_storage.access import SecretKind, add_client, add_grant, make_secret
from smartpark_storage.aggregates import number_publications
from tqdm import tqdm

Say = Callable[[str], None]

UNTIL: Final = "2026-11-01"
"""First day after the years that are filled in."""
CHANGES: Final = 100
"""Corrected numbers of an incremental pull."""
ARROW: Final = "application/vnd.apache.arrow.stream"
FORMS: Final = {
    "arrow": ARROW,
    "parquet": "application/vnd.apache.parquet",
    "ndjson": "application/x-ndjson",
    "csv": "text/csv",
    "json": "application/json",
}
_PATH: Final = "/api/v1/aggregates"
_CLIENT: Final = "province"
_DAY_US: Final = 86_400_000_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of this bench."""
    parser.add_argument("--parks", type=int, default=1000, metavar="N", help="parks (default 1000)")
    parser.add_argument("--years", type=int, default=3, metavar="N", help="years of numbers (default 3)")
    parser.add_argument("--page", type=int, default=50_000, metavar="N", help="rows of a page (default 50000)")
    parser.add_argument("--rounds", type=int, default=200, metavar="N", help="incremental pulls (default 200)")
    parser.add_argument("--pullers", type=int, default=50, metavar="N", help="pullers at once (default 50)")
    parser.add_argument(
        "--database",
        choices=("first", "both", "timescale", "plain"),
        default="first",
        help="what to measure on (default: TimescaleDB where it is installed, else plain)",
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
    if arguments.database in {"plain", "both"} or not reports:
        with plain_server() as server:
            reports.append(_measure_on(server, arguments, say))
    first, *others = reports
    return {**first, **{f"on {other['database']}": other for other in others}}


_AS_IN_OPERATION: Final = {"SMARTPARK_ACCESS": "enforced", "SMARTPARK_RATE_LIMIT": "40000"}
"""The limit lies above what the bench asks for."""


def _measure_on(server: Server, arguments: argparse.Namespace, say: Say) -> dict[str, Any]:
    with connect(server.dsn, application="bench") as connection:
        label = describe_database(connection).label
        say(f"{label}: filling in {arguments.parks:,} parks with {arguments.years} years")
        filled = fill(connection, parks=arguments.parks, years=arguments.years, until=UNTIL)
        key = _key_of_a_province(connection)
        say(f"{filled.rows:,} rows; pulling them")
        with (
            tempfile.TemporaryDirectory(prefix="smartpark-bench-") as folder,
            api_server(server.dsn, Path(folder), _AS_IN_OPERATION) as address,
            Puller(address, key) as puller,
        ):
            full = _full(puller, filled, arguments.page)
            forms = {name: _rate_of_form(puller, form, arguments.page) for name, form in FORMS.items()}
            copied = _copy(connection)
            say("pulling what has changed")
            incremental = _incremental(connection, puller, filled, arguments.rounds)
            unchanged = _unchanged(puller, 3 * arguments.rounds)
            say(f"{arguments.pullers} pullers at once")
            crowd = _crowd(connection, puller, filled, arguments.pullers)
    return {
        "database": label,
        "parks": filled.parks,
        "rows": filled.rows,
        "full_rows_per_second": round(full),
        "copy_rows_per_second": round(copied),
        "share_of_copy": round(full / copied, 3),
        "rows_per_second_by_form": forms,
        "incremental_p50_ms": _percentile(incremental, 50),
        "incremental_p99_ms": _percentile(incremental, 99),
        "unchanged_p50_ms": _percentile(unchanged, 50),
        "unchanged_p99_ms": _percentile(unchanged, 99),
        "concurrent_p50_ms": _percentile(crowd.seconds, 50),
        "concurrent_p99_ms": _percentile(crowd.seconds, 99),
        "concurrent_pulls_per_second": round(len(crowd.seconds) / crowd.whole_s, 1),
        "concurrent_pullers": arguments.pullers,
    }


# --- who pulls ----------------------------------------------------------------------------------------------------


class Puller:
    """A client that goes on where it was, as a province does."""

    def __init__(self, address: str, key: str, cursor: str | None = None) -> None:
        self._address, self._key, self.cursor = address, key, cursor
        # Over a network it would ask for gzip; here that measures zlib.
        headers = {"Authorization": f"Bearer {key}", "Accept-Encoding": "identity"}
        self._http = httpx.Client(base_url=address, headers=headers, timeout=120, trust_env=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def again(self) -> "Puller":
        """Another one at the same place."""
        return Puller(self._address, self._key, self.cursor)

    def page(self, limit: int, form: str = ARROW) -> tuple[int, bool]:
        """The next page; how many rows, and whether there is more."""
        asked: dict[str, str | int] = {"limit": limit}
        if self.cursor is not None:
            asked["cursor"] = self.cursor
        answer = self._http.get(_PATH, params=asked, headers={"Accept": form}).raise_for_status()
        rows = int(answer.headers["Smartpark-Rows"])
        if form == ARROW:
            with pa.ipc.open_stream(answer.content) as stream:
                read = stream.read_all().num_rows
            if read != rows:
                raise SystemExit(f"scripts/bench: {read} rows in the answer, {rows} by its header")
        self.cursor = answer.headers["Smartpark-Cursor"]
        return rows, answer.headers["Smartpark-More"] == "true"

    def tag(self) -> str:
        """Tag of the answer from here."""
        answer = self._http.get(_PATH, params={"cursor": self.cursor or ""}, headers={"Accept": ARROW})
        return answer.raise_for_status().headers["ETag"]

    def is_unchanged(self, tag: str) -> bool:
        """Ask whether there is anything new."""
        headers = {"Accept": ARROW, "If-None-Match": tag}
        return self._http.get(_PATH, params={"cursor": self.cursor or ""}, headers=headers).status_code == 304


def _key_of_a_province(connection: Connection) -> str:
    """Key of a client that may pull all parks."""
    now = utc_now()
    add_client(connection, _CLIENT, title="bench", contact="", by="bench", at=now)
    add_grant(connection, f"client:{_CLIENT}", Grant(Role.PROVINCE, None), by="bench", at=now)
    made = make_secret(connection, _CLIENT, SecretKind.API_KEY, by="bench", at=now, expires_at=now.replace(year=2099))
    connection.commit()
    return made.text


# --- what is measured ---------------------------------------------------------------------------------------------


def _full(puller: Puller, filled: Filled, limit: int) -> float:
    """Rows a second of all there is; the puller stands at the end after it."""
    began, rows, more = time.perf_counter(), 0, True
    with tqdm(total=filled.rows, unit=" rows", file=sys.stderr, disable=None) as bar:
        while more:
            got, more = puller.page(limit)
            rows += got
            bar.update(got)
    if rows != filled.rows:
        raise SystemExit(f"scripts/bench: {rows} rows were pulled, {filled.rows} are there")
    return rows / (time.perf_counter() - began)


def _rate_of_form(puller: Puller, form: str, limit: int) -> int:
    """Rows a second of the first pages in a form."""
    rows, more = 0, True
    with puller.again() as other:
        other.cursor = None
        began = time.perf_counter()
        for _ in range(4):
            if more:
                got, more = other.page(limit, form)
                rows += got
        return round(rows / (time.perf_counter() - began))


def _copy(connection: Connection) -> float:
    """Rows a second of a raw copy of what a pull gives, names and all, to this process."""
    began = time.perf_counter()
    with connection.cursor().copy("COPY (SELECT * FROM smartpark.indicator) TO STDOUT (FORMAT binary)") as copy:
        for _ in copy:
            pass
        seconds = time.perf_counter() - began
    row = connection.execute("SELECT count(*) FROM smartpark.indicator_value").fetchone()
    connection.rollback()
    return (0 if row is None else row[0]) / seconds


def _correct(connection: Connection, filled: Filled, number: int) -> None:
    """Correct a hundred numbers of a park, as derive does after late readings; each time of the next park."""
    park = f"park-{1 + number % filled.parks:04}"
    now = utc_now()
    last = to_us(period_containing(now.fromisoformat(f"{UNTIL}T00:00:00+08:00"), Grain.DAY).start)
    rows = [
        IndicatorRow(
            park=park,
            indicator=indicator,
            grain=Grain.DAY.value,
            start_us=last - (1 + day) * _DAY_US,
            value=number + day / 100,
            numerator=None,
            denominator=None,
            unit="kWh",
            completeness=1.0,
            estimated_share=0.0,
            method=f"{indicator}@1",
            factor_set="2026-11",
            factors=("electricity/equivalent",),
            reason="",
            computed_at_us=to_us(now),
        )
        for day in range(CHANGES // len(INDICATORS))
        for indicator in INDICATORS
    ]
    published = publish_indicators(connection, rows)
    connection.commit()
    number_publications(connection, wait=True)
    connection.commit()
    if published != CHANGES:
        raise SystemExit(f"scripts/bench: {published} numbers were corrected, {CHANGES} should have been")


def _incremental(connection: Connection, puller: Puller, filled: Filled, rounds: int) -> list[float]:
    """Seconds of each pull after a hundred changes."""
    times = list[float]()
    for round_ in tqdm(range(rounds + 5), unit=" pulls", file=sys.stderr, disable=None):
        _correct(connection, filled, round_)
        began = time.perf_counter()
        rows, more = puller.page(10_000)
        times += [time.perf_counter() - began] if round_ >= 5 else []
        if (rows, more) != (CHANGES, False):
            raise SystemExit(f"scripts/bench: {rows} rows came, {CHANGES} have changed")
    return times


def _unchanged(puller: Puller, rounds: int) -> list[float]:
    """Seconds of each pull that finds nothing new."""
    tag, times = puller.tag(), list[float]()
    for round_ in range(rounds + 5):
        began = time.perf_counter()
        if not puller.is_unchanged(tag):
            raise SystemExit("scripts/bench: nothing has changed, and the answer is not 304")
        times += [time.perf_counter() - began] if round_ >= 5 else []
    return times


@dataclass(frozen=True, slots=True)
class _Crowd:
    seconds: list[float]
    """Of each pull."""
    whole_s: float


def _crowd(connection: Connection, puller: Puller, filled: Filled, pullers: int) -> _Crowd:
    """Pullers at once, each of whom goes through the same twenty changes, one a pull."""
    for number in range(20):
        _correct(connection, filled, 1_000_000 + number)
    together = threading.Barrier(pullers + 1)

    def pull(_: int) -> list[float]:
        times, more = list[float](), True
        with puller.again() as own:
            together.wait()
            while more:
                began = time.perf_counter()
                _, more = own.page(CHANGES)
                times.append(time.perf_counter() - began)
        return times

    with ThreadPoolExecutor(pullers) as pool:
        running = [pool.submit(pull, number) for number in range(pullers)]
        together.wait()
        began = time.perf_counter()
        seconds = [one for future in running for one in future.result()]
        return _Crowd(seconds, time.perf_counter() - began)


def _percentile(seconds: list[float], percent: int) -> float:
    """Of times, in milliseconds."""
    return round(1000 * statistics.quantiles(seconds, n=100, method="inclusive")[percent - 1], 2)
