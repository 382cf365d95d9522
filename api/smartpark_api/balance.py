"""Which meters make up the park's load, and which way they look; the same choice as derive's for energy.

What counts is what crosses the park's boundary (role *boundary*) and what is made inside (*generation*); energy
handed on inside (*internal transfer*) does not. Power is positive into the consumer, so a generator's product is
negative and its energy the export register's; one without such a register is a production meter and looks the
other way.
"""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Protocol, TypeVar

from smartpark.catalogue import Role
from smartpark.measurands import Carrier, Measurand
from smartpark_storage.reads import AmountRow, DeviceRow

_ELECTRIC = (Carrier.ELECTRICITY, Carrier.PHOTOVOLTAIC)


class Source(StrEnum):
    """Where a part of the load comes from."""

    GRID = "grid"
    PHOTOVOLTAIC = "photovoltaic"
    OTHER = "other"


class Measuring(Protocol):
    """Whatever says which device measures what."""

    @property
    def device(self) -> str:
        """Code of the device."""
        ...

    @property
    def code(self) -> str:
        """Code of the point within it."""
        ...

    @property
    def measurand(self) -> str:
        """What is measured."""
        ...


Row = TypeVar("Row", bound=Measuring)


def power_parts(devices: Iterable[DeviceRow], rows: Sequence[Row]) -> list[tuple[Row, Source, int]]:
    """Rows of active power that add up to the load, where each comes from, and its sign in the sum.

    A device that measures its phases one by one and no total counts with all of them.
    """
    parts: list[tuple[Row, Source, int]] = []
    for device in devices:
        source = source_of(device)
        if source is None:
            continue
        own = [row for row in rows if row.device == device.code]
        powers = [row for row in own if row.measurand == Measurand.ACTIVE_POWER]
        totals = [row for row in powers if row.code == Measurand.ACTIVE_POWER] or powers
        sign = -1 if source is not Source.GRID and has_export(own) else 1
        parts += [(row, source, sign) for row in totals]
    return parts


def source_of(device: DeviceRow) -> Source | None:
    """What a device's power is to the load; None when it does not count."""
    if device.internal_transfer or device.carrier not in _ELECTRIC:
        return None
    if device.role == Role.BOUNDARY:
        return Source.GRID
    if device.role == Role.GENERATION:
        return Source.PHOTOVOLTAIC if device.carrier == Carrier.PHOTOVOLTAIC else Source.OTHER
    return None


def has_export(rows: Iterable[Measuring | AmountRow]) -> bool:
    """Whether one of a device's registers counts what it gives."""
    return any(row.measurand == Measurand.ACTIVE_ENERGY_EXPORT for row in rows)


def photovoltaic_energy(devices: Iterable[DeviceRow], amounts: Sequence[AmountRow]) -> float | None:
    """Energy that photovoltaics made, net of what they drew; None without one, or when an amount is not known."""
    total, found = 0.0, False
    for device in devices:
        if source_of(device) is not Source.PHOTOVOLTAIC:
            continue
        own = [one for one in amounts if one.device == device.code]
        is_two_way = has_export(own)
        for one in own:
            if one.measurand not in {Measurand.ACTIVE_ENERGY_EXPORT, Measurand.ACTIVE_ENERGY_IMPORT}:
                continue
            if one.amount is None:
                return None
            drawn = is_two_way and one.measurand == Measurand.ACTIVE_ENERGY_IMPORT
            total += -one.amount if drawn else one.amount
            found = True
    return total if found else None
