"""What a detector has to be better than: plain ways, each with its limit fixed beforehand.

Three sigma is the rule of its name, and stands there a second time with the number of sigmas that was best. That, the
limits of the other two, and ours were chosen on development files that are not scored (docs/methods/alerts.md).
"""

from typing import NamedTuple

import numpy as np
from methods import Floats, Judge, Stretch

MAD_TO_SIGMA = 1.4826
SEED = 20_261_123


class Sigma(NamedTuple):
    """A value further from the mean of what was learnt than so many standard deviations, in any channel."""

    sigmas: float

    def fit(self, train: Stretch) -> Judge:
        """Mean and standard deviation of each channel."""
        mean, deviation = np.nanmean(train.values, axis=0), np.nanstd(train.values, axis=0)
        scale = self.sigmas * np.where(deviation > 0, deviation, np.nan)

        def judge(stretch: Stretch) -> Floats:
            return most(np.abs(stretch.values - mean) / scale)

        return judge


class SeasonalNaive(NamedTuple):
    """A value that differs from that of the season before by more than such differences used to."""

    seasons: tuple[int, ...]
    """Lengths of a season, the best first; the first that was learnt from at least twice is taken. [samples]"""
    limit: float = 3.0
    """[robust standard deviations of the differences in what was learnt]"""

    def fit(self, train: Stretch) -> Judge:
        """The last season, and how much it differs from those before."""
        n = len(train.values)
        season = next((length for length in self.seasons if 2 * length <= n), max(n // 2, 1))
        away = train.values[season:] - train.values[:-season]
        spread = MAD_TO_SIGMA * np.nanmedian(np.abs(away - np.nanmedian(away, axis=0)), axis=0)
        scale = self.limit * np.where(spread > 0, spread, np.nan)
        last = train.values[-season:]

        def judge(stretch: Stretch) -> Floats:
            usual = last[np.arange(len(stretch.values)) % season]
            return most(np.abs(stretch.values - usual) / scale)

        return judge


class Forest(NamedTuple):
    """scikit-learn's isolation forest; the limit is a quantile of what was learnt."""

    share: float
    """Share of the samples learnt from that lie beyond the limit."""
    lags: int = 1
    """How many values in a row make one sample for the forest. [samples]"""
    trees: int = 100

    def fit(self, train: Stretch) -> Judge:
        """A forest of the known samples."""
        # It takes a second to load, and most who import this module grow none.
        from sklearn.ensemble import IsolationForest  # noqa: PLC0415

        points = lagged(train.values, self.lags)
        known = np.isfinite(points).all(axis=1)
        forest = IsolationForest(n_estimators=self.trees, random_state=SEED).fit(points[known])
        limit = np.quantile(-forest.score_samples(points[known]), 1.0 - self.share)
        before = train.values[len(train.values) - self.lags + 1 :]

        def judge(stretch: Stretch) -> Floats:
            asked = lagged(np.concatenate([before, stretch.values]), self.lags)
            some = np.isfinite(asked).all(axis=1)
            scores = np.full(len(asked), np.nan)
            scores[some] = -forest.score_samples(asked[some]) / limit
            return scores

        return judge


class Always(NamedTuple):
    """An alarm at every moment: what a figure is worth that it reaches too."""

    def fit(self, train: Stretch) -> Judge:
        """Nothing is learnt."""
        del train
        return lambda stretch: np.full(len(stretch.values), 2.0)


def most(scores: Floats) -> Floats:
    """Greatest score of the channels; NaN where none is known."""
    known = np.isfinite(scores).any(axis=1)
    found = np.full(len(scores), np.nan)
    found[known] = np.nanmax(scores[known], axis=1)
    return found


def lagged(values: Floats, lags: int) -> Floats:
    """Each sample with those before it as one row, shape (n - lags + 1, lags * n_channels)."""
    windows = np.lib.stride_tricks.sliding_window_view(values, lags, axis=0)
    return windows.reshape(len(windows), -1)
