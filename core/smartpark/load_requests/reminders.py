"""What a project manager is reminded of: deadlines before they pass, quiet green channels, schemes that run out.

Pure: a request, its clocks and a day in, reminders out. Each carries a key that stays the same for as long as the
reason does, so that whoever sends them says each once. It sends nothing.
"""

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from smartpark.clock import PARK_ZONE
from smartpark.load_requests.clocks import Clock, Clocks, day_zero
from smartpark.load_requests.requests import LoadRequest, Scheme
from smartpark.load_requests.rules import LoadRequestRules, Practice, SchemeValidity
from smartpark.load_requests.words import Channel, Duty, Standing
from smartpark.workdays import CalendarNotCoveredError, WorkdayCalendar


class ReminderKind(StrEnum):
    """Why somebody is reminded."""

    DUE_SOON = "due_soon"
    """So many working days are left."""
    OVERDUE = "overdue"
    """The limit has passed."""
    GREEN_QUIET = "green_quiet"
    """Nothing happened to a green-channel request: it is escalated to the deputy too."""
    SCHEME_EXPIRES = "scheme_expires"
    """The last day to ask for an extension of the scheme, or the end of its validity, is near."""


REMINDER_WORDS = {
    ReminderKind.DUE_SOON: ("即将到期", "due soon"),
    ReminderKind.OVERDUE: ("已超期", "overdue"),
    ReminderKind.GREEN_QUIET: ("绿色通道无进展", "green channel without progress"),
    ReminderKind.SCHEME_EXPIRES: ("供电方案即将失效", "scheme about to expire"),
}
"""Chinese and English word of every kind."""


@dataclass(frozen=True, slots=True)
class Reminder:
    """Something that somebody should act on."""

    kind: ReminderKind
    key: str
    """Same for the same reason: said once."""
    day: date
    """Day that it is about: the due day, the day since which it is quiet, the day the scheme ends."""
    days: int | None
    """Working days left until it (negative: past), or working days of silence; none: the day lies in a year whose
    holidays nobody has entered yet. [d]"""
    duties: tuple[Duty, ...]
    """Who of the park is told."""


def reminders_of(
    request: LoadRequest, clocks: Clocks, rules: LoadRequestRules, calendar: WorkdayCalendar, today: date
) -> list[Reminder]:
    """Reminders that stand on a day, whether or not they have been said.

    Raises
    ------
    smartpark.workdays.CalendarNotCoveredError
        When `today` lies in a year nobody has entered.
    """
    if request.outcome is not None:
        return []
    practice = rules.practice_on(request.rules_day)
    stages = {"stage": f"{request.stage}", "total": "all"}
    found: list[Reminder] = []
    for name, clock in (("stage", clocks.stage), ("total", clocks.total)):
        found += _of_clock(f"{name}:{stages[name]}", clock, practice, calendar, today)
    found += _of_silence(request, practice, calendar, today)
    found += _of_scheme(request, rules, calendar, today)
    return found


def scheme_ends_on(request: LoadRequest, rules: LoadRequestRules) -> tuple[date, date] | None:
    """Last day to ask for the extension of a replied scheme, and last day of its validity; none: no scheme, no row.

    Extended, the scheme is valid for as long again, and both days are its end.
    """
    row = _validity_row(request, rules)
    if row is None or request.scheme is None:
        return None
    end = _months_later(_replied_on(request.scheme), row.months * (2 if request.scheme.is_extended else 1))
    return end if request.scheme.is_extended else end - timedelta(days=row.extension_asked_days_before), end


def _of_clock(
    name: str, clock: Clock, practice: Practice, calendar: WorkdayCalendar, today: date
) -> Iterator[Reminder]:
    if clock.due_on is None:
        return
    stem = f"{name}:{clock.due_on}"
    if clock.standing(today) is Standing.OVERDUE:
        late = calendar.workdays_between(clock.due_on, today)
        yield Reminder(ReminderKind.OVERDUE, f"overdue:{stem}", clock.due_on, -late, (Duty.MANAGER, Duty.DEPUTY))
        return
    left = calendar.workdays_between(today, clock.due_on)
    steps = [step for step in practice.remind_working_days_before if left <= step]
    if steps:
        yield Reminder(ReminderKind.DUE_SOON, f"due:{stem}:{min(steps)}", clock.due_on, left, (Duty.MANAGER,))


def _of_silence(
    request: LoadRequest, practice: Practice, calendar: WorkdayCalendar, today: date
) -> Iterator[Reminder]:
    """A green channel in which nothing has happened for longer than the practice allows; not while suspended."""
    if request.details.channel is not Channel.GREEN or request.suspended is not None:
        return
    since = day_zero(request.changed_at, practice.closes)
    quiet = calendar.workdays_between(since, today) if today > since else 0
    if quiet > practice.green_quiet_working_days:
        key = f"quiet:{request.sequence}"
        yield Reminder(ReminderKind.GREEN_QUIET, key, since, quiet, (Duty.MANAGER, Duty.DEPUTY))


def _of_scheme(
    request: LoadRequest, rules: LoadRequestRules, calendar: WorkdayCalendar, today: date
) -> Iterator[Reminder]:
    days = scheme_ends_on(request, rules)
    row = _validity_row(request, rules)
    if days is None or row is None:
        return
    day = days[0] if today <= days[0] else days[1]
    if day - timedelta(days=row.warned_days_before) <= today:
        left = _left(today, day, calendar)
        key = f"scheme:{day}:{'over' if today > day else 'near'}"
        yield Reminder(ReminderKind.SCHEME_EXPIRES, key, day, left, (Duty.MANAGER, Duty.DEPUTY))


def _left(today: date, day: date, calendar: WorkdayCalendar) -> int | None:
    """A scheme of January runs out although its holidays are not known in December."""
    try:
        return calendar.workdays_between(today, day) if today <= day else -calendar.workdays_between(day, today)
    except CalendarNotCoveredError:
        calendar.is_workday(today)
        return None


def _validity_row(request: LoadRequest, rules: LoadRequestRules) -> SchemeValidity | None:
    if request.scheme is None or request.energized_at is not None:
        return None
    return rules.scheme_validity_for(request.details.case, _replied_on(request.scheme))


def _replied_on(scheme: Scheme) -> date:
    return scheme.replied_at.astimezone(PARK_ZONE).date()


def _months_later(day: date, months: int) -> date:
    """Same day of a later month, or its last day where it has none."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
