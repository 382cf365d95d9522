"""What each fault does to the stage, and how it is undone."""

import asyncio
import random
import resource
from contextlib import suppress
from pathlib import Path
from typing import Any

from smartpark.clock import utc_now_us

from smartpark_simulators.chaos.agent_clock import turn
from smartpark_simulators.chaos.lines import Tampering
from smartpark_simulators.chaos.losses import Spoilt
from smartpark_simulators.chaos.plan import API, Kind, Line, Strike, line_name
from smartpark_simulators.chaos.stage import Stage
from smartpark_simulators.demo.processes import DemoError
from smartpark_simulators.parks import DEMO_PARK

_SMALL_SPOOL_MB = 0.01
"""Some four hundred readings: full within a few seconds."""
_SPOOL_MB = 256
_OVERFLOW_LOOKS = 20
"""Each takes about a second."""


class Striker:
    """Strikes, and mends what it struck."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self.spoilt: dict[str, list[Spoilt]] = {}
        """What waited in each agent's spool whenever it was overwritten."""
        self._turns = {name: asyncio.Lock() for name in (*stage.actors, "database", "catalogue")}

    async def strike(self, strike: Strike) -> None:
        """One fault, from its beginning to its end; one process is struck by one at a time."""
        async with self._turns.get(strike.target, asyncio.Lock()):
            await self._strike(strike)

    async def _strike(self, strike: Strike) -> None:
        match strike.kind:
            case Kind.KILL_EDGE | Kind.KILL_BROKER | Kind.KILL_INGEST | Kind.KILL_DERIVE | Kind.KILL_API:
                await self._kill(strike)
            case Kind.KILL_DATABASE:
                sentinel = self._stage.sentinel
                await self._stage.server.strike(strike.length_s, lambda: sentinel.while_database_is_away(API))
            case Kind.CUT | Kind.FREEZE | Kind.DELAY | Kind.DUPLICATE | Kind.REORDER:
                await self._trouble_line(strike)
            case Kind.FILL_DISK:
                await self._fill_disk(strike)
            case Kind.FILL_SPOOL:
                await self._fill_spool(strike)
            case Kind.CORRUPT_SPOOL:
                await self._corrupt_spool(strike)
            case Kind.TURN_CLOCK:
                await self._turn_clock(strike)
            case Kind.RELOAD_EDGE:
                chance = random.Random(strike.token)  # noqa: S311  replayable
                changes = {"session_s": chance.randint(3_600, 86_400), "backfill": chance.randint(50_000, 200_000)}
                self._stage.write_settings(strike.target, **changes)
            case Kind.LOAD_CATALOGUE:
                await self._load_catalogue(strike)

    async def _kill(self, strike: Strike) -> None:
        actor = self._stage.actors[strike.target]
        await asyncio.to_thread(actor.kill)
        await asyncio.sleep(strike.length_s)
        actor.start()

    async def _trouble_line(self, strike: Strike) -> None:
        line = self._stage.lines[strike.target]
        chance = random.Random(strike.token)  # noqa: S311  replayable
        match strike.kind:
            case Kind.CUT:
                line.cut()
            case Kind.FREEZE:
                line.freeze()
            case Kind.DELAY:
                line.delay(strike.amount)
            case Kind.DUPLICATE:
                line.tampering = Tampering(doubled=strike.amount, chance=chance)
            case _:
                line.tampering = Tampering(shuffled=strike.amount, chance=chance)
        await asyncio.sleep(strike.length_s)
        line.mend()

    async def _fill_disk(self, strike: Strike) -> None:
        """No write of the agent beyond a file's first bytes succeeds, as when nothing is left on its disk."""
        pid = self._stage.actors[strike.target].pid
        if pid is None:
            return
        _limit_files(pid, 0)
        await asyncio.sleep(strike.length_s)
        with suppress(ProcessLookupError):  # who dies of it is noticed by the stage, and wrong enough
            _limit_files(pid, resource.RLIM_INFINITY)

    async def _fill_spool(self, strike: Strike) -> None:
        edge, actor = strike.target, self._stage.actors[strike.target]
        line = self._stage.lines[line_name(Line.PUBLISH, edge)]
        await asyncio.to_thread(actor.kill)
        before = await self._stage.spool(edge)
        self._stage.write_settings(edge, spool_limit_mb=_SMALL_SPOOL_MB)
        line.cut()
        actor.start()
        await asyncio.sleep(strike.length_s)
        await self._wait_for_overflow(edge, before)
        line.mend()
        await asyncio.to_thread(actor.end)
        self._stage.write_settings(edge, spool_limit_mb=_SPOOL_MB)
        actor.start()

    async def _wait_for_overflow(self, edge: str, before: dict[str, Any]) -> None:
        """Until the spool has run over, on a slow machine too; one whose devices are cut off as well never does."""
        for _ in range(_OVERFLOW_LOOKS):
            if (await self._stage.spool(edge))["dropped"] > before["dropped"]:
                return
            await asyncio.sleep(0.5)

    async def _corrupt_spool(self, strike: Strike) -> None:
        edge, actor = strike.target, self._stage.actors[strike.target]
        line = self._stage.lines[line_name(Line.PUBLISH, edge)]
        ready = self._stage.layout.ready(edge)
        line.cut()
        await asyncio.sleep(strike.length_s - 1.0)
        await asyncio.to_thread(actor.end)
        before = await self._stage.spool(edge)
        file = self._stage.layout.edge(edge).parent / f"{edge}.sqlite"
        _spoil(file, strike.token)
        self.spoilt.setdefault(edge, []).append(Spoilt.seen(before, utc_now_us()))
        ready.unlink(missing_ok=True)  # of an agent that had to be killed because it was slow to end
        actor.start()
        line.mend()
        await self._stage.until(ready.exists, f"{edge} coming back from a damaged spool")

    async def _turn_clock(self, strike: Strike) -> None:
        turn(strike.amount, self._stage.clock(strike.target))
        await asyncio.sleep(strike.length_s)
        turn(0.0, self._stage.clock(strike.target))

    async def _load_catalogue(self, strike: Strike) -> None:
        changed = self._stage.layout.folder / "run" / "park.toml"
        text = DEMO_PARK.read_text(encoding="utf-8")
        changed.write_text(text.replace('name_en = "', f'name_en = "{strike.token % 1000} ', 1), encoding="utf-8")
        # The database may be away: a person would try again.
        for _ in range(20):
            try:
                await self._stage.once("catalog", "load", str(changed))
            except DemoError:
                await asyncio.sleep(0.5)
            else:
                return
        raise DemoError("the catalogue could not be loaded in ten attempts")


def _limit_files(pid: int, size: int) -> None:
    hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)[1]
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, hard))


def _spoil(file: Path, token: int) -> None:
    """Overwrite a piece of a file with noise."""
    chance = random.Random(token)  # noqa: S311  replayable
    size = file.stat().st_size
    length = min(chance.choice((1, 64, 4_096, 16_384)), size)
    with file.open("r+b") as handle:
        handle.seek(chance.randrange(size - length + 1))
        handle.write(chance.randbytes(length))
