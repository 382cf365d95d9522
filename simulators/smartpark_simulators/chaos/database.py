"""The database of a run, and what a blow to it is: it knows how to kill it and how to have it back.

Three kinds. Our own, the embedded server: SIGKILL to its postmaster. A server that somebody gave us together with two
commands, one that kills it and one that starts it: they are run, and are believed only when the server has gone and
come back indeed. A server that somebody gave us without: only its sessions are ended.

Nothing here speaks SQL; whether a server answers is what the platform's own commands say of it.
"""

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import parse_qs, urlsplit

from smartpark_simulators.chaos.lines import Connect, to_socket, to_tcp
from smartpark_simulators.demo.processes import DemoError, ask, parse_object, run_once

_BACK_S = 120.0
"""A server that was killed reads its log first."""
_COMMAND_S = 120.0


@dataclass(frozen=True, slots=True)
class Blows:
    """Commands for the shell by which a server that somebody else runs is killed and started."""

    kill: str
    start: str


class Database(Protocol):
    """What chaos asks of a database."""

    @property
    def how(self) -> str:
        """What `kill_database` does to it, for the report."""
        ...

    async def begin(self) -> str:
        """See that it is there; its address."""
        ...

    async def strike(self, away_s: float, while_away: Callable[[], Awaitable[None]]) -> None:
        """Kill it, and have it back after so many seconds; `while_away` runs when it has gone."""
        ...

    def end(self) -> None:
        """Stop what was started here."""
        ...


@dataclass(slots=True)
class OwnServer:
    """The embedded server of this run."""

    data: Path
    environment: Mapping[str, str]
    log: Path
    how: str = "SIGKILL to the postmaster of the embedded server"
    _socket: Path | None = None

    async def begin(self) -> str:
        """Start it."""
        arguments = ("database", "start", "--data", str(self.data), "--json")
        said = await asyncio.to_thread(run_once, arguments, self.environment, log=self.log)
        dsn = str(parse_object(said, of="smartpark database start")["dsn"])
        self._socket = socket_folder(dsn)
        return dsn

    async def strike(self, away_s: float, while_away: Callable[[], Awaitable[None]]) -> None:
        """SIGKILL to its postmaster."""
        if self._socket is None:
            raise DemoError("the embedded server has no socket")
        lock = (self._socket / ".s.PGSQL.5432.lock").read_text(encoding="utf-8")
        os.kill(int(lock.split("\n", 1)[0]), signal.SIGKILL)
        await asyncio.gather(asyncio.sleep(away_s), while_away())
        await self.begin()

    def end(self) -> None:
        """Stop it."""
        ask(("database", "stop", "--data", str(self.data)), self.environment)


@dataclass(slots=True)
class GivenServer:
    """A server that SMARTPARK_DSN names, with the commands that kill and start it."""

    dsn: str
    blows: Blows
    environment: Mapping[str, str]
    log: Path

    @property
    def how(self) -> str:
        """As the command line says."""
        return self.blows.kill

    async def begin(self) -> str:
        """It is there already."""
        return self.dsn

    async def strike(self, away_s: float, while_away: Callable[[], Awaitable[None]]) -> None:
        """Have it killed, see that it has gone, have it started, see that it is back."""
        await asyncio.to_thread(self._shell, self.blows.kill)
        if await asyncio.to_thread(self._answers):
            raise DemoError(f"the database still answers after --database-kill {self.blows.kill!r}")
        await asyncio.gather(asyncio.sleep(away_s), while_away())
        deadline = time.monotonic() + _BACK_S
        # The first attempt may come too soon: orphans of the killed server hold its memory for a moment.
        while await asyncio.to_thread(self._shell, self.blows.start) or not await asyncio.to_thread(self._answers):
            if time.monotonic() > deadline:
                raise DemoError(
                    f"the database is not back {_BACK_S:.0f} s after it was to be started by "
                    f"--database-start {self.blows.start!r}; see {self.log}"
                )
            await asyncio.sleep(0.5)

    def end(self) -> None:
        """It is not ours to stop."""

    def _shell(self, line: str) -> int:
        """Run a command; its exit code. What it leaves running must not hold a pipe of ours."""
        with self.log.open("ab") as log:
            log.write(f"$ {line}\n".encode())
            log.flush()
            try:
                return subprocess.run(
                    ["/bin/sh", "-c", line],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                    timeout=_COMMAND_S,
                    check=False,
                ).returncode
            except subprocess.TimeoutExpired:
                raise DemoError(f"did not end within {_COMMAND_S:.0f} s: {line}") from None

    def _answers(self) -> bool:
        return ask(("catalog", "show", "--json"), self.environment).returncode == 0


@dataclass(slots=True)
class ForeignServer:
    """A server that SMARTPARK_DSN names and that must not be killed."""

    dsn: str
    environment: Mapping[str, str]
    log: Path
    how: str = "the end of every session; give --database-kill and --database-start to have the server killed"

    async def begin(self) -> str:
        """It is there already."""
        return self.dsn

    async def strike(self, away_s: float, while_away: Callable[[], Awaitable[None]]) -> None:
        """End every session; it is not away for a moment, so nobody looks at it while it is."""
        del away_s, while_away
        await asyncio.to_thread(run_once, ("database", "disconnect"), self.environment, log=self.log)

    def end(self) -> None:
        """It is not ours to stop."""


def database_end(dsn: str) -> Connect:
    """Where the line to the database ends."""
    folder = socket_folder(dsn)
    if folder is not None:
        return to_socket(str(folder / ".s.PGSQL.5432"))
    parts = urlsplit(dsn)
    return to_tcp(parts.hostname or "127.0.0.1", parts.port or 5432)


def socket_folder(dsn: str) -> Path | None:
    """Folder of the server's Unix socket, where the address names one.

    Examples
    --------
    >>> socket_folder("postgresql://postgres@/park?host=%2Frun%2Fpg")
    PosixPath('/run/pg')
    >>> socket_folder("postgresql://park@db.example:5432/park") is None
    True
    """
    if not dsn.startswith(("postgresql://", "postgres://")):
        raise DemoError("chaos wants SMARTPARK_DSN as an address that begins with postgresql://")
    found = parse_qs(urlsplit(dsn).query).get("host", [""])[0]
    return Path(found) if found.startswith("/") else None


def dsn_through(dsn: str, port: int) -> str:
    """The same address by way of a loopback port.

    Examples
    --------
    >>> dsn_through("postgresql://postgres@/park?host=%2Frun%2Fpg", 5000)
    'postgresql://postgres@127.0.0.1:5000/park'
    """
    parts = urlsplit(dsn)
    user = f"{parts.username}@" if parts.username else ""
    query = "&".join(p for p in parts.query.split("&") if p and not p.startswith(("host=", "port=")))
    return f"postgresql://{user}127.0.0.1:{port}{parts.path}{'?' + query if query else ''}"
