# ruff: noqa: SLF001  the parts are taken one by one, without their threads and connections
"""The two ways through the program, in one process and without a network: what comes in, what has to come out.

`DeviceDoor` is an agent: a device's message or an OPC UA value goes through the real source, recorder, spool and
session to the real desk of ingest, and its acknowledgement back. `WireDoor` is the desk alone, with what only a
broken or hostile edge would send. Each counts what it was given and what became of it, and raises `MishapError` when
the two differ or when anything goes past an edge that should have held it.
"""

import re
import traceback
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import park
from asyncua import ua
from cases import Case, MishapError
from opcua_cases import make_value
from smartpark.clock import utc_now, utc_now_us
from smartpark.errors import WireError
from smartpark.wire import ROOT, Ack, DataMessage, Topics, unpack_data
from smartpark_edge.choices import WhenFull
from smartpark_edge.meters import Meters
from smartpark_edge.mqtt_source import MqttListener
from smartpark_edge.opcua_source import OpcUaListener
from smartpark_edge.readings import Mapped
from smartpark_edge.recorder import Pace, Recorder
from smartpark_edge.session import Session
from smartpark_edge.settings import Publish
from smartpark_edge.spool import Spool
from smartpark_edge.spool_reader import SpoolReader
from smartpark_ingest.admission import Limits
from smartpark_ingest.desk import Desk
from smartpark_ingest.inbox import Arrival
from smartpark_ingest.outcomes import Admitted, Born, Died, Outcome, Parked, Reported, Unreadable
from smartpark_ingest.parking import PATIENCE_S
from smartpark_storage import DeadLetterRow

EDGE = "fuzz-device"
ANY_BOOT = 424_242_424_242
"""In what an edge hears this stands for its own, which no two spools share."""


@dataclass(slots=True)
class Tally:
    """What became of the payloads."""

    payloads: int = 0
    accepted: int = 0
    """Payloads of which at least one reading is stored (or was said before), or that were understood as they are."""
    dead: Counter[str] = field(default_factory=Counter)
    """Dead letters by reason."""
    readings: int = 0
    set_aside: Counter[str] = field(default_factory=Counter)
    """Payloads that are neither, by why: they hold no reading and lose none."""

    def add(self, other: "Tally") -> None:
        """Put two together."""
        self.payloads += other.payloads
        self.accepted += other.accepted
        self.readings += other.readings
        self.dead += other.dead
        self.set_aside += other.set_aside


class _Witness:
    """A work on its way through the recorder, and what it turned out to hold."""

    def __init__(self, work: Any) -> None:
        self._work = work
        self.found: list[Mapped] = []
        self.is_done = False
        self.stumbled = ""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._work, name)

    def map(self) -> Iterable[Mapped]:
        try:
            self.found = list(self._work.map())
        except Exception as error:
            # The recorder makes a dead letter of it; here it is what is looked for.
            self.stumbled = traceback.format_exc() or repr(error)
            raise
        return self.found

    def done(self) -> None:
        self._work.done()
        self.is_done = True


class _Gate:
    """Stands before the recorder and remembers what is handed over."""

    def __init__(self, recorder: Recorder) -> None:
        self.recorder, self.spool = recorder, recorder.spool
        self.witnesses: list[_Witness] = []

    def submit(self, work: Any, *, timeout: float | None = None) -> bool:
        self.witnesses.append(_Witness(work))
        return self.recorder.submit(self.witnesses[-1], timeout=timeout)


class _Line(Session):
    """A session whose connection is a list."""

    def _build(self) -> Any:
        self.said: list[tuple[str, bytes]] = []

    def say(self, leaf: str, payload: bytes, *, qos: int, retain: bool = False) -> None:  # noqa: ARG002
        self.said.append((leaf, payload))


class DeviceDoor:
    """An agent and ingest's desk."""

    def __init__(self, folder: Path) -> None:
        spool = Spool(folder / "spool.sqlite", limit_bytes=10**9, when_full=WhenFull.DROP_OLDEST, now=utc_now())
        self._spool = spool
        self._recorder = Recorder(spool, Pace(max_delay_s=0.01, memory_per_point=256), on_change=lambda: None)
        self._gate = _Gate(self._recorder)
        self._mqtt = MqttListener(EDGE, park.mqtt_settings(), self._gate)
        self._opcua = OpcUaListener(EDGE, park.opcua_settings(), self._gate)
        self._reader = SpoolReader(spool.path)
        self._line = self._new_line()
        self._desk = Desk(park.registry(), Limits())
        self.topics = tuple(self._mqtt._by_topic)
        self.sample: list[tuple[str, bytes]] = []
        """What went over the wire in the last round."""
        self.signatures: set[str] = set()

    def _new_line(self) -> _Line:
        import threading  # noqa: PLC0415

        publish = Publish(in_flight=1000, backfill_readings_per_second=10**9, ack_timeout_s=3600)
        address: Any = SimpleNamespace(url="mqtt://nowhere")
        return _Line(
            EDGE,
            address,
            publish,
            recorder=self._recorder,
            reader=self._reader,
            wake=threading.Event(),
            meters=Meters(),
        )

    def close(self) -> None:
        """Let go of the spool."""
        self._reader.close()
        self._spool.close()

    def feed(self, cases: list[Case]) -> Tally:
        """Send payloads through; `MishapError` names the smallest group in which it goes wrong."""
        tally, before = Tally(), self._spool.counters.copy()
        self._gate.witnesses.clear()
        owners: list[Case] = []
        for case in cases:
            known = len(self._gate.witnesses)
            self._knock(case)
            new = len(self._gate.witnesses) - known
            if new != 1 and case.door != "ack":
                raise MishapError(f"{new} works of one payload", [case])
            owners += [case] * new
        while self._recorder.backlog:
            self._recorder._turn()
        self._recorder._write([], seal=True)
        for case, witness in zip(owners, self._gate.witnesses, strict=True):
            self._judge(case, witness, tally)
        tally.set_aside["acknowledgements heard"] += sum(case.door == "ack" for case in cases)
        tally.payloads += len(cases)
        self._compare(cases, before, tally)
        return tally

    def _knock(self, case: Case) -> None:
        match case.door:
            case "mqtt":
                message = SimpleNamespace(
                    topic=case.topic, payload=case.payload, retain=case.retained, dup=False, mid=1, qos=1
                )
                self._mqtt._hear(SimpleNamespace(), message)  # pyright: ignore[reportArgumentType]
            case "opcua":
                item = ua.MonitoredItemNotification(1 + case.number % park.OPCUA_NODES, make_value(case.number))
                for work in self._opcua._works([(item.ClientHandle - 1, item.Value)], None):
                    self._gate.submit(work)
            case _:
                payload = case.payload.replace(str(ANY_BOOT).encode(), str(self._spool.boot).encode())
                message = SimpleNamespace(topic=Topics(EDGE).of(case.topic), payload=payload)
                self._line._on_message(None, None, message)  # pyright: ignore[reportArgumentType]

    def _judge(self, case: Case, witness: _Witness, tally: Tally) -> None:
        if not witness.is_done:
            raise MishapError("taken and never acknowledged", [case])
        if witness.stumbled:
            raise MishapError(f"mapping stumbled:\n{witness.stumbled}", [case])
        readings = sum(len(mapped.readings) for mapped in witness.found)
        troubles = [trouble for mapped in witness.found for trouble in mapped.troubles]
        self.signatures |= {f"{case.topic} {_shape(t.detail)}" for t in troubles}
        if not readings and not troubles and not all(mapped.ignored for mapped in witness.found):
            raise MishapError("neither readings nor a dead letter nor known to be without", [case])
        if readings:
            tally.accepted += 1
        elif not troubles:
            tally.set_aside["known messages without readings"] += 1

    def _compare(self, cases: list[Case], before: Any, tally: Tally) -> None:
        mapped = sum(len(m.readings) for witness in self._gate.witnesses for m in witness.found)
        after = self._spool.counters
        taken = after.accepted - before.accepted + after.duplicates - before.duplicates
        letters = after.dead_letters - before.dead_letters
        if taken > mapped or (taken < mapped and not letters):
            raise MishapError(f"{mapped} readings mapped, {taken} taken, {letters} dead letters", cases)
        rows, dead = self._across_the_wire(tally)
        if rows != after.accepted - before.accepted or dead != letters:
            raise MishapError(
                f"spooled {after.accepted - before.accepted} readings and {letters} letters; "
                f"the desk saw {rows} and {dead}",
                cases,
            )
        left = self._spool.counters
        if left.dropped or left.damaged or left.pending_batches:
            raise MishapError(f"left in the spool or lost: {left}", cases)

    def _across_the_wire(self, tally: Tally) -> tuple[int, int]:
        """Publish, judge, acknowledge until the spool is empty; readings and letters that the desk saw."""
        rows = dead = 0
        self.sample = []
        while self._spool.counters.pending_batches:
            self._line.send_due()
            said, self._line.said = self._line.said, []
            if not said:
                raise MishapError("the session does not send what is in the spool", [])
            self.sample += said
            acknowledged: list[int] = []
            for leaf, payload in said:
                for outcome in self._hear(leaf, payload):
                    acknowledged.append(outcome.envelope.sequence)
                    letters = outcome.letters
                    check_letters(letters)
                    if leaf == "dead":
                        dead += 1
                    else:
                        rows += len(outcome.rows) + len(letters)
                        tally.readings += len(outcome.rows)
                    tally.dead.update(letter.reason.value for letter in letters)
            self._recorder.acknowledge(Ack.of(self._spool.boot, acknowledged), self._line._acknowledged)
            while self._recorder.backlog:
                self._recorder._turn()
        return rows, dead

    def _hear(self, leaf: str, payload: bytes) -> Iterator[Admitted]:
        for outcome in self._desk.handle(Arrival(Topics(EDGE).of(leaf), payload, utc_now_us()), now_s=0.0):
            if isinstance(outcome, Admitted):
                yield outcome
            elif isinstance(outcome, Unreadable | Parked):
                raise MishapError(f"the desk cannot read what the session says: {outcome!r:.300}", [])


class WireDoor:
    """The desk, with edges that nobody vouches for."""

    def __init__(self) -> None:
        self._desk = Desk(park.registry(), Limits())
        self._now_s = 0.0
        self.signatures: set[str] = set()

    def feed(self, cases: list[Case]) -> Tally:
        """Send payloads to the desk; `MishapError` names the one that goes wrong."""
        tally = Tally(payloads=len(cases))
        for case in cases:
            outcomes = list(self._desk.handle(self._arrival(case), now_s=self._now_s))
            # A birth lets in what has waited for it: those are other payloads' outcomes.
            is_birth = case.topic.endswith("/birth")
            own = [o for o in outcomes if not (is_birth and isinstance(o, Admitted))]
            self._judge(case, own, tally)
            self._settle([o for o in outcomes if isinstance(o, Admitted)], tally, case)
        self._now_s += PATIENCE_S + 1
        late = [o for o in self._desk.look_at_parked(now_s=self._now_s) if isinstance(o, Admitted)]
        self._settle(late, tally, None)
        if self._desk.parked:
            raise MishapError(f"{self._desk.parked} batches stay parked beyond all patience", cases)
        return tally

    @staticmethod
    def _arrival(case: Case) -> Arrival:
        return Arrival(case.topic, case.payload, utc_now_us(), case.retained)

    def _judge(self, case: Case, outcomes: list[Outcome], tally: Tally) -> None:
        final = [o for o in outcomes if isinstance(o, Admitted | Unreadable | Born | Died | Reported | Parked)]
        for outcome in final:
            match outcome:
                case Unreadable(letter=None):
                    tally.set_aside["unreadable, its bytes are kept already"] += 1
                case Unreadable(letter=letter):
                    if letter.detail.startswith("could not be judged"):
                        raise MishapError(letter.detail, [case])
                    check_letters((letter,))
                    self.signatures.add(_shape(letter.detail))
                    tally.dead[letter.reason.value] += 1
                case Parked():
                    tally.set_aside["waited for a birth"] += 1
                case Born() | Died() | Reported():
                    tally.accepted += 1
                case _:
                    tally.accepted += 1
        if not final:
            leaf = case.topic.rpartition("/")[2]
            if leaf not in {"death", "birth"}:
                raise MishapError("no outcome at all", [case])
            tally.set_aside["deaths of old sessions, births taken back"] += 1

    def _settle(self, admitted: list[Admitted], tally: Tally, case: Case | None) -> None:
        for one in admitted:
            check_letters(one.letters)
            tally.readings += len(one.rows)
            tally.dead.update(letter.reason.value for letter in one.letters)
            self.signatures |= {_shape(letter.detail) for letter in one.letters[:3]}
            if case is None or case.topic != one.envelope.topic or not one.envelope.topic.endswith("/data"):
                continue
            message = _readable(case.payload)
            if message is not None and message.sequence == one.envelope.sequence:
                count = len(one.rows) + len(one.letters)
                if count != message.columns.count:
                    raise MishapError(f"{message.columns.count} readings came and {count} are accounted for", [case])


def _readable(payload: bytes) -> DataMessage | None:
    try:
        return unpack_data(payload)
    except WireError:
        return None


def check_letters(letters: Iterable[DeadLetterRow]) -> None:
    """A letter has to fit into the database: text without NUL, in UTF-8, with bytes."""
    for letter in letters:
        for text in (letter.edge, letter.topic, letter.detail, letter.point_key or ""):
            try:
                text.encode()
            except UnicodeEncodeError:
                raise MishapError(f"a letter that no database takes: {text!a:.200}", []) from None
            if "\x00" in text:
                raise MishapError(f"a letter with a NUL: {text!a:.200}", [])


def _shape(detail: str) -> str:
    """A sentence without its numbers and names: which of the program's words it is."""
    return re.sub(r"'[^']*'|\"[^\"]*\"|\d+", "_", detail)[:120]


def as_wire_cases(said: Iterable[tuple[str, bytes]], edge: str = EDGE) -> list[Case]:
    """What a session said, as cases for the wire."""
    return [Case("wire", f"{ROOT}/{edge}/{leaf}", payload) for leaf, payload in said]
