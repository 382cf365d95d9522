"""Reads for the API: rows as plain values; every statement is in ``sql/queries/api.sql``.

Nothing here writes: `read_only` opens a transaction in which PostgreSQL refuses to, and which it ends when a
statement takes too long. What a number means (fresh, missing, a share of what) is decided by the caller.
"""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from psycopg.rows import class_row

from smartpark_storage.asking import asking
from smartpark_storage.connections import Connection, Pool
from smartpark_storage.derived import WHOLE_PARK
from smartpark_storage.queries import query

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class ParkRow:
    """A park and how much of it there is."""

    code: str
    name: str
    name_en: str
    region: str
    terrain: str
    peer_class: int
    area_mu: float
    time_zone: str
    contract_demand_kw: float | None
    devices: int
    points: int


@dataclass(frozen=True, slots=True)
class DeviceRow:
    """A device in service."""

    code: str
    name: str
    name_en: str
    kind: str
    carrier: str
    role: str
    parent: str | None
    enterprise: str | None
    internal_transfer: bool


@dataclass(frozen=True, slots=True)
class PointRow:
    """A point in service."""

    point_id: int
    key: str
    park: str
    device: str
    code: str
    measurand: str
    kind: str
    unit: str
    carrier: str
    exponent: int | None
    multiplier: float


@dataclass(frozen=True, slots=True)
class LatestRow:
    """The newest reading of a point on the primary side; `time` is None when there has never been one."""

    point: str
    device: str
    code: str
    measurand: str
    unit: str
    time: datetime | None
    value: float | None
    status: int | None


@dataclass(frozen=True, slots=True)
class IndicatorReadRow:
    """The newest revision of an indicator for one period."""

    indicator: str
    grain: str
    start: datetime
    value: float | None
    numerator: float | None
    denominator: float | None
    unit: str
    completeness: float | None
    estimated_share: float | None
    method: str
    factor_set: str
    factors: list[str]
    reason: str
    revision: int
    computed_at: datetime
    boundary: str = WHOLE_PARK


@dataclass(frozen=True, slots=True)
class SeriesRow:
    """A part of a park that an indicator is published of, and for which periods."""

    boundary: str
    grain: str


@dataclass(frozen=True, slots=True)
class DeadLetterCountRow:
    """Open dead letters of one reason."""

    reason: str
    total: int
    recent: int
    newest: datetime | None


@dataclass(frozen=True, slots=True)
class ReadingRow:
    """One reading on the primary side."""

    time: datetime
    value: float | None
    status: int


@dataclass(frozen=True, slots=True)
class BucketRow:
    """Readings of one bucket, reduced; values are None when none was usable."""

    time: datetime
    mean: float | None
    low: float | None
    high: float | None
    first: float | None
    last: float | None
    readings: int
    bad: int


@dataclass(frozen=True, slots=True)
class AmountRow:
    """What went through a counter in a span, and how many quarter-hours of it are known."""

    device: str
    measurand: str
    unit: str
    amount: float | None
    known: float


@dataclass(frozen=True, slots=True)
class EdgeRow:
    """The newest word of an edge about itself; None where it has not said anything."""

    code: str
    online: bool
    status_at: datetime | None
    born_at: datetime | None
    oldest_pending: datetime | None
    spool_readings: int | None
    spool_bytes: int | None
    spool_limit_bytes: int | None
    hours_left: float | None
    dropped: int | None
    sources: list[dict[str, Any]] | None
    alarms: list[str] | None


@contextmanager
def read_only(
    pool: Pool, *, principal: str, statement_timeout_s: float, wait_s: float
) -> Generator[Connection, None, None]:
    """Connection for one answer to `principal`, who sees what they were granted.

    Parameters
    ----------
    pool : Pool
    principal : str
        ``person:CODE``, ``client:NAME``, ``local`` or ``system``, who see all; nobody else sees anything.
    statement_timeout_s : float
        How long a statement may take. [s]
    wait_s : float
        How long to wait for a connection to come free. [s]
    """
    with asking(
        pool, "api_begin_reading", principal, statement_timeout_s=statement_timeout_s, wait_s=wait_s
    ) as opened:
        yield opened


def read_parks(connection: Connection, park: str | None = None) -> list[ParkRow]:
    """Parks in service, or the one of that code."""
    return _rows(connection, ParkRow, "api_parks", park=park)


def read_devices(connection: Connection, park: str) -> list[DeviceRow]:
    """Devices in service of a park."""
    return _rows(connection, DeviceRow, "api_devices", park=park)


def read_points(
    connection: Connection, park: str, *, device: str | None = None, measurand: str | None = None
) -> list[PointRow]:
    """Points in service of a park, of one device or one measurand where given."""
    return _rows(connection, PointRow, "api_points", park=park, device=device, measurand=measurand)


def read_point(connection: Connection, key: str) -> PointRow | None:
    """Point of that key, retired ones too."""
    found = _rows(connection, PointRow, "api_point", key=key)
    return found[0] if found else None


def read_latest(connection: Connection, park: str) -> list[LatestRow]:
    """Newest reading of every point of a park; points that never had one are there, without time."""
    return _rows(connection, LatestRow, "api_latest", park=park)


def read_readings(
    connection: Connection, point_id: int, start: datetime, end: datetime, *, limit: int
) -> list[ReadingRow]:
    """Readings in [start, end), oldest first, `limit` at most."""
    return _rows(connection, ReadingRow, "api_readings", point_id=point_id, start=start, end=end, limit=limit)


def read_buckets(
    connection: Connection, point_id: int, start: datetime, end: datetime, *, bucket: str
) -> list[BucketRow]:
    """Buckets (``15m``, ``hour`` or ``day``) that start in [start, end) and have readings."""
    return _rows(connection, BucketRow, f"api_buckets_{bucket}", point_id=point_id, start=start, end=end)


def read_quarter_means(
    connection: Connection, point_ids: Sequence[int], start: datetime, end: datetime
) -> list[tuple[int, datetime, float]]:
    """(point, start of the quarter-hour, mean value) where there is one, in no particular order."""
    asked = {"points": list(point_ids), "start": start, "end": end}
    # Prepared, it would after some time be planned for any number of points, and take three times as long.
    cursor = connection.execute(query("api_quarter_means"), asked, prepare=False)
    return [(row[0], row[1], row[2]) for row in cursor]


def read_amounts(connection: Connection, park: str, start: datetime, end: datetime) -> list[AmountRow]:
    """What went through each counter of a park in [start, end)."""
    return _rows(connection, AmountRow, "api_amounts", park=park, start=start, end=end)


def read_indicators(
    connection: Connection,
    park: str,
    start: datetime,
    end: datetime,
    *,
    grain: str,
    indicator: str | None = None,
    boundary: str = WHOLE_PARK,
    limit: int,
) -> list[IndicatorReadRow]:
    """Newest revisions of a boundary for periods that start in [start, end), oldest first, `limit` at most."""
    return _rows(
        connection,
        IndicatorReadRow,
        "api_indicators",
        park=park,
        indicator=indicator,
        boundary=boundary,
        grain=grain,
        start=start,
        end=end,
        limit=limit,
    )


def read_overview(
    connection: Connection, park: str, indicators: Sequence[str], start: datetime, end: datetime, *, grain: str
) -> list[IndicatorReadRow]:
    """Newest revisions of indicators of all parts of a park for periods that start in [start, end), oldest first."""
    return _rows(
        connection,
        IndicatorReadRow,
        "api_overview",
        park=park,
        indicators=list(indicators),
        grain=grain,
        start=start,
        end=end,
    )


def read_published_series(connection: Connection, park: str, indicator: str) -> list[SeriesRow]:
    """Of which parts of a park, and for which periods, an indicator has been published."""
    return _rows(connection, SeriesRow, "api_published_series", park=park, indicator=indicator)


def read_edges(connection: Connection) -> list[EdgeRow]:
    """Every edge that has been heard of."""
    return _rows(connection, EdgeRow, "api_edges")


def read_dead_letter_counts(connection: Connection, *, recent_from: datetime) -> list[DeadLetterCountRow]:
    """Open dead letters by reason, most frequent first."""
    return _rows(connection, DeadLetterCountRow, "api_dead_letter_counts", recent_from=recent_from)


def _rows(connection: Connection, row: type[Row], statement: str, **parameters: object) -> list[Row]:
    with connection.cursor(row_factory=class_row(row)) as cursor:
        return cursor.execute(query(statement), parameters).fetchall()
