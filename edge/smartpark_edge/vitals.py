"""What the agents of a process say at its port: metrics, whether their threads turn, what hinders them.

Told in docs/metrics.md. It reads counters and, of each spool, the time of its oldest reading; it changes nothing.
"""

import logging
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from smartpark.clock import MICROSECONDS, utc_now_us
from smartpark.errors import SmartparkError
from smartpark.exposition import Family, Kind, Labels, by_label, counter, gauge
from smartpark.vitals import Pulse

from smartpark_edge.agent import Agent, hours_left
from smartpark_edge.health import SourceHealth
from smartpark_edge.spool_reader import SpoolReader

_log = logging.getLogger(__name__)

UNANSWERED_S: Final = 60.0
"""Batches are under way and nobody has acknowledged any for so long: ingest, or its database, is away. [s]"""
_LOOP_STUCK_S: Final = 300.0
"""Applying new settings ends old sources one by one, each with its own patience. [s]"""


@dataclass(frozen=True, slots=True)
class _Fact:
    """A number of an agent that needs no explanation but its own."""

    name: str
    kind: Kind
    meaning: str
    value: float | None


class AgentsVitals:
    """Of all agents in this process."""

    def __init__(self, agents: Sequence[Agent]) -> None:
        self._agents = tuple(agents)
        self.pulse = Pulse("the supervisor's loop", _LOOP_STUCK_S)

    def ailments(self) -> list[str]:
        """Loops that stand still and threads that have ended."""
        return [*self.pulse.ailments(), *(f"{_code(a)}: {why}" for a in self._agents for why in _ailments(a))]

    def obstacles(self) -> list[str]:
        """What keeps readings from coming in or going out."""
        return [f"{_code(agent)}: {why}" for agent in self._agents for why in _obstacles(agent)]

    def families(self) -> Iterator[Family]:
        """Everything, agent by agent; the families of the same name are put together by who writes them down."""
        for agent in self._agents:
            labels = {"edge": _code(agent)}
            for fact in (*_spool_facts(agent), *_flow_facts(agent)):
                maker = counter if fact.kind is Kind.COUNTER else gauge
                if fact.value is not None:
                    yield maker(f"smartpark_edge_{fact.name}", fact.meaning, fact.value, labels)
            yield from _losses(agent, labels)
            yield from _measured(agent, labels)
            for source in agent.sources():
                yield from _source_families(source.health, labels)


def _code(agent: Agent) -> str:
    return agent.settings.edge.code


def _ailments(agent: Agent) -> Iterator[str]:
    yield from agent.recorder.pulse.ailments()
    if agent.publisher is not None:
        yield from agent.publisher.pulse.ailments()
    for source in agent.sources():
        if source.has_died:
            yield f"the thread of source {source.health.name} has ended"


def _obstacles(agent: Agent) -> Iterator[str]:
    recorder, publisher = agent.recorder, agent.publisher
    if recorder.trouble or recorder.failure is not None:
        yield f"spool: {recorder.trouble or recorder.failure}"
    if publisher is None or not publisher.connected.is_set():
        note = "" if publisher is None else publisher.note
        yield f"platform broker: {note or 'not connected yet'}"
    elif publisher.unanswered_s > UNANSWERED_S:
        yield (
            f"ingest: {publisher.in_flight} batches under way, "
            f"nothing acknowledged for {publisher.unanswered_s:.0f} s"
        )
    for source in agent.sources():
        if not source.health.subscribed:
            yield f"source {source.health.name}: {source.health.note or 'not connected yet'}"


def _spool_facts(agent: Agent) -> Iterator[_Fact]:
    spool, limit = agent.spool.counters, agent.settings.edge.spool_limit_bytes
    left = hours_left(limit, spool.pending_bytes, agent.bytes_per_second)
    yield _Fact("spool_readings", Kind.GAUGE, "Readings not yet acknowledged by ingest.", spool.pending_readings)
    yield _Fact("spool_batches", Kind.GAUGE, "Sealed batches not yet acknowledged.", spool.pending_batches)
    yield _Fact("spool_bytes", Kind.GAUGE, "What counts towards the spool's limit.", spool.bytes)
    yield _Fact("spool_pending_bytes", Kind.GAUGE, "Share of it that waits to be acknowledged.", spool.pending_bytes)
    yield _Fact("spool_limit_bytes", Kind.GAUGE, "The spool's limit (spool_limit_mb).", limit)
    yield _Fact("spool_age_seconds", Kind.GAUGE, "Age of the oldest reading not yet acknowledged.", _age_s(agent))
    yield _Fact("spool_hours_left", Kind.GAUGE, "Hours until it is full if nobody acknowledges.", left)
    yield _Fact("spool_writable", Kind.GAUGE, "0 while the disk refuses; devices wait.", not agent.recorder.trouble)
    yield _Fact("readings_accepted_total", Kind.COUNTER, "Readings taken, since the spool began.", spool.accepted)
    yield _Fact("readings_duplicate_total", Kind.COUNTER, "Readings that devices said twice.", spool.duplicates)
    yield _Fact(
        "dead_letters_total", Kind.COUNTER, "Messages not understood, spooled as dead letters.", spool.dead_letters
    )


def _flow_facts(agent: Agent) -> Iterator[_Fact]:
    publisher, recorder = agent.publisher, agent.recorder
    connected = publisher is not None and publisher.connected.is_set()
    in_flight = 0 if publisher is None else publisher.in_flight
    unanswered_s = 0.0 if publisher is None else publisher.unanswered_s
    yield _Fact("queue_messages", Kind.GAUGE, "Messages heard and not yet written down.", recorder.backlog)
    yield _Fact("connected", Kind.GAUGE, "1 while connected to the platform's broker.", connected)
    yield _Fact("in_flight_batches", Kind.GAUGE, "Batches sent and not yet acknowledged.", in_flight)
    yield _Fact("unanswered_seconds", Kind.GAUGE, "How long ingest has acknowledged nothing under way.", unanswered_s)
    yield _Fact("recorder_age_seconds", Kind.GAUGE, "Time since the writing loop came round.", recorder.pulse.age_s)


def _age_s(agent: Agent) -> float | None:
    """Of the oldest pending reading; 0 without any, None when the spool cannot be read now."""
    try:
        reader = SpoolReader(agent.spool.path)
        try:
            oldest = reader.oldest_pending()
        finally:
            reader.close()
    except SmartparkError as error:
        _log.debug("%s: age of the spool not known: %s", _code(agent), error)
        return None
    return 0.0 if oldest is None else max(utc_now_us() - oldest, 0) / MICROSECONDS


def _losses(agent: Agent, labels: Labels) -> Iterator[Family]:
    spool = agent.spool.counters
    yield by_label(
        Kind.COUNTER,
        "smartpark_edge_readings_dropped_total",
        "Readings lost, by reason: the spool was full, or the disk altered what was written.",
        {"spool_full": spool.dropped - spool.damaged, "damaged": spool.damaged},
        label="reason",
        labels=labels,
    )
    yield by_label(
        Kind.COUNTER,
        "smartpark_edge_dead_letters_dropped_total",
        "Dead letters lost, by reason.",
        {"spool_full": spool.dropped_letters - spool.damaged_letters, "damaged": spool.damaged_letters},
        label="reason",
        labels=labels,
    )


def _measured(agent: Agent, labels: Labels) -> Iterator[Family]:
    meters = agent.meters
    for histogram, name, meaning in (
        (meters.commit, "spool_commit_seconds", "Transactions that added to the spool."),
        (meters.batch, "batch_readings", "Readings in a sealed batch."),
        (meters.ack, "ack_seconds", "From the last sending of a batch to its acknowledgement."),
    ):
        yield histogram.family(f"smartpark_edge_{name}", meaning, labels)


def _source_families(health: SourceHealth, labels: Labels) -> Iterator[Family]:
    whose = {**labels, "source": health.name}
    up = health.connected and health.subscribed
    age = None if health.last_reading is None else time.time() - health.last_reading / MICROSECONDS
    yield gauge("smartpark_edge_source_connected", "1 while everything wanted is heard.", up, whose)
    yield gauge("smartpark_edge_source_reading_age_seconds", "Age of its newest good reading.", age, whose)
    for name, meaning, count in (
        ("readings_total", "Readings heard, repetitions included.", health.readings),
        ("problems_total", "Messages, or parts, that became dead letters.", health.problems),
        ("ignored_total", "Known messages without readings.", health.ignored),
        ("lost_total", "What came faster than it could be written down and cannot be asked for again.", health.lost),
        ("overflows_total", "OPC UA: values the server threw away before they were fetched.", health.overflows),
        ("server_stamped_total", "OPC UA: readings without a time of their source.", health.server_times),
        ("arrival_stamped_total", "Readings without any time, stamped on arrival.", health.arrival_times),
    ):
        yield counter(f"smartpark_edge_source_{name}", meaning, count, whose)
