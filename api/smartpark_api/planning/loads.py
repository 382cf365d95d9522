"""Reading a park's network: what history says of each node, from two years of quarter-hours, which takes a moment."""

from collections.abc import Sequence
from datetime import datetime

from smartpark_analytics.planning.loads import NetworkLoads, network_loads, network_plan
from smartpark_storage.connections import Connection
from smartpark_storage.reads_load import read_load_points, read_load_quarters, read_nodes


def read_network(
    connection: Connection, park: str, *, now: datetime, stations: Sequence[Sequence[str]] = ()
) -> NetworkLoads:
    """Network of a park as of now.

    Transformers stand in for each other as `stations` says, and where it says nothing as the catalogue does.
    """
    rows, points = read_nodes(connection, park), read_load_points(connection, park)
    plan = network_plan(rows, points, now=now, stations=stations)
    return network_loads(plan, read_load_quarters(connection, plan.points, plan.start, plan.end))
