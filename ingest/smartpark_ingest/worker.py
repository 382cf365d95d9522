"""One ingest worker: takes messages from the inbox, has the desk judge them, writes, acknowledges.

The flow. The network thread fills the inbox (`intake`). The main thread judges what is in it, collects a group (until
it is large enough, or 100 ms old and the database is free) and makes it ready for COPY. The storing thread stores a
group in one transaction, and only after the commit the answering thread publishes which sequences the database now
holds; meanwhile the next group is being stored and the one after it collected. A crash at any point leaves batches
unacknowledged, and the edges send them again; the ledger in the database recognises those that had been committed
after all.

While the database is away the worker waits with three groups in hand, the inbox fills up to its bound, and what does
not fit is set aside unread: memory stays bounded however long it takes.
"""

import logging
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from smartpark.broker import BrokerAddress
from smartpark.clock import from_us
from smartpark.wire import Ack, Command, Topics, pack_json
from smartpark_storage import (
    PreparedBatches,
    Registry,
    describe_database,
    record_birth,
    record_death,
    record_status,
)

from smartpark_ingest.admission import Limits
from smartpark_ingest.counters import Counters
from smartpark_ingest.database import PatientDatabase, StoppedError
from smartpark_ingest.desk import Desk
from smartpark_ingest.inbox import Inbox
from smartpark_ingest.intake import Intake
from smartpark_ingest.meters import Meters
from smartpark_ingest.outcomes import Admitted, AskBirth, Born, Died, Outcome, Parked, Reported, Stranger, Unreadable
from smartpark_ingest.registry_watch import RegistryWatch
from smartpark_ingest.shards import Shard
from smartpark_ingest.storing import Answer, Storing
from smartpark_ingest.vitals import WorkerVitals
from smartpark_ingest.writer import Stored, Writer

_log = logging.getLogger(__name__)

GROUP_READINGS: Final = 80_000
"""Readings after which a group is stored without waiting for more. A transaction costs something whatever is in it:
the commit, the newest value and the marks of every point."""
GROUP_AGE_S: Final = 0.1
"""Age at which a group is stored however small. [s]"""
ENOUGH: Final = 20_000
"""Readings after which a group is stored as soon as the database is free."""
SIZEABLE: Final = 5_000
"""Readings after which a group is stored as soon as nothing more comes at once."""
_SILENCE_S: Final = 0.005
_IDLE_S: Final = 0.2
_REGISTRY_POLL_S: Final = 1.0
_SUMMARY_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class WorkerSettings:
    """What a worker needs to know."""

    dsn: str = field(repr=False)
    broker: BrokerAddress
    shard: Shard
    limits: Limits
    ready_file: Path | None = None
    inbox_messages: int = 20_000
    inbox_bytes: int = 128 * 2**20


@dataclass(slots=True)
class _Group:
    """What one transaction will store, and what is to be noted beside it."""

    admitted: list[Admitted] = field(default_factory=list[Admitted])
    unreadable: list[Unreadable] = field(default_factory=list[Unreadable])
    lives: list[Born | Died] = field(default_factory=list[Born | Died])
    reports: dict[str, Reported] = field(default_factory=dict[str, Reported])
    readings: int = 0

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to do."""
        return not (self.admitted or self.unreadable or self.lives or self.reports)

    def due_s(self, began_s: float, heard_s: float) -> float:
        """When it is to be stored if the database is free; of times in monotonic seconds."""
        if self.is_empty or self.readings >= ENOUGH:
            return began_s
        # Edges send no more than a window without an ack: when they fall silent, this group is what they wait for.
        return (
            min(began_s + GROUP_AGE_S, heard_s + _SILENCE_S) if self.readings >= SIZEABLE else began_s + GROUP_AGE_S
        )


class Worker:
    """Serves the edges of one shard until `stop` is set."""

    def __init__(self, settings: WorkerSettings, stop: threading.Event) -> None:
        self._settings = settings
        self._stop = stop
        self._counters = Counters()
        self._inbox = Inbox(max_messages=settings.inbox_messages, max_bytes=settings.inbox_bytes)
        self._database = PatientDatabase(
            settings.dsn,
            application=f"smartpark {settings.shard.client_id}",
            stop=stop,
            counters=self._counters,
        )
        # The storing thread has a connection of its own: a transaction is nobody else's.
        self._registry_database = PatientDatabase(
            settings.dsn,
            application=f"smartpark {settings.shard.client_id} registry",
            stop=stop,
            counters=self._counters,
        )
        self._waited_s = 0.0
        self._meters = Meters()
        self._writer = Writer(self._database, self._counters, self._meters)
        self.vitals = WorkerVitals(
            settings.shard, self._counters, self._meters, inbox=self._inbox, database=self._database
        )
        self._told_s = time.monotonic()

    def run(self) -> None:
        """Work until asked to stop; the group in hand is finished."""
        if self._settings.ready_file is not None:
            self._settings.ready_file.unlink(missing_ok=True)  # of one that was killed
        try:
            self._serve()
        except StoppedError as error:
            _log.warning("%s", error)
        finally:
            self._database.close()
            self._registry_database.close()
            _log.info("%s ends: %s", self._settings.shard.client_id, self._counters.summary())

    def _serve(self) -> None:
        _log.info("%s writes to %s", self._settings.shard.client_id, self._database.run(describe_database).label)
        watch = RegistryWatch(self._registry_database)
        desk = Desk(watch.load(), self._settings.limits, lambda: watch.newer(looked_s=GROUP_AGE_S))
        intake = Intake(self._settings.broker, self._settings.shard, self._inbox, self._counters)
        self.vitals.watch(intake, desk)
        try:
            with Storing(self._inbox.wake) as storing:
                while not self._stop.is_set():
                    intake.ensure_alive()
                    self._say_ready(intake)
                    self._step(desk, watch, intake, storing)
                    self._tell()
                storing.finish()
        finally:
            intake.stop()
            if self._settings.ready_file is not None:
                self._settings.ready_file.unlink(missing_ok=True)

    def _step(self, desk: Desk, watch: RegistryWatch, intake: Intake, storing: Storing) -> None:
        self.vitals.pulse.beat()
        desk.registry = watch.newer(looked_s=_REGISTRY_POLL_S) or desk.registry
        group = _Group()
        desk.excuse(self._registry_database.take_spent_s() + self._waited_s)
        self._waited_s = 0.0
        self._sort(group, desk.look_at_parked(now_s=time.monotonic()), intake)
        self._collect(group, desk, intake, storing)
        storing.look()
        if not group.is_empty:
            registry, prepared = desk.registry, self._writer.prepare(group.admitted)
            self._waited_s = storing.submit(lambda: self._store(group, prepared, registry, intake))

    def _store(self, group: _Group, prepared: PreparedBatches | None, registry: Registry, intake: Intake) -> Answer:
        """Do what a group asks for, in the storing thread; what is to be said of it afterwards."""
        self._note(group)
        self._keep_unreadable(group)
        stored = self._writer.store(group.admitted, registry, prepared)
        return lambda: self._answer(stored, intake)

    def _collect(self, group: _Group, desk: Desk, intake: Intake, storing: Storing) -> None:
        arrivals = self._inbox.take(until=time.monotonic() + _IDLE_S, readings=GROUP_READINGS)
        heard_s = began_s = time.monotonic()
        while True:
            self._counters.messages += len(arrivals)
            self._sort(group, desk.handle_all(arrivals, now_s=time.monotonic()), intake)
            if group.readings >= GROUP_READINGS or self._stop.is_set():
                return
            now_s, is_busy = time.monotonic(), storing.is_busy
            heard_s = now_s if arrivals else heard_s
            due_s = now_s + _IDLE_S if is_busy else group.due_s(began_s, heard_s)
            if now_s >= due_s:
                return
            arrivals = self._inbox.take(until=due_s, readings=GROUP_READINGS - group.readings)

    def _sort(self, group: _Group, outcomes: Iterable[Outcome], intake: Intake) -> None:
        for outcome in outcomes:
            match outcome:
                case Admitted():
                    group.admitted.append(outcome)
                    # A letter costs the database about as much as a hundred readings.
                    group.readings += len(outcome.rows) + 100 * len(outcome.letters)
                case Unreadable():
                    group.unreadable.append(outcome)
                case Born() | Died():
                    group.lives.append(outcome)
                case Reported():
                    group.reports[outcome.edge] = outcome
                case Parked():
                    self._counters.parked += 1
                case AskBirth():
                    self._counters.rebirths_asked += 1
                    intake.publish(Topics(outcome.edge).of("command"), pack_json(Command(rebirth=True)))
                case Stranger():
                    intake.serve(outcome.edge)

    def _note(self, group: _Group) -> None:
        for life in group.lives:
            number, at = self._writer.edge_id(life.edge), from_us(life.received_us)
            if isinstance(life, Born):
                born = life.birth
                _log.info("edge %s is there: %d points, boot %d", life.edge, len(born.points), born.boot)
                self._database.run(lambda c, n=number, b=born, at=at: record_birth(c, n, b, at))
            else:
                _log.warning("edge %s has gone", life.edge)
                self._database.run(lambda c, n=number, d=life.death, at=at: record_death(c, n, d, at))
        for report in group.reports.values():
            number, at = self._writer.edge_id(report.edge), from_us(report.received_us)
            self._meters.heard_clock(report.edge, report.status.time, report.received_us)
            self._database.run(lambda c, n=number, s=report.status, at=at: record_status(c, n, s, at))

    def _keep_unreadable(self, group: _Group) -> None:
        for one in group.unreadable:
            self._counters.malformed += 1
            if one.letter is not None:
                _log.warning("edge %r, topic %s: %s", one.edge, one.letter.topic, one.letter.detail)
        self._writer.keep_letters([one.letter for one in group.unreadable if one.letter is not None])

    def _answer(self, stored: Stored, intake: Intake) -> None:
        for commit in stored.commits:
            self._counters.acks += 1
            intake.publish(Topics(commit.edge).of("ack"), pack_json(Ack.of(commit.boot, commit.sequences)))
        self._writer.note(stored)

    def _say_ready(self, intake: Intake) -> None:
        ready = self._settings.ready_file
        if ready is not None and intake.is_listening and not ready.exists():
            ready.write_text(f"{self._settings.shard.client_id}\n", encoding="utf-8")

    def _tell(self) -> None:
        if time.monotonic() - self._told_s >= _SUMMARY_S:
            self._told_s = time.monotonic()
            waiting = len(self._inbox)
            _log.info("%s: %s; %d waiting", self._settings.shard.client_id, self._counters.summary(), waiting)
