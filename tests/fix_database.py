"""Real databases for tests: plain PostgreSQL from the wheel, and TimescaleDB where a server is offered.

Every test that asks for `database_dsn` runs once per kind of database, each time on a fresh, migrated one.
`empty_database_dsn` is the same without the schema.
"""

import os
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TypeVar

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from smartpark_storage import Connection, connect, describe_database, embedded, migrate

Filled = TypeVar("Filled")
_OFFERED = "SMARTPARK_TEST_TIMESCALE_DSN"


def _local_timescale() -> str | None:
    """Address of a PostgreSQL on this machine that has the extension loaded and lets us in."""
    try:
        with psycopg.connect("dbname=postgres", connect_timeout=2) as connection:
            row = connection.execute(
                "SELECT current_setting('shared_preload_libraries') LIKE '%timescaledb%' AND rolsuper"
                " FROM pg_roles WHERE rolname = current_user"
            ).fetchone()
    except psycopg.Error:
        return None
    return "dbname=postgres" if row is not None and row[0] else None


@contextmanager
def _passable_folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="smartpark-test-") as folder:
        Path(folder).chmod(0o711)
        yield Path(folder)


@pytest.fixture
def passable_path() -> Iterator[Path]:
    """A new folder through which every account may walk.

    For root, PostgreSQL works under another account, which pytest's own folder shuts out.
    """
    with _passable_folder() as folder:
        yield folder


@pytest.fixture(scope="session")
def plain_server_dsn() -> Iterator[str]:
    """Administrative address of an embedded PostgreSQL that lives for the session."""
    with _passable_folder() as folder:
        data = folder / "postgresql"
        server = embedded.start(data)
        with psycopg.connect(server.dsn("postgres"), autocommit=True) as admin:
            # What is written survives the death of any process all the same; only the machine may not lose its power.
            for setting in ("fsync", "full_page_writes"):
                admin.execute(f"ALTER SYSTEM SET {setting} = off")
            admin.execute("SELECT pg_reload_conf()")
        yield server.dsn("postgres")
        embedded.stop(data)


@pytest.fixture(scope="session")
def timescale_server_dsn() -> str:
    """Administrative address of a TimescaleDB server; skips where none is offered."""
    dsn = os.environ.get(_OFFERED) or _local_timescale()
    if dsn is None:
        pytest.skip(f"no TimescaleDB: set {_OFFERED} to a server on which databases may be made")
    return dsn


@pytest.fixture(
    params=[pytest.param("plain"), pytest.param("timescale", marks=pytest.mark.timescale)],
)
def database_kind(request: pytest.FixtureRequest) -> str:
    """Which of the two kinds of database this run of the test has."""
    return request.param


@pytest.fixture
def empty_database_dsn(database_kind: str, request: pytest.FixtureRequest) -> Iterator[str]:
    """Address of a new database without any schema."""
    yield from fresh_database(request.getfixturevalue(f"{database_kind}_server_dsn"))


@pytest.fixture
def database_dsn(database_kind: str, request: pytest.FixtureRequest) -> Iterator[str]:
    """Address of a new, migrated database."""
    if database_kind == "plain":
        yield from copied_database(request.getfixturevalue("plain_template_dsn"))
    else:
        for dsn in fresh_database(request.getfixturevalue("timescale_server_dsn")):
            yield migrated(dsn)


@pytest.fixture(scope="session")
def plain_template_dsn(plain_server_dsn: str) -> Iterator[str]:
    """Address of a migrated database on plain PostgreSQL that nobody writes to, for others to be copied from."""
    for dsn in fresh_database(plain_server_dsn):
        yield migrated(dsn)


@pytest.fixture(
    scope="module", params=[pytest.param("plain"), pytest.param("timescale", marks=pytest.mark.timescale)]
)
def shared_database_dsn(request: pytest.FixtureRequest) -> Iterator[str]:
    """Address of a migrated database that the tests of a module share; each keeps to a park of its own there."""
    if request.param == "plain":
        yield from copied_database(request.getfixturevalue("plain_template_dsn"))
    else:
        for dsn in fresh_database(request.getfixturevalue("timescale_server_dsn")):
            yield migrated(dsn)


@pytest.fixture(scope="module")
def shared_plain_dsn(plain_template_dsn: str) -> Iterator[str]:
    """Address of a migrated database on plain PostgreSQL that the tests of a module share."""
    yield from copied_database(plain_template_dsn)


class FilledDatabases:
    """Databases with the same in them for several tests, each with one of its own."""

    def __init__(self, request: pytest.FixtureRequest, kept: ExitStack) -> None:
        self._request, self._kept = request, kept
        self._templates: dict[Callable[..., object], tuple[str, object]] = {}

    @contextmanager
    def one(self, kind: str, fill: Callable[[str], Filled]) -> Iterator[tuple[str, Filled]]:
        """Address of a new database that `fill` has filled, and what that gave.

        Filled once where the server can copy, which TimescaleDB's cannot while its own workers look at it. `fill`
        keeps no connection, and what it gives is changed by nobody.
        """
        if kind == "plain":
            template, given = self._template(fill)
            with contextmanager(copied_database)(template) as dsn:
                yield dsn, given
        else:
            with contextmanager(fresh_database)(self._request.getfixturevalue("timescale_server_dsn")) as dsn:
                yield dsn, fill(migrated(dsn))

    def _template(self, fill: Callable[[str], Filled]) -> tuple[str, Filled]:
        if fill not in self._templates:
            empty = self._request.getfixturevalue("plain_template_dsn")
            dsn = self._kept.enter_context(contextmanager(copied_database)(empty))
            self._templates[fill] = dsn, fill(dsn)
        dsn, given = self._templates[fill]
        return dsn, given  # pyright: ignore[reportReturnType]  what this very function gave


@pytest.fixture(scope="module")
def filled_databases(request: pytest.FixtureRequest) -> Iterator[FilledDatabases]:
    """Databases that are filled once for a module."""
    with ExitStack() as kept:
        yield FilledDatabases(request, kept)


@pytest.fixture
def plain_database_dsn(plain_template_dsn: str) -> Iterator[str]:
    """Address of a new, migrated database on plain PostgreSQL, for tests that need a database and not both kinds."""
    yield from copied_database(plain_template_dsn)


@pytest.fixture
def timescale_database_dsn(timescale_server_dsn: str) -> Iterator[str]:
    """Address of a new, migrated TimescaleDB database."""
    for dsn in fresh_database(timescale_server_dsn):
        yield migrated(dsn)


@pytest.fixture
def connection(database_dsn: str):
    """Open connection to a new, migrated database."""
    with connect(database_dsn, application="test") as opened:
        yield opened


def migrated(dsn: str) -> str:
    """Bring the schema of a database up to date; for fixtures that several tests share."""
    with connect(dsn, application="test migrations") as connection:
        migrate(connection)
        if describe_database(connection).timescale_version is not None:
            # Policies would compress and refresh behind a test's back; tests that are about them run them.
            connection.execute("SELECT alter_job(job_id, scheduled => false) FROM timescaledb_information.jobs")
            connection.commit()
            _wait_for_jobs(connection)
    return dsn


def _wait_for_jobs(connection: Connection) -> None:
    """Until those that had started at once are done."""
    jobs = (
        "SELECT FROM pg_stat_activity WHERE datname = current_database()"
        " AND backend_type <> 'client backend' AND application_name LIKE '%Policy%'"
    )
    while connection.execute(jobs).fetchall():
        connection.rollback()
        time.sleep(0.02)
    connection.rollback()


def fresh_database(server_dsn: str, *, template: str | None = None) -> Iterator[str]:
    """A new database on a server; for fixtures that several tests share."""
    name = f"smartpark_test_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(server_dsn, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}" + (f" TEMPLATE {template}" if template else ""))
    yield make_conninfo(server_dsn, dbname=name)
    with psycopg.connect(server_dsn, autocommit=True) as admin:
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


def copied_database(template_dsn: str) -> Iterator[str]:
    """A new database like another one, to which nobody may be connected; but an instance of its own."""
    template = str(conninfo_to_dict(template_dsn)["dbname"])
    for dsn in fresh_database(make_conninfo(template_dsn, dbname="postgres"), template=template):
        with psycopg.connect(dsn, autocommit=True) as connection:
            connection.execute("UPDATE smartpark.instance SET instance = gen_random_uuid()")
            connection.execute("UPDATE smartpark.publication SET token = gen_random_uuid() WHERE token IS NOT NULL")
        yield dsn
