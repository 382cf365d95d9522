"""Stretches of minutes as HJ 212 tells them: mean, least and greatest minute mean, and one mark for the whole.

Arrays in, arrays out. Least and greatest are those of minute means, not of single readings.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from smartpark_analytics.cems_hours import NORMAL_ONLY, WITH_OVER_RANGE, DataFlag, Letters
from smartpark_analytics.in_order import sums_in_order

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

_ABNORMAL: Final = tuple(flag for flag in DataFlag if flag is not DataFlag.NORMAL)


@dataclass(frozen=True, slots=True)
class Rule:
    """When a stretch has a value, and when it is normal."""

    enough: float
    """Share of usable minutes that a value needs. [0-1]"""
    normal: float
    """Share of usable minutes that makes it normal. [0-1]"""
    over_range_counts: bool = False
    fault_only: bool = False
    """Whatever is not normal is a fault."""


@dataclass(frozen=True, slots=True)
class Stretches:
    """Stretches of points; all arrays have shape (n_points, n_stretches)."""

    mean: Floats
    """NaN where too little is usable. [unit of the point]"""
    low: Floats
    """Least minute mean. [unit]"""
    high: Floats
    """Greatest minute mean. [unit]"""
    letter: Letters
    """`DataFlag`."""
    has_reading: Bools


def stretches(minutes: Floats, letters: Letters, has_reading: Bools, *, width: int, rule: Rule) -> Stretches:
    """Stretches of `width` minutes.

    Parameters
    ----------
    minutes : ndarray of float64, shape (n_points, n_stretches x width)
        Minute means; NaN where there is none. [unit]
    letters : ndarray of str, same shape
        `DataFlag` of each minute.
    has_reading : ndarray of bool, same shape
        Minutes with a reading, good or bad.
    width : int
        Minutes of a stretch.
    rule : Rule

    Returns
    -------
    Stretches

    Examples
    --------
    Eight good minutes and two of calibration, then the other way round:

    >>> letters = np.array([["N"] * 8 + ["C"] * 2 + ["N"] * 2 + ["C"] * 8])
    >>> found = stretches(np.arange(20.0)[None], letters, letters != "", width=10, rule=Rule(0.75, 0.75))
    >>> found.mean, found.letter
    (array([[3.5, nan]]), array([['N', 'C']], dtype='<U1'))
    """
    shape = (minutes.shape[0], -1, width)
    usable = WITH_OVER_RANGE if rule.over_range_counts else NORMAL_ONLY
    counts = np.logical_or.reduce([letters == str(flag) for flag in usable]) & np.isfinite(minutes)
    counts, values = counts.reshape(shape), minutes.reshape(shape)
    n_usable = counts.sum(axis=2)
    has_value = (n_usable >= rule.enough * width) & (n_usable > 0)
    mean = sums_in_order(np.where(counts, values, np.nan)) / np.maximum(n_usable, 1)
    is_normal = n_usable >= rule.normal * width
    other = np.full(is_normal.shape, str(DataFlag.FAULT)) if rule.fault_only else _most_frequent(letters, counts)
    return Stretches(
        mean=np.where(has_value, mean, np.nan),
        low=np.where(has_value, np.where(counts, values, np.inf).min(axis=2), np.nan),
        high=np.where(has_value, np.where(counts, values, -np.inf).max(axis=2), np.nan),
        letter=np.where(is_normal, str(DataFlag.NORMAL), other),
        has_reading=np.logical_or.reduce(has_reading.reshape(shape), axis=2),
    )


def _most_frequent(letters: Letters, counts: Bools) -> Letters:
    """Most frequent mark of the minutes that do not count; one that is good and has no value has not come."""
    left = np.where(letters == str(DataFlag.NORMAL), str(DataFlag.COMMUNICATION), letters).reshape(counts.shape)
    often = np.stack([((left == str(flag)) & ~counts).sum(axis=2) for flag in _ABNORMAL])
    return np.array([str(flag) for flag in _ABNORMAL])[often.argmax(axis=0)]
