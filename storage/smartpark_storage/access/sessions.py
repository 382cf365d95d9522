"""People who logged in: who they are at identity providers, log-in links that work once, and sessions.

Of links and sessions only digests are kept: whoever reads the tables cannot become anybody. A person who is not
active any more has no session and gets none.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Literal

from psycopg import errors as pg
from psycopg.rows import class_row

from smartpark_storage.access.clients import AccessConflictError, UnknownAccessError
from smartpark_storage.access.texts import digest_of, make_token
from smartpark_storage.connections import Connection, read_transaction, transaction
from smartpark_storage.errors import translate_errors
from smartpark_storage.queries import query

LoginMethod = Literal["oidc", "link"]

_SEEN_EVERY: Final = timedelta(minutes=1)


class LinkRefusal(StrEnum):
    """Why a log-in link opens nothing."""

    UNKNOWN = "unknown"
    """Never made, or its person is not active any more."""
    USED = "used"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Session:
    """A person who is logged in, or was."""

    session_id: str
    """By which people speak of it; it opens nothing."""
    person: str
    name: str
    name_en: str
    method: LoginMethod
    issuer: str | None
    begun_at: datetime
    seen_at: datetime
    expires_at: datetime
    ended_at: datetime | None
    ended_by: str | None

    def is_to_be_touched(self, now: datetime) -> bool:
        """Whether it is to be written that it was seen: once a minute is enough."""
        return now - self.seen_at >= _SEEN_EVERY


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a person is at an identity provider."""

    issuer: str
    subject: str
    person: str
    bound_at: datetime


@translate_errors()
def bind_identity(connection: Connection, issuer: str, subject: str, person: str, *, at: datetime) -> None:
    """Say who a person is at an identity provider."""
    parameters = {"issuer": issuer, "subject": subject, "person": person, "at": at}
    try:
        with connection.transaction():
            connection.execute(query("access_bind_identity"), parameters)
    except pg.ForeignKeyViolation as error:
        raise UnknownAccessError(f"there is no person {person}") from error
    except pg.UniqueViolation as error:
        raise AccessConflictError(f"{subject} of {issuer} is somebody already; unbind them first") from error


@translate_errors()
def unbind_identity(connection: Connection, issuer: str, subject: str) -> bool:
    """Forget who that is; False: nobody was."""
    with connection.transaction():
        parameters = {"issuer": issuer, "subject": subject}
        return connection.execute(query("access_unbind_identity"), parameters).rowcount == 1


def person_of_identity(connection: Connection, issuer: str, subject: str) -> str | None:
    """Which person of ours that is; None: nobody, or nobody who is active."""
    with transaction(connection):
        parameters = {"issuer": issuer, "subject": subject}
        row = connection.execute(query("access_person_of_identity"), parameters).fetchone()
    return None if row is None or not row[1] else str(row[0])


def read_identities(connection: Connection, *, person: str | None = None) -> list[Identity]:
    """Who is who, by person."""
    with transaction(connection), connection.cursor(row_factory=class_row(Identity)) as cursor:
        return cursor.execute(query("access_identities"), {"person": person}).fetchall()


@translate_errors()
def make_login_link(connection: Connection, person: str, *, by: str, at: datetime, expires_at: datetime) -> str:
    """Make a way in that works once; returns its token, which nobody can ask for again."""
    token = make_token()
    parameters = {"digest": digest_of(token), "person": person, "by": by, "at": at, "expires_at": expires_at}
    with connection.transaction():
        if connection.execute(query("access_add_link"), parameters).rowcount == 0:
            raise UnknownAccessError(f"there is no active person {person}")
    return token


@translate_errors()
def use_login_link(connection: Connection, token: str, *, at: datetime) -> str | LinkRefusal:
    """Use a link up; the code of its person, or why it opens nothing. Of two who try at once one gets in."""
    parameters = {"digest": digest_of(token), "at": at}
    with connection.transaction():
        used = connection.execute(query("access_use_link"), parameters).fetchone()
        if used is not None:
            return str(used[0])
        row = connection.execute(query("access_why_no_link"), parameters).fetchone()
    if row is None:
        return LinkRefusal.UNKNOWN
    if row[0]:
        return LinkRefusal.USED
    return LinkRefusal.EXPIRED if row[1] <= at else LinkRefusal.UNKNOWN


@translate_errors()
def begin_session(
    connection: Connection,
    person: str,
    method: LoginMethod,
    *,
    at: datetime,
    expires_at: datetime,
    issuer: str | None = None,
) -> str:
    """Let somebody in who proved who they are; returns the text for their cookie."""
    token = make_token()
    parameters = {
        "digest": digest_of(token),
        "person": person,
        "method": method,
        "issuer": issuer,
        "at": at,
        "expires_at": expires_at,
    }
    try:
        with connection.transaction():
            connection.execute(query("access_begin_session"), parameters)
    except pg.ForeignKeyViolation as error:
        raise UnknownAccessError(f"there is no person {person}") from error
    return token


def find_session(connection: Connection, token: str, *, now: datetime, idle: timedelta) -> Session | None:
    """The session of a cookie; None: none, or one that has ended or was left alone for too long."""
    parameters = {"digest": digest_of(token), "at": now, "idle_since": now - idle}
    with read_transaction(connection), connection.cursor(row_factory=class_row(Session)) as cursor:
        return cursor.execute(query("access_find_session"), parameters).fetchone()


@translate_errors()
def touch_session(connection: Connection, token: str, *, at: datetime) -> None:
    """Write down that it was seen."""
    with connection.transaction():
        connection.execute(query("access_touch_session"), {"digest": digest_of(token), "at": at})


@translate_errors()
def end_session(connection: Connection, token: str, *, by: str, at: datetime) -> bool:
    """Log out; False: the session had ended already."""
    with connection.transaction():
        parameters = {"digest": digest_of(token), "by": by, "at": at}
        return connection.execute(query("access_end_session"), parameters).rowcount == 1


@translate_errors()
def end_session_by_id(connection: Connection, session_id: str, *, by: str, at: datetime) -> bool:
    """End somebody's session; False: there is none of this id that still holds."""
    with connection.transaction():
        parameters = {"session_id": session_id, "by": by, "at": at}
        return connection.execute(query("access_end_session_by_id"), parameters).rowcount == 1


@translate_errors()
def end_sessions_of(connection: Connection, person: str, *, by: str, at: datetime) -> int:
    """End all sessions of a person; how many."""
    with connection.transaction():
        parameters = {"person": person, "by": by, "at": at}
        return connection.execute(query("access_end_sessions_of"), parameters).rowcount


def read_sessions(
    connection: Connection, *, person: str | None = None, at: datetime | None = None, limit: int = 500
) -> list[Session]:
    """Sessions, the newest first; `at`: only those that hold then."""
    parameters = {"person": person, "at": at, "limit": limit}
    with transaction(connection), connection.cursor(row_factory=class_row(Session)) as cursor:
        return cursor.execute(query("access_sessions"), parameters).fetchall()
