"""Secrets of programs: made, found, rotated, revoked. Of each only its SHA-256 is kept: nobody is told it again.

Whoever shows the right secret hears why it opens nothing any more (expired, revoked, client disabled); whoever
shows a wrong one hears only that it is unknown. A rotated secret goes on for the time given, so that a program can
be changed over without an hour in which neither works.
"""

import hmac
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from psycopg import errors as pg
from psycopg.rows import dict_row
from smartpark.access import Scope, unknown_scopes
from smartpark.errors import SmartparkError

from smartpark_storage.access.clients import AccessConflictError, UnknownAccessError
from smartpark_storage.access.texts import SecretKind, SecretText, make_text, parse_text
from smartpark_storage.connections import Connection, read_transaction, transaction
from smartpark_storage.errors import translate_errors
from smartpark_storage.queries import query

_NOTHING: Final = bytes(32)
"""Compared with when there is no such secret, so that looking takes as long."""


class SecretRefusal(StrEnum):
    """Why a secret opens nothing."""

    MALFORMED = "malformed"
    """Not one of ours, or a letter of it is wrong."""
    UNKNOWN = "unknown"
    EXPIRED = "expired"
    REVOKED = "revoked"
    DISABLED = "disabled"
    """The client is."""


@dataclass(frozen=True, slots=True)
class FoundSecret:
    """A secret that is right and in force."""

    secret_id: str
    client: str
    title: str
    kind: SecretKind
    scopes: frozenset[Scope] | None
    """At most these; None: all that the client's roles do."""
    expires_at: datetime
    last_used_at: datetime | None

    def is_to_be_touched(self, now: datetime) -> bool:
        """Whether its last use is to be written: once an hour, so that reads stay reads."""
        return self.last_used_at is None or now - self.last_used_at >= timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class SecretRow:
    """What is known of a secret, which is never the secret."""

    secret_id: str
    client: str
    kind: SecretKind
    scopes: tuple[str, ...]
    had_with: str | None
    made_by: str
    made_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    revoked_by: str | None
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True)
class NewSecret:
    """A secret just made: the only time that its text is anywhere."""

    secret_id: str
    text: str
    expires_at: datetime

    def __repr__(self) -> str:
        """Without the secret: what is printed lands in logs."""
        return f"NewSecret({self.secret_id}, until {self.expires_at:%Y-%m-%d})"


@translate_errors()
def make_secret(
    connection: Connection,
    client: str,
    kind: SecretKind,
    *,
    by: str,
    at: datetime,
    expires_at: datetime,
    scopes: Collection[str] = (),
    had_with: str | None = None,
) -> NewSecret:
    """Make a secret for a client; no scopes: all that its roles allow. `had_with`: what a token was exchanged for."""
    _, text = make_text(kind)
    found = parse_text(text)
    if found is None:
        raise AssertionError("a secret just made is not well formed")
    _keep(connection, client, found, by=by, at=at, expires_at=expires_at, scopes=scopes, had_with=had_with)
    return NewSecret(found.secret_id, text, expires_at)


@translate_errors()
def admit_secret(
    connection: Connection,
    client: str,
    text: str,
    *,
    by: str,
    at: datetime,
    expires_at: datetime,
    scopes: Collection[str],
) -> bool:
    """Keep the digest of an API key made elsewhere; what the client had before ends. False: it opens already.

    Raises
    ------
    AccessConflictError
        When it opened once and does no more, or is another program's: what was taken away is not given back.
    """
    shown = parse_text(text)
    if shown is None or shown.kind is not SecretKind.API_KEY:
        raise SmartparkError("what is to be admitted is no API key of ours, or a letter of it is wrong")
    known = find_secret(connection, text, at)
    if isinstance(known, FoundSecret):
        if known.client != client:
            raise AccessConflictError(f"key {shown.secret_id} is {known.client}'s and not {client}'s")
        return False
    if known is not SecretRefusal.UNKNOWN:
        raise AccessConflictError(f"key {shown.secret_id} is {known}; make another one")
    with connection.transaction():
        for row in read_secrets(connection, client=client):
            revoke_secret(connection, row.secret_id, by=by, at=at)
        _keep(connection, client, shown, by=by, at=at, expires_at=expires_at, scopes=scopes)
    return True


def _keep(
    connection: Connection,
    client: str,
    secret: SecretText,
    *,
    by: str,
    at: datetime,
    expires_at: datetime,
    scopes: Collection[str],
    had_with: str | None = None,
) -> None:
    unknown = unknown_scopes(scopes)
    if unknown:
        raise SmartparkError(f"no such scope: {', '.join(unknown)}; there are {', '.join(sorted(Scope))}")
    parameters = {
        "secret_id": secret.secret_id,
        "client": client,
        "kind": secret.kind.value,
        "digest": secret.digest,
        "scopes": sorted(scopes),
        "had_with": had_with,
        "by": by,
        "at": at,
        "expires_at": expires_at,
    }
    try:
        with connection.transaction():
            connection.execute(query("access_add_secret"), parameters)
    except pg.ForeignKeyViolation as error:
        raise UnknownAccessError(f"there is no client {client}") from error
    except pg.CheckViolation as error:
        raise SmartparkError(f"a secret of {client} would end at {expires_at:%Y-%m-%d}, before it begins") from error


def find_secret(connection: Connection, text: str, now: datetime) -> FoundSecret | SecretRefusal:
    """Whose secret this is, or why it opens nothing."""
    shown = parse_text(text)
    if shown is None:
        return SecretRefusal.MALFORMED
    with read_transaction(connection), connection.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute(query("access_find_secret"), {"secret_id": shown.secret_id}).fetchone()
    is_right = hmac.compare_digest(_NOTHING if row is None else row["secret_sha256"], shown.digest)
    if row is None or not is_right or row["kind"] != shown.kind:
        return SecretRefusal.UNKNOWN
    if row["disabled_at"] is not None:
        return SecretRefusal.DISABLED
    if row["revoked_at"] is not None and row["revoked_at"] <= now:
        return SecretRefusal.REVOKED
    if row["expires_at"] <= now:
        return SecretRefusal.EXPIRED
    scopes = frozenset(Scope(scope) for scope in row["scopes"]) or None
    return FoundSecret(
        shown.secret_id, row["client"], row["title"], shown.kind, scopes, row["expires_at"], row["last_used_at"]
    )


@translate_errors()
def rotate_secret(
    connection: Connection,
    secret_id: str,
    *,
    by: str,
    at: datetime,
    overlap: timedelta,
    expires_at: datetime | None = None,
) -> NewSecret:
    """Make another secret like this one, which ends after the overlap; by default it lasts as long again."""
    with connection.transaction():
        old = next((row for row in read_secrets(connection) if row.secret_id == secret_id), None)
        if old is None:
            raise UnknownAccessError(f"there is no secret {secret_id} (tokens are not rotated)")
        if (old.revoked_at is not None) or old.expires_at <= at:
            raise AccessConflictError(f"secret {secret_id} is revoked or expired already; make a new one")
        made = make_secret(
            connection,
            old.client,
            old.kind,
            by=by,
            at=at,
            expires_at=expires_at or at + (old.expires_at - old.made_at),
            scopes=old.scopes,
        )
        parameters = {"secret_id": secret_id, "by": by, "at": at + overlap}
        connection.execute(query("access_revoke_secret"), parameters)
    return made


@translate_errors()
def revoke_secret(connection: Connection, secret_id: str, *, by: str, at: datetime) -> bool:
    """End a secret now, with the tokens that were had with it; False: there is none that still holds."""
    with connection.transaction():
        parameters = {"secret_id": secret_id, "by": by, "at": at}
        return connection.execute(query("access_revoke_secret"), parameters).rowcount == 1


@translate_errors()
def touch_secret(connection: Connection, secret_id: str, *, at: datetime) -> bool:
    """Write down that it was used, to the hour; False: that was written already."""
    with connection.transaction():
        return connection.execute(query("access_touch_secret"), {"secret_id": secret_id, "at": at}).rowcount == 1


@translate_errors()
def sweep_tokens(connection: Connection, *, before: datetime) -> int:
    """Remove access tokens that ended before a moment; how many."""
    with connection.transaction():
        return connection.execute(query("access_sweep_tokens"), {"before": before}).rowcount


def read_secrets(connection: Connection, *, client: str | None = None, with_tokens: bool = False) -> list[SecretRow]:
    """What is known of secrets, by client and age; tokens only when asked for."""
    parameters = {"client": client, "with_tokens": with_tokens}
    with transaction(connection), connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(query("access_secrets"), parameters).fetchall()
    return [_secret_row(row) for row in rows]


def _secret_row(row: dict[str, Any]) -> SecretRow:
    row["kind"], row["scopes"] = SecretKind(row["kind"]), tuple(row["scopes"])
    return SecretRow(**row)
