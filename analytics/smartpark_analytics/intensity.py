"""Ratios of sums: energy, carbon and sulfur per output, per value added, per mu, per product; and shares of energy.

A ratio is carried as numerator and denominator and divided last, at whatever level of the park tree; the mean of its
parts' ratios is another number. Refused here: dividing by nothing or by less (the value is NaN and the reason says
so, never 0 and never infinity), numerators and denominators of different entities, and prices of different base years
in one sum. What counts as energy, and whose figures these are, is the caller's business.
"""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]


class NoRatio(IntEnum):
    """Why there is no ratio; of several reasons the first in this order."""

    THERE_IS_ONE = 0
    """The value is a number."""
    MIXED_PRICE_BASIS = 1
    """Current prices and constant ones, or constant ones of different base years, in one sum."""
    DIFFERENT_ENTITIES = 2
    """Somebody counts in the numerator and not in the denominator, or the other way round."""
    NUMERATOR_MISSING = 3
    DENOMINATOR_MISSING = 4
    DENOMINATOR_NOT_POSITIVE = 5
    MORE_THAN_THE_WHOLE = 6
    """A share above one: something was counted twice."""


@dataclass(frozen=True, slots=True)
class Ratios:
    """Ratios with what they were divided from; all arrays of one shape."""

    value: Floats
    """Numerator over denominator; NaN where there is a reason."""
    numerator: Floats
    """As summed; NaN: not known."""
    denominator: Floats
    """As summed; NaN: not known."""
    reason: NDArray[np.int8]
    """`NoRatio` of each."""


def ratios(numerator: Floats, denominator: Floats) -> Ratios:
    """Divide sums by sums, each pair on its own.

    Parameters
    ----------
    numerator, denominator : ndarray of float64, any one shape
        Sums over the same entities and the same time; NaN: not known. [their units]

    Returns
    -------
    Ratios
        [unit of the numerator per unit of the denominator]

    References
    ----------
    GB/T 2589-2020, indicators per output value, per value added and per product: e_g = E/G, e_z = E/Z, e_j = E_j/P_j.

    Examples
    --------
    >>> found = ratios(np.array([160.0, 3.0, 5.0]), np.array([1120.0, 0.0, np.nan]))
    >>> found.value.round(6), [NoRatio(r).name for r in found.reason]  # doctest: +NORMALIZE_WHITESPACE
    (array([0.142857, nan, nan]), ['THERE_IS_ONE', 'DENOMINATOR_NOT_POSITIVE', 'DENOMINATOR_MISSING'])
    """
    return _divided(numerator, denominator, np.zeros(np.broadcast(numerator, denominator).shape, np.int8))


def ratio_of_sums(numerators: Floats, denominators: Floats, *, price_basis: Ints | None = None) -> Ratios:
    """Ratio of a whole from its members: sum, then divide.

    A member that is known in neither sum is in neither: what is published then covers the others, and `coverage` says
    how much that is. A member known in only one of them makes the two sums describe different entities: no ratio.

    Parameters
    ----------
    numerators, denominators : ndarray of float64, shape (n_members, ...)
        Of each member (firm, sub-park, park), for any number of wholes or periods; NaN: not known. [their units]
    price_basis : ndarray of int64, same shape, optional
        Any number that names the base year of a member's prices; members in one sum must share it.

    Returns
    -------
    Ratios
        Of shape (...).

    Examples
    --------
    Three firms; the mean of their ratios would be 0.3667:

    >>> whole = ratio_of_sums(np.array([100.0, 50.0, 10.0]), np.array([1000.0, 100.0, 20.0]))
    >>> float(whole.value.round(6)), float(whole.numerator), float(whole.denominator)
    (0.142857, 160.0, 1120.0)
    """
    in_numerator, in_denominator = ~np.isnan(numerators), ~np.isnan(denominators)
    counted = in_numerator & in_denominator
    reason = np.where(np.any(in_numerator != in_denominator, axis=0), NoRatio.DIFFERENT_ENTITIES, 0)
    if price_basis is not None:
        reason = np.where(_differs(price_basis, in_denominator), NoRatio.MIXED_PRICE_BASIS, reason)
    numerator = _sum_known(numerators, in_numerator)
    denominator = _sum_known(denominators, in_denominator)
    none_known = ~np.any(counted, axis=0) & (reason == 0)
    return _divided(np.where(none_known, np.nan, numerator), denominator, reason.astype(np.int8))


def coverage(output: Floats, is_metered: Bools) -> Floats:
    """Share of the above-scale firms' output that belongs to firms whose energy is measured.

    Parameters
    ----------
    output : ndarray of float64, shape (n_firms, ...)
        Output of each above-scale firm; NaN: not known, which leaves the coverage unknown. [10^4 CNY]
    is_metered : ndarray of bool, same shape
        Whether the energy of the firm is measured.

    Returns
    -------
    ndarray of float64, shape (...), or float64
        NaN where an output is missing or the outputs add up to nothing. [0-1]

    Examples
    --------
    >>> coverage(np.array([800.0, 150.0, 50.0]), np.array([True, True, False])).round(3)
    np.float64(0.95)
    """
    whole = np.sum(output, axis=0)
    return ratios(np.sum(np.where(is_metered, output, 0.0), axis=0), whole).value


def green_power_share(
    *,
    own_use: Floats,
    own_use_sold_as_certificates: Floats,
    direct_line: Floats,
    green_trade: Floats,
    certificates: Floats,
    total: Floats,
) -> Ratios:
    """Share of green electricity in what is used; a megawatt-hour counts once.

    The four claims must be disjoint: certificates that came along with traded green power, or that were issued for
    the park's own generation, are not entered as `certificates` again. Own generation whose certificates were sold is
    no longer the park's to claim. Claims above the use are refused: something was counted twice.

    Parameters
    ----------
    own_use : ndarray of float64, shape (n,)
        Renewable electricity made and used inside the boundary. [kWh]
    own_use_sold_as_certificates : ndarray of float64, shape (n,)
        Part of it whose certificates were sold. [kWh]
    direct_line : ndarray of float64, shape (n,)
        Renewable electricity over a direct line. [kWh]
    green_trade : ndarray of float64, shape (n,)
        Traded green power, certificates included. [kWh]
    certificates : ndarray of float64, shape (n,)
        Certificates bought without power and cancelled. [kWh]
    total : ndarray of float64, shape (n,)
        All electricity used. [kWh]

    Returns
    -------
    Ratios
        Share. [0-1]

    Examples
    --------
    1.5 GWh of own photovoltaic use, 2 GWh of certificates, 13.5 GWh used in all:

    >>> share = green_power_share(
    ...     own_use=np.array([1.5e6]), own_use_sold_as_certificates=np.zeros(1), direct_line=np.zeros(1),
    ...     green_trade=np.zeros(1), certificates=np.array([2e6]), total=np.array([13.5e6]))
    >>> share.value.round(4)
    array([0.2593])
    """
    own = np.maximum(own_use - own_use_sold_as_certificates, 0.0)
    return share(own + direct_line + green_trade + certificates, total)


def share(part: Floats, whole: Floats) -> Ratios:
    """Part of a whole; one above the whole is refused.

    Parameters
    ----------
    part, whole : ndarray of float64, shape (n,)
        In one unit; NaN: not known.

    Returns
    -------
    Ratios
        [0-1]

    Examples
    --------
    Electricity 1474.80 tce of 4219.1295 tce final energy: the electrification rate.

    >>> share(np.array([1474.80]), np.array([4219.1295])).value.round(4)
    array([0.3496])
    """
    with np.errstate(invalid="ignore"):
        too_much = part > whole * (1.0 + 1e-9)
    found = _divided(part, whole, np.zeros(np.broadcast(part, whole).shape, np.int8))
    reason = np.where(too_much & (found.reason == 0), np.int8(NoRatio.MORE_THAN_THE_WHOLE), found.reason)
    return Ratios(np.where(reason == 0, found.value, np.nan), found.numerator, found.denominator, reason)


def _divided(numerator: Floats, denominator: Floats, reason: NDArray[np.int8]) -> Ratios:
    """Divide where nothing stands against it."""
    with np.errstate(invalid="ignore"):
        not_positive = denominator <= 0.0
    for found, why in (
        (np.isnan(numerator), NoRatio.NUMERATOR_MISSING),
        (np.isnan(denominator), NoRatio.DENOMINATOR_MISSING),
        (not_positive, NoRatio.DENOMINATOR_NOT_POSITIVE),
    ):
        reason = np.where(found & (reason == 0), np.int8(why), reason)
    value = np.divide(numerator, denominator, out=np.full(reason.shape, np.nan), where=reason == 0)
    return Ratios(value, numerator, denominator, reason)


def _sum_known(amounts: Floats, known: Bools) -> Floats:
    # One after the other, so that whoever adds the listed members gets the same number to the last digit.
    total = np.cumsum(np.where(known, amounts, 0.0), axis=0)[-1:].sum(axis=0)
    return np.where(np.any(known, axis=0), total, np.nan)


def _differs(codes: Ints, known: Bools) -> Bools:
    """Whether the known members of a column have more than one code."""
    low = np.min(np.where(known, codes, np.iinfo(np.int64).max), axis=0)
    high = np.max(np.where(known, codes, np.iinfo(np.int64).min), axis=0)
    return np.any(known, axis=0) & (low != high)
