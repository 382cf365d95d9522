"""Sums of gauges over quarter-hours and hours, as arrays; and which counters still wait to be derived.

What is kept of past windows answers fast and may lag behind readings that came late; asked for *fresh* ones, the
readings themselves are summed. A window without a usable reading has no row. Nothing here scales a value.
"""

from collections.abc import Sequence
from datetime import timedelta
from operator import itemgetter
from typing import Final

import numpy as np
from numpy.typing import NDArray
from smartpark.clock import from_us

from smartpark_storage.connections import Connection, read_transaction
from smartpark_storage.copying import EPOCH_US
from smartpark_storage.queries import query

QUARTER_US: Final = 900_000_000
HOUR_US: Final = 3_600_000_000
WINDOW_DTYPE: Final = np.dtype(
    [("point_id", "<i4"), ("start", "<i8"), ("scaled", "<f8"), ("raw", "<f8"), ("readings", "<i8")]
)
"""Usable readings of a window: sum of the counts of steps, sum of the doubles, how many both are together."""
_PACKED: Final = np.dtype([("start", ">i8"), ("scaled", ">f8"), ("raw", ">f8"), ("readings", ">i8")])
_KEPT: Final = {QUARTER_US: "window_sums_15m", HOUR_US: "window_sums_hour"}


def fetch_window_sums(
    connection: Connection, points: Sequence[int], start_us: int, end_us: int, *, width_us: int, fresh: bool
) -> NDArray[np.void]:
    """Sums of windows that start in [start, end), ordered by point and start.

    Parameters
    ----------
    connection : Connection
    points : sequence of int
        Gauges.
    start_us, end_us : int
        Whole windows. [µs]
    width_us : int
        `QUARTER_US` or `HOUR_US`.
    fresh : bool
        Whether to sum the readings themselves.

    Returns
    -------
    ndarray of WINDOW_DTYPE, shape (n,)
    """
    statement = "window_sums_fresh" if fresh else _KEPT[width_us]
    parameters = {
        "points": [int(point) for point in points],
        "start": from_us(start_us),
        "end": from_us(end_us),
        "width": timedelta(microseconds=width_us),
    }
    with read_transaction(connection), connection.cursor(binary=True) as cursor:
        # Prepared, it would after some time be planned for any points and any time.
        groups = sorted(cursor.execute(query(statement), parameters, prepare=False).fetchall(), key=itemgetter(0))
    rows = np.empty(sum(len(packed) for _, packed in groups) // _PACKED.itemsize, WINDOW_DTYPE)
    first = 0
    for point, packed in groups:
        part = np.frombuffer(packed, _PACKED)
        into = rows[first : first + len(part)]
        first += len(part)
        into["point_id"] = point
        for name in _PACKED.names or ():
            into[name] = part[name]
    rows["start"] += EPOCH_US
    return rows[np.lexsort((rows["start"], rows["point_id"]))]


def points_not_derived(connection: Connection, points: Sequence[int], before_us: int) -> set[int]:
    """Counters among these of which some quarter-hour before an instant is still to be derived."""
    parameters = {"points": [int(point) for point in points], "before": from_us(before_us)}
    with read_transaction(connection):
        return {row[0] for row in connection.execute(query("points_not_derived"), parameters)}
