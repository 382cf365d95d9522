"""From what a device writes as time to microseconds since the epoch. It never looks at a clock."""

from collections.abc import Callable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from smartpark.clock import to_us
from smartpark.errors import SmartparkError

from smartpark_edge.device_models import TimeFormat

_FIRST_US = -62_135_596_800_000_000
_LIMIT_US = 253_402_300_800_000_000
"""The years 1 and 10000: before and beyond no datetime can be shown to anybody."""


class NotATimeError(SmartparkError):
    """A device wrote something that is no instant."""


ParseTime = Callable[[object], int]


def time_parser(form: TimeFormat, zone: ZoneInfo) -> ParseTime:
    """Parser for one format; what it refuses raises `NotATimeError`.

    A local time that occurs twice when clocks go back is taken as the first of the two.
    """

    def iso(value: object) -> int:
        return _from_datetime(value, datetime.fromisoformat, zone)

    def compact(value: object) -> int:
        return _from_datetime(value if isinstance(value, str) else str(value), _compact, zone)

    def strict_iso(value: object) -> int:
        return _from_datetime(value, datetime.fromisoformat, None)

    def either(value: object) -> int:
        return iso(value) if isinstance(value, str) else _from_epoch(value, _unit_by_size(value))

    parsers: dict[TimeFormat, ParseTime] = {
        TimeFormat.ISO_LOCAL: iso,
        TimeFormat.ISO: strict_iso,
        TimeFormat.COMPACT_LOCAL: compact,
        TimeFormat.EPOCH_S: lambda value: _from_epoch(value, 1_000_000),
        TimeFormat.EPOCH_MS: lambda value: _from_epoch(value, 1_000),
        TimeFormat.ANY: either,
    }
    return parsers[form]


def _compact(text: str) -> datetime:
    if len(text) != 14 or not text.isascii() or not text.isdigit():
        raise ValueError(text)
    return datetime.fromisoformat(f"{text[:8]}T{text[8:]}")


def _from_datetime(value: object, parse: Callable[[str], datetime], zone: ZoneInfo | None) -> int:
    if not isinstance(value, str):
        raise NotATimeError(f"{value!r} is not a time in text form")
    try:
        instant = parse(value)
    except ValueError:
        raise NotATimeError(f"{value!r} is not a time") from None
    if instant.tzinfo is None:
        if zone is None:
            raise NotATimeError(f"{value!r} has no offset from UTC")
        instant = instant.replace(tzinfo=zone)
    try:
        return to_us(instant.astimezone(UTC))
    except OverflowError:
        raise NotATimeError(f"{value!r} lies outside the calendar") from None


def _unit_by_size(value: object) -> int:
    """Microseconds per unit: seconds until the year 5138, milliseconds from 1973, else microseconds."""
    size = abs(value) if isinstance(value, int | float) else 0
    return 1_000_000 if size < 1e11 else 1_000 if size < 1e14 else 1


def _from_epoch(value: object, unit: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise NotATimeError(f"{value!r} is not a number of seconds or milliseconds")
    if not _FIRST_US <= value * unit < _LIMIT_US:
        raise NotATimeError(f"{value!r} lies outside the calendar")
    return round(value * unit)
