"""What an ingest worker, and the supervisor of several, say at their port: metrics, whether they turn, what hinders.

Told in docs/metrics.md. It changes nothing, and it asks neither broker nor database: what it says is what the worker
last saw, so that a question never waits for what is away.
"""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from smartpark.clock import MICROSECONDS, utc_now_us
from smartpark.exposition import Family, Kind, by_label, counter, gauge
from smartpark.vitals import Pulse
from smartpark_storage import DeadReason

from smartpark_ingest.counters import Counters
from smartpark_ingest.database import PatientDatabase
from smartpark_ingest.desk import Desk
from smartpark_ingest.inbox import Inbox
from smartpark_ingest.intake import Intake
from smartpark_ingest.meters import Meters
from smartpark_ingest.shards import Shard

STUCK_S: Final = 300.0
"""A loop that does not turn for so long will not turn again: no statement of ours takes that long. [s]"""
OLD_S: Final = 30.0
"""A message that waits longer in the inbox means that the database does not keep up. [s]"""

_COUNTED: Final[dict[str, tuple[str, str]]] = {
    "messages": ("messages_total", "Messages taken from the inbox."),
    "batches_new": ("batches_stored_total", "Batches stored."),
    "batches_known": ("batches_known_total", "Batches the ledger had already: acknowledged again, not stored again."),
    "readings": ("readings_stored_total", "Readings stored."),
    "transactions": ("transactions_total", "Transactions that stored batches."),
    "retries": ("database_retries_total", "Transactions tried again because the database was away or busy."),
    "poison_batches": ("poison_batches_total", "Batches that the database refused; each reading is a dead letter."),
    "parked": ("parked_total", "Times that a batch had to wait for a birth."),
    "rebirths_asked": ("births_asked_total", "Times that an edge was asked for its birth."),
    "malformed": ("malformed_total", "Messages that could not be read, repetitions included."),
    "acks": ("acks_total", "Acknowledgements sent after a commit."),
    "shed": ("shed_total", "Messages set aside unread because the inbox was full; their edges send them again."),
    "foreign": ("foreign_total", "Messages of edges of other shards."),
    "connections": ("broker_connections_total", "Connections to the broker."),
}


class WorkerVitals:
    """Of one worker."""

    def __init__(
        self, shard: Shard, counters: Counters, meters: Meters, *, inbox: Inbox, database: PatientDatabase
    ) -> None:
        self._labels = {"shard": f"{shard.index}/{shard.count}"}
        self.counters, self._meters = counters, meters
        self._inbox, self._database = inbox, database
        self._intake: Intake | None = None
        self._desk: Desk | None = None
        self.pulse = Pulse("the worker's loop", STUCK_S)

    def watch(self, intake: Intake, desk: Desk) -> None:
        """The worker has come so far."""
        self._intake, self._desk = intake, desk

    def ailments(self) -> list[str]:
        """Only a loop that neither turns nor tries the database is stuck; waiting for the database is work."""
        tried_s = time.monotonic() - self._database.tried_s
        return self.pulse.ailments() if tried_s > STUCK_S else []

    def obstacles(self) -> list[str]:
        """What it waits for."""
        return [*self._database_obstacles(), *self._broker_obstacles(), *self._inbox_obstacles()]

    def _database_obstacles(self) -> Iterator[str]:
        waiting_s = self._database.waiting_s
        if waiting_s:
            yield f"database: {self._database.trouble}; waiting for {waiting_s:.0f} s"

    def _broker_obstacles(self) -> Iterator[str]:
        if self._intake is None:
            yield "broker: not connected yet, the database comes first"
        elif not self._intake.is_listening:
            yield "broker: not connected, or subscriptions not granted"

    def _inbox_obstacles(self) -> Iterator[str]:
        waited_s = self._inbox_age_s()
        if waited_s > OLD_S:
            yield f"inbox: the oldest of {len(self._inbox)} messages has waited for {waited_s:.0f} s"

    def _inbox_age_s(self) -> float:
        oldest_us = self._inbox.oldest_us()
        return 0.0 if oldest_us is None else max(utc_now_us() - oldest_us, 0) / MICROSECONDS

    def families(self) -> Iterator[Family]:
        """Counters, what waits, and how long things take."""
        yield from self._counted()
        yield from self._waiting()
        yield from self._measured()
        yield from self._by_edge()

    def _counted(self) -> Iterator[Family]:
        for name, count in self.counters.numbers().items():
            metric, meaning = _COUNTED[name]
            yield counter(f"smartpark_ingest_{metric}", meaning, count, self._labels)
        # Every reason from the start: a rate over a counter that appears with its first letter would miss it.
        letters = {reason.value: float(self.counters.letters[reason.value]) for reason in DeadReason}
        yield by_label(
            Kind.COUNTER,
            "smartpark_ingest_dead_letters_total",
            "Dead letters stored, by reason.",
            letters,
            label="reason",
            labels=self._labels,
        )

    def _waiting(self) -> Iterator[Family]:
        listening = self._intake is not None and self._intake.is_listening
        facts: tuple[tuple[str, str, float], ...] = (
            ("inbox_messages", "Messages that wait to be judged.", len(self._inbox)),
            ("inbox_bytes", "Payload bytes of the messages that wait.", self._inbox.bytes),
            ("inbox_age_seconds", "How long the oldest message has waited.", self._inbox_age_s()),
            ("parked_batches", "Batches that wait for a birth.", 0 if self._desk is None else self._desk.parked),
            ("broker_connected", "1 while connected with all subscriptions granted.", listening),
            ("database_waiting_seconds", "How long the database has not taken work; 0: it does.", self._waiting_s()),
            ("loop_age_seconds", "Time since the worker's loop last came round.", self.pulse.age_s),
        )
        for metric, meaning, value in facts:
            yield gauge(f"smartpark_ingest_{metric}", meaning, value, self._labels)

    def _waiting_s(self) -> float:
        return self._database.waiting_s

    def _measured(self) -> Iterator[Family]:
        meters = self._meters
        for histogram, metric, meaning in (
            (meters.commit, "commit_seconds", "Transactions that stored batches, each from begin to commit."),
            (meters.group, "group_readings", "Readings stored in one transaction."),
            (meters.batch, "batch_readings", "Readings let in of one batch."),
            (meters.lag, "commit_lag_seconds", "From a batch's arrival to its commit."),
        ):
            yield histogram.family(f"smartpark_ingest_{metric}", meaning, self._labels)

    def _by_edge(self) -> Iterator[Family]:
        now_us = utc_now_us()
        ages = {edge: (now_us - at) / MICROSECONDS for edge, at in dict(self._meters.newest_us).items()}
        yield by_label(
            Kind.GAUGE,
            "smartpark_ingest_newest_reading_age_seconds",
            "How old the newest reading is that was committed of an edge, by its own clock.",
            ages,
            label="edge",
            labels=self._labels,
        )
        yield by_label(
            Kind.GAUGE,
            "smartpark_ingest_edge_clock_ahead_seconds",
            "How far an edge's clock was ahead of ours in its newest status; negative: behind, or slow on the way.",
            dict(self._meters.clock_ahead_s),
            label="edge",
            labels=self._labels,
        )


@dataclass(slots=True)
class WorkerProcess:
    """What the supervisor knows of a worker."""

    running: bool = False
    restarts: int = 0


class SupervisorVitals:
    """Of a supervisor: its workers, asked one by one at their own ports."""

    def __init__(self, workers: Mapping[str, WorkerProcess], ports: Mapping[str, tuple[str, int]]) -> None:
        self._workers, self._ports = workers, ports
        self.pulse = Pulse("the supervisor's loop", 60.0)

    def ailments(self) -> list[str]:
        """Its own loop's, and those of workers that answer."""
        return [*self.pulse.ailments(), *self._of_workers("/healthz", must_answer=False)]

    def obstacles(self) -> list[str]:
        """Every worker has to be ready: a shard is a worker's alone."""
        return self._of_workers("/readyz", must_answer=True)

    def _of_workers(self, path: str, *, must_answer: bool) -> list[str]:
        return [
            f"worker {shard}: {reason}"
            for shard, (host, port) in self._ports.items()
            for reason in reasons_of(f"http://{_in_url(host)}:{port}{path}", must_answer=must_answer)
        ]

    def families(self) -> Iterator[Family]:
        """Which workers run, and how often they had to be started again."""
        workers = dict(self._workers)
        yield by_label(
            Kind.GAUGE,
            "smartpark_ingest_worker_running",
            "1 while the worker's process runs.",
            {shard: float(one.running) for shard, one in workers.items()},
            label="shard",
        )
        yield by_label(
            Kind.COUNTER,
            "smartpark_ingest_worker_restarts_total",
            "Times that a worker ended unasked and was started again.",
            {shard: float(one.restarts) for shard, one in workers.items()},
            label="shard",
        )


def reasons_of(url: str, *, must_answer: bool) -> list[str]:
    """Reasons that a `/healthz` or `/readyz` gives; without an answer one of ours, where an answer is needed."""
    try:
        with urllib.request.urlopen(url, timeout=2.0):  # noqa: S310  our own address
            return []
    except urllib.error.HTTPError as error:
        with error:
            return [str(reason) for reason in json.load(error).get("reasons", [f"answers {error.code}"])]
    except OSError as error:
        return [f"does not answer: {getattr(error, 'reason', error)}"] if must_answer else []


def _in_url(host: str) -> str:
    local = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  who listens everywhere is asked here
    return f"[{local}]" if ":" in local else local
