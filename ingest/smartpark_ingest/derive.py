"""Derive: from stale spans to interval energy and indicators, one transaction at a time.

A step claims the stale spans of some counters, computes the quarter-hours they touch from the readings, writes those
that changed, and publishes the hours and days of the parks concerned; then it commits all of it together with the
claim. A step that is killed leaves the marks where they were, and the next worker does the same work with the same
result: everything follows from the readings that are stored, nothing from what was computed before.

Workers do not get in each other's way: a claim locks its points, and before a worker reads the intervals of a park it
takes the park's turn, so that it sees what the others have committed. Nothing here knows the clock; the caller says
what time it is, which bounds what may be closed and is noted as the time of computation.
"""

import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray
from smartpark.factors import FactorSet
from smartpark_storage import (
    Connection,
    PointRecord,
    Registry,
    StaleSpan,
    claim_stale,
    fetch_neighbours,
    fetch_readings,
    load_registry,
    meter_changes,
    point_versions,
    registry_version,
    transaction,
    write_interval_energy,
)
from smartpark_storage.deriving import mark_spans_stale

from smartpark_ingest.derive_intervals import MAX_GAP_US, interval_rows
from smartpark_ingest.derive_publish import HOUR_US, Publisher
from smartpark_ingest.derive_spans import (
    WorkPiece,
    WorkRange,
    neighbours_by_point,
    spans_by_window,
    within_budget,
    work_pieces,
    work_range,
)

_log = logging.getLogger(__name__)

CLAIM_POINTS: Final = 256
"""Counters whose spans one step claims."""
POINT_DAYS: Final = 512
"""Days of counters that one step computes, more only where a single counter needs more; the rest is marked again."""


@dataclass(frozen=True, slots=True)
class StepReport:
    """What one step did; the same for counters and for gauges."""

    points: frozenset[int] = frozenset()
    """Points whose stale spans or hours it has dealt with."""
    readings: int = 0
    """Readings looked at."""
    intervals_changed: int = 0
    indicators_published: int = 0
    missing: tuple[str, ...] = ()
    """What could not be published for want of a factor."""

    @property
    def found_work(self) -> bool:
        """Whether anything was stale."""
        return bool(self.points)


class Stepper(Protocol):
    """What the worker calls again and again: one transaction's worth of what is stale."""

    def step(self, connection: Connection, *, now_us: int) -> StepReport:
        """Deal with some of what is stale; must be a whole transaction that may be repeated."""
        ...


@dataclass(slots=True)
class _Touched:
    """What a step has computed so far."""

    readings: int = 0
    changed: int = 0
    hours: defaultdict[str, set[int]] = field(default_factory=lambda: defaultdict[str, set[int]](set))
    """Starts of hours, per park."""


class Deriver:
    """Steps of counters: from stale spans to interval energy, and on to the publisher. Keeps the registry between."""

    def __init__(self, factors: FactorSet, *, claim_points: int = CLAIM_POINTS, point_days: int = POINT_DAYS) -> None:
        self._publisher = Publisher(factors)
        self._claim_points = claim_points
        self._point_days = point_days
        self._registry: Registry | None = None

    def step(self, connection: Connection, *, now_us: int) -> StepReport:
        """Deal with some of what is stale, in one transaction; may be repeated when its outcome is not known."""
        with transaction(connection):
            claimed = claim_stale(connection, limit=self._claim_points)
            if not claimed:
                return StepReport()
            spans, rest = within_budget(claimed, self._point_days)
            mark_spans_stale(connection, rest)
            self._refresh(connection)
            touched = self._compute(connection, self._ranges(connection, spans, now_us))
            report = self._publisher.publish(connection, touched.hours, now_us)
        return StepReport(
            frozenset(span.point_id for span in spans),
            touched.readings,
            touched.changed,
            report.published,
            report.missing,
        )

    def _refresh(self, connection: Connection) -> None:
        if self._registry is not None and self._registry.version == registry_version(connection):
            return
        self._registry = load_registry(connection)
        self._publisher.refresh(connection, self._registry)

    def _record(self, point_id: int) -> PointRecord | None:
        return None if self._registry is None else self._registry.by_id.get(point_id)

    def _ranges(self, connection: Connection, spans: Sequence[StaleSpan], now_us: int) -> list[WorkRange]:
        ranges: list[WorkRange] = []
        for group in spans_by_window(spans).values():
            start, end = min(s.start_us for s in group), max(s.end_us for s in group)
            ids = sorted({s.point_id for s in group})
            near = neighbours_by_point(fetch_neighbours(connection, ids, start, end), start)
            ranges += [
                found
                for span in group
                if (found := work_range(span, *near.get(span.point_id, (None, None)), now_us)) is not None
            ]
        return ranges

    def _compute(self, connection: Connection, ranges: Iterable[WorkRange]) -> _Touched:
        touched = _Touched()
        for piece in work_pieces(ranges):
            points = [record for p in piece.point_ids if (record := self._record(p)) is not None]
            readings = _context(connection, piece)
            touched.readings += len(readings)
            if not len(readings):
                continue
            versions = point_versions(connection, piece.point_ids)
            replaced = meter_changes(connection, piece.point_ids)
            rows = interval_rows(points, readings, versions, piece.start_us, piece.end_us, replaced=replaced)
            touched.changed += write_interval_energy(connection, rows)
            self._note_hours(touched, points, rows)
        return touched

    def _note_hours(self, touched: _Touched, points: Sequence[PointRecord], rows: NDArray[np.void]) -> None:
        """Note the hours of the rows whose point counts in what is published."""
        for point in points:
            if self._publisher.concerns(point):
                starts = rows["start"][rows["point_id"] == point.point_id]
                touched.hours[point.park].update(np.unique(starts - starts % HOUR_US).tolist())


def _context(connection: Connection, piece: WorkPiece) -> NDArray[np.void]:
    """Readings of a piece, and around it all that its boundaries can depend on."""
    start, end = piece.start_us - MAX_GAP_US, piece.end_us + MAX_GAP_US
    # Beyond the limit only whether there is a reading counts: it tells a gap from an end.
    around = fetch_neighbours(connection, piece.point_ids, start, end)
    readings = np.concatenate([around, fetch_readings(connection, piece.point_ids, start, end)])
    return readings[np.lexsort((readings["time"], readings["point_id"]))]
