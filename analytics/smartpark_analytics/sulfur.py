"""Sulfur dioxide by material balance: what sulfur a fuel brings, what of it burns, what the scrubber takes away.

Pure arithmetic over fuel amounts and coefficients; `sulfur_factor` looks them up among the dated rows. Sulfur content
has no default for coal, oil and biomass: it is a laboratory's number. A stack with a continuous monitor does not need
this module (`cems`); where both exist, the monitor's mass counts and the balance checks it.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

INVENTORY_SO2_PER_SULFUR = 2.0
"""Mass of SO2 per mass of sulfur as inventories count it. [kg/kg]"""
MOLAR_SO2_PER_SULFUR = 64.058 / 32.06
"""The same from molar masses, 1.99807: 0.1 % less. For comparison with measurements, never in a report. [kg/kg]"""


def sulfur_dioxide_factor(
    sulfur: Floats,
    conversion: Floats,
    *,
    removal: Floats | float = 0.0,
    operating_share: Floats | float = 1.0,
    so2_per_sulfur: float = INVENTORY_SO2_PER_SULFUR,
) -> Floats:
    """Sulfur dioxide that leaves the stack per unit of fuel: linear, so that hours add up to their year.

    Parameters
    ----------
    sulfur : ndarray of float64, shape (n,)
        Sulfur in a unit of fuel: 10 kg/t for each percent. [kg/unit]
    conversion : ndarray of float64, shape (n,)
        Share of that sulfur which burns to SO2; the rest stays in the ash. [0-1]
    removal : ndarray of float64, shape (n,), or float
        Share of the SO2 that the desulfurisation takes while it runs; 0 where there is none. [0-1]
    operating_share : ndarray of float64, shape (n,), or float
        Share of the furnace's time in which the desulfurisation runs. [0-1]
    so2_per_sulfur : float
        2 in every Chinese inventory; `MOLAR_SO2_PER_SULFUR` is the exact ratio. [kg/kg]

    Returns
    -------
    ndarray of float64, shape (n,)
        NaN where an input is NaN. [kg/unit]

    Raises
    ------
    ValueError
        When a share is not between 0 and 1: percent was meant as a share.

    References
    ----------
    Handbook of methods and coefficients for pollutant accounting of emission-source statistics (MEE announcement 2021
    no. 24), industry 4430: G = 2 x B x S x C x (1 - eta).

    Examples
    --------
    A tonne of coal with 0.6 % sulfur, pulverised firing, 92 % removed:

    >>> sulfur_dioxide_factor(np.array([6.0]), np.array([0.85]), removal=0.92).round(3)
    array([0.816])
    """
    removed = np.asarray(removal, np.float64) * np.asarray(operating_share, np.float64)
    for name, share in (("conversion", conversion), ("removal", removal), ("operating_share", operating_share)):
        if np.any((np.asarray(share) < 0.0) | (np.asarray(share) > 1.0)):
            raise ValueError(f"{name} is a share between 0 and 1, not {share}")
    return so2_per_sulfur * sulfur * conversion * (1.0 - removed)


def sulfur_dioxide_mass(fuel: Floats, factor: Floats) -> Floats:
    """Sulfur dioxide released by burning fuels.

    Parameters
    ----------
    fuel : ndarray of float64, shape (n_fuels, n_periods)
        Burnt of each fuel in each period. [unit of the fuel]
    factor : ndarray of float64, shape (n_fuels,) or (n_fuels, n_periods)
        From `sulfur_dioxide_factor`. [kg/unit]

    Returns
    -------
    ndarray of float64, shape (n_fuels, n_periods)
        Each fuel by itself; NaN where its amount is NaN. Their sum is the caller's. [kg]

    Examples
    --------
    1200 t and 800 t of coal at 0.816 kg/t:

    >>> sulfur_dioxide_mass(np.array([[1200.0, 800.0]]), np.array([0.816])).round(1)
    array([[979.2, 652.8]])
    """
    if factor.shape not in {fuel.shape[:1], fuel.shape}:
        raise ValueError(f"factors of shape {factor.shape} do not fit fuels of shape {fuel.shape}")
    return fuel * (factor[:, np.newaxis] if factor.ndim == 1 else factor)
