"""Alerts of the platform itself: taken from Grafana's webhook, and listed. It judges nothing and knows no park.

Alerts that are judged of readings are at ``/alerts``; Grafana's rules ask whether readings come at all.
"""

from typing import Annotated, Final

from fastapi import APIRouter, Query, Request
from smartpark.access import Scope
from smartpark_storage.platform_alerts import read_platform_alerts

from smartpark_api.access.audit import audited
from smartpark_api.access.needs import EVERY_PARK, needs
from smartpark_api.access.principal import principal_of
from smartpark_api.alerts.platform_hearing import hear, platform_alert_out
from smartpark_api.alerts.platform_models import GrafanaMessage, PlatformAlertList, PlatformAlertsTaken
from smartpark_api.database import Now, Settings, reading, writing
from smartpark_api.load_requests.installation import calendar_of

router = APIRouter(tags=["operations"])
MOST: Final = 200
"""Of a list, the newest."""


@router.get("/platform-alerts", dependencies=[needs(Scope.OPERATIONS_READ, EVERY_PARK)])
def list_platform_alerts(
    request: Request,
    now: Now,
    *,
    holding: Annotated[bool, Query(description="Only what holds, by what was told last.")] = False,
) -> PlatformAlertList:
    """What is or was wrong with the platform itself, as its monitor tells it; what holds first, the last 200."""
    with reading(request) as connection:
        found = read_platform_alerts(connection, is_holding=holding, limit=MOST)
    return PlatformAlertList(as_of=now, alerts=[platform_alert_out(one, now) for one in found])


@router.post("/platform-alerts", dependencies=[needs(Scope.PLATFORM_ALERTS_WRITE, EVERY_PARK)])
def take_platform_alerts(
    request: Request, given: GrafanaMessage, *, now: Now, settings: Settings
) -> PlatformAlertsTaken:
    """Take a message of Grafana's webhook contact point; people are told by the routes of alerts.

    An event is a fingerprint and a beginning. Sent again it changes nothing, so that it may be repeated at will.
    """
    with writing(request) as connection:
        messages = hear(
            connection, given.alerts, by=principal_of(request).name, now=now, calendar=calendar_of(settings)
        )
        detail = {"messages": messages} | ({"left_out": given.truncated_alerts} if given.truncated_alerts else {})
        audited(request, rows=len(given.alerts), detail=detail)
    return PlatformAlertsTaken(taken=len(given.alerts), messages=messages)
