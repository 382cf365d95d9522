"""The span of an alert's chart: what was before it, what came after, and when a value began to stand still."""

from datetime import UTC, datetime, timedelta

from smartpark.alerts.events import Evidence
from smartpark_api.alerts.evidence import span_around, waited

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_a_value_that_stood_still_is_shown_from_before_it_did():
    still = Evidence(value=7 * 3600.0, limit=6 * 3600.0, unit="s")
    span = span_around(NOON, NOON + HOUR, NOON + 24 * HOUR, back=waited(still))
    assert span.start == NOON - 7 * HOUR
    assert span.end == NOON + 2 * HOUR


def test_a_limit_that_is_no_length_of_time_moves_nothing():
    for seen in (Evidence(value=541.0, limit=500.0, unit="kW"), Evidence(value=90.0, limit=None, unit="s")):
        assert waited(seen) == timedelta()


def test_the_span_stays_bounded():
    assert waited(Evidence(value=1.0, limit=1e12, unit="s")) == timedelta(days=7)
