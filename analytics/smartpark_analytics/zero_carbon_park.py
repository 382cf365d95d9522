"""National zero-carbon parks: one core indicator with thresholds by annual energy, and five guiding ones.

Thresholds are dated, graded rows that the caller hands in; none lives here. A park below the smallest annual energy
of the rows has no threshold, which is not the same as passing.
"""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class Verdict(IntEnum):
    """How a park stands in one indicator."""

    NOT_KNOWN = -1
    """Its value is not known."""
    FAILS = 0
    PASSES = 1
    NO_THRESHOLD = 2
    """No row is for a park of this annual energy."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Parks against a threshold; arrays of shape (n_parks,)."""

    value: Floats
    """The indicator. [its unit]"""
    limit: Floats
    """Threshold for the park's annual energy; NaN: there is none. [unit of the indicator]"""
    gap: Floats
    """How far it is short of the threshold; zero or less: reached. [unit of the indicator]"""
    verdict: NDArray[np.int8]
    """`Verdict` of each."""


def threshold_by_energy(annual_energy: Floats, lower_bounds: Floats, limits: Floats) -> Floats:
    """Threshold for each park's annual energy: that of the highest lower bound it reaches.

    Parameters
    ----------
    annual_energy : ndarray of float64, shape (n_parks,)
        Comprehensive energy of a whole year; NaN: not known. [tce]
    lower_bounds : ndarray of float64, shape (n_rows,)
        Annual energy from which on a row applies, ascending. [tce]
    limits : ndarray of float64, shape (n_rows,)
        Threshold of each row. [unit of the indicator]

    Returns
    -------
    ndarray of float64, shape (n_parks,)
        NaN below the first bound, and where the energy is not known.

    Examples
    --------
    >>> threshold_by_energy(np.array([5e4, 5e5, 1e6]), np.array([2e5, 1e6]), np.array([0.20, 0.30]))
    array([nan, 0.2, 0.3])
    """
    row = np.searchsorted(lower_bounds, annual_energy, side="right") - 1
    with_none = np.concatenate([limits, [np.nan]])
    return np.where(np.isnan(annual_energy), np.nan, with_none[row])


def standing(value: Floats, limit: Floats, *, at_most: bool) -> Standing:
    """Gap to the threshold, and whether it is reached.

    Parameters
    ----------
    value : ndarray of float64, shape (n_parks,)
        [unit of the indicator]
    limit : ndarray of float64, shape (n_parks,)
        NaN: there is none. [unit of the indicator]
    at_most : bool
        Whether the limit bounds from above (carbon per energy) or from below (shares).

    Returns
    -------
    Standing

    Examples
    --------
    >>> found = standing(np.array([2.91, 0.15]), np.array([0.2, 0.2]), at_most=True)
    >>> found.gap.round(2), [Verdict(v).name for v in found.verdict]
    (array([ 2.71, -0.05]), ['FAILS', 'PASSES'])
    """
    gap = value - limit if at_most else limit - value
    verdict = np.where(gap <= 0.0, Verdict.PASSES, Verdict.FAILS)
    verdict = np.where(np.isnan(limit), Verdict.NO_THRESHOLD, verdict)
    return Standing(value, limit, gap, np.where(np.isnan(value), Verdict.NOT_KNOWN, verdict).astype(np.int8))
