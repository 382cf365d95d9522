"""What `smartpark access` and `smartpark audit` share: one transaction, its line in the log, new files."""

import os
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from smartpark.access import LOCAL
from smartpark.clock import PARK_ZONE, parse_instant, utc_now
from smartpark.errors import SmartparkError
from smartpark_storage.access import AuditEntry, add_audit
from smartpark_storage.connections import Connection, connect, dsn_from_environment, transaction

WHO: Final = LOCAL.name
Write = Callable[[str], None]


class AccessAskedError(SmartparkError):
    """What was asked for on the command line cannot be done."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a verb says: to people, and as JSON."""

    lines: Sequence[str]
    document: Any


@contextmanager
def working() -> Generator[Connection]:
    """One transaction in the database that the environment names."""
    with connect(dsn_from_environment(), application="smartpark access") as connection, transaction(connection):
        yield connection


def note(connection: Connection, action: str, about: str, *, park: str | None = None, **detail: Any) -> None:
    """Add a line to the audit log, in the transaction of what it tells."""
    entry = AuditEntry(
        at=utc_now(), principal=WHO, proof=LOCAL.proof, action=f"cli:{action}", object=about, park=park, detail=detail
    )
    add_audit(connection, entry)


@contextmanager
def new_file(path: Path | None) -> Generator[Write]:
    """Writes lines into a new file that only its owner reads; it is gone again when what it was for fails."""
    if path is None:
        yield _nowhere
        return
    try:
        opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise AccessAskedError(f"{path} is there already; name a file that is not") from None
    except OSError as error:
        raise AccessAskedError(f"{path} cannot be written: {error.strerror}") from error
    try:
        with open(opened, "w", encoding="utf-8") as file:  # noqa: PTH123 - a descriptor, not a path

            def write(line: str) -> None:
                file.write(f"{line}\n")
                file.flush()
                os.fsync(file.fileno())

            yield write
    except BaseException:  # raised again; half a secret must not lie there as if it were one
        path.unlink(missing_ok=True)
        raise


def _nowhere(line: str) -> None:
    raise AssertionError(f"nowhere to write {len(line)} characters")


def instant_of(text: str) -> datetime:
    """Instant, or the beginning of a day of the parks' calendar."""
    try:
        return parse_instant(text, default_zone=PARK_ZONE).astimezone(UTC)
    except ValueError as error:
        raise AccessAskedError(f"{text!r} is no instant: write 2026-11-01, or 2026-11-01T00:00:00+08:00") from error


def day_of(instant: datetime) -> str:
    """Day in the parks' calendar."""
    return f"{instant.astimezone(PARK_ZONE):%Y-%m-%d}"
