"""Comprehensive energy consumption in standard coal: carriers times coefficients.

Pure arithmetic over amounts that somebody else has measured and coefficients that somebody else has looked up: no
factor lives here. What counts as consumed inside a boundary (purchased less sold, own generation) is the caller's
business, and stated in docs/methods/comprehensive-energy.md.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
KG_PER_TONNE = 1000.0


@dataclass(frozen=True, slots=True)
class EnergyTotals:
    """Standard coal by what the carriers are; in tonnes; all arrays have shape (n_periods,)."""

    energy: Floats
    """Carriers of energy, feedstock included."""
    media: Floats
    """Working media that were bought in (耗能工质: water, compressed air, oxygen …)."""
    feedstock: Floats
    """Of `energy`, what was used as raw material (原料用能)."""
    renewable: Floats
    """Of `energy`, what no fossil fuel was burnt for, such as the park's own photovoltaic electricity."""

    @property
    def gbt2589_total(self) -> Floats:
        """Comprehensive energy consumption of GB/T 2589: energy and media."""
        return self.energy + self.media

    @property
    def statistical_total(self) -> Floats:
        """Comprehensive energy consumption as statistics count it: without media."""
        return self.energy

    @property
    def assessed_total(self) -> Floats:
        """What energy dual control assesses since 2022: without media, feedstock and renewable energy."""
        return self.energy - self.feedstock - self.renewable


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


def energy_totals(
    amounts: Floats,
    coefficients: Floats,
    *,
    is_medium: Bools,
    is_feedstock: Bools,
    is_renewable: Bools,
) -> EnergyTotals:
    """Comprehensive energy consumption, told apart by what the carriers are.

    Parameters
    ----------
    amounts : ndarray of float64, shape (n_carriers, n_periods)
        Consumption of each carrier inside the boundary, without what was made inside from carriers that are
        counted here (see `net_of_conversion`). [unit of the carrier]
    coefficients : ndarray of float64, shape (n_carriers,) or (n_carriers, n_periods)
        Standard coal per unit, on one basis. [kgce/unit]
    is_medium, is_feedstock, is_renewable : ndarray of bool, shape (n_carriers,)
        What each carrier is. A medium is never feedstock or renewable.

    Returns
    -------
    EnergyTotals
        NaN where a carrier that belongs to the total is NaN; a missing medium leaves `energy` known. [tce]

    References
    ----------
    GB/T 2589-2020, 3 and 4 (media count when bought in, and feedstock counts); the statistical bureau's
    综合能源消费量 (without water and other media).

    Examples
    --------
    10 000 m³ of water are 2.571 tce for GB/T 2589 and nothing for statistics:

    >>> totals = energy_totals(
    ...     np.array([[12e6], [1e4]]), np.array([0.1229, 0.2571]), is_medium=np.array([False, True]),
    ...     is_feedstock=np.array([False, False]), is_renewable=np.array([False, False]))
    >>> totals.gbt2589_total.round(3), totals.statistical_total.round(3)
    (array([1477.371]), array([1474.8]))
    """
    columns = _columns(amounts, coefficients)
    tce = amounts * columns / KG_PER_TONNE
    is_energy = ~is_medium

    def total(belongs: Bools) -> Floats:
        return np.sum(tce[belongs], axis=0)

    return EnergyTotals(
        energy=total(is_energy),
        media=total(is_medium),
        feedstock=total(is_energy & is_feedstock),
        renewable=total(is_energy & is_renewable & ~is_feedstock),
    )


def consumed_from_stock(opening: Floats, purchased: Floats, sold: Floats, closing: Floats) -> Floats:
    """What was consumed of a stored carrier: not what was bought.

    Parameters
    ----------
    opening, closing : ndarray of float64, shape (..., n_periods)
        Stock at the beginning and at the end of each period. [unit]
    purchased, sold : ndarray of float64, shape (..., n_periods)
        Taken in and handed on in each period. [unit]

    Returns
    -------
    ndarray of float64, shape (..., n_periods)
        NaN where one of the four is NaN. [unit]

    References
    ----------
    GB/T 2589-2020, 5: consumption = opening stock + purchases - sales - closing stock.

    Examples
    --------
    >>> consumed_from_stock(np.array([300.0]), np.array([1500.0]), np.array([100.0]), np.array([500.0]))
    array([1200.])
    """
    return opening + purchased - sold - closing


def net_of_conversion(consumed: Floats, made_inside: Floats) -> Floats:
    """What counts of a carrier, part of which was made inside from carriers that count themselves.

    Self-made steam or electricity was fuel before, and that fuel counts. What a unit sells of it is negative here,
    so that its total is input of the conversion less output (投入转换 - 产出转换).

    Parameters
    ----------
    consumed : ndarray of float64, shape (..., n_periods)
        Used inside the boundary, wherever from. [unit]
    made_inside : ndarray of float64, shape (..., n_periods)
        Made inside the boundary from counted carriers, whether used or sold. [unit]

    Returns
    -------
    ndarray of float64, shape (..., n_periods)
        Purchases less sales. [unit]

    Examples
    --------
    A power station makes 50 GJ of steam from coal and uses 20 of them; 30 are sold:

    >>> net_of_conversion(np.array([20.0]), np.array([50.0]))
    array([-30.])
    """
    return consumed - made_inside


def weighted_sum(amounts: Floats, factors: Floats) -> Floats:
    """Σ amount x factor over the carriers, with factors per carrier or per carrier and period.

    Raises
    ------
    ValueError
        When the factors do not fit the carriers: broadcasting would silently weigh periods instead.
    """
    return np.sum(amounts * _columns(amounts, factors), axis=0)


def _columns(amounts: Floats, factors: Floats) -> Floats:
    """Factors in a shape that multiplies carriers, never periods."""
    if factors.shape not in {amounts.shape[:1], amounts.shape}:
        raise ValueError(f"factors of shape {factors.shape} do not fit amounts of shape {amounts.shape}")
    return factors[:, np.newaxis] if factors.ndim == 1 else factors
