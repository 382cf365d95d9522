"""All that rules may watch: points, edges, and what holds in their parks. Values only."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np
from smartpark.alerts.parks import ParkFacts
from smartpark.alerts.rules import Source
from smartpark.alerts.scope import PointFacts
from smartpark.workdays import builtin_workdays

from smartpark_analytics.alerts.evaluating.calendar import Calendar
from smartpark_analytics.alerts.evaluating.of_registers import MeterReplaced
from smartpark_analytics.alerts.samples import Ints


@dataclass(frozen=True, slots=True)
class Surroundings:
    """All that rules may watch. Series are the places of points, or of edges."""

    points: Sequence[PointFacts]
    edges: Sequence[str] = ()
    parks: Mapping[str, ParkFacts] = field(default_factory=dict[str, ParkFacts])
    usual_step_us: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    """How far apart readings of each point usually are; empty: not known of any. [µs]"""
    park_of_edge: Mapping[str, str] = field(default_factory=dict[str, str])
    usual_delay_us: int = 0
    """What a reading takes at least to come in. [µs]"""
    replaced: Sequence[MeterReplaced] = ()
    on: date = date(2026, 1, 1)
    """Day whose limits and contracts hold."""
    calendar: Calendar | None = None
    """Kinds of days, for detectors that tell them apart; none: weekends rest."""

    def days(self) -> Calendar:
        """Kinds of days around `on`."""
        if self.calendar is not None:
            return self.calendar
        return Calendar.of(builtin_workdays(), self.on - timedelta(days=500), self.on + timedelta(days=400))

    def n_series(self, source: Source) -> int:
        """How many series a source has."""
        return len(self.edges) if source is Source.EDGE else len(self.points)

    def by_device(self) -> Mapping[tuple[str, str], tuple[int, ...]]:
        """Places of the points of each device in service."""
        found: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
        for place, point in enumerate(self.points):
            if point.retired_at_us is None:
                found[point.park, point.device].append(place)
        return {device: tuple(places) for device, places in found.items()}
