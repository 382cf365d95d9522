"""What to send next: the publisher's in-flight batches and cursors, as a pure state. It opens nothing, has no clock.

Live batches go first, in order. What has waited longer than `live_for_s` is backlog: it follows behind, in order,
at a limited rate and in half of the window, so that a live batch always finds room. Sent batches stay in the window
until ingest acknowledges them; those that nobody acknowledged in time are sent again, ever more patiently.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

HURRY_S: Final = 1.0
"""A batch sent more recently than this is not sent again, whoever asks."""


@dataclass(slots=True)
class Sent:
    """A batch on its way."""

    at: float
    """Monotonic time of its last sending."""
    times: int
    backlog: bool


@dataclass(slots=True)
class Window:
    """In-flight batches of one connection."""

    size: int
    ack_timeout_s: float
    rate: float
    """Backlog readings per second."""
    live_cursor: int = 0
    """Live batches up to here are sent, or have become backlog."""
    backlog_cursor: int = 0
    sent: dict[int, Sent] = field(default_factory=dict[int, Sent])
    _allowance: float = 0.0
    _refilled: float | None = None
    _silent_timeouts: int = 0
    """Time-outs since the last acknowledgement: patience doubles with each round."""
    _asked: float | None = None
    """When somebody last said that he is there again: what was sent before may never have reached him."""

    @property
    def live_room(self) -> int:
        """Live batches that may go now."""
        return max(self.size - len(self.sent), 0)

    def backlog_room(self, now: float) -> int:
        """Backlog batches that may go now; 0 while the allowance is used up."""
        self._refill(now)
        if self._allowance <= 0:
            return 0
        used = sum(1 for one in self.sent.values() if one.backlog)
        return max(min(self.size // 2 - used, self.live_room), 0)

    def skip_to(self, sequence: int) -> None:
        """Leave live batches below `sequence` to the backlog."""
        self.backlog_cursor = min(self.backlog_cursor, self.live_cursor)
        self.live_cursor = max(self.live_cursor, sequence - 1)

    def note_sent(self, sequence: int, readings: int, now: float, *, backlog: bool) -> None:
        """A batch has been handed to the connection."""
        before = self.sent.get(sequence)
        self.sent[sequence] = Sent(now, 1 if before is None else before.times + 1, backlog)
        if backlog:
            self._allowance -= readings
        if before is None:
            if backlog:
                self.backlog_cursor = max(self.backlog_cursor, sequence)
            else:
                self.live_cursor = max(self.live_cursor, sequence)

    def acknowledge(self, sequences: Iterable[int]) -> None:
        """Ingest holds these."""
        for sequence in sequences:
            self.sent.pop(sequence, None)
        self._silent_timeouts = 0

    def overdue(self, now: float) -> list[int]:
        """Batches to send again, lowest first."""
        due = sorted(sequence for sequence, one in self.sent.items() if now - one.at >= self._patience_for(one))
        if any(now - self.sent[sequence].at >= self.patience for sequence in due):
            self._silent_timeouts += 1
        return due

    def _patience_for(self, one: Sent) -> float:
        is_asked_for = self._asked is not None and one.at < self._asked
        return min(self.patience, HURRY_S) if is_asked_for else self.patience

    @property
    def patience(self) -> float:
        """Seconds until a batch is sent again: doubles while nobody answers, to eight times the setting."""
        return self.ack_timeout_s * float(min(2**self._silent_timeouts, 8))

    def hurry(self, now: float) -> None:
        """Somebody is there again: what is on its way is asked for anew, without waiting for the time-out."""
        self._silent_timeouts = 0
        self._asked = now

    def _refill(self, now: float) -> None:
        if self._refilled is None:
            self._allowance = self.rate
        else:
            self._allowance = min(self._allowance + (now - self._refilled) * self.rate, self.rate)
        self._refilled = now
