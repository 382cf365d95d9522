"""Public halves of the keys that seal: ours, and those of the instances we pull from."""

from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import class_row

from smartpark_storage.aggregates.errors import SealKeyError
from smartpark_storage.connections import Connection, transaction
from smartpark_storage.queries import query


@dataclass(frozen=True, slots=True)
class SealKey:
    """Public half of a key that seals."""

    key_id: str
    public_key: bytes
    source: str | None
    """None: our own."""
    known_since: datetime
    retired_at: datetime | None


def put_seal_key(
    connection: Connection, key_id: str, public_key: bytes, *, source: str | None, known_since: datetime
) -> bool:
    """Keep the public half of a key; says whether it was new. A known one with other bytes is refused."""
    given = {"key_id": key_id, "public_key": public_key, "source": source, "known_since": known_since}
    with transaction(connection):
        is_new = connection.execute(query("put_seal_key"), given).rowcount > 0
        kept = _key(connection, key_id)
    if kept is None or (kept.public_key, kept.source) != (public_key, source):
        raise SealKeyError(f"key {key_id} is known already, with other bytes or of somebody else")
    return is_new


def read_seal_keys(connection: Connection, *, source: str | None = None) -> list[SealKey]:
    """Keys of a source, or our own."""
    with transaction(connection), connection.cursor(row_factory=class_row(SealKey)) as cursor:
        return cursor.execute(query("seal_keys"), {"source": source}).fetchall()


def retire_seal_key(connection: Connection, key_id: str, at: datetime) -> None:
    """Say until when a key was used."""
    with transaction(connection):
        connection.execute(query("retire_seal_key"), {"key_id": key_id, "at": at})
        if _key(connection, key_id) is None:
            raise SealKeyError(f"there is no key {key_id}")


def _key(connection: Connection, key_id: str) -> SealKey | None:
    with connection.cursor(row_factory=class_row(SealKey)) as cursor:
        return cursor.execute(query("seal_key_of_id"), {"key_id": key_id}).fetchone()


def refuse_key(connection: Connection, key_id: str, *, source: str | None) -> None:
    """Raise `SealKeyError` unless this key is known as one of the source's (None: ours, and in use)."""
    key = _key(connection, key_id)
    if key is None or key.source != source:
        raise SealKeyError(f"key {key_id} is not known as one of {source or 'this instance'}")
    if source is None and key.retired_at is not None:
        raise SealKeyError(f"key {key_id} was retired at {key.retired_at.isoformat()}")
