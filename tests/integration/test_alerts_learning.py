"""Rules that learn what is usual do so beside the loop: it goes on, and what they find is what a backtest finds."""

import threading
from collections.abc import Iterator
from datetime import datetime, timedelta

import numpy as np
import pytest
from alert_attack import Hand
from alert_park import START, Hill, limit, seconds
from smartpark.alerts.rules import Rule
from smartpark.workdays import builtin_workdays
from smartpark_analytics.alerts.evaluating import Evaluation
from smartpark_ingest.alerting import learning
from smartpark_ingest.alerting.backtest import backtest
from smartpark_ingest.alerting.rules_in_force import InForce, lessons
from smartpark_storage.alerts import put_rules
from waiting import wait_until

HOUR = timedelta(hours=1)
WEEKS = 3


@pytest.fixture
def hill(plain_database_dsn: str) -> Hill:
    return Hill(plain_database_dsn)


@pytest.fixture
def hand(hill: Hill) -> Iterator[Hand]:
    found = Hand(hill, learns=True)
    yield found
    found.end()


def unusual(score: float = 3.0) -> Rule:
    detector = {"kind": "seasonal", "score": score, "weeks": WEEKS}
    return limit("unusual", severity="info", cause="unusual", source="hour", detector=detector)


def usual(hours: int, start: datetime, *, times: float = 1.0) -> list[tuple[datetime, float]]:
    """Each hour in its middle: more by day than by night, and some noise."""
    rng = np.random.default_rng(start.toordinal())
    moments = [start + n * HOUR + HOUR / 2 for n in range(hours)]
    return [
        (at, times * (40 + 20 * (0 <= at.hour < 10) + float(noise)))
        for at, noise in zip(moments, rng.normal(size=hours), strict=True)
    ]


def with_weeks(hill: Hill) -> None:
    for meter in ("M1", "M2", "M3", "M4"):
        hill.store({f"{meter}/active_power": usual(WEEKS * 168, START - timedelta(weeks=WEEKS))})
    hill.rules(limit(), unusual())


class Gate:
    """Lets lessons begin when a test wants; counts them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.open = threading.Event()
        self.lessons = 0
        monkeypatch.setattr(learning, "lessons", self._lessons)

    def _lessons(self, *arguments):
        self.lessons += 1
        assert self.open.wait(120)
        yield from lessons(*arguments)


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    found = Gate(monkeypatch)
    yield found
    found.open.set()


def rule(hand: Hand, code: str) -> InForce:
    assert hand.engine is not None
    return next(one for one in hand.engine.rules if one.rule.code == code)


def learn(hand: Hand, at: datetime) -> None:
    """Let the lessons end, and the loop take what was learnt."""
    engine = hand.engine
    assert engine is not None
    wait_until(lambda: not engine.learning._ready.empty(), what="a rule has learnt")
    hand.turn(at, looks=True)


def found(hill: Hill, code: str) -> list[tuple[str, datetime, datetime | None]]:
    return sorted((one.about.object, one.since, one.cleared_at) for one in hill.alerts() if one.about.rule == code)


def test_the_loop_goes_on_while_a_rule_learns_and_then_nothing_is_missing(hill: Hill, hand: Hand, gate: Gate) -> None:
    with_weeks(hill)
    hand.begin(START + HOUR / 4)
    hand.turn(START + HOUR / 4, looks=True)
    wait_until(lambda: gate.lessons == 1, what="the lesson has begun")

    # Six hours of ten times the usual, and usual ones after that: over before the rule knows what is usual.
    end = START + 60 * HOUR
    hill.store({"M1/active_power": [*usual(6, START, times=10.0), *usual(54, START + 6 * HOUR)]})
    hill.store({"M2/active_power": [*usual(56, START), *usual(4, START + 56 * HOUR, times=10.0)]})
    hand.turn(end, looks=True)
    assert {about for about, *_ in found(hill, "too-much")} == {
        "point:hill/M1/active_power",
        "point:hill/M2/active_power",
    }
    assert found(hill, "unusual") == []
    assert not rule(hand, "unusual").evaluation.is_learnt

    gate.open.set()
    learn(hand, end)
    live = found(hill, "unusual")
    assert {about for about, *_ in live} == {"point:hill/M1/active_power", "point:hill/M2/active_power"}
    with hill.connection() as connection:
        told = backtest(connection, [unusual()], START, end, calendar=builtin_workdays()).alerts
    assert live == sorted((one.alert.about.object, one.alert.since, one.alert.cleared_at) for one in told)


def test_killed_while_a_rule_learns_the_next_process_learns(hill: Hill, hand: Hand, gate: Gate) -> None:
    with_weeks(hill)
    hand.begin(START + HOUR / 4)
    hand.turn(START + HOUR / 4, looks=True)
    wait_until(lambda: gate.lessons == 1, what="the lesson has begun")
    gate.open.set()
    hand.end()

    hand.begin(START + HOUR / 2)
    hand.turn(START + HOUR / 2, looks=True)
    learn(hand, START + HOUR / 2)
    hill.store({"M3/active_power": usual(8, START, times=10.0)})
    hand.turn(START + 9 * HOUR)
    assert [about for about, *_ in found(hill, "unusual")] == ["point:hill/M3/active_power"]


def test_a_fault_in_learning_puts_that_rule_aside_alone(
    hill: Hill, hand: Hand, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(self, samples):
        raise ValueError("numbers nobody thought of")

    monkeypatch.setattr(Evaluation, "learnt_from", fails)
    with_weeks(hill)
    hand.begin(START)
    hand.turn(START, looks=True)
    learn(hand, START)
    assert "numbers nobody thought of" in rule(hand, "unusual").trouble
    hill.store({"M1/active_power": seconds(150, start=START)})
    hand.turn(START + HOUR / 60)
    assert [about for about, *_ in found(hill, "too-much")] == ["point:hill/M1/active_power"]


def test_what_was_learnt_is_kept_until_rule_or_objects_change_or_a_day_is_over(
    hill: Hill, hand: Hand, gate: Gate
) -> None:
    gate.open.set()
    with_weeks(hill)
    hand.begin(START)
    hand.turn(START, looks=True)
    learn(hand, START)
    before = rule(hand, "unusual")
    hill.now = START + HOUR
    hill.rules(limit(name_en="Far too much"), unusual())
    hand.turn(START + HOUR, looks=True)
    assert rule(hand, "too-much").rule.name_en == "Far too much"
    assert rule(hand, "unusual") is before, "a rule that did not change goes on as it is"

    # Another day in the park: all is bound anew, and what was learnt still counts.
    tomorrow = START + 15 * HOUR
    hand.turn(tomorrow, looks=True)
    assert rule(hand, "unusual") is not before
    assert rule(hand, "unusual").evaluation.is_learnt
    assert gate.lessons == 1

    hand.turn(START + 25 * HOUR, looks=True)
    wait_until(lambda: gate.lessons == 2, what="a day later it learns anew")
    learn(hand, START + 25 * HOUR)
    with hill.connection() as connection:
        put_rules(connection, [unusual(score=4.0)], by="local", at=hill.now)
    hand.turn(START + 26 * HOUR, looks=True)
    assert not rule(hand, "unusual").evaluation.is_learnt, "another rule has to learn"
    hand.turn(START + 26 * HOUR, looks=True)
    learn(hand, START + 26 * HOUR)
    assert rule(hand, "unusual").evaluation.is_learnt
