"""What a desk is measured by, from the spans of its requests: counts, capacity, working days, limits kept.

Pure: requests and a calendar in, numbers out. Durations are of what was finished in the period: of a stage by those
that left it, of the whole by those that were energized. Every share keeps its numerator and denominator; where
nothing was finished there is no median, and not a zero.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray
from smartpark.clock import PARK_ZONE
from smartpark.load_requests.clocks import day_zero
from smartpark.load_requests.events import (
    Amended,
    Assigned,
    Attached,
    Event,
    Opened,
    Undone,
)
from smartpark.load_requests.requests import LoadRequest, Span
from smartpark.load_requests.rules import Case, Limit, LoadRequestRules
from smartpark.load_requests.words import Channel, Outcome, Owner, RequestSource, Stage
from smartpark.workdays import WorkdayCalendar

Days = NDArray[np.int64]

_STAGES: Final = tuple(Stage)
_OWNERS: Final = tuple(Owner)
_NO_ANSWER: Final = (Opened, Assigned, Attached, Amended, Undone)
_NOT_OURS: Final = ("system", "applicant")


@dataclass(frozen=True, slots=True)
class Record:
    """A request as its events make it, and when somebody first did something about it."""

    code: str
    request: LoadRequest
    answered_at: datetime | None


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many."""

    count: int
    of: int

    @property
    def value(self) -> float | None:
        """Their ratio; none of none is no ratio."""
        return None if self.of == 0 else self.count / self.of


@dataclass(frozen=True, slots=True)
class Amount:
    """Requests and their capacity."""

    count: int
    kva: float


@dataclass(frozen=True, slots=True)
class Spread:
    """Median and ninetieth percentile of a number of durations, linear between neighbours."""

    count: int
    median: float | None
    p90: float | None


@dataclass(frozen=True, slots=True)
class StageKpi:
    """How long requests stayed in a stage that they left in the period, and whether its limit was kept."""

    stage: Stage
    by_owner: dict[Owner, Spread]
    """Working days by whose turn it was. [d]"""
    overdue: Share
    """Of those the stage has a limit for: how many used more than it, in any of their passages."""


@dataclass(frozen=True, slots=True)
class Conversion:
    """Leads of a source that were opened in the period, and those of them that have become applications."""

    source: RequestSource
    leads: Amount
    converted: Amount

    @property
    def share(self) -> Share:
        """By number."""
        return Share(self.converted.count, self.leads.count)


@dataclass(frozen=True, slots=True)
class Kpis:
    """Numbers of a period, half-open; `open` is as of its end."""

    start: date
    end: date
    received: Amount
    """Accepted as applications in the period; capacity applied for."""
    open: Amount
    approved: Amount
    """Schemes replied in the period; approved capacity."""
    energized: Amount
    """Approved capacity, where there is no scheme the applied one."""
    planned: Amount
    """Wanted by customers for a day of the period, neither withdrawn nor rejected; capacity applied for."""
    archived: int
    withdrawn: int
    rejected: int
    total_days: Spread
    """Acceptance to energization, whoever's turn it was and suspended or not. [working days]"""
    days_by_owner: dict[Owner, Spread]
    """Of the same requests, by whose turn it was. [working days]"""
    stages: tuple[StageKpi, ...]
    in_limit: Share
    """Archived in the period, with no limit of any stage passed (达标率)."""
    green: Share
    """Of those received."""
    reworked: Share
    """Of those received, how many were ever sent back."""
    reworks: int
    first_answer_days: Spread
    """Acceptance to the first thing the utility did, of those received and answered. [working days]"""
    first_answer_hours: Spread
    """The same by the clock. [h]"""
    unanswered: int
    """Received, and nothing done yet."""
    conversions: tuple[Conversion, ...]


def record_of(code: str, request: LoadRequest, events: Sequence[Event]) -> Record:
    """Record of a request; opening, assigning, filing and what was undone are no answer."""
    undone = {event.body.sequence for event in events if isinstance(event.body, Undone)}
    answers = (
        event.at
        for event in events
        if event.sequence not in undone
        and event.by not in _NOT_OURS
        and not isinstance(event.body, _NO_ANSWER)
        and request.accepted_at is not None
        # What made an application of a lead accepts it; the answer comes after.
        and event.at > request.accepted_at
    )
    return Record(code, request, min(answers, default=None))


def kpis_of(
    records: Sequence[Record],
    rules: LoadRequestRules,
    calendar: WorkdayCalendar,
    *,
    start: date,
    end: date,
    today: date,
) -> Kpis:
    """Numbers of a period.

    Parameters
    ----------
    records : sequence of Record
        All requests that were open at any time of the period.
    start, end : date
        Half-open, in the park's zone.
    today : date
        Last day that is counted of what is still going on.

    Raises
    ------
    smartpark.workdays.CalendarNotCoveredError
        When a day that counts lies in a year nobody has entered.
    """
    spans = _Spans(records, rules, calendar, today)
    requests = [record.request for record in records]
    received = [record for record in records if _within(record.request.accepted_at, start, end)]
    energized = np.array([_within(request.energized_at, start, end) for request in requests], dtype=bool)
    archived = [n for n, r in enumerate(requests) if _ended(r, Outcome.ARCHIVED, start, end)]
    kept = _limits_kept(records, rules, spans)
    answers = [record for record in received if record.answered_at is not None]
    return Kpis(
        start=start,
        end=end,
        received=_applied([record.request for record in received]),
        open=_applied([request for request in requests if _is_open_at(request, end)]),
        approved=_approved([r for r in requests if r.scheme and _within(r.scheme.replied_at, start, end)]),
        energized=_approved([request for request, is_on in zip(requests, energized, strict=True) if is_on]),
        planned=_applied([r for r in requests if _is_planned(r, start, end)]),
        archived=len(archived),
        withdrawn=sum(_ended(r, Outcome.WITHDRAWN, start, end) for r in requests),
        rejected=sum(_ended(r, Outcome.REJECTED, start, end) for r in requests),
        total_days=_spread(spans.whole[energized]),
        days_by_owner={owner: _spread(spans.utility_part[energized, n]) for n, owner in enumerate(_OWNERS)},
        stages=tuple(
            _stage_kpi(
                spans, kept, stage, [n for n, r in enumerate(requests) if _within(_left_at(r, stage), start, end)]
            )
            for stage in _STAGES
        ),
        in_limit=Share(sum(all(kept[n].values()) for n in archived), len(archived)),
        green=Share(sum(r.request.details.channel is Channel.GREEN for r in received), len(received)),
        reworked=Share(sum(r.request.reworks > 0 for r in received), len(received)),
        reworks=sum(record.request.reworks for record in received),
        first_answer_days=_spread(np.array([spans.answer_days(record) for record in answers], dtype=np.int64)),
        first_answer_hours=_spread(np.array([_answer_hours(record) for record in answers], dtype=np.float64)),
        unanswered=len(received) - len(answers),
        conversions=tuple(
            _conversion(requests, source, start, end)
            for source in RequestSource
            if source is not RequestSource.APPLICATION
        ),
    )


class _Spans:
    """Working days of every span of every request, and their sums.

    A working day counts for a span when it lies after the span's day zero and not after its last day; spans of one
    request follow each other, so that no day counts twice. A cumulative count of working days turns each span into a
    difference of two look-ups.
    """

    def __init__(
        self, records: Sequence[Record], rules: LoadRequestRules, calendar: WorkdayCalendar, today: date
    ) -> None:
        self._rules, self._today = rules, today
        requests = [record.request for record in records]
        closes = [rules.practice_on(request.rules_day).closes for request in requests]
        flat = [(n, span) for n, request in enumerate(requests) for span in request.spans]
        zero = np.array([day_zero(s.start, closes[n]).toordinal() for n, s in flat], dtype=np.int64)
        last = np.array([self._last(s.end) for _, s in flat], dtype=np.int64)
        # A day before: a turn that begins after the office closes ends before its day zero when it ends the same day.
        self._first = int(min([today.toordinal(), *zero.tolist()])) - 1
        reach = int(max([today.toordinal() + 1, *zero.tolist()]))
        self._worked = _cumulative(calendar, self._first, reach, today)
        self.days = self._between(zero, last)
        """Working days of each span, shape (n_spans,). [d]"""
        self.request = np.array([n for n, _ in flat], dtype=np.int64)
        stage = np.array([_STAGES.index(span.stage) for _, span in flat], dtype=np.int64)
        owner = np.array([-1 if s.owner is None else _OWNERS.index(s.owner) for _, s in flat], dtype=np.int64)
        self.by_stage = np.zeros((len(requests), len(_STAGES), len(_OWNERS)), dtype=np.int64)
        """Shape (n_requests, n_stages, n_owners). [d]"""
        owned = owner >= 0
        np.add.at(self.by_stage, (self.request[owned], stage[owned], owner[owned]), self.days[owned])
        counted = [s not in (Stage.LEAD, Stage.ARCHIVING) for s in _STAGES]
        self.utility_part: Days = self.by_stage[:, counted].sum(axis=1)
        """Acceptance to energization by owner, shape (n_requests, n_owners). [d]"""
        self.whole = self._whole(requests)
        self.place = np.concatenate([[0], np.cumsum([len(request.spans) for request in requests])]).astype(np.int64)
        """Where the spans of each request begin, shape (n_requests + 1,)."""

    def _last(self, end: datetime | None) -> int:
        return (self._today if end is None else min(self._today, _day(end))).toordinal()

    def _between(self, zero: Days, last: Days) -> Days:
        return np.maximum(0, self._worked[last - self._first] - self._worked[zero - self._first])

    def _whole(self, requests: Sequence[LoadRequest]) -> Days:
        zero = [self._zero(r).toordinal() for r in requests]
        last = [self._last(r.energized_at) for r in requests]
        return self._between(np.array(zero, dtype=np.int64), np.array(last, dtype=np.int64))

    def _zero(self, request: LoadRequest) -> date:
        closes = self._rules.practice_on(request.rules_day).closes
        return day_zero(request.accepted_at or request.opened_at, closes)

    def answer_days(self, record: Record) -> int:
        """Working days [d] from acceptance to the first answer."""
        zero, last = self._zero(record.request).toordinal(), self._last(record.answered_at)
        return int(self._between(np.array([zero]), np.array([last]))[0])


def _cumulative(calendar: WorkdayCalendar, first: int, last: int, today: date) -> Days:
    """Working days up to each day, shape (last - first + 1,); none of those ahead."""
    is_worked = [
        day <= today and calendar.is_workday(day) for day in (date.fromordinal(n) for n in range(first, last + 1))
    ]
    return np.cumsum(is_worked, dtype=np.int64)


def _limits_kept(records: Sequence[Record], rules: LoadRequestRules, spans: _Spans) -> list[dict[Stage, bool]]:
    """Of every request by limited stage it has been through: whether the utility's days stayed within the limit."""
    days = spans.days.tolist()
    row_of: dict[tuple[Stage, Case, date], Limit | None] = {}
    kept: list[dict[Stage, bool]] = []
    for n, record in enumerate(records):
        request, used = record.request, days[spans.place[n] : spans.place[n + 1]]
        case, day = request.details.case, request.rules_day
        found: dict[Stage, bool] = {}
        for stage in dict.fromkeys(span.stage for span in request.spans):
            asked = (stage, case, day)
            if asked not in row_of:
                row_of[asked] = rules.limit_for(*asked)
            row = row_of[asked]
            if row is not None:
                found[stage] = _longest_passage(request.spans, used, row.counts) <= row.working_days
        kept.append(found)
    return kept


def _longest_passage(spans: Sequence[Span], days: Sequence[int], counts: Sequence[Stage]) -> int:
    """Utility days of the longest passage [d] through the stages that a limit counts."""
    first, last = (chosen(_STAGES.index(stage) for stage in counts) for chosen in (min, max))
    worst = used = 0
    for span, count in zip(spans, days, strict=True):
        if not first <= _STAGES.index(span.stage) <= last:
            used = 0
        elif span.stage in counts and span.owner is Owner.UTILITY:
            used += count
        worst = max(worst, used)
    return worst


def _stage_kpi(spans: _Spans, kept: Sequence[dict[Stage, bool]], stage: Stage, left: Sequence[int]) -> StageKpi:
    """Of the requests that left the stage in the period, by their places."""
    judged = [kept[n][stage] for n in left if stage in kept[n]]
    of_stage = spans.by_stage[left, _STAGES.index(stage)]
    return StageKpi(
        stage,
        {owner: _spread(of_stage[:, n]) for n, owner in enumerate(_OWNERS)},
        Share(judged.count(False), len(judged)),
    )


def _left_at(request: LoadRequest, stage: Stage) -> datetime | None:
    """When a request left a stage for the last time; none: it is there, or never was."""
    own = [span for span in request.spans if span.stage is stage]
    return own[-1].end if own else None


def _spread(values: NDArray[np.int64] | NDArray[np.float64]) -> Spread:
    if values.size == 0:
        return Spread(0, None, None)
    median, p90 = np.quantile(values, [0.5, 0.9])
    return Spread(int(values.size), float(median), float(p90))


def _conversion(requests: Sequence[LoadRequest], source: RequestSource, start: date, end: date) -> Conversion:
    leads = [r for r in requests if r.details.source is source and _within(r.opened_at, start, end)]
    return Conversion(source, _applied(leads), _applied([r for r in leads if r.accepted_at is not None]))


def _applied(requests: Sequence[LoadRequest]) -> Amount:
    return Amount(len(requests), float(sum(request.details.applied_kva for request in requests)))


def _approved(requests: Sequence[LoadRequest]) -> Amount:
    kva = [r.details.applied_kva if r.scheme is None else r.scheme.approved_kva for r in requests]
    return Amount(len(kva), float(sum(kva)))


def _is_open_at(request: LoadRequest, end: date) -> bool:
    return _day(request.opened_at) < end and (request.ended_at is None or _day(request.ended_at) >= end)


def _is_planned(request: LoadRequest, start: date, end: date) -> bool:
    wanted = request.details.wanted_on
    is_given_up = request.outcome in (Outcome.WITHDRAWN, Outcome.REJECTED)
    return wanted is not None and start <= wanted < end and not is_given_up


def _ended(request: LoadRequest, outcome: Outcome, start: date, end: date) -> bool:
    return request.outcome is outcome and _within(request.ended_at, start, end)


def _within(at: datetime | None, start: date, end: date) -> bool:
    return at is not None and start <= _day(at) < end


def _day(at: datetime) -> date:
    return at.astimezone(PARK_ZONE).date()


def _answer_hours(record: Record) -> float:
    begun = record.request.accepted_at
    assert begun is not None and record.answered_at is not None  # noqa: S101, PT018  of a request that was received
    return (record.answered_at - begun).total_seconds() / 3600
