"""Time at the border: aware UTC datetimes outside, integer microseconds on the wire and in arrays.

Nothing here decides anything by the clock; `utc_now` is for shells, which pass the instant down.
"""

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

MICROSECONDS = 1_000_000
"""Microseconds in a second."""

PARK_ZONE = ZoneInfo("Asia/Shanghai")
"""Accounting days and months of a Chinese park are those of this zone."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def utc_now() -> datetime:
    """Return the present instant, aware, in UTC."""
    return datetime.now(UTC)


def utc_now_us() -> int:
    """Return the present instant in microseconds since the Unix epoch."""
    return to_us(utc_now())


def to_us(instant: datetime) -> int:
    """Microseconds since the Unix epoch; exact, refuses naive datetimes."""
    if instant.tzinfo is None:
        raise ValueError(f"a naive datetime ({instant.isoformat()}) names no instant; attach its time zone")
    # Integer arithmetic: float seconds lose the microsecond after 2**53.
    return (instant - _EPOCH) // timedelta(microseconds=1)


def from_us(microseconds: int) -> datetime:
    """Aware UTC datetime of an instant in microseconds since the Unix epoch."""
    return _EPOCH + timedelta(microseconds=microseconds)


def parse_instant(text: str, *, default_zone: timezone | ZoneInfo | None = None) -> datetime:
    """Read an ISO 8601 instant; one without offset needs `default_zone`, else `ValueError`."""
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        if default_zone is None:
            raise ValueError(f"{text!r} has no time zone; write an offset such as +08:00 or Z")
        instant = instant.replace(tzinfo=default_zone)
    return instant.astimezone(UTC)
