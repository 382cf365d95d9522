"""Means over the newest samples of each row, for several lengths at once, and what must be remembered for them.

Missing values are left out of a mean, never replaced; so are samples that are too old.
"""

from typing import Final, NamedTuple

import numpy as np

from smartpark_analytics.alerts.robust import FINE
from smartpark_analytics.alerts.samples import NOT_YET_US, Floats, Ints

UNKNOWN: Final = np.iinfo(np.int64).min
"""Stands for a missing value among whole numbers."""
CUT: Final = 1000.0
"""A single value counts no more than this. [spreads]"""


class Recent(NamedTuple):
    """The newest samples of each row, the oldest first."""

    time_us: Ints
    """`NOT_YET_US` where there is none. Shape (n_rows, n_kept)."""
    fine: Ints
    """[1/`FINE` spread], `UNKNOWN` where missing. Shape (n_rows, n_kept, n_channels)."""


class Means(NamedTuple):
    """Means at each sample."""

    mean: Floats
    """NaN where nothing is known. Shape (n_windows, n, n_channels). [spreads]"""
    length: Ints
    """Samples that a mean goes over, known or not. Shape (n_windows, n)."""


def fresh_recent(n_rows: int, n_channels: int, longest: int) -> Recent:
    """Rows of which nothing was seen; the longest mean goes over `longest` samples."""
    kept = longest - 1
    return Recent(np.full((n_rows, kept), NOT_YET_US), np.full((n_rows, kept, n_channels), UNKNOWN, dtype=np.int64))


def newest_means(
    row: Ints, time_us: Ints, standard: Floats, recent: Recent, *, windows: tuple[int, ...], max_age_us: int
) -> tuple[Means, Recent]:
    """Means over the newest samples of each row, up to and with each sample.

    Parameters
    ----------
    row, time_us : ndarray of int64, shape (n,)
        Sorted by row, and within a row by time.
    standard : ndarray of float64, shape (n, n_channels)
        [spreads]; NaN is missing.
    recent : Recent
        What the last step gave back.
    windows : tuple of int
        How many samples each mean goes over. [samples]
    max_age_us : int
        Samples older than this are left out. [µs]

    Returns
    -------
    tuple of Means and Recent

    Examples
    --------
    >>> zeros = np.zeros(4, np.int64)
    >>> values = np.array([[1.0], [3.0], [np.nan], [5.0]])
    >>> found, _ = newest_means(zeros, np.arange(4), values, fresh_recent(1, 1, 2), windows=(1, 2), max_age_us=9)
    >>> found.mean[:, :, 0].tolist()
    [[1.0, 3.0, nan, 5.0], [1.0, 2.0, 3.0, 5.0]]
    """
    missing = ~np.isfinite(standard)
    fine = np.rint(np.where(missing, 0.0, np.clip(standard, -CUT, CUT)) * FINE).astype(np.int64)
    fine[missing] = UNKNOWN
    old_row, old_place = np.nonzero(recent.time_us != NOT_YET_US)
    rows = np.concatenate([old_row, row])
    times = np.concatenate([recent.time_us[old_row, old_place], time_us])
    fine = np.concatenate([recent.fine[old_row, old_place], fine])
    order = np.lexsort((times, rows))
    rows, times, fine = rows[order], times[order], fine[order]
    asked = np.empty(len(rows), np.int64)
    asked[order] = np.arange(len(rows))
    asked = asked[len(old_row) :]
    oldest = np.maximum(np.searchsorted(rows, rows, side="left"), _first_within(rows, times, max_age_us))
    begins = np.stack([np.maximum(oldest, np.arange(len(rows)) - window + 1) for window in windows])
    return _means(fine, begins, asked), _remembered(rows, times, fine, recent)


def _means(fine: Ints, begins: Ints, asked: Ints) -> Means:
    """Means from each begin to each asked place, both within."""
    known = fine != UNKNOWN
    nothing = np.zeros((1, fine.shape[1]), np.int64)
    sums = np.concatenate([nothing, np.cumsum(np.where(known, fine, 0), axis=0)])
    numbers = np.concatenate([nothing, np.cumsum(known, axis=0)])
    begin = begins[:, asked]
    total, number = sums[asked + 1] - sums[begin], numbers[asked + 1] - numbers[begin]
    mean = np.where(number > 0, total / np.maximum(number, 1) / FINE, np.nan)
    return Means(mean, asked - begin + 1)


def _first_within(row: Ints, time_us: Ints, max_age_us: int) -> Ints:
    """Place of the oldest sample of the same row that is not too old."""
    if not len(row):
        return row
    start = time_us.min()
    span = time_us.max() - start + max_age_us + 2
    key = row * span + (time_us - start) + max_age_us + 1
    return np.searchsorted(key, key - max_age_us, side="left")


def _remembered(row: Ints, time_us: Ints, fine: Ints, recent: Recent) -> Recent:
    n_rows, kept = recent.time_us.shape
    fresh = fresh_recent(n_rows, fine.shape[1], kept + 1)
    behind = np.searchsorted(row, row, side="right") - 1 - np.arange(len(row))
    keep = behind < kept
    place = kept - 1 - behind[keep]
    fresh.time_us[row[keep], place] = time_us[keep]
    fresh.fine[row[keep], place] = fine[keep]
    return fresh
