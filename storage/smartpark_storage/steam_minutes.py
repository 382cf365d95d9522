"""Minute means of the pressure and temperature of steam, for those who count its heat."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from smartpark.steam_meters import SteamMeter

from smartpark_storage.connections import Connection
from smartpark_storage.minutes import fetch_minutes
from smartpark_storage.registry import PointRecord

Floats = NDArray[np.float64]


def fetch_steam_minutes(
    connection: Connection,
    meters: Sequence[SteamMeter],
    points: Mapping[int, PointRecord],
    start_us: int,
    end_us: int,
) -> tuple[Floats, Floats]:
    """Pressure and temperature as the instruments show them, in [start, end).

    Parameters
    ----------
    connection : Connection
    meters : sequence of SteamMeter
    points : mapping of int to PointRecord
        By number, with those of the meters.
    start_us, end_us : int
        Whole hours. [µs]

    Returns
    -------
    tuple of ndarray of float64, shape (n_meters, n_minutes)
        NaN where there is no usable reading. [kPa], [Cel]
    """
    ids = [*(meter.pressure_id for meter in meters), *(meter.temperature_id for meter in meters)]
    # Of these gauges no hour is kept: their marks are those of the steam counter, which say nothing of hours.
    found = fetch_minutes(
        connection,
        [points[one] for one in ids],
        start_us,
        end_us,
        closed_us=end_us,
        stale={},
        keep_from_us=end_us,
    )
    return found.mean[: len(meters)], found.mean[len(meters) :]
