"""Database servers of a bench's own, so that all their processes can be counted and nobody else is in them.

TimescaleDB comes from the PostgreSQL that is installed on this machine, where that has the extension; plain
PostgreSQL is the embedded one. Both get the same settings.
"""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
from smartpark_storage import connect, embedded, migrate
from smartpark_storage.embedded_account import database_account

_SETTINGS = """
listen_addresses = ''
shared_preload_libraries = 'timescaledb'
timescaledb.telemetry_level = off
shared_buffers = 128MB
max_connections = 60
max_wal_size = 2GB
checkpoint_timeout = 10min
timezone = 'UTC'
"""


@dataclass(frozen=True, slots=True)
class Server:
    """A running server."""

    dsn: str
    """Of its database, which is migrated and empty."""
    postmaster: int
    """Number of its first process."""

    def cpu_seconds(self) -> dict[str, float]:
        """Processor time since its start, by kind of process; those that have ended are among the backends."""
        while True:
            # One that ends while we count is counted among the ended ones, from the beginning.
            with suppress(psutil.NoSuchProcess):
                return self._cpu_seconds()

    def _cpu_seconds(self) -> dict[str, float]:
        first = psutil.Process(self.postmaster)
        times = first.cpu_times()
        spent = {"database backends": times.children_user + times.children_system, "database others": 0.0}
        for process in (first, *first.children(recursive=True)):
            own = process.cpu_times()
            # A backend's title names its user and database: "postgres: postgres smartpark [local] idle".
            kind = "database backends" if "[local]" in " ".join(process.cmdline()) else "database others"
            spent[kind] += own.user + own.system
        return spent


def table_bytes(dsn: str) -> int:
    """Bytes on disk of the readings: chunks, compressed or not, and their indexes."""
    with connect(dsn, application="bench") as connection:
        found = connection.execute("SELECT to_regproc('hypertable_size') IS NOT NULL").fetchone()
        size = (
            "hypertable_size('smartpark.reading')"
            if found and found[0]
            else "pg_total_relation_size('smartpark.reading')"
        )
        row = connection.execute(f"SELECT {size}").fetchone()
    return int(row[0]) if row else 0


def installed_timescale() -> Path | None:
    """Folder with the programs of a local PostgreSQL that has TimescaleDB; None where there is none."""
    found = [shutil.which("pg_config"), *sorted(map(str, Path("/usr/lib/postgresql").glob("*/bin/pg_config")))]
    for program in filter(None, found):
        told = subprocess.run([program, "--pkglibdir", "--bindir"], capture_output=True, text=True, check=True)
        libraries, programs = map(Path, told.stdout.split())
        if (libraries / "timescaledb.so").exists() and (programs / "initdb").exists():
            return programs
    return None


@contextmanager
def plain_server() -> Iterator[Server]:
    """Plain PostgreSQL, embedded."""
    with _folder() as folder:
        server = embedded.start(folder / "plain")
        try:
            yield _migrated(server.dsn(), server.cluster)
        finally:
            embedded.stop(folder / "plain")


@contextmanager
def timescale_server(programs: Path) -> Iterator[Server]:
    """TimescaleDB by the programs in that folder."""
    account = database_account()
    user = {} if account is None else {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
    with _folder() as folder:
        if account is not None:
            shutil.chown(folder, account.pw_uid, account.pw_gid)
        data = folder / "cluster"

        def run(program: str, *arguments: str) -> None:
            command = [str(programs / program), "-D", str(data), *arguments]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=folder, **user)  # pyright: ignore[reportArgumentType]

        run("initdb", "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8")
        with (data / "postgresql.conf").open("a", encoding="utf-8") as settings:
            settings.write(_SETTINGS + f"unix_socket_directories = '{folder}'\n")
        run("pg_ctl", "start", "-w", "-l", str(folder / "log"))
        try:
            yield _migrated(f"host={folder} user=postgres dbname=postgres", data)
        finally:
            run("pg_ctl", "stop", "-w", "-m", "fast")


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="smartpark-bench-") as name:
        Path(name).chmod(0o711)
        yield Path(name)


def _migrated(dsn: str, cluster: Path) -> Server:
    with connect(dsn, application="bench") as connection:
        migrate(connection)
        # Policies would compress and refresh in the middle of a measurement, and count.
        connection.execute(
            "DO $$ BEGIN IF EXISTS (SELECT FROM pg_extension WHERE extname = 'timescaledb') THEN"
            " PERFORM alter_job(job_id, scheduled => false) FROM timescaledb_information.jobs; END IF; END $$"
        )
        connection.commit()
    return Server(dsn, int((cluster / "postmaster.pid").read_text(encoding="utf-8").split("\n", 1)[0]))
