"""The point registry: which points there are and what a writer or a computation must know of each.

It is read whole and kept in memory by those who need it; its version says cheaply whether a copy is old.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from smartpark.catalogue import Catalogue, DeviceKind, Furnace, Role
from smartpark.measurands import Carrier, Kind, Measurand

from smartpark_storage.connections import Connection, transaction
from smartpark_storage.queries import query

POINT_VERSION_DTYPE: Final = np.dtype(
    [("point_id", "<i4"), ("valid_from_us", "<i8"), ("multiplier", "<f8"), ("modulus", "<i8")]
)
"""Multiplier and register modulus from an instant on; modulus 0: unknown."""


@dataclass(frozen=True, slots=True)
class PointRecord:
    """A point as its catalogue has it now."""

    point_id: int
    key: str
    park: str
    device: str
    code: str
    measurand: Measurand
    kind: Kind
    unit: str
    carrier: Carrier
    exponent: int | None
    """Readings are integers times ten to this; None: float64."""
    register_modulus: int | None
    """Steps at which a counter rolls over; None: unknown."""
    multiplier: float
    """From the value the device gives to the primary value; earlier ones: `point_versions`."""
    role: Role
    internal_transfer: bool
    parent_device: str | None
    installed_at_us: int | None
    """From when on it is to be expected; None: from ever. [µs]

    Midnight in the park's zone of the day its device was installed. Where the catalogue names none: when it first
    named the device, unless that was the park's first catalogue. A register added to a known device begins then.
    """
    retired_at_us: int | None
    """Since when no catalogue mentions it; None: it is in service. [µs]"""
    max_rate: float | None = None
    """Fastest plausible movement of a counter, primary side; None: nobody said. [unit/h]"""
    sub_park: str | None = None
    enterprise: str | None = None
    transformer: str | None = None
    device_kind: DeviceKind = DeviceKind.METER
    accuracy_class: float | None = None
    """Limit of the device's error; None: nobody said. [%]"""
    is_feedstock: bool = False
    """Energy used as raw material."""
    nominal_voltage_v: float | None = None
    furnace: Furnace | None = None
    o2_reference_pct: float | None = None
    emission_limit: str | None = None

    @property
    def retired(self) -> bool:
        """Whether it is out of service now."""
        return self.retired_at_us is not None


class MeterChangeRecord(NamedTuple):
    """A register that was replaced, as the catalogue tells it."""

    point_id: int
    at_us: int
    final: Decimal
    """What the old register showed last, before ratios."""
    initial: Decimal
    """What the new register showed first."""


@dataclass(frozen=True, slots=True)
class Registry:
    """All points, those that are retired included: their late readings are still theirs."""

    version: int
    by_key: dict[str, PointRecord]
    by_id: dict[int, PointRecord]


def load_registry(connection: Connection) -> Registry:
    """Read the whole registry."""
    with transaction(connection):
        # Version first: a change in between makes the copy look older than it is, never newer.
        version = registry_version(connection)
        records = [_record(row) for row in connection.execute(query("registry_points"))]
    return Registry(version, {r.key: r for r in records}, {r.point_id: r for r in records})


_COLUMNS: Final = (
    "point_id",
    "key",
    "park",
    "device",
    "code",
    "measurand",
    "kind",
    "unit",
    "carrier",
    "exponent",
    "register_modulus",
    "multiplier",
    "max_rate",
    "role",
    "internal_transfer",
    "parent_device",
    "sub_park",
    "enterprise",
    "transformer",
    "device_kind",
    "accuracy_class",
    "is_feedstock",
    "nominal_voltage_v",
    "furnace",
    "o2_reference_pct",
    "emission_limit",
    "installed_at_us",
    "retired_at_us",
)
"""Of the statement registry_points, in its order."""
_WORDS: Final = {
    "measurand": Measurand,
    "kind": Kind,
    "carrier": Carrier,
    "role": Role,
    "device_kind": DeviceKind,
    "furnace": Furnace,
}


def _record(row: tuple[Any, ...]) -> PointRecord:
    given: dict[str, Any] = dict(zip(_COLUMNS, row, strict=True))
    given |= {name: word(given[name]) for name, word in _WORDS.items() if given[name] is not None}
    return PointRecord(**given)


def current_catalogue(connection: Connection, park: str) -> Catalogue | None:
    """Catalogue of a park as it was loaded last; None where none was."""
    with transaction(connection):
        row = connection.execute(query("current_catalogue"), {"park": park}).fetchone()
    return None if row is None else Catalogue.model_validate(row[0])


def registry_version(connection: Connection) -> int:
    """Count of the registry's changes."""
    with transaction(connection):
        row = connection.execute(query("registry_version")).fetchone()
    return 0 if row is None else int(row[0])


def register_edge(connection: Connection, code: str) -> int:
    """Number of an edge; given on first sight."""
    with transaction(connection):
        row = connection.execute(query("find_edge"), {"code": code}).fetchone()
        if row is None:
            connection.execute(query("add_edge"), {"code": code})
            row = connection.execute(query("find_edge"), {"code": code}).fetchone()
    if row is None:
        raise LookupError(f"edge {code} was added and is not there")
    return int(row[0])


def point_versions(connection: Connection, point_ids: Sequence[int]) -> NDArray[np.void]:
    """Multiplier and modulus of points over time.

    Returns
    -------
    ndarray of POINT_VERSION_DTYPE, shape (n,)
        Ordered by point and time; the first row of a point is valid from the epoch on.
    """
    with transaction(connection):
        rows = connection.execute(query("point_versions"), {"points": list(point_ids)}).fetchall()
    return np.array(rows, POINT_VERSION_DTYPE)


def meter_changes(connection: Connection, point_ids: Sequence[int]) -> list[MeterChangeRecord]:
    """Replaced registers of points, ordered by point and time."""
    with transaction(connection):
        rows = connection.execute(query("meter_changes"), {"points": list(point_ids)}).fetchall()
    return [MeterChangeRecord(point, at, Decimal(final), Decimal(initial)) for point, at, final, initial in rows]
