"""Alerts, contacts and routes for tests about telling people."""

import threading
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from fix_ingest import as_ingest, fetch, load_park
from fix_mail import MailServerOfTest
from smartpark.alerts.events import About, Began, Body, Event, Evidence, Fired
from smartpark.alerts.life import Alert, follow, replay
from smartpark.alerts.paging import Page, due_page
from smartpark.alerts.routes import parse_routes
from smartpark.alerts.rules import Rule
from smartpark.alerts.words import Cause, PageKind, Severity
from smartpark.clock import PARK_ZONE
from smartpark.workdays import builtin_workdays
from smartpark_ingest.alerting.notify.channels import Ways
from smartpark_ingest.alerting.notify.facts import Due
from smartpark_ingest.alerting.notify.keeping import directory_of, put_file
from smartpark_ingest.alerting.notify.planning import Planned, plan_pages
from smartpark_ingest.alerting.notify.sending import Sender
from smartpark_ingest.mail import MailServer
from smartpark_storage import Connection, connect, transaction
from smartpark_storage.alerts import append_events, begin_alert, put_rules, read_alert, read_current

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


def due(number: int, alert: Alert, kind: PageKind = PageKind.FIRED, step: int = 0) -> Due:
    """An alert of which people are to be told."""
    return Due(number, alert, Page(kind, step), RULE)


SIGNS = "a secret of sixteen signs or more"


class Desk:
    """A park whose people are told of alerts: what is to be told is planned and sent as at a moment."""

    def __init__(self, dsn: str, folder: Path) -> None:
        self.dsn, self.folder = dsn, folder
        self.ways = Ways(secrets=folder, console="https://park.example.org")
        load_park(dsn)
        with connect(dsn, application="test") as connection:
            put_rules(connection, [RULE], by="test", at=at("00:00"))

    def keep(self, name: str, *lines: str) -> None:
        """A secret file."""
        path = self.folder / name
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        path.chmod(0o600)

    def mail(self, server: MailServerOfTest) -> None:
        """Mail leaves by a server of tests."""
        self.ways = replace(self.ways, mail=MailServer.from_environment(server.environment))

    def load(self, contacts: list[dict[str, object]], routes: list[dict[str, object]]) -> None:
        """Contacts and routes."""
        named = [{"name": one["code"], "address": one["code"]} | one for one in contacts]
        coded = [{"code": f"r{n}"} | one for n, one in enumerate(routes)]
        with connect(self.dsn, application="test") as connection:
            put_file(connection, parse_routes({"contact": named, "route": coded}, file="t"), replaces=True, name="t")

    def fire(self, when: str = "09:59", severity: Severity = Severity.WARNING, **changed: object) -> int:
        """An alert on record that fires a minute later."""
        told = begun(at(when), severity, **changed)
        with connect(as_ingest(self.dsn), application="test") as connection:
            return begin_alert(connection, told, replay(told)).alert_id

    def happens(self, number: int, body: Body, when: str) -> None:
        """One more event of an alert on record."""
        with connect(as_ingest(self.dsn), application="test") as connection:
            self._append(connection, number, body, at(when))

    def _append(self, connection: Connection, number: int, body: Body, when: datetime) -> None:
        alert = read_alert(connection, number).alert
        event = Event(sequence=alert.sequence + 1, at=when, recorded_at=when, body=body)
        append_events(connection, number, [event], follow(alert, event))

    def plan(self, when: str) -> Planned:
        """What is due at a moment, planned and noted in one transaction, as whoever evaluates does it."""
        now = at(when)
        with connect(as_ingest(self.dsn), application="test") as connection, transaction(connection):
            directory = directory_of(connection, builtin_workdays())
            stored = read_current(connection, ended_after=now - timedelta(days=1))
            pages = (
                (one, due_page(one.alert, now, escalates_after=directory.escalates_after(one.alert, now)))
                for one in stored
            )
            dues = [Due(one.alert_id, one.alert, page, RULE) for one, page in pages if page is not None]
            planned = plan_pages(connection, directory, dues, now)
            for number, told in planned.told:
                self._append(connection, number, told, now)
        return planned

    def send(self, when: str) -> Sender:
        """Send what is due at a moment and may be sent then."""
        sender = Sender(as_ingest(self.dsn), self.ways, threading.Event(), clock=lambda: at(when))
        sender.send_due()
        return sender

    def lines(self) -> list[tuple[str, str, int, bool, bool, str]]:
        """Contact, kind, attempts, whether sent, whether given up, error, in the order of planning."""
        return fetch(
            self.dsn,
            "SELECT contact, kind, attempts, sent_at IS NOT NULL, given_up_at IS NOT NULL, error"
            " FROM smartpark.alert_intent ORDER BY intent_id",
        )
