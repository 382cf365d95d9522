"""Storing batches exactly once: the ledger and the readings in one transaction.

An edge numbers its batches (edge, boot, sequence). The writer enters the numbers into the ledger and copies the
readings of those that were new; both become visible together, or neither. Whoever brings the same batch again,
at the same moment or years later, finds its number there, or finds it below the *floor*: every sequence below it
has been acknowledged to the edge, so the ledger may forget the rows. The lock on the floor's row lets writers of
one edge take turns, so that a number cannot be pruned and entered again at once.

Nothing here judges a reading; what arrives is stored.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from psycopg.pq import TransactionStatus
from smartpark.clock import from_us
from smartpark.derived_gauges import DERIVED_GAUGES
from smartpark.errors import SmartparkError

from smartpark_storage.connections import Connection, transaction
from smartpark_storage.copying import READING_DTYPE, Readings, copy_readings
from smartpark_storage.dead_reasons import DeadReason
from smartpark_storage.errors import translate_errors
from smartpark_storage.queries import query

PRUNE_LIMIT = 10_000
"""Ledger rows that one transaction forgets per edge and boot."""


DENSE = 50
"""Readings per point and day from which compressing on the way in pays: half the time and a tenth of the space. With
one reading per point it takes ten times as long as the row store (docs/storage.md)."""
_CHUNK_US = 24 * 3600 * 1_000_000
_HOUR_US = 3600 * 1_000_000


@dataclass(frozen=True, slots=True)
class DeadLetterRow:
    """What could not be understood, with its bytes."""

    edge: str
    topic: str
    reason: DeadReason
    detail: str
    payload: bytes
    point_key: str | None
    reading_time_us: int | None
    received_at: datetime


class BatchKey(NamedTuple):
    """Identity of a batch; boot and sequence are below 2**63."""

    edge_id: int
    boot: int
    sequence: int


@dataclass(frozen=True, slots=True)
class Batch:
    """What one message brought."""

    edge_id: int
    boot: int
    sequence: int
    floor: int
    readings: Readings
    dead: tuple[DeadLetterRow, ...] = ()

    @property
    def key(self) -> BatchKey:
        """Its identity."""
        return BatchKey(self.edge_id, self.boot, self.sequence)


@dataclass(frozen=True, slots=True)
class StoreResult:
    """What became of the batches; all of them may be acknowledged."""

    new: list[BatchKey]
    known: list[BatchKey]
    readings: int


@translate_errors()
def store_batches(connection: Connection, batches: Sequence[Batch], *, received_at: datetime) -> StoreResult:
    """Store what is new among the batches, and commit.

    Raises
    ------
    SmartparkError
        When the connection is inside a transaction: this function commits, and would commit that too.
    """
    if connection.info.transaction_status is not TransactionStatus.IDLE:
        raise SmartparkError("store_batches commits: it needs a connection without an open transaction")
    if not batches:
        return StoreResult([], [], 0)
    with connection.transaction():
        new_keys = _enter(connection, batches)
        # The same batch may come twice in one call; the first one counts.
        new = list({b.key: b for b in reversed(batches) if b.key in new_keys}.values())
        readings = np.concatenate([np.empty(0, READING_DTYPE), *(b.readings for b in new)])
        if readings.size:
            _store_readings(connection, readings, received_at)
        insert_dead_letters(connection, [letter for batch in new for letter in batch.dead])
    known = [key for key in dict.fromkeys(b.key for b in batches) if key not in new_keys]
    return StoreResult([b.key for b in reversed(new)], known, int(readings.size))


def _enter(connection: Connection, batches: Sequence[Batch]) -> set[BatchKey]:
    floors = {(e, b): f for e, b, f in connection.execute(query("raise_floors"), _floors(batches))}
    fresh = sorted({b.key for b in batches if b.sequence >= floors[b.edge_id, b.boot]})
    if not fresh:
        return set()
    edges, boots, sequences = zip(*fresh, strict=True)
    entered = connection.execute(
        query("enter_batches"), {"edges": list(edges), "boots": list(boots), "sequences": list(sequences)}
    ).fetchall()
    for (edge, boot), floor in floors.items():
        if floor > 0:
            connection.execute(
                query("prune_ledger"), {"edge": edge, "boot": boot, "floor": floor, "limit": PRUNE_LIMIT}
            )
    return {BatchKey(*row) for row in entered}


def known_sequences(connection: Connection, edge_id: int, boots: Sequence[int]) -> set[tuple[int, int]]:
    """Boot and sequence of every batch of these boots that the ledger has."""
    with transaction(connection):
        return set(connection.execute(query("known_sequences"), {"edge": edge_id, "boots": list(boots)}).fetchall())


def _floors(batches: Sequence[Batch]) -> dict[str, list[int]]:
    # Nobody sends what is forgotten: an edge whose floor lies above a batch that comes with it is wrong, and the
    # readings count. What is known all the same, the ledger tells, or the floor that was there before.
    lowest: dict[tuple[int, int], int] = {}
    for batch in batches:
        key = batch.edge_id, batch.boot
        lowest[key] = min(batch.sequence, lowest.get(key, batch.sequence))
    return {
        "edges": [b.edge_id for b in batches],
        "boots": [b.boot for b in batches],
        "floors": [min(b.floor, lowest[b.edge_id, b.boot]) for b in batches],
    }


def _store_readings(connection: Connection, readings: Readings, received_at: datetime) -> None:
    ordered = readings[np.lexsort((readings["time"], readings["point_id"]))]
    is_last = np.append(np.diff(ordered["point_id"]) != 0, True)
    if _is_dense(ordered):
        connection.execute(query("compress_on_the_way"))
    copy_readings(connection, ordered)
    _keep_latest(connection, ordered[is_last], received_at)
    _mark_touched(connection, ordered)


def _is_dense(ordered: Readings) -> bool:
    """Whether there are so many readings per point and chunk that TimescaleDB should take them compressed."""
    chunk = ordered["time"] // _CHUNK_US
    runs = 1 + np.count_nonzero((np.diff(ordered["point_id"]) != 0) | (np.diff(chunk) != 0))
    return bool(ordered.size >= DENSE * runs)


def _keep_latest(connection: Connection, newest: Readings, received_at: datetime) -> None:
    connection.execute(
        query("upsert_latest"),
        {
            "points": _array_text(newest["point_id"]),
            "times": _array_text(newest["time"]),
            "scaled": _array_text(newest["scaled"]),
            "raw": _array_text(newest["raw"]),
            "status": _array_text(newest["status"]),
            "received_at": received_at.astimezone(UTC),
        },
    )


def _mark_touched(connection: Connection, ordered: Readings) -> None:
    """Mark for derive what these readings touch: spans of counters, hours of gauges that something rests on."""
    hour = ordered["time"] // _HOUR_US
    ends = np.flatnonzero((np.diff(ordered["point_id"]) != 0) | (np.diff(hour) != 0))
    first, last = ordered[np.append(0, ends + 1)], ordered[np.append(ends, ordered.size - 1)]
    connection.execute(
        query("mark_touched"),
        {
            "points": _array_text(first["point_id"]),
            "firsts": _array_text(first["time"]),
            # Half-open: the span ends just after its last reading.
            "ends": _array_text(last["time"] + 1),
            "derived": sorted(DERIVED_GAUGES),
        },
    )


def _array_text(column: NDArray[np.generic]) -> str:
    """Numbers as PostgreSQL writes an array: the driver's own way, value by value, costs ten times as much."""
    return f"{{{','.join(map(repr, column.tolist()))}}}"


def insert_dead_letters(connection: Connection, letters: Sequence[DeadLetterRow]) -> None:
    """Keep dead letters, in the caller's transaction."""
    if not letters:
        return
    with connection.cursor() as cursor:
        cursor.executemany(
            query("insert_dead_letters"),
            [
                {
                    "edge": _without_nul(letter.edge),
                    "topic": _without_nul(letter.topic),
                    "reason": letter.reason.value,
                    "detail": _without_nul(letter.detail),
                    "payload": letter.payload,
                    "point_key": None if letter.point_key is None else _without_nul(letter.point_key),
                    "reading_time": _storable_time(letter.reading_time_us),
                    "received_at": letter.received_at.astimezone(UTC),
                }
                for letter in letters
            ],
        )


def _without_nul(text: str) -> str:
    # PostgreSQL's text has no NUL; the payload keeps the bytes as they were.
    return text.replace("\x00", "\\0")


def _storable_time(microseconds: int | None) -> datetime | None:
    """Time of a dead reading, None where it is beyond what a calendar holds: the payload still has it."""
    if microseconds is None:
        return None
    try:
        return from_us(microseconds)
    except OverflowError:
        return None
