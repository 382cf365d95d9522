"""The start page: three steps on an empty installation, else every park at a glance."""

from fastapi import APIRouter, Request
from smartpark.access import Scope
from smartpark_storage.connections import Connection
from smartpark_storage.reads import read_parks
from starlette.responses import Response

from smartpark_api.access.needs import needs
from smartpark_api.access.places import theirs
from smartpark_api.access.principal import principal_of
from smartpark_api.console.desk import looking
from smartpark_api.console.grafana import GrafanaWatch
from smartpark_api.console.home import (
    AlertTile,
    Home,
    ParkTile,
    alert_tile,
    first_steps,
    found_so_far,
    nothing_left,
    request_tile,
)
from smartpark_api.database import Now, picture_of
from smartpark_api.pages import render

router = APIRouter()


@router.get("/", dependencies=[needs(Scope.PARKS_READ)])
def show_home(request: Request, now: Now) -> Response:
    """Parks, requests, agents and Grafana, each with its time."""
    watch: GrafanaWatch = request.app.state.grafana
    with looking(request) as desk:
        parks = theirs(request, Scope.READINGS_READ, read_parks(desk.connection))
        requests = {park.code: request_tile(desk, park.code) for park in parks}
        alerts = {park.code: _alerts(request, desk.connection, park.code) for park in parks}
        has = found_so_far(desk.connection)
    # Outside of that connection: a picture of a park takes one of its own.
    tiles = [
        ParkTile(park, picture_of(request, park.code, now=now), requests[park.code], alerts[park.code])
        for park in parks
    ]
    # Whoever sees some parks only has no installation to help with.
    steps = first_steps(has, tiles) if principal_of(request).may(Scope.OPERATIONS_READ, None) else nothing_left(has)
    home = Home(tiles, steps, watch.state(), now)
    return render(request, "console/home.html", home=home)


def _alerts(request: Request, connection: Connection, park: str) -> AlertTile | None:
    """Open alerts of a park, for whoever may see them."""
    return alert_tile(connection, park) if principal_of(request).may(Scope.ALERTS_READ, park) else None
