"""The hour of a stack that is still open: whether its mean will exceed the limit, told while something can be done.

What has been measured of the hour is known, the rest is taken to stay as it is now; both concentration and oxygen are
means of the hour before they are corrected, as in `cems_stack`. Minutes that do not count (maintenance, calibration,
fault, stand-still) come as NaN and are not judged. Whether the hour was kept is `stack_limits`' to say.
"""

from typing import NamedTuple

import numpy as np

from smartpark_analytics.alerts.companions import Latest, as_of, latest_after, nothing_yet
from smartpark_analytics.alerts.recursion import put, sums_in_runs
from smartpark_analytics.alerts.rows import in_order
from smartpark_analytics.alerts.samples import NOT_YET_US, Floats, Ints, Samples, Verdicts
from smartpark_analytics.alerts.stack_limits import StackLimits, emission_levels
from smartpark_analytics.cems import corrected_concentration

_HOUR_US = 3_600_000_000
_MINUTE_US = 60_000_000
_STEPS = 1e6
"""Sums are integers of millionths: exact, so that cuts between steps change nothing."""


class HourCarry(NamedTuple):
    """The hour so far of each series; arrays have shape (n_series,) unless said."""

    time_us: Ints
    """Last sample. [µs]"""
    counted: Ints
    """Samples of its hour that counted, in millionths like the sums below."""
    concentration: Ints
    """Their sum. [1e-6 mg/m3]"""
    oxygen: Ints
    """Sum of the oxygen beside them. [1e-6 %]"""
    latest: Latest
    """Newest oxygen, shape (n_stacks,). [%]"""


class HourWarnings(NamedTuple):
    """Verdicts at the minutes; arrays have shape (n,)."""

    verdicts: Verdicts
    """Value: forecast of the hour's corrected mean [mg/m3]; limit: share of the outlet's [mg/m3]."""
    minutes_left: Floats
    """Until the hour is over. [min]"""


def hour_carry(n_series: int, n_stacks: int) -> HourCarry:
    """Carry of stacks that have not spoken."""
    zero = np.zeros(n_series, np.int64)
    return HourCarry(np.full(n_series, NOT_YET_US, np.int64), zero, zero, zero, nothing_yet(n_stacks))


def hour_lookback_us() -> int:
    """History from which a carry is rebuilt: the open hour. [µs]."""
    return _HOUR_US


def hour_warning(
    concentration: Samples,
    oxygen: Samples,
    limits: StackLimits,
    carry: HourCarry,
    *,
    oxygen_of: Ints,
    rhythm_us: int,
    least_minutes: float,
) -> tuple[HourWarnings, HourCarry]:
    """Warn of hours that will exceed the limit.

    Parameters
    ----------
    concentration : Samples
        Means of a minute (or of `rhythm_us`) of each series, measured, with the start of that span; NaN where the
        flag is not N. [mg/m3]
    oxygen : Samples
        Of the stacks. [%]
    limits : StackLimits, shape (n_series,)
        With the share at which to warn.
    carry : HourCarry
        From `hour_carry`, or from the step before.
    oxygen_of : ndarray of int64, shape (n_series,)
        Row of the oxygen of each series.
    rhythm_us : int
        Length of the span that a sample stands for; oxygen older than two of them is not known. [µs]
    least_minutes : float
        Minutes that must have counted before anything is said of the hour. [min]

    Returns
    -------
    warnings : HourWarnings
        One for each sample of a concentration.
    carry : HourCarry

    Examples
    --------
    Half an hour at 40, then 80: the hour would come to 60 mg/m3, above 50.

    >>> minutes = np.arange(31)
    >>> dust = Samples(np.zeros(31, np.int64), minutes * _MINUTE_US, np.where(minutes < 30, 40.0, 80.0))
    >>> air = Samples(np.zeros(31, np.int64), minutes * _MINUTE_US, np.full(31, 9.0))
    >>> found, _ = hour_warning(
    ...     dust, air, StackLimits(np.array([50.0]), np.array([9.0])), hour_carry(1, 1),
    ...     oxygen_of=np.zeros(1, np.int64), rhythm_us=_MINUTE_US, least_minutes=5,
    ... )
    >>> found.verdicts.value[-1:], found.verdicts.level[-2:], found.minutes_left[-1:]
    (array([60.]), array([0, 2], dtype=int8), array([29.]))
    """
    row, time, value = concentration
    opens = in_order(row, time, limits.limit.size, carry.time_us)
    beside = as_of(oxygen, oxygen_of[row], time, carry.latest, max_age_us=2 * rhythm_us)
    counts = np.isfinite(value) & np.isfinite(beside)
    same_hour = opens & (carry.time_us[row] >= time - time % _HOUR_US)
    is_start = opens | (np.diff(time // _HOUR_US, prepend=-1) != 0)

    def so_far(parts: Floats, before: Ints) -> Ints:
        steps = np.rint(np.where(counts, parts, 0.0) * _STEPS).astype(np.int64)
        return sums_in_runs(steps + np.where(same_hour, before[row], 0), is_start)

    count = so_far(np.ones(value.size), carry.counted)
    sums = so_far(value, carry.concentration), so_far(beside, carry.oxygen)
    left_us = np.maximum(_HOUR_US - time % _HOUR_US - rhythm_us, 0)
    ahead = left_us / rhythm_us
    n = np.maximum(count / _STEPS + ahead, 1.0)
    corrected = corrected_concentration(
        (sums[0] / _STEPS + value * ahead) / n, (sums[1] / _STEPS + beside * ahead) / n, limits.reference_oxygen[row]
    )
    is_enough = count / _STEPS * rhythm_us >= least_minutes * _MINUTE_US
    forecast = np.where(is_enough, corrected.value, np.nan)
    each = StackLimits(limits.limit[row], limits.reference_oxygen[row], limits.share, limits.clear_share)
    level, bound = emission_levels(forecast[:, np.newaxis], corrected.flags[:, np.newaxis], each)
    last = np.flatnonzero(np.diff(row, append=-1) != 0)
    after = HourCarry(
        put(carry.time_us, row[last], time[last]),
        put(carry.counted, row[last], count[last]),
        put(carry.concentration, row[last], sums[0][last]),
        put(carry.oxygen, row[last], sums[1][last]),
        latest_after(carry.latest, oxygen),
    )
    return HourWarnings(Verdicts(row, time, level[:, 0], forecast, bound), left_us / _MINUTE_US), after
