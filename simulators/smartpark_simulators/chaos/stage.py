"""The park on its stage: database, broker, ingest, agents and devices as processes, with lines between them.

It composes commands and knows no other room, as the demo does; what is different is that every connection between two
processes goes through a line that can be troubled, and that nobody is started again by himself.
"""

import asyncio
import json
import os
import shutil
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from smartpark.catalogue import Catalogue, load_catalogue

from smartpark_simulators.broker import speaks_mqtt5
from smartpark_simulators.chaos.actors import Actor, smartpark, turned_agent
from smartpark_simulators.chaos.lines import Connect, ProxyLine, to_socket, to_tcp
from smartpark_simulators.chaos.plan import LINES, Line, line_name
from smartpark_simulators.chaos.witness import Acceptance, nobody
from smartpark_simulators.demo.agents import AgentLines, agent_settings
from smartpark_simulators.demo.layout import EDGES, Layout, free_ports
from smartpark_simulators.demo.processes import DemoError, ask, parse_object, run_once
from smartpark_simulators.parks import DEMO_PARK

_START_S = 60.0
SHARDS = ("ingest-0", "ingest-1", "ingest-2")
"""Of three workers the first two serve an agent each; the third has the rest of the world."""
Tell = Callable[[str], None]


@dataclass(slots=True)
class Stage:
    """Everything that takes part in one run."""

    layout: Layout
    tell: Tell
    seed: int
    catalogue: Catalogue = field(init=False)
    environment: dict[str, str] = field(init=False)
    actors: dict[str, Actor] = field(default_factory=dict[str, Actor])
    lines: dict[str, ProxyLine] = field(default_factory=dict[str, ProxyLine])
    agents: dict[str, AgentLines] = field(default_factory=dict[str, AgentLines])
    acceptance: Acceptance = field(default_factory=Acceptance)
    broker_port: int = 0
    plc_port: int = 0
    owns_database: bool = False
    database: str = ""

    def __post_init__(self) -> None:
        self.catalogue = load_catalogue(DEMO_PARK)
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith("SMARTPARK_BROKER_")}
        self.broker_port, self.plc_port = free_ports(2)

    # --- building -----------------------------------------------------------------------------------

    async def build(self) -> None:
        """Start everything and wait until the park is live."""
        self.layout.prepare()
        arguments = ("--port", str(self.broker_port), "--data", str(self.layout.broker))
        self.start("broker", smartpark("simulate", "broker", *arguments, "--users", str(self.layout.users)))
        await self._start_database()
        await self._open_lines()
        await self.until(lambda: answers(self.broker_port), "the broker")
        for index, shard in enumerate(SHARDS):
            ready = ("--ready-file", str(self.layout.ready(shard)))
            command = smartpark("ingest", "run", "--shard", f"{index}/{len(SHARDS)}", *ready)
            self.start(shard, command, self._ingest_environment())
        self._start_park()
        # Once the PLC listens nothing in the agents' start has to be tried twice.
        await self.until(lambda: answers(self.plc_port), "the PLC")
        for edge in EDGES:
            self.write_settings(edge)
            run = ("edge", "run", str(self.layout.edge(edge)), "--ready-file", str(self.layout.ready(edge)))
            self.start(edge, turned_agent(self.clock(edge), *run))
        await self.until(self.layout.ready("park").exists, "the park being live")

    async def _start_database(self) -> None:
        if not self.environment.get("SMARTPARK_DSN"):
            self.owns_database = True
            await self.start_database()
        said = (await self.once("migrate")).strip().splitlines()
        self.database = said[0] if said else ""
        await self._refuse_used_database()
        await self.once("catalog", "load", str(DEMO_PARK))
        self.tell(f"database: {self.database}")

    async def start_database(self) -> None:
        """Start the embedded server, again when it was killed."""
        said = await self.once("database", "start", "--data", str(self.layout.database), "--json")
        self.environment["SMARTPARK_DSN"] = str(parse_object(said, of="smartpark database start")["dsn"])

    async def _refuse_used_database(self) -> None:
        if json.loads(await self.once("catalog", "show", "--json") or "[]"):
            raise DemoError(
                "the database that SMARTPARK_DSN names already holds a park; chaos wants an empty one, for it "
                "compares every reading"
            )

    async def _open_lines(self) -> None:
        port, acceptance = self.broker_port, self.acceptance.witness
        for name in LINES:
            match name.split(":")[0]:
                case Line.METERS:
                    line = ProxyLine(name, to_tcp("127.0.0.1", port), witness=acceptance)
                case Line.PUBLISH | Line.INTAKE:
                    line = ProxyLine(name, to_tcp("127.0.0.1", port), witness=nobody)
                case Line.PLC:
                    line = ProxyLine(name, to_tcp("127.0.0.1", self.plc_port))
                case _:
                    line = ProxyLine(name, database_end(self.environment["SMARTPARK_DSN"]))
            await line.open()
            self.lines[name] = line
        plc = self.lines[line_name(Line.PLC, EDGES[1])].port
        for edge in EDGES:
            publish, meters = (self.lines[line_name(one, edge)].port for one in (Line.PUBLISH, Line.METERS))
            self.agents[edge] = AgentLines(publish, meters, plc, status_every_s=0.5)

    def _start_park(self) -> None:
        arguments = (
            *("simulate", "park", "--ledger", str(self.layout.ledger), "--await-agents"),
            *("--broker", f"mqtt://127.0.0.1:{self.broker_port}", "--opcua-port", str(self.plc_port)),
            *("--backfill-days", "0.5", "--faults", "all", "--seed", str(self.seed)),
            *("--ready-file", str(self.layout.ready("park"))),
            *("--start-when", *(str(self.layout.ready(name)) for name in (*SHARDS, *EDGES))),
        )
        self.start("park", smartpark(*arguments), self._credentials("devices", self.broker_port))

    def _ingest_environment(self) -> dict[str, str]:
        dsn = dsn_through(self.environment["SMARTPARK_DSN"], self.lines[line_name(Line.DATABASE)].port)
        return self._credentials("ingest", self.lines[line_name(Line.INTAKE)].port) | {"SMARTPARK_DSN": dsn}

    def _credentials(self, user: str, port: int) -> dict[str, str]:
        return {
            "SMARTPARK_BROKER_URL": f"mqtt://127.0.0.1:{port}",
            "SMARTPARK_BROKER_USERNAME": user,
            "SMARTPARK_BROKER_PASSWORD_FILE": str(self.layout.password(user)),
        }

    def start(self, name: str, line: list[str], environment: dict[str, str] | None = None) -> None:
        """Start a process under a name."""
        actor = Actor(name, line, self.environment | (environment or {}), self.layout.log(name))
        self.actors[name] = actor
        actor.start()

    # --- while it plays -----------------------------------------------------------------------------

    def clock(self, edge: str) -> Path:
        """File by which an agent's clock is turned."""
        return self.layout.folder / "run" / f"{edge}.clock"

    def write_settings(self, edge: str, **changes: Any) -> None:
        """Write an agent's settings, changed for good."""
        self.agents[edge] = replace(self.agents[edge], **changes)
        protocol = "5" if speaks_mqtt5("auto") else "3.1.1"
        text = agent_settings(edge, self.layout, self.agents[edge], self.catalogue, protocol=protocol)
        draft = self.layout.edge(edge).with_suffix(".new")
        draft.write_text(text, encoding="utf-8")
        draft.replace(self.layout.edge(edge))

    async def spool(self, edge: str) -> dict[str, Any]:
        """What `smartpark edge spool` says."""
        done = await asyncio.to_thread(
            ask, ("edge", "spool", str(self.layout.edge(edge)), "--json"), self.environment
        )
        if done.returncode:
            raise DemoError(f"smartpark edge spool did not work: {done.stderr.strip()}")
        return parse_object(done.stdout, of="smartpark edge spool")

    async def once(self, *arguments: str) -> str:
        """Run a command to its end, on the database itself."""
        log = self.layout.log("setup")
        return await asyncio.to_thread(run_once, arguments, self.environment, log=log)

    def look_after(self) -> None:
        """Start again who died unasked, and say so."""
        for actor in self.actors.values():
            code = actor.look_after()
            if code is not None:
                self.tell(f"WRONG: {actor.name} ended with {code}, which nobody had asked for; see {actor.log}")

    async def until(self, condition: Callable[[], bool], what: str, timeout_s: float = _START_S) -> None:
        """Wait for a condition; `DemoError` when it does not come about."""
        deadline = time.monotonic() + timeout_s
        while not condition():
            self.look_after()
            if time.monotonic() > deadline:
                words = "\n".join(f"--- {a.name}\n{a.last_words()}" for a in self.actors.values())
                raise DemoError(f"{what} did not come about within {timeout_s:.0f} s\n{words}")
            await asyncio.sleep(0.1)

    # --- ending -------------------------------------------------------------------------------------

    async def end(self) -> None:
        """Stop everything; the folder stays."""
        for actor in reversed(list(self.actors.values())):
            await asyncio.to_thread(actor.end)
        for line in self.lines.values():
            await line.close()
        if self.owns_database:
            await asyncio.to_thread(ask, ("database", "stop", "--data", str(self.layout.database)), self.environment)

    @staticmethod
    def remove_folder(folder: Path) -> None:
        """Delete what a run has left."""
        shutil.rmtree(folder, ignore_errors=True)


def answers(port: int) -> bool:
    """Whether somebody listens there."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=0.5):
            return True
    except OSError:
        return False


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
