"""Sums along an axis whose last digit a reader finds again: one addition after the other.

Numpy adds in blocks, and how it does so depends on how much there is. What is published as a mean of listed values is
to be what somebody gets who adds up the list.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def sums_in_order(values: Floats) -> Floats:
    """Sum of the known values along the last axis, from the first to the last.

    Parameters
    ----------
    values : ndarray of float64, shape (..., n)
        NaN where not known.

    Returns
    -------
    ndarray of float64, shape (...)
        0 where nothing is known.

    Examples
    --------
    Adding in any other order would not lose both ones:

    >>> float(sums_in_order(np.array([1e16, 1.0, np.nan, 1.0])))
    1e+16
    """
    known = np.where(np.isfinite(values), values, 0.0)
    total = np.zeros(known.shape[:-1])
    # One pass per column of the window, each over all points at once.
    for column in range(known.shape[-1]):
        total += known[..., column]
    return total
