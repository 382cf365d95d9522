"""What writers tell of readings, for whoever evaluates alerts; its turn; and reading what was told of."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import numpy as np
import pytest
from alert_cases import HOUR, NOW
from fix_ingest import as_ingest, fetch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from smartpark_storage import Connection, connect, fetch_readings, load_catalogue, store_batches, transaction
from smartpark_storage.alerts import (
    Backlog,
    alerting_turn,
    claim_changes,
    delete_changes,
    fetch_span_readings,
    is_alerting,
    keep_watch,
    read_backlog,
    read_watchers,
    register_watch,
    unregister_watch,
)
from smartpark_storage.errors import StorageConflictError
from smartpark_storage.preparing import prepare_load
from smartpark_storage.queries import query
from storage_cases import HOUR_US, NOON_US, batch, park, readings
from waiting import wait_until


@pytest.fixture(scope="module")
def feed_dsn(shared_database_dsn: str) -> str:
    """A database with a park."""
    with connect(shared_database_dsn, application="test") as connection:
        load_catalogue(connection, park(), source="test", loaded_by="test", at=NOW)
    return shared_database_dsn


@pytest.fixture
def connection(feed_dsn: str) -> Iterator[Connection]:
    """As ingest has it, with nobody watching."""
    with connect(as_ingest(feed_dsn), application="test") as opened:
        for watcher in read_watchers(opened):
            unregister_watch(opened, watcher.watcher)
        opened.commit()
        yield opened
        opened.rollback()


_SEQUENCE = iter(range(1, 1_000_000))


def store(connection: Connection, *rows, edge: int = 1, received_at=NOW):
    one = batch(next(_SEQUENCE), rows, edge=edge)
    store_batches(connection, [one], received_at=received_at)
    return one


def changes_of(connection: Connection, limit: int = 100) -> list[tuple]:
    found = claim_changes(connection, limit)
    return [(one.edge_id, one.points.tolist(), one.first_us.tolist(), one.end_us.tolist()) for one in found]


def test_nothing_is_told_while_nobody_watches(connection: Connection):
    store(connection, (1, NOON_US, 5))
    assert read_backlog(connection) == Backlog(0, None)
    watch = register_watch(connection, "alerts", at=NOW)
    assert watch.is_new
    assert watch.lapsed_at is None
    store(connection, (1, NOON_US, 6))
    assert read_backlog(connection) == Backlog(1, NOW)
    assert unregister_watch(connection, "alerts")
    assert not unregister_watch(connection, "alerts")
    store(connection, (1, NOON_US, 7))
    assert read_backlog(connection).count == 0


def test_a_commit_tells_per_edge_which_points_it_brought_and_over_which_span(connection: Connection):
    register_watch(connection, "alerts", at=NOW)
    rows = [(2, NOON_US + 7, 1), (1, NOON_US, 5), (2, NOON_US - HOUR_US, 2), (1, NOON_US + 30, None, -1)]
    batches = [
        batch(next(_SEQUENCE), rows[:3]),
        batch(next(_SEQUENCE), [*rows[3:], (9, NOON_US, 1.5)], edge=2),
        batch(next(_SEQUENCE), [(3, NOON_US, 1)]),
        batch(next(_SEQUENCE), edge=3),
    ]
    store_batches(connection, batches, received_at=NOW)
    told = changes_of(connection)
    # A point that two edges bring at once is told of whole, by the one that brought its first reading.
    assert told == [
        (1, [1, 2, 3], [NOON_US, NOON_US - HOUR_US, NOON_US], [NOON_US + 31, NOON_US + 8, NOON_US + 1]),
        (2, [9], [NOON_US], [NOON_US + 1]),
    ]
    # What is known already brings nothing.
    again = store_batches(connection, [batches[0], batch(next(_SEQUENCE), [(4, NOON_US, 1)])], received_at=NOW)
    assert len(again.known) == 1
    assert changes_of(connection)[2:] == [(1, [4], [NOON_US], [NOON_US + 1])]


def test_what_was_claimed_stays_until_what_came_of_it_is_committed(feed_dsn: str, connection: Connection):
    register_watch(connection, "alerts", at=NOW)
    for point in (1, 2, 3):
        store(connection, (point, NOON_US, 5))
    with connect(as_ingest(feed_dsn), application="dying") as dying:
        ids = [change.change_id for change in claim_changes(dying, 2)]
        dying.execute("SELECT 1")
        delete_changes(dying, ids)
        dying.close()
    assert [change.change_id for change in claim_changes(connection, 2)] == ids
    with transaction(connection):
        delete_changes(connection, ids)
    with pytest.raises(StorageConflictError, match="1 of 2 changes"):
        delete_changes(connection, [ids[0], claim_changes(connection, 9)[0].change_id])
    assert len(claim_changes(connection, 9)) == 1


def test_a_watcher_that_was_away_for_too_long_is_told_since_when_nothing_was_kept(connection: Connection):
    day = timedelta(days=1)
    first = register_watch(connection, "alerts", at=NOW, patience=day)
    store(connection, (1, NOON_US, 5), received_at=NOW + 23 * HOUR)
    store(connection, (1, NOON_US, 6), received_at=NOW + 25 * HOUR)
    assert read_backlog(connection).count == 1
    again = register_watch(connection, "alerts", at=NOW + 26 * HOUR)
    assert not again.is_new
    assert again.lapsed_at == NOW + day
    assert again.registered_at == NOW + 26 * HOUR > first.registered_at
    store(connection, (1, NOON_US, 7), received_at=NOW + 27 * HOUR)
    assert read_backlog(connection).count == 2
    assert keep_watch(connection, "alerts", at=NOW + 40 * HOUR)
    assert not keep_watch(connection, "nobody", at=NOW)
    store(connection, (1, NOON_US, 8), received_at=NOW + 60 * HOUR)
    assert read_backlog(connection).count == 3
    back = register_watch(connection, "alerts", at=NOW + 61 * HOUR)
    assert back.lapsed_at is None
    assert back.registered_at == again.registered_at
    assert [one.seen_at for one in read_watchers(connection)] == [NOW + 61 * HOUR]


def is_waiting(dsn: str, application: str) -> bool:
    """Whether this session waits for a lock of somebody; only an administrator is shown."""
    statement = "SELECT 1 FROM pg_stat_activity WHERE application_name = %s AND wait_event_type = 'Lock'"
    return bool(fetch(dsn, statement, application))


def test_whoever_begins_to_watch_waits_for_writers_that_could_not_know(feed_dsn: str, connection: Connection):
    load = prepare_load([readings([(1, NOON_US, 5)])], [1])
    assert load is not None
    with (
        ThreadPoolExecutor(1) as pool,
        connect(as_ingest(feed_dsn), application="watcher") as watcher,
        connect(as_ingest(feed_dsn), application="writer") as writer,
    ):
        # A writer that has told nobody, and has not committed its readings yet.
        writer.execute(query("tell_change"), {**load.changes, "received_at": NOW})
        registering = pool.submit(register_watch, watcher, "late", at=NOW)
        wait_until(lambda: is_waiting(feed_dsn, "watcher"), what="the watcher waits for the writer")
        assert [one.watcher for one in read_watchers(connection)] == ["late"]
        assert not registering.done()
        writer.commit()
        assert registering.result(timeout=90).is_new
    store(connection, (1, NOON_US, 5))
    assert read_backlog(connection).count == 1


def test_one_worker_evaluates_and_the_next_one_takes_over_when_it_dies(feed_dsn: str, connection: Connection):
    first = connect(as_ingest(feed_dsn), application="first")
    with connect(as_ingest(feed_dsn), application="second") as second:
        with alerting_turn(first) as has_turn:
            assert has_turn
            with pytest.raises(ZeroDivisionError), transaction(first):
                raise ZeroDivisionError
            # A failed transaction does not lose the turn.
            assert is_alerting(connection)
            with alerting_turn(second) as too:
                assert not too
            first.close()

        def takes_over() -> bool:
            with alerting_turn(second) as mine:
                return mine

        wait_until(takes_over, what="the second one takes over")
    assert not is_alerting(connection)


@pytest.fixture(scope="module")
def stored(feed_dsn: str) -> str:
    """A database with readings of twenty points over two days, of all kinds."""
    chance = np.random.default_rng(11)
    rows = [
        (101 + int(point), int(NOON_US + moment), value, int(status))
        for point, moment, value, status in zip(
            chance.integers(0, 20, 3000),
            chance.choice(48 * HOUR_US // 10_000_000, 3000, replace=False) * 10_000_000,
            chance.choice(np.array([7, 2.5, None], object), 3000),
            chance.choice([0, 0, 0, -1, 1 << 30], 3000),
            strict=True,
        )
    ]
    with connect(feed_dsn, application="test") as connection:
        store_batches(connection, [batch(1, rows, edge=77)], received_at=NOW)
    return feed_dsn


SPANS = st.dictionaries(
    st.integers(99, 122),
    st.tuples(st.integers(-3600, 48 * 3600), st.sampled_from([0, 1, 10, 61, 900, 7200, 90_000, 200_000])),
    min_size=1,
)


@given(spans=SPANS)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_each_point_is_read_over_its_own_span(stored: str, spans: dict[int, tuple[int, int]]):
    points = np.array(list(spans))
    start = np.array([NOON_US + s * 1_000_000 for s, _ in spans.values()])
    end = start + np.array([length * 1_000_000 for _, length in spans.values()])
    with connect(as_ingest(stored), application="test") as connection:
        found = fetch_span_readings(connection, points, start, end)
        each = [
            fetch_readings(connection, [int(point)], int(first), int(last))
            for point, first, last in sorted(zip(points, start, end, strict=True))
            if last > first
        ]
    expected = np.concatenate(each) if each else found[:0]
    assert found.tobytes() == expected.tobytes()


def test_no_points_have_no_readings(connection: Connection):
    nothing = np.zeros(0, np.int64)
    assert fetch_span_readings(connection, nothing, nothing, nothing).size == 0
