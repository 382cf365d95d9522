"""Numbers of the desk against a set worked out by hand, and against the clocks and events of single requests."""

from datetime import date, datetime, time, timedelta
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from load_request_cases import CALENDAR, RULES, histories
from load_request_cases import Desk as Writer
from smartpark.clock import PARK_ZONE
from smartpark.load_requests.clocks import clocks_of, counted_days
from smartpark.load_requests.events import (
    Amended,
    Assigned,
    Attached,
    Commented,
    Details,
    Handed,
    Moved,
    Opened,
    Rejected,
    SchemeReplied,
    SentBack,
    Suspended,
    Undone,
    Withdrawn,
    happened,
)
from smartpark.load_requests.requests import Span, replay
from smartpark.load_requests.words import (
    Channel,
    Outcome,
    Owner,
    RequestKind,
    RequestSource,
    Stage,
    SuspendReason,
    VoltageClass,
)
from smartpark_api.load_requests import service
from smartpark_api.load_requests.kpi_words import Amount, Kpis, Share, Spread
from smartpark_api.load_requests.kpis import WorkingDays
from smartpark_storage import Connection, connect, load_catalogue
from smartpark_storage.load_requests import Person, RequestFilter, put_person
from storage_cases import NOON, park

_parks = count(1)
START, END, TODAY = date(2026, 9, 1), date(2026, 11, 1), date(2026, 10, 31)


def at(text):
    return datetime.strptime(f"2026-{text}", "%Y-%m-%d %H:%M").replace(tzinfo=PARK_ZONE)


def details(**given):
    return Details(
        **{
            "park": "p",
            "applicant": "a",
            "kind": RequestKind.NEW_SUPPLY,
            "applied_kva": 1000.0,
            "voltage": VoltageClass.KV10,
            "contact_role": "r",
        }
        | given
    )


def told(*steps):
    """Events of a request from (when, by, body)."""
    return tuple(happened(n, at(when), by, body) for n, (when, by, body) in enumerate(steps, 1))


def move(to):
    return Moved(to=to)


A = told(
    # High voltage. 2026-09-24 is a Thursday; off are 25-27 September and 1-7 October, 10 October is worked.
    ("09-24 10:00", "chen", Opened(details=details())),
    ("09-24 10:00", "system", Assigned(manager="chen")),
    ("09-28 09:00", "chen", move(Stage.SURVEY)),  # acceptance: 28 = 1 day
    ("09-30 09:00", "chen", move(Stage.SCHEME_REPLY)),  # survey: 29, 30 = 2 days
    ("10-14 15:00", "chen", SchemeReplied(approved_kva=800.0)),
    ("10-14 16:00", "chen", move(Stage.CONSTRUCTION)),  # scheme reply: 8, 9, 10, 12, 13, 14 = 6 days; 9 of 15 in all
    ("10-20 09:00", "chen", move(Stage.COMPLETION_INSPECTION)),  # customer: 15, 16, 19, 20 = 4
    ("10-20 09:30", "chen", Handed(to=Owner.UTILITY)),
    ("10-21 09:00", "chen", move(Stage.CONTRACT)),  # utility: 21 = 1 of 5
    ("10-22 17:30", "chen", move(Stage.ENERGIZATION)),  # customer: 22 = 1; after five: day 0 is the 23rd
    ("10-27 10:00", "chen", move(Stage.ARCHIVING)),  # energization: 26, 27 = 2 of 5
    ("10-28 10:00", "chen", move(None)),  # archiving 28 = 1
)
# Utility 9 + 1 + 2 = 12 (archiving is after energization), customer 4 + 1 = 5. Whole: 24 September to 27 October:
# 28, 29, 30 September, 8, 9, 10, 12-16, 19-23, 26, 27 October = 3 + 3 + 5 + 5 + 2 = 18; the 23rd is in nobody's turn.
B = told(
    # Low voltage, green channel, wanted in October, sent back once: 1 + 2 + 2 days in the second passage.
    ("09-01 09:00", "lin", Opened(details=details(
        voltage=VoltageClass.LOW, channel=Channel.GREEN, applied_kva=100.0, wanted_on=date(2026, 10, 20)))),
    ("09-02 09:00", "lin", move(Stage.SURVEY)),  # 2 = 1
    ("09-04 09:00", "lin", SentBack(to=Stage.ACCEPTANCE, reason="wrong address")),  # 3, 4 = 2
    ("09-07 09:00", "lin", move(Stage.SURVEY)),  # 7 = 1: acceptance 2 in all
    ("09-08 09:00", "lin", move(Stage.SCHEME_REPLY)),  # 8 = 1: survey 3 in all
    ("09-09 09:00", "lin", SchemeReplied(approved_kva=100.0)),
    ("09-09 09:30", "lin", move(Stage.ENERGIZATION)),  # 9 = 1; 6 of 3: too late
    ("09-10 09:00", "lin", move(Stage.ARCHIVING)),  # 10 = 1
    ("09-10 09:00", "lin", move(None)),
)  # fmt: skip
C = told(
    # A lead of a visit that became an application, is suspended and still open.
    ("10-09 10:00", "chen", Opened(details=details(source=RequestSource.PROACTIVE_VISIT, probability=0.5),
                                   is_lead=True)),
    ("10-12 10:00", "chen", move(Stage.ACCEPTANCE)),
    ("10-12 11:00", "chen", move(Stage.SURVEY)),
    ("10-12 11:00", "chen", Undone(sequence=3)),
    ("10-13 11:00", "chen", Suspended(reason=SuspendReason.DOCUMENTS_MISSING)),
)  # fmt: skip
D = told(
    # A lead of the library that came to nothing.
    ("09-15 10:00", "chen", Opened(details=details(source=RequestSource.PROJECT_LIBRARY, applied_kva=3000.0),
                                   is_lead=True)),
    ("09-16 10:00", "chen", Withdrawn(reason="invests elsewhere")),
)  # fmt: skip
E = told(
    ("10-30 16:00", "chen", Opened(details=details(applied_kva=400.0))),
    ("10-30 16:10", "system", Assigned(manager="chen")),
)
F = told(
    ("08-03 10:00", "chen", Opened(details=details(applied_kva=50_000.0))),
    ("08-04 10:00", "applicant", Commented(text="?")),
    ("09-02 10:00", "chen", Rejected(reason="no line")),
)
ALL = (A, B, C, D, E, F)


@pytest.fixture(scope="module")
def writer(shared_database_dsn):
    """Somebody who writes requests of a park that nobody else has."""
    code = f"measured{next(_parks)}"
    with connect(shared_database_dsn, application="test") as connection:
        catalogue = park()
        catalogue = catalogue.model_copy(update={"park": catalogue.park.model_copy(update={"code": code})})
        load_catalogue(connection, catalogue, source="test", loaded_by="test", at=NOON)
        for person in ("lin", "chen"):
            put_person(connection, Person(person, person, person, ""))
        yield Writer(connection, code)
        connection.rollback()


def in_park(events, code):
    """The same, of another park."""
    return [
        event.model_copy(update={"body": event.body.model_copy(update={"details": moved})})
        if (moved := _details_in(event.body, code))
        else event
        for event in events
    ]


def _details_in(body, code):
    return body.details.model_copy(update={"park": code}) if isinstance(body, (Opened, Amended)) else None


def measured(connection: Connection, wanted: RequestFilter, *, today=TODAY, start=START, end=END) -> Kpis:
    desk = service.Desk(connection, RULES, CALENDAR, datetime.combine(today, time(12), PARK_ZONE))
    return service.kpis(desk, wanted, start, end)


@pytest.fixture(scope="module")
def numbers(writer):
    for events in ALL:
        writer.keep(in_park(events, writer.park))
    return measured(writer.connection, RequestFilter(park=writer.park, opened_from=at("01-01 00:00")))


def test_what_came_in_and_went_out(numbers):
    assert numbers.received == Amount(4, 1000.0 + 100.0 + 1000.0 + 400.0), "leads only once they are applications"
    assert numbers.open == Amount(2, 1400.0)
    assert numbers.approved == Amount(2, 900.0)
    assert numbers.energized == Amount(2, 900.0), "what was approved, not what was asked for"
    assert numbers.planned == Amount(1, 100.0)
    assert (numbers.archived, numbers.withdrawn, numbers.rejected) == (2, 1, 1)
    assert numbers.green == Share(1, 4)
    assert (numbers.reworked, numbers.reworks) == (Share(1, 4), 1)


def test_how_long_it_took_by_whose_turn_it_was(numbers):
    # A: 18 days in all, 12 ours, 5 the customer's. B: 2-4, 7-10 September = 7 days, all ours.
    assert numbers.total_days == Spread(2, 12.5, pytest.approx(7 + 0.9 * 11))
    assert numbers.days_by_owner[Owner.UTILITY] == Spread(2, 9.5, pytest.approx(7 + 0.9 * 5))
    assert numbers.days_by_owner[Owner.CUSTOMER] == Spread(2, 2.5, pytest.approx(4.5))
    assert numbers.days_by_owner[Owner.GOVERNMENT] == Spread(2, 0.0, 0.0)


def test_how_long_each_stage_took_and_whether_its_limit_was_kept(numbers):
    stages = {stage.stage: stage for stage in numbers.stages}
    # Acceptance was left by A (1), B (2) and F, rejected there after 20 days of August and two of September.
    assert stages[Stage.ACCEPTANCE].by_owner[Owner.UTILITY] == Spread(3, 2.0, pytest.approx(2 + 0.8 * 20))
    assert stages[Stage.SURVEY].by_owner[Owner.UTILITY] == Spread(2, 2.5, pytest.approx(2.9))
    assert stages[Stage.SCHEME_REPLY].by_owner[Owner.UTILITY] == Spread(2, 3.5, pytest.approx(5.5))
    assert stages[Stage.SCHEME_REPLY].overdue == Share(1, 2), "nine of fifteen, and six of three"
    assert stages[Stage.COMPLETION_INSPECTION].by_owner[Owner.UTILITY] == Spread(1, 1.0, 1.0)
    assert stages[Stage.CONSTRUCTION].by_owner[Owner.CUSTOMER] == Spread(1, 4.0, 4.0)
    assert stages[Stage.CONSTRUCTION].overdue == Share(0, 0), "nothing limits it"
    assert stages[Stage.ENERGIZATION].by_owner[Owner.UTILITY] == Spread(2, 1.5, pytest.approx(1.9))
    assert stages[Stage.ENERGIZATION].overdue == Share(0, 2)
    assert stages[Stage.DESIGN_REVIEW].by_owner[Owner.UTILITY] == Spread(0, None, None)
    assert numbers.in_limit == Share(1, 2)


def test_how_soon_somebody_answered(numbers):
    # A on the first working day after acceptance, B on the next; nothing was done for E, and C's move was undone:
    # its suspension on the next day is the answer.
    assert numbers.first_answer_days == Spread(3, 1.0, 1.0)
    assert numbers.first_answer_hours.count == 3
    assert numbers.first_answer_hours.median == 25.0
    assert numbers.unanswered == 1


def test_what_became_of_leads(numbers):
    visits, library = numbers.conversions
    assert (visits.source, visits.leads, visits.converted) == (
        RequestSource.PROACTIVE_VISIT,
        Amount(1, 1000.0),
        Amount(1, 1000.0),
    )
    assert library.share == Share(0, 1)
    assert library.leads.kva == 3000.0


def test_nothing_has_no_median_and_no_share(writer):
    none = measured(writer.connection, RequestFilter(park="nowhere"))
    assert none.total_days == Spread(0, None, None)
    assert none.stages[1].by_owner[Owner.UTILITY] == Spread(0, None, None)
    assert none.in_limit.value is None
    assert none.received == Amount(0, 0.0)
    assert [one.leads for one in none.conversions] == [Amount(0, 0.0)] * 2


def test_a_limit_passed_since_the_newest_event_is_told(writer):
    # Sent back from the scheme's reply, whose limit of fifteen days goes on from 24 September: due on 22 October.
    events = told(
        ("09-24 10:00", "chen", Opened(details=details())),
        ("09-24 10:00", "chen", move(Stage.SURVEY)),
        ("09-24 10:00", "chen", move(Stage.SCHEME_REPLY)),
        ("09-28 10:00", "chen", SentBack(to=Stage.SURVEY, reason="-")),
    )
    code = writer.keep(in_park(events, writer.park))
    for today, is_overdue in ((date(2026, 10, 22), 0), (date(2026, 10, 23), 1)):
        found = measured(writer.connection, RequestFilter(text=code), today=today)
        assert {stage.stage: stage.overdue for stage in found.stages}[Stage.SCHEME_REPLY] == Share(is_overdue, 1)


def answer_of(request, events):
    """When somebody of the utility first did something that was not undone."""
    undone = {event.body.sequence for event in events if isinstance(event.body, Undone)}
    nothing = (Opened, Assigned, Attached, Amended, Undone)
    return next(
        (
            event.at
            for event in events
            if event.sequence not in undone
            and event.by not in ("system", "applicant")
            and not isinstance(event.body, nothing)
            and event.at > request.accepted_at
        ),
        None,
    )


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events=histories(), cut=st.integers(0, 10_000))
def test_one_request_has_the_days_and_limits_that_its_clocks_say(writer, events, cut):
    events = in_park(events, writer.park)
    code = writer.keep(events)
    request = replay(events, RULES)
    today = (events[-1].at + timedelta(days=3)).astimezone(PARK_ZONE).date()
    clocks = clocks_of(request, RULES, CALENDAR, today)
    # Everything is in the period, so every stage that was left is told with the days of its clock.
    whole = {"start": date(2025, 1, 1), "end": date(2028, 1, 1)}
    found = measured(writer.connection, RequestFilter(text=code), today=today, **whole)
    stages = {stage.stage: stage for stage in found.stages}
    here = None if request.outcome else request.stage
    used = {use.stage: use for use in clocks.limits}
    for stage, by_owner in clocks.by_stage.items():
        is_left = stage is not here
        assert stages[stage].by_owner == {
            owner: Spread(1, days, days) if is_left else Spread(0, None, None) for owner, days in by_owner.items()
        }
        use = used.get(stage) if is_left else None
        assert stages[stage].overdue == (Share(0, 0) if use is None else Share(int(use.used > use.limit), 1))
    # Of two periods that share its life, each stage was left in one: by its events, not its row alone.
    day = events[cut % len(events)].at.astimezone(PARK_ZONE).date()
    parts = [
        {
            stage.stage: stage
            for stage in measured(writer.connection, RequestFilter(text=code), today=today, **part).stages
        }
        for part in ({"start": whole["start"], "end": day}, {"start": day, "end": whole["end"]})
    ]
    for stage, kpi in stages.items():
        left = [part[stage] for part in parts if part[stage].by_owner[Owner.UTILITY].count]
        assert left == [kpi] * kpi.by_owner[Owner.UTILITY].count
    for stage in set(Stage) - set(clocks.by_stage):
        assert stages[stage].by_owner[Owner.UTILITY].count == 0
    passed = [use for use in clocks.limits if use.stage in clocks.by_stage and use.used > use.limit]
    is_archived = request.outcome is Outcome.ARCHIVED
    assert found.in_limit == Share(int(is_archived and not passed), int(is_archived))
    answered = answer_of(request, events) if request.accepted_at else None
    assert found.first_answer_hours.median == (
        None if answered is None else pytest.approx((answered - request.accepted_at).total_seconds() / 3600)
    )
    assert found.unanswered == int(request.accepted_at is not None and answered is None)
    for owner, spread in found.days_by_owner.items():
        before = sum(days[owner] for stage, days in clocks.by_stage.items() if stage is not Stage.ARCHIVING)
        assert spread.median == (before if request.energized_at else None)


@given(
    day=st.dates(date(2026, 1, 1), date(2026, 10, 1)),
    hour=st.times(),
    lasts=st.timedeltas(timedelta(), timedelta(days=60)),
    today=st.dates(date(2026, 6, 1), date(2026, 12, 1)),
)
def test_working_days_of_many_at_once_are_those_counted_one_by_one(day, hour, lasts, today):
    begun = datetime.combine(day, hour, PARK_ZONE)
    ended = min(begun + lasts, datetime.combine(today, time(23), PARK_ZONE))
    span = Span(Stage.SURVEY, Owner.UTILITY, begun, ended)
    closes = RULES.practice_on(begun.date()).closes
    expected = len(counted_days([span], Owner.UTILITY, today, CALENDAR, closes=closes))
    days = WorkingDays(RULES, CALENDAR, today)
    wall = [(at - datetime(1970, 1, 1, tzinfo=PARK_ZONE)).total_seconds() for at in (begun, ended)]
    assert days.between([(wall[0], wall[1])] * 2).tolist() == [expected, expected]
