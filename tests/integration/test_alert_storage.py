"""Alerts in the database: what was told of readings, events and the row they make, and what is to be told, once."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from smartpark.alerts.events import (
    About,
    Acknowledged,
    Began,
    Body,
    Cleared,
    Event,
    Evidence,
    Fired,
    Measured,
    Resolved,
    Withdrawn,
)
from smartpark.alerts.life import Alert, follow, replay
from smartpark.alerts.rules import Rule
from smartpark.alerts.words import Cause, Resolution, Severity
from smartpark_storage import Connection, connect, load_catalogue
from smartpark_storage.alerts import (
    append_events,
    begin_alert,
    put_rules,
    read_alert,
    read_events,
)
from storage_cases import park

NOW = datetime(2026, 11, 23, 2, tzinfo=UTC)


@pytest.fixture(scope="module")
def alerts_dsn(shared_database_dsn: str) -> str:
    with connect(shared_database_dsn, application="test") as connection:
        load_catalogue(connection, park(), source="test", loaded_by="test", at=NOW)
        put_rules(connection, [RULE], by="test", at=NOW)
    return shared_database_dsn


@pytest.fixture
def connection(alerts_dsn: str):
    with connect(alerts_dsn, application="test") as opened:
        yield opened


RULE = Rule.model_validate(
    {
        "code": "too-much",
        "name": "过多",
        "name_en": "Too much",
        "why": "for tests",
        "severity": "warning",
        "cause": "demand",
        "detector": {"kind": "limit", "above": 10.0},
    }
)


def about(name: str, **changes):
    given = {"park": "hill", "rule": RULE.code, "rule_version": 1, "object": f"point:hill/M0/{name}"}
    return About(**(given | {"cause": Cause.DEMAND, "device": "hill/M0"} | changes))


def told(*bodies: Body, at: datetime = NOW, first: int = 1):
    return [
        Event(
            sequence=first + n, at=at + n * timedelta(minutes=1), recorded_at=at + n * timedelta(minutes=1), body=body
        )
        for n, body in enumerate(bodies)
    ]


def begun(name: str, *more: Body, at: datetime = NOW, **changes):
    evidence = Evidence(value=12.5, limit=10.0, unit="kW")
    return told(Began(about=about(name, **changes), severity=Severity.WARNING, evidence=evidence), *more, at=at)


def test_an_alert_on_record_is_what_its_events_make_of_it(connection: Connection):
    events = begun("replay", Fired(evidence=Evidence(value=13.25, unit="kW")), Acknowledged())
    number, is_written = begin_alert(connection, events, replay(events))
    assert is_written
    assert read_events(connection, number) == tuple(events)
    assert read_alert(connection, number).alert == replay(events)
    more = told(Cleared(evidence=Evidence(value=None)), first=4, at=NOW + timedelta(hours=1))
    alert = follow(replay(events), more[0])
    append_events(connection, number, more, alert)
    stored = read_alert(connection, number)
    assert stored.alert == replay([*events, *more])
    assert stored.group_key == "demand@device:hill/M0"
    assert stored.change > 0
