"""Bit rot: what a disk alters in a spool is never sent; it is taken out, counted and named."""

import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime

import pytest
from smartpark.measurands import Measurand
from smartpark.wire import BirthPoint
from smartpark_edge.choices import WhenFull
from smartpark_edge.spool import Spool
from smartpark_edge.spool_file import SpoolVersionError
from smartpark_edge.spool_reader import SpoolReader
from smartpark_edge.spool_records import Addition, Letter

NOW = datetime(2026, 11, 22, tzinfo=UTC)
ODD = 123_456_789
"""A value that stands nowhere else in the file."""


@pytest.fixture
def path(tmp_path):
    return tmp_path / "edge.sqlite"


@pytest.fixture
def open_spool(path):
    opened = []

    def make():
        for one in opened:
            one.close()
        opened[:] = [Spool(path, limit_bytes=10_000_000, when_full=WhenFull.DROP_OLDEST, now=NOW)]
        return opened[0]

    yield make
    for one in opened:
        one.close()


def rows(start, count, value=7):
    return [(0, 0, time, value) for time in range(start, start + count)]


def flip_bit(spool, needle):
    """One bit, with the file closed, as a disk would."""
    spool.close()
    with closing(sqlite3.connect(spool.path)) as db, db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
    raw = bytearray(spool.path.read_bytes())
    place = raw.index(needle)
    raw[place + 2] ^= 1
    spool.path.write_bytes(raw)
    with closing(sqlite3.connect(spool.path)) as db, db:
        assert db.execute("PRAGMA quick_check").fetchone() == ("ok",)
    db.close()


def batches(path):
    reader = SpoolReader(path)
    found = reader.live_after(0, 99)
    reader.close()
    return found


def test_a_flipped_bit_in_a_batch_is_found_taken_out_counted_and_named(open_spool, path, caplog):
    spool = open_spool()
    spool.add(Addition(sealed=[(False, rows(0, 50)), (False, rows(100, 20, ODD))], accepted=70), 1)
    flip_bit(spool, ODD.to_bytes(8, "little"))
    spool = open_spool()
    assert [(one.sequence, one.is_sound) for one in batches(path)] == [(1, True), (2, False)]
    spool.give_up_damaged(1)
    assert spool.counters.dropped == 0
    for _ in range(2):
        spool.give_up_damaged(2)
    counters = spool.counters
    assert [one.sequence for one in batches(path)] == [1]
    assert (counters.damaged, counters.dropped, counters.pending_readings, counters.pending_batches) == (
        20,
        20,
        50,
        1,
    )
    assert (counters.damaged_from, counters.damaged_to) == (100, 119)
    assert "lost 20 readings and 0 dead letters, 1970-01-01T00:00:00.000100+00:00" in caplog.text
    spool.acknowledge([(1, 1)])
    assert (spool.counters.pending_bytes, spool.counters.pending_readings) == (0, 0)
    assert open_spool().counters.damaged == 20


def test_a_flipped_bit_in_a_dead_letter_is_a_lost_letter(open_spool, path):
    spool = open_spool()
    spool.add(Addition(letters=[Letter(5, "meters", "a/strange/topic", "malformed: x", b"x")]), 1)
    flip_bit(spool, b"a/strange/topic")
    spool = open_spool()
    spool.give_up_damaged(1)
    counters = spool.counters
    assert (counters.damaged, counters.damaged_letters, counters.dropped_letters) == (0, 1, 1)
    assert (counters.damaged_from, counters.pending_bytes, counters.pending_batches) == (5, 0, 0)


def test_a_flipped_bit_in_a_piece_is_not_sealed(open_spool):
    spool = open_spool()
    spool.add(Addition(pieces=[(False, rows(0, 10))], accepted=10), 1)
    spool.add(Addition(pieces=[(False, rows(10, 3, ODD))], accepted=3), 1)
    flip_bit(spool, ODD.to_bytes(8, "little"))
    spool = open_spool()
    assert spool.open_rows(history=False) == rows(0, 10)
    counters = spool.counters
    assert (counters.damaged, counters.damaged_from, counters.damaged_to) == (3, 10, 12)
    spool.add(Addition(sealed=[(False, rows(0, 10))]), 1)
    assert (spool.counters.pending_readings, spool.counters.pending_batches) == (10, 1)


def test_a_damaged_memory_is_no_memory_and_no_loss(open_spool, monkeypatch):
    spool = open_spool()
    spool.add(Addition(sealed=[(False, rows(0, 5)), (False, rows(5, 5, ODD))], accepted=10), 1)
    spool.acknowledge([(1, 2)])
    flip_bit(spool, ODD.to_bytes(8, "little"))
    spool = open_spool()
    assert list(spool.remembered(99)) == rows(0, 5)
    monkeypatch.setattr("smartpark_edge.spool.KEPT_READINGS", 0)
    spool.acknowledge([(1, 2)])
    assert list(spool.remembered(99)) == rows(0, 5)
    assert spool.counters.dropped == 0


def test_aliases_that_a_disk_has_altered_are_a_damaged_spool(open_spool):
    spool = open_spool()
    boot = spool.boot
    point = BirthPoint(alias=0, point="park/meter/voltage", measurand=Measurand.VOLTAGE, exponent=-1)
    spool.add(Addition(aliases=[point], sealed=[(False, rows(0, 5))], accepted=5), 1)
    flip_bit(spool, b"park/meter/voltage")
    spool = open_spool()
    assert "damaged" in spool.alarm
    assert spool.boot != boot
    assert spool.birth_points() == ()


def test_a_spool_of_another_version_is_refused_and_left_alone(open_spool, path, tmp_path):
    spool = open_spool()
    spool.close()
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("UPDATE meta SET value = '1' WHERE key = 'schema'")
    db.close()
    before = shutil.copy(path, tmp_path / "before").read_bytes()
    with pytest.raises(SpoolVersionError, match="spool version 1; this agent writes version 2"):
        Spool(path, limit_bytes=1, when_full=WhenFull.DROP_OLDEST, now=NOW)
    assert path.read_bytes() == before


def test_a_damaged_spool_names_what_is_lost_with_it_as_far_as_it_can_be_read(path, open_spool):
    spool = open_spool()
    spool.add(Addition(sealed=[(False, rows(1_000_000, 3, ODD)), (False, rows(2_000_000, 4))]), 0)
    spool.close()
    with closing(sqlite3.connect(path)) as db, db:
        # Its structure is wrong, and what it counts can still be read.
        db.execute("PRAGMA writable_schema = ON")
        db.execute("DELETE FROM sqlite_master WHERE name = 'batch_pending'")
    alarm = open_spool().alarm
    assert "edge.sqlite was damaged; kept as edge.sqlite.damaged-20261122T000000" in alarm
    assert "7 readings in it were not yet acknowledged, 1970-01-01T00:00:01+00:00 to 1970-01-01T00:00:02" in alarm


def test_what_is_lost_with_it_includes_what_was_in_no_batch_yet(path, open_spool):
    spool = open_spool()
    spool.add(Addition(pieces=[(False, rows(3_000_000, 2))]), 0)
    reader = SpoolReader(path)
    assert (reader.span_pending(), reader.pending_letters()) == ((3_000_000, 3_000_001), 0)
    letter = Letter(time=9_000_000, source="m", topic="t", reason="malformed: x", payload=b"{")
    spool.add(Addition(sealed=[(False, rows(1_000_000, 3))], letters=[letter]), 0)
    spool.add(Addition(pieces=[(True, rows(2_000_000, 1))]), 0)
    # The time of a letter is that of its arrival, by the agent's own clock: it says nothing about readings.
    assert (reader.span_pending(), reader.pending_letters()) == ((1_000_000, 2_000_000), 1)
    reader.close()
    spool.close()
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("PRAGMA writable_schema = ON")
        db.execute("DELETE FROM sqlite_master WHERE name = 'batch_pending'")
    assert "4 readings in it were not yet acknowledged, 1970-01-01T00:00:01+00:00 to 1970-01-01T00:00:02" in (
        open_spool().alarm
    )


def test_of_a_spool_whose_batches_cannot_be_read_it_says_how_many_at_least(path, open_spool):
    spool = open_spool()
    spool.add(Addition(pieces=[(False, rows(3_000_000, 2))]), 0)
    spool.close()
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("PRAGMA writable_schema = ON")
        db.execute("DELETE FROM sqlite_master WHERE name = 'piece'")
        db.execute("DELETE FROM sqlite_master WHERE name = 'batch_pending'")
    assert "2 readings in it were not yet acknowledged, of which time cannot be read any more" in open_spool().alarm


def test_of_a_spool_that_is_noise_it_says_that_nobody_can_tell(path, open_spool):
    path.write_bytes(b"this was a database" * 1000)
    assert "how many readings in it were not yet acknowledged cannot be read any more" in open_spool().alarm
