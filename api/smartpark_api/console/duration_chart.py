"""A load duration curve as a plain drawing: until the script draws it with axes, on paper, and without script."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from smartpark_api.load_requests.capacity_models import CurveOut, LevelOut

WIDTH: Final = 640
HEIGHT: Final = 220
_ROOM: Final = 1.06
_SHOWN: Final = (0.0, 0.5, 4.5, 9.5, 24.5, 49.5, 74.5, 99.5)
"""Steps of the curve that its table shows, as shares of the hours. [%]"""


@dataclass(frozen=True, slots=True)
class Drawing:
    """Paths and heights in a box of `WIDTH` by `HEIGHT`."""

    load: str
    after: str
    limits: tuple[tuple[str, float], ...]
    """Rule and height of each limit that applies."""
    forecast: float | None
    """Height of the forecast's upper quantile."""


def lowest_limit(level: LevelOut) -> float | None:
    """The limit that binds; none: none is known."""
    return min((value for value in level.limit_kva.values() if value is not None), default=None)


def drawing_of(level: LevelOut, curve: CurveOut) -> Drawing:
    """Curve of a level, as it was and as it would be, against its limits."""
    limits = [(rule, value) for rule, value in level.limit_kva.items() if value is not None]
    ahead = None if level.forecast_kva is None else level.forecast_kva[-1]
    heights: list[float] = [1.0, *curve.after_kva, *(value for _, value in limits), ahead or 0.0]
    top = _ROOM * max(heights)

    def height(value: float) -> float:
        return round(HEIGHT * (1 - max(value, 0.0) / top), 1)

    def path(values: Sequence[float]) -> str:
        places = zip(curve.share, values, strict=True)
        return "M" + "L".join(f"{share / 100 * WIDTH:.1f} {height(value)}" for share, value in places)

    return Drawing(
        path(curve.load_kva),
        path(curve.after_kva),
        tuple((rule, height(value)) for rule, value in limits),
        None if ahead is None else height(ahead),
    )


def rows_of(curve: CurveOut) -> list[tuple[float, float, float]]:
    """Some steps of the curve for its table: share of the hours [%], load and load to come [kVA]."""
    steps = zip(curve.share, curve.load_kva, curve.after_kva, strict=True)
    return [(share, load, after) for share, load, after in steps if share in _SHOWN]
