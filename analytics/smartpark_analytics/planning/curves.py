"""Load curves on a regular grid, and what kind of day each slot lies in.

A quarter-hour is what the energy registers say, where they are whole, and the mean of the power gauge where they are
not. A curve made of several meters has a gap wherever one of them has. A day that the calendar of holidays does not
cover is taken by its weekday, and that is said aloud.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray
from smartpark.balance_rule import ACTIVE_ENERGY, ELECTRIC, Measures, is_part, signs_at_boundary
from smartpark.clock import PARK_ZONE
from smartpark.load_network import LoadPointRow
from smartpark.measurands import Measurand
from smartpark.workdays import CalendarDay, CalendarNotCoveredError, DayKind, Holiday, WorkdayCalendar

from smartpark_analytics.forecast_features import DayType

Floats = NDArray[np.float64]
QUARTER: Final = timedelta(minutes=15)
_QUARTERS_PER_HOUR: Final = 4


@dataclass(frozen=True)
class MeterCurves:
    """Quarter-hours of meters; arrays have shape (n_meters, n_quarters), in the order of `devices`."""

    devices: tuple[str, ...]
    active: Floats
    """Mean active power; NaN where not known. [kW]"""
    reactive: Floats
    """Mean reactive power; NaN where not known or not measured. [kvar]"""


def points_used(points: Sequence[LoadPointRow], signs: Mapping[int, int]) -> list[LoadPointRow]:
    """Points that count, in their order: those whose quarter-hours are to be read."""
    return [point for point in points if signs.get(point.point_id, 0)]


def meter_curves(points: Sequence[LoadPointRow], quarters: Floats, signs: Mapping[int, int]) -> MeterCurves:
    """Curves of the devices of these points.

    Parameters
    ----------
    points : sequence of LoadPointRow
        Those of `points_used`.
    quarters : ndarray of float64, shape (n_points, n_quarters)
        Amount of each register, mean of each gauge; NaN where not known. [kWh, kW, kvar]
    signs : mapping of int to int
        How each point counts in its device: +1 or -1.
    """
    devices = tuple(dict.fromkeys(point.device for point in points))

    def sums(wanted: Collection[str], factor: float = 1.0) -> Floats:
        rows = [n for n, point in enumerate(points) if point.measurand in wanted]
        return _sum_by_device(devices, [points[n] for n in rows], quarters[rows] * factor, signs)

    metered = sums(ACTIVE_ENERGY, _QUARTERS_PER_HOUR)
    active = np.where(np.isfinite(metered), metered, sums({Measurand.ACTIVE_POWER}))
    return MeterCurves(devices, active, sums({Measurand.REACTIVE_POWER}))


def _sum_by_device(
    devices: Sequence[str], points: Sequence[LoadPointRow], values: Floats, signs: Mapping[int, int]
) -> Floats:
    """Signed sum of each device's points; NaN where one of them is, or there is none."""
    total = np.full((len(devices), values.shape[1]), np.nan)
    for row, device in enumerate(devices):
        own = [n for n, point in enumerate(points) if point.device == device]
        if own:
            sign = np.array([signs[points[n].point_id] for n in own], dtype=np.float64)
            total[row] = sign @ values[own]
    return total


def park_signs(points: Sequence[LoadPointRow]) -> dict[int, int]:
    """How each point counts in the load of the whole park: what crosses the boundary and what is made inside."""
    signs: dict[int, int] = {}
    for device in dict.fromkeys(point.device for point in points):
        own = [point for point in points if point.device == device]
        first = own[0]
        if first.carrier not in ELECTRIC:
            continue
        measures = [Measures(point.code, point.measurand) for point in own]
        found = signs_at_boundary(first.role, first.carrier, measures, internal_transfer=first.internal_transfer)
        signs |= {point.point_id: sign for point, sign in zip(own, found, strict=True)}
    reactive = {point.point_id for point in points if point.measurand == Measurand.REACTIVE_POWER}
    return {point: sign for point, sign in signs.items() if point not in reactive}


def meter_signs(points: Sequence[LoadPointRow]) -> dict[int, int]:
    """How each point counts in what its own meter measures: import less export, and the gauges of the whole meter."""
    totals = {(p.device, p.measurand) for p in points if p.code == p.measurand}
    # As its active power is measured, so is its reactive power.
    wholes = {device for device, measurand in totals if measurand == Measurand.ACTIVE_POWER}

    def counts(point: LoadPointRow) -> bool:
        if point.measurand in ACTIVE_ENERGY:
            is_told_twice = (point.device, point.measurand) in totals
            return not (is_told_twice and is_part(Measures(point.code, point.measurand)))
        return point.code == point.measurand or point.device not in wholes

    return {
        point.point_id: -1 if point.measurand == Measurand.ACTIVE_ENERGY_EXPORT else 1
        for point in points
        if counts(point)
    }


def hourly(curve: Floats) -> Floats:
    """Hours of quarter-hours, shape (…, n // 4); NaN where one of the four is."""
    hours: Floats = curve.reshape(*curve.shape[:-1], -1, _QUARTERS_PER_HOUR).mean(axis=-1)
    return hours


def floor_to(instant: datetime, step: timedelta) -> datetime:
    """Start of the slot that is running."""
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    return instant - (instant - epoch) % step


@dataclass(frozen=True)
class CalendarSlots:
    """What the calendar says of a span."""

    types: NDArray[np.int8]
    """`DayType` of each slot."""
    days: dict[date, CalendarDay | None]
    """Each day; None where its year is not covered."""


def calendar_slots(calendar: WorkdayCalendar, start: datetime, count: int, step: timedelta) -> CalendarSlots:
    """Kind of day of each of `count` slots from `start` on."""
    offset = start.astimezone(PARK_ZONE).replace(tzinfo=None)
    slots = np.datetime64(offset, "m") + np.arange(count) * np.timedelta64(step // timedelta(minutes=1), "m")
    of_slot, index = np.unique(slots.astype("datetime64[D]"), return_inverse=True)
    days = {day: _describe(calendar, day) for day in of_slot.tolist()}
    codes = np.array([_type_of(day, found) for day, found in days.items()], dtype=np.int8)
    return CalendarSlots(codes[index], days)


def _describe(calendar: WorkdayCalendar, day: date) -> CalendarDay | None:
    try:
        return calendar.describe(day)
    except CalendarNotCoveredError:
        return None


def _type_of(day: date, found: CalendarDay | None) -> DayType:
    if found is None:
        return DayType.WORKED if day.weekday() < 5 else DayType.REST
    if found.kind is DayKind.HOLIDAY:
        return DayType.FESTIVAL if found.holiday is Holiday.SPRING_FESTIVAL else DayType.HOLIDAY
    return {
        DayKind.WORKDAY: DayType.WORKED,
        DayKind.WEEKEND: DayType.REST,
        DayKind.MAKE_UP_DAY: DayType.MAKE_UP,
    }[found.kind]
