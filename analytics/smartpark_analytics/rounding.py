"""Rounding as GB/T 8170 has it, exact in decimals, for whole arrays."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def round_gb8170(values: Floats, decimals: int = 0) -> Floats:
    """Round to the nearest, a half to the even neighbour (四舍六入五成双).

    A double stands for the decimal that it is nearest to: 0.45 is a half between 0.4 and 0.5, although the double
    lies a little above it. Whether a value is a half is decided by comparing it with the double nearest to that half,
    not by multiplying, which would move it.

    Parameters
    ----------
    values : ndarray of float64
        Below 10**15 / 10**decimals in size; NaN stays NaN.
    decimals : int
        Digits behind the point, 0 to 9.

    Returns
    -------
    ndarray of float64

    References
    ----------
    GB/T 8170-2008, 3.2: rules of rounding.

    Examples
    --------
    >>> round_gb8170(np.array([0.5, 1.5, 2.5, -2.5]))
    array([ 0.,  2.,  2., -2.])
    >>> round_gb8170(np.array([0.25, 0.35, 0.45]), 1)
    array([0.2, 0.4, 0.4])
    """
    scale = 10.0**decimals
    # The product may be a little off, which moves the floor only where a value is all but whole, far from a half.
    lower = np.floor(values * scale)
    # A quotient of whole numbers is the double nearest to that decimal: comparing with it is exact.
    half = (2.0 * lower + 1.0) / (2.0 * scale)
    up = (values > half) | ((values == half) & (np.mod(lower, 2.0) != 0.0))
    return (lower + up) / scale
