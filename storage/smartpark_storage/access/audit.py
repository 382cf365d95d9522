"""The audit log: what was asked and done, by whom. It is added to and read; the database refuses to rewrite it.

Whoever adds entries leaves secrets out: neither addresses with tokens in them nor what was shown to get in
belongs here.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from smartpark_storage.connections import Connection, transaction
from smartpark_storage.errors import translate_errors
from smartpark_storage.queries import query

PAGE: Final = 1000


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Something that somebody asked or did."""

    at: datetime
    principal: str
    proof: str
    action: str
    """Name of the operation in the API, or ``cli:…`` for a command."""
    object: str = ""
    """What it was about: an address without secrets, or a code."""
    status: int = 200
    park: str | None = None
    rows: int | None = None
    detail: Mapping[str, Any] = field(default_factory=dict[str, Any])
    remote: str = ""
    request_id: str = ""
    entry_id: int | None = None
    """Given by the database."""


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which entries to read, the newest first."""

    principal: str | None = None
    action: str | None = None
    """The beginning of it is enough."""
    parks: Collection[str] | None = None
    since: datetime | None = None
    until: datetime | None = None
    refused_only: bool = False
    below: tuple[datetime, int] | None = None
    """(at, entry_id) of the last entry of the page before."""


@translate_errors()
def add_audit(connection: Connection, *entries: AuditEntry) -> None:
    """Add entries, in the caller's transaction when there is one."""
    with connection.transaction(), connection.cursor() as cursor:
        cursor.executemany(query("audit_add"), [_parameters(entry) for entry in entries])


def _parameters(entry: AuditEntry) -> dict[str, Any]:
    return {
        "at": entry.at,
        "principal": entry.principal,
        "proof": entry.proof,
        "action": entry.action,
        "park": entry.park,
        "object": entry.object,
        "status": entry.status,
        "rows": entry.rows,
        "detail": Jsonb(dict(entry.detail)),
        "remote": entry.remote,
        "request_id": entry.request_id,
    }


def read_audit(connection: Connection, wanted: AuditFilter, *, limit: int = PAGE) -> list[AuditEntry]:
    """One page of entries; the next begins below its last one."""
    below_at, below_id = wanted.below or (None, None)
    parameters = {
        "principal": wanted.principal,
        "action": wanted.action,
        "parks": None if wanted.parks is None else sorted(wanted.parks),
        "since": wanted.since,
        "until": wanted.until,
        "refused_only": wanted.refused_only,
        "below_at": below_at,
        "below_id": below_id,
        "limit": limit,
    }
    with transaction(connection), connection.cursor(row_factory=class_row(AuditEntry)) as cursor:
        return cursor.execute(query("audit_entries"), parameters).fetchall()


def audit_pages(connection: Connection, wanted: AuditFilter) -> Iterator[list[AuditEntry]]:
    """All entries, a page at a time, the newest first; what is added meanwhile is not in it."""
    while page := read_audit(connection, wanted):
        yield page
        last = page[-1]
        if last.entry_id is None:
            raise AssertionError("an entry that was read has no number")
        wanted = replace(wanted, below=(last.at, last.entry_id))
