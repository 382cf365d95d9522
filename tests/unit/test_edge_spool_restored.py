"""A spool restored from a backup: what it had is sent under its old number, what is new under numbers never used."""

import shutil
from datetime import UTC, datetime, timedelta

import pytest
from smartpark.clock import to_us
from smartpark.measurands import Measurand
from smartpark_edge.choices import WhenFull
from smartpark_edge.readings import Point
from smartpark_edge.recorder import Pace, Recorder
from smartpark_edge.spool import Spool
from smartpark_edge.spool_reader import SpoolReader
from smartpark_edge.spool_records import Addition

NOW = datetime(2026, 11, 22, tzinfo=UTC)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "edge.sqlite"


def open_spool(path, now=NOW):
    return Spool(path, limit_bytes=10_000_000, when_full=WhenFull.DROP_OLDEST, now=now)


def batches(spool):
    """What would be sent: (boot, sequence) and body."""
    reader = SpoolReader(spool.path)
    found = {(spool.boot, one.sequence): one.body for one in reader.live_after(0, 99)}
    reader.close()
    return found


def add(spool, *times):
    for time in times:
        spool.add(Addition(sealed=[(False, [(0, 0, time, time)])], accepted=1), 0)


def restore(backup, path):
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    shutil.copy(backup, path)


@pytest.mark.parametrize("before", [(), (1, 2, 3)])
def test_no_number_ever_stands_for_two_things_and_what_was_pending_keeps_its_own(path, tmp_path, before):
    spool = open_spool(path)
    add(spool, *before)
    spool.close()
    backup = shutil.copy(path, tmp_path / "backup")
    lives = []
    for life in (1, 2, 3):
        spool = open_spool(path, NOW + timedelta(seconds=life))
        add(spool, *range(1000 * life, 1000 * life + 5))
        lives.append(batches(spool))
        spool.close()
        restore(backup, path)
    pending = {(spool.boot, number + 1): lives[0].get((spool.boot, number + 1)) for number in range(len(before))}
    assert all(pending.values())
    for one in lives:
        assert len(one) == len(before) + 5
        assert pending.items() <= one.items()
    # Above all that the lost life used, not only different: ingest takes what lies below its floor for known.
    fresh = [sorted(sequence for boot, sequence in one.keys() - pending.keys()) for one in lives]
    assert fresh[0][-1] < fresh[1][0] <= fresh[1][-1] < fresh[2][0]


def test_numbers_go_on_from_the_clock_and_never_back_with_it(path):
    spool = open_spool(path)
    add(spool, 1)
    spool.close()
    spool = open_spool(path)
    add(spool, 2, 3)
    spool.close()
    spool = open_spool(path, NOW - timedelta(days=1))
    add(spool, 4)
    assert [sequence for _, sequence in batches(spool)] == [1, to_us(NOW), to_us(NOW) + 1, to_us(NOW) + 2]
    spool.close()


def test_two_lives_of_a_restored_spool_do_not_bind_one_alias_to_two_points(path, tmp_path):
    spool = open_spool(path)
    spool.close()
    backup = shutil.copy(path, tmp_path / "backup")
    bound = []
    for key in ("park/a/voltage", "park/b/voltage"):
        spool = open_spool(path)
        recorder = Recorder(spool, Pace(), on_change=lambda: None)
        addition = Addition()
        recorder._introduce(Point(key, Measurand.VOLTAGE, -1), addition)
        recorder._introduce(Point(key, Measurand.VOLTAGE, -2), addition)
        bound += [point.alias for point in addition.aliases]
        spool.close()
        restore(backup, path)
    assert len(set(bound)) == 4
    assert all(0 <= alias < 2**32 for alias in bound)
