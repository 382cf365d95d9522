"""What goes into a spool and comes out of it: rows, dead letters, batches, losses, and the counters of it all."""

import base64
import json
import zlib
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from typing import Any, Final, NamedTuple

from smartpark.wire import BirthPoint

Row = tuple[int, int, int, int]
"""Alias, status, time, value: a row of the wire."""

ROW_BYTES: Final = 24


@dataclass(slots=True)
class Counters:
    """What the spool knows of itself without looking; saved with every transaction."""

    pending_readings: int = 0
    pending_batches: int = 0
    pending_bytes: int = 0
    kept_readings: int = 0
    kept_bytes: int = 0
    accepted: int = 0
    duplicates: int = 0
    dropped: int = 0
    dropped_letters: int = 0
    dropped_from: int | None = None
    dropped_to: int | None = None
    damaged: int = 0
    """Readings whose batch the disk had altered; part of `dropped`, as the letters are of `dropped_letters`."""
    damaged_letters: int = 0
    damaged_from: int | None = None
    damaged_to: int | None = None
    dead_letters: int = 0
    bytes_per_second: float | None = None

    @property
    def bytes(self) -> int:
        """Everything in the file that counts towards its limit."""
        return self.pending_bytes + self.kept_bytes

    def values(self) -> list[int | float | None]:
        """In the order of the table."""
        return [getattr(self, entry.name) for entry in fields(self)]

    def copy(self) -> "Counters":
        """A copy that a transaction may change and lose."""
        return Counters(*self.values())  # pyright: ignore[reportArgumentType]  same fields, same order


class Letter(NamedTuple):
    """A dead letter before it has a number."""

    time: int
    source: str
    topic: str
    reason: str
    payload: bytes

    def pack(self) -> bytes:
        """As the spool keeps it."""
        return json.dumps(
            {**self._asdict(), "payload": base64.b64encode(self.payload).decode()}, ensure_ascii=False
        ).encode()

    @staticmethod
    def unpack(body: bytes) -> "Letter":
        """Undo `pack`."""
        document: dict[str, Any] = json.loads(body)
        document["payload"] = base64.b64decode(document["payload"])
        return Letter(**document)


@dataclass(slots=True)
class Addition:
    """One transaction's worth of news."""

    aliases: list[BirthPoint] = field(default_factory=list[BirthPoint])
    pieces: list[tuple[bool, list[Row]]] = field(default_factory=list[tuple[bool, list[Row]]])
    """Readings by stream (history or not) that stay open."""
    sealed: list[tuple[bool, list[Row]]] = field(default_factory=list[tuple[bool, list[Row]]])
    """Batches; those of a stream take the place of all its pieces."""
    letters: list[Letter] = field(default_factory=list[Letter])
    accepted: int = 0
    duplicates: int = 0


class Stored(NamedTuple):
    """A batch as the publisher needs it."""

    sequence: int
    kind: int
    history: int
    readings: int
    first_time: int
    last_time: int
    sealed_at: int
    crc: int
    body: bytes

    @property
    def is_sound(self) -> bool:
        """Whether it is still what was written."""
        return self.crc == checksum(self.body, self.kind, self.readings, self.first_time, self.last_time)


class Dropped(NamedTuple):
    """What a full spool gave up, or a disk altered."""

    readings: int
    letters: int
    first_time: int
    last_time: int


def checksum(body: bytes, *head: int) -> int:
    """CRC-32 of a body and of the numbers that are kept beside it."""
    return zlib.crc32(body, zlib.crc32(repr(head).encode()))


def unpack_rows(body: bytes) -> Iterator[Row]:
    """Rows of a body from `wire.pack_columns`."""
    count = len(body) // ROW_BYTES
    time, value, alias, status = array("q"), array("q"), array("I"), array("I")
    time.frombytes(body[: 8 * count])
    value.frombytes(body[8 * count : 16 * count])
    alias.frombytes(body[16 * count : 20 * count])
    status.frombytes(body[20 * count : 24 * count])
    return zip(alias, status, time, value, strict=True)


def count_loss(counters: Counters, dropped: Dropped) -> None:
    """Add a loss to the counters; the span they name covers all losses so far."""
    counters.dropped += dropped.readings
    counters.dropped_letters += dropped.letters
    span = _span(counters.dropped_from, counters.dropped_to, dropped.first_time, dropped.last_time)
    counters.dropped_from, counters.dropped_to = span


def count_damage(counters: Counters, dropped: Dropped) -> None:
    """Add a loss to bit rot: a loss like any other, and named apart from those to a full spool."""
    count_loss(counters, dropped)
    counters.damaged += dropped.readings
    counters.damaged_letters += dropped.letters
    span = _span(counters.damaged_from, counters.damaged_to, dropped.first_time, dropped.last_time)
    counters.damaged_from, counters.damaged_to = span


def _span(*times: int | None) -> tuple[int, int]:
    known = [time for time in times if time is not None]
    return min(known), max(known)
