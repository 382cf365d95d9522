"""What the calculators of gauges have in common: the day they work on, and the numbers they find.

A calculator is a pure function of a day and its minutes. The day says what is stale of it; the minutes begin two
hours before the day, because windows and runs reach back that far.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Generic, TypeVar

import numpy as np
from smartpark.catalogue import Catalogue
from smartpark.clock import PARK_ZONE, from_us, to_us
from smartpark.measurands import Measurand
from smartpark.periods import Grain, Period

from smartpark_analytics.gauges.minutes import HOUR_US, MINUTE_US, Floats, GaugePoint, Minutes

PointT_co = TypeVar("PointT_co", bound=GaugePoint, covariant=True)

LEAD: Final = 120
"""Minutes before the day: a heavy load is called so after two hours. [min]"""
GRACE_S: Final = 30
"""Time after an hour in which its last readings may arrive. [s]"""
TRAIL: Final = 120
"""Minutes after the day, for those who ask: a heavy load that began in the evening may have gone on. [min]"""


@dataclass(frozen=True, slots=True)
class GaugeDay(Generic[PointT_co]):
    """An accounting day of a park, and what of it is stale."""

    park: str
    period: Period
    stale: Mapping[str, frozenset[int]]
    """Starts of the hours that brought readings, per device. [µs]"""
    points: tuple[PointT_co, ...]
    """Gauges of the park that something is derived from, by device and code."""
    catalogue: Catalogue | None
    """The park's newest; None: none was loaded."""

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

    def points_of(self, measurands: Iterable[Measurand], *, only_stale: bool = False) -> list[PointT_co]:
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
class GaugeNumber:
    """A number of a period, as it is to be published."""

    boundary: str
    indicator: str
    grain: Grain
    start_us: int
    value: float | None
    """None: not known, and `reason` says why."""
    numerator: float | None
    denominator: float | None
    completeness: float
    estimated_share: float
    method: str
    rule_set: str
    """Version of the set that the rules come from."""
    rules: tuple[str, ...]
    """Ids of the dated rows that it rests on."""
    reason: str


@dataclass(frozen=True, slots=True)
class Findings:
    """What a calculator has found."""

    rows: list[GaugeNumber] = field(default_factory=list[GaugeNumber])
    missing: list[str] = field(default_factory=list[str])
    """What could not be computed for want of an entry, and what to enter."""


def published(
    day: GaugeDay[GaugePoint], number: Number, grain: Grain = Grain.DAY, start_us: int | None = None
) -> GaugeNumber:
    """A number with its period: the day, or the period of that grain that begins at `start_us`."""
    return GaugeNumber(
        boundary=number.boundary,
        indicator=number.indicator,
        grain=grain,
        start_us=day.start_us if start_us is None else start_us,
        value=_known(number.value),
        numerator=_known(number.numerator),
        denominator=_known(number.denominator),
        completeness=number.completeness,
        estimated_share=number.estimated_share,
        method=number.method,
        rule_set=number.rule_set,
        rules=number.rules,
        reason=number.reason,
    )


def _known(value: float | None) -> float | None:
    return None if value is None or np.isnan(value) else float(value)


def clock_time(instant_us: int) -> str:
    """Time of day in the park's zone, e.g. ``14:07``."""
    return f"{from_us(instant_us).astimezone(PARK_ZONE):%H:%M}"


def until_end(day: GaugeDay[GaugePoint], minutes: Minutes) -> Minutes:
    """Leave out the minutes after the day."""
    n_minutes = (day.end_us - minutes.start_us) // MINUTE_US
    return replace(minutes, mean=minutes.mean[:, :n_minutes], status=minutes.status[:, :n_minutes])


def of_day(matrix: Floats) -> Floats:
    """The day's own minutes, of a matrix that ends with it."""
    return matrix[:, LEAD:]
