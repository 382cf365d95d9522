"""Chaos kills the database it is given by the caller's own commands, and believes neither of them unseen."""

import asyncio
import os
import shlex
import time

import pytest
from smartpark.cli import command_line
from smartpark_simulators.chaos.database import Blows, GivenServer, OwnServer
from smartpark_simulators.chaos.sentinel import Sentinel
from smartpark_simulators.demo.processes import DemoError
from smartpark_simulators.ports import free_port
from smartpark_storage import connect, embedded, migrate
from waiting import wait_until


@pytest.fixture
def server(passable_path):
    """A server somebody else runs: here the embedded one, of which chaos is told nothing."""
    data = passable_path / "postgresql"
    one = embedded.start(data)
    with connect(one.dsn(), application="test") as connection:
        migrate(connection)
    yield one
    embedded.stop(data)


def _kill(server) -> str:
    return f"kill -9 $(head -1 {shlex.quote(str(server.cluster / 'postmaster.pid'))})"


def _start(server) -> str:
    return shlex.join(command_line("database", "start", "--data", str(server.data)))


def _given(server, tmp_path, environment, **blows: str) -> GivenServer:
    commands = {"kill": _kill(server), "start": _start(server)} | blows
    return GivenServer(server.dsn(), Blows(**commands), environment, tmp_path / "database.log")


@pytest.fixture
def environment(server) -> dict[str, str]:
    return {**os.environ, "SMARTPARK_DSN": server.dsn()}


async def _nothing() -> None:
    """Nobody looks at it while it is away."""


async def test_a_given_server_is_killed_and_comes_back(server, tmp_path, environment):
    before = (server.cluster / "postmaster.pid").read_text().split("\n", 1)[0]
    seen = []

    async def look() -> None:
        seen.append(embedded.is_running(server))

    await _given(server, tmp_path, environment).strike(0.2, look)
    assert seen == [False]
    assert (server.cluster / "postmaster.pid").read_text().split("\n", 1)[0] != before
    with connect(server.dsn(), application="test") as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


async def test_a_start_that_comes_too_soon_is_tried_again(server, tmp_path, environment):
    once = tmp_path / "tried"
    start = f"test -e {once} || {{ touch {once}; exit 1; }}; {_start(server)}"
    await _given(server, tmp_path, environment, start=start).strike(0.1, _nothing)
    assert once.exists()
    assert embedded.is_running(server)


async def test_a_command_that_kills_nothing_is_found_out(server, tmp_path, environment):
    with pytest.raises(DemoError, match="still answers after --database-kill 'true'"):
        await _given(server, tmp_path, environment, kill="true").strike(0.1, _nothing)


async def test_a_command_that_starts_nothing_is_found_out(server, tmp_path, environment, monkeypatch):
    monkeypatch.setattr("smartpark_simulators.chaos.database._BACK_S", 0.5)
    with pytest.raises(DemoError, match="not back"):
        await _given(server, tmp_path, environment, start="false").strike(0.1, _nothing)


async def test_our_own_server_is_killed_and_comes_back(passable_path, tmp_path, environment):
    own = OwnServer(passable_path / "own", environment, tmp_path / "log")
    dsn = await own.begin()
    try:
        await own.strike(0.1, _nothing)
        with connect(dsn, application="test") as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
    finally:
        own.end()


async def test_a_service_that_says_it_is_ready_without_its_database_is_a_liar(
    server, smartpark, environment, tmp_path
):
    port = free_port()
    api = smartpark.start("api", "serve", "--port", port, environment=environment)
    sentinel = Sentinel({"api": f"http://127.0.0.1:{port}"}, {"api": "/api/v1/parks"})
    await _until_recovered(sentinel)
    given = _given(server, tmp_path, environment)
    await given.strike(0.2, lambda: sentinel.while_database_is_away("api"))
    assert sentinel.lies == []
    # The same question while the server is there: whoever says yes now would have been a liar then. It says so once
    # it has found its database again.
    await _until_recovered(sentinel)
    await sentinel.while_database_is_away("api")
    assert len(sentinel.lies) == 1
    sentinel.lies.clear()
    api.kill()
    await sentinel.while_database_is_away("api")
    assert sentinel.lies == []
    assert not sentinel.has_recovered(time.monotonic())


async def _until_recovered(sentinel: Sentinel) -> None:
    watching = asyncio.create_task(sentinel.watch())
    began_s = time.monotonic()
    await asyncio.to_thread(wait_until, lambda: sentinel.has_recovered(began_s), what="it is ready and serves")
    watching.cancel()
