"""Which notices are to be planned now: one pass over the open requests. It sends nothing.

A pass may be repeated at any time: a notice is known by its key, and one on record is not planned again. People are
told on working days and from the opening of the office on; what became due in the night is told in the morning.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final

from smartpark.clock import PARK_ZONE
from smartpark.load_requests.clocks import Clocks, clocks_of
from smartpark.load_requests.reminders import Reminder, reminders_of
from smartpark.load_requests.requests import LoadRequest, replay
from smartpark.load_requests.rules import LoadRequestRules
from smartpark.load_requests.words import Channel, Duty, Standing
from smartpark.workdays import WorkdayCalendar
from smartpark_storage import Connection
from smartpark_storage.load_requests import (
    Notice,
    Person,
    RequestFilter,
    RequestOrder,
    manager_on,
    plan_notice,
    read_events_of,
    read_persons,
    read_rows,
)

DIGEST: Final = "digest"
"""Kind of the notice that tells a manager of all of theirs; the other kinds are those of `ReminderKind`."""
_PAGE: Final = 200
_URGENT: Final = (Standing.OVERDUE, Standing.DUE, Standing.AT_RISK)


@dataclass(frozen=True, slots=True)
class Subject:
    """An open request on a day, with what it reminds of."""

    code: str
    request: LoadRequest
    clocks: Clocks
    reminders: tuple[Reminder, ...]

    def document(self, today: date) -> dict[str, Any]:
        """What the words of a notice are made of."""
        details, clock = self.request.details, self.clocks.stage
        return {
            "code": self.code,
            "park": details.park,
            "applicant": details.applicant,
            "applied_kva": details.applied_kva,
            "voltage": details.voltage.value,
            "channel": details.channel.value,
            "stage": self.request.stage.value,
            "owner": self.request.owner.value,
            "standing": clock.standing(today).value,
            "due_on": None if clock.due_on is None else clock.due_on.isoformat(),
            "left": clock.left if clock.is_running else None,
            "rule": clock.rule,
        }


@dataclass(slots=True)
class PlanReport:
    """What a pass came to."""

    requests: int = 0
    """Open requests looked at."""
    planned: Counter[str] = field(default_factory=Counter[str])
    """New notices by kind."""
    unmanaged: list[str] = field(default_factory=list[str])
    """Requests about which somebody should be told, and nobody is in charge."""


@dataclass(frozen=True, slots=True)
class Office:
    """By which rules and working days people are told."""

    rules: LoadRequestRules
    calendar: WorkdayCalendar

    def is_open(self, now: datetime) -> bool:
        """Whether people are told of anything at this moment."""
        local = now.astimezone(PARK_ZONE)
        opens = self.rules.practice_on(local.date()).opens
        return self.calendar.is_workday(local.date()) and local.time() >= opens


def plan(connection: Connection, office: Office, now: datetime) -> PlanReport:
    """Plan what is to be told and has not been.

    Raises
    ------
    smartpark.workdays.CalendarNotCoveredError
        When today lies in a year nobody has entered; then nothing is planned.
    """
    report = PlanReport()
    if office.is_open(now):
        for notice in standing_notices(connection, office, now, report):
            report.planned[notice.kind] += plan_notice(connection, notice, at=now)
    return report


def standing_notices(
    connection: Connection, office: Office, now: datetime, report: PlanReport | None = None
) -> Iterator[Notice]:
    """What there is to tell at a moment, told already or not; `report` counts what was looked at."""
    counts = PlanReport() if report is None else report
    today = now.astimezone(PARK_ZONE).date()
    people = {person.code: person for person in read_persons(connection, is_active=True)}
    agenda: dict[str, list[Subject]] = defaultdict(list)
    for page in _pages(connection, today):
        for subject in _subjects(connection, page, office, today):
            counts.requests += 1
            told = _in_charge(connection, subject, people, today)
            if Duty.MANAGER in told:
                agenda[told[Duty.MANAGER]].append(subject)
            if subject.reminders and not told:
                counts.unmanaged.append(subject.code)
            yield from _reminders(subject, told, today)
    for person, subjects in agenda.items():
        yield _digest(person, subjects, today)


def _pages(connection: Connection, today: date) -> Iterator[list[str]]:
    """Codes of the open requests."""
    after = None
    while True:
        rows = read_rows(
            connection,
            RequestFilter(is_open=True),
            today=today,
            order=RequestOrder.CODE,
            limit=_PAGE,
            after=after,
        )
        if not rows:
            return
        yield [row.code for row in rows]
        after = rows[-1].code


def _subjects(connection: Connection, codes: Iterable[str], office: Office, today: date) -> Iterator[Subject]:
    for code, events in read_events_of(connection, codes).items():
        request = replay(events, office.rules)
        clocks = clocks_of(request, office.rules, office.calendar, today)
        reminders = reminders_of(request, clocks, office.rules, office.calendar, today)
        yield Subject(code, request, clocks, tuple(reminders))


def _in_charge(
    connection: Connection, subject: Subject, people: Mapping[str, Person], today: date
) -> dict[Duty, str]:
    """Whose request it is, and the deputy of its park; who has left is nobody."""
    manager, deputy = manager_on(connection, subject.request.details.park, today)
    assigned = subject.request.manager
    first = assigned if assigned in people else None if manager is None else manager.code
    found = {Duty.MANAGER: first, Duty.DEPUTY: None if deputy is None else deputy.code}
    return {duty: person for duty, person in found.items() if person is not None and person in people}


def _reminders(subject: Subject, told: Mapping[Duty, str], today: date) -> Iterator[Notice]:
    for reminder in subject.reminders:
        for person in sorted({told[duty] for duty in reminder.duties if duty in told}):
            document = subject.document(today) | {"reminder": _plain(reminder)}
            key = f"{subject.code}:{reminder.key}:{person}"
            yield Notice(key, reminder.kind.value, person, subject.code, document)


def _plain(reminder: Reminder) -> dict[str, Any]:
    return {"kind": reminder.kind.value, "day": reminder.day.isoformat(), "days": reminder.days}


def _digest(person: str, subjects: list[Subject], today: date) -> Notice:
    """One a day for each manager: what is late or about to be, the worst first."""
    documents = [subject.document(today) for subject in subjects]
    urgent = [one for one in documents if one["standing"] in _URGENT]
    urgent.sort(key=lambda one: (_URGENT.index(Standing(one["standing"])), one["due_on"] or "", one["code"]))
    document = {
        "day": today.isoformat(),
        "open": len(documents),
        "kva": sum(one["applied_kva"] for one in documents),
        "green": sum(one["channel"] == Channel.GREEN.value for one in documents),
        "standings": dict(Counter(one["standing"] for one in documents)),
        "urgent": urgent,
    }
    return Notice(f"{DIGEST}:{person}:{today}", DIGEST, person, None, document)
