"""The spool: what an agent has accepted and the database does not hold yet, safe on the agent's own disk.

The flow. A group of device messages becomes one transaction: new aliases, readings, dead letters, counters. Small
amounts go in as *pieces*; when enough have come together, or a second has passed, they are *sealed* into a batch
with a number, and that batch is published until ingest acknowledges its number. Acknowledged batches are kept for a
while as the memory that recognises repeated messages, then their newest readings per point go to `recent` and the
rows away. One thread writes; the publisher reads over a connection of its own (`SpoolReader`).

Batches and pieces carry a CRC-32. What a disk has altered is taken out, counted and named, never sent: SQLite's own
check sees the structure of a file, not a bit that flips in a reading.

It does not decide what a duplicate is (`memory`), and it never waits: a full disk is the caller's to wait for.
"""

import logging
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Final

from smartpark.clock import from_us, to_us
from smartpark.measurands import Measurand
from smartpark.wire import BirthPoint, pack_columns

from smartpark_edge.choices import WhenFull
from smartpark_edge.spool_file import (
    SQL,
    SpoolCorruptError,
    identity,
    lock_spool,
    open_writer,
    translate_sqlite,
)
from smartpark_edge.spool_records import (
    ROW_BYTES,
    Addition,
    Counters,
    Dropped,
    Letter,
    Row,
    Stored,
    checksum,
    count_damage,
    count_loss,
    unpack_rows,
)

_log = logging.getLogger(__name__)

ROW_OVERHEAD: Final = 96
"""Bytes that SQLite needs for a batch beside its body, roughly."""
KEPT_READINGS: Final = 100_000
"""Acknowledged readings that stay as memory of what was said."""
RECENT_PER_POINT: Final = 16
_DOUBLE: Final = 127
_LAST_NUMBER: Final = 2**63 - 1


class Spool:
    """The writer's side. Not for two threads at once."""

    def __init__(self, path: Path, *, limit_bytes: int, when_full: WhenFull, now: datetime) -> None:
        self.path = path
        self.limit_bytes = limit_bytes
        self.when_full = when_full
        self._lock = lock_spool(path)
        was_there = path.exists()
        try:
            self._db, self.alarm = open_writer(path, now)
        except BaseException:  # whatever it was, Ctrl-C included: a lock left behind would keep the next agent out
            self._lock.close()
            raise
        self._identity = identity(path)
        with translate_sqlite():
            self.boot = int(self._db.execute(SQL["get_meta"], ("boot",)).fetchone()[0])
            self._first = self._first_number(to_us(now)) if was_there else 1
            self.counters = Counters(*self._db.execute(SQL["counters"]).fetchone())
            self.aliases = {(p.point, p.exponent): p for p in _read_aliases(self._db)}
            self.subscriptions: dict[str, frozenset[str]] = {}
            """Topics that each source's session at its broker was last subscribed to."""
            for source, topic in self._db.execute(SQL["subscriptions"]).fetchall():
                self.subscriptions[source] = self.subscriptions.get(source, frozenset()) | {topic}

    def _first_number(self, now_us: int) -> int:
        """Where this opening of the file begins to number its batches.

        The file may be a backup, put back after its original went on: the next numbers are then in ingest's ledger
        or below its floor, and what is new would be acknowledged without being stored. Nothing in the file tells (an
        inode is given again, a device's number changes with a boot), so every opening begins at the microseconds of
        the clock: above all that an earlier opening reached, for nobody seals a batch each microsecond. Batches of
        before keep their numbers: their content is the same in every copy, and the ledger knows it.
        """
        return max(now_us, self._db.execute(SQL["last_sequence"]).fetchone()[0] + 1)

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()
        self._lock.close()

    def birth_points(self) -> tuple[BirthPoint, ...]:
        """Every alias that was ever bound here: a batch in the spool may need it."""
        return tuple(self.aliases.values())

    def open_rows(self, *, history: bool) -> list[Row]:
        """Readings of one stream that are safe and not yet in a batch; what is damaged of them is given up."""
        with translate_sqlite():
            pieces = self._db.execute(SQL["pieces"], (int(history),)).fetchall()
        rows: list[Row] = []
        for piece, count, first_time, last_time, crc, body in pieces:
            if crc == checksum(body, int(history), count, first_time, last_time):
                rows += unpack_rows(body)
            else:
                self._give_up_piece(piece, len(body), Dropped(count, 0, first_time, last_time))
        return rows

    def _give_up_piece(self, piece: int, size: int, lost: Dropped) -> None:
        with self._transaction() as counters:
            self._db.execute(SQL["forget_piece"], (piece,))
            counters.pending_readings -= lost.readings
            counters.pending_bytes -= size
            count_damage(counters, lost)
        self._report_damage(lost)

    def give_up_damaged(self, sequence: int) -> None:
        """Take out a pending batch that is no longer what was written; one that is sound, or gone, is left alone."""
        with self._transaction() as counters:
            found = self._db.execute(SQL["one_pending"], (sequence,)).fetchone()
            if found is None or (stored := Stored(*found)).is_sound:
                return
            self._db.execute(SQL["forget"], (sequence,))
            counters.pending_batches -= 1
            counters.pending_readings -= stored.readings
            counters.pending_bytes -= len(stored.body) + ROW_OVERHEAD
            lost = Dropped(stored.readings, stored.kind, stored.first_time, stored.last_time)
            count_damage(counters, lost)
        self._report_damage(lost)

    def _report_damage(self, lost: Dropped) -> None:
        _log.error(
            "spool %s: the disk has altered what was written; lost %d readings and %d dead letters, %s to %s",
            self.path.name,
            lost.readings,
            lost.letters,
            from_us(lost.first_time).isoformat(),
            from_us(lost.last_time).isoformat(),
        )

    def remembered(self, limit: int) -> Iterator[Row]:
        """What was said of late, oldest first: `recent`, then the newest `limit` readings of the batches."""
        with translate_sqlite():
            for alias, crc, body in self._db.execute(SQL["recent"]).fetchall():
                if crc != checksum(body, alias):
                    continue  # it only helps to recognise what is said again
                yield from ((alias, status, time, value) for _, status, time, value in unpack_rows(body))
            bodies: list[bytes] = []
            cursor = self._db.execute(SQL["newest_readings"])
            for count, first_time, last_time, crc, body in cursor:
                if crc == checksum(body, 0, count, first_time, last_time):
                    bodies.append(body)
                limit -= count
                if limit <= 0:
                    break
            cursor.close()
        for body in reversed(bodies):
            yield from unpack_rows(body)

    def waiting_letters(self, limit: int) -> list[Letter]:
        """Dead letters that nobody has acknowledged, the newest of them, oldest first."""
        with translate_sqlite():
            bodies = self._db.execute(SQL["pending_letters"], (limit,)).fetchall()
        letters: list[Letter] = []
        for (body,) in reversed(bodies):
            with suppress(ValueError, TypeError):  # altered by the disk: the publisher will find that, and say so
                letters.append(Letter.unpack(body))
        return letters

    def add(self, addition: Addition, now_us: int) -> Dropped | None:
        """Make it safe, all or nothing; `SpoolUnavailableError` leaves file and counters as they were."""
        with self._transaction() as counters:
            for point in addition.aliases:
                exponent = _DOUBLE if point.exponent is None else point.exponent
                self._db.execute(SQL["add_alias"], (point.alias, point.point, point.measurand.value, exponent))
            for history in {history for history, _ in addition.sealed}:
                self._forget_pieces(counters, history=history)
            for history, rows in addition.pieces:
                body, times = pack_columns(rows), [row[2] for row in rows]
                head = int(history), len(rows), min(times), max(times)
                self._db.execute(SQL["add_piece"], (*head, checksum(body, *head), body))
                counters.pending_readings += len(rows)
                counters.pending_bytes += ROW_BYTES * len(rows)
            for history, rows in addition.sealed:
                times = [row[2] for row in rows]
                self._insert(
                    counters, (0, int(history), len(rows), min(times), max(times), now_us), pack_columns(rows)
                )
            for letter in addition.letters:
                self._insert(counters, (1, 0, 0, letter.time, letter.time, now_us), letter.pack())
            counters.accepted += addition.accepted
            counters.duplicates += addition.duplicates
            counters.dead_letters += len(addition.letters)
            dropped = self._make_room(counters)
            # Before the commit: whoever reads the new batch must find its aliases in the next birth.
            self.aliases.update({(p.point, p.exponent): p for p in addition.aliases})
        return dropped

    def acknowledge(self, ranges: Iterable[tuple[int, int]]) -> list[int]:
        """Forget what the database holds; the sequences that were pending until now."""
        acknowledged: list[int] = []
        with self._transaction() as counters:
            for first, last in ranges:
                # Whatever is acknowledged beyond the numbers that SQLite has is none of ours.
                if first > _LAST_NUMBER or last < 0:
                    continue
                first, last = max(first, 0), min(last, _LAST_NUMBER)  # noqa: PLW2901
                for sequence, kind, count, size in self._db.execute(SQL["pending_in"], (first, last)).fetchall():
                    acknowledged.append(sequence)
                    self._settle(counters, sequence, kind, count, size)
            if counters.kept_readings > 1.2 * KEPT_READINGS:
                self._trim(counters, KEPT_READINGS)
        return acknowledged

    def save_rate(self, bytes_per_second: float | None) -> None:
        """Remember how fast it fills, for who asks while the agent runs."""
        with self._transaction() as counters:
            counters.bytes_per_second = bytes_per_second

    def remember_subscriptions(self, source: str, topics: Sequence[str]) -> None:
        """Note them, so that a later configuration can take them back."""
        with self._transaction():
            self._db.execute(SQL["forget_subscriptions"], (source,))
            self._db.executemany(SQL["add_subscription"], [(source, topic) for topic in topics])
        self.subscriptions[source] = frozenset(topics)

    def check_in_place(self) -> None:
        """`SpoolCorruptError` when the file was removed or replaced: what we write would be gone with our process."""
        if identity(self.path) != self._identity:
            raise SpoolCorruptError(f"spool: {self.path} was removed or replaced while the agent ran")

    def _transaction(self) -> "_Transaction":
        return _Transaction(self, self._db)

    def _insert(self, counters: Counters, head: Sequence[int], body: bytes) -> None:
        kind, _, count, first_time, last_time, _ = head
        self._db.execute(
            SQL["add_batch"], (self._first, *head, checksum(body, kind, count, first_time, last_time), body)
        )
        counters.pending_batches += 1
        counters.pending_readings += count
        counters.pending_bytes += len(body) + ROW_OVERHEAD

    def _forget_pieces(self, counters: Counters, *, history: bool) -> None:
        count, size = self._db.execute(SQL["count_pieces"], (int(history),)).fetchone()
        counters.pending_readings -= count
        counters.pending_bytes -= size
        self._db.execute(SQL["forget_pieces"], (int(history),))

    def _settle(self, counters: Counters, sequence: int, kind: int, count: int, size: int) -> None:
        counters.pending_batches -= 1
        counters.pending_readings -= count
        counters.pending_bytes -= size + ROW_OVERHEAD
        if kind == 0:
            self._db.execute(SQL["keep"], (sequence,))
            counters.kept_readings += count
            counters.kept_bytes += size + ROW_OVERHEAD
        else:
            self._db.execute(SQL["forget"], (sequence,))

    def _trim(self, counters: Counters, keep: int) -> None:
        """Delete the oldest acknowledged batches; their newest readings per point go to `recent`."""
        newest: dict[int, list[Row]] = {}
        after = 0
        while counters.kept_readings > keep:
            oldest = self._db.execute(SQL["oldest_kept"], (after,)).fetchall()
            if not oldest:
                break
            for sequence, count, size, first_time, last_time, crc, body in oldest:
                if counters.kept_readings <= keep:
                    break
                is_sound = crc == checksum(body, 0, count, first_time, last_time)
                for row in unpack_rows(body) if is_sound else ():
                    newest.setdefault(row[0], []).append(row)
                self._db.execute(SQL["forget"], (sequence,))
                counters.kept_readings -= count
                counters.kept_bytes -= size + ROW_OVERHEAD
                after = sequence
        self._remember_recent(newest)

    def _remember_recent(self, newest: Mapping[int, list[Row]]) -> None:
        for alias, rows in newest.items():
            self._merge_recent(alias, rows)

    def _merge_recent(self, alias: int, rows: list[Row]) -> None:
        if len(rows) < RECENT_PER_POINT:
            known = self._db.execute(SQL["recent_of"], (alias,)).fetchone()
            if known is not None and known[0] == checksum(known[1], alias):
                rows = [*unpack_rows(known[1]), *rows]
        body = pack_columns(rows[-RECENT_PER_POINT:])
        self._db.execute(SQL["set_recent"], (alias, checksum(body, alias), body))

    def _make_room(self, counters: Counters) -> Dropped | None:
        """Bring the spool below its limit: memory first, then by policy; what is lost is counted and named."""
        if counters.bytes <= self.limit_bytes:
            return None
        self._trim(counters, 0)
        if counters.bytes <= self.limit_bytes:
            return None
        if self.when_full is WhenFull.DROP_NEWEST:
            return None  # has_room() and fitting() have kept the news out; sealing what is here may go a little over
        dropped = self._drop_oldest(counters, goal=int(self.limit_bytes * 0.95))
        if not dropped.readings and not dropped.letters:
            return None  # what is not in a batch yet is never given up
        count_loss(counters, dropped)
        return dropped

    def _drop_oldest(self, counters: Counters, *, goal: int) -> Dropped:
        """Give up pending batches; what was sent may be stored all the same, so it is not forgotten altogether."""
        newest: dict[int, list[Row]] = {}
        readings = letters = 0
        first: list[int] = []
        last: list[int] = []
        while counters.bytes > goal:
            oldest = self._db.execute(SQL["oldest_pending"]).fetchall()
            for sequence, kind, count, size, first_time, last_time, crc, body in oldest:
                if counters.bytes <= goal:
                    break
                if kind == 0 and crc == checksum(body, kind, count, first_time, last_time):
                    for row in unpack_rows(body):
                        newest.setdefault(row[0], []).append(row)
                self._db.execute(SQL["forget"], (sequence,))
                counters.pending_batches -= 1
                counters.pending_readings -= count
                counters.pending_bytes -= size + ROW_OVERHEAD
                readings += count
                letters += kind
                first.append(first_time)
                last.append(last_time)
            if not oldest:
                break
        self._remember_recent(newest)
        return Dropped(readings, letters, min(first, default=0), max(last, default=0))

    def has_room(self, readings: int) -> bool:
        """Whether readings may come in: always, unless the policy is to keep what is there."""
        return self.when_full is WhenFull.DROP_OLDEST or self._room_beside(readings) >= 0

    def fitting(self, letters: list[Letter], *, readings: int) -> tuple[list[Letter], list[Letter]]:
        """Dead letters that may come in beside so many readings, and those for which there is no room."""
        if self.when_full is WhenFull.DROP_OLDEST or not letters:
            return letters, []
        room = self._room_beside(readings)
        taken: list[Letter] = []
        refused: list[Letter] = []
        for letter in letters:
            size = len(letter.pack()) + ROW_OVERHEAD
            if size <= room:
                room -= size
                taken.append(letter)
            else:
                refused.append(letter)
        return taken, refused

    def _room_beside(self, readings: int) -> int:
        return self.limit_bytes - self.counters.pending_bytes - ROW_BYTES * readings - ROW_OVERHEAD

    def refuse(self, dropped: Dropped) -> None:
        """Count what a full spool did not take."""
        with self._transaction() as counters:
            count_loss(counters, dropped)


class _Transaction:
    """All or nothing, counters included."""

    def __init__(self, spool: Spool, db: sqlite3.Connection) -> None:
        self._spool, self._db = spool, db
        self._counters = spool.counters.copy()

    def __enter__(self) -> Counters:
        with translate_sqlite():
            self._db.execute("BEGIN IMMEDIATE")
        return self._counters

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if kind is not None:
            self._roll_back()
            if isinstance(error, sqlite3.Error):
                with translate_sqlite():
                    raise error
            return
        try:
            self._spool.check_in_place()
            with translate_sqlite():
                self._db.execute(SQL["set_counters"], self._counters.values())
                self._db.execute("COMMIT")
        except BaseException:  # all or nothing, Ctrl-C included; raised again
            self._roll_back()
            raise
        self._spool.counters = self._counters

    def _roll_back(self) -> None:
        # After some errors (disk full) SQLite has rolled back by itself.
        if self._db.in_transaction:
            self._db.execute("ROLLBACK")


def _read_aliases(db: sqlite3.Connection) -> Iterator[BirthPoint]:
    for alias, point, measurand, exponent in db.execute(SQL["aliases"]).fetchall():
        yield BirthPoint(
            alias=alias,
            point=point,
            measurand=Measurand(measurand),
            exponent=None if exponent == _DOUBLE else exponent,
        )
