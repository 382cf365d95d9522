"""An alert as its events make it: `replay` folds them, `follow` adds one or refuses it with the reason.

Pure: no clock, no database. One event of the real world is one alert: what comes back soon after it was over, or
before it has settled, is the same alert once more; the more often, the longer it must stay fine.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from smartpark.alerts.events import (
    About,
    Acknowledged,
    Assigned,
    Began,
    Body,
    Cleared,
    Commented,
    Corrected,
    Event,
    Evidence,
    Fired,
    HiddenFrom,
    Labelled,
    Measured,
    Resolved,
    Retired,
    Returned,
    Settled,
    Snoozed,
    Told,
    Unacknowledged,
    Withdrawn,
    Worsened,
)
from smartpark.alerts.words import AlertState, EndedBy, Hidden, Label, PageKind, Resolution, Severity
from smartpark.errors import SmartparkError

REJOIN: Final = timedelta(minutes=15)
"""What comes back within so much time is the same event."""
SETTLE_LONGEST: Final = timedelta(hours=4)
"""However often it came back, this long fine is over."""
FLAPS_FROM: Final = 2
"""Times that it came back, from which on it flaps."""


class RefusedEventError(SmartparkError):
    """The alert cannot take this event now."""


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert at one moment."""

    about: About
    severity: Severity
    state: AlertState
    since: datetime
    """Beginning of the breach, as measured."""
    known_at: datetime
    """When it became known here."""
    last: Evidence
    last_at: datetime
    """When that was measured: how fresh what is known of it is."""
    worst: Evidence
    worst_at: datetime
    sequence: int
    """Of the newest event: its version."""
    changed_at: datetime
    """When the newest event was recorded."""
    fired_at: datetime | None = None
    cleared_at: datetime | None = None
    """Since when the condition is over; none: it holds."""
    resolved_at: datetime | None = None
    ended_by: EndedBy | None = None
    reopened: int = 0
    """How often it came back."""
    settles_at: datetime | None = None
    """When it is resolved unless it comes back; none: it is not waiting for that."""
    acknowledged_by: str | None = None
    acknowledged_at: datetime | None = None
    assignee: str | None = None
    snoozed_until: datetime | None = None
    resolution: Resolution | None = None
    label: Label | None = None
    hidden: Hidden | None = None
    hidden_by: str = ""
    told: PageKind | None = None
    """What people were told last; none: nothing."""
    told_severity: Severity | None = None
    """Severity of which they were told."""
    told_flapping: bool = False
    told_at: datetime | None = None
    """When people were told last that it fires, or fires again: from then on they have time to see to it."""
    escalation: int = 0
    """Steps of escalation that were taken."""

    @property
    def is_open(self) -> bool:
        """Whether it is pending or firing."""
        return self.state is not AlertState.RESOLVED

    @property
    def is_flapping(self) -> bool:
        """Whether it comes and goes."""
        return self.is_open and self.reopened >= FLAPS_FROM

    @property
    def holds(self) -> bool:
        """Whether the condition holds, by what is known: also of one that a person has resolved."""
        return self.cleared_at is None

    def settle(self) -> timedelta:
        """How long it must stay fine before it counts as over, by how often it came back."""
        if self.reopened < FLAPS_FROM:
            return timedelta(0)
        return min(REJOIN * 2 ** min(self.reopened - FLAPS_FROM, 16), SETTLE_LONGEST)

    def rejoins(self, since: datetime) -> bool:
        """Whether a breach that begins at `since` is this alert once more."""
        if self.fired_at is None or self.ended_by not in (None, EndedBy.CONDITION, EndedBy.PERSON):
            return False
        return self.cleared_at is not None and self.cleared_at <= since <= self.cleared_at + REJOIN + self.settle()


def replay(events: Iterable[Event]) -> Alert:
    """Alert as its events make it; `RefusedEventError` when they do not follow from each other."""
    alert: Alert | None = None
    for event in events:
        alert = follow(alert, event)
    if alert is None:
        raise RefusedEventError("an alert begins by having begun")
    return alert


def follow(alert: Alert | None, event: Event) -> Alert:
    """The alert after one more event; `RefusedEventError` says why it cannot be."""
    expected = 1 if alert is None else alert.sequence + 1
    if event.sequence != expected:
        raise RefusedEventError(f"event {event.sequence} stands at place {expected}")
    if alert is None:
        if not isinstance(event.body, Began):
            raise RefusedEventError("an alert begins by having begun")
        return _begun(event.body, event)
    after = _STEPS[type(event.body)](alert, event.body, event)
    return replace(after, sequence=event.sequence, changed_at=event.recorded_at)


def _begun(body: Began, event: Event) -> Alert:
    return Alert(
        about=body.about,
        severity=body.severity,
        state=AlertState.PENDING,
        since=event.at,
        known_at=event.recorded_at,
        last=body.evidence,
        last_at=event.at,
        worst=body.evidence,
        worst_at=event.at,
        sequence=event.sequence,
        changed_at=event.recorded_at,
    )


def _refuse_begun(alert: Alert, _body: Any, _event: Event) -> Alert:
    raise RefusedEventError(f"it has begun at {alert.since.isoformat()} already")


def _fired(alert: Alert, body: Fired, event: Event) -> Alert:
    if alert.state is not AlertState.PENDING:
        raise RefusedEventError(f"only what is pending fires; it is {alert.state}")
    return replace(alert, state=AlertState.FIRING, fired_at=event.at, last=body.evidence, last_at=event.at)


def _measured(alert: Alert, body: Measured, event: Event) -> Alert:
    _require_open(alert)
    return replace(alert, last=body.evidence, last_at=event.at, worst=body.worst, worst_at=body.worst_at)


def _worsened(alert: Alert, body: Worsened, _event: Event) -> Alert:
    _require_open(alert)
    if body.severity is alert.severity:
        raise RefusedEventError(f"it is {alert.severity} already")
    return replace(alert, severity=body.severity)


def _cleared(alert: Alert, body: Cleared, event: Event) -> Alert:
    if not alert.holds:
        raise RefusedEventError("its condition is over already")
    if event.at < alert.since:
        raise RefusedEventError("it cannot be over before it began")
    after = replace(alert, cleared_at=event.at, last=body.evidence, last_at=event.at)
    if not alert.is_open:  # resolved by a person while it held: now it may fire again
        return after
    if body.settle_s > 0:
        return replace(after, settles_at=event.at + timedelta(seconds=body.settle_s))
    return _ended(after, EndedBy.CONDITION, event.at)


def _settled(alert: Alert, _body: Settled, event: Event) -> Alert:
    _require_open(alert)
    if alert.settles_at is None or event.at < alert.settles_at:
        raise RefusedEventError("it has not settled")
    return _ended(alert, EndedBy.CONDITION, event.at)


def _returned(alert: Alert, body: Returned, event: Event) -> Alert:
    if not alert.rejoins(event.at):
        raise RefusedEventError("what comes back so late, or was never over, is no return of this alert")
    # Whoever had it in hand has it in hand again, but only what is still open stays acknowledged.
    keeps = alert.is_open
    return replace(
        alert,
        state=AlertState.FIRING,
        cleared_at=None,
        resolved_at=None,
        ended_by=None,
        settles_at=None,
        resolution=None,
        reopened=alert.reopened + 1,
        last=body.evidence,
        last_at=event.at,
        escalation=alert.escalation if keeps else 0,
        acknowledged_by=alert.acknowledged_by if keeps else None,
        acknowledged_at=alert.acknowledged_at if keeps else None,
    )


def _acknowledged(alert: Alert, _body: Acknowledged, event: Event) -> Alert:
    _require_firing(alert)
    if alert.acknowledged_by is not None:
        raise RefusedEventError(f"{alert.acknowledged_by} has acknowledged it already")
    return replace(alert, acknowledged_by=event.actor, acknowledged_at=event.at)


def _unacknowledged(alert: Alert, _body: Unacknowledged, _event: Event) -> Alert:
    _require_firing(alert)
    if alert.acknowledged_by is None:
        raise RefusedEventError("nobody has acknowledged it")
    return replace(alert, acknowledged_by=None, acknowledged_at=None)


def _assigned(alert: Alert, body: Assigned, _event: Event) -> Alert:
    _require_open(alert)
    if body.to == alert.assignee:
        raise RefusedEventError("it is theirs already" if body.to else "it is nobody's already")
    return replace(alert, assignee=body.to)


def _snoozed(alert: Alert, body: Snoozed, event: Event) -> Alert:
    _require_open(alert)
    if body.until is not None and body.until <= event.at:
        raise RefusedEventError("it can only be put off into the future")
    return replace(alert, snoozed_until=body.until)


def _resolved(alert: Alert, body: Resolved, event: Event) -> Alert:
    _require_firing(alert)
    label = Label.FALSE_ALARM if body.resolution is Resolution.FALSE_ALARM else alert.label
    return replace(_ended(alert, EndedBy.PERSON, event.at), resolution=body.resolution, label=label)


def _labelled(alert: Alert, body: Labelled, _event: Event) -> Alert:
    if alert.fired_at is None:
        raise RefusedEventError("only of what has fired can be said whether it was right")
    return replace(alert, label=body.label)


def _hidden(alert: Alert, body: HiddenFrom, _event: Event) -> Alert:
    if (body.reason, body.by) == (alert.hidden, alert.hidden_by):
        raise RefusedEventError("people are told of it as little, or as well, as before")
    return replace(alert, hidden=body.reason, hidden_by=body.by)


def _corrected(alert: Alert, body: Corrected, _event: Event) -> Alert:
    after = replace(alert, since=body.since, worst=body.worst, worst_at=body.worst_at)
    if body.cleared_at is None:
        return after
    if body.cleared_at < body.since:
        raise RefusedEventError("it cannot be over before it began")
    after = replace(after, cleared_at=body.cleared_at)
    return _ended(after, EndedBy.CONDITION, body.cleared_at) if alert.is_open else after


def _withdrawn(alert: Alert, _body: Withdrawn, event: Event) -> Alert:
    if alert.ended_by is EndedBy.CORRECTION:
        raise RefusedEventError("it is withdrawn already")
    return replace(_ended(alert, EndedBy.CORRECTION, event.recorded_at), cleared_at=alert.cleared_at or event.at)


def _retired(alert: Alert, _body: Retired, event: Event) -> Alert:
    _require_open(alert)
    return _ended(alert, EndedBy.RULE, event.recorded_at)


def _told(alert: Alert, body: Told, event: Event) -> Alert:
    return replace(
        alert,
        told_at=event.at if body.kind in (PageKind.FIRED, PageKind.AGAIN) else alert.told_at,
        told=body.kind,
        told_severity=alert.severity,
        told_flapping=alert.told_flapping or body.kind is PageKind.FLAPPING,
        escalation=max(alert.escalation, body.step),
    )


def _as_it_was(alert: Alert, _body: Any, _event: Event) -> Alert:
    return alert


def _ended(alert: Alert, by: EndedBy, at: datetime) -> Alert:
    return replace(alert, state=AlertState.RESOLVED, resolved_at=at, ended_by=by, settles_at=None, snoozed_until=None)


def _require_open(alert: Alert) -> None:
    if not alert.is_open:
        raise RefusedEventError("it is resolved")


def _require_firing(alert: Alert) -> None:
    if alert.state is not AlertState.FIRING:
        raise RefusedEventError(f"only what fires can be dealt with; it is {alert.state}")


_STEPS: Final[dict[type[Body], Callable[[Alert, Any, Event], Alert]]] = {
    Began: _refuse_begun,
    Fired: _fired,
    Measured: _measured,
    Worsened: _worsened,
    Cleared: _cleared,
    Settled: _settled,
    Returned: _returned,
    Acknowledged: _acknowledged,
    Unacknowledged: _unacknowledged,
    Assigned: _assigned,
    Snoozed: _snoozed,
    Commented: _as_it_was,
    Resolved: _resolved,
    Labelled: _labelled,
    HiddenFrom: _hidden,
    Corrected: _corrected,
    Withdrawn: _withdrawn,
    Retired: _retired,
    Told: _told,
}
