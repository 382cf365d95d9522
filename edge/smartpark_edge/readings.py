"""Readings on their way from a device to the spool: what a point is, what was said, and how a number becomes 64 bits.

Decimals stay exact: a scale that is a power of ten moves the point and multiplies nothing. What a message looks like
is `mapping`'s part.
"""

import math
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from smartpark.decimals import NotANumberError, to_mantissa
from smartpark.measurands import Measurand
from smartpark.wire import double_bits

from smartpark_edge.device_models import WhenNull


@dataclass(frozen=True, slots=True, eq=False)
class Point:
    """A point as the wire will declare it. Compared by identity, because it is looked up for every reading."""

    key: str
    measurand: Measurand
    exponent: int | None


class Reading(NamedTuple):
    """One value of one point: columns of the wire, with the point where the alias will stand."""

    point: Point
    status: int
    time: int
    """Microseconds since the epoch."""
    value: int
    """Mantissa, bits of a double, or `MISSING`."""


class Trouble(NamedTuple):
    """Why a message, or a part of it, could not be taken."""

    reason: str
    """One of the platform's codes for dead letters."""
    detail: str


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message as it came in."""

    topic: str
    payload: bytes
    arrival: int
    """Microseconds since the epoch."""
    retained: bool = False
    repeated: bool = False
    """The broker says that it may have delivered this before."""


@dataclass(slots=True)
class Mapped:
    """What a message held."""

    readings: list[Reading] = field(default_factory=list["Reading"])
    troubles: list[Trouble] = field(default_factory=list[Trouble])
    ignored: bool = False
    """A known message without readings."""
    rounded: set[str] = field(default_factory=set[str])
    """Points whose value was finer than their resolution."""
    stamped_on_arrival: bool = False


class Converter:
    """From a number as the device says it to the 64 bits of a reading."""

    __slots__ = ("_factor", "_shift", "_sign", "null", "point")

    def __init__(self, point: Point, *, scale: Decimal, negate: bool, null: WhenNull) -> None:
        self.point = point
        self.null = null
        self._sign = -1 if negate else 1
        ten = scale.normalize()
        self._factor: float | None = None
        self._shift = 0
        if ten.as_tuple().digits == (1,) and ten > 0 and point.exponent is not None:
            # A power of ten only moves the point: no multiplication, so no rounding either.
            self._shift = point.exponent - int(ten.as_tuple().exponent)
        else:
            self._factor = float(scale)
            self._shift = 0 if point.exponent is None else point.exponent

    def convert(self, value: float | str) -> int:
        """64 bits of a value; `NotANumberError` when it is none."""
        if self.point.exponent is None:
            return self._as_double(value)
        if self._factor is not None:
            value = self._number(value) * self._factor
        return self._sign * to_mantissa(value, self._shift)

    def loses(self, value: float | str, mantissa: int) -> bool:
        """Whether the resolution is too coarse for what the device said."""
        if self._factor is not None or self.point.exponent is None:
            return False
        try:
            steps = float(value) * 10.0**-self._shift
        except OverflowError:
            return False
        return abs(steps - self._sign * mantissa) > 1e-6 + abs(steps) * 1e-14

    def _as_double(self, value: float | str) -> int:
        number = self._number(value) * (1.0 if self._factor is None else self._factor) * self._sign
        if not math.isfinite(number):
            raise NotANumberError(f"{value!r} is not a finite number")
        return double_bits(number)

    @staticmethod
    def _number(value: float | str) -> float:
        try:
            if isinstance(value, str) and "_" in value:
                raise NotANumberError(f"{value!r} is not a number")
            return float(value)
        except (ValueError, OverflowError):
            raise NotANumberError(f"{value!r} is not a finite number") from None
