"""Registers on a regular grid to interval amounts: differences where nothing is odd, the whole kernel where it is.

A matrix of what registers show at every boundary of the intervals needs no interpolation. Where a register has its
values, does not fall and moves no faster than it can, amounts are plain differences. Around everything else, two
hours to either side, readings take the way of `registers` and `intervals`, which look no further than one: so the
result is theirs everywhere, and only the time it takes differs. Refused here: grids that are not regular.
"""

import numpy as np

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
    rows = np.flatnonzero(~_is_quiet(steps, rise, scale, points, width_us))
    if rows.size:
        odd = _is_odd(steps[rows], rise[rows], scale[rows], points.max_rate[rows], width_us)
        around = _widened(odd, -(-2 * max(max_gap_us, HOUR_US) // width_us))
        asked = _widened(odd, -(-max(max_gap_us, HOUR_US) // width_us))
        of_rows = RegisterPoints(points.modulus[rows], points.max_rate[rows])
        readings = _readings(steps[rows], scale[rows], around, start, width_us)
        row, column = np.nonzero(asked)
        intervals = Intervals(row.astype(np.int64), start + column * width_us, width_us)
        found = interval_amounts(register_movements(readings, of_rows), intervals, max_gap_us=max_gap_us)
        cell = rows[row], column
        whole.amount[cell], whole.completeness[cell] = found.amount, found.completeness
        whole.estimated_share[cell], whole.flags[cell] = found.estimated_share, found.flags
    return whole


def _is_quiet(steps: Ints, rise: Ints, scale: Floats, points: RegisterPoints, width_us: int) -> Bools:
    """Rows in which every boundary is known and the register only goes up, no faster than it can."""
    # A missing value is the smallest integer there is: the row's minimum shows it.
    known = steps.min(axis=1, initial=np.iinfo(np.int64).max) > NO_VALUE
    fastest = points.max_rate * (width_us / HOUR_US)
    slow = np.maximum(rise.max(axis=1, initial=0) - 2, 0) * scale <= fastest
    return known & (rise.min(axis=1, initial=0) >= 0) & slow


def _is_odd(steps: Ints, rise: Ints, scale: Floats, max_rate: Floats, width_us: int) -> Bools:
    """Intervals whose difference is not simply their amount, shape (n_rows, n_intervals)."""
    missing = steps == NO_VALUE
    fastest = (max_rate * (width_us / HOUR_US))[:, np.newaxis]
    return missing[:, 1:] | missing[:, :-1] | (rise < 0) | (np.maximum(rise - 2, 0) * scale[:, np.newaxis] > fastest)


def _widened(odd: Bools, by: int) -> Bools:
    """True where an odd interval is no further than `by` intervals away."""
    count = np.zeros((odd.shape[0], odd.shape[1] + 1), np.int64)
    np.cumsum(odd, axis=1, out=count[:, 1:])
    column = np.arange(odd.shape[1])
    return count[:, np.minimum(column + by + 1, odd.shape[1])] > count[:, np.maximum(column - by, 0)]


def _readings(steps: Ints, scale: Floats, around: Bools, start: int, width_us: int) -> RegisterReadings:
    """What is shown at the boundaries of some intervals."""
    wanted = np.zeros(steps.shape, np.bool_)
    wanted[:, :-1] = around
    wanted[:, 1:] |= around
    row, column = np.nonzero(wanted)
    return RegisterReadings(
        row.astype(np.int64),
        start + width_us * column.astype(np.int64),
        steps[row, column],
        np.zeros(len(row), np.int32),
        scale[row],
    )
