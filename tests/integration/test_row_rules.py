"""The database itself shows a principal the rows of their parks and refuses writes into others.

Two parks have a row in every table. Whoever administers one of them is shown nothing of the other: by no relation
that the API's role may read, and by no statement of the query catalogue, whatever a handler asks.
"""

import json
import re
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, Final, LiteralString, cast
from uuid import uuid4

import psycopg
import pytest
from fix_database import fresh_database
from psycopg import sql
from psycopg.conninfo import make_conninfo
from psycopg.types.json import Jsonb
from smartpark.access import ROLE_DOMAINS
from smartpark_storage import (
    Connection,
    Pool,
    StorageRefusedError,
    connect,
    migrate,
    open_pool,
    refresh_aggregates,
)
from smartpark_storage.errors import RowRefusedError
from smartpark_storage.migrations import builtin_migrations
from smartpark_storage.reads import read_only, read_parks
from smartpark_storage.writes import read_write
from two_parks import FAR, NEAR, parameters_asking_for, parameters_of, person_of, seed, statements

OPEN: Final = {
    "smartpark.migration": "names of the platform's own files",
    "smartpark.registry_state": "a counter of changes, of nobody's",
    "smartpark.role_domain": "the rules themselves",
    "smartpark.instance": "the installation's identity, which it tells every puller",
    "smartpark.publication": "positions and tokens: that a park published something, and when, is all they tell",
    "smartpark.indicator_origin": "methods and factors, reached by the numbers that have them",
    "smartpark.seal_key": "public keys",
    "smartpark.load_request_number": "the newest number of each year",
    "smartpark.alert_watch": "that alerts are evaluated, and when somebody last did",
}
"""Tables that the API's role reads without a rule, and why."""

FILTERED: Final = {
    "seen.reading", "seen.reading_15m", "seen.reading_hour", "seen.reading_day", "seen.interval_energy",
    "seen.raw_reading", "seen.raw_energy", "seen.waiting_span", "seen.energy_day", "seen.ingest_rate",
    "seen.waiting_work", "seen.database_state",
}  # fmt: skip
"""Views that read with their owner's rights, because what they read can have no rule; so they hold it themselves."""

SHARED: Final = {"smartpark.person", "smartpark.factor", "seen.factor", "smartpark.webhook"}
"""Where there are rows of no park, shown to whoever has to do with them in any."""

INSTALLATION: Final = {
    "smartpark.edge", "smartpark.edge_state", "smartpark.edge_event", "seen.edge", "smartpark.uplink",
    "smartpark.uplink_packet", "seen.database_state", "smartpark.platform_alert", "smartpark.api_traffic",
    "smartpark.api_presence", "smartpark.api_process", "smartpark.backup_run", "seen.api_traffic", "seen.api_latency",
    "seen.api_presence", "seen.backup_run",
}  # fmt: skip
"""Of no park and of all: shown to whoever sees every park."""

Row = tuple[Any, ...]


@pytest.fixture(scope="module")
def two_parks_dsn(shared_database_dsn: str) -> str:
    """A database with two parks and a row of each in every table."""
    with connect(shared_database_dsn, application="two parks") as connection:
        seed(connection, NEAR, FAR)
        connection.execute("INSERT INTO smartpark.edge (code) VALUES ('gateway')")
        connection.execute(
            "INSERT INTO smartpark.edge_state (edge_id, online) SELECT edge_id, true FROM smartpark.edge"
        )
        connection.execute(
            "INSERT INTO smartpark.edge_event (edge_id, at, event, boot, session)"
            " SELECT edge_id, now(), 'birth', 1, 1 FROM smartpark.edge"
        )
        connection.execute(
            "INSERT INTO smartpark.webhook (name, url, secret_ref, events, is_active)"
            " VALUES ('all', 'x', 'x', '{}', true)"
        )
        connection.execute(
            "INSERT INTO smartpark.platform_alert (fingerprint, starts_at, rule, severity, title, title_en, advice,"
            " advice_en, about, unit, reported_by, first_at, heard_at)"
            " VALUES ('f', now(), 'platform-x', 'info', 'x', '', '', '', '{}', '', 'client:grafana', now(), now())"
        )
        connection.commit()
        # To what is kept of past hours nothing is added on the fly.
        refresh_aggregates(connection)
    return shared_database_dsn


@pytest.fixture
def owner(two_parks_dsn: str) -> Iterator[Connection]:
    """Whoever owns the database."""
    with connect(two_parks_dsn, application="owner") as connection:
        yield connection
        connection.rollback()


@contextmanager
def asked_by(connection: Connection, principal: str) -> Generator[Connection]:
    """As a request of this principal reaches the database."""
    with connection.transaction(force_rollback=True):
        connection.execute(
            "SELECT set_config('smartpark.principal', %s, true), set_config('role', 'smartpark_api', true)",
            [principal],
        )
        yield connection


def readable(connection: Connection) -> dict[str, tuple[str, bool, str, str]]:
    """What the API's role may read: kind, whether it is under a rule, options and definition, by name."""
    rows = connection.execute(
        """
        SELECT n.nspname || '.' || c.relname, c.relkind::text,
            c.relrowsecurity AND EXISTS (
                SELECT FROM pg_policy AS p
                WHERE p.polrelid = c.oid AND 'smartpark_api'::regrole = ANY (p.polroles) AND p.polcmd = '*'
            ),
            coalesce(array_to_string(c.reloptions, ','), ''),
            CASE WHEN c.relkind = 'v' THEN pg_get_viewdef(c.oid) ELSE '' END
        FROM pg_class AS c
        JOIN pg_namespace AS n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
            AND n.nspname NOT IN (
                'pg_catalog', 'information_schema', 'pg_toast', '_timescaledb_catalog', '_timescaledb_config',
                '_timescaledb_cache', '_timescaledb_debug', 'timescaledb_information', 'timescaledb_experimental'
            )
            AND (
                has_table_privilege('smartpark_api', c.oid, 'SELECT')
                OR has_any_column_privilege('smartpark_api', c.oid, 'SELECT')
            )
        """
    ).fetchall()
    # What TimescaleDB itself made readable for everybody holds its own jobs and statistics, none of our rows.
    theirs = ("bgw_", "job_", "hypertable_chunk", "compressed_chunk_stats")
    return {
        name: tuple(rest)
        for name, *rest in rows
        if not name.startswith(tuple(f"_timescaledb_internal.{one}" for one in theirs))
    }


def names(connection: Connection) -> list[str]:
    return sorted(readable(connection))


def shown(connection: Connection, name: str, principal: str) -> list[str]:
    """Texts of all rows that a principal is shown of a relation."""
    with asked_by(connection, principal):
        return _texts(connection, name)


def _texts(connection: Connection, name: str) -> list[str]:
    relation = sql.Identifier(*name.split("."))
    return [row for (row,) in connection.execute(sql.SQL("SELECT to_jsonb(t)::text FROM {} AS t").format(relation))]


def is_of(text: str, park: str) -> bool:
    """Whether a text is of a row of this park: its code stands in all of them, or the code of its request."""
    return re.search(rf"\b{park}(er|-program)?\b|{parameters_of(park)['code']}", text) is not None


def test_whatever_the_api_reads_is_under_a_rule_or_listed_with_a_reason(owner: Connection):
    found = readable(owner)
    for name, (kind, is_ruled, options, definition) in found.items():
        schema = name.split(".")[0]
        assert schema in {"smartpark", "seen"}, f"{name} is none of the API's"
        if kind == "r":
            assert is_ruled != (name in OPEN), f"{name} wants a rule, or a line in OPEN that says why not"
        elif name in FILTERED:
            assert "security_barrier" in options, name
            assert "sees_all(" in definition, name
            assert "parks_seen(" in definition or name in INSTALLATION, name
        else:
            assert "security_invoker=true" in options, f"{name} would show what its owner sees"
    assert set(found) >= FILTERED | set(OPEN) | INSTALLATION
    ruled = owner.execute(
        "SELECT count(*) FROM pg_class WHERE relrowsecurity AND relnamespace = 'smartpark'::regnamespace"
        " AND relowner <> 'smartpark_api'::regrole AND NOT relforcerowsecurity"
    ).fetchone()
    assert ruled is not None
    assert ruled[0] == sum(is_ruled for _, is_ruled, _, _ in found.values())


def test_each_view_for_grafana_has_a_twin_that_obeys_its_asker(owner: Connection):
    def columns(schema: str) -> dict[str, list[str]]:
        rows = owner.execute(
            "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = %s"
            " ORDER BY ordinal_position",
            [schema],
        )
        found: dict[str, list[str]] = {}
        for table, column in rows:
            found.setdefault(table, []).append(column)
        return found

    grafana, seen = columns("park"), columns("seen")
    assert len(grafana) > 20
    assert {name: seen[name] for name in grafana} == grafana
    assert set(seen) - set(grafana) == {"raw_reading", "raw_energy", "waiting_span"}


def test_a_principal_is_shown_rows_of_their_park_and_none_of_another(owner: Connection):
    for name in names(owner):
        rows = {park: shown(owner, name, person_of(park)) for park in (NEAR, FAR)}
        nobody = shown(owner, name, "nobody")
        assert name in OPEN or name.endswith(".factor") or not nobody, name
        if name in OPEN:
            continue
        everything = _texts(owner, name)
        assert set(rows[NEAR]) | set(rows[FAR]) <= set(everything)
        if name in INSTALLATION:
            assert not rows[NEAR], name
            assert everything, name
            continue
        assert rows[NEAR], f"{name}: nothing is shown, so nothing is proved"
        assert len(rows[NEAR]) == len(rows[FAR]), name
        both = set(rows[NEAR]) & set(rows[FAR])
        if name in SHARED:
            continue
        assert not both, name
        # All there is is of one or the other, so a row that neither is shown is nobody's.
        assert set(rows[NEAR]) | set(rows[FAR]) == {row for row in everything if row in rows[NEAR] + rows[FAR]}
        assert not [row for row in rows[NEAR] if is_of(row, FAR)], name
        assert set(shown(owner, name, "local")) == set(everything), name
        assert set(shown(owner, name, "system")) == set(everything), name


def test_what_is_shown_of_no_park_tells_nothing_of_another(owner: Connection):
    assert not [row for row in shown(owner, "smartpark.factor", person_of(NEAR)) if is_of(row, FAR)]
    assert not [row for row in shown(owner, "smartpark.webhook", person_of(NEAR)) if is_of(row, FAR)]
    # The people of the desk are one list for all parks.
    assert len(shown(owner, "smartpark.person", person_of(NEAR))) == 2
    assert not shown(owner, "smartpark.person", f"client:{NEAR}-program")


def test_a_province_is_shown_numbers_and_nothing_behind_them(owner: Connection):
    province = f"client:{NEAR}-program"
    expected = {
        "smartpark.park", "smartpark.sub_park", "smartpark.enterprise", "smartpark.indicator_series",
        "smartpark.indicator_value", "smartpark.indicator", "smartpark.submission", "smartpark.submission_row",
        "smartpark.aggregate_source", "seen.park", "seen.sub_park", "seen.enterprise", "seen.indicator",
        "seen.indicator_revision", "seen.submission", "seen.pulled_source",
        # What is its own.
        "smartpark.access_client", "smartpark.access_grant",
        # The platform's own factors are for everybody.
        "smartpark.factor", "seen.factor",
    }  # fmt: skip
    found = {name for name in names(owner) if name not in OPEN and shown(owner, name, province)}
    assert found == expected
    for name in sorted(found):
        assert not [row for row in shown(owner, name, province) if is_of(row, FAR)], name


def test_a_grant_counts_from_its_beginning_to_its_end_and_while_its_holder_is_active(owner: Connection):
    def codes(principal: str) -> list[str]:
        with connection.transaction(force_rollback=True):
            connection.execute(
                "SELECT set_config('smartpark.principal', %s, true), set_config('role', 'smartpark_api', true)",
                [principal],
            )
            return [code for (code,) in connection.execute("SELECT code FROM smartpark.park ORDER BY 1")]

    connection = owner
    near, program = person_of(NEAR), f"client:{NEAR}-program"
    assert codes(near) == codes(program) == [NEAR]
    assert codes("") == codes("nobody") == codes("person:") == codes("person:nobody-here") == codes("localhost") == []
    with connection.transaction(force_rollback=True):
        connection.execute("UPDATE smartpark.person SET is_active = false WHERE code = 'nearer'")
        assert codes(near) == []
    with connection.transaction(force_rollback=True):
        connection.execute("UPDATE smartpark.access_client SET disabled_at = now() WHERE client = 'near-program'")
        assert codes(program) == []
    with connection.transaction(force_rollback=True):
        connection.execute("UPDATE smartpark.access_grant SET valid_to = now(), ended_by = 'x' WHERE park = 'near'")
        assert codes(near) == codes(program) == []
    with connection.transaction(force_rollback=True):
        connection.execute(
            "INSERT INTO smartpark.access_grant (client, role, park, valid_from, granted_by)"
            " VALUES ('near-program', 'province', 'far', now() + INTERVAL '1 minute', 'x')"
        )
        assert codes(program) == [NEAR]
    with connection.transaction(force_rollback=True):
        connection.execute(
            "INSERT INTO smartpark.access_grant (client, role, valid_from, granted_by)"
            " VALUES ('near-program', 'province', now(), 'x')"
        )
        assert codes(program) == [FAR, NEAR]


def test_the_databases_roles_see_what_those_of_the_platform_do(owner: Connection):
    kept = set(owner.execute("SELECT role, domain FROM smartpark.role_domain").fetchall())
    assert kept == {(role.value, domain.value) for role, domains in ROLE_DOMAINS.items() for domain in domains}


def columns_of(connection: Connection, name: str, privilege: str) -> list[str]:
    """Columns that the API's role may write, none of those that the database fills."""
    rows = connection.execute(
        "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped"
        " AND attgenerated = '' AND attidentity = ''"
        " AND has_column_privilege('smartpark_api', attrelid, attnum, %s) ORDER BY attnum",
        [name, privilege],
    )
    return [column for (column,) in rows]


def writable(connection: Connection, privilege: str) -> dict[str, list[str]]:
    """Ruled tables that the API's role may write, with the columns."""
    found = {
        name: columns_of(connection, name, privilege) for name in names(connection) if name.startswith("smartpark.")
    }
    return {name: columns for name, columns in found.items() if columns and name not in OPEN}


def refused(connection: Connection, statement: sql.Composed, parameters: Mapping[str, Any]) -> bool:
    """Whether the database refuses a statement by a rule of a table."""
    try:
        with asked_by(connection, person_of(NEAR)):
            connection.execute(statement, parameters)
    except psycopg.errors.InsufficientPrivilege as error:
        if "row-level security policy" not in str(error):
            raise
        return True
    return False


def written(text: str) -> sql.Composed:
    """A statement without parameters."""
    return sql.Composed([sql.SQL(cast("LiteralString", text))])


def test_no_row_is_written_into_another_park(owner: Connection):
    tables = writable(owner, "INSERT")
    assert len(tables) > 15
    for name, columns in tables.items():
        if name == "smartpark.audit_entry":
            continue
        relation, listed = sql.Identifier(*name.split(".")), sql.SQL(", ").join(map(sql.Identifier, columns))
        theirs = [row for row in shown(owner, name, person_of(FAR)) if is_of(row, FAR) or name not in SHARED]
        theirs = [row for row in theirs if not is_of(row, NEAR)]
        if name in INSTALLATION:
            theirs = _texts(owner, name)
        assert theirs, name
        for row in theirs:
            statement = sql.SQL(
                "INSERT INTO {0} ({1}) SELECT {1} FROM jsonb_populate_record(NULL::{0}, %(row)s)"
            ).format(relation, listed)
            assert refused(owner, statement, {"row": Jsonb(json.loads(row))}), f"{name}: {row}"


def test_no_row_of_another_park_is_changed_or_removed(owner: Connection):
    changeable = {name: columns for name, columns in writable(owner, "UPDATE").items() if name not in SHARED}
    assert len(changeable) >= 12
    for name, columns in changeable.items():
        relation = sql.Identifier(*name.split("."))
        change = sql.SQL("UPDATE {0} SET {1} = {1}").format(relation, sql.Identifier(columns[-1]))
        with asked_by(owner, person_of(NEAR)), owner.transaction(force_rollback=True):
            mine = owner.execute(sql.SQL("SELECT FROM {}").format(relation)).rowcount
            # Some are kept as they are by a trigger: one's own row, for of others there is none to see.
            with suppress(psycopg.errors.IntegrityConstraintViolation):
                assert owner.execute(change).rowcount <= mine, name
    removable = [name for name in names(owner) if _may(owner, name, "DELETE")]
    assert len(removable) > 3
    for name in removable:
        relation = sql.Identifier(*name.split("."))
        with asked_by(owner, person_of(NEAR)), owner.transaction(force_rollback=True):
            try:
                owner.execute(sql.SQL("DELETE FROM {}").format(relation))
            except psycopg.errors.IntegrityConstraintViolation:
                continue
            owner.execute("RESET ROLE")
            assert [row for row in _texts(owner, name) if not is_of(row, NEAR)], f"{name}: of another park too"


def _may(connection: Connection, name: str, privilege: str) -> bool:
    row = connection.execute("SELECT has_table_privilege('smartpark_api', %s, %s)", [name, privilege]).fetchone()
    return row is not None and bool(row[0])


def test_an_administrator_of_a_park_lets_nobody_into_another(owner: Connection):
    insert_grant = "INSERT INTO smartpark.access_grant (client, role, park, valid_from, granted_by) VALUES "
    key = (
        "INSERT INTO smartpark.access_secret"
        " (secret_id, client, kind, secret_sha256, scopes, made_by, made_at, expires_at)"
        " VALUES ('abcdefghijkl', '{}-program', 'api_key', sha256('x'), '{{}}', 'x', now(), now() + INTERVAL '1 day')"
    )
    link = (
        "INSERT INTO smartpark.login_link (token_sha256, person, made_by, made_at, expires_at)"
        " VALUES (sha256('x'), '{}er', 'x', now(), now() + INTERVAL '1 day')"
    )
    for statement, is_refused in (
        (insert_grant + "('near-program', 'operator', 'near', now(), 'x')", False),
        (insert_grant + "('near-program', 'operator', 'far', now(), 'x')", True),
        (insert_grant + "('near-program', 'operator', NULL, now(), 'x')", True),
        (key.format(NEAR), False),
        (key.format(FAR), True),
        (link.format(NEAR), False),
        (link.format(FAR), True),
    ):
        assert refused(owner, written(statement), {}) == is_refused, statement
    # Neither whoever is in another park as well, where a key made here would open it.
    with owner.transaction(force_rollback=True):
        owner.execute(insert_grant + "('near-program', 'province', 'far', now(), 'x')")
        assert refused(owner, written(key.format(NEAR)), {})


def test_no_statement_of_the_catalogue_tells_a_row_of_another_park(owner: Connection):
    telling: set[str] = set()
    denied: set[str] = set()
    for name, text in statements().items():
        asked, of_mine = (
            {wanted: parameters.get(wanted) for wanted in re.findall(r"%\((\w+)\)s", text)}
            for parameters in (parameters_asking_for(owner, park, name) for park in (FAR, NEAR))
        )
        try:
            everything, mine, nobodys = (
                answer(owner, principal, text, asked) for principal in ("local", person_of(NEAR), "nobody")
            )
        except psycopg.errors.InsufficientPrivilege:
            denied.add(name)
            continue
        if everything != nobodys:
            telling.add(name)
            assert mine != everything or name in OF_NOBODY, name
        assert not [row for row in mine if is_of(row, FAR)] or name in OF_NOBODY, f"{name} tells of {FAR}: {mine}"
        # It tells what it tells whoever has no park, or rows of one's own: the same as when asked for one's own park.
        if set(mine) <= set(nobodys):
            continue
        own = answer(owner, person_of(NEAR), text, of_mine)
        assert mine == own or all(is_of(row, NEAR) for row in mine) or name in OF_NOBODY, f"{name}: {mine}"
    # Statements that the API executes tell something of the other park to whoever may hear it, or prove nothing here.
    of_the_api = {name for name in statements() if re.match("api_|load_|access_|aggregate_|audit_|alert", name)}
    assert of_the_api - telling - denied == TELL_NOTHING
    assert of_the_api & denied == OF_WORKERS
    assert len(telling) > 80


OF_NOBODY: Final = {"read_persons", "count_factors", "list_factors"}
"""About what is of no park: the people of the desk, the platform's factors."""

TELL_NOTHING: Final = {"aggregate_origins", "alert_watchers"}
"""It tells what is for everybody (`OPEN`)."""

OF_WORKERS: Final = {"alert_checkpoint"}
"""Denied to the API, whatever their names say."""


def answer(connection: Connection, principal: str, text: LiteralString, parameters: dict[str, Any]) -> list[str]:
    with asked_by(connection, principal):
        return [repr(row) for row in connection.execute(text, parameters).fetchall()]


def nodes_of(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A node of a plan and all below it."""
    yield plan
    for below in plan.get("Plans", ()):
        yield from nodes_of(below)


def test_the_rules_are_looked_up_once_a_statement_and_not_once_a_row(owner: Connection):
    looked_up = 0
    for name, text in statements().items():
        if not re.match("api_|load_|aggregate_|submission|fetch_|ratio_|ranking_|alert", name):
            continue
        parameters = parameters_asking_for(owner, NEAR, name)
        asked = {wanted: parameters.get(wanted) for wanted in re.findall(r"%\((\w+)\)s", text)}
        explained = sql.SQL("EXPLAIN (ANALYZE, TIMING off, FORMAT json) ") + sql.SQL(text)
        try:
            with asked_by(owner, person_of(NEAR)):
                row = owner.execute(explained, asked).fetchone()
        except psycopg.errors.InsufficientPrivilege:
            continue
        assert row is not None
        for node in nodes_of(row[0][0]["Plan"]):
            if node.get("Parent Relationship") == "InitPlan" and node["Node Type"] == "Result":
                looked_up += 1
                assert node["Actual Loops"] <= 1, f"{name}: {node}"
            # A look-up in a condition would be one for each row that it is asked of.
            told = repr({key: value for key, value in node.items() if key not in {"Plans", "Output"}})
            assert not re.search(r"(sees_all|sees_any|parks_seen|principal)\(", told), f"{name}: {node}"
    assert looked_up > 100


@pytest.mark.timescale
def test_of_a_database_with_readings_the_role_loses_those_too(timescale_server_dsn: str):
    for dsn in fresh_database(timescale_server_dsn):
        with connect(dsn, application="upgrade") as connection:
            migrate(connection, migrations=[one for one in builtin_migrations() if one.number < 24])
            connection.execute("INSERT INTO smartpark.reading (time, point_id, raw, status) VALUES (now(), 1, 1, 0)")
            assert [name for name in names(connection) if name.startswith("_timescaledb_internal._hyper")]
            connection.commit()
            migrate(connection)
            assert not [name for name in names(connection) if not name.startswith(("smartpark.", "seen."))]


def test_a_connection_is_nobodys_until_it_is_said_who_asks(two_parks_dsn: str):
    with open_pool(two_parks_dsn, application="rules", max_size=1) as pool:
        given = {"statement_timeout_s": 5.0, "wait_s": 5.0}
        with read_only(pool, principal=person_of(NEAR), **given) as connection:
            assert [park.code for park in read_parks(connection)] == [NEAR]
        with read_only(pool, principal="system", **given) as connection:
            assert [park.code for park in read_parks(connection)] == [FAR, NEAR]
        with read_only(pool, principal="", **given) as connection:
            assert read_parks(connection) == []
        with read_write(pool, principal=person_of(FAR), **given) as connection:
            assert [park.code for park in read_parks(connection)] == [FAR]
            assert connection.execute("SELECT current_user").fetchone() == ("smartpark_api",)
        # What was said holds for the transaction only.
        with pool.connection() as connection:
            row = connection.execute("SELECT coalesce(current_setting('smartpark.principal', true), '')").fetchone()
            assert row == ("",)
            assert connection.execute("SELECT current_user = session_user").fetchone() == (True,)


def test_a_refused_row_is_an_error_of_its_own_and_nothing_is_kept(two_parks_dsn: str, owner: Connection):
    given = {"statement_timeout_s": 5.0, "wait_s": 5.0}
    mark = "INSERT INTO smartpark.stale_ratio (park, month) VALUES (%s, '2020-01-01')"

    def write(pool: Pool, *parks: str) -> None:
        with read_write(pool, principal=person_of(NEAR), **given) as connection:
            for park in parks:
                connection.execute(mark, [park])

    with (
        open_pool(two_parks_dsn, application="rules", max_size=1) as pool,
        pytest.raises(RowRefusedError, match="beyond the rights"),
    ):
        write(pool, NEAR, FAR)
    assert not owner.execute("SELECT FROM smartpark.stale_ratio WHERE month = '2020-01-01'").fetchall()


def test_who_may_not_act_as_the_role_is_told_what_to_do(two_parks_dsn: str):
    with psycopg.connect(two_parks_dsn, autocommit=True) as admin:
        name = f"smartpark_stranger_{uuid4().hex[:8]}"
        admin.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD 'x'").format(sql.Identifier(name)))
        stranger = make_conninfo(two_parks_dsn, user=name, password="x")  # noqa: S106  of a role of this test
        try:
            with (
                open_pool(stranger, application="stranger", max_size=1) as pool,
                pytest.raises(StorageRefusedError, match=f"GRANT smartpark_api TO {name}"),
                read_only(pool, principal="local", statement_timeout_s=5, wait_s=5),
            ):
                pass
        finally:
            admin.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(name)))
