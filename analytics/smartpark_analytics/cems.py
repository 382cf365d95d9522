"""Continuous emission monitoring of stacks: flow, concentration and mass of one instant, minute or hour.

Two concentrations, never one for the other: the *measured* dry concentration makes mass, the concentration
*corrected* to the reference oxygen is what a limit is compared with. A furnace that is off has neither: its hours are
"stopped", not zero. Hours and their validity are in `cems_hours`, what stands in for lost hours in
`cems_substitution`, limits in `cems_compliance`.
"""

from dataclasses import dataclass
from enum import IntFlag

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Flags = NDArray[np.uint16]

ZERO_CELSIUS_K = 273.0
"""As the standard writes it, not 273.15. [K]"""
STANDARD_PRESSURE_PA = 101_325.0
MOLAR_VOLUME_L = 22.4
"""Of an ideal gas at 0 degrees Celsius and standard pressure, as the standard writes it. [L/mol]"""
OXYGEN_FACTOR_PCT = 21.0
"""Oxygen of air in the correction formula, as the emission standards write it. [%]"""
OXYGEN_OF_AIR_PCT = 20.9
"""From here on the analyser sees air, and the correction divides by nothing. [%]"""
OXYGEN_SUSPICIOUS_PCT = 19.0
"""Above this the corrected value is mostly the oxygen analyser's error. [%]"""


class StackFlag(IntFlag):
    """Findings about a minute or an hour of a stack. Bits are stored: never renumber them."""

    STOPPED = 1
    """The furnace was off: no concentration, no mass, no zero."""
    MISSING = 2
    """A value that is needed is not there."""
    OXYGEN_OF_AIR = 4
    """Oxygen as in air, or less than none: the concentration cannot be corrected."""
    OXYGEN_SUSPICIOUS = 8
    """Much oxygen: corrected all the same, and to be looked at."""
    TOO_FEW_MINUTES = 16
    """Fewer valid minutes than an hour needs."""
    SUBSTITUTED = 32
    """The mass was put in by the substitution rules; it never counts for compliance."""
    NO_SUBSTITUTE = 64
    """No rule gives a substitute: the quarter's capture rate is too low, or there is no valid hour before."""
    SHORT_HISTORY = 128
    """The rule wants more valid hours than there are; the maximum is of those there are."""


@dataclass(frozen=True, slots=True)
class CorrectedConcentration:
    """Concentration at the reference oxygen; both arrays have the shape of the measured one."""

    value: Floats
    """NaN where it cannot be corrected. [mg/m3]"""
    flags: Flags
    """`StackFlag`."""


def wet_flow(area: Floats | float, velocity: Floats, *, field_factor: Floats | float = 1.0) -> Floats:
    """Flow of wet flue gas at the conditions of the duct.

    Parameters
    ----------
    area : ndarray of float64 or float
        Cross-section of the duct. [m2]
    velocity : ndarray of float64
        At the measuring point. [m/s]
    field_factor : ndarray of float64 or float
        Mean velocity over velocity at the measuring point, from the last comparison. [m/s per m/s]

    Returns
    -------
    ndarray of float64
        [m3/h]

    References
    ----------
    HJ 75-2017, annex C: Qs = 3600 x F x Vs, Vs = Kv x Vp.

    Examples
    --------
    >>> wet_flow(5.0, np.array([10.0]), field_factor=0.95)
    array([171000.])
    """
    return 3600.0 * area * field_factor * velocity


def dry_standard_flow(
    wet: Floats,
    *,
    temperature: Floats,
    barometric_pressure: Floats | float,
    static_pressure: Floats | float,
    moisture: Floats,
) -> Floats:
    """Flow at 0 degrees Celsius and 101 325 Pa without water vapour (标干流量): the one that makes mass.

    Parameters
    ----------
    wet : ndarray of float64
        At the conditions of the duct. [m3/h]
    temperature : ndarray of float64
        Of the flue gas. [Cel]
    barometric_pressure : ndarray of float64 or float
        Of the place. [Pa]
    static_pressure : ndarray of float64 or float
        In the duct against the air outside; negative before the fan. [Pa]
    moisture : ndarray of float64
        Share of water vapour by volume. [0-1]

    Returns
    -------
    ndarray of float64
        NaN where an input is NaN. [m3/h]

    Raises
    ------
    ValueError
        When a moisture lies outside 0 to 1: percent was meant as a share.

    References
    ----------
    HJ 75-2017, annex C: Qsn = Qs x 273/(273 + ts) x (Ba + Ps)/101325 x (1 - Xsw).

    Examples
    --------
    >>> dry_standard_flow(
    ...     np.array([200_000.0]), temperature=np.array([135.0]), barometric_pressure=101_000.0,
    ...     static_pressure=-500.0, moisture=np.array([0.09]),
    ... ).round(2)
    array([120787.87])
    """
    if np.any((moisture < 0.0) | (moisture > 1.0)):
        raise ValueError("moisture is a share between 0 and 1; divide percent by 100")
    warmth = ZERO_CELSIUS_K / (ZERO_CELSIUS_K + temperature)
    pressure = (barometric_pressure + static_pressure) / STANDARD_PRESSURE_PA
    return wet * warmth * pressure * (1.0 - moisture)


def mass_concentration(ppm: Floats, molar_mass: float) -> Floats:
    """Volume parts per million as mass per dry standard cubic metre.

    Parameters
    ----------
    ppm : ndarray of float64
        Dry. [umol/mol]
    molar_mass : float
        64 for SO2, 46 for NOx, which is counted as NO2 whatever it is. [g/mol]

    Returns
    -------
    ndarray of float64
        [mg/m3]

    References
    ----------
    HJ 75-2017, annex C: rho = M / 22.4 x V.

    Examples
    --------
    >>> mass_concentration(np.array([1.0]), 64.0).round(3), mass_concentration(np.array([1.0]), 46.0).round(3)
    (array([2.857]), array([2.054]))
    """
    return ppm * molar_mass / MOLAR_VOLUME_L


def excess_air(oxygen: Floats | float) -> Floats | float:
    """Excess-air coefficient, alpha = 21 / (21 - O2): 1.75 at 9 %, 1.2 at 3.5 %. [kg/kg]."""
    return OXYGEN_FACTOR_PCT / (OXYGEN_FACTOR_PCT - oxygen)


def corrected_concentration(
    measured: Floats,
    oxygen: Floats,
    reference_oxygen: Floats | float,
    *,
    stopped: Bools | None = None,
    suspicious_above: float = OXYGEN_SUSPICIOUS_PCT,
) -> CorrectedConcentration:
    """Concentration at the reference oxygen (折算浓度): the one that a limit is compared with.

    Parameters
    ----------
    measured : ndarray of float64
        Dry, standard state. [mg/m3]
    oxygen : ndarray of float64, same shape
        Dry. [%]
    reference_oxygen : ndarray of float64 or float
        Of the emission standard (9 coal boiler, 3.5 oil and gas boiler, 6 coal unit, 15 gas turbine …). [%]
    stopped : ndarray of bool, same shape, optional
        Where the furnace is off; default nowhere.
    suspicious_above : float
        Oxygen above which the value is flagged. [%]

    Returns
    -------
    CorrectedConcentration
        NaN and `OXYGEN_OF_AIR` where oxygen is 20.9 % or more, or below zero; NaN and `STOPPED` where the furnace is
        off; NaN and `MISSING` where an input is NaN.

    References
    ----------
    HJ 75-2017, annex C; GB 13271-2014, 5.2: rho = rho' x (21 - O2_ref) / (21 - O2), which is rho' x alpha / alpha_s.

    Examples
    --------
    >>> corrected_concentration(np.array([35.2]), np.array([8.5]), 9.0).value.round(3)
    array([33.792])
    """
    off = np.zeros(measured.shape, np.bool_) if stopped is None else stopped
    missing = ~off & ~(np.isfinite(measured) & np.isfinite(oxygen))
    air = ~off & ~missing & ((oxygen >= OXYGEN_OF_AIR_PCT) | (oxygen < 0.0))
    suspicious = ~off & ~missing & ~air & (oxygen > suspicious_above)
    usable = ~(off | missing | air)
    rest = np.where(usable, OXYGEN_FACTOR_PCT - oxygen, 1.0)
    value = np.where(usable, measured * (OXYGEN_FACTOR_PCT - reference_oxygen) / rest, np.nan)
    flags = (
        off * StackFlag.STOPPED
        + missing * StackFlag.MISSING
        + air * StackFlag.OXYGEN_OF_AIR
        + suspicious * StackFlag.OXYGEN_SUSPICIOUS
    )
    return CorrectedConcentration(value, flags.astype(np.uint16))


def hourly_mass(measured: Floats, flow: Floats) -> Floats:
    """Mass that left the stack in an hour: the measured concentration, never the corrected one.

    Parameters
    ----------
    measured : ndarray of float64, shape (n_stacks, n_hours)
        Mean of the hour, dry, standard state. [mg/m3]
    flow : ndarray of float64, same shape
        Mean of the hour, dry, standard state. [m3/h]

    Returns
    -------
    ndarray of float64, same shape
        NaN where one of them is NaN. [kg]

    References
    ----------
    HJ 75-2017, annex C: G = rho' x Qsn x 10^-6.

    Examples
    --------
    >>> hourly_mass(np.array([[35.2]]), np.array([[120_000.0]])).round(3)
    array([[4.224]])
    """
    return measured * flow * 1e-6
