"""What derive reads and writes: stale spans, readings of a span, interval energy, indicators.

A span is claimed together with its point: until the claiming transaction ends, nobody else gets that point, so two
workers can never write the same interval from different views of the readings. If the transaction fails, the
marks are still there.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Final, LiteralString

import numpy as np
from numpy.typing import NDArray
from smartpark.clock import from_us

from smartpark_storage.connections import Connection, transaction
from smartpark_storage.copying import Readings, fetch_by_copy
from smartpark_storage.queries import query

INTERVAL_DTYPE: Final = np.dtype(
    [
        ("point_id", "<i4"),
        ("start", "<i8"),
        ("amount", "<f8"),
        ("completeness", "<f4"),
        ("estimated_share", "<f4"),
        ("flags", "<i4"),
    ]
)
"""Energy of a quarter-hour: start in µs since 1970, amount in the measurand's unit on the primary side (NaN: not
known), shares 0-1."""

WHOLE_PARK: Final = "park"
"""Boundary of the park as a whole."""

MERGE_GAP_US: Final = 15 * 60 * 1_000_000
"""Stale spans of a point that are closer than this are claimed as one. [µs]"""


@dataclass(frozen=True, slots=True, order=True)
class StaleSpan:
    """Half-open span [start, end) of a counter in which readings were added."""

    point_id: int
    start_us: int
    end_us: int


@dataclass(frozen=True, slots=True)
class IndicatorRow:
    """A published number, and how it came about."""

    park: str
    indicator: str
    grain: str
    start_us: int
    value: float | None
    numerator: float | None
    denominator: float | None
    unit: str
    completeness: float
    estimated_share: float
    method: str
    factor_set: str
    factors: tuple[str, ...]
    reason: str
    computed_at_us: int
    boundary: str = WHOLE_PARK
    """Whose number: the park's as a whole, or ``sub_park/CODE``, ``enterprise/CODE``, ``device/CODE`` …"""
    uncertainty: float | None = None
    """Relative half-width of the 95 % interval; None: not known."""


def claim_stale(connection: Connection, *, limit: int) -> list[StaleSpan]:
    """Take the stale spans of up to `limit` points, oldest marks first, into the caller's transaction."""
    rows = _execute(connection, query("claim_stale"), {"limit": limit})
    return merge_spans(StaleSpan(*row) for row in rows)


def merge_spans(spans: Iterable[StaleSpan]) -> list[StaleSpan]:
    """Spans ordered by point and time, those of one point that overlap or nearly touch made one."""
    merged: list[StaleSpan] = []
    for span in sorted(spans):
        last = merged[-1] if merged else None
        if last is not None and last.point_id == span.point_id and span.start_us <= last.end_us + MERGE_GAP_US:
            merged[-1] = StaleSpan(last.point_id, last.start_us, max(last.end_us, span.end_us))
        else:
            merged.append(span)
    return merged


def fetch_readings(connection: Connection, point_ids: Sequence[int], start_us: int, end_us: int) -> Readings:
    """Readings of points in [start, end), ordered by point and time, bad ones included."""
    return _fetch(connection, query("fetch_readings"), point_ids, start_us, end_us)


def fetch_neighbours(connection: Connection, point_ids: Sequence[int], start_us: int, end_us: int) -> Readings:
    """Per point the newest usable reading before `start` and the oldest one at or after `end`.

    Usable: it has a value and its status is not bad. Ordered by point and time; a point may have none, one or both.
    """
    return _fetch(connection, query("fetch_neighbours"), point_ids, start_us, end_us)


def _fetch(
    connection: Connection, statement: LiteralString, point_ids: Sequence[int], start_us: int, end_us: int
) -> Readings:
    with transaction(connection):
        return fetch_by_copy(connection, statement, _window(point_ids, start_us, end_us))


def _window(point_ids: Sequence[int], start_us: int, end_us: int) -> dict[str, Any]:
    return {"points": [int(p) for p in point_ids], "start": from_us(start_us), "end": from_us(end_us)}


def write_interval_energy(connection: Connection, rows: NDArray[np.void]) -> int:
    """Store quarter-hours; those that say what is already stored are left alone.

    Parameters
    ----------
    connection : Connection
    rows : ndarray of INTERVAL_DTYPE, shape (n,)
        Each (point, start) at most once.

    Returns
    -------
    int
        Rows that were new or different.
    """
    if rows.size == 0:
        return 0
    ordered = rows[np.lexsort((rows["start"], rows["point_id"]))]
    parameters = {name: ordered[name].tolist() for name in INTERVAL_DTYPE.names or ()}
    with transaction(connection):
        return connection.execute(query("write_interval_energy"), parameters).rowcount


def fetch_interval_energy(
    connection: Connection, point_ids: Sequence[int], start_us: int, end_us: int
) -> NDArray[np.void]:
    """Quarter-hours of points that start in [start, end): ndarray of INTERVAL_DTYPE, ordered by point and start."""
    rows = _execute(connection, query("fetch_interval_energy"), _window(point_ids, start_us, end_us))
    return np.array(rows, INTERVAL_DTYPE)


def publish_indicators(connection: Connection, rows: Sequence[IndicatorRow]) -> int:
    """Publish a new revision of each row that differs from the current one; returns how many did.

    When it was computed does not count as a difference. No two rows may be of the same number and period.
    """
    if not rows:
        return 0
    parameters: dict[str, Any] = {name: [getattr(row, name) for row in rows] for name in _PLAIN_COLUMNS}
    # An array of arrays would have to be rectangular.
    parameters["factors"] = ["\n".join(row.factors) for row in rows]
    with transaction(connection):
        connection.execute(query("supersede_indicators"), parameters)
        return connection.execute(query("publish_indicators"), parameters).rowcount


_PLAIN_COLUMNS: Final = tuple(f.name for f in fields(IndicatorRow) if f.name != "factors")


def _execute(
    connection: Connection, statement: LiteralString, parameters: Mapping[str, Any]
) -> list[tuple[Any, ...]]:
    with transaction(connection):
        return connection.execute(statement, parameters).fetchall()
