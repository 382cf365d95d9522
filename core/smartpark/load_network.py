"""A park's electric network as its catalogue has it: what may carry load, and which points tell how much.

Storage reads these rows and analytics makes sums of them; neither knows the other. Nothing here is measured.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class NodeRow:
    """A transformer or feeder in service."""

    kind: str
    """``transformer`` or ``feeder``."""
    code: str
    name: str
    rated_kva: float
    voltage_kv: float | None
    enterprise: str | None
    sub_park: str | None
    upstream: str | None
    """The feeder of a transformer, the main transformer of a feeder; None: nobody said."""
    station: str | None = None
    """Of a transformer: whose others stand in for it; None: nobody said."""


@dataclass(frozen=True, slots=True)
class LoadPointRow:
    """Power or an energy register of an electric meter in service."""

    point_id: int
    device: str
    code: str
    measurand: str
    parent: str | None
    transformer: str | None
    role: str
    carrier: str
    internal_transfer: bool
