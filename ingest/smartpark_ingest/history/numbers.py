"""From doubles of a file to stored numbers: counts of the point's steps, exact where it can be.

A file's unit may be a power of ten of the point's: then nothing is multiplied, the count of steps is what is written
with its point moved. With any other factor the product is rounded to the step. What is finer than the step is kept as
the double it is, like everywhere in ingest.
"""

from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray
from smartpark.wire import MISSING

from smartpark_ingest.values import Values

_EXACT = 2.0**53


@dataclass(frozen=True, slots=True)
class Scale:
    """How the numbers of one column are stored."""

    exponent: int | None
    """Of the point's step; None: doubles."""
    power: int | None
    """The factor is ten to this; None: it is no power of ten."""
    factor: float

    @staticmethod
    def of(scale: str, exponent: int | None) -> "Scale":
        """Scale of a column whose point has this exponent."""
        decimal = Decimal(scale).normalize()
        is_power = decimal.as_tuple().digits == (1,) and decimal > 0
        return Scale(exponent, int(decimal.as_tuple().exponent) if is_power else None, float(scale))

    def values(self, number: NDArray[np.float64]) -> Values:
        """Stored values of numbers as a file has them, which must not be NaN."""
        with np.errstate(over="ignore", invalid="ignore"):
            return self._values(number)

    def _values(self, number: NDArray[np.float64]) -> Values:
        magnitude = number if self.power == 0 else _shifted(number, self.power, self.factor)
        if self.exponent is None:
            return Values(np.full(len(number), MISSING, np.int64), magnitude, magnitude)
        if self.power is None:
            steps = np.rint(_shifted(magnitude, -self.exponent, 1.0))
            is_exact = np.abs(steps) < _EXACT
        else:
            # In steps of what is written: a register of 12.34 MWh has 12340 steps of 1 kWh.
            moved = self.power - self.exponent
            steps = np.rint(_shifted(number, moved, 1.0))
            # The nearest double to a decimal of this step comes back from its steps exactly; a finer one does not.
            is_exact = (np.abs(steps) < _EXACT) & (_shifted(steps, -moved, 1.0) == number)
        scaled = np.where(is_exact, steps, 0.0).astype(np.int64)
        if is_exact.all():
            return Values(scaled, np.full(len(number), np.nan), magnitude)
        return Values(np.where(is_exact, scaled, MISSING), np.where(is_exact, np.nan, magnitude), magnitude)


def _shifted(number: NDArray[np.float64], power: int | None, factor: float) -> NDArray[np.float64]:
    # Dividing by a power that is exact rounds once; multiplying by 0.01 would round twice.
    if power is None:
        return number * factor
    return number / 10.0**-power if power < 0 else number * 10.0**power
