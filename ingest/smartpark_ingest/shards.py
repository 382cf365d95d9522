"""Which worker an edge belongs to, and what that worker subscribes to.

Workers share the edges, never the messages of one edge: shared subscriptions lose what a dead member had not
acknowledged, and the order of one edge's births and data would be gone. An edge belongs to the worker
``crc32(code) % N``.

MQTT filters cannot say "every edge of my shard". So all workers hear the rare messages of all edges (birth, death,
status, json) and set aside what is not theirs, and each subscribes to the heavy ones (data, dead) edge by edge, as
soon as a birth or a status tells of an edge of its shard. Hearing everything N times would make N workers as slow as
one. A single worker simply takes the wildcards.
"""

import re
import zlib
from dataclasses import dataclass
from typing import Final

from smartpark.errors import SmartparkError
from smartpark.wire import ROOT, Topics

RARE_LEAVES: Final = ("birth", "death", "status", "json")
HEAVY_LEAVES: Final = ("data", "dead")


class ShardError(SmartparkError):
    """A shard is written k/N, with 0 <= k < N."""


@dataclass(frozen=True, slots=True)
class Shard:
    """One of `count` workers."""

    index: int
    count: int

    def __post_init__(self) -> None:
        if not 0 <= self.index < self.count:
            raise ShardError(f"shard {self.index}/{self.count} does not exist: write k/N with 0 <= k < N, e.g. 0/2")

    @staticmethod
    def parse(text: str) -> "Shard":
        """Read ``k/N``."""
        match = re.fullmatch(r"(\d{1,4})/(\d{1,4})", text)
        if match is None:
            raise ShardError(f"{text!r} is not a shard: write k/N with 0 <= k < N, e.g. 0/2")
        return Shard(int(match[1]), int(match[2]))

    def owns(self, edge: str) -> bool:
        """Whether this worker serves the edge."""
        return zlib.crc32(edge.encode()) % self.count == self.index

    @property
    def client_id(self) -> str:
        """Stable: a worker that comes back takes over its own session, and two cannot run at once."""
        return f"ingest-{self.index}-of-{self.count}"

    def first_filters(self) -> tuple[str, ...]:
        """What to subscribe to before any edge is known."""
        leaves = RARE_LEAVES if self.count > 1 else (*RARE_LEAVES, *HEAVY_LEAVES)
        return tuple(f"{ROOT}/+/{leaf}" for leaf in leaves)

    def filters_of(self, edge: str) -> tuple[str, ...]:
        """What to add when an edge of this shard is heard of."""
        return tuple(Topics(edge).of(leaf) for leaf in HEAVY_LEAVES) if self.count > 1 else ()
