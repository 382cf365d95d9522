"""Accounting periods: half-open spans of UTC time that begin and end where the park's calendar says.

Days, months and years are those of the park's zone; hours and quarters of an hour coincide with UTC's because
China's offset is a whole number of hours and has not changed since 1991.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum

from smartpark.clock import PARK_ZONE


class Grain(StrEnum):
    """Length of an accounting period."""

    QUARTER_HOUR = "15min"
    HOUR = "hour"
    DAY = "day"
    MONTH = "month"
    YEAR = "year"


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """Half-open span [start, end), both aware, in UTC."""

    start: datetime
    end: datetime
    grain: Grain

    @property
    def day(self) -> date:
        """Accounting day in which it starts: the day by which factors are looked up."""
        return self.start.astimezone(PARK_ZONE).date()


def period_containing(instant: datetime, grain: Grain) -> Period:
    """Period of this grain that contains the instant."""
    local = instant.astimezone(PARK_ZONE)
    match grain:
        case Grain.QUARTER_HOUR:
            start = local.replace(minute=local.minute - local.minute % 15, second=0, microsecond=0)
            end = start + timedelta(minutes=15)
        case Grain.HOUR:
            start = local.replace(minute=0, second=0, microsecond=0)
            end = start + timedelta(hours=1)
        case Grain.DAY:
            start = _midnight(local.date())
            end = _midnight(local.date() + timedelta(days=1))
        case Grain.MONTH:
            first = local.date().replace(day=1)
            start = _midnight(first)
            end = _midnight((first + timedelta(days=32)).replace(day=1))
        case Grain.YEAR:
            start = _midnight(date(local.year, 1, 1))
            end = _midnight(date(local.year + 1, 1, 1))
    return Period(start.astimezone(UTC), end.astimezone(UTC), grain)


def periods_between(start: datetime, end: datetime, grain: Grain) -> list[Period]:
    """Every period of this grain that overlaps [start, end), in order."""
    periods: list[Period] = []
    here = start
    while here < end:
        period = period_containing(here, grain)
        periods.append(period)
        here = period.end
    return periods


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, tzinfo=PARK_ZONE)
