"""A park's network with what history says of each node: the year's maximum, the coming year's peak, the whole curve.

The caller reads two years of quarter-hours (`network_plan` says of which points); nothing here depends on what is
asked of the network, so one answer serves every question for as long as the caller keeps it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray
from smartpark.clock import PARK_ZONE
from smartpark.headroom_rules import HeadroomRule, YearlyPeakRule, builtin_headroom_rules
from smartpark.load_network import LoadPointRow, NodeRow

from smartpark_analytics.headroom import Criterion, NodeHeadroom, apparent_power_of, node_headroom
from smartpark_analytics.planning.curves import QUARTER, floor_to, meter_curves, meter_signs, points_used
from smartpark_analytics.planning.network import Node, node_loads, nodes_of, paths_of, stations_in
from smartpark_analytics.seasonal_peak import Screening, SeasonalPeak, screen_load, seasonal_peak
from smartpark_analytics.yearly_peak import YearlyPeak, weekly_maxima, yearly_peak

Floats = NDArray[np.float64]
QUARTERS_A_YEAR: Final = 365 * 96
PEAK_DAYS: Final = 106 * 7
"""Two years and a little, from which growth can be told."""


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
    def start(self) -> datetime:
        """Begin of the twelve months."""
        return self.end - QUARTERS_A_YEAR * QUARTER

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
        return None if interval < 0 else self.start + interval * QUARTER


@dataclass(frozen=True, slots=True)
class NetworkPlan:
    """What is to be read before the loads of a network can be told."""

    now: datetime
    start: datetime
    end: datetime
    nodes: tuple[Node, ...]
    points: tuple[LoadPointRow, ...]
    """Those whose quarter-hours of [start, end) are needed."""
    signs: Mapping[int, int]
    """How each counts in its device."""


def network_plan(
    rows: Sequence[NodeRow],
    points: Sequence[LoadPointRow],
    *,
    now: datetime,
    stations: Sequence[Sequence[str]] = (),
) -> NetworkPlan:
    """Nodes of a park, and what to read of their meters.

    Transformers stand in for each other as `stations` says, and where it says nothing as the catalogue does.
    """
    end = floor_to(now, QUARTER)
    nodes = nodes_of(rows, points, stations or stations_in(rows))
    metered = {device for node in nodes for device in node.meters}
    on_nodes = [point for point in points if point.device in metered]
    signs = meter_signs(on_nodes)
    used = points_used(on_nodes, signs)
    return NetworkPlan(now, end - timedelta(days=PEAK_DAYS), end, tuple(nodes), tuple(used), signs)


def network_loads(plan: NetworkPlan, quarters: Floats) -> NetworkLoads:
    """Loads of a planned network.

    Parameters
    ----------
    plan : NetworkPlan
    quarters : ndarray of float64, shape (n_points, n_quarters)
        Of the plan's points: amounts of registers, means of gauges; NaN where not known. [kWh, kW, kvar]
    """
    day = plan.now.astimezone(PARK_ZONE).date()
    rules = builtin_headroom_rules()
    rule, weekly = rules.headroom_on(day), rules.yearly_peak_on(day)
    nodes = plan.nodes
    active, reactive = node_loads(nodes, meter_curves(plan.points, quarters, plan.signs))
    apparent, assumed = apparent_power_of(active, reactive, assumed_power_factor=rule.assumed_power_factor)
    rated = np.array([np.nan if node.rated_kva is None else node.rated_kva for node in nodes], dtype=np.float64)
    screening = screen_load(apparent, rated, rule, interval_hours=0.25)
    believed = np.where(screening.rejected, np.nan, apparent)
    return NetworkLoads(
        as_of=plan.now,
        end=plan.end,
        rule=rule,
        weekly=weekly,
        nodes=nodes,
        paths=tuple(paths_of(nodes)),
        seasonal=seasonal_peak(apparent[:, -QUARTERS_A_YEAR:], _newest(screening), rule),
        yearly=yearly_peak(weekly_maxima(believed, slots_per_week=7 * 96, rule=weekly), weekly),
        year=believed[:, -QUARTERS_A_YEAR:],
        assumed=_share(assumed[:, -QUARTERS_A_YEAR:]),
    )


def free_at(
    nodes: Sequence[Node], peak: Floats, reserved: Floats, rule: HeadroomRule, *, is_short_time_allowed: bool
) -> NodeHeadroom:
    """Free capacity of nodes with these peaks and promises, by both rules."""
    width = max([1, *(len(node.ratings) for node in nodes)])
    units = np.full((len(nodes), width), np.nan)
    for n, node in enumerate(nodes):
        units[n, : len(node.ratings)] = node.ratings
    shares = np.array([len(node.units) > 1 for node in nodes], dtype=bool)
    return node_headroom(
        units, peak, reserved, rule, needs_n_minus_1=shares, is_short_time_allowed=is_short_time_allowed
    )


def rule_name(found: NodeHeadroom, n: int) -> str | None:
    """Rule that binds a node; none where its headroom is not known."""
    code = int(found.binding[n])
    return None if code < 0 else Criterion(code).name.lower()


def unknown_because(node: Node, *, has_peak: bool) -> str | None:
    """Word of why a node has no headroom: no_network, silent or unmeasured; none: it has."""
    if not node.ratings:
        return "no_network"
    if has_peak:
        return None
    return "silent" if node.meters else "unmeasured"


def why_unknown(node: Node, *, has_peak: bool) -> str | None:
    """The same as a sentence."""
    sentences = {
        "no_network": "the catalogue has neither a transformer nor a feeder: what the park may carry is not known",
        "silent": f"no reading of {', '.join(node.meters)} in twelve months",
        "unmeasured": "nothing measures it: no meter names it in the catalogue, and what hangs on it is not all "
        "measured",
    }
    word = unknown_because(node, has_peak=has_peak)
    return None if word is None else sentences[word]


def _newest(screening: Screening) -> Screening:
    parts = (screening.frozen, screening.spike, screening.impossible)
    return Screening(*(part[:, -QUARTERS_A_YEAR:] for part in parts))


def _share(assumed: Floats) -> Floats:
    """Share of the known quarter-hours of each node; NaN where none is known."""
    told = np.isfinite(assumed).sum(axis=1)
    return np.where(told > 0, np.nansum(assumed, axis=1) / np.maximum(told, 1), np.nan)
