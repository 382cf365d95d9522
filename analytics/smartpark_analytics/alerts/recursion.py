"""Sums that forget: y[i] = a[i] y[i-1] + b[i] within each object, without a loop over samples.

By doubling: after k passes each place knows the 2^k steps before it, so the longest run of one object decides how
many passes there are: none in live work, where each object brings one sample.
"""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from smartpark_analytics.alerts.samples import Floats, Ints

Bools = NDArray[np.bool_]
Number = TypeVar("Number", np.float64, np.int64)


def forgetting_sum(keep: Floats, add: Floats, row: Ints, before: Floats) -> Floats:
    """y[i] = keep[i] y[i-1] + add[i], each object by itself.

    Parameters
    ----------
    keep : ndarray of float64, shape (n,)
        What is left of the last value. Finite. [0-1]
    add : ndarray of float64, shape (n,)
        Finite. [any unit]
    row : ndarray of int64, shape (n,)
        Object of each place; equal ones behind one another.
    before : ndarray of float64, shape (n_rows,)
        Value of each object before its first place. Finite. [unit of `add`]

    Returns
    -------
    ndarray of float64, shape (n,)
        [unit of `add`]

    Examples
    --------
    >>> forgetting_sum(np.full(4, 0.5), np.ones(4), np.array([0, 0, 0, 1]), np.array([0.0, 8.0]))
    array([1.  , 1.5 , 1.75, 5.  ])
    """
    is_first = np.diff(row, prepend=-1) != 0
    total = np.where(is_first, add + keep * before[row], add)
    # Nothing is kept across the start of an object, so that the passes need not know where objects start.
    weight = np.where(is_first, 0.0, keep)
    starts = np.flatnonzero(is_first)
    longest = int(np.diff(starts, append=row.size).max(initial=0))
    reach = 1
    while reach < longest:
        total[reach:] = total[reach:] + weight[reach:] * total[:-reach]
        weight[reach:] = weight[reach:] * weight[:-reach]
        reach *= 2
    return total


def sums_in_runs(values: Ints, is_start: Bools) -> Ints:
    """Sum so far since the last start, as exact integers, shape (n,); the first place must be a start.

    Examples
    --------
    >>> sums_in_runs(np.array([1, 2, 3, 4]), np.array([True, False, True, False]))
    array([1, 3, 3, 7])
    """
    total = np.cumsum(values)  # may wrap around; differences stay right
    start = np.maximum.accumulate(np.where(is_start, np.arange(values.size), 0))
    return total - (total[start] - values[start])


def put(old: NDArray[Number], row: Ints, new: NDArray[Number]) -> NDArray[Number]:
    """A copy with new values in some rows: how a carry goes on without changing the one before.

    Examples
    --------
    >>> put(np.array([1.0, 2.0]), np.array([1]), np.array([5.0]))
    array([1., 5.])
    """
    out = old.copy()
    out[row] = new
    return out
