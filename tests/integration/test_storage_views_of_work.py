"""Views of what no view showed before: each says what the tables say, on both kinds of database."""

import threading
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import count, groupby, pairwise
from typing import Any

import numpy as np
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from load_request_cases import RULES, Desk, histories
from smartpark.alerts.silences import Matchers, Silence
from smartpark.clock import PARK_ZONE, to_us, utc_now
from smartpark.load_requests.requests import replay
from smartpark.load_requests.words import Stage
from smartpark_analytics import period_sums
from smartpark_storage import (
    INTERVAL_DTYPE,
    Connection,
    connect,
    load_catalogue,
    load_registry,
    migrate,
    refresh_aggregates,
    store_batches,
    write_interval_energy,
)
from smartpark_storage.alerts.silences import create_silence, end_silence
from smartpark_storage.migrations import builtin_migrations
from storage_cases import DAY_US, MINUTE_US, NOON, NOON_US, batch, park

_parks = count(1)
_batches = count(1)
QUARTER_US = 15 * MINUTE_US
MIDNIGHT = datetime(2026, 5, 28, 16, 0, tzinfo=UTC)
"""Beginning of the 29th in the park's zone."""


@pytest.fixture
def place(shared_database_dsn: str) -> Iterator[tuple[Connection, str, int]]:
    """A connection, a park that nobody else has, and one of its counters."""
    code = f"work{next(_parks)}"
    with connect(shared_database_dsn, application="test") as connection:
        catalogue = park()
        catalogue = catalogue.model_copy(update={"park": catalogue.park.model_copy(update={"code": code})})
        load_catalogue(connection, catalogue, source="test", loaded_by="test", at=NOON)
        point = load_registry(connection).by_key[f"{code}/M0/active_energy_import"].point_id
        yield connection, code, point


def asked(connection: Connection, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
    rows = connection.execute(statement, parameters).fetchall()  # pyright: ignore[reportArgumentType]
    connection.commit()
    return rows


# --- energy by days -------------------------------------------------------------------------------------------------


def quarters(point: int, first_us: int, amounts: list[float], **columns: Any) -> np.ndarray:
    rows = np.zeros(len(amounts), INTERVAL_DTYPE)
    rows["point_id"], rows["amount"] = point, amounts
    rows["start"] = first_us + QUARTER_US * np.arange(len(amounts))
    rows["completeness"] = np.isfinite(amounts)
    for name, values in columns.items():
        rows[name] = values
    return rows


def days_of(connection: Connection, point: int) -> list[tuple[Any, ...]]:
    return asked(
        connection,
        "SELECT time, amount, completeness, estimated_share, quarters, expected_quarters FROM park.energy_day"
        " WHERE point_id = %s ORDER BY 1",
        point,
    )


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    amounts=st.lists(st.one_of(st.just(float("nan")), st.floats(-1000, 1000)), min_size=1, max_size=250),
    offset=st.integers(0, 95),
    seed=st.integers(0, 999),
)
def test_a_day_is_what_analytics_sums_it_to(place, amounts: list[float], offset: int, seed: int):
    connection, _, point = place
    chance = np.random.default_rng(seed)
    known = np.isfinite(amounts)
    completeness = np.where(known, chance.integers(1, 5, len(amounts)) / 4, 0)
    rows = quarters(
        point, to_us(MIDNIGHT) + offset * QUARTER_US, amounts, completeness=completeness,
        estimated_share=np.where(known, chance.integers(0, 3, len(amounts)) / 2, 0),
    )  # fmt: skip
    with connection.transaction():
        connection.execute("DELETE FROM smartpark.interval_energy WHERE point_id = %s", [point])
        # First half of it, then all: some are new and some are changed.
        write_interval_energy(connection, quarters(point, rows["start"][0], [7.0] * (len(rows) // 2 + 1)))
        write_interval_energy(connection, rows)
    day = (rows["start"] - to_us(MIDNIGHT)) // DAY_US
    sums = period_sums(
        rows["amount"][None], rows["completeness"][None].astype(float), rows["estimated_share"][None].astype(float),
        day, np.full(int(day.max()) + 1, 96),
    )  # fmt: skip
    found = days_of(connection, point)
    found = [row for row in found if row[4] or row[0] == MIDNIGHT + timedelta(days=int(day[0]))]
    for at, amount, completeness_of_day, estimated, counted, expected in found:
        n = (at - MIDNIGHT).days
        assert expected == 96
        assert counted == int(known[day == n].sum())
        if amount is None:
            assert not counted
            assert (completeness_of_day, estimated) == (0, None)
        else:
            assert amount == pytest.approx(sums.amount[0, n], rel=1e-9, abs=1e-9)
            assert completeness_of_day == pytest.approx(sums.completeness[0, n])
            assert estimated == pytest.approx(sums.estimated_share[0, n], abs=1e-6)
    assert {(row[0] - MIDNIGHT).days for row in found if row[4]} == {int(n) for n in day[known]}


def test_the_present_day_is_held_against_what_can_be_there(place):
    connection, _, point = place
    now = utc_now()
    midnight = now.astimezone(PARK_ZONE).replace(hour=0, minute=0, second=0, microsecond=0)
    over = int((now - midnight).total_seconds() // 900)
    with connection.transaction():
        write_interval_energy(connection, quarters(point, to_us(midnight), [1.0] * 10))
    ((at, amount, completeness, _, counted, expected),) = days_of(connection, point)
    assert (at, amount, counted) == (midnight, 10.0, 10)
    # A quarter of an hour, or the day, may have ended between.
    assert expected in {over, over + 1}
    assert completeness == (None if expected == 0 else pytest.approx(min(1, 10 / expected)))


@pytest.mark.parametrize(
    ("age_s", "expected", "completeness"),
    [(0, 0, None), (600, 0, None), (1000, 1, 1.0), (3700, 4, 0.5), (9000, 10, 0.2)],
)
def test_completeness_of_a_day_is_unknown_until_its_first_quarter_is_over(place, age_s, expected, completeness):
    connection, _, point = place
    # A day that began so long ago, at whatever time of day this test is run: CI found it in the first minutes of one.
    connection.execute(
        "INSERT INTO smartpark.energy_day (point_id, start, amount, covered, size, quarters)"
        " VALUES (%s, now() - %s * INTERVAL '1 second', 2, 2, 2, 2)",
        [point, age_s],
    )
    ((_, amount, found, _, counted, could_be),) = days_of(connection, point)
    assert (amount, counted, could_be) == (2.0, 2, expected)
    assert found == (None if completeness is None else pytest.approx(completeness))


def test_what_is_removed_is_not_summed_any_more(place):
    connection, _, point = place
    write_interval_energy(connection, quarters(point, to_us(MIDNIGHT), [1.0, 2.0]))
    with connection.transaction():
        connection.execute(
            "DELETE FROM smartpark.interval_energy WHERE point_id = %s AND start = %s", [point, MIDNIGHT]
        )
    ((_, amount, _, _, counted, _),) = days_of(connection, point)
    assert (amount, counted) == (2.0, 1)


def test_two_who_write_into_one_day_leave_the_sum_of_both(place, shared_database_dsn: str):
    connection, _, point = place
    begun, done = threading.Event(), threading.Event()

    def second() -> None:
        with connect(shared_database_dsn, application="second") as other:
            begun.set()
            write_interval_energy(other, quarters(point, to_us(MIDNIGHT) + QUARTER_US, [2.0]))
        done.set()

    thread = threading.Thread(target=second, daemon=True)
    # Sessions are looked at from another one: within a transaction they stay as they were at the first look.
    with psycopg.connect(shared_database_dsn, autocommit=True) as watcher, connection.transaction():
        write_interval_energy(connection, quarters(point, to_us(MIDNIGHT), [1.0]))
        thread.start()
        assert begun.wait(60)
        waiting = (
            "SELECT FROM pg_stat_activity WHERE application_name LIKE '%second%' AND datname = current_database()"
            " AND wait_event_type = 'Lock'"
        )
        deadline = time.monotonic() + 60
        while not watcher.execute(waiting).fetchall():
            assert not done.is_set(), "it did not wait"
            assert time.monotonic() < deadline
            time.sleep(0.02)
    thread.join(60)
    assert done.is_set()
    ((_, amount, _, _, counted, _),) = days_of(connection, point)
    assert (amount, counted) == (3.0, 2)


def test_days_of_before_are_summed_when_the_schema_comes(empty_database_dsn: str):
    with connect(empty_database_dsn, application="test") as connection:
        migrate(connection, migrations=[one for one in builtin_migrations() if one.number < 28])
        connection.commit()
        connection.execute(
            "INSERT INTO smartpark.interval_energy"
            " SELECT 1, %s::timestamptz + n * INTERVAL '15 minutes', 2, 0.5, 1, 0 FROM generate_series(-4, 95) AS n",
            [MIDNIGHT],
        )
        connection.commit()
        migrate(connection)
        kept = asked(
            connection,
            "SELECT start, amount, covered, size, estimated, quarters FROM smartpark.energy_day ORDER BY 1",
        )
    assert kept == [(MIDNIGHT - timedelta(days=1), 8, 2, 8, 8, 4), (MIDNIGHT, 192, 48, 192, 192, 96)]


# --- readings by hour -----------------------------------------------------------------------------------------------


def test_readings_are_counted_by_hour_and_park(place):
    connection, code, point = place
    rows = [(point, NOON_US + n * MINUTE_US, n, [0, 0, 2**30, -(2**31)][n % 4]) for n in range(90)]
    rows += [(point + 1, NOON_US + n * MINUTE_US, n, 0) for n in range(30)]
    store_batches(connection, [batch(next(_batches), rows)], received_at=NOON)
    refresh_aggregates(connection)
    found = asked(
        connection,
        "SELECT time, readings, uncertain, bad, points FROM park.ingest_rate WHERE park = %s ORDER BY 1",
        code,
    )
    assert found == [(NOON, 45 + 30, 15, 15, 2), (NOON + timedelta(hours=1), 23, 7, 7, 1)]


# --- load requests --------------------------------------------------------------------------------------------------


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(given_histories=st.lists(histories(), min_size=1, max_size=3))
def test_stages_are_those_of_the_events(place, given_histories):
    connection, code, _ = place
    name = f"{code}-{next(_parks)}"
    connection.execute(
        "INSERT INTO smartpark.park (code, name, name_en, region, terrain, peer_class, area_mu, time_zone,"
        " electricity_factor_scope) VALUES (%s, 'x', 'x', '350121', 'coastal', 1, 1, 'Asia/Shanghai', 'x')", [name],
    )  # fmt: skip
    for person in ("lin", "chen"):
        connection.execute(
            "INSERT INTO smartpark.person (code, name, name_en, email, language, is_active)"
            " VALUES (%s, 'x', 'x', '', 'zh', true) ON CONFLICT DO NOTHING", [person],
        )  # fmt: skip
    connection.commit()
    desk = Desk(connection, name)
    states = {}
    for events in given_histories:
        first = events[0].model_copy(
            update={"body": events[0].body.model_copy(update={"details": at_park(events[0].body.details, name)})}
        )
        rest = [
            one.model_copy(update={"body": one.body.model_copy(update={"details": at_park(one.body.details, name)})})
            if one.body.type == "amended" else one
            for one in events[1:]
        ]  # fmt: skip
        states[desk.keep([first, *rest])] = replay([first, *rest], RULES)
    expected, present = set(), dict[str, list[tuple[Any, ...]]]()
    for request, state in states.items():
        visits = [(stage, list(spans)) for stage, spans in groupby(state.spans, key=lambda span: span.stage)]
        present[request] = [(stage, spans[0].start, spans[-1].end) for stage, spans in visits]
        for stage in {stage for stage, _, _ in present[request]}:
            times = [(start, end) for one, start, end in present[request] if one is stage]
            left = None if any(end is None for _, end in times) else max(end for _, end in times)
            is_now = state.outcome is None and state.stage is stage
            turn = state.owner.value if is_now else None
            order = list(Stage).index(stage) + 1
            expected.add((request, stage.value, min(s for s, _ in times), left, len(times), turn, order))
    found = asked(
        connection,
        "SELECT code, stage, time, left_at, visits, turn, stage_order FROM park.load_request_stage WHERE park = %s",
        name,
    )
    assert set(found) == expected
    days = asked(
        connection,
        "SELECT (time AT TIME ZONE 'Asia/Shanghai')::date, stage, requests, applied_kva FROM park.load_request_day"
        " WHERE park = %s ORDER BY 1",
        name,
    )
    last = days[-1][0]
    assert last >= datetime.now(PARK_ZONE).date() - timedelta(days=1), "it goes on to the present day"
    assert all(later - earlier in {timedelta(0), timedelta(days=1)} for (earlier, *_), (later, *_) in pairwise(days))
    for day, stage, requests, kva in days:
        inside = [r for r, visits in present.items() if any(was_in(visit, stage, day) for visit in visits)]
        assert (requests, kva) == (len(inside), pytest.approx(sum(states[r].details.applied_kva for r in inside)))


def at_park(details, park_code: str):
    return details.model_copy(update={"park": park_code, "enterprise": None})


def was_in(visit: tuple[Stage, datetime, datetime | None], stage: str, day: date) -> bool:
    """Whether it was in a stage as a local day ended."""
    one, start, end = visit
    return (
        one.value == stage
        and start.astimezone(PARK_ZONE).date() <= day
        and (end is None or end.astimezone(PARK_ZONE).date() > day)
    )


# --- alerts, sources, what waits, the database itself ---------------------------------------------------------------


def test_a_silence_lasts_as_long_as_it_did_and_says_what_it_covers(place):
    connection, code, _ = place
    hour = timedelta(hours=1)

    def keep(matchers: Matchers, kind: Any = "silence", *, ended: datetime | None = None) -> int:
        silence = Silence(
            park=code, kind=kind, matchers=matchers, starts_at=NOON, ends_at=NOON + 4 * hour, reason="没人该看到"
        )
        kept = create_silence(connection, silence, by="chen", at=NOON - hour)
        assert ended is None or end_silence(connection, kept, by="chen", at=ended)
        return kept

    whole = keep(Matchers(), "maintenance")
    some = keep(Matchers.model_validate({"devices": ["hill/T01-*"], "severities": ["critical"]}), ended=NOON + hour)
    keep(Matchers(), ended=NOON - hour / 2)
    rows = asked(connection, "SELECT * FROM park.alert_silence WHERE park = %s ORDER BY silence_id", code)
    assert rows == [
        (NOON, NOON + 4 * hour, whole, code, "maintenance", "*", [], [], [], [], [], []),
        (
            NOON,
            NOON + hour,
            some,
            code,
            "silence",
            "hill/T01-*, critical",
            [],
            [],
            ["hill/T01-*"],
            [],
            [],
            ["critical"],
        ),
    ]
    assert "没人该看到" not in str(rows)
    assert "chen" not in str(rows)


def test_what_waits_is_counted_by_park_and_nothing_is_zero(place):
    connection, code, point = place
    assert set(asked(connection, "SELECT kind, number, oldest FROM park.waiting_work WHERE park = %s", code)) == {
        (kind, 0, None)
        for kind in ("stale_mark", "stale_hour", "stale_ratio", "alert_intent", "notice", "outbox", "dead_letter")
    }
    rows = [(point, NOON_US + n * MINUTE_US, n) for n in range(3)]
    store_batches(connection, [batch(next(_batches), rows)], received_at=NOON)
    for at in (NOON, NOON - timedelta(hours=1)):
        connection.execute(
            "INSERT INTO smartpark.dead_letter (edge, topic, reason, detail, payload, point_key, received_at)"
            " VALUES ('e', 't', 'other', '', '', %s, %s)",
            [f"{code}/M0/nothing", at],
        )
        connection.execute("INSERT INTO smartpark.stale_hour (park, device, hour) VALUES (%s, 'M0', %s)", [code, at])
    found = {
        kind: (number, oldest)
        for kind, number, oldest in asked(
            connection, "SELECT kind, number, oldest FROM park.waiting_work WHERE park = %s AND number > 0", code
        )
    }
    assert found["dead_letter"] == found["stale_hour"] == (2, NOON - timedelta(hours=1))
    assert found["stale_mark"][0] == 1
    assert found["stale_mark"][1] <= NOON
    assert set(found) == {"dead_letter", "stale_hour", "stale_mark"}
    nobodys = asked(connection, "SELECT kind FROM park.waiting_work WHERE park IS NULL ORDER BY 1")
    assert nobodys == [("alert_intent",), ("dead_letter",), ("notice",), ("reading_change",)]


def test_of_a_source_the_class_of_its_error_is_told_and_no_address(place):
    connection, code, _ = place
    said = {
        "fine": ("", None),
        "away": (f"{code}: ConnectTimeout: https://secret.example (tried for 300 s)", "unreachable"),
        "shut": (f"{code}: aggregates → 403: the key is not known", "refused"),
        "odd": ("field value of the answer is not what was agreed", "other"),
    }
    for name, (error, _) in said.items():
        connection.execute(
            "INSERT INTO smartpark.aggregate_source (source, url, instance, added_at, error, error_at)"
            " VALUES (%s, 'https://secret.example', gen_random_uuid(), now(), %s, now())",
            [f"{name}-{code}", error],
        )
    found = asked(connection, "SELECT source, error_class FROM park.pulled_source WHERE source LIKE %s", f"%-{code}")
    assert dict(found) == {f"{name}-{code}": kind for name, (_, kind) in said.items()}
    assert "secret" not in str(asked(connection, "SELECT * FROM park.pulled_source"))


def test_the_database_tells_of_itself(place, shared_database_dsn: str):
    connection, _, point = place
    store_batches(connection, [batch(next(_batches), [(point, NOON_US, 1)])], received_at=NOON)
    refresh_aggregates(connection)
    with psycopg.connect(shared_database_dsn, autocommit=True) as grafana:
        grafana.execute("SET SESSION AUTHORIZATION smartpark_grafana")
        cursor = grafana.execute("SELECT * FROM park.database_state")
        (row,) = [dict(zip([c.name for c in cursor.description or ()], row, strict=True)) for row in cursor]
    number, name = asked(connection, "SELECT number, name FROM smartpark.migration ORDER BY 1 DESC LIMIT 1")[0]
    assert (row["migration"], row["migration_name"]) == (number, name)
    assert row["database_bytes"] > row["reading_bytes"] > 0
    if row["timescale_version"] is None:
        assert {row[n] for n in ("chunks", "compressed_share", "aggregated_until", "failed_jobs")} == {None}
    else:
        assert row["chunks"] >= 1
        assert row["compressed_share"] == row["compressed_chunks"] / row["chunks"]
        assert row["aggregated_until"] > NOON


def test_an_aggregate_that_was_never_refreshed_is_behind_all_readings(place, shared_database_dsn: str):
    connection, _, point = place
    store_batches(connection, [batch(next(_batches), [(point, NOON_US, 1)])], received_at=NOON)
    if refresh_aggregates(connection) is None:
        assert asked(connection, "SELECT aggregated_until, refreshed_at FROM park.database_state") == [(None, None)]
        return
    (first,) = asked(connection, "SELECT min(time) FROM smartpark.reading")[0]
    with psycopg.connect(shared_database_dsn) as owner:
        owner.execute(
            "UPDATE _timescaledb_catalog.continuous_aggs_watermark SET watermark ="
            " _timescaledb_functions.get_internal_time_min('timestamptz'::regtype) WHERE mat_hypertable_id ="
            " (SELECT mat_hypertable_id FROM _timescaledb_catalog.continuous_agg"
            " WHERE user_view_name = 'reading_day')"
        )
        assert owner.execute("SELECT aggregated_until FROM park.database_state").fetchall() == [(first,)]
        # A policy that has not run once yet is not as young as the others.
        owner.execute(
            "UPDATE _timescaledb_internal.bgw_job_stat SET last_successful_finish = now() WHERE job_id <>"
            " (SELECT min(job_id) FROM timescaledb_information.jobs WHERE proc_name ="
            " 'policy_refresh_continuous_aggregate')"
        )
        owner.execute(
            "DELETE FROM _timescaledb_internal.bgw_job_stat WHERE job_id = (SELECT min(job_id) FROM"
            " timescaledb_information.jobs WHERE proc_name = 'policy_refresh_continuous_aggregate')"
        )
        assert owner.execute("SELECT refreshed_at FROM park.database_state").fetchall() == [(None,)]
        owner.rollback()
