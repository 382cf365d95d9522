"""Readers of Grafana's: who logs in as one is shown the rows of their parks by every view, and hears of no others.

Two parks have a row in every table. Every view of the schema `park` is asked by a role that really logs in, also with
conditions that tell, by a notice, what they are asked of.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final
from uuid import uuid4

import psycopg
import pytest
from fix_database import fresh_database
from psycopg import sql
from psycopg.conninfo import make_conninfo
from smartpark_storage import (
    Connection,
    MigrationError,
    StorageRefusedError,
    connect,
    migrate,
    refresh_aggregates,
)
from smartpark_storage.access.audit import AuditFilter, read_audit
from smartpark_storage.readers import ReaderError, list_readers, put_reader, remove_reader
from test_row_rules import is_of
from two_parks import FAR, NEAR, seed

PASSWORD: Final = "a:b-\\c"  # noqa: S105  of roles of these tests

INSTALLATION: Final = {"edge", "database_state", "api_traffic", "api_latency", "api_presence", "backup_run"}
"""Of no park and of all: shown to whoever is shown every park."""

SHARED: Final = {"factor"}
"""With rows of no park, which are for everybody."""

EMPTY: Final = {"emission_limit", "headroom", "load_forecast", "load_forecast_run"}
"""Of which two_parks.sql may have no row."""

BARE: Final = {
    "reading": {"time", "point_id"}, "reading_15m": {"time", "point_id"}, "reading_hour": {"time", "point_id"},
    "reading_day": {"time", "point_id"}, "latest": {"time", "point_id"}, "interval_energy": {"time", "point_id"},
    "energy_day": {"time", "point_id", "expected_quarters"}, "ingest_rate": {"time"},
    "indicator": {"time", "revision", "computed_at"},
    "indicator_revision": {"time", "revision", "computed_at", "superseded_at"}, "alert_event": {"time", "alert_id"},
}  # fmt: skip
"""What a condition may be asked of beyond one's parks, because indexes find by it: that there is something then."""


@pytest.fixture(scope="module")
def two_parks(shared_database_dsn: str) -> str:
    """Address of a database with two parks, as its owner."""
    with connect(shared_database_dsn, application="two parks") as connection:
        seed(connection, NEAR, FAR)
        # Of different sizes, so that what one is told tells whose it is.
        connection.execute(
            "UPDATE smartpark.interval_energy SET amount = 2 WHERE point_id IN"
            " (SELECT point_id FROM smartpark.point WHERE park = %s)", [FAR]
        )  # fmt: skip
        connection.execute("INSERT INTO smartpark.edge (code) VALUES ('gateway')")
        connection.commit()
        refresh_aggregates(connection)
    return shared_database_dsn


@contextmanager
def reader_of(dsn: str, *parks: str) -> Iterator[str]:
    """Address of the database as a reader of these parks, who is gone afterwards."""
    name = f"test-{uuid4().hex[:10]}"
    with connect(dsn, application="owner") as owner:
        put_reader(owner, name, parks, password=PASSWORD)
        try:
            yield make_conninfo(dsn, user=f"smartpark_grafana_{name}", password=PASSWORD)
        finally:
            owner.rollback()
            remove_reader(owner, name)


@pytest.fixture(scope="module")
def near(two_parks: str) -> Iterator[psycopg.Connection[Any]]:
    """A reader of one of the parks, logged in."""
    with reader_of(two_parks, NEAR) as dsn, psycopg.connect(dsn, autocommit=True) as connection:
        yield connection


@pytest.fixture
def owner(two_parks: str) -> Iterator[Connection]:
    with connect(two_parks, application="owner") as connection:
        yield connection
        connection.rollback()


def views(connection: psycopg.Connection[Any]) -> list[str]:
    rows = connection.execute("SELECT viewname FROM pg_views WHERE schemaname = 'park' ORDER BY 1").fetchall()
    return [name for (name,) in rows]


def texts(connection: psycopg.Connection[Any], view: str) -> list[str]:
    relation = sql.Identifier("park", view)
    # The moment of asking is no part of a row.
    statement = sql.SQL("SELECT (to_jsonb(t) - 'expected_quarters')::text FROM {} AS t").format(relation)
    return [row for (row,) in connection.execute(statement)]


def test_every_view_belongs_to_the_role_that_the_rules_are_about(owner: Connection):
    rows = owner.execute(
        "SELECT c.relname, pg_get_userbyid(c.relowner), c.relkind::text FROM pg_class AS c"
        " WHERE c.relnamespace = 'park'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f')"
    ).fetchall()
    assert len(rows) > 30
    assert {(kind, owning) for _, owning, kind in rows} == {("v", "smartpark_views")}, (
        "CALL smartpark.show('…') does it"
    )
    role = owner.execute(
        "SELECT rolcanlogin, rolsuper, rolbypassrls, pg_has_role(oid, 'smartpark_grafana', 'MEMBER'),"
        " EXISTS (SELECT FROM pg_class WHERE relowner = r.oid AND relkind IN ('r', 'p'))"
        " FROM pg_roles AS r WHERE rolname = 'smartpark_views'"
    ).fetchone()
    assert role == (False,) * 5
    # What it may read and has a park is under a rule for it; hypertables and aggregates can have none.
    unruled = owner.execute(
        "SELECT c.relname FROM pg_class AS c WHERE c.relnamespace = 'smartpark'::regnamespace"
        " AND has_table_privilege('smartpark_views', c.oid, 'SELECT') AND NOT (c.relrowsecurity AND EXISTS ("
        " SELECT FROM pg_policy AS p WHERE p.polrelid = c.oid AND 'smartpark_views'::regrole = ANY (p.polroles)))"
    ).fetchall()
    assert {name for (name,) in unruled} == {
        "reading", "reading_15m", "reading_hour", "reading_day", "reading_park_hour", "interval_energy", "energy_day",
        "stale_mark", "reading_change", "indicator_origin", "migration",
    }  # fmt: skip


def test_a_reader_is_shown_their_park_by_every_view_and_none_of_another(
    owner: Connection, near: psycopg.Connection[Any]
):
    for view in views(owner):
        mine, everything = texts(near, view), texts(owner, view)
        if view in INSTALLATION:
            assert everything
            assert not mine, view
            continue
        assert set(mine) <= set(everything), view
        assert not [row for row in mine if is_of(row, FAR)], view
        if view in SHARED:
            continue
        # All there is of one's own park is shown.
        assert sorted(mine) == sorted(row for row in everything if is_of(row, NEAR)), view
        assert mine or view in EMPTY, f"{view}: nothing is shown, so nothing is proved"
        assert view in EMPTY or [row for row in everything if is_of(row, FAR)], f"{view}: there is nothing to hide"


def test_a_reader_of_both_parks_and_grafana_itself_are_shown_all_rows(two_parks: str, owner: Connection):
    with (
        reader_of(two_parks, NEAR, FAR) as dsn,
        psycopg.connect(dsn, autocommit=True) as both,
        psycopg.connect(two_parks, autocommit=True) as grafana,
    ):
        grafana.execute("SET SESSION AUTHORIZATION smartpark_grafana")
        for view in views(owner):
            everything = sorted(texts(owner, view))
            if view != "database_state":
                assert sorted(texts(grafana, view)) == everything, view
            if view not in INSTALLATION:
                # What belongs to no park waits for nobody's eyes but theirs who see all.
                known = [row for row in everything if view != "waiting_work" or json.loads(row)["park"] is not None]
                assert sorted(texts(both, view)) == known, view
        assert len(texts(grafana, "database_state")) == 1


TELLER = """
CREATE FUNCTION pg_temp.tells(value text) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS
$$ BEGIN RAISE NOTICE '%', value; RETURN true; END $$
"""


def test_a_condition_that_tells_what_it_is_asked_of_is_asked_of_ones_own_rows_only(
    owner: Connection, near: psycopg.Connection[Any]
):
    near.execute("SET default_transaction_read_only = off")
    near.execute(TELLER)
    told: list[str] = []

    def hear(diagnostic: psycopg.errors.Diagnostic) -> None:
        told.append(diagnostic.message_primary or "")

    near.add_notice_handler(hear)
    asked, heard_of_others = 0, set[tuple[str, str]]()
    try:
        for view in views(owner):
            columns = owner.execute(
                "SELECT column_name FROM information_schema.columns WHERE table_schema = 'park' AND table_name = %s",
                [view],
            ).fetchall()
            for (column,) in columns:
                relation, name = sql.Identifier("park", view), sql.Identifier(column)
                visible = {v for (v,) in near.execute(sql.SQL("SELECT {}::text FROM {}").format(name, relation))}
                told.clear()
                near.execute(
                    sql.SQL("SELECT FROM {} WHERE pg_temp.tells({}::text) LIMIT 10000").format(relation, name)
                )
                asked += len(told)
                beyond = {text for text in told if text != "<NULL>"} - visible
                # The moment of asking is another one each time.
                if beyond and (view, column) != ("database_state", "time"):
                    heard_of_others.add((view, column))
    finally:
        near.remove_notice_handler(hear)
        near.execute("RESET default_transaction_read_only")
    assert asked > 500
    assert heard_of_others, "the plans show that nothing is asked beyond the rules, or the teller tells nothing"
    assert heard_of_others <= {(view, column) for view, columns in BARE.items() for column in columns}


def test_an_error_tells_nothing_of_another_parks_numbers(near: psycopg.Connection[Any]):
    # 2 is the other park's amount: a division by nothing would say that there is one.
    for view in ("interval_energy", "energy_day"):
        relation = sql.Identifier("park", view)
        statement = sql.SQL("SELECT count(*) FROM {} WHERE 1 / (amount - 2) < 5").format(relation)
        assert near.execute(statement).fetchone() is not None
    with pytest.raises(psycopg.errors.DivisionByZero):
        near.execute("SELECT count(*) FROM park.interval_energy WHERE 1 / (amount - 1) < 5")


def test_whoever_is_unknown_is_shown_nothing(two_parks: str, owner: Connection):
    name = f"stranger_{uuid4().hex[:8]}"
    role = sql.Identifier(name)
    with psycopg.connect(two_parks, autocommit=True) as admin:
        # With the rights of Grafana's role, which say what may be read, and no parks, which say of whom.
        admin.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {} IN ROLE smartpark_grafana").format(role, PASSWORD))
        try:
            with psycopg.connect(two_parks, user=name, password=PASSWORD, autocommit=True) as stranger:
                for act in ("SELECT 1", "SET ROLE smartpark_grafana"):
                    stranger.execute(act)
                    for view in views(owner):
                        shown = [row for row in texts(stranger, view) if is_of(row, NEAR) or is_of(row, FAR)]
                        assert not shown, view
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    stranger.execute("SET SESSION AUTHORIZATION smartpark_grafana")
        finally:
            admin.execute(sql.SQL("DROP ROLE {}").format(role))


def test_a_reader_may_do_nothing_else_and_is_held_to_limits(near: psycopg.Connection[Any]):
    for statement in (
        "SELECT * FROM smartpark.park", "SELECT * FROM smartpark.grafana_reader", "SELECT * FROM seen.park",
        "INSERT INTO smartpark.grafana_reader VALUES (session_user, 'far')", "SET ROLE smartpark_views",
        "SELECT * FROM smartpark.database_state()",
    ):  # fmt: skip
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            near.execute(statement)
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        near.execute("CREATE TEMP TABLE mine (x integer)")
    limits = {
        name: near.execute("SELECT current_setting(%s)", [name]).fetchone()
        for name in ("statement_timeout", "idle_in_transaction_session_timeout", "default_transaction_read_only")
    }
    assert limits == {
        "statement_timeout": ("30s",),
        "idle_in_transaction_session_timeout": ("1min",),
        "default_transaction_read_only": ("on",),
    }
    row = near.execute("SELECT rolconnlimit, rolsuper FROM pg_roles WHERE rolname = session_user").fetchone()
    assert row == (20, False)


def test_parks_are_given_and_taken_while_a_reader_is_connected(two_parks: str, owner: Connection):
    name = f"test-{uuid4().hex[:10]}"
    assert put_reader(owner, name, [NEAR], password=PASSWORD)
    try:
        with psycopg.connect(
            two_parks, user=f"smartpark_grafana_{name}", password=PASSWORD, autocommit=True
        ) as reader:

            def codes() -> list[str]:
                return [code for (code,) in reader.execute("SELECT code FROM park.park ORDER BY 1")]

            assert codes() == [NEAR]
            assert not put_reader(owner, name, [FAR])
            assert codes() == [FAR]
            (found,) = [one for one in list_readers(owner) if one.name == name]
            assert (found.role, found.parks, found.may_log_in) == (f"smartpark_grafana_{name}", (FAR,), True)
            # What it has made for itself keeps nobody from removing it.
            reader.execute("SET default_transaction_read_only = off")
            reader.execute("CREATE TEMP TABLE mine AS SELECT code FROM park.park")
            remove_reader(owner, name)
            with pytest.raises(psycopg.OperationalError):
                codes()
    finally:
        owner.rollback()
        if any(one.name == name for one in list_readers(owner)):
            remove_reader(owner, name)
    with pytest.raises(ReaderError, match="there is no reader"):
        remove_reader(owner, name)
    kept = [(one.action, one.detail) for one in read_audit(owner, AuditFilter(action="cli:database reader"))]
    assert ("cli:database reader remove", {}) in kept
    assert ("cli:database reader add", {"parks": [FAR]}) in kept


@pytest.mark.parametrize("name", ["", "A", "a b", "-a", "a-", "x" * 41, 'a"b', "山"])
def test_a_name_that_is_none_is_refused(owner: Connection, name: str):
    with pytest.raises(ReaderError, match="is no name of a reader"):
        put_reader(owner, name, [NEAR])


def test_a_park_that_is_not_known_makes_no_reader(owner: Connection):
    name = f"test-{uuid4().hex[:10]}"
    for parks, says in (([NEAR, "nowhere"], "nowhere"), ([], "none was named")):
        with pytest.raises(ReaderError, match=says):
            put_reader(owner, name, parks)
    assert not owner.execute("SELECT FROM pg_roles WHERE rolname LIKE %s", [f"%{name}"]).fetchall()


def test_the_command_makes_lists_and_removes(shared_plain_dsn: str, smartpark, tmp_path):
    name = f"test-{uuid4().hex[:10]}"
    where = {"SMARTPARK_DSN": shared_plain_dsn}
    with connect(shared_plain_dsn, application="two parks") as connection:
        seed(connection, NEAR, FAR)
    secret = tmp_path / "password"
    secret.write_text(f"{PASSWORD}\n")

    def run(*arguments: str):
        return smartpark.run("database", "reader", *arguments, environment=where)

    made = run("add", name, "--park", NEAR)
    assert made.returncode == 0, made.stderr
    assert "cannot log in yet" in made.stdout
    assert run("add", name, "--park", NEAR, "--park", FAR, "--file", str(secret)).returncode == 0
    try:
        lines = [json.loads(line) for line in run("list", "--json").stdout.splitlines()]
        role = f"smartpark_grafana_{name}"
        assert {"name": name, "role": role, "parks": [FAR, NEAR], "may_log_in": True} in lines
        psycopg.connect(shared_plain_dsn, user=role, password=PASSWORD).close()
        secret.write_text("")
        assert "is empty" in run("add", name, "--park", NEAR, "--file", str(secret)).stderr
    finally:
        gone = run("remove", name)
    assert gone.returncode == 0, gone.stderr
    assert run("remove", name).returncode == 1


def test_databases_of_one_server_that_migrate_at_once_share_the_roles(plain_server_dsn: str):
    """As the roles are at first: without limits, so that each of the migrations changes them."""
    dsns = [fresh_database(plain_server_dsn) for _ in range(3)]
    with psycopg.connect(plain_server_dsn, autocommit=True) as admin:
        admin.execute("ALTER ROLE smartpark_grafana RESET ALL")
        admin.execute("ALTER ROLE smartpark_grafana CONNECTION LIMIT -1")
    failed: list[Exception] = []

    def bring_up(dsn: str) -> None:
        try:
            with connect(dsn, application="test") as connection:
                migrate(connection)
        except Exception as error:  # noqa: BLE001  told by the test itself
            failed.append(error)

    threads = [threading.Thread(target=bring_up, args=[next(dsn)]) for dsn in dsns]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for dsn in dsns:
        next(dsn, None)
    assert not failed
    with psycopg.connect(plain_server_dsn, autocommit=True) as admin:
        row = admin.execute(
            "SELECT rolconnlimit, cardinality(rolconfig) FROM pg_roles WHERE rolname = 'smartpark_grafana'"
        ).fetchone()
    assert row == (20, 4)


def test_who_may_not_make_roles_is_refused(two_parks: str):
    with connect(two_parks, application="test") as connection:
        connection.execute("SET ROLE smartpark_ingest")
        connection.commit()
        with pytest.raises(StorageRefusedError, match="refuses"):
            put_reader(connection, "nobody", [NEAR])


def test_an_owner_who_is_no_superuser_brings_the_schema_up_to_date(plain_server_dsn: str):
    name = f"owner_{uuid4().hex[:8]}"
    role, database = sql.Identifier(name), sql.Identifier(f"smartpark_test_{name}")
    dsn = make_conninfo(plain_server_dsn, dbname=f"smartpark_test_{name}", user=name)
    with psycopg.connect(plain_server_dsn, autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE ROLE {} LOGIN").format(role))
        admin.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(database, role))
        try:
            with connect(dsn, application="test") as connection:
                with pytest.raises(MigrationError, match=f"an administrator run: GRANT smartpark_views TO {name}"):
                    migrate(connection)
                admin.execute(sql.SQL("GRANT smartpark_views, smartpark_api TO {}").format(role))
                migrate(connection)
                assert len(views(connection)) > 30
                assert connection.execute("SELECT count(*) FROM park.park").fetchone() == (0,)
                assert connection.execute("SELECT smartpark.reads_all()").fetchone() == (True,)
        finally:
            admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(database))
            admin.execute(sql.SQL("DROP ROLE {}").format(role))
