"""What the API's processes counted of their requests, added up by minute, hour and day; and what is old, forgotten.

A batch is added once, however often it is sent: whoever did not hear whether it was committed sends the same again.
Nothing here counts, and nothing here knows what was asked for.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from psycopg.types.json import Jsonb
from smartpark.periods import Grain, period_containing

from smartpark_storage.asking import begin_as
from smartpark_storage.connections import Connection, connect, transaction
from smartpark_storage.errors import translate_errors
from smartpark_storage.queries import query

BOUNDS_S: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds of how long requests take, as in ``park.api_latency``; what takes longer comes last. [s]"""
MINUTES_KEPT: Final = timedelta(days=7)
HOURS_KEPT: Final = timedelta(days=92)
DAYS_KEPT: Final = timedelta(days=1100)
_STATEMENT_S: Final = 10.0


@dataclass(slots=True)
class RouteCount:
    """Requests of one method and route in one minute."""

    minute: datetime
    method: str
    route: str
    requests: int
    client_errors: int
    server_errors: int
    seconds: float
    counts: list[int]
    """By `BOUNDS_S`, each request once."""


@dataclass(frozen=True, slots=True)
class TrafficBatch:
    """What one process has to say, as its n-th word."""

    process: UUID
    sequence: int
    minutes: tuple[datetime, ...]
    """In which it was there, with requests or without."""
    counted: tuple[RouteCount, ...]


def write_traffic(dsn: str, batch: TrafficBatch) -> bool:
    """Add a batch, over a connection of its own; whether it was new."""
    with translate_errors(), connect(dsn, application="smartpark api traffic") as connection:
        begin_as(connection, "api_begin_writing", "system", _STATEMENT_S)
        return add_traffic(connection, batch)


def add_traffic(connection: Connection, batch: TrafficBatch) -> bool:
    """Add a batch; whether it was new."""
    with transaction(connection):
        given = {"process": batch.process, "sequence": batch.sequence}
        if connection.execute(query("traffic_turn"), given).fetchone() is None:
            return False
        connection.execute(query("traffic_present"), {"minutes": list(batch.minutes)})
        connection.execute(query("traffic_add"), {"rows": Jsonb(_rows(batch.counted))})
    return True


def _rows(counted: Sequence[RouteCount]) -> list[dict[str, Any]]:
    """Rows of minutes, of hours and of days, as JSON has them."""
    found: dict[tuple[str, datetime, str, str], RouteCount] = {}
    for one in counted:
        for grain, start in _periods(one.minute):
            key = grain, start, one.method, one.route
            found[key] = _sum(found[key], one) if key in found else one
    return [
        {name: value for name, value in asdict(one).items() if name != "minute"}
        | {"grain": grain, "start": start.isoformat()}
        for (grain, start, _, _), one in found.items()
    ]


def _periods(minute: datetime) -> tuple[tuple[str, datetime], ...]:
    day = period_containing(minute, Grain.DAY).start
    return ("minute", minute), ("hour", minute.replace(minute=0)), ("day", day)


def _sum(one: RouteCount, other: RouteCount) -> RouteCount:
    return RouteCount(
        one.minute,
        one.method,
        one.route,
        one.requests + other.requests,
        one.client_errors + other.client_errors,
        one.server_errors + other.server_errors,
        one.seconds + other.seconds,
        [mine + theirs for mine, theirs in zip(one.counts, other.counts, strict=True)],
    )


def forget_traffic(connection: Connection, now: datetime) -> int:
    """Delete what has been kept long enough; how many rows."""
    given = {
        "minutes_before": now - MINUTES_KEPT,
        "hours_before": now - HOURS_KEPT,
        "days_before": now - DAYS_KEPT,
    }
    with transaction(connection):
        return sum(
            connection.execute(query(name), given).rowcount
            for name in ("forget_traffic", "forget_presence", "forget_processes")
        )
