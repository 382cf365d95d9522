"""Submitting a period: what is missing is told first, what was accepted is sealed, what changed later is beside it.

Seal, gaps and audit are one transaction: the gaps are those of the very rows that were sealed, and where they were
not accepted nothing was sealed. A period that is not over is refused below (`smartpark_storage.aggregates.seal`).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import numpy as np
from smartpark.aggregates import AggregateRow
from smartpark.errors import SmartparkError
from smartpark.periods import Period, period_containing
from smartpark_storage.aggregates import (
    AggregateColumns,
    FeedFilter,
    Submission,
    put_seal_key,
    read_seal_keys,
    read_state,
    seal,
    submission_rows,
)
from smartpark_storage.connections import Connection, transaction
from smartpark_storage.pending import pending_of_park

from smartpark_api.aggregates.seal_keys import SealKey, SealKeyError


class GapKind(StrEnum):
    """What is not as it should be in a period that is to be submitted."""

    MISSING = "missing"
    """There is no number, and the period before has one."""
    NO_VALUE = "no_value"
    """There is a row, and it says that the number is not known."""
    INCOMPLETE = "incomplete"
    """The number rests on a part of what it should."""
    NOT_COMPUTED = "not_computed"
    """Readings of the period have come that no number contains yet."""


@dataclass(frozen=True, slots=True)
class Gap:
    """One thing that is missing or incomplete."""

    kind: GapKind
    boundary: str
    indicator: str
    """Empty where it is not about one."""
    completeness: float | None
    reason: str


class IncompletePeriodError(SmartparkError):
    """The period has gaps, and nobody has said that it is submitted all the same."""

    def __init__(self, gaps: list[Gap]) -> None:
        super().__init__(
            f"{len(gaps)} numbers are missing or incomplete; nothing was submitted. "
            "Mend them, or confirm them with accept_incomplete"
        )
        self.gaps = gaps


@dataclass(frozen=True, slots=True)
class Sealed:
    """A period that was submitted, and the gaps that were accepted."""

    submission: Submission
    gaps: list[Gap]


@dataclass(frozen=True, slots=True)
class Seal:
    """What is to be sealed, and in whose name."""

    park: str
    period: Period
    sealed_by: str
    note: str
    accept_incomplete: bool


@dataclass(frozen=True, slots=True)
class Correction:
    """A number that is another one now than the one that was submitted."""

    submitted: AggregateRow | None
    """None: it came later."""
    current: AggregateRow


def seal_period(connection: Connection, wanted: Seal, key: SealKey, *, now: datetime) -> Sealed:
    """Submit a period of a park.

    Raises
    ------
    IncompletePeriodError
        When it has gaps that are not accepted; nothing was sealed then.
    SealKeyError
        When the key has been retired.
    """
    with transaction(connection):
        _admit(connection, key, now)
        submission = seal(
            connection,
            park=wanted.park,
            period=wanted.period,
            sealed_by=wanted.sealed_by,
            sealed_at=now,
            note=wanted.note,
            key_id=key.key_id,
            sign=key.sign,
        )
        gaps = list(gaps_of(connection, submission, wanted.period))
        if gaps and not wanted.accept_incomplete:
            raise IncompletePeriodError(gaps)
    return Sealed(submission, gaps)


def _admit(connection: Connection, key: SealKey, now: datetime) -> None:
    """Make the public half known; a key that was retired seals no more."""
    put_seal_key(connection, key.key_id, key.public, source=None, known_since=now)
    known = {one.key_id: one for one in read_seal_keys(connection)}
    retired = known[key.key_id].retired_at
    if retired is not None:
        raise SealKeyError(f"the key {key.key_id} was retired at {retired.isoformat()}; seal with another one")


def gaps_of(connection: Connection, submission: Submission, period: Period) -> Iterator[Gap]:
    """What is missing or incomplete in a submission, by boundary and indicator."""
    rows = submission_rows(connection, submission.code)
    waiting = pending_of_park(connection, submission.park, period.start, period.end)
    if waiting:
        why = f"{waiting} spans of readings wait to be computed"
        yield Gap(GapKind.NOT_COMPUTED, "park", "", None, why)
    found = [*_incomplete(rows), *_missing(connection, submission.park, period, rows)]
    yield from sorted(found, key=lambda gap: (gap.boundary, gap.indicator))


def _incomplete(columns: AggregateColumns) -> Iterator[Gap]:
    rows = columns.rows
    doubtful = np.flatnonzero(np.isnan(rows["value"]) | (rows["completeness"] < 1.0))
    for row in AggregateColumns(rows[doubtful], columns.series, columns.origins, columns.submissions):
        kind = GapKind.NO_VALUE if row.value is None else GapKind.INCOMPLETE
        yield Gap(kind, row.boundary, row.indicator, row.completeness, row.reason)


def _missing(connection: Connection, park: str, period: Period, rows: AggregateColumns) -> Iterator[Gap]:
    """Numbers that the period before has, and this one has not."""
    there = {(one.boundary, one.indicator) for one in rows.series}
    before = period_containing(period.start - timedelta(microseconds=1), period.grain)
    names = {(row.boundary, row.indicator) for row in current_rows(connection, park, before)}
    for boundary, indicator in names - there:
        yield Gap(GapKind.MISSING, boundary, indicator, None, f"{before.day.isoformat()} has it, this period has not")


def current_rows(connection: Connection, park: str, period: Period) -> Iterator[AggregateRow]:
    """What holds of a park's period, in the order of keys."""
    wanted = FeedFilter(
        parks=frozenset({park}), grains=frozenset({period.grain.value}), since=period.start, until=period.end
    )
    with transaction(connection):
        for columns in read_state(connection, wanted):
            yield from columns


def corrections_of(sealed: Iterable[AggregateRow], current: Iterable[AggregateRow]) -> Iterator[Correction]:
    """Numbers that have been corrected, or have come, since they were submitted; in the order of their names."""
    submitted = {(row.boundary, row.indicator): row for row in sealed}
    for row in current:
        before = submitted.get((row.boundary, row.indicator))
        if before is None or before.revision < row.revision:
            yield Correction(before, row)
