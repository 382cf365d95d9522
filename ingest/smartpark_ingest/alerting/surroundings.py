"""What there is to watch: points, edges, parks with their contracts, and how often each point usually speaks.

Read from the catalogue for one day; whoever evaluates asks again on the next day, and when the catalogue changes.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

import numpy as np
from smartpark.alerts.objects import ObjectKind, ObjectRef
from smartpark.alerts.parks import facts_of
from smartpark.catalogue import Catalogue
from smartpark.clock import PARK_ZONE, to_us
from smartpark.workdays import WorkdayCalendar
from smartpark_analytics.alerts.evaluating import Calendar, MeterReplaced, Surroundings
from smartpark_analytics.alerts.samples import NEVER_US, Ints, Samples
from smartpark_storage import Connection, PointRecord, Registry, current_catalogue, meter_changes
from smartpark_storage.alerts.progress import EdgePresence, edge_presence
from smartpark_storage.window_sums import QUARTER_US, fetch_window_sums

from smartpark_ingest.alerting.values import Values

_STEP_FROM: Final = 96
"""Quarter-hours back in which it is counted how often a point speaks."""
_FEWEST: Final = 2
"""Quarter-hours with readings that it takes to know."""
_AT_ONCE: Final = 2000
_DAYS_BACK: Final = 400
_DAYS_AHEAD: Final = 40


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything that rules may watch, at one moment."""

    around: Surroundings
    points: tuple[PointRecord, ...]
    """By series."""
    edges: tuple[EdgePresence, ...]
    """By series of edges."""
    names: Mapping[str, str]
    """What people call devices and others, by object."""
    registry_version: int
    _ids: Ints
    """Number of the point of each series."""
    _series: Ints
    """Series of each point by its number; -1: none."""

    def samples(self, values: Values) -> Samples:
        """Values of points as samples of series; those of points that are not here are left out."""
        point = np.minimum(values.point, self._series.size - 1)
        series = np.where(values.point < self._series.size, self._series[point], -1)
        if (series >= 0).all():
            return Samples(series, values.time_us, values.value)
        known = series >= 0
        return Samples(series[known], values.time_us[known], values.value[known])

    def series_of(self, points: Ints) -> Ints:
        """Series of points, of those that are here; ascending."""
        known = points[points < self._series.size]
        series = self._series[known]
        return np.sort(series[series >= 0])

    def is_of(self, now: datetime) -> bool:
        """Whether its day is today."""
        return self.around.on == now.astimezone(PARK_ZONE).date()

    def point_ids(self, series: Ints) -> Ints:
        """Numbers of the points of series."""
        return self._ids[series]

    def edge_code(self, edge_id: int) -> str | None:
        """Code of an edge."""
        return next((edge.code for edge in self.edges if edge.edge_id == edge_id), None)

    def name_of(self, subject: str) -> str | None:
        """What people call an object."""
        ref = ObjectRef.parse(subject)
        if ref.kind is ObjectKind.POINT:
            device, _, code = ref.name.rpartition("/")
            name = self.names.get(str(ObjectRef(ObjectKind.DEVICE, device)))
            return None if name is None else f"{name} {code}"
        return self.names.get(subject)


def look_around(
    connection: Connection,
    registry: Registry,
    now: datetime,
    *,
    calendar: WorkdayCalendar,
    edge_of: Mapping[int, int],
) -> Scene:
    """Read what there is.

    Parameters
    ----------
    connection : Connection
    registry : Registry
    now : datetime
    calendar : WorkdayCalendar
        For detectors that tell days apart.
    edge_of : mapping of int to int
        Edge through which points speak, as far as is known.
    """
    points = tuple(sorted(registry.by_id.values(), key=lambda point: point.point_id))
    on = now.astimezone(PARK_ZONE).date()
    catalogues = {park: current_catalogue(connection, park) for park in sorted({point.park for point in points})}
    parks = {park: facts_of(one, on) for park, one in catalogues.items() if one is not None}
    edges = tuple(sorted(edge_presence(connection), key=lambda edge: edge.code))
    ids = np.array([point.point_id for point in points], np.int64)
    series = np.full(1 + int(ids.max(initial=0)), -1, np.int64)
    series[ids] = np.arange(ids.size)
    steps = usual_steps(connection, points, to_us(now))
    home = parks_of_edges(points, edge_of)
    around = Surroundings(
        points=points,
        edges=tuple(edge.code for edge in edges),
        park_of_edge={edge.code: home[edge.edge_id] for edge in edges if edge.edge_id in home},
        parks=parks,
        usual_step_us=steps,
        on=on,
        replaced=_replaced(connection, points),
        calendar=Calendar.of(calendar, on - timedelta(days=_DAYS_BACK), on + timedelta(days=_DAYS_AHEAD)),
    )
    return Scene(around, points, edges, _names(catalogues.values()), registry.version, ids, series)


def _replaced(connection: Connection, points: Sequence[PointRecord]) -> list[MeterReplaced]:
    place = {point.point_id: number for number, point in enumerate(points)}
    found = meter_changes(connection, list(place))
    return [
        MeterReplaced(
            place[one.point_id],
            one.at_us,
            float(one.final) * points[place[one.point_id]].multiplier,
            float(one.initial) * points[place[one.point_id]].multiplier,
        )
        for one in found
    ]


def usual_steps(connection: Connection, points: Iterable[PointRecord], before_us: int) -> Ints:
    """How far apart readings of each point usually are, by how many there are in a quarter-hour.

    Returns
    -------
    ndarray of int64, shape (n_points,)
        `NEVER_US`: it has not spoken enough. [µs]
    """
    ids = [point.point_id for point in points if not point.retired]
    place = {point.point_id: number for number, point in enumerate(points)}
    found = np.full(len(place), NEVER_US, np.int64)
    # The quarter-hour that is open is not whole.
    end = before_us // QUARTER_US * QUARTER_US
    for first in range(0, len(ids), _AT_ONCE):
        some = ids[first : first + _AT_ONCE]
        sums = fetch_window_sums(
            connection, some, end - _STEP_FROM * QUARTER_US, end, width_us=QUARTER_US, fresh=False
        )
        starts = np.flatnonzero(np.diff(sums["point_id"], prepend=-1) != 0)
        for at, upto in pairwise([*starts.tolist(), sums.size]):
            if upto - at >= _FEWEST:
                usual = float(np.median(sums["readings"][at:upto]))
                found[place[int(sums["point_id"][at])]] = round(QUARTER_US / usual)
    return found


def parks_of_edges(points: Iterable[PointRecord], edge_of: Mapping[int, int]) -> dict[int, str]:
    """Park that most points of each edge belong to."""
    counts: defaultdict[int, Counter[str]] = defaultdict(Counter)
    for point in points:
        edge = edge_of.get(point.point_id, 0)
        if edge:
            counts[edge][point.park] += 1
    return {edge: parks.most_common(1)[0][0] for edge, parks in counts.items()}


def _names(catalogues: Iterable[Catalogue | None]) -> dict[str, str]:
    found: dict[str, str] = {}
    for catalogue in catalogues:
        if catalogue is None:
            continue
        park = catalogue.park.code
        found[str(ObjectRef(ObjectKind.PARK, park))] = catalogue.park.name
        for kind, entries in (
            (ObjectKind.DEVICE, catalogue.device),
            (ObjectKind.TRANSFORMER, catalogue.transformer),
            (ObjectKind.ENTERPRISE, catalogue.enterprise),
        ):
            found |= {str(ObjectRef(kind, f"{park}/{entry.code}")): entry.name for entry in entries}
    return found
