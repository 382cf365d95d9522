"""What cannot be understood has no time to be known again by: its bytes and the broker's DUP flag serve instead."""

import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
from smartpark_edge.choices import WhenFull
from smartpark_edge.health import SourceHealth
from smartpark_edge.readings import Mapped, Trouble
from smartpark_edge.recorder import Pace, Recorder
from smartpark_edge.spool import Spool

NOW = datetime(2026, 11, 22, tzinfo=UTC)


@dataclass
class Garbage:
    payload: bytes
    repeated: bool = False
    topic: str = "a/b"
    arrival: int = 1
    health: SourceHealth = field(default_factory=lambda: SourceHealth("meters"))
    written: threading.Event = field(default_factory=threading.Event)

    def map(self):
        return [Mapped(troubles=[Trouble("malformed", "x")])]

    def raw(self):
        return self.payload

    def done(self):
        self.written.set()


@pytest.fixture
def start(tmp_path):
    """Open the spool, again and again, with a recorder on it; gives back what writes and the spool."""
    running = []

    def stop():
        for recorder, spool in running:
            recorder.stop()
            spool.close()
        running.clear()

    def make():
        stop()
        spool = Spool(tmp_path / "edge.sqlite", limit_bytes=10**7, when_full=WhenFull.DROP_OLDEST, now=NOW)
        recorder = Recorder(spool, Pace(), on_change=lambda: None)
        recorder.start()
        running.append((recorder, spool))

        def write(*works):
            for work in works:
                assert recorder.submit(work, timeout=60)
                assert work.written.wait(60)

        return write, spool

    yield make
    stop()


def test_garbage_that_a_broker_delivers_again_is_one_dead_letter(start):
    write, spool = start()
    write(Garbage(b"<html>"), Garbage(b"<html>", repeated=True))
    assert (spool.counters.dead_letters, spool.counters.duplicates) == (1, 1)


def test_garbage_that_a_device_says_twice_or_on_another_topic_is_two(start):
    write, spool = start()
    write(Garbage(b"<html>"), Garbage(b"<html>"), Garbage(b"<html>", repeated=True, topic="a/c"))
    assert spool.counters.dead_letters == 3


def test_garbage_that_is_new_to_us_counts_although_the_broker_says_that_it_repeats_it(start):
    write, spool = start()
    write(Garbage(b"<html>", repeated=True))
    assert spool.counters.dead_letters == 1


def test_garbage_of_before_a_crash_is_known_again_while_its_letter_waits(start):
    write, _ = start()
    write(Garbage(b"<html>"))
    write, spool = start()
    write(Garbage(b"<html>", repeated=True))
    assert spool.counters.dead_letters == 1


def test_only_the_last_thousands_are_remembered(start):
    write, spool = start()
    works = [Garbage(b"%d" % n) for n in range(3_000)]
    write(*works)
    write(Garbage(b"2999", repeated=True), Garbage(b"0", repeated=True))
    assert (spool.counters.dead_letters, spool.counters.duplicates) == (3_001, 1)
