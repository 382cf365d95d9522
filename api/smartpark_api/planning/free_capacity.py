"""What capacity is free at each transformer, feeder and the park, on each path, and whether a new load would fit.

Everything the answer rests on stands in it: the rule and its grade, what was assumed, what was not believed. A node
whose peak is not known has no headroom and says why; nothing is ever free because nobody measured it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np
from numpy.typing import NDArray
from smartpark_analytics.headroom import METHOD, Criterion, NodeHeadroom, Verdict, path_headroom, verdict
from smartpark_analytics.planning.loads import NetworkLoads, free_at, rule_name, why_unknown
from smartpark_analytics.planning.network import PARK, Node
from smartpark_analytics.planning.promises import Reserved, place_of, reserved_at
from smartpark_storage.connections import Connection

from smartpark_api.planning.forecasting import known, peak_out
from smartpark_api.planning.loads import read_network
from smartpark_api.planning.models import AskOut, HeadroomOut, NodeOut, PathOut, RejectedOut
from smartpark_api.planning.promised import promised_in

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Question:
    """What is asked of a park's network."""

    ask_kva: float | None = None
    coincidence: float = 1.0
    """Share of what is asked that falls together with the peak; 1: all of it."""
    start: date | None = None
    reserved: tuple[Reserved, ...] = ()
    takes_promises: bool = True
    """Whether what is promised to load requests under way is taken off; false: only what the question reserves."""
    stations: tuple[tuple[str, ...], ...] = ()
    """Transformers that stand in for each other."""
    is_short_time_allowed: bool = True


def headroom_of_park(connection: Connection, park: str, question: Question, *, now: datetime) -> HeadroomOut:
    """Free capacity of every node and path, and what becomes of the request that was asked about.

    What has been promised to requests under way is taken off, with whatever the question adds to it.
    """
    loads = read_network(connection, park, now=now, stations=question.stations)
    promised = promised_in(connection, park) if question.takes_promises else ()
    promises = (*promised, *question.reserved)
    nodes, paths, rule = loads.nodes, loads.paths, loads.rule
    reserved = reserved_at(promises, nodes, paths)
    found, cautious = (
        free_at(nodes, peak, reserved, rule, is_short_time_allowed=question.is_short_time_allowed)
        for peak in (loads.seasonal.peak, loads.upper_peak(question.start))
    )
    return HeadroomOut(
        park=park,
        as_of=now,
        unit="kVA",
        ask=None
        if question.ask_kva is None
        else AskOut(kva=question.ask_kva, coincidence=question.coincidence, start=question.start),
        nodes=[_node_out(n, loads, found, cautious, reserved=reserved) for n in range(len(nodes))],
        paths=_paths_out(nodes, paths, found, cautious, question),
        assumptions=_assumptions(loads, question, promises),
        rule=rule.id,
        grade=rule.grade,
        source=rule.source,
        method=METHOD,
    )


def _node_out(
    n: int, loads: NetworkLoads, found: NodeHeadroom, cautious: NodeHeadroom, *, reserved: Floats
) -> NodeOut:
    node, seasonal = loads.nodes[n], loads.seasonal
    peak_at = loads.peak_at(n)
    frozen, spike, impossible = (int(count) for count in seasonal.rejected[n])
    return NodeOut(
        code=node.code,
        kind=node.kind,
        units=list(node.units),
        rated_kva=node.rated_kva,
        peak_kva=number(seasonal.peak[n]),
        peak_at=peak_at,
        completeness=round(float(seasonal.completeness[n]), 4),
        is_lower_bound=bool(seasonal.is_lower_bound[n]),
        rejected=RejectedOut(frozen=frozen, spike=spike, impossible=impossible),
        assumed_power_factor_share=number(loads.assumed[n]),
        reserved_kva=round(float(reserved[n]), 3),
        limit_kva=by_rule(found.limit[n]),
        headroom_by_rule_kva=by_rule(found.by_criterion[n]),
        headroom_kva=number(found.headroom[n]),
        available_kva=number(found.available[n]),
        binding=rule_name(found, n),
        cautious_headroom_kva=number(cautious.headroom[n]),
        yearly_peak=peak_out(loads.yearly, n, unit="kVA", rule=loads.weekly),
        reason=why_unknown(node, has_peak=peak_at is not None),
    )


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
                headroom_kva=number(least.headroom[p]),
                at_most_kva=number(least.at_most[p]),
                binding_node=None if binding < 0 else nodes[binding].code,
                binding_rule=None if binding < 0 else rule_name(found, binding),
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


def _assumptions(loads: NetworkLoads, question: Question, promises: Sequence[Reserved]) -> list[str]:
    rule = loads.rule
    told = [
        f"peak: highest quarter-hour of the last twelve months, after setting aside bad data ({rule.id})",
        f"load at most {rule.load_share:.0%} of the rating",
        "the park may carry what all its supplies carry together",
    ]
    if any(len(node.units) > 1 for node in loads.nodes):
        factor = rule.short_time_factor if question.is_short_time_allowed else 1.0
        told.append(f"N-1: while the largest unit is out the others carry {factor:g} times their rating")
    else:
        told.append("N-1 is not judged: nobody said which transformers stand in for each other (station)")
    if np.nansum(loads.assumed) > 0:
        told.append(f"where reactive power is not measured, kVA = kW / {rule.assumed_power_factor:g}")
    if not question.takes_promises:
        told.append("what is promised to load requests under way was left out, as asked")
    told += [_told(one, loads.nodes) for one in promises] or ["no request under way is reserved"]
    if question.ask_kva is not None:
        told.append(f"asked: {question.ask_kva:g} kVA x {question.coincidence:g} at the peak")
        told.append("after an upgrade: a distribution transformer may be replaced; feeders and main transformers not")
    if question.start is not None:
        told.append(
            f"from {question.start}: the plain verdict takes last year's peak as it was, the cautious one the upper "
            "quantile of the coming year's, with its growth for every further year"
        )
    return told


def _told(one: Reserved, nodes: Sequence[Node]) -> str:
    place = place_of(one, nodes)
    of = "" if one.request is None else f" for {one.request}"
    share = f"{one.kva:g} kVA x {1.0 if one.coincidence is None else one.coincidence:g}"
    if place == PARK and one.node != PARK:
        named = "it names no node" if one.node is None else f"the catalogue has no {one.node}"
        return f"reserved{of} at the park alone, {named}: {share}"
    return f"reserved{of} at {place} and above: {share}"


def by_rule(values: Floats) -> dict[str, float | None]:
    """What each rule says."""
    return {criterion.name.lower(): number(values[criterion]) for criterion in Criterion}


def number(value: np.float64) -> float | None:
    """A number for JSON: null where not known."""
    return known(np.atleast_1d(value))[0]
