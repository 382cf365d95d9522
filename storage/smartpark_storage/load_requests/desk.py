"""What the desk keeps beside the requests: answers to repeated writes, links for applicants, attachments' rows.

Bytes of attachments are files, never rows. Of a link only the digest of its token is kept.
"""

import hashlib
import secrets
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from psycopg import errors as pg
from psycopg.rows import class_row
from psycopg.types.json import Jsonb
from smartpark.errors import SmartparkError

from smartpark_storage.connections import Connection, transaction
from smartpark_storage.load_requests.rows import UnknownReferenceError
from smartpark_storage.queries import query


class IdempotencyKeyError(SmartparkError):
    """The key has been used for another write."""


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """What the first write of this key was answered."""

    status: int
    body: Any
    """As JSON says it."""


@dataclass(frozen=True, slots=True)
class ApplicantLink:
    """A link that shows an applicant a request; its token is not kept."""

    link_id: int
    code: str
    made_by: str
    made_at: datetime
    expires_at: datetime
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class Attachment:
    """A document of a request; its bytes lie in a file."""

    attachment: str
    """32 hexadecimal digits, which also name the file."""
    code: str
    name: str
    """As shown to people."""
    kind: str
    media_type: str
    size_bytes: int
    sha256: str
    uploaded_by: str
    uploaded_at: datetime


@dataclass(frozen=True, slots=True)
class SavedView:
    """A filter somebody has given a name."""

    person: str
    name: str
    query: str
    """As it stands in the address of the page."""


def begin_idempotent(
    connection: Connection, key: str, actor: str, fingerprint: str, *, at: datetime
) -> StoredAnswer | None:
    """Begin a write under a key; what is returned is the answer that was given already.

    The caller writes and calls `finish_idempotent` in the same transaction: then the key is kept if and only if the
    write is, and somebody who sends the same at the same moment waits for it.

    Parameters
    ----------
    connection : Connection
        In the transaction of the write.
    key : str
    actor : str
    fingerprint : str
        Of what is asked for; the same key with another one is refused.
    at : datetime

    Raises
    ------
    IdempotencyKeyError
        When the key stands for something else, for somebody else, or for a write that was never finished.
    """
    parameters = {"key": key, "actor": actor, "fingerprint": fingerprint, "at": at}
    with transaction(connection):
        if connection.execute(query("begin_idempotent"), parameters).rowcount == 1:
            return None
        row = connection.execute(query("idempotent_answer"), {"key": key}).fetchone()
    # None: it is another principal's, and the database does not show it.
    if row is None or row[:2] != (actor, fingerprint):
        raise IdempotencyKeyError(f"the key {key} stands for another write; take a new one")
    if row[2] is None:
        raise IdempotencyKeyError(f"the write of the key {key} was begun and has no answer; take a new one")
    return StoredAnswer(row[2], row[3])


def finish_idempotent(connection: Connection, key: str, status: int, body: Any) -> None:
    """Keep the answer of a write that was begun."""
    with transaction(connection):
        done = connection.execute(query("finish_idempotent"), {"key": key, "status": status, "body": Jsonb(body)})
        if done.rowcount != 1:
            raise IdempotencyKeyError(f"no write of the key {key} was begun")


def forget_idempotent(connection: Connection, before: datetime) -> int:
    """Forget the answers of writes begun before an instant; how many."""
    with transaction(connection):
        return connection.execute(query("forget_idempotent"), {"before": before}).rowcount


def make_link(connection: Connection, code: str, *, by: str, at: datetime, expires_at: datetime) -> str:
    """Make a link; returns its token, which nobody can ask for again."""
    token = secrets.token_urlsafe(32)
    parameters = {"code": code, "digest": _digest(token), "by": by, "at": at, "expires_at": expires_at}
    try:
        with transaction(connection):
            connection.execute(query("make_link"), parameters)
    except pg.ForeignKeyViolation as error:
        raise UnknownReferenceError(f"there is no load request {code}") from error
    except pg.CheckViolation as error:
        raise SmartparkError(f"a link of {code} expires after it is made, not at {expires_at.isoformat()}") from error
    return token


def read_links(connection: Connection, code: str) -> list[ApplicantLink]:
    """Links of a request, the oldest first."""
    with transaction(connection), connection.cursor(row_factory=class_row(ApplicantLink)) as cursor:
        return cursor.execute(query("read_links"), {"code": code}).fetchall()


def revoke_link(connection: Connection, link_id: int, *, at: datetime) -> bool:
    """Make a link useless; False: there was none that was in use."""
    with transaction(connection):
        return connection.execute(query("revoke_link"), {"link_id": link_id, "at": at}).rowcount == 1


def request_of_link(connection: Connection, token: str, now: datetime) -> str | None:
    """Request that a token shows now; None: unknown, expired or revoked, and nobody is told which."""
    with transaction(connection):
        parameters = {"digest": _digest(token), "now": now}
        row = connection.execute(query("request_of_link"), parameters).fetchone()
    return None if row is None else row[0]


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def insert_attachment(connection: Connection, attachment: Attachment) -> None:
    """Keep what is known of a document whose bytes have been written."""
    try:
        with transaction(connection):
            connection.execute(query("insert_attachment"), asdict(attachment))
    except pg.ForeignKeyViolation as error:
        raise UnknownReferenceError(f"there is no load request {attachment.code}") from error


def read_attachments(
    connection: Connection, *, code: str | None = None, attachment: str | None = None
) -> list[Attachment]:
    """Documents of a request, or the one of that id, the oldest first."""
    parameters = {"code": code, "attachment": attachment}
    with transaction(connection), connection.cursor(row_factory=class_row(Attachment)) as cursor:
        return cursor.execute(query("read_attachments"), parameters).fetchall()


def put_saved_view(connection: Connection, view: SavedView) -> None:
    """Keep a view under its name."""
    try:
        with transaction(connection):
            connection.execute(query("put_saved_view"), asdict(view))
    except pg.ForeignKeyViolation as error:
        raise UnknownReferenceError(f"there is no person {view.person}") from error


def delete_saved_view(connection: Connection, person: str, name: str) -> bool:
    """Forget a view; whether there was one."""
    with transaction(connection):
        return connection.execute(query("delete_saved_view"), {"person": person, "name": name}).rowcount == 1


def read_saved_views(connection: Connection, person: str) -> list[SavedView]:
    """Views of a person by name."""
    with transaction(connection), connection.cursor(row_factory=class_row(SavedView)) as cursor:
        return cursor.execute(query("read_saved_views"), {"person": person}).fetchall()
