"""Notices to people: a reminder, an escalation, a digest; planned once, sent by whoever claims it.

What a notice is about is its key, for instance ``due:LR-2026-000001:scheme_reply:2026-10-15:1``: planning it again
does nothing. How it is sent, and in which words, is decided elsewhere.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from psycopg import errors as pg
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from smartpark_storage.connections import Connection, transaction
from smartpark_storage.load_requests.outbox import LEASE
from smartpark_storage.load_requests.people import Person
from smartpark_storage.load_requests.rows import UnknownReferenceError
from smartpark_storage.queries import query


@dataclass(frozen=True, slots=True)
class Notice:
    """What a person is told once."""

    key: str
    kind: str
    person: str
    code: str | None
    """Request it is about; None: of several."""
    document: dict[str, Any]
    """What its words are made of."""


@dataclass(frozen=True, slots=True)
class ClaimedNotice:
    """A notice in hand."""

    notice_id: int
    attempts: int
    """This one included."""
    key: str
    kind: str
    code: str | None
    document: dict[str, Any]
    planned_at: datetime
    person: Person


@dataclass(frozen=True, slots=True)
class NoticeRow:
    """What became of a notice."""

    key: str
    kind: str
    person: str
    planned_at: datetime
    attempts: int
    error: str
    done_at: datetime | None
    given_up_at: datetime | None


def plan_notice(connection: Connection, notice: Notice, *, at: datetime) -> bool:
    """Plan a notice; False: one of this key is on record."""
    row = {
        "key": notice.key,
        "kind": notice.kind,
        "person": notice.person,
        "code": notice.code,
        "document": Jsonb(notice.document),
        "at": at,
    }
    try:
        with transaction(connection):
            return connection.execute(query("plan_notice"), row).rowcount == 1
    except pg.ForeignKeyViolation as error:
        raise UnknownReferenceError(error.diag.message_detail or "no such person or request") from error


def claim_notices(
    connection: Connection, limit: int, now: datetime, *, lease: timedelta = LEASE
) -> list[ClaimedNotice]:
    """Take up to `limit` notices that are due into this worker's hand."""
    parameters = {"limit": limit, "now": now, "lease_until": now + lease}
    with transaction(connection):
        rows = connection.execute(query("claim_notices"), parameters).fetchall()
    return sorted((_claimed(*row) for row in rows), key=lambda n: n.notice_id)


def done_notice(connection: Connection, notice_id: int, *, at: datetime) -> bool:
    """It was sent; False: it was settled before."""
    return _settle(connection, "done_notice", notice_id, at)


def retry_notice(connection: Connection, notice_id: int, at: datetime, error: str) -> bool:
    """It did not work; try again from `at` on."""
    return _settle(connection, "retry_notice", notice_id, at, error)


def give_up_notice(connection: Connection, notice_id: int, *, at: datetime, error: str) -> bool:
    """It never worked; it stays on record."""
    return _settle(connection, "give_up_notice", notice_id, at, error)


def notices_of(connection: Connection, code: str) -> list[NoticeRow]:
    """Notices about a request, the oldest first."""
    with transaction(connection), connection.cursor(row_factory=class_row(NoticeRow)) as cursor:
        return cursor.execute(query("notices_of"), {"code": code}).fetchall()


def _claimed(*row: Any) -> ClaimedNotice:
    notice_id, attempts, key, kind, code, document, planned_at, *person = row
    return ClaimedNotice(notice_id, attempts, key, kind, code, document, planned_at, Person(*person))


def _settle(connection: Connection, statement: str, notice_id: int, at: datetime, error: str = "") -> bool:
    with transaction(connection):
        return connection.execute(query(statement), {"id": notice_id, "at": at, "error": error[:500]}).rowcount == 1
