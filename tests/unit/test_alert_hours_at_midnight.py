"""Hours in which people are told, and left alone, across midnight and over days off."""

from datetime import datetime, time, timedelta

import pytest
from smartpark.alerts.routes import Directory, parse_routes
from smartpark.alerts.rules import Days, Schedule
from smartpark.clock import PARK_ZONE
from smartpark.workdays import builtin_workdays

WORKDAYS = builtin_workdays()


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=PARK_ZONE)


@pytest.mark.parametrize(
    ("moment", "is_open"),
    [
        ("2026-11-27 21:59", False),  # a Friday
        ("2026-11-27 22:00", True),
        ("2026-11-28 02:00", True),
        ("2026-11-28 05:59", True),
        ("2026-11-28 06:00", False),
        ("2026-11-28 23:00", False),
        ("2026-11-30 02:00", False),  # Sunday's night
        ("2026-11-30 23:00", True),
        ("2026-12-01 02:00", True),
    ],
)
def test_a_night_belongs_to_the_day_on_which_it_begins(moment, is_open) -> None:
    night = Schedule(days=Days.WORKDAYS, start=time(22), end=time(6))
    assert night.is_open(local(moment), WORKDAYS) is is_open


@pytest.mark.parametrize(("moment", "is_open"), [("2026-11-28 07:59", True), ("2026-11-28 08:00", False)])
def test_a_day_from_eight_to_eight_belongs_to_the_day_on_which_it_begins(moment, is_open) -> None:
    shift = Schedule(days=Days.WORKDAYS, start=time(8), end=time(8))
    assert shift.is_open(local(moment), WORKDAYS) is is_open


@pytest.mark.parametrize(
    ("hours", "moment", "told"),
    [
        # Saturday and Sunday: nobody is woken at the midnight between them.
        ({"days": "restdays"}, "2026-11-28 10:00", "2026-11-30 00:00"),
        ({"days": "restdays", "start": "08:00", "end": "08:00"}, "2026-11-28 10:00", "2026-11-30 08:00"),
        ({"days": "restdays", "start": "22:00", "end": "07:30"}, "2026-11-28 23:00", "2026-11-29 07:30"),
        ({"start": "22:00", "end": "07:30"}, "2026-11-28 23:00", "2026-11-29 07:30"),
    ],
)
def test_people_are_left_alone_until_their_quiet_hours_are_over(hours, moment, told) -> None:
    document = {
        "contact": [{"code": "duty", "name": "值班", "channel": "webhook", "address": "duty"}],
        "route": [{"code": "all", "contacts": ["duty"], "quiet": {"hours": hours}}],
    }
    found = parse_routes(document, file="test")
    directory = Directory(found.contact, found.route, WORKDAYS)
    quiet = found.route[0].quiet
    assert quiet is not None
    assert directory.quiet_until(quiet.hours, local(moment)) == local(told)


def test_hours_that_are_always_quiet_end_some_day() -> None:
    always = Schedule()
    until = Directory((), (), WORKDAYS).quiet_until(always, local("2026-11-28 10:00"))
    assert until - local("2026-11-28 10:00") > timedelta(days=7)
