"""Minutes of gauges as the calculators take them: points, means, and minutes that stand for others.

A point that reports every few minutes is not incomplete: a reading stands for the minutes until the next one is due,
as the point's own rhythm says.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray
from smartpark.flows import MeteredPoint
from smartpark.measurands import Measurand

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

MINUTE_US: Final = 60_000_000
HOUR_US: Final = 60 * MINUTE_US
DAY_US: Final = 24 * HOUR_US
NO_READING: Final = -1
"""Status of a minute without readings."""


class GaugePoint(MeteredPoint, Protocol):
    """What is to be known of a gauge; storage's `PointRecord` is one."""

    @property
    def transformer(self) -> str | None:
        """Transformer that it is on; none: on none."""
        ...

    @property
    def nominal_voltage_v(self) -> float | None:
        """Nominal voltage [V]; none: nobody said."""
        ...

    @property
    def o2_reference_pct(self) -> float | None:
        """Reference content of oxygen [%]; none: of no stack."""
        ...

    @property
    def emission_limit(self) -> str | None:
        """Id of the row that limits its stack; none: none does."""
        ...


@dataclass(frozen=True, slots=True)
class Minutes:
    """Minutes of points, on the primary side; arrays have shape (n_points, n_minutes)."""

    points: tuple[GaugePoint, ...]
    start_us: int
    """Start of the first minute. [µs]"""
    mean: Floats
    """NaN where no reading is usable. [unit of the point]"""
    status: Ints
    """Unsigned OPC UA code; `NO_READING` where there is none."""

    @property
    def has_reading(self) -> Bools:
        """Minutes with a reading, good or bad."""
        return self.status != NO_READING


def held(minutes: Minutes, longest: int) -> Minutes:
    """Let each reading stand for the minutes until the next one is due.

    Parameters
    ----------
    minutes : Minutes
    longest : int
        Longest rhythm that is believed: a point that reports less often than that has gaps. [min]

    Returns
    -------
    Minutes
        A minute without reading has the mean and the status of the last one with a reading, when this is less long
        ago than the point's rhythm just then: the shorter of the two steps that led to that reading. So a point that
        reports every minute and fails for ten has a gap of ten minutes.
    """
    seen = minutes.has_reading
    due = _rhythm(seen)
    due = np.where(due <= longest, due, 1)
    column = np.arange(seen.shape[1])
    last = np.maximum.accumulate(np.where(seen, column, -1), axis=1)
    at = np.maximum(last, 0)
    stands = ~seen & (last >= 0) & (column - last < np.take_along_axis(due, at, axis=1))
    source = np.where(stands, last, column)
    return replace(
        minutes,
        mean=np.take_along_axis(minutes.mean, source, axis=1),
        status=np.take_along_axis(minutes.status, source, axis=1),
    )


def _rhythm(seen: Bools) -> Ints:
    """Of each minute with a reading the shorter of the two steps that led to it; 1 where there is none, in min."""
    row, column = np.nonzero(seen)
    unknown = np.int64(1 << 32)
    step = np.where(np.diff(row, prepend=-1) == 0, np.diff(column, prepend=0), unknown)
    before = np.where(np.diff(row, prepend=-1) == 0, np.concatenate([[unknown], step[:-1]]), unknown)
    rhythm = np.ones(seen.shape, np.int64)
    rhythm[row, column] = np.minimum(step, before)
    return np.where(rhythm == unknown, 1, rhythm)


@dataclass(frozen=True, slots=True)
class DeviceMinutes:
    """Minutes of one measurand, device by device; arrays have shape (n_devices, n_minutes)."""

    points: tuple[GaugePoint, ...]
    """One point of each device, which says what the device is."""
    mean: Floats
    has_reading: Bools
    """Minutes in which any of the device's points has a reading."""


def total_rows(minutes: Minutes, measurand: Measurand) -> list[int]:
    """Rows of each device's points of a measurand: of its total where it has one, else of its phases."""
    totals = {p.device for p in minutes.points if p.measurand is measurand and p.code == measurand.value}
    rows = [
        row
        for row, p in enumerate(minutes.points)
        if p.measurand is measurand and (p.code == measurand.value or p.device not in totals)
    ]
    return sorted(rows, key=lambda row: (minutes.points[row].device, minutes.points[row].code))


def device_totals(minutes: Minutes, measurand: Measurand) -> DeviceMinutes:
    """Sum of each device's points of a measurand: its total where it has one, else its phases together."""
    rows = total_rows(minutes, measurand)
    devices = [minutes.points[row].device for row in rows]
    firsts = [i for i, device in enumerate(devices) if i == 0 or device != devices[i - 1]]
    points = tuple(minutes.points[rows[i]] for i in firsts)
    if not rows:
        return DeviceMinutes((), minutes.mean[:0], minutes.has_reading[:0])
    return DeviceMinutes(
        points,
        np.add.reduceat(minutes.mean[rows], firsts, axis=0),
        np.logical_or.reduceat(minutes.has_reading[rows], firsts, axis=0),
    )


def in_service(points: Sequence[GaugePoint], start_us: int, n_minutes: int) -> Bools:
    """Minutes in which devices are to be expected, shape (n_points, n_minutes)."""
    minute = start_us + np.arange(n_minutes) * MINUTE_US
    first = np.array([p.installed_at_us if p.installed_at_us is not None else -(1 << 62) for p in points], np.int64)
    last = np.array([p.retired_at_us if p.retired_at_us is not None else 1 << 62 for p in points], np.int64)
    return (minute >= first[:, np.newaxis]) & (minute < last[:, np.newaxis])


def any_of_row(matrix: Bools) -> list[bool]:
    """Whether anything in each row is true."""
    return [bool(found) for found in np.logical_or.reduce(matrix, axis=1)]
