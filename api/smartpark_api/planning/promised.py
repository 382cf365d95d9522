"""Reading what has been promised to requests under way and is not connected yet."""

from smartpark_analytics.planning.promises import Reserved
from smartpark_storage.connections import Connection
from smartpark_storage.load_requests import reserved_requests


def promised_in(connection: Connection, park: str, *, without: str | None = None) -> tuple[Reserved, ...]:
    """Promises to the approved requests of a park; a request does not stand in its own way (`without`)."""
    return tuple(
        Reserved(one.node, one.approved_kva, one.coincidence, one.code)
        for one in reserved_requests(connection, park)
        if one.code != without
    )
