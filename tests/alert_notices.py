"""Alerts, contacts and routes for tests about telling people."""

from datetime import datetime, timedelta

from smartpark.alerts.events import About, Began, Body, Event, Evidence, Fired
from smartpark.alerts.life import Alert, follow, replay
from smartpark.alerts.rules import Rule
from smartpark.alerts.words import Cause, Severity
from smartpark.clock import PARK_ZONE

RULE = Rule.model_validate(
    {
        "code": "overload",
        "name": "变压器过载",
        "name_en": "Transformer overload",
        "why": "for tests",
        "advice": "转移负荷",
        "advice_en": "Move load elsewhere",
        "severity": "warning",
        "cause": "overload",
        "detector": {"kind": "limit", "above": 80.0},
    }
)
SEEN = Evidence(value=87.3, limit=80.0, unit="%")


def at(text: str) -> datetime:
    """A moment on the park's clock: ``10:00``, ``21T03:00``, ``2026-03-02T08:00``; of 2 March 2026, a Monday."""
    full = text if len(text) > 10 else f"2026-03-{text}" if "T" in text else f"2026-03-02T{text}"
    return datetime.fromisoformat(full).replace(tzinfo=PARK_ZONE)


def about(**changed: object) -> About:
    """What an alert is about."""
    given: dict[str, object] = {
        "park": "park",
        "rule": RULE.code,
        "rule_version": 1,
        "object": "point:park/M1/active_power",
        "cause": Cause.OVERLOAD,
        "device": "park/M1",
    }
    return About.model_validate(given | changed)


def events(*bodies: Body, since: datetime, first: int = 1) -> list[Event]:
    """Events a minute apart."""
    return [
        Event(
            sequence=first + n,
            at=since + n * timedelta(minutes=1),
            recorded_at=since + n * timedelta(minutes=1),
            body=body,
        )
        for n, body in enumerate(bodies)
    ]


def begun(since: datetime, severity: Severity = Severity.WARNING, **changed: object) -> list[Event]:
    """Events of an alert that fires a minute after it began."""
    began = Began(about=about(**changed), severity=severity, evidence=SEEN)
    return events(began, Fired(evidence=SEEN), since=since)


def firing(since: datetime, severity: Severity = Severity.WARNING, **changed: object) -> Alert:
    """An alert that fires."""
    return replay(begun(since, severity, **changed))


def then(alert: Alert, body: Body, when: datetime) -> Alert:
    """The alert after one more event."""
    return follow(alert, Event(sequence=alert.sequence + 1, at=when, recorded_at=when, body=body))
