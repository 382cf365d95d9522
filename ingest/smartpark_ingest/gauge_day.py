"""What the calculators of gauges have in common: the day they work on, minutes that stand for others, and rows.

A calculator is a pure function of a day and its minutes. The day says what is stale of it; the minutes begin two
hours before the day, because windows and runs reach back that far. A point that reports every few minutes is not
incomplete: a reading stands for the minutes until the next one is due, as the point's own rhythm says.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray
from smartpark.catalogue import Catalogue
from smartpark.clock import PARK_ZONE, from_us, to_us
from smartpark.indicators import meaning_of
from smartpark.measurands import Measurand
from smartpark.periods import Grain, Period
from smartpark_storage import IndicatorRow, PointRecord
from smartpark_storage.minutes import HOUR_US, MINUTE_US, MinuteMeans

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

LEAD: Final = 120
"""Minutes before the day: a heavy load is called so after two hours. [min]"""
TRAIL: Final = 120
"""Minutes after the day, for those who ask: a heavy load that began in the evening may have gone on. [min]"""


@dataclass(frozen=True, slots=True)
class GaugeDay:
    """An accounting day of a park, and what of it is stale."""

    park: str
    period: Period
    stale: Mapping[str, frozenset[int]]
    """Starts of the hours that brought readings, per device. [µs]"""
    points: tuple[PointRecord, ...]
    """Gauges of the park that something is derived from, by device and code."""
    catalogue: Catalogue | None
    """The park's newest; None: none was loaded."""
    computed_at_us: int

    @property
    def start_us(self) -> int:
        """Start of the day, in µs."""
        return to_us(self.period.start)

    @property
    def end_us(self) -> int:
        """End of the day, in µs."""
        return to_us(self.period.end)

    def stale_hours(self, device: str) -> list[int]:
        """Numbers within the day of a device's stale hours."""
        hours = self.stale.get(device, frozenset())
        return sorted((h - self.start_us) // HOUR_US for h in hours if self.start_us <= h < self.end_us)

    def points_of(self, measurands: Iterable[Measurand], *, only_stale: bool = False) -> list[PointRecord]:
        """Points that measure one of these, of all devices or of those that are stale."""
        wanted = frozenset(measurands)
        return [p for p in self.points if p.measurand in wanted and (not only_stale or p.device in self.stale)]

    def hour_us(self, hour: int) -> int:
        """Start of an hour of the day, by its number, in µs."""
        return self.start_us + hour * HOUR_US


@dataclass(frozen=True, slots=True)
class Number:
    """A number to be published, without what the day and the registry of indicators say anyway."""

    boundary: str
    indicator: str
    value: float
    """NaN: not known, and `reason` says why."""
    completeness: float
    method: str
    numerator: float | None = None
    denominator: float | None = None
    estimated_share: float = 0.0
    rules: tuple[str, ...] = ()
    """Ids of the dated rows that it rests on."""
    rule_set: str = ""
    """Version of the set that they come from."""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Findings:
    """What a calculator has found."""

    rows: list[IndicatorRow] = field(default_factory=list[IndicatorRow])
    missing: list[str] = field(default_factory=list[str])
    """What could not be computed for want of an entry, and what to enter."""


def published(day: GaugeDay, number: Number, grain: Grain = Grain.DAY, start_us: int | None = None) -> IndicatorRow:
    """Row of a number, for the day or for the period of that grain that begins at `start_us`."""
    return IndicatorRow(
        park=day.park,
        indicator=number.indicator,
        grain=grain.value,
        start_us=day.start_us if start_us is None else start_us,
        value=_known(number.value),
        numerator=_known(number.numerator),
        denominator=_known(number.denominator),
        unit=meaning_of(number.indicator).unit,
        completeness=number.completeness,
        estimated_share=number.estimated_share,
        method=number.method,
        factor_set=number.rule_set,
        factors=number.rules,
        reason=number.reason,
        computed_at_us=day.computed_at_us,
        boundary=number.boundary,
    )


def _known(value: float | None) -> float | None:
    return None if value is None or np.isnan(value) else float(value)


def clock_time(instant_us: int) -> str:
    """Time of day in the park's zone, e.g. ``14:07``."""
    return f"{from_us(instant_us).astimezone(PARK_ZONE):%H:%M}"


def held(minutes: MinuteMeans, longest: int) -> MinuteMeans:
    """Let each reading stand for the minutes until the next one is due.

    Parameters
    ----------
    minutes : MinuteMeans
    longest : int
        Longest rhythm that is believed: a point that reports less often than that has gaps. [min]

    Returns
    -------
    MinuteMeans
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

    points: tuple[PointRecord, ...]
    """One point of each device, which says what the device is."""
    mean: Floats
    has_reading: Bools
    """Minutes in which any of the device's points has a reading."""


def device_totals(minutes: MinuteMeans, measurand: Measurand) -> DeviceMinutes:
    """Sum of each device's points of a measurand: its total where it has one, else its phases together."""
    totals = {p.device for p in minutes.points if p.measurand is measurand and p.code == measurand.value}
    rows = [
        row
        for row, p in enumerate(minutes.points)
        if p.measurand is measurand and (p.code == measurand.value or p.device not in totals)
    ]
    rows.sort(key=lambda row: (minutes.points[row].device, minutes.points[row].code))
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


def in_service(points: Sequence[PointRecord], start_us: int, n_minutes: int) -> Bools:
    """Minutes in which devices are to be expected, shape (n_points, n_minutes)."""
    minute = start_us + np.arange(n_minutes) * MINUTE_US
    first = np.array([p.installed_at_us if p.installed_at_us is not None else -(1 << 62) for p in points], np.int64)
    last = np.array([p.retired_at_us if p.retired_at_us is not None else 1 << 62 for p in points], np.int64)
    return (minute >= first[:, np.newaxis]) & (minute < last[:, np.newaxis])


def any_of_row(matrix: Bools) -> list[bool]:
    """Whether anything in each row is true."""
    return [bool(found) for found in np.logical_or.reduce(matrix, axis=1)]


def until_end(day: GaugeDay, minutes: MinuteMeans) -> MinuteMeans:
    """Leave out the minutes after the day."""
    n_minutes = (day.end_us - minutes.start_us) // MINUTE_US
    return replace(minutes, mean=minutes.mean[:, :n_minutes], status=minutes.status[:, :n_minutes])


def of_day(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """The day's own minutes, of a matrix that ends with it."""
    return matrix[:, LEAD:]
