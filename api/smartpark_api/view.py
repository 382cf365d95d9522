"""How the page arranges things: meters by their role, what stands for each, the load curve as a plain drawing."""

from collections.abc import Iterator, Sequence
from typing import Final

from smartpark.catalogue import Role
from smartpark.measurands import Carrier, Measurand

from smartpark_api.models.catalogue import LatestValue
from smartpark_api.models.now import DeviceNow
from smartpark_api.models.series import Load

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
    if found is None or found.value is None or device.role != Role.GENERATION or not _gives_back(device):
        return found
    return found.model_copy(update={"value": -found.value})


def _gives_back(device: DeviceNow) -> bool:
    """Whether it has a register of what it gives; without one it is a production meter and looks the other way."""
    return any(reading.measurand == Measurand.ACTIVE_ENERGY_EXPORT for reading in device.readings)


def register_of(device: DeviceNow) -> LatestValue | None:
    """The register that today's amount comes from."""
    return None if device.today is None else _reading_of(device, (Measurand(device.today.measurand),))


def _reading_of(device: DeviceNow, measurands: Sequence[Measurand]) -> LatestValue | None:
    for measurand in measurands:
        for reading in device.readings:
            if reading.measurand == measurand:
                return reading
    return None


def curve_paths(load: Load, *, width: int, height: int) -> tuple[str, str]:
    """SVG paths of the load and of the day before, as steps on one scale; a gap lifts the pen.

    Shown until the script draws the curve with axes, and for good where there is no script.
    """
    known = [value for value in (*load.load, *load.day_before, 0.0) if value is not None]
    low, high = min(known), max(known)
    per_quarter, per_unit = width / max(len(load.time), 1), height / ((high - low) * 1.08 or 1.0)

    def path(values: Sequence[float | None]) -> str:
        steps: list[str] = []
        for n, value in enumerate(values):
            if value is not None:
                pen = "L" if n and values[n - 1] is not None else "M"
                y = height - (value - low) * per_unit
                steps.append(f"{pen}{n * per_quarter:.1f} {y:.1f}H{(n + 1) * per_quarter:.1f}")
        return "".join(steps)

    return path(load.load), path(load.day_before)
