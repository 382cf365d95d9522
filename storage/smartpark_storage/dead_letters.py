"""Dead letters: what could not be understood, kept with its bytes until somebody has looked.

Replaying, which means sending the bytes through the front door again, is the work of ingest; here the rows are
listed, read and marked.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from smartpark_storage.connections import Connection, transaction
from smartpark_storage.dead_reasons import DeadReason
from smartpark_storage.queries import query


@dataclass(frozen=True, slots=True)
class DeadLetterRecord:
    """A dead letter as it is kept."""

    dead_letter_id: int
    edge: str
    topic: str
    reason: DeadReason
    detail: str
    payload: bytes
    point_key: str | None
    reading_time: datetime | None
    received_at: datetime
    replayed_at: datetime | None


def list_dead_letters(
    connection: Connection, *, limit: int, reason: DeadReason | None = None, pending_only: bool = False
) -> list[DeadLetterRecord]:
    """Newest first."""
    parameters = {"limit": limit, "reason": None if reason is None else reason.value, "pending": pending_only}
    with transaction(connection):
        rows = connection.execute(query("list_dead_letters"), parameters).fetchall()
    return [_record(row) for row in rows]


def dead_letters_by_id(connection: Connection, ids: Sequence[int]) -> list[DeadLetterRecord]:
    """Those of these numbers that exist, in order."""
    with transaction(connection):
        rows = connection.execute(query("dead_letters_by_id"), {"ids": list(ids)}).fetchall()
    return [_record(row) for row in rows]


def mark_replayed(connection: Connection, ids: Sequence[int], at: datetime) -> int:
    """Note that letters went through the front door again; returns how many had not before."""
    with transaction(connection):
        return connection.execute(query("mark_replayed"), {"ids": list(ids), "at": at.astimezone(UTC)}).rowcount


def _record(row: tuple[object, ...]) -> DeadLetterRecord:
    number, edge, topic, reason, *rest = row
    return DeadLetterRecord(number, edge, topic, DeadReason(reason), *rest)  # pyright: ignore[reportArgumentType]
