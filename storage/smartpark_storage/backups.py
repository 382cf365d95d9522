"""What is on record of backups: runs of `scripts/backup` and `scripts/restore-drill`, which write it themselves."""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from psycopg.rows import class_row

from smartpark_storage.connections import Connection, read_transaction
from smartpark_storage.queries import query


@dataclass(frozen=True, slots=True)
class BackupRun:
    """One of them, as in ``park.backup_run``."""

    kind: str
    backup: str
    """Name of its folder."""
    began_at: datetime
    ended_at: datetime | None
    """None: it was killed, and nobody was left to say."""
    bytes: int | None
    outcome: str

    def as_row(self) -> dict[str, Any]:
        """Its fields by their names."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class BackupAges:
    """How long ago the last good ones began; None: none is on record."""

    good: timedelta | None
    drill: timedelta | None


def read_backups(connection: Connection, *, limit: int) -> list[BackupRun]:
    """The newest first."""
    with read_transaction(connection), connection.cursor(row_factory=class_row(BackupRun)) as cursor:
        return cursor.execute(query("read_backups"), {"limit": limit}).fetchall()


def backup_ages(connection: Connection, now: datetime) -> BackupAges:
    """Of the last good backup, and of the last that was seen to come back."""
    with read_transaction(connection):
        row = connection.execute(query("backup_newest")).fetchone()
    good, drill = (None, None) if row is None else row
    return BackupAges(None if good is None else now - good, None if drill is None else now - drill)
