"""Whether people are told of an alert now, and why not."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from pydantic import ValidationError
from smartpark.alerts.detectors import Limit, Stale
from smartpark.alerts.events import (
    About,
    Acknowledged,
    Began,
    Body,
    Cleared,
    Event,
    Evidence,
    Fired,
    HiddenFrom,
    Measured,
    Returned,
    Snoozed,
    Told,
    Worsened,
)
from smartpark.alerts.life import Alert, replay
from smartpark.alerts.objects import ObjectRef, group_key
from smartpark.alerts.paging import Page, due_page, hidden_now
from smartpark.alerts.rules import Days, Rule, Schedule
from smartpark.alerts.silences import Matchers, Silence
from smartpark.alerts.words import WORDS, AlertState, Cause, Hidden, PageKind, Severity, word
from smartpark.errors import SmartparkError
from smartpark.workdays import builtin_workdays

T0 = datetime(2026, 3, 2, 1, tzinfo=UTC)
"""A Monday, nine in the morning in Fujian."""
CALENDAR = builtin_workdays()
STEPS = (timedelta(minutes=15), timedelta(minutes=60))


def _at(minutes: float) -> datetime:
    return T0 + timedelta(minutes=minutes)


def _alert(*later: tuple[float, Body], **about: Any) -> Alert:
    told: dict[str, Any] = {
        "park": "minhou",
        "rule": "stale",
        "rule_version": 1,
        "object": "point:minhou/T01/active_power",
        "cause": Cause.NO_DATA,
        "device": "minhou/T01",
        "edge": "gw-01",
    }
    began = Began(about=About(**(told | about)), severity=Severity.WARNING, evidence=Evidence())
    steps: list[tuple[float, Body]] = [(0, began), (1, Fired(evidence=Evidence())), *later]
    return replay(
        Event(sequence=place, at=_at(at), recorded_at=_at(at), actor="lin", body=body)
        for place, (at, body) in enumerate(steps, start=1)
    )


def _rule(**changed: Any) -> Rule:
    given: dict[str, Any] = {
        "code": "stale",
        "name": "数据中断",
        "name_en": "stale",
        "why": "example",
        "severity": Severity.WARNING,
        "cause": Cause.NO_DATA,
        "detector": Limit(above=1),
    }
    return Rule(**(given | changed))


def _hidden(alert: Alert, minutes: float = 2, **given: Any) -> Hidden | None:
    asked: dict[str, Any] = {"parents": (), "silences": (), "calendar": CALENDAR}
    rule = given.pop("rule", _rule())
    why = hidden_now(alert, rule, _at(minutes), **(asked | given))
    return None if why is None else why.reason


def test_a_silent_edge_hides_that_its_points_say_nothing() -> None:
    edge = _alert(object="edge:gw-01", device=None)
    assert _hidden(_alert(), parents=[("7", edge)]) is Hidden.PARENT
    assert _hidden(edge, parents=[("7", edge)]) is None
    assert _hidden(_alert(edge="gw-02"), parents=[("7", edge)]) is None
    assert _hidden(_alert(edge=None), parents=[("7", edge)]) is None
    # A limit that was exceeded is news, whoever brought it.
    assert _hidden(_alert(cause=Cause.POWER_QUALITY), parents=[("7", edge)]) is None
    assert _hidden(_alert(), parents=[("7", _alert(device=None))]) is None


@pytest.mark.parametrize(
    ("matchers", "covered"),
    [
        (Matchers(), True),
        (Matchers(rules=("sta*",)), True),
        (Matchers(rules=("other",)), False),
        (Matchers(objects=("point:minhou/T01/*",)), True),
        (Matchers(devices=("minhou/T0?",)), True),
        (Matchers(devices=("minhou/T02",)), False),
        (Matchers(edges=("gw-01",)), True),
        (Matchers(causes=(Cause.NO_DATA,), severities=(Severity.WARNING,)), True),
        (Matchers(causes=(Cause.NO_DATA,), severities=(Severity.CRITICAL,)), False),
    ],
)
def test_a_silence_hides_what_fits_all_its_keys(matchers: Matchers, *, covered: bool) -> None:
    silence = Silence(
        silence_id=3, park="minhou", matchers=matchers, starts_at=_at(0), ends_at=_at(30), reason="meter works"
    )
    assert _hidden(_alert(), 10, silences=[silence]) == (Hidden.SILENCE if covered else None)
    assert _hidden(_alert(park="other"), 10, silences=[silence]) is None
    # The end is not included: at that moment it is told of again.
    assert _hidden(_alert(), 30, silences=[silence]) is None


def test_maintenance_is_told_apart_from_a_silence() -> None:
    window = Silence(park="minhou", kind="maintenance", starts_at=_at(0), ends_at=_at(30), reason="transformer works")
    assert _hidden(_alert(), 10, silences=[window]) is Hidden.MAINTENANCE


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"ends_at": _at(0)}, "after starts_at"),
        ({"ends_at": _at(60 * 24 * 100)}, "at most 92 days"),
        ({"park": None}, "names what it silences"),
        ({"reason": ""}, "at least 1 character"),
    ],
)
def test_a_silence_ends_and_says_what_it_is_for(changed: dict[str, Any], message: str) -> None:
    given: dict[str, Any] = {"park": "minhou", "starts_at": _at(0), "ends_at": _at(30), "reason": "works"}
    with pytest.raises(ValidationError, match=message):
        Silence(**(given | changed))


def test_what_is_known_of_yesterday_only_wakes_nobody() -> None:
    assert _hidden(_alert(), 62) is Hidden.LATE
    # It holds still, as data of just now show.
    seen = Measured(evidence=Evidence(), worst=Evidence(), worst_at=_at(1))
    assert _hidden(_alert((60, seen)), 62) is None


def test_silence_goes_on_being_news_unless_it_was_old_when_found() -> None:
    silent = _rule(detector=Stale(after_s=600))
    assert _hidden(_alert(), 300, rule=silent) is None
    assert _hidden(replace(_alert(), known_at=_at(3 * 60)), 181, rule=silent) is None
    assert _hidden(replace(_alert(), known_at=_at(30 * 60)), 1801, rule=silent) is Hidden.LATE
    over = _alert((20, Cleared(evidence=Evidence())))
    assert _hidden(over, 300, rule=silent) is Hidden.LATE


def test_what_people_were_told_of_is_not_too_late_while_it_holds() -> None:
    assert _hidden(_alert((2, Told(kind=PageKind.FIRED, contacts=("duty",)))), 300) is None


def test_outside_its_hours_an_alert_is_hidden() -> None:
    office = _rule(
        schedule=Schedule(days=Days.WORKDAYS, start=time(8, 30), end=time(17, 30)), late_after_s=10 * 86400
    )
    assert _hidden(_alert(), 2, rule=office) is None
    assert _hidden(_alert(), 9 * 60, rule=office) is Hidden.SCHEDULE
    assert _hidden(_alert(), 6 * 24 * 60, rule=office) is Hidden.SCHEDULE
    night = _rule(schedule=Schedule(start=time(22, 0), end=time(6, 0)))
    assert _hidden(_alert(), 2, rule=night) is Hidden.SCHEDULE
    assert Schedule(start=time(22, 0), end=time(6, 0)).is_open(_at(14 * 60), CALENDAR)
    assert Schedule(start=time(22, 0), end=time(6, 0)).is_open(_at(20 * 60), CALENDAR)


def test_it_is_told_once_and_escalates_until_somebody_has_it_in_hand() -> None:
    fired = Told(kind=PageKind.FIRED, contacts=("duty",))
    assert due_page(_alert(), _at(2)) == Page(PageKind.FIRED)
    assert due_page(_alert((2, fired)), _at(2), escalates_after=STEPS) is None
    assert due_page(_alert((2, fired)), _at(17), escalates_after=STEPS) == Page(PageKind.ESCALATED, 1)
    first = Told(kind=PageKind.ESCALATED, contacts=("chief",), step=1)
    assert due_page(_alert((2, fired), (16, first)), _at(17), escalates_after=STEPS) is None
    assert due_page(_alert((2, fired), (16, first)), _at(62), escalates_after=STEPS) == Page(PageKind.ESCALATED, 2)
    assert due_page(_alert((2, fired), (3, Acknowledged())), _at(90), escalates_after=STEPS) is None


def test_whoever_is_told_late_or_once_more_has_the_whole_time_of_the_ladder() -> None:
    fired, again = (Told(kind=kind, contacts=("duty",)) for kind in (PageKind.FIRED, PageKind.AGAIN))
    assert due_page(_alert((40, fired)), _at(41), escalates_after=STEPS) is None
    assert due_page(_alert((40, fired)), _at(55), escalates_after=STEPS) == Page(PageKind.ESCALATED, 1)
    back = ((2, fired), (3, Cleared(evidence=Evidence())), (10, Returned(evidence=Evidence())), (11, again))
    assert due_page(_alert(*back), _at(20), escalates_after=STEPS) is None
    assert due_page(_alert(*back), _at(26), escalates_after=STEPS) == Page(PageKind.ESCALATED, 1)


def test_a_step_that_was_slept_through_is_taken_with_the_next() -> None:
    fired = Told(kind=PageKind.FIRED, contacts=("duty",))
    assert due_page(_alert((2, fired)), _at(200), escalates_after=STEPS) == Page(PageKind.ESCALATED, 2)


def test_nothing_is_told_of_what_is_hidden_or_put_off() -> None:
    assert due_page(_alert((2, HiddenFrom(reason=Hidden.SILENCE, by="3"))), _at(3)) is None
    shown = _alert((2, HiddenFrom(reason=Hidden.SILENCE, by="3")), (30, HiddenFrom(reason=None)))
    assert due_page(shown, _at(31)) == Page(PageKind.FIRED)
    put_off = _alert((2, Snoozed(until=_at(40))))
    assert due_page(put_off, _at(39)) is None
    assert due_page(put_off, _at(40)) == Page(PageKind.FIRED)


def test_it_is_told_again_when_it_has_become_worse() -> None:
    worse = _alert((2, Told(kind=PageKind.FIRED, contacts=())), (5, Worsened(severity=Severity.CRITICAL)))
    assert due_page(worse, _at(6)) == Page(PageKind.WORSE)
    milder = _alert((2, Told(kind=PageKind.FIRED, contacts=())), (5, Worsened(severity=Severity.INFO)))
    assert due_page(milder, _at(6)) is None


def test_alerts_of_one_device_and_cause_are_one_group() -> None:
    point = ObjectRef.parse("point:minhou/T01/active_power")
    assert group_key(point, device="minhou/T01", cause=Cause.NO_DATA) == "no_data@device:minhou/T01"
    assert group_key(ObjectRef.parse("edge:gw-01"), device=None, cause=Cause.NO_DATA) == "no_data@edge:gw-01"
    with pytest.raises(SmartparkError, match="names no object"):
        ObjectRef.parse("minhou/T01")


def test_every_member_of_every_list_has_its_words() -> None:
    for members, words in WORDS.items():
        assert set(words) == set(members)
    assert word(AlertState.FIRING, "zh") == "告警中"
    assert word(Severity.CRITICAL, "en") == "critical"
