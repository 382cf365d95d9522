"""Whether the channels of one device still go together: a robust distance of their newest means from what is usual.

Each channel is taken in its own robust spread and averaged over the newest samples, so that a glitch counts little
and a state that lasts counts fully. How such means lie together is learnt from a training stretch: their middle,
their spread, their correlation (of cut values, drawn halfway towards none), and the distance that few of them would
exceed, which is the unit in which later ones are given. The distance is Mahalanobis', by known channel.

What few would exceed is reckoned from the median distance as for normal channels, not taken from the furthest of the
training: a single bad stretch there would otherwise set the limit, and hide every fault that is smaller.

Refused: judging by fewer channels than `min_share` of them. A missing value is left out of the mean, never replaced.
Devices of one call have the same channels; others are another call. What is remembered are whole numbers, so judging
in steps comes to the same as judging at once to the last bit.
"""

from statistics import NormalDist
from typing import Final, NamedTuple

import numpy as np

from smartpark_analytics.alerts.robust import grouped_median, grouped_middle_and_spread
from smartpark_analytics.alerts.samples import Floats, Ints, Level, Verdicts
from smartpark_analytics.alerts.trailing import Recent, fresh_recent, newest_means

WINSOR: Final = 3.0
"""Means further away are cut for the correlation. [spreads]"""


class Vectors(NamedTuple):
    """Values of the channels of many devices; sorted by row, and within a row by time, no time twice."""

    row: Ints
    """Which device, shape (n,)."""
    time_us: Ints
    """[µs since the epoch], shape (n,)."""
    values: Floats
    """NaN is unknown. [unit of the channel], shape (n, n_channels)."""


class ChannelsProfile(NamedTuple):
    """What is usual for each device."""

    middle: Floats
    """Median of each channel, shape (n_rows, n_channels). [unit of the channel]"""
    spread: Floats
    """Its robust standard deviation; NaN: the channel is not known. Shape as `middle`."""
    offset: Floats
    """Median of the means, shape as `middle`. [spreads]"""
    size: Floats
    """Robust standard deviation of the means, shape as `middle`. [spreads]"""
    correlation: Floats
    """Of the means, shape (n_rows, n_channels, n_channels)."""
    usual: Floats
    """Distance that a share of 1 - `quantile` would exceed; NaN: too little is known. Shape (n_rows,)."""


def fresh_channels(n_rows: int, n_channels: int, window: int) -> Recent:
    """Carry of devices of which nothing was seen; means go over `window` samples."""
    return fresh_recent(n_rows, n_channels, window)


def fit_channels(
    vectors: Vectors,
    n_rows: int,
    *,
    window: int,
    max_age_us: int,
    shrink: float = 0.5,
    quantile: float = 0.99,
    min_count: int = 100,
) -> ChannelsProfile:
    """Learn from a training stretch how the channels of each device go together.

    Parameters
    ----------
    vectors : Vectors
        History of the devices.
    n_rows : int
        How many devices there are.
    window : int
        Samples that a mean goes over. [samples]
    max_age_us : int
        Samples older than this are left out of a mean. [µs]
    shrink : float
        How far correlations are drawn towards none. [0-1]
    quantile : float
        Share of usual samples within the usual distance. [0-1]
    min_count : int
        Fewest samples that a device needs. [samples]

    Returns
    -------
    ChannelsProfile

    References
    ----------
    Hotelling, Multivariate quality control, 1947 (the distance). Ledoit & Wolf, J. Multivar. Anal. 88 (2004) 365
    (shrinking). Huber & Ronchetti, Robust Statistics, 2009, ch. 8 (correlation of cut values). Wilson & Hilferty,
    Proc. Natl. Acad. Sci. 17 (1931) 684 (quantiles of chi-square).
    """
    middle, spread = _middle_and_spread(vectors.row, vectors.values, n_rows)
    standard = (vectors.values - middle[vectors.row]) / spread[vectors.row]
    fresh = fresh_channels(n_rows, spread.shape[1], window)
    found, _ = newest_means(vectors.row, vectors.time_us, standard, fresh, windows=(window,), max_age_us=max_age_us)
    whole = found.length[0] >= window
    row, means = vectors.row[whole], found.mean[0, whole]
    offset, size = _middle_and_spread(row, means, n_rows)
    # Less than independent noise leaves of a mean would be luck.
    size = np.maximum(size, 1.0 / np.sqrt(window))
    away = (means - offset[row]) / size[row]
    correlation = _correlation(row, np.clip(away, -WINSOR, WINSOR), n_rows, shrink)
    distance = _distance(row, away, correlation, 0.0)
    row, distance = row[np.isfinite(distance)], distance[np.isfinite(distance)]
    usual = grouped_median(row, distance, n_rows) * _far(np.isfinite(size).sum(axis=1), quantile)
    usual[np.bincount(row, minlength=n_rows) < min_count] = np.nan
    return ChannelsProfile(middle, spread, offset, size, correlation, usual)


def judge_channels(
    vectors: Vectors,
    profile: ChannelsProfile,
    carry: Recent,
    *,
    limit: Floats,
    clear_limit: Floats,
    max_age_us: int,
    min_share: float = 0.5,
) -> tuple[Verdicts, Recent]:
    """Hold the newest means against what is usual.

    Parameters
    ----------
    vectors : Vectors
        What came since the carry.
    profile : ChannelsProfile
        What is usual.
    carry : Recent
        What the last step gave back; its width is the window.
    limit, clear_limit : ndarray of float64, shape (n_rows,)
        Distance beyond which it is a breach, and up to which it is fine again. [usual distances]
    max_age_us : int
        As in `fit_channels`. [µs]
    min_share : float
        Least share of the channels that must be known. [0-1]

    Returns
    -------
    tuple of Verdicts and Recent
        `value` and `limit` are distances. [usual distances]

    Examples
    --------
    Flow follows power until the pump runs dry:

    >>> rng = np.random.default_rng(0)
    >>> power = rng.normal(50, 5, 300)
    >>> flow = 2 * power + rng.normal(0, 1, 300)
    >>> pump = Vectors(np.zeros(300, np.int64), np.arange(300), np.stack([power, flow], axis=1))
    >>> profile = fit_channels(pump, 1, window=3, max_age_us=10)
    >>> dry = Vectors(np.zeros(4, np.int64), np.arange(300, 304), np.array([[55.0, 30]] * 4))
    >>> one, carry = np.ones(1), fresh_channels(1, 2, 3)
    >>> found, _ = judge_channels(dry, profile, carry, limit=2 * one, clear_limit=one, max_age_us=10)
    >>> found.level.tolist()
    [2, 2, 2, 2]
    """
    row = vectors.row
    away, carry = channels_away(vectors, profile, carry, max_age_us=max_age_us)
    distance = _distance(row, away, profile.correlation, min_share) / profile.usual[row]
    level = np.full(len(row), Level.HOLD, np.int8)
    level[distance > limit[row]] = Level.BREACH
    level[distance <= clear_limit[row]] = Level.CLEAR
    level[np.isnan(distance)] = Level.UNKNOWN
    return Verdicts(row, vectors.time_us, level, distance, limit[row]), carry


def channels_away(
    vectors: Vectors, profile: ChannelsProfile, carry: Recent, *, max_age_us: int
) -> tuple[Floats, Recent]:
    """How far each channel by itself is from usual: evidence for people, which channel it is.

    Returns
    -------
    tuple of ndarray of float64, shape (n, n_channels), and Recent
        [spreads of the means]; NaN where unknown.
    """
    row = vectors.row
    standard = (vectors.values - profile.middle[row]) / profile.spread[row]
    window = carry.time_us.shape[1] + 1
    found, carry = newest_means(row, vectors.time_us, standard, carry, windows=(window,), max_age_us=max_age_us)
    return (found.mean[0] - profile.offset[row]) / profile.size[row], carry


def _middle_and_spread(row: Ints, values: Floats, n_rows: int) -> tuple[Floats, Floats]:
    """Median and robust standard deviation of each channel, each of shape (n_rows, n_channels)."""
    n_channels = values.shape[1]
    cell = (row[:, np.newaxis] * n_channels + np.arange(n_channels)).ravel()
    value = values.ravel()
    cell, value = cell[np.isfinite(value)], value[np.isfinite(value)]
    middle, spread = grouped_middle_and_spread(cell, value, n_rows * n_channels)
    return middle.reshape(n_rows, n_channels), spread.reshape(n_rows, n_channels)


def _far(n_channels: Ints, quantile: float) -> Floats:
    """Quantile of the length of normal vectors against its median, by Wilson and Hilferty. Shape (n_rows,)."""
    shrunk = 2.0 / (9.0 * np.maximum(n_channels, 1))
    return (1.0 + NormalDist().inv_cdf(quantile) * np.sqrt(shrunk) / (1.0 - shrunk)) ** 1.5


def _correlation(row: Ints, away: Floats, n_rows: int, shrink: float) -> Floats:
    """Correlation of each pair of channels, drawn towards none; shape (n_rows, n_channels, n_channels)."""
    n_channels = away.shape[1]
    known, zero = np.isfinite(away), np.where(np.isfinite(away), away, 0.0)
    found = np.tile(np.eye(n_channels), (n_rows, 1, 1))
    for one in range(n_channels):
        for other in range(one):
            both = known[:, one] & known[:, other]
            cross, own, others = (
                np.bincount(row, weights=np.where(both, product, 0.0), minlength=n_rows)
                for product in (zero[:, one] * zero[:, other], zero[:, one] ** 2, zero[:, other] ** 2)
            )
            scale = np.sqrt(own * others)
            value = (1.0 - shrink) * np.divide(cross, scale, out=np.zeros(n_rows), where=scale > 0)
            found[:, one, other] = found[:, other, one] = value
    return found


def _distance(row: Ints, away: Floats, correlation: Floats, min_share: float) -> Floats:
    """Distance per known channel, shape (n,); NaN where too few are known.

    A channel that is missing gets a row and column of the identity and a zero: what remains is the distance in the
    channels that are known, by their own part of the correlation.
    """
    known = np.isfinite(away)
    zero = np.where(known, away, 0.0)
    inverse = np.linalg.inv(correlation) if len(correlation) else correlation
    square = np.einsum("ni,nij,nj->n", zero, inverse[row], zero)
    part = np.flatnonzero(~known.all(axis=1))
    if len(part):
        mask = known[part]
        both = mask[:, :, np.newaxis] & mask[:, np.newaxis, :]
        reduced = np.where(both, correlation[row[part]], np.eye(away.shape[1]))
        solved = np.linalg.solve(reduced, zero[part][:, :, np.newaxis])[:, :, 0]
        square[part] = np.einsum("ni,ni->n", zero[part], solved)
    number = known.sum(axis=1)
    enough = (number > 0) & (number >= min_share * away.shape[1])
    return np.where(enough, np.sqrt(np.maximum(square, 0.0) / np.maximum(number, 1)), np.nan)
