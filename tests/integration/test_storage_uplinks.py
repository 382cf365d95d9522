"""The queue of an uplink: what is due, what is known, what is due again after a correction or a lost answer."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from fix_ingest import as_ingest, fetch
from fix_uplinks import new_park
from smartpark.clock import to_us
from smartpark_storage import IndicatorRow, connect, publish_indicators
from smartpark_storage.errors import StorageRefusedError
from smartpark_storage.uplinks import (
    PutOff,
    QueueEntry,
    UplinkKindError,
    WantedSeries,
    acknowledge_uplink_items,
    forget_uplink_items,
    hold_uplink,
    keep_uplink_state,
    mark_uplink_items_sent,
    note_uplink_trouble,
    open_uplink,
    put_off_uplink_items,
    queue_uplink_items,
    release_uplink,
    retire_uplink_items,
    sendable_uplink_items,
    uplink_coverage,
    uplink_due,
    uplink_overviews,
    uplink_packet,
    withheld_periods,
)

DAY = datetime(2026, 11, 20, 16, 0, tzinfo=UTC)
"""Midnight of the 21st in the park's zone."""
NOW = DAY + timedelta(days=2)
EVER = {"start_from": DAY - timedelta(days=999), "start_before": NOW, "limit": 100}
READY = {"day": NOW, "hour": NOW}


def published(start=DAY, value=1.5, **changed):
    row = IndicatorRow(
        park="park",
        boundary="park",
        indicator="electricity_consumption",
        grain="day",
        start_us=to_us(start),
        value=value,
        numerator=None,
        denominator=None,
        unit="kWh",
        completeness=1.0,
        estimated_share=0.0,
        method="test",
        factor_set="none",
        factors=(),
        reason="",
        computed_at_us=to_us(NOW - timedelta(hours=1)),
    )
    return replace(row, **changed)


WANTED = WantedSeries("day:E", "", "as is", "park", "park", "electricity_consumption", "day", NOW)


class Queue:
    """An uplink of a park of its own."""

    def __init__(self, connection, park):
        self.connection, self.park, self.name = connection, park, f"up-{park}"
        open_uplink(connection, self.name, "test")

    def publish(self, *rows):
        publish_indicators(self.connection, [replace(row, park=self.park) for row in rows])

    def due(self, *wanted, since=DAY - timedelta(days=30), settled=NOW):
        series = [replace(one, park=self.park) for one in wanted or [WANTED]]
        return uplink_due(self.connection, self.name, series, since=since, settled=settled)

    def plan(self, *wanted):
        """Queue what is due, its digest being its value."""
        entries = [
            QueueEntry(number, "" if number.value is None else str(number.value), "no value" * (number.value is None))
            for number in self.due(*wanted)
        ]
        return queue_uplink_items(self.connection, self.name, entries, NOW)

    def sendable(self, now=NOW, ready=READY, forms=None, **bounds):
        told = {"day:E": "as is"} if forms is None else forms
        return sendable_uplink_items(self.connection, self.name, told, ready, now, **(EVER | bounds))

    def tell(self):
        numbers = self.sendable()
        mark_uplink_items_sent(self.connection, self.name, numbers, NOW)
        return numbers

    def acknowledge(self, numbers):
        acknowledge_uplink_items(self.connection, self.name, numbers, NOW)


@pytest.fixture
def queue(shared_database_dsn):
    park = new_park(shared_database_dsn)
    with connect(as_ingest(shared_database_dsn), application="test") as connection:
        yield Queue(connection, park)


@pytest.fixture
def plain_queue(shared_plain_dsn):
    park = new_park(shared_plain_dsn)
    with connect(as_ingest(shared_plain_dsn), application="test") as connection:
        yield Queue(connection, park)


def test_a_number_is_due_until_it_is_queued_and_sendable_until_it_is_acknowledged(queue):
    queue.publish(published(), published(DAY - timedelta(days=1), 2.5))
    assert [number.value for number in queue.due()] == [2.5, 1.5], "the oldest first"
    assert queue.plan() == 2
    assert queue.due() == []
    told = queue.tell()
    assert [(n.item, n.value, n.unit, n.attempts, n.is_correction) for n in told] == [
        ("day:E", 2.5, "kWh", 0, False),
        ("day:E", 1.5, "kWh", 0, False),
    ]
    queue.acknowledge(told[:1])
    assert [number.value for number in queue.sendable()] == [1.5]
    assert [number.attempts for number in queue.sendable()] == [1]


def test_a_period_that_has_not_ended_or_is_being_computed_or_is_too_old_is_not_due(plain_queue):
    plain_queue.publish(published())
    assert plain_queue.due(replace(WANTED, before=DAY)) == []
    assert plain_queue.due(settled=NOW - timedelta(hours=2)) == []
    assert plain_queue.due(since=DAY + timedelta(hours=1)) == []
    assert len(plain_queue.due()) == 1


def test_a_correction_is_told_again_under_the_same_key(queue):
    queue.publish(published())
    queue.plan()
    queue.acknowledge(queue.tell())
    queue.publish(published(value=1.75))
    assert [(number.revision, number.known_digest) for number in queue.due()] == [(2, "1.5")]
    queue.plan()
    assert [(n.value, n.revision, n.is_correction) for n in queue.sendable()] == [(1.75, 2, True)]
    assert len(fetch_items(queue)) == 1


def test_a_revision_that_says_the_same_is_not_told_again(plain_queue):
    plain_queue.publish(published())
    plain_queue.plan()
    plain_queue.acknowledge(plain_queue.tell())
    plain_queue.publish(published(method="another", completeness=0.99))
    assert plain_queue.plan() == 1
    assert plain_queue.sendable() == []
    assert plain_queue.due() == []


def test_after_an_answer_that_was_lost_going_back_to_the_old_value_is_told(plain_queue):
    """The platform may have taken the correction, so that the value of before is news to it."""
    plain_queue.publish(published())
    plain_queue.plan()
    plain_queue.acknowledge(plain_queue.tell())
    plain_queue.publish(published(value=9.0))
    plain_queue.plan()
    plain_queue.tell()  # and no answer
    plain_queue.publish(published())
    plain_queue.plan()
    assert [(number.value, number.is_correction) for number in plain_queue.sendable()] == [(1.5, True)]


def test_a_late_acknowledgement_of_an_old_revision_does_not_settle_the_new_one(plain_queue):
    plain_queue.publish(published())
    plain_queue.plan()
    told = plain_queue.tell()
    plain_queue.publish(published(value=9.0))
    plain_queue.plan()
    plain_queue.acknowledge(told)
    assert [number.value for number in plain_queue.sendable()] == [9.0]


def test_other_settings_let_everything_be_compared_anew(plain_queue):
    plain_queue.publish(published())
    plain_queue.plan()
    plain_queue.acknowledge(plain_queue.tell())
    other = replace(WANTED, form="in MWh")
    assert [number.form for number in plain_queue.due(other)] == ["in MWh"]
    entries = [QueueEntry(number, "0.0015") for number in plain_queue.due(other)]
    queue_uplink_items(plain_queue.connection, plain_queue.name, entries, NOW)
    assert plain_queue.sendable() == [], "not under the settings of before"
    assert len(plain_queue.sendable(forms={"day:E": "in MWh"})) == 1


def test_a_missing_value_is_withheld_with_its_reason_and_told_once_it_is_there(queue):
    queue.publish(published(value=None, completeness=0.0))
    queue.plan()
    assert queue.sendable() == []
    (withheld,) = withheld_periods(queue.connection, queue.name)
    assert (withheld.item, withheld.withheld, withheld.periods) == ("day:E", "no value", 1)
    queue.publish(published(value=0.0))
    queue.plan()
    assert [number.value for number in queue.sendable()] == [0.0]
    assert withheld_periods(queue.connection, queue.name) == []


def test_a_number_that_was_refused_comes_back_when_its_time_has_come(plain_queue):
    plain_queue.publish(published())
    plain_queue.plan()
    (number,) = plain_queue.tell()
    later = NOW + timedelta(minutes=5)
    put_off_uplink_items(plain_queue.connection, plain_queue.name, [PutOff(number, later, "no such code")])
    assert plain_queue.sendable() == []
    assert [n.refusals for n in plain_queue.sendable(now=later)] == [1]
    (seen,) = uplink_overviews(plain_queue.connection, plain_queue.name)
    assert (seen.waiting, seen.refused, seen.newest_error) == (1, 1, "no such code")


def test_a_grain_whose_time_has_not_come_and_an_item_that_settings_lost_are_not_told(plain_queue):
    plain_queue.publish(published())
    plain_queue.plan()
    assert plain_queue.sendable(ready={"hour": NOW}) == []
    assert plain_queue.sendable(ready={"day": DAY}) == []
    assert plain_queue.sendable(forms={"day:G": "as is"}) == []
    assert plain_queue.sendable(start_before=DAY) == []
    assert len(plain_queue.sendable(start_from=DAY)) == 1


def test_a_packet_is_read_whole(plain_queue):
    gas = published(indicator="electricity_purchased", value=4.0)
    plain_queue.publish(published(), gas)
    series = [replace(WANTED, packet="P"), replace(WANTED, item="day:P", packet="P", indicator=gas.indicator)]
    plain_queue.plan(*series)
    plain_queue.acknowledge(plain_queue.tell())
    forms = {"day:E": "as is", "day:P": "as is"}
    assert [n.item for n in plain_queue.sendable(forms=forms)] == ["day:P"]
    whole = uplink_packet(plain_queue.connection, plain_queue.name, forms, "P", DAY)
    assert [(n.item, n.value) for n in whole] == [("day:E", 1.5), ("day:P", 4.0)]


def test_only_what_is_settled_and_no_longer_looked_at_is_forgotten(plain_queue):
    old = DAY - timedelta(days=20)
    plain_queue.publish(published(), published(old, 2.0), published(old - timedelta(days=1), 3.0))
    plain_queue.plan()
    told = plain_queue.tell()
    plain_queue.acknowledge([number for number in told if number.value != 3.0])
    before = {"start_before": DAY - timedelta(days=1), "settled_before": NOW + timedelta(seconds=1)}
    assert forget_uplink_items(plain_queue.connection, plain_queue.name, **before) == 1
    assert sorted(value for (value,) in fetch_items(plain_queue, "digest")) == ["1.5", "3.0"]
    assert forget_uplink_items(plain_queue.connection, plain_queue.name, **before | {"settled_before": NOW}) == 0
    (seen,) = uplink_coverage(plain_queue.connection, plain_queue.name, old - timedelta(days=5), NOW)
    assert (seen.grain, seen.items, seen.queued, seen.acknowledged, seen.withheld) == ("day", 1, 2, 1, 0)
    assert seen.oldest == old - timedelta(days=1)


def test_what_waits_under_an_item_that_settings_lost_is_let_go_and_due_again_when_they_find_it(plain_queue):
    plain_queue.publish(published())
    plain_queue.plan()
    assert retire_uplink_items(plain_queue.connection, plain_queue.name, ["day:G"]) == 1
    assert [one.withheld for one in withheld_periods(plain_queue.connection, plain_queue.name)] == [
        "not in the settings any more"
    ]
    assert retire_uplink_items(plain_queue.connection, plain_queue.name, ["day:G"]) == 0
    plain_queue.plan()
    assert len(plain_queue.sendable()) == 1


def test_one_worker_has_the_turn_until_it_gives_it_back_or_does_not_move(plain_queue):
    lease = timedelta(seconds=60)
    link, name = plain_queue.connection, plain_queue.name
    assert hold_uplink(link, name, "a", NOW, lease)
    assert hold_uplink(link, name, "a", NOW, lease)
    assert not hold_uplink(link, name, "b", NOW + lease / 2, lease)
    assert hold_uplink(link, name, "b", NOW + lease, lease)
    release_uplink(link, name, "a")
    assert not hold_uplink(link, name, "a", NOW + lease, lease)
    release_uplink(link, name, "b")
    assert hold_uplink(link, name, "a", NOW + lease, lease)


def test_what_a_platform_said_of_itself_is_kept_and_a_name_is_of_one_kind(plain_queue):
    keep_uplink_state(plain_queue.connection, plain_queue.name, {"device": "D1"})
    assert open_uplink(plain_queue.connection, plain_queue.name, "test") == {"device": "D1"}
    with pytest.raises(UplinkKindError, match=f"uplink {plain_queue.name} is of kind test, not hj212"):
        open_uplink(plain_queue.connection, plain_queue.name, "hj212")
    note_uplink_trouble(plain_queue.connection, plain_queue.name, "away", NOW)
    note_uplink_trouble(plain_queue.connection, plain_queue.name, "still away", NOW + timedelta(minutes=1))
    (seen,) = uplink_overviews(plain_queue.connection, plain_queue.name)
    assert (seen.trouble, seen.trouble_since) == ("still away", NOW)
    note_uplink_trouble(plain_queue.connection, plain_queue.name, "it said \0\ud800", NOW)
    assert (
        uplink_overviews(plain_queue.connection, plain_queue.name)[0].trouble == "it said \N{REPLACEMENT CHARACTER}?"
    )
    note_uplink_trouble(plain_queue.connection, plain_queue.name, "", NOW)
    assert uplink_overviews(plain_queue.connection, plain_queue.name)[0].trouble_since is None


def test_the_api_may_look_and_not_touch(shared_plain_dsn):
    with connect(as_ingest(shared_plain_dsn), application="test") as connection:
        open_uplink(connection, "up", "test")
        connection.commit()
    as_api = as_ingest(shared_plain_dsn).replace("smartpark_ingest", "smartpark_api")
    with connect(as_api, application="test") as connection:
        assert [one.name for one in uplink_overviews(connection, "up")] == ["up"]
        with pytest.raises(StorageRefusedError):
            keep_uplink_state(connection, "up", {"device": "mine"})


def fetch_items(queue, columns="item"):
    queue.connection.commit()
    statement = f"SELECT {columns} FROM smartpark.uplink_item WHERE uplink = %s"  # noqa: S608  a test's own
    return fetch(queue.connection.info.dsn, statement, queue.name)
