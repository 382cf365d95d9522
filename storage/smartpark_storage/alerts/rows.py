"""Alerts as rows: what one may ask for, how a row becomes core's `Alert` and the way back; nothing here asks."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

from smartpark.alerts.events import About, Event, Evidence
from smartpark.alerts.life import Alert
from smartpark.alerts.objects import ObjectRef, group_key
from smartpark.alerts.words import AlertState, Cause, EndedBy, Hidden, Label, PageKind, Resolution, Severity
from smartpark.errors import SmartparkError


class StaleAlertError(SmartparkError):
    """Somebody else was faster: the alert has newer events."""

    def __init__(self, alert_id: int, *, expected: int, found: int) -> None:
        super().__init__(f"alert {alert_id} is at event {found}, not at {expected}: read its newer events first")
        self.alert_id = alert_id
        self.expected = expected
        """Sequence that the writer had read."""
        self.found = found
        """Sequence on record."""


class UnknownAlertError(SmartparkError):
    """There is no such alert."""


class OpenAlertError(SmartparkError):
    """Of its rule and object there is an open alert already, which began at another moment."""


@dataclass(frozen=True, slots=True)
class StoredAlert:
    """An alert on record."""

    alert_id: int
    group_key: str
    change: int
    """Place of its newest change among those of all alerts; 0: not committed yet."""
    alert: Alert


class AlertWrite(NamedTuple):
    """Events of one alert, and what they make of it."""

    alert_id: int | None
    """None: a new one, whose events begin with its first."""
    events: tuple[Event, ...]
    alert: Alert
    """After the last one."""


class Written(NamedTuple):
    """What became of a write."""

    alert_id: int
    is_written: bool
    """False: this alert is on record already, and was left as it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertFilter:
    """Which alerts; what is none is not asked."""

    park: str | None = None
    parks: tuple[str, ...] | None = None
    states: tuple[AlertState, ...] | None = None
    severities: tuple[Severity, ...] | None = None
    causes: tuple[Cause, ...] | None = None
    rule: str | None = None
    object: str | None = None
    device: str | None = None
    """``park/code``."""
    edge: str | None = None
    group_key: str | None = None
    since: datetime | None = None
    """That began then or later."""
    until: datetime | None = None
    """That began before."""
    assignee: str | None = None
    is_acknowledged: bool | None = None
    is_hidden: bool | None = None
    has_fired: bool | None = None
    label: Label | None = None
    text: str | None = None
    """Part of the object, the rule's code, the edge or the assignee; case does not matter."""


NO_FILTER: Final = AlertFilter()
"""All alerts."""
OPEN: Final = (AlertState.PENDING, AlertState.FIRING)


class Below(NamedTuple):
    """Last alert of a page, below which the next one begins."""

    since: datetime
    alert_id: int


def place_of(stored: StoredAlert) -> Below:
    """Where the page after this alert begins."""
    return Below(stored.alert.since, stored.alert_id)


def group_of(alert: Alert) -> str:
    """Alerts of one group are one matter."""
    about = alert.about
    return group_key(ObjectRef.parse(about.object), device=about.device, cause=about.cause)


def columns_of(alert: Alert) -> dict[str, Any]:
    """Columns of an alert, as JSON says them."""
    about = alert.about
    return {
        "group_key": group_of(alert),
        "park": about.park,
        "rule": about.rule,
        "rule_version": about.rule_version,
        "object": about.object,
        "cause": about.cause,
        "device": about.device,
        "edge": about.edge,
        "severity": alert.severity,
        "state": alert.state,
        "since": alert.since.isoformat(),
        "known_at": alert.known_at.isoformat(),
        "last_value": alert.last.value,
        "limit_value": alert.last.limit,
        "unit": alert.last.unit,
        "last_at": alert.last_at.isoformat(),
        "worst": alert.worst.value,
        "worst_limit": alert.worst.limit,
        "worst_unit": alert.worst.unit,
        "worst_at": alert.worst_at.isoformat(),
        "sequence": alert.sequence,
        "changed_at": alert.changed_at.isoformat(),
        "fired_at": _moment(alert.fired_at),
        "cleared_at": _moment(alert.cleared_at),
        "resolved_at": _moment(alert.resolved_at),
        "ended_by": alert.ended_by,
        "reopened": alert.reopened,
        "is_flapping": alert.is_flapping,
        "settles_at": _moment(alert.settles_at),
        "acknowledged_by": alert.acknowledged_by,
        "acknowledged_at": _moment(alert.acknowledged_at),
        "assignee": alert.assignee,
        "snoozed_until": _moment(alert.snoozed_until),
        "resolution": alert.resolution,
        "label": alert.label,
        "hidden": alert.hidden,
        "hidden_by": alert.hidden_by,
        "told": alert.told,
        "told_severity": alert.told_severity,
        "told_flapping": alert.told_flapping,
        "told_at": _moment(alert.told_at),
        "escalation": alert.escalation,
    }


def _moment(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


def stored_alert(row: tuple[Any, ...]) -> StoredAlert:
    """Alert of the columns of the statement `alert_columns`."""
    alert_id, group, change, park, rule, version, subject, cause, device, edge, severity, state = row[:12]
    since, known_at, last, limit, unit, last_at, worst, worst_limit, worst_unit, worst_at, sequence, changed_at = row[
        12:24
    ]
    fired_at, cleared_at, resolved_at, ended_by, reopened, settles_at, by, by_at, assignee, snoozed_until = row[24:34]
    resolution, label, hidden, hidden_by, told, told_severity, told_flapping, told_at, escalation = row[34:]
    about = About(
        park=park,
        rule=rule,
        rule_version=version,
        object=subject,
        cause=Cause(cause),
        device=device,
        edge=edge,
    )
    alert = Alert(
        about=about,
        severity=Severity(severity),
        state=AlertState(state),
        since=since,
        known_at=known_at,
        last=Evidence(value=last, limit=limit, unit=unit),
        last_at=last_at,
        worst=Evidence(value=worst, limit=worst_limit, unit=worst_unit),
        worst_at=worst_at,
        sequence=sequence,
        changed_at=changed_at,
        fired_at=fired_at,
        cleared_at=cleared_at,
        resolved_at=resolved_at,
        ended_by=None if ended_by is None else EndedBy(ended_by),
        reopened=reopened,
        settles_at=settles_at,
        acknowledged_by=by,
        acknowledged_at=by_at,
        assignee=assignee,
        snoozed_until=snoozed_until,
        resolution=None if resolution is None else Resolution(resolution),
        label=None if label is None else Label(label),
        hidden=None if hidden is None else Hidden(hidden),
        hidden_by=hidden_by,
        told=None if told is None else PageKind(told),
        told_severity=None if told_severity is None else Severity(told_severity),
        told_flapping=told_flapping,
        told_at=told_at,
        escalation=escalation,
    )
    return StoredAlert(alert_id, group, change, alert)
