"""Computing a stretch of a park's past anew, month by month: for after its factors, catalogue or methods changed.

A *part* is a month of a park, and parts know nothing of each other: they may be computed in any order, anywhere, and
twice. Everything follows from the readings that are stored, and only what differs is written, so that a part that was
cut off in the middle is simply done again. A part is worked on in *chunks* of whole days, each one transaction with
its quarter-hours and its indicators: whoever looks sees the one or the other, never half.

While a chunk is computed it has the month of that park alone; the worker that derives what readings have touched
waits for it, a second or two, and nothing waits for a whole month. What is in memory is bounded by a piece of it.
"""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from smartpark.clock import from_us, to_us, utc_now_us
from smartpark.errors import SmartparkError
from smartpark.measurands import Kind
from smartpark.periods import Grain, Period, periods_between
from smartpark_storage import (
    Connection,
    StaleSpan,
    count_readings,
    dsn_from_environment,
    fetch_neighbours,
    load_registry,
    transaction,
)
from smartpark_storage.aggregates import number_publications
from smartpark_storage.deriving import MonthOfPark, mark_spans_stale, take_month
from smartpark_storage.stale_hours import mark_hours_stale

from smartpark_ingest.counters import Counters
from smartpark_ingest.database import PatientDatabase
from smartpark_ingest.derive_compute import Computation
from smartpark_ingest.derive_gauges import GaugeDeriver
from smartpark_ingest.derive_spans import (
    DAY_US,
    QUARTER_US,
    WorkPiece,
    floor_quarter,
    month_name,
    neighbours_by_point,
)

CHUNK_READINGS: Final = 1_500_000
"""Readings of one transaction, more only where a day has more: one to two seconds for which others may wait."""
PIECE_ROWS: Final = 500_000
"""Readings and quarter-hours in memory at once."""


class UnknownParkError(SmartparkError):
    """No park of this code has counters."""


@dataclass(frozen=True, slots=True)
class Part:
    """A month of a park, or as much of it as was asked for."""

    park: str
    month: str
    """As ``2026-11``."""
    start_us: int
    end_us: int
    """Half-open, whole quarter-hours. [µs]"""

    @property
    def days(self) -> list[Period]:
        """Accounting days that it touches."""
        return periods_between(from_us(self.start_us), from_us(self.end_us), Grain.DAY)


@dataclass(slots=True)
class RecomputeReport:
    """What recomputing has done."""

    parts: int = 0
    """Months of parks."""
    readings: int = 0
    """Readings looked at."""
    intervals_changed: int = 0
    indicators_published: int = 0
    missing: list[str] = field(default_factory=list[str])
    """What could not be published for want of a factor."""
    repeated: int = 0
    """Parts that were done again because their worker had ended."""

    def add(self, other: "RecomputeReport") -> None:
        """Count what another has done."""
        self.parts += other.parts
        self.readings += other.readings
        self.intervals_changed += other.intervals_changed
        self.indicators_published += other.indicators_published
        self.missing += other.missing
        self.repeated += other.repeated


def counters_of(connection: Connection, park: str) -> list[int]:
    """Counters of a park, retired ones included."""
    records = load_registry(connection).by_id.values()
    ids = sorted(r.point_id for r in records if r.park == park and r.kind is Kind.COUNTER)
    if not ids:
        raise UnknownParkError(f"no park of the code {park!r} has counters; see `smartpark catalog show`")
    return ids


def parts_of(park: str, start_us: int, end_us: int) -> list[Part]:
    """Parts of [start, end), in order of time; begins with a whole day."""
    days = periods_between(from_us(start_us), from_us(end_us), Grain.DAY)
    begin, end = to_us(days[0].start), floor_quarter(end_us)
    months = periods_between(from_us(begin), from_us(end), Grain.MONTH)
    return [
        Part(park, month_name(month), max(begin, to_us(month.start)), min(end, to_us(month.end))) for month in months
    ]


def recompute_part(part: Part, progress: Callable[[int], None] | None = None) -> RecomputeReport:
    """Compute a part anew on the database of this process's environment, however often that goes away.

    Parameters
    ----------
    part : Part
    progress : callable, optional
        Told after each chunk how many of the part's days are done.
    """
    database = PatientDatabase(
        dsn_from_environment(), application="smartpark recompute", stop=threading.Event(), counters=Counters()
    )
    computation, gauges, report, days = Computation(), GaugeDeriver(), RecomputeReport(parts=1), part.days
    try:
        ids = database.run(lambda connection: counters_of(connection, part.park))
        width = database.run(lambda connection: _days_of_chunk(connection, ids, days))
        for first in range(0, len(days), width):
            chunk = days[first : first + width]
            report.add(database.run(lambda connection, c=chunk: _chunk(connection, computation, part, ids, c)))
            for day in chunk:
                report.add(database.run(lambda connection, d=day: _gauges(connection, gauges, part.park, d)))
            database.run(lambda connection: number_publications(connection, wait=False))
            if progress is not None:
                progress(first + len(chunk))
        database.run(lambda connection: number_publications(connection, wait=True))
    finally:
        database.close()
    return report


def _days_of_chunk(connection: Connection, ids: Sequence[int], days: Sequence[Period]) -> int:
    """How many days go into a transaction, by the fullest of three."""
    some = {days[0], days[len(days) // 2], days[-1]}
    fullest = max(sum(count_readings(connection, ids, to_us(day.start), to_us(day.end)).values()) for day in some)
    return max(1, CHUNK_READINGS // max(fullest, 1, 96 * len(ids)))


def _chunk(
    connection: Connection, computation: Computation, part: Part, ids: Sequence[int], days: Sequence[Period]
) -> RecomputeReport:
    start, end = max(part.start_us, to_us(days[0].start)), min(part.end_us, to_us(days[-1].end))
    with transaction(connection):
        take_month(connection, MonthOfPark(part.park, part.month))
        counts = count_readings(connection, ids, start, end)
        touched = computation.compute(connection, pieces_of(ids, counts, start, end))
        published = computation.publisher.publish(connection, touched.hours, utc_now_us())
    return RecomputeReport(
        readings=touched.readings,
        intervals_changed=touched.changed,
        indicators_published=published.published,
        missing=list(published.missing),
    )


def _gauges(connection: Connection, gauges: GaugeDeriver, park: str, day: Period) -> RecomputeReport:
    done = gauges.recompute_day(connection, park, to_us(day.start), now_us=utc_now_us())
    return RecomputeReport(
        readings=done.readings, indicators_published=done.indicators_published, missing=list(done.missing)
    )


def pieces_of(
    ids: Iterable[int], counts: Mapping[int, int], start_us: int, end_us: int, rows: int = PIECE_ROWS
) -> Iterator[WorkPiece]:
    """Cut a chunk into pieces of so many readings and quarter-hours at most, unless a counter's day has more.

    Parameters
    ----------
    ids : iterable of int
        Counters, each of which comes in exactly one piece per stretch of time.
    counts : mapping of int to int
        Readings of each.
    start_us, end_us : int
        Of the chunk, whole quarter-hours. [µs]
    rows : int
        Readings and quarter-hours of a piece.
    """
    together, room = list[int](), rows
    intervals = (end_us - start_us) // QUARTER_US
    for point in ids:
        size = counts.get(point, 0) + intervals
        if size > rows:
            step = max(1, (end_us - start_us) * rows // size // DAY_US) * DAY_US
            for first in range(start_us, end_us, step):
                yield WorkPiece(first, min(first + step, end_us), (point,))
            continue
        if size > room:
            yield WorkPiece(start_us, end_us, tuple(together))
            together, room = [], rows
        together.append(point)
        room -= size
    if together:
        yield WorkPiece(start_us, end_us, tuple(together))


def mark_park_stale(connection: Connection, park: str, start_us: int, end_us: int) -> int:
    """Mark the counters of a park from `start_us` or their first reading after it; returns how many have any."""
    ids = counters_of(connection, park)
    # From the first reading on: before it there is nothing to compute, however early the span begins.
    near = neighbours_by_point(fetch_neighbours(connection, ids, start_us, start_us), start_us)
    firsts = ((p, start_us if before is not None else after) for p, (before, after) in near.items())
    spans = [StaleSpan(p, first, end_us) for p, first in firsts if first is not None and first < end_us]
    marked = mark_spans_stale(connection, spans)
    mark_hours_stale(connection, park, start_us, end_us)
    connection.commit()
    return marked
