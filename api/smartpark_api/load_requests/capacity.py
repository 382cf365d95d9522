"""Whether a load request fits, or what would be if somebody asked: at its node, at what feeds it, and at the park.

Each level is judged by the upper quantile of the coming year's peak where there is a forecast, and by the maximum of
the last twelve months where there is none yet, which is then said. What was promised to other requests is taken off
first, and a request never stands in its own way. It decides nothing about the request; a person does.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
from numpy.typing import NDArray
from smartpark.load_requests.words import VoltageClass
from smartpark_analytics.headroom import NodeHeadroom, Verdict, path_headroom, verdict
from smartpark_analytics.load_statistics import load_duration_curve
from smartpark_analytics.planning.loads import NetworkLoads, free_at, rule_name, unknown_because, why_unknown
from smartpark_analytics.planning.network import PARK, UnknownNodeError, find_node
from smartpark_analytics.planning.promises import Reserved, reserved_at
from smartpark_storage.load_requests import RequestRow

from smartpark_api.load_requests.assumptions import Told, assumptions_of
from smartpark_api.load_requests.capacity_models import AskedOut, CapacityOut, CurveOut, LevelOut, PlaceOut
from smartpark_api.planning.free_capacity import by_rule, number

Floats = NDArray[np.float64]
METHOD: Final = "capacity/1"
"""Name and version of the method: `headroom/1` with the forecast before the seasonal maximum."""
_STEPS: Final = 100
_RANK: Final = (Verdict.FITS, Verdict.AFTER_UPGRADE, Verdict.NOT_KNOWN, Verdict.DOES_NOT_FIT)
_CONNECTS_TO: Final = {VoltageClass.LOW: "transformer", VoltageClass.KV10: "feeder"}
"""Where a connection of that voltage hangs; what is higher has a line of its own."""


@dataclass(frozen=True, slots=True)
class Ask:
    """What is asked of the network."""

    kva: float
    coincidence: float | None = None
    """Share that falls together with the peak; none: nobody said, it counts in full."""
    start: date | None = None
    node: str | None = None
    """Where it is to connect; none: wherever there is most room."""
    voltage: VoltageClass | None = None
    """Decides which nodes come into question where none is named; none: all of them."""
    request: str | None = None
    is_connected: bool = False
    """Its load is among what is measured."""
    has_ended: bool = False
    has_promise: bool = False
    """It has a reservation of its own, which does not count against it."""
    is_short_time_allowed: bool = True

    @property
    def added_kva(self) -> float:
        """What it adds to the peak."""
        return 0.0 if self.is_connected else self.kva * (1.0 if self.coincidence is None else self.coincidence)


def ask_of(row: RequestRow) -> Ask:
    """What a request asks: what was approved, else what was applied for."""
    return Ask(
        kva=row.applied_kva if row.approved_kva is None else row.approved_kva,
        coincidence=row.coincidence,
        start=row.wanted_on,
        node=row.scheme_node or row.node,
        voltage=VoltageClass(row.voltage),
        request=row.code,
        is_connected=row.energized_at is not None,
        has_ended=row.outcome is not None and row.energized_at is None,
        has_promise=row.reserved_kva > 0,
    )


@dataclass(frozen=True)
class _Judged:
    """Every node with the peak it is judged by."""

    loads: NetworkLoads
    ask: Ask
    reserved: Floats
    planned: Floats
    is_forecast: NDArray[np.bool_]
    free: NodeHeadroom
    plain: NodeHeadroom
    """The same with the seasonal maximum everywhere."""


def capacity_of(loads: NetworkLoads, park: str, ask: Ask, promises: Sequence[Reserved]) -> CapacityOut:
    """What becomes of what is asked, at every level of the path, with everything the answer rests on.

    Parameters
    ----------
    promises : sequence of Reserved
        What others were promised; not the request's own.

    Raises
    ------
    UnknownNodeError
        When a what-if names a node that there is none of. A request that does is judged where there is most room.
    """
    judged = _judge(loads, ask, promises)
    named = _named_node(loads, ask)
    places = _ranked(judged, _candidates(loads, None))
    chosen = named or _ranked(judged, _candidates(loads, ask.voltage))[0].node
    has_own_line = named is None and ask.voltage is not None and ask.voltage not in _CONNECTS_TO
    rows = _rows(loads, chosen)
    known = [n for n in rows if np.isfinite(judged.free.headroom[n])]
    least = min(known, key=lambda n: float(judged.free.headroom[n]), default=None)
    at_most = None if least is None else number(judged.free.headroom[least])
    return CapacityOut(
        park=park,
        as_of=loads.as_of,
        unit="kVA",
        asked=_asked(ask),
        verdict=_said(ask, judged.free, judged, rows, has_own_line=has_own_line),
        verdict_by_seasonal_maximum=_said(ask, judged.plain, judged, rows, has_own_line=has_own_line),
        basis=_basis([bool(judged.is_forecast[n]) for n in rows if np.isfinite(judged.planned[n])]),
        headroom_kva=at_most if len(known) == len(rows) else None,
        at_most_kva=at_most,
        binding_node=None if least is None else loads.nodes[least].code,
        binding_rule=None if least is None else rule_name(judged.free, least),
        levels=[_level(judged, n) for n in rows],
        places=[place for place in places if place.node != PARK],
        assumptions=assumptions_of(
            Told(loads, park, ask, promises, rows, judged.is_forecast, chosen, has_own_line=has_own_line)
        ),
        rule=loads.rule.id,
        grade=loads.rule.grade,
        source=loads.rule.source,
        method=METHOD,
    )


def _judge(loads: NetworkLoads, ask: Ask, promises: Sequence[Reserved]) -> _Judged:
    upper = loads.upper_peak(ask.start)
    is_forecast = np.isfinite(upper)
    planned = np.where(is_forecast, upper, loads.seasonal.peak)
    reserved = reserved_at(promises, loads.nodes, loads.paths)
    free, plain = (
        free_at(loads.nodes, peak, reserved, loads.rule, is_short_time_allowed=ask.is_short_time_allowed)
        for peak in (planned, loads.seasonal.peak)
    )
    return _Judged(loads, ask, reserved, planned, is_forecast, free, plain)


def _named_node(loads: NetworkLoads, ask: Ask) -> str | None:
    """Node that is asked about; none: none is named, or a request names one that the catalogue does not have."""
    if ask.node is None:
        return None
    try:
        return find_node(loads.nodes, ask.node).code
    except UnknownNodeError:
        if ask.request is None:
            raise
        return None


def _candidates(loads: NetworkLoads, voltage: VoltageClass | None) -> list[str]:
    """Nodes that come into question for a connection of a voltage; none given: all. The park where there is none."""
    kinds = {"transformer", "feeder"} if voltage is None else {_CONNECTS_TO.get(voltage, PARK)}
    return [node.code for node in loads.nodes if node.kind in kinds] or [PARK]


def _rows(loads: NetworkLoads, start: str) -> list[int]:
    row_of = {node.code: n for n, node in enumerate(loads.nodes)}
    path = next(path for path in loads.paths if path[0] == start)
    return [row_of[code] for code in path]


def _ranked(judged: _Judged, starts: Sequence[str]) -> list[PlaceOut]:
    """Places with the path's room, the best first: by verdict, then by how much there is."""
    found = [(start, _rows(judged.loads, start)) for start in starts]
    on_path = np.array([[n in rows for n in range(len(judged.loads.nodes))] for _, rows in found], dtype=bool)
    least = path_headroom(judged.free.headroom, on_path.reshape(len(found), len(judged.loads.nodes)))
    verdicts = [_verdict(judged.free, judged, rows) for _, rows in found]
    room = np.nan_to_num(least.at_most, nan=-np.inf)
    order = sorted(range(len(found)), key=lambda p: (_RANK.index(verdicts[p]), -float(room[p])))
    return [
        PlaceOut(
            node=found[p][0],
            names=list(judged.loads.nodes[found[p][1][0]].names),
            headroom_kva=number(least.headroom[p]),
            at_most_kva=number(least.at_most[p]),
            verdict=verdicts[p].name.lower(),
        )
        for p in order
    ]


def _verdict(free: NodeHeadroom, judged: _Judged, rows: Sequence[int]) -> Verdict:
    replaceable = np.array([judged.loads.nodes[n].is_replaceable for n in rows], dtype=bool)
    return verdict(free.headroom[list(rows)], judged.ask.added_kva, replaceable)


def _said(ask: Ask, free: NodeHeadroom, judged: _Judged, rows: Sequence[int], *, has_own_line: bool) -> str | None:
    if ask.is_connected:
        return None
    return (Verdict.NOT_KNOWN if has_own_line else _verdict(free, judged, rows)).name.lower()


def _basis(is_forecast: Sequence[bool]) -> str:
    if not is_forecast:
        return "none"
    if all(is_forecast):
        return "forecast"
    return "mixed" if any(is_forecast) else "seasonal_maximum"


def _asked(ask: Ask) -> AskedOut:
    return AskedOut(
        kva=ask.kva,
        coincidence=1.0 if ask.coincidence is None else ask.coincidence,
        is_coincidence_assumed=ask.coincidence is None,
        start=ask.start,
        node=ask.node,
        request=ask.request,
    )


def _level(judged: _Judged, n: int) -> LevelOut:
    loads, free, ask = judged.loads, judged.free, judged.ask
    node, seasonal = loads.nodes[n], loads.seasonal
    has_forecast, peak_at = bool(judged.is_forecast[n]), loads.peak_at(n)
    left = free.headroom[n] - ask.added_kva
    return LevelOut(
        node=node.code,
        kind=node.kind,
        names=list(node.names),
        rated_kva=node.rated_kva,
        seasonal_peak_kva=number(seasonal.peak[n]),
        seasonal_peak_at=peak_at,
        completeness=round(float(seasonal.completeness[n]), 4),
        is_lower_bound=bool(seasonal.is_lower_bound[n]),
        forecast_quantiles=list(loads.yearly.quantiles),
        forecast_kva=[round(float(value), 3) for value in loads.yearly.values[n]] if has_forecast else None,
        planned_peak_kva=number(judged.planned[n]),
        basis="forecast" if has_forecast else "none" if peak_at is None else "seasonal_maximum",
        reserved_kva=round(float(judged.reserved[n]), 3),
        asked_kva=round(ask.added_kva, 3),
        after_kva=number(judged.planned[n] + judged.reserved[n] + ask.added_kva),
        limit_kva=by_rule(free.limit[n]),
        headroom_kva=number(free.headroom[n]),
        left_kva=number(left),
        binding=rule_name(free, n),
        verdict="not_known" if np.isnan(left) else "short" if _is_short(free, n, ask) else "fits",
        can_be_upgraded=node.is_replaceable,
        share_above_limit=_share_above(judged, n),
        because=unknown_because(node, has_peak=peak_at is not None),
        reason=why_unknown(node, has_peak=peak_at is not None),
        curve=_curve(judged, n),
    )


def _is_short(free: NodeHeadroom, n: int, ask: Ask) -> bool:
    """As the verdict on the path has it: what is beyond its limit has no room, and nothing to add needs none."""
    return max(0.0, float(free.headroom[n])) < ask.added_kva


def _share_above(judged: _Judged, n: int) -> float | None:
    year, limits = judged.loads.year[n], judged.free.limit[n]
    known = year[np.isfinite(year)]
    if known.size == 0 or not np.isfinite(limits).any():
        return None
    after = known + judged.reserved[n] + judged.ask.added_kva
    return round(float((after > np.fmin.reduce(limits)).mean()), 4)


def _curve(judged: _Judged, n: int) -> CurveOut | None:
    """A hundred steps of equal time, and before them the maximum, which a mean would hide."""
    peak = judged.loads.seasonal.peak[n]
    if np.isnan(peak):
        return None
    steps = load_duration_curve(judged.loads.year[n : n + 1], 0.25, _STEPS).power_kw[0]
    load = np.concatenate([[peak], steps])
    share = np.concatenate([[0.0], (np.arange(_STEPS) + 0.5) * (100.0 / _STEPS)])
    after = load + judged.reserved[n] + judged.ask.added_kva
    return CurveOut(
        share=[round(float(one), 2) for one in share],
        load_kva=[round(float(one), 1) for one in load],
        after_kva=[round(float(one), 1) for one in after],
    )
