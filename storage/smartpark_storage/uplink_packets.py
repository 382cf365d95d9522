"""Packets of uplinks that rest on readings and not on published numbers: what was told of which period.

Not a queue: whoever tells works out from the readings what is to be told, and compares. Kept is a digest, never the
data, so that a period whose readings came late is told again, and one that says the same is not.
"""

from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import class_row

from smartpark_storage.connections import Connection, transaction
from smartpark_storage.queries import query


@dataclass(frozen=True, slots=True)
class ToldPacket:
    """A period that was told."""

    start: datetime
    digest: str
    """Of what the platform has acknowledged; empty: it was told, and did not answer."""
    attempts: int


def told_packets(
    connection: Connection, uplink: str, packet: str, start: datetime, end: datetime
) -> dict[datetime, ToldPacket]:
    """Periods of a packet that start in [start, end) and were told."""
    given = {"uplink": uplink, "packet": packet, "start": start, "end": end}
    with transaction(connection), connection.cursor(row_factory=class_row(ToldPacket)) as cursor:
        return {row.start: row for row in cursor.execute(query("told_uplink_packets"), given)}


def mark_packet_sent(connection: Connection, uplink: str, packet: str, start: datetime, now: datetime) -> None:
    """Note before the first byte leaves that a period is being told."""
    with transaction(connection):
        given = {"uplink": uplink, "packet": packet, "start": start, "now": now}
        connection.execute(query("mark_uplink_packet_sent"), given)


def acknowledge_packet(
    connection: Connection, uplink: str, packet: str, start: datetime, *, digest: str, now: datetime
) -> None:
    """The platform has taken a period."""
    with transaction(connection):
        given = {"uplink": uplink, "packet": packet, "start": start, "digest": digest, "now": now}
        connection.execute(query("acknowledge_uplink_packet"), given)


def forget_packets(connection: Connection, uplink: str, before: datetime) -> int:
    """Remove periods that began and were acknowledged before a moment; how many."""
    with transaction(connection):
        return connection.execute(query("forget_uplink_packets"), {"uplink": uplink, "before": before}).rowcount
