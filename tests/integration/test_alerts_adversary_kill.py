"""A worker of alerts that is killed before any statement it sends: each alert is on record once and told once."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from alert_attack import Hand, people, said
from alert_park import START, Hill, limit, seconds
from smartpark.alerts.words import AlertState, EndedBy

MINUTE = timedelta(minutes=1)


class KilledError(BaseException):
    """The process is no more."""


@pytest.fixture
def hill(plain_database_dsn: str) -> Hill:
    return Hill(plain_database_dsn)


def killed_everywhere(monkeypatch: pytest.MonkeyPatch, work: Callable[[], None]) -> int:
    """Do some work again and again, killed before its first statement, its second, and so on; until it is not killed.

    How often that was.
    """
    execute = psycopg.Cursor.execute
    left = 0

    def counted(self: Any, *given: Any, **named: Any) -> Any:
        nonlocal left
        left -= 1
        if left < 0:
            raise KilledError
        return execute(self, *given, **named)

    for lives in range(1000):
        left = lives
        with monkeypatch.context() as patched:
            patched.setattr(psycopg.Cursor, "execute", counted)
            try:
                work()
            except KilledError:
                continue
        return lives
    raise AssertionError("it never came to an end")


def test_killed_before_any_statement_it_tells_once(hill: Hill, monkeypatch: pytest.MonkeyPatch) -> None:
    people(hill)
    hill.rules(limit(), limit("lasting", for_s=15))
    hill.evaluate(START - MINUTE)

    def life(minutes: float) -> Callable[[], None]:
        def begin_and_turn() -> None:
            hand = Hand(hill)
            try:
                hand.begin(START + minutes * MINUTE)
                hand.turn(START + minutes * MINUTE)
                hand.turn(START + minutes * MINUTE)
            finally:
                hand.end()

        return begin_and_turn

    hill.store({"M1/active_power": seconds(50, 120, 130, 140), "M2/active_power": seconds(120, 50, 50, 50)})
    assert killed_everywhere(monkeypatch, life(1)) > 20
    alerts = hill.alerts()
    assert sorted((a.about.rule, a.about.object[-15:-13], a.state) for a in alerts) == [
        ("lasting", "M1", AlertState.FIRING),
        ("too-much", "M1", AlertState.FIRING),
        ("too-much", "M2", AlertState.RESOLVED),
    ]
    assert sorted(said(hill)) == [("duty", "fired"), ("duty", "passed")]

    # What held is over; late readings of M2 show that it began long before, and that it lasted.
    hill.now = START + 3 * MINUTE
    hill.store({"M1/active_power": seconds(50, 50, start=START + 2 * MINUTE)})
    hill.store({"M2/active_power": seconds(120, 120, 120, start=START - 30 * MINUTE)})
    assert killed_everywhere(monkeypatch, life(3)) > 20
    found = hill.alerts()
    assert [a.state for a in found] == [AlertState.RESOLVED] * 4
    assert len({(a.about.rule, a.about.object) for a in found}) == 4
    assert {a.ended_by for a in found} == {EndedBy.CONDITION}
    # What lasted is over since less than an hour when that becomes known: still news.
    assert sorted(kind for _, kind in said(hill)) == ["fired", "passed", "passed", "resolved"]
