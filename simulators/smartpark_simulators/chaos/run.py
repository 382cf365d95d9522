"""One run: build the stage, strike by the plan, let everything heal, compare with the truth, judge."""

import asyncio
import signal
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from smartpark.errors import SmartparkError

from smartpark_simulators.chaos.aftermath import catch_up, compare_sums, compute_anew
from smartpark_simulators.chaos.database import Blows
from smartpark_simulators.chaos.losses import explained, named_in, read_differences
from smartpark_simulators.chaos.observer import Observer
from smartpark_simulators.chaos.pace import Pace
from smartpark_simulators.chaos.plan import API, DERIVERS, Kind, Strike
from smartpark_simulators.chaos.report import complaints_about, of_faults, of_readings, of_services
from smartpark_simulators.chaos.settlement import settle
from smartpark_simulators.chaos.stage import BACKFILL_DAYS, Stage
from smartpark_simulators.chaos.strikes import Striker
from smartpark_simulators.demo.agents import edge_of
from smartpark_simulators.demo.layout import EDGES, Layout
from smartpark_simulators.demo.processes import ask, parse_object

_RECOVERY_S = 120.0
_DRAIN_S = 120.0
_THREADS = 24
"""Some wait for services that do not answer; nobody else shall wait for these threads."""


@dataclass(slots=True)
class Run:
    """One run of a plan."""

    seed: int
    plan: tuple[Strike, ...]
    seconds: float
    folder: Path
    blows: Blows | None = None
    started: float = field(default_factory=time.monotonic)
    pace: Pace = field(default_factory=Pace)
    memory: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held by what makes a broker or an agent forget, until what it forgot has been said again."""
    recoveries: list[tuple[float, Strike]] = field(default_factory=list[tuple[float, Strike]])
    complaints: list[str] = field(default_factory=list[str])

    def tell(self, text: str) -> None:
        """Say what is happening."""
        sys.stderr.write(f"[{time.monotonic() - self.started:6.1f} s] {text}\n")
        sys.stderr.flush()

    async def play(self) -> dict[str, Any]:
        """Everything; the report."""
        loop, us = asyncio.get_running_loop(), asyncio.current_task()
        loop.set_default_executor(ThreadPoolExecutor(_THREADS))
        if us is not None:
            # As Ctrl-C does: everything that was started is ended.
            loop.add_signal_handler(signal.SIGTERM, us.cancel)
        stage = Stage(Layout(self.folder), self.tell, self.seed, self.blows)
        try:
            await stage.build()
            self.tell(f"live; {len(self.plan)} faults in {self.seconds:.0f} s, seed {self.seed}")
            striker = Striker(stage)
            watching = asyncio.create_task(stage.sentinel.watch())
            try:
                await self._strike_all(stage, striker)
            finally:
                watching.cancel()
            await self._come_to_rest(stage)
            return await self._judge(stage, striker)
        finally:
            await stage.end()

    async def _strike_all(self, stage: Stage, striker: Striker) -> None:
        password = stage.layout.password("ingest").read_text(encoding="utf-8")
        observer = Observer(stage.broker_port, "ingest", password, EDGES)
        observer.start()
        tasks: list[asyncio.Task[None]] = []
        try:
            due = list(reversed(self.plan))
            while due or self.pace.elapsed_s < self.seconds or not all(task.done() for task in tasks):
                self.pace.tick()
                while due and due[-1].at_s <= self.pace.elapsed_s:
                    tasks.append(asyncio.create_task(self._one(due.pop(), striker, observer, stage)))
                stage.look_after()
                for task in tasks:
                    if task.done():
                        task.result()
                await asyncio.sleep(0.1)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await asyncio.to_thread(observer.stop)

    async def _one(self, strike: Strike, striker: Striker, observer: Observer, stage: Stage) -> None:
        # The plan keeps these two apart by seconds; on a slow machine it is the recovery that counts.
        apart = self.memory if strike.kind in {Kind.CORRUPT_SPOOL, Kind.KILL_BROKER} else nullcontext()
        async with apart:
            await self._strike_and_recover(strike, striker, observer, stage)

    async def _strike_and_recover(self, strike: Strike, striker: Striker, observer: Observer, stage: Stage) -> None:
        self.tell(f"{strike.kind} {strike.target} for {strike.length_s} s ({strike.amount:g})")
        self.pace.begins(strike)
        await striker.strike(strike)
        over = time.monotonic()
        while not (observer.has_recovered(over) and stage.sentinel.has_recovered(over)):
            if time.monotonic() > over + _RECOVERY_S:
                self.complaints.append(
                    f"no recovery within {_RECOVERY_S:.0f} s from {strike.kind} of {strike.target}: "
                    f"{'; '.join([*observer.obstacles(), *stage.sentinel.obstacles(over)])}"
                )
                break
            await asyncio.sleep(0.1)
        self.pace.is_over(strike)
        self.recoveries.append((time.monotonic() - over, strike))

    async def _come_to_rest(self, stage: Stage) -> None:
        self.tell("stopping the park")
        park = stage.actors["park"]
        code = await asyncio.to_thread(park.end, 90)
        if code != 0:
            self.complaints.append(f"the park ended with {code}: {park.last_words(3)}")
        self.tell("waiting for the agents' spools")
        deadline = time.monotonic() + _DRAIN_S
        while any([(await stage.spool(edge))["pending_batches"] for edge in EDGES]):
            stage.look_after()
            if time.monotonic() > deadline:
                self.complaints.append(f"spools are not empty within {_DRAIN_S:.0f} s")
                return
            await asyncio.sleep(0.3)
        await self._let_derive_catch_up(stage)

    async def _let_derive_catch_up(self, stage: Stage) -> None:
        self.tell("waiting for derive")
        for name in (*DERIVERS, API):
            code = await asyncio.to_thread(stage.actors[name].end)
            if code != 0:
                self.complaints.append(f"{name} ended with {code}: {stage.actors[name].last_words(3)}")
        if complaint := await catch_up(stage.environment):
            self.complaints.append(complaint)

    async def _judge(self, stage: Stage, striker: Striker) -> dict[str, Any]:
        self.tell("comparing with what really happened")
        settled = settle(stage.layout.ledger, stage.acceptance.accepted, stage.acceptance.delivered)
        listing = self.folder / "differences.tsv"
        command = ("verify", str(stage.layout.ledger), "--json", "--list", str(listing))
        done = await asyncio.to_thread(ask, command, stage.environment, timeout_s=300)
        found = parse_object(done.stdout, of=f"smartpark verify {done.stderr.strip()}")
        lost = [one for one in read_differences(listing) if one.what == "lost"]
        named = [
            loss for edge in EDGES for loss in named_in(stage.layout.log(edge), edge, striker.spoilt.get(edge, ()))
        ]
        edges = {device.code: edge_of(device) for device in stage.catalogue.device}
        accounted = explained(lost, named, edges)
        report: dict[str, Any] = {"database": found["database"], "seed": self.seed, "seconds": round(self.seconds, 1)}
        report |= {"database_killed_by": stage.server.how}
        report |= (
            of_faults(self.plan, self.recoveries)
            | {"held_s": round(self.pace.held_s, 1)}
            | of_readings(found, settled, named, accounted)
        )
        report |= of_services(stage.sentinel) | compare_sums(found)
        self.tell("computing anew what derive has published")
        report |= await compute_anew(stage.catalogue.park.code, BACKFILL_DAYS, stage.environment)
        for actor in stage.actors.values():
            self.complaints += [f"{actor.name} ended unasked with {code}" for code in actor.unasked]
        self.complaints += stage.sentinel.lies + complaints_about(report)
        report["complaints"] = self.complaints
        return report


def play(
    seed: int, plan: tuple[Strike, ...], seconds: float, data: Path | None, blows: Blows | None = None
) -> dict[str, Any]:
    """Play a plan in a folder, which is kept when something was wrong or when it was named."""
    folder = data or Path(tempfile.mkdtemp(prefix="smartpark-chaos-"))
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o711)  # for root, PostgreSQL works under another account, which must be able to walk through
    run = Run(seed, plan, seconds, folder.absolute(), blows)
    try:
        report = asyncio.run(run.play())
    except SmartparkError:
        sys.stderr.write(f"logs are kept in {folder}\n")
        raise
    if report["complaints"]:
        sys.stderr.write(f"logs, spools and truth ledger are kept in {folder}\n")
    elif data is None:
        Stage.remove_folder(folder)
    return report
