"""The network as nodes and paths: which transformers share a load, which meters measure a node, what lies upstream.

The park is the last node of every path: it may carry what all its supplies carry together, and its load is what
crosses its boundary. A node that is not measured as a whole has no load here, never the sum of the half that is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from smartpark.balance_rule import ELECTRIC
from smartpark.catalogue import Role
from smartpark.errors import SmartparkError
from smartpark.load_network import LoadPointRow, NodeRow

from smartpark_analytics.planning.curves import MeterCurves

Floats = NDArray[np.float64]
PARK: Final = "park"
"""Code and kind of the node that stands for the whole park."""


class UnknownNodeError(SmartparkError):
    """There is no transformer or feeder of that code in the park."""


@dataclass(frozen=True)
class Node:
    """A transformer, several that share a load, a feeder, or the park."""

    code: str
    """``transformer/TR1``, ``transformer/TR1+TR2``, ``feeder/F1``, ``park``."""
    kind: str
    units: tuple[str, ...]
    """Codes of the transformers that make it up; of a feeder its own; of the park none."""
    ratings: tuple[float, ...]
    """Of the units; of the park: of all that feeds it. [kVA]"""
    upstream: str | None
    """Code of the node that feeds it; none: the park."""
    meters: tuple[str, ...]
    """Devices whose sum is its load; none: its load is that of the nodes below."""
    names: tuple[str, ...] = ()
    """What people call the units."""

    @property
    def is_replaceable(self) -> bool:
        """A distribution transformer can be replaced by a larger one; main transformers and feeders are projects."""
        return self.kind == "transformer" and self.upstream not in {None, PARK}

    @property
    def rated_kva(self) -> float | None:
        """Of all units together; none: the catalogue names none."""
        return sum(self.ratings) if self.ratings else None


def stations_in(rows: Sequence[NodeRow]) -> list[tuple[str, ...]]:
    """Transformers that stand in for each other, as the catalogue has it."""
    units: dict[str, list[str]] = {}
    for row in rows:
        if row.kind == "transformer" and row.station is not None:
            units.setdefault(row.station, []).append(row.code)
    return [tuple(codes) for codes in units.values() if len(codes) > 1]


def nodes_of(
    rows: Sequence[NodeRow], points: Sequence[LoadPointRow], stations: Sequence[Sequence[str]]
) -> list[Node]:
    """Nodes of a park, itself the last one; transformers named together in `stations` become one."""
    transformers = [row.code for row in rows if row.kind == "transformer"]
    for code in (code for station in stations for code in station):
        if code not in transformers:
            raise UnknownNodeError(
                f"there is no transformer {code!r}; known: {', '.join(transformers) or 'none yet'}"
            )
    station_of = {code: tuple(station) for station in stations for code in station}
    nodes: dict[str, Node] = {}
    for row in rows:
        units = station_of.get(row.code, (row.code,)) if row.kind == "transformer" else (row.code,)
        own = [one for one in rows if one.kind == row.kind and one.code in units]
        meters = [_meters_on(one, points) for one in own]
        name = f"{row.kind}/{'+'.join(units)}"
        nodes[name] = Node(
            name,
            row.kind,
            units,
            tuple(one.rated_kva for one in own),
            _upstream(row, station_of),
            tuple(device for part in meters for device in part) if all(meters) else (),
            tuple(one.name for one in own),
        )
    return [*nodes.values(), _park_node(list(nodes.values()), points)]


def _park_node(nodes: Sequence[Node], points: Sequence[LoadPointRow]) -> Node:
    supplies = [rating for node in nodes if node.upstream == PARK for rating in node.ratings]
    crossing = {
        point.device: point
        for point in points
        if point.role == Role.BOUNDARY and point.carrier in ELECTRIC and not point.internal_transfer
    }
    meters = tuple(device for device, point in crossing.items() if point.parent not in crossing)
    return Node(PARK, PARK, (), tuple(supplies), None, meters)


def _upstream(row: NodeRow, station_of: Mapping[str, tuple[str, ...]]) -> str:
    if row.upstream is None:
        return PARK
    if row.kind == "transformer":
        return f"feeder/{row.upstream}"
    return f"transformer/{'+'.join(station_of.get(row.upstream, (row.upstream,)))}"


def find_node(nodes: Sequence[Node], name: str) -> Node:
    """Node of that name, or with a unit of that code; `UnknownNodeError` when there is none or several.

    ``transformer/TR1`` is also the station that TR1 belongs to.
    """
    found = [node for node in nodes if name == node.code] or [
        node for node in nodes if any(name in {unit, f"{node.kind}/{unit}"} for unit in node.units)
    ]
    if len(found) == 1:
        return found[0]
    known = ", ".join(node.code for node in nodes) or "none yet"
    raise UnknownNodeError(f"{name!r} names {len(found)} transformers or feeders; known: {known}")


def _meters_on(row: NodeRow, points: Sequence[LoadPointRow]) -> list[str]:
    """Topmost meters on a transformer: those that no other meter on it measures too. Generators behind it are not."""
    if row.kind != "transformer":
        return []
    on_it = {p.device: p for p in points if p.transformer == row.code and p.role != Role.GENERATION}
    return [device for device, point in on_it.items() if point.parent not in on_it]


def paths_of(nodes: Sequence[Node]) -> list[tuple[str, ...]]:
    """From every node upwards; what feeds nothing comes first in its path."""
    upstream = {node.code: node.upstream for node in nodes}
    paths: list[tuple[str, ...]] = []
    for node in nodes:
        path, here = [node.code], node.upstream
        while here is not None and here in upstream and here not in path:
            path.append(here)
            here = upstream[here]
        paths.append(tuple(path))
    return paths


def node_loads(nodes: Sequence[Node], curves: MeterCurves) -> tuple[Floats, Floats]:
    """Active and reactive power of each node, shape (n_nodes, n_quarters).

    A node without meters of its own takes the sum of the nodes that hang on it, if there are any; NaN where a part of
    the sum is not known, or nothing measures the node.
    """
    row_of = {device: row for row, device in enumerate(curves.devices)}
    by_code = {node.code: node for node in nodes}
    members = {node.code: _members(node, nodes, by_code, depth=0) for node in nodes}
    shape = (len(nodes), curves.active.shape[1])
    active, reactive = np.full(shape, np.nan), np.full(shape, np.nan)
    for n, node in enumerate(nodes):
        devices = members[node.code]
        if devices and all(device in row_of for device in devices):
            rows = [row_of[device] for device in devices]
            active[n] = curves.active[rows].sum(axis=0)
            reactive[n] = curves.reactive[rows].sum(axis=0)
    return active, reactive


def _members(node: Node, nodes: Sequence[Node], by_code: dict[str, Node], *, depth: int) -> tuple[str, ...]:
    """Meters that add up to the node; none where a branch below is not measured."""
    if node.meters or depth > len(by_code):
        return node.meters
    parts = [_members(below, nodes, by_code, depth=depth + 1) for below in nodes if below.upstream == node.code]
    return tuple(device for part in parts for device in part) if parts and all(parts) else ()
