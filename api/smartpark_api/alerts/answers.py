"""From what is on record of alerts to what the API answers; nothing is decided here."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from smartpark.alerts.events import Event
from smartpark.alerts.life import Alert
from smartpark.alerts.rules import Rule
from smartpark.alerts.words import AlertState, Severity
from smartpark_storage.alerts import Intent, StoredAlert
from smartpark_storage.alerts.reading_for_api import Dealings, TabCount, Took

from smartpark_api.alerts import models as m
from smartpark_api.alerts.service import AlertView
from smartpark_api.alerts.words import rule_names, title_of

TABS = ("firing", "acknowledged", "hidden", "pending", "resolved")


def tab_of(alert: Alert) -> str:
    """Tab of the inbox that an alert stands on; the database says the same of counts."""
    if alert.state is not AlertState.FIRING:
        return alert.state.value
    if alert.hidden is not None:
        return "hidden"
    return "firing" if alert.acknowledged_by is None else "acknowledged"


def alert_out(stored: StoredAlert, rules: Mapping[str, Rule]) -> m.AlertOut:
    """An alert as it stands in a list."""
    alert, about = stored.alert, stored.alert.about
    return m.AlertOut(
        alert=stored.alert_id,
        version=alert.sequence,
        park=about.park,
        rule=about.rule,
        rule_version=about.rule_version,
        object=about.object,
        device=about.device,
        edge=about.edge,
        cause=about.cause,
        group=stored.group_key,
        severity=alert.severity,
        state=alert.state,
        tab=tab_of(alert),
        title=title_of(alert, rules),
        since=alert.since,
        known_at=alert.known_at,
        fired_at=alert.fired_at,
        cleared_at=alert.cleared_at,
        resolved_at=alert.resolved_at,
        ended_by=alert.ended_by,
        value=alert.last.value,
        limit=alert.last.limit,
        unit=alert.last.unit,
        value_at=alert.last_at,
        worst=alert.worst.value,
        worst_limit=alert.worst.limit,
        worst_unit=alert.worst.unit,
        worst_at=alert.worst_at,
        reopened=alert.reopened,
        is_flapping=alert.is_flapping,
        settles_at=alert.settles_at,
        acknowledged_by=alert.acknowledged_by,
        acknowledged_at=alert.acknowledged_at,
        assignee=alert.assignee,
        snoozed_until=alert.snoozed_until,
        resolution=alert.resolution,
        label=alert.label,
        hidden=alert.hidden,
        hidden_by=alert.hidden_by,
        changed_at=alert.changed_at,
        change=stored.change,
    )


def detail_out(seen: AlertView, contacts: Mapping[str, tuple[str, str]]) -> m.AlertDetail:
    """All there is to say about one alert; `contacts`: name and channel by code."""
    rules = {seen.rule.code: seen.rule}
    return m.AlertDetail(
        alert=alert_out(seen.stored, rules),
        rule_name=rule_names(seen.alert.about, rules),
        why=m.WordsOut(zh=seen.rule.why, en=seen.rule.why_en or seen.rule.why),
        advice=m.WordsOut(zh=seen.rule.advice, en=seen.rule.advice_en),
        events=events_out(seen.events),
        notifications=[notification_out(one, contacts) for one in seen.intents],
        possible=list(seen.possible),
    )


def events_out(events: Iterable[Event]) -> list[m.AlertEventOut]:
    """What happened, in order."""
    return [
        m.AlertEventOut.model_validate(
            {name: getattr(event, name) for name in ("sequence", "at", "recorded_at", "actor")}
            | {"body": event.body.model_dump()}
        )
        for event in events
    ]


def intent_state(intent: Intent) -> str:
    """What became of something that was to be told."""
    if intent.sent_at is not None:
        return "sent"
    if intent.given_up_at is not None:
        return "given_up"
    return "waiting" if intent.withdrawn_at is None else "withdrawn"


def notification_out(intent: Intent, contacts: Mapping[str, tuple[str, str]]) -> m.NotificationOut:
    """Something that somebody was to be told."""
    name, channel = contacts.get(intent.contact, (None, None))
    return m.NotificationOut(
        notification=intent.intent_id,
        contact=intent.contact,
        contact_name=name,
        channel=channel,
        kind=intent.kind,
        state=intent_state(intent),
        alerts=list(intent.alerts),
        planned_at=intent.planned_at,
        due_at=intent.due_at,
        attempts=intent.attempts,
        sent_at=intent.sent_at,
        error=intent.error,
    )


def likes_out(alert: StoredAlert, found: Sequence[StoredAlert], rules: Mapping[str, Rule]) -> m.AlertLikes:
    """What was like an alert."""
    return m.AlertLikes(
        alerts=[m.LikeOut(likeness=likeness(alert, one), alert=alert_out(one, rules)) for one in found]
    )


def likeness(alert: StoredAlert, other: StoredAlert) -> str:
    """How an alert is like another one."""
    mine, its = alert.alert.about, other.alert.about
    if (mine.rule, mine.object) == (its.rule, its.object):
        return "same"
    return "group" if alert.group_key == other.group_key else "rule"


def summary_out(
    counts: Sequence[TabCount], dealings: Dealings, span: tuple[datetime, datetime], *, now: datetime
) -> m.AlertSummary:
    """How things stand, and how alerts of a span were dealt with."""
    tabs = {tab: tab_out([one for one in counts if one.tab == tab]) for tab in TABS if tab != "resolved"}
    return m.AlertSummary(
        as_of=now,
        **tabs,
        start=span[0],
        end=span[1],
        fired=dealings.fired,
        told_nobody=dealings.hidden,
        time_to_acknowledge=_spread(dealings.acknowledge),
        time_to_resolve=_spread(dealings.resolve),
        true_alarms=dealings.true_alarms,
        false_alarms=dealings.false_alarms,
    )


def tab_out(counts: Sequence[TabCount]) -> m.TabCount:
    """Alerts of one tab."""
    by_severity = dict.fromkeys(reversed(Severity), 0) | {one.severity: one.count for one in counts}
    return m.TabCount(
        count=sum(by_severity.values()),
        by_severity=by_severity,
        oldest=min((one.oldest for one in counts), default=None),
    )


def _spread(took: Took) -> m.TookOut:
    return m.TookOut(count=took.count, mean_s=took.mean_s, median_s=took.median_s)
