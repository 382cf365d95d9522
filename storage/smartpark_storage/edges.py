"""What edges say about themselves: births, deaths, and their health.

The newest word counts: a will of an old session cannot declare a newer one dead, and a status of an old session is
not kept. Births and deaths are also kept as events.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from psycopg.types.json import Jsonb
from smartpark.wire import Birth, Death, Status

from smartpark_storage.connections import Connection, transaction
from smartpark_storage.queries import query


@dataclass(frozen=True, slots=True)
class EdgeOverview:
    """One edge as it stands."""

    edge_id: int
    code: str
    online: bool
    software: str
    points: int | None
    """Points that its last birth declared."""
    born_at: datetime | None
    died_at: datetime | None
    status_at: datetime | None
    status: dict[str, Any] | None
    """Its last `smartpark.wire.Status`, as JSON."""


def record_birth(connection: Connection, edge_id: int, message: Birth, at: datetime) -> None:
    """Note that an edge is there."""
    parameters = {
        "edge": edge_id,
        "boot": message.boot,
        "session": message.session,
        "software": message.software,
        "points": len(message.points),
        "at": at.astimezone(UTC),
    }
    with transaction(connection):
        connection.execute(query("add_birth_event"), parameters)
        connection.execute(query("record_birth"), parameters)


def record_death(connection: Connection, edge_id: int, message: Death, at: datetime) -> None:
    """Note that an edge is gone, when the session that died is the one we know."""
    parameters = {"edge": edge_id, "boot": message.boot, "session": message.session, "at": at.astimezone(UTC)}
    with transaction(connection):
        connection.execute(query("record_death"), parameters)


def record_status(connection: Connection, edge_id: int, message: Status, at: datetime) -> None:
    """Keep an edge's newest status."""
    parameters = {
        "edge": edge_id,
        "boot": message.boot,
        "session": message.session,
        "status": Jsonb(message.model_dump(mode="json")),
        "at": at.astimezone(UTC),
    }
    with transaction(connection):
        connection.execute(query("record_status"), parameters)


def edges_overview(connection: Connection) -> list[EdgeOverview]:
    """Every edge, by code."""
    with transaction(connection):
        return [EdgeOverview(*row) for row in connection.execute(query("edges_overview"))]
