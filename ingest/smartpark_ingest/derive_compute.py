"""From readings to interval energy: the half of derive that steps and recomputing have in common.

What is to be computed comes in pieces (some counters, some quarter-hours); what is computed is written where it
differs from what is stored, and the hours it touches are noted for the publisher.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from smartpark.factors import FactorSet
from smartpark_storage import (
    Connection,
    PointRecord,
    Registry,
    fetch_neighbours,
    fetch_readings,
    load_registry,
    meter_changes,
    point_versions,
    registry_version,
    write_interval_energy,
)

from smartpark_ingest.derive_intervals import MAX_GAP_US, interval_rows
from smartpark_ingest.derive_publish import HOUR_US, Publisher
from smartpark_ingest.derive_spans import WorkPiece
from smartpark_ingest.factor_watch import FactorWatch


@dataclass(slots=True)
class Touched:
    """What has been computed so far."""

    readings: int = 0
    """Readings looked at."""
    changed: int = 0
    """Quarter-hours that were new or different."""
    hours: defaultdict[str, set[int]] = field(default_factory=lambda: defaultdict[str, set[int]](set))
    """Starts of hours, per park. [µs]"""


class Computation:
    """Computes pieces; keeps registry and factors, and through them the publisher, in step with the database."""

    def __init__(self, factors: FactorSet | None = None) -> None:
        self.publisher = Publisher()
        self._factors = FactorWatch(factors)
        self._registry: Registry | None = None

    def refresh(self, connection: Connection) -> Registry:
        """Points as the database has them now."""
        self.publisher.use(self._factors.current(connection))
        if self._registry is None or self._registry.version != registry_version(connection):
            self._registry = load_registry(connection)
            self.publisher.refresh(connection, self._registry)
        return self._registry

    def compute(self, connection: Connection, pieces: Iterable[WorkPiece]) -> Touched:
        """Compute pieces one after the other, in the caller's transaction; one is in memory at a time."""
        registry, touched = self.refresh(connection), Touched()
        for piece in pieces:
            points = [record for p in piece.point_ids if (record := registry.by_id.get(p)) is not None]
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

    def _note_hours(self, touched: Touched, points: Sequence[PointRecord], rows: NDArray[np.void]) -> None:
        """Note the hours of the rows whose point counts in what is published."""
        parks = defaultdict[str, list[int]](list)
        for point in points:
            if self.publisher.concerns(point):
                parks[point.park].append(point.point_id)
        for park, ids in parks.items():
            hours = rows["start"][np.isin(rows["point_id"], ids)] // HOUR_US
            touched.hours[park].update((np.unique(hours) * HOUR_US).tolist())


def _context(connection: Connection, piece: WorkPiece) -> NDArray[np.void]:
    """Readings of a piece, and around it all that its boundaries can depend on, ordered by point and time."""
    start, end = piece.start_us - MAX_GAP_US, piece.end_us + MAX_GAP_US
    # Beyond the limit only whether there is a reading counts: it tells a gap from an end.
    around = fetch_neighbours(connection, piece.point_ids, start, end)
    readings = fetch_readings(connection, piece.point_ids, start, end)
    # They are in order by themselves: the few around find their places before or after those of their point.
    by_point = np.searchsorted(readings["point_id"], around["point_id"], side="left")
    behind = np.searchsorted(readings["point_id"], around["point_id"], side="right")
    return np.insert(readings, np.where(around["time"] < start, by_point, behind), around)
