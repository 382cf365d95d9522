"""Alerts of the park `testpark` in a database, as a worker and people would have left them, for tests of the inbox.

The moment is `NOON`. Stories are told through storage's own functions; nothing here evaluates a rule or speaks SQL.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from fix_api import NOON
from smartpark.alerts.events import About, Began, Body, Event, Evidence, Fired
from smartpark.alerts.life import replay
from smartpark.alerts.rules import Rule
from smartpark.alerts.words import Cause, Severity
from smartpark_storage import connect
from smartpark_storage.alerts import append_events, begin_alert, put_rules, read_events

MINUTE: Final = timedelta(minutes=1)
POWER: Final = "point:testpark/M0/active_power"
DEMAND: Final = Rule.model_validate(
    {
        "code": "demand-high",
        "name": "需量偏高",
        "name_en": "Demand is high",
        "why": "The contract of the park; above it every kilowatt costs twice.",
        "advice": "错峰或压减可调负荷。",
        "advice_en": "Shift or shed what can wait.",
        "severity": "critical",
        "cause": "demand",
        "scope": {"parks": ["testpark"], "measurands": ["active_power"]},
        "detector": {"kind": "limit", "above": 500.0, "clear_above": 480.0},
        "for_s": 300,
    }
)
STALE: Final = Rule.model_validate(
    {
        "code": "meter-silent",
        "name": "表计无数据",
        "name_en": "Meter says nothing",
        "why": "What is not read is not known.",
        "severity": "warning",
        "cause": "no_data",
        "detector": {"kind": "stale", "after_s": 600.0},
    }
)
SILENT: Final = Rule.model_validate(
    {
        "code": "agent-away",
        "name": "采集代理失联",
        "name_en": "Agent is away",
        "why": "Without the agent nothing is read.",
        "severity": "warning",
        "cause": "no_data",
        "source": "edge",
        "detector": {"kind": "silent", "after_s": 120.0},
    }
)
RULES: Final = (DEMAND, STALE, SILENT)


@dataclass
class InboxHand:
    """Puts alerts into one database."""

    dsn: str
    numbers: list[int] = field(default_factory=list[int])

    def rules(self, *rules: Rule) -> None:
        """Write rules."""
        with connect(self.dsn, application="test") as connection:
            put_rules(connection, rules or RULES, by="test", at=NOON - timedelta(days=30))
            connection.commit()

    def fires(
        self,
        subject: str = POWER,
        *more: Body,
        rule: Rule = DEMAND,
        since: datetime = NOON - 20 * MINUTE,
        park: str = "testpark",
        device: str | None = "testpark/M0",
        edge: str | None = "edge-a",
        value: float | None = 523.5,
        limit: float | None = 500.0,
        unit: str = "kW",
        severity: Severity | None = None,
        is_pending: bool = False,
    ) -> int:
        """An alert that began some time ago and fired five minutes later, and what happened then, a minute each."""
        about = About(
            park=park,
            rule=rule.code,
            rule_version=1,
            object=subject,
            cause=Cause(rule.cause),
            device=device,
            edge=edge,
        )
        shown = Evidence(value=value, limit=limit, unit=unit)
        began = Began(about=about, severity=severity or rule.severity, evidence=shown)
        bodies = [began] if is_pending else [began, Fired(evidence=shown), *more]
        moments = [since, *(since + (5 + n) * MINUTE for n in range(len(bodies) - 1))]
        events = [_event(n + 1, body, at) for n, (body, at) in enumerate(zip(bodies, moments, strict=True))]
        with connect(self.dsn, application="test") as connection:
            number = begin_alert(connection, events, replay(events)).alert_id
            connection.commit()
        self.numbers.append(number)
        return number

    def happens(self, number: int, *bodies: Body, at: datetime = NOON, actor: str = "system") -> None:
        """Something more."""
        with connect(self.dsn, application="test") as connection:
            events = read_events(connection, number)
            added = [_event(len(events) + n + 1, body, at, actor) for n, body in enumerate(bodies)]
            append_events(connection, number, added, replay([*events, *added]))
            connection.commit()

    def events(self, number: int) -> Sequence[Event]:
        """What is on record of one."""
        with connect(self.dsn, application="test") as connection:
            return read_events(connection, number)

    def types(self, number: int) -> list[str]:
        """The same by type."""
        return [event.body.type for event in self.events(number)]


def _event(sequence: int, body: Body, at: datetime, actor: str = "system") -> Event:
    given: dict[str, Any] = {"sequence": sequence, "at": at, "recorded_at": at, "actor": actor, "body": body}
    return Event.model_validate(given)
