"""What each point has said of late: a reading said twice is set aside, another value at the same time is a conflict.

Per point, two generations of (time → value and status): when the young one is full it becomes the old one, so
between `size` and twice `size` readings are remembered, by arrival, at one look-up each. Pure and in memory; the
spool feeds it again after a restart.
"""

import zlib
from enum import Enum
from typing import Final


class Verdict(Enum):
    """What a reading is, given what the point has said."""

    NEW = 0
    DUPLICATE = 1
    CONFLICT = 2


class PointMemory:
    """Recent readings of one point."""

    __slots__ = ("_old", "_size", "_young", "last")

    def __init__(self, size: int) -> None:
        self._size = size
        self._young: dict[int, int | tuple[int, int]] = {}
        self._old: dict[int, int | tuple[int, int]] = {}
        self.last: int | tuple[int, int] | None = None
        """What it said last."""

    def judge(self, time: int, value: int, status: int) -> Verdict:
        """Judge a reading, and remember it when it is new."""
        # Most readings are good: a bare integer instead of a pair halves the memory.
        said = (value, status) if status else value
        known = self._young.get(time)
        if known is None:
            known = self._old.get(time)
        if known is None:
            self._remember(time, said)
            return Verdict.NEW
        return Verdict.DUPLICATE if known == said else Verdict.CONFLICT

    def _remember(self, time: int, said: int | tuple[int, int]) -> None:
        if len(self._young) >= self._size:
            self._old, self._young = self._young, {}
        self._young[time] = said
        self.last = said


LETTERS: Final = 2_000


class LetterMemory:
    """Messages that could not be understood: they say no time, so topic and bytes must do."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, int, int], None] = {}

    def knows(self, topic: str, payload: bytes) -> bool:
        """Whether exactly this became a dead letter of late."""
        return _fingerprint(topic, payload) in self._known

    def remember(self, topic: str, payload: bytes) -> None:
        """Note what becomes a dead letter; the oldest is forgotten."""
        self._known[_fingerprint(topic, payload)] = None
        if len(self._known) > LETTERS:
            del self._known[next(iter(self._known))]


def _fingerprint(topic: str, payload: bytes) -> tuple[str, int, int]:
    return topic, len(payload), zlib.crc32(payload)
