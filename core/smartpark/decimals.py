"""Meters speak in decimals: from a number to the integer that counts a register's steps, and back.

A register of 0.01 kWh that shows 123.45 is the integer 12345 with the exponent -2. Integers are exact, they
subtract exactly, and the columnstore holds them in a fifth of the space of doubles.
"""

import math
from decimal import Decimal, InvalidOperation

from smartpark.errors import SmartparkError

_LIMIT = 2**63 - 1
_LIMIT_DIGITS = 19
_EXACT_DOUBLE = 2.0**53
_POWERS = [10.0**n for n in range(23)]
"""Powers of ten that a double holds exactly."""


class NotANumberError(SmartparkError):
    """A value is no finite number, or too large for a register."""


def to_mantissa(value: float | str | Decimal, exponent: int) -> int:
    """Steps of ``10**exponent`` nearest to `value`, halves to even.

    A double that is the nearest one to a decimal of that resolution gives that decimal exactly, as long as
    the count of steps is below 2**53; strings and `Decimal` are exact to 2**63.

    Examples
    --------
    >>> to_mantissa(514.153, -3), to_mantissa("0.1", -2), to_mantissa(12000, 3)
    (514153, 10, 12)
    """
    if isinstance(value, str | Decimal):
        return _from_decimal(value, exponent)
    if not math.isfinite(value):
        raise NotANumberError(f"{value!r} is not a finite number")
    steps = value * _POWERS[-exponent] if exponent <= 0 else value / _POWERS[exponent]
    if abs(steps) >= _EXACT_DOUBLE:
        return _from_decimal(Decimal(repr(value)), exponent)
    return round(steps)


def from_mantissa(mantissa: int, exponent: int) -> Decimal:
    """Exact value of a count of steps.

    >>> from_mantissa(12345, -2)
    Decimal('123.45')
    """
    return Decimal(mantissa).scaleb(exponent)


def rescale(mantissa: int, exponent: int, to: int) -> int | None:
    """Same value in steps of ``10**to``; None when it is not a whole number of them or does not fit.

    >>> rescale(12345, -2, -3), rescale(12340, -2, -1), rescale(12345, -2, -1)
    (123450, 1234, None)
    """
    if exponent >= to:
        wide = mantissa * 10 ** (exponent - to)
        return wide if -_LIMIT <= wide <= _LIMIT else None
    quotient, rest = divmod(mantissa, 10 ** (to - exponent))
    return None if rest else quotient


def _from_decimal(value: str | Decimal, exponent: int) -> int:
    if isinstance(value, str) and "_" in value:
        # Python's way of grouping digits, and no meter's.
        raise NotANumberError(f"{value!r} is not a number")
    try:
        number = Decimal(value)
        if not number.is_finite():
            raise NotANumberError(f"{value!r} is not a finite number")
        # Looked at before it becomes an integer: 1e999999 would have a million digits.
        if number.adjusted() - exponent > _LIMIT_DIGITS:
            raise NotANumberError(f"{value!r} is more than {_LIMIT} steps of 1e{exponent}")
        steps = int(number.scaleb(-exponent).to_integral_value())
    except InvalidOperation:
        raise NotANumberError(f"{value!r} is not a number, or has too many digits") from None
    if not -_LIMIT <= steps <= _LIMIT:
        raise NotANumberError(f"{value!r} is more than {_LIMIT} steps of 1e{exponent}")
    return steps
