"""Requests by minute and route, counted in memory, and the thread that writes them down for the platform's own page.

A request is counted when it is answered, which costs a lock and a few additions: nobody who asks waits for the
database. Minutes are written when they are over. While the database is away they wait, so many and no more; what had
to be dropped leaves no trace that could be read as a minute without requests.
"""

import logging
import threading
from bisect import bisect_left
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Final
from uuid import uuid4

from smartpark.clock import utc_now
from smartpark.exposition import Family, counter, gauge
from smartpark_storage.traffic import BOUNDS_S, RouteCount, TrafficBatch, write_traffic

MOST_COUNTS: Final = 20_000
"""Of minutes and routes that wait: some megabytes, a day of a busy server."""
MOST_MINUTES: Final = 2_880
"""That wait, with requests or without."""
_MINUTE_S: Final = 60
_LOOK_S: Final = 10.0
"""How often it is looked whether a minute is over."""
_LAST_WORD_S: Final = 5.0
"""How long a server that ends waits for its last minutes to be written."""
_SERVER_ERROR, _CLIENT_ERROR = 500, 400
_log = logging.getLogger(__name__)


class TrafficCounts:
    """Minutes that are not written yet; several threads may count."""

    def __init__(
        self,
        *,
        clock: Callable[[], datetime] = utc_now,
        most_counts: int = MOST_COUNTS,
        most_minutes: int = MOST_MINUTES,
    ) -> None:
        self._clock, self._most_counts, self._most_minutes = clock, most_counts, most_minutes
        self._lock = threading.Lock()
        self._minutes: dict[datetime, dict[tuple[str, str], RouteCount]] = {}
        self._held = 0
        self.dropped = 0
        """Minutes that waited too long for the database."""

    @property
    def waiting(self) -> int:
        """How many minutes are held, the running one included."""
        return len(self._minutes)

    def be_there(self) -> None:
        """The process runs in this minute, whether or not somebody asks."""
        with self._lock:
            self._minute()

    def note(self, method: str, route: str, status: int, seconds: float) -> None:
        """One request is answered."""
        with self._lock:
            minute, counts = self._minute()
            one = counts.get((method, route))
            if one is None:
                zeros = [0] * (len(BOUNDS_S) + 1)
                one = counts[method, route] = RouteCount(minute, method, route, 0, 0, 0, 0.0, zeros)
                self._held += 1
            one.requests += 1
            one.server_errors += status >= _SERVER_ERROR
            one.client_errors += _CLIENT_ERROR <= status < _SERVER_ERROR
            one.seconds += seconds
            one.counts[bisect_left(BOUNDS_S, seconds)] += 1
            self._drop_oldest(minute)

    def take(self, *, with_running: bool = False) -> tuple[tuple[datetime, ...], tuple[RouteCount, ...]]:
        """Minutes that are over, and what was counted in them; they are held no longer."""
        with self._lock:
            running = _minute_of(self._clock())
            # What a clock that was set back has counted is over too.
            taken = sorted(minute for minute in self._minutes if with_running or minute != running)
            counted = tuple(one for minute in taken for one in self._minutes.pop(minute).values())
            self._held -= len(counted)
        return tuple(taken), counted

    def _minute(self) -> tuple[datetime, dict[tuple[str, str], RouteCount]]:
        minute = _minute_of(self._clock())
        counts = self._minutes.get(minute)
        if counts is None:
            counts = self._minutes[minute] = {}
            self._drop_oldest(minute)
        return minute, counts

    def _drop_oldest(self, running: datetime) -> None:
        while self._held > self._most_counts or len(self._minutes) > self._most_minutes:
            oldest = min(self._minutes)
            if oldest == running:
                return
            self._held -= len(self._minutes.pop(oldest))
            self.dropped += 1


def _minute_of(moment: datetime) -> datetime:
    seconds = int(moment.timestamp())
    return datetime.fromtimestamp(seconds - seconds % _MINUTE_S, UTC)


class TrafficWriter:
    """Writes minutes that are over, from a thread of its own; `write` is asked with the same until it has done it."""

    def __init__(
        self,
        counts: TrafficCounts,
        write: Callable[[TrafficBatch], object],
        *,
        look_s: float = _LOOK_S,
    ) -> None:
        self._counts, self._write, self._look_s = counts, write, look_s
        self._process, self._sequence = uuid4(), 0
        self._batch: TrafficBatch | None = None
        self._is_failing = False
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="api traffic", daemon=True)
        self.failures = 0
        """Attempts that did not work."""

    def start(self) -> None:
        """Begin."""
        self._counts.be_there()
        self._thread.start()

    def close(self, most_s: float = _LAST_WORD_S) -> None:
        """Write what there is, the running minute included, without waiting long for a database that is away."""
        self._over.set()
        if self._thread.ident is None:
            return
        self._thread.join(most_s)
        if self._thread.is_alive() or self._batch is not None:
            _log.warning("the last requests are not on record: the database did not take them in time")

    def flush(self, *, with_running: bool = False) -> bool:
        """Write what is over; whether nothing is left of it."""
        while True:
            if self._batch is None:
                minutes, counted = self._counts.take(with_running=with_running)
                if not minutes:
                    return True
                self._sequence += 1
                self._batch = TrafficBatch(self._process, self._sequence, minutes, counted)
            try:
                self._write(self._batch)
            except Exception as error:  # noqa: BLE001  the counts are kept, and a server goes on without them
                self._failed(error)
                return False
            self._batch = None
            if self._is_failing:
                self._is_failing = False
                _log.info("requests are on record again; %d minutes were dropped", self._counts.dropped)

    def families(self) -> Iterator[Family]:
        """As Prometheus gets to see them."""
        waiting = self._counts.waiting + (0 if self._batch is None else len(self._batch.minutes))
        yield gauge("smartpark_api_traffic_waiting_minutes", "Minutes of requests not written yet.", waiting)
        yield counter("smartpark_api_traffic_failures_total", "Attempts to write them that failed.", self.failures)
        yield counter("smartpark_api_traffic_dropped_total", "Minutes dropped unwritten.", self._counts.dropped)

    def _run(self) -> None:
        while not self._over.wait(self._look_s):
            self._counts.be_there()
            self.flush()
        self.flush(with_running=True)

    def _failed(self, error: Exception) -> None:
        self.failures += 1
        if not self._is_failing:
            self._is_failing = True
            why = str(error) or type(error).__name__
            _log.warning("requests cannot be put on record now, and are kept to be written later: %s", why)


def writer_to(dsn: str, counts: TrafficCounts) -> TrafficWriter:
    """Writer of one process."""
    return TrafficWriter(counts, lambda batch: write_traffic(dsn, batch))
