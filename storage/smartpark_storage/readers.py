"""Readers of Grafana's: roles that log in and are shown some parks only, by every view of the schema `park`.

A reader is a role of the server, `smartpark_grafana_NAME`, and the parks that stand beside it in this database. One
that is removed is shown nothing from then on, and its sessions are ended. Roles belong to the whole server: a
name that several databases use is one reader with one password, and with parks in each.
"""

import re
import time
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from psycopg import sql
from smartpark.access import LOCAL
from smartpark.clock import utc_now
from smartpark.errors import SmartparkError

from smartpark_storage.access.audit import AuditEntry, add_audit
from smartpark_storage.connections import Connection, transaction
from smartpark_storage.errors import translate_errors
from smartpark_storage.queries import query
from smartpark_storage.role_names import READER_PREFIX, DatabaseRole
from smartpark_storage.roles import change_role, let_in

_PATIENCE_S: Final = 30.0
_NAME: Final = re.compile(r"[a-z0-9](?:[a-z0-9_-]{0,38}[a-z0-9])?")


class ReaderError(SmartparkError):
    """No such reader, or none that can be."""


@dataclass(frozen=True, slots=True)
class GrafanaReader:
    """Who reads what."""

    name: str
    role: str
    parks: tuple[str, ...]
    may_log_in: bool


def role_of_reader(name: str) -> str:
    """Role of a reader; `ReaderError` when it cannot be one's name."""
    if _NAME.fullmatch(name) is None:
        raise ReaderError(
            f"{name!r} is no name of a reader: 1 to 40 of a-z, 0-9, '-' and '_', neither first nor last"
        )
    return f"{READER_PREFIX}{name}"


@translate_errors()
def put_reader(connection: Connection, name: str, parks: Collection[str], *, password: str | None = None) -> bool:
    """Make a reader of these parks, or give one these parks instead of those it had; whether it is new.

    Parameters
    ----------
    connection : Connection
        Of whoever may make roles.
    name : str
    parks : collection of str
        Codes, at least one.
    password : str, optional
        None: an existing reader keeps its own, a new one cannot log in yet.
    """
    role = role_of_reader(name)
    with transaction(connection):
        known = {code for (code,) in connection.execute(query("codes_of_parks"), {"parks": sorted(parks)})}
        if not parks or known != set(parks):
            missing = ", ".join(sorted(set(parks) - known)) or "none was named"
            raise ReaderError(f"a reader reads parks that are known here; not so: {missing}")
        is_new = not connection.execute(query("role_exists"), {"role": role}).fetchone()
        if is_new:
            connection.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(sql.Identifier(role)))
        connection.execute(
            sql.SQL("GRANT {} TO {}").format(sql.Identifier(DatabaseRole.GRAFANA.value), sql.Identifier(role))
        )
        connection.execute(query("fit_role"), {"role": role})
        if password is not None:
            let_in(connection, role, password)
        connection.execute(query("drop_reader_parks"), {"role": role})
        connection.execute(query("add_reader_parks"), {"role": role, "parks": sorted(parks)})
        _write_down(connection, "add", role, {"parks": sorted(parks)})
    return is_new


@translate_errors()
def remove_reader(connection: Connection, name: str) -> None:
    """Take a reader's parks away, end its sessions and drop its role; `ReaderError` when there is none."""
    role = role_of_reader(name)
    identifier = sql.Identifier(role)
    with transaction(connection):
        had_parks = connection.execute(query("drop_reader_parks"), {"role": role}).rowcount > 0
        is_role = connection.execute(query("role_exists"), {"role": role}).fetchone() is not None
        if not is_role and not had_parks:
            raise ReaderError(f"there is no reader {name!r}; smartpark database reader list says who there is")
        if is_role:
            change_role(connection, sql.SQL("ALTER ROLE {} NOLOGIN").format(identifier))
        _write_down(connection, "remove", role, {})
    if is_role:
        # What is temporary in an open session would hold the role.
        _end_sessions(connection, role)
        with transaction(connection):
            connection.execute(sql.SQL("DROP ROLE {}").format(identifier))


def _end_sessions(connection: Connection, role: str) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        with transaction(connection):
            open_ones = connection.execute(query("end_sessions_of_role"), {"role": role}).fetchall()
        if not open_ones:
            return
        if time.monotonic() > deadline:
            raise ReaderError(f"sessions of {role} do not end; its parks are taken away, its role is still there")
        time.sleep(0.02)


@translate_errors()
def list_readers(connection: Connection) -> list[GrafanaReader]:
    """Readers that have parks here, by name."""
    with transaction(connection):
        rows = connection.execute(query("list_readers")).fetchall()
    return [
        GrafanaReader(role.removeprefix(READER_PREFIX), role, tuple(parks), may_log_in)
        for role, parks, may_log_in in rows
    ]


def _write_down(connection: Connection, verb: str, role: str, detail: dict[str, object]) -> None:
    entry = AuditEntry(utc_now(), LOCAL.name, LOCAL.proof, f"cli:database reader {verb}", object=role, detail=detail)
    add_audit(connection, entry)
