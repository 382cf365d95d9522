"""A park's network with what history says of each node: the year's maximum, the coming year's peak, the whole curve.

Reads two years of quarter-hours, which takes a moment; nothing here depends on what is asked of the network, so one
reading serves every question for as long as the caller keeps it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray
from smartpark.clock import PARK_ZONE
from smartpark.headroom_rules import HeadroomRule, YearlyPeakRule, builtin_headroom_rules
from smartpark_analytics.headroom import apparent_power_of
from smartpark_analytics.seasonal_peak import Screening, SeasonalPeak, screen_load, seasonal_peak
from smartpark_analytics.yearly_peak import YearlyPeak, weekly_maxima, yearly_peak
from smartpark_storage.connections import Connection
from smartpark_storage.reads_load import read_load_points, read_nodes

from smartpark_api.planning.curves import QUARTER, floor_to, meter_signs, read_meter_curves
from smartpark_api.planning.forecasting import PEAK_DAYS, peak_rule
from smartpark_api.planning.network import Node, node_loads, nodes_of, paths_of, stations_in

Floats = NDArray[np.float64]
QUARTERS_A_YEAR: Final = 365 * 96


@dataclass(frozen=True)
class NetworkLoads:
    """Nodes of a park and their loads; arrays have one row a node."""

    as_of: datetime
    end: datetime
    """End of the last quarter-hour that was looked at."""
    rule: HeadroomRule
    weekly: YearlyPeakRule
    nodes: tuple[Node, ...]
    paths: tuple[tuple[str, ...], ...]
    """From each node upwards, in the order of the nodes."""
    seasonal: SeasonalPeak
    yearly: YearlyPeak
    year: Floats = field(repr=False)
    """Quarter-hours of the last twelve months as far as they are believed, shape (n_nodes, n_quarters). [kVA]"""
    assumed: Floats = field(repr=False)
    """Share of the quarter-hours whose power factor was assumed. [0-1]"""

    @property
    def has_forecast(self) -> NDArray[np.bool_]:
        """Of which nodes the coming year's peak is forecast, and not just what was seen so far."""
        return np.array([basis.value.startswith("season") for basis in self.yearly.basis], dtype=bool)

    def upper_peak(self, start: date | None) -> Floats:
        """Upper quantile of the coming year's peak, with its growth for every further year until `start`.

        Returns
        -------
        ndarray of float64, shape (n_nodes,)
            NaN where there is no forecast. [kVA]
        """
        today = self.as_of.astimezone(PARK_ZONE).date()
        years = 0 if start is None else max(0, (start - today).days // 365)
        return np.where(self.has_forecast, self.yearly.values[:, -1] * self.yearly.growth**years, np.nan)

    def peak_at(self, n: int) -> datetime | None:
        """When the year's maximum of a node was."""
        interval = int(self.seasonal.interval[n])
        return None if interval < 0 else self.end - (QUARTERS_A_YEAR - interval) * QUARTER


def read_network(
    connection: Connection, park: str, *, now: datetime, stations: Sequence[Sequence[str]] = ()
) -> NetworkLoads:
    """Network of a park as of now.

    Transformers stand in for each other as `stations` says, and where it says nothing as the catalogue does.
    """
    end = floor_to(now, QUARTER)
    day = now.astimezone(PARK_ZONE).date()
    rule, weekly = builtin_headroom_rules().headroom_on(day), peak_rule(now)
    points = read_load_points(connection, park)
    rows = read_nodes(connection, park)
    nodes = nodes_of(rows, points, stations or stations_in(rows))
    metered = {device for node in nodes for device in node.meters}
    on_nodes = [point for point in points if point.device in metered]
    curves = read_meter_curves(connection, on_nodes, meter_signs(on_nodes), end - timedelta(days=PEAK_DAYS), end)
    active, reactive = node_loads(nodes, curves)
    apparent, assumed = apparent_power_of(active, reactive, assumed_power_factor=rule.assumed_power_factor)
    rated = np.array([np.nan if node.rated_kva is None else node.rated_kva for node in nodes], dtype=np.float64)
    screening = screen_load(apparent, rated, rule, interval_hours=0.25)
    believed = np.where(screening.rejected, np.nan, apparent)
    return NetworkLoads(
        as_of=now,
        end=end,
        rule=rule,
        weekly=weekly,
        nodes=tuple(nodes),
        paths=tuple(paths_of(nodes)),
        seasonal=seasonal_peak(apparent[:, -QUARTERS_A_YEAR:], _newest(screening), rule),
        yearly=yearly_peak(weekly_maxima(believed, slots_per_week=7 * 96, rule=weekly), weekly),
        year=believed[:, -QUARTERS_A_YEAR:],
        assumed=_share(assumed[:, -QUARTERS_A_YEAR:]),
    )


def _newest(screening: Screening) -> Screening:
    parts = (screening.frozen, screening.spike, screening.impossible)
    return Screening(*(part[:, -QUARTERS_A_YEAR:] for part in parts))


def _share(assumed: Floats) -> Floats:
    """Share of the known quarter-hours of each node; NaN where none is known."""
    told = np.isfinite(assumed).sum(axis=1)
    return np.where(told > 0, np.nansum(assumed, axis=1) / np.maximum(told, 1), np.nan)
