"""Everything that an answer about capacity rests on, one sentence each, in Chinese and English."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from smartpark_analytics.planning.loads import NetworkLoads
from smartpark_analytics.planning.network import PARK
from smartpark_analytics.planning.promises import Reserved, place_of

from smartpark_api.display import number
from smartpark_api.load_requests.capacity_models import AssumptionOut
from smartpark_api.words import Language, words_of

if TYPE_CHECKING:
    from smartpark_api.load_requests.capacity import Ask

_NO_NODE = "—"


@dataclass(frozen=True)
class Told:
    """What was asked, of what, and how it was judged."""

    loads: NetworkLoads
    park: str
    ask: "Ask"
    promises: Sequence[Reserved]
    rows: Sequence[int]
    """Nodes of the path, from the connection upwards."""
    is_forecast: NDArray[np.bool_]
    """Which nodes were judged by a forecast."""
    chosen: str
    """Where it was judged."""
    has_own_line: bool

    @property
    def path(self) -> "list[str]":
        """Codes of the nodes of the path."""
        return [self.loads.nodes[n].code for n in self.rows]


Sentence = tuple[str, dict[str, str]]


def assumptions_of(told: Told) -> list[AssumptionOut]:
    """In the order in which a reader asks."""
    parts = (_about_place(told), _about_ask(told), _about_peak(told), _about_rules(told), _about_promises(told))
    return [_in_both(code, values) for part in parts for code, values in part]


def _in_both(code: str, values: dict[str, str]) -> AssumptionOut:
    zh, en = (words_of(language)(f"capacity.assume_{code}", **values) for language in (Language.ZH, Language.EN))
    return AssumptionOut(code=code, zh=zh, en=en)


def _about_place(told: Told) -> Iterator[Sentence]:
    if told.has_own_line:
        yield "own_line", {}
    elif told.ask.node is None:
        yield "place_chosen", {"node": told.chosen}
    elif told.ask.node != told.chosen and told.ask.request is not None and told.ask.node not in _units(told):
        yield "node_unknown", {"node": told.ask.node, "chosen": told.chosen}
    if any(told.loads.nodes[n].is_replaceable for n in told.rows):
        yield "upgrade", {}
    yield "park", {}


def _units(told: Told) -> set[str]:
    """Names by which a request may mean the node it was judged at."""
    node = told.loads.nodes[told.rows[0]]
    return {f"{node.kind}/{unit}" for unit in node.units}


def _about_ask(told: Told) -> Iterator[Sentence]:
    ask = told.ask
    if ask.is_connected:
        yield "connected", {}
        return
    if ask.has_ended:
        yield "ended", {}
    if ask.coincidence is None:
        yield "coincidence_full", {"kva": number(ask.kva, 0)}
    else:
        yield (
            "coincidence_given",
            {
                "kva": number(ask.kva, 0),
                "share": f"{ask.coincidence:g}",
                "added": number(ask.added_kva, 0),
            },
        )
    if ask.start is not None:
        yield "start", {"day": ask.start.isoformat()}


def _about_peak(told: Told) -> Iterator[Sentence]:
    loads, nodes = told.loads, told.loads.nodes
    known = [n for n in told.rows if np.isfinite(loads.seasonal.peak[n])]
    ahead = [nodes[n].code for n in known if told.is_forecast[n]]
    if ahead:
        share = f"{loads.yearly.quantiles[-1] * 100:g}"
        yield "forecast", {"nodes": ", ".join(ahead), "share": share}
    for n in known:
        if not told.is_forecast[n]:
            yield (
                "no_forecast",
                {
                    "node": nodes[n].code,
                    "weeks": str(int(loads.yearly.weeks_known[n])),
                    "needed": str(loads.weekly.least_weeks),
                },
            )
        if loads.seasonal.is_lower_bound[n]:
            yield "lower_bound", {"node": nodes[n].code, "share": f"{loads.seasonal.completeness[n] * 100:.1f}"}
    rejected = int(loads.seasonal.rejected[list(told.rows)].sum())
    yield "seasonal", {"rejected": str(rejected), "rule": loads.rule.id}
    if np.nansum(loads.assumed[list(told.rows)]) > 0:
        yield "power_factor", {"factor": f"{loads.rule.assumed_power_factor:g}"}
    yield "generation", {}


def _about_rules(told: Told) -> Iterator[Sentence]:
    rule = told.loads.rule
    yield "load_share", {"share": f"{rule.load_share * 100:g}", "source": f"{rule.id}, {rule.grade}"}
    if any(len(told.loads.nodes[n].units) > 1 for n in told.rows):
        factor = rule.short_time_factor if told.ask.is_short_time_allowed else 1.0
        yield "n_minus_1", {"factor": f"{factor:g}"}
    else:
        yield "no_n_minus_1", {}


def _about_promises(told: Told) -> Iterator[Sentence]:
    if told.ask.has_promise:
        yield "own_promise", {}
    path = set(told.path)
    counted = [(one, place_of(one, told.loads.nodes)) for one in told.promises]
    here = [(one, place) for one, place in counted if place in path or _leads_into(told, place)]
    for one, place in here:
        values = {
            "request": one.request or _NO_NODE,
            "place": place,
            "kva": number(one.kva, 0),
            "share": "1" if one.coincidence is None else f"{one.coincidence:g}",
        }
        if place == PARK and one.node != PARK:
            yield "promised_somewhere", values
        else:
            yield "promised", values
    if not here:
        yield "nothing_promised", {}


def _leads_into(told: Told, place: str) -> bool:
    """Whether what is promised at a node also goes through the path."""
    upwards = next((path for path in told.loads.paths if path[0] == place), ())
    return any(code in told.path for code in upwards)
