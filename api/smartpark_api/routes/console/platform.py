"""What is wrong with the platform itself, as its monitor tells it, on a page; it is dealt with where it is told."""

from typing import Final

from fastapi import APIRouter, Request
from smartpark.access import Scope
from smartpark_storage.platform_alerts import read_platform_alerts
from starlette.responses import Response

from smartpark_api.access.needs import EVERY_PARK, needs
from smartpark_api.access.principal import principal_of
from smartpark_api.alerts.platform_hearing import platform_alert_out
from smartpark_api.console.desk import looking
from smartpark_api.pages import render

router = APIRouter()
PATH: Final = "/alerts/platform"
_MOST: Final = 100


@router.get(PATH, dependencies=[needs(Scope.OPERATIONS_READ, EVERY_PARK)])
def show_platform(request: Request) -> Response:
    """Alerts of the platform: those that hold, and the newest that are over."""
    with looking(request) as desk:
        now = desk.now
        found = [platform_alert_out(one, now) for one in read_platform_alerts(desk.connection, limit=_MOST)]
    by_state = {
        "holds": [one for one in found if one.ends_at is None],
        "over": [one for one in found if one.ends_at is not None],
    }
    return render(request, "console/platform.html", by_state=by_state, now=now)


def may_see_platform(request: Request) -> bool:
    """Whether the page is for whoever looks."""
    return principal_of(request).may(Scope.OPERATIONS_READ, None)
