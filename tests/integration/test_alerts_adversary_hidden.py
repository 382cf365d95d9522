"""What began and was over while nobody was to be told stays untold when the reason not to tell has gone."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from alert_attack import Hand, people, said
from alert_park import START, Hill, limit, seconds
from smartpark.alerts.silences import Silence
from smartpark.alerts.words import AlertState, Hidden
from smartpark_storage.alerts import create_silence, end_silence

MINUTE = timedelta(minutes=1)
POWER = "M1/active_power"


@pytest.fixture
def hill(plain_database_dsn: str) -> Hill:
    return Hill(plain_database_dsn)


@pytest.fixture
def hand(hill: Hill) -> Iterator[Hand]:
    found = Hand(hill)
    yield found
    found.end()


def window(hill: Hill, first: float, last: float, **changes) -> int:
    silence = Silence(
        park="hill", kind="maintenance", starts_at=START + first * MINUTE, ends_at=START + last * MINUTE, reason="t"
    )
    with hill.connection() as connection:
        return create_silence(connection, silence.model_copy(update=changes), by="test", at=START)


def breach(hill: Hill, first: float, last: float) -> None:
    """Power is too high from one minute to another."""
    hill.store({POWER: [*seconds(120, start=START + first * MINUTE), *seconds(50, start=START + last * MINUTE)]})


def test_what_a_maintenance_window_saw_begin_and_end_is_not_told_when_it_ends(hill: Hill, hand: Hand) -> None:
    people(hill)
    hill.rules(limit())
    window(hill, 0, 30)
    hand.begin(START)
    breach(hill, 5, 10)
    for minute in (11, 20, 29, 30, 31, 40):
        hand.turn(START + minute * MINUTE)
    assert said(hill) == []
    (alert,) = hill.alerts()
    assert (alert.state, alert.hidden) == (AlertState.RESOLVED, Hidden.MAINTENANCE)
    # Nor by a process that begins anew.
    hand.end()
    hand.begin(START + 45 * MINUTE)
    hand.turn(START + 46 * MINUTE)
    assert said(hill) == []


def test_what_still_holds_when_a_window_ends_is_told_then(hill: Hill, hand: Hand) -> None:
    people(hill)
    hill.rules(limit())
    window(hill, 0, 30)
    hand.begin(START)
    for minute in range(5, 35):
        hill.store({POWER: [(START + minute * MINUTE, 120.0)]})
        hand.turn(START + minute * MINUTE)
        assert said(hill) == ([] if minute < 30 else [("duty", "fired")])


def test_readings_of_a_window_that_come_behind_it_wake_nobody(hill: Hill, hand: Hand) -> None:
    """An agent was off during the work, and sends what it kept."""
    people(hill)
    hill.rules(limit())
    window(hill, 0, 30)
    cut_short = window(hill, 0, 300, kind="silence")
    hand.begin(START)
    with hill.connection() as connection:
        assert end_silence(connection, cut_short, by="test", at=START + MINUTE)
    hill.now = START + 35 * MINUTE
    breach(hill, 5, 30)
    hand.turn(hill.now)
    hand.turn(hill.now + MINUTE)
    assert said(hill) == []
    assert [alert.hidden for alert in hill.alerts()] == [Hidden.MAINTENANCE]
    breach(hill, 31, 34)
    hand.turn(hill.now + 2 * MINUTE)
    assert len(said(hill)) == 1


def test_what_was_over_before_the_hours_of_a_rule_is_not_told_when_they_begin(hill: Hill, hand: Hand) -> None:
    people(hill)
    hill.rules(limit(schedule={"start": "10:30", "end": "18:00"}))  # 02:30 UTC
    hand.begin(START)
    breach(hill, 5, 10)
    for minute in (11, 29, 30, 31, 40):
        hand.turn(START + minute * MINUTE)
    assert said(hill) == []
    breach(hill, 41, 45)
    hand.turn(START + 46 * MINUTE)
    assert said(hill) == [("duty", "passed")]


def test_points_of_an_agent_that_was_away_are_not_told_one_by_one_when_it_is_back(hill: Hill, hand: Hand) -> None:
    people(hill)
    hill.rules(
        limit("no-data", severity="warning", cause="no_data", detector={"kind": "stale", "after_s": 300}),
        limit("agent", source="edge", scope={}, cause="no_data", detector={"kind": "silent", "after_s": 120}),
    )

    def alive(at: datetime) -> None:
        with hill.connection() as connection:
            connection.execute(
                "INSERT INTO smartpark.edge_state (edge_id, online, status_at)"
                " SELECT edge_id, true, %s FROM smartpark.edge"
                " ON CONFLICT (edge_id) DO UPDATE SET status_at = excluded.status_at",
                [at],
            )
            connection.commit()

    def speak(first: int, last: int) -> None:
        for minute in range(first, last):
            hill.now = START + minute * MINUTE
            hill.store({f"M{n}/active_power": [(hill.now, 50.0)] for n in range(1, 5)})
            alive(hill.now)
            hand.turn(hill.now, looks=True)

    hand.begin(START)
    speak(0, 10)
    for minute in range(10, 30):
        hand.turn(START + minute * MINUTE)
    assert said(hill) == [("duty", "fired")]
    assert len(hill.alerts()) == 5
    speak(30, 50)
    assert said(hill) == [("duty", "fired"), ("duty", "resolved")]
