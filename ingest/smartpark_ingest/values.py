"""Numbers of the wire into numbers of the store, exactly or as a double, without a loop over readings.

A meter's integer stays an integer whenever its steps are whole steps of the stored resolution; where they are not,
the nearest double is stored beside the exponent rather than rounded to it: nothing that arrived is altered.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from smartpark.wire import MISSING

from smartpark_ingest.bindings import DOUBLE, Bindings

_LIMIT: Final = 2**63 - 1
_EXACT: Final = 2.0**53
_STEPS: Final = np.array([10**n for n in range(19)], dtype=np.int64)
"""Powers of ten that fit into int64."""
_POWERS: Final = np.array([10.0**n for n in range(23)])
"""Powers of ten that a double holds exactly."""


@dataclass(frozen=True, slots=True)
class Values:
    """Columns of equal length: what to store, and how large it is."""

    scaled: NDArray[np.int64]
    """Steps of the stored exponent; `MISSING` where there are none."""
    raw: NDArray[np.float64]
    """Doubles; NaN where there are none."""
    magnitude: NDArray[np.float64]
    """Value for the plausibility check; NaN where there is none. [the measurand's unit]"""

    @staticmethod
    def without(count: int) -> "Values":
        """Columns in which no reading has a value."""
        return Values(np.full(count, MISSING, dtype=np.int64), np.full(count, np.nan), np.full(count, np.nan))


def convert(bindings: Bindings, slot: NDArray[np.intp], bits: NDArray[np.int64]) -> Values:
    """Values of the wire as the registry wants them stored.

    Parameters
    ----------
    bindings : Bindings
        What the slots stand for.
    slot : ndarray of intp, shape (n,)
        Valid slots only.
    bits : ndarray of int64, shape (n,)
        The value column: mantissas, or the bits of float64 where the slot is declared a double; `MISSING` for none.

    Returns
    -------
    Values
        Columns of shape (n,). At most one of `scaled` and `raw` is set for each reading.
    """
    values = Values.without(len(bits))
    is_double = bindings.wire_exponent[slot] == DOUBLE
    present = bits != MISSING
    for chosen, fill in ((present & ~is_double, _from_mantissas), (present & is_double, _from_doubles)):
        rows = np.flatnonzero(chosen)
        if rows.size:
            fill(values, rows, bindings.wire_exponent[slot[rows]], bindings.exponent[slot[rows]], bits[rows])
    return values


def _from_mantissas(
    values: Values,
    rows: NDArray[np.intp],
    wire_exponent: NDArray[np.int64],
    exponent: NDArray[np.int64],
    mantissa: NDArray[np.int64],
) -> None:
    magnitude = _times_power(mantissa.astype(np.float64), wire_exponent)
    values.magnitude[rows] = magnitude
    if (wire_exponent == exponent).all():
        # The rule rather than the exception: the edge speaks in the catalogue's steps.
        values.scaled[rows] = mantissa
        return
    shift = np.where(exponent == DOUBLE, 99, wire_exponent - exponent)
    steps = _STEPS[np.minimum(np.abs(shift), 18)]
    wide = (shift >= 0) & (shift <= 18) & (np.abs(mantissa) <= _LIMIT // steps)
    quotient, rest = np.divmod(mantissa, steps)
    narrow = (shift < 0) & (shift >= -18) & (rest == 0)
    scaled = np.where(narrow, quotient, MISSING)
    scaled[wide] = mantissa[wide] * steps[wide]
    values.scaled[rows] = scaled
    values.raw[rows] = np.where(wide | narrow, np.nan, magnitude)


def _from_doubles(
    values: Values,
    rows: NDArray[np.intp],
    _wire_exponent: NDArray[np.int64],
    exponent: NDArray[np.int64],
    bits: NDArray[np.int64],
) -> None:
    number = bits.view(np.float64)
    values.magnitude[rows] = number
    stepped = (exponent != DOUBLE) & np.isfinite(number)
    target = np.where(stepped, exponent, 0)
    with np.errstate(over="ignore", invalid="ignore"):
        steps = np.rint(_times_power(np.where(stepped, number, 0.0), -target))
        small = np.abs(steps) < _EXACT
        # The nearest double to a decimal of this resolution comes back from its steps exactly; a finer one does not.
        exact = stepped & small & (_times_power(np.where(small, steps, 0.0), target) == number)
    values.scaled[rows] = np.where(exact, np.where(exact, steps, 0.0).astype(np.int64), MISSING)
    values.raw[rows] = np.where(exact, np.nan, number)


def _times_power(number: NDArray[np.float64], exponent: NDArray[np.int64]) -> NDArray[np.float64]:
    # Dividing by a power that is exact rounds once; multiplying by 0.01 would round twice.
    size = _POWERS[np.abs(exponent)]
    return np.where(exponent < 0, number / size, number * size)
