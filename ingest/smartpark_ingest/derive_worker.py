"""The derive process: step after step while there is something stale, then a short wait.

After each quarter of an hour there are a few seconds in which the readings that close it are still on their way; the
worker lets them arrive, so that a quarter-hour is published once and not once per meter. It outlives the database: a
step that fails for a passing reason is done again.

What it steps through is a list: counters, and whatever else becomes stale by itself. Each gets its turn in every
round, so that a long backlog of the one does not hold up the other.

What has been published gets its position in the feed (docs/aggregates.md) right after it was committed, in a short
transaction of its own: no step waits for another's numbering, and none is numbered before it is there for good.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from smartpark.clock import MICROSECONDS, utc_now_us
from smartpark_storage import describe_database
from smartpark_storage.aggregates import number_publications

from smartpark_ingest.counters import Counters
from smartpark_ingest.database import PatientDatabase, StoppedError
from smartpark_ingest.derive import Deriver, Stepper, StepReport
from smartpark_ingest.derive_figures import RatioDeriver
from smartpark_ingest.derive_gauges import GaugeDeriver
from smartpark_ingest.derive_spans import floor_quarter
from smartpark_ingest.derive_vitals import DeriveVitals

_log = logging.getLogger(__name__)

POLL_S: Final = 1.0
"""Wait after a step that found nothing. [s]"""
GRACE_S: Final = 3.0
"""Time after a quarter-hour in which its last readings may arrive. [s]"""


@dataclass(slots=True)
class Totals:
    """What a worker has done."""

    steps: int = 0
    readings: int = 0
    intervals_changed: int = 0
    indicators_published: int = 0
    not_published: int = 0
    """Indicators of a park and day that lacked a factor."""

    def add(self, report: StepReport) -> None:
        """Count a step."""
        self.steps += 1
        self.readings += report.readings
        self.intervals_changed += report.intervals_changed
        self.indicators_published += report.indicators_published
        self.not_published += len(report.missing)


def default_steppers() -> list[Stepper]:
    """Everything that becomes stale by itself."""
    return [Deriver(), GaugeDeriver(), RatioDeriver()]


class DeriveWorker:
    """Derives until `stop` is set, or until nothing is stale."""

    def __init__(
        self,
        dsn: str,
        stop: threading.Event,
        *,
        clock: Callable[[], int] = utc_now_us,
        steppers: Sequence[Stepper] | None = None,
    ) -> None:
        self._stop = stop
        self._clock = clock
        self._database = PatientDatabase(dsn, application="smartpark derive", stop=stop, counters=Counters())
        self._steppers = default_steppers() if steppers is None else list(steppers)
        self._said = set[str]()
        self.totals = Totals()
        self.vitals = DeriveVitals(self.totals, self._database)

    def run(self) -> None:
        """Derive what is stale and what becomes so, until asked to stop."""
        try:
            _log.info("derive works on %s", self._database.run(describe_database).label)
            while not self._stop.is_set():
                self._let_readings_arrive()
                self.vitals.begin_round()
                if not self._round():
                    self.vitals.found_nothing()
                    self._stop.wait(POLL_S)
        except StoppedError as error:
            _log.warning("%s", error)
        finally:
            self.close()

    def run_once(self, progress: Callable[[StepReport], None] | None = None) -> None:
        """Derive until nothing is stale that no other worker has in hand."""
        try:
            while not self._stop.is_set() and self._round(progress):
                pass
            # What somebody else was numbering at that moment may have left ours out.
            self._number(wait=True)
        finally:
            self.close()

    def close(self) -> None:
        """Let go of the database."""
        self._database.close()

    def _round(self, progress: Callable[[StepReport], None] | None = None) -> bool:
        """Give everything its turn; says whether any of it found work."""
        found_work = False
        for stepper in self._steppers:
            report = self._step(stepper)
            found_work |= report.found_work
            if report.indicators_published:
                self._number(wait=False)
            if progress is not None and report.found_work:
                progress(report)
        # What others have published too: they may have ended before they came to number it.
        self._number(wait=False)
        return found_work

    def _number(self, *, wait: bool) -> None:
        """Give what is published its place in the feed; where another worker is just doing so, it is left to it."""
        self._database.run(lambda connection: number_publications(connection, wait=wait))

    def _step(self, stepper: Stepper) -> StepReport:
        began_s = time.perf_counter()
        report = self._database.run(lambda connection: stepper.step(connection, now_us=self._clock()))
        self.vitals.stepped(type(stepper).__name__, time.perf_counter() - began_s, found_work=report.found_work)
        self.totals.add(report)
        if report.intervals_changed or report.indicators_published:
            _log.info(
                "%d points: %d quarter-hours changed, %d indicator revisions published",
                len(report.points),
                report.intervals_changed,
                report.indicators_published,
            )
        for message in report.missing:
            self._say_once(message)
        return report

    def _say_once(self, message: str) -> None:
        if message not in self._said:
            self._said.add(message)
            _log.warning("not published: %s", message)

    def _let_readings_arrive(self) -> None:
        left_s = grace_left_s(self._clock())
        if left_s > 0:
            self._stop.wait(left_s)


def grace_left_s(now_us: int) -> float:
    """How long the quarter-hour that ended last is still given; not positive when it has had its time, in seconds."""
    return GRACE_S - (now_us - floor_quarter(now_us)) / MICROSECONDS
