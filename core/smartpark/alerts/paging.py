"""Whether people are to be told of an alert now, and why not: asked of what the alert is, not of what just happened.

So a restart, a repeated evaluation or a lost moment changes nothing: what is due and not on record as told is told,
once. To whom and by which way is another question (routes); nothing here sends anything. Pure.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from smartpark.alerts.detectors import Silent, Stale
from smartpark.alerts.life import Alert
from smartpark.alerts.objects import ObjectKind, ObjectRef
from smartpark.alerts.rules import Rule
from smartpark.alerts.silences import Silence, covers, saw_all_of
from smartpark.alerts.words import AlertState, Cause, EndedBy, Hidden, PageKind
from smartpark.workdays import WorkdayCalendar

OLD_SILENCE: Final = timedelta(days=1)
"""What had been silent for longer when that became known wakes nobody: points of an old history, not of today."""


class Page(NamedTuple):
    """Something to tell."""

    kind: PageKind
    step: int = 0
    """Of an escalation."""


class Why(NamedTuple):
    """Why an alert is hidden, and by what."""

    reason: Hidden
    by: str = ""


def hidden_now(
    alert: Alert,
    rule: Rule,
    now: datetime,
    *,
    parents: Iterable[tuple[str, Alert]],
    silences: Iterable[Silence],
    calendar: WorkdayCalendar,
) -> Why | None:
    """Why people are not told of an alert at this moment; none: they are.

    Parameters
    ----------
    parents : iterable of (str, Alert)
        Open alerts, with their names, that may hide others (see `may_hide`).
    silences : iterable of Silence
        All that may be in force, or were shortly ago: readings of a span may come behind it.
    """
    for name, parent in parents:
        if may_hide(parent) and _belongs_to(alert, parent):
            return Why(Hidden.PARENT, name)
    for silence in silences:
        if covers(silence, alert, now) or saw_all_of(silence, alert):
            return Why(silence.hides, str(silence.silence_id))
    if _is_old_news(alert, rule, now):
        return Why(Hidden.LATE)
    if not rule.schedule.is_open(now, calendar):
        return Why(Hidden.SCHEDULE)
    return None


def _is_old_news(alert: Alert, rule: Rule, now: datetime) -> bool:
    if alert.holds and alert.told is not None:
        return False  # people have been told, and wait to hear more
    if alert.holds and isinstance(rule.detector, Stale | Silent):
        # No reading shows silence, and it is of now however long it has lasted; only what was found so is not news.
        return alert.known_at - alert.last_at > max(OLD_SILENCE, timedelta(seconds=rule.late_after_s))
    return now - alert.last_at > timedelta(seconds=rule.late_after_s)


def may_hide(alert: Alert) -> bool:
    """Whether an alert may hide others: an edge that is away explains why its points say nothing."""
    return (
        alert.state is AlertState.FIRING
        and alert.holds
        and alert.about.cause is Cause.NO_DATA
        and ObjectRef.parse(alert.about.object).kind is ObjectKind.EDGE
    )


def _belongs_to(alert: Alert, parent: Alert) -> bool:
    return (
        alert.about.edge is not None
        and alert.about.cause is Cause.NO_DATA
        and str(ObjectRef(ObjectKind.EDGE, alert.about.edge)) == parent.about.object
        and alert.about.object != parent.about.object
    )


def due_page(alert: Alert, now: datetime, *, escalates_after: Iterable[timedelta] = ()) -> Page | None:
    """What people are to be told of an alert now; none: nothing, or they have been told.

    Parameters
    ----------
    alert : Alert
        As it is, `hidden` brought up to date by `hidden_now`.
    now : datetime
    escalates_after : iterable of timedelta
        Steps of its route, each counted from the moment people were told that it fires.
    """
    if alert.state is AlertState.RESOLVED:
        return _end(alert)
    if alert.state is AlertState.PENDING or alert.hidden is not None:
        return None
    if alert.snoozed_until is not None and now < alert.snoozed_until:
        return None
    return _news(alert) or _escalation(alert, now, tuple(escalates_after))


def _end(alert: Alert) -> Page | None:
    if alert.told is None:
        is_news = alert.fired_at is not None and alert.ended_by is EndedBy.CONDITION and alert.hidden is None
        return Page(PageKind.PASSED) if is_news else None
    return Page(PageKind.RESOLVED) if alert.told not in (PageKind.RESOLVED, PageKind.PASSED) else None


def _news(alert: Alert) -> Page | None:
    if alert.told is None:
        return Page(PageKind.FIRED) if alert.holds else None
    if alert.is_flapping and not alert.told_flapping:
        return Page(PageKind.FLAPPING)
    if alert.told in (PageKind.RESOLVED, PageKind.PASSED):
        return Page(PageKind.AGAIN)
    if alert.told_severity is not None and alert.severity.rank > alert.told_severity.rank:
        return Page(PageKind.WORSE)
    return None


def _escalation(alert: Alert, now: datetime, steps: tuple[timedelta, ...]) -> Page | None:
    if alert.acknowledged_by is not None or not alert.holds or alert.told_at is None:
        return None
    due = sum(now - alert.told_at >= after for after in steps)
    return Page(PageKind.ESCALATED, due) if due > alert.escalation else None
