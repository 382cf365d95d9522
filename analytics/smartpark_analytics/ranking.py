"""Parks among their peers: percentile and robust z within class and terrain, mix-adjusted intensity, progress.

A park is compared within the narrowest group that is large enough, and the result says which one that was. Parks
whose figures cover too little are shown and not ranked, and nobody is ranked against them. Refused here: one score
over all indicators, which would need weights that nobody has published.
"""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]

NORMAL_QUARTILE = 0.6745
"""Upper quartile of the standard normal distribution: makes the MAD of normal data read as a standard deviation."""


class PeerLevel(IntEnum):
    """The group that a park is compared within."""

    NONE = -1
    """Not even the province has enough parks."""
    CLASS_AND_TERRAIN = 0
    CLASS = 1
    PROVINCE = 2


class NotRanked(IntEnum):
    """Why a park has no rank."""

    IT_IS_RANKED = 0
    NOT_KNOWN = 1
    LOW_COVERAGE = 2
    """Shown, and not ranked."""
    TOO_FEW_PEERS = 3


@dataclass(frozen=True, slots=True)
class Ranking:
    """Parks in one indicator; arrays of shape (n_parks,)."""

    level: NDArray[np.int8]
    """`PeerLevel` that was used."""
    group_size: Ints
    """Ranked parks in that group, itself included; 0: none."""
    percentile: Floats
    """100 is best, 0 worst; ties share their middle. NaN: not ranked. [0-100]"""
    robust_z: Floats
    """Above zero is better than the group's median; NaN also where the group hardly differs. [1]"""
    reason: NDArray[np.int8]
    """`NotRanked` of each."""


@dataclass(frozen=True, slots=True)
class AdjustedIntensity:
    """Intensity as if the park had its group's mix of industries; arrays of shape (n_parks,)."""

    value: Floats
    """[unit of the intensities]"""
    own_share: Floats
    """Share of the group's mix for which the park has an intensity of its own. [0-1]"""


def rank_parks(
    values: Floats,
    *,
    higher_is_better: bool,
    right_skewed: bool,
    peer_class: Ints,
    terrain: Ints,
    coverage: Floats,
    min_group: int,
    min_coverage: float,
    winsor: float,
) -> Ranking:
    """Rank parks within their peers.

    Parameters
    ----------
    values : ndarray of float64, shape (n_parks,)
        One indicator; NaN: not known.
    higher_is_better : bool
        Direction of the indicator.
    right_skewed : bool
        Whether z is formed over logarithms; parks at zero or below then get none. The percentile is the same either
        way.
    peer_class, terrain : ndarray of int64, shape (n_parks,)
        Codes of the revenue class and of coast or mountain.
    coverage : ndarray of float64, shape (n_parks,)
        Share of the park's economy that the indicator covers; NaN counts as too little. [0-1]
    min_group : int
        Ranked parks that a group needs.
    min_coverage : float
        Coverage that a park needs. [0-1]
    winsor : float
        Bound of z in both directions. [1]

    Returns
    -------
    Ranking

    Examples
    --------
    Six parks of one class, two of them in the mountains, too few to be a group:

    >>> found = rank_parks(
    ...     np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6]), higher_is_better=False, right_skewed=False,
    ...     peer_class=np.ones(6, int), terrain=np.array([0, 0, 0, 0, 1, 1]), coverage=np.ones(6),
    ...     min_group=5, min_coverage=0.8, winsor=3.0)
    >>> found.percentile, PeerLevel(found.level[0]).name, found.robust_z.round(2)
    (array([100.,  80.,  60.,  40.,  20.,   0.]), 'CLASS', array([ 1.12,  0.67,  0.22, -0.22, -0.67, -1.12]))
    """
    known, covered = ~np.isnan(values), coverage >= min_coverage
    eligible = known & covered
    merit = np.where(eligible, values if higher_is_better else -values, np.nan)
    scale = _log_merit(values, eligible, higher_is_better=higher_is_better) if right_skewed else merit
    keys = _group_keys(peer_class, terrain)
    sizes = np.stack([_group_sizes(key, eligible) for key in keys])
    level, size = _narrowest(sizes, min_group)
    chosen = np.maximum(level, 0)[np.newaxis]
    percentile = np.take_along_axis(np.stack([_percentiles(merit, key) for key in keys]), chosen, axis=0)[0]
    z = np.take_along_axis(np.stack([_robust_z(scale, key) for key in keys]), chosen, axis=0)[0]
    reason = np.select(
        [~known, ~covered, level < 0], [NotRanked.NOT_KNOWN, NotRanked.LOW_COVERAGE, NotRanked.TOO_FEW_PEERS], 0
    )
    ranked = reason == 0
    return Ranking(
        level.astype(np.int8),
        size,
        np.where(ranked, percentile, np.nan),
        np.where(ranked, np.clip(z, -winsor, winsor), np.nan),
        reason.astype(np.int8),
    )


def progress(value: Floats, before: Floats, *, higher_is_better: bool) -> Floats:
    """Own improvement against the period before, in the indicator's good direction; ranked like any indicator.

    Parameters
    ----------
    value, before : ndarray of float64, shape (n_parks,)
        The indicator now, and the period before (by custom a year). [its unit]
    higher_is_better : bool
        Direction of the indicator.

    Returns
    -------
    ndarray of float64, shape (n_parks,)
        Above zero: better than before. NaN where the earlier value is missing or not above zero. [1]

    Examples
    --------
    >>> progress(np.array([0.18, 0.22]), np.array([0.20, 0.20]), higher_is_better=False).round(2)
    array([ 0.1, -0.1])
    """
    with np.errstate(invalid="ignore"):
        usable = before > 0.0
    change = np.divide(value - before, before, out=np.full(value.shape, np.nan), where=usable)
    return change if higher_is_better else -change


def industry_mix_adjusted(numerators: Floats, denominators: Floats, group: Ints) -> AdjustedIntensity:
    """Intensity with the sector shares of the group instead of the park's own.

    Without it a park of chemical works can never score well, however well they work. A sector that the group has and
    the park has not counts with the group's intensity of that sector, which neither helps nor harms; `own_share` says
    how much of the mix that leaves to the park.

    Parameters
    ----------
    numerators : ndarray of float64, shape (n_parks, n_sectors)
        Energy or carbon of each sector of each park; NaN: not known, counts as not there. [tce or t]
    denominators : ndarray of float64, shape (n_parks, n_sectors)
        Output or value added. [10^4 CNY]
    group : ndarray of int64, shape (n_parks,)
        Code of the park's peer group.

    Returns
    -------
    AdjustedIntensity
        adj = Σ_j s_j(group) I_j, NaN where the park has no sector of its own.

    Examples
    --------
    Both parks work alike in both sectors; only their mix differs:

    >>> found = industry_mix_adjusted(
    ...     np.array([[900.0, 10.0], [100.0, 90.0]]), np.array([[900.0, 100.0], [100.0, 900.0]]), np.zeros(2, int))
    >>> found.value.round(3), found.own_share
    (array([0.55, 0.55]), array([1., 1.]))
    """
    with np.errstate(invalid="ignore"):
        has = ~np.isnan(numerators) & (denominators > 0.0)
    energy, economy = np.where(has, numerators, 0.0), np.where(has, denominators, 0.0)
    codes = np.unique(group, return_inverse=True)[1]
    shape = (int(codes.max(initial=-1)) + 1, energy.shape[1])
    group_energy, group_economy = np.zeros(shape), np.zeros(shape)
    np.add.at(group_energy, codes, energy)
    np.add.at(group_economy, codes, economy)
    of_group = np.divide(group_energy, group_economy, out=np.zeros(shape), where=group_economy > 0.0)[codes]
    whole = np.sum(group_economy, axis=1, keepdims=True)
    shares = np.divide(group_economy, whole, out=np.zeros(shape), where=whole > 0.0)[codes]
    own = np.divide(energy, economy, out=of_group, where=has)
    own_share = np.sum(np.where(has, shares, 0.0), axis=1)
    return AdjustedIntensity(np.where(np.any(has, axis=1), np.sum(shares * own, axis=1), np.nan), own_share)


def _group_keys(peer_class: Ints, terrain: Ints) -> tuple[Ints, Ints, Ints]:
    """Group of each park at each level, as small numbers."""
    both = np.unique(np.stack([peer_class, terrain], axis=1), axis=0, return_inverse=True)[1].reshape(-1)
    classes = np.unique(peer_class, return_inverse=True)[1]
    return both.astype(np.int64), classes.astype(np.int64), np.zeros(peer_class.shape, np.int64)


def _group_sizes(key: Ints, eligible: Bools) -> Ints:
    """Eligible parks in the group of each park."""
    if key.size == 0:
        return key
    return np.bincount(key, weights=eligible).astype(np.int64)[key]


def _narrowest(sizes: Ints, min_group: int) -> tuple[Ints, Ints]:
    """First level whose group is large enough, and its size; -1 and 0 where none is."""
    enough = sizes >= min_group
    level = np.where(np.any(enough, axis=0), np.argmax(enough, axis=0), PeerLevel.NONE)
    size = np.take_along_axis(sizes, np.maximum(level, 0)[np.newaxis], axis=0)[0]
    return level.astype(np.int64), np.where(level >= 0, size, 0)


def _log_merit(values: Floats, eligible: Bools, *, higher_is_better: bool) -> Floats:
    logs = np.full(values.shape, np.nan)
    np.log(values, out=logs, where=eligible & (np.nan_to_num(values) > 0.0))
    return logs if higher_is_better else -logs


def _percentiles(merit: Floats, key: Ints) -> Floats:
    """Mid-rank percentile within the group, among those that have a merit."""
    counted = ~np.isnan(merit)
    sorted_key, sorted_merit = _sorted(merit, key)
    pairs = np.stack([sorted_key.astype(np.float64), sorted_merit])
    new = np.concatenate([[True], np.any(pairs[:, 1:] != pairs[:, :-1], axis=0)])[: sorted_key.size]
    run = np.cumsum(new) - 1
    first, length = np.flatnonzero(new), np.bincount(run)
    start, size = _group_spans(sorted_key)
    middle = first[run] + (length[run] - 1) / 2.0 - start
    ranks = np.where(size > 1, 100.0 * middle / np.maximum(size - 1, 1), np.nan)
    return _unsorted(ranks, merit, key, counted)


def _robust_z(scale: Floats, key: Ints) -> Floats:
    """Distance from the group's median in median absolute deviations; NaN where those are zero."""
    deviation = scale - _group_medians(scale, key)
    mad = _group_medians(np.abs(deviation), key)
    return np.divide(NORMAL_QUARTILE * deviation, mad, out=np.full(scale.shape, np.nan), where=mad > 0.0)


def _group_medians(values: Floats, key: Ints) -> Floats:
    """Median of the known values of each park's group."""
    sorted_key, sorted_values = _sorted(values, key)
    start, size = _group_spans(sorted_key)
    low, high = start + (size - 1) // 2, start + size // 2
    medians = sorted_values[low] / 2.0 + sorted_values[high] / 2.0
    by_key = np.full(int(key.max(initial=-1)) + 1, np.nan)
    by_key[sorted_key] = medians
    return by_key[key]


def _sorted(values: Floats, key: Ints) -> tuple[Ints, Floats]:
    """Known values by group and size."""
    order = _order(values, key)
    return key[order], values[order]


def _order(values: Floats, key: Ints) -> Ints:
    order = np.lexsort((values, key))
    return order[~np.isnan(values[order])]


def _group_spans(sorted_key: Ints) -> tuple[Ints, Ints]:
    """Position at which the group of each sorted value begins, and how many it has."""
    start = np.searchsorted(sorted_key, sorted_key, side="left")
    return start, np.searchsorted(sorted_key, sorted_key, side="right") - start


def _unsorted(ranks: Floats, values: Floats, key: Ints, counted: Bools) -> Floats:
    found = np.full(values.shape, np.nan)
    found[_order(values, key)] = ranks
    return np.where(counted, found, np.nan)
