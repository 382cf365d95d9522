"""The migration runner on both kinds of database."""

import threading

import pytest
from smartpark_storage import MigrationError, StorageRefusedError, connect, describe_database, migrate
from smartpark_storage.migrations import Migration, builtin_migrations, parse_migrations


def test_migrating_twice_does_nothing_the_second_time(empty_database_dsn: str, database_kind: str):
    with connect(empty_database_dsn, application="test") as connection:
        first, second = migrate(connection), migrate(connection)
        label = describe_database(connection).label
    assert first[0] == "0001_create_catalogue.sql"
    assert any(name.endswith(f".{database_kind}.sql") for name in first)
    assert second == []
    assert ("TimescaleDB" in label and "plain" not in label) == (database_kind == "timescale")


def test_an_applied_file_that_was_changed_is_refused_by_name(database_dsn: str):
    changed = [
        Migration(m.number, m.name, m.flavour, m.sql + "-- one more word\n") if m.number == 2 else m
        for m in builtin_migrations()
    ]
    with connect(database_dsn, application="test") as connection:
        with pytest.raises(MigrationError, match=r"0002_create_readings\.sql was changed after it was applied"):
            migrate(connection, migrations=changed)
        assert migrate(connection) == []


def test_a_failing_file_leaves_no_trace_and_those_before_it_stay(empty_database_dsn: str):
    files = parse_migrations(
        [
            ("0001_create_good.sql", "CREATE TABLE smartpark.good (x integer);"),
            ("0002_create_bad.sql", "CREATE TABLE smartpark.half (x integer); SELECT no_such_function();"),
        ]
    )
    with connect(empty_database_dsn, application="test") as connection:
        with pytest.raises(MigrationError, match=r"0002_create_bad\.sql failed"):
            migrate(connection, migrations=files)
        tables = connection.execute("SELECT to_regclass('smartpark.good'), to_regclass('smartpark.half')").fetchone()
        assert tables == ("smartpark.good", None)


def test_runners_at_the_same_time_take_turns(empty_database_dsn: str):
    done: list[list[str]] = []

    def run() -> None:
        with connect(empty_database_dsn, application="test") as connection:
            done.append(migrate(connection))

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(len, done)) == [0, 0, len({m.number for m in builtin_migrations()})]


def test_a_role_that_may_not_make_roles_is_told_which_one_is_missing(plain_server_dsn: str, plain_database_dsn: str):
    # The roles exist on this server by now, so the clear message is asked for with a name that does not.
    sql = next(m.sql for m in builtin_migrations() if m.name == "0006_grant_roles.sql")
    block = sql[sql.index("DO $do$") : sql.index("$do$;") + len("$do$;")].replace(
        "smartpark_ingest", "smartpark_absent"
    )
    with connect(plain_database_dsn, application="test") as connection:
        connection.execute("CREATE ROLE test_poor")
        connection.execute("SET ROLE test_poor")
        with pytest.raises(Exception, match="role smartpark_absent does not exist and test_poor may not create it"):
            connection.execute(block)
        connection.rollback()


def test_a_refusal_by_the_database_is_ours_to_show(plain_database_dsn: str):
    with connect(plain_database_dsn, application="test") as connection:
        connection.execute("SET ROLE smartpark_grafana")
        connection.commit()
        with pytest.raises(StorageRefusedError, match="refuses: permission denied"):
            migrate(connection, migrations=parse_migrations([("0001_x.sql", "SELECT 1;")]))
        connection.execute("RESET ROLE")


OLD_NUMBERS = """
INSERT INTO smartpark.park (
    code, name, name_en, region, terrain, peer_class, area_mu, time_zone, electricity_factor_scope
)
VALUES ('hill', '山', 'Hill', '350121', 'coastal', 1, 100, 'Asia/Shanghai', 'provincial:FJ');
INSERT INTO smartpark.indicator (
    park, boundary, indicator, grain, start, revision, value, unit, completeness, estimated_share, method, factor_set,
    factors, reason, computed_at, superseded_at
) VALUES
    ('hill', 'park', 'co2', 'day', '2026-11-01', 1, 3.25, 't', 0.5, 0, 'm', 's', '{a,b}', 'half', now(), now()),
    ('hill', 'park', 'co2', 'day', '2026-11-01', 2, 3.5, 't', 1, 0.125, 'm', 's', '{a,b}', '', now(), NULL),
    ('hill', 'enterprise/T1', 'co2', 'hour', '2026-11-01', 1, NULL, 't', 0, 0, 'm', 's', '{}', 'no', now(), NULL)
"""
ALL_NUMBERS = """
SELECT
    park, boundary, indicator, grain, start, revision, value, numerator, denominator, unit, completeness,
    estimated_share, uncertainty, method, factor_set, factors, reason, computed_at, superseded_at
FROM smartpark.indicator
ORDER BY park, boundary, indicator, grain, start, revision
"""


def test_published_numbers_survive_being_stored_lean(empty_database_dsn: str):
    every = builtin_migrations()
    with connect(empty_database_dsn, application="test") as connection:
        migrate(connection, migrations=[m for m in every if m.number < 17])
        connection.execute(OLD_NUMBERS)
        connection.commit()
        before = connection.execute(ALL_NUMBERS).fetchall()
        connection.commit()
        migrate(connection, migrations=every)
        after = connection.execute(ALL_NUMBERS).fetchall()
    assert len(before) == 3
    assert after == before
