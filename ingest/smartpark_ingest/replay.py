"""Lets dead letters in again, after the catalogue has been mended; each reading exactly once.

A letter goes through the same admission as on its first day, judged by the time at which it arrived then. What is
let in is stored under a number of its own in the ledger (the edge's, boot `REPLAY_BOOT`, the letter's id), and marked
as replayed afterwards: whoever is interrupted in between, or replays at the same moment as somebody else, finds the
number in the ledger and stores nothing twice.

Only letters of single readings can be let in. A whole message that could not be read stays unreadable; the raw
message of a device is for its edge's mapping to understand, once the device says it again.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray
from smartpark.clock import to_us, utc_now
from smartpark.wire import JsonReading
from smartpark_storage import (
    Batch,
    Connection,
    DeadLetterRecord,
    Registry,
    mark_replayed,
    register_edge,
    store_batches,
)

from smartpark_ingest.admission import Given, Limits, Verdict, explain, given_columns, judge
from smartpark_ingest.bindings import Declared, bind
from smartpark_ingest.database import is_fault_of_the_data
from smartpark_ingest.desk import REPLAY_BOOT
from smartpark_ingest.letters import LetterReading
from smartpark_ingest.textform import Written, given_texts

_TOGETHER: Final = 1000
"""Letters stored in one transaction."""


@dataclass(slots=True)
class ReplayReport:
    """What became of the letters."""

    accepted: list[int] = field(default_factory=list[int])
    """Numbers of the letters whose reading is in the database now."""
    refused: dict[int, str] = field(default_factory=dict[int, str])
    """Number of the letter → why it must stay."""

    def reasons(self) -> list[tuple[str, int]]:
        """Distinct refusals and how often each occurs, most frequent first."""
        return Counter(self.refused.values()).most_common()


def readmit(record: DeadLetterRecord, registry: Registry, limits: Limits) -> tuple[NDArray[np.void] | None, str]:
    """Row of a letter's reading, or None and the reason."""
    if record.replayed_at is not None:
        return None, "was replayed before"
    # Only letters of ours name their point beside the bytes: what a device sent may look like one, and be a forgery.
    reading = None if record.point_key is None else LetterReading.parse(record.payload)
    if reading is None:
        return None, "holds a whole message rather than a reading; mend its sender and let it send again"
    if reading.point is None:
        return None, "no birth ever said which point its alias is"
    received_us = to_us(record.received_at)
    given = _given(reading, reading.point, registry)
    judged = judge(given, limits, received_us=received_us)
    if judged.verdict[0] == Verdict.ACCEPTED:
        return judged.rows, ""
    return None, explain(given, 0, Verdict(int(judged.verdict[0])), limits, received_us=received_us)


def replay(
    connection: Connection, records: Sequence[DeadLetterRecord], registry: Registry, limits: Limits, *, dry_run: bool
) -> ReplayReport:
    """Let in what can be let in; with `dry_run` only say what that would be."""
    report = ReplayReport()
    good: list[tuple[DeadLetterRecord, NDArray[np.void]]] = []
    for record in records:
        rows, why = readmit(record, registry, limits)
        if rows is None:
            report.refused[record.dead_letter_id] = why
        else:
            good.append((record, rows))
    if dry_run:
        report.accepted = [record.dead_letter_id for record, _ in good]
        return report
    for first in range(0, len(good), _TOGETHER):
        _store(connection, good[first : first + _TOGETHER], report)
    return report


def _given(reading: LetterReading, point: str, registry: Registry) -> Given:
    if reading.bits is None:
        written = JsonReading(point=point, time="", value=reading.text, status=reading.status)
        return given_texts((Written(reading.index, reading.time, written),), registry)
    return given_columns(
        bind([(0, Declared(point, reading.exponent))], registry),
        np.zeros(1, dtype=np.uint32),
        np.array([reading.status], dtype=np.uint32),
        np.array([reading.time], dtype=np.int64),
        np.array([reading.bits], dtype=np.int64),
    )


def _store(
    connection: Connection, good: Sequence[tuple[DeadLetterRecord, NDArray[np.void]]], report: ReplayReport
) -> None:
    batches = [
        Batch(
            edge_id=register_edge(connection, record.edge),
            boot=REPLAY_BOOT,
            sequence=record.dead_letter_id,
            floor=0,
            readings=rows,
        )
        for record, rows in good
    ]
    try:
        store_batches(connection, batches, received_at=utc_now())
    except Exception as error:
        if not is_fault_of_the_data(error):
            raise
        if len(good) == 1:
            report.refused[good[0][0].dead_letter_id] = f"refused by the database: {str(error).splitlines()[0]}"
            return
        for one in good:
            _store(connection, [one], report)
        return
    _mark(connection, (record.dead_letter_id for record, _ in good), report)


def _mark(connection: Connection, numbers: Iterable[int], report: ReplayReport) -> None:
    stored = list(numbers)
    mark_replayed(connection, stored, utc_now())
    report.accepted += stored
