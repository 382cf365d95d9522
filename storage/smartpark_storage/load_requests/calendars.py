"""Secret addresses of calendars of due dates: whoever has one sees them, so of each only a digest is kept."""

import secrets
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from psycopg import errors as pg
from psycopg.rows import class_row
from smartpark.errors import SmartparkError

from smartpark_storage.connections import Connection, transaction
from smartpark_storage.load_requests.rows import UnknownReferenceError
from smartpark_storage.queries import query


@dataclass(frozen=True, slots=True)
class CalendarLink:
    """An address of a calendar; its token is not kept."""

    link_id: int
    person: str | None
    """Whose requests it shows; none: those of the park."""
    park: str | None
    made_by: str
    made_at: datetime
    revoked_at: datetime | None


def make_calendar_link(
    connection: Connection, *, by: str, at: datetime, person: str | None = None, park: str | None = None
) -> str:
    """Make an address of the calendar of a person or of a park; returns its token, which nobody can ask for again."""
    if (person is None) == (park is None):
        raise SmartparkError("a calendar is of a person or of a park")
    token = secrets.token_urlsafe(32)
    parameters = {"digest": _digest(token), "person": person, "park": park, "by": by, "at": at}
    try:
        with transaction(connection):
            connection.execute(query("make_calendar_link"), parameters)
    except pg.ForeignKeyViolation as error:
        raise UnknownReferenceError(
            f"there is no {'park' if person is None else 'person'} {person or park}"
        ) from error
    return token


def read_calendar_links(connection: Connection) -> list[CalendarLink]:
    """Addresses that are in use, the oldest first."""
    with transaction(connection), connection.cursor(row_factory=class_row(CalendarLink)) as cursor:
        return cursor.execute(query("read_calendar_links")).fetchall()


def calendar_of_link(connection: Connection, token: str) -> CalendarLink | None:
    """Whose calendar a token shows; None: unknown or revoked, and nobody is told which."""
    with transaction(connection), connection.cursor(row_factory=class_row(CalendarLink)) as cursor:
        return cursor.execute(query("calendar_of_link"), {"digest": _digest(token)}).fetchone()


def revoke_calendar_link(connection: Connection, link_id: int, *, at: datetime) -> bool:
    """Make an address useless; False: there was none that was in use."""
    with transaction(connection):
        return connection.execute(query("revoke_calendar_link"), {"link_id": link_id, "at": at}).rowcount == 1


def _digest(token: str) -> bytes:
    return sha256(token.encode()).digest()
