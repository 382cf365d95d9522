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
from typing import Final

import numpy as np
from numpy.typing import NDArray
from smartpark.clock import from_us, to_us
from smartpark.factors import FactorSet
from smartpark.periods import Grain, Period, period_containing
from smartpark_storage import (
    Connection,
    PointRecord,
    Registry,
    StaleSpan,
    claim_stale,
    fetch_interval_energy,
    fetch_neighbours,
    fetch_readings,
    load_registry,
    point_versions,
    publish_indicators,
    registry_version,
    transaction,
    write_interval_energy,
)
from smartpark_storage.deriving import lock_parks, mark_spans_stale, park_factor_scopes

from smartpark_ingest.derive_balance import ParkBalance, day_indicators, park_balance
from smartpark_ingest.derive_intervals import MAX_GAP_US, interval_rows
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
HOUR_US: Final = 3_600_000_000


@dataclass(frozen=True, slots=True)
class StepReport:
    """What one step did."""

    points: frozenset[int] = frozenset()
    """Counters whose spans it has dealt with."""
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


@dataclass(slots=True)
class _Touched:
    """What a step has computed so far."""

    readings: int = 0
    changed: int = 0
    hours: defaultdict[str, set[int]] = field(default_factory=lambda: defaultdict[str, set[int]](set))
    """Starts of hours, per park."""


class Deriver:
    """Does steps; keeps the registry and the balances of the parks between them."""

    def __init__(self, factors: FactorSet, *, claim_points: int = CLAIM_POINTS, point_days: int = POINT_DAYS) -> None:
        self._factors = factors
        self._claim_points = claim_points
        self._point_days = point_days
        self._registry: Registry | None = None
        self._balances: dict[str, ParkBalance] = {}

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
            published, missing = self._publish(connection, touched, now_us)
        return StepReport(
            frozenset(span.point_id for span in spans), touched.readings, touched.changed, published, tuple(missing)
        )

    def _refresh(self, connection: Connection) -> None:
        if self._registry is not None and self._registry.version == registry_version(connection):
            return
        self._registry = load_registry(connection)
        records = self._registry.by_id.values()
        scopes = park_factor_scopes(connection)
        self._balances = {park: park_balance(park, scope, records) for park, scope in scopes.items()}

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
            rows = interval_rows(points, readings, versions, piece.start_us, piece.end_us)
            touched.changed += write_interval_energy(connection, rows)
            self._note_hours(touched, points, rows)
        return touched

    def _note_hours(self, touched: _Touched, points: Sequence[PointRecord], rows: NDArray[np.void]) -> None:
        """Note the hours of the rows whose point counts in the balance of its park."""
        for point in points:
            if point.point_id in self._balances[point.park].point_ids:
                starts = rows["start"][rows["point_id"] == point.point_id]
                touched.hours[point.park].update(np.unique(starts - starts % HOUR_US).tolist())

    def _publish(self, connection: Connection, touched: _Touched, now_us: int) -> tuple[int, list[str]]:
        lock_parks(connection, touched.hours)
        published, missing = 0, list[str]()
        for park, hours in sorted(touched.hours.items()):
            balance = self._balances[park]
            for day, hours_of_day in _by_day(hours):
                intervals = fetch_interval_energy(connection, balance.point_ids, to_us(day.start), to_us(day.end))
                found = day_indicators(balance, intervals, day, hours_of_day, self._factors, computed_at_us=now_us)
                published += publish_indicators(connection, found.rows)
                missing += found.missing
        return published, missing


def _context(connection: Connection, piece: WorkPiece) -> NDArray[np.void]:
    """Readings of a piece, and around it all that its boundaries can depend on."""
    start, end = piece.start_us - MAX_GAP_US, piece.end_us + MAX_GAP_US
    # Beyond the limit only whether there is a reading counts: it tells a gap from an end.
    around = fetch_neighbours(connection, piece.point_ids, start, end)
    readings = np.concatenate([around, fetch_readings(connection, piece.point_ids, start, end)])
    return readings[np.lexsort((readings["time"], readings["point_id"]))]


def _by_day(hours: set[int]) -> list[tuple[Period, frozenset[int]]]:
    """Accounting days of hours, in order, each with its hours."""
    days: defaultdict[Period, set[int]] = defaultdict(set)
    for hour in hours:
        days[period_containing(from_us(hour), Grain.DAY)].add(hour)
    return [(day, frozenset(found)) for day, found in sorted(days.items())]
