"""The park at work: history first, then one tick a second until told to stop.

The order matters for the truth ledger. Nothing is published before the history's start is noted; the PLC shows its
first values before it listens; live begins after the history has been acknowledged. On stop: no new readings, every
message acknowledged, every notification fetched, then the truth of the complete quarters of an hour, then goodbye.

A ledger that exists is continued: same seed, same origin, same registers; the loggers bridge the pause.
"""

import asyncio
import json
import logging
import signal
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from smartpark.broker import BrokerAddress
from smartpark.catalogue import Catalogue
from smartpark.clock import MICROSECONDS, utc_now_us
from smartpark.errors import SmartparkError

from smartpark_simulators.devices import PLC_OFFSET_US, QUARTER_US, Devices
from smartpark_simulators.faults import FaultKind, FaultPlan, RegisterEvents, Trouble
from smartpark_simulators.instruments import Instrument, build_instruments, registers
from smartpark_simulators.ledger import LedgerError, TruthLedger
from smartpark_simulators.meters import Meters
from smartpark_simulators.opcua_server import ParkServer
from smartpark_simulators.physics import World
from smartpark_simulators.truth import CarbonFactors, write_truth

_log = logging.getLogger(__name__)
_DAY_US = 86_400 * MICROSECONDS
_SPARED = frozenset({"M0", "G1", "H1", "T05", "C01"})
"""The boundary meters, whose sums are the park's, and the two whose registers have their own adventures."""
ROLLS, RESETS = "T05", "C01"


class NotDeliveredError(SmartparkError):
    """Some of what the park said was never acknowledged."""


@dataclass(frozen=True, slots=True)
class ParkOptions:
    """What to simulate, and how."""

    catalogue: Catalogue
    ledger: Path
    broker: BrokerAddress
    opcua_host: str = "127.0.0.1"
    opcua_port: int = 4840
    backfill_days: float = 30.0
    run_for_s: float | None = None
    faults: frozenset[FaultKind] = frozenset()
    seed: int = 1
    ready_file: Path | None = None
    start_when: tuple[Path, ...] = ()
    """Files to wait for before the history, once the PLC listens: those by which agents say that they hear."""
    awaits_agents: bool = False
    """Whether a reading over MQTT counts by its agent's acknowledgement, which somebody else sees."""


@dataclass(frozen=True, slots=True)
class _Story:
    """What the ledger fixes once and for all, so that a second start continues the first."""

    seed: int
    origin: int
    logged_until: int
    events: RegisterEvents

    @staticmethod
    def begin_or_continue(ledger: TruthLedger, options: ParkOptions, now: int) -> "_Story":
        known = ledger.meta()
        if not known:
            return _Story._begin(ledger, options, now)
        if known.get("park") != options.catalogue.park.code:
            raise LedgerError(
                f"truth ledger {options.ledger} is about park {known.get('park')}, "
                f"not {options.catalogue.park.code}; give this park its own file"
            )
        if lacking := [key for key in ("rollover", "reset", "seed", "origin", "logged_until") if key not in known]:
            raise LedgerError(
                f"truth ledger {options.ledger} was not written by `smartpark simulate park`: "
                f"it lacks {', '.join(lacking)}; give this park its own file"
            )
        events = RegisterEvents(json.loads(known["rollover"]), json.loads(known["reset"]))
        return _Story(int(known["seed"]), int(known["origin"]), int(known["logged_until"]), events)

    @staticmethod
    def _begin(ledger: TruthLedger, options: ParkOptions, now: int) -> "_Story":
        origin = now - int(options.backfill_days * _DAY_US)
        origin = -(-origin // QUARTER_US) * QUARTER_US
        events = RegisterEvents.draw(options.faults, rolls=ROLLS, resets=RESETS, history_start=origin, live_start=now)
        ledger.note(
            {
                "park": options.catalogue.park.code,
                "seed": str(options.seed),
                "started_at": str(now),
                "origin": str(origin),
                "logged_until": str(origin),
                "rollover": json.dumps(events.rollover),
                "reset": json.dumps(events.reset),
                **CarbonFactors.on(options.catalogue, now).facts(),
            }
        )
        return _Story(options.seed, origin, origin, events)


class Park:
    """One run of the park."""

    def __init__(self, options: ParkOptions, tell: Callable[[str], None]) -> None:
        self._options = options
        self._tell = tell
        self._ledger = TruthLedger(options.ledger)
        self._story = _Story.begin_or_continue(self._ledger, options, utc_now_us())
        self._world = World(self._story.seed, self._story.origin)
        self._factors = CarbonFactors.on(options.catalogue, utc_now_us())
        instruments = build_instruments(options.catalogue, self._world)
        _apply_events(instruments, self._story.events)
        troubled = [d.code for d in options.catalogue.device if d.model is not None and d.code not in _SPARED]
        self._devices = Devices.of(
            options.catalogue, instruments, FaultPlan(self._story.seed, options.faults, troubled)
        )
        self._meters = Meters(options.broker, self._ledger, awaits_agents=options.awaits_agents)
        points = [one.point.key for device in self._devices.on_plc for one in device.instruments.values()]
        self._plc = ParkServer(options.opcua_host, options.opcua_port, points, self._ledger.add, self._ledger.say)
        self._stop = asyncio.Event()

    async def run(self) -> None:
        """History, then live, until stopped by a signal or by the clock."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._stop.set)
        await asyncio.to_thread(self._meters.connect)
        await self._plc.start(self._devices.plc(_next_second() - PLC_OFFSET_US))
        self._tell(f"PLC with {self._plc.size} nodes at {self._plc.url}")
        await self._wait_for_listeners()
        history_end = utc_now_us()
        await asyncio.to_thread(self._publish_history, history_end)
        self._ledger.flush()
        self._ledger.note({"logged_until": str(history_end), "live_from": str(utc_now_us())})
        if self._options.ready_file is not None:
            self._options.ready_file.write_text("live\n", encoding="utf-8")
        self._tell("live")
        await self._live()
        await self._finish()

    async def _wait_for_listeners(self) -> None:
        if self._options.start_when:
            self._tell(f"waits for {', '.join(path.name for path in self._options.start_when)}")
        # Other processes write these files: there is no event to await.
        while not (self._stop.is_set() or all(path.exists() for path in self._options.start_when)):  # noqa: ASYNC110
            await asyncio.sleep(0.05)

    def _publish_history(self, end: int) -> None:
        start = self._story.logged_until
        self._note_faults(self._devices.troubles_of_history(start, end))
        total = max(end - start, 1)
        shown = 0
        for message in self._devices.history(start, end):
            if self._stop.is_set():
                return
            self._meters.publish(message)
            if message.readings:
                done = (message.readings[-1].time - start) * 10 // total
                if done > shown:
                    shown = done
                    self._tell(f"history: {done * 10} %, {self._ledger.handed_over:,} readings")
        late = self._meters.drain()
        if late:
            raise NotDeliveredError(f"the broker did not acknowledge {late} messages of the history within 30 s")

    def _note_faults(self, troubles: Iterable[Trouble]) -> None:
        self._ledger.add_faults([(one.kind.value, one.device, one.start, one.end) for one in troubles])

    async def _live(self) -> None:
        instant = began = _next_second()
        end = None if self._options.run_for_s is None else instant + int(self._options.run_for_s * MICROSECONDS)
        while not self._stop.is_set() and (end is None or instant < end):
            await self._until(instant)
            if self._stop.is_set():
                break
            for message in self._devices.live(instant):
                # A broker that is away holds the park back here; its meters catch up when it returns.
                await asyncio.to_thread(self._meters.publish, message)
            await self._until(instant + PLC_OFFSET_US)
            await self._plc.write(self._devices.plc(instant + PLC_OFFSET_US))
            self._ledger.flush()
            self._ledger.note({"logged_until": str(instant + PLC_OFFSET_US + 1)})
            instant += MICROSECONDS
        self._note_faults(self._devices.troubles_of_live(began, instant))

    async def _until(self, instant: int) -> None:
        delay = (instant - utc_now_us()) / MICROSECONDS
        if delay > 0:
            try:
                await asyncio.wait_for(self._stop.wait(), delay)
            except TimeoutError:
                return

    async def _finish(self) -> None:
        late = await asyncio.to_thread(self._meters.drain)
        if not await self._plc.drain():
            _log.warning("OPC UA clients did not take every notification within 5 s")
        quarters = write_truth(self._ledger, self._world, self._factors, self._story.origin, utc_now_us())
        self._meters.disconnect()
        await self._plc.stop()
        self._ledger.close()
        self._tell(f"stopped: {self._ledger.handed_over:,} readings handed over, {quarters} quarters of an hour")
        if late:
            raise NotDeliveredError(f"the broker did not acknowledge {late} messages; they are not in the ledger")


def _apply_events(instruments: dict[str, dict[str, Instrument]], events: RegisterEvents) -> None:
    for device, instant in events.rollover.items():
        for register in registers(one for one in instruments[device].values() if one.point.code.endswith("_import")):
            register.roll_over_at(instant)
    for device, instant in events.reset.items():
        for register in registers(instruments[device].values()):
            register.resets.append(instant)


def _next_second() -> int:
    return (utc_now_us() // MICROSECONDS + 1) * MICROSECONDS
