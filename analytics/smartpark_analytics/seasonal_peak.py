"""Highest load of the last twelve months, after setting aside what cannot have been load.

What is set aside is counted and told, never repaired: a frozen meter, a lone spike, a multiple of the rating. A
maximum over a year that is half unknown is a lower bound and called so.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from smartpark.headroom_rules import HeadroomRule

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Screening:
    """Intervals that were set aside; arrays have shape (n_nodes, n_intervals)."""

    frozen: Bools
    """The same non-zero value for hours: a frozen meter. Its first interval is believed."""
    spike: Bools
    """A single interval far above its neighbours on both sides."""
    impossible: Bools
    """Above what the node could carry, or below zero."""

    @property
    def rejected(self) -> Bools:
        """Set aside for any reason."""
        return self.frozen | self.spike | self.impossible


@dataclass(frozen=True)
class SeasonalPeak:
    """Highest load of each node; arrays have shape (n_nodes,) unless said."""

    peak: Floats
    """Maximum of what is believed; NaN where nothing is. [kVA]"""
    interval: NDArray[np.intp]
    """Which interval; -1 where none."""
    completeness: Floats
    """Share of the intervals that is known and believed. [0-1]"""
    is_lower_bound: Bools
    """Too little is known to call it the year's maximum."""
    rejected: NDArray[np.intp]
    """Intervals set aside: frozen, spike, impossible; shape (n_nodes, 3)."""


def screen_load(apparent: Floats, rated: Floats, rule: HeadroomRule, *, interval_hours: float) -> Screening:
    """Find intervals that cannot have been load.

    Parameters
    ----------
    apparent : ndarray of float64, shape (n_nodes, n_intervals)
        Apparent power on a regular grid, NaN in gaps. [kVA]
    rated : ndarray of float64, shape (n_nodes,)
        Rating; NaN where not known. [kVA]
    rule : HeadroomRule
        What is believed.
    interval_hours : float
        Length of an interval. [h]

    Returns
    -------
    Screening

    Examples
    --------
    >>> from smartpark.headroom_rules import builtin_headroom_rules
    >>> rule = builtin_headroom_rules().headroom[0]
    >>> load = np.array([[50.0, 52.0, 400.0, 51.0, 50.0]])
    >>> screen_load(load, np.array([1000.0]), rule, interval_hours=0.25).spike.astype(int)
    array([[0, 0, 1, 0, 0]])
    """
    known = np.isfinite(apparent)
    impossible = known & ((apparent > rule.impossible_share * rated[:, np.newaxis]) | (apparent < 0))
    believed = np.where(impossible, np.nan, apparent)
    padded = np.pad(np.where(np.isfinite(believed), believed, np.nan), ((0, 0), (2, 2)), constant_values=np.nan)
    n = apparent.shape[1]
    before = np.fmax(padded[:, :n], padded[:, 1 : n + 1])
    after = np.fmax(padded[:, 3 : n + 3], padded[:, 4 : n + 4])
    # Beside a gap there is nothing to compare with: a peak is not doubted because the meter fell silent after it.
    spike = (believed > rule.spike_ratio * before) & (believed > rule.spike_ratio * after)
    least = max(2, round(rule.frozen_h / interval_hours))
    return Screening(_frozen(believed, least), spike, impossible)


def seasonal_peak(apparent: Floats, screening: Screening, rule: HeadroomRule) -> SeasonalPeak:
    """Maximum of what is believed, with how much that is.

    Parameters
    ----------
    apparent : ndarray of float64, shape (n_nodes, n_intervals)
        The last twelve months at 15 min; NaN in gaps. [kVA]
    screening : Screening
        What is set aside.
    rule : HeadroomRule
        Share of the year that must be known.

    Returns
    -------
    SeasonalPeak

    Examples
    --------
    >>> from smartpark.headroom_rules import builtin_headroom_rules
    >>> rule = builtin_headroom_rules().headroom[0]
    >>> load = np.array([[50.0, 52.0, 400.0, 51.0, 50.0]])
    >>> seasonal_peak(load, screen_load(load, np.array([1000.0]), rule, interval_hours=0.25), rule).peak
    array([52.])
    """
    believed = np.where(screening.rejected, np.nan, apparent)
    known = np.isfinite(believed)
    highest = np.where(known, believed, -np.inf)
    interval = highest.argmax(axis=1) if highest.shape[1] else np.zeros(len(highest), np.intp)
    found = known.any(axis=1)
    peak = np.where(found, highest.max(axis=1, initial=-np.inf), np.nan)
    completeness = known.mean(axis=1) if known.shape[1] else np.zeros(len(known))
    counts = [part.sum(axis=1) for part in (screening.frozen, screening.spike, screening.impossible)]
    return SeasonalPeak(
        peak,
        np.where(found, interval, -1),
        completeness,
        completeness < rule.least_completeness,
        np.stack(counts, axis=1).astype(np.intp),
    )


def _frozen(values: Floats, least: int) -> Bools:
    """All but the first of at least `least` equal values in a row; zero is a load that was switched off."""
    same = np.zeros(values.shape, dtype=bool)
    same[:, 1:] = (values[:, 1:] == values[:, :-1]) & (values[:, 1:] != 0)
    edges = np.pad(same, ((0, 0), (1, 1))).astype(np.int8)
    step = np.diff(edges, axis=1)
    row, start = np.nonzero(step == 1)
    _, end = np.nonzero(step == -1)
    long = end - start >= least - 1
    marks = np.zeros((len(values), values.shape[1] + 1), dtype=np.int32)
    np.add.at(marks, (row[long], start[long]), 1)
    np.add.at(marks, (row[long], end[long]), -1)
    return np.cumsum(marks, axis=1)[:, :-1] > 0
