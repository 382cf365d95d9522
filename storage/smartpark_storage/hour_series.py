"""Published numbers of many boundaries at once: the parts of longer periods, and hours as dense arrays."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from psycopg.rows import class_row
from smartpark.clock import from_us

from smartpark_storage.connections import Connection, transaction
from smartpark_storage.copying import EPOCH_US
from smartpark_storage.queries import query
from smartpark_storage.revisions import PublishedRow

HOUR_US: Final = 3_600_000_000
_PACKED: Final = np.dtype([("start", ">i8"), ("value", ">f8"), ("completeness", ">f4"), ("estimated_share", ">f4")])


@dataclass(frozen=True, slots=True)
class HourSeries:
    """Current hours of numbers; arrays have shape (n_boundaries, n_indicators, n_hours)."""

    start_us: int
    """Start of the first hour. [µs]"""
    value: NDArray[np.float64]
    """NaN where no number is known. [unit of the indicator]"""
    completeness: NDArray[np.float64]
    estimated_share: NDArray[np.float64]
    is_there: NDArray[np.bool_]
    """Hours that have a row, with a number or without."""


def fetch_parts(
    connection: Connection,
    park: str,
    boundaries: Sequence[str],
    indicators: Sequence[str],
    *,
    grain: str,
    start_us: int,
    end_us: int,
) -> list[PublishedRow]:
    """Current rows of a grain that start in [start, end), by boundary, indicator and time."""
    parameters = {
        "park": park,
        "boundaries": list(boundaries),
        "indicators": list(indicators),
        "grain": grain,
        "start": from_us(start_us),
        "end": from_us(end_us),
    }
    with transaction(connection), connection.cursor(row_factory=class_row(PublishedRow)) as cursor:
        return cursor.execute(query("fetch_parts"), parameters).fetchall()


def fetch_hour_series(
    connection: Connection,
    park: str,
    boundaries: Sequence[str],
    indicators: Sequence[str],
    *,
    start_us: int,
    end_us: int,
) -> HourSeries:
    """Hours of boundaries and indicators, in the given order, that start in [start, end)."""
    shape = (len(boundaries), len(indicators), (end_us - start_us) // HOUR_US)
    series = HourSeries(start_us, np.full(shape, np.nan), np.zeros(shape), np.zeros(shape), np.zeros(shape, np.bool_))
    parameters = {
        "park": park,
        "boundaries": list(boundaries),
        "indicators": list(indicators),
        "start": from_us(start_us),
        "end": from_us(end_us),
    }
    with transaction(connection), connection.cursor(binary=True) as cursor:
        groups = cursor.execute(query("fetch_hour_series"), parameters).fetchall()
    for boundary, indicator, packed in groups:
        rows = np.frombuffer(packed, _PACKED)
        hour = (rows["start"].astype(np.int64) + EPOCH_US - start_us) // HOUR_US
        place = (boundaries.index(boundary), indicators.index(indicator), hour)
        series.value[place] = rows["value"]
        series.completeness[place] = rows["completeness"]
        series.estimated_share[place] = rows["estimated_share"]
        series.is_there[place] = True
    return series
