"""From stored quarter-hours to the sums of the hours and days they belong to, for all counters of a park at once."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from smartpark.accounts import ParkAccounts

from smartpark_analytics.accounting.statement import Series
from smartpark_analytics.aggregate import PeriodSums, period_sums
from smartpark_analytics.expressions import Expression, evaluate_all

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Names = Sequence[tuple[int, int]]
QUARTER_US: Final = 900_000_000
HOUR_US: Final = 4 * QUARTER_US
QUARTERS_A_DAY: Final = 96
"""The park's zone has no daylight saving time."""
HOURS_A_DAY: Final = 24


@dataclass(frozen=True, slots=True)
class Quarters:
    """Quarter-hours of counters in whole days; arrays of shape (n_series, n_days x 96)."""

    place: Mapping[int, int]
    """Row of each point and virtual meter."""
    days_us: Ints
    """Start of each day, ascending, shape (n_days,). [µs]"""
    amount: Floats
    """NaN where not known. [unit]"""
    completeness: Floats
    """[0-1]"""
    estimated_share: Floats
    """[0-1]"""


def quarters_of(point_ids: Sequence[int], intervals: NDArray[np.void], days_us: Ints) -> Quarters:
    """Lay stored rows out as matrices; what is not stored is not known.

    Parameters
    ----------
    point_ids : sequence of int
    intervals : structured ndarray with point_id, start, amount, completeness, estimated_share
        Of these points, in these days; rows of other points or days are left out.
    days_us : ndarray of int64, shape (n_days,)
        Starts of the days, ascending. [µs]
    """
    ids = np.array(sorted(point_ids), np.int64)
    shape = (len(ids), len(days_us) * QUARTERS_A_DAY)
    amount, completeness, estimated = np.full(shape, np.nan), np.zeros(shape), np.zeros(shape)
    if len(ids) and len(days_us):
        row = np.minimum(np.searchsorted(ids, intervals["point_id"]), len(ids) - 1)
        day = np.maximum(np.searchsorted(days_us, intervals["start"], side="right") - 1, 0)
        quarter = (intervals["start"] - days_us[day]) // QUARTER_US
        fits = (ids[row] == intervals["point_id"]) & (quarter >= 0) & (quarter < QUARTERS_A_DAY)
        cell = row[fits], day[fits] * QUARTERS_A_DAY + quarter[fits]
        amount[cell] = intervals["amount"][fits]
        completeness[cell] = intervals["completeness"][fits]
        estimated[cell] = intervals["estimated_share"][fits]
    return Quarters({int(p): n for n, p in enumerate(ids)}, days_us, amount, completeness, estimated)


def with_virtual_meters(quarters: Quarters, meters: Mapping[int, Expression], names: Mapping[str, Names]) -> Quarters:
    """Append virtual meters, computed quarter-hour by quarter-hour.

    Parameters
    ----------
    quarters : Quarters
    meters : mapping of int to Expression
        By their numbers (below zero).
    names : mapping of str to sequence of (int, int)
        Points or virtual meters that each name in an expression stands for, with their signs.
    """
    if not meters:
        return quarters
    found = evaluate_all(
        meters,
        names,
        quarters.place,
        amount=quarters.amount,
        completeness=quarters.completeness,
        estimated_share=quarters.estimated_share,
    )
    first = len(quarters.amount)
    place = dict(quarters.place) | {number: first + n for n, number in enumerate(meters)}
    return Quarters(
        place,
        quarters.days_us,
        np.concatenate([quarters.amount, found.amount]),
        np.concatenate([quarters.completeness, found.completeness]),
        np.concatenate([quarters.estimated_share, found.estimated_share]),
    )


def hours_of(quarters: Quarters) -> Series:
    """Sums of every hour of the days."""
    n_hours = len(quarters.days_us) * HOURS_A_DAY
    starts = (quarters.days_us[:, np.newaxis] + HOUR_US * np.arange(HOURS_A_DAY)).ravel()
    return _series(quarters, starts, HOUR_US, n_hours, QUARTERS_A_DAY // HOURS_A_DAY)


def days_of(quarters: Quarters) -> Series:
    """Sums of every day."""
    return _series(quarters, quarters.days_us, HOURS_A_DAY * HOUR_US, len(quarters.days_us), QUARTERS_A_DAY)


def hours_and_days(quarters: Quarters, hours: AbstractSet[int]) -> tuple[Series, int]:
    """Sums of some hours (by their starts in µs), then of every day; and how many hours come first."""
    by_hour, by_day = hours_of(quarters), days_of(quarters)
    picked = np.flatnonzero(np.isin(by_hour.start_us, np.array(sorted(hours), np.int64)))
    columns = [
        np.concatenate([getattr(by_hour.sums, name)[:, picked], getattr(by_day.sums, name)], axis=1)
        for name in ("amount", "completeness", "estimated_share")
    ]
    starts = np.concatenate([by_hour.start_us[picked], by_day.start_us])
    ends = np.concatenate([by_hour.end_us[picked], by_day.end_us])
    return Series(quarters.place, PeriodSums(*columns), starts, ends), len(picked)


def park_quarters(accounts: ParkAccounts, intervals: NDArray[np.void], days_us: Ints) -> Quarters:
    """Quarter-hours of everything that a park's accounts rest on, virtual meters included."""
    virtual = {meter.point_id: meter.expression for meter in accounts.virtual}
    return with_virtual_meters(quarters_of(accounts.point_ids, intervals, days_us), virtual, accounts.names)


def _series(quarters: Quarters, starts: Ints, width_us: int, n_periods: int, n_quarters: int) -> Series:
    period = np.repeat(np.arange(n_periods, dtype=np.int64), n_quarters)
    expected = np.full(n_periods, n_quarters, np.int64)
    sums = period_sums(quarters.amount, quarters.completeness, quarters.estimated_share, period, expected)
    return Series(quarters.place, sums, starts, starts + width_us)
