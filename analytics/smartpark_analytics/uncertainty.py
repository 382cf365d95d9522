"""How sure a sum of amounts times factors is: measurement, gaps and factors, propagated to first order.

Every uncertainty is a relative half-width of the 95 % interval. Errors of different meters and different factors are
independent. The error of one meter is common to everything it measured, the error of one factor to everything that
was multiplied by it: those add up linearly before they are squared. Gaps are each their own. Nothing is guessed:
where one half-width is NaN, so is the result.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

COVERAGE_95 = 1.96
"""Half-width of the 95 % interval of a normal distribution, in standard deviations."""


def half_width_of_class(accuracy_class: Floats) -> Floats:
    """Half-width of a meter's 95 % interval by its accuracy class.

    The class limits the error; within the limit every error is equally likely (a rectangular distribution), so the
    standard uncertainty is the limit divided by √3.

    Parameters
    ----------
    accuracy_class : ndarray of float64
        Largest error in percent, e.g. 0.5; NaN: not known. [%]

    Returns
    -------
    ndarray of float64, same shape
        [1]

    References
    ----------
    JCGM 100:2008 (GUM), 4.3.7 and 6.3.

    Examples
    --------
    >>> half_width_of_class(np.array([0.5, 1.0])).round(5)
    array([0.00566, 0.01132])
    """
    return accuracy_class / 100.0 / np.sqrt(3.0) * COVERAGE_95


def half_width_of_gaps(completeness: Floats, estimated_share: Floats, *, estimate: float, missing: float) -> Floats:
    """Half-width of an amount, part of which was estimated and part of which is missing.

    Parameters
    ----------
    completeness : ndarray of float64
        Share of the period that the amount covers. [0-1]
    estimated_share : ndarray of float64, same shape
        Share of the amount that was apportioned across gaps. [0-1]
    estimate : float
        Half-width of what was estimated, relative to itself. [1]
    missing : float
        Half-width of what is missing, relative to what the covered time would let one expect there. [1]

    Returns
    -------
    ndarray of float64, same shape
        Relative to the amount; NaN where nothing is covered. [1]

    Examples
    --------
    Nothing missing and nothing estimated; one tenth missing:

    >>> half_width_of_gaps(np.array([1.0, 0.9]), np.zeros(2), estimate=0.5, missing=1.0).round(4)
    array([0.    , 0.1111])
    """
    if (completeness == 1.0).all() and not estimated_share.any():
        return np.zeros(completeness.shape)
    absent = np.divide(
        1.0 - completeness, completeness, out=np.full(completeness.shape, np.nan), where=completeness > 0
    )
    return np.hypot(estimated_share * estimate, absent * missing)


def relative_half_width(
    contributions: Floats,
    *,
    meter: Ints,
    meter_half_width: Floats,
    uses_factor: Floats,
    factor_half_width: Floats,
    gap_half_width: Floats,
) -> Floats:
    """Half-width of a sum's 95 % interval, relative to the sum.

    Parameters
    ----------
    contributions : ndarray of float64, shape (n_terms, n_periods)
        Amount times factors of each term, with its sign, in the unit of the sum.
    meter : ndarray of int64, shape (n_terms,)
        Which meter measured each term, 0 … n_meters - 1.
    meter_half_width : ndarray of float64, shape (n_meters,)
        Of each meter. [1]
    uses_factor : ndarray of float64, shape (n_factors, n_terms)
        Relative change of each term per relative change of each factor: 1 where it is multiplied by it, 0 where it
        does not contain it, -eta / (1 - eta) where it is multiplied by one minus it.
    factor_half_width : ndarray of float64, shape (n_factors,)
        Of each factor. [1]
    gap_half_width : ndarray of float64, shape (n_terms, n_periods)
        Of the gaps in each term. [1]

    Returns
    -------
    ndarray of float64, shape (n_periods,)
        NaN where a contribution or a half-width that matters is NaN, and where the sum is zero. [1]

    References
    ----------
    JCGM 100:2008 (GUM), 5.1.2 and 5.2.2; IPCC 2006 Guidelines, volume 1, 3.2.3.1 (approach 1), which it departs from
    by adding linearly what shares a meter or a factor.

    Examples
    --------
    Two equal terms, each ± 10 % by its factor: with factors of their own, and with one in common.

    >>> equal = np.full((2, 1), 50.0)
    >>> exact = {"meter": np.array([0, 1]), "meter_half_width": np.zeros(2), "gap_half_width": np.zeros((2, 1))}
    >>> own = relative_half_width(
    ...     equal, uses_factor=np.eye(2), factor_half_width=np.full(2, 0.1), **exact)
    >>> common = relative_half_width(
    ...     equal, uses_factor=np.ones((1, 2)), factor_half_width=np.array([0.1]), **exact)
    >>> own.round(4), common.round(4)
    (array([0.0707]), array([0.1]))
    """
    meters = _common(_sums_by_meter(contributions, meter), meter_half_width[np.unique(meter)])
    # Not `@`: a linear algebra library would wake its threads for a few rows.
    factors = _common(np.einsum("ft,tp->fp", uses_factor, contributions), factor_half_width)
    gaps = np.sum(_product(contributions, gap_half_width) ** 2, axis=0) if gap_half_width.any() else 0.0
    total = np.sum(contributions, axis=0)
    half_width = np.sqrt(meters + factors + gaps)
    return np.divide(half_width, np.abs(total), out=np.full(total.shape, np.nan), where=total != 0)


def _sums_by_meter(contributions: Floats, meter: Ints) -> Floats:
    """What each meter that measures anything contributes, ascending by meter."""
    order = np.argsort(meter, kind="stable")
    starts = np.flatnonzero(np.diff(meter[order], prepend=-1))
    return (
        contributions[order] if len(starts) == len(order) else np.add.reduceat(contributions[order], starts, axis=0)
    )


def _common(shared: Floats, half_width: Floats) -> Floats:
    """Sum over the sources of (half-width x everything that shares the source)², shape (n_periods,)."""
    return np.sum(_product(shared, half_width[:, np.newaxis]) ** 2, axis=0)


def _product(amounts: Floats, half_width: Floats) -> Floats:
    """Amount times half-width; nothing is sure of nothing, however unsure its source."""
    return np.where(amounts == 0, 0.0, amounts * half_width)
