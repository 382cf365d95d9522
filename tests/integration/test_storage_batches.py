"""Exactly once: the ledger, the readings and what is written beside them, on both kinds of database."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
from datetime import timedelta
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from smartpark.errors import SmartparkError
from smartpark.wire import MISSING
from smartpark_storage import (
    Connection,
    DeadLetterRow,
    DeadReason,
    StaleSpan,
    claim_stale,
    connect,
    fetch_neighbours,
    fetch_readings,
    list_dead_letters,
    load_catalogue,
    load_registry,
    prepare_batches,
    store_batches,
    store_prepared,
    transaction,
)
from smartpark_storage.derived import merge_spans
from smartpark_storage.queries import query
from storage_cases import DAY_US, MINUTE_US, NOON, NOON_US, batch, park, readings


@pytest.fixture
def points(connection: Connection) -> dict[str, int]:
    """Identities of the small park's points, loaded, by key below the park."""
    load_catalogue(connection, park(), source="hill.toml", loaded_by="test", at=NOON)
    return {key.removeprefix("hill/"): record.point_id for key, record in load_registry(connection).by_key.items()}


def stored(connection: Connection) -> list[tuple[object, ...]]:
    with transaction(connection):
        return connection.execute(
            "SELECT time, point_id, scaled, raw, status FROM smartpark.reading ORDER BY 1, 2, 3, 4, 5"
        ).fetchall()


def test_what_was_stored_is_read_back(connection: Connection, points: dict[str, int]):
    rows = [
        (points["M0/active_energy_import"], NOON_US, 12_345),
        (points["M0/power_factor"], NOON_US, 0.95),
        (points["M0/power_factor"], NOON_US + 1, -0.0),
        (points["M0/active_power"], NOON_US + 2, None, -(2**31)),
        (points["M0/active_power"], NOON_US - 1, 2**62, 2**30),
    ]
    result = store_batches(connection, [batch(1, rows)], received_at=NOON)
    assert (len(result.new), len(result.known), result.readings) == (1, 0, 5)
    given_rows = readings(rows)
    expected = given_rows[np.lexsort((given_rows["time"], given_rows["point_id"]))]
    found = fetch_readings(connection, list(points.values()), NOON_US - 1, NOON_US + 3)
    assert found.tobytes() == expected.tobytes()
    assert fetch_readings(connection, list(points.values()), NOON_US + 3, NOON_US + 9).size == 0


def test_a_dense_backfill_is_stored_like_any_other_and_late_readings_fit_in(
    connection: Connection, database_kind: str
):
    rows = [(point, NOON_US + n * MINUTE_US, n) for n in range(120) for point in (1, 2)]
    late = [(1, NOON_US + n * MINUTE_US + 1, 0.5) for n in range(120)] + [(2, NOON_US + 7, None, -1)]
    for sequence, part in enumerate((rows, late)):
        store_batches(connection, [batch(sequence, part)], received_at=NOON)
    found = fetch_readings(connection, [1, 2], NOON_US, NOON_US + DAY_US)
    given_rows = readings([*rows, *late])
    assert found.tobytes() == given_rows[np.lexsort((given_rows["time"], given_rows["point_id"]))].tobytes()
    if database_kind == "timescale":
        with transaction(connection):
            chunks = connection.execute("SELECT compression_status FROM chunk_compression_stats('smartpark.reading')")
            assert chunks.fetchall() == [("Compressed",)]


def test_the_same_batch_again_is_known_and_changes_nothing(connection: Connection, points: dict[str, int]):
    one = batch(5, [(points["M0/active_power"], NOON_US, 7)])
    first = store_batches(connection, [one, one], received_at=NOON)
    again = store_batches(connection, [one], received_at=NOON)
    assert (first.new, first.known, first.readings) == ([one.key], [], 1)
    assert (again.new, again.known, again.readings) == ([], [one.key], 0)
    assert len(stored(connection)) == 1


def test_the_same_number_of_another_boot_or_edge_is_another_batch(connection: Connection):
    rows = [(1, NOON_US, 7)]
    batches = [batch(5, rows), batch(5, rows, boot=8), batch(5, rows, edge=2)]
    assert store_batches(connection, batches, received_at=NOON).readings == 3


def test_below_the_floor_everything_is_known_and_the_ledger_forgets_it(connection: Connection):
    store_batches(connection, [batch(n, [(1, NOON_US + n, n)]) for n in range(5)], received_at=NOON)
    store_batches(connection, [batch(5, [(1, NOON_US + 5, 5)], floor=4)], received_at=NOON)
    with transaction(connection):
        kept = connection.execute("SELECT sequence FROM smartpark.batch_ledger ORDER BY 1").fetchall()
    assert kept == [(4,), (5,)]
    late = store_batches(connection, [batch(n, [(1, NOON_US + n, n)]) for n in range(6)], received_at=NOON)
    assert late.new == []
    assert len(stored(connection)) == 6


def test_a_batch_that_calls_itself_forgotten_is_stored_all_the_same(connection: Connection):
    result = store_batches(connection, [batch(3, [(1, NOON_US, 1)], floor=10)], received_at=NOON)
    assert result.readings == 1


def test_a_floor_that_is_too_high_takes_no_batch_that_comes_with_it(connection: Connection):
    first, second = (batch(n, [(1, NOON_US + n, n)], floor=10) for n in (1, 2))
    result = store_batches(connection, [first, second], received_at=NOON)
    assert (result.new, result.readings) == ([first.key, second.key], 2)
    assert store_batches(connection, [first, second], received_at=NOON).new == []


def test_an_open_transaction_is_refused(connection: Connection):
    connection.execute("SELECT 1")
    with pytest.raises(SmartparkError, match="without an open transaction"):
        store_batches(connection, [batch(1)], received_at=NOON)


histories = st.lists(
    st.tuples(
        st.integers(0, 1),  # edge
        st.integers(0, 2),  # boot
        st.integers(0, 6),  # sequence
    ),
    max_size=25,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=histories, cuts=st.lists(st.integers(0, 25), max_size=4), floors=st.booleans())
def test_replaying_batches_in_any_order_changes_nothing(connection: Connection, history, cuts, floors):
    with transaction(connection):
        connection.execute(
            "TRUNCATE smartpark.reading, smartpark.batch_ledger, smartpark.batch_floor, smartpark.latest"
        )
    once = sorted(set(history))
    acknowledged: set[tuple[int, int, int]] = set()
    places = sorted({0, *(min(c, len(history)) for c in cuts), len(history)})
    for start, end in pairwise(places):
        group = history[start:end]
        batches = [
            batch(s, [(1, _unique_time(e, b, s), s)], edge=e, boot=b, floor=_floor(acknowledged, e, b) * floors)
            for e, b, s in group
        ]
        result = store_batches(connection, batches, received_at=NOON)
        assert {(k.edge_id, k.boot, k.sequence) for k in result.new + result.known} == set(group)
        acknowledged |= set(group)
    with transaction(connection):
        times = connection.execute("SELECT (extract(epoch FROM time) * 1000000)::bigint FROM smartpark.reading")
        assert sorted(t for (t,) in times) == sorted(_unique_time(*key) for key in once)


def _unique_time(edge: int, boot: int, sequence: int) -> int:
    return NOON_US + 100 * edge + 10 * boot + sequence


def _floor(acknowledged: set[tuple[int, int, int]], edge: int, boot: int) -> int:
    """First sequence of this edge's boot that is not acknowledged, as an honest edge would say it."""
    floor = 0
    while (edge, boot, floor) in acknowledged:
        floor += 1
    return floor


def test_two_writers_of_the_same_batch_at_once_store_it_once(database_dsn: str):
    same = [batch(n, [(1, NOON_US + n, n)]) for n in range(20)]
    barrier = threading.Barrier(2)
    results = []

    def write() -> None:
        with connect(database_dsn, application="test writer") as connection:
            for one in same:
                barrier.wait()
                results.append(store_batches(connection, [one], received_at=NOON))

    threads = [threading.Thread(target=write) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(len(r.new) for r in results) == [0] * 20 + [1] * 20
    with connect(database_dsn, application="test") as connection:
        assert len(stored(connection)) == 20


def test_a_writer_waits_for_another_one_and_takes_over_when_that_fails(database_dsn: str):
    one = batch(1, [(1, NOON_US, 1)])
    with connect(database_dsn, application="test a") as first, connect(database_dsn, application="test b") as second:
        first.execute("INSERT INTO smartpark.batch_ledger VALUES (1, 7, 1)")
        results = []
        writer = threading.Thread(target=lambda: results.append(store_batches(second, [one], received_at=NOON)))
        writer.start()
        _wait_for_blocked(first)
        assert results == []
        first.rollback()
        writer.join()
        assert results[0].new == [one.key]


def _wait_for_blocked(connection: Connection) -> None:
    while not connection.execute(
        "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND pid <> pg_backend_pid())"
        " AND pg_sleep(0.01) IS NOT NULL"
    ).fetchone()[0]:
        pass


def test_a_batch_below_a_floor_that_another_writer_is_raising_waits_and_is_known(database_dsn: str):
    with connect(database_dsn, application="test a") as first, connect(database_dsn, application="test b") as second:
        store_batches(first, [batch(n, [(1, NOON_US + n, n)]) for n in range(4)], received_at=NOON)
        ahead = prepare_batches([batch(5, [(1, NOON_US + 5, 5)], floor=4)])
        first.execute(query("enter_batches"), ahead.numbers)  # forgets the four, and is not committed
        results = []
        again = batch(2, [(1, NOON_US + 2, 2)])
        writer = threading.Thread(target=lambda: results.append(store_batches(second, [again], received_at=NOON)))
        writer.start()
        _wait_for_blocked(first)
        first.commit()
        writer.join()
        assert (results[0].new, results[0].known) == ([], [again.key])
        assert len(stored(second)) == 4


def test_of_batches_made_ready_together_only_those_are_stored_that_are_new_by_then(connection: Connection):
    batches = [batch(n, [(1, NOON_US + n, n), (2, NOON_US + n, n)]) for n in range(4)]
    prepared = prepare_batches([*batches, batches[0]])
    store_batches(connection, [batches[3], batches[1]], received_at=NOON)
    result = store_prepared(connection, prepared, received_at=NOON)
    assert result.new == [batches[0].key, batches[2].key]
    assert result.known == [batches[1].key, batches[3].key]
    assert result.readings == 4
    assert len(stored(connection)) == 8
    again = store_prepared(connection, prepared, received_at=NOON)
    assert (again.new, again.readings, len(stored(connection))) == ([], 0, 8)


def test_a_writer_killed_between_copy_and_commit_leaves_nothing_and_the_batch_is_new_again(database_dsn: str):
    program = textwrap.dedent("""
        import os, signal, sys
        from smartpark_storage import batches, connect
        from storage_cases import NOON, NOON_US, batch

        def die(connection, letters):
            os.kill(os.getpid(), signal.SIGKILL)

        batches.insert_dead_letters = die  # the last step before the commit
        with connect(sys.argv[1], application="doomed") as connection:
            batches.store_batches(connection, [batch(1, [(1, NOON_US, 1)] * 5000)], received_at=NOON)
    """)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    doomed = subprocess.run([sys.executable, "-c", program, database_dsn], env=environment, check=False)
    assert doomed.returncode == -signal.SIGKILL
    with connect(database_dsn, application="test") as connection:
        assert stored(connection) == []
        again = store_batches(connection, [batch(1, [(1, NOON_US, 1)] * 5000)], received_at=NOON)
        assert (len(again.new), again.readings) == (1, 5000)


def test_the_latest_value_is_that_of_the_newest_source_time(connection: Connection, points: dict[str, int]):
    power = points["M0/active_power"]
    store_batches(
        connection,
        [batch(1, [(power, NOON_US, 5), (power, NOON_US + 2, 7), (power, NOON_US + 1, 6)])],
        received_at=NOON,
    )
    store_batches(connection, [batch(2, [(power, NOON_US - 9, 1)])], received_at=NOON + timedelta(seconds=9))
    with transaction(connection):
        rows = connection.execute(
            "SELECT value, received_at FROM park.latest WHERE point_id = %s", [power]
        ).fetchall()
    assert rows == [(70.0, NOON)]  # the current transformer's ratio is 10


def test_only_counters_become_stale_and_a_failed_claim_gives_them_back(
    connection: Connection, points: dict[str, int]
):
    register, power = points["M0/active_energy_import"], points["M0/active_power"]
    today = batch(1, [(register, NOON_US, 5), (power, NOON_US, 7), (register, NOON_US + 9, 6)])
    late = batch(2, [(register, NOON_US + MINUTE_US, 7), (register, NOON_US - DAY_US, 1)])
    for one in (today, late):
        store_batches(connection, [one], received_at=NOON)
    connection.execute("SELECT 1")  # opens the transaction in which derive would work, and fail
    assert claim_stale(connection, limit=10)
    connection.rollback()
    claimed = merge_spans(claim_stale(connection, limit=10))
    assert claimed == [StaleSpan(register, NOON_US - DAY_US, NOON_US + MINUTE_US + 1)]
    assert claim_stale(connection, limit=10) == []


def test_two_claims_at_once_never_get_the_same_point(
    database_dsn: str, connection: Connection, points: dict[str, int]
):
    registers = [points[f"{device}/active_energy_import"] for device in ("M0", "M1")]
    store_batches(connection, [batch(1, [(r, NOON_US, 1) for r in registers])], received_at=NOON)
    with connect(database_dsn, application="test b") as other:
        with transaction(connection):
            mine = claim_stale(connection, limit=1)
            # More of the same point arrives while it is being worked on: it must wait for this transaction.
            store_batches(other, [batch(2, [(r, NOON_US + 1, 2) for r in registers])], received_at=NOON)
            theirs = claim_stale(other, limit=10)
        assert [s.point_id for s in mine] == [registers[0]]
        assert {s.point_id for s in theirs} == {registers[1]}
        assert {s.point_id for s in claim_stale(other, limit=10)} == {registers[0]}


def test_neighbours_are_the_nearest_usable_readings_outside_the_span(connection: Connection, points: dict[str, int]):
    register, lonely = points["M0/active_energy_import"], points["M1/active_energy_import"]
    rows = [
        (register, NOON_US - 3 * DAY_US, 10),
        (register, NOON_US - 5, 20),
        (register, NOON_US - 4, None, -(2**31)),
        (register, NOON_US - 3, 99, -(2**31)),
        (register, NOON_US, 30),
        (register, NOON_US + 10, 40),
        (register, NOON_US + 11, 50),
        (lonely, NOON_US + 40 * DAY_US, 1, 2**30),
    ]
    store_batches(connection, [batch(1, rows)], received_at=NOON)
    found = fetch_neighbours(connection, [register, lonely], NOON_US, NOON_US + 10)
    assert [(r["point_id"], r["time"] - NOON_US, r["scaled"]) for r in found] == [
        (register, -5, 20),
        (register, 10, 40),
        (lonely, 40 * DAY_US, 1),
    ]
    assert MISSING not in found["scaled"]


def test_dead_letters_ride_with_their_batch_and_keep_their_bytes(connection: Connection):
    letter = DeadLetterRow(
        "edge-a", "t", DeadReason.MALFORMED, "NUL \x00 inside", b"\x00\xff{", "hill/M0/x", 2**62, NOON
    )
    one = batch(1, dead=[letter])
    store_batches(connection, [one], received_at=NOON)
    store_batches(connection, [one], received_at=NOON)
    (found,) = list_dead_letters(connection, limit=10)
    assert (found.payload, found.reason, found.reading_time) == (b"\x00\xff{", DeadReason.MALFORMED, None)
    assert found.detail == "NUL \\0 inside"
    assert list_dead_letters(connection, limit=10, reason=DeadReason.OTHER) == []
