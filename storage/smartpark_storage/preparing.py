"""What the database is to be told of readings, made ready before a connection is busy with it: arrays in, bytes out.

Sorting and encoding need the processor and no database. Whoever does them inside the transaction lets the database
wait; so they are done before, for all readings of a group, by whichever thread has time. Nothing here opens, sends or
decides: rows are ordered as the table's index wants them, encoded for COPY, and summed up for the newest values and
for the marks that derive works from.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from smartpark.derived_gauges import DERIVED_GAUGES

from smartpark_storage.copying import READING_DTYPE, CopyPiece, Readings, encode_readings

DENSE: Final = 50
"""Readings per point and day from which compressing on the way in pays: half the time and a tenth of the space. With
one reading per point it takes ten times as long as the row store (docs/storage.md)."""
_HOUR_US: Final = 3600 * 1_000_000
_HOURS_OF_CHUNK: Final = 24
_WORDS: Final = READING_DTYPE.itemsize // 8


@dataclass(frozen=True, slots=True)
class Load:
    """Readings of one transaction as its statements take them."""

    readings: int
    is_dense: bool
    """Whether there are so many readings per point and chunk that TimescaleDB should take them compressed."""
    pieces: list[CopyPiece]
    """The COPY stream."""
    latest: dict[str, str]
    """Newest reading of each point, for `upsert_latest`."""
    touched: dict[str, str | list[str]]
    """First and last reading per point and hour, for `mark_touched`."""
    changes: dict[str, list[int] | list[bytes]]
    """First and last reading per point, packed per edge, for `tell_change`."""


def prepare_load(parts: Sequence[Readings], edges: Sequence[int] = ()) -> Load | None:
    """Make the readings of these parts ready for one transaction; None when there are none.

    `edges` says through which edge each part came; whoever evaluates alerts is not told of parts without.
    """
    readings = _joined(parts)
    if not readings.size:
        return None
    order = np.lexsort((readings["time"], readings["point_id"]))
    ordered = _in_order(readings, order)
    point, time = ordered["point_id"], ordered["time"]
    hour = time // _HOUR_US
    new_point = np.diff(point) != 0
    new_hour = new_point | (np.diff(hour) != 0)
    new_chunk = new_point | (np.diff(hour // _HOURS_OF_CHUNK) != 0)
    return Load(
        readings=ordered.size,
        is_dense=bool(ordered.size >= DENSE * (1 + np.count_nonzero(new_chunk))),
        pieces=encode_readings(ordered),
        latest=_latest(ordered[np.append(new_point, True)]),
        touched=_touched(point, time, np.flatnonzero(new_hour)),
        changes=_changes(ordered, np.flatnonzero(new_point), _edge_of(parts, edges), order),
    )


def _joined(parts: Sequence[Readings]) -> Readings:
    words = [np.ascontiguousarray(part).view(np.int64) for part in parts if part.size]
    return (np.concatenate(words) if words else np.empty(0, np.int64)).view(READING_DTYPE)


def _in_order(readings: Readings, order: NDArray[np.intp]) -> Readings:
    # As rows of machine words: field by field, numpy takes ten times as long.
    return readings.view(np.int64).reshape(-1, _WORDS).take(order, axis=0).reshape(-1).view(READING_DTYPE)


def _latest(newest: Readings) -> dict[str, str]:
    return {
        "points": array_text(newest["point_id"]),
        "times": array_text(newest["time"]),
        "scaled": array_text(newest["scaled"]),
        "raw": array_text(newest["raw"]),
        "status": array_text(newest["status"]),
    }


def _touched(point: NDArray[np.int32], time: NDArray[np.int64], ends: NDArray[np.intp]) -> dict[str, str | list[str]]:
    """Spans of readings of one point and hour; `ends` are the last ones of all spans but the last."""
    first, last = np.append(0, ends + 1), np.append(ends, point.size - 1)
    return {
        "points": array_text(point[first]),
        "firsts": array_text(time[first]),
        # Half-open: the span ends just after its last reading.
        "ends": array_text(time[last] + 1),
        "derived": sorted(DERIVED_GAUGES),
    }


def _edge_of(parts: Sequence[Readings], edges: Sequence[int]) -> NDArray[np.int64] | int | None:
    """Edge of each reading of all parts, one behind the other; a number when it is the same; None: nobody said."""
    if len(set(edges)) <= 1:
        return edges[0] if edges else None
    return np.repeat(np.array(edges, np.int64), [part.size for part in parts])


def _changes(
    ordered: Readings, ends: NDArray[np.intp], edge_of: NDArray[np.int64] | int | None, order: NDArray[np.intp]
) -> dict[str, list[int] | list[bytes]]:
    """Spans of readings of one point; `ends` are the last ones of all points but the last.

    A point that came through two edges at once is told of once: by the edge that brought its first reading.
    """
    first, last = np.append(0, ends + 1), np.append(ends, ordered.size - 1)
    points, firsts, ends_us = ordered["point_id"][first], ordered["time"][first], ordered["time"][last] + 1
    if isinstance(edge_of, np.ndarray):
        edge = edge_of[order[first]]
        chosen = {number: edge == number for number in np.unique(edge).tolist()}
    else:
        chosen = {} if edge_of is None else {edge_of: slice(None)}
    return {
        "edges": list(chosen),
        "points": [points[rows].astype("<i4").tobytes() for rows in chosen.values()],
        "firsts": [firsts[rows].astype("<i8").tobytes() for rows in chosen.values()],
        "ends": [ends_us[rows].astype("<i8").tobytes() for rows in chosen.values()],
    }


def array_text(column: NDArray[np.generic] | Sequence[int]) -> str:
    """Numbers as PostgreSQL writes an array: the driver's own way, value by value, costs ten times as much."""
    numbers = column.tolist() if isinstance(column, np.ndarray) else column
    return f"{{{','.join(map(repr, numbers))}}}"
