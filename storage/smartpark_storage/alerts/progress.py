"""How far the evaluation of alerts has come, as it notes for itself, and the little that it asks all the time."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from smartpark_storage.alerts.feed import Change
from smartpark_storage.connections import Connection, read_transaction, transaction
from smartpark_storage.queries import query


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """How far each point was judged at a moment; the arrays have shape (n_points,)."""

    at: datetime
    points: NDArray[np.int32]
    seen_us: NDArray[np.int64]
    """Newest moment judged. [µs]"""
    edges: NDArray[np.int32]
    """Number of the edge that the point speaks through; 0: not known."""
    quarters_until: datetime | None
    """Quarter-hours that begin before were judged; none: nobody knows."""
    hours_until: datetime | None


@dataclass(frozen=True, slots=True)
class EdgePresence:
    """What is known of an edge's being there; None where it has not said anything. Moments in µs."""

    edge_id: int
    code: str
    online: bool | None
    boot: int | None
    born_us: int | None
    died_us: int | None
    status_us: int | None


def keep_checkpoint(connection: Connection, watcher: str, checkpoint: Checkpoint) -> None:
    """Note how far a watcher has judged, in the caller's transaction."""
    parameters = {
        "watcher": watcher,
        "at": checkpoint.at,
        "points": checkpoint.points.astype("<i4").tobytes(),
        "seen": checkpoint.seen_us.astype("<i8").tobytes(),
        "edges": checkpoint.edges.astype("<i4").tobytes(),
        "quarters": checkpoint.quarters_until,
        "hours": checkpoint.hours_until,
    }
    with transaction(connection):
        connection.execute(query("keep_alert_checkpoint"), parameters)


def read_checkpoint(connection: Connection, watcher: str) -> Checkpoint | None:
    """What the watcher noted last."""
    with read_transaction(connection), connection.cursor(binary=True) as cursor:
        row = cursor.execute(query("alert_checkpoint"), {"watcher": watcher}).fetchone()
    if row is None:
        return None
    at, points, seen, edges, quarters, hours = row
    return Checkpoint(
        at, np.frombuffer(points, "<i4"), np.frombuffer(seen, "<i8"), np.frombuffer(edges, "<i4"), quarters, hours
    )


def claim_changes_but(connection: Connection, held: Collection[int], limit: int) -> list[Change]:
    """As `smartpark_storage.alerts.claim_changes`, without those that the caller has in hand already."""
    with read_transaction(connection), connection.cursor(binary=True) as cursor:
        rows = cursor.execute(query("claim_changes_but"), {"held": sorted(held), "limit": limit}).fetchall()
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


def waiting_changes(connection: Connection) -> NDArray[np.int64]:
    """Numbers of all changes that wait, ascending."""
    with read_transaction(connection), connection.cursor(binary=True) as cursor:
        row = cursor.execute(query("waiting_changes")).fetchone()
    return np.sort(np.frombuffer(b"" if row is None else row[0], ">i8").astype(np.int64))


def count_rule_versions(connection: Connection) -> int:
    """How many versions of rules there are; another number says that some rule has changed."""
    with read_transaction(connection):
        row = connection.execute(query("rule_versions")).fetchone()
    return 0 if row is None else int(row[0])


def newest_readings(connection: Connection) -> dict[int, int]:
    """Moment of the newest reading of each point that has one [µs]."""
    with read_transaction(connection):
        return dict(connection.execute(query("newest_readings")).fetchall())


def edge_presence(connection: Connection) -> list[EdgePresence]:
    """Every edge that has been heard of."""
    with read_transaction(connection):
        return [EdgePresence(*row) for row in connection.execute(query("edge_presence"))]
