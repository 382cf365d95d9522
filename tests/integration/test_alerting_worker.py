"""`smartpark alerts run` on real databases: readings in, alerts on record, nothing told twice."""

from datetime import datetime, timedelta
from threading import Event

import pytest
from alert_park import START, Hill, limit, seconds
from smartpark.alerts.life import Alert
from smartpark.alerts.routes import Contact, Route
from smartpark.alerts.words import AlertState, EndedBy, Hidden, PageKind
from smartpark.workdays import builtin_workdays
from smartpark_ingest.alerting.backtest import backtest
from smartpark_ingest.alerting.worker import AlertWorker
from smartpark_storage.alerts import put_contact, put_route, read_intents, read_rules

MINUTE = timedelta(minutes=1)


@pytest.fixture
def hill(plain_database_dsn: str) -> Hill:
    return Hill(plain_database_dsn)


def with_somebody_to_tell(hill: Hill) -> None:
    with hill.connection() as connection:
        contact = {"code": "duty", "name": "值班", "channel": "webhook", "address": "duty"}
        put_contact(connection, Contact.model_validate(contact))
        put_route(connection, Route(code="all", contacts=("duty",), group_wait_s=0.0), 1)


def told(hill: Hill) -> list[str]:
    """Kinds of messages that were planned, in order."""
    with hill.connection() as connection:
        return [intent.kind for intent in reversed(read_intents(connection))]


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def test_what_breaks_a_limit_is_an_alert_until_it_is_over(database_dsn: str) -> None:
    hill = Hill(database_dsn)
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


def test_each_thing_is_told_once_however_often_the_worker_begins_anew(hill: Hill) -> None:
    with_somebody_to_tell(hill)
    hill.rules(limit())
    hill.evaluate(START - MINUTE)
    hill.store({"M1/active_power": seconds(120, 130)})
    for minute in range(3):
        hill.evaluate(at(1 + minute))
    assert told(hill) == [PageKind.FIRED]
    hill.store({"M1/active_power": seconds(50, start=at(4))})
    for minute in range(3):
        hill.evaluate(at(5 + minute))
    assert told(hill) == [PageKind.FIRED, PageKind.RESOLVED]


def test_a_pending_alert_that_comes_to_nothing_leaves_nothing(hill: Hill) -> None:
    hill.rules(limit(for_s=60))
    hill.evaluate(START - MINUTE)
    hill.store({"M1/active_power": seconds(120, 120)})
    hill.evaluate(START + timedelta(seconds=20))
    assert [alert.state for alert in hill.alerts()] == [AlertState.PENDING]
    hill.store({"M1/active_power": seconds(50, start=START + timedelta(seconds=20))})
    hill.evaluate(START + timedelta(seconds=40))
    assert hill.alerts() == []


def test_a_breach_lasts_across_a_restart(hill: Hill) -> None:
    hill.rules(limit(for_s=60))
    hill.evaluate(START - MINUTE)
    for part in range(5):
        start = START + timedelta(seconds=20 * part)
        hill.store({"M1/active_power": seconds(120, 120, start=start)})
        hill.evaluate(start + timedelta(seconds=20))
    (alert,) = hill.alerts()
    assert (alert.since, alert.fired_at) == (START, START + timedelta(seconds=60))


def test_late_readings_withdraw_what_never_was_and_wake_nobody(hill: Hill) -> None:
    with_somebody_to_tell(hill)
    hill.rules(limit(for_s=600))
    hill.evaluate(START - MINUTE)
    # Every other minute is missing when it is judged, and was fine, as turns out hours later.
    hill.store({"M1/active_power": seconds(*[120.0] * 10, 50.0, start=START, every_s=120)})
    hill.evaluate(at(25))
    assert told(hill) == [PageKind.PASSED]
    hill.store({"M1/active_power": seconds(*[50.0] * 10, start=START + MINUTE, every_s=120)})
    hill.evaluate(at(300))
    assert [(alert.state, alert.ended_by) for alert in hill.alerts()] == [(AlertState.RESOLVED, EndedBy.CORRECTION)]
    assert told(hill) == [PageKind.PASSED]


def test_late_readings_show_what_was_missed_and_nobody_is_paged_for_yesterday(hill: Hill) -> None:
    with_somebody_to_tell(hill)
    hill.rules(limit())
    hill.store({"M1/active_power": seconds(50, start=START - timedelta(days=1))})
    hill.evaluate(START - MINUTE)
    hill.store({"M1/active_power": seconds(50, 50)})
    hill.evaluate(at(1))
    yesterday = START - timedelta(hours=20)
    hill.store({"M1/active_power": seconds(50, 150, 170, 50, start=yesterday, every_s=60)})
    hill.evaluate(at(2))
    (alert,) = hill.alerts()
    assert (alert.since, alert.cleared_at) == (yesterday + MINUTE, yesterday + 3 * MINUTE)
    assert (alert.hidden, alert.worst.value) == (Hidden.LATE, 170.0)
    assert told(hill) == []


def test_late_readings_that_still_matter_are_told(hill: Hill) -> None:
    with_somebody_to_tell(hill)
    hill.rules(limit(for_s=120))
    hill.evaluate(START - MINUTE)
    hill.store({"M1/active_power": seconds(50, start=START) + seconds(120, start=at(5))})
    hill.evaluate(at(5.1))
    assert told(hill) == []
    hill.store({"M1/active_power": seconds(120, 120, start=at(2), every_s=60)})
    hill.evaluate(at(5.2))
    (alert,) = hill.alerts()
    assert (alert.state, alert.since) == (AlertState.FIRING, at(2))
    assert told(hill) == [PageKind.FIRED]


def test_after_a_long_outage_the_worker_catches_up_and_pages_nobody_for_what_is_over(hill: Hill) -> None:
    with_somebody_to_tell(hill)
    hill.rules(limit())
    hill.evaluate(START - MINUTE)
    for hour in range(5):
        hill.now = at(60 * hour)
        hill.store({"M1/active_power": seconds(50, 150, 50, start=hill.now, every_s=60)})
    hill.store({"M2/active_power": seconds(150, start=at(299))})
    hill.evaluate(at(300))
    one, two = hill.alerts(object="point:hill/M1/active_power"), hill.alerts(object="point:hill/M2/active_power")
    assert [alert.since for alert in one] == [at(60 * hour + 1) for hour in range(5)]
    assert {alert.hidden for alert in one[:4]} == {Hidden.LATE}
    assert [alert.state for alert in two] == [AlertState.FIRING]
    # The last one was over within the hour.
    assert sorted(told(hill)) == [PageKind.FIRED, PageKind.PASSED]


def test_a_first_start_can_judge_the_last_days_and_pages_nobody_for_them(hill: Hill) -> None:
    with_somebody_to_tell(hill)
    hill.rules(limit())
    days = [START - timedelta(days=n) for n in (4, 2)]
    for day in days:
        hill.store({"M1/active_power": seconds(50, 150, 50, start=day, every_s=60)})
    hill.store({"M1/active_power": seconds(50)})
    hill.now = at(1)
    for _ in range(2):
        worker = AlertWorker(
            hill.dsn, Event(), builtin_workdays(), clock=lambda: hill.now, since=START - timedelta(days=3)
        )
        assert worker.run_once()
    assert [(alert.since, alert.hidden) for alert in hill.alerts()] == [(days[1] + MINUTE, Hidden.LATE)]
    assert told(hill) == []


def test_repeated_readings_change_nothing(hill: Hill) -> None:
    with_somebody_to_tell(hill)
    hill.rules(limit(for_s=20))
    hill.evaluate(START - MINUTE)
    for _ in range(3):
        hill.store({"M1/active_power": seconds(50, 120, 130, 120, 50)})
        hill.evaluate(at(1))
    (alert,) = hill.alerts()
    assert (alert.since, alert.cleared_at) == (START + timedelta(seconds=10), START + timedelta(seconds=40))
    assert alert.reopened == 0
    assert told(hill) == [PageKind.PASSED]


def test_who_is_silent_is_told_by_time_alone_and_over_with_the_next_word(hill: Hill) -> None:
    hill.rules(limit("silent", cause="no_data", detector={"kind": "stale", "after_s": 300}))
    hill.evaluate(START - MINUTE)
    hill.store({"M1/active_power": seconds(50, 50), "M2/active_power": seconds(50, 50)})
    hill.evaluate(at(1))
    hill.store({"M2/active_power": seconds(50, start=at(5))})
    # Whoever was away may let everybody speak first.
    hill.evaluate(at(7))
    hill.evaluate(at(7.5))
    (alert,) = hill.alerts()
    assert (alert.state, alert.about.object) == (AlertState.FIRING, "point:hill/M1/active_power")
    assert alert.about.edge == "gw-1"
    hill.store({"M1/active_power": seconds(50, start=at(8))})
    hill.evaluate(at(8.1))
    (alert,) = hill.alerts()
    assert (alert.state, alert.cleared_at) == (AlertState.RESOLVED, at(8))


def test_what_a_silent_meter_had_kept_does_not_confuse_anybody(hill: Hill) -> None:
    hill.rules(limit("silent", cause="no_data", detector={"kind": "stale", "after_s": 300}), limit())
    hill.store({"M1/active_power": seconds(50)})
    hill.evaluate(at(1))
    hill.evaluate(at(10))
    # It had kept everything, and tells it in order.
    hill.store({"M1/active_power": seconds(*[50.0] * 30, start=START + timedelta(seconds=20), every_s=20)})
    hill.evaluate(at(10.5))
    hill.store({"M1/active_power": seconds(50, start=at(10.6))})
    hill.evaluate(at(10.7))
    assert {alert.state for alert in hill.alerts()} <= {AlertState.RESOLVED}


def test_windows_are_judged_when_they_close_and_again_when_something_late_touches_them(hill: Hill) -> None:
    hill.rules(limit("mean", source="quarter"))
    hill.evaluate(START - MINUTE)
    hill.store({"M1/active_power": seconds(*[120.0] * 10, start=at(0), every_s=60)})
    hill.evaluate(at(14))
    assert hill.alerts() == []
    hill.evaluate(at(16))
    (alert,) = hill.alerts()
    assert (alert.since, alert.fired_at, alert.worst.value) == (at(0), at(15), 120.0)
    hill.store({"M1/active_power": seconds(*[0.0] * 10, start=at(0.5), every_s=60)})
    hill.evaluate(at(17))
    assert [alert.ended_by for alert in hill.alerts()] == [EndedBy.CORRECTION]


def test_a_rule_that_changes_takes_its_open_alerts_along_or_ends_them(hill: Hill) -> None:
    hill.rules(limit())
    hill.evaluate(START - MINUTE)
    hill.store({"M1/active_power": seconds(120, 120), "M2/active_power": seconds(200, 200)})
    hill.evaluate(at(1))
    assert len(hill.alerts()) == 2
    hill.rules(limit(detector={"kind": "limit", "above": 150.0}, severity="warning"))
    hill.evaluate(at(2))
    one, two = sorted(hill.alerts(), key=lambda alert: alert.about.object)
    assert (one.state, one.ended_by) == (AlertState.RESOLVED, EndedBy.CONDITION)
    assert (two.state, two.severity) == (AlertState.FIRING, "warning")
    hill.rules(limit("another"))
    hill.evaluate(at(3))
    (two,) = hill.alerts(rule="too-much", object="point:hill/M2/active_power")
    assert (two.state, two.ended_by) == (AlertState.RESOLVED, EndedBy.RULE)


def test_a_backtest_tells_what_live_has_told(hill: Hill) -> None:
    rules = [
        limit(for_s=30, clear_for_s=30),
        limit("mean", source="quarter", detector={"kind": "limit", "above": 80.0}),
    ]
    hill.rules(*rules)
    # How often a meter speaks is known from the hours before.
    before = seconds(*[50.0] * 720, start=at(-120))
    hill.store({"M1/active_power": before, "M2/active_power": before})
    hill.evaluate(START - MINUTE)
    for minute in range(0, 120, 5):
        shown = [60.0 + 90.0 * ((minute * 12 + n) % 70 < 25) for n in range(30)]
        hill.now = at(minute + 5)
        hill.store({"M1/active_power": seconds(*shown, start=at(minute)), "M2/active_power": seconds(50, 50)})
        hill.evaluate()
    hill.evaluate(at(121))
    with hill.connection() as connection:
        kept = [one.rule for one in read_rules(connection, active_only=True)]
        found = backtest(connection, kept, START, at(120), calendar=builtin_workdays())

    def seen(alert: Alert) -> tuple[object, ...]:
        names = ("since", "fired_at", "cleared_at", "reopened")
        return (alert.about.rule, alert.about.object, *(getattr(alert, name) for name in names))

    live = sorted(seen(alert) for alert in hill.alerts() if alert.fired_at is not None)
    assert len(live) > 1
    assert sorted(seen(one.alert) for one in found.alerts) == live
