"""The point map of an import: how a file is to be read, and which of its columns or names is which point.

A TOML file that a person writes (docs/import.md). It is checked whole, against the catalogue too, before the first
row is read. Nothing is guessed: neither a zone, nor what a stamp names, nor a unit.
"""

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated, Final, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, model_validator
from smartpark.errors import InvalidFileError, Problem
from smartpark.tomlfile import StrictModel, load_model
from smartpark_storage import Registry

MISSING_TEXTS: Final = ("", "NA", "NaN", "nan", "null", "NULL", "?", "-")


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (OSError, ValueError):
        raise ValueError(f"{name!r} is not a time zone; write e.g. Asia/Shanghai or UTC") from None
    return name


def _scale(text: str) -> str:
    try:
        scale = Decimal(text)
    except InvalidOperation:
        scale = Decimal(0)
    if not scale.is_finite() or not scale:
        raise ValueError(f'{text!r} is not a factor; write a decimal in quotes, e.g. "0.001"')
    return text


class FileForm(StrictModel):
    """How the files of one import look."""

    shape: Literal["wide", "long"]
    """Wide: a row per instant, a column per point. Long: a row per reading."""
    time: str | tuple[str, ...]
    """Column of the stamp; several are joined by a space."""
    time_format: str = "iso"
    """``iso``, ``epoch_s``, ``epoch_ms``, ``epoch_us``, or as in strptime."""
    time_zone: Annotated[str, AfterValidator(_zone)]
    """Of stamps without offset."""
    stamp: Literal["instant", "start", "end"] = "instant"
    """What a stamp names: the instant of the reading, or the start or end of the interval it stands for."""
    interval_s: Annotated[int, Field(gt=0)] | None = None
    """Length of that interval; a reading is filed at its end, when it is known."""
    point: str = "point"
    """Long: column with the name of the point."""
    value: str = "value"
    """Long: column with the value."""
    status: str | None = None
    """Long: column with the OPC UA status code."""
    separator: Annotated[str, Field(min_length=1, max_length=1)] = ","
    decimal: Literal[".", ","] = "."
    encoding: str = "utf-8"
    missing: tuple[str, ...] = MISSING_TEXTS
    """What stands where there is no value."""
    ignore: tuple[str, ...] = ()
    """Long: names that are left out on purpose."""

    @model_validator(mode="after")
    def _know_the_interval(self) -> "FileForm":
        if self.stamp == "start" and self.interval_s is None:
            raise ValueError('stamp = "start" needs interval_s: a reading is filed at the end of its interval')
        if self.separator == self.decimal:
            raise ValueError("separator and decimal are the same character")
        return self

    @property
    def time_columns(self) -> tuple[str, ...]:
        """Columns that make the stamp."""
        return (self.time,) if isinstance(self.time, str) else self.time

    @property
    def shift_us(self) -> int:
        """From the stamp to the time of the reading."""
        return (self.interval_s or 0) * 1_000_000 if self.stamp == "start" else 0


class MappedPoint(StrictModel):
    """A column (wide) or a name (long), and the point that it is."""

    name: str
    point: str
    """Key in the catalogue: ``park/device/point``."""
    scale: Annotated[str, AfterValidator(_scale)] = "1"
    """From the file's unit to the point's, an exact decimal."""


class PointMap(StrictModel):
    """The whole file."""

    file: FileForm
    point: Annotated[tuple[MappedPoint, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _name_once(self) -> "PointMap":
        for what in ("name", "point"):
            counted = Counter(getattr(one, what) for one in self.point)
            twice = [name for name, count in counted.items() if count > 1]
            if twice:
                raise ValueError(f"more than one [[point]] with the {what} {', '.join(map(repr, twice[:5]))}")
        return self


def load_point_map(path: Path, registry: Registry) -> PointMap:
    """Read a map; `InvalidFileError` names every mistake, points that the catalogue does not have among them."""
    found = load_model(path, PointMap)
    problems = list(_unknown(found, str(path), registry))
    if problems:
        raise InvalidFileError(problems)
    return found


def _unknown(found: PointMap, file: str, registry: Registry) -> Iterator[Problem]:
    for one in found.point:
        if one.point not in registry.by_key:
            yield Problem(file, f"point[{one.name}].point", f"{one.point!r} is not a point of the catalogue")
