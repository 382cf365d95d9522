"""What makes up the park's load, by where it comes from; which meters count, and with which sign, is core's rule."""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Protocol, TypeVar

from smartpark.balance_rule import ACTIVE_ENERGY, ELECTRIC, Measures, signs_at_boundary
from smartpark.catalogue import Role
from smartpark.measurands import Carrier, Measurand
from smartpark_storage.reads import AmountRow, DeviceRow


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
    """Rows of active power that add up to the load, where each comes from, and its sign in the sum."""
    parts: list[tuple[Row, Source, int]] = []
    for device in devices:
        source = source_of(device)
        if source is None:
            continue
        own = [row for row in rows if row.device == device.code]
        signs = _signs(device, [Measures(row.code, row.measurand) for row in own])
        parts += [
            (row, source, sign)
            for row, sign in zip(own, signs, strict=True)
            if sign and row.measurand == Measurand.ACTIVE_POWER
        ]
    return parts


def source_of(device: DeviceRow) -> Source | None:
    """What a device's power is to the load; None when it does not count."""
    if device.internal_transfer or device.carrier not in ELECTRIC:
        return None
    if device.role == Role.BOUNDARY:
        return Source.GRID
    if device.role == Role.GENERATION:
        return Source.PHOTOVOLTAIC if device.carrier == Carrier.PHOTOVOLTAIC else Source.OTHER
    return None


def _signs(device: DeviceRow, measures: Sequence[Measures]) -> list[int]:
    return signs_at_boundary(device.role, device.carrier, measures, internal_transfer=device.internal_transfer)


def photovoltaic_energy(devices: Iterable[DeviceRow], amounts: Sequence[AmountRow]) -> float | None:
    """Energy that photovoltaics made, net of what they drew; None without one, or when an amount is not known."""
    total, found = 0.0, False
    for device in devices:
        if source_of(device) is not Source.PHOTOVOLTAIC:
            continue
        own = [one for one in amounts if one.device == device.code]
        # What a register means does not hang on its code, which amounts do not carry.
        signs = _signs(device, [Measures(one.measurand, one.measurand) for one in own])
        for one, sign in zip(own, signs, strict=True):
            if not sign or one.measurand not in ACTIVE_ENERGY:
                continue
            if one.amount is None:
                return None
            total += sign * one.amount
            found = True
    return total if found else None
