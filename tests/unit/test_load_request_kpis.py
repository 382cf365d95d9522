"""Numbers of the desk against a set worked out by hand, and against the clocks of single requests."""

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from smartpark.clock import PARK_ZONE
from smartpark.load_requests.clocks import clocks_of
from smartpark.load_requests.events import (
    Assigned,
    Commented,
    Details,
    Handed,
    Moved,
    Opened,
    Rejected,
    Resumed,
    SchemeReplied,
    SentBack,
    Suspended,
    Undone,
    Withdrawn,
    happened,
)
from smartpark.load_requests.requests import follow, replay
from smartpark.load_requests.rules import builtin_load_request_rules
from smartpark.load_requests.words import (
    Channel,
    Owner,
    RequestKind,
    RequestSource,
    Stage,
    SuspendReason,
    VoltageClass,
)
from smartpark.workdays import builtin_workdays
from smartpark_api.load_requests.kpis import Amount, Share, Spread, kpis_of, record_of

RULES = builtin_load_request_rules()
CALENDAR = builtin_workdays()
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


def told(code, *steps):
    """Record of a request from (when, by, body)."""
    events = tuple(happened(n, at(when), by, body) for n, (when, by, body) in enumerate(steps, 1))
    return record_of(code, replay(events, RULES), events)


def move(to):
    return Moved(to=to)


A = told(
    # High voltage. 2026-09-24 is a Thursday; off are 25-27 September and 1-7 October, 10 October is worked.
    "A",
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
    "B",
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
    "C",
    ("10-09 10:00", "chen", Opened(details=details(source=RequestSource.PROACTIVE_VISIT, probability=0.5),
                                   is_lead=True)),
    ("10-12 10:00", "chen", move(Stage.ACCEPTANCE)),
    ("10-12 11:00", "chen", move(Stage.SURVEY)),
    ("10-12 11:00", "chen", Undone(sequence=3)),
    ("10-13 11:00", "chen", Suspended(reason=SuspendReason.DOCUMENTS_MISSING)),
)  # fmt: skip
D = told(
    # A lead of the library that came to nothing.
    "D",
    ("09-15 10:00", "chen", Opened(details=details(source=RequestSource.PROJECT_LIBRARY, applied_kva=3000.0),
                                   is_lead=True)),
    ("09-16 10:00", "chen", Withdrawn(reason="invests elsewhere")),
)  # fmt: skip
E = told(
    "E",
    ("10-30 16:00", "chen", Opened(details=details(applied_kva=400.0))),
    ("10-30 16:10", "system", Assigned(manager="chen")),
)
F = told(
    "F",
    ("08-03 10:00", "chen", Opened(details=details(applied_kva=50_000.0))),
    ("08-04 10:00", "applicant", Commented(text="?")),
    ("09-02 10:00", "chen", Rejected(reason="no line")),
)
ALL = (A, B, C, D, E, F)


@pytest.fixture(scope="module")
def numbers():
    return kpis_of(ALL, RULES, CALENDAR, start=START, end=END, today=TODAY)


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


def test_nothing_has_no_median_and_no_share():
    none = kpis_of((), RULES, CALENDAR, start=START, end=END, today=TODAY)
    assert none.total_days == Spread(0, None, None)
    assert none.in_limit.value is None
    assert none.received == Amount(0, 0.0)


WAITS = st.lists(st.integers(0, 12 * 24), min_size=3, max_size=12)


@given(waits=WAITS, choices=st.lists(st.integers(0, 3), min_size=12, max_size=12))
def test_stages_and_owners_have_the_days_that_their_clocks_say(waits, choices):
    moment = at("03-02 09:00")
    events = [happened(1, moment, "x", Opened(details=details()))]
    for wait, choice in zip(waits, choices, strict=False):
        moment += timedelta(hours=wait)
        state = replay(events, RULES)
        other = Owner.CUSTOMER if state.owner is Owner.UTILITY else Owner.UTILITY
        body = Resumed() if state.suspended else (
            Handed(to=other),
            Suspended(reason=SuspendReason.OTHER),
            SentBack(to=Stage.ACCEPTANCE, reason="-") if state.earlier_stages else Handed(to=other),
            SchemeReplied(approved_kva=1.0)
            if state.stage is Stage.SCHEME_REPLY and state.scheme is None
            else Moved(to=state.next_stage),
        )[choice]  # fmt: skip
        if state.outcome is not None:
            break
        new = happened(len(events) + 1, moment, "x", body)
        follow(events, new, RULES)
        events.append(new)
    record = record_of("R", replay(events, RULES), events)
    today = (moment + timedelta(days=3)).date()
    clocks = clocks_of(record.request, RULES, CALENDAR, today)
    # Everything is in the period, so every stage that was left is told with the days of its clock.
    numbers = kpis_of((record,), RULES, CALENDAR, start=date(2026, 1, 1), end=date(2027, 1, 1), today=today)
    stages = {stage.stage: stage for stage in numbers.stages}
    here = None if record.request.outcome else record.request.stage
    for stage, by_owner in clocks.by_stage.items():
        if stage is not here:
            for owner, days in by_owner.items():
                assert stages[stage].by_owner[owner].median == days
    used = {use.stage: use for use in clocks.limits}
    for stage, use in used.items():
        if stage is not here and stage in clocks.by_stage:
            assert stages[stage].overdue == Share(int(use.used > use.limit), 1)
