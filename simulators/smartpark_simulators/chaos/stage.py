"""The park on its stage: database, broker, ingest, agents and devices as processes, with lines between them.

It composes commands and knows no other room, as the demo does; what is different is that every connection between two
processes goes through a line that can be troubled, and that nobody is started again by himself.
"""

import asyncio
import json
import os
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from smartpark.catalogue import Catalogue, load_catalogue

from smartpark_simulators.broker import speaks_mqtt5
from smartpark_simulators.chaos.actors import Actor, smartpark, turned_agent
from smartpark_simulators.chaos.database import (
    Blows,
    Database,
    ForeignServer,
    GivenServer,
    OwnServer,
    database_end,
    dsn_through,
)
from smartpark_simulators.chaos.lines import ProxyLine, to_tcp
from smartpark_simulators.chaos.plan import API, DERIVERS, LINES, Line, line_name
from smartpark_simulators.chaos.sentinel import Sentinel
from smartpark_simulators.chaos.witness import Acceptance, nobody
from smartpark_simulators.demo.agents import AgentLines, agent_settings
from smartpark_simulators.demo.layout import EDGES, Layout
from smartpark_simulators.demo.processes import DemoError, ask, parse_object, run_once
from smartpark_simulators.demo.visitor import answers
from smartpark_simulators.parks import DEMO_PARK
from smartpark_simulators.ports import free_ports

_START_S = 120.0
BACKFILL_DAYS = 0.5
"""History that the park says before it goes live."""
SHARDS = ("ingest-0", "ingest-1", "ingest-2")
"""Of three workers the first two serve an agent each; the third has the rest of the world."""
Tell = Callable[[str], None]


@dataclass(slots=True)
class Stage:
    """Everything that takes part in one run."""

    layout: Layout
    tell: Tell
    seed: int
    blows: Blows | None = None
    """How a database that is not ours is killed; None: it must not be."""
    catalogue: Catalogue = field(init=False)
    environment: dict[str, str] = field(init=False)
    actors: dict[str, Actor] = field(default_factory=dict[str, Actor])
    lines: dict[str, ProxyLine] = field(default_factory=dict[str, ProxyLine])
    agents: dict[str, AgentLines] = field(default_factory=dict[str, AgentLines])
    acceptance: Acceptance = field(default_factory=Acceptance)
    broker_port: int = 0
    plc_port: int = 0
    server: Database = field(init=False)
    sentinel: Sentinel = field(init=False)
    health_ports: dict[str, int] = field(init=False)
    """Where each service says how it fares."""

    def __post_init__(self) -> None:
        self.catalogue = load_catalogue(DEMO_PARK)
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith("SMARTPARK_BROKER_")}
        self.server = self._choose_server()
        services = (*EDGES, *SHARDS, *DERIVERS, API)
        self.broker_port, self.plc_port, *ports = free_ports(2 + len(services))
        self.health_ports = dict(zip(services, ports, strict=True))
        addresses = {name: f"http://127.0.0.1:{port}" for name, port in self.health_ports.items()}
        self.sentinel = Sentinel(addresses, {API: f"/api/v1/parks/{self.catalogue.park.code}/latest"})

    def _choose_server(self) -> Database:
        dsn, log = self.environment.get("SMARTPARK_DSN"), self.layout.log("setup")
        if not dsn:
            return OwnServer(self.layout.database, self.environment, log)
        if self.blows is None:
            return ForeignServer(dsn, self.environment, log)
        return GivenServer(dsn, self.blows, self.environment, self.layout.log("database"))

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
            ready = ("--ready-file", str(self.layout.ready(shard)), *self._health(shard))
            command = smartpark("ingest", "run", "--shard", f"{index}/{len(SHARDS)}", *ready)
            self.start(shard, command, self._ingest_environment())
        for deriver in DERIVERS:
            self.start(deriver, smartpark("derive", "run", *self._health(deriver)), self._database_environment())
        serve = smartpark("api", "serve", "--port", str(self.health_ports[API]))
        self.start(API, serve, self._database_environment())
        self._start_park()
        # Once the PLC listens nothing in the agents' start has to be tried twice.
        await self.until(lambda: answers(self.plc_port), "the PLC")
        for edge in EDGES:
            self.write_settings(edge)
            run = ("edge", "run", str(self.layout.edge(edge)), "--ready-file", str(self.layout.ready(edge)))
            self.start(edge, turned_agent(self.clock(edge), *run, *self._health(edge)))
        await self.until(self.layout.ready("park").exists, "the park being live")

    async def _start_database(self) -> None:
        self.environment["SMARTPARK_DSN"] = await self.server.begin()
        said = (await self.once("migrate")).strip().splitlines()
        await self._refuse_used_database()
        await self.once("catalog", "load", str(DEMO_PARK))
        self.tell(f"database: {said[0] if said else 'ready'}; to kill it: {self.server.how}")

    async def _refuse_used_database(self) -> None:
        if json.loads(await self.once("catalog", "show", "--json") or "[]"):
            raise DemoError(
                "the database that SMARTPARK_DSN names already holds a park; chaos wants an empty one, for it "
                "compares every reading"
            )

    async def _open_lines(self) -> None:
        port = self.broker_port
        for name in LINES:
            match name.split(":")[0]:
                case Line.METERS:
                    line = ProxyLine(
                        name, to_tcp("127.0.0.1", port), witness=partial(self.acceptance.witness, name.split(":")[1])
                    )
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
            *("--backfill-days", str(BACKFILL_DAYS), "--faults", "all", "--seed", str(self.seed)),
            *("--ready-file", str(self.layout.ready("park"))),
            *("--start-when", *(str(self.layout.ready(name)) for name in (*SHARDS, *EDGES))),
        )
        self.start("park", smartpark(*arguments), self._credentials("devices", self.broker_port))

    def _health(self, name: str) -> tuple[str, str]:
        return "--metrics-port", str(self.health_ports[name])

    def _ingest_environment(self) -> dict[str, str]:
        return self._credentials("ingest", self.lines[line_name(Line.INTAKE)].port) | self._database_environment()

    def _database_environment(self) -> dict[str, str]:
        line = self.lines[line_name(Line.DATABASE)]
        return {"SMARTPARK_DSN": dsn_through(self.environment["SMARTPARK_DSN"], line.port)}

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
        await asyncio.to_thread(self.server.end)

    @staticmethod
    def remove_folder(folder: Path) -> None:
        """Delete what a run has left."""
        shutil.rmtree(folder, ignore_errors=True)
