"""The process that evaluates alerts: one has the turn, others stand by; it outlives the database.

The turn belongs to a session of the database. When that is lost, everything in memory is thrown away, the session is
opened anew, and whoever gets the turn builds from what is stored what it needs. Beside it threads send what has been
planned.
"""

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from smartpark.clock import utc_now
from smartpark.exposition import Family, counter, gauge
from smartpark.vitals import Pulse
from smartpark.workdays import WorkdayCalendar, builtin_workdays, load_workdays
from smartpark_storage import Connection, describe_database
from smartpark_storage.alerts import alerting_turn, read_backlog, register_watch

from smartpark_ingest.alerting.engine import Engine, Turn
from smartpark_ingest.alerting.notify.channels import Ways
from smartpark_ingest.alerting.notify.sending import Sender
from smartpark_ingest.alerting.watching import WATCHER
from smartpark_ingest.counters import Counters
from smartpark_ingest.database import PatientDatabase, StoppedError

_log = logging.getLogger(__name__)

TICK_S: Final = 0.25
"""Wait after a turn that left nothing to do. [s]"""
STAND_BY_S: Final = 2.0
"""Wait of whoever has not the turn. [s]"""
STUCK_S: Final = 900.0
_LOOK_S: Final = 2.0
"""How often it is looked whether rules or the catalogue have changed. [s]"""


def calendar_from_environment(environment: Mapping[str, str] | None = None) -> WorkdayCalendar:
    """Working days of the installation: ``SMARTPARK_WORKDAYS``."""
    given = os.environ if environment is None else environment
    days = given.get("SMARTPARK_WORKDAYS")
    return load_workdays(Path(days)) if days else builtin_workdays()


@dataclass(slots=True)
class Totals:
    """What a worker has done."""

    turns: int = 0
    changes: int = 0
    readings: int = 0
    alerts: int = 0
    """Alerts that something was written of."""
    corrected: int = 0
    messages: int = 0
    taken_up: int = 0

    def add(self, turn: Turn) -> None:
        """Count a turn."""
        self.turns += 1
        self.changes += turn.changes
        self.readings += turn.readings
        self.alerts += turn.alerts
        self.corrected += turn.corrected
        self.messages += turn.messages


class AlertWorker:
    """Evaluates and tells until `stop` is set, or until nothing is left to do."""

    def __init__(
        self,
        dsn: str,
        stop: threading.Event,
        calendar: WorkdayCalendar,
        *,
        ways: Ways | None = None,
        clock: Callable[[], datetime] = utc_now,
        progress: Callable[[float], None] | None = None,
        since: datetime | None = None,
    ) -> None:
        self._since = since
        self._dsn, self._learns_beside = dsn, False
        self._stop, self._calendar, self._clock, self._progress = stop, calendar, clock, progress
        self._database = PatientDatabase(dsn, application="smartpark alerts", stop=stop, counters=Counters())
        self._sender = None if ways is None else Sender(dsn, ways, stop)
        self._engine: Engine | None = None
        self._turn = ExitStack()
        self._connection: Connection | None = None
        self._looked_s = float("-inf")
        self._said: set[int] = set()
        self.totals = Totals()
        self.vitals = AlertVitals(self)

    def run(self) -> None:
        """Evaluate until asked to stop; rules learn beside."""
        self._learns_beside = True
        if self._sender is not None:
            self._sender.start()
        try:
            _log.info("alerts are evaluated on %s", self._database.run(describe_database).label)
            while not self._stop.is_set():
                self.vitals.pulse.beat()
                self._stop.wait(self._database.run(self._work))
        except StoppedError as error:
            _log.warning("%s", error)
        finally:
            self.close()
            self._stop.set()
            if self._sender is not None:
                self._sender.join(30.0)

    def run_once(self) -> bool:
        """Evaluate what waits, and plan who is told; False: another worker has the turn."""
        try:
            while not self._stop.is_set():
                wait_s = self._database.run(self._work)
                if self._engine is None:
                    return False
                if wait_s > 0 and self._engine.late.is_empty and not self._engine.late.held:
                    return True
                if wait_s == 0 or not self._engine.late.hurry():
                    self._stop.wait(wait_s)
        finally:
            self.close()
        return True

    def send_due(self) -> int:
        """Send what is due now; how many messages were tried."""
        return 0 if self._sender is None else self._sender.send_due()

    def close(self) -> None:
        """Give the turn back, and let go of the database."""
        self._let_go()
        self._database.close()

    @property
    def engine(self) -> Engine | None:
        """What it has in memory; none: it has not the turn."""
        return self._engine

    @property
    def database(self) -> PatientDatabase:
        """Its database."""
        return self._database

    @property
    def sender(self) -> Sender | None:
        """Whoever sends."""
        return self._sender

    def _work(self, connection: Connection) -> float:
        """Do what there is to do once; how long to wait then."""
        try:
            if self._engine is None or self._connection is not connection:
                self._let_go()
                if not self._take_turn(connection):
                    return STAND_BY_S
            return self._step(connection)
        except BaseException:  # whatever it was, what is in memory may not be what is on record; raised again
            self._let_go()
            raise

    def _take_turn(self, connection: Connection) -> bool:
        turn = ExitStack()
        if not turn.enter_context(alerting_turn(connection)):
            turn.close()
            self.vitals.stands_by = True
            return False
        self._turn, self._connection = turn, connection
        self.vitals.stands_by = False
        now, began_s = self._clock(), time.monotonic()
        watch = register_watch(connection, WATCHER, at=now)
        if watch.lapsed_at is not None:
            _log.warning(
                "nobody evaluated alerts for too long: late readings stored since %s are not looked at again",
                watch.lapsed_at.isoformat(),
            )
        engine = Engine(self._calendar, learns_at=self._dsn if self._learns_beside else None)
        engine.begin(connection, now, self._progress, since=self._since)
        self._engine = engine
        self.totals.taken_up += 1
        _log.info(
            "%d rules over %d points taken up in %.1f s",
            len(engine.rules),
            len(engine.scene.points),
            time.monotonic() - began_s,
        )
        return True

    def _step(self, connection: Connection) -> float:
        engine = self._engine
        if engine is None:
            return STAND_BY_S
        began_s = time.monotonic()
        if began_s - self._looked_s >= _LOOK_S:
            engine.rebind_if_changed(connection, self._clock())
            self.vitals.backlog = read_backlog(connection).count
            self._looked_s = began_s
        turn = engine.turn(connection, self._clock())
        self._note(turn)
        self._note(engine.late_turn(connection, self._clock()))
        self.vitals.turned(turn, time.monotonic() - began_s)
        return 0.0 if turn.has_more else max(0.0, TICK_S - (time.monotonic() - began_s))

    def _note(self, turn: Turn) -> None:
        self.totals.add(turn)
        if self._sender is not None and (turn.messages or turn.joined):
            self._sender.wake()
        for alert_id in turn.unrouted:
            if alert_id not in self._said:
                self._said.add(alert_id)
                _log.warning("alert %d: no route leads to anybody", alert_id)

    def _let_go(self) -> None:
        engine, self._engine, self._connection = self._engine, None, None
        turn, self._turn = self._turn, ExitStack()
        try:
            turn.close()
        finally:
            if engine is not None:
                engine.close()


class AlertVitals:
    """What a worker says at its port."""

    def __init__(self, worker: AlertWorker) -> None:
        self._worker = worker
        self.pulse = Pulse("the loop of alerts", STUCK_S)
        self.stands_by = False
        self.backlog = 0
        self._age_s = 0.0
        self._turn_s = 0.0

    def turned(self, turn: Turn, took_s: float) -> None:
        """Note how a turn went."""
        self._turn_s = took_s
        self._age_s = turn.age_s

    def ailments(self) -> list[str]:
        """A loop that neither turns nor tries the database."""
        tried_s = self._worker.database.tried_s
        return self.pulse.ailments() if time.monotonic() - tried_s > STUCK_S else []

    def obstacles(self) -> list[str]:
        """What keeps alerts from being evaluated."""
        database, engine = self._worker.database, self._worker.engine
        found = [f"working days: {engine.office.trouble}"] if engine is not None and engine.office.trouble else []
        if engine is not None:
            found += [f"rule {one.rule.code}: {one.trouble}" for one in engine.rules if one.trouble]
        if database.waiting_s:
            found.append(f"database: {database.trouble}; waiting for {database.waiting_s:.0f} s")
        return found

    def families(self) -> Iterator[Family]:
        """Everything."""
        totals, engine = self._worker.totals, self._worker.engine
        for metric, meaning, value in (
            ("changes_total", "Commits of readings that were dealt with.", totals.changes),
            ("readings_total", "Readings that rules were given.", totals.readings),
            ("written_total", "Alerts that something was written of.", totals.alerts),
            ("corrected_total", "Rules and stretches judged anew because readings came late.", totals.corrected),
            ("messages_total", "Messages planned.", totals.messages),
            ("taken_up_total", "Times that everything was built from what is stored.", totals.taken_up),
        ):
            yield counter(f"smartpark_alerts_{metric}", meaning, value)
        refused = 0 if engine is None else engine.book.refused
        for metric, meaning, value in (
            ("active", "1: it has the turn; 0: another one has.", 0.0 if engine is None else 1.0),
            ("rules", "Rules in force.", 0.0 if engine is None else float(len(engine.rules))),
            ("backlog_changes", "Commits of readings that wait.", float(self.backlog)),
            ("age_seconds", "How long the newest change had waited when it was dealt with.", self._age_s),
            ("turn_seconds", "How long the last turn took.", self._turn_s),
            ("refused", "Findings that an alert on record could not take.", float(refused)),
            ("database_waiting_seconds", "How long the database takes no work.", self._worker.database.waiting_s),
        ):
            yield gauge(f"smartpark_alerts_{metric}", meaning, value)
        if self._worker.sender is not None:
            yield from self._worker.sender.families()
