"""Location-based carbon dioxide: what burns inside the boundary, and what its purchases emitted elsewhere.

Pure arithmetic; factors are looked up by the caller and recorded with the result. Refused here: offsetting by
certificates (another method, never mixed into this one) and clipping: a period in which the park sells more
electricity than it buys has negative purchased electricity, so that hours still add up to their day.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from smartpark_analytics.energy import KG_PER_TONNE, weighted_sum

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class LocationBasedCarbon:
    """CO2 by where it is emitted; in tonnes; all arrays have shape (n_periods,)."""

    combustion: Floats
    """Scope 1: fuels burnt inside the boundary."""
    electricity: Floats
    """Scope 2: purchased electricity net of what was sold, at the grid's average."""
    heat: Floats
    """Scope 2: purchased heat and steam."""

    @property
    def total(self) -> Floats:
        """Scope 1 and scope 2, in tonnes."""
        return self.combustion + self.electricity + self.heat


def location_based_carbon(
    *,
    fuels: Floats,
    fuel_factors: Floats,
    electricity: Floats,
    electricity_factors: Floats,
    heat: Floats,
    heat_factors: Floats,
) -> LocationBasedCarbon:
    """Location-based CO2 of a boundary. Photovoltaic electricity used inside it appears nowhere: it emits nothing.

    Parameters
    ----------
    fuels : ndarray of float64, shape (n_fuels, n_periods)
        Fuel burnt. [unit of the fuel]
    fuel_factors : ndarray of float64, shape (n_fuels,) or (n_fuels, n_periods)
        CO2 per unit of fuel, oxidation included. [kg/unit]
    electricity : ndarray of float64, shape (n_connections, n_periods)
        Through each connection of the boundary: positive what was bought, negative what was sold. [kWh]
    electricity_factors : ndarray of float64, shape (n_connections,) or (n_connections, n_periods)
        Average of the grid behind it. [kg/kWh]
    heat : ndarray of float64, shape (n_supplies, n_periods)
        Heat and steam through the boundary, net. [GJ, or the unit of its factor]
    heat_factors : ndarray of float64, shape (n_supplies,) or (n_supplies, n_periods)
        Of the supplier, or the default. [kg/unit]

    Returns
    -------
    LocationBasedCarbon
        NaN where an input is NaN. [t]

    References
    ----------
    GB/T 32150-2025, 7.5.6 and 7.5.7 (purchased electricity and heat); GHG Protocol Scope 2 Guidance (2015), 4.1
    (location-based method).

    Examples
    --------
    45 t of diesel, 12 GWh bought and 1 GWh sold:

    >>> location_based_carbon(
    ...     fuels=np.array([[45.0]]), fuel_factors=np.array([3145.1224933]),
    ...     electricity=np.array([[12e6], [-1e6]]), electricity_factors=np.array([0.4211, 0.4211]),
    ...     heat=np.zeros((0, 1)), heat_factors=np.zeros(0),
    ... ).total.round(2)
    array([4773.63])
    """
    return LocationBasedCarbon(
        combustion=weighted_sum(fuels, fuel_factors) / KG_PER_TONNE,
        electricity=weighted_sum(electricity, electricity_factors) / KG_PER_TONNE,
        heat=weighted_sum(heat, heat_factors) / KG_PER_TONNE,
    )
