"""Meters of steam that know its pressure and temperature, so that its heat follows from its enthalpy.

A device that counts `steam_mass` and has one point each of `pressure` and `temperature` (or one that is named so) is
such a meter. Its pressure is absolute unless the catalogue says `pressure_reference = "gauge"`: then the standard
atmosphere is added, which is what such instruments are set to zero at.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from smartpark.catalogue import Catalogue, PressureReference
from smartpark.flows import Flow, MeteredPoint
from smartpark.measurands import MEANINGS, Measurand

STANDARD_ATMOSPHERE_KPA: Final = 101.325
"""By definition (ISO 2533). [kPa]"""
_FIRST_HEAT: Final = -1_000_000_000
"""Series of heat are numbered from here downwards, below the virtual meters."""


@dataclass(frozen=True, slots=True)
class SteamMeter:
    """Points of a meter of steam."""

    device: str
    mass_id: int
    pressure_id: int
    temperature_id: int
    to_absolute_kpa: float = 0.0
    """Added to what the pressure point shows. [kPa]"""


def steam_meters(catalogue: Catalogue | None, points: Iterable[MeteredPoint]) -> tuple[SteamMeter, ...]:
    """Meters of a park's steam whose pressure and temperature are known, by device.

    Parameters
    ----------
    catalogue : Catalogue, optional
        Says which pressures are gauge pressures; none: all are absolute.
    points : iterable of MeteredPoint
        Of the park.
    """
    devices = () if catalogue is None else catalogue.device
    gauge = {d.code for d in devices if d.pressure_reference is PressureReference.GAUGE}
    by_device: defaultdict[str, list[MeteredPoint]] = defaultdict(list)
    for point in points:
        by_device[point.device].append(point)
    found = list[SteamMeter]()
    for device, own in sorted(by_device.items()):
        mass, pressure, temperature = (
            _only(own, measurand) for measurand in (Measurand.STEAM_MASS, Measurand.PRESSURE, Measurand.TEMPERATURE)
        )
        if mass is not None and pressure is not None and temperature is not None:
            added = STANDARD_ATMOSPHERE_KPA if device in gauge else 0.0
            found.append(SteamMeter(device, mass, pressure, temperature, added))
    return tuple(found)


def heat_number(mass_id: int) -> int:
    """Number of the series of heat that belongs to a point that counts the mass of steam."""
    return _FIRST_HEAT - mass_id


def mass_of(number: int) -> int | None:
    """Point whose steam's heat a series is; None: it is another series."""
    return _FIRST_HEAT - number if number < _FIRST_HEAT else None


def as_heat(flow: Flow) -> Flow:
    """Flow of the heat that a flow of steam carries."""
    measurand = Measurand.HEAT_ENERGY
    return replace(flow, point_id=heat_number(flow.point_id), measurand=measurand, unit=MEANINGS[measurand].unit)


def _only(points: Sequence[MeteredPoint], measurand: Measurand) -> int | None:
    """The point that bears the measurand's name, or the only one of the measurand."""
    of_it = [p for p in points if p.measurand is measurand]
    named = [p for p in of_it if p.code == measurand.value] or of_it
    return named[0].point_id if len(named) == 1 else None
