"""What the alert inbox shows: groups of alerts with names that people know, how many on each tab, who took how long.

Nothing is decided here, and nothing is hidden that whoever looks may see.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from smartpark.alerts.objects import ObjectKind, ObjectRef
from smartpark.alerts.rules import Rule
from smartpark.alerts.words import Severity
from smartpark.measurands import Measurand
from smartpark_storage.alerts import OPEN, AlertFilter, StoredAlert, read_alerts_by_id, read_rules
from smartpark_storage.alerts.reading_for_api import (
    AlertGroup,
    Dealings,
    TabCount,
    alert_dealings,
    alert_groups,
    alert_tabs,
    alerts_of_groups,
)
from smartpark_storage.connections import Connection
from smartpark_storage.load_requests import Person, read_persons
from smartpark_storage.reads import ParkRow, read_devices, read_parks

from smartpark_api.alerts.answers import tab_of
from smartpark_api.alerts.service import possible
from smartpark_api.console.alert_address import InboxAddress, Tab
from smartpark_api.display import measurand_name
from smartpark_api.words import Words

GROUPS: Final = 40
"""Of a page."""
PER_GROUP: Final = 25
SPAN: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Names:
    """What people call rules, parks, devices and each other."""

    rules: Mapping[str, Rule]
    parks: Mapping[str, ParkRow]
    devices: Mapping[str, tuple[str, str]]
    """By ``park/code``: Chinese and English."""
    persons: Mapping[str, Person]

    def rule(self, stored: StoredAlert, words: Words) -> str:
        """Name of the rule of an alert."""
        code = stored.alert.about.rule
        known = self.rules.get(code)
        return code if known is None else words.either(known.name, known.name_en)

    def thing(self, stored: StoredAlert, words: Words) -> str:
        """What an alert is about, by names where there are any."""
        subject = ObjectRef.parse(stored.alert.about.object)
        if subject.kind is ObjectKind.POINT:
            device, _, code = subject.name.rpartition("/")
            what = measurand_name(code, words) if code in set(Measurand) else code
            return f"{self.device(device, words)} · {what}"
        if subject.kind is ObjectKind.DEVICE:
            return self.device(subject.name, words)
        if subject.kind is ObjectKind.PARK:
            return self.park(subject.name, words)
        return subject.name.rpartition("/")[2]

    def device(self, name: str, words: Words) -> str:
        """A device by its name; by its code where the catalogue does not know it."""
        known = self.devices.get(name)
        return name.rpartition("/")[2] if known is None else words.either(*known)

    def park(self, code: str, words: Words) -> str:
        """A park by its name."""
        known = self.parks.get(code)
        return code if known is None else words.either(known.name, known.name_en)

    def person(self, code: str, words: Words) -> str:
        """Somebody by name; a program, or whoever is not known, by their code."""
        known = self.persons.get(code)
        if known is None:
            return words("alerts.by_system") if code == "system" else code
        return words.either(known.name, known.name_en or known.name)


@dataclass(frozen=True, slots=True)
class Row:
    """An alert in the inbox."""

    stored: StoredAlert
    may: tuple[str, ...]

    @property
    def number(self) -> int:
        """Of the alert."""
        return self.stored.alert_id

    @property
    def tab(self) -> str:
        """Where it stands."""
        return tab_of(self.stored.alert)


@dataclass(frozen=True, slots=True)
class Group:
    """Alerts that are one matter."""

    told: AlertGroup
    rows: tuple[Row, ...]

    @property
    def hidden(self) -> int:
        """Alerts of it that are not shown."""
        return self.told.count - len(self.rows)


@dataclass(frozen=True, slots=True)
class Inbox:
    """A page of the inbox."""

    address: InboxAddress
    names: Names
    groups: tuple[Group, ...]
    counts: Mapping[str, int]
    """Alerts on each tab; of resolved ones nobody asks how many there ever were."""
    worst: Severity | None
    """Of what fires and nobody has taken note of."""
    has_more: bool
    dealings: Dealings

    @property
    def count(self) -> int:
        """Alerts on this tab, of the groups shown."""
        return sum(group.told.count for group in self.groups)


def names_of(connection: Connection, alerts: Sequence[StoredAlert]) -> Names:
    """Names of all that some alerts name."""
    parks = {park.code: park for park in read_parks(connection)}
    of = sorted({one.alert.about.park for one in alerts})
    devices = {
        f"{park}/{device.code}": (device.name, device.name_en)
        for park in of
        if park in parks
        for device in read_devices(connection, park)
    }
    rules = {one.rule.code: one.rule for one in read_rules(connection)}
    return Names(rules, parks, devices, {person.code: person for person in read_persons(connection)})


def gather(connection: Connection, address: InboxAddress, wanted: AlertFilter, now: datetime) -> Inbox:
    """A page of the inbox; `wanted` is what the address asks for, within what whoever looks may see."""
    shown = address.tab.of(wanted)
    found = alert_groups(
        connection,
        shown,
        worst_first=address.tab is not Tab.RESOLVED,
        limit=GROUPS + 1,
        skip=(address.page - 1) * GROUPS,
    )
    told = found[:GROUPS]
    rows = alerts_of_groups(connection, shown, [one.group_key for one in told], per_group=PER_GROUP)
    groups = tuple(Group(one, tuple(row_of(stored) for stored in rows[one.group_key])) for one in told)
    counts = tab_counts(connection, wanted)
    return Inbox(
        address,
        names_of(connection, [row.stored for group in groups for row in group.rows]),
        groups,
        _by_tab(counts),
        max((one.severity for one in counts if one.tab == Tab.FIRING), key=lambda one: one.rank, default=None),
        len(found) > GROUPS,
        alert_dealings(connection, now - SPAN, now, park=wanted.park, parks=wanted.parks),
    )


@dataclass(frozen=True, slots=True)
class Rows:
    """Some alerts as they stand now, wherever they stand, and how many there are on each tab."""

    rows: tuple[Row, ...]
    names: Names
    counts: Mapping[str, int]


def gather_rows(connection: Connection, wanted: AlertFilter, numbers: Sequence[int]) -> Rows:
    """Alerts of these numbers, as far as whoever looks may see them."""
    found = [
        one
        for one in read_alerts_by_id(connection, numbers)
        if wanted.parks is None or one.alert.about.park in wanted.parks
    ]
    counts = _by_tab(tab_counts(connection, wanted))
    return Rows(tuple(row_of(one) for one in found), names_of(connection, found), counts)


def tab_counts(connection: Connection, wanted: AlertFilter) -> list[TabCount]:
    """Open alerts that fit, by tab and severity; of resolved ones nobody asks how many there ever were."""
    return alert_tabs(connection, replace(wanted, states=OPEN))


def _by_tab(counts: Sequence[TabCount]) -> dict[str, int]:
    found = dict.fromkeys((tab.value for tab in Tab if tab is not Tab.RESOLVED), 0)
    for one in counts:
        found[one.tab] += one.count
    return found


def row_of(stored: StoredAlert) -> Row:
    """An alert in the inbox."""
    return Row(stored, possible(stored.alert))


def fits(row: Row, address: InboxAddress, wanted: AlertFilter) -> bool:
    """Whether an alert would stand on the page that shows an address, by what can be told of it alone."""
    alert, about = row.stored.alert, row.stored.alert.about
    text = (wanted.text or "").lower()
    searched = f"{about.object} {about.rule} {about.edge or ''} {alert.assignee or ''}".lower()
    return (
        row.tab == address.tab
        and wanted.park in (None, about.park)
        and alert.severity in (wanted.severities or (alert.severity,))
        and about.cause in (wanted.causes or (about.cause,))
        and wanted.rule in (None, about.rule)
        and wanted.object in (None, about.object)
        and wanted.device in (None, about.device)
        and wanted.group_key in (None, row.stored.group_key)
        and wanted.assignee in (None, alert.assignee)
        and wanted.label in (None, alert.label)
        and text in searched
    )
