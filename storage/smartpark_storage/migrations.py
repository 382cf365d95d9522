"""Bringing the schema up to date: numbered SQL files, each applied once, in order, in a transaction of its own.

A file ``NNNN_verb_what.sql`` is for every database; where TimescaleDB and plain PostgreSQL differ, the pair
``NNNN_verb_what.timescale.sql`` and ``.plain.sql`` stands instead. An applied file never changes: its checksum
is on record, and a mismatch is refused by name. Which of the two flavours a database has is decided by its
first migration and stays. Nothing here goes backwards.
"""

import hashlib
import logging
import re
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from importlib.resources import files
from typing import LiteralString, cast

import psycopg
from psycopg import errors as pg
from smartpark.clock import utc_now
from smartpark.periods import Grain, period_containing

from smartpark_storage.connections import Connection, describe_database, transaction
from smartpark_storage.emission_limits import keep_emission_limits
from smartpark_storage.errors import MigrationError, translate_errors
from smartpark_storage.factors import load_builtin_factors
from smartpark_storage.queries import query

_log = logging.getLogger(__name__)
_REFRESH_PATIENCE_S = 120.0
_NAME = re.compile(r"(?P<number>\d{4})_(?P<title>[a-z0-9_]+)(\.(?P<flavour>timescale|plain))?\.sql")


class Flavour(StrEnum):
    """The two kinds of database."""

    TIMESCALE = "timescale"
    PLAIN = "plain"


@dataclass(frozen=True, slots=True)
class Migration:
    """One file."""

    number: int
    name: str
    flavour: Flavour | None
    sql: str

    @property
    def checksum(self) -> str:
        """Of the text as applied; line ends do not count."""
        return hashlib.sha256(self.sql.replace("\r\n", "\n").encode()).hexdigest()


def parse_migrations(texts: Iterable[tuple[str, str]]) -> list[Migration]:
    """Migrations of (file name, text) pairs, in order; `MigrationError` names files that do not fit."""
    migrations: list[Migration] = []
    for name, text in sorted(texts):
        match = _NAME.fullmatch(name)
        if match is None:
            raise MigrationError(f"{name}: a migration is named NNNN_verb_what.sql, .timescale.sql or .plain.sql")
        flavour = Flavour(match["flavour"]) if match["flavour"] else None
        migrations.append(Migration(int(match["number"]), name, flavour, text))
    expected = list(range(1, max((m.number for m in migrations), default=0) + 1))
    for flavour in Flavour:
        numbers = [m.number for m in select_flavour(migrations, flavour)]
        if numbers != expected:
            raise MigrationError(
                f"migrations for {flavour} are numbered {numbers}; each number from 1 must occur once"
            )
    return migrations


def select_flavour(migrations: Sequence[Migration], flavour: Flavour) -> list[Migration]:
    """Files that this kind of database gets."""
    return [m for m in migrations if m.flavour in {None, flavour}]


def builtin_migrations() -> list[Migration]:
    """Files that come with the package."""
    folder = files("smartpark_storage").joinpath("sql/migrations")
    return parse_migrations(
        (f.name, f.read_text(encoding="utf-8")) for f in folder.iterdir() if f.name.endswith(".sql")
    )


@translate_errors()
def migrate(connection: Connection, *, migrations: Sequence[Migration] | None = None) -> list[str]:
    """Apply what is missing; returns the names of the files applied now. One runner at a time, others wait.

    With the package's own files the factors that come with the platform are brought up to date too, and the limits
    that stacks are held to.
    """
    _lock(connection)
    try:
        _prepare(connection)
        flavour = _flavour(connection)
        wanted = select_flavour(builtin_migrations() if migrations is None else migrations, flavour)
        missing = pending(wanted, applied(connection))
        for migration in missing:
            _apply(connection, migration)
        if migrations is None:
            load_builtin_factors(connection)
            keep_emission_limits(connection, at=utc_now())
    finally:
        # A session's lock outlives a failed transaction; a lost connection has lost it already.
        if not connection.broken:
            connection.rollback()
            with connection.transaction():
                connection.execute(query("unlock_migrations"))
    return [m.name for m in missing]


def pending(wanted: Sequence[Migration], done: Sequence[tuple[int, str, str]]) -> list[Migration]:
    """Files not yet applied; `MigrationError` when an applied one was changed, renamed or is unknown here."""
    by_number = {m.number: m for m in wanted}
    for number, name, checksum in done:
        migration = by_number.get(number)
        if migration is None:
            raise MigrationError(
                f"the database has {name} applied, which this version does not know: update smartpark"
            )
        if migration.name != name:
            raise MigrationError(f"the database has {name} applied, but the file of that number is {migration.name}")
        if migration.checksum != checksum:
            raise MigrationError(
                f"{name} was changed after it was applied; restore the file and put the change into a new migration"
            )
    known = {number for number, _, _ in done}
    return [m for m in wanted if m.number not in known]


def applied(connection: Connection) -> list[tuple[int, str, str]]:
    """Number, file name and checksum of each applied migration."""
    with transaction(connection):
        exists = connection.execute(query("migration_table_exists")).fetchone()
        if exists is None or not exists[0]:
            return []
        return [(n, name, checksum) for n, name, checksum in connection.execute(query("applied_migrations"))]


def _lock(connection: Connection) -> None:
    with connection.transaction():
        connection.execute(query("lock_migrations"))


def _prepare(connection: Connection) -> None:
    """Extension (where the server offers it), schema and the table of what is applied."""
    if not applied(connection) and describe_database(connection).timescale_version is None:
        with connection.transaction():
            loadable = connection.execute(query("timescale_is_loadable")).fetchone()
        if loadable is not None and loadable[0]:
            _log.info("creating the extension timescaledb, which the server offers")
            with connection.transaction():
                connection.execute(query("create_timescale"))
    with connection.transaction():
        connection.execute(query("create_schema"))
        connection.execute(query("create_migration_table"))


def _flavour(connection: Connection) -> Flavour:
    for _, name, _ in applied(connection):
        for flavour in Flavour:
            if name.endswith(f".{flavour}.sql"):
                return flavour
    has_timescale = describe_database(connection).timescale_version is not None
    return Flavour.TIMESCALE if has_timescale else Flavour.PLAIN


def _apply(connection: Connection, migration: Migration) -> None:
    _log.info("applying %s", migration.name)
    try:
        with connection.transaction():
            # The text comes with the package; without parameters psycopg sends it as it is, statements and all.
            connection.execute(cast("LiteralString", migration.sql))
            connection.execute(
                query("record_migration"),
                {"number": migration.number, "name": migration.name, "checksum": migration.checksum},
            )
    except psycopg.OperationalError:
        raise
    except psycopg.Error as error:
        raise MigrationError(f"{migration.name} failed and left no trace: {error}") from error


@translate_errors()
def refresh_aggregates(connection: Connection) -> tuple[datetime, datetime] | None:
    """Bring the continuous aggregates up to date; returns the span, or None where there is nothing to do.

    The span is always that of all readings, in whole local days: a window that begins later, or that cuts a local
    day, would hide what it leaves out from the real-time view. What is up to date already costs nothing. On plain
    PostgreSQL the buckets are computed when asked.
    """
    if describe_database(connection).timescale_version is None:
        return None
    with connection.transaction():
        row = connection.execute(query("reading_span")).fetchone()
    if row is None or row[0] is None:
        return None
    window = whole_days(row[0], row[1])
    # A refresh commits in between, so it may not run inside a transaction block.
    before = connection.autocommit
    connection.autocommit = True
    try:
        for name in ("refresh_15m", "refresh_hour", "refresh_day", "refresh_park_hour"):
            _refresh(connection, name, window)
    finally:
        connection.autocommit = before
    return window


def whole_days(start: datetime, end: datetime) -> tuple[datetime, datetime]:
    """Smallest span of whole days of the park's zone that covers both instants."""
    return period_containing(start, Grain.DAY).start, period_containing(end, Grain.DAY).end


def _refresh(connection: Connection, name: str, window: tuple[datetime, datetime]) -> None:
    _log.info("%s from %s to %s", name, *window)
    deadline = time.monotonic() + _REFRESH_PATIENCE_S
    while True:
        try:
            # Written in by the client: CALL does not go well with parameters of the extended protocol.
            psycopg.ClientCursor(connection).execute(query(name), {"start": window[0], "end": window[1]})
        except pg.LockNotAvailable:  # the policy of the same aggregate is at work
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
        else:
            return
