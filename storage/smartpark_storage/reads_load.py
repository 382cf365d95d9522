"""Reads for forecasts and headroom; every statement is in ``sql/queries/load.sql``.

Quarter-hours come out as a matrix with NaN where nothing is known. Which of them make up a load, and what a year of
them means, is decided by the caller.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, LiteralString

import numpy as np
from numpy.typing import NDArray
from psycopg.rows import class_row

from smartpark_storage.connections import Connection
from smartpark_storage.queries import query

QUARTER: Final = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class NodeRow:
    """A transformer or feeder in service."""

    kind: str
    """``transformer`` or ``feeder``."""
    code: str
    name: str
    rated_kva: float
    voltage_kv: float | None
    enterprise: str | None
    sub_park: str | None
    upstream: str | None
    """The feeder of a transformer, the main transformer of a feeder; None: nobody said."""
    station: str | None = None
    """Of a transformer: whose others stand in for it; None: nobody said."""


@dataclass(frozen=True, slots=True)
class LoadPointRow:
    """Power or an energy register of an electric meter in service."""

    point_id: int
    device: str
    code: str
    measurand: str
    parent: str | None
    transformer: str | None
    role: str
    carrier: str
    internal_transfer: bool


def read_nodes(connection: Connection, park: str) -> list[NodeRow]:
    """Feeders and transformers of a park."""
    with connection.cursor(row_factory=class_row(NodeRow)) as cursor:
        return cursor.execute(query("load_nodes"), {"park": park}).fetchall()


def read_load_points(connection: Connection, park: str) -> list[LoadPointRow]:
    """Points of electric meters that tell power or energy, by device."""
    with connection.cursor(row_factory=class_row(LoadPointRow)) as cursor:
        return cursor.execute(query("load_points"), {"park": park}).fetchall()


def read_power_quarters(
    connection: Connection, points: Sequence[int], start: datetime, end: datetime
) -> NDArray[np.float64]:
    """Mean of each gauge in the quarter-hours of [start, end).

    Returns
    -------
    ndarray of float64, shape (n_points, n_quarters)
        On the primary side, in the points' units; NaN where there is no usable reading.
    """
    return _quarters(connection, query("load_power_quarters"), points, start, end)


def read_energy_quarters(
    connection: Connection, points: Sequence[int], start: datetime, end: datetime
) -> NDArray[np.float64]:
    """Amount of each counter in the quarter-hours of [start, end); shape and NaN as for `read_power_quarters`."""
    return _quarters(connection, query("load_energy_quarters"), points, start, end)


def _quarters(
    connection: Connection, statement: LiteralString, points: Sequence[int], start: datetime, end: datetime
) -> NDArray[np.float64]:
    row_of = {point: row for row, point in enumerate(points)}
    found = np.full((len(points), (end - start) // QUARTER), np.nan)
    if not points:
        return found
    asked = {"points": list(points), "start": start, "end": end}
    # Prepared, it would after some time be planned for any number of points, and take three times as long.
    for point, quarters, amounts in connection.execute(statement, asked, prepare=False):
        found[row_of[point], np.asarray(quarters)] = amounts
    return found
