"""Base load that the nights of some weeks back let expect: a resistant line through those of the same kind.

Three thirds of the weeks, their medians, and the line through the outer two (Tukey): one bad night in three moves it
little. It is followed up to the night in question, but not faster than a season changes. The spread is that of the
nights around the line.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from smartpark_analytics.alerts.samples import Floats

Bools = NDArray[np.bool_]
MAD_TO_DEVIATION = 1.4826
"""Standard deviation over median absolute deviation, of a normal distribution. [1]"""
_BLOCK_VALUES = 1 << 20
"""Values worked on at a time, so that a backtest over a year stays in memory."""


class ExpectedBases(NamedTuple):
    """Of each object and night; arrays have shape (n_rows, n_nights), NaN where too little is known."""

    expected: Floats
    """[unit]"""
    spread: Floats
    """Robust standard deviation of the nights around the line. [unit]"""


def expected_bases(
    bases: Floats, is_rest: Bools, n_nights: int, *, lag: int, least_nights: int, drift: float
) -> ExpectedBases:
    """What to expect of the last nights, from those before each of them.

    Parameters
    ----------
    bases : ndarray of float64, shape (n_rows, history + n_nights)
        Base load of consecutive nights; NaN where not known. [any unit]
    is_rest : ndarray of bool, shape (history + n_nights,)
        Kind of each night's day.
    n_nights : int
        Nights at the end that are asked for.
    lag : int
        Nights before each that do not count; the rest of `history` before does.
    least_nights : int
        Nights of the same kind that must be known.
    drift : float
        Change in a week that is followed, as a share of the level. [1]

    Returns
    -------
    ExpectedBases

    References
    ----------
    Tukey (1977), Exploratory Data Analysis, ch. 5.

    Examples
    --------
    A base that falls by one a night goes on falling:

    >>> nights = 100.0 - np.arange(22.0)[np.newaxis]
    >>> expected_bases(nights, np.zeros(22, np.bool_), 1, lag=3, least_nights=6, drift=0.2).expected
    array([[79.]])
    """
    width = bases.shape[1] - n_nights - lag
    shape = (bases.shape[0], n_nights)
    expected, spread = np.full(shape, np.nan), np.full(shape, np.nan)
    if not n_nights or not bases.shape[0]:
        return ExpectedBases(expected, spread)
    windows = np.lib.stride_tricks.sliding_window_view(bases[:, : width + n_nights - 1], width, axis=1)
    kinds = np.lib.stride_tricks.sliding_window_view(is_rest[: width + n_nights - 1], width)
    alike = kinds == is_rest[bases.shape[1] - n_nights :, np.newaxis]
    height = max(_BLOCK_VALUES // (n_nights * width), 1)
    for top in range(0, bases.shape[0], height):
        block = slice(top, top + height)
        expected[block], spread[block] = _lines(
            np.where(alike, windows[block], np.nan), lag, least_nights=least_nights, drift=drift
        )
    return ExpectedBases(expected, spread)


def _lines(nights: Floats, lag: int, *, least_nights: int, drift: float) -> tuple[Floats, Floats]:
    """Line through windows, shape (rows, nights, width), followed to the night that each belongs to."""
    width = nights.shape[2]
    # Nights before the one in question: below zero.
    day = np.where(np.isfinite(nights), np.arange(-width - lag, -lag, dtype=np.float64), np.nan)
    third = max(width // 3, 1)
    rise = medians(nights[:, :, -third:]) - medians(nights[:, :, :third])
    run = medians(day[:, :, -third:]) - medians(day[:, :, :third])
    slope = np.divide(rise, run, out=np.zeros_like(rise), where=np.isfinite(rise) & (run > 0))
    fastest = drift / 7.0 * np.abs(medians(nights))
    slope = np.clip(slope, -fastest, fastest)
    at_night = nights - slope[:, :, np.newaxis] * day
    expected = medians(at_night)
    spread = MAD_TO_DEVIATION * medians(np.abs(at_night - expected[:, :, np.newaxis]))
    is_enough = np.isfinite(nights).sum(axis=2) >= least_nights
    return np.where(is_enough, expected, np.nan), np.where(is_enough, spread, np.nan)


def medians(values: Floats) -> Floats:
    """Median of what is known along the last axis; NaN where nothing is.

    Examples
    --------
    >>> medians(np.array([[3.0, np.nan, 1.0], [np.nan, np.nan, np.nan]]))
    array([ 2., nan])
    """
    ordered = np.sort(values, axis=-1)  # NaN goes last
    count = np.isfinite(values).sum(axis=-1)[..., np.newaxis]
    low = np.take_along_axis(ordered, np.maximum(count - 1, 0) // 2, axis=-1)
    high = np.take_along_axis(ordered, np.minimum(count // 2, values.shape[-1] - 1), axis=-1)
    return ((low + high) / 2.0)[..., 0]
