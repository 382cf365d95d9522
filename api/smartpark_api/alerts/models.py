"""Alerts as the API gives them; Chinese and English words for people stand beside what is told of one in a list."""

from typing import Annotated

from pydantic import Field
from smartpark.alerts import events as e
from smartpark.alerts.objects import ObjectKind
from smartpark.alerts.words import (
    AlertState,
    Cause,
    EndedBy,
    Hidden,
    Label,
    PageKind,
    Resolution,
    Severity,
)

from smartpark_api.models.base import Answer, Instant

AlertNumber = Annotated[int, Field(description="Number of the alert.", examples=[1204])]
Version = Annotated[int, Field(description="Sequence of the newest event; what a write has to expect.")]


class WordsOut(Answer):
    """What people call something."""

    zh: str
    en: str


class AlertOut(Answer):
    """Where an alert stands."""

    alert: AlertNumber
    version: Version
    park: str
    rule: Annotated[str, Field(description="Code of the rule that it comes from.")]
    rule_version: int
    object: Annotated[str, Field(description="What it is about.", examples=["point:minhou-demo/T01/active_power"])]
    device: Annotated[str | None, Field(description="`park/device`.")]
    edge: Annotated[str | None, Field(description="Agent through which it is read; null: not known.")]
    cause: Cause
    group: Annotated[str, Field(description="Alerts of one group are one matter: the same cause at the same device.")]
    severity: Severity
    state: AlertState
    tab: Annotated[
        str, Field(description="`firing`, `acknowledged`, `hidden` (also: put off), `pending` or `resolved`.")
    ]
    title: Annotated[WordsOut, Field(description="One line: how bad, which rule, what.")]
    since: Annotated[Instant, Field(description="Beginning of the breach, as measured.")]
    known_at: Annotated[Instant, Field(description="When it became known here.")]
    fired_at: Instant | None
    cleared_at: Annotated[Instant | None, Field(description="Since when the condition is over; null: it holds.")]
    resolved_at: Instant | None
    ended_by: EndedBy | None
    value: Annotated[float | None, Field(description="Measured last; null: there is none, as of a silent agent.")]
    limit: float | None
    unit: str
    value_at: Instant
    worst: float | None
    worst_limit: float | None
    worst_unit: str
    worst_at: Instant
    reopened: Annotated[int, Field(description="How often it came back.")]
    is_flapping: Annotated[bool, Field(description="It comes and goes; people are not told each time.")]
    settles_at: Annotated[Instant | None, Field(description="When it counts as over unless it comes back.")]
    acknowledged_by: Annotated[str | None, Field(description="Code of a person, or `client:NAME`.")]
    acknowledged_at: Instant | None
    assignee: str | None
    snoozed_until: Instant | None
    resolution: Resolution | None
    label: Annotated[Label | None, Field(description="Whether it was right to tell people.")]
    hidden: Annotated[Hidden | None, Field(description="Why people are not told of it; null: they are.")]
    hidden_by: Annotated[str, Field(description="Alert, silence or window that hides it.")]
    changed_at: Instant
    change: Annotated[int, Field(description="Place in the order of changes of all alerts; the stream goes by it.")]


class AlertList(Answer):
    """Alerts that fit, the newest first."""

    as_of: Instant
    alerts: list[AlertOut]
    next: Annotated[str | None, Field(description="`after` of the next page; null: this was the last.")]


# Load requests have events of these names too; a description tells each name once.
class AlertAssigned(e.Assigned):
    """It is somebody's; none: nobody's."""


class AlertCommented(e.Commented):
    """Somebody says something about it."""


class AlertWithdrawn(e.Withdrawn):
    """Data that came later show that it never was."""


EventBody = (
    e.Began
    | e.Fired
    | e.Measured
    | e.Worsened
    | e.Cleared
    | e.Settled
    | e.Returned
    | e.Acknowledged
    | e.Unacknowledged
    | AlertAssigned
    | e.Snoozed
    | AlertCommented
    | e.Resolved
    | e.Labelled
    | e.HiddenFrom
    | e.Corrected
    | AlertWithdrawn
    | e.Retired
    | e.Told
)


class AlertEventOut(Answer):
    """One thing that happened to an alert."""

    sequence: int
    at: Annotated[Instant, Field(description="When it happened, as measured or done.")]
    recorded_at: Annotated[Instant, Field(description="When it became known here.")]
    actor: Annotated[str, Field(description="Code of a person, `client:NAME`, or `system`.")]
    body: Annotated[EventBody, Field(discriminator="type")]


class NotificationOut(Answer):
    """Something that somebody was to be told."""

    notification: int
    contact: str
    contact_name: str | None
    channel: str | None
    kind: PageKind | str
    state: Annotated[str, Field(description="`waiting`, `sent`, `given_up` or `withdrawn`.", examples=["sent"])]
    alerts: Annotated[list[int], Field(description="Alerts that it told of together.")]
    planned_at: Instant
    due_at: Annotated[Instant, Field(description="When it is tried, or tried again.")]
    attempts: int
    sent_at: Instant | None
    error: Annotated[str, Field(description="Of the newest attempt; empty: none failed.")]


class AlertDetail(Answer):
    """All there is to say about one alert."""

    alert: AlertOut
    rule_name: WordsOut
    why: Annotated[WordsOut, Field(description="What the rule is good for, and where its numbers come from.")]
    advice: Annotated[WordsOut, Field(description="What to do first; empty: nobody has written it down.")]
    events: list[AlertEventOut]
    notifications: list[NotificationOut]
    possible: Annotated[list[str], Field(description="What people may do about it now.")]


class LikeOut(Answer):
    """An alert that was like another one."""

    likeness: Annotated[
        str,
        Field(description="`same` object and rule, same `group` (device and cause), or same `rule` elsewhere."),
    ]
    alert: AlertOut


class AlertLikes(Answer):
    """What was like an alert, the most alike first."""

    alerts: list[LikeOut]


class TabCount(Answer):
    """Open alerts on a tab."""

    count: int
    by_severity: dict[Severity, int]
    oldest: Annotated[Instant | None, Field(description="Since when the oldest of them; null: there is none.")]


class TookOut(Answer):
    """How long something took."""

    count: Annotated[int, Field(description="Of how many.")]
    mean_s: Annotated[float | None, Field(description="[s]; null: nothing to say.")]
    median_s: Annotated[float | None, Field(description="[s]")]


class AlertSummary(Answer):
    """How things stand, and how alerts of a span were dealt with."""

    as_of: Instant
    firing: TabCount
    acknowledged: TabCount
    hidden: TabCount
    pending: TabCount
    start: Annotated[Instant, Field(serialization_alias="from")]
    end: Annotated[Instant, Field(serialization_alias="to")]
    fired: Annotated[int, Field(description="Alerts that fired in the span; not those that later data took back.")]
    told_nobody: Annotated[int, Field(description="Of these, how many were hidden.")]
    time_to_acknowledge: Annotated[TookOut, Field(description="From firing until somebody took note (MTTA).")]
    time_to_resolve: Annotated[TookOut, Field(description="From firing until it was over (MTTR).")]
    true_alarms: Annotated[int, Field(description="Said to be right.")]
    false_alarms: Annotated[int, Field(description="Said to be wrong.")]


class EvidencePoint(Answer):
    """What the rule judged at a moment."""

    time: Instant
    value: float | None
    limit: float | None


class EvidenceSeries(Answer):
    """Readings of a point around an alert, oldest first; all lists have the same length."""

    point: Annotated[str, Field(examples=["minhou-demo/T01/active_power"])]
    measurand: str
    unit: str
    bucket: Annotated[str, Field(description="`raw`, `15m`, `hour` or `day`.", examples=["raw"])]
    time: list[Instant]
    value: list[float | None]
    quality: Annotated[
        list[str | None], Field(description="`good`, `uncertain` or `bad` of a reading; null: of a bucket, or none.")
    ]


class EvidenceOut(Answer):
    """What speaks for an alert: readings around it, and what its rule saw."""

    alert: AlertNumber
    object: str
    kind: ObjectKind
    start: Annotated[Instant, Field(serialization_alias="from")]
    end: Annotated[Instant, Field(serialization_alias="to")]
    breach_from: Instant
    breach_to: Annotated[Instant | None, Field(description="Null: it holds.")]
    fired_at: Instant | None
    unit: Annotated[str, Field(description="Of `judged`.")]
    judged: Annotated[
        list[EvidencePoint], Field(description="Value and limit as the rule saw them, from its events.")
    ]
    series: list[EvidenceSeries]
    note: Annotated[str, Field(description="Why there are no readings; empty: there are.")]
