"""Maximum demand: the highest mean power of any fifteen minutes, as a billing meter finds it.

A window slides by one minute and counts when at least 13 of its 15 minutes are known and no cut lies in it: windows
across the settlement cut-off count for neither month, and where demand is asked for by tariff period, windows across
a change of tariff count for none. A window belongs to the period in which it ends, as the meter registers it then.
Import only: what flows back is not netted. Where only quarters of an hour are known the maximum is that of blocks and
a lower bound of what the meter will say: never compare the two as equal.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from smartpark.electricity_rules import DemandRule

from smartpark_analytics.groups import Groups, Ints
from smartpark_analytics.in_order import sums_in_order

Floats = NDArray[np.float64]
Number = TypeVar("Number", np.float64, np.int16)
_BLOCK_VALUES = 1 << 18
"""Values worked on at a time: two megabytes, so that the passes over a window's sums stay in the cache."""


@dataclass(frozen=True, slots=True)
class MaximumDemand:
    """Maximum demand by point and group; arrays have shape (n_points, n_groups)."""

    demand_kw: Floats
    """Highest mean power of a window that counts; NaN where none does. [kW]"""
    window: Ints
    """First column of the window in which it first occurred; -1 where there is none."""
    completeness: Floats
    """Share of the group's windows that count; below 1 the maximum is a lower bound. [0-1]"""
    window_columns: int
    """Columns of a window: it occurred from `window` until `window + window_columns`."""
    is_lower_bound: bool
    """Found from blocks because nothing finer is known (区块, 下限)."""


def sliding_maximum_demand(
    power: Floats, group: Ints, n_groups: int, rule: DemandRule, *, cut: Ints | None = None
) -> MaximumDemand:
    """Maximum demand from minutes, sliding as the billing meter does.

    Parameters
    ----------
    power : ndarray of float64, shape (n_points, n_minutes)
        Mean active power of each minute, positive into the consumer; NaN where not known. [kW]
    group : ndarray of int64, shape (n_minutes,)
        Period of each minute, 0 … n_groups - 1; below zero where it is not asked for. A window belongs to the group
        of its last minute.
    n_groups : int
        Groups there are.
    rule : DemandRule
        Length of the window, slip, and minutes that must be known. Where the slip is longer than a minute the first
        column must be a minute at which a window starts.
    cut : ndarray of int64, shape (n_minutes,), optional
        What a window must not reach across: it counts where its minutes have one label without a break. Default:
        `group`, for billing periods, or billing and tariff periods together. For hours and days give the billing
        period here, and hand in the minutes before the first one asked for, so that no window is lost.

    Returns
    -------
    MaximumDemand

    References
    ----------
    DL/T 645-2007 (demand period and slip as parameters of the meter); docs/methods/maximum-demand.md.

    Examples
    --------
    1200 kW for a quarter of an hour that does not begin with the clock's:

    >>> from smartpark.electricity_rules import builtin_electricity_rules
    >>> power = np.repeat([800.0, 1200.0, 800.0], [8, 15, 22])[np.newaxis]
    >>> rule = builtin_electricity_rules().demand[0]
    >>> found = sliding_maximum_demand(power, np.zeros(45, np.int64), 1, rule)
    >>> found.demand_kw, found.window
    (array([[1200.]]), array([[8]]))
    """
    width = rule.period_min
    window_group = _group_of_windows(group, group if cut is None else cut, width)
    starts_window = np.arange(window_group.size) % rule.slip_min == 0
    groups = Groups.of(np.where(starts_window, window_group, -1), n_groups)
    demand = np.full((power.shape[0], n_groups), np.nan)
    window = np.full(demand.shape, -1, dtype=np.int64)
    completeness = np.zeros(demand.shape)
    for rows in _blocks_of_rows(power.shape):
        mean = mean_of_windows(np.maximum(power[rows], 0.0), width, least=rule.valid_min)
        demand[rows] = groups.maximum(mean)
        window[rows] = groups.first_column_equal(mean, demand[rows])
        completeness[rows] = groups.known_share(mean)
    return MaximumDemand(demand, window, completeness, width, is_lower_bound=False)


def block_maximum_demand(power: Floats, group: Ints, n_groups: int) -> MaximumDemand:
    """Maximum demand from quarters of an hour: a lower bound of the sliding one.

    Parameters
    ----------
    power : ndarray of float64, shape (n_points, n_intervals)
        Mean active power of each clock-aligned demand period, positive into the consumer; NaN where not known. [kW]
    group : ndarray of int64, shape (n_intervals,)
        Billing period of each interval, 0 … n_groups - 1; below zero where it is not asked for.
    n_groups : int
        Groups there are.

    Returns
    -------
    MaximumDemand
        Marked as a lower bound: the sliding maximum is at least this and, where everything is known, at most twice
        this.

    Examples
    --------
    >>> blocks = np.array([[986.67, 1013.33, 800.0]])
    >>> found = block_maximum_demand(blocks, np.zeros(3, np.int64), 1)
    >>> found.demand_kw, found.window, found.is_lower_bound
    (array([[1013.33]]), array([[1]]), True)
    """
    groups = Groups.of(group, n_groups)
    known = np.maximum(power, 0.0)
    demand = groups.maximum(known)
    return MaximumDemand(
        demand, groups.first_column_equal(known, demand), groups.known_share(known), 1, is_lower_bound=True
    )


def mean_of_windows(values: Floats, width: int, *, least: int) -> Floats:
    """Mean of the known values of every window of consecutive columns.

    Parameters
    ----------
    values : ndarray of float64, shape (n_points, n_columns)
        NaN where not known. [any unit]
    width : int
        Columns of a window.
    least : int
        Columns of it that must be known.

    Returns
    -------
    ndarray of float64, shape (n_points, n_columns - width + 1)
        By the window's first column; NaN where too little is known. [unit of the values]

    Examples
    --------
    >>> mean_of_windows(np.array([[1.0, 2.0, np.nan, 4.0]]), 3, least=2)
    array([[1.5, 3. ]])
    """
    is_known = np.isfinite(values)
    if is_known.all():
        return _sums_of_windows(values, width) / width
    total = _sums_of_windows(np.where(is_known, values, 0.0), width)
    count = _sums_of_windows(is_known.astype(np.int16), width)
    return np.divide(total, count, out=np.full(total.shape, np.nan), where=count >= max(least, 1))


def block_means(values: Floats, width: int, *, least: int) -> Floats:
    """Mean of the known values of blocks side by side: minutes to quarters of an hour.

    Parameters
    ----------
    values : ndarray of float64, shape (n_points, n_blocks * width)
        NaN where not known; the first column starts a block. [any unit]
    width : int
        Columns of a block.
    least : int
        Columns of it that must be known.

    Returns
    -------
    ndarray of float64, shape (n_points, n_blocks)
        NaN where too little is known. [unit of the values]

    Examples
    --------
    >>> block_means(np.array([[1.0, 3.0, 5.0, np.nan]]), 2, least=2)
    array([[ 2., nan]])
    """
    blocks = values.reshape(values.shape[0], values.shape[1] // width, width)
    count = np.isfinite(blocks).sum(axis=2)
    total = sums_in_order(blocks)
    return np.divide(total, count, out=np.full(total.shape, np.nan), where=count >= max(least, 1))


def mean_power(energy: Floats, hours: float) -> Floats:
    """Mean power of intervals from their energy.

    Parameters
    ----------
    energy : ndarray of float64
        [kWh]
    hours : float
        Length of an interval. [h]

    Returns
    -------
    ndarray of float64, same shape
        [kW]

    Examples
    --------
    >>> mean_power(np.array([300.0]), 0.25)
    array([1200.])
    """
    return energy / hours


def _sums_of_windows(values: NDArray[Number], width: int) -> NDArray[Number]:
    """Sum of every `width` consecutive columns, by doubling: 15 = 8 + 4 + 2 + 1 takes six additions, not fourteen.

    Cumulative sums would take two, but carry the rounding of everything before the window into it, so that equal
    windows come out unequal; adding up by doubling rounds each window by itself.
    """
    n_windows = max(values.shape[1] - width + 1, 0)
    total = np.zeros((values.shape[0], n_windows), dtype=values.dtype)
    power_of_two, span, offset = values, 1, 0
    while offset < width and n_windows:
        if width & span:
            np.add(total, power_of_two[:, offset : offset + n_windows], out=total)
            offset += span
        if 2 * span <= width:
            power_of_two = power_of_two[:, :-span] + power_of_two[:, span:]
        span *= 2
    return total


def _group_of_windows(group: Ints, cut: Ints, width: int) -> Ints:
    """Group of the window that starts at each column, by its last one; -1 where a cut lies in it."""
    if group.size < width:
        return np.zeros(0, dtype=np.int64)
    changes = np.concatenate([[0], np.cumsum(np.diff(cut) != 0)])
    is_whole = changes[width - 1 :] == changes[: group.size - width + 1]
    return np.where(is_whole, group[width - 1 :], -1)


def _blocks_of_rows(shape: tuple[int, ...]) -> Iterator[slice]:
    n_rows, n_columns = shape
    height = max(_BLOCK_VALUES // max(n_columns, 1), 1)
    return (slice(top, min(top + height, n_rows)) for top in range(0, n_rows, height))
