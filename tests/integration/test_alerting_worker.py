"""`smartpark alerts run` on real databases: readings in, alerts on record, nothing told twice."""

from datetime import timedelta

import pytest
from alert_park import START, Hill, limit, seconds
from smartpark.alerts.words import AlertState


@pytest.fixture
def hill(database_dsn: str) -> Hill:
    return Hill(database_dsn)


def test_what_breaks_a_limit_is_an_alert_until_it_is_over(hill: Hill) -> None:
    hill.rules(limit())
    hill.evaluate(START - timedelta(minutes=1))

    hill.store({"M1/active_power": seconds(50, 120, 130), "M2/active_power": seconds(50, 60, 70)})
    hill.evaluate(START + timedelta(seconds=30))
    (alert,) = hill.alerts()
    assert alert.state is AlertState.FIRING
    assert (alert.about.object, alert.since) == ("point:hill/M1/active_power", START + timedelta(seconds=10))
    assert (alert.worst.value, alert.worst.limit, alert.about.edge) == (130.0, 100.0, "gw-1")

    hill.store({"M1/active_power": seconds(95, 80, start=START + timedelta(seconds=30))})
    hill.evaluate(START + timedelta(seconds=60))
    (alert,) = hill.alerts()
    assert alert.state is AlertState.RESOLVED
    assert alert.cleared_at == START + timedelta(seconds=40)
