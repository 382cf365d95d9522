"""Keeping the history of multipliers and register sizes in step with the catalogue.

A version of a point with readings begins at the instant of the load; for a point without any, the first version
is simply put right. Where a change reaches back over stored readings, their span is marked for derive.
"""

from datetime import datetime

from smartpark.derived_gauges import DERIVED_GAUGES

from smartpark_storage.connections import Connection
from smartpark_storage.queries import query


def update_point_versions(connection: Connection, park: str, at: datetime) -> None:
    """Bring the versions of a park's points up to the catalogue, in the caller's transaction."""
    parameters = {"park": park, "at": at}
    connection.execute(query("drop_versions_without_readings"), parameters)
    connection.execute(query("mark_changed_versions_stale"), parameters)
    connection.execute(query("mark_changed_gauges_stale"), {**parameters, "derived": sorted(DERIVED_GAUGES)})
    connection.execute(query("drop_later_versions"), parameters)
    connection.execute(query("close_changed_versions"), parameters)
    connection.execute(query("add_changed_versions"), parameters)
