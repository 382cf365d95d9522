"""What the platform itself says it has lost, and which missing readings that explains.

A loss is excused only when an agent has named it: how many readings, of which agent, and only of the time in which
the fault that made it lose them lasted. Everything else that is missing is lost.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class NamedLoss:
    """What one agent has named, and when what it concerns was said, both ends included."""

    edge: str
    readings: int
    letters: int
    first_us: int
    last_us: int
    why: str

    def __str__(self) -> str:
        """As the report shows it."""
        return f"{self.edge}: {self.readings} readings, {self.letters} dead letters, {self.why}"


@dataclass(frozen=True, slots=True)
class Difference:
    """A reading that `smartpark verify` found not as it should be."""

    what: str
    point: str
    time_us: int
    count: int


@dataclass(frozen=True, slots=True)
class ExpectedLetter:
    """A message that must become dead letters, unless what it became was named as lost."""

    message: int
    time_us: int
    letters: int


def dropped_between(
    edge: str, before: Mapping[str, Any], after: Mapping[str, Any], span_us: tuple[int, int]
) -> NamedLoss | None:
    """What one and the same spool says it has dropped between two looks at it."""
    readings, letters = (after[name] - before[name] for name in ("dropped", "dropped_letters"))
    if not readings and not letters:
        return None
    return NamedLoss(edge, readings, letters, *span_us, "dropped")


def read_differences(file: Path) -> list[Difference]:
    """Read what `smartpark verify --list` wrote."""
    rows = (line.split("\t") for line in file.read_text(encoding="utf-8").splitlines())
    return [Difference(what, point, int(time), int(count)) for what, point, time, count in rows]


def explained(lost: Iterable[Difference], named: Iterable[NamedLoss], edge_of: Mapping[str, str]) -> list[int]:
    """How many of the lost readings each named loss accounts for; `edge_of` maps devices to their agent.

    Examples
    --------
    >>> lost = [Difference("lost", "park/M1/voltage", time, 1) for time in (1, 5, 6, 9)]
    >>> explained(lost, [NamedLoss("edge-a", 1, 0, 5, 6, "full")], {"M1": "edge-a"})
    [1]
    >>> explained(lost, [NamedLoss("edge-b", 9, 0, 5, 6, "full")], {"M1": "edge-a"})
    [0]
    """
    left = set(lost)
    counts: list[int] = []
    for loss in named:
        mine = [
            one
            for one in left
            if loss.first_us <= one.time_us <= loss.last_us and edge_of[one.point.split("/")[1]] == loss.edge
        ]
        mine = mine[: loss.readings]
        left -= set(mine)
        counts.append(len(mine))
    return counts


def explained_letters(expected: Iterable[ExpectedLetter], named: Iterable[NamedLoss], readings: Iterable[int]) -> int:
    """How many dead letters the named losses may have taken with them.

    A reading that only ingest would have refused is still a reading when a spool drops it: `readings` says how many
    of each loss are accounted for by others.

    Examples
    --------
    >>> expected = [ExpectedLetter(1, 5, 3), ExpectedLetter(2, 8, 1)]
    >>> explained_letters(expected, [NamedLoss("edge-a", 9, 1, 4, 6, "full")], [8])
    2
    """
    left = set(expected)
    count = 0
    for loss, accounted in zip(named, readings, strict=True):
        within = {one for one in left if loss.first_us <= one.time_us <= loss.last_us}
        left -= within
        count += min(sum(one.letters for one in within), loss.readings - accounted + loss.letters)
    return count
