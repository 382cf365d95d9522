"""The spool: what it takes it keeps, what it loses it names, and a damaged file never stops the agent."""

import sqlite3
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from smartpark.measurands import Measurand
from smartpark.wire import BirthPoint, pack_columns
from smartpark_edge.choices import WhenFull
from smartpark_edge.spool import RECENT_PER_POINT, Spool
from smartpark_edge.spool_file import SpoolInUseError, SpoolUnavailableError
from smartpark_edge.spool_reader import SpoolReader
from smartpark_edge.spool_records import Addition, Letter, unpack_rows

NOW = datetime(2026, 11, 22, tzinfo=UTC)
int64 = st.integers(-(2**63), 2**63 - 1)
uint32 = st.integers(0, 2**32 - 1)


@pytest.fixture
def open_spool(tmp_path):
    opened = []

    def make(*, limit=10_000_000, when_full=WhenFull.DROP_OLDEST):
        for one in opened:
            one.close()
        opened[:] = [Spool(tmp_path / "edge.sqlite", limit_bytes=limit, when_full=when_full, now=NOW)]
        return opened[0]

    yield make
    for one in opened:
        one.close()


@pytest.fixture
def reader(tmp_path):
    opened = []

    def make():
        opened.append(SpoolReader(tmp_path / "edge.sqlite"))
        return opened[-1]

    yield make
    for one in opened:
        one.close()


def rows(start, count, alias=0):
    return [(alias, 0, time, 7 * time) for time in range(start, start + count)]


def sealed(start, count, *, history=False, alias=0):
    return Addition(sealed=[(history, rows(start, count, alias))], accepted=count)


@given(st.lists(st.tuples(uint32, uint32, int64, int64)))
def test_rows_survive_their_packing(some):
    assert list(unpack_rows(pack_columns(some))) == some


@given(st.binary(), st.text(), st.integers(-(2**62), 2**62))
def test_a_dead_letter_survives_its_packing(payload, reason, time):
    letter = Letter(time, "meters", "a/b", reason, payload)
    assert Letter.unpack(letter.pack()) == letter


def test_a_spool_keeps_its_identity_its_aliases_and_its_numbers_over_a_restart(open_spool):
    first = open_spool()
    point = BirthPoint(alias=0, point="p/d/voltage", measurand=Measurand.VOLTAGE, exponent=-1)
    double = BirthPoint(alias=1, point="p/d/voltage", measurand=Measurand.VOLTAGE, exponent=None)
    first.add(Addition(aliases=[point, double], sealed=[(False, rows(0, 10))], accepted=10), 5)
    again = open_spool()
    assert again.boot == first.boot < 2**63
    assert again.birth_points() == (point, double)
    assert again.counters == first.counters
    assert (again.counters.pending_readings, again.counters.accepted) == (10, 10)


def test_two_agents_cannot_write_one_spool(open_spool, tmp_path):
    open_spool()
    with pytest.raises(SpoolInUseError, match="another agent"):
        Spool(tmp_path / "edge.sqlite", limit_bytes=1, when_full=WhenFull.DROP_OLDEST, now=NOW)


def test_numbers_are_never_given_twice_even_after_everything_was_acknowledged(open_spool, reader):
    spool = open_spool()
    spool.add(sealed(0, 5), 1)
    spool.acknowledge([(1, 1)])
    spool.add(Addition(letters=[Letter(1, "s", "t", "malformed: x", b"x")]), 1)
    spool.acknowledge([(2, 2)])
    open_spool().add(sealed(5, 5), 1)
    [batch] = reader().live_after(0, 9)
    assert batch.sequence > 2
    assert reader().floor() == batch.sequence


def test_pieces_become_one_batch_when_they_are_sealed(open_spool, reader):
    spool = open_spool()
    for start in range(0, 30, 10):
        spool.add(Addition(pieces=[(False, rows(start, 10))], accepted=10), 1)
    assert spool.open_rows(history=False) == rows(0, 30)
    assert reader().live_after(0, 9) == []
    assert reader().oldest_pending() == rows(0, 1)[0][2]
    spool.add(Addition(sealed=[(False, rows(0, 30))]), 1)
    [batch] = reader().live_after(0, 9)
    assert list(unpack_rows(batch.body)) == rows(0, 30)
    assert spool.counters.pending_readings == 30
    assert spool.open_rows(history=False) == []


def test_the_floor_is_the_lowest_number_not_acknowledged(open_spool, reader):
    spool = open_spool()
    for n in range(6):
        spool.add(sealed(n, 1), 1)
    assert spool.acknowledge([(2, 3), (5, 5), (90, 99)]) == [2, 3, 5]
    assert reader().floor() == 1
    assert spool.acknowledge([(1, 3)]) == [1]
    assert reader().floor() == 4
    assert spool.acknowledge([(4, 4), (6, 6)]) == [4, 6]
    assert reader().floor() == 7
    assert spool.counters.pending_readings == spool.counters.pending_bytes == 0


def test_acknowledged_readings_are_remembered_for_repeated_messages(open_spool):
    spool = open_spool()
    spool.add(sealed(0, 50), 1)
    spool.acknowledge([(1, 1)])
    assert list(open_spool().remembered(1000)) == rows(0, 50)


def test_when_memory_is_trimmed_each_point_keeps_its_newest_readings(open_spool, monkeypatch):
    monkeypatch.setattr("smartpark_edge.spool.KEPT_READINGS", 200)
    spool = open_spool()
    for n in range(20):
        spool.add(sealed(n * 50, 50, alias=n % 2), 1)
        spool.acknowledge([(n + 1, n + 1)])
    assert spool.counters.kept_readings <= 240
    remembered = list(open_spool().remembered(10_000))
    for alias in (0, 1):
        times = [time for one, _, time, _ in remembered if one == alias]
        assert len(times) >= RECENT_PER_POINT
        assert times == sorted(times)
    assert remembered[-50:] == rows(950, 50, alias=1)


def test_what_a_full_spool_gives_up_is_remembered_all_the_same(open_spool):
    """It may have been stored before it was given up: a broker that says it again must not have it stored twice."""
    spool = open_spool(limit=8_000)
    spool.add(sealed(0, 40), 1)
    spool.acknowledge([(1, 1)])
    for n in (1, 2, 3):
        assert spool.add(sealed(n * 40, 40), 1) is None
    dropped = spool.add(sealed(1_000, 300, alias=1), 1)
    assert (dropped.readings, spool.counters.pending_readings) == (120, 300)
    spool = open_spool(limit=8_000)
    remembered = [row for row in spool.remembered(10_000) if row[0] == 0]
    assert remembered == rows(160 - RECENT_PER_POINT, RECENT_PER_POINT)
    # Beyond that it is forgotten, and no more than that is kept of each point.
    assert spool.add(sealed(2_000, 300, alias=1), 1).readings == 300
    again = [row for row in open_spool().remembered(10_000) if row[0] == 1]
    assert again == rows(1_300 - RECENT_PER_POINT, RECENT_PER_POINT, alias=1) + rows(2_000, 300, alias=1)


def test_a_full_spool_gives_up_the_oldest_and_names_what_was_lost(open_spool, reader):
    spool = open_spool(limit=10_000)
    losses = [spool.add(sealed(n * 100, 100), 1) for n in range(10)]
    dropped = [one for one in losses if one]
    counters = spool.counters
    assert counters.bytes <= 10_000
    assert counters.dropped == sum(one.readings for one in dropped) > 0
    assert counters.dropped + counters.pending_readings == counters.accepted == 1000
    assert (counters.dropped_from, counters.dropped_to) == (0, counters.dropped - 1)
    assert [one.sequence for one in reader().live_after(0, 99)][-1] == 10


def test_memory_goes_before_anything_that_is_not_acknowledged(open_spool):
    spool = open_spool(limit=10_000)
    for n in range(3):
        spool.add(sealed(n * 100, 100), 1)
    spool.acknowledge([(1, 3)])
    for n in range(3, 6):
        assert spool.add(sealed(n * 100, 100), 1) is None
    assert spool.counters.dropped == 0


def test_a_spool_that_is_over_its_limit_with_nothing_to_give_up_names_no_loss(open_spool):
    spool = open_spool(limit=1_000)
    assert spool.add(Addition(pieces=[(False, rows(0, 100))], accepted=100), 0) is None
    assert (spool.counters.dropped, spool.counters.dropped_from, spool.counters.dropped_to) == (0, None, None)


def test_a_spool_told_to_keep_the_oldest_says_when_it_has_no_room(open_spool):
    spool = open_spool(limit=5_000, when_full=WhenFull.DROP_NEWEST)
    assert spool.has_room(100)
    spool.add(sealed(0, 100), 1)
    spool.add(sealed(100, 90), 1)
    assert not spool.has_room(100)
    assert spool.counters.pending_readings == 190


@pytest.mark.parametrize("damage", [b"not a database at all", b""])
def test_a_damaged_spool_is_kept_aside_and_a_fresh_one_begun(open_spool, tmp_path, damage):
    first = open_spool()
    first.add(sealed(0, 2000), 1)
    boot = first.boot
    first.close()
    path = tmp_path / "edge.sqlite"
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    content = path.read_bytes()
    path.write_bytes(damage + content[len(damage) :] if damage else content[: len(content) // 2])
    spool = Spool(path, limit_bytes=10_000, when_full=WhenFull.DROP_OLDEST, now=NOW)
    assert spool.boot != boot
    assert "damaged" in spool.alarm
    assert (tmp_path / "edge.sqlite.damaged-20261122T000000").exists()
    spool.add(sealed(0, 3), 1)
    spool.close()


def test_a_disk_that_refuses_leaves_everything_as_it_was(open_spool):
    spool = open_spool()
    spool.add(sealed(0, 10), 1)
    before = spool.counters
    pages = spool._db.execute("PRAGMA page_count").fetchone()[0]
    spool._db.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(SpoolUnavailableError, match="full"):
        spool.add(sealed(10, 5000), 1)
    assert spool.counters == before
    spool._db.execute("PRAGMA max_page_count = 1000000")
    spool.add(sealed(10, 5000), 1)
    assert spool.counters.pending_readings == 5010


def test_commits_reach_the_disk_before_they_count(open_spool):
    spool = open_spool()
    assert spool._db.execute("PRAGMA synchronous").fetchone() == (2,)
    assert spool._db.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_reader_cannot_write(open_spool, reader):
    open_spool()
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        reader()._db.execute("DELETE FROM batch")


def test_backlog_and_live_batches_are_told_apart(open_spool, reader):
    spool = open_spool()
    for n, history in enumerate([False, True, False, True, False]):
        spool.add(sealed(n, 1, history=history), 100 * n)
    r = reader()
    assert [one.sequence for one in r.live_after(0, 9)] == [1, 3, 5]
    assert [one.sequence for one in r.backlog_after(0, 3, 9)] == [1, 2, 3, 4]
    assert r.first_sealed_since(0, 150) == 3
    assert r.first_sealed_since(5, 0) is None


@pytest.mark.parametrize("nth", [1, 2])
def test_a_floor_is_never_above_a_batch_that_waits_whatever_is_sealed_meanwhile(open_spool, reader, nth):
    spool, asking = open_spool(), reader()
    spool.add(sealed(0, 3), 0)
    spool.acknowledge([(1, 1)])
    news = Addition(sealed=[(False, rows(10, 3)), (True, rows(20, 3))], accepted=6)
    asked = []

    def seal_before(statement):
        asked.append(statement)
        if len(asked) == nth:
            spool.add(news, 0)

    asking._db.set_trace_callback(seal_before)
    floor = asking.floor()
    asking._db.set_trace_callback(None)
    assert asked
    assert floor <= 2


def test_the_floor_of_an_empty_spool_is_the_next_number(open_spool, reader):
    spool, asking = open_spool(), reader()
    assert asking.floor() == 1
    spool.add(sealed(0, 3), 0)
    spool.acknowledge([(1, 1)])
    assert asking.floor() == 2
