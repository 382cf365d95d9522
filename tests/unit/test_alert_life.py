"""The life of an alert, held against an independent telling of what a person on call should hear."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from smartpark.alerts.course import Episode, Step, correct, proceed, settle
from smartpark.alerts.detectors import Limit
from smartpark.alerts.events import (
    About,
    Acknowledged,
    Assigned,
    Began,
    Body,
    Cleared,
    Event,
    Evidence,
    Fired,
    HiddenFrom,
    Labelled,
    Measured,
    Resolved,
    Retired,
    Returned,
    Settled,
    Snoozed,
    Told,
    Unacknowledged,
    Withdrawn,
)
from smartpark.alerts.life import REJOIN, Alert, RefusedEventError, follow, replay
from smartpark.alerts.paging import Why, due_page, hidden_now
from smartpark.alerts.rules import Rule
from smartpark.alerts.words import AlertState, Cause, EndedBy, Hidden, Label, PageKind, Resolution, Severity
from smartpark.workdays import builtin_workdays

T0 = datetime(2026, 3, 2, 8, tzinfo=UTC)
ABOUT = About(
    park="minhou", rule="voltage-high", rule_version=1, object="point:minhou/T01/voltage", cause=Cause.POWER_QUALITY
)
RULE = Rule(
    code="voltage-high",
    name="电压偏高",
    name_en="voltage high",
    why="example",
    severity=Severity.WARNING,
    cause=Cause.POWER_QUALITY,
    detector=Limit(above=235.4),
)
SEEN = Evidence(value=251.0, limit=235.4, unit="V")


def _minute(minutes: float) -> datetime:
    return T0 + timedelta(minutes=minutes)


def _event(sequence: int, at: float, body: Body, actor: str = "system") -> Event:
    return Event(sequence=sequence, at=_minute(at), recorded_at=_minute(at), actor=actor, body=body)


def _life(*steps: tuple[float, Body]) -> Alert:
    return replay(_event(place, at, body, "lin") for place, (at, body) in enumerate(steps, start=1))


BEGAN = Began(about=ABOUT, severity=Severity.WARNING, evidence=SEEN)
FIRED = Fired(evidence=SEEN)
CLEARED = Cleared(evidence=SEEN)
RETURNED = Returned(evidence=SEEN)


def test_it_is_pending_then_fires_and_is_resolved_when_the_condition_is_over() -> None:
    assert _life((0, BEGAN)).state is AlertState.PENDING
    assert _life((0, BEGAN), (5, FIRED)).state is AlertState.FIRING
    over = _life((0, BEGAN), (5, FIRED), (20, CLEARED))
    assert (over.state, over.ended_by, over.resolved_at) == (AlertState.RESOLVED, EndedBy.CONDITION, _minute(20))


def test_whoever_acknowledges_it_stands_beside_its_state() -> None:
    seen = _life((0, BEGAN), (5, FIRED), (6, Acknowledged()))
    assert (seen.state, seen.acknowledged_by, seen.acknowledged_at) == (AlertState.FIRING, "lin", _minute(6))
    assert _life((0, BEGAN), (5, FIRED), (6, Acknowledged()), (7, Unacknowledged())).acknowledged_by is None


def test_what_a_person_resolved_does_not_fire_again_before_it_was_over() -> None:
    by_hand = _life((0, BEGAN), (5, FIRED), (6, Resolved(resolution=Resolution.REPAIRED)))
    assert by_hand.holds
    assert not by_hand.rejoins(_minute(10))
    assert proceed(by_hand, _episode(0, 5, None), ABOUT, Severity.WARNING).steps == ()
    over = proceed(by_hand, _episode(0, 5, 30), ABOUT, Severity.WARNING)
    assert [type(step.body) for step in over.steps] == [Cleared]


def test_what_holds_when_its_rule_comes_back_is_an_alert_of_its_own() -> None:
    retired = _life((0, BEGAN), (5, FIRED), (9, Retired(reason="switched off")))
    course = proceed(retired, _episode(0, 5, None, last=30), ABOUT, Severity.WARNING)
    assert course.is_new
    assert [(type(step.body), step.at) for step in course.steps] == [
        (Began, _minute(9)),
        (Fired, _minute(9)),
        (Measured, _minute(30)),
    ]


def test_a_false_alarm_is_kept_as_a_label() -> None:
    ended = _life((0, BEGAN), (5, FIRED), (6, Resolved(resolution=Resolution.FALSE_ALARM)))
    assert ended.label is Label.FALSE_ALARM


def test_what_comes_back_soon_is_the_same_alert_and_late_is_another() -> None:
    over = _life((0, BEGAN), (5, FIRED), (20, CLEARED))
    assert over.rejoins(_minute(30))
    assert not over.rejoins(_minute(20) + REJOIN + timedelta(seconds=1))
    again = _life((0, BEGAN), (5, FIRED), (20, CLEARED), (30, RETURNED))
    assert (again.state, again.reopened, again.cleared_at) == (AlertState.FIRING, 1, None)


def test_the_more_often_it_comes_back_the_longer_it_must_stay_fine() -> None:
    steps: list[tuple[float, Body]] = [(0, BEGAN), (1, FIRED)]
    waits: list[timedelta] = []
    for turn in range(12):
        alert = _life(*steps)
        waits.append(alert.settle())
        steps.append((2 + 2 * turn, Cleared(evidence=SEEN, settle_s=alert.settle().total_seconds())))
        steps.append((3 + 2 * turn, RETURNED))
    assert waits == sorted(waits)
    assert waits[:4] == [timedelta(0), timedelta(0), REJOIN, 2 * REJOIN]
    assert waits[-1] == timedelta(hours=4)
    assert _life(*steps).is_flapping


@pytest.mark.parametrize(
    ("steps", "reason"),
    [
        (((0, FIRED),), "begins by having begun"),
        (((0, BEGAN), (1, BEGAN)), "has begun"),
        (((0, BEGAN), (1, Acknowledged())), "only what fires"),
        (((0, BEGAN), (1, FIRED), (2, FIRED)), "only what is pending"),
        (((0, BEGAN), (1, FIRED), (2, CLEARED), (3, CLEARED)), "over already"),
        (((0, BEGAN), (1, FIRED), (-1, CLEARED)), "before it began"),
        (((0, BEGAN), (1, FIRED), (2, CLEARED), (3, Acknowledged())), "only what fires"),
        (((0, BEGAN), (1, FIRED), (2, Acknowledged()), (3, Acknowledged())), "lin has acknowledged"),
        (((0, BEGAN), (1, FIRED), (2, Settled())), "has not settled"),
        (((0, BEGAN), (1, FIRED), (2, CLEARED), (60, RETURNED)), "so late"),
        (((0, BEGAN), (1, FIRED), (2, Assigned(to=None))), "nobody's already"),
        (((0, BEGAN), (1, FIRED), (2, Snoozed(until=_minute(1)))), "into the future"),
        (((0, BEGAN), (1, Labelled(label=Label.TRUE_ALARM))), "only of what has fired"),
    ],
)
def test_what_cannot_be_is_refused_with_the_reason(steps: tuple[tuple[float, Body], ...], reason: str) -> None:
    with pytest.raises(RefusedEventError, match=reason):
        _life(*steps)


def _episode(since: float, fired: float | None, cleared: float | None, last: float | None = None) -> Episode:
    seen_at = last if last is not None else cleared if cleared is not None else fired if fired is not None else since
    return Episode(
        since=_minute(since),
        fired_at=None if fired is None else _minute(fired),
        cleared_at=None if cleared is None else _minute(cleared),
        last=SEEN,
        last_at=_minute(seen_at),
        worst=SEEN,
        worst_at=_minute(since),
    )


def test_what_a_firing_alert_shows_is_recorded_from_time_to_time() -> None:
    alert = _life((0, BEGAN), (5, FIRED))
    assert proceed(alert, _episode(0, 5, None, last=9), ABOUT, Severity.WARNING).steps == ()
    later = proceed(alert, _episode(0, 5, None, last=10), ABOUT, Severity.WARNING)
    assert [type(step.body) for step in later.steps] == [Measured]


def test_a_pending_alert_that_comes_to_nothing_is_forgotten() -> None:
    pending = _life((0, BEGAN))
    assert proceed(pending, _episode(0, None, 3), ABOUT, Severity.WARNING).is_forgotten


def test_the_worst_is_on_record_when_it_is_over_however_seldom_it_was_recorded() -> None:
    worst = Evidence(value=260.0, limit=235.4, unit="V")
    for alert in (_life((0, BEGAN), (5, FIRED)), _life((0, BEGAN))):
        episode = replace(_episode(0, 5, 7, last=7), worst=worst, worst_at=_minute(6))
        after = alert
        for step in proceed(alert, episode, ABOUT, Severity.WARNING).steps:
            event = Event(sequence=after.sequence + 1, at=step.at, recorded_at=_minute(7), body=step.body)
            after = follow(after, event)
        assert (after.worst, after.worst_at, after.cleared_at) == (worst, _minute(6), _minute(7))


# --- late data ---


def test_late_data_that_show_another_end_correct_the_record() -> None:
    alert = _life((0, BEGAN), (5, FIRED), (20, CLEARED))
    told = correct([alert], [_episode(0, 5, 26)], ABOUT, Severity.WARNING, start=_minute(-60), end=_minute(60))
    ((place, course),) = told.changed
    assert place == 0
    assert told.missed == ()
    after = follow(
        alert, Event(sequence=4, at=course.steps[0].at, recorded_at=_minute(99), body=course.steps[0].body)
    )
    assert (after.cleared_at, after.resolved_at) == (_minute(26), _minute(20))


def test_late_data_that_show_nothing_withdraw_it() -> None:
    alert = _life((0, BEGAN), (5, FIRED), (20, CLEARED))
    told = correct([alert], [], ABOUT, Severity.WARNING, start=_minute(-60), end=_minute(60))
    ((_, course),) = told.changed
    assert [type(step.body) for step in course.steps] == [Withdrawn]


def test_late_data_say_nothing_of_what_reaches_out_of_their_span() -> None:
    alert = _life((0, BEGAN), (5, FIRED), (20, CLEARED))
    assert correct([alert], [], ABOUT, Severity.WARNING, start=_minute(10), end=_minute(60)).changed == ()


def test_late_data_that_say_the_same_change_nothing() -> None:
    alert = _life((0, BEGAN), (5, FIRED), (20, CLEARED))
    told = correct([alert], [_episode(0, 5, 20)], ABOUT, Severity.WARNING, start=_minute(-60), end=_minute(60))
    assert told == ((), ())


def test_what_was_missed_is_recorded_and_nobody_is_woken_once_it_is_old() -> None:
    told = correct([], [_episode(0, 5, 20)], ABOUT, Severity.WARNING, start=_minute(-60), end=_minute(60))
    (course,) = told.missed
    alert = _record(None, course.steps, _minute(3000))
    assert alert.state is AlertState.RESOLVED
    why = _why_hidden(alert, _minute(3000))
    assert why is not None
    assert why.reason is Hidden.LATE
    hidden = _record(alert, (Step(_minute(3000), HiddenFrom(reason=why.reason)),), _minute(3000))
    assert due_page(hidden, _minute(3000)) is None
    # Minutes afterwards it is news, if of what is over.
    assert _why_hidden(alert, _minute(30)) is None
    assert due_page(alert, _minute(30)) == (PageKind.PASSED, 0)


def _why_hidden(alert: Alert, now: datetime) -> Why | None:
    return hidden_now(alert, RULE, now, parents=(), silences=(), calendar=builtin_workdays())


def _record(alert: Alert | None, steps: tuple[Step, ...], now: datetime) -> Alert:
    for step in steps:
        sequence = 1 if alert is None else alert.sequence + 1
        alert = follow(alert, Event(sequence=sequence, at=step.at, recorded_at=now, body=step.body))
    assert alert is not None
    return alert


# --- told once, however often it is evaluated ---


@dataclass
class Office:
    """Keeps events as a database would, evaluates, and notes what people are told."""

    restarts: bool
    """Whether it knows no more than what is stored whenever it is asked."""
    alerts: list[list[Event]] = field(default_factory=list[list[Event]])
    told: list[tuple[int, PageKind, datetime]] = field(default_factory=list[tuple[int, PageKind, datetime]])
    _known: Alert | None = None

    def newest(self) -> Alert | None:
        if self.restarts:
            return replay(self.alerts[-1]) if self.alerts else None
        return self._known

    def turn(self, episode: Episode | None, now: datetime) -> None:
        if episode is not None:
            self._evaluate(episode, now)
        newest = self.newest()
        for step in () if newest is None else settle(newest, now):
            self._add(step, now)
        newest = self.newest()
        page = None if newest is None else due_page(newest, now)
        if page is not None:
            self.told.append((len(self.alerts), page.kind, now))
            self._add(Step(now, Told(kind=page.kind, contacts=("duty",))), now)

    def _evaluate(self, episode: Episode, now: datetime) -> None:
        course = proceed(self.newest(), episode, ABOUT, Severity.WARNING)
        if course.is_forgotten:
            self.alerts.pop()
            self._known = replay(self.alerts[-1]) if self.alerts else None
        if course.is_new:
            self.alerts.append([])
            self._known = None
        for step in course.steps:
            self._add(step, now)

    def _add(self, step: Step, now: datetime) -> None:
        events = self.alerts[-1]
        events.append(Event(sequence=len(events) + 1, at=step.at, recorded_at=now, body=step.body))
        self._known = follow(self._known, events[-1])


SPANS = st.lists(st.tuples(st.integers(1, 60), st.integers(1, 40)), min_size=1, max_size=6)


def _news(spans: list[tuple[int, int]], must_last: int, now: int) -> Episode | None:
    """The newest breach that has begun, as an evaluation at a minute sees it."""
    begin = 0
    newest: Episode | None = None
    for pause, lasts in spans:
        begin += pause
        if begin > now:
            break
        fires = begin + must_last if lasts >= must_last and now >= begin + must_last else None
        newest = _episode(begin, fires, begin + lasts if now >= begin + lasts else None, last=min(now, begin + lasts))
        begin += lasts
    return newest


@settings(max_examples=50, deadline=None)
@given(
    spans=SPANS,
    must_last=st.sampled_from([0, 1, 15]),
    every=st.integers(2, 11),
    repeats=st.lists(st.integers(1, 3), min_size=1, max_size=7),
)
def test_people_hear_of_each_event_once_however_often_it_is_evaluated(
    spans: list[tuple[int, int]], must_last: int, every: int, repeats: list[int]
) -> None:
    """Repeated evaluations and restarts (each evaluation begins by folding what was stored) change nothing."""
    once, often = Office(restarts=False), Office(restarts=True)
    end = sum(pause + lasts for pause, lasts in spans) + 300
    for now in range(0, end, every):
        episode = _news(spans, must_last, now)
        once.turn(episode, _minute(now))
        for _ in range(repeats[now % len(repeats)]):
            often.turn(episode, _minute(now))
    assert often.told == once.told
    assert often.alerts == once.alerts
    _hold_what_people_may_expect(once, sum(lasts >= must_last for _, lasts in spans))


def _hold_what_people_may_expect(office: Office, real: int) -> None:
    beginnings = {PageKind.FIRED, PageKind.AGAIN, PageKind.FLAPPING, PageKind.PASSED}
    for place in range(1, len(office.alerts) + 1):
        mine = [kind for alert, kind, _ in office.told if alert == place]
        # Nobody hears an end of what they never heard began, nor a beginning without its end.
        assert mine[0] in {PageKind.FIRED, PageKind.PASSED}
        assert mine[-1] in {PageKind.RESOLVED, PageKind.PASSED}
        assert mine.count(PageKind.FLAPPING) <= 1
        assert all(b in beginnings for a, b in pairwise(mine) if a in {PageKind.RESOLVED, PageKind.PASSED})
    told = sum(kind in beginnings for _, kind, _ in office.told)
    assert (told > 0) is (real > 0)
    assert told <= real


def test_a_storm_of_returns_is_told_a_few_times() -> None:
    """Two minutes on, two minutes off, for a day: 360 breaches."""
    office = Office(restarts=False)
    for now in range(24 * 60 + 300):
        office.turn(_news([(2, 2)] * 360, 0, now), _minute(now))
    assert [kind for _, kind, _ in office.told] == [
        PageKind.FIRED,
        PageKind.RESOLVED,
        PageKind.AGAIN,
        PageKind.RESOLVED,
        PageKind.FLAPPING,
        PageKind.RESOLVED,
    ]
