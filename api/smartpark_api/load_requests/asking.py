"""Asking what capacity there is: reads the network now and then, the promises every time, and lets `capacity` judge.

A network's loads change by the quarter-hour and cost a read of two years; they are kept for some minutes. Promises
change with every request and are never kept.
"""

from datetime import datetime, timedelta
from typing import Final

from fastapi import Request
from smartpark_analytics.planning.loads import NetworkLoads
from smartpark_storage.connections import Connection
from smartpark_storage.load_requests import RequestRow

from smartpark_api.load_requests.capacity import Ask, ask_of, capacity_of
from smartpark_api.load_requests.capacity_models import CapacityOut
from smartpark_api.planning.loads import read_network
from smartpark_api.planning.promised import promised_in
from smartpark_api.snapshot import Snapshots

KEPT_FOR: Final = timedelta(minutes=5)


def network_of(request: Request, connection: Connection, park: str, *, now: datetime) -> NetworkLoads:
    """Network of a park, as it was read at most some minutes ago."""
    networks: Snapshots[NetworkLoads] = request.app.state.networks
    kept = networks.fresh(park, now=now)
    if kept is None:
        kept = read_network(connection, park, now=now)
        networks.keep(park, kept)
    return kept


def simulate(connection: Connection, loads: NetworkLoads, park: str, ask: Ask) -> CapacityOut:
    """What would be if this were asked; `UnknownNodeError` when it names a node that there is none of."""
    return capacity_of(loads, park, ask, promised_in(connection, park, without=ask.request))


def capacity_for(connection: Connection, loads: NetworkLoads, row: RequestRow) -> CapacityOut:
    """What becomes of a request."""
    return simulate(connection, loads, row.park, ask_of(row))
