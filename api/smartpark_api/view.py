"""How the page arranges devices: meters by their role, the level and register that stand for each."""

from collections.abc import Iterator, Sequence
from typing import Final

from smartpark.catalogue import Role
from smartpark.measurands import Carrier, Measurand

from smartpark_api.models.catalogue import LatestValue
from smartpark_api.models.now import DeviceNow

_LEVELS: Final = (
    Measurand.ACTIVE_POWER,
    Measurand.GAS_FLOW,
    Measurand.HEAT_POWER,
    Measurand.STEAM_FLOW,
    Measurand.WATER_FLOW,
)
_ELECTRIC: Final = (Carrier.ELECTRICITY, Carrier.PHOTOVOLTAIC)


def meter_groups(meters: Sequence[DeviceNow]) -> Iterator[tuple[Role, list[DeviceNow]]]:
    """Meters by role, in the order of the energy's way; electricity before other carriers."""
    for role in Role:
        group = [meter for meter in meters if meter.role == role]
        if group:
            yield role, sorted(group, key=lambda meter: meter.carrier not in _ELECTRIC)


def level_of(device: DeviceNow) -> LatestValue | None:
    """What flows now: the first of power or flow that the meter measures; what a generator gives is positive here."""
    found = _reading_of(device, _LEVELS)
    if found is None or found.value is None or device.role != Role.GENERATION:
        return found
    return found.model_copy(update={"value": -found.value})


def register_of(device: DeviceNow) -> LatestValue | None:
    """The register that today's amount comes from."""
    return None if device.today is None else _reading_of(device, (Measurand(device.today.measurand),))


def _reading_of(device: DeviceNow, measurands: Sequence[Measurand]) -> LatestValue | None:
    for measurand in measurands:
        for reading in device.readings:
            if reading.measurand == measurand:
                return reading
    return None
