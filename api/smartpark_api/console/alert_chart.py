"""Evidence as a plain drawing: until the script draws it with axes, and for good where there is no script."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from smartpark_api.alerts.models import EvidenceOut, EvidencePoint, EvidenceSeries

WIDTH: Final = 960
HEIGHT: Final = 240
_ROOM: Final = 0.08
ROWS: Final = 24
"""Of the table below the drawing."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """Paths and places in a box of `WIDTH` by `HEIGHT`."""

    values: str
    limit: str
    """Path of the limit, as steps; empty: none is known."""
    breach: tuple[float, float]
    """Left end and width of the span in which the condition held."""
    doubtful: tuple[tuple[float, float], ...]
    """Readings that are not good."""


def drawing_of(evidence: EvidenceOut, series: EvidenceSeries) -> Drawing:
    """One series with the breach and its limits."""
    limits = limits_for(evidence, series)
    known = [value for value in series.value if value is not None]
    heights = known + [one.limit for one in limits if one.limit is not None]
    low, high = (min(heights), max(heights)) if heights else (0.0, 1.0)
    room = (high - low or abs(high) or 1.0) * _ROOM
    low, high = low - room, high + room
    start, length = evidence.start, (evidence.end - evidence.start).total_seconds() or 1.0

    def x(at: datetime) -> float:
        return round(min(max((at - start).total_seconds() / length, 0.0), 1.0) * WIDTH, 1)

    def y(value: float) -> float:
        return round(HEIGHT * (high - value) / (high - low), 1)

    places = zip(series.time, series.value, series.quality, strict=True)
    doubtful = tuple(
        (x(at), y(value)) for at, value, quality in places if value is not None and quality == "uncertain"
    )
    left = x(evidence.breach_from)
    right = x(evidence.breach_to or evidence.end)
    return Drawing(
        _path(
            [
                (x(at), None if value is None else y(value))
                for at, value in zip(series.time, series.value, strict=True)
            ]
        ),
        _steps([(x(one.time), y(one.limit)) for one in limits if one.limit is not None]),
        (left, round(max(right - left, 2.0), 1)),
        doubtful,
    )


def limits_for(evidence: EvidenceOut, series: EvidenceSeries) -> Sequence[EvidencePoint]:
    """Limits that can be drawn beside a series: those of its unit."""
    return [one for one in evidence.judged if one.limit is not None] if series.unit == evidence.unit else []


def _path(places: Sequence[tuple[float, float | None]]) -> str:
    """A line; a gap lifts the pen."""
    parts: list[str] = []
    is_down = False
    for x, y in places:
        if y is not None:
            parts.append(f"{'L' if is_down else 'M'}{x} {y}")
        is_down = y is not None
    return "".join(parts)


def _steps(places: Sequence[tuple[float, float]]) -> str:
    if not places:
        return ""
    parts = [f"M0 {places[0][1]}"]
    for x, y in places[1:]:
        parts.append(f"H{x}V{y}")
    return "".join(parts) + f"H{WIDTH}"


def rows_of(series: EvidenceSeries) -> list[tuple[datetime, float | None, str | None]]:
    """Some of the values for the table, at even steps, the last one included."""
    count = len(series.time)
    if count <= ROWS:
        places = list(range(count))
    else:
        places = sorted({round(n * (count - 1) / (ROWS - 1)) for n in range(ROWS)})
    return [(series.time[n], series.value[n], series.quality[n]) for n in places]


def seconds_of(series: EvidenceSeries) -> list[float]:
    """Moments as a script draws them, in seconds since 1970."""
    return [round(at.timestamp(), 3) for at in series.time]


def pairs_of(limits: Sequence[EvidencePoint]) -> list[tuple[float, float | None]]:
    """Limits as a script draws them: from when [s since 1970], and how much."""
    return [(round(one.time.timestamp(), 3), one.limit) for one in limits]
