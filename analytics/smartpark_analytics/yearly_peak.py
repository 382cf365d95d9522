"""Highest load of the coming year, as quantiles: seasonal curve times growth, with the scatter of weekly maxima.

A year has fifty-two weekly maxima, each near the curve of the season. How far they scatter makes a distribution of
extreme values for each week; the year's peak is the highest of them all. With less than a year of history nothing of
this is claimed: the answer then is the maximum seen so far, and is called that.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from smartpark.headroom_rules import YearlyPeakRule

METHOD = "yearly-peak/1"
"""Name and version of the method."""
WEEKS = 52
"""Weeks of a year."""
Floats = NDArray[np.float64]
_GRID = np.linspace(0.5, 3.0, 1001)
"""Multiples of the seasonal maximum at which the distribution is evaluated."""
_NODES = np.polynomial.hermite_e.hermegauss(9)


class PeakBasis(StrEnum):
    """What the yearly peak of a series rests on."""

    SEASON_AND_GROWTH = "season_and_growth"
    """A year of weekly maxima, and growth against the year before."""
    SEASON = "season"
    """A year of weekly maxima; no growth is claimed, because there are not two years of history."""
    SEEN_SO_FAR = "seen_so_far"
    """Less than a year: the highest week so far, without any quantile."""
    NONE = "none"
    """No week is known."""


@dataclass(frozen=True)
class YearlyPeak:
    """Yearly peak of several series; arrays have shape (n_series,) unless said."""

    values: Floats
    """Quantiles, shape (n_series, n_quantiles), ascending; all equal to the highest week where nothing more is known.
    [as weekly maxima]"""
    quantiles: tuple[float, ...]
    """Which ones. [0-1]"""
    highest_week: Floats
    """Highest known weekly maximum of the last 52 weeks: the seasonal maximum. [as weekly maxima]"""
    growth: Floats
    """Level of the last 52 weeks over that of the 52 before; 1 where it is not known. [1]"""
    weeks_known: NDArray[np.intp]
    """Known weeks of the last 52."""
    basis: tuple[PeakBasis, ...]
    """What each series' answer rests on."""


def weekly_maxima(load: Floats, *, slots_per_week: int, rule: YearlyPeakRule) -> Floats:
    """Highest load of each whole week, counted back from the end.

    Parameters
    ----------
    load : ndarray of float64, shape (n_series, n_slots)
        After screening; NaN in gaps. [any unit]
    slots_per_week : int
        672 quarter-hours or 168 hours.
    rule : YearlyPeakRule
        Share of a week that must be known.

    Returns
    -------
    ndarray of float64, shape (n_series, n_slots // slots_per_week)
        NaN where too little of the week is known.

    Examples
    --------
    >>> from smartpark.headroom_rules import builtin_headroom_rules
    >>> rule = builtin_headroom_rules().yearly_peak[0]
    >>> weekly_maxima(np.array([[1.0, 3.0, 2.0, np.nan]]), slots_per_week=2, rule=rule)
    array([[ 3., nan]])
    """
    weeks = load.shape[1] // slots_per_week
    rows = load[:, load.shape[1] - weeks * slots_per_week :].reshape(len(load), weeks, slots_per_week)
    known = np.isfinite(rows)
    highest = np.where(known, rows, -np.inf).max(axis=2, initial=-np.inf)
    return np.where(known.mean(axis=2) >= rule.least_week_completeness, highest, np.nan)


def yearly_peak(
    maxima: Floats, rule: YearlyPeakRule, *, quantiles: tuple[float, ...] = (0.1, 0.5, 0.9)
) -> YearlyPeak:
    """Highest load of the coming 52 weeks.

    Parameters
    ----------
    maxima : ndarray of float64, shape (n_series, n_weeks)
        Weekly maxima up to now, oldest first; NaN where not known. [any unit]
    rule : YearlyPeakRule
        What it needs.
    quantiles : tuple of float
        Ascending. [0-1]

    Returns
    -------
    YearlyPeak

    Notes
    -----
    The season is the median over `season_weeks` weeks around each week of the last year, taken in a circle. Relative
    deviations of the weekly maxima from it are given a Gumbel distribution by their median and upper decile; the
    peak's distribution is the product over the weeks, averaged over an uncertainty of the year's level.

    References
    ----------
    Gumbel, E. J. (1958), Statistics of Extremes, Columbia University Press, section 5.2.

    Examples
    --------
    Ten weeks are no year:

    >>> from smartpark.headroom_rules import builtin_headroom_rules
    >>> peak = yearly_peak(np.full((1, 10), 700.0), builtin_headroom_rules().yearly_peak[0])
    >>> peak.values, peak.basis
    (array([[700., 700., 700.]]), (<PeakBasis.SEEN_SO_FAR: 'seen_so_far'>,))
    """
    last = _last_weeks(maxima, WEEKS)
    before = _last_weeks(maxima[:, : max(0, maxima.shape[1] - WEEKS)], WEEKS)
    known = np.isfinite(last)
    weeks_known = known.sum(axis=1)
    highest = np.where(weeks_known > 0, np.where(known, last, -np.inf).max(axis=1), np.nan)
    growth, has_growth = _growth(last, before, rule, has_years=maxima.shape[1] >= rule.growth_weeks)
    has_year = weeks_known >= rule.least_weeks
    modelled = _modelled(np.where(has_year[:, np.newaxis], last, 1.0), growth, rule, quantiles)
    values = np.where(has_year[:, np.newaxis], modelled, highest[:, np.newaxis])
    basis = tuple(_basis(*row) for row in zip(weeks_known, has_year, has_growth, strict=True))
    return YearlyPeak(values, quantiles, highest, np.where(has_year, growth, 1.0), weeks_known, basis)


def _basis(weeks: int, has_year: bool, has_growth: bool) -> PeakBasis:  # noqa: FBT001  columns of a table
    if weeks == 0:
        return PeakBasis.NONE
    if not has_year:
        return PeakBasis.SEEN_SO_FAR
    return PeakBasis.SEASON_AND_GROWTH if has_growth else PeakBasis.SEASON


def _last_weeks(maxima: Floats, weeks: int) -> Floats:
    """The newest `weeks` columns; NaN where the history does not reach."""
    missing = max(0, weeks - maxima.shape[1])
    return np.pad(maxima[:, -weeks:], ((0, 0), (missing, 0)), constant_values=np.nan)


def _growth(
    last: Floats, before: Floats, rule: YearlyPeakRule, *, has_years: bool
) -> tuple[Floats, NDArray[np.bool_]]:
    """Level against the same weeks a year before, where enough of them are known in both years."""
    both = np.isfinite(last) & np.isfinite(before)
    now, then = np.where(both, last, 0.0).sum(axis=1), np.where(both, before, 0.0).sum(axis=1)
    enough = (both.sum(axis=1) >= rule.least_weeks) & (then > 0) & has_years
    return np.where(enough, now / np.where(then > 0, then, 1.0), 1.0), enough


def _modelled(last: Floats, growth: Floats, rule: YearlyPeakRule, quantiles: tuple[float, ...]) -> Floats:
    if not len(last):
        return np.empty((0, len(quantiles)))
    season = _season(last, rule.season_weeks)
    deviation = np.where(np.isfinite(last), last / season - 1.0, np.nan)
    # Weeks of holidays lie far below the season and say nothing about its top: the upper half makes the fit.
    middle, upper = np.nanquantile(deviation, [0.5, 0.9], axis=1)
    scale = np.maximum((upper - middle) / (_gumbel(0.9) - _gumbel(0.5)), 1e-6)
    place = middle - _gumbel(0.5) * scale
    top = season.max(axis=1)
    share = season / top[:, np.newaxis]
    chance = np.zeros((len(last), _GRID.size))
    for node, weight in zip(*_NODES, strict=True):
        level = np.exp(rule.level_spread * node)
        relative = _GRID[:, np.newaxis] / (level * share[:, np.newaxis, :]) - 1.0
        steps = (relative - place[:, np.newaxis, np.newaxis]) / scale[:, np.newaxis, np.newaxis]
        chance += weight * np.exp(-np.exp(np.clip(-steps, None, 700.0)).sum(axis=2))
    chance = np.maximum.accumulate(chance / np.sqrt(2 * np.pi), axis=1)
    cuts = (chance[:, :, np.newaxis] < np.asarray(quantiles)).sum(axis=1)
    found = _GRID[np.minimum(cuts, _GRID.size - 1)]
    return found * (top * growth)[:, np.newaxis]


def _gumbel(share: float) -> float:
    """Quantile of the standard Gumbel distribution."""
    return float(-np.log(-np.log(share)))


def _season(last: Floats, width: int) -> Floats:
    """Median around each week, taken in a circle: the year's end is beside its beginning."""
    around = np.stack([np.roll(last, shift, axis=1) for shift in range(-(width // 2), width // 2 + 1)])
    known = np.where(np.isfinite(around).any(axis=0), around, np.nanmax(last, axis=1)[:, np.newaxis])
    return np.nanmedian(known, axis=0)
