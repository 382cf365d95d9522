"""The one thread that writes an agent's spool: map, judge, write, commit; only then is the device told.

Sources hand over *work*; the recorder takes what has gathered (a group), maps it, sets repeated readings aside,
writes the rest in one transaction, and after the commit calls each work's `done`, which acknowledges the message
to the device's broker. When the disk refuses, it holds the group and tries again: nothing is acknowledged, the
queue fills, and the brokers keep what they have. Acknowledgements from ingest come through the same queue,
because only this thread writes.

It opens no connection to anything but the spool.
"""

import logging
import queue
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from smartpark.clock import from_us, utc_now_us
from smartpark.errors import SmartparkError
from smartpark.status import is_bad
from smartpark.vitals import Pulse
from smartpark.wire import Ack, BirthPoint

from smartpark_edge.health import SourceHealth
from smartpark_edge.mapping import MALFORMED
from smartpark_edge.memory import LETTERS, LetterMemory, PointMemory, Verdict
from smartpark_edge.meters import Meters
from smartpark_edge.readings import Mapped, Point, Reading, Trouble
from smartpark_edge.spool import Spool
from smartpark_edge.spool_file import SpoolCorruptError, SpoolUnavailableError
from smartpark_edge.spool_records import Addition, Dropped, Row
from smartpark_edge.work import Work, letter_of

_log = logging.getLogger(__name__)

CONFLICT: Final = "conflicting_value"
_MISMAPPED: Final = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
"""What stumbling over a message may raise; trouble with the spool or with memory is none of these."""
GROUP: Final = 2_000
"""Works in one transaction at most."""
QUEUE: Final = 20_000
REBUILD_READINGS: Final = 500_000
STUCK_S: Final = 120.0
"""A thread that has not come round for so long never will: a disk that hangs counts. [s]"""


@dataclass(slots=True, eq=False)
class _Known:
    """What the recorder knows of a point."""

    alias: int
    memory: PointMemory


@dataclass(frozen=True, slots=True)
class Pace:
    """When to seal a batch, and what counts as history."""

    max_readings: int = 2_000
    max_delay_s: float = 1.0
    history_after_s: float = 300.0
    """A reading older than this when it comes in is a logger's history, not news."""
    memory_per_point: int = 2_048


@dataclass(slots=True)
class _Stream:
    """Readings of one stream (live or history) that wait to be sealed."""

    history: bool
    rows: list[Row] = field(default_factory=list[Row])
    since: float = 0.0
    """Monotonic time of the oldest."""


class Recorder(threading.Thread):
    """Writes the spool of one agent."""

    def __init__(
        self, spool: Spool, pace: Pace, *, on_change: Callable[[], None], meters: Meters | None = None
    ) -> None:
        super().__init__(name=f"recorder-{spool.path.stem}", daemon=True)
        self.spool = spool
        self.pace = pace
        self._on_change = on_change
        self._meters = meters or Meters()
        self.pulse = Pulse("the recorder", STUCK_S)
        self._queue: queue.Queue[Work | Callable[[], None]] = queue.Queue(QUEUE)
        self._stopping = threading.Event()
        self._known: dict[Point, _Known] = {}
        self._by_key: dict[tuple[str, int | None], _Known] = {}
        self._refused = LetterMemory()
        self.trouble = ""
        """Why the spool cannot be written just now."""
        self.failure: BaseException | None = None
        """Why the thread ended, when it was not asked to."""
        self._abandoned = threading.Event()
        self.broken = threading.Event()
        self._streams = tuple(_Stream(h, spool.open_rows(history=h), time.monotonic()) for h in (False, True))
        self._rebuild()

    def submit(self, work: Work, *, timeout: float | None = None) -> bool:
        """Hand over; waits for room at most `timeout` seconds (None: not at all) and says whether there was."""
        try:
            self._queue.put(work, block=timeout is not None, timeout=timeout)
        except queue.Full:
            return False
        return True

    def call(self, action: Callable[[], None]) -> None:
        """Run something in the writing thread (ingest's acknowledgement, say); waits for room in the queue."""
        while not (self._stopping.is_set() or self.broken.is_set()):
            try:
                self._queue.put(action, timeout=0.5)
            except queue.Full:
                continue
            return

    def acknowledge(self, ack: Ack, then: Callable[[list[int]], None]) -> None:
        """Forget what ingest holds; `then` hears which batches that were."""
        if ack.boot == self.spool.boot:
            self.call(lambda: then(self.spool.acknowledge(ack.committed)))

    def give_up_damaged(self, sequence: int) -> None:
        """The publisher found a batch altered by the disk."""
        self.call(lambda: self.spool.give_up_damaged(sequence))

    @property
    def backlog(self) -> int:
        """Works not yet written."""
        return self._queue.qsize()

    def stop(self) -> None:
        """Write what is in hand and end."""
        self._stopping.set()
        if self.is_alive():
            self.join(timeout=30)

    def abandon(self, error: SpoolCorruptError) -> None:
        """Somebody who reads the spool found it damaged: write no more into it, tell no device that it is safe."""
        self.failure = error
        self._abandoned.set()
        self._stopping.set()
        _log.error("recorder of %s gives up: %s", self.spool.path.name, error)

    def run(self) -> None:
        """Gather and write until stopped."""
        try:
            while not self._abandoned.is_set() and not (self._stopping.is_set() and self._queue.empty()):
                self._turn()
            if not self._abandoned.is_set():
                self._write([], seal=True)
        except Exception as error:  # noqa: BLE001  the thread's edge: the agent hears of it and starts afresh
            self.failure = self.failure or error
            unexpected = None if isinstance(error, SmartparkError) else error
            _log.error("recorder of %s stopped: %s", self.spool.path.name, error, exc_info=unexpected)
        finally:
            self.broken.set()

    def _turn(self) -> None:
        self.pulse.beat()
        works, actions = self._gather()
        for action in actions:
            self._persist(action)
        self._write(works, seal=False)

    def _gather(self) -> tuple[list[Work], list[Callable[[], None]]]:
        works: list[Work] = []
        actions: list[Callable[[], None]] = []
        try:
            item = self._queue.get(timeout=self._patience())
            while True:
                (actions if callable(item) else works).append(item)  # pyright: ignore[reportArgumentType]  one of the two
                if len(works) >= GROUP:
                    break
                item = self._queue.get_nowait()
        except queue.Empty:
            pass
        return works, actions

    def _patience(self) -> float:
        """Seconds until the next stream has to be sealed."""
        due = min((s.since + self.pace.max_delay_s for s in self._streams if s.rows), default=time.monotonic() + 0.5)
        return min(max(due - time.monotonic(), 0.001), 0.5)

    def _write(self, works: list[Work], *, seal: bool) -> None:
        news = (list[Row](), list[Row]())
        addition = Addition()
        for work in works:
            self._take(work, addition, news)
        self._refuse_what_does_not_fit(news, addition)
        sealed = [
            self._seal(stream, rows, addition, seal=seal) for stream, rows in zip(self._streams, news, strict=True)
        ]
        if works or any(sealed):
            self._persist(lambda: self._add(addition))
        for work in works:
            work.done()
        if any(sealed) or addition.letters:
            self._on_change()

    def _add(self, addition: Addition) -> None:
        began = time.perf_counter()
        dropped = self.spool.add(addition, utc_now_us())
        self._meters.commit.observe(time.perf_counter() - began)
        for _, rows in addition.sealed:
            self._meters.batch.observe(len(rows))
        if dropped is not None:
            self._report(dropped, "the oldest batches made room")

    def _persist(self, action: Callable[[], None]) -> None:
        """Do something to the spool; while the disk refuses, wait and try again."""
        wait = 0.05
        while True:
            self.pulse.beat()
            try:
                action()
            except SpoolUnavailableError as error:
                self.trouble = str(error)
                if wait == 0.05:
                    _log.warning("%s; will try again, nothing is acknowledged meanwhile", error)
                # Stopping does not wait for a full disk: nothing was acknowledged, so it will be sent again.
                if self._stopping.wait(wait):
                    raise
                wait = min(wait * 2, 5.0)
            else:
                self.trouble = ""
                return

    def _take(self, work: Work, addition: Addition, news: tuple[list[Row], list[Row]]) -> None:
        troubles: dict[str, list[str]] = {}
        for mapped in _mapped(work):
            self._count(work.health, mapped, work.arrival)
            for reason, detail in mapped.troubles:
                troubles.setdefault(reason, []).append(detail)
            if work.repeated and mapped.stamped_on_arrival and self._said_last(mapped.readings):
                addition.duplicates += len(mapped.readings)
                continue
            for reading in mapped.readings:
                conflict = self._judge(reading, work.arrival, addition, news)
                if conflict:
                    troubles.setdefault(CONFLICT, []).append(conflict)
        if troubles:
            self._refuse(work, troubles, addition)

    def _refuse(self, work: Work, troubles: dict[str, list[str]], addition: Addition) -> None:
        """Make dead letters of what could not be taken, unless the broker says that it repeats what became some."""
        payload = work.raw()
        if work.repeated and self._refused.knows(work.topic, payload):
            addition.duplicates += 1
            return
        self._refused.remember(work.topic, payload)
        for reason, details in troubles.items():
            work.health.problems += 1
            addition.letters.append(letter_of(work, reason, details))

    def _judge(
        self, reading: Reading, arrival: int, addition: Addition, news: tuple[list[Row], list[Row]]
    ) -> str | None:
        """Sort one reading in; the sentence for a dead letter when it contradicts an earlier one."""
        point, status, instant, value = reading
        known = self._known.get(point) or self._introduce(point, addition)
        verdict = known.memory.judge(instant, value, status)
        if verdict is Verdict.NEW:
            history = arrival - instant > self.pace.history_after_s * 1e6
            news[history].append((known.alias, status, instant, value))
            addition.accepted += 1
            return None
        if verdict is Verdict.DUPLICATE:
            addition.duplicates += 1
            return None
        return f"{point.key} said something else at {from_us(instant).isoformat()}"

    def _said_last(self, readings: list[Reading]) -> bool:
        """Whether each point last said exactly this: a redelivery that only the arrival would tell apart."""
        for point, status, _, value in readings:
            known = self._known.get(point) or self._by_key.get((point.key, point.exponent))
            if known is None or known.memory.last != ((value, status) if status else value):
                return False
        return True

    def _introduce(self, point: Point, addition: Addition) -> _Known:
        key = (point.key, point.exponent)
        known = self._by_key.get(key)
        if known is None:
            alias = self._fresh_alias()
            known = self._by_key[key] = _Known(alias, PointMemory(self.pace.memory_per_point))
            addition.aliases.append(
                BirthPoint(alias=alias, point=point.key, measurand=point.measurand, exponent=point.exponent)
            )
        self._known[point] = known
        return known

    def _fresh_alias(self) -> int:
        """Not counted up: a spool restored from a backup would bind an alias of its lost life to another point."""
        taken = {known.alias for known in self._by_key.values()}
        while (alias := secrets.randbits(32)) in taken:
            pass
        return alias

    def _rebuild(self) -> None:
        """Remember what was said before this start, as far as the spool tells."""
        for (key, exponent), bound in self.spool.aliases.items():
            self._by_key[key, exponent] = _Known(bound.alias, PointMemory(self.pace.memory_per_point))
        by_alias = {known.alias: known for known in self._by_key.values()}
        rows = [*self.spool.remembered(REBUILD_READINGS), *(row for s in self._streams for row in s.rows)]
        for alias, status, instant, value in rows:
            by_alias[alias].memory.judge(instant, value, status)
        for letter in self.spool.waiting_letters(LETTERS):
            self._refused.remember(letter.topic, letter.payload)

    def _seal(self, stream: _Stream, news: list[Row], addition: Addition, *, seal: bool) -> bool:
        """Put a stream's news into batches when enough has come together or waited long enough."""
        now = time.monotonic()
        if not stream.rows:
            stream.since = now
        waiting = stream.rows + news
        full = len(waiting) >= self.pace.max_readings
        due = bool(waiting) and (seal or now - stream.since >= self.pace.max_delay_s)
        if not full and not due:
            if news:
                addition.pieces.append((stream.history, news))
            stream.rows = waiting
            return False
        step = self.pace.max_readings
        whole = len(waiting) if due else len(waiting) - len(waiting) % step
        addition.sealed += [(stream.history, waiting[i : min(i + step, whole)]) for i in range(0, whole, step)]
        stream.rows, stream.since = waiting[whole:], now
        if stream.rows:
            addition.pieces.append((stream.history, stream.rows))
        return True

    def _refuse_what_does_not_fit(self, news: tuple[list[Row], list[Row]], addition: Addition) -> None:
        """Keep the limit of a spool that is to keep what it has: readings first, dead letters in what they leave."""
        times = [row[2] for rows in news for row in rows]
        if times and not self.spool.has_room(len(times)):
            for rows in news:
                rows.clear()
        else:
            times = []
        addition.accepted -= len(times)
        coming = len(news[0]) + len(news[1])
        addition.letters, letters = self.spool.fitting(addition.letters, readings=coming)
        if not times and not letters:
            return
        instants = [*times, *(letter.time for letter in letters)]
        dropped = Dropped(len(times), len(letters), min(instants), max(instants))
        self._persist(lambda: self.spool.refuse(dropped))
        self._report(dropped, "the newest were not taken")

    def _report(self, dropped: Dropped, what: str) -> None:
        _log.error(
            "spool %s is full: %s; lost %d readings and %d dead letters, %s to %s",
            self.spool.path.name,
            what,
            dropped.readings,
            dropped.letters,
            from_us(dropped.first_time).isoformat(),
            from_us(dropped.last_time).isoformat(),
        )

    @staticmethod
    def _count(health: SourceHealth, mapped: Mapped, arrival: int) -> None:
        if mapped.ignored:
            health.ignored += 1
        if mapped.rounded - health.rounded:
            _log.warning("%s: values finer than their resolution: %s", health.name, sorted(mapped.rounded))
            health.rounded |= mapped.rounded
        readings = mapped.readings
        health.readings += len(readings)
        if mapped.stamped_on_arrival:
            health.arrival_times += len(readings)
        if readings and not is_bad(readings[-1].status):
            health.heard(max(readings[0].time, readings[-1].time), arrival)


def _mapped(work: Work) -> list[Mapped]:
    """What a work holds; what nobody foresaw is a dead letter too, for the message would come again and again."""
    try:
        return list(work.map())
    except _MISMAPPED as error:
        _log.exception("%s: message on %s could not be mapped", work.health.name, work.topic)
        return [Mapped(troubles=[Trouble(MALFORMED, f"could not be mapped: {error!r}")])]
