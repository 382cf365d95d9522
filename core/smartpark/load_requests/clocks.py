"""Two clocks of a load request, ours and the customer's (and the government's): working days by whose turn it is.

Day 0 of a turn is the day it begins, or the next one when it begins after the office closes; every working day after
day 0, up to and including the day the turn ends, counts for its owner. A working day counts at most once. Nothing
counts while the request is suspended: the day of suspension still does, the day of resumption is a new day 0.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from math import ceil

from smartpark.clock import PARK_ZONE
from smartpark.load_requests.requests import LoadRequest, Span
from smartpark.load_requests.rules import Limit, LoadRequestRules, Practice, Total
from smartpark.load_requests.words import Owner, Stage, Standing
from smartpark.workdays import CalendarNotCoveredError, WorkdayCalendar

_DAY = timedelta(days=1)
_ORDER = tuple(Stage)
"""In the order of every template."""


@dataclass(frozen=True, slots=True)
class Clock:
    """Working days used of a limit."""

    used: int
    """Working days that count. [d]"""
    limit: int | None
    """None: no row limits it. [d]"""
    risk_at: int | None
    """Working days used from which it is at risk; none: no limit. [d]"""
    due_on: date | None
    """Last day in time; none: no limit, the clock stands still, or the calendar does not reach so far."""
    at_risk_from: date | None
    """Day on which `risk_at` is reached; none: as for `due_on`."""
    rule: str | None
    """Id of the row that limits it."""
    is_running: bool

    @property
    def left(self) -> int | None:
        """Working days [d] left; negative: so many too late."""
        return None if self.limit is None else self.limit - self.used

    def standing(self, today: date, *, is_ended: bool = False) -> Standing:
        """How it stands on a day.

        A clock that stands still is overdue all the same when its limit has been passed.
        """
        if is_ended:
            return Standing.ENDED
        if self.limit is None:
            return Standing.NO_LIMIT
        if not self.is_running:
            return Standing.OVERDUE if self.used > self.limit else Standing.STOPPED
        return standing_of(self.due_on, self.at_risk_from, today)


def standing_of(due_on: date | None, at_risk_from: date | None, today: date) -> Standing:
    """How a running clock with a limit stands on a day, from the two days that were computed for it.

    A day that is none lies beyond what the calendar covers, hence ahead of every day that it can be asked about.
    """
    if due_on is not None and today > due_on:
        return Standing.OVERDUE
    if today == due_on:
        return Standing.DUE
    return Standing.AT_RISK if at_risk_from is not None and today >= at_risk_from else Standing.IN_TIME


@dataclass(frozen=True, slots=True)
class LimitUse:
    """A limit that counted, and what was used of it."""

    stage: Stage
    """Whose limit it is."""
    rule: str
    """Id of the row."""
    used: int
    """Working days of the utility; where the stages were passed more than once, of the longest passage. [d]"""
    limit: int
    """[d]"""


@dataclass(frozen=True, slots=True)
class Clocks:
    """All clocks of a request on a day."""

    on: date
    """The day."""
    stage: Clock
    """Of the limit whose clock runs in the present stage."""
    total: Clock
    """Of the utility's part as a whole."""
    by_owner: dict[Owner, int]
    """Working days since acceptance by whose turn it was. [d]"""
    by_stage: dict[Stage, dict[Owner, int]]
    """The same, by stage. [d]"""
    limits: tuple[LimitUse, ...] = ()
    """Of every limit that counted so far, in the order of the stages."""


def counted_days(
    spans: Iterable[Span], owner: Owner, until: date, calendar: WorkdayCalendar, *, closes: time | None
) -> list[date]:
    """Working days that count for an owner, ascending.

    Parameters
    ----------
    spans : iterable of Span
        In the order of time.
    until : date
        Last day that is looked at; of a span still running every day up to it counts.
    """
    days: set[date] = set()
    for span in spans:
        if span.owner is not owner:
            continue
        first = day_zero(span.start, closes)
        last = min(until, until if span.end is None else _local(span.end).date())
        here = first + _DAY
        while here <= last:
            if calendar.is_workday(here):
                days.add(here)
            here += _DAY
    return sorted(days)


def day_zero(start: datetime, closes: time | None) -> date:
    """Day from which a turn that begins at an instant is counted."""
    local = _local(start)
    return local.date() + (_DAY if closes is not None and local.time() > closes else timedelta())


def clocks_of(request: LoadRequest, rules: LoadRequestRules, calendar: WorkdayCalendar, today: date) -> Clocks:
    """Clocks of a request on a day, by the rules of the day it was accepted.

    Raises
    ------
    smartpark.workdays.CalendarNotCoveredError
        When a day that counts lies in a year nobody has entered.
    """
    closes = rules.practice_on(request.rules_day).closes
    spans = [span for span in request.spans if span.stage is not Stage.LEAD]
    last = today if request.ended_at is None else min(today, _local(request.ended_at).date())
    by_stage = {
        stage: {
            owner: len(counted_days([s for s in spans if s.stage is stage], owner, last, calendar, closes=closes))
            for owner in Owner
        }
        for stage in dict.fromkeys(span.stage for span in spans)
    }
    return Clocks(
        on=today,
        stage=_stage_clock(request, rules, calendar, last),
        total=_total_clock(request, rules, calendar, last),
        by_owner={owner: len(counted_days(spans, owner, last, calendar, closes=closes)) for owner in Owner},
        by_stage=by_stage,
        limits=_limits_used(request, rules, calendar, last),
    )


def _limits_used(
    request: LoadRequest, rules: LoadRequestRules, calendar: WorkdayCalendar, last: date
) -> tuple[LimitUse, ...]:
    closes = rules.practice_on(request.rules_day).closes
    found: dict[str, LimitUse] = {}
    for stage in sorted({span.stage for span in request.spans} - {Stage.LEAD}, key=_ORDER.index):
        row = rules.limits_covering(stage, request.details.case, request.rules_day)
        if row is not None and row.id not in found:
            passages = _passages(request.spans, row.counts)
            used = max(len(counted_days(p, Owner.UTILITY, last, calendar, closes=closes)) for p in passages)
            found[row.id] = LimitUse(row.stage, row.id, used, row.working_days)
    return tuple(found.values())


def _stage_clock(request: LoadRequest, rules: LoadRequestRules, calendar: WorkdayCalendar, today: date) -> Clock:
    row = None
    if request.stage is not Stage.LEAD:
        row = rules.limits_covering(request.stage, request.details.case, request.rules_day)
    covered = (request.stage,) if row is None else row.counts
    spans = _passages(request.spans, covered)[-1]
    return _clock(spans, row, rules.practice_on(request.rules_day), calendar, today)


def _passages(spans: Sequence[Span], covered: Sequence[Stage]) -> list[list[Span]]:
    """Spans of each passage through the stages: who comes back to them later has their limit anew.

    Going back and forth among them does not stop their clock, else a rework of our own would hide that we are late;
    nor does a stage between them that does not count itself, such as the customer's access-system study.
    """
    first, last = (chosen(_ORDER.index(stage) for stage in covered) for chosen in (min, max))
    passages: list[list[Span]] = []
    is_inside = False
    for span in spans:
        was_inside, is_inside = is_inside, first <= _ORDER.index(span.stage) <= last
        if is_inside and not was_inside:
            passages.append([])
        if span.stage in covered:
            passages[-1].append(span)
    return passages


def _total_clock(request: LoadRequest, rules: LoadRequestRules, calendar: WorkdayCalendar, today: date) -> Clock:
    """Every utility day since acceptance, reworks included, until it is energized."""
    row = None if request.accepted_at is None else rules.total_for(request.details.case, request.rules_day)
    spans = [span for span in request.spans if span.stage not in (Stage.LEAD, Stage.ARCHIVING)]
    return _clock(spans, row, rules.practice_on(request.rules_day), calendar, today)


def _clock(
    spans: Sequence[Span],
    row: Limit | Total | None,
    practice: Practice,
    calendar: WorkdayCalendar,
    today: date,
) -> Clock:
    days = counted_days(spans, Owner.UTILITY, today, calendar, closes=practice.closes)
    running = bool(spans) and spans[-1].end is None and spans[-1].owner is Owner.UTILITY
    if row is None:
        return Clock(len(days), None, None, None, None, None, running)
    risk_at = ceil(practice.at_risk_share * row.working_days - 1e-9)
    if not running:
        return Clock(len(days), row.working_days, risk_at, None, None, row.id, running)
    zero = day_zero(spans[-1].start, practice.closes)
    due_on, at_risk_from = (_nth(days, zero, count, calendar) for count in (row.working_days, risk_at))
    return Clock(len(days), row.working_days, risk_at, due_on, at_risk_from, row.id, running)


def _nth(days: Sequence[date], zero: date, count: int, calendar: WorkdayCalendar) -> date | None:
    """Day on which `count` working days are used: one of those counted, or one ahead of the running turn.

    None where it lies beyond what the calendar covers: next year's holidays are announced late in the year, and a
    request of December is accepted all the same.
    """
    if len(days) >= count:
        return days[count - 1]
    newest = max([zero, *days[-1:]])
    try:
        return calendar.add_workdays(newest, count - len(days))
    except CalendarNotCoveredError:
        return None


def _local(at: datetime) -> datetime:
    return at.astimezone(PARK_ZONE)
