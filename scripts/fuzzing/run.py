"""One run: draws cases from a seed, sends them through the doors in groups, and keeps what teaches something new."""

import random
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import park
from cases import Case
from doors import ANY_BOOT, DeviceDoor, Tally, WireDoor, as_wire_cases
from feedback import EVERY, Corpus, Coverage
from mutations import bend_batch, bend_json
from opcua_cases import make_value
from smartpark.clock import utc_now_us
from smartpark.wire import ROOT
from smartpark_edge.mqtt_source import compile_source, map_delivery
from smartpark_edge.opcua_values import compile_point, describe, reading_of
from smartpark_edge.readings import Delivery
from smartpark_ingest.admission import Limits
from smartpark_ingest.desk import Desk
from smartpark_ingest.inbox import Arrival
from wire_seeds import edge_seeds, wire_seeds

GROUP: Final = 250
_WIRE_EDGES: Final = ("fuzz-a", "fuzz-b", "fuzz-c")
_BIRTH_IN: Final = 40
_SAMPLE: Final = 50_000


@dataclass(slots=True)
class Outcome:
    """What a run found."""

    seed: int
    tally: Tally = field(default_factory=Tally)
    by_door: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    coverage_steps: int = 0
    corpus_kept: int = 0
    memory_start_mb: float = 0.0
    memory_peak_mb: float = 0.0
    sample: list[Case] = field(default_factory=list)
    in_hand: list[Case] = field(default_factory=list)
    """The group that is being sent: where a failure is among."""

    def as_dict(self) -> dict[str, Any]:
        """For people and machines."""
        return {
            "seed": self.seed,
            "payloads": self.tally.payloads,
            "by_door": self.by_door,
            "accepted": self.tally.accepted,
            "readings_stored": self.tally.readings,
            "dead_letters": dict(self.tally.dead.most_common()),
            "set_aside": {key: count for key, count in self.tally.set_aside.most_common() if count},
            "coverage_steps": self.coverage_steps,
            "corpus_kept": self.corpus_kept,
            "memory_start_mb": round(self.memory_start_mb),
            "memory_peak_mb": round(self.memory_peak_mb),
            "seconds": round(self.seconds, 1),
        }


class Fuzzer:
    """Both doors, the corpus, and one source of chance."""

    def __init__(self, seed: int, folder: Path) -> None:
        self._chance = random.Random(seed)  # noqa: S311  repeatable on purpose
        self._device, self._wire = DeviceDoor(folder), WireDoor()
        self._pure = _PureDoors()
        self._corpus, self._coverage = Corpus(), Coverage()
        for topic in self._device.topics:
            self._corpus.add_first(f"mqtt {topic}", self._pure.fitting(topic, park.seeds()))
        for edge in _WIRE_EDGES:
            for leaf, payloads in wire_seeds(edge).items():
                self._corpus.add_first(f"wire {ROOT}/{edge}/{leaf}", payloads)
        for leaf, payloads in edge_seeds(ANY_BOOT).items():
            self._corpus.add_first(f"ack {leaf}", payloads)
        self._mqtt_keys = [key for key in self._corpus.keys if key.startswith("mqtt ")]
        self._wire_keys = [key for key in self._corpus.keys if key.startswith("wire ")]
        self._ack_keys = [key for key in self._corpus.keys if key.startswith("ack ")]

    def close(self) -> None:
        """Let go of the spool."""
        self._device.close()

    def round(self, outcome: Outcome, count: int) -> None:
        """One group through each door."""
        chance = self._chance
        device = [self._device_case() for _ in range(count // 2)]
        said = len(self._device.signatures), len(self._wire.signatures)
        outcome.in_hand = device
        outcome.tally.add(self._device.feed(device))
        # What the agent said goes over the wire a second time, bent.
        spoken = as_wire_cases(self._device.sample)
        wire = [self._wire_case(spoken) for _ in range(count - len(device))]
        outcome.in_hand = wire
        outcome.tally.add(self._wire.feed(wire))
        for case in (*device, *wire):
            outcome.by_door[case.door] = outcome.by_door.get(case.door, 0) + 1
        self._learn(device, news=len(self._device.signatures) > said[0])
        self._learn(wire, news=len(self._wire.signatures) > said[1])
        if len(outcome.sample) < _SAMPLE:
            outcome.sample += chance.sample(wire, min(len(wire), 40))

    def _learn(self, cases: list[Case], *, news: bool) -> None:
        # A group in which something new was said is looked at more closely: it is not known which payload it was.
        every = EVERY // 5 if news else EVERY
        for case in cases:
            key = f"{case.door} {case.topic}"
            watched = self._chance.randrange(every) == 0
            if case.door in {"mqtt", "wire"} and key in self._corpus.keys and watched:
                if self._coverage.run(lambda case=case: self._pure.run(case)):
                    self._corpus.remember(self._chance, key, case.payload)
            elif case.door == "opcua" and watched:
                self._coverage.run(lambda case=case: self._pure.run(case))

    def _device_case(self) -> Case:
        chance = self._chance
        kind = chance.random()
        if kind < 0.25:
            return Case("opcua", "", number=chance.getrandbits(48))
        if kind < 0.28:
            key = chance.choice(self._ack_keys)
            bent = bend_json(chance, self._corpus.draw(chance, key), self._corpus.sound(key))
            return Case("ack", key.split(" ", 1)[1], bent)
        key = chance.choice(self._mqtt_keys)
        bent = self._bent(key) if chance.random() < 0.95 else self._corpus.draw(chance, key)
        return Case("mqtt", key.split(" ", 1)[1], bent, retained=chance.random() < 0.02)

    def _bent(self, key: str) -> bytes:
        bend = bend_batch if key.endswith("/data") else bend_json
        return bend(self._chance, self._corpus.draw(self._chance, key), self._corpus.sound(key))

    def _wire_case(self, spoken: list[Case]) -> Case:
        chance = self._chance
        if spoken and chance.random() < 0.2:
            heard = chance.choice(spoken)
            bend = bend_batch if heard.topic.endswith("/data") else bend_json
            return Case("wire", heard.topic, bend(chance, heard.payload, [chance.choice(spoken).payload]))
        key = chance.choice(self._wire_keys)
        topic = key.split(" ", 1)[1]
        if topic.endswith("/birth") and chance.randrange(_BIRTH_IN) < 10:
            # A sound birth now and then: without one nobody understands the data.
            return Case("wire", topic, self._corpus.sound(key)[0], retained=chance.random() < 0.2)
        if chance.random() < 0.01:
            topic = chance.choice((topic + "/x", topic[:-1], f"{ROOT}//data", "", "a/b/c/d", f"{ROOT}/-x/data"))
        return Case("wire", topic, self._bent(key), retained=chance.random() < 0.05)

    def finish(self, outcome: Outcome) -> None:
        """What was learned."""
        outcome.coverage_steps, outcome.corpus_kept = len(self._coverage.steps), self._corpus.kept


class _PureDoors:
    """The judging parts of both doors without their memory: what coverage is measured on."""

    def __init__(self) -> None:
        self._by_topic = compile_source(park.mqtt_settings())
        self._nodes = [compile_point(point) for point in park.opcua_settings().point]
        self._registry = park.registry()
        self._births = {edge: wire_seeds(edge)["birth"][0] for edge in _WIRE_EDGES}

    def fitting(self, topic: str, seeds: list[bytes]) -> list[bytes]:
        """Seeds that the models of a topic understand; all of them where none does."""
        good = [seed for seed in seeds if any(m.readings for m in self._map(topic, seed))]
        return good or seeds

    def _map(self, topic: str, payload: bytes) -> Any:
        return map_delivery(self._by_topic[topic], Delivery(topic, payload, utc_now_us()))

    def run(self, case: Case) -> None:
        """Once more."""
        match case.door:
            case "mqtt":
                self._map(case.topic, case.payload)
            case "opcua":
                value = make_value(case.number)
                node = self._nodes[case.number % len(self._nodes)]
                reading_of(node, value, utc_now_us())
                describe(node, value)
            case _:
                desk = Desk(self._registry, Limits())
                edge = case.topic.split("/")[2] if case.topic.count("/") > 2 else ""
                if edge in self._births:
                    birth = Arrival(f"{ROOT}/{edge}/birth", self._births[edge], utc_now_us())
                    list(desk.handle(birth, now_s=0.0))
                list(desk.handle(Arrival(case.topic, case.payload, utc_now_us(), case.retained), now_s=1.0))


def fuzz(payloads: int, outcome: Outcome, say: Callable[[str], None]) -> None:
    """Send that many payloads through; `outcome` tells how far it came when something goes wrong."""
    began = told = time.monotonic()
    with TemporaryDirectory(prefix="smartpark-fuzz-") as name:
        fuzzer = Fuzzer(outcome.seed, Path(name))
        try:
            while outcome.tally.payloads < payloads:
                fuzzer.round(outcome, min(2 * GROUP, payloads - outcome.tally.payloads))
                outcome.memory_start_mb = outcome.memory_start_mb or _memory_mb()
                if time.monotonic() - told > 10:
                    told = time.monotonic()
                    say(f"{outcome.tally.payloads:,} payloads, {_memory_mb():.0f} MB")
        except KeyboardInterrupt:
            say(f"stopped after {outcome.tally.payloads:,} payloads")
        finally:
            fuzzer.finish(outcome)
            fuzzer.close()
    outcome.seconds, outcome.memory_peak_mb = time.monotonic() - began, _memory_mb()


def replay(cases: list[Case]) -> None:
    """Send cases through fresh doors, as they are."""
    with TemporaryDirectory(prefix="smartpark-fuzz-") as name:
        device = DeviceDoor(Path(name))
        try:
            device.feed([case for case in cases if case.door != "wire"])
        finally:
            device.close()
    WireDoor().feed([case for case in cases if case.door == "wire"])


def _memory_mb() -> float:
    """Largest memory of this process so far."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


def smallest(cases: list[Case]) -> list[Case]:
    """The one case that goes wrong alone, else all of them."""
    for case in cases:
        try:
            replay([case])
        except Exception:  # noqa: BLE001  whatever it was, it is what is looked for
            return [case]
    return cases
