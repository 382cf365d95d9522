"""What a monitor tells of the platform itself, such as that no readings come in: whom people's routes lead it to.

What is judged of the park's readings are alerts (`smartpark.alerts.life`); this is not, and has no acknowledgement,
no escalation and no silence here: those are the monitor's. Routes that ask for a park, a cause, an object or a device
are about the park, so they do not fit; those without, and those that name its rule (``platform-*``), do. Pure.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from smartpark.alerts.events import About, Evidence
from smartpark.alerts.life import Alert
from smartpark.alerts.paging import Page
from smartpark.alerts.routes import ChannelKind, Contact, Delivery, Directory, Route
from smartpark.alerts.words import AlertState, Cause, PageKind, Severity
from smartpark.workdays import WorkdayCalendar

FORM: Final = "platform"
"""Kind of its messages in the outbox."""
MOST_TOLD: Final = 20
"""Events of a message that are told one by one; of the others it says how many they are."""


@dataclass(frozen=True, slots=True)
class PlatformAlert:
    """One event that a monitor told of."""

    rule: str
    severity: Severity
    title: str
    title_en: str
    advice: str
    advice_en: str
    about: Mapping[str, str]
    """Which thing it is, such as ``{"agent": "gw-01"}``."""
    starts_at: datetime
    ends_at: datetime | None
    """None: it holds."""
    value: float | None
    unit: str


def platform_directory(contacts: Iterable[Contact], routes: Iterable[Route], calendar: WorkdayCalendar) -> Directory:
    """Contacts and routes that such events may lead to.

    An Alertmanager is left out: it wants to be told each minute what holds, and a monitor can tell it directly.
    """
    reached = [one for one in contacts if one.park is None and one.channel is not ChannelKind.ALERTMANAGER]
    fitting = [one for one in routes if one.park is None and not one.causes and not one.objects and not one.devices]
    return Directory(reached, fitting, calendar)


def platform_deliveries(
    directory: Directory, event: PlatformAlert, now: datetime, *, told: Sequence[str] = ()
) -> tuple[Delivery, ...] | None:
    """Whom to tell of an event, and when; None: nobody before the hours of a route begin.

    Parameters
    ----------
    told : sequence of str
        Of one that is over: contacts that were told of it.
    """
    kind = PageKind.FIRED if event.ends_at is None else PageKind.RESOLVED
    return directory.deliveries(_as_alert(event), Page(kind), now, told=told)


def _as_alert(event: PlatformAlert) -> Alert:
    """What routes ask an alert for. Its park, cause and object are nobody's: no route that asks for one is left."""
    return Alert(
        about=About(park="", rule=event.rule, rule_version=1, object="", cause=Cause.NO_DATA),
        severity=event.severity,
        state=AlertState.FIRING if event.ends_at is None else AlertState.RESOLVED,
        since=event.starts_at,
        known_at=event.starts_at,
        last=Evidence(value=event.value),
        last_at=event.starts_at,
        worst=Evidence(value=event.value),
        worst_at=event.starts_at,
        sequence=1,
        changed_at=event.starts_at,
    )


def platform_body(events: Sequence[PlatformAlert], *, as_of: datetime) -> dict[str, Any]:
    """Body of a message in the outbox: facts, of which its words are made when it is sent."""
    worst_first = sorted(events, key=lambda one: (-one.severity.rank, one.starts_at, one.rule))
    return {
        "form": FORM,
        "items": [_facts(one, as_of) for one in worst_first[:MOST_TOLD]],
        "total": len(events),
        "severities": {
            level.value: count for level in Severity if (count := sum(one.severity is level for one in events))
        },
        "pages": {},
    }


def _facts(event: PlatformAlert, as_of: datetime) -> dict[str, Any]:
    return {
        "rule": event.rule,
        "severity": event.severity.value,
        "title": event.title,
        "title_en": event.title_en,
        "advice": event.advice,
        "advice_en": event.advice_en,
        "about": dict(event.about),
        "since": event.starts_at.isoformat(),
        "over": None if event.ends_at is None else event.ends_at.isoformat(),
        "value": event.value,
        "unit": event.unit,
        "as_of": as_of.isoformat(),
    }
