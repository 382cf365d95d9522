"""The tree of meters: which registers count for whom, going down from the park's boundary.

The rules stand in `accounts`. A meter's place is that of the catalogue; where it names none and only one is possible,
that one. Devices that count nothing are passed over.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from smartpark.balance_rule import ELECTRIC
from smartpark.catalogue import Role
from smartpark.flows import Flow, MeterNode
from smartpark.measurands import Carrier

METERING: Final = frozenset({Role.BOUNDARY, Role.DISTRIBUTION, Role.CONSUMPTION})
"""Roles of meters that measure what goes through, not what is made."""


@dataclass(frozen=True, slots=True)
class MeteredDevice:
    """A device with the registers that count."""

    code: str
    carrier: Carrier
    role: Role
    internal_transfer: bool
    parent: str | None
    enterprise: str | None
    sub_park: str | None
    flows: tuple[Flow, ...]
    is_virtual: bool = False

    @property
    def is_generator(self) -> bool:
        """Whether it measures what is made."""
        return self.role is Role.GENERATION

    @property
    def is_in_service(self) -> bool:
        """Whether the catalogue names it still."""
        return any(flow.awaited_to_us is None for flow in self.flows)

    @property
    def network(self) -> Carrier:
        """Photovoltaic electricity flows in the same network as any other."""
        return Carrier.ELECTRICITY if self.carrier in ELECTRIC else self.carrier


class MeterTree:
    """Devices by code, and who owns them."""

    def __init__(self, devices: Mapping[str, MeteredDevice], sub_park_of: Mapping[str, str]) -> None:
        self.devices = {code: d for code, d in devices.items() if d.flows or d.is_generator}
        self._sub_park_of = sub_park_of
        self._above = {code: self._find_parent(d, devices) for code, d in self.devices.items()}
        self._owners: dict[tuple[str, str], str | None] = {}
        self._topmost: defaultdict[str, list[MeteredDevice]] = defaultdict(list)
        for device in self.devices.values():
            owner = self.owner(device, "enterprise")
            above = self.parent(device)
            is_topmost = above is None or self.owner(above, "enterprise") != owner
            is_meter = device.network is Carrier.ELECTRICITY and device.role in METERING and not device.is_virtual
            if owner is not None and is_topmost and is_meter:
                self._topmost[owner].append(device)
        self._boundary_meters: defaultdict[Carrier, list[MeteredDevice]] = defaultdict(list)
        for device in self.devices.values():
            if device.role is Role.BOUNDARY and not device.internal_transfer and not device.is_virtual:
                self._boundary_meters[device.network].append(device)

    def _find_parent(self, device: MeteredDevice, known: Mapping[str, MeteredDevice]) -> MeteredDevice | None:
        """Nearest device above that counts in the same network; None at the top."""
        code = device.parent
        seen = {device.code}
        while code is not None and code not in seen:
            seen.add(code)
            above = self.devices.get(code)
            if above is not None and above.network is device.network:
                return above
            passed = known.get(code)
            code = None if passed is None else passed.parent
        return None

    def parent(self, device: MeteredDevice) -> MeteredDevice | None:
        """Meter above; None at the top."""
        return self._above[device.code]

    def owner(self, device: MeteredDevice, level: str) -> str | None:
        """Code of the enterprise (or sub-park) a device belongs to: its own, else that of the one above."""
        passed: list[str] = []
        here: MeteredDevice | None = device
        owner: str | None = None
        while here is not None and owner is None:
            if (here.code, level) in self._owners:
                owner = self._owners[here.code, level]
                break
            passed.append(here.code)
            owner = here.enterprise if level == "enterprise" else self._sub_park(here)
            here = self.parent(here)
        self._owners |= {(code, level): owner for code in passed}
        return owner

    def _sub_park(self, device: MeteredDevice) -> str | None:
        return device.sub_park or self._sub_park_of.get(device.enterprise or "")

    def network_owner(self, generator: MeteredDevice, level: str) -> str | None:
        """Whose network a generator feeds; None: the park's."""
        above = self.parent(generator)
        if above is not None:
            return self.owner(above, level)
        behind = self._topmost.get(generator.enterprise or "", [])
        return self.owner(behind[0], level) if behind else None

    def nodes(self) -> tuple[MeterNode, ...]:
        """Meters with others beneath them."""
        beneath: defaultdict[str, list[MeteredDevice]] = defaultdict(list)
        uncertain = set[str]()
        for device in self.devices.values():
            place, doubtful = self._place(device)
            uncertain.update(doubtful)
            if place is not None:
                beneath[place].append(device)
        return tuple(
            self._node(self.devices[code], beneath[code], is_certain=code not in uncertain)
            for code in sorted(beneath)
        )

    def _place(self, device: MeteredDevice) -> tuple[str | None, list[str]]:
        """Meter that a device hangs on, and meters of which it is doubtful whether it hangs on them."""
        above = self.parent(device)
        if above is not None:
            return above.code, []
        if device.is_virtual or device.role is Role.BOUNDARY or device.internal_transfer:
            return None, []
        own = self._topmost.get(device.enterprise or "", []) if device.is_generator else []
        candidates = own or self._boundary_meters.get(device.network, [])
        return (candidates[0].code, []) if len(candidates) == 1 else (None, [d.code for d in candidates])

    def _node(self, device: MeteredDevice, beneath: Sequence[MeteredDevice], *, is_certain: bool) -> MeterNode:
        children = [replace(f, sign=-f.sign) if child.is_generator else f for child in beneath for f in child.flows]
        consumers = [child for child in beneath if not child.is_generator and child.is_in_service]
        first = device.flows[0]
        return MeterNode(
            device.code,
            device.carrier,
            first.measurand,
            first.unit,
            self.owner(device, "enterprise"),
            bool(consumers) and all(child.role is Role.DISTRIBUTION for child in consumers),
            device.flows,
            tuple(sorted(children, key=lambda f: f.key)),
            is_certain,
        )

    def common(self, nodes: Iterable[MeterNode]) -> tuple[Flow, ...]:
        """Electricity at the ends of the tree that is no enterprise's."""
        parents = {node.device for node in nodes}
        return tuple(
            flow
            for device in self.devices.values()
            if device.network is Carrier.ELECTRICITY
            and device.role in {Role.DISTRIBUTION, Role.CONSUMPTION}
            and not device.internal_transfer
            and device.code not in parents
            and self.owner(device, "enterprise") is None
            for flow in device.flows
        )

    def transfers(self) -> tuple[Flow, ...]:
        """Electricity handed on by meters at the top."""
        return tuple(
            flow
            for device in self.devices.values()
            if device.internal_transfer
            and device.network is Carrier.ELECTRICITY
            and device.role in METERING
            and self.parent(device) is None
            and self.owner(device, "enterprise") is not None
            for flow in device.flows
        )


def flows_of_park(tree: MeterTree) -> Iterable[Flow]:
    """What crosses the park's boundary, and what is made inside."""
    for device in tree.devices.values():
        counts = device.role in {Role.BOUNDARY, Role.GENERATION} and not device.internal_transfer
        if counts:
            yield from device.flows


def flows_of_owners(tree: MeterTree, device: MeteredDevice, level: str) -> Iterable[tuple[str, Flow]]:
    """Owners that a device's flows count for at a level, each with the flow as it counts there."""
    if device.is_generator:
        yield from _generated(tree, device, level)
        return
    above = tree.parent(device)
    upper = None if above is None else tree.owner(above, level)
    owner = tree.owner(device, level)
    if owner == upper or (level == "sub_park" and device.internal_transfer and above is None):
        return
    for flow in device.flows:
        if owner is not None:
            yield owner, flow
        if upper is not None:
            yield upper, replace(flow, sign=-flow.sign)


def _generated(tree: MeterTree, generator: MeteredDevice, level: str) -> Iterable[tuple[str, Flow]]:
    owner = tree.owner(generator, level)
    fed = tree.network_owner(generator, level)
    for flow in generator.flows:
        if owner is not None:
            yield owner, flow
        if fed != owner:
            # It crosses from the one to the other as electricity, whatever made it.
            crossing = replace(flow, carrier=Carrier.ELECTRICITY, is_generation=False)
            if owner is not None:
                yield owner, replace(crossing, sign=-flow.sign)
            if fed is not None:
                yield fed, crossing
