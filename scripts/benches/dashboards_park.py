"""Parks with a year behind them for the bench of dashboards: one large, five small, and all that dashboards show.

Readings are written as ingest writes them: those older than the columnstore's week compressed on the way, as an
import does, the newest ones row by row. A reading a quarter of an hour for the year, ten seconds for the last 24
hours (for a tenth of shorter spans) and a minute for those before: the aggregates of a year are as many as those of
denser readings, and what is added to them on the fly is as much as in operation. What is computed from readings is
made up beside them (`dashboards_park.sql`): how fast a number is read does not depend on what it says.
"""

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final, LiteralString, cast

import numpy as np
import psycopg
from park import DAY_US
from psycopg import sql
from smartpark.clock import from_us, to_us
from smartpark.indicators import INDICATORS, Accumulation
from smartpark.measurands import MEANINGS, Measurand
from smartpark_storage import READING_DTYPE, Connection, connect, describe_database
from smartpark_storage.copying import copy_readings
from smartpark_storage.queries import query
from tqdm import tqdm

LARGE: Final = "park-1"
SMALL: Final = tuple(f"park-{n}" for n in range(2, 7))
ROW_STORE_DAYS: Final = 7
"""As the columnstore's policy has it."""
_ROWS: Final = Path(__file__).with_suffix(".sql")
_ELECTRIC: Final = (
    "active_power", "active_energy_import", "power_factor", "voltage", "current", "maximum_demand",
)  # fmt: skip
_STACK: Final = (
    "so2_concentration", "nox_concentration", "dust_concentration", "o2_content", "temperature", "flue_gas_flow",
)  # fmt: skip
_STATION: Final = ("ambient_pm25", "ambient_pm10", "ambient_so2", "ambient_o3", "wind_speed", "temperature")


@dataclass(frozen=True, slots=True)
class Filled:
    """What there is."""

    readings: int
    intervals: int
    numbers: int


@dataclass(frozen=True, slots=True)
class _Device:
    code: str
    kind: str
    carrier: str
    role: str
    parent: str | None
    measurands: tuple[str, ...]


def fill(dsn: str, *, points: int, days: int, now: datetime) -> Filled:
    """Fill an empty database: so many points in the large park, a twentieth of them in each small one."""
    sizes = {LARGE: points, **dict.fromkeys(SMALL, max(12, points // 20))}
    with connect(dsn, application="bench") as connection:
        for park, count in sizes.items():
            _make_park(connection, park, count, since=now - timedelta(days=days + 1))
    with ThreadPoolExecutor(2) as pool:
        measured = pool.submit(_fill_measured, dsn, days=days, now=now)
        computed = pool.submit(_fill_computed, dsn, sizes, days=days, now=now)
    intervals, numbers = computed.result()
    _set(dsn, "VACUUM (ANALYZE)")
    return Filled(measured.result(), intervals, numbers)


def _set(dsn: str, *statements: LiteralString) -> None:
    """What cannot be said in a transaction."""
    with connect(dsn, application="bench") as connection:
        connection.autocommit = True
        for statement in statements:
            connection.execute(statement)


def _devices(points: int) -> Iterator[_Device]:
    """Devices of a park with as many points as wanted."""
    left = points
    for n in range(max(1, points // 250)):
        yield _Device(f"S{n + 1}", "stack", "flue_gas", "none", None, _STACK)
        left -= len(_STACK)
    for n in range(max(1, points // 500)):
        yield _Device(f"A{n + 1}", "station", "ambient_air", "none", None, _STATION[: max(0, left)])
        left -= len(_STATION)
    for n in range(points // 100):
        role = "boundary" if n == 0 else "consumption"
        yield _Device(f"G{n + 1}", "meter", "natural_gas", role, None if n == 0 else "G1", ("gas_volume", "gas_flow"))
        yield _Device(f"W{n + 1}", "meter", "water", role, None if n == 0 else "W1", ("water_volume", "water_flow"))
        left -= 4
    n = 0
    while left > 0:
        n += 1
        role, carrier, parent = _electric(n)
        yield _Device(f"M{n:03}", "meter", carrier, role, parent, _ELECTRIC[:left])
        left -= len(_ELECTRIC)


def _electric(n: int) -> tuple[str, str, str | None]:
    """Two incomers, a roof, eight feeders below the incomers, and tenants below the feeders."""
    if n <= 2:
        return "boundary", "electricity", None
    if n == 3:
        return "generation", "photovoltaic", None
    if n <= 11:
        return "distribution", "electricity", f"M{1 + n % 2:03}"
    return "consumption", "electricity", f"M{4 + n % 8:03}"


def _make_park(connection: Connection, park: str, points: int, *, since: datetime) -> None:
    devices = list(_devices(points))
    enterprises, transformers = max(2, points // 50), max(1, points // 100)
    given = {"p": park, "enterprises": enterprises, "transformers": transformers, "since": since}
    connection.execute(
        """
        INSERT INTO smartpark.park (code, name, name_en, region, terrain, peer_class, area_mu, time_zone,
            contract_demand_kw, electricity_factor_scope)
        VALUES (%(p)s, '园区' || %(p)s, 'Park ' || %(p)s, '350121', 'coastal', 1, 1000, 'Asia/Shanghai', 30000,
            'provincial:FJ')
        """,
        given,
    )
    connection.execute(
        """
        INSERT INTO smartpark.enterprise (park, code, name, name_en, uscc, is_above_scale)
        SELECT %(p)s, 'E' || n, '企业' || n, 'Enterprise ' || n, 'u' || n, true
        FROM generate_series(1, %(enterprises)s) AS n
        """,
        given,
    )
    connection.execute(
        """
        INSERT INTO smartpark.feeder (park, code, name, rated_kva)
        SELECT %(p)s, 'F' || n, '馈线' || n, 10000 FROM generate_series(1, 4) AS n
        """,
        given,
    )
    connection.execute(
        """
        INSERT INTO smartpark.transformer (park, code, name, rated_kva, voltage_kv, feeder)
        SELECT %(p)s, 'TR' || n, n || '号变', 1250, 10, 'F' || 1 + n %% 4
        FROM generate_series(1, %(transformers)s) AS n
        """,
        given,
    )
    rows = [
        {
            "p": park, "code": d.code, "kind": d.kind, "carrier": d.carrier, "role": d.role, "parent": d.parent,
            "enterprise": f"E{1 + n % enterprises}" if d.role == "consumption" else None,
        }
        for n, d in enumerate(devices)
    ]  # fmt: skip
    with connection.cursor() as cursor:
        cursor.executemany(
            """
            INSERT INTO smartpark.device (park, code, name, name_en, kind, carrier, role, parent, enterprise,
                internal_transfer, ct_ratio, pt_ratio)
            VALUES (%(p)s, %(code)s, '表' || %(code)s, 'Meter ' || %(code)s, %(kind)s, %(carrier)s, %(role)s,
                %(parent)s, %(enterprise)s, false, 1, 1)
            """,
            rows,
        )
        cursor.executemany(
            """
            INSERT INTO smartpark.point (park, device, code, key, measurand, kind, unit, carrier, exponent,
                multiplier)
            VALUES (%(p)s, %(device)s, %(m)s, %(p)s || '/' || %(device)s || '/' || %(m)s, %(m)s, %(kind)s, %(unit)s,
                %(carrier)s, -2, 1)
            """,
            [_point(park, device, name) for device in devices for name in device.measurands],
        )
    connection.execute(
        """
        INSERT INTO smartpark.point_version (point_id, valid_from, multiplier)
        SELECT point_id, %(since)s, 1 FROM smartpark.point WHERE park = %(p)s
        """,
        given,
    )


def _point(park: str, device: _Device, measurand: str) -> dict[str, Any]:
    meaning = MEANINGS[Measurand(measurand)]
    return {
        "p": park, "device": device.code, "m": measurand, "kind": meaning.kind.value, "unit": meaning.unit,
        "carrier": device.carrier,
    }  # fmt: skip


def _fill_measured(dsn: str, *, days: int, now: datetime) -> int:
    """Readings, and the aggregates as their policies keep them; returns how many readings."""
    with connect(dsn, application="bench") as connection:
        readings = _fill_readings(connection, days=days, now=now)
        has_aggregates = describe_database(connection).timescale_version is not None
    if has_aggregates:
        first = now - timedelta(days=days + 2)
        _aggregate(dsn, "reading_15m", first, now - timedelta(minutes=30))
        with ThreadPoolExecutor(2) as pool:
            hours = pool.submit(_aggregate, dsn, "reading_hour", first, now - timedelta(hours=2))
            whole = pool.submit(_aggregate, dsn, "reading_day", first, now - timedelta(days=2))
        hours.result()
        whole.result()
        _aggregate(dsn, "reading_park_hour", first, now - timedelta(hours=3))
    return readings


def _fill_readings(connection: Connection, *, days: int, now: datetime) -> int:
    """COPY day after day; returns how many."""
    rows = connection.execute("SELECT point_id, kind = 'counter' FROM smartpark.point ORDER BY 1").fetchall()
    connection.commit()
    ids, is_counter = np.array([row[0] for row in rows], np.int32), np.array([row[1] for row in rows], bool)
    now_us = to_us(now)
    first = (now_us // DAY_US - days) * DAY_US
    total = 0
    with tqdm(total=days + 1, unit=" days", desc="readings", file=sys.stderr, disable=None) as bar:
        for start in range(first, now_us, DAY_US):
            times = _times(start, now_us, dense_us=min(DAY_US, days * DAY_US // 10))
            readings = _readings(ids, is_counter, times, since=first)
            is_old = start + (ROW_STORE_DAYS + 1) * DAY_US < now_us
            with connection.transaction():
                if is_old:
                    connection.execute(query("compress_on_the_way"))
                # The newest ones lie as they came: of all points at one moment, and then of all at the next.
                copy_readings(connection, readings.ravel() if is_old else readings.T.ravel())
            total += readings.size
            bar.update()
    return total


def _times(start: int, now_us: int, *, dense_us: int) -> np.ndarray:
    """Moments of a day's readings in µs since 1970, denser towards now."""
    second = 1_000_000
    parts = [
        (start, now_us - 2 * DAY_US, 900 * second),
        (now_us - 2 * DAY_US, now_us - dense_us, 60 * second),
        (now_us - dense_us, now_us, 10 * second),
    ]
    found = [
        np.arange(-(-max(low, start) // step) * step, min(high, start + DAY_US), step, dtype=np.int64)
        for low, high, step in parts
    ]
    return np.concatenate(found)


def _readings(ids: np.ndarray, is_counter: np.ndarray, times: np.ndarray, *, since: int) -> np.ndarray:
    """Registers that grow, gauges that follow the day; each point its own. A row a point, a column a moment."""
    hours = (times - since) / 3.6e9
    load = 10_000 + 4_000 * np.sin(2 * np.pi * hours / 24)[None, :] + 37 * (ids % 97)[:, None]
    register = 1_000_000 + np.rint(10_000 * hours)[None, :] + 1_000 * ids[:, None]
    rows = np.zeros((ids.size, times.size), READING_DTYPE)
    rows["point_id"], rows["time"], rows["raw"] = ids[:, None], times[None, :], np.nan
    rows["scaled"] = np.where(is_counter[:, None], register, np.rint(load)).astype(np.int64)
    return rows


def _aggregate(dsn: str, name: str, start: datetime, end: datetime) -> None:
    """Refresh an aggregate as far as its policy would have by now."""
    # Slices are batches enough: of hours and parks there are few rows in each.
    options = '{"buckets_per_batch": 0}' if name == "reading_park_hour" else None
    statement = sql.SQL(
        "CALL refresh_continuous_aggregate({}, %s::timestamptz, %s::timestamptz, options => {}::jsonb)"
    ).format(sql.Literal(f"smartpark.{name}"), sql.Literal(options))
    with connect(dsn, application="bench") as connection:
        connection.autocommit = True
        slices = list(_months(start, end))
        for span in tqdm(slices, unit=" months", desc=name, file=sys.stderr, disable=None):
            connection.execute(statement, span)


def _months(start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Spans of thirty whole days of parks; the last one ends where it must."""
    midnight = (to_us(start) // DAY_US) * DAY_US - 8 * 3_600_000_000
    while midnight < to_us(end):
        following = midnight + 30 * DAY_US
        yield from_us(midnight), min(from_us(following), end)
        midnight = following


def _fill_computed(dsn: str, sizes: dict[str, int], *, days: int, now: datetime) -> tuple[int, int]:
    """Interval energy, published numbers, alerts, requests and events; returns how many of the first two."""
    sums = sorted(code for code, one in INDICATORS.items() if one.accumulation is Accumulation.SUM)
    statements = cast("LiteralString", _ROWS.read_text(encoding="utf-8"))
    with connect(dsn, application="bench") as connection:
        # What triggers and foreign keys would find follows from the statements; asking for each row costs more.
        connection.execute("SET session_replication_role = replica")
        connection.execute("SET work_mem = '256MB'")
        bar = tqdm(sizes.items(), unit=" parks", desc="computed", file=sys.stderr, disable=None)
        for number, (park, points) in enumerate(bar, start=1):
            given = {
                "p": park, "number": number, "points": points, "days": days, "now": now,
                "indicators": sorted(INDICATORS), "sums": sums,
            }  # fmt: skip
            psycopg.ClientCursor(connection).execute(statements, given)
            connection.commit()
        connection.execute("SET session_replication_role = DEFAULT")
        connection.execute("SELECT smartpark.number_publications(true)")
        row = connection.execute(
            "SELECT (SELECT count(*) FROM smartpark.interval_energy),"
            " (SELECT count(*) FROM smartpark.indicator_value)"
        ).fetchone()
    return row if row is not None else (0, 0)
