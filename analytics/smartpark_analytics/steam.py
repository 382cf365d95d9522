"""Heat in steam by its enthalpy, where pressure and temperature are known.

A constant per tonne is wrong by a third between a saturated and a superheated net, so none is used here. The
properties of water are those of IAPWS-IF97 as CoolProp computes them (docs/adr/0008). Pressures are absolute: who
has gauge pressures adds the air's. Wet steam cannot be told from dry by pressure and temperature alone: at
saturation it is taken as dry, unless the caller knows better. What is too cold to be steam has no enthalpy here, but
a reason.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

_FLUID: Final = "IF97::Water"
_TRIPLE_KPA, _CRITICAL_KPA, _HIGHEST_KPA = 0.611657, 22_064.0, 100_000.0
_CRITICAL_CEL, _HIGHEST_CEL = 373.946, 800.0
_ZERO_CEL: Final = 273.15


class SteamState(IntEnum):
    """What pressure and temperature say about the steam."""

    SUPERHEATED = 0
    """Hotter than saturation: the enthalpy follows from both."""
    SATURATED = 1
    """At saturation within the band: taken as dry saturated steam of this pressure."""
    WATER = 2
    """Colder than saturation: this is no steam, or one of the two instruments is wrong."""
    OUTSIDE = 3
    """Outside the equations' range, or one of the two is missing."""


@dataclass(frozen=True, slots=True)
class SteamEnthalpy:
    """Enthalpy of steam; arrays have the shape of the inputs."""

    enthalpy: Floats
    """NaN where `state` is WATER or OUTSIDE. [GJ/t]"""
    state: NDArray[np.int64]
    """`SteamState` of each."""


def steam_enthalpy(pressure: Floats, temperature: Floats, *, band: float = 3.0) -> SteamEnthalpy:
    """Specific enthalpy of steam by pressure and temperature.

    Parameters
    ----------
    pressure : ndarray of float64, shape (...)
        Absolute. [kPa]
    temperature : ndarray of float64, same shape
        [Cel]
    band : float
        How far from saturation a temperature counts as saturated. Industrial thermometers of class B err by 1.3 K at
        200 Cel (IEC 60751), pressure gauges by as much again. [K]

    Returns
    -------
    SteamEnthalpy

    References
    ----------
    IAPWS R7-97(2012), Industrial Formulation 1997: regions 2 and 4.

    Examples
    --------
    1 MPa at 250 Cel, at saturation, and far below it:

    >>> found = steam_enthalpy(np.full(3, 1000.0), np.array([250.0, 179.0, 120.0]))
    >>> found.enthalpy.round(5), found.state
    (array([2.94322, 2.77712,     nan]), array([0, 1, 2]))
    """
    shape = np.broadcast_shapes(pressure.shape, temperature.shape)
    p = np.broadcast_to(pressure, shape)
    t = np.broadcast_to(temperature, shape)
    usable = (p >= _TRIPLE_KPA) & (p <= _HIGHEST_KPA) & (t > 0.0) & (t <= _HIGHEST_CEL)
    saturation = saturation_temperature(p)
    near = np.abs(t - saturation) <= band
    # Above the critical pressure there is no saturation; what is hotter than the critical point is a gas.
    hot = np.where(np.isnan(saturation), t > _CRITICAL_CEL, t > saturation)
    state = np.select(
        [~usable, near, hot], [SteamState.OUTSIDE, SteamState.SATURATED, SteamState.SUPERHEATED], SteamState.WATER
    )
    superheated = _properties("H", p, "T", t + _ZERO_CEL, where=state == SteamState.SUPERHEATED)
    dry = _properties("H", p, "Q", np.ones(shape), where=state == SteamState.SATURATED)
    enthalpy = np.where(state == SteamState.SATURATED, dry, superheated)
    return SteamEnthalpy(enthalpy / 1e6, state.astype(np.int64))


def saturated_steam_enthalpy(pressure: Floats, dryness: Floats) -> Floats:
    """Specific enthalpy of saturated steam of known dryness.

    Parameters
    ----------
    pressure : ndarray of float64, shape (...)
        Absolute. [kPa]
    dryness : ndarray of float64, same shape
        Vapour in it by mass. [0-1]

    Returns
    -------
    ndarray of float64, same shape
        NaN outside the triple and the critical point, and where dryness is no share. [GJ/t]

    Examples
    --------
    Dry steam and wet steam of 1 MPa:

    >>> saturated_steam_enthalpy(np.full(2, 1000.0), np.array([1.0, 0.9])).round(5)
    array([2.77712, 2.57568])
    """
    shape = np.broadcast_shapes(pressure.shape, dryness.shape)
    p, x = np.broadcast_to(pressure, shape), np.broadcast_to(dryness, shape)
    usable = (p >= _TRIPLE_KPA) & (p < _CRITICAL_KPA) & (x >= 0.0) & (x <= 1.0)
    return _properties("H", p, "Q", x, where=usable) / 1e6


def saturation_temperature(pressure: Floats) -> Floats:
    """Temperature at which water boils.

    Parameters
    ----------
    pressure : ndarray of float64, shape (...)
        Absolute. [kPa]

    Returns
    -------
    ndarray of float64, same shape
        NaN outside the triple and the critical point. [Cel]

    Examples
    --------
    >>> saturation_temperature(np.array([100.0, 1000.0, 30_000.0])).round(3)
    array([ 99.606, 179.886,     nan])
    """
    usable = (pressure >= _TRIPLE_KPA) & (pressure < _CRITICAL_KPA)
    return _properties("T", pressure, "Q", np.ones(pressure.shape), where=usable) - _ZERO_CEL


def steam_heat(mass: Floats, enthalpy: Floats, reference_enthalpy: float | Floats) -> Floats:
    """Heat that steam carries, counted from the enthalpy of the water it is made of.

    Parameters
    ----------
    mass : ndarray of float64, shape (...)
        Steam. [t]
    enthalpy : ndarray of float64, same shape
        Of the steam. [GJ/t]
    reference_enthalpy : float or ndarray of float64
        Of the water, a dated factor: 0.08374 where the guidelines hold. [GJ/t]

    Returns
    -------
    ndarray of float64, same shape
        NaN where mass or enthalpy is NaN. [GJ]

    References
    ----------
    Provincial guidelines for greenhouse gas accounting: AD = Ma x (En - 83.74) x 10^-3.

    Examples
    --------
    1000 t of dry saturated steam of 1 MPa:

    >>> steam_heat(np.array([1000.0]), np.array([2.77712]), 0.08374).round(2)
    array([2693.38])
    """
    return mass * (enthalpy - reference_enthalpy)


def _properties(output: str, pressure: Floats, name: str, values: Floats, *, where: Bools) -> Floats:
    """Property of water in SI units where it is asked for, NaN elsewhere; the pressure is in kPa."""
    # CoolProp takes two seconds to load, and most who import this package have no steam.
    from CoolProp.CoolProp import PropsSI  # noqa: PLC0415

    result = np.full(where.shape, np.nan)
    if where.any():
        result[where] = PropsSI(output, "P", pressure[where] * 1e3, name, values[where], _FLUID)
    return result
