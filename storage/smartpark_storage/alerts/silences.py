"""Silences and maintenance windows on record; an end that somebody brings forward stands beside the planned one."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from psycopg import errors as pg
from psycopg.types.json import Jsonb
from smartpark.alerts.silences import Matchers, Silence
from smartpark.errors import SmartparkError

from smartpark_storage.connections import Connection, read_transaction, transaction
from smartpark_storage.queries import query


@dataclass(frozen=True, slots=True)
class StoredSilence:
    """A silence on record, as it was planned."""

    silence: Silence
    """Its `ends_at` is the planned end."""
    created_by: str
    created_at: datetime
    ended_by: str | None
    ended_at: datetime | None
    """When somebody ended it, before or after it had begun; none: it ends as planned."""

    @property
    def ends_at(self) -> datetime:
        """When it ends, or ended."""
        return self.silence.ends_at if self.ended_at is None else min(self.silence.ends_at, self.ended_at)

    def is_active(self, at: datetime) -> bool:
        """Whether it is in force at a moment."""
        return self.silence.starts_at <= at < self.ends_at


def create_silence(connection: Connection, silence: Silence, *, by: str, at: datetime) -> int:
    """Keep a silence; returns its number."""
    parameters = {
        "park": silence.park,
        "kind": silence.kind,
        "matchers": Jsonb(silence.matchers.model_dump(mode="json")),
        "starts_at": silence.starts_at,
        "ends_at": silence.ends_at,
        "reason": silence.reason,
        "by": by,
        "at": at,
    }
    try:
        with transaction(connection):
            row = connection.execute(query("add_alert_silence"), parameters).fetchone()
    except pg.ForeignKeyViolation as error:
        raise SmartparkError(f"silence: there is no park {silence.park}") from error
    if row is None:
        raise LookupError("the silence was not kept")
    return row[0]


def end_silence(connection: Connection, silence_id: int, *, by: str, at: datetime) -> bool:
    """End a silence now; False: there is none of that number that had not ended."""
    parameters = {"silence_id": silence_id, "by": by, "at": at}
    with transaction(connection):
        return connection.execute(query("end_alert_silence"), parameters).rowcount == 1


def read_silences(
    connection: Connection,
    *,
    park: str | None = None,
    start: datetime | None = None,
    end: datetime | None = None,
    silence_id: int | None = None,
) -> list[StoredSilence]:
    """Silences in force in some part of [start, end), the newest first; of a park: those of all parks too."""
    parameters = {"park": park, "start": start, "end": end, "silence_id": silence_id}
    with read_transaction(connection):
        return [_stored(row) for row in connection.execute(query("alert_silences"), parameters)]


def active_silences(connection: Connection, at: datetime, *, back: timedelta = timedelta(0)) -> list[Silence]:
    """Silences in force at a moment, or so long before it, for `smartpark.alerts.paging.hidden_now`."""
    found = read_silences(connection, start=at - back)
    begun = [one for one in found if one.silence.starts_at <= at and one.silence.starts_at < one.ends_at]
    # One that somebody ended early saw nothing of what came after.
    return [
        one.silence if one.is_active(at) else one.silence.model_copy(update={"ends_at": one.ends_at}) for one in begun
    ]


def _stored(row: tuple[Any, ...]) -> StoredSilence:
    number, park, kind, matchers, starts_at, ends_at, reason, *rest = row
    silence = Silence(
        silence_id=number,
        park=park,
        kind=kind,
        matchers=Matchers.model_validate(matchers),
        starts_at=starts_at,
        ends_at=ends_at,
        reason=reason,
    )
    return StoredSilence(silence, *rest)
