"""Which messages tell of alerts that are due: few of them whatever happens, each planned once.

Everything here runs in the caller's transaction: the lines of the outbox and the events that say who was told
(`Told`, for the caller to append) are kept together or not at all. It sends nothing. In this order:

1. A matter (one group, one kind of news) is one message; what begins within the route's `group_wait_s` joins it.
2. More matters at once than the contact wants (`most_at_once`) are one message.
3. Beyond `most_per_hour` everything goes into one message each quarter of an hour.
4. What can wait (mild, or in quiet hours) goes into the digest of its contact.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Final

from smartpark.alerts.events import Told
from smartpark.alerts.objects import ObjectRef, group_key
from smartpark.alerts.routes import ChannelKind, Contact, Delivery, Directory
from smartpark.alerts.words import PageKind
from smartpark_storage import Connection
from smartpark_storage.alerts import (
    Extension,
    Intent,
    NewIntent,
    collecting_intents,
    extend_intents,
    plan_intents,
    planned_since,
    told_contacts,
)

from smartpark_ingest.alerting.notify.facts import MOST_TOLD, Due, Facts, Form, NameOf, added, body_of, facts_of

_HOUR: Final = timedelta(hours=1)
_SLOT: Final = timedelta(minutes=15)
_COLLECT: Final = (Form.DIGEST, Form.MORE)
"""Kinds of messages that are not counted against the most of an hour."""


@dataclass(slots=True)
class Planned:
    """What a pass came to."""

    told: list[tuple[int, Told]] = field(default_factory=list[tuple[int, Told]])
    """For the caller to append to each alert, in the same transaction."""
    messages: int = 0
    """New lines of the outbox."""
    joined: int = 0
    """Lines that wait and say more now."""
    unrouted: list[int] = field(default_factory=list[int])
    """Alerts that no route leads anywhere."""


def plan_pages(
    connection: Connection,
    directory: Directory,
    dues: Iterable[Due],
    now: datetime,
    *,
    name_of: NameOf = lambda _: None,
) -> Planned:
    """Plan what is to be told, in the caller's transaction.

    Parameters
    ----------
    connection : Connection
    directory : Directory
        Contacts and routes that count now.
    dues : iterable of Due
        Alerts with the page that is due (`smartpark.alerts.paging.due_page`), as they are on record.
    now : datetime
    name_of : callable
        What people call an object.

    Returns
    -------
    Planned
        An alert that nobody can be told of before the hours of its route begin is not among `told`: it stays due.
    """
    planned, parts = Planned(), _Parts()
    every = sorted(dues, key=lambda due: due.alert_id)
    over = [due.alert_id for due in every if due.page.kind is PageKind.RESOLVED]
    told_before = told_contacts(connection, over)
    for due in every:
        led = directory.deliveries(due.alert, due.page, now, told=told_before.get(due.alert_id, ()))
        if led is None and due.page.kind is not PageKind.PASSED:
            continue
        contacts = tuple(sorted(one.contact for one in led or ()))
        planned.told.append((due.alert_id, Told(kind=due.page.kind, contacts=contacts, step=due.page.step)))
        if not contacts and due.page.kind is not PageKind.RESOLVED:
            planned.unrouted.append(due.alert_id)
        if contacts:
            item = facts_of(due, now, name_of)
            for delivery in led or ():
                parts.add(delivery, due, item)
    _write(connection, directory, parts, now, planned)
    return planned


@dataclass(slots=True)
class _Matter:
    """News of one kind about one group, for one contact."""

    kind: str
    group_key: str
    due_at: datetime
    dues: list[Due] = field(default_factory=list[Due])
    items: list[Facts] = field(default_factory=list[Facts])

    def add(self, due: Due, item: Facts, due_at: datetime) -> None:
        self.dues.append(due)
        self.items.append(item)
        self.due_at = min(self.due_at, due_at)


class _Parts:
    """What each contact is to be told."""

    def __init__(self) -> None:
        self.matters: defaultdict[str, dict[tuple[str, ...], _Matter]] = defaultdict(dict)

    def add(self, delivery: Delivery, due: Due, item: Facts) -> None:
        if delivery.is_digest:
            kind, group, key = Form.DIGEST, Form.DIGEST, (Form.DIGEST, delivery.due_at.isoformat())
        else:
            about = due.alert.about
            group = group_key(ObjectRef.parse(about.object), device=about.device, cause=about.cause)
            kind, key = due.page.kind.value, (due.page.kind.value, group)
        matters = self.matters[delivery.contact]
        matter = matters.setdefault(key, _Matter(kind, group, delivery.due_at))
        matter.add(due, item, delivery.due_at)


def _write(connection: Connection, directory: Directory, parts: _Parts, now: datetime, planned: Planned) -> None:
    people = [code for code in parts.matters if directory.contacts[code].channel is not ChannelKind.ALERTMANAGER]
    waiting: defaultdict[str, list[Intent]] = defaultdict(list)
    for line in collecting_intents(connection, people, now):
        waiting[line.contact].append(line)
    had = planned_since(connection, people, now - _HOUR, except_kinds=_COLLECT) if people else {}
    new: list[NewIntent] = []
    extensions: list[Extension] = []
    for code, matters in parts.matters.items():
        contact = directory.contacts[code]
        if contact.channel is ChannelKind.ALERTMANAGER:
            new.extend(_pushes(code, matters.values(), now))
            continue
        box = _Box(contact, waiting[code], had.get(code, 0), now)
        for matter in matters.values():
            box.put(matter)
        lines, more = box.lines()
        new.extend(lines)
        extensions.extend(more)
    planned.messages += len(plan_intents(connection, new, at=now))
    planned.joined += extend_intents(connection, extensions)


class _Box:
    """Messages of one contact: those that wait already, and those that come now."""

    def __init__(self, contact: Contact, waiting: Sequence[Intent], had: int, now: datetime) -> None:
        self._contact, self._waiting, self._now = contact, waiting, now
        self._left = contact.most_per_hour - had
        self._joined: defaultdict[int, list[_Matter]] = defaultdict(list)
        self._new: list[_Matter] = []

    def put(self, matter: _Matter) -> None:
        """Into a message that waits and is about the same, or into one of its own."""
        self._new.extend(self._new_of(matter))

    def lines(self) -> tuple[list[NewIntent], list[Extension]]:
        """What is to be written."""
        collected = [matter for matter in self._new if matter.kind == Form.DIGEST]
        single = [matter for matter in self._new if matter.kind != Form.DIGEST]
        in_hand = sum(line.kind not in _COLLECT for line in self._waiting)
        if len(single) > 1 and len(single) + in_hand > self._contact.most_at_once:
            single = self._new_of(_together(single, Form.SEVERAL, min(matter.due_at for matter in single)))
        left = max(0, self._left)
        if len(single) > left:
            collected += self._new_of(_together(single[left:], Form.MORE, _slot_after(self._now)))
            single = single[:left]
        by_id = {line.intent_id: line for line in self._waiting}
        extensions = [_extended(by_id[number], matters) for number, matters in self._joined.items()]
        return [_line(self._contact.code, matter) for matter in (*single, *collected)], extensions

    def _new_of(self, matter: _Matter) -> list[_Matter]:
        """The matter, unless a message that waits takes it."""
        line = self._same(matter)
        if line is None:
            return [matter]
        self._joined[line.intent_id].append(matter)
        return []

    def _same(self, matter: _Matter) -> Intent | None:
        for line in self._waiting:
            is_same = line.kind == matter.kind and line.group_key == matter.group_key
            if is_same and (matter.kind != Form.DIGEST or line.due_at == matter.due_at):
                return line
        return None


def _together(matters: Sequence[_Matter], form: str, due_at: datetime) -> _Matter:
    whole = _Matter(form, form, due_at)
    for matter in matters:
        whole.dues.extend(matter.dues)
        whole.items.extend(matter.items)
    return whole


def _slot_after(now: datetime) -> datetime:
    """End of the quarter of an hour that a moment lies in."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + _SLOT * ((now - midnight) // _SLOT + 1)


def _line(contact: str, matter: _Matter) -> NewIntent:
    return NewIntent(
        key=_key(contact, matter),
        contact=contact,
        kind=matter.kind,
        alerts=tuple(sorted({due.alert_id for due in matter.dues})),
        group_key=matter.group_key,
        due_at=matter.due_at,
        body=body_of(matter.kind, matter.items),
        park=_park(matter),
    )


def _key(contact: str, matter: _Matter) -> str:
    """What it is about: the first alert in it as it was then. Told once more of the same, it is the same message."""
    first = min(matter.dues, key=lambda due: due.alert_id)
    return f"{contact}/{matter.kind}/{first.page.kind}/{first.alert_id}.{first.alert.sequence}"


def _park(matter: _Matter) -> str | None:
    parks = {due.alert.about.park for due in matter.dues}
    return parks.pop() if len(parks) == 1 else None


def _extended(line: Intent, matters: Sequence[_Matter]) -> Extension:
    body: dict[str, Any] = line.body
    known, park = set(line.alerts), line.park
    for matter in matters:
        body = added(body, matter.items, known=known)
        known |= {due.alert_id for due in matter.dues}
        park = park if park == _park(matter) else None
    return Extension(line.intent_id, tuple(sorted(known)), body, park)


def _pushes(contact: str, matters: Iterable[_Matter], now: datetime) -> Iterator[NewIntent]:
    """For an Alertmanager: everything at once and told one by one, for it groups and quiets by itself."""
    told = iter([pair for matter in matters for pair in zip(matter.dues, matter.items, strict=True)])
    while some := list(islice(told, MOST_TOLD)):
        whole = _Matter(Form.PUSH, Form.PUSH, now, [due for due, _ in some], [item for _, item in some])
        yield _line(contact, whole)
