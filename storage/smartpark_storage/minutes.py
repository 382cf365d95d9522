"""Minute means of gauges as dense matrices: from the readings, or from what was kept of an hour when last read.

A minute's mean is over the readings that have a value and are not bad; its status is the least sure of theirs, or
where none is usable one of the bad ones. Hours that somebody has read before are kept packed for some weeks. A kept
hour is as good as its readings while no mark says that more have come (`stale_hours`): whoever has claimed a day says
which hours are stale, and only that day's hours are kept anew.
"""

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray
from smartpark.clock import from_us
from smartpark.wire import MISSING

from smartpark_storage.connections import Connection, transaction
from smartpark_storage.copying import Readings
from smartpark_storage.derived import fetch_readings
from smartpark_storage.queries import query
from smartpark_storage.registry import PointRecord, point_versions

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

MINUTE_US: Final = 60_000_000
HOUR_US: Final = 60 * MINUTE_US
NO_READING: Final = -1
"""Status of a minute without readings."""
POINTS_PER_FETCH: Final = 16
"""With one reading a second a day of these is 1.4 million readings: what is in memory at once. [points]"""
_BAD: Final = -(1 << 40)
"""Below every status code: bad ones are counted down from here, so that a usable one is always larger."""


@dataclass(frozen=True, slots=True)
class MinuteMeans:
    """Minutes of points, on the primary side; arrays have shape (n_points, n_minutes)."""

    points: tuple[PointRecord, ...]
    start_us: int
    """Start of the first minute. [µs]"""
    mean: Floats
    """NaN where no reading is usable. [unit of the point]"""
    status: Ints
    """Unsigned OPC UA code; `NO_READING` where there is none."""
    readings: int = 0
    """Readings that were looked at for it; those behind kept hours are not."""

    @property
    def has_reading(self) -> Bools:
        """Minutes with a reading, good or bad."""
        return self.status != NO_READING


def fetch_minutes(
    connection: Connection,
    points: Sequence[PointRecord],
    start_us: int,
    end_us: int,
    *,
    closed_us: int,
    stale: Mapping[str, AbstractSet[int]],
    keep_from_us: int,
    keep_until_us: int | None = None,
) -> MinuteMeans:
    """Minute means of points in [start, end).

    Parameters
    ----------
    connection : Connection
    points : sequence of PointRecord
        Gauges.
    start_us, end_us : int
        Whole hours. [µs]
    closed_us : int
        Nothing is read from here on; those minutes have no reading. [µs]
    stale : mapping of str to set of int
        Starts of the hours, per device, that are to be read from the readings whatever was kept. [µs]
    keep_from_us : int
        Hours from here on are kept when they were read anew; earlier ones are not in the caller's hand. [µs]
    keep_until_us : int, optional
        Neither are those from here on; default the end. [µs]

    Returns
    -------
    MinuteMeans
        Points in the given order.
    """
    n_hours = (end_us - start_us) // HOUR_US
    shape = (len(points), n_hours * 60)
    matrix = MinuteMeans(tuple(points), start_us, np.full(shape, np.nan), np.full(shape, NO_READING, np.int64))
    missing = _take_kept(connection, matrix)
    for row, point in enumerate(points):
        hours = stale.get(point.device, ())
        missing[row, [(hour - start_us) // HOUR_US for hour in hours if start_us <= hour < end_us]] = True
    hour_starts = start_us + np.arange(n_hours) * HOUR_US
    missing[:, hour_starts >= closed_us] = False
    readings = sum(_read(connection, matrix, rows, first, last) for rows, first, last in _gaps(missing))
    in_hand = (hour_starts >= keep_from_us) & (hour_starts < (end_us if keep_until_us is None else keep_until_us))
    _keep(connection, matrix, missing & in_hand)
    return replace(matrix, mean=matrix.mean * _multipliers(connection, matrix), readings=readings)


def drop_old_minutes(connection: Connection, before_us: int) -> int:
    """Forget what was kept of hours before an instant; returns of how many points and hours."""
    with transaction(connection):
        return connection.execute(query("drop_old_minutes"), {"before": from_us(before_us)}).rowcount


def reduce_to_minutes(
    readings: Readings, row: Ints, scale: Floats, start_us: int, shape: tuple[int, int]
) -> tuple[Floats, Ints]:
    """Mean and status of each minute.

    Parameters
    ----------
    readings : ndarray of READING_DTYPE, shape (n,)
        Ordered by row and time, none before the start or after the last minute.
    row : ndarray of int64, shape (n,)
        Row of the result of each reading, ascending.
    scale : ndarray of float64, shape (n_rows,)
        Steps in a unit of the point: what a scaled value is divided by.
    start_us : int
        Start of the first minute. [µs]
    shape : tuple of int
        Rows and minutes.

    Returns
    -------
    tuple of ndarray
        Means in the device's unit, NaN where no reading is usable; status codes, `NO_READING` without a reading.
    """
    size = shape[0] * shape[1]
    cell = row * shape[1] + (readings["time"] - start_us) // MINUTE_US
    is_scaled = readings["scaled"] != MISSING
    has_value = is_scaled | np.isfinite(readings["raw"])
    usable = (readings["status"] >= 0) & has_value
    # Sums of whole steps are exact whatever their order; that of doubles is fixed by the order of the readings.
    steps = np.where(usable & is_scaled, readings["scaled"], 0).astype(np.float64)
    total = np.bincount(cell, weights=steps, minlength=size) / np.repeat(scale, shape[1])
    in_unit = usable & ~is_scaled
    if in_unit.any():
        total += np.bincount(cell[in_unit], weights=readings["raw"][in_unit], minlength=size)
    count = np.bincount(cell[usable], minlength=size)
    mean = np.divide(total, count, out=np.full(size, np.nan), where=count > 0)
    return mean.reshape(shape), _worst_status(readings["status"].astype(np.int64), usable, cell, size).reshape(shape)


def _worst_status(status: Ints, usable: Bools, cell: Ints, size: int) -> Ints:
    found = np.full(size, NO_READING, np.int64)
    if cell.size:
        starts = np.flatnonzero(np.diff(cell, prepend=cell[0] - 1))
        rank = np.maximum.reduceat(np.where(usable, status, _BAD - status), starts)
        code = np.where(rank >= 0, rank, _BAD - rank)
        found[cell[starts]] = code & 0xFFFF_FFFF
    return found


def _gaps(missing: Bools) -> Iterator[tuple[Ints, int, int]]:
    """Rows and hours [first, last) that are to be read together."""
    for top in range(0, missing.shape[0], POINTS_PER_FETCH):
        part = missing[top : top + POINTS_PER_FETCH]
        edges = np.flatnonzero(np.diff(np.pad(part.any(axis=0), 1).astype(np.int8)))
        for first, last in edges.reshape(-1, 2).tolist():
            rows = top + np.flatnonzero(part[:, first:last].any(axis=1))
            yield rows.astype(np.int64), first, last


def _read(connection: Connection, matrix: MinuteMeans, rows: Ints, first: int, last: int) -> int:
    """Fill hours [first, last) of rows from the readings; returns how many these are."""
    begin = matrix.start_us + first * HOUR_US
    ids = np.array([matrix.points[row].point_id for row in rows.tolist()])
    order = np.argsort(ids)
    readings = fetch_readings(connection, ids[order].tolist(), begin, matrix.start_us + last * HOUR_US)
    place = np.searchsorted(ids[order], readings["point_id"])
    scale = np.array([10.0 ** -(matrix.points[row].exponent or 0) for row in rows[order].tolist()])
    minutes = slice(first * 60, last * 60)
    found = reduce_to_minutes(readings, place, scale, begin, (len(rows), (last - first) * 60))
    matrix.mean[rows[order], minutes], matrix.status[rows[order], minutes] = found
    return int(readings.size)


def _take_kept(connection: Connection, matrix: MinuteMeans) -> Bools:
    """Fill in what was kept, and say which hours were not."""
    points, start_us, mean, status = matrix.points, matrix.start_us, matrix.mean, matrix.status
    missing = np.ones((len(points), mean.shape[1] // 60), np.bool_)
    row_of = {point.point_id: row for row, point in enumerate(points)}
    parameters = {
        "points": sorted(row_of),
        "start": from_us(start_us),
        "end": from_us(start_us + missing.shape[1] * HOUR_US),
    }
    with transaction(connection), connection.cursor(binary=True) as cursor:
        kept = cursor.execute(query("fetch_minute_hours"), parameters).fetchall()
    for point_id, hour_us, means, statuses in kept:
        row, hour = row_of[point_id], (hour_us - start_us) // HOUR_US
        missing[row, hour] = False
        if means:
            place = slice(hour * 60, hour * 60 + 60)
            mean[row, place] = np.frombuffer(means, "<f8")
            codes = np.where(np.isnan(mean[row, place]), NO_READING, 0)
            status[row, place] = codes if statuses is None else np.frombuffer(statuses, "<i8")
    return missing


def _keep(connection: Connection, matrix: MinuteMeans, fresh: Bools) -> None:
    """Keep the hours that were read anew."""
    rows, hours = np.nonzero(fresh)
    if not rows.size:
        return
    means = matrix.mean.reshape(*fresh.shape, 60)[rows, hours].astype("<f8")
    codes = matrix.status.reshape(*fresh.shape, 60)[rows, hours].astype("<i8")
    is_empty = (codes == NO_READING).all(axis=1)
    is_plain = (codes == np.where(np.isnan(means), NO_READING, 0)).all(axis=1)
    parameters = {
        "hours": (matrix.start_us + hours * HOUR_US).tolist(),
        "points": [matrix.points[row].point_id for row in rows.tolist()],
        "means": [b"" if no else m.tobytes() for m, no in zip(means, is_empty.tolist(), strict=True)],
        "statuses": [None if plain else c.tobytes() for c, plain in zip(codes, is_plain.tolist(), strict=True)],
    }
    with transaction(connection):
        connection.execute(query("keep_minute_hours"), parameters)


def _multipliers(connection: Connection, matrix: MinuteMeans) -> Floats:
    """Multiplier in force at each minute, shape (n_points, n_minutes)."""
    n_minutes = matrix.mean.shape[1]
    ids = np.array([point.point_id for point in matrix.points], np.int64)
    versions = point_versions(connection, sorted(set(ids.tolist())))
    minute = np.clip((versions["valid_from_us"] - matrix.start_us) // MINUTE_US, 0, n_minutes)
    key = versions["point_id"].astype(np.int64) * (n_minutes + 1) + minute
    wanted = ids[:, np.newaxis] * (n_minutes + 1) + np.arange(n_minutes)
    return versions["multiplier"][np.searchsorted(key, wanted, side="right") - 1]
