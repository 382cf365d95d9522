"""What happened to an alert, as people tell it: its events and what was sent of it, the newest first."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from smartpark.alerts import events as e
from smartpark_storage.alerts import Intent

from smartpark_api import display
from smartpark_api.alerts.answers import intent_state
from smartpark_api.alerts.service import AlertView
from smartpark_api.alerts.words import both
from smartpark_api.console.alerts import Names
from smartpark_api.display import day_and_minute
from smartpark_api.words import Words

_LATER_S: Final = 120.0
"""What became known so much later than it happened is told so."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened."""

    at: datetime
    title: str
    kind: str
    """Type of the event, or what became of a message."""
    by: str = ""
    text: str = ""
    recorded_at: datetime | None = None
    """When it became known, where that was much later."""


def story_of(seen: AlertView, names: Names, words: Words, channels: dict[str, str]) -> list[Entry]:
    """Everything, the newest first; `channels` are names of contacts and their ways, by code."""
    found = [_event(event, names, words) for event in seen.events if not _is_bare(event, seen.events)]
    found += [entry for intent in seen.intents for entry in _sent(intent, words, channels)]
    # Turned round as a whole: of two at one moment the later of the sequence stands above, as everywhere else.
    return sorted(found, key=lambda entry: entry.at)[::-1]


def _is_bare(event: e.Event, events: Sequence[e.Event]) -> bool:
    """Whether it says nothing that the next one of its kind does not say better: every five minutes what it shows."""
    newer = next((one for one in events if one.sequence > event.sequence), None)
    return isinstance(event.body, e.Measured) and newer is not None and isinstance(newer.body, e.Measured)


def _event(event: e.Event, names: Names, words: Words) -> Entry:
    body = event.body
    is_later = (event.recorded_at - event.at).total_seconds() > _LATER_S and event.actor == e.SYSTEM
    return Entry(
        at=event.at,
        title=_title(body, names, words),
        kind=body.type,
        by="" if event.actor == e.SYSTEM else names.person(event.actor, words),
        text=_text(body, words),
        recorded_at=event.recorded_at if is_later else None,
    )


def _title(body: e.Body, names: Names, words: Words) -> str:
    key, values = body.type, dict[str, str]()
    match body:
        case e.Worsened(severity=severity):
            values = {"severity": _word(severity, words)}
        case e.Assigned(to=to):
            key = "assigned" if to else "unassigned"
            values = {"who": names.person(to or "", words)}
        case e.Snoozed(until=until):
            key = "snoozed" if until else "unsnoozed"
            values = {"until": day_and_minute(until)}
        case e.Resolved(resolution=resolution):
            values = {"how": _word(resolution, words)}
        case e.Labelled(label=label):
            key = "labelled" if label else "unlabelled"
            values = {"label": _word(label, words)}
        case e.HiddenFrom(reason=reason):
            key = "hidden" if reason else "shown"
            values = {"why": _word(reason, words)}
        case e.Told(kind=kind, contacts=contacts):
            key = "told" if contacts else "told_nobody"
            values = {"kind": _word(kind, words), "contacts": ", ".join(contacts)}
        case _:
            pass
    return words(f"alert_event.{key}", **values)


def _word(member: StrEnum | None, words: Words) -> str:
    return "" if member is None else words.either(*both(member))


def _text(body: e.Body, words: Words) -> str:
    match body:
        case e.Commented(text=text):
            return text
        case e.Resolved(note=note):
            return note or ""
        case e.Withdrawn(reason=reason) | e.Retired(reason=reason):
            return reason
        case e.Corrected(since=since, worst=worst):
            return words("alert_event.corrected_to", since=day_and_minute(since), value=measured(worst, words))
        case e.Began() | e.Fired() | e.Measured() | e.Returned() | e.Cleared():
            return measured(body.evidence, words)
        case _:
            return ""


def measured(evidence: e.Evidence, words: Words) -> str:
    """A value against its limit, as people say it; empty where nothing was measured."""
    if evidence.value is None:
        return ""
    shown = display.measured(evidence.value, evidence.unit, words)
    if evidence.limit is None:
        return shown
    limit = display.measured(evidence.limit, evidence.unit, words)
    return words("alerts.value_of_limit", value=shown, limit=limit)


def _sent(intent: Intent, words: Words, channels: dict[str, str]) -> Iterator[Entry]:
    """What became of a message; that it was planned stands in the events."""
    state = intent_state(intent)
    at = intent.sent_at or intent.given_up_at or intent.withdrawn_at or intent.due_at
    to = channels.get(intent.contact, intent.contact)
    text = intent.error if state in ("given_up", "waiting") else ""
    yield Entry(at, words(f"alert_event.message_{state}", to=to, n=intent.attempts), f"message_{state}", text=text)
