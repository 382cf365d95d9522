"""What derive reads and writes: stale spans, readings of a span, interval energy, indicators.

A span is claimed together with its point: until the claiming transaction ends, nobody else gets that point, so two
workers can never write the same interval from different views of the readings. If the transaction fails, the
marks are still there.
"""

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, fields
from typing import Any, Final, Literal, LiteralString

import numpy as np
from numpy.typing import NDArray
from smartpark.clock import from_us

from smartpark_storage.connections import Connection, transaction
from smartpark_storage.copying import READING_DTYPE, Readings
from smartpark_storage.packing import INTERVAL_DTYPE, copy_intervals, fetch_packed_intervals, fetch_packed_readings
from smartpark_storage.queries import query

WHOLE_PARK: Final = "park"
"""Boundary of the park as a whole."""

MERGE_GAP_US: Final = 15 * 60 * 1_000_000
"""Stale spans of a point that are closer than this are claimed as one. [µs]"""
BACKLOG_US: Final = 86_400_000_000
"""Longer marks are those of a backlog. [µs]"""
CLAIM_MARKS: Final = 8192
"""Marks that one claim looks at: a long list must not make each step slow."""
NEIGHBOUR_REACH_US: Final = (2 * 3_600_000_000, 48 * 3_600_000_000, 60 * 24 * 3_600_000_000)
"""How far a neighbour is looked for, at first, then, and before all time is searched. [µs]"""


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


def claim_stale(connection: Connection, *, limit: int, marks: int = CLAIM_MARKS) -> list[StaleSpan]:
    """Take stale spans of up to `limit` points, oldest marks first, into the caller's transaction.

    Looks at `marks` marks at a time, and further on only where others have all points of those in hand. Spans that
    overlap or nearly touch are made one, but for those of a backlog: a late reading in the middle of one stays a span
    of its own, and so need not wait for it.
    """
    slice_ = {"after": 0, "marks": marks}
    while True:
        rows = _execute(connection, query("claim_stale"), {**slice_, "limit": limit})
        if rows:
            spans = [StaleSpan(*row) for row in rows]
            backlog = [span for span in spans if span.end_us - span.start_us > BACKLOG_US]
            late = [span for span in spans if span.end_us - span.start_us <= BACKLOG_US]
            return sorted([*merge_spans(backlog), *merge_spans(late)])
        ((end,),) = _execute(connection, query("end_of_slice"), slice_)
        if end is None:
            return []
        slice_["after"] = end


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
    with transaction(connection):
        return fetch_packed_readings(connection, _window(point_ids, start_us, end_us))


def count_readings(connection: Connection, point_ids: Sequence[int], start_us: int, end_us: int) -> dict[int, int]:
    """How many readings each point has in [start, end); points without any are left out."""
    return dict(_execute(connection, query("count_readings"), _window(point_ids, start_us, end_us)))


def fetch_neighbours(connection: Connection, point_ids: Sequence[int], start_us: int, end_us: int) -> Readings:
    """Per point the newest usable reading before `start` and the oldest one at or after `end`.

    Usable: it has a value and its status is not bad. Ordered by point and time; a point may have none, one or both.
    """
    wanted, rows = {int(p) for p in point_ids}, list[tuple[Any, ...]]()
    # Nearly all are near: a search without bounds visits every chunk there is, once per point and question.
    reach = [*(start_us - r for r in NEIGHBOUR_REACH_US), None]
    rows += _nearest(
        connection, query("fetch_newest_before"), wanted, zip(reach, [start_us, *reach[:-1]], strict=True)
    )
    reach = [*(end_us + r for r in NEIGHBOUR_REACH_US), None]
    rows += _nearest(connection, query("fetch_oldest_after"), wanted, zip([end_us, *reach[:-1]], reach, strict=True))
    return np.array(sorted(rows, key=lambda row: row[:2]), READING_DTYPE)


def _nearest(
    connection: Connection,
    statement: LiteralString,
    point_ids: AbstractSet[int],
    windows: Iterable[tuple[int | None, int | None]],
) -> list[tuple[Any, ...]]:
    """One row per point from the first window that has any; None for an end that is open."""
    found = list[tuple[Any, ...]]()
    missing = set(point_ids)
    for low, high in windows:
        if not missing:
            break
        bounds = {
            "low": "-infinity" if low is None else from_us(low),
            "high": "infinity" if high is None else from_us(high),
        }
        rows = _execute(connection, statement, {"points": sorted(missing), **bounds})
        found += rows
        missing -= {row[0] for row in rows}
    return found


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
    with transaction(connection):
        points, first, last = np.unique(ordered["point_id"]), ordered["start"].min(), ordered["start"].max()
        is_new, is_changed = _compare(
            ordered, fetch_interval_energy(connection, points.tolist(), int(first), int(last) + 1)
        )
        # Most are new or the same: a row that is only added costs a fifth of one that may be there.
        if is_new.any():
            copy_intervals(connection, ordered[is_new])
        if is_changed.any():
            changed = ordered[is_changed]
            parameters = {name: changed[name].tolist() for name in INTERVAL_DTYPE.names or ()}
            connection.execute(query("change_interval_energy"), parameters)
    return int(is_new.sum() + is_changed.sum())


def _compare(rows: NDArray[np.void], stored: NDArray[np.void]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which rows are not stored, and which are stored otherwise; both arrays ordered by point and start."""
    if not stored.size:
        return np.ones(rows.shape, np.bool_), np.zeros(rows.shape, np.bool_)
    wanted, there = _keys(rows), _keys(stored)
    place = np.minimum(np.searchsorted(there, wanted), len(there) - 1)
    is_there = there[place] == wanted
    old = stored[place]
    is_same = (rows["amount"] == old["amount"]) | (np.isnan(rows["amount"]) & np.isnan(old["amount"]))
    for name in ("completeness", "estimated_share", "flags"):
        is_same &= rows[name] == old[name]
    return ~is_there, is_there & ~is_same


def _keys(rows: NDArray[np.void]) -> NDArray[np.int64]:
    """Point and start as one ascending number; quarter-hours begin at whole seconds, of which there are 2**32."""
    return (rows["point_id"].astype(np.int64) << 32) + rows["start"] // 1_000_000


def fetch_interval_energy(
    connection: Connection, point_ids: Sequence[int], start_us: int, end_us: int
) -> NDArray[np.void]:
    """Quarter-hours of points that start in [start, end): ndarray of INTERVAL_DTYPE, ordered by point and start."""
    with transaction(connection):
        return fetch_packed_intervals(connection, _window(point_ids, start_us, end_us))


def publish_indicators(connection: Connection, rows: Sequence[IndicatorRow]) -> int:
    """Publish a new revision of each row that differs from the current one; returns how many did.

    When it was computed does not count as a difference, nor does a set of factors that differs only in rows it does
    not rest on. No two rows may be of the same number and period.
    """
    if not rows:
        return 0
    parameters: dict[str, Any] = {name: [getattr(row, name) for row in rows] for name in _OF_A_VALUE}
    with transaction(connection):
        parameters["series_id"] = enter_names(connection, "series", rows)
        parameters["origin_id"] = enter_names(connection, "origin", rows)
        connection.execute(query("supersede_indicators"), parameters)
        return connection.execute(query("publish_indicators"), parameters).rowcount


_SERIES: Final = ("park", "boundary", "indicator", "grain")
_ORIGIN: Final = ("unit", "method", "factor_set", "factors", "reason")
_OF_A_VALUE: Final = tuple(f.name for f in fields(IndicatorRow) if f.name not in {*_SERIES, *_ORIGIN})


def enter_names(connection: Connection, what: Literal["series", "origin"], rows: Sequence[object]) -> list[int]:
    """Number of each row's series or origin; those that are new get one. In the caller's transaction."""
    if not rows:
        return []
    names = _NAMES[what]
    keys = [tuple(getattr(row, name) for name in names) for row in rows]
    distinct = sorted(set(keys))
    # An array of arrays would have to be rectangular, so factors travel as lines.
    parameters = {
        f"{what}_{name}": ["\n".join(v) if isinstance(v, tuple) else v for v in column]
        for name, column in zip(names, zip(*distinct, strict=True), strict=True)
    }
    connection.execute(query(_ENTER[what]), parameters)
    found = connection.execute(query(_NUMBERS[what]), parameters).fetchall()
    number = dict(zip(distinct, (int(row[0]) for row in found), strict=True))
    return [number[key] for key in keys]


_NAMES: Final = {"series": _SERIES, "origin": _ORIGIN}
_ENTER: Final = {"series": "enter_series", "origin": "enter_origins"}
_NUMBERS: Final = {"series": "series_ids", "origin": "origin_ids"}


def _execute(
    connection: Connection, statement: LiteralString, parameters: Mapping[str, Any]
) -> list[tuple[Any, ...]]:
    with transaction(connection):
        return connection.execute(statement, parameters).fetchall()
