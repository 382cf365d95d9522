"""Scope 1: CO2 of fuels that burn inside the boundary, and of carbonates that decompose there.

Pure arithmetic; parameters are looked up by the caller and recorded with the result. Other process gases, fugitive
emissions and everything outside the boundary are not computed here.
"""

import numpy as np
from numpy.typing import NDArray

from smartpark_analytics.energy import KG_PER_TONNE, weighted_sum

Floats = NDArray[np.float64]
CO2_PER_CARBON = 44 / 12
"""Mass of CO2 per mass of carbon, as the guidelines round it. [kg/kg]"""


def emission_factor(net_calorific_value: Floats, carbon_content: Floats, oxidation_factor: Floats) -> Floats:
    """CO2 per unit of fuel.

    Parameters
    ----------
    net_calorific_value : ndarray of float64
        Heat per unit of fuel. [GJ/unit]
    carbon_content : ndarray of float64, same shape
        Carbon per heat. [t/GJ]
    oxidation_factor : ndarray of float64, same shape
        Share of the carbon that becomes CO2. [0-1]

    Returns
    -------
    ndarray of float64, same shape
        [t/unit]

    References
    ----------
    Accounting guideline for other industrial enterprises (trial), 5.1; GB/T 32150-2025, 7.

    Examples
    --------
    Bituminous coal and diesel:

    >>> emission_factor(np.array([23.204, 43.33]), np.array([0.02618, 0.0202]), np.array([0.93, 0.98])).round(4)
    array([2.0715, 3.1451])
    """
    return net_calorific_value * carbon_content * oxidation_factor * CO2_PER_CARBON


def combustion_carbon(fuels: Floats, fuel_factors: Floats) -> Floats:
    """CO2 of fuels burnt inside the boundary.

    Parameters
    ----------
    fuels : ndarray of float64, shape (n_fuels, n_periods)
        Fuel burnt, without what is used as feedstock. [unit of the fuel]
    fuel_factors : ndarray of float64, shape (n_fuels,) or (n_fuels, n_periods)
        CO2 per unit. [kg/unit]

    Returns
    -------
    ndarray of float64, shape (n_periods,)
        NaN where a fuel is NaN. [t]

    Examples
    --------
    >>> combustion_carbon(np.array([[45.0], [1200.0]]), np.array([3145.1224933, 2071.5092552])).round(4)
    array([2627.3416])
    """
    return weighted_sum(fuels, fuel_factors) / KG_PER_TONNE


def carbonate_carbon(materials: Floats, purities: Floats, factors: Floats) -> Floats:
    """CO2 that carbonates give off in a process: lime, cement, glass, ceramics.

    Parameters
    ----------
    materials : ndarray of float64, shape (n_materials, n_periods)
        Raw material that was decomposed. [t]
    purities : ndarray of float64, shape (n_materials,) or (n_materials, n_periods)
        Carbonate in it, by mass. [0-1]
    factors : ndarray of float64, shape (n_materials,) or (n_materials, n_periods)
        CO2 per tonne of the pure carbonate. [kg/t]

    Returns
    -------
    ndarray of float64, shape (n_periods,)
        NaN where a material is NaN. [t]

    References
    ----------
    IPCC 2006 Guidelines, volume 3, 2.2 to 2.4 and table 2.1.

    Examples
    --------
    100 t of limestone with 95 % CaCO3:

    >>> carbonate_carbon(np.array([[100.0]]), np.array([0.95]), np.array([439.7])).round(4)
    array([41.7715])
    """
    shape = np.broadcast_shapes(np.shape(purities), np.shape(factors))
    return weighted_sum(materials, np.broadcast_to(purities * factors, shape)) / KG_PER_TONNE
