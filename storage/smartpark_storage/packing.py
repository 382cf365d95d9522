"""Many rows in a few: how readings and quarter-hours come out of the database as memory that numpy reads.

A statement puts the binary forms of a point's columns one behind the other, and hands out one row per point instead
of one per reading. It costs a third of a COPY of the same rows, in the database and here together (docs/adr/0007),
and keeps every reading as it is. The database gives rows of a group in any order, so order is made here, where it is
usually there already.
"""

from collections.abc import Iterable, Mapping
from operator import itemgetter
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from smartpark.wire import MISSING

from smartpark_storage.connections import Connection
from smartpark_storage.copying import EPOCH_US, READING_DTYPE, SIGNATURE, TRAILER, Readings
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

_QUARTER_HOUR: Final = np.dtype(
    [("start", ">i8"), ("amount", ">f8"), ("completeness", ">f4"), ("estimated_share", ">f4"), ("flags", ">i4")]
)
_HEAD: Final = [
    ("fields", ">i2"),
    ("point_id_length", ">i4"),
    ("point_id", ">i4"),
    ("start_length", ">i4"),
    ("start", ">i8"),
    ("amount_length", ">i4"),
]
_TAIL: Final = [
    ("completeness_length", ">i4"),
    ("completeness", ">f4"),
    ("estimated_share_length", ">i4"),
    ("estimated_share", ">f4"),
    ("flags_length", ">i4"),
    ("flags", ">i4"),
]
_KNOWN: Final = np.dtype([*_HEAD, ("amount", ">f8"), *_TAIL])
_UNKNOWN: Final = np.dtype([*_HEAD, *_TAIL])


def fetch_packed_readings(connection: Connection, parameters: Mapping[str, Any]) -> Readings:
    """Readings that ``fetch_readings`` gives, ordered by point and time; in the caller's transaction."""
    connection.execute(query("begin_packing"))
    with connection.cursor(binary=True) as cursor:
        # Prepared, it would after some time be planned for any points and any time.
        groups = cursor.execute(query("fetch_readings"), parameters, prepare=False).fetchall()
    connection.execute(query("end_packing"))
    return unpack_readings(groups)


def unpack_readings(groups: Iterable[tuple[int, int, bool, bytes, bytes]]) -> Readings:
    """Readings of groups (point, status, has no count of steps, times, values), ordered by point and time.

    Parameters
    ----------
    groups : iterable of tuple
        Times are µs since 2000-01-01, values counts of steps or doubles, both of eight bytes, most significant first.

    Examples
    --------
    >>> time, value = np.array([1_000_000], ">i8").tobytes(), np.array([42], ">i8").tobytes()
    >>> unpack_readings([(7, 0, False, time, value)])[["point_id", "scaled"]].tolist()
    [(7, 42)]
    """
    found = sorted(groups, key=itemgetter(0))
    readings = np.empty(sum(len(times) for *_, times, _ in found) // 8, READING_DTYPE)
    first = 0
    for point, status, has_no_steps, times, values in found:
        part = readings[first : first + len(times) // 8]
        first += len(part)
        part["point_id"], part["status"] = point, status
        part["time"] = np.frombuffer(times, ">i8")
        part["scaled"] = MISSING if has_no_steps else np.frombuffer(values, ">i8")
        part["raw"] = np.frombuffer(values, ">f8") if has_no_steps else np.nan
    readings["time"] += EPOCH_US
    return _ordered(readings, "time")


def fetch_packed_intervals(connection: Connection, parameters: Mapping[str, Any]) -> NDArray[np.void]:
    """Quarter-hours that ``fetch_interval_energy`` gives, ordered by point and start."""
    with connection.cursor(binary=True) as cursor:
        groups = sorted(cursor.execute(query("fetch_interval_energy"), parameters).fetchall(), key=itemgetter(0))
    rows = np.empty(sum(len(packed) for _, packed in groups) // _QUARTER_HOUR.itemsize, INTERVAL_DTYPE)
    first = 0
    for point, packed in groups:
        part = np.frombuffer(packed, _QUARTER_HOUR)
        into = rows[first : first + len(part)]
        first += len(part)
        into["point_id"] = point
        for name in _QUARTER_HOUR.names or ():
            into[name] = part[name]
    rows["start"] += EPOCH_US
    return _ordered(rows, "start")


def _ordered(rows: NDArray[np.void], time: str) -> NDArray[np.void]:
    """Rows by point and time; as they are where they are so already."""
    point, when = np.ascontiguousarray(rows["point_id"]), np.ascontiguousarray(rows[time])
    if ((point[1:] > point[:-1]) | ((point[1:] == point[:-1]) & (when[1:] >= when[:-1]))).all():
        return rows
    return rows[np.lexsort((when, point))]


def copy_intervals(connection: Connection, rows: NDArray[np.void]) -> None:
    """Add quarter-hours that are not there yet, in the caller's transaction."""
    is_known = np.isfinite(rows["amount"])
    with connection.cursor().copy(query("copy_interval_energy")) as copy:
        copy.write(SIGNATURE)
        copy.write(_encoded(rows[is_known], _KNOWN))
        copy.write(_encoded(rows[~is_known], _UNKNOWN))
        copy.write(TRAILER)


def _encoded(rows: NDArray[np.void], layout: np.dtype[np.void]) -> bytes:
    """Rows of one kind in the binary form of COPY; a NULL has a length of -1 and no bytes."""
    encoded = np.empty(rows.shape, layout)
    encoded["fields"] = len(INTERVAL_DTYPE.names or ())
    encoded["amount_length"] = -1
    for name in INTERVAL_DTYPE.names or ():
        if name in (layout.names or ()):
            encoded[f"{name}_length"] = INTERVAL_DTYPE[name].itemsize
            encoded[name] = rows[name]
    encoded["start"] -= EPOCH_US
    return encoded.tobytes()
