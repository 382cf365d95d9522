"""The process that pulls many sources for good: one thread each, at times of their own, none waiting for another.

What goes wrong with one source is said, kept with it and tried again; it stops no other. Ends when it is asked to,
after the page in hand.
"""

import logging
import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from smartpark.errors import SmartparkError
from smartpark.exposition import Family, Kind, by_label
from smartpark.vitals import Pulse

from smartpark_ingest.counters import Counters
from smartpark_ingest.database import PatientDatabase, StoppedError
from smartpark_ingest.province import patience as waiting
from smartpark_ingest.province.client import SourceClient
from smartpark_ingest.province.pulling import Database, Pull, PullReport
from smartpark_ingest.province.sources import Source

_log = logging.getLogger(__name__)
STUCK_S: Final = 900.0


@dataclass(slots=True)
class SourceCount:
    """What a thread has done, read by others."""

    pulls: int = 0
    rows: int = 0
    new: int = 0
    failures: int = 0
    retries: int = 0
    bytes: int = 0
    complete_s: float | None = None
    """When all there was had been pulled last. [s, monotonic]"""
    trouble: str = ""

    def add(self, report: PullReport) -> None:
        """Count a pull that came to its end."""
        self.pulls += 1
        self.rows += report.rows
        self.new += report.new
        self.bytes += report.bytes
        self.complete_s, self.trouble = time.monotonic(), ""


class ProvinceWorker:
    """Pulls each source every so often until `stop` is set."""

    def __init__(self, dsn: str, sources: Sequence[Source], stop: threading.Event) -> None:
        self._dsn, self._sources, self._stop = dsn, sources, stop
        self.counts = {source.name: SourceCount() for source in sources}
        self.vitals = ProvinceVitals(self.counts)

    def run(self) -> None:
        """Pull until asked to stop."""
        threads = [
            threading.Thread(target=self._keep_pulling, args=(source,), name=f"pull {source.name}")
            for source in self._sources
        ]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            self.vitals.pulse.beat()
            for thread in threads:
                thread.join(timeout=0.5)

    def _keep_pulling(self, source: Source) -> None:
        count = self.counts[source.name]
        database = PatientDatabase(
            self._dsn, application=f"smartpark province {source.name}"[:63], stop=self._stop, counters=Counters()
        )
        patience = waiting.Patience(self._stop)
        try:
            with SourceClient(source) as client:
                pull = Pull(source, client, Database(database.run), patience)
                # Many sources that start together are not asked in the same second.
                self._stop.wait(random.uniform(0, min(source.every_s, 5.0)))  # noqa: S311  spreads load, hides nothing
                while not self._stop.is_set():
                    self._pull_once(source, pull, count)
                    count.retries = patience.retries
                    self._stop.wait(source.every_s)
        except (waiting.StoppedError, StoppedError) as error:
            _log.info("source %s: %s", source.name, error)
        finally:
            database.close()

    def _pull_once(self, source: Source, pull: Pull, count: SourceCount) -> None:
        try:
            report = pull.run()
        except (waiting.StoppedError, StoppedError):
            raise
        except SmartparkError as error:
            count.failures, count.trouble = count.failures + 1, str(error)
            _log.error("source %s: %s", source.name, error)
        except Exception as error:  # noqa: BLE001  a source's edge: what nobody thought of is asked again as well
            count.failures, count.trouble = count.failures + 1, f"{type(error).__name__}: {error}"[:500]
            _log.exception("source %s: it answers what nobody thought of", source.name)
        else:
            count.add(report)
            if report.new:
                _log.info(
                    "source %s: %d rows, %d new, %d pages, %.1f s",
                    *(source.name, report.rows, report.new, report.pages, report.seconds),
                )


class ProvinceVitals:
    """What the worker says at its port."""

    def __init__(self, counts: dict[str, SourceCount]) -> None:
        self._counts = counts
        self.pulse = Pulse("the watch over the sources", STUCK_S)

    def ailments(self) -> list[str]:
        """A watch that stands still."""
        return self.pulse.ailments()

    def obstacles(self) -> list[str]:
        """Sources that cannot be pulled just now."""
        return [f"source {name}: {count.trouble}" for name, count in self._counts.items() if count.trouble]

    def families(self) -> Iterator[Family]:
        """Everything, by source."""
        for metric, meaning, read in _COUNTED:
            samples = {name: read(count) for name, count in self._counts.items()}
            yield by_label(Kind.COUNTER, f"smartpark_province_{metric}", meaning, samples, label="source")
        now_s = time.monotonic()
        ages = {n: now_s - count.complete_s for n, count in self._counts.items() if count.complete_s is not None}
        yield by_label(
            Kind.GAUGE,
            "smartpark_province_complete_age_seconds",
            "How long ago all there was at a source had been pulled.",
            ages,
            label="source",
        )


_COUNTED: Final[tuple[tuple[str, str, Callable[[SourceCount], float]], ...]] = (
    ("pulls_total", "Pulls that came to their end.", lambda count: count.pulls),
    ("rows_total", "Rows that came.", lambda count: count.rows),
    ("new_rows_total", "Rows that were not stored yet.", lambda count: count.new),
    ("failures_total", "Pulls that a person has to look at.", lambda count: count.failures),
    ("retries_total", "Questions that were asked again.", lambda count: count.retries),
    ("bytes_total", "Bytes of answers, before compression.", lambda count: count.bytes),
)
