"""The flows of balances: what takes part, with which sign, and which meters hang on which. Values only.

Who they belong to is decided in `meter_tree`, and put together in `accounts`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from smartpark.balance_rule import ACTIVE_ENERGY
from smartpark.catalogue import Furnace, Role
from smartpark.expressions import Expression
from smartpark.measurands import MATERIALS, MEDIA, Carrier, Measurand

PARK: Final = "park"
"""Boundary of the park as a whole."""


class MeteredPoint(Protocol):
    """What is to be known of a point; storage's `PointRecord` is one."""

    @property
    def point_id(self) -> int: ...  # noqa: D102  the names say it
    @property
    def key(self) -> str: ...  # noqa: D102
    @property
    def park(self) -> str: ...  # noqa: D102
    @property
    def device(self) -> str: ...  # noqa: D102
    @property
    def code(self) -> str: ...  # noqa: D102
    @property
    def measurand(self) -> Measurand: ...  # noqa: D102
    @property
    def unit(self) -> str: ...  # noqa: D102
    @property
    def carrier(self) -> Carrier: ...  # noqa: D102
    @property
    def role(self) -> Role: ...  # noqa: D102
    @property
    def internal_transfer(self) -> bool: ...  # noqa: D102
    @property
    def parent_device(self) -> str | None: ...  # noqa: D102
    @property
    def sub_park(self) -> str | None: ...  # noqa: D102
    @property
    def enterprise(self) -> str | None: ...  # noqa: D102
    @property
    def is_feedstock(self) -> bool: ...  # noqa: D102
    @property
    def furnace(self) -> Furnace | None: ...  # noqa: D102
    @property
    def accuracy_class(self) -> float | None: ...  # noqa: D102
    @property
    def installed_at_us(self) -> int | None: ...  # noqa: D102
    @property
    def retired_at_us(self) -> int | None: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Flow:
    """A counter that takes part in a balance, and how."""

    point_id: int
    """Of the point; below zero: a virtual meter's, see `ParkAccounts.virtual`."""
    key: str
    """``park/device/point``."""
    device: str
    carrier: Carrier
    measurand: Measurand
    unit: str
    sign: int
    """+1 where it counts what comes in or is made inside, -1 where it counts what leaves."""
    is_generation: bool = False
    """Made inside the boundary rather than brought across it."""
    is_feedstock: bool = False
    furnace: Furnace | None = None
    accuracy_class: float | None = None
    """Limit of the meter's error; None: nobody said. [%]"""
    awaited_from_us: int | None = None
    """Periods that begin earlier are complete without it; None: awaited from ever. [µs]"""
    awaited_to_us: int | None = None
    """Periods that end later are complete without it. [µs]"""

    def is_awaited(self, start_us: int, end_us: int) -> bool:
        """Whether a period is incomplete without it: one that lies wholly between installation and retirement."""
        return (self.awaited_from_us is None or start_us >= self.awaited_from_us) and (
            self.awaited_to_us is None or end_us <= self.awaited_to_us
        )

    @property
    def is_electric(self) -> bool:
        """Whether it counts electricity."""
        return self.measurand in ACTIVE_ENERGY

    @property
    def is_medium(self) -> bool:
        """Whether it counts a working medium (耗能工质), which is no energy in the total."""
        return self.carrier in MEDIA

    @property
    def is_material(self) -> bool:
        """Whether it counts what a process decomposes: no energy at all."""
        return self.carrier in MATERIALS


@dataclass(frozen=True, slots=True)
class Boundary:
    """The flows of one balance."""

    park: str
    name: str
    """``park``, ``sub_park/CODE`` or ``enterprise/CODE``."""
    flows: tuple[Flow, ...]
    """Ordered by key; those of working media included."""


@dataclass(frozen=True, slots=True)
class MeterNode:
    """A meter that others hang on, for the balance parent minus children."""

    device: str
    carrier: Carrier
    measurand: Measurand
    unit: str
    enterprise: str | None
    """Whose it is; None: the park's."""
    is_distribution: bool
    """Only meters that distribute hang on it: what is missing between them is loss."""
    parent: tuple[Flow, ...]
    """Its own registers."""
    children: tuple[Flow, ...]
    """Registers beneath it: +1 what they take, -1 what they give back; a generator gives."""
    is_certain: bool = True
    """False where it is not known which meter a generator or a meter without parent hangs on."""


@dataclass(frozen=True, slots=True)
class VirtualSeries:
    """A virtual meter, numbered like a point."""

    point_id: int
    """Below zero."""
    key: str
    code: str
    expression: Expression
    unit: str


@dataclass(frozen=True, slots=True)
class ParkAccounts:
    """Everything that a park's balances rest on."""

    park: str
    boundaries: tuple[Boundary, ...]
    """The park's first, then sub-parks and enterprises that have any flow."""
    nodes: tuple[MeterNode, ...]
    """Meters with others beneath them."""
    common: tuple[Flow, ...]
    """Electricity metered at the ends of the tree that belongs to no enterprise: the park's own use."""
    transfers: tuple[Flow, ...]
    """Electricity handed on inside by meters that hang on no other: counted for tenants, eliminated for the park."""
    virtual: tuple[VirtualSeries, ...]
    names: Mapping[str, tuple[tuple[int, int], ...]]
    """What each name in an expression stands for: points or virtual meters, with their signs."""

    def boundary(self, name: str) -> Boundary | None:
        """Boundary of that name; None where it has no flows."""
        return next((b for b in self.boundaries if b.name == name), None)

    @property
    def point_ids(self) -> list[int]:
        """Points to read, those that virtual meters rest on included."""
        flows = [f for b in self.boundaries for f in b.flows]
        flows += [f for n in self.nodes for f in (*n.parent, *n.children)]
        needed = (point for meter in self.virtual for name in meter.expression.names for point, _ in self.names[name])
        found = {*(f.point_id for f in (*flows, *self.common, *self.transfers)), *needed}
        return sorted(point for point in found if point > 0)
