"""What has been promised to requests under way and is not connected yet: it takes from what is free.

Where a request names no node, or one that the catalogue does not have (any more), its promise counts at the park and
nowhere else; it is never left out.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from smartpark_analytics.headroom import reserved_load
from smartpark_analytics.planning.network import PARK, Node, UnknownNodeError, find_node

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Reserved:
    """Capacity promised and not yet connected."""

    node: str | None
    """None: the request does not say where."""
    kva: float
    coincidence: float | None = 1.0
    """Share of it that falls together with the peak; none: nobody said, it counts in full."""
    request: str | None = None
    """Code of the request; none: somebody made it up to ask."""

    @property
    def counted_kva(self) -> float:
        """What it adds to the peak."""
        return self.kva * (1.0 if self.coincidence is None else self.coincidence)


def place_of(one: Reserved, nodes: Sequence[Node]) -> str:
    """Code of the node where a promise counts.

    Raises
    ------
    UnknownNodeError
        When somebody asks about a node that there is none of; a promise on record counts at the park instead.
    """
    if one.node is None:
        return PARK
    try:
        return find_node(nodes, one.node).code
    except UnknownNodeError:
        if one.request is None:
            raise
        return PARK


def reserved_at(promises: Sequence[Reserved], nodes: Sequence[Node], paths: Sequence[tuple[str, ...]]) -> Floats:
    """What the promises add to the peak of each node, shape (n_nodes,) [kVA]; also of everything above their own."""
    path_from = {path[0]: path for path in paths}
    through = [path_from[place_of(one, nodes)] for one in promises]
    at_node = np.array([[node.code in path for path in through] for node in nodes], dtype=bool)
    return reserved_load(
        np.array([one.kva for one in promises], dtype=np.float64),
        np.array([1.0 if one.coincidence is None else one.coincidence for one in promises], dtype=np.float64),
        at_node.reshape(len(nodes), len(through)),
    )
