"""The start page: three steps on an empty installation, else every park at a glance."""

from fastapi import APIRouter, Request
from smartpark_storage.reads import read_parks
from starlette.responses import Response

from smartpark_api.console.desk import looking
from smartpark_api.console.grafana import GrafanaWatch
from smartpark_api.console.home import Home, ParkTile, first_steps, found_so_far, request_tile
from smartpark_api.database import Now, picture_of
from smartpark_api.pages import render

router = APIRouter()


@router.get("/")
def show_home(request: Request, now: Now) -> Response:
    """Parks, requests, agents and Grafana, each with its time."""
    watch: GrafanaWatch = request.app.state.grafana
    with looking(request) as desk:
        parks = read_parks(desk.connection)
        requests = {park.code: request_tile(desk, park.code) for park in parks}
        has = found_so_far(desk.connection)
    # Outside of that connection: a picture of a park takes one of its own.
    tiles = [ParkTile(park, picture_of(request, park.code, now=now), requests[park.code]) for park in parks]
    steps = first_steps(has, tiles)
    home = Home(tiles, steps, watch.state(), now)
    return render(request, "console/home.html", home=home)
