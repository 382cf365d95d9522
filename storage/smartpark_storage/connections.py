"""Opening connections, and saying which database stands behind them.

Functions of this room run as one transaction each, or become part of the transaction the caller has opened with
`transaction`. Passwords are never part of an address: they come from libpq's own ways (PGPASSFILE) or from
the file that SMARTPARK_DSN_PASSWORD_FILE names.
"""

import os
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.pq import TransactionStatus
from psycopg_pool import ConnectionPool
from smartpark.errors import SmartparkError

from smartpark_storage.errors import StorageUnavailableError, translate_errors
from smartpark_storage.queries import query

Connection = psycopg.Connection[tuple[Any, ...]]
Pool = ConnectionPool[Connection]

CONNECT_TIMEOUT_S = 10
_LIVENESS = {
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 25_000,
}
"""A server that vanished without a word (a cut network, a dead machine) is noticed within half a minute; the system's
own patience is two hours. An address may say otherwise. [s, and the last one in ms]"""
_LOCAL = "-c smartpark.principal=local"
"""Whoever has the database's address in hand is at the machine itself: row-level rules let them see all."""
_OPTIONS = "-c timezone=UTC -c datestyle=ISO -c intervalstyle=postgres"


@dataclass(frozen=True, slots=True)
class DatabaseInfo:
    """Which server it is."""

    server_version: str
    timescale_version: str | None

    @property
    def label(self) -> str:
        """For people, and the `database` key of reports."""
        if self.timescale_version is None:
            return f"PostgreSQL {self.server_version} (plain, without TimescaleDB)"
        return f"TimescaleDB {self.timescale_version} on PostgreSQL {self.server_version}"


def dsn_from_environment(environment: Mapping[str, str] | None = None) -> str:
    """Address of the database: ``SMARTPARK_DSN``, completed by ``SMARTPARK_DSN_PASSWORD_FILE`` where that is set."""
    given = os.environ if environment is None else environment
    dsn = given.get("SMARTPARK_DSN")
    if not dsn:
        raise SmartparkError(
            "SMARTPARK_DSN is not set; it says where the database is, e.g. postgresql://user@host/name"
        )
    _refuse_password(dsn)
    password_file = given.get("SMARTPARK_DSN_PASSWORD_FILE")
    if not password_file:
        return dsn
    try:
        password = Path(password_file).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise SmartparkError(f"password file {password_file} cannot be read: {error.strerror}") from error
    return make_conninfo(dsn, password=password)


def _refuse_password(dsn: str) -> None:
    try:
        parts = conninfo_to_dict(dsn)
    except psycopg.ProgrammingError as error:
        raise SmartparkError(f"SMARTPARK_DSN is not an address that PostgreSQL understands: {error}") from None
    if parts.get("password"):
        raise SmartparkError(
            "SMARTPARK_DSN holds a password; put it into a file and name it in SMARTPARK_DSN_PASSWORD_FILE"
        )


@translate_errors()
def connect(dsn: str, *, application: str) -> Connection:
    """Open one connection (autocommit off, UTC); `application` is the name that the server's lists show."""
    return psycopg.connect(dsn, **_parameters(dsn, application, f"{_LOCAL} {_OPTIONS}"))


def open_pool(dsn: str, *, application: str, max_size: int) -> Pool:
    """Pool of connections, opened lazily: it starts even while the database is away.

    Its connections are nobody's until a transaction says who asks (`asking`).
    """
    return ConnectionPool(
        dsn,
        connection_class=Connection,
        kwargs=_parameters(dsn, application),
        min_size=1,
        max_size=max_size,
        timeout=CONNECT_TIMEOUT_S,
        check=ConnectionPool.check_connection,
        open=True,
    )


def _parameters(dsn: str, application: str, options: str = _OPTIONS) -> dict[str, Any]:
    given = conninfo_to_dict(dsn)
    own = given.get("options")
    ours = {
        "application_name": application,
        "connect_timeout": CONNECT_TIMEOUT_S,
        "options": f"{own} {options}" if own else options,
    }
    return ours | {name: value for name, value in _LIVENESS.items() if name not in given}


@contextmanager
def transaction(connection: Connection) -> Generator[Connection]:
    """One transaction around several calls of this room."""
    with translate_errors(), connection.transaction():
        yield connection


@contextmanager
def read_transaction(connection: Connection) -> Generator[Connection]:
    """The caller's transaction where there is one, else one of its own; for reads that are asked often.

    Reads leave nothing to undo, so no savepoint is set: two ways to the server less for each of them.
    """
    if connection.info.transaction_status is TransactionStatus.INTRANS:
        with translate_errors():
            yield connection
    else:
        with transaction(connection):
            yield connection


def describe_database(connection: Connection) -> DatabaseInfo:
    """Say which server this is, and whether the database has TimescaleDB."""
    with transaction(connection):
        row = connection.execute(query("describe_database")).fetchone()
    if row is None:
        raise StorageUnavailableError("the database did not say its version")
    return DatabaseInfo(str(row[0]), row[1])


def end_other_sessions(connection: Connection) -> int:
    """End every other session on this database; how many."""
    with transaction(connection):
        row = connection.execute(query("end_other_sessions")).fetchone()
    return 0 if row is None else int(row[0])
