"""What was stored and has not been computed yet: whoever submits a period wants to know before."""

from datetime import datetime

from smartpark_storage.connections import Connection, transaction
from smartpark_storage.queries import query


def pending_of_park(connection: Connection, park: str, start: datetime, end: datetime) -> int:
    """How many spans of readings of a park in [start, end) wait to be computed."""
    with transaction(connection):
        row = connection.execute(query("pending_of_park"), {"park": park, "start": start, "end": end}).fetchone()
    return 0 if row is None else int(row[0])
