"""Whether enough is known of a period to judge it, and why not: the reason beside a NaN."""

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Codes = NDArray[np.int8]


class Sufficiency(IntEnum):
    """Why a period has a value, or none."""

    ENOUGH = 0
    """Judged."""
    NO_DATA = 1
    """Nothing is known of the period."""
    TOO_LITTLE_DATA = 2
    """Less is known than the rule asks for."""
    NO_LOAD = 3
    """Enough is known, but there was no load to divide by."""
    TOO_SHORT = 4
    """Enough of the period is known, but the period is shorter than the standard observes."""
    NO_REQUIREMENT = 5
    """The rule gives no limit by which this could be judged."""


REASONS = {
    Sufficiency.ENOUGH: "",
    Sufficiency.NO_DATA: "no data",
    Sufficiency.TOO_LITTLE_DATA: "too little data",
    Sufficiency.NO_LOAD: "no load",
    Sufficiency.TOO_SHORT: "shorter than the standard observes",
    Sufficiency.NO_REQUIREMENT: "no requirement to judge by",
}
"""Words for people, by code."""


def sufficiency(completeness: Floats, least_completeness: float) -> Codes:
    """Judge periods by how much of them is known.

    Parameters
    ----------
    completeness : ndarray of float64
        Share of each period that is known. [0-1]
    least_completeness : float
        Share that must be known. [0-1]

    Returns
    -------
    ndarray of int8, same shape
        `Sufficiency`.

    Examples
    --------
    >>> sufficiency(np.array([0.0, 0.5, 0.75]), 0.75)
    array([1, 2, 0], dtype=int8)
    """
    # Shares of counts, such as 45/60, must not fail by the last bit of a double.
    is_enough = completeness >= least_completeness - 1e-12
    codes = np.where(is_enough, Sufficiency.ENOUGH, Sufficiency.TOO_LITTLE_DATA)
    return np.where(completeness > 0, codes, Sufficiency.NO_DATA).astype(np.int8)
