"""Attacks on alerts: what must be told is told once, what is over is said to be, and nothing stops the worker."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from alert_attack import Hand, people, said
from alert_park import START, Hill, limit, seconds
from pydantic import ValidationError
from smartpark.alerts.scope import watched_edges
from smartpark.alerts.silences import Matchers
from smartpark.alerts.words import AlertState

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture
def hill(plain_database_dsn: str) -> Hill:
    return Hill(plain_database_dsn)


@pytest.fixture
def hand(hill: Hill) -> Iterator[Hand]:
    found = Hand(hill)
    yield found
    found.end()


def stale(**changed):
    return limit(
        "no-data",
        severity="warning",
        cause="no_data",
        detector={"kind": "stale", "after_s": 600},
        **changed,
    )


METERS = [f"M{n}/active_power" for n in range(1, 5)]


def speak(hill: Hill, first: datetime, last: datetime, value: float = 50.0) -> None:
    """All meters say a value each minute."""
    minutes = int((last - first) / MINUTE)
    hill.store({m: [(first + n * MINUTE, value) for n in range(minutes)] for m in METERS})


@pytest.mark.parametrize("step", [5, 25])
def test_an_agent_that_sends_what_it_kept_does_not_make_its_points_flap(hill: Hill, hand: Hand, step: int) -> None:
    people(hill)
    hill.rules(stale())
    hand.begin(START)
    speak(hill, START, START + 10 * MINUTE)
    hand.turn(START + 10 * MINUTE)
    hand.turn(START + 40 * MINUTE)
    assert said(hill) == [("duty", "fired")] * 4
    back = START + 60 * MINUTE
    for n in range(10, 60, step):
        hill.now = back + timedelta(seconds=n)
        speak(hill, START + n * MINUTE, START + (n + step) * MINUTE)
        hand.turn(back + timedelta(seconds=n))
    speak(hill, back + MINUTE, back + 2 * MINUTE)
    hand.turn(back + 3 * MINUTE)
    assert [(alert.state, alert.reopened) for alert in hill.alerts()] == [(AlertState.RESOLVED, 0)] * 4
    assert said(hill) == [("duty", "fired")] * 4 + [("duty", "resolved")] * 4


def test_what_is_silent_for_long_goes_on_to_be_told(hill: Hill, hand: Hand) -> None:
    people(hill, escalation=[{"after_min": 120, "contacts": ["chief"]}])
    hill.rules(stale())
    hand.begin(START)
    speak(hill, START, START + 10 * MINUTE)
    for n in range(10, 260, 10):
        hand.turn(START + n * MINUTE)
    assert ("chief", "escalated") in said(hill)
    assert {alert.hidden for alert in hill.alerts()} == {None}


def test_what_comes_back_escalates_from_then(hill: Hill, hand: Hand) -> None:
    people(hill, escalation=[{"after_min": 15, "contacts": ["chief"]}])
    hill.rules(limit())
    hand.begin(START)
    hill.store({"M1/active_power": seconds(120, 120)})
    hand.turn(START + MINUTE)
    hill.store({"M1/active_power": seconds(50, 50, start=START + 8 * MINUTE)})
    hand.turn(START + 9 * MINUTE)
    hill.store({"M1/active_power": seconds(120, 120, start=START + 20 * MINUTE)})
    hand.turn(START + 21 * MINUTE)
    hand.turn(START + 22 * MINUTE)
    assert ("chief", "escalated") not in said(hill)


def test_whoever_is_told_late_has_the_time_of_the_ladder(hill: Hill, hand: Hand) -> None:
    people(hill, escalation=[{"after_min": 15, "contacts": ["chief"]}])
    hill.rules(limit(schedule={"start": "12:00", "end": "18:00"}))  # 04:00 UTC
    hand.begin(START)
    for n in range(125):
        hill.store({"M1/active_power": [(START + n * MINUTE, 120.0)]})
        if n % 10 == 0 or n > 118:
            hand.turn(START + n * MINUTE)
    assert said(hill) == [("duty", "fired")]


def test_who_was_told_is_told_that_the_rule_is_gone(hill: Hill, hand: Hand) -> None:
    people(hill)
    hill.rules(limit(), limit("other"))
    hand.begin(START)
    hill.store({"M1/active_power": seconds(120, 120)})
    hand.turn(START + MINUTE)
    hill.rules(limit("other"))
    hand.turn(START + 2 * MINUTE, looks=True)
    hand.turn(START + 3 * MINUTE)
    assert said(hill).count(("duty", "resolved")) == 1


def test_an_unreadable_rule_does_not_stop_the_others(hill: Hill, hand: Hand) -> None:
    hill.rules(limit(), limit("other"))
    with hill.connection() as connection:
        connection.execute("ALTER TABLE smartpark.alert_rule DISABLE TRIGGER alert_rule_is_kept")
        connection.execute(
            "UPDATE smartpark.alert_rule SET document = jsonb_set(document, '{detector,kind}', '\"oracle\"')"
            " WHERE code = 'other'"
        )
        connection.commit()
    hand.begin(START)
    hill.store({"M1/active_power": seconds(120, 120)})
    hand.turn(START + MINUTE)
    assert [alert.about.rule for alert in hill.alerts()] == ["too-much"]


def test_the_clock_of_the_host_goes_back(hill: Hill, hand: Hand) -> None:
    people(hill)
    hill.rules(limit(), stale())
    hand.begin(START)
    speak(hill, START, START + 10 * MINUTE, 120.0)
    hand.turn(START + 10 * MINUTE)
    told = said(hill)
    hand.turn(START + 10 * MINUTE - HOUR)
    hand.turn(START + 10 * MINUTE - HOUR, looks=True)
    assert said(hill) == told
    speak(hill, START + 10 * MINUTE, START + 20 * MINUTE, 50.0)
    hand.turn(START - 40 * MINUTE)
    assert {alert.state for alert in hill.alerts()} == {AlertState.RESOLVED}
    hand.turn(START + 20 * MINUTE)


def test_a_reading_from_the_future_hides_no_alert(hill: Hill, hand: Hand) -> None:
    people(hill)
    hill.rules(limit())
    hand.begin(START)
    hill.store({"M1/active_power": [(START, 50.0), (START + 2000 * HOUR, 50.0)]})
    hand.turn(START + MINUTE)
    for n in range(2, 10):
        hill.store({"M1/active_power": [(START + n * MINUTE, 120.0)]})
        hand.turn(START + n * MINUTE)
    assert said(hill) == [("duty", "fired")]


def test_a_year_nobody_entered_stops_nothing(hill: Hill, hand: Hand) -> None:
    people(hill, hours={"days": "workdays"})
    hill.rules(limit(schedule={"days": "workdays"}))
    start = datetime(2030, 12, 31, 15, 55, tzinfo=UTC)
    hand.begin(start)
    hill.store({"M1/active_power": seconds(120, 120, start=start)})
    hand.turn(start + MINUTE)
    hand.turn(start + 10 * MINUTE, looks=True)
    hill.store({"M2/active_power": seconds(120, 120, start=start + 10 * MINUTE)})
    hand.turn(start + 11 * MINUTE)
    assert said(hill) == [("duty", "fired")] * 2


def test_the_whole_platform_was_away_for_three_hours(hill: Hill, hand: Hand) -> None:
    people(hill)
    hill.rules(stale())
    hand.begin(START)
    speak(hill, START, START + 10 * MINUTE)
    hand.turn(START + 10 * MINUTE)
    hand.end()
    back = START + 3 * HOUR
    hand.begin(back)
    hand.turn(back + timedelta(seconds=1))
    hand.turn(back + timedelta(seconds=3))
    hill.now = back + timedelta(seconds=20)
    speak(hill, START + 10 * MINUTE, START + 181 * MINUTE)
    hand.turn(back + timedelta(seconds=21))
    hand.turn(back + MINUTE)
    assert said(hill) == []


def test_what_comes_late_does_not_end_the_watch_over_clocks(hill: Hill, hand: Hand) -> None:
    hill.rules(limit("clocks", cause="clock", scope={}, detector={"kind": "clock_drift", "limit_s": 120.0}))
    engine = hand.begin(START)
    speak(hill, START, START + 5 * MINUTE)
    hand.turn(START + 5 * MINUTE)
    speak(hill, START - 60 * MINUTE, START - 50 * MINUTE)
    hand.turn(START + 6 * MINUTE)
    (clocks,) = engine.rules
    assert clocks.trouble == ""


def test_a_meter_that_sends_what_it_kept_does_not_end_the_watch_over_registers(hill: Hill, hand: Hand) -> None:
    """Time says nothing of registers: what comes after hours is next in its order, and is judged."""
    hill.rules(limit("back", cause="meter_fault", scope={}, detector={"kind": "register"}))
    register = "M1/active_energy_import"
    engine = hand.begin(START)
    hill.store({register: [(START + n * MINUTE, 500.0 + n) for n in range(5)]})
    for minute in range(5, 200, 30):
        hand.turn(START + minute * MINUTE)
    kept = [(START + n * MINUTE, 500.0 + n if n < 60 else 4.0 + n - 60) for n in range(5, 200)]
    hill.store({register: kept})
    for minute in range(200, 203):
        hand.turn(START + minute * MINUTE)
    (back,) = engine.rules
    assert back.trouble == ""
    assert [alert.since for alert in hill.alerts()] == [START + 60 * MINUTE]


def test_a_fault_in_one_rule_ends_no_other(hill: Hill, hand: Hand) -> None:
    hill.rules(limit(), limit("other"))
    engine = hand.begin(START)
    (bad,) = (one for one in engine.rules if one.rule.code == "other")

    def broken(*_: object) -> None:
        raise ValueError("made up")

    bad.evaluation.judge = broken  # pyright: ignore[reportAttributeAccessIssue]  a fault nobody thought of
    hill.store({"M1/active_power": seconds(120, 120)})
    hand.turn(START + MINUTE)
    assert [alert.about.rule for alert in hill.alerts()] == ["too-much"]
    assert bad.trouble == "ValueError: made up"
    # Taken up anew, it judges again, from what is stored.
    hill.rules(limit(), limit("other"), limit("third"))
    hand.turn(START + 2 * MINUTE, looks=True)
    assert {alert.about.rule for alert in hill.alerts()} == {"too-much", "other", "third"}


def test_a_rule_of_one_park_says_nothing_of_agents_of_others() -> None:
    park_of = {"gw-1": "hill", "gw-2": "dale"}
    detector = {"kind": "silent", "after_s": 60}
    for parks, watched in ((["hill"], ("gw-1",)), (["dale", "h*"], ("gw-1", "gw-2")), ([], ("gw-1", "gw-2", "gw-3"))):
        rule = limit(source="edge", scope={"parks": parks}, detector=detector, cause="no_data")
        assert watched_edges(rule, ["gw-1", "gw-2", "gw-3"], park_of) == watched


def test_a_rule_of_thousands_of_patterns_is_refused() -> None:
    with pytest.raises(ValidationError, match=r"scope\.points"):
        limit(scope={"points": [f"*{n}*a*b*" for n in range(5000)]})
    with pytest.raises(ValidationError, match="objects"):
        Matchers(objects=tuple(f"*{n}*a*b*" for n in range(5000)))


def test_a_new_park_of_slow_loggers_wakes_nobody(hill: Hill, hand: Hand) -> None:
    people(hill)
    hand.begin(START)
    for n in range(0, 120, 5):
        hill.now = START + n * MINUTE
        if n % 15 == 0:
            speak(hill, hill.now, hill.now + MINUTE)
        hand.turn(hill.now + timedelta(seconds=10))
    assert hill.alerts() == []


def test_a_history_that_is_imported_wakes_nobody(hill: Hill, hand: Hand) -> None:
    people(hill)
    hand.begin(START)
    first = START - timedelta(days=30)
    for week in range(3):
        days = first + timedelta(days=7 * week)
        hill.store({METERS[0]: [(days + 15 * n * MINUTE, 50.0 + n % 7) for n in range(7 * 96)]})
    hand.turn(START + MINUTE)
    hand.turn(START + 10 * MINUTE)
    assert said(hill) == []
