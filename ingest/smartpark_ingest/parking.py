"""Batches that wait for a birth: bounded, by edge, and not for ever."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from smartpark_ingest.inbox import Arrival

PATIENCE_S: Final = 30.0
"""How long a batch waits for the birth that explains it. [s]"""
MAX_BATCHES: Final = 512
MAX_BYTES: Final = 64 * 2**20


@dataclass(frozen=True, slots=True)
class Waiting:
    """One batch, and since when."""

    arrival: Arrival
    since_s: float


class ParkingPlace:
    """Remembers at most `MAX_BATCHES` batches of together at most `MAX_BYTES`."""

    def __init__(self) -> None:
        self._waiting: dict[tuple[str, int, int], Waiting] = {}
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, edge: str, number: tuple[int, int], arrival: Arrival, since_s: float) -> None:
        """Park a batch; one that is there already keeps its age, and one too many is left to its edge to resend."""
        key = (edge, *number)
        full = len(self._waiting) >= MAX_BATCHES or self._bytes + len(arrival.payload) > MAX_BYTES
        if key not in self._waiting and not full:
            self._waiting[key] = Waiting(arrival, since_s)
            self._bytes += len(arrival.payload)

    def edges(self) -> set[str]:
        """Edges of which something waits."""
        return {key[0] for key in self._waiting}

    def take(self, edge: str) -> list[Waiting]:
        """Remove and return what waits for this edge, oldest first."""
        return [self._remove(key) for key in list(self._waiting) if key[0] == edge]

    def take_overdue(self, now_s: float) -> Iterator[tuple[str, Waiting]]:
        """Remove and return what has waited long enough."""
        for key, waiting in list(self._waiting.items()):
            if self.is_overdue(waiting.since_s, now_s):
                yield key[0], self._remove(key)

    def excuse(self, seconds: float) -> None:
        """Prolong every wait: so long nobody could hear the birth."""
        self._waiting = {
            key: Waiting(waiting.arrival, waiting.since_s + seconds) for key, waiting in self._waiting.items()
        }

    @staticmethod
    def is_overdue(since_s: float, now_s: float) -> bool:
        """Whether patience has ended."""
        return now_s - since_s >= PATIENCE_S

    def _remove(self, key: tuple[str, int, int]) -> Waiting:
        waiting = self._waiting.pop(key)
        self._bytes -= len(waiting.arrival.payload)
        return waiting
