"""The park's load in the days ahead, from what its boundary meters and generators measured, and the calendar.

The caller reads the quarter-hours (`park_meters` says of which points) and knows the time. A park that nobody
measures has an answer without numbers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray
from smartpark.clock import PARK_ZONE
from smartpark.headroom_rules import YearlyPeakRule, builtin_headroom_rules
from smartpark.load_network import LoadPointRow
from smartpark.workdays import WorkdayCalendar

from smartpark_analytics.forecast import Basis, LoadForecast, forecast_load
from smartpark_analytics.planning.curves import (
    QUARTER,
    CalendarSlots,
    calendar_slots,
    hourly,
    meter_curves,
    park_signs,
    points_used,
)
from smartpark_analytics.yearly_peak import YearlyPeak, weekly_maxima, yearly_peak

Floats = NDArray[np.float64]
HISTORY_DAYS: Final = 449
"""What the forecast can use: a year to learn from, and the weeks before it that make profiles."""
HOUR: Final = timedelta(hours=1)
BASIS_WORDS: Final = {
    Basis.LEARNT: "usual profile of the weeks before, corrections learnt from this park's own history",
    Basis.PROFILE: "usual profile alone, without quantiles: there are less than five weeks of history",
    Basis.NONE: "no forecast: there is less than a week of history",
}
NO_METER: Final = "the park has no meter at its boundary"


@dataclass(frozen=True)
class ParkLoad:
    """Load of a park up to the origin."""

    origin: datetime
    quarters: Floats
    """Shape (n_quarters,), ending at the origin; NaN where a meter says nothing. [kW]"""
    meters: int

    def history(self, step: timedelta, *, days: int = HISTORY_DAYS) -> Floats:
        """Its newest days in steps of an hour or a quarter-hour."""
        newest = self.quarters[-days * 96 :]
        return newest if step == QUARTER else hourly(newest)


@dataclass(frozen=True)
class ParkAhead:
    """Load of a park in the days ahead, slot by slot."""

    origin: datetime
    step: timedelta
    starts: tuple[datetime, ...]
    found: LoadForecast
    """Of the one series that the park is."""
    slots: CalendarSlots
    history_days: float
    """Days of the history that are known."""
    detail: str
    """What the forecast rests on, or why there is none."""

    @property
    def basis(self) -> Basis:
        """What it rests on, as a word."""
        return self.found.basis[0]


@dataclass(frozen=True, slots=True)
class ParkMeters:
    """What makes up the load of the whole park: boundary power plus own generation."""

    points: tuple[LoadPointRow, ...]
    """Those whose quarter-hours are needed."""
    signs: Mapping[int, int]
    """How each counts."""


def park_meters(points: Sequence[LoadPointRow]) -> ParkMeters:
    """Meters of the park's load, from all electric points of the park."""
    signs = park_signs(points)
    return ParkMeters(tuple(points_used(points, signs)), signs)


def park_load(meters: ParkMeters, quarters: Floats, *, origin: datetime) -> ParkLoad:
    """Quarter-hours of the whole park.

    Parameters
    ----------
    meters : ParkMeters
    quarters : ndarray of float64, shape (n_points, n_quarters)
        Of the meters' points up to the origin: amounts of registers, means of gauges; NaN where not known. [kWh, kW]
    origin : datetime
        End of the last quarter-hour.
    """
    if not meters.points:
        return ParkLoad(origin, np.full(quarters.shape[1], np.nan), 0)
    curves = meter_curves(meters.points, quarters, meters.signs)
    return ParkLoad(origin, curves.active.sum(axis=0), len(curves.devices))


def park_ahead(load: ParkLoad, calendar: WorkdayCalendar, *, days: int, step: timedelta = HOUR) -> ParkAhead:
    """Load of the whole days after the origin."""
    per_day = timedelta(days=1) // step
    history = load.history(step)
    slots = calendar_slots(calendar, load.origin - history.size * step, history.size + days * per_day, step)
    found = forecast_load(history[np.newaxis], slots.types, slots_per_day=per_day)
    return ParkAhead(
        origin=load.origin,
        step=step,
        starts=tuple(load.origin + n * step for n in range(days * per_day)),
        found=found,
        slots=slots,
        history_days=float(np.isfinite(history).sum()) / per_day,
        detail=BASIS_WORDS[found.basis[0]] if load.meters else NO_METER,
    )


def peak_rule(now: datetime) -> YearlyPeakRule:
    """Rule in force on the park's day."""
    return builtin_headroom_rules().yearly_peak_on(now.astimezone(PARK_ZONE).date())


def park_year_peak(load: ParkLoad, rule: YearlyPeakRule) -> YearlyPeak:
    """Highest load of the coming 52 weeks in kW, of the one series that the park is."""
    return yearly_peak(weekly_maxima(load.quarters[np.newaxis], slots_per_week=7 * 96, rule=rule), rule)
