"""Programs with access, and what each person and program was granted. A grant is ended, never changed."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import errors as pg
from psycopg.rows import class_row, dict_row
from smartpark.access import LOCAL, Grant, Role
from smartpark.errors import SmartparkError

from smartpark_storage.connections import Connection, read_transaction, transaction
from smartpark_storage.errors import translate_errors
from smartpark_storage.queries import query


class UnknownAccessError(SmartparkError):
    """No such client, person, park, grant, secret or session."""


class AccessConflictError(SmartparkError):
    """There is one of that name already, or it can no longer be changed."""


@dataclass(frozen=True, slots=True)
class Client:
    """A program that asks."""

    client: str
    title: str
    contact: str
    made_by: str
    made_at: datetime
    disabled_at: datetime | None


@dataclass(frozen=True, slots=True)
class GrantRow:
    """A grant as it is kept."""

    grant_id: int
    person: str | None
    client: str | None
    role: Role
    park: str | None
    """None: all parks."""
    valid_from: datetime
    valid_to: datetime | None
    """None: until it is ended."""
    granted_by: str
    ended_by: str | None

    @property
    def principal(self) -> str:
        """Whose it is: ``person:CODE`` or ``client:NAME``."""
        return f"client:{self.client}" if self.person is None else f"person:{self.person}"


@translate_errors()
def add_client(connection: Connection, client: str, *, title: str, contact: str, by: str, at: datetime) -> None:
    """Make a program known; it may do nothing until it is granted something and has a secret."""
    parameters = {"client": client, "title": title, "contact": contact, "by": by, "at": at}
    try:
        with connection.transaction():
            connection.execute(query("access_add_client"), parameters)
    except pg.UniqueViolation as error:
        raise AccessConflictError(f"there is a client {client} already") from error
    except pg.CheckViolation as error:
        raise SmartparkError(
            f"client {client!r}: a name is 2 to 63 small letters, digits and hyphens, and a title is not empty"
        ) from error


@translate_errors()
def change_client(connection: Connection, client: str, *, title: str, contact: str) -> None:
    """Call a program something else."""
    with connection.transaction():
        parameters = {"client": client, "title": title, "contact": contact}
        _expect_client(connection.execute(query("access_change_client"), parameters).rowcount, client)


@translate_errors()
def disable_client(connection: Connection, client: str, *, at: datetime) -> None:
    """From now on none of its secrets opens anything."""
    with connection.transaction():
        parameters = {"client": client, "at": at}
        _expect_client(connection.execute(query("access_disable_client"), parameters).rowcount, client)


@translate_errors()
def enable_client(connection: Connection, client: str) -> None:
    """Its secrets, those that are not revoked or expired, open again what they opened."""
    with connection.transaction():
        _expect_client(connection.execute(query("access_enable_client"), {"client": client}).rowcount, client)


def _expect_client(found: int, client: str) -> None:
    if found == 0:
        raise UnknownAccessError(f"there is no client {client}")


def read_clients(connection: Connection) -> list[Client]:
    """All programs, by name."""
    return _clients(connection, None)


def read_client(connection: Connection, client: str) -> Client | None:
    """One program."""
    return next(iter(_clients(connection, client)), None)


def _clients(connection: Connection, client: str | None) -> list[Client]:
    with transaction(connection), connection.cursor(row_factory=class_row(Client)) as cursor:
        return cursor.execute(query("access_clients"), {"client": client}).fetchall()


@translate_errors()
def add_grant(
    connection: Connection,
    principal: str,
    grant: Grant,
    *,
    by: str,
    at: datetime,
    until: datetime | None = None,
) -> int:
    """Grant a role from a moment on; the number of the grant. What covers it already stays as it is."""
    parameters: dict[str, Any] = {
        **_whose(principal),
        "role": grant.role.value,
        "park": grant.park,
        "since": at,
        "until": "infinity" if until is None else until,
        "by": by,
    }
    try:
        with connection.transaction():
            row = connection.execute(query("access_covering_grant"), parameters).fetchone()
            row = row or connection.execute(query("access_add_grant"), parameters).fetchone()
    except pg.ForeignKeyViolation as error:
        missing = {"person": principal, "client": principal, "park": f"park {grant.park}"}
        # By the constraint: which key it is, the database does not tell whoever may not read the other table.
        broken = error.diag.constraint_name or ""
        what = next((name for key, name in missing.items() if f"_{key}_" in broken), principal)
        raise UnknownAccessError(f"there is no {what.replace(':', ' ')}") from error
    except pg.CheckViolation as error:
        raise SmartparkError(f"a grant to {principal} would end before it begins") from error
    return 0 if row is None else int(row[0])


@translate_errors()
def end_grant(connection: Connection, grant_id: int, *, by: str, at: datetime) -> bool:
    """End a grant; False: there is none of this number that still holds."""
    with connection.transaction():
        return connection.execute(query("access_end_grant"), {"grant_id": grant_id, "by": by, "at": at}).rowcount == 1


def grants_of(connection: Connection, principal: str, at: datetime) -> tuple[Grant, ...]:
    """What counts at a moment; nothing of a disabled client or of a person who is not active any more."""
    if principal == LOCAL.name:
        return LOCAL.grants
    if not principal.startswith(("person:", "client:")):
        return ()
    with read_transaction(connection):
        rows = connection.execute(query("access_grants_of"), {**_whose(principal), "at": at}).fetchall()
    return tuple(Grant(Role(role), park) for role, park in rows)


def read_grants(
    connection: Connection,
    *,
    principal: str | None = None,
    park: str | None = None,
    at: datetime | None = None,
) -> list[GrantRow]:
    """Grants in the order they were made; `park`: with those of all parks; `at`: what holds or is to come."""
    whose = {"person": None, "client": None} if principal is None else _whose(principal)
    with transaction(connection), connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(query("access_grants"), {**whose, "park": park, "at": at}).fetchall()
    return [_grant_row(row) for row in rows]


def _grant_row(row: dict[str, Any]) -> GrantRow:
    row["role"] = Role(row["role"])
    return GrantRow(**row)


def _whose(principal: str) -> dict[str, str | None]:
    kind, _, code = principal.partition(":")
    if kind not in {"person", "client"} or not code:
        raise SmartparkError(f"{principal!r} is nobody who can be granted anything: person:CODE or client:NAME")
    return {"person": code if kind == "person" else None, "client": code if kind == "client" else None}
