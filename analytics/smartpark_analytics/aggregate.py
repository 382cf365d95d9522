"""From intervals to hours and days: sums of what is known, and how much of the period that is.

The rule, stated once: an interval without an amount adds nothing and counts as not known; a period's sum covers its
known intervals and is published with its completeness; with none known there is no sum, NaN, never zero. Nothing is
scaled up to stand for what is missing.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class PeriodSums:
    """Sums per series and period; all arrays have shape (n_series, n_periods)."""

    amount: Floats
    """Sum of the known intervals; NaN where none is. [unit]"""
    completeness: Floats
    """Share of the whole period, elapsed or not, that the sum covers. [0-1]"""
    estimated_share: Floats
    """Share of the sum that rests on apportioning, weighted by amount. [0-1]"""


def period_sums(
    amount: Floats, completeness: Floats, estimated_share: Floats, period: Ints, expected: Ints
) -> PeriodSums:
    """Sum intervals into periods.

    Parameters
    ----------
    amount : ndarray of float64, shape (n_series, n_intervals)
        NaN where not known. [unit]
    completeness : ndarray of float64, shape (n_series, n_intervals)
        Of each interval; ignored where the amount is NaN. [0-1]
    estimated_share : ndarray of float64, shape (n_series, n_intervals)
        Of each interval. [0-1]
    period : ndarray of int64, shape (n_intervals,)
        Index of the period that each interval belongs to, 0 … n_periods - 1.
    expected : ndarray of int64, shape (n_periods,)
        Intervals that the whole period has, whether or not they have come.

    Returns
    -------
    PeriodSums

    Examples
    --------
    Two of an hour's four quarters are known:

    >>> hour = period_sums(
    ...     np.array([[1.0, np.nan, 2.0, np.nan]]), np.ones((1, 4)), np.zeros((1, 4)),
    ...     np.zeros(4, np.int64), np.array([4]),
    ... )
    >>> hour.amount, hour.completeness
    (array([[3.]]), array([[0.5]]))
    """
    is_known = np.isfinite(amount)
    is_whole = bool(is_known.all())
    known = amount if is_whole else np.where(is_known, amount, 0.0)
    sums = _Sums.of(period, len(expected))
    covered = sums.by_period(completeness if is_whole else np.where(is_known, completeness, 0.0))
    return PeriodSums(
        amount=np.where(covered > 0, sums.by_period(known), np.nan),
        completeness=np.minimum(covered / expected, 1.0),
        estimated_share=_estimated(sums, known, estimated_share, covered.shape),
    )


def _estimated(sums: "_Sums", known: Floats, estimated_share: Floats, shape: tuple[int, ...]) -> Floats:
    """Estimated share of each sum, weighted by the size of its parts."""
    found = np.zeros(shape)
    rows = np.flatnonzero(estimated_share.any(axis=1))
    if rows.size:
        size = np.abs(known[rows])
        weight = sums.by_period(size)
        estimated = sums.by_period(size * estimated_share[rows])
        found[rows] = np.divide(estimated, weight, out=np.zeros_like(weight), where=weight > 0)
    return found


def combined_estimated_share(amount: Floats, estimated_share: Floats) -> Floats:
    """Estimated share of a sum over series, weighted by how much each contributes, whatever its sign.

    Parameters
    ----------
    amount, estimated_share : ndarray of float64, shape (n_series, n_periods)
        Contributions in one common unit, and their shares. NaN contributions do not weigh.

    Returns
    -------
    ndarray of float64, shape (n_periods,)
        0 where nothing contributes. [0-1]
    """
    if not estimated_share.any():
        return np.zeros(amount.shape[1])
    weight = np.abs(np.nan_to_num(amount))
    total = weight.sum(axis=0)
    return np.divide((weight * estimated_share).sum(axis=0), total, out=np.zeros_like(total), where=total > 0)


@dataclass(frozen=True, slots=True)
class _Sums:
    """How columns that share a period are summed."""

    period: Ints
    n_periods: int
    starts: NDArray[np.intp] | None
    """First column of each period where they lie in order and each has one: six times as fast as by index."""

    @staticmethod
    def of(period: Ints, n_periods: int) -> "_Sums":
        if len(period) and (np.diff(period) >= 0).all():
            starts = np.searchsorted(period, np.arange(n_periods))
            if len(np.unique(period)) == n_periods:
                return _Sums(period, n_periods, starts)
        return _Sums(period, n_periods, None)

    def by_period(self, values: Floats) -> Floats:
        """Shape (n_series, n_periods); the order of additions does not depend on what else is summed."""
        if self.starts is not None:
            return np.add.reduceat(values, self.starts, axis=1)
        n_series = values.shape[0]
        cell = (np.arange(n_series)[:, np.newaxis] * self.n_periods + self.period).ravel()
        sums = np.bincount(cell, weights=values.ravel(), minlength=n_series * self.n_periods).astype(np.float64)
        return sums.reshape(n_series, self.n_periods)
