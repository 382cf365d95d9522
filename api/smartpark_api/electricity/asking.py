"""How people write the month of a bill and the period of a curve; for command and endpoint."""

from datetime import date

from smartpark.clock import PARK_ZONE
from smartpark.errors import SmartparkError
from smartpark.periods import Grain, Period

from smartpark_api.explaining.questions import parse_period


class AskedError(SmartparkError):
    """A month or period that cannot be understood here."""


def month_of(text: str) -> date:
    """First day of a month as people write it."""
    period = _read(text)
    if period.grain is not Grain.MONTH:
        raise AskedError(f"{text!r} is no month: write 2026-11")
    return period.start.astimezone(PARK_ZONE).date()


def curve_period(text: str) -> Period:
    """Day, month or year of a curve."""
    period = _read(text)
    if period.grain is Grain.HOUR:
        raise AskedError(f"{text!r} is an hour: a curve is of a day 2026-11-22, a month 2026-11 or a year 2026")
    return period


def _read(text: str) -> Period:
    try:
        return parse_period(text)
    except SmartparkError as error:
        raise AskedError(str(error)) from error
