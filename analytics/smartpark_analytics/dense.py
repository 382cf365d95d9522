"""Registers on a regular grid to interval amounts: differences where nothing is odd, the whole kernel where it is.

A matrix of what registers show at every boundary of the intervals needs no interpolation. A register that never
falls, has a value everywhere and moves no faster than it can is *quiet*: its amounts are plain differences. Every
other row takes the way of `registers` and `intervals`, so the result is theirs, row by row; only the time it takes
differs. Refused here: grids that are not regular.
"""

import numpy as np
from numpy.typing import NDArray

from smartpark_analytics.intervals import IntervalAmounts, Intervals, interval_amounts
from smartpark_analytics.registers import (
    HOUR_US,
    NO_VALUE,
    Bools,
    Floats,
    Ints,
    RegisterPoints,
    RegisterReadings,
    register_movements,
)


def dense_interval_amounts(
    steps: Ints, scale: Floats, points: RegisterPoints, *, start: int, width_us: int, max_gap_us: int = HOUR_US
) -> IntervalAmounts:
    """What flowed in each interval of a regular grid.

    Parameters
    ----------
    steps : ndarray of int64, shape (n_points, n_intervals + 1)
        What each register shows at the boundaries, in its steps; `NO_VALUE` where that is not known.
    scale : ndarray of float64, shape (n_points,)
        Amount that one step stands for. [unit]
    points : RegisterPoints
        What is known of each register.
    start : int
        First boundary. [µs since the epoch]
    width_us : int
        Distance of the boundaries. [µs]
    max_gap_us : int
        As in `interval_amounts`. [µs]

    Returns
    -------
    IntervalAmounts
        All arrays of shape (n_points, n_intervals).

    Examples
    --------
    One register is quiet; the other one rolls over at 1000:

    >>> found = dense_interval_amounts(
    ...     np.array([[0, 5, 9], [940, 990, 40]]), np.array([0.1, 1.0]),
    ...     RegisterPoints(np.array([0, 1000]), np.full(2, np.inf)), start=0, width_us=900_000_000,
    ... )
    >>> found.amount.round(1).tolist()
    [[0.5, 0.4], [50.0, 50.0]]
    """
    rise = steps[:, 1:] - steps[:, :-1]
    amount = rise * scale[:, np.newaxis]
    whole = IntervalAmounts(amount, np.ones_like(amount), np.zeros_like(amount), np.zeros(amount.shape, np.int32))
    odd = np.flatnonzero(~_is_quiet(steps, rise, scale, points, width_us))
    if odd.size:
        found = _by_the_kernel(
            steps[odd], scale[odd], _of(points, odd), start=start, width_us=width_us, max_gap_us=max_gap_us
        )
        for mine, theirs in (
            (whole.amount, found.amount),
            (whole.completeness, found.completeness),
            (whole.estimated_share, found.estimated_share),
            (whole.flags, found.flags),
        ):
            mine[odd] = theirs.reshape(len(odd), -1)
    return whole


def _is_quiet(steps: Ints, rise: Ints, scale: Floats, points: RegisterPoints, width_us: int) -> Bools:
    """Rows in which every boundary is known and the register only goes up, no faster than it can."""
    # A missing value is the smallest integer there is: the row's minimum shows it.
    known = steps.min(axis=1, initial=np.iinfo(np.int64).max) > NO_VALUE
    fastest = points.max_rate * (width_us / HOUR_US)
    slow = np.maximum(rise.max(axis=1, initial=0) - 2, 0) * scale <= fastest
    return known & (rise.min(axis=1, initial=0) >= 0) & slow


def _of(points: RegisterPoints, rows: NDArray[np.intp]) -> RegisterPoints:
    return RegisterPoints(points.modulus[rows], points.max_rate[rows])


def _by_the_kernel(
    steps: Ints, scale: Floats, points: RegisterPoints, *, start: int, width_us: int, max_gap_us: int
) -> IntervalAmounts:
    n_points, n_boundaries = steps.shape
    readings = RegisterReadings(
        point=np.repeat(np.arange(n_points, dtype=np.int64), n_boundaries),
        time=np.tile(start + width_us * np.arange(n_boundaries, dtype=np.int64), n_points),
        steps=steps.ravel(),
        status=np.zeros(steps.size, np.int32),
        scale=np.repeat(scale, n_boundaries),
    )
    grid = Intervals.dense(n_points, start, n_boundaries - 1, width_us)
    return interval_amounts(register_movements(readings, points), grid, max_gap_us=max_gap_us)
