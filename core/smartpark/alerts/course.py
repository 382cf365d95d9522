"""What an alert has to take note of when its rule has been evaluated: from spans that were found to events.

An evaluation may be repeated, cut otherwise, or come after a restart: what is on record already makes no event. Each
function gives bodies with their moments; whoever keeps alerts numbers and stores them. Pure.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from smartpark.alerts.events import (
    About,
    Began,
    Body,
    Cleared,
    Corrected,
    Evidence,
    Fired,
    Measured,
    Returned,
    Settled,
    Withdrawn,
)
from smartpark.alerts.life import Alert
from smartpark.alerts.words import AlertState, EndedBy, Severity

MEASURED_EVERY: Final = timedelta(minutes=5)
"""What a firing alert shows is recorded so often: enough to see that it holds, not a second copy of readings."""


@dataclass(frozen=True, slots=True)
class Episode:
    """A span in which the condition of a rule held for an object, as far as it is known."""

    since: datetime
    fired_at: datetime | None
    """When it had lasted long enough; none: it has not."""
    cleared_at: datetime | None
    """Since when it is over; none: it holds."""
    last: Evidence
    last_at: datetime
    worst: Evidence
    worst_at: datetime


class Step(NamedTuple):
    """An event to be: what, and when it happened."""

    at: datetime
    body: Body


@dataclass(frozen=True, slots=True)
class Course:
    """What is to be recorded."""

    is_new: bool = False
    """For an alert of its own, not for the one that was given."""
    steps: tuple[Step, ...] = ()
    is_forgotten: bool = False
    """A pending alert that never came to anything: nobody was told, and nothing of it is kept."""


NOTHING = Course()


def proceed(alert: Alert | None, episode: Episode, about: About, severity: Severity) -> Course:
    """What news of an episode means for the newest alert of its rule and object.

    Parameters
    ----------
    alert : Alert or None
        The newest one on record, resolved or not.
    episode : Episode
        The newest one found, live: it is not over before what is on record began.
    about, severity
        For an alert of its own, if it comes to that.

    Returns
    -------
    Course
        Nothing, when everything about it is on record.
    """
    if alert is not None and alert.ended_by is EndedBy.RULE and alert.holds:
        return _begin(None, _watched_anew(episode, alert), about, severity)
    if alert is None or not _concerns(alert, episode):
        return _begin(alert, episode, about, severity)
    if alert.state is AlertState.PENDING:
        return _out_of_pending(alert, episode)
    return Course(steps=tuple(_on(alert, episode)))


def _concerns(alert: Alert, episode: Episode) -> bool:
    """Whether an episode is the one that the alert tells of now."""
    return alert.cleared_at is None or episode.since < alert.cleared_at


def _watched_anew(episode: Episode, alert: Alert) -> Episode:
    """What holds since before its rule was retired begins, for the rule that is back, when that was."""
    ended = alert.resolved_at or alert.changed_at
    since = max(episode.since, ended)
    return replace(
        episode,
        since=since,
        fired_at=None if episode.fired_at is None else max(episode.fired_at, since),
        cleared_at=None if episode.cleared_at is None else max(episode.cleared_at, since),
    )


def _begin(alert: Alert | None, episode: Episode, about: About, severity: Severity) -> Course:
    comes_back = alert is not None and alert.rejoins(episode.since)
    if episode.fired_at is None:
        # Whether a new one or an old one once more is told when it fires.
        if comes_back or (alert is not None and alert.is_open) or episode.cleared_at is not None:
            return NOTHING
        return Course(True, (Step(episode.since, Began(about=about, severity=severity, evidence=episode.last)),))
    if comes_back and alert is not None:
        steps = [Step(episode.since, Returned(evidence=episode.last)), *_measure(episode, episode.since)]
        if episode.cleared_at is not None:
            settle = _settle_after_return(alert)
            steps += _at_worst(alert, episode)
            steps.append(Step(episode.cleared_at, Cleared(evidence=episode.last, settle_s=settle)))
        return Course(steps=tuple(steps))
    began = Step(episode.since, Began(about=about, severity=severity, evidence=episode.worst))
    return Course(True, (began, *_fire(episode), *_clear(episode, 0.0)))


def _out_of_pending(alert: Alert, episode: Episode) -> Course:
    if episode.fired_at is not None:
        end = _clear(episode, alert.settle().total_seconds())
        return Course(steps=(*_fire(episode), *(_at_worst(alert, episode) if end else ()), *end))
    return Course(is_forgotten=True) if episode.cleared_at is not None else NOTHING


def _on(alert: Alert, episode: Episode) -> Sequence[Step]:
    """Steps of an alert that has fired and whose condition holds by the record."""
    if alert.cleared_at is not None:
        return ()
    if episode.cleared_at is not None:
        end = _clear(episode, alert.settle().total_seconds() if alert.is_open else 0.0)
        return (*_at_worst(alert, episode), *end) if alert.is_open else end
    return _measure(episode, alert.last_at) if alert.is_open else ()


def _fire(episode: Episode) -> tuple[Step, ...]:
    if episode.fired_at is None:
        return ()
    return (Step(episode.fired_at, Fired(evidence=episode.last)), *_measure(episode, episode.fired_at))


def _measure(episode: Episode, known_until: datetime) -> tuple[Step, ...]:
    """What it shows, where that says more than what is on record until a moment."""
    if episode.cleared_at is not None or episode.last_at - known_until < MEASURED_EVERY:
        return ()
    body = Measured(evidence=episode.last, worst=episode.worst, worst_at=episode.worst_at)
    return (Step(episode.last_at, body),)


def _at_worst(alert: Alert, episode: Episode) -> tuple[Step, ...]:
    """The worst of what is over, where it is not on record yet."""
    if episode.worst == alert.worst or _how_bad(episode.worst) < _how_bad(alert.worst):
        return ()
    body = Measured(evidence=episode.worst, worst=episode.worst, worst_at=episode.worst_at)
    return (Step(episode.worst_at, body),)


def _clear(episode: Episode, settle_s: float) -> tuple[Step, ...]:
    if episode.cleared_at is None:
        return ()
    return (Step(episode.cleared_at, Cleared(evidence=episode.last, settle_s=settle_s)),)


def _settle_after_return(alert: Alert) -> float:
    return replace(alert, reopened=alert.reopened + 1).settle().total_seconds()


def settle(alert: Alert, now: datetime) -> tuple[Step, ...]:
    """Its end, when it has stayed fine for as long as it must."""
    if not alert.is_open or alert.settles_at is None or now < alert.settles_at:
        return ()
    return (Step(alert.settles_at, Settled()),)


class Correction(NamedTuple):
    """What data that came later make of the past: courses of alerts on record, and alerts that were missed."""

    changed: tuple[tuple[int, Course], ...]
    """Place in the given alerts, and what to add to it."""
    missed: tuple[Course, ...]
    """Alerts of their own; nobody is woken for them."""


def correct(
    alerts: Sequence[Alert],
    found: Sequence[Episode],
    about: About,
    severity: Severity,
    *,
    start: datetime,
    end: datetime,
) -> Correction:
    """Compare what is on record of a rule and object with what a span shows after data came late.

    Parameters
    ----------
    alerts : sequence of Alert
        All of this rule and object that touch the span, in order.
    found : sequence of Episode
        All episodes that fired and touch the span, as evaluated at once from a moment well before it.
    start, end : datetime
        Span that was evaluated anew; what reaches out of it is trusted only inside.
    """
    left = list(found)
    changed: list[tuple[int, Course]] = []
    for place, alert in enumerate(alerts):
        if alert.fired_at is None or alert.ended_by is EndedBy.CORRECTION:
            continue
        mine = [one for one in left if _overlap(alert, one)]
        left = [one for one in left if one not in mine]
        course = _amend(alert, mine, start, end)
        if course is not None:
            changed.append((place, course))
    missed = tuple(
        Course(
            True,
            (
                Step(one.since, Began(about=about, severity=severity, evidence=one.worst)),
                *_fire(one),
                *_clear(one, 0.0),
            ),
        )
        for one in left
        if one.fired_at is not None and one.cleared_at is not None
    )
    return Correction(tuple(changed), missed)


def _overlap(alert: Alert, episode: Episode) -> bool:
    over = alert.cleared_at
    return (over is None or episode.since <= over) and (
        episode.cleared_at is None or alert.since <= episode.cleared_at
    )


def _amend(alert: Alert, mine: Sequence[Episode], start: datetime, end: datetime) -> Course | None:
    is_inside = start <= alert.since and alert.cleared_at is not None and alert.cleared_at <= end
    if not mine:
        # What reaches out of the span may rest on what was not looked at.
        reason = "later data show that the condition did not hold"
        return Course(steps=(Step(alert.since, Withdrawn(reason=reason)),)) if is_inside else None
    worst = max(mine, key=lambda one: _how_bad(one.worst))
    since = min(mine[0].since, alert.since) if alert.since < start else mine[0].since
    cleared_at = mine[-1].cleared_at if is_inside else alert.cleared_at
    if (since, cleared_at, worst.worst) == (alert.since, alert.cleared_at, alert.worst):
        return None
    if cleared_at is None and alert.cleared_at is not None:
        cleared_at = alert.cleared_at
    body = Corrected(since=since, cleared_at=cleared_at, worst=worst.worst, worst_at=worst.worst_at)
    return Course(steps=(Step(since, body),))


def _how_bad(evidence: Evidence) -> float:
    if evidence.value is None:
        return 0.0
    return abs(evidence.value - (evidence.limit or 0.0))
