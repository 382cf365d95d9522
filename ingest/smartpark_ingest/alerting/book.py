"""Alerts on record, in the memory of whoever evaluates, and what is to be written of them: events that follow.

The book knows of each rule and object the newest alert that may still matter. Courses that core decides become events
here, one transaction's worth at a time; `write` puts them down, and only then do they count. It decides nothing and
reads no reading.
"""

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from smartpark.alerts.course import Course, Step
from smartpark.alerts.events import Event
from smartpark.alerts.life import REJOIN, SETTLE_LONGEST, Alert, RefusedEventError, follow
from smartpark.alerts.paging import may_hide
from smartpark_storage import Connection
from smartpark_storage.alerts import (
    AlertWrite,
    StoredAlert,
    forget_alerts,
    newest_change,
    read_alerts_by_id,
    read_changed,
    read_current,
    write_alerts,
)

_log = logging.getLogger(__name__)

MATTERS_FOR: Final = REJOIN + SETTLE_LONGEST + timedelta(minutes=15)
"""So long after its end may an alert come back."""
_AT_ONCE: Final = 5000


class Key(NamedTuple):
    """What at most one open alert is about."""

    rule: str
    object: str


@dataclass(slots=True)
class Entry:
    """An alert, with what is to be written of it."""

    alert: Alert
    alert_id: int | None = None
    """None: it begins with what is to be written."""
    events: list[Event] = field(default_factory=list[Event])
    """To be written."""

    @property
    def key(self) -> Key:
        """What it is about."""
        return Key(self.alert.about.rule, self.alert.about.object)


class Book:
    """What is on record, and what is to be."""

    def __init__(self) -> None:
        self._newest: dict[Key, Entry] = {}
        self._others: dict[int, Entry] = {}
        """Older ones that something is to be written of."""
        self._touched: dict[int, Entry] = {}
        """By identity: everything that something is to be written of."""
        self._forgotten: list[Entry] = []
        self._change = 0
        self.refused = 0
        """Courses that an alert could not take."""

    def load(self, connection: Connection, now: datetime) -> None:
        """Read everything that may matter."""
        # First the number, then the rows: what changes in between is read again.
        self._change = newest_change(connection)
        stored = read_current(connection, ended_after=now - MATTERS_FOR)
        self._newest = {entry.key: entry for entry in map(_entry, stored)}
        self.drop()

    def refresh(self, connection: Connection) -> None:
        """Read what others have written since."""
        while True:
            changed = read_changed(connection, self._change, limit=_AT_ONCE)
            self._take(changed)
            if changed:
                self._change = changed[-1].change
            if len(changed) < _AT_ONCE:
                return

    def hold(self, connection: Connection, keys: Iterable[Key]) -> None:
        """Keep others from writing these alerts until the transaction ends, and read them as they are now."""
        found = [self._newest.get(key) for key in keys]
        ids = [entry.alert_id for entry in found if entry is not None and entry.alert_id is not None]
        if ids:
            self._take(read_alerts_by_id(connection, ids, for_update=True))

    def hold_others(self, connection: Connection, stored: Sequence[StoredAlert]) -> list[StoredAlert]:
        """As `hold`, of any alerts on record; those, as they are now."""
        if not stored:
            return []
        return read_alerts_by_id(connection, [one.alert_id for one in stored], for_update=True)

    def newest(self, key: Key) -> Alert | None:
        """Newest alert of a rule and object, with what is to be written of it."""
        entry = self._newest.get(key)
        return None if entry is None else entry.alert

    def entries(self) -> Iterator[Entry]:
        """Newest alert of each rule and object."""
        yield from list(self._newest.values())

    def parents(self) -> Iterator[Entry]:
        """Open alerts that may hide others."""
        yield from [entry for entry in self._newest.values() if may_hide(entry.alert)]

    @property
    def n_forgotten(self) -> int:
        """How many alerts are to be forgotten."""
        return len(self._forgotten)

    def touched(self) -> list[Entry]:
        """Everything that something is to be written of, but what is forgotten."""
        return list(self._touched.values())

    def take_older(self, stored: StoredAlert) -> Entry:
        """An alert that is not the newest of its rule and object, so that something may be written of it."""
        newest = self._newest.get(Key(stored.alert.about.rule, stored.alert.about.object))
        if newest is not None and newest.alert_id == stored.alert_id:
            return newest
        return self._others.setdefault(stored.alert_id, _entry(stored))

    def follow(self, key: Key, course: Course, now: datetime) -> None:
        """Let a course become events of the newest alert of a rule and object, or of one of its own."""
        entry = self._newest.get(key)
        if course.is_forgotten and entry is not None:
            self._forget(entry)
        elif course.is_new:
            begun = self._begin(course.steps, now)
            if begun is not None and (entry is None or begun.alert.since >= entry.alert.since):
                self._newest[key] = begun
        elif entry is not None:
            self.add(entry, course.steps, now)

    def add(self, entry: Entry, steps: Iterable[Step], now: datetime) -> bool:
        """Let steps become events of an alert; False: it cannot take them, and nothing is written of them."""
        alert, events = entry.alert, list[Event]()
        try:
            for step in steps:
                event = Event(sequence=alert.sequence + 1, at=step.at, recorded_at=now, body=step.body)
                alert = follow(alert, event)
                events.append(event)
        except RefusedEventError as error:
            self._refuse(entry, error)
            return False
        if events:
            entry.alert = alert
            entry.events += events
            self._touched[id(entry)] = entry
        return True

    def write(self, connection: Connection) -> list[tuple[int, Alert]]:
        """Write everything, in the caller's transaction; numbers of the alerts, and where they stand now."""
        gone = [entry.alert_id for entry in self._forgotten if entry.alert_id is not None]
        if gone:
            forget_alerts(connection, gone)
        entries = self.touched()
        writes = [AlertWrite(entry.alert_id, tuple(entry.events), entry.alert) for entry in entries]
        written = write_alerts(connection, writes) if writes else []
        again: list[int] = []
        for entry, one in zip(entries, written, strict=True):
            entry.alert_id, entry.events = one.alert_id, []
            if not one.is_written:
                again.append(one.alert_id)
        if again:
            # It began before, by what somebody had recorded: that counts, not what was about to be written.
            self._take(read_alerts_by_id(connection, again))
        self.drop()
        return [(one.alert_id, entry.alert) for entry, one in zip(entries, written, strict=True) if one.is_written]

    def drop(self) -> None:
        """Nothing is to be written any more."""
        self._touched.clear()
        self._others.clear()
        self._forgotten.clear()

    def let_go(self, now: datetime) -> None:
        """Forget what can no longer matter."""
        for key, entry in list(self._newest.items()):
            alert = entry.alert
            if not alert.is_open and not alert.holds and now - (alert.resolved_at or now) > MATTERS_FOR:
                del self._newest[key]

    def _begin(self, steps: Sequence[Step], now: datetime) -> Entry | None:
        first, *rest = steps
        event = Event(sequence=1, at=first.at, recorded_at=now, body=first.body)
        entry = Entry(follow(None, event), events=[event])
        self._touched[id(entry)] = entry
        if not self.add(entry, rest, now):
            del self._touched[id(entry)]
            return None
        return entry

    def _forget(self, entry: Entry) -> None:
        self._newest.pop(entry.key, None)
        self._touched.pop(id(entry), None)
        self._forgotten.append(entry)

    def _take(self, stored: Sequence[StoredAlert]) -> None:
        for one in stored:
            entry = _entry(one)
            known = self._newest.get(entry.key)
            if known is not None and known.alert_id == one.alert_id:
                if known.alert.sequence < one.alert.sequence:
                    known.alert = one.alert
            elif known is None or known.alert_id is None or known.alert.since <= one.alert.since:
                self._newest[entry.key] = entry

    def _refuse(self, entry: Entry, error: RefusedEventError) -> None:
        self.refused += 1
        about = entry.alert.about
        _log.error("alert %s of %s on %s: %s", entry.alert_id or "to be", about.rule, about.object, error)


def _entry(stored: StoredAlert) -> Entry:
    return Entry(stored.alert, stored.alert_id)
