"""The platform's detectors as methods of the score: nothing is judged here that is not judged in analytics."""

from typing import NamedTuple

import numpy as np
from methods import Floats, Judge, Stretch
from smartpark_analytics.alerts.departure import fit_departure, fresh_departure, judge_departure
from smartpark_analytics.alerts.multivariate import Vectors, fit_channels, fresh_channels, judge_channels
from smartpark_analytics.alerts.samples import Samples
from smartpark_analytics.alerts.seasonal_profile import Days, fit_seasonal, seasonal_gain, usual_values

DAY_US = 86_400_000_000
SLOT_US = 1_800_000_000
"""Half an hour: a slot of the seasonal profile."""


class Channels(NamedTuple):
    """`multivariate`: the robust distance of the newest means of all channels."""

    window: int
    limit: float
    """[usual distances]"""
    max_age_us: int

    def fit(self, train: Stretch) -> Judge:
        """Learn what is usual; the newest samples go on into what is judged."""
        learnt = _vectors(train)
        profile = fit_channels(learnt, 1, window=self.window, max_age_us=self.max_age_us)
        limit = np.full(1, self.limit)
        carry = fresh_channels(1, train.values.shape[1], self.window)
        chosen = {"limit": limit, "clear_limit": limit, "max_age_us": self.max_age_us}
        _, carry = judge_channels(learnt, profile, carry, **chosen)

        def judge(stretch: Stretch) -> Floats:
            found, _ = judge_channels(_vectors(stretch), profile, carry, **chosen)
            return found.value / found.limit

        return judge


class Departures(NamedTuple):
    """`seasonal_profile`, where the clock explains something, and `departure` on what it leaves."""

    windows: tuple[int, ...]
    limit: float
    """[tails]"""
    max_age_us: int
    gain: float = 0.8
    """The profile is taken where it leaves less than this of the spread, on history it has not seen."""
    min_days: int = 7
    """Days of a kind that a slot must have been seen on."""

    def fit(self, train: Stretch) -> Judge:
        """Learn what is usual; the newest samples go on into what is judged."""
        history = _samples(train)
        floor = np.zeros(1)
        days = _days(train)
        season = {"floor": floor, "slot_us": SLOT_US, "min_days": self.min_days}
        helps = seasonal_gain(history, days, **season)[0] < self.gain
        seasonal = fit_seasonal(history, days, **season) if helps else None

        def residuals(samples: Samples, of_days: Days) -> Samples:
            if seasonal is None:
                return samples
            middle, _ = usual_values(samples, seasonal, of_days)
            return samples._replace(value=samples.value - middle)

        learnt = residuals(history, days)
        profile = fit_departure(learnt, floor=floor, windows=self.windows, max_age_us=self.max_age_us)
        limit = np.full(1, self.limit)
        chosen = {"limit": limit, "clear_limit": limit, "max_age_us": self.max_age_us}
        _, carry = judge_departure(learnt, profile, fresh_departure(1, self.windows), **chosen)

        def judge(stretch: Stretch) -> Floats:
            asked = residuals(_samples(stretch), _days(stretch))
            found, _ = judge_departure(asked, profile, carry, **chosen)
            return found.value / found.limit

        return judge


def _days(stretch: Stretch) -> Days:
    """Days of the clock the stretch is told in: by whether it is a weekend, and all alike."""
    first, last = stretch.time_us[0] // DAY_US, stretch.time_us[-1] // DAY_US
    day = np.arange(first, last + 2)
    weekday = (day[:-1] + 3) % 7  # 1970-01-01 was a Thursday
    return Days(day * DAY_US, np.stack([(weekday >= 5).astype(np.int64), np.zeros_like(weekday)]))


def _samples(stretch: Stretch) -> Samples:
    return Samples(np.zeros(len(stretch.time_us), np.int64), stretch.time_us, stretch.values[:, 0])


def _vectors(stretch: Stretch) -> Vectors:
    return Vectors(np.zeros(len(stretch.time_us), np.int64), stretch.time_us, stretch.values)
