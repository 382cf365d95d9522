"""What happened to a request, as sentences: one entry an event, newest first; nothing is left out, nothing is merged.

An undone event stays where it was, and says that it never counted. What an amendment changed is told field by field.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from smartpark.load_requests.events import (
    Amended,
    Attached,
    Commented,
    Details,
    Event,
    Opened,
    Rejected,
    SentBack,
    Undone,
    Withdrawn,
)
from smartpark_storage.load_requests import Person

from smartpark_api.console.happened import deed_of
from smartpark_api.console.request_forms import details_form
from smartpark_api.console.told import LISTS, named, said
from smartpark_api.display import DASH
from smartpark_api.words import Words


@dataclass(frozen=True, slots=True)
class Change:
    """A field that an amendment changed."""

    field: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Entry:
    """An event as people read it."""

    sequence: int
    type: str
    at: datetime
    recorded_at: datetime
    by: str
    title: str
    text: str
    """Note, reason or comment, as it was written."""
    changes: tuple[Change, ...]
    attachment: str | None
    is_for_applicant: bool
    is_undone: bool

    @property
    def is_recorded_later(self) -> bool:
        """Whether it was entered after it happened."""
        return (self.recorded_at - self.at).total_seconds() >= 60


def entries_of(events: Sequence[Event], words: Words, persons: Mapping[str, Person]) -> list[Entry]:
    """Entries of a request, the newest first."""
    undone = {event.body.sequence for event in events if isinstance(event.body, Undone)}
    before = _details_before(events)
    found = [_entry(event, words, persons, before.get(event.sequence), undone) for event in events]
    return found[::-1]


def comments_for_applicant(events: Iterable[Event]) -> list[tuple[datetime, str]]:
    """What was said to the applicant, newest first, without who said it."""
    told = [
        (event.at, event.body.text)
        for event in events
        if isinstance(event.body, Commented) and event.body.is_for_applicant
    ]
    return told[::-1]


def _details_before(events: Sequence[Event]) -> dict[int, Details]:
    """Details as they stood before each amendment."""
    found: dict[int, Details] = {}
    here: Details | None = None
    for event in events:
        if isinstance(event.body, (Opened, Amended)):
            if here is not None:
                found[event.sequence] = here
            here = event.body.details
    return found


def _entry(
    event: Event, words: Words, persons: Mapping[str, Person], before: Details | None, undone: set[int]
) -> Entry:
    body = event.body
    changes = _changes(before, body.details, words) if isinstance(body, Amended) and before is not None else ()
    return Entry(
        sequence=event.sequence,
        type=body.type,
        at=event.at,
        recorded_at=event.recorded_at,
        by=named(words, persons, event.by),
        title=deed_of(words, event, persons),
        text=_text(event),
        changes=tuple(changes),
        attachment=body.attachment if isinstance(body, Attached) else None,
        is_for_applicant=isinstance(body, Commented) and body.is_for_applicant,
        is_undone=event.sequence in undone,
    )


def _text(event: Event) -> str:
    """What somebody wrote."""
    body = event.body
    if isinstance(body, Commented):
        return body.text
    if isinstance(body, (SentBack, Withdrawn, Rejected, Amended)):
        return body.reason
    return getattr(body, "note", None) or ""


def _changes(before: Details, after: Details, words: Words) -> Iterable[Change]:
    old, new = details_form(before).values, details_form(after).values
    for name in dict.fromkeys([*old, *new]):
        if old.get(name) != new.get(name):
            told = (_shown(words, name, old.get(name)), _shown(words, name, new.get(name)))
            yield Change(words(f"request.{name}"), *told)


def _shown(words: Words, name: str, value: str | None) -> str:
    if value is None:
        return DASH
    return said(words, name, value) if name in LISTS else value
