"""Requests counted in memory until they are written: what waits, what is dropped, and that nobody waits for it."""

import logging
import threading
from datetime import UTC, datetime, timedelta

import pytest
from smartpark_api.alerts.streaming import EVENT_STREAM
from smartpark_api.traffic import TrafficCounts, TrafficWriter
from smartpark_api.vitals import CountRequests, Requests
from smartpark_storage import StorageUnavailableError
from waiting import wait_until

NOON = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)


class Hands:
    """A clock that is set by hand, and a database that may be away."""

    def __init__(self) -> None:
        self.now = NOON
        self.is_away = False
        self.heard = []

    def write(self, batch) -> None:
        self.heard.append(batch)
        if self.is_away:
            raise StorageUnavailableError("database not available: away")


@pytest.fixture
def hands() -> Hands:
    return Hands()


@pytest.fixture
def counts(hands: Hands) -> TrafficCounts:
    return TrafficCounts(clock=lambda: hands.now, most_counts=6, most_minutes=4)


def test_a_minute_is_written_when_it_is_over_and_once(hands: Hands, counts: TrafficCounts):
    writer = TrafficWriter(counts, hands.write)
    counts.note("GET", "/a", 200, 0.005)
    counts.note("GET", "/a", 404, 0.010)
    counts.note("GET", "/a", 503, 30.0)
    assert writer.flush()
    assert hands.heard == []
    hands.now += timedelta(minutes=1)
    counts.be_there()
    assert writer.flush()
    assert writer.flush()
    (batch,) = hands.heard
    (one,) = batch.counted
    assert batch.minutes == (NOON,)
    assert (one.requests, one.client_errors, one.server_errors, one.seconds) == (3, 1, 1, pytest.approx(30.015))
    assert one.counts == [2, *[0] * 9, 1], "a bound is the last of its range"
    assert writer.flush(with_running=True)
    assert hands.heard[1].minutes == (NOON + timedelta(minutes=1),)
    assert hands.heard[1].counted == (), "nobody asked: that is known"
    assert [batch.sequence for batch in hands.heard] == [1, 2]


def test_what_cannot_be_written_is_sent_again_as_it_was_and_told_once(hands: Hands, counts: TrafficCounts, caplog):
    caplog.set_level(logging.INFO)
    writer = TrafficWriter(counts, hands.write)
    counts.note("GET", "/a", 200, 0.1)
    hands.is_away = True
    for _ in range(3):
        hands.now += timedelta(minutes=1)
        counts.note("GET", "/a", 200, 0.1)
        assert not writer.flush()
    assert {(batch.sequence, batch.minutes) for batch in hands.heard} == {(1, (NOON,))}
    assert len(caplog.records) == 1
    assert writer.failures == 3
    hands.is_away = False
    hands.now += timedelta(minutes=1)
    assert writer.flush()
    assert [len(batch.counted) for batch in hands.heard[3:]] == [1, 3]
    assert counts.waiting == counts.dropped == 0
    assert "on record again" in caplog.text
    said = {family.name: family.samples[0].value for family in writer.families()}
    assert said == {
        "smartpark_api_traffic_waiting_minutes": 0,
        "smartpark_api_traffic_failures_total": 3,
        "smartpark_api_traffic_dropped_total": 0,
    }


def test_so_much_and_no_more_waits_and_what_is_dropped_was_not_a_quiet_minute(hands: Hands, counts: TrafficCounts):
    for _ in range(7):
        counts.be_there()
        hands.now += timedelta(minutes=1)
    assert (counts.waiting, counts.dropped) == (4, 3)
    for route in "abcdefgh":
        counts.note("GET", route, 200, 0.1)
    assert (counts.waiting, counts.dropped) == (1, 7), "the running minute is kept, however many routes it has"
    minutes, counted = counts.take(with_running=True)
    assert minutes == (NOON + timedelta(minutes=7),)
    assert len(counted) == 8


def test_who_asks_never_waits_for_the_database(hands: Hands, counts: TrafficCounts):
    begun, goes_on = threading.Event(), threading.Event()

    def write(_batch) -> None:
        begun.set()
        assert goes_on.wait(60)

    writer = TrafficWriter(counts, write, look_s=0.01)
    counts.note("GET", "/a", 200, 0.1)
    hands.now += timedelta(minutes=1)
    writer.start()
    assert begun.wait(60)
    for _ in range(100):
        counts.note("GET", "/a", 200, 0.1)
    assert counts.waiting == 1
    goes_on.set()
    writer.close(60)
    assert counts.waiting == 0


def test_a_fault_nobody_thought_of_does_not_end_the_writing(hands: Hands, counts: TrafficCounts):
    faults = iter([ZeroDivisionError("x")])

    def write(batch) -> None:
        for fault in faults:
            raise fault
        hands.write(batch)

    writer = TrafficWriter(counts, write, look_s=0.01)
    counts.note("GET", "/a", 200, 0.1)
    hands.now += timedelta(minutes=1)
    writer.start()
    wait_until(lambda: hands.heard, what="the minute is written")
    writer.close(60)
    assert writer.failures == 1


def test_an_end_does_not_wait_long_for_a_database_that_does_not_answer(hands: Hands, counts: TrafficCounts, caplog):
    goes_on = threading.Event()
    writer = TrafficWriter(counts, lambda _batch: goes_on.wait(60))
    writer.start()
    writer.close(most_s=0.01)
    goes_on.set()
    assert "the last requests are not on record" in caplog.text


@pytest.mark.parametrize("kind", ["application/json", f"{EVENT_STREAM}; charset=utf-8"])
def test_a_stream_is_answered_when_it_begins_and_any_other_answer_when_it_ends(kind: str):
    requests = Requests()
    noted = []

    def waiting() -> int:
        return sum(one.requests for one in requests.traffic.take(with_running=True)[1])

    async def app(_scope, _receive, send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"Content-Type", kind.encode())]})
        noted.append(waiting())

    async def send(_message) -> None: ...

    async def receive() -> dict: ...

    scope = {"type": "http", "method": "GET", "path": "/x"}
    with pytest.raises(StopIteration):
        CountRequests(app, requests=requests, prefix="/api/v1")(scope, receive, send).send(None)
    assert [*noted, waiting()] == ([1, 0] if kind.startswith(EVENT_STREAM) else [0, 1])
