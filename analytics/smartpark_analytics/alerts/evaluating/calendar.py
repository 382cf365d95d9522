"""Kinds of days, by which rules tell what is usual: workdays and days of rest, of a calendar or of weekends."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Protocol

import numpy as np
from smartpark.clock import PARK_ZONE, to_us
from smartpark.workdays import CalendarNotCoveredError

from smartpark_analytics.alerts.rows import Bools
from smartpark_analytics.alerts.seasonal_profile import Days


class Workdays(Protocol):
    """Tells workdays; `smartpark.workdays.WorkdayCalendar` is one."""

    def is_workday(self, day: date) -> bool: ...  # noqa: D102  the name says it


@dataclass(frozen=True, slots=True)
class Calendar:
    """Kinds of days over a span, for profiles; whatever lies outside is not judged."""

    first: date
    days: Days
    is_rest: Bools
    """Shape (n_days,)."""

    @staticmethod
    def of(workdays: Workdays | None, first: date, last: date) -> "Calendar":
        """Days from `first` to `last`; in years that nobody has entered, weekends rest."""
        n_days = (last - first).days + 1
        dates = [first + timedelta(days=n) for n in range(n_days + 1)]
        starts = [to_us(datetime.combine(day, time.min, tzinfo=PARK_ZONE)) for day in dates]
        rests = np.array([_rests(workdays, day) for day in dates[:-1]], np.bool_)
        weekday = np.array([day.weekday() for day in dates[:-1]], np.int64)
        # A holiday is like a Sunday; a Sunday that is worked is like a Monday.
        as_worked = np.where(rests, np.where(weekday >= 5, weekday, 6), np.where(weekday >= 5, 0, weekday))
        kinds = np.stack([as_worked, rests.astype(np.int64), np.zeros(n_days, np.int64)])
        return Calendar(first, Days(np.array(starts, np.int64), kinds), rests)

    @staticmethod
    def of_weekends(first: date, last: date) -> "Calendar":
        """Where nobody knows holidays: weekends rest."""
        return Calendar.of(None, first, last)

    @property
    def first_day(self) -> int:
        """Number of `first`. [days since the epoch, local]."""
        return (self.first - date(1970, 1, 1)).days


def _rests(workdays: Workdays | None, day: date) -> bool:
    if workdays is None:
        return day.weekday() >= 5
    try:
        return not workdays.is_workday(day)
    except CalendarNotCoveredError:
        return day.weekday() >= 5
