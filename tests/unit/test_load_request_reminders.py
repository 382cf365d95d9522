"""Whom a load request reminds of what, and when: worked days of autumn 2026, and what never reminds anybody."""

from dataclasses import replace
from datetime import date, datetime

import pytest
from smartpark.clock import PARK_ZONE
from smartpark.load_requests.clocks import clocks_of
from smartpark.load_requests.events import (
    Commented,
    Details,
    Handed,
    Moved,
    Opened,
    SchemeExtended,
    SchemeReplied,
    Suspended,
    Withdrawn,
    happened,
)
from smartpark.load_requests.reminders import REMINDER_WORDS, ReminderKind, reminders_of, scheme_ends_on
from smartpark.load_requests.requests import replay
from smartpark.load_requests.rules import builtin_load_request_rules
from smartpark.load_requests.words import Channel, Duty, Owner, RequestKind, Stage, SuspendReason, VoltageClass
from smartpark.workdays import CalendarNotCoveredError, builtin_workdays
from smartpark_ingest.notices.wording import words_of

RULES = builtin_load_request_rules()


def details(**changes):
    base = {
        "park": "p",
        "applicant": "福州某机械",
        "kind": RequestKind.NEW_SUPPLY,
        "applied_kva": 2000,
        "voltage": VoltageClass.KV10,
        "contact_role": "设备科",
    }
    return Details(**(base | changes))


def request_of(*bodies, **changes):
    """Request opened on Thursday 2026-09-24 at ten; the bodies are (moment, body)."""
    opened = ("2026-09-24T10:00", Opened(details=details(**changes)))
    events = [
        happened(n, datetime.fromisoformat(at).replace(tzinfo=PARK_ZONE), "lin", body)
        for n, (at, body) in enumerate((opened, *bodies), start=1)
    ]
    return replay(events, RULES)


def on(request, day):
    """Kinds and days left of the reminders of the stage's clock and of the others."""
    today = date.fromisoformat(day)
    clocks = clocks_of(request, RULES, builtin_workdays(), today)
    return [
        (one.kind, one.days)
        for one in reminders_of(request, clocks, RULES, builtin_workdays(), today)
        if one.key.split(":")[1] != "total"
    ]


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        # 15 working days after 24 September: 28 to 30, then 8 to 10, 12 to 16 and 19 to 22 October.
        ("2026-10-16", []),
        ("2026-10-19", [(ReminderKind.DUE_SOON, 3)]),
        ("2026-10-21", [(ReminderKind.DUE_SOON, 1)]),
        ("2026-10-22", [(ReminderKind.DUE_SOON, 0)]),
        ("2026-10-23", [(ReminderKind.OVERDUE, -1)]),
        ("2026-10-26", [(ReminderKind.OVERDUE, -2)]),
    ],
)
def test_a_deadline_is_told_three_one_and_no_working_days_before_and_once_it_has_passed(day, expected):
    assert on(request_of(), day) == expected


def test_each_step_has_a_key_of_its_own_and_keeps_it_between_steps():
    request = request_of()
    keys = []
    for day in (date(2026, 10, 19), date(2026, 10, 20), date(2026, 10, 21), date(2026, 10, 23), date(2026, 10, 26)):
        clocks = clocks_of(request, RULES, builtin_workdays(), day)
        keys += [one.key for one in reminders_of(request, clocks, RULES, builtin_workdays(), day)][:1]
    assert keys[0] == keys[1], "two days left is told with three: no step of its own"
    assert keys[1] != keys[2]
    assert keys[3] == keys[4], "overdue is said once"


def test_an_overdue_request_is_told_to_the_deputy_too():
    request = request_of()
    day = date(2026, 10, 23)
    (one,) = [
        one
        for one in reminders_of(
            request, clocks_of(request, RULES, builtin_workdays(), day), RULES, builtin_workdays(), day
        )
        if one.kind is ReminderKind.OVERDUE
    ]
    assert one.duties == (Duty.MANAGER, Duty.DEPUTY)
    assert one.day == date(2026, 10, 22)


@pytest.mark.parametrize(
    "body",
    [
        Suspended(reason=SuspendReason.DOCUMENTS_MISSING),
        Handed(to=Owner.CUSTOMER),
        Withdrawn(reason="买了厂房"),
    ],
)
def test_nobody_is_reminded_of_a_clock_that_stands_still(body):
    assert on(request_of(("2026-09-25T09:00", body)), "2026-10-23") == []


def test_a_green_channel_without_any_event_is_escalated_after_one_working_day():
    green = request_of(channel=Channel.GREEN)
    assert on(green, "2026-09-28") == []
    assert on(green, "2026-09-29") == [(ReminderKind.GREEN_QUIET, 2)]
    assert on(request_of(), "2026-09-29") == []
    spoke = request_of(("2026-09-28T15:00", Commented(text="已联系用户")), channel=Channel.GREEN)
    assert on(spoke, "2026-09-29") == []
    asleep = request_of(("2026-09-25T09:00", Suspended(reason=SuspendReason.OTHER)), channel=Channel.GREEN)
    assert on(asleep, "2026-10-20") == []


def replied(*later, **changes):
    return request_of(
        ("2026-09-28T10:00", Moved(to=Stage.SURVEY)),
        ("2026-09-29T10:00", Moved(to=Stage.SCHEME_REPLY)),
        ("2026-09-30T10:00", SchemeReplied(approved_kva=2000)),
        ("2026-09-30T11:00", Moved(to=Stage.CONSTRUCTION)),
        *later,
        **changes,
    )


def test_a_scheme_at_high_voltage_ends_after_a_year_and_its_extension_is_asked_for_ten_days_before():
    assert scheme_ends_on(replied(), RULES) == (date(2027, 9, 20), date(2027, 9, 30))
    extended = replied(("2026-10-08T10:00", SchemeExtended()))
    assert scheme_ends_on(extended, RULES) == (date(2028, 9, 30), date(2028, 9, 30))


def test_a_scheme_at_low_voltage_ends_after_three_months_and_is_warned_of_before():
    low = request_of(
        ("2026-09-24T11:00", Moved(to=Stage.SURVEY)),
        ("2026-09-24T12:00", Moved(to=Stage.SCHEME_REPLY)),
        ("2026-09-24T13:00", SchemeReplied(approved_kva=50)),
        ("2026-09-24T14:00", Moved(to=Stage.ENERGIZATION)),
        ("2026-09-24T15:00", Handed(to=Owner.CUSTOMER)),
        voltage=VoltageClass.LOW,
    )
    assert scheme_ends_on(low, RULES) == (date(2026, 12, 14), date(2026, 12, 24))
    assert on(low, "2026-11-23") == []
    # Monday 30 November to Monday 14 December: ten working days.
    assert on(low, "2026-11-30") == [(ReminderKind.SCHEME_EXPIRES, 10)]
    assert on(low, "2026-12-15") == [(ReminderKind.SCHEME_EXPIRES, 7)], "then its end is told"
    assert on(low, "2026-12-25") == [(ReminderKind.SCHEME_EXPIRES, -1)]


def test_a_scheme_of_january_is_warned_of_in_december_though_its_holidays_are_not_known():
    low = request_of(
        ("2026-10-20T11:00", Moved(to=Stage.SURVEY)),
        ("2026-10-20T12:00", Moved(to=Stage.SCHEME_REPLY)),
        ("2026-10-20T13:00", SchemeReplied(approved_kva=50)),
        ("2026-10-20T14:00", Moved(to=Stage.ENERGIZATION)),
        ("2026-10-20T15:00", Handed(to=Owner.CUSTOMER)),
        voltage=VoltageClass.LOW,
    )
    calendar, today = replace(builtin_workdays(), years=frozenset({2026})), date(2026, 12, 24)

    [told] = reminders_of(low, clocks_of(low, RULES, calendar, today), RULES, calendar, today)

    assert (told.kind, told.day, told.days) == (ReminderKind.SCHEME_EXPIRES, date(2027, 1, 10), None)
    document = {"code": "LR-2026-000001", "applicant": "厂", "applied_kva": 50, "voltage": "low", "park": "p"}
    document |= {"stage": "energization", "owner": "customer", "rule": None}
    document |= {"reminder": {"kind": "scheme_expires", "day": "2027-01-10", "days": None}}
    for language in ("zh", "en"):
        text = words_of("scheme_expires", document, language).text
        assert "2027-01-10" in text
        assert "None" not in text
    with pytest.raises(CalendarNotCoveredError):
        reminders_of(low, clocks_of(low, RULES, calendar, today), RULES, calendar, date(2027, 1, 4))


def test_without_a_scheme_nothing_ends():
    assert scheme_ends_on(request_of(), RULES) is None


def test_every_kind_has_its_words():
    assert set(REMINDER_WORDS) == set(ReminderKind)
