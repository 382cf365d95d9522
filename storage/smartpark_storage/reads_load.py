"""Reads for forecasts and headroom; every statement is in ``sql/queries/load.sql``.

Quarter-hours come out as a matrix with NaN where nothing is known. Which of them make up a load, and what a year of
them means, is decided by the caller.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, LiteralString

import numpy as np
from numpy.typing import NDArray
from psycopg.rows import class_row
from smartpark.balance_rule import ACTIVE_ENERGY
from smartpark.load_network import LoadPointRow, NodeRow

from smartpark_storage.connections import Connection
from smartpark_storage.queries import query

QUARTER: Final = timedelta(minutes=15)


def read_nodes(connection: Connection, park: str) -> list[NodeRow]:
    """Feeders and transformers of a park."""
    with connection.cursor(row_factory=class_row(NodeRow)) as cursor:
        return cursor.execute(query("load_nodes"), {"park": park}).fetchall()


def read_load_points(connection: Connection, park: str) -> list[LoadPointRow]:
    """Points of electric meters that tell power or energy, by device."""
    with connection.cursor(row_factory=class_row(LoadPointRow)) as cursor:
        return cursor.execute(query("load_points"), {"park": park}).fetchall()


def read_load_quarters(
    connection: Connection, points: Sequence[LoadPointRow], start: datetime, end: datetime
) -> NDArray[np.float64]:
    """Quarter-hours of points in [start, end): the amount of each register, the mean of each gauge.

    Returns
    -------
    ndarray of float64, shape (n_points, n_quarters)
        On the primary side, in the points' units; NaN where there is no usable reading, or where a register's whole
        quarter-hour is not known.
    """
    is_register = np.array([point.measurand in ACTIVE_ENERGY for point in points], dtype=bool)
    numbers = np.array([point.point_id for point in points], dtype=np.int64)
    found = np.full((len(points), (end - start) // QUARTER), np.nan)
    for statement, rows in (("load_energy_quarters", is_register), ("load_power_quarters", ~is_register)):
        found[rows] = _quarters(connection, query(statement), numbers[rows].tolist(), start, end)
    return found


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
