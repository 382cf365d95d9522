"""Adding up such that a reader gets the same number to the last digit: one addition after the other.

`sum` does it so in some versions of Python and compensates in others; numpy adds in blocks.
"""

from collections.abc import Iterable


def in_order(values: Iterable[float]) -> float:
    """Sum from the first to the last; of nothing 0.

    >>> in_order([1e16, 1.0, 1.0])
    1e+16
    """
    total: float | None = None
    for value in values:
        total = value if total is None else total + value
    return 0.0 if total is None else total
