"""Comprehensive energy consumption in standard coal: carriers times coefficients.

Pure arithmetic over amounts that somebody else has measured and coefficients that somebody else has looked up: no
factor lives here. What counts as consumed inside a boundary (purchased less sold, own generation) is the caller's
business, and stated in docs/methods/comprehensive-energy.md.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
KG_PER_TONNE = 1000.0


def comprehensive_energy(amounts: Floats, coefficients: Floats) -> Floats:
    """Comprehensive energy consumption, calorific basis (当量值).

    Parameters
    ----------
    amounts : ndarray of float64, shape (n_carriers, n_periods)
        Consumption of each carrier inside the boundary; negative where more left than entered. [unit of the carrier]
    coefficients : ndarray of float64, shape (n_carriers,) or (n_carriers, n_periods)
        Standard coal per unit. [kgce/unit]

    Returns
    -------
    ndarray of float64, shape (n_periods,)
        NaN in a period in which any carrier is NaN: a sum without one of its parts is another quantity. [tce]

    References
    ----------
    GB/T 2589-2020, General rules for calculation of the comprehensive energy consumption: E = Σ e_i k_i.

    Examples
    --------
    A month of 12 GWh of electricity and 600 000 m³ of natural gas:

    >>> comprehensive_energy(np.array([[12e6], [6e5]]), np.array([0.1229, 1.33])).round(4)
    array([2272.8])
    """
    return weighted_sum(amounts, coefficients) / KG_PER_TONNE


def weighted_sum(amounts: Floats, factors: Floats) -> Floats:
    """Σ amount x factor over the carriers, with factors per carrier or per carrier and period.

    Raises
    ------
    ValueError
        When the factors do not fit the carriers: broadcasting would silently weigh periods instead.
    """
    if factors.shape not in {amounts.shape[:1], amounts.shape}:
        raise ValueError(f"factors of shape {factors.shape} do not fit amounts of shape {amounts.shape}")
    columns = factors[:, np.newaxis] if factors.ndim == 1 else factors
    return np.sum(amounts * columns, axis=0)
