"""Readings of very many points, each of its own span: what an evaluation reads when a commit has told what came.

`smartpark_storage.fetch_readings` is made for few points with many readings each; here ten thousand points with one
reading each cost one row. Points whose spans are alike are asked together; what lies outside a point's own span is
left out again.
"""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from smartpark.clock import from_us
from smartpark.wire import MISSING

from smartpark_storage.connections import Connection, transaction
from smartpark_storage.copying import EPOCH_US, READING_DTYPE, Readings
from smartpark_storage.queries import query

_SHORTEST_US: Final = 60 * 1_000_000
"""Shorter spans are alike."""
_ALIKE: Final = 4
"""Points are asked together when their spans are of one length up to this factor, and lie within so many lengths."""


class _Group(NamedTuple):
    places: NDArray[np.intp]
    start_us: int
    end_us: int


def fetch_span_readings(
    connection: Connection,
    points: NDArray[np.integer[Any]],
    start_us: NDArray[np.int64],
    end_us: NDArray[np.int64],
) -> Readings:
    """Readings of points, each in its own span [start, end), ordered by point and time, bad ones included.

    Parameters
    ----------
    connection : Connection
    points : ndarray of int, shape (n,)
        Each once, in any order.
    start_us, end_us : ndarray of int64, shape (n,)
        [µs]

    Returns
    -------
    ndarray of READING_DTYPE, shape (n_readings,)
    """
    order = np.argsort(points)
    ids, starts, ends = points[order], start_us[order], end_us[order]
    parts: list[Readings] = []
    with transaction(connection):
        connection.execute(query("begin_packing"))
        for group in _groups(starts, ends):
            found = _fetch(connection, ids[group.places], group)
            place = np.searchsorted(ids, found["point_id"])
            is_wanted = (found["time"] >= starts[place]) & (found["time"] < ends[place])
            parts.append(found if is_wanted.all() else found[is_wanted])
        connection.execute(query("end_packing"))
    readings = np.concatenate(parts) if parts else np.empty(0, READING_DTYPE)
    return readings[np.lexsort((readings["time"], readings["point_id"]))]


def _groups(start_us: NDArray[np.int64], end_us: NDArray[np.int64]) -> Iterator[_Group]:
    """Places of spans that are asked together, with the span that covers them."""
    places = np.flatnonzero(end_us > start_us)
    if not places.size:
        return
    start, end = start_us[places], end_us[places]
    length = np.maximum(end - start, _SHORTEST_US)
    size = np.ceil(np.log(length / _SHORTEST_US) / np.log(_ALIKE)).astype(np.int64)
    width = (_SHORTEST_US * _ALIKE * float(_ALIKE) ** size).astype(np.int64)
    slot = (start - start.min()) // width
    _, which = np.unique(np.stack([size, slot], axis=1), axis=0, return_inverse=True)
    which = which.reshape(-1)
    for number in range(int(which.max()) + 1):
        mine = which == number
        yield _Group(places[mine], int(start[mine].min()), int(end[mine].max()))


def _fetch(connection: Connection, points: NDArray[np.integer[Any]], group: _Group) -> Readings:
    parameters = {"points": points.tolist(), "start": from_us(group.start_us), "end": from_us(group.end_us)}
    with connection.cursor(binary=True) as cursor:
        # Prepared, it would after some time be planned for any points and any time.
        kinds = cursor.execute(query("fetch_span_readings"), parameters, prepare=False).fetchall()
    readings = np.empty(sum(len(ids) for _, ids, *_ in kinds) // 4, READING_DTYPE)
    first = 0
    for has_no_steps, ids, statuses, times, values in kinds:
        part = readings[first : first + len(ids) // 4]
        first += len(part)
        part["point_id"] = np.frombuffer(ids, ">i4")
        part["status"] = np.frombuffer(statuses, ">i4")
        part["time"] = np.frombuffer(times, ">i8")
        part["scaled"] = MISSING if has_no_steps else np.frombuffer(values, ">i8")
        part["raw"] = np.frombuffer(values, ">f8") if has_no_steps else np.nan
    readings["time"] += EPOCH_US
    return readings
