"""What people do about alerts: an event is added in view of a version, when core lets it happen; nothing is decided.

An alert gets events all the time that change nothing somebody decides upon: what it shows now, what was told, what
others said. They make no version stale; whatever else happened meanwhile does. Pages and routes call this directly.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from pydantic import ValidationError
from smartpark.alerts.events import (
    Acknowledged,
    Assigned,
    Body,
    Commented,
    Event,
    HiddenFrom,
    Labelled,
    Measured,
    Resolved,
    Snoozed,
    Told,
    Unacknowledged,
)
from smartpark.alerts.life import Alert, RefusedEventError, follow
from smartpark.alerts.rules import Rule
from smartpark.alerts.words import Label, Resolution
from smartpark_storage.alerts import (
    Intent,
    StaleAlertError,
    StoredAlert,
    append_events,
    read_alert,
    read_events,
    read_intents,
    read_rules,
    rule_history,
)
from smartpark_storage.connections import Connection
from smartpark_storage.load_requests import read_persons

QUIET: Final = (Measured, Told, HiddenFrom, Commented)
"""Events that make nobody's decision stale."""
DEEDS: Final[Mapping[str, Body]] = {
    "acknowledge": Acknowledged(),
    "unacknowledge": Unacknowledged(),
    "assign": Assigned(to="somebody"),
    "snooze": Snoozed(until=None),
    "resolve": Resolved(resolution=Resolution.OTHER),
    "label": Labelled(label=Label.TRUE_ALARM),
    "comment": Commented(text="."),
}
"""What people may do, each by an event that asks whether it is possible."""
LONGEST_SNOOZE: Final = timedelta(days=7)
"""Whoever puts it off for longer wants a silence or another rule."""


@dataclass(frozen=True, slots=True)
class AlertView:
    """All there is to say about one alert."""

    stored: StoredAlert
    events: tuple[Event, ...]
    rule: Rule
    """As it was when the alert began."""
    intents: tuple[Intent, ...]
    """The oldest first."""

    @property
    def alert(self) -> Alert:
        """Where it stands."""
        return self.stored.alert

    @property
    def possible(self) -> tuple[str, ...]:
        """What people may do about it now."""
        return possible(self.alert)


def view(connection: Connection, number: int) -> AlertView:
    """One alert; `UnknownAlertError` when there is none."""
    stored = read_alert(connection, number)
    about = stored.alert.about
    versions = rule_history(connection, about.rule)
    rule = next(one.rule for one in versions if one.version == about.rule_version)
    return AlertView(
        stored,
        read_events(connection, number),
        rule,
        tuple(reversed(read_intents(connection, alert_id=number))),
    )


def known_rules(connection: Connection) -> dict[str, Rule]:
    """Newest version of each rule, by code."""
    return {one.rule.code: one.rule for one in read_rules(connection)}


def possible(alert: Alert) -> tuple[str, ...]:
    """Names of what people may do about it now."""
    return tuple(name for name, body in DEEDS.items() if _may(alert, body))


def _may(alert: Alert, body: Body) -> bool:
    at = alert.changed_at
    try:
        follow(alert, Event(sequence=alert.sequence + 1, at=at, recorded_at=at, actor="somebody", body=body))
    except RefusedEventError:
        return False
    return True


def act(
    connection: Connection, number: int, body: Body, *, actor: str, now: datetime, expected: int | None
) -> StoredAlert:
    """Let somebody do something about an alert.

    Parameters
    ----------
    expected : int or None
        Version that whoever acts has seen; None: whatever it is now.

    Raises
    ------
    smartpark_storage.alerts.StaleAlertError
        When something happened meanwhile that they ought to know.
    smartpark_storage.alerts.UnknownAlertError
        When there is no such alert.
    smartpark.alerts.life.RefusedEventError
        When the alert cannot take it now.
    """
    stored = read_alert(connection, number, for_update=True)
    if expected is not None and expected != stored.alert.sequence:
        _check_seen(stored, read_events(connection, number), expected)
    _check_words(connection, stored.alert, body, now)
    event = _event(stored.alert.sequence + 1, body, actor, now)
    append_events(connection, number, [event], follow(stored.alert, event))
    return read_alert(connection, number)


def newer_than(events: Sequence[Event], expected: int) -> list[Event]:
    """What happened since a version and is worth knowing before one decides."""
    return [event for event in events if event.sequence > expected and not isinstance(event.body, QUIET)]


def _check_seen(stored: StoredAlert, events: Sequence[Event], expected: int) -> None:
    found = stored.alert.sequence
    if expected > found or newer_than(events, expected):
        raise StaleAlertError(stored.alert_id, expected=expected, found=found)


def _check_words(connection: Connection, alert: Alert, body: Body, now: datetime) -> None:
    """What a body names has to exist, and what it asks has to be within reason."""
    match body:
        case Assigned(to=str() as person) if not read_persons(connection, code=person, is_active=True):
            raise RefusedEventError(f"there is no active person {person}")
        case Snoozed(until=None) if alert.snoozed_until is None:
            raise RefusedEventError("it is not put off")
        case Snoozed(until=datetime() as until) if until > now + LONGEST_SNOOZE:
            raise RefusedEventError(f"it can be put off by {LONGEST_SNOOZE.days} days at most; for longer silence it")
        case Labelled(label=label) if label is alert.label:
            raise RefusedEventError("that is what has been said of it already")
        case _:
            pass


def _event(sequence: int, body: Body, actor: str, now: datetime) -> Event:
    try:
        return Event(sequence=sequence, at=now, recorded_at=now, actor=actor, body=body)
    except ValidationError as error:
        raise RefusedEventError("; ".join(str(finding["msg"]) for finding in error.errors())) from None
