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

from psycopg.pq import TransactionStatus
from smartpark.clock import from_us
from smartpark.errors import SmartparkError

from smartpark_storage.connections import Connection, transaction
from smartpark_storage.copying import Readings, send_copy
from smartpark_storage.dead_reasons import DeadReason
from smartpark_storage.errors import translate_errors
from smartpark_storage.preparing import Load, array_text, prepare_load
from smartpark_storage.queries import query

PRUNE_LIMIT = 10_000
"""Ledger rows that one transaction forgets per edge and boot."""


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
class PreparedBatches:
    """Batches, and what the database will be told if all of them are new."""

    batches: tuple[Batch, ...]
    """Each key once."""
    numbers: dict[str, str | int]
    load: Load | None
    """None when no batch has readings."""


@dataclass(frozen=True, slots=True)
class StoreResult:
    """What became of the batches; all of them may be acknowledged."""

    new: list[BatchKey]
    known: list[BatchKey]
    readings: int


def prepare_batches(batches: Sequence[Batch]) -> PreparedBatches:
    """Make batches ready to be stored in one transaction, as if all of them were new; needs no connection."""
    # The same batch may come twice in one call; the first one counts.
    unique: dict[BatchKey, Batch] = {}
    for batch in batches:
        unique.setdefault(batch.key, batch)
    load = _load(list(unique.values()))
    return PreparedBatches(tuple(unique.values()), _numbers(batches), load)


@translate_errors()
def store_prepared(connection: Connection, prepared: PreparedBatches, *, received_at: datetime) -> StoreResult:
    """Store what is new among the batches, and commit.

    Raises
    ------
    SmartparkError
        When the connection is inside a transaction: this function commits, and would commit that too.
    """
    if connection.info.transaction_status is not TransactionStatus.IDLE:
        raise SmartparkError("store_batches commits: it needs a connection without an open transaction")
    if not prepared.batches:
        return StoreResult([], [], 0)
    with connection.transaction():
        entered = {BatchKey(*row) for row in connection.execute(query("enter_batches"), prepared.numbers)}
        new = [batch for batch in prepared.batches if batch.key in entered]
        # What was made ready holds only when everything is new, which is the rule; else the new ones are made ready.
        as_prepared = len(new) == len(prepared.batches)
        load = prepared.load if as_prepared else _load(new)
        if load is not None:
            _store_load(connection, load, received_at)
        insert_dead_letters(connection, [letter for batch in new for letter in batch.dead])
    known = [batch.key for batch in prepared.batches if batch.key not in entered]
    return StoreResult([batch.key for batch in new], known, 0 if load is None else load.readings)


def store_batches(connection: Connection, batches: Sequence[Batch], *, received_at: datetime) -> StoreResult:
    """Prepare batches, store what is new among them, and commit; see `store_prepared`."""
    return store_prepared(connection, prepare_batches(batches), received_at=received_at)


def known_sequences(connection: Connection, edge_id: int, boots: Sequence[int]) -> set[tuple[int, int]]:
    """Boot and sequence of every batch of these boots that the ledger has."""
    with transaction(connection):
        return set(connection.execute(query("known_sequences"), {"edge": edge_id, "boots": list(boots)}).fetchall())


def _numbers(batches: Sequence[Batch]) -> dict[str, str | int]:
    """Identities and floors of batches, for `enter_batches`."""
    # Nobody sends what is forgotten: an edge whose floor lies above a batch that comes with it is wrong, and the
    # readings count. What is known all the same, the ledger tells, or the floor that was there before.
    lowest: dict[tuple[int, int], int] = {}
    for batch in batches:
        key = batch.edge_id, batch.boot
        lowest[key] = min(batch.sequence, lowest.get(key, batch.sequence))
    return {
        "edges": array_text([b.edge_id for b in batches]),
        "boots": array_text([b.boot for b in batches]),
        "sequences": array_text([b.sequence for b in batches]),
        "floors": array_text([min(b.floor, lowest[b.edge_id, b.boot]) for b in batches]),
        "limit": PRUNE_LIMIT,
    }


def _load(batches: Sequence[Batch]) -> Load | None:
    return prepare_load([batch.readings for batch in batches], [batch.edge_id for batch in batches])


def _store_load(connection: Connection, load: Load, received_at: datetime) -> None:
    if load.is_dense:
        connection.execute(query("compress_on_the_way"))
    send_copy(connection, load.pieces)
    connection.execute(query("upsert_latest"), {**load.latest, "received_at": received_at.astimezone(UTC)})
    connection.execute(query("mark_touched"), load.touched)
    # Only while somebody evaluates alerts; then in the same transaction, so that what is told can be read.
    connection.execute(query("tell_change"), {**load.changes, "received_at": received_at.astimezone(UTC)})


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
