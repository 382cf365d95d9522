"""Power-factor adjustment 功率因数调整电费: a percentage of the bill by the month's power factor.

Everything that decides is an integer: the power factor in hundredths, the adjustment in hundredths of a percent. A
float that is nearly 0.91 chooses no row. Where sources disagree about a row of the table both values are carried.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from smartpark.electricity_rules import PowerFactorTable

from smartpark_analytics.groups import Ints

Floats = NDArray[np.float64]
_OF_AMOUNT = 10_000.0
"""Hundredths of a percent in the whole."""


@dataclass(frozen=True, slots=True)
class PowerFactorAdjustment:
    """Adjustment of bills; arrays have the shape of the power factors handed in."""

    hundredths: Ints
    """Power factor in hundredths; -1 where not known."""
    rate_pct: Floats
    """Percentage of the base; negative is a rebate. NaN where the power factor is not known. [%]"""
    amount_yuan: Floats
    """Percentage times base. NaN where either is not known. [yuan]"""
    contested_rate_pct: Floats
    """What another source gives instead; NaN where sources agree. [%]"""


def power_factor_hundredths(active: Floats, reactive: Floats) -> Ints:
    """Power factor of a month, rounded to 0.01 as the bill does.

    Parameters
    ----------
    active : ndarray of float64
        Active energy. [kWh]
    reactive : ndarray of float64, same shape
        Reactive energy, import and export added up without their signs. [kvarh]

    Returns
    -------
    ndarray of int64, same shape
        Hundredths, halves upwards (between rational energies a half cannot occur); -1 where either is not known or
        no active energy was drawn.

    References
    ----------
    (83)水电财字第215号; PF = P/√(P² + Q²).

    Examples
    --------
    >>> power_factor_hundredths(np.array([1_000_000.0]), np.array([530_000.0]))
    array([88])
    """
    apparent = np.hypot(active, reactive)
    is_known = np.isfinite(apparent) & (active > 0)
    factor = np.divide(active, apparent, out=np.zeros(np.shape(apparent)), where=is_known)
    return np.where(is_known, np.floor(factor * 100.0 + 0.5), -1).astype(np.int64)


def power_factor_adjustment(hundredths: Ints, base: Floats, table: PowerFactorTable) -> PowerFactorAdjustment:
    """Adjustment by the table of a standard.

    Parameters
    ----------
    hundredths : ndarray of int64
        Power factor in hundredths; -1 where not known.
    base : ndarray of float64, same shape
        Basic and energy charge, without government funds. [yuan]
    table : PowerFactorTable
        Of the standard that the contract names.

    Returns
    -------
    PowerFactorAdjustment

    References
    ----------
    (83)水电财字第215号, table of the standard.

    Examples
    --------
    >>> from smartpark.electricity_rules import builtin_electricity_rules
    >>> table = builtin_electricity_rules().power_factor[0]
    >>> found = power_factor_adjustment(np.array([88]), np.array([650_000.0]), table)
    >>> found.rate_pct, found.amount_yuan
    (array([1.]), array([6500.]))
    """
    rates = np.array(table.adjustments(), dtype=np.float64)
    contested = np.array([np.nan if value is None else value for value in table.contested()])
    is_known = hundredths >= 0
    place = np.where(is_known, hundredths, 0)
    rate = np.where(is_known, rates[place], np.nan)
    return PowerFactorAdjustment(
        hundredths=hundredths,
        rate_pct=rate / 100.0,
        amount_yuan=base * rate / _OF_AMOUNT,
        contested_rate_pct=np.where(is_known, contested[place], np.nan) / 100.0,
    )
