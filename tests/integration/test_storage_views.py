"""The views: the same answers from plain PostgreSQL and from TimescaleDB, accounting days in the park's zone."""

import random
from datetime import UTC, datetime, timedelta

import pytest
from psycopg import sql
from smartpark.clock import from_us, to_us, utc_now
from smartpark_storage import (
    Connection,
    connect,
    load_catalogue,
    load_registry,
    refresh_aggregates,
    store_batches,
    transaction,
)
from smartpark_storage.migrations import whole_days
from storage_cases import DAY_US, HOUR_US, MINUTE_US, NOON, NOON_US, batch, park

MIDNIGHT = datetime(2026, 5, 28, 16, 0, tzinfo=UTC)
"""Beginning of the 29th in the park's zone."""
GRAINS = ("15m", "hour", "day")


def fill(connection: Connection, *, end: datetime = MIDNIGHT + timedelta(days=2)) -> None:
    """Three days of three points with gaps, bad and uncertain readings."""
    load_catalogue(connection, park(devices=["M0"]), source="hill.toml", loaded_by="test", at=NOON)
    ids = {k: r.point_id for k, r in load_registry(connection).by_key.items()}
    chance = random.Random(4)
    rows = []
    for step in range(3 * 24 * 6):
        time = to_us(end) - 3 * DAY_US + step * 10 * MINUTE_US + chance.randrange(MINUTE_US)
        if step % 50 < 8:
            continue
        status = chance.choice([0, 0, 0, 2**30, -(2**31)])
        rows += [
            (ids["hill/M0/active_energy_import"], time, 1000 + step, 0),
            (ids["hill/M0/active_power"], time, None if status < 0 else chance.randrange(-500, 500), status),
            (ids["hill/M0/power_factor"], time, chance.random(), status),
        ]
    chance.shuffle(rows)
    store_batches(connection, [batch(1, rows[:200]), batch(2, rows[200:])], received_at=NOON)


def buckets(connection: Connection, grain: str) -> list[tuple[object, ...]]:
    view = sql.Identifier("park", f"reading_{grain}")
    with transaction(connection):
        return connection.execute(sql.SQL("SELECT * FROM {} ORDER BY time, point").format(view)).fetchall()


def alike(left: list[tuple[object, ...]], right: list[tuple[object, ...]]) -> None:
    """Equal, means up to the order in which they were summed."""
    assert len(left) == len(right) > 0
    for one, other in zip(left, right, strict=True):
        assert one == tuple(pytest.approx(v, rel=1e-12) if isinstance(v, float) else v for v in other)


def test_both_kinds_of_database_give_the_same_buckets(plain_database_dsn: str, timescale_database_dsn: str):
    with (
        connect(plain_database_dsn, application="test") as plain,
        connect(timescale_database_dsn, application="test") as timescale,
    ):
        fill(plain)
        fill(timescale)
        computed_live = {grain: buckets(timescale, grain) for grain in GRAINS}
        for grain in GRAINS:
            alike(computed_live[grain], buckets(plain, grain))
        refresh_aggregates(timescale)
        for grain in GRAINS:
            alike(buckets(timescale, grain), computed_live[grain])


def test_a_day_begins_at_midnight_of_the_park(connection: Connection):
    load_catalogue(connection, park(), source="hill.toml", loaded_by="test", at=NOON)
    register = load_registry(connection).by_key["hill/M0/active_energy_import"].point_id
    midnight = to_us(MIDNIGHT)
    around = [(register, midnight - 1, 100), (register, midnight, 200), (register, midnight + 1, 300)]
    store_batches(connection, [batch(1, around)], received_at=NOON)
    with transaction(connection):
        days = connection.execute("SELECT time, first_value, last_value, readings FROM park.reading_day ORDER BY 1")
        assert days.fetchall() == [
            (MIDNIGHT - timedelta(days=1), 10.0, 10.0, 1),
            (MIDNIGHT, 20.0, 30.0, 2),
        ]


def test_a_reading_finer_than_the_resolution_is_shown_in_the_unit_beside_the_others(connection: Connection):
    load_catalogue(connection, park(), source="hill.toml", loaded_by="test", at=NOON)
    point = load_registry(connection).by_key["hill/M0/active_energy_import"].point_id
    # Steps of 0.01 and transformers of ten to one; the doubles are no whole steps.
    values = [100, 1.025, 1.055, 106]
    rows = [(point, to_us(MIDNIGHT) + step * MINUTE_US, value) for step, value in enumerate(values)]
    store_batches(connection, [batch(1, rows[1:3]), batch(2, [rows[0], rows[3]])], received_at=NOON)
    with transaction(connection):
        shown = connection.execute("SELECT value FROM park.reading ORDER BY time").fetchall()
        assert shown == [(pytest.approx(value),) for value in (10.0, 10.25, 10.55, 10.6)]
    for grain in GRAINS:
        assert summary(connection, grain) == pytest.approx((10.0, 10.6, 10.0, 10.6, 10.35, 4))
    refresh_aggregates(connection)
    assert summary(connection, "day") == pytest.approx((10.0, 10.6, 10.0, 10.6, 10.35, 4))


def test_a_bucket_and_the_newest_value_may_rest_on_doubles_alone(connection: Connection):
    load_catalogue(connection, park(), source="hill.toml", loaded_by="test", at=NOON)
    point = load_registry(connection).by_key["hill/M0/active_energy_import"].point_id
    rows = [(point, to_us(MIDNIGHT) + step * MINUTE_US, value) for step, value in enumerate([1.025, 1.055])]
    store_batches(connection, [batch(1, rows)], received_at=NOON)
    for grain in GRAINS:
        assert summary(connection, grain) == pytest.approx((10.25, 10.55, 10.25, 10.55, 10.4, 2))
    with transaction(connection):
        assert connection.execute("SELECT value FROM park.latest").fetchall() == [(pytest.approx(10.55),)]


def summary(connection: Connection, grain: str) -> tuple[object, ...] | None:
    with transaction(connection):
        return connection.execute(
            sql.SQL("SELECT first_value, last_value, min_value, max_value, mean_value, readings FROM {}").format(
                sql.Identifier("park", f"reading_{grain}")
            )
        ).fetchone()


def test_a_refresh_covers_whole_days_of_the_park():
    assert whole_days(MIDNIGHT + timedelta(hours=5), MIDNIGHT + timedelta(hours=30)) == (
        MIDNIGHT,
        MIDNIGHT + timedelta(days=2),
    )
    assert whole_days(MIDNIGHT, MIDNIGHT) == (MIDNIGHT, MIDNIGHT + timedelta(days=1))


def test_readings_that_arrive_late_are_in_the_buckets_after_the_next_refresh(connection: Connection):
    fill(connection)
    refresh_aggregates(connection)
    register = load_registry(connection).by_key["hill/M0/active_energy_import"].point_id
    late = [(register, to_us(MIDNIGHT) + HOUR_US, 99_999_999)]
    store_batches(connection, [batch(3, late)], received_at=NOON)
    refresh_aggregates(connection)
    for grain in GRAINS:
        with transaction(connection):
            view = sql.Identifier("park", f"reading_{grain}")
            highest = connection.execute(sql.SQL("SELECT max(max_value) FROM {}").format(view)).fetchone()
        assert highest == (9_999_999.9,)


@pytest.mark.timescale
def test_the_policies_leave_no_day_out(timescale_database_dsn: str):
    with connect(timescale_database_dsn, application="test") as connection:
        # Up to now, so that the policies' windows end in the middle of the readings.
        fill(connection, end=utc_now())
        before = {grain: buckets(connection, grain) for grain in GRAINS}
        connection.autocommit = True
        jobs = connection.execute(
            "SELECT job_id FROM timescaledb_information.jobs WHERE proc_name = 'policy_refresh_continuous_aggregate'"
            " AND hypertable_schema <> 'public' ORDER BY job_id"
        ).fetchall()
        assert len(jobs) == 4
        for (job,) in jobs:
            connection.execute(f"CALL run_job({job})")
        connection.autocommit = False
        for grain in GRAINS:
            alike(buckets(connection, grain), before[grain])


def test_the_columnstore_reads_the_same(timescale_database_dsn: str):
    with connect(timescale_database_dsn, application="test") as connection:
        fill(connection)
        before = connection.execute("SELECT * FROM park.reading ORDER BY time, point").fetchall()
        connection.commit()
        connection.autocommit = True
        for (chunk,) in connection.execute("SELECT show_chunks('smartpark.reading')").fetchall():
            connection.execute(f"CALL convert_to_columnstore('{chunk}', if_not_columnstore => true)")
        connection.autocommit = False
        after = connection.execute("SELECT * FROM park.reading ORDER BY time, point").fetchall()
        assert after == before
        late = load_registry(connection).by_key["hill/M0/active_energy_import"].point_id
        connection.rollback()
        store_batches(connection, [batch(9, [(late, NOON_US + 1, 5)])], received_at=NOON)
        assert len(connection.execute("SELECT FROM park.reading").fetchall()) == len(before) + 1


INSTANTS = [from_us(NOON_US + n * 7 * HOUR_US + n) for n in range(-200, 200)]


@pytest.mark.timescale
@pytest.mark.parametrize(
    "width", ["15 minutes", "1 hour", "1 day", "7 days", "1 month", "3 months", "1 year", "900 s"]
)
@pytest.mark.parametrize("zone", [None, "Asia/Shanghai"])
def test_time_bucket_of_plain_postgresql_is_that_of_timescaledb(
    plain_database_dsn: str, timescale_server_dsn: str, width: str, zone: str | None
):
    answers = []
    for dsn in (plain_database_dsn, timescale_server_dsn):
        with connect(dsn, application="test") as connection:
            zoned = ", %(zone)s::text" if zone else ""
            answers.append(
                connection.execute(
                    f"SELECT time_bucket(%(width)s::interval, at{zoned}) FROM unnest(%(at)s::timestamptz[]) AS at",  # noqa: S608
                    {"width": width, "zone": zone, "at": INSTANTS},
                ).fetchall()
            )
    assert answers[0] == answers[1]


@pytest.mark.timescale
@pytest.mark.parametrize("kind", ["bigint", "integer", "float8", "numeric", "text", "timestamptz", "boolean"])
def test_first_and_last_of_plain_postgresql_are_those_of_timescaledb(
    plain_database_dsn: str, timescale_server_dsn: str, kind: str
):
    literal = {"timestamptz": "epoch", "boolean": "true"}.get(kind, "7")
    statement = sql.SQL("""
        SELECT first(v, at), last(v, at) FROM (VALUES
            ({v}::{kind}, NULL::timestamptz), (NULL, '2026-01-02Z'), ({v}, '2026-01-03Z'), ({v}, '2026-01-01Z')
        ) AS x (v, at)
    """).format(v=sql.Literal(literal), kind=sql.SQL(kind))
    answers = []
    for dsn in (plain_database_dsn, timescale_server_dsn):
        with connect(dsn, application="test") as connection:
            answers.append(connection.execute(statement).fetchall())
    assert answers[0] == answers[1]
