"""Whether a series has departed from its usual range: means over several spans, each against its own tail.

A fault may be a glitch, an hour of something else, or a level that crept away; each shows in the mean over its own
span. For every span the middle of the means and their far quantile are learnt from a training stretch, so a series
with heavy tails gets wide bounds without anybody having said so. What is judged is the greatest distance from the
middle over the spans, in units of the quantile: 1 is as far as one mean in a thousand was. What comes in are values,
or residuals where a clock explains the values (`seasonal_profile`).

Refused: a span whose training is too short, or that never moved by more than the floor allows to tell, is not judged.
Judging in steps comes to the same as judging at once to the last bit: what is remembered are whole numbers.
"""

from typing import NamedTuple

import numpy as np

from smartpark_analytics.alerts.change_point import LevelProfile, fit_level, standardise
from smartpark_analytics.alerts.robust import grouped_quantile
from smartpark_analytics.alerts.samples import Floats, Level, Samples, Verdicts
from smartpark_analytics.alerts.trailing import Means, Recent, fresh_recent, newest_means


class DepartureProfile(NamedTuple):
    """What is usual for each row and span."""

    level: LevelProfile
    """Middle and spread of the values."""
    middle: Floats
    """Median of the means, shape (n_rows, n_windows). [spreads]"""
    tail: Floats
    """Distance from it that few means exceeded; NaN: not known. Shape (n_rows, n_windows). [spreads]"""
    windows: tuple[int, ...]
    """[samples]"""


def fresh_departure(n_rows: int, windows: tuple[int, ...]) -> Recent:
    """Carry of rows of which nothing was seen."""
    return fresh_recent(n_rows, 1, max(windows))


def fit_departure(
    samples: Samples,
    *,
    floor: Floats,
    windows: tuple[int, ...],
    max_age_us: int,
    quantile: float = 0.999,
    min_count: int = 200,
) -> DepartureProfile:
    """Learn from a training stretch how far means usually go.

    Parameters
    ----------
    samples : Samples
        History; rows are places in `floor`. NaN is left out.
    floor : ndarray of float64, shape (n_rows,)
        Spread and distance that are never undercut: what the meter can resolve. [unit of the row]
    windows : tuple of int
        Lengths of the spans. [samples]
    max_age_us : int
        Samples older than this are left out of a mean. [µs]
    quantile : float
        Share of the means within the tail. [0-1]
    min_count : int
        Fewest means that a span needs. [samples]

    Returns
    -------
    DepartureProfile
    """
    n_rows = len(floor)
    level = fit_level(samples, floor=floor)
    fresh = fresh_departure(n_rows, windows)
    found = _means(samples, level, fresh, windows, max_age_us)[0]
    middle, tail = np.full((n_rows, len(windows)), np.nan), np.full((n_rows, len(windows)), np.nan)
    for k, window in enumerate(windows):
        mean = found.mean[k, :, 0]
        whole = np.isfinite(mean) & (found.length[k] >= window)
        row, mean = samples.row[whole], mean[whole]
        middle[:, k] = grouped_quantile(row, mean, n_rows, 0.5)
        tail[:, k] = grouped_quantile(row, np.abs(mean - middle[row, k]), n_rows, quantile)
        tail[np.bincount(row, minlength=n_rows) < min_count, k] = np.nan
    tail = np.maximum(tail, (floor / level.spread)[:, np.newaxis])
    return DepartureProfile(level, middle, np.where(tail > 0, tail, np.nan), windows)


def judge_departure(
    samples: Samples,
    profile: DepartureProfile,
    carry: Recent,
    *,
    limit: Floats,
    clear_limit: Floats,
    max_age_us: int,
) -> tuple[Verdicts, Recent]:
    """Hold means over the newest samples against their tails.

    Parameters
    ----------
    samples : Samples
        What came since the carry.
    profile : DepartureProfile
        What is usual.
    carry : Recent
        What the last step gave back.
    limit, clear_limit : ndarray of float64, shape (n_rows,)
        Distance beyond which it is a breach, and up to which it is fine again. [tails]
    max_age_us : int
        As in `fit_departure`. [µs]

    Returns
    -------
    tuple of Verdicts and Recent
        `value` is the distance over the span where it is greatest, negative below the middle; `limit` is on the
        same side. A sample without a value is UNKNOWN, though it may fall into known spans. [tails]

    Examples
    --------
    A level that moved within the range of single values:

    >>> rng = np.random.default_rng(0)
    >>> history = Samples(np.zeros(3000, np.int64), np.arange(3000), rng.normal(20, 2, 3000))
    >>> profile = fit_departure(history, floor=np.array([0.1]), windows=(1, 30), max_age_us=100)
    >>> moved = Samples(np.zeros(60, np.int64), np.arange(3000, 3060), rng.normal(23, 2, 60))
    >>> carry, one = fresh_departure(1, (1, 30)), np.ones(1)
    >>> found, _ = judge_departure(moved, profile, carry, limit=1.5 * one, clear_limit=one, max_age_us=100)
    >>> found.level[-1].item(), bool(found.value[-1] > 1.5)
    (2, True)
    """
    row = samples.row
    means, carry = _means(samples, profile.level, carry, profile.windows, max_age_us)
    away = (means.mean[:, :, 0].T - profile.middle[row]) / profile.tail[row]
    furthest = np.where(np.isfinite(away), np.abs(away), -1.0).argmax(axis=1)
    value = away[np.arange(len(row)), furthest]
    value[~np.isfinite(samples.value)] = np.nan
    level = np.full(len(row), Level.HOLD, np.int8)
    level[np.abs(value) > limit[row]] = Level.BREACH
    level[np.abs(value) <= clear_limit[row]] = Level.CLEAR
    level[np.isnan(value)] = Level.UNKNOWN
    return Verdicts(row, samples.time_us, level, value, np.copysign(limit[row], value)), carry


def _means(
    samples: Samples, level: LevelProfile, carry: Recent, windows: tuple[int, ...], max_age_us: int
) -> tuple[Means, Recent]:
    standard = standardise(samples, level).value[:, np.newaxis]
    return newest_means(samples.row, samples.time_us, standard, carry, windows=windows, max_age_us=max_age_us)
