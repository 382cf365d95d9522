"""What the platform itself says it has lost, and which missing readings that explains.

A loss is excused only when an agent has named it: how many readings, of which agent, from when to when. Everything
else that is missing is lost.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class NamedLoss:
    """So many readings of one agent, with source times within a span, both ends included."""

    edge: str
    readings: int
    first_us: int
    last_us: int
    why: str


@dataclass(frozen=True, slots=True)
class Difference:
    """A reading that `smartpark verify` found not as it should be."""

    what: str
    point: str
    time_us: int
    count: int


def read_differences(file: Path) -> list[Difference]:
    """Read what `smartpark verify --list` wrote."""
    rows = (line.split("\t") for line in file.read_text(encoding="utf-8").splitlines())
    return [Difference(what, point, int(time), int(count)) for what, point, time, count in rows]


def explained(lost: Iterable[Difference], named: Iterable[NamedLoss], edge_of: Mapping[str, str]) -> int:
    """How many of the lost readings the named losses account for; `edge_of` maps devices to their agent.

    Examples
    --------
    >>> lost = [Difference("lost", "park/M1/voltage", time, 1) for time in (1, 5, 6, 9)]
    >>> explained(lost, [NamedLoss("edge-a", 1, 5, 6, "full")], {"M1": "edge-a"})
    1
    >>> explained(lost, [NamedLoss("edge-b", 9, 5, 6, "full")], {"M1": "edge-a"})
    0
    """
    left = sorted(lost, key=lambda one: one.time_us)
    count = 0
    for loss in named:
        mine = [
            one
            for one in left
            if loss.first_us <= one.time_us <= loss.last_us and edge_of[one.point.split("/")[1]] == loss.edge
        ][: loss.readings]
        count += len(mine)
        taken = {id(one) for one in mine}
        left = [one for one in left if id(one) not in taken]
    return count
