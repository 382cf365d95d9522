"""Working days of mainland China: weekends, holidays and the make-up days that are worked in exchange.

The State Council arranges them year by year; the table of `chinesecalendar` holds the arrangements since 2004, and a
TOML file may replace a year or change single days. A year that nobody has entered raises: it is never taken for
Monday to Friday, because a deadline computed that way is a week wrong around National Day and looks right.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from functools import cache
from pathlib import Path

import chinese_calendar
from pydantic import model_validator

from smartpark.clock import PARK_ZONE
from smartpark.errors import SmartparkError
from smartpark.tomlfile import StrictModel, load_model

_DAY = timedelta(days=1)
CLOSES = time(17)
"""What is accepted after this hour counts as accepted on the next day; a habit of the offices, to be configured."""
AROUND_FESTIVAL_DAYS = 15
"""Days before and after the Spring Festival holiday that are told apart: to the Lantern Festival, and as many before
it. [d]"""


class CalendarNotCoveredError(SmartparkError):
    """The working-day calendar does not know this year."""


class DayKind(StrEnum):
    """What a day is to whoever works."""

    WORKDAY = "workday"
    WEEKEND = "weekend"
    HOLIDAY = "holiday"
    MAKE_UP_DAY = "make_up_day"
    """A Saturday or Sunday that is worked in exchange for a day of a holiday (调休)."""


_WORKED = frozenset({DayKind.WORKDAY, DayKind.MAKE_UP_DAY})


class Holiday(StrEnum):
    """Why a day is a holiday, or which one a make-up day belongs to."""

    NEW_YEAR = "new_year"
    SPRING_FESTIVAL = "spring_festival"
    TOMB_SWEEPING = "tomb_sweeping"
    LABOUR_DAY = "labour_day"
    DRAGON_BOAT = "dragon_boat"
    MID_AUTUMN = "mid_autumn"
    NATIONAL_DAY = "national_day"
    OTHER = "other"


HOLIDAY_WORDS: Mapping[Holiday, tuple[str, str]] = {
    Holiday.NEW_YEAR: ("元旦", "New Year"),
    Holiday.SPRING_FESTIVAL: ("春节", "Spring Festival"),
    Holiday.TOMB_SWEEPING: ("清明节", "Tomb-sweeping Day"),
    Holiday.LABOUR_DAY: ("劳动节", "Labour Day"),
    Holiday.DRAGON_BOAT: ("端午节", "Dragon Boat Festival"),
    Holiday.MID_AUTUMN: ("中秋节", "Mid-autumn Festival"),
    Holiday.NATIONAL_DAY: ("国庆节", "National Day"),
    Holiday.OTHER: ("其他", "other"),
}
"""Names in Chinese and English."""

_OF_PACKAGE: Mapping[str, Holiday] = {
    chinese_calendar.Holiday.new_years_day.value: Holiday.NEW_YEAR,
    chinese_calendar.Holiday.spring_festival.value: Holiday.SPRING_FESTIVAL,
    chinese_calendar.Holiday.tomb_sweeping_day.value: Holiday.TOMB_SWEEPING,
    chinese_calendar.Holiday.labour_day.value: Holiday.LABOUR_DAY,
    chinese_calendar.Holiday.dragon_boat_festival.value: Holiday.DRAGON_BOAT,
    chinese_calendar.Holiday.national_day.value: Holiday.NATIONAL_DAY,
    chinese_calendar.Holiday.mid_autumn_festival.value: Holiday.MID_AUTUMN,
}


class HolidayEntry(StrictModel):
    """A holiday of a year, as in the State Council's notice."""

    name: Holiday
    first: date
    last: date
    """Last day off, included."""
    make_up: tuple[date, ...] = ()

    @model_validator(mode="after")
    def _is_a_span(self) -> "HolidayEntry":
        if self.last < self.first:
            raise ValueError(f"last {self.last} is before first {self.first}")
        for day in self.make_up:
            if day.weekday() < 5:
                raise ValueError(f"make_up {day} is a {day:%A}; make-up days are Saturdays and Sundays")
        return self


class YearEntry(StrictModel):
    """All holidays of a year; replaces what the table of the package has for it."""

    year: int
    source: str
    """Number of the notice."""
    holiday: tuple[HolidayEntry, ...]

    @model_validator(mode="after")
    def _days_are_of_the_year(self) -> "YearEntry":
        for entry in self.holiday:
            for day in (*_days(entry.first, entry.last), *entry.make_up):
                # New Year may begin, or be made up for, in the last days of the year before.
                if not date(self.year - 1, 12, 20) <= day <= date(self.year, 12, 31):
                    raise ValueError(f"{entry.name}: {day} is not a day of {self.year}")
        return self


class DayEntry(StrictModel):
    """One day that differs, e.g. closed by the local government."""

    day: date
    kind: DayKind
    name: Holiday = Holiday.OTHER
    source: str


class WorkdayFile(StrictModel):
    """Years and single days that somebody entered."""

    year: tuple[YearEntry, ...] = ()
    day: tuple[DayEntry, ...] = ()


@dataclass(frozen=True, slots=True)
class CalendarDay:
    """A day and what it is."""

    day: date
    kind: DayKind
    holiday: Holiday | None
    """The holiday it belongs to, also when it makes up for one; None otherwise."""
    festival_offset: int | None
    """Days from the Spring Festival holiday: negative before, 0 within, positive after; None further than 15 off."""

    @property
    def is_workday(self) -> bool:
        """Whether people work."""
        return self.kind in _WORKED


@dataclass(frozen=True)
class WorkdayCalendar:
    """Which days are worked, in the years it covers."""

    years: frozenset[int]
    """Years that are known."""
    special: Mapping[date, tuple[DayKind, Holiday]]
    """Days that are not what their weekday says."""

    def describe(self, day: date) -> CalendarDay:
        """Say what a day is; `CalendarNotCoveredError` when its year is not known."""
        self._require(day)
        usual = DayKind.WORKDAY if day.weekday() < 5 else DayKind.WEEKEND
        kind, holiday = self.special.get(day, (usual, None))
        return CalendarDay(day, kind, holiday, self._festival_offset(day))

    def is_workday(self, day: date) -> bool:
        """Whether people work on that day."""
        self._require(day)
        # Clocks ask this of every day of every request: without looking for festivals around it.
        special = self.special.get(day)
        return day.weekday() < 5 if special is None else special[0] in _WORKED

    def add_workdays(self, day: date, count: int) -> date:
        """The `count`-th working day after `day`, which is day 0 whatever it is.

        Examples
        --------
        Accepted before the holidays of autumn 2026, due ten working days later:

        >>> builtin_workdays().add_workdays(date(2026, 9, 24), 10)
        datetime.date(2026, 10, 15)
        """
        if count < 0:
            raise ValueError(f"count is {count}; deadlines lie ahead")
        here = day
        self._require(here)
        for _ in range(count):
            here += _DAY
            while not self.is_workday(here):
                here += _DAY
        return here

    def workdays_between(self, first: date, last: date) -> int:
        """Working days after `first` up to and including `last`: what `add_workdays` counts, backwards."""
        self._require(first)
        return sum(self.is_workday(day) for day in _days(first + _DAY, last))

    def due(self, accepted: datetime, limit: int, *, closes: time | None = CLOSES) -> date:
        """Last day on which a stage with a limit in working days is still in time.

        Parameters
        ----------
        accepted : datetime
            Aware; the day is that of the park's zone.
        limit : int
            Working days.
        closes : time, optional
            What is accepted later than this counts as accepted on the next day; None: it does not matter.
        """
        if accepted.tzinfo is None:
            raise ValueError(f"a naive datetime ({accepted.isoformat()}) names no instant; attach its time zone")
        local = accepted.astimezone(PARK_ZONE)
        late = closes is not None and local.time() > closes
        return self.add_workdays(local.date() + (_DAY if late else timedelta()), limit)

    def _require(self, day: date) -> None:
        if day.year not in self.years:
            known = f"{min(self.years)} to {max(self.years)}" if self.years else "nothing"
            raise CalendarNotCoveredError(
                f"the working-day calendar knows {known}, and {day} is outside: upgrade the package chinesecalendar, "
                f"or enter the holidays of {day.year} in a file (docs/methods/working-days.md)"
            )

    def _festival_offset(self, day: date) -> int | None:
        """The festival lies between 21 January and the end of February: those days have it in their own year."""
        within = (DayKind.HOLIDAY, Holiday.SPRING_FESTIVAL)
        if self.special.get(day) == within:
            return 0
        for away in range(1, AROUND_FESTIVAL_DAYS + 1):
            if self.special.get(day - away * _DAY) == within:
                return away
            if self.special.get(day + away * _DAY) == within:
                return -away
        return None


@cache
def builtin_workdays() -> WorkdayCalendar:
    """Calendar of the package's table alone."""
    special = {day: (DayKind.HOLIDAY, _OF_PACKAGE.get(name, Holiday.OTHER)) for day, name in _table("holidays")}
    special |= {day: (DayKind.MAKE_UP_DAY, _OF_PACKAGE.get(name, Holiday.OTHER)) for day, name in _table("workdays")}
    # A year counts as known when its holidays are: the first days of a new one may stand in the table alone.
    years = {day.year for day, (kind, name) in special.items() if (kind, name) == (DayKind.HOLIDAY, _LAST_OF_YEAR)}
    return WorkdayCalendar(frozenset(years), special)


_LAST_OF_YEAR = Holiday.NATIONAL_DAY


def _table(name: str) -> list[tuple[date, str]]:
    found: Mapping[date, str] = getattr(chinese_calendar, name)
    return list(found.items())


def load_workdays(path: Path, *, base: WorkdayCalendar | None = None) -> WorkdayCalendar:
    """Calendar of `base` (default: the package's table) with what a file says on top; the file is refused whole."""
    return with_entries(load_model(path, WorkdayFile), base=base or builtin_workdays())


def with_entries(entries: WorkdayFile, *, base: WorkdayCalendar) -> WorkdayCalendar:
    """Calendar with whole years replaced first, and single days changed last."""
    replaced = {entry.year for entry in entries.year}
    special = {day: what for day, what in base.special.items() if day.year not in replaced}
    for year in entries.year:
        for entry in year.holiday:
            special |= dict.fromkeys(_days(entry.first, entry.last), (DayKind.HOLIDAY, entry.name))
            special |= dict.fromkeys(entry.make_up, (DayKind.MAKE_UP_DAY, entry.name))
    special |= {entry.day: (entry.kind, entry.name) for entry in entries.day}
    return WorkdayCalendar(base.years | replaced, special)


def _days(first: date, last: date) -> Iterator[date]:
    return (first + n * _DAY for n in range((last - first).days + 1))
