"""Which readings came: told by writers with each commit, claimed by the one worker that evaluates alerts.

`register_watch` begins it; from then on each commit adds one row per edge. The worker claims rows, evaluates, and
deletes them in the transaction that records what came of it: a worker that dies in between has done nothing, and the
next one finds the rows. While nobody has been seen for as long as the watch's patience, writers stop; whoever comes
back is told since when. `alerting_turn` lets one worker work while others wait. Nothing here evaluates.
"""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from smartpark_storage.connections import Connection, read_transaction, transaction
from smartpark_storage.errors import StorageConflictError, translate_errors
from smartpark_storage.queries import query

PATIENCE: Final = timedelta(days=1)
"""For so long without a sign of the watcher do writers go on telling, unless the watch says otherwise."""


@dataclass(frozen=True, slots=True)
class Change:
    """Readings that one commit brought through one edge; the arrays have shape (n_points,)."""

    change_id: int
    edge_id: int
    points: NDArray[np.int32]
    """Point ids, ascending."""
    first_us: NDArray[np.int64]
    """First reading of each. [µs]"""
    end_us: NDArray[np.int64]
    """Just after the last reading of each. [µs]"""
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Watch:
    """What a watcher is told when it registers."""

    registered_at: datetime
    """From then on, without a gap, everything was told."""
    is_new: bool
    """There was no such watcher."""
    lapsed_at: datetime | None
    """It had been away for too long: from then until now nothing was told."""


@dataclass(frozen=True, slots=True)
class Watcher:
    """Somebody who is told which readings come."""

    watcher: str
    registered_at: datetime
    seen_at: datetime
    patience: timedelta


@dataclass(frozen=True, slots=True)
class Backlog:
    """Changes that wait."""

    count: int
    oldest: datetime | None
    """When the first of them was received."""


def register_watch(connection: Connection, watcher: str, *, at: datetime, patience: timedelta = PATIENCE) -> Watch:
    """Have writers tell what they bring; when this returns, every later commit is told, every other one readable.

    Needs a connection without an open transaction: it commits, and then waits for writers that began before.
    """
    with transaction(connection):
        row = connection.execute(
            query("watch_changes"), {"watcher": watcher, "at": at, "patience": patience}
        ).fetchone()
    if row is None:
        raise LookupError(f"the watch {watcher} was not kept")
    with transaction(connection):
        connection.execute(query("await_writers"))
    return Watch(*row)


def keep_watch(connection: Connection, watcher: str, *, at: datetime) -> bool:
    """Say that the watcher is there; False: there is no such one. Once in a while is enough."""
    with transaction(connection):
        return connection.execute(query("keep_watching"), {"watcher": watcher, "at": at}).rowcount == 1


def unregister_watch(connection: Connection, watcher: str) -> bool:
    """Nobody is to be told for this watcher; what waits goes with the last one. False: there was none."""
    with transaction(connection):
        is_gone = connection.execute(query("unwatch_changes"), {"watcher": watcher}).rowcount == 1
        connection.execute(query("drop_changes_unwatched"))
    return is_gone


def read_watchers(connection: Connection) -> list[Watcher]:
    """Who is told, by name."""
    with read_transaction(connection):
        return [Watcher(*row) for row in connection.execute(query("alert_watchers"))]


def claim_changes(connection: Connection, limit: int) -> list[Change]:
    """The first `limit` changes that wait, in the order in which they were told.

    Whoever has the turn is alone, so nothing is locked; what was dealt with goes by `delete_changes` in the
    transaction that records what came of it.
    """
    with read_transaction(connection), connection.cursor(binary=True) as cursor:
        rows = cursor.execute(query("claim_changes"), {"limit": limit}).fetchall()
    return [
        Change(
            change_id,
            edge_id,
            np.frombuffer(points, "<i4"),
            np.frombuffer(first_us, "<i8"),
            np.frombuffer(end_us, "<i8"),
            received_at,
        )
        for change_id, edge_id, points, first_us, end_us, received_at in rows
    ]


def delete_changes(connection: Connection, ids: Sequence[int]) -> None:
    """Take away changes that were dealt with, in the caller's transaction.

    Raises
    ------
    StorageConflictError
        When one is gone already: somebody else deals with them, and this transaction must not commit.
    """
    with transaction(connection):
        gone = connection.execute(query("delete_changes"), {"ids": list(ids)}).rowcount
        if gone != len(ids):
            raise StorageConflictError(
                f"{len(ids) - gone} of {len(ids)} changes of readings were dealt with by others"
            )


def read_backlog(connection: Connection) -> Backlog:
    """How many changes wait, and since when."""
    with read_transaction(connection):
        row = connection.execute(query("backlog_of_changes")).fetchone()
    return Backlog(0, None) if row is None else Backlog(*row)


@contextmanager
def alerting_turn(connection: Connection) -> Generator[bool]:
    """Whether it is this worker's turn to evaluate alerts; while True, no other one on this database has it.

    The turn belongs to the connection and is lost with it: work on the same connection, and what is committed was
    done by whoever had the turn.
    """
    with transaction(connection):
        row = connection.execute(query("begin_alerting")).fetchone()
    has_turn = row is not None and bool(row[0])
    try:
        yield has_turn
    finally:
        if has_turn and not connection.closed:
            with translate_errors():
                connection.rollback()
                with connection.transaction():
                    connection.execute(query("end_alerting"))


def is_alerting(connection: Connection) -> bool:
    """Whether some worker has the turn."""
    with read_transaction(connection):
        row = connection.execute(query("holds_alerting")).fetchone()
    return row is not None and bool(row[0])
