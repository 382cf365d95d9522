"""Tariff periods: which interval is sharp, peak, flat or valley, and what energy and money that makes.

The hours come from the versions of a price plan (`smartpark.price_plans`), each from its day on, so that a plan may
change inside a month. An interval without an amount adds nothing and counts as not known; no price is ever guessed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray
from smartpark.clock import PARK_ZONE, from_us
from smartpark.price_plans import PlanVersion
from smartpark.tariff_hours import DAY_KINDS, TARIFF_PERIODS
from smartpark.workdays import DayKind

from smartpark_analytics.groups import Groups, Ints

Floats = NDArray[np.float64]
N_PERIODS = len(TARIFF_PERIODS)
QUARTER_HOUR_US = 900_000_000
_DAY_US = 96 * QUARTER_HOUR_US
_EPOCH_DAY = date(1970, 1, 1)
_NO_END = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True)
class TariffIntervals:
    """Tariff of each interval; both arrays have shape (n_intervals,)."""

    period: Ints
    """Index in `TARIFF_PERIODS` (sharp, peak, flat, valley); -1 where no version is in force."""
    version: Ints
    """Index of the version in force; -1 where none is."""


@dataclass(frozen=True, slots=True)
class TariffAmounts:
    """Amounts by tariff period; arrays have shape (n_points, n_months, 4)."""

    amount: Floats
    """Sum of the known intervals; 0 in a period that has no hours, NaN where none of them is known. [unit]"""
    completeness: Floats
    """Share of the period's intervals that are known; 1 where there are none to know. [0-1]"""


def classify_intervals(
    start: Ints, versions: Sequence[PlanVersion], *, day_kind: Sequence[DayKind] | None = None
) -> TariffIntervals:
    """Tariff period of each interval.

    Parameters
    ----------
    start : ndarray of int64, shape (n_intervals,)
        First instant of each interval of a quarter of an hour or less. [µs since the epoch]
    versions : sequence of PlanVersion
        Versions of one plan, in any order; of several in force the one that started last holds.
    day_kind : sequence of DayKind, optional
        What each day is, from that of the earliest interval to that of the latest. Needed where a version
        distinguishes working days.

    Returns
    -------
    TariffIntervals

    Raises
    ------
    ValueError
        When kinds of days are needed and not given, or do not fit the days; when the zone's offset changes between
        the first and the last interval: China's has not since 1991.

    Examples
    --------
    Half past ten on a day in August and an hour later, in Fujian:

    >>> from smartpark.price_plans import builtin_price_plans
    >>> start = np.array(["2026-08-03T02:30", "2026-08-03T03:30"], "datetime64[us]").astype(np.int64)
    >>> found = classify_intervals(start, builtin_price_plans().plan[0].version)
    >>> [TARIFF_PERIODS[period].value for period in found.period]
    ['peak', 'sharp']
    """
    local = _local(start)
    day = local // _DAY_US
    month = day.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64) % 12
    quarter = local % _DAY_US // QUARTER_HOUR_US
    version = _version_on(day, versions)
    tables = np.array([v.table() for v in versions], dtype=np.int64)
    kind = _kinds(day, versions, day_kind)
    period = np.where(version < 0, -1, tables[version, month, kind, quarter])
    return TariffIntervals(period, version)


def tariff_labels(tariff: TariffIntervals, month: Ints) -> Ints:
    """One label for billing month and tariff period together: month * 4 + period, -1 where either is none.

    Examples
    --------
    >>> tariff_labels(TariffIntervals(np.array([3, 1, -1]), np.zeros(3, np.int64)), np.array([0, 1, 1]))
    array([ 3,  5, -1])
    """
    return np.where((month < 0) | (tariff.period < 0), -1, month * N_PERIODS + tariff.period)


def amounts_by_tariff(amount: Floats, tariff: TariffIntervals, month: Ints, n_months: int) -> TariffAmounts:
    """Amounts of intervals by tariff period and month: energy, or money.

    Parameters
    ----------
    amount : ndarray of float64, shape (n_points, n_intervals)
        NaN where not known. [kWh, or yuan]
    tariff : TariffIntervals
        Of the intervals.
    month : ndarray of int64, shape (n_intervals,)
        Billing month of each interval, 0 … n_months - 1; below zero where it is not asked for.
    n_months : int
        Months there are.

    Returns
    -------
    TariffAmounts

    Examples
    --------
    >>> tariff = TariffIntervals(np.array([3, 3, 2]), np.zeros(3, np.int64))
    >>> found = amounts_by_tariff(np.array([[1.0, 2.0, 4.0]]), tariff, np.zeros(3, np.int64), 1)
    >>> found.amount
    array([[[0., 0., 4., 3.]]])
    """
    groups = Groups.of(tariff_labels(tariff, month), n_months * N_PERIODS)
    shape = (amount.shape[0], n_months, N_PERIODS)
    completeness = np.where(groups.sizes > 0, groups.known_share(amount), 1.0)
    total = np.where(completeness > 0, groups.total(amount), np.nan)
    return TariffAmounts(total.reshape(shape), completeness.reshape(shape))


def interval_prices(tariff: TariffIntervals, prices: Floats) -> Floats:
    """Price of each interval.

    Parameters
    ----------
    tariff : TariffIntervals
        Of the intervals.
    prices : ndarray of float64, shape (n_versions, 4)
        Of each version and tariff period, as `PlanVersion.prices` gives them. [yuan/kWh]

    Returns
    -------
    ndarray of float64, shape (n_intervals,)
        NaN where no version is in force. [yuan/kWh]

    Examples
    --------
    >>> tariff = TariffIntervals(np.array([0, 3, -1]), np.array([0, 0, -1]))
    >>> interval_prices(tariff, np.array([[1.08, 0.948, 0.6, 0.222]]))
    array([1.08 , 0.222,   nan])
    """
    return np.where(tariff.period < 0, np.nan, prices[tariff.version, tariff.period])


def _local(start: Ints) -> Ints:
    """Microseconds since midnight of 1970-01-01 on the park's clocks."""
    if start.size == 0:
        return start
    offsets = {from_us(int(edge)).astimezone(PARK_ZONE).utcoffset() for edge in (start.min(), start.max())}
    if len(offsets) > 1:
        raise ValueError(f"the park's clocks were changed between the intervals: {sorted(map(str, offsets))}")
    offset = offsets.pop() or timedelta(0)
    return start + offset // timedelta(microseconds=1)


def _version_on(day: Ints, versions: Sequence[PlanVersion]) -> Ints:
    """Index of the version in force on each day, -1 where none is."""
    order = sorted(range(len(versions)), key=lambda i: versions[i].valid_from)
    starts = np.array([_day_number(versions[i].valid_from) for i in order])
    ends = np.array([_NO_END if (end := versions[i].valid_to) is None else _day_number(end) for i in order])
    # Of those that have started, the last one that has not ended: an old one may outlast a temporary one.
    is_in_force = (starts <= day[:, np.newaxis]) & (day[:, np.newaxis] < ends)
    latest = len(order) - 1 - np.argmax(is_in_force[:, ::-1], axis=1)
    return np.where(is_in_force.any(axis=1), np.array(order)[latest], -1)


def _kinds(day: Ints, versions: Sequence[PlanVersion], day_kind: Sequence[DayKind] | None) -> Ints:
    if day_kind is None or day.size == 0:
        if any(version.uses_day_kinds for version in versions) and day.size:
            raise ValueError("a version of the plan tells working days from others: day_kind is needed")
        return np.zeros(day.shape, dtype=np.int64)
    first, n_days = int(day.min()), int(day.max() - day.min()) + 1
    if len(day_kind) != n_days:
        raise ValueError(f"day_kind has {len(day_kind)} days; the intervals lie in {n_days}")
    codes = np.array([DAY_KINDS.index(kind) for kind in day_kind], dtype=np.int64)
    return codes[day - first]


def _day_number(day: date) -> int:
    return (day - _EPOCH_DAY).days
