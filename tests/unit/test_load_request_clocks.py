"""Clocks of load requests: the worked example, what counts for whom, and the laws that no history may break."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from load_request_cases import (
    CALENDAR,
    MORNING,
    RULES,
    histories,
    opened,
    story,
    under_regime,
    with_holidays,
)
from smartpark.clock import PARK_ZONE
from smartpark.load_requests.clocks import Clock, Clocks, clocks_of, counted_days
from smartpark.load_requests.events import (
    Event,
    Handed,
    Moved,
    Resumed,
    SchemeReplied,
    SentBack,
    Suspended,
    Withdrawn,
    happened,
)
from smartpark.load_requests.requests import LoadRequest, follow, replay
from smartpark.load_requests.rules import LoadRequestRules
from smartpark.load_requests.words import Owner, Stage, Standing, SuspendReason, VoltageClass
from smartpark.workdays import CalendarNotCoveredError, DayKind, Holiday, WorkdayCalendar

DAY = timedelta(days=1)
TODAY = st.dates(date(2025, 9, 1), date(2026, 12, 31))


def on(day: str, clock: str = "10:00") -> datetime:
    """Instant of the park's zone."""
    return datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=PARK_ZONE).astimezone(UTC)


def clocks(events: Sequence[Event], today: str, rules: LoadRequestRules = RULES) -> Clocks:
    return clocks_of(replay(events, rules), rules, CALENDAR, date.fromisoformat(today))


def domain_calendar() -> WorkdayCalendar:
    """Autumn of 2026 as the worked example lists it, and nothing else."""
    off = (DayKind.HOLIDAY, Holiday.NATIONAL_DAY)
    worked = (DayKind.MAKE_UP_DAY, Holiday.NATIONAL_DAY)
    holidays = [date(2026, 9, day) for day in (25, 26, 27)] + [date(2026, 10, day) for day in range(1, 8)]
    special = dict.fromkeys(holidays, off) | dict.fromkeys((date(2026, 9, 20), date(2026, 10, 10)), worked)
    return WorkdayCalendar(years=frozenset({2026}), special=special)


@pytest.mark.parametrize("calendar", [CALENDAR, domain_calendar()], ids=["package", "as listed"])
def test_the_worked_example_is_due_on_the_fifteenth_of_october(calendar: WorkdayCalendar):
    # Accepted on Thursday 2026-09-24 with a limit of ten working days: the reply of a scheme at high voltage from
    # one source by the Business Rules of 2024. Monday to Friday would say 2026-10-08.
    rules = under_regime("business_rules_2024")
    request = replay([opened()], rules)
    clock = clocks_of(request, rules, calendar, date(2026, 10, 15)).stage
    assert (clock.rule, clock.limit) == ("limit:rules-2024:scheme:high:single:1", 10)
    assert (clock.due_on, clock.used, clock.left) == (date(2026, 10, 15), 10, 0)
    days = counted_days(request.spans, Owner.UTILITY, date(2026, 10, 15), calendar, closes=time(17))
    assert [f"{day:%m-%d}" for day in days] == [
        *("09-28", "09-29", "09-30"),
        *("10-08", "10-09", "10-10", "10-12", "10-13", "10-14", "10-15"),
    ]
    # 80 % of ten is eight.
    assert clock.at_risk_from == date(2026, 10, 13)
    told = {f"{day:%m-%d}": clock.standing(day) for day in (date(2026, 10, 12 + n) for n in range(5))}
    assert told == {
        "10-12": Standing.IN_TIME,
        "10-13": Standing.AT_RISK,
        "10-14": Standing.AT_RISK,
        "10-15": Standing.DUE,
        "10-16": Standing.OVERDUE,
    }


def test_what_comes_after_the_office_closes_counts_as_of_the_next_day():
    in_time, late = (clocks([opened(at=on("2026-10-12", clock))], "2026-10-12") for clock in ("17:00", "17:01"))
    assert in_time.stage.due_on == date(2026, 11, 2)
    assert late.stage.due_on == date(2026, 11, 3)


def test_the_day_is_that_of_the_park_and_not_of_greenwich():
    # 22:30 on Sunday in Greenwich is Monday morning in the park.
    events = [opened(at=datetime(2026, 10, 11, 22, 30, tzinfo=UTC))]
    assert clocks(events, "2026-10-13").stage.used == 1


def test_a_suspension_counts_for_nobody_and_moves_the_due_day_by_as_much():
    plain = [opened(at=on("2026-10-12"))]
    paused = story(
        (on("2026-10-14"), Suspended(reason=SuspendReason.DOCUMENTS_MISSING)),
        (on("2026-10-21"), Resumed()),
        first=plain[0],
    )
    # 13 and 14 October count; 15, 16, 19, 20 and the day of resumption do not.
    assert clocks(paused, "2026-10-22").stage.used == 3
    assert clocks(paused, "2026-10-22").by_owner == {Owner.UTILITY: 3, Owner.CUSTOMER: 0, Owner.GOVERNMENT: 0}
    five = CALENDAR.add_workdays(date(2026, 11, 2), 5)
    assert (clocks(plain, "2026-10-12").stage.due_on, clocks(paused, "2026-10-22").stage.due_on) == (
        date(2026, 11, 2),
        five,
    )


def test_the_worked_example_with_a_suspension_is_due_on_the_twentieth():
    rules = under_regime("business_rules_2024")
    events = story(
        (on("2026-09-29"), Suspended(reason=SuspendReason.DOCUMENTS_MISSING)),
        (on("2026-10-09"), Resumed()),
        first=opened(at=on("2026-09-24")),
    )
    clock = clocks(events, "2026-10-12", rules).stage
    assert (clock.used, clock.left, clock.due_on) == (4, 6, date(2026, 10, 20))


def test_on_a_day_off_after_the_due_day_it_stands_as_overdue_and_what_is_done_then_is_kept():
    friday, saturday = date(2026, 10, 30), date(2026, 10, 31)
    first = opened(at=on("2026-10-10"))
    found = clocks([first], "2026-10-31")
    assert (found.stage.due_on, found.stage.used) == (friday, 15)
    assert found.stage.standing(saturday) is Standing.OVERDUE
    done = story(
        (on("2026-10-12"), Moved(to=Stage.SURVEY)),
        (on("2026-10-13"), Moved(to=Stage.SCHEME_REPLY)),
        (on("2026-10-31"), SchemeReplied(approved_kva=2000.0)),
        (on("2026-10-31"), Moved(to=Stage.CONSTRUCTION)),
        first=first,
    )
    (use,) = clocks(done, "2026-11-02").limits
    assert (use.used, use.limit) == (15, 15)


def test_while_it_is_the_turn_of_others_our_clock_stands_still_and_theirs_runs():
    events = story(
        (on("2026-10-14"), Handed(to=Owner.CUSTOMER)),
        (on("2026-10-19"), Handed(to=Owner.GOVERNMENT)),
        (on("2026-10-20"), Handed(to=Owner.UTILITY)),
        first=opened(at=on("2026-10-12")),
    )
    with_customer = clocks(events[:2], "2026-10-16")
    assert with_customer.by_owner == {Owner.UTILITY: 2, Owner.CUSTOMER: 2, Owner.GOVERNMENT: 0}
    assert (with_customer.stage.is_running, with_customer.stage.due_on) == (False, None)
    assert with_customer.stage.standing(date(2026, 10, 16)) is Standing.STOPPED
    back = clocks(events, "2026-10-21")
    assert back.by_owner == {Owner.UTILITY: 3, Owner.CUSTOMER: 3, Owner.GOVERNMENT: 1}
    assert back.stage.due_on == CALENDAR.add_workdays(date(2026, 10, 20), 15 - 2)


def test_a_clock_that_stands_still_after_its_limit_is_overdue_all_the_same():
    events = story((on("2026-11-10"), Handed(to=Owner.CUSTOMER)), first=opened(at=on("2026-10-12")))
    clock = clocks(events, "2026-11-20").stage
    assert (clock.used, clock.limit, clock.is_running) == (21, 15, False)
    assert clock.standing(date(2026, 11, 20)) is Standing.OVERDUE


def replied(*, voltage: VoltageClass = VoltageClass.KV10) -> tuple[Event, ...]:
    """A request whose scheme has been replied after the customer's access-system study, where there is one."""
    study = [] if voltage is VoltageClass.KV10 else [(on("2026-10-14"), Moved(to=Stage.ACCESS_STUDY))]
    return story(
        (on("2026-10-13"), Moved(to=Stage.SURVEY)),
        *study,
        (on("2026-10-21"), Moved(to=Stage.SCHEME_REPLY)),
        (on("2026-10-22"), SchemeReplied(approved_kva=2000.0)),
        first=opened(at=on("2026-10-12"), voltage=voltage),
    )


def test_the_reply_of_the_scheme_has_its_limit_from_acceptance():
    clock = clocks(replied(), "2026-10-22").stage
    assert (clock.rule, clock.used) == ("limit:state-grid:scheme:high:single:1", 8)


def test_the_customers_access_study_is_not_counted_and_does_not_begin_the_limit_anew():
    # 13 and 14 October before the study, 22 October after it; the customer's five working days between do not count.
    at_study = clocks(replied(voltage=VoltageClass.KV110)[:3], "2026-10-20")
    assert at_study.by_owner[Owner.CUSTOMER] == 4
    assert at_study.stage.standing(date(2026, 10, 20)) is Standing.NO_LIMIT
    clock = clocks(replied(voltage=VoltageClass.KV110), "2026-10-22").stage
    assert (clock.rule, clock.used) == ("limit:state-grid:scheme:high:single:1", 3)
    assert clock.due_on == CALENDAR.add_workdays(date(2026, 10, 22), 12)


def test_going_back_and_forth_before_the_reply_does_not_stop_its_clock():
    events = story(
        (on("2026-10-13"), Moved(to=Stage.SURVEY)),
        (on("2026-10-16"), SentBack(to=Stage.ACCEPTANCE, reason="survey was of another plot")),
        (on("2026-10-20"), Moved(to=Stage.SURVEY)),
        first=opened(at=on("2026-10-12")),
    )
    assert clocks(events, "2026-10-22").stage.used == 8


def test_who_comes_back_from_a_later_stage_has_the_limit_anew_and_the_total_goes_on():
    events = replied()
    for at, body in (
        (on("2026-10-23"), Moved(to=Stage.CONSTRUCTION)),
        (on("2026-11-10"), SentBack(to=Stage.SCHEME_REPLY, reason="another feeder")),
    ):
        events = (*events, happened(len(events) + 1, at, "lin", body))
    found = clocks(events, "2026-11-11")
    assert (found.stage.used, found.total.used) == (1, 10)
    # On record stays the passage that took longest.
    assert [(use.stage, use.used, use.limit) for use in found.limits] == [(Stage.SCHEME_REPLY, 9, 15)]


def test_what_ended_counts_no_further():
    events = story((on("2026-10-20"), Withdrawn(reason="sold")), first=opened(at=on("2026-10-12")))
    assert clocks(events, "2026-10-20").total.used == clocks(events, "2026-12-31").total.used == 6
    assert clocks(events, "2026-12-31").stage.standing(date(2026, 12, 31), is_ended=True) is Standing.ENDED


def test_a_lead_has_no_clock_and_its_days_are_nobodys():
    events = story((on("2026-10-20"), Moved(to=Stage.ACCEPTANCE)), first=opened(at=on("2026-10-12"), is_lead=True))
    lead = clocks(events[:1], "2026-10-19")
    assert (lead.stage.limit, lead.total.limit, sum(lead.by_owner.values())) == (None, None, 0)
    assert clocks(events, "2026-10-21").by_owner[Owner.UTILITY] == 1


def test_a_due_day_in_a_year_that_nobody_has_entered_is_not_made_up():
    found = clocks([opened(at=on("2026-12-21"))], "2026-12-31")
    assert (found.stage.used, found.stage.due_on, found.stage.at_risk_from) == (8, None, None)
    assert found.stage.standing(date(2026, 12, 31)) is Standing.IN_TIME
    at_risk = clocks([opened(at=on("2026-12-14"))], "2026-12-31").stage
    assert (at_risk.due_on, at_risk.at_risk_from) == (None, date(2026, 12, 30))
    assert at_risk.standing(date(2026, 12, 31)) is Standing.AT_RISK
    with pytest.raises(CalendarNotCoveredError, match="2027"):
        clocks([opened(at=on("2026-12-21"))], "2027-01-04")


def whose(request: LoadRequest, day: date) -> list[Owner | None]:
    """Written apart from the clocks: the turns that a working day counts for; none: suspended."""
    found: list[Owner | None] = []
    for span in request.spans:
        if span.stage is Stage.LEAD:
            continue
        began = span.start.astimezone(PARK_ZONE)
        zero = began.date() if began.time() <= time(17) else began.date() + DAY
        ended = date.max if span.end is None else span.end.astimezone(PARK_ZONE).date()
        if zero < day <= ended:
            found.append(span.owner)
    return found


@given(histories(), TODAY)
def test_a_working_day_counts_once_at_most_and_the_clocks_say_the_same(events: tuple[Event, ...], today: date):
    request = replay(events, RULES)
    found = clocks_of(request, RULES, CALENDAR, today)
    tally: dict[Owner | None, int] = dict.fromkeys((*Owner, None), 0)
    day = request.opened_at.astimezone(PARK_ZONE).date()
    possible = 0
    last = today if request.ended_at is None else min(today, request.ended_at.astimezone(PARK_ZONE).date())
    while (day := day + DAY) <= last:
        if CALENDAR.is_workday(day):
            turns = whose(request, day)
            assert len(turns) <= 1
            possible += request.accepted_at is not None and day > request.accepted_at.astimezone(PARK_ZONE).date()
            for turn in turns:
                tally[turn] += 1
    assert found.by_owner == {owner: tally[owner] for owner in Owner}
    assert sum(tally.values()) <= possible
    for owner in Owner:
        assert sum(stage[owner] for stage in found.by_stage.values()) == found.by_owner[owner]


def later(one: date | None, other: date | None) -> bool:
    """Whether `other` is not before `one`; none lies beyond the calendar."""
    return (one or date.max) <= (other or date.max)


@given(histories(), TODAY, st.sets(TODAY, max_size=40))
def test_holidays_added_never_shorten_a_due_day(events: tuple[Event, ...], today: date, days_off: set[date]):
    request = replay(events, RULES)
    before = clocks_of(request, RULES, CALENDAR, today)
    after = clocks_of(request, RULES, with_holidays(CALENDAR, days_off), today)
    for one, other in ((before.stage, after.stage), (before.total, after.total)):
        assert other.used <= one.used
        assert later(one.due_on, other.due_on)
        assert later(one.at_risk_from, other.at_risk_from)


@given(histories(), TODAY)
def test_it_is_at_risk_before_it_is_due_and_the_days_say_what_was_used(events: tuple[Event, ...], today: date):
    request = replay(events, RULES)
    found = clocks_of(request, RULES, CALENDAR, today)
    for clock in (found.stage, found.total):
        assert later(clock.at_risk_from, clock.due_on)
        if clock.due_on is not None and clock.limit is not None:
            # Two ways to the same word: days compared with a limit, and today compared with a day.
            assert (clock.used > clock.limit) == (
                CALENDAR.workdays_between(clock.due_on, today) > 0 if today >= clock.due_on else False
            )
            assert clock.standing(today) is by_days(clock, today)


def by_days(clock: Clock, today: date) -> Standing:
    """Standing from the days used alone; on a day off after the due day nothing more has been used."""
    assert clock.due_on is not None
    assert clock.limit is not None
    assert clock.risk_at is not None
    if today > clock.due_on:
        return Standing.OVERDUE
    if clock.used >= clock.limit:
        return Standing.DUE
    is_risky = clock.used >= clock.risk_at
    return Standing.AT_RISK if is_risky else Standing.IN_TIME


@given(histories(most=8), st.integers(0, 20 * 24 * 60), st.integers(0, 20 * 24 * 60), TODAY)
def test_suspending_never_counts(events: tuple[Event, ...], pause: int, length: int, today: date):
    before = replay(events, RULES)
    if before.outcome is not None or before.suspended is not None:
        return
    at = before.changed_at + timedelta(minutes=pause)
    until = at + timedelta(minutes=length)
    paused = (*events, happened(len(events) + 1, at, "lin", Suspended(reason=SuspendReason.CUSTOMER_ASKED)))
    resumed = (*paused, happened(len(paused) + 1, until, "lin", Resumed()))
    first, last = (instant.astimezone(PARK_ZONE).date() for instant in (at, until))
    lost = {first + n * DAY for n in range(1, (last - first).days + 1)}
    request = follow(paused, resumed[-1], RULES)
    for owner in Owner:
        counted = counted_days(request.spans, owner, today, CALENDAR, closes=time(17))
        without = counted_days(before.spans, owner, today, CALENDAR, closes=time(17))
        assert not lost.intersection(counted)
        assert set(counted) <= set(without)
    if until.astimezone(PARK_ZONE).time() <= time(17):
        total = sum(clocks_of(request, RULES, CALENDAR, today).by_owner.values())
        plain = sum(clocks_of(before, RULES, CALENDAR, today).by_owner.values())
        is_counted = before.stage is not Stage.LEAD
        zero = before.spans[-1].start.astimezone(PARK_ZONE)
        zero_day = zero.date() + (DAY if zero.time() > time(17) else timedelta())
        expected = sum(CALENDAR.is_workday(day) for day in lost if zero_day < day <= today) if is_counted else 0
        assert plain - total == expected


@given(histories(), TODAY)
def test_the_limit_of_the_stage_is_among_the_limits_used(events: tuple[Event, ...], today: date):
    request = replay(events, RULES)
    found = clocks_of(request, RULES, CALENDAR, today)
    if found.stage.limit is not None:
        (use,) = [use for use in found.limits if use.rule == found.stage.rule]
        assert use.used >= found.stage.used
        assert use.limit == found.stage.limit
    assert len({use.rule for use in found.limits}) == len(found.limits)


def test_an_instant_in_any_zone_is_the_same_instant():
    tokyo = MORNING.astimezone(datetime.fromisoformat("2026-01-01T00:00+09:00").tzinfo)
    assert clocks([opened(at=tokyo)], "2026-10-15") == clocks([opened()], "2026-10-15")
