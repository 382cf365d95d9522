"""What capacity is free at each transformer and feeder, on each path, and whether a new load would fit.

Everything the answer rests on stands in it: the rule and its grade, what was assumed, what was not believed. A node
whose peak is not known has no headroom and says why; nothing is ever free because nobody measured it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

import numpy as np
from numpy.typing import NDArray
from smartpark.clock import PARK_ZONE
from smartpark.headroom_rules import HeadroomRule, builtin_headroom_rules
from smartpark_analytics.headroom import (
    METHOD,
    Criterion,
    NodeHeadroom,
    Verdict,
    apparent_power_of,
    node_headroom,
    path_headroom,
    reserved_load,
    verdict,
)
from smartpark_analytics.seasonal_peak import Screening, SeasonalPeak, screen_load, seasonal_peak
from smartpark_analytics.yearly_peak import YearlyPeak, weekly_maxima, yearly_peak
from smartpark_storage.connections import Connection
from smartpark_storage.reads_load import read_load_points, read_nodes

from smartpark_api.planning.curves import QUARTER, floor_to, meter_signs, read_meter_curves
from smartpark_api.planning.forecasting import PEAK_DAYS, known, peak_out, peak_rule
from smartpark_api.planning.models import AskOut, HeadroomOut, NodeOut, PathOut, RejectedOut
from smartpark_api.planning.network import Node, find_node, node_loads, nodes_of, paths_of

Floats = NDArray[np.float64]
_YEAR = 365 * 96


@dataclass(frozen=True)
class Reserved:
    """A request under way: capacity promised and not yet connected."""

    node: str
    kva: float
    coincidence: float = 1.0


@dataclass(frozen=True)
class Question:
    """What is asked of a park's network."""

    ask_kva: float | None = None
    coincidence: float = 1.0
    """Share of what is asked that falls together with the peak; 1: all of it."""
    start: date | None = None
    reserved: tuple[Reserved, ...] = ()
    stations: tuple[tuple[str, ...], ...] = ()
    """Transformers that stand in for each other."""
    is_short_time_allowed: bool = True


@dataclass(frozen=True)
class _Peaks:
    """What the history says of each node."""

    seasonal: SeasonalPeak
    yearly: YearlyPeak
    cautious: Floats
    """Upper quantile of the coming year, carried on to the day that was asked for; NaN where not known. [kVA]"""
    assumed: Floats = field(repr=False)
    """Share of the quarter-hours whose power factor was assumed. [0-1]"""


def headroom_of_park(connection: Connection, park: str, question: Question, *, now: datetime) -> HeadroomOut:
    """Free capacity of every node and path, and what becomes of the request that was asked about."""
    end = floor_to(now, QUARTER)
    rule = builtin_headroom_rules().headroom_on(now.astimezone(PARK_ZONE).date())
    points = read_load_points(connection, park)
    nodes = nodes_of(read_nodes(connection, park), points, question.stations)
    metered = {device for node in nodes for device in node.meters}
    on_nodes = [point for point in points if point.device in metered]
    curves = read_meter_curves(connection, on_nodes, meter_signs(on_nodes), end - timedelta(days=PEAK_DAYS), end)
    active, reactive = node_loads(nodes, curves)
    peaks = _peaks(nodes, active, reactive, rule, question, now=now)
    paths = paths_of(nodes)
    reserved = _reserved(question, nodes, paths)
    found = _headroom(nodes, peaks.seasonal.peak, reserved, rule, question)
    cautious = _headroom(nodes, peaks.cautious, reserved, rule, question)
    return HeadroomOut(
        park=park,
        as_of=now,
        unit="kVA",
        ask=None
        if question.ask_kva is None
        else AskOut(kva=question.ask_kva, coincidence=question.coincidence, start=question.start),
        nodes=[
            _node_out(n, node, found, cautious, peaks=peaks, reserved=reserved, end=end)
            for n, node in enumerate(nodes)
        ],
        paths=_paths_out(nodes, paths, found, cautious, question),
        assumptions=_assumptions(nodes, question, rule, peaks),
        rule=rule.id,
        grade=rule.grade,
        source=rule.source,
        method=METHOD,
    )


def _peaks(
    nodes: Sequence[Node], active: Floats, reactive: Floats, rule: HeadroomRule, question: Question, *, now: datetime
) -> _Peaks:
    apparent, assumed = apparent_power_of(active, reactive, assumed_power_factor=rule.assumed_power_factor)
    rated = np.array([sum(node.ratings) for node in nodes], dtype=np.float64)
    screening = screen_load(apparent, rated, rule, interval_hours=0.25)
    newest = Screening(*(part[:, -_YEAR:] for part in (screening.frozen, screening.spike, screening.impossible)))
    seasonal = seasonal_peak(apparent[:, -_YEAR:], newest, rule)
    weekly = peak_rule(now)
    believed = np.where(screening.rejected, np.nan, apparent)
    yearly = yearly_peak(weekly_maxima(believed, slots_per_week=7 * 96, rule=weekly), weekly)
    is_forecast = np.array([basis.value.startswith("season") for basis in yearly.basis], dtype=bool)
    years = 0 if question.start is None else max(0, (question.start - now.astimezone(PARK_ZONE).date()).days // 365)
    cautious = np.where(is_forecast, yearly.values[:, -1] * yearly.growth**years, np.nan)
    last = assumed[:, -_YEAR:]
    told = np.isfinite(last).sum(axis=1)
    share = np.where(told > 0, np.where(np.isfinite(last), last, 0.0).sum(axis=1) / np.maximum(told, 1), np.nan)
    return _Peaks(seasonal, yearly, cautious, share)


def _reserved(question: Question, nodes: Sequence[Node], paths: Sequence[tuple[str, ...]]) -> Floats:
    """What is promised at a node also goes through everything above it."""
    path_from = {path[0]: path for path in paths}
    through = [path_from[find_node(nodes, one.node).code] for one in question.reserved]
    at_node = np.array([[node.code in path for path in through] for node in nodes], dtype=bool)
    at_node = at_node.reshape(len(nodes), len(through))
    requested = np.array([one.kva for one in question.reserved], dtype=np.float64)
    return reserved_load(
        requested, np.array([one.coincidence for one in question.reserved], dtype=np.float64), at_node
    )


def _headroom(
    nodes: Sequence[Node], peak: Floats, reserved: Floats, rule: HeadroomRule, question: Question
) -> NodeHeadroom:
    width = max([1, *(len(node.ratings) for node in nodes)])
    units = np.full((len(nodes), width), np.nan)
    for n, node in enumerate(nodes):
        units[n, : len(node.ratings)] = node.ratings
    shares = np.array([len(node.units) > 1 for node in nodes], dtype=bool)
    return node_headroom(
        units,
        peak,
        reserved,
        rule,
        needs_n_minus_1=shares,
        is_short_time_allowed=question.is_short_time_allowed,
    )


def _node_out(
    n: int, node: Node, found: NodeHeadroom, cautious: NodeHeadroom, *, peaks: _Peaks, reserved: Floats, end: datetime
) -> NodeOut:
    seasonal = peaks.seasonal
    interval = int(seasonal.interval[n])
    first = end - min(_YEAR, PEAK_DAYS * 96) * QUARTER
    weekly = peak_rule(end)
    frozen, spike, impossible = (int(count) for count in seasonal.rejected[n])
    return NodeOut(
        code=node.code,
        kind=node.kind,
        units=list(node.units),
        rated_kva=sum(node.ratings),
        peak_kva=_number(seasonal.peak[n]),
        peak_at=None if interval < 0 else first + interval * QUARTER,
        completeness=round(float(seasonal.completeness[n]), 4),
        is_lower_bound=bool(seasonal.is_lower_bound[n]),
        rejected=RejectedOut(frozen=frozen, spike=spike, impossible=impossible),
        assumed_power_factor_share=_number(peaks.assumed[n]),
        reserved_kva=round(float(reserved[n]), 3),
        limit_kva=_by_rule(found.limit[n]),
        headroom_by_rule_kva=_by_rule(found.by_criterion[n]),
        headroom_kva=_number(found.headroom[n]),
        available_kva=_number(found.available[n]),
        binding=_rule_name(found, n),
        cautious_headroom_kva=_number(cautious.headroom[n]),
        yearly_peak=peak_out(peaks.yearly, n, unit="kVA", rule=weekly),
        reason=None if interval >= 0 else _why_unknown(node),
    )


def _why_unknown(node: Node) -> str:
    if node.meters:
        return f"no reading of {', '.join(node.meters)} in twelve months"
    return "nothing measures it: no meter names it in the catalogue, and what hangs on it is not all measured"


def _paths_out(
    nodes: Sequence[Node],
    paths: Sequence[tuple[str, ...]],
    found: NodeHeadroom,
    cautious: NodeHeadroom,
    question: Question,
) -> list[PathOut]:
    row_of = {node.code: n for n, node in enumerate(nodes)}
    on_path = np.array([[node.code in path for node in nodes] for path in paths], dtype=bool)
    least = path_headroom(found.headroom, on_path.reshape(len(paths), len(nodes)))
    out: list[PathOut] = []
    for p, path in enumerate(paths):
        rows = [row_of[code] for code in path]
        binding = int(least.binding[p])
        out.append(
            PathOut(
                nodes=list(path),
                headroom_kva=_number(least.headroom[p]),
                at_most_kva=_number(least.at_most[p]),
                binding_node=None if binding < 0 else nodes[binding].code,
                binding_rule=None if binding < 0 else _rule_name(found, binding),
                verdict=_verdict(nodes, rows, found, question),
                cautious_verdict=_verdict(nodes, rows, cautious, question),
            )
        )
    return out


def _verdict(nodes: Sequence[Node], rows: Sequence[int], found: NodeHeadroom, question: Question) -> str | None:
    if question.ask_kva is None:
        return None
    replaceable = np.array([nodes[row].is_replaceable for row in rows], dtype=bool)
    told: Verdict = verdict(found.headroom[list(rows)], question.ask_kva * question.coincidence, replaceable)
    return told.name.lower()


def _assumptions(nodes: Sequence[Node], question: Question, rule: HeadroomRule, peaks: _Peaks) -> list[str]:
    told = [
        f"peak: highest quarter-hour of the last twelve months, after setting aside bad data ({rule.id})",
        f"load at most {rule.load_share:.0%} of the rating",
    ]
    if any(len(node.units) > 1 for node in nodes):
        factor = rule.short_time_factor if question.is_short_time_allowed else 1.0
        told.append(f"N-1: while the largest unit is out the others carry {factor:g} times their rating")
    else:
        told.append("N-1 is not judged: nobody said which transformers stand in for each other (station)")
    if np.nansum(peaks.assumed) > 0:
        told.append(f"where reactive power is not measured, kVA = kW / {rule.assumed_power_factor:g}")
    told += [
        f"reserved at {one.node} and above: {one.kva:g} kVA x {one.coincidence:g}" for one in question.reserved
    ] or ["no request under way is reserved"]
    if question.ask_kva is not None:
        told.append(f"asked: {question.ask_kva:g} kVA x {question.coincidence:g} at the peak")
        told.append("after an upgrade: a distribution transformer may be replaced; feeders and main transformers not")
    if question.start is not None:
        told.append(
            f"from {question.start}: the plain verdict takes last year's peak as it was, the cautious one the upper "
            "quantile of the coming year's, with its growth for every further year"
        )
    return told


def _by_rule(values: Floats) -> dict[str, float | None]:
    return {criterion.name.lower(): _number(values[criterion]) for criterion in Criterion}


def _rule_name(found: NodeHeadroom, n: int) -> str | None:
    code = int(found.binding[n])
    return None if code < 0 else Criterion(code).name.lower()


def _number(value: np.float64) -> float | None:
    return known(np.atleast_1d(value))[0]
