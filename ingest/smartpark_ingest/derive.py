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
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from smartpark.factors import FactorSet
from smartpark_storage import Connection, StaleSpan, claim_stale, fetch_neighbours, transaction
from smartpark_storage.deriving import MonthOfPark, mark_spans_stale, share_months

from smartpark_ingest.derive_compute import Computation
from smartpark_ingest.derive_spans import (
    WorkRange,
    months_between,
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
"""Days of counters that one step computes, more only where it claimed more counters; the rest is marked again."""


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
    months: int = 0
    """Months of parks whose ratios it has formed after a business figure changed."""

    @property
    def found_work(self) -> bool:
        """Whether anything was stale."""
        return bool(self.points) or self.months > 0


class Stepper(Protocol):
    """What the worker calls again and again: one transaction's worth of what is stale."""

    def step(self, connection: Connection, *, now_us: int) -> StepReport:
        """Deal with some of what is stale; must be a whole transaction that may be repeated."""
        ...


class Deriver:
    """Steps of counters: from stale spans to interval energy, and on to the publisher. Keeps the registry between."""

    def __init__(
        self, factors: FactorSet | None = None, *, claim_points: int = CLAIM_POINTS, point_days: int = POINT_DAYS
    ) -> None:
        self._computation = Computation(factors)
        self._claim_points = claim_points
        self._point_days = point_days

    def step(self, connection: Connection, *, now_us: int) -> StepReport:
        """Deal with some of what is stale, in one transaction; may be repeated when its outcome is not known."""
        with transaction(connection):
            claimed = claim_stale(connection, limit=self._claim_points)
            if not claimed:
                return StepReport()
            spans, rest = within_budget(claimed, self._point_days)
            mark_spans_stale(connection, rest)
            ranges = self._ranges(connection, spans, now_us)
            self._share_months(connection, ranges)
            touched = self._computation.compute(connection, work_pieces(ranges))
            report = self._computation.publisher.publish(connection, touched.hours, now_us)
        return StepReport(
            frozenset(span.point_id for span in spans),
            touched.readings,
            touched.changed,
            report.published,
            report.missing,
        )

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

    def _share_months(self, connection: Connection, ranges: Iterable[WorkRange]) -> None:
        """Wait for those who recompute what these ranges touch, and keep others from beginning to."""
        points = self._computation.refresh(connection).by_id
        share_months(
            connection,
            {
                MonthOfPark(points[one.point_id].park, month)
                for one in ranges
                if one.point_id in points
                for month in months_between(one.start_us, one.end_us)
            },
        )
