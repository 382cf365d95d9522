"""Alerts with their events for tests of what keeps and shows them; nothing here opens a server."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from smartpark.alerts.events import About, Began, Body, Event, Evidence, Fired
from smartpark.alerts.life import replay
from smartpark.alerts.rules import Rule
from smartpark.alerts.words import Cause, Severity
from smartpark_storage.alerts import AlertWrite

NOW = datetime(2026, 11, 23, 2, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


def rule(code: str = "too-much", **changes: Any) -> Rule:
    """A rule about points above a limit."""
    given = {
        "code": code,
        "name": "过多",
        "name_en": "Too much",
        "why": "for tests",
        "severity": "warning",
        "cause": "demand",
        "detector": {"kind": "limit", "above": 10.0},
    }
    return Rule.model_validate(given | changes)


def told(*bodies: Body, at: datetime = NOW, first: int = 1, actor: str = "system") -> tuple[Event, ...]:
    """Events a minute after each other."""
    return tuple(
        Event(sequence=first + n, at=at + n * MINUTE, recorded_at=at + n * MINUTE, actor=actor, body=body)
        for n, body in enumerate(bodies)
    )


def shows(value: float | None) -> Evidence:
    """What was measured, in kW against ten."""
    return Evidence(value=value, limit=10.0, unit="kW")


def begun(
    subject: str, *more: Body, at: datetime = NOW, severity: Severity = Severity.WARNING, **changes: Any
) -> tuple[Event, ...]:
    """Events of an alert about a point of a device, from its first on."""
    given = {
        "park": "hill",
        "rule": "too-much",
        "rule_version": 1,
        "object": f"point:hill/M0/{subject}",
        "cause": Cause.DEMAND,
        "device": "hill/M0",
    }
    first = Began(about=About.model_validate(given | changes), severity=severity, evidence=shows(12.5))
    return told(first, *more, at=at)


def fired(subject: str, *more: Body, **changes: Any) -> tuple[Event, ...]:
    """Events of an alert that fires."""
    return begun(subject, Fired(evidence=shows(13.25)), *more, **changes)


def new(events: Sequence[Event]) -> AlertWrite:
    """To be written as an alert of its own."""
    return AlertWrite(None, tuple(events), replay(events))


def more(alert_id: int, events: Sequence[Event], *bodies: Body, at: datetime, actor: str = "system") -> AlertWrite:
    """To be added to what has these events."""
    added = told(*bodies, at=at, first=len(events) + 1, actor=actor)
    return AlertWrite(alert_id, added, replay([*events, *added]))
