"""Console: how soon the load-request board answers with thousands of open requests.

A database server of the bench's own is filled with made-up requests through the storage functions that the desk uses;
`smartpark api serve` runs beside it as in operation. The page /requests is asked for as browsers do, whole and with
filters, one visitor after another and then eight at once; timed is the whole answer, in the client.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import Any, Final

import httpx
from api_server import api_server
from park import document
from servers import Server, installed_timescale, plain_server, timescale_server
from smartpark.catalogue import parse_catalogue
from smartpark.clock import PARK_ZONE, utc_now
from smartpark.load_requests.clocks import clocks_of
from smartpark.load_requests.events import Event
from smartpark.load_requests.requests import replay
from smartpark.load_requests.rules import builtin_load_request_rules
from smartpark.workdays import builtin_workdays
from smartpark_simulators.desk import DeskPark, desk_histories
from smartpark_storage import Connection, connect, describe_database, load_catalogue
from smartpark_storage.load_requests import (
    ManagerTerm,
    Person,
    append_event,
    insert_request,
    put_manager_term,
    put_person,
)
from tqdm import tqdm

Say = Callable[[str], None]

PARKS: Final = tuple(DeskPark(f"park-{n}", f"manager-{n}") for n in range(1, 9))
ASKED: Final = {
    "whole": "/requests",
    "one park": "/requests?park=park-3",
    "one manager": "/requests?manager=manager-5",
    "overdue": "/requests?standing=overdue",
    "text": "/requests?text=%E7%BA%BA%E7%BB%87",
    "table": "/requests?view=table",
}
"""What is asked for."""
_DAYS_TO_FILL: Final = 40.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of this bench."""
    parser.add_argument("--requests", type=int, default=10_000, metavar="N", help="open requests (default 10000)")
    parser.add_argument(
        "--rounds", type=int, default=40, metavar="N", help="times each page is asked for (default 40)"
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
    if arguments.database != "timescale" or programs is None:
        with plain_server() as server:
            reports.append(_measure_on(server, arguments, say))
    first, *others = reports
    return {**first, **{f"on {other['database']}": other for other in others}}


def _measure_on(server: Server, arguments: argparse.Namespace, say: Say) -> dict[str, Any]:
    with connect(server.dsn, application="bench") as connection:
        label = describe_database(connection).label
        say(f"{label}: {arguments.requests:,} open requests in {len(PARKS)} parks")
        ended = _fill(connection, arguments.requests)
        connection.autocommit = True
        connection.execute("ANALYZE")
    with (
        tempfile.TemporaryDirectory(prefix="smartpark-bench-") as folder,
        api_server(server.dsn, Path(folder)) as address,
    ):
        by_page = {name: _ask(address, path, arguments.rounds) for name, path in ASKED.items()}
        crowd = _crowd(address, arguments.rounds)
    board = by_page["whole"]
    return {
        "database": label,
        "open_requests": arguments.requests,
        "ended_requests": ended,
        "board_p50_ms": _percentile(board, 50),
        "board_p95_ms": _percentile(board, 95),
        "board_p95_ms_by_page": {name: _percentile(times, 95) for name, times in by_page.items()},
        "board_p95_ms_eight_at_once": _percentile(crowd, 95),
        "answers": sum(map(len, by_page.values())) + len(crowd),
    }


def _fill(connection: Connection, wanted: int) -> int:
    """Open requests as many as wanted, and those that ended on the way; returns how many those are."""
    for park in PARKS:
        load_catalogue(
            connection,
            parse_catalogue(document(park.code, 3), file="bench"),
            source="bench",
            loaded_by="bench",
            at=utc_now(),
        )
        put_person(connection, Person(park.manager, park.manager, park.manager, f"{park.manager}@example.org"))
        put_manager_term(connection, ManagerTerm(park.code, park.manager, "manager", date(2020, 1, 1)))
    connection.commit()
    is_open = ended = 0
    stories = desk_histories(PARKS, 100 * wanted, now=utc_now(), span_days=_DAYS_TO_FILL)
    with tqdm(total=wanted, unit=" requests", file=sys.stderr, disable=None) as bar:
        for number, events in enumerate(stories):
            if is_open == wanted:
                break
            if _keep(connection, events):
                is_open += 1
                bar.update()
            else:
                ended += 1
            if number % 100 == 0:
                connection.commit()
    connection.commit()
    return ended


def _keep(connection: Connection, events: tuple[Event, ...]) -> bool:
    """Store a history; says whether the request is open."""
    rules, calendar = builtin_load_request_rules(), builtin_workdays()
    code = ""
    for count, event in enumerate(events, start=1):
        request = replay(events[:count], rules)
        clocks = clocks_of(request, rules, calendar, event.at.astimezone(PARK_ZONE).date())
        if code:
            append_event(connection, code, event, request, clocks)
        else:
            code = insert_request(connection, event, request, clocks)
    return replay(events, rules).outcome is None


def _ask(address: str, path: str, rounds: int) -> list[float]:
    """Seconds of each answer, after some that warm up."""
    with httpx.Client(base_url=address, timeout=60) as client:
        for _ in range(5):
            client.get(path).raise_for_status()
        times: list[float] = []
        for _ in range(rounds):
            began = time.perf_counter()
            client.get(path).raise_for_status()
            times.append(time.perf_counter() - began)
    return times


def _crowd(address: str, rounds: int) -> list[float]:
    with ThreadPoolExecutor(8) as pool:
        return [
            one for times in pool.map(lambda _: _ask(address, "/requests", rounds // 2), range(8)) for one in times
        ]


def _percentile(seconds: list[float], percent: int) -> float:
    """Of times, in milliseconds."""
    return round(1000 * statistics.quantiles(seconds, n=100, method="inclusive")[percent - 1], 1)
