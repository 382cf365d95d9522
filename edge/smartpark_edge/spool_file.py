"""Opening the spool's file: lock, schema, identity; and setting a damaged one aside, never deleting it.

Nothing here knows what a batch is for; that is `spool`'s part.
"""

import fcntl
import logging
import os
import secrets
import sqlite3
from collections.abc import Generator
from contextlib import closing, contextmanager
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import IO, Final

from smartpark.clock import from_us
from smartpark.errors import RetryableError, SmartparkError

_log = logging.getLogger(__name__)

SCHEMA: Final = "2"


class SpoolInUseError(SmartparkError):
    """Another agent writes to this spool."""


class SpoolVersionError(SmartparkError):
    """The spool was written by another version of the agent."""


class SpoolUnavailableError(RetryableError):
    """The spool cannot be written just now (disk full, I/O error)."""


class DiskRefusesError(SpoolUnavailableError):
    """The disk takes or gives nothing just now (full, I/O error): no mistake in the settings, and it may pass."""


class SpoolCorruptError(SmartparkError):
    """The spool's file is damaged."""


@contextmanager
def translate_sqlite() -> Generator[None]:
    """SQLite's errors as ours: damaged files are one thing, a full disk is another."""
    try:
        yield
    except sqlite3.OperationalError as error:
        # The plain SQLITE_ERROR says that our statements do not fit the file: it was emptied under our hands.
        if error.sqlite_errorcode == sqlite3.SQLITE_ERROR:
            raise SpoolCorruptError(f"spool: {error}") from error
        raise _unavailable("spool", error) from error
    except sqlite3.DatabaseError as error:
        raise SpoolCorruptError(f"spool: {error}") from error


def _unavailable(what: str, error: sqlite3.OperationalError) -> SpoolUnavailableError:
    # The lowest byte is the kind; the others say which read or write it was.
    refuses = error.sqlite_errorcode & 0xFF in {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR}
    return (DiskRefusesError if refuses else SpoolUnavailableError)(f"{what}: {error}")


def read_statements() -> dict[str, str]:
    """Named statements of spool.sql."""
    statements: dict[str, list[str]] = {}
    name = ""
    for line in files(__package__ or "").joinpath("spool.sql").read_text(encoding="utf-8").splitlines():
        if line.startswith("-- name: "):
            name = line.removeprefix("-- name: ").strip()
            statements[name] = []
        elif name:
            statements[name].append(line)
    return {key: "\n".join(lines).strip() for key, lines in statements.items()}


SQL: Final = read_statements()


def lock_spool(path: Path) -> IO[bytes]:
    """Hold the spool for this process; the kernel lets go when the process ends, however it ends."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = path.with_name(path.name + ".lock").open("wb")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        handle.close()
        raise SpoolInUseError(f"{path}: another agent is using this spool") from None
    return handle


def open_writer(path: Path, now: datetime) -> tuple[sqlite3.Connection, str]:
    """Connection for the one writer, and an alarm when a damaged file had to be set aside ("" when not)."""
    alarm = ""
    if path.exists() and not _is_sound(path):
        waiting = _waiting_in(path)
        kept = _set_aside(path, now)
        alarm = f"spool {path.name} was damaged; kept as {kept.name}, started a fresh one; {waiting}"
        _log.error("%s", alarm)
    connection = connect(path)
    with translate_sqlite():
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA journal_size_limit = 16777216")
        if connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0:
            _create(connection)
    schema = connection.execute(SQL["get_meta"], ("schema",)).fetchone()[0]
    if schema != SCHEMA:
        connection.close()
        raise SpoolVersionError(f"{path}: spool version {schema}; this agent writes version {SCHEMA}")
    return connection, alarm


def identity(path: Path) -> tuple[int, int] | None:
    """Which file stands at a path; None when there is none. A writer whose file was removed would not notice."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def connect(path: Path, *, read_only: bool = False) -> sqlite3.Connection:
    """Plain connection; transactions are ours to begin and end."""
    address = f"{path.absolute().as_uri()}?mode={'ro' if read_only else 'rwc'}"
    with translate_sqlite():
        return sqlite3.connect(address, uri=True, isolation_level=None, timeout=10.0, check_same_thread=False)


def _create(connection: sqlite3.Connection) -> None:
    boot = secrets.randbits(63)
    connection.execute("BEGIN IMMEDIATE")
    statement = ""
    for line in SQL["create"].splitlines():
        statement += line + "\n"
        if sqlite3.complete_statement(statement):
            connection.execute(statement)
            statement = ""
    connection.execute(SQL["set_meta"], ("schema", SCHEMA))
    connection.execute(SQL["set_meta"], ("boot", str(boot)))
    connection.execute("COMMIT")


def _is_sound(path: Path) -> bool:
    try:
        connection = sqlite3.connect(path, isolation_level=None)
        try:
            tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
            if tables and not {"meta", "batch", "counter"} <= tables:
                return False
            # The second compares the aliases with their index: a flipped bit in an exponent would alter readings.
            checks = ("PRAGMA quick_check(1)", *(["PRAGMA integrity_check(alias)"] if "alias" in tables else []))
            return all(connection.execute(check).fetchone()[0] == "ok" for check in checks)
        finally:
            connection.close()
    except sqlite3.OperationalError as error:
        # Locked, or no permission: not a reason to throw a spool out.
        raise _unavailable(str(path), error) from error
    except sqlite3.DatabaseError:
        return False


def _waiting_in(path: Path) -> str:
    """What a damaged spool still says about what is lost with it, in words."""
    try:
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            readings = connection.execute(SQL["counters"]).fetchone()[0]
            return f"{readings} readings in it were not yet acknowledged{_span_in(connection)}"
    except (sqlite3.Error, TypeError):
        return "how many readings in it were not yet acknowledged cannot be read any more"


def _span_in(connection: sqlite3.Connection) -> str:
    try:
        first, last = connection.execute(SQL["span_pending"]).fetchone()
    except sqlite3.Error as error:
        return f", of which time cannot be read any more ({error})"
    return "" if first is None else f", {from_us(first).isoformat()} to {from_us(last).isoformat()}"


def _set_aside(path: Path, now: datetime) -> Path:
    stamp = now.strftime("%Y%m%dT%H%M%S")
    kept = path.with_name(f"{path.name}.damaged-{stamp}")
    count = 1
    while kept.exists():
        count += 1
        kept = path.with_name(f"{path.name}.damaged-{stamp}-{count}")
    for suffix in ("", "-wal", "-shm"):
        part = path.with_name(path.name + suffix)
        if part.exists():
            os.replace(part, kept.with_name(kept.name + suffix))  # noqa: PTH105  atomic also over a leftover
    return kept
