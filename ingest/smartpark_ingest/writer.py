"""Stores groups of batches and says which batches may be acknowledged.

A group is one transaction. When the database refuses it for what is in it (not for being away or busy), the group is
halved until the guilty batch stands alone; that one is stored under its number with every reading as a dead letter,
so that it is acknowledged, visible and replayable, and the others never notice.
"""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from smartpark.clock import utc_now, utc_now_us
from smartpark_storage import (
    Batch,
    BatchKey,
    Connection,
    DeadLetterRow,
    PreparedBatches,
    Registry,
    StoreResult,
    insert_dead_letters,
    prepare_batches,
    register_edge,
    store_prepared,
    transaction,
)

from smartpark_ingest.counters import Counters
from smartpark_ingest.database import PatientDatabase, is_fault_of_the_data
from smartpark_ingest.letters import row_letters
from smartpark_ingest.meters import Meters
from smartpark_ingest.outcomes import NO_ROWS, Admitted

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Commit:
    """What the database holds of one edge's boot now."""

    edge: str
    boot: int
    sequences: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Stored:
    """A group that is in the database."""

    commits: list[Commit]
    transactions: list[tuple[Sequence[Admitted], int]]
    """What each transaction brought, and how many of its readings were new."""
    committed_us: int


class Writer:
    """Writes what the desk let in; all but `prepare` and `note` in one thread."""

    def __init__(self, database: PatientDatabase, counters: Counters, meters: Meters | None = None) -> None:
        self._database = database
        self._counters = counters
        self._meters = meters or Meters()
        self._edge_ids: dict[str, int] = {}

    def edge_id(self, edge: str) -> int:
        """Number of an edge; registered on first sight."""
        if edge not in self._edge_ids:
            self._edge_ids[edge] = self._database.run(lambda connection: register_edge(connection, edge))
        return self._edge_ids[edge]

    def keep_letters(self, letters: Sequence[DeadLetterRow]) -> None:
        """Store letters that belong to no batch."""

        def work(connection: Connection) -> None:
            with transaction(connection):
                insert_dead_letters(connection, letters)

        if letters:
            self._database.run(work)
            self._counters.count_letters(letters)

    def prepare(self, admitted: Sequence[Admitted]) -> PreparedBatches | None:
        """Make a group ready in any thread, without the database; None while one of its edges is not registered."""
        if all(one.envelope.edge in self._edge_ids for one in admitted):
            return prepare_batches([self._batch(one) for one in admitted])
        return None

    def store(
        self, admitted: Sequence[Admitted], registry: Registry, prepared: PreparedBatches | None = None
    ) -> Stored:
        """Store batches, made ready or not; everything that is returned is committed."""
        transactions: list[tuple[Sequence[Admitted], int]] = []
        committed: dict[tuple[int, int], list[int]] = {}
        for key in self._store(admitted, registry, prepared, transactions):
            committed.setdefault((key.edge_id, key.boot), []).append(key.sequence)
        names = {number: edge for edge, number in self._edge_ids.items()}
        commits = [Commit(names[edge], boot, tuple(sorted(found))) for (edge, boot), found in committed.items()]
        return Stored(commits, transactions, utc_now_us())

    def note(self, stored: Stored) -> None:
        """Measure what was stored; in any thread, but one after the other."""
        for admitted, readings in stored.transactions:
            self._meters.committed(admitted, readings, now_us=stored.committed_us)

    def _store(
        self,
        admitted: Sequence[Admitted],
        registry: Registry,
        prepared: PreparedBatches | None,
        transactions: list[tuple[Sequence[Admitted], int]],
    ) -> list[BatchKey]:
        if not admitted:
            return []
        ready = prepared or prepare_batches([self._batch(one) for one in admitted])
        try:
            result = self._database.run(lambda connection: self._timed(connection, ready))
        except Exception as error:
            if not is_fault_of_the_data(error):
                raise
            return self._isolate(admitted, registry, transactions, error)
        self._count(result, ready)
        transactions.append((admitted, result.readings))
        return [*result.new, *result.known]

    def _timed(self, connection: Connection, prepared: PreparedBatches) -> StoreResult:
        began_s = time.perf_counter()
        result = store_prepared(connection, prepared, received_at=utc_now())
        self._meters.commit.observe(time.perf_counter() - began_s)
        return result

    def _isolate(
        self,
        admitted: Sequence[Admitted],
        registry: Registry,
        transactions: list[tuple[Sequence[Admitted], int]],
        error: Exception,
    ) -> list[BatchKey]:
        if len(admitted) > 1:
            middle = len(admitted) // 2
            halves = admitted[:middle], admitted[middle:]
            return [key for half in halves for key in self._store(half, registry, None, transactions)]
        (culprit,) = admitted
        if not culprit.rows.size:
            raise error  # refused although it holds nothing but letters: that is a bug, not data
        return self._store([self._as_letters(culprit, registry, error)], registry, None, transactions)

    def _as_letters(self, culprit: Admitted, registry: Registry, error: Exception) -> Admitted:
        envelope = culprit.envelope
        reason = f"refused by the database: {str(error).splitlines()[0] if str(error) else type(error).__name__}"
        _log.error("batch %d of edge %s %s", envelope.sequence, envelope.edge, reason)
        self._counters.poison_batches += 1
        points = {key: (record.key, record.exponent) for key, record in registry.by_id.items()}
        letters = tuple(row_letters(envelope, culprit.rows, points, reason))
        return replace(culprit, rows=NO_ROWS, letters=(*culprit.letters, *letters))

    def _batch(self, one: Admitted) -> Batch:
        envelope = one.envelope
        return Batch(
            edge_id=self.edge_id(envelope.edge),
            boot=envelope.boot,
            sequence=envelope.sequence,
            floor=one.floor,
            readings=one.rows,
            dead=one.letters,
        )

    def _count(self, result: StoreResult, prepared: PreparedBatches) -> None:
        self._counters.transactions += 1
        self._counters.batches_new += len(result.new)
        self._counters.batches_known += len(result.known)
        self._counters.readings += result.readings
        new = set(result.new)
        self._counters.count_letters(letter for b in prepared.batches if b.dead and b.key in new for letter in b.dead)
