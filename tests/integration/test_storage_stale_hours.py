"""Marks of hours against real databases: who sets them, who takes them, and what happens when both do so at once."""

from collections.abc import Iterator

import numpy as np
import pytest
from derive_park import HOUR, MIDNIGHT, MINUTE
from smartpark.catalogue import parse_catalogue
from smartpark.clock import from_us
from smartpark_storage import (
    READING_DTYPE,
    Batch,
    Connection,
    connect,
    load_catalogue,
    load_registry,
    register_edge,
    store_batches,
    transaction,
)
from smartpark_storage.batches import _store_load
from smartpark_storage.preparing import prepare_load
from smartpark_storage.stale_hours import claim_stale_day, mark_device_hours_stale, mark_hours_stale
from waiting import wait_until

DAY = 24 * HOUR
LATER = MIDNIGHT + 100 * DAY
"""Long after everything has closed."""


def document(park: str) -> dict[str, object]:
    def device(code: str) -> dict[str, object]:
        measurands = ("active_power", "voltage", "current", "active_energy_import")
        return {
            "code": code,
            "name": code,
            "name_en": code,
            "kind": "meter",
            "carrier": "electricity",
            "point": [{"measurand": m, "resolution": "0.1"} for m in measurands],
        }

    about = {"code": park, "name": park, "name_en": park, "region": "350121", "terrain": "coastal"}
    return {"park": {**about, "peer_class": 1, "area_mu": 1.0}, "device": [device("D1"), device("D2")]}


class Marks:
    """Two parks of two meters, and a writer."""

    def __init__(self, connection: Connection):
        self.connection = connection
        for park in ("hill", "vale"):
            catalogue = parse_catalogue(document(park), file="x")
            load_catalogue(connection, catalogue, source="x", loaded_by="test", at=from_us(MIDNIGHT))
        self.ids = {key: record.point_id for key, record in load_registry(connection).by_key.items()}
        self.edge = register_edge(connection, "edge-a")
        self.sequence = 0

    def store(self, *readings: tuple[str, int], through: Connection | None = None) -> None:
        """One batch of readings (point key without the park `hill`, minutes after midnight)."""
        self.sequence += 1
        batch = Batch(self.edge, 1, self.sequence, 0, self.rows(readings))
        store_batches(through or self.connection, [batch], received_at=from_us(MIDNIGHT))

    def rows(self, readings: tuple[tuple[str, int], ...]) -> np.ndarray:
        rows = np.zeros(len(readings), READING_DTYPE)
        rows["point_id"] = [self.ids[key if key.count("/") == 2 else f"hill/{key}"] for key, _ in readings]
        rows["time"] = [MIDNIGHT + minute * MINUTE for _, minute in readings]
        rows["raw"] = np.nan
        return rows

    def marks(self) -> list[tuple[str, str, int]]:
        """Park, device and hour after midnight of each mark, doubles included."""
        with transaction(self.connection):
            rows = self.connection.execute(
                "SELECT park, device, (extract(epoch FROM hour) * 1000000)::bigint FROM smartpark.stale_hour"
                " ORDER BY 1, 2, 3"
            ).fetchall()
        return [(park, device, (hour - MIDNIGHT) // HOUR) for park, device, hour in rows]

    def is_connected(self, pid: int) -> bool:
        """Whether the server still has a connection."""
        with transaction(self.connection):
            return bool(self.connection.execute("SELECT FROM pg_stat_activity WHERE pid = %s", (pid,)).fetchall())

    def claim(self, connection: Connection | None = None, *, closed: int = LATER) -> dict[str, set[int]] | None:
        """Devices of the claimed day with their hours after midnight."""
        claimed = claim_stale_day(connection or self.connection, closed_us=closed)
        if claimed is None:
            return None
        return {device: {(h - MIDNIGHT) // HOUR for h in hours} for device, hours in claimed.hours.items()}


@pytest.fixture
def marks(connection: Connection) -> Marks:
    return Marks(connection)


@pytest.fixture
def other(database_dsn: str) -> Iterator[Connection]:
    with connect(database_dsn, application="test, second") as opened:
        yield opened


def test_an_hour_is_marked_once_per_device_whatever_the_number_of_readings(marks: Marks):
    marks.store(("D1/active_power", 1), ("D1/active_power", 2), ("D1/voltage", 59), ("D2/voltage", 61))
    marks.store(("D1/active_power", 3))
    assert marks.marks() == [("hill", "D1", 0), ("hill", "D2", 1)]


def test_counters_and_gauges_that_nothing_rests_on_mark_no_hour(marks: Marks):
    marks.store(("D1/active_energy_import", 1), ("D1/current", 1))
    assert marks.marks() == []
    with transaction(marks.connection):
        spans = marks.connection.execute("SELECT point_id, span_start, span_end FROM smartpark.stale_mark").fetchall()
    at = from_us(MIDNIGHT + MINUTE)
    assert spans == [(marks.ids["hill/D1/active_energy_import"], at, from_us(MIDNIGHT + MINUTE + 1))]


def test_the_span_of_a_counter_is_one_however_many_hours_it_covers(marks: Marks):
    marks.store(*(("D1/active_energy_import", minute) for minute in range(0, 300, 10)))
    with transaction(marks.connection):
        spans = marks.connection.execute("SELECT span_start, span_end FROM smartpark.stale_mark").fetchall()
    assert spans == [(from_us(MIDNIGHT), from_us(MIDNIGHT + 290 * MINUTE + 1))]


def test_a_claim_is_one_day_of_one_park_and_the_oldest_comes_first(marks: Marks):
    marks.store(("D1/voltage", 30), ("D2/voltage", 90), ("D1/voltage", 1441), ("vale/D1/voltage", -1))
    assert [marks.claim() for _ in range(4)] == [{"D1": {-1}}, {"D1": {0}, "D2": {1}}, {"D1": {24}}, None]


def test_an_open_hour_waits_and_keeps_its_mark(marks: Marks):
    marks.store(("D1/voltage", 30), ("D1/voltage", 90))
    assert marks.claim(closed=MIDNIGHT + HOUR) == {"D1": {0}}
    assert marks.claim(closed=MIDNIGHT + HOUR) is None
    assert marks.marks() == [("hill", "D1", 1)]


def test_a_claim_of_a_worker_that_is_killed_leaves_its_marks(marks: Marks, other: Connection):
    marks.store(("D1/voltage", 30))
    other.execute("SELECT")
    assert marks.claim(other) == {"D1": {0}}
    # The connection ends before it commits, as that of a worker that is killed; the server notices a moment later.
    pid = other.info.backend_pid
    other.close()
    wait_until(lambda: not marks.is_connected(pid), what="the killed worker's connection is gone")
    assert marks.claim() == {"D1": {0}}


def test_a_writer_that_found_the_mark_is_not_overlooked_by_whoever_takes_it(marks: Marks, other: Connection):
    marks.store(("D1/voltage", 30))
    with transaction(marks.connection):
        _touch(marks, marks.connection, ("D1/voltage", 31))
        # The writer has not committed: who took the mark now would never see its reading.
        assert marks.claim(other) is None
        other.rollback()
    assert marks.claim(other) == {"D1": {0}}


def test_a_writer_does_not_lean_on_a_mark_that_somebody_is_taking(marks: Marks, other: Connection):
    marks.store(("D1/voltage", 30))
    with transaction(other):
        assert marks.claim(other) == {"D1": {0}}
        # Comes while the other computes, does not wait for it, and is not lost by its commit.
        marks.store(("D1/voltage", 31))
    assert marks.marks() == [("hill", "D1", 0)]
    assert marks.claim() == {"D1": {0}}


def test_two_writers_with_the_first_readings_of_an_hour_do_not_wait_for_each_other(marks: Marks, other: Connection):
    # Makes the chunk, for which TimescaleDB lets one wait for the other.
    marks.store(("D1/current", 30))
    with transaction(marks.connection):
        _touch(marks, marks.connection, ("D1/voltage", 30))
        with transaction(other):
            other.execute("SET LOCAL lock_timeout = '1s'")
            _touch(marks, other, ("D1/active_power", 31))
        assert marks.claim(other) == {"D1": {0}}
        other.commit()
    assert marks.claim() == {"D1": {0}}
    assert marks.claim() is None


def test_two_workers_have_different_days_in_hand(marks: Marks, other: Connection):
    marks.store(("D1/voltage", 30), ("D1/voltage", 1441), ("D2/voltage", 1441))
    with transaction(marks.connection), transaction(other):
        assert marks.claim() == {"D1": {0}}
        assert marks.claim(other) == {"D1": {24}, "D2": {24}}
        assert marks.claim(other) is None


def test_the_day_that_somebody_works_on_is_left_to_them_even_where_new_marks_come(marks: Marks, other: Connection):
    marks.store(("D1/voltage", 30))
    with transaction(other):
        assert marks.claim(other) == {"D1": {0}}
        marks.store(("D2/voltage", 90))
        assert marks.claim() is None
    assert marks.claim() == {"D2": {1}}


def test_a_span_to_recompute_marks_the_hours_from_the_first_reading_to_the_last(marks: Marks):
    marks.store(("D1/voltage", 30), ("D1/active_power", 200), ("vale/D1/voltage", 30), ("D2/current", 30))
    while marks.claim():
        pass
    assert mark_hours_stale(marks.connection, "hill", MIDNIGHT - DAY, MIDNIGHT + DAY) == 4
    assert marks.marks() == [("hill", "D1", hour) for hour in range(4)]
    while marks.claim():
        pass
    assert mark_hours_stale(marks.connection, "hill", MIDNIGHT + HOUR, MIDNIGHT + 2 * HOUR) == 1
    assert mark_hours_stale(marks.connection, "hill", MIDNIGHT + 9 * HOUR, MIDNIGHT + DAY) == 0
    mark_device_hours_stale(marks.connection, "hill", {"D2"}, MIDNIGHT)
    assert marks.marks() == [("hill", "D1", 1), ("hill", "D2", 0)]


def _touch(marks: Marks, connection: Connection, *readings: tuple[str, int]) -> None:
    """What `store_batches` does with readings, in a transaction that stays open."""
    load = prepare_load([marks.rows(readings)])
    assert load is not None
    _store_load(connection, load, from_us(MIDNIGHT))
