"""A spool told to keep what it has: its limit holds for readings and dead letters alike, and the rest is named."""

import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
from smartpark.measurands import Measurand
from smartpark_edge.choices import WhenFull
from smartpark_edge.health import SourceHealth
from smartpark_edge.readings import Mapped, Point, Reading, Trouble
from smartpark_edge.recorder import Pace, Recorder
from smartpark_edge.spool import Spool

NOW = datetime(2026, 11, 22, tzinfo=UTC)
LIMIT = 200_000
VOLTAGE = Point("park/meter/voltage", Measurand.VOLTAGE, -1)


@dataclass
class Said:
    """A message that a source hands over."""

    arrival: int
    readings: list[Reading] = field(default_factory=list)
    payload: bytes = b""
    health: SourceHealth = field(default_factory=lambda: SourceHealth("meters"))
    topic: str = "a/b"
    repeated: bool = False
    written: threading.Event = field(default_factory=threading.Event)

    def map(self):
        return [Mapped(readings=self.readings, troubles=[] if self.readings else [Trouble("malformed", "x")])]

    def raw(self):
        return self.payload

    def done(self):
        self.written.set()


@pytest.fixture
def record(tmp_path):
    """Write messages, in one transaction each, and give back the spool."""
    spool = Spool(tmp_path / "edge.sqlite", limit_bytes=LIMIT, when_full=WhenFull.DROP_NEWEST, now=NOW)
    recorder = Recorder(spool, Pace(), on_change=lambda: None)
    recorder.start()

    def write(*works):
        for work in works:
            assert recorder.submit(work, timeout=60)
            assert work.written.wait(60)
        return spool

    yield write
    recorder.stop()
    spool.close()


def unreadable(arrival, size=10_000):
    return Said(arrival, payload=b"x" * size)


def test_the_limit_holds_for_dead_letters_and_those_not_taken_are_counted_and_named(record, caplog):
    spool = record(*[unreadable(arrival) for arrival in range(1, 51)])
    counters = spool.counters
    assert LIMIT - 20_000 < counters.bytes <= LIMIT
    assert counters.dead_letters == counters.pending_batches > 10
    assert counters.dead_letters + counters.dropped_letters == 50
    assert (counters.dropped_from, counters.dropped_to) == (counters.dead_letters + 1, 50)
    assert "the newest were not taken; lost 0 readings and 1 dead letters" in caplog.text


def test_a_letter_too_large_for_what_is_left_does_not_keep_readings_out(record):
    reading = Reading(VOLTAGE, 0, 7, 2301)
    spool = record(unreadable(5, size=LIMIT), Said(9, [reading]))
    counters = spool.counters
    assert (counters.accepted, counters.dropped, counters.dropped_letters) == (1, 0, 1)
    assert (counters.dropped_from, counters.dropped_to) == (5, 5)


def test_letters_of_one_transaction_are_taken_as_far_as_there_is_room(tmp_path):
    spool = Spool(tmp_path / "edge.sqlite", limit_bytes=LIMIT, when_full=WhenFull.DROP_NEWEST, now=NOW)
    recorder = Recorder(spool, Pace(), on_change=lambda: None)
    works = [unreadable(arrival) for arrival in range(1, 51)]
    for work in works:
        assert recorder.submit(work)
    recorder.start()
    recorder.stop()
    assert all(work.written.is_set() for work in works)
    counters = spool.counters
    assert LIMIT - 20_000 < counters.bytes <= LIMIT
    assert counters.dead_letters + counters.dropped_letters == 50
    assert (counters.dropped_from, counters.dropped_to) == (counters.dead_letters + 1, 50)
    spool.close()
