"""The CO2 of a boundary put together: scope 1, scope 2 by each method, totals side by side, and carbon per energy.

Adds up what `fuel_carbon` and `purchased_electricity` computed. What is handed on inside has been left out
by whoever chose the flows.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class CarbonInventory:
    """CO2 by scope; in tonnes; arrays have shape (n_periods,), those by method (n_methods, n_periods)."""

    combustion: Floats
    """Scope 1: fuels burnt inside the boundary."""
    process: Floats
    """Scope 1: carbonates decomposed inside the boundary."""
    heat: Floats
    """Scope 2: purchased heat and steam."""
    electricity: Floats
    """Scope 2: purchased electricity, by method."""

    @property
    def scope1(self) -> Floats:
        """Emitted inside the boundary."""
        return self.combustion + self.process

    @property
    def scope2(self) -> Floats:
        """Emitted elsewhere for what was bought, by method."""
        return self.electricity + self.heat

    @property
    def total(self) -> Floats:
        """Scope 1 and scope 2, by method."""
        return self.scope1 + self.scope2


def carbon_per_energy(carbon: Floats, energy: Floats) -> Floats:
    """CO2 per standard coal (单位能耗碳排放), the core indicator of a zero-carbon park.

    Parameters
    ----------
    carbon : ndarray of float64, shape (..., n_periods)
        Of energy activities and industrial processes. [t]
    energy : ndarray of float64, shape (n_periods,)
        Comprehensive energy consumption. [tce]

    Returns
    -------
    ndarray of float64, shape (..., n_periods)
        NaN where the energy is not positive: a ratio to nothing says nothing. [t/tce]

    References
    ----------
    NDRC 2025 no. 910, annex: trial accounting method of zero-carbon parks.

    Examples
    --------
    >>> carbon_per_energy(np.array([12277.8549]), np.array([4219.1295])).round(4)
    array([2.91])
    """
    return np.divide(
        carbon, energy, out=np.full(np.broadcast_shapes(carbon.shape, energy.shape), np.nan), where=energy > 0
    )
