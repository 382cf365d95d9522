"""Dashboards: how soon each query of each dashboard answers, over a year of a thousand points.

A database server of the bench's own is filled with a park of so many points, five small ones, and a year of all
that dashboards show (`dashboards_park.py` says with what). Each query of panels, variables and annotations is
expanded as Grafana expands it and asked as Grafana's own role, over a connection of its own, for the dashboard's own
range and for an hour, a day, a month and a year, with one park chosen, with several, and with all. Timed is the
answer as the client has it, all its rows; the first of each is told apart, those after it count. `raw_scans` lists
queries for more than a day whose plan reads raw readings that have been aggregated.
"""

import argparse
import re
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import psycopg
from dashboards_park import LARGE, SMALL, Filled, fill
from psycopg.conninfo import make_conninfo
from query_plans import RawReadings
from servers import installed_timescale, plain_server, timescale_server
from smartpark.clock import utc_now
from smartpark_dashboards.generated import render_documents
from smartpark_dashboards.grafana_sql import Request, Value, expand
from smartpark_dashboards.lint import choices_of, queries_of
from smartpark_dashboards.words import Json
from smartpark_storage import connect, describe_database
from smartpark_storage.role_names import DatabaseRole
from tqdm import tqdm

Say = Callable[[str], None]

LIMIT_MS: Final = 150
"""What the slowest twentieth shall keep."""
SPANS: Final = {
    "1h": timedelta(hours=1),
    "24h": timedelta(hours=24),
    "30d": timedelta(days=30),
    "1y": timedelta(days=365),
}
_SLOWEST: Final = 20
_METER: Final = f"{LARGE}/M001"
"""Chosen where one of all meters is: it has all that a panel can ask for."""
_ZONE: Final = ZoneInfo("Asia/Shanghai")
_MOMENT: Final = re.compile(r"now(?:-(\d+)([hdMy]))?(?:/([dMy]))?")
_LENGTHS: Final = {"h": timedelta(hours=1), "d": timedelta(days=1), "M": timedelta(days=30), "y": timedelta(days=365)}


@dataclass(frozen=True, slots=True)
class Case:
    """A query with what is chosen and from when to when."""

    dashboard: str
    panel: str
    query: str
    """Panel and letter, variable, or annotation."""
    sql: str
    """As it reaches the database."""
    range: str
    parks: str
    span: timedelta


@dataclass(slots=True)
class Answered:
    """How it went."""

    case: Case
    first_ms: float
    times_ms: list[float] = field(default_factory=list[float])
    rows: int = 0
    scans: dict[str, bool] = field(default_factory=dict[str, bool])
    error: str = ""
    """What the database said instead of an answer."""

    @property
    def ms(self) -> float:
        """Median."""
        return statistics.median(self.times_ms)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of this bench."""
    parser.add_argument("--points", type=int, default=1000, metavar="N", help="of the large park (default 1000)")
    parser.add_argument("--days", type=int, default=365, metavar="N", help="filled with readings (default 365)")
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="times each is asked (default 5)")
    parser.add_argument("--dashboard", metavar="UID", help="only this one")
    parser.add_argument(
        "--database", choices=("auto", "timescale", "plain"), default="auto", help="default: TimescaleDB if installed"
    )


def measure(arguments: argparse.Namespace, say: Say) -> dict[str, Any]:
    """Fill a database and ask it everything."""
    programs = None if arguments.database == "plain" else installed_timescale()
    if programs is None and arguments.database == "timescale":
        raise SystemExit("scripts/bench: no PostgreSQL with TimescaleDB is installed here")
    with timescale_server(programs) if programs else plain_server() as server:
        began = time.monotonic()
        now = utc_now()
        with connect(server.dsn, application="bench") as connection:
            say(f"{describe_database(connection).label}: {arguments.points:,} points, {arguments.days} days")
        filled = fill(server.dsn, points=arguments.points, days=arguments.days, now=now)
        seconds = time.monotonic() - began
        return {**look(server.dsn, arguments, now=now), **_told(filled, arguments), "fill_seconds": round(seconds)}


def look(dsn: str, arguments: argparse.Namespace, *, now: datetime) -> dict[str, Any]:
    """Ask a filled database everything."""
    documents = {
        name: document
        for name, document in render_documents().items()
        if name.startswith("zh/") and arguments.dashboard in {None, document["uid"]}
    }
    with connect(dsn, application="bench") as connection:
        label = describe_database(connection).label
        raw = RawReadings.of(connection)
        is_timescale = raw.aggregated_until is not None
    with _as_grafana(dsn) as connection:
        asker = _Asker(connection, now, is_timescale=is_timescale)
        cases = [case for document in documents.values() for case in asker.cases(document)]
        answers = [
            asker.ask(case, raw, arguments.rounds)
            for case in tqdm(cases, unit=" queries", file=sys.stderr, disable=None)
        ]
    return {"database": label, **report(answers)}


@contextmanager
def _as_grafana(dsn: str) -> Iterator[psycopg.Connection[Any]]:
    """A connection with which the role itself has logged in, and that is left as it was."""
    role = DatabaseRole.GRAFANA.value
    with connect(dsn, application="bench") as owner:
        owner.execute(f"ALTER ROLE {role} LOGIN")  # pyright: ignore[reportArgumentType] - a name of ours
        owner.commit()
        with psycopg.connect(make_conninfo(dsn, user=role), autocommit=True) as connection:
            yield connection
        owner.execute(f"ALTER ROLE {role} NOLOGIN")  # pyright: ignore[reportArgumentType] - a name of ours
        owner.commit()


class _Asker:
    """Expands queries as Grafana does, and asks them."""

    def __init__(self, connection: psycopg.Connection[Any], now: datetime, *, is_timescale: bool) -> None:
        self.connection, self.now, self.is_timescale = connection, now, is_timescale

    def cases(self, document: Json) -> Iterator[Case]:
        """Every query of a dashboard, with each choice of parks, for each range."""
        titles = {f"panel {panel['id']}": panel.get("title", "") for panel in document["panels"]}
        own = span_of(document["time"]["from"], self.now)
        for parks, chosen in _choices(choices_of(document)).items():
            values = self._values(document, chosen)
            for name, span in {"default": own, **SPANS}.items():
                for place, sql in queries_of(document).items():
                    yield Case(
                        document["uid"], titles.get(place.split("/")[0], place), place,
                        self._expanded(sql, document, values, span), name, parks, span,
                    )  # fmt: skip

    def _values(self, document: Json, parks: Value) -> dict[str, Value]:
        """What is chosen: the first answer of a variable, all of them where several can be."""
        several = choices_of(document)
        values: dict[str, Value] = {"lang": "zh", "park": parks}
        for variable in document["templating"]["list"]:
            name = variable["name"]
            if variable["type"] == "query" and name != "park":
                found = self._options(self._expanded(variable["query"], document, values, SPANS["24h"]))
                values[name] = found if several[name] else next((v for v in found if v == _METER), found[0])
        return values

    def _options(self, sql: str) -> list[str]:
        """What can be chosen; of a variable that has no answer, one that means nothing."""
        try:
            return [row[1] for row in psycopg.ClientCursor(self.connection).execute(sql.encode())] or [""]
        except psycopg.Error:
            return [""]

    def _expanded(self, sql: str, document: Json, values: Mapping[str, Value], span: timedelta) -> str:
        several = frozenset(name for name, many in choices_of(document).items() if many)
        interval = max(timedelta(minutes=1), span / 1000)
        request = Request(self.now - span, self.now, values, several, interval=interval, timescale=self.is_timescale)
        return expand(sql, request)

    def ask(self, case: Case, raw: RawReadings, rounds: int) -> Answered:
        """Time its answers, and look at its plan."""
        try:
            seconds, rows = self._once(case.sql)
            found = Answered(case, seconds * 1000, rows=rows, scans=raw.scans(self.connection, case.sql))
            for _ in range(rounds):
                found.times_ms.append(self._once(case.sql)[0] * 1000)
        except psycopg.Error as error:
            return Answered(case, 0, error=str(error).split("\n")[0])
        return found

    def _once(self, sql: str) -> tuple[float, int]:
        began = time.perf_counter()
        rows = len(psycopg.ClientCursor(self.connection).execute(sql.encode()).fetchall())
        return time.perf_counter() - began, rows


def _choices(choices: Mapping[str, bool]) -> dict[str, Value]:
    """Which parks to ask about on a page."""
    if "park" not in choices:
        return {"-": ""}
    if not choices["park"]:
        return {"large": LARGE, "small": SMALL[0]}
    return {"one": [LARGE], "several": [LARGE, *SMALL[:2]], "all": [LARGE, *SMALL]}


def span_of(start: str, now: datetime) -> timedelta:
    """Length of the range that begins at a moment as Grafana writes it, such as `now-1y/M`, and ends now."""
    match = _MOMENT.fullmatch(start)
    if match is None:
        raise ValueError(f"{start!r} is no moment that a dashboard of ours begins at")
    moment = now.astimezone(_ZONE)
    if match[2]:
        moment -= int(match[1]) * _LENGTHS[match[2]]
    if match[3]:
        moment = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    if match[3] in {"M", "y"}:
        moment = moment.replace(day=1)
    if match[3] == "y":
        moment = moment.replace(month=1)
    return now - moment


def report(asked: Sequence[Answered]) -> dict[str, Any]:
    """What people want to know of all of them."""
    answers = [one for one in asked if not one.error]
    by_range, by_dashboard = defaultdict[str, list[float]](list), defaultdict[str, list[float]](list)
    for one in answers:
        by_range[one.case.range] += one.times_ms
        by_dashboard[one.case.dashboard] += one.times_ms
    times = [ms for one in answers for ms in one.times_ms]
    ordered = sorted(answers, key=lambda one: -one.ms)
    filled = {(one.case.dashboard, one.case.query) for one in answers if one.rows}
    every = {(one.case.dashboard, one.case.query) for one in answers}
    return {
        "queries": len(every),
        "cases": len(answers),
        "answers": len(times),
        **_percentiles(times),
        "max_ms": round(max(times), 1),
        "first_p95_ms": _percentiles([one.first_ms for one in answers])["p95_ms"],
        "by_range": {name: _percentiles(found) for name, found in by_range.items()},
        "by_dashboard": {name: _percentiles(found) for name, found in by_dashboard.items()},
        "slowest": [_row(one) for one in ordered[:_SLOWEST]],
        "over_150_ms": [_row(one) for one in ordered if one.ms > LIMIT_MS],
        "raw_scans": [
            {**_row(one), "scans": sorted(name for name, is_tail in one.scans.items() if not is_tail)}
            for one in answers
            if one.case.span > timedelta(days=1) and not all(one.scans.values())
        ],
        "newest_readings_added": sum(bool(one.scans) and all(one.scans.values()) for one in answers),
        "without_rows": sorted(f"{dashboard} {query}" for dashboard, query in every - filled),
        "errors": sorted({f"{one.case.dashboard} {one.case.query}: {one.error}" for one in asked if one.error}),
    }


def _row(one: Answered) -> dict[str, Any]:
    case = one.case
    return {
        "dashboard": case.dashboard, "panel": case.panel, "query": case.query, "range": case.range,
        "parks": case.parks, "ms": round(one.ms, 1), "rows": one.rows,
    }  # fmt: skip


def _percentiles(times: Iterable[float]) -> dict[str, float]:
    cuts = statistics.quantiles(times, n=100, method="inclusive")
    return {"p50_ms": round(cuts[49], 1), "p95_ms": round(cuts[94], 1)}


def _told(filled: Filled, arguments: argparse.Namespace) -> dict[str, Any]:
    return {
        "parks": 1 + len(SMALL),
        "points": arguments.points,
        "days": arguments.days,
        "readings": filled.readings,
        "intervals": filled.intervals,
        "numbers": filled.numbers,
    }
