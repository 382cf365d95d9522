"""What was stored, as the values that rules look at: readings, and quarter-hours and hours of gauges and counters.

A window bears the moment at which it begins. Of gauges it is the mean of the usable readings, of counters what they
counted, as `derive` has computed it; a window of which not everything is known has no value of a counter. Nothing
here judges.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import numpy as np
from smartpark.alerts.rules import Source
from smartpark.measurands import Kind
from smartpark_analytics.alerts.samples import Ints
from smartpark_storage import (
    Connection,
    PointRecord,
    Readings,
    Registry,
    fetch_interval_energy,
    fetch_readings,
    load_registry,
    registry_version,
)
from smartpark_storage.alerts import fetch_span_readings
from smartpark_storage.window_sums import HOUR_US, QUARTER_US, fetch_window_sums, points_not_derived

from smartpark_ingest.alerting.values import NO_VALUES, Scales, Values, joined
from smartpark_ingest.alerting.watching import Spans

WIDTH_US: Final = {Source.QUARTER: QUARTER_US, Source.HOUR: HOUR_US}
"""Length of a window. [µs]"""
_POINTS_AT_ONCE: Final = 1000
_READINGS_SLICE_US: Final = 6 * HOUR_US
_WHOLE: Final = 0.999
"""Completeness from which a quarter-hour of a counter counts as known."""


class History:
    """Reads values; keeps how readings become values until the registry changes."""

    def __init__(self, connection: Connection) -> None:
        self.registry: Registry = load_registry(connection)
        self._scales = Scales(connection, self.registry.by_id.values())

    def refresh(self, connection: Connection) -> bool:
        """Read the registry again if it has changed; says whether it had."""
        if registry_version(connection) == self.registry.version:
            return False
        self.registry = load_registry(connection)
        self._scales = Scales(connection, self.registry.by_id.values())
        return True

    def readings(self, connection: Connection, points: Iterable[int], start_us: int, end_us: int) -> Values:
        """Readings of points in [start, end)."""
        ids = sorted(set(points))
        if not ids or start_us >= end_us:
            return NO_VALUES
        return self._scales.values(fetch_readings(connection, ids, start_us, end_us))

    def scaled(self, readings: Readings) -> Values:
        """Readings, ordered by point and time, as values."""
        return self._scales.values(readings)

    def spans(self, connection: Connection, spans: Spans) -> Values:
        """Readings of points, each in its own stretch."""
        if not spans.size:
            return NO_VALUES
        return self.scaled(fetch_span_readings(connection, spans.point, spans.start_us, spans.end_us))

    def slices(
        self, connection: Connection, points: Sequence[int], start_us: int, end_us: int, source: Source
    ) -> Iterator[tuple[int, Values]]:
        """Values in [start, end) in order of time, so many at once as memory holds, each with where its part ends."""
        width = _READINGS_SLICE_US if source is Source.READING else 28 * 24 * HOUR_US
        at = start_us
        while at < end_us:
            upto = min(at - at % width + width, end_us)
            yield upto, self.values(connection, points, at, upto, source)
            at = upto

    def values(
        self,
        connection: Connection,
        points: Iterable[int],
        start_us: int,
        end_us: int,
        source: Source,
        *,
        fresh: bool = False,
    ) -> Values:
        """Values of points in [start, end); of windows those that begin there."""
        ids = sorted(set(points))
        read = self.readings if source is Source.READING else None
        parts: list[Values] = []
        for first in range(0, len(ids), _POINTS_AT_ONCE):
            some = ids[first : first + _POINTS_AT_ONCE]
            if read is not None:
                parts.append(read(connection, some, start_us, end_us))
            else:
                parts += self._windows(connection, some, start_us, end_us, WIDTH_US[source], fresh=fresh)
        return joined(parts)

    def counters_not_ready(self, connection: Connection, points: Iterable[int], before_us: int) -> set[int]:
        """Counters among these whose quarter-hours before an instant are still to be derived."""
        counters = [point for point in points if self._is_counter(point)]
        return points_not_derived(connection, counters, before_us) if counters else set()

    def _windows(
        self, connection: Connection, points: list[int], start_us: int, end_us: int, width_us: int, *, fresh: bool
    ) -> list[Values]:
        counters = [point for point in points if self._is_counter(point)]
        gauges = [point for point in points if not self._is_counter(point)]
        found: list[Values] = []
        if gauges:
            sums = fetch_window_sums(connection, gauges, start_us, end_us, width_us=width_us, fresh=fresh)
            found.append(self._scales.means(sums))
        if counters:
            quarters = fetch_interval_energy(connection, counters, start_us, end_us)
            found.append(amounts(quarters, width_us))
        return found

    def _is_counter(self, point: int) -> bool:
        record: PointRecord | None = self.registry.by_id.get(point)
        return record is not None and record.kind is Kind.COUNTER


def amounts(quarters: np.ndarray, width_us: int) -> Values:
    """What counters counted in windows of which every quarter-hour is known.

    Parameters
    ----------
    quarters : ndarray of INTERVAL_DTYPE, shape (n,)
        Ordered by point and start.
    width_us : int
        Whole quarter-hours. [µs]
    """
    is_known = np.isfinite(quarters["amount"]) & (quarters["completeness"] > _WHOLE)
    known = quarters[is_known]
    if not known.size:
        return NO_VALUES
    point: Ints = known["point_id"].astype(np.int64)
    window: Ints = known["start"] // width_us * width_us
    first = np.flatnonzero((np.diff(point, prepend=-1) != 0) | (np.diff(window, prepend=-1) != 0))
    count = np.diff(first, append=point.size)
    total = np.add.reduceat(known["amount"].astype(np.float64), first)
    is_whole = count == width_us // QUARTER_US
    return Values(point[first][is_whole], window[first][is_whole], total[is_whole])
