"""A real PostgreSQL from a Python wheel, for the demo and the tests: no installation, no root, no open port.

The server listens on a Unix socket in a folder that only its owner may enter, which is why it can trust whoever
connects. It goes on running when the command that started it ends, and `stop` ends it. It is meant for one
machine: the product's database is TimescaleDB on a server.

The wheel's own launcher is not used, only its binaries: it stops the server with the process that started it.
"""

import fcntl
import hashlib
import os
import pwd
import shutil
import stat
import subprocess
import tempfile
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg

from smartpark_storage.embedded_account import EmbeddedServerError, database_account, home_of, programs, settle
from smartpark_storage.errors import StorageUnavailableError, translate_errors
from smartpark_storage.queries import query

DATABASE = "smartpark"
_SOCKET_PATH_LIMIT = 90
"""Unix sockets have paths of at most 107 bytes, the file name included."""
_START_TIMEOUT_S = 60.0
_SETTINGS = """
# Written by smartpark when the folder was made; yours to change.
listen_addresses = ''
fsync = on
synchronous_commit = on
full_page_writes = on
shared_buffers = 128MB
max_connections = 60
max_wal_size = 2GB
checkpoint_timeout = 10min
timezone = 'UTC'
log_timezone = 'UTC'
"""


@dataclass(frozen=True, slots=True)
class EmbeddedServer:
    """A data folder and the way to the server that works on it."""

    data: Path
    home: Path
    """Where the server's files are: the data folder, unless PostgreSQL's account cannot reach it."""
    socket: Path

    @property
    def cluster(self) -> Path:
        """Where PostgreSQL keeps its files."""
        return self.home / "cluster"

    def dsn(self, database: str = DATABASE) -> str:
        """Address of a database on this server; it holds no secret."""
        return f"postgresql://postgres@/{database}?host={quote(str(self.socket), safe='')}"


def server_at(data: Path) -> EmbeddedServer:
    """Server of a data folder, running or not."""
    data = data.expanduser().resolve()
    home = home_of(data)
    socket = home / "socket"
    if len(os.fsencode(socket)) > _SOCKET_PATH_LIMIT:
        digest = hashlib.sha256(os.fsencode(data)).hexdigest()[:12]
        socket = Path(tempfile.gettempdir()) / f"smartpark-{os.geteuid()}-{digest}"
    return EmbeddedServer(data, home, socket)


def start(data: Path) -> EmbeddedServer:
    """Start the server on a folder, making folder and database where they are missing; a running one is kept."""
    account = database_account()
    server = server_at(data)
    _make_folder(server.data, account)
    deadline = time.monotonic() + _START_TIMEOUT_S
    with _one_at_a_time(server.data):
        server = _settled(server, account)
        while True:
            if not is_running(server):
                _begin(server, account)
            try:
                _ensure_database(server)
            except StorageUnavailableError:
                # Still starting, or killed a moment ago and not yet gone: look again.
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)
            else:
                return server


def _settled(server: EmbeddedServer, account: pwd.struct_passwd | None) -> EmbeddedServer:
    """The server with its folders made, at a place where the account can work."""
    if account is not None:
        passing = [] if server.data in server.socket.parents else [server.socket.parent]
        settle(server.data, account, passing=passing)
        server = server_at(server.data)
    for folder in (server.home, server.socket):
        _make_folder(folder, account)
        if account is not None:
            os.chown(folder, account.pw_uid, account.pw_gid)
    return server


def _begin(server: EmbeddedServer, account: pwd.struct_passwd | None) -> None:
    if not (server.cluster / "PG_VERSION").exists():
        _make_cluster(server, account)
    _forget_dead_server(server)
    _launch(server, account)


def stop(data: Path) -> bool:
    """Stop the server of a folder; False when none was running."""
    server = server_at(data)
    if not is_running(server):
        return False
    _run(database_account(), "pg_ctl", "stop", "-D", str(server.cluster), "-m", "fast", "-w")
    if server.home not in server.socket.parents:
        shutil.rmtree(server.socket, ignore_errors=True)  # stood elsewhere, for the length of its path
    return True


def is_running(server: EmbeddedServer) -> bool:
    """Whether a server works on the folder."""
    try:
        pid = int((server.cluster / "postmaster.pid").read_text(encoding="utf-8").split("\n", 1)[0])
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return False
    except PermissionError:
        raise EmbeddedServerError(f"{server.data} belongs to somebody else") from None
    return pid in _processes_in(server.cluster)


def _processes_in(cluster: Path) -> set[int]:
    """Living processes that work in the folder, which is where every process of PostgreSQL stands.

    A killed server that nobody has reaped yet still has its number: asking whether the number exists is not enough.
    """
    found: set[int] = set()
    for process in Path("/proc").iterdir():
        if process.name.isdecimal():
            with suppress(OSError):  # gone in the meantime, a zombie, or not ours to see
                if (process / "cwd").readlink() == cluster:
                    found.add(int(process.name))
    return found


def _forget_dead_server(server: EmbeddedServer) -> None:
    """Wait for the children of a killed server to leave, then remove what says that it runs."""
    _wait_until(lambda: not _processes_in(server.cluster), f"processes of a killed server stay in {server.cluster}")
    (server.cluster / "postmaster.pid").unlink(missing_ok=True)
    (server.socket / ".s.PGSQL.5432.lock").unlink(missing_ok=True)


def _wait_until(condition: Callable[[], bool], complaint: str) -> None:
    deadline = time.monotonic() + _START_TIMEOUT_S
    while not condition():
        if time.monotonic() > deadline:
            raise EmbeddedServerError(complaint)
        time.sleep(0.05)


@contextmanager
def _one_at_a_time(data: Path) -> Generator[None]:
    with (data / "start.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _make_folder(folder: Path, account: pwd.struct_passwd | None) -> None:
    """A folder that only its owner may enter: us, or PostgreSQL's account."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise EmbeddedServerError(f"{folder} cannot be made: {error.strerror}") from error
    if folder.stat().st_uid not in {os.geteuid(), account.pw_uid if account else os.geteuid()}:
        raise EmbeddedServerError(f"{folder} belongs to somebody else")
    folder.chmod(stat.S_IRWXU)


def _make_cluster(server: EmbeddedServer, account: pwd.struct_passwd | None) -> None:
    if server.cluster.exists():
        shutil.rmtree(server.cluster)  # left by an initdb that was interrupted: it has no PG_VERSION, so no data
    making = server.home / "cluster.new"
    shutil.rmtree(making, ignore_errors=True)
    _run(
        account, "initdb", "-D", str(making), "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8"
    )
    with (making / "postgresql.conf").open("a", encoding="utf-8") as settings:
        settings.write(_SETTINGS)
    making.rename(server.cluster)


def _launch(server: EmbeddedServer, account: pwd.struct_passwd | None) -> None:
    log = server.home / "server.log"
    # In single quotes, since pg_ctl hands the options to a shell.
    options = "-k '" + str(server.socket).replace("'", "'\\''") + "'"
    result = _call(
        account, "pg_ctl", "start", "-D", str(server.cluster), "-l", str(log), "-w", "-t", "60", "-o", options
    )
    if result.returncode != 0:
        raise EmbeddedServerError(f"PostgreSQL did not start on {server.data}:\n{result.stderr}{_tail(log)}")


def _tail(log: Path, lines: int = 8) -> str:
    if not log.exists():
        return ""
    return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])


def _ensure_database(server: EmbeddedServer) -> None:
    with translate_errors(), psycopg.connect(server.dsn("postgres"), autocommit=True) as connection:
        found = connection.execute(query("database_exists"), {"name": DATABASE}).fetchone()
        if found is None or not found[0]:
            connection.execute(query("create_smartpark_database"))


def _run(account: pwd.struct_passwd | None, program: str, *arguments: str) -> None:
    result = _call(account, program, *arguments)
    if result.returncode != 0:
        raise EmbeddedServerError(f"{program} failed: {result.stderr.strip() or result.stdout.strip()}")


def _call(account: pwd.struct_passwd | None, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command: Sequence[str] = [str(programs(account) / program), *arguments]
    # Output goes to files, not pipes: the server inherits them and would keep a pipe open for as long as it runs.
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            cwd="/",
            env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8", "TZ": "UTC"},
            user=account.pw_uid if account else None,
            group=account.pw_gid if account else None,
            extra_groups=[] if account else None,
            start_new_session=True,
            check=False,
        )
        out.seek(0)
        err.seek(0)
        return subprocess.CompletedProcess(command, done.returncode, out.read(), err.read())
