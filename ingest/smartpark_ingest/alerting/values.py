"""What rules look at: readings as values on the primary side, one per point and moment.

Counts of steps become values with the resolution of their point and the multiplier that was in force when they were
measured. A bad reading, or one without a value, says that its point does not know: NaN, never zero. Of two readings
of one instant the later stored counts. Nothing here judges or decides what is read.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from smartpark.wire import MISSING
from smartpark_analytics.alerts.samples import Floats, Ints
from smartpark_storage import Connection, PointRecord, Readings, point_versions

_FROM_EVER: Final = np.iinfo(np.int64).min


class Values(NamedTuple):
    """Values of points, ordered by point and time, no moment twice; arrays have shape (n,)."""

    point: Ints
    """Number of the point."""
    time_us: Ints
    """[µs since the epoch]"""
    value: Floats
    """NaN: not known. [unit of the point, primary side]"""

    @property
    def size(self) -> int:
        """How many."""
        return self.point.size


NO_VALUES: Final = Values(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))


class Scales:
    """How the readings of some points become values."""

    def __init__(self, connection: Connection, points: Iterable[PointRecord]) -> None:
        exponents = {point.point_id: point.exponent or 0 for point in points}
        self._points = np.array(sorted(exponents), np.int64)
        exponent = np.array([exponents[point] for point in self._points.tolist()], np.int64)
        # Dividing by a power of ten gives the double nearest to the decimal; multiplying by 0.01 does not.
        self._divisor = 10.0 ** np.maximum(-exponent, 0)
        self._factor = 10.0 ** np.maximum(exponent, 0)
        versions = point_versions(connection, self._points.tolist())
        place = np.searchsorted(self._points, versions["point_id"])
        self._multiplier = np.ones(self._points.size)
        self._multiplier[place] = versions["multiplier"]
        """Of the newest version: assigned in order of time, the last one stays."""
        self._since = np.full(self._points.size, _FROM_EVER, np.int64)
        self._since[place] = np.where(_is_first(versions["point_id"]), _FROM_EVER, versions["valid_from_us"])
        """From when on that one holds."""
        self._versions = versions

    def values(self, readings: Readings) -> Values:
        """Values of readings of these points.

        Parameters
        ----------
        readings : ndarray of READING_DTYPE, shape (n,)
            Ordered by point and time.
        """
        if not readings.size:
            return NO_VALUES
        point, time = readings["point_id"].astype(np.int64), readings["time"].astype(np.int64)
        at = np.searchsorted(self._points, point)
        is_scaled = readings["scaled"] != MISSING
        steps = np.where(is_scaled, readings["scaled"], 0) / self._divisor[at] * self._factor[at]
        value = np.where(is_scaled, steps, readings["raw"]) * self._multipliers(at, time)
        value[readings["status"] < 0] = np.nan
        # Readings of one instant stand in the order in which they are stored.
        is_last = np.ones(point.size, np.bool_)
        is_last[:-1] = (np.diff(point) != 0) | (np.diff(time) != 0)
        return Values(point[is_last], time[is_last], value[is_last])

    def means(self, sums: NDArray[np.void]) -> Values:
        """Means of windows, with the multiplier that was in force at their start.

        Parameters
        ----------
        sums : ndarray of WINDOW_DTYPE, shape (n,)
            Of these points, ordered by point and start.
        """
        if not sums.size:
            return NO_VALUES
        point, start = sums["point_id"].astype(np.int64), sums["start"].astype(np.int64)
        at = np.searchsorted(self._points, point)
        count = sums["readings"]
        mean = sums["scaled"] / count / self._divisor[at] * self._factor[at] + sums["raw"] / count
        return Values(point, start, mean * self._multipliers(at, start))

    def _multipliers(self, at: Ints, time_us: Ints) -> Floats:
        found = self._multiplier[at]
        is_old = time_us < self._since[at]
        # Ratios are changed about once in the life of a meter, so there are few.
        for place in np.unique(at[is_old]).tolist():
            mine = self._versions[self._versions["point_id"] == self._points[place]]
            wanted = is_old & (at == place)
            number = np.searchsorted(mine["valid_from_us"], time_us[wanted], side="right") - 1
            found[wanted] = mine["multiplier"][np.maximum(number, 0)]
        return found


def joined(parts: Iterable[Values]) -> Values:
    """All of them in order; of two values of one moment that of the later part counts."""
    given = [part for part in parts if part.size]
    if len(given) <= 1:
        return given[0] if given else NO_VALUES
    point, time, value = (np.concatenate(columns) for columns in zip(*given, strict=True))
    order = np.lexsort((time, point))
    point, time, value = point[order], time[order], value[order]
    is_last = np.ones(point.size, np.bool_)
    is_last[:-1] = (np.diff(point) != 0) | (np.diff(time) != 0)
    return Values(point[is_last], time[is_last], value[is_last])


def chosen(values: Values, is_wanted: NDArray[np.bool_]) -> Values:
    """Those that are wanted, in their order."""
    return Values(values.point[is_wanted], values.time_us[is_wanted], values.value[is_wanted])


def _is_first(point: NDArray[np.generic]) -> NDArray[np.bool_]:
    found = np.ones(point.size, np.bool_)
    found[1:] = point[1:] != point[:-1]
    return found
