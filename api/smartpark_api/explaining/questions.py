"""Questions about a published number, and what is said when there is no such number. Nothing is computed here."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from difflib import get_close_matches
from typing import Final

from smartpark.accounts import PARK
from smartpark.clock import PARK_ZONE, from_us
from smartpark.errors import SmartparkError
from smartpark.indicators import INDICATORS, meaning_of
from smartpark.periods import Grain, Period, period_containing
from smartpark_storage import Connection
from smartpark_storage.reads import read_published_series

_PERIOD = re.compile(r"(?P<year>\d{4})(-(?P<month>\d{2})(-(?P<day>\d{2})(T(?P<hour>\d{2})(:00)?)?)?)?")
_SHOWN: Final = 8


@dataclass(frozen=True, slots=True)
class Question:
    """Which number is asked about."""

    indicator: str
    park: str
    period: Period
    boundary: str = PARK
    revision: int | None = None
    """None: the current one."""

    @property
    def named(self) -> str:
        """In words."""
        local = self.period.start.astimezone(PARK_ZONE)
        grain = self.period.grain.value
        return f"{self.indicator} of {self.park}, {self.boundary}, {grain} of {local:%Y-%m-%d %H:%M}"


@dataclass(frozen=True, slots=True)
class Depth:
    """How far what a number is made of is taken apart in turn."""

    levels: int
    """How often published numbers behind it are explained themselves."""
    days: bool = True
    """Whether days are taken apart to their meters, where they are parts of another number."""

    @property
    def below(self) -> "Depth":
        """One level further down."""
        return Depth(self.levels - 1, self.days)


WHOLE: Final = Depth(levels=20)
"""Down to meters and entered figures."""
LISTED: Final = Depth(levels=0)
"""What it is made of is listed, and not taken apart."""


def depth_of(period: Period, *, whole: bool) -> Depth:
    """How far is told unasked: a year ends at its days, of which there are 365; all else at the meters."""
    return WHOLE if whole or period.grain is not Grain.YEAR else Depth(WHOLE.levels, days=False)


def parse_period(text: str) -> Period:
    """Accounting period of ``2026-11-22T10``, ``2026-11-22``, ``2026-11`` or ``2026``, in the park's zone.

    Raises
    ------
    SmartparkError
        When it is none of these.
    """
    found = _PERIOD.fullmatch(text)
    refusal = f"{text!r} is no period: an hour 2026-11-22T10, a day 2026-11-22, a month 2026-11 or a year 2026"
    if found is None:
        raise SmartparkError(refusal)
    year, month, day, hour = (found[name] for name in ("year", "month", "day", "hour"))
    grain = Grain.HOUR if hour else Grain.DAY if day else Grain.MONTH if month else Grain.YEAR
    try:
        first = date(int(year), int(month or 1), int(day or 1))
        start = datetime.combine(first, time(int(hour or 0)), tzinfo=PARK_ZONE)
    except ValueError as error:
        raise SmartparkError(f"{refusal} ({error})") from None
    return period_containing(start.astimezone(UTC), grain)


def period_text(period: Period) -> str:
    """A period as `parse_period` reads it."""
    forms = {Grain.HOUR: "%Y-%m-%dT%H", Grain.DAY: "%Y-%m-%d", Grain.MONTH: "%Y-%m", Grain.YEAR: "%Y"}
    return f"{period.start.astimezone(PARK_ZONE):{forms[period.grain]}}"


def day_of(start_us: int) -> date:
    """Accounting day that begins at an instant."""
    return from_us(start_us).astimezone(PARK_ZONE).date()


def unknown_indicator(indicator: str) -> str:
    """That there is no such indicator, and which come near it in code or name."""
    asked = indicator.casefold()
    named = [m.code for m in INDICATORS.values() if asked in f"{m.code} {m.zh} {m.en}".casefold()]
    near = named or get_close_matches(asked, INDICATORS, cutoff=0.5)
    hint = f"did you mean {', '.join(near[:_SHOWN])}? " if near else ""
    return f"no indicator has the code {indicator!r}; {hint}`smartpark indicators` lists all {len(INDICATORS)}"


def published_instead(connection: Connection, question: Question) -> str:
    """Of what an indicator is published instead, or what to do so that it will be."""
    series = read_published_series(connection, question.park, question.indicator)
    grains = sorted({one.grain for one in series if one.boundary == question.boundary})
    boundaries = sorted({one.boundary for one in series if one.grain == question.period.grain.value})
    if not series:
        page = f"docs/methods/{meaning_of(question.indicator).method_page}.md"
        return f"it never was for this park; {page} says what it needs"
    if question.boundary not in boundaries and boundaries:
        more = f" and {len(boundaries) - _SHOWN} more" * (len(boundaries) > _SHOWN)
        return f"try --boundary with one of: {', '.join(boundaries[:_SHOWN])}{more}"
    if question.period.grain.value not in grains:
        return f"it is published by {' and '.join(grains or sorted({one.grain for one in series}))}"
    return "there is none of that period: is derive running, and are there readings of it?"
