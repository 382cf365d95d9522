"""The bounded queue between the broker's network thread and the worker's main thread.

Bounded by bytes and by messages, because memory is what runs out. When it is full the network thread waits a moment,
which slows the broker down through TCP; then it sets the message aside unread and counts it. That loses nothing:
whatever is not committed is not acknowledged, and what is not acknowledged the edge sends again.
"""

import threading
import time
from collections import deque
from dataclasses import dataclass

from smartpark.clock import utc_now_us
from smartpark.wire import announced_readings


@dataclass(frozen=True, slots=True)
class Arrival:
    """One message as the broker handed it over."""

    topic: str
    payload: bytes
    received_us: int
    retained: bool = False
    problem: str = ""
    """Why it could not even be handed over properly; then it is a dead letter."""

    @staticmethod
    def now(topic: str, payload: bytes, *, retained: bool = False, problem: str = "") -> "Arrival":
        """Stamp a message with the present instant."""
        return Arrival(topic, payload, utc_now_us(), retained, problem)


class Inbox:
    """Arrivals in order; one thread puts, one takes."""

    def __init__(self, *, max_messages: int, max_bytes: int) -> None:
        self._max_messages = max_messages
        self._max_bytes = max_bytes
        self._bytes = 0
        self._arrivals: deque[Arrival] = deque()
        self._changed = threading.Condition()
        self._woken = False

    def put(self, arrival: Arrival, *, patience_s: float) -> bool:
        """Add an arrival, waiting for room at most so long; whether there was room."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._has_room(arrival), timeout=patience_s):
                return False
            self._arrivals.append(arrival)
            self._bytes += len(arrival.payload)
            self._changed.notify_all()
            return True

    def take(self, *, until: float, readings: int) -> list[Arrival]:
        """Oldest arrivals that announce about so many readings together, at least one.

        None when none comes until `until`, in monotonic seconds, or until somebody wakes us.
        """
        with self._changed:
            left_s = max(0.0, until - time.monotonic())
            self._changed.wait_for(lambda: bool(self._arrivals) or self._woken, timeout=left_s)
            self._woken = False
            taken: list[Arrival] = []
            while self._arrivals and (not taken or readings > 0):
                arrival = self._arrivals.popleft()
                self._bytes -= len(arrival.payload)
                readings -= 1 + announced_readings(arrival.payload)
                taken.append(arrival)
            self._changed.notify_all()
            return taken

    def wake(self) -> None:
        """Let whoever takes, now or next, not wait."""
        with self._changed:
            self._woken = True
            self._changed.notify_all()

    def __len__(self) -> int:
        return len(self._arrivals)

    @property
    def bytes(self) -> int:
        """Payload bytes that wait."""
        return self._bytes

    def oldest_us(self) -> int | None:
        """Arrival of what has waited longest; None when nothing waits."""
        with self._changed:
            return self._arrivals[0].received_us if self._arrivals else None

    def _has_room(self, arrival: Arrival) -> bool:
        # An arrival larger than the whole bound may pass alone, else it could never pass.
        return not self._arrivals or (
            len(self._arrivals) < self._max_messages and self._bytes + len(arrival.payload) <= self._max_bytes
        )
