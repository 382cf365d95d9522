"""From touched hours to published indicators: the second half of a step of derive.

The publisher is told which hours of which parks have quarter-hours that were computed anew. It takes the parks'
turns, reads their interval energy, and publishes what differs from what is current. It keeps the parks' balances
between steps and is refreshed when the registry has changed.
"""

from collections import defaultdict
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final

from smartpark.clock import from_us, to_us
from smartpark.factors import FactorSet
from smartpark.periods import Grain, Period, period_containing
from smartpark_storage import Connection, PointRecord, Registry, fetch_interval_energy, publish_indicators
from smartpark_storage.deriving import lock_parks, park_factor_scopes

from smartpark_ingest.derive_balance import ParkBalance, day_indicators, park_balance

HOUR_US: Final = 3_600_000_000


@dataclass(frozen=True, slots=True)
class PublishReport:
    """What was published, and what was not."""

    published: int = 0
    """New revisions."""
    missing: tuple[str, ...] = ()
    """What could not be published for want of a factor."""


class Publisher:
    """Publishes the hours and days of parks from their interval energy."""

    def __init__(self, factors: FactorSet) -> None:
        self._factors = factors
        self._balances: dict[str, ParkBalance] = {}

    def refresh(self, connection: Connection, registry: Registry) -> None:
        """Take over a registry that has changed."""
        scopes = park_factor_scopes(connection)
        records = registry.by_id.values()
        self._balances = {park: park_balance(park, scope, records) for park, scope in scopes.items()}

    def concerns(self, point: PointRecord) -> bool:
        """Whether what a counter measures is part of anything that is published."""
        return point.point_id in self._balances[point.park].point_ids

    def publish(self, connection: Connection, touched: Mapping[str, AbstractSet[int]], now_us: int) -> PublishReport:
        """Publish what touched hours (starts in µs, per park) change, in the caller's transaction."""
        lock_parks(connection, touched)
        published, missing = 0, list[str]()
        for park, hours in sorted(touched.items()):
            balance = self._balances[park]
            for day, hours_of_day in _by_day(hours):
                intervals = fetch_interval_energy(connection, balance.point_ids, to_us(day.start), to_us(day.end))
                found = day_indicators(balance, intervals, day, hours_of_day, self._factors, computed_at_us=now_us)
                published += publish_indicators(connection, found.rows)
                missing += found.missing
        return PublishReport(published, tuple(missing))


def _by_day(hours: AbstractSet[int]) -> list[tuple[Period, frozenset[int]]]:
    """Accounting days of hours, in order, each with its hours."""
    days: defaultdict[Period, set[int]] = defaultdict(set)
    for hour in hours:
        days[period_containing(from_us(hour), Grain.DAY)].add(hour)
    return [(day, frozenset(found)) for day, found in sorted(days.items())]
