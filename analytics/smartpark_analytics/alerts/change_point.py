"""Whether the level of a series has changed: two cumulative sums, one for a rise and one for a fall, on residuals.

What comes in are residuals in robust standard deviations, as `standardise` makes them of a training stretch or as a
seasonal profile leaves them. Each sum adds what a residual exceeds the `drift` by, never falls below zero and never
exceeds `bound`: so a lone spike, which is cut, cannot raise an alarm, and after a long change the sum comes back in a
bounded time. Sums are whole numbers, so judging in steps comes to the same as judging at once to the last bit.

Refused: saying why a level changed. A sample without a value changes nothing and is UNKNOWN.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from smartpark_analytics.alerts.robust import FINE, grouped_middle_and_spread
from smartpark_analytics.alerts.samples import NOT_YET_US, Floats, Ints, Level, Samples, Verdicts

Bools = NDArray[np.bool_]


class LevelProfile(NamedTuple):
    """Usual level and spread of each row; NaN where too little is known."""

    middle: Floats
    """Shape (n_rows,). [unit of the row]"""
    spread: Floats
    """One robust standard deviation, shape (n_rows,). [unit of the row]"""


class ChangeCarry(NamedTuple):
    """Sums after the last sample. Each of shape (n_rows,)."""

    rise: Ints
    """[1/`FINE` spread]"""
    fall: Ints
    """[1/`FINE` spread]"""
    seen_us: Ints
    """Newest sample with a value; `NOT_YET_US` before all. [µs]"""


def fresh_change(n_rows: int) -> ChangeCarry:
    """Carry of rows of which nothing was seen."""
    return ChangeCarry(np.zeros(n_rows, np.int64), np.zeros(n_rows, np.int64), np.full(n_rows, NOT_YET_US))


def change_lookback_us(*, bound: float, drift: float, interval_us: int) -> int:
    """History after which a sum has forgotten what it was before, if the series is quiet meanwhile [µs]."""
    return int(np.ceil(bound / drift)) * interval_us


def fit_level(samples: Samples, *, floor: Floats, min_count: int = 30) -> LevelProfile:
    """Median and spread of each row of a training stretch.

    Parameters
    ----------
    samples : Samples
        History; rows are places in `floor`. NaN is left out.
    floor : ndarray of float64, shape (n_rows,)
        Spread that is never undercut. [unit of the row]
    min_count : int
        Fewest samples that a row needs. [samples]

    Returns
    -------
    LevelProfile
    """
    n_rows = len(floor)
    known = np.isfinite(samples.value)
    row, value = samples.row[known], samples.value[known]
    middle, spread = grouped_middle_and_spread(row, value, n_rows)
    spread = np.fmax(spread, floor)
    unknown = (np.bincount(row, minlength=n_rows) < min_count) | ~(spread > 0)
    middle[unknown], spread[unknown] = np.nan, np.nan
    return LevelProfile(middle, spread)


def standardise(samples: Samples, profile: LevelProfile) -> Samples:
    """Residuals in spreads of their rows."""
    value = (samples.value - profile.middle[samples.row]) / profile.spread[samples.row]
    return Samples(samples.row, samples.time_us, value)


def judge_change(
    residuals: Samples,
    carry: ChangeCarry,
    *,
    drift: Floats,
    threshold: Floats,
    clear_threshold: Floats,
    bound: Floats,
    cut: Floats,
    max_gap_us: Ints,
) -> tuple[Verdicts, ChangeCarry]:
    """Hold cumulative sums against a threshold.

    Parameters
    ----------
    residuals : Samples
        What came since the carry. [spreads]
    carry : ChangeCarry
        What the last step gave back.
    drift : ndarray of float64, shape (n_rows,)
        Half the change that matters: what smaller ones add is taken off again. [spreads]
    threshold, clear_threshold : ndarray of float64, shape (n_rows,)
        Sum beyond which the level counts as changed, and up to which it is fine again. [spreads]
    bound : ndarray of float64, shape (n_rows,)
        Largest sum; not below `threshold`. [spreads]
    cut : ndarray of float64, shape (n_rows,)
        Residuals count no more than this. Below `threshold` + `drift`, no single sample can breach. [spreads]
    max_gap_us : ndarray of int64, shape (n_rows,)
        After a longer silence the sums begin anew. [µs]

    Returns
    -------
    tuple of Verdicts and ChangeCarry
        `value` is the greater of the two sums, that of a fall negative; `limit` the threshold on that side. [spreads]

    Examples
    --------
    A level that rises by two spreads:

    >>> ones = np.ones(1)
    >>> series = Samples(np.zeros(8, np.int64), np.arange(8), np.array([0, 0, 0, 2.0, 2, 2, 2, 2]))
    >>> found, carry = judge_change(series, fresh_change(1), drift=ones, threshold=4 * ones, clear_threshold=ones,
    ...     bound=9 * ones, cut=3 * ones, max_gap_us=np.array([10]))
    >>> found.value.tolist(), found.level.tolist()
    ([0.0, 0.0, 0.0, 1.0, 2.0, 3.0, 4.0, 5.0], [0, 0, 0, 0, 1, 1, 1, 2])

    References
    ----------
    Page, Biometrika 41 (1954) 100: continuous inspection schemes. Lucas & Crosier, Technometrics 24 (1982) 199:
    robustness by cutting.
    """
    known = np.isfinite(residuals.value)
    row, time_us = residuals.row[known], residuals.time_us[known]
    step = np.clip(residuals.value[known], -cut[row], cut[row])
    before_us = _before(row, time_us, carry.seen_us)
    anew = (before_us != NOT_YET_US) & (time_us - before_us > max_gap_us[row])
    bounds = np.rint(bound * FINE).astype(np.int64)[row]
    rise = bounded_sums(row, _fine(step - drift[row]), bounds, anew, carry.rise)
    fall = bounded_sums(row, _fine(-step - drift[row]), bounds, anew, carry.fall)
    seen_us = carry.seen_us.copy()
    last = _last_of_rows(row)
    seen_us[row[last]] = time_us[last]
    return _verdicts(residuals, known, rise, fall, threshold=threshold, clear_threshold=clear_threshold), ChangeCarry(
        _after(row, rise, carry.rise), _after(row, fall, carry.fall), seen_us
    )


def bounded_sums(row: Ints, step: Ints, bound: Ints, anew: Bools, start: Ints) -> Ints:
    """Running sums that stay between zero and a bound.

    Adding and cutting on both sides, one after another, is again adding and cutting on both sides. So the sums of a
    row come from doubling strides, in about log2(n) passes over all rows at once.

    Parameters
    ----------
    row, step, bound : ndarray of int64, shape (n,)
        Row of each step, what it adds, and the largest sum.
    anew : ndarray of bool, shape (n,)
        Whether the sum before the step counts as zero.
    start : ndarray of int64, shape (n_rows,)
        Sum before the first step.

    Returns
    -------
    ndarray of int64, shape (n,)

    Examples
    --------
    >>> zeros = np.zeros(5, np.int64)
    >>> bounded_sums(zeros, np.array([3, -5, 4, 4, -1]), zeros + 6, zeros > 0, np.array([1])).tolist()
    [4, 0, 4, 6, 5]
    """
    add, low, high = step.copy(), np.zeros_like(step), bound.copy()
    # A step that begins anew gives the same whatever was before: both cuts lie where it leads from zero.
    fixed = np.clip(step, 0, bound)
    low[anew], high[anew] = fixed[anew], fixed[anew]
    first = np.searchsorted(row, row, side="left")
    place = np.arange(len(row))
    stride = 1
    while stride < len(row) and (longer := place - stride >= first).any():
        late = np.flatnonzero(longer)
        early = late - stride
        low_there, high_there = low[late], high[late]
        shifted_low = np.clip(low[early] + add[late], low_there, high_there)
        shifted_high = np.clip(high[early] + add[late], low_there, high_there)
        add[late] = add[late] + add[early]
        low[late], high[late] = shifted_low, shifted_high
        stride *= 2
    return np.clip(start[row] + add, low, high)


def _fine(value: Floats) -> Ints:
    return np.rint(value * FINE).astype(np.int64)


def _before(row: Ints, time_us: Ints, seen_us: Ints) -> Ints:
    """Moment of the sample before, in its row."""
    found = np.empty_like(time_us)
    found[1:] = time_us[:-1]
    first = np.flatnonzero(np.diff(row, prepend=-1))
    found[first] = seen_us[row[first]]
    return found


def _last_of_rows(row: Ints) -> Ints:
    return np.flatnonzero(np.diff(row, append=-1))


def _after(row: Ints, sums: Ints, before: Ints) -> Ints:
    after = before.copy()
    last = _last_of_rows(row)
    after[row[last]] = sums[last]
    return after


def _verdicts(
    residuals: Samples, known: Bools, rise: Ints, fall: Ints, *, threshold: Floats, clear_threshold: Floats
) -> Verdicts:
    """The greater sum of each sample against the threshold on its side."""
    row = residuals.row[known]
    side = np.where(rise >= fall, 1.0, -1.0)
    greater = np.maximum(rise, fall)
    level = np.full(len(residuals.row), Level.UNKNOWN, np.int8)
    above = greater > np.rint(threshold * FINE)[row]
    below = greater <= np.rint(clear_threshold * FINE)[row]
    level[known] = np.where(above, Level.BREACH, np.where(below, Level.CLEAR, Level.HOLD))
    value, limit = np.full(len(level), np.nan), np.full(len(level), np.nan)
    value[known], limit[known] = side * greater / FINE, side * threshold[row]
    return Verdicts(residuals.row, residuals.time_us, level, value, limit)
