"""Scope 2 of electricity by several methods over the same activity data, side by side.

Location-based methods multiply what was bought by the average of a grid; market-based ones take what certificates
cover off first. None replaces another. Which factor belongs to which method is the caller's data. Electricity made
and used inside emits nothing by place; where its certificates were sold, the market-based claim is lost with them.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from smartpark_analytics.energy import KG_PER_TONNE

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class ElectricityCarbon:
    """CO2 of electricity by method, and what certificates did to it."""

    emitted: Floats
    """CO2, shape (n_methods, n_periods). [t]"""
    charged: Floats
    """Electricity that was multiplied by a factor, shape (n_methods, n_periods). [kWh]"""
    certified: Floats
    """Electricity that certificates cover, at most what there was to cover, shape (n_periods,). [kWh]"""
    unused: Floats
    """Certified electricity for which there was nothing to cover, shape (n_periods,). [kWh]"""
    claim_lost: Floats
    """Own generation used inside, whose certificates were sold, shape (n_periods,). [kWh]"""


def electricity_carbon(
    purchased: Floats,
    factors: Floats,
    counts_certificates: Bools,
    *,
    certified: Floats,
    self_consumed: Floats,
    certificates_sold: Floats,
) -> ElectricityCarbon:
    """CO2 of purchased electricity by several methods.

    Parameters
    ----------
    purchased : ndarray of float64, shape (n_periods,)
        Bought less sold; may be negative. [kWh]
    factors : ndarray of float64, shape (n_methods,) or (n_methods, n_periods)
        Of what is charged. [kg/kWh]
    counts_certificates : ndarray of bool, shape (n_methods,)
        Which methods take off what certificates cover.
    certified : ndarray of float64, shape (n_periods,)
        Electricity of certificates cancelled for these periods. [kWh]
    self_consumed : ndarray of float64, shape (n_periods,)
        Own renewable generation used inside the boundary. [kWh]
    certificates_sold : ndarray of float64, shape (n_periods,)
        Certificates of own generation that were sold. [kWh]

    Returns
    -------
    ElectricityCarbon
        NaN where an input is NaN that the method uses.

    References
    ----------
    GHG Protocol Scope 2 Guidance (2015), 4.1 and 6; GB/T 32150-2025, 7.5.6.

    Examples
    --------
    12 GWh bought, 2 GWh certified: national, provincial, market, zero-carbon park.

    >>> month = electricity_carbon(
    ...     np.array([12e6]), np.array([0.5306, 0.4211, 0.6096, 0.8273]), np.array([False, False, True, True]),
    ...     certified=np.array([2e6]), self_consumed=np.array([1.5e6]), certificates_sold=np.array([0.0]))
    >>> month.emitted[:, 0].round(2)
    array([6367.2, 5053.2, 6096. , 8273. ])
    """
    if factors.shape not in {counts_certificates.shape, (*counts_certificates.shape, *purchased.shape)}:
        raise ValueError(f"factors of shape {factors.shape} do not fit {counts_certificates.shape} methods")
    columns = factors[:, np.newaxis] if factors.ndim == 1 else factors
    claim_lost = np.clip(np.minimum(self_consumed, certificates_sold), 0.0, None)
    to_cover = purchased + claim_lost
    covered = np.clip(np.minimum(to_cover, certified), 0.0, None)
    charged = np.where(counts_certificates[:, np.newaxis], to_cover - covered, purchased)
    return ElectricityCarbon(
        emitted=charged * columns / KG_PER_TONNE,
        charged=charged,
        certified=covered,
        unused=certified - covered,
        claim_lost=claim_lost,
    )
