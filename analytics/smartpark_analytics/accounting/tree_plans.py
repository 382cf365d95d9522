"""The balance of meters as statements: residuals of parents, losses, common use, what no end meter measures.

All are sums of registers with whole multiples, so they are stated and explained like any other sum. A register that
occurs on both sides drops out: the unmetered rest of a park is what is left of its purchase when everything measured
at the ends of the tree is taken off, whatever was measured in between.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from smartpark.accounts import PARK, Flow, ParkAccounts
from smartpark.coefficients import Coefficient
from smartpark.factors import FactorSet
from smartpark.measurands import Carrier, Measurand

from smartpark_analytics.accounting.coefficients import one
from smartpark_analytics.accounting.recipes import Recipe, Traits
from smartpark_analytics.accounting.statement import Plan, Statement, Term, uncertainty_of
from smartpark_analytics.balance import VERDICT_WORDS, Verdict, verdicts

Share = tuple[Flow, int]


def _nothing(_flow: Flow, _traits: Traits) -> int:
    return 0


def _recipe(indicator: str, formula: str) -> Recipe:
    return Recipe(indicator, f"{indicator.replace('_', '-')}/1", _nothing, lambda _: one, formula=formula)


_RESIDUAL: Final = "parent + generated beneath it - sum(children)"
_RESIDUALS: Final = {
    Measurand.ACTIVE_ENERGY_IMPORT: _recipe("balance_residual", _RESIDUAL),
    Measurand.ACTIVE_ENERGY_EXPORT: _recipe("balance_residual", _RESIDUAL),
    Measurand.GAS_VOLUME: _recipe("balance_residual_gas", _RESIDUAL),
    Measurand.WATER_VOLUME: _recipe("balance_residual_water", _RESIDUAL),
    Measurand.HEAT_ENERGY: _recipe("balance_residual_heat", _RESIDUAL),
    Measurand.STEAM_MASS: _recipe("balance_residual_steam", _RESIDUAL),
    Measurand.FUEL_MASS: _recipe("balance_residual_fuel", _RESIDUAL),
}
LOSS: Final = _recipe("distribution_loss", "sum of the residuals of meters on which only distributing meters hang")
COMMON: Final = _recipe("common_use", "sum(meters at the ends of the tree that are no enterprise's)")
REST: Final = _recipe("unmetered_rest", "park - sum(enterprises) + transfers - common use - distribution loss")
TREE_RECIPES: Final = (LOSS, COMMON, REST, *dict.fromkeys(_RESIDUALS.values()))


def tree_plans(accounts: ParkAccounts, factors: FactorSet) -> list[Plan]:
    """Plans of a park's balance: one for each parent meter, then the park's."""
    plans = [
        _plan(_RESIDUALS[node.measurand], f"device/{node.device}", _residual(node.parent, node.children))
        for node in accounts.nodes
        if node.measurand in _RESIDUALS
    ]
    electric = [node for node in accounts.nodes if node.carrier in {Carrier.ELECTRICITY, Carrier.PHOTOVOLTAIC}]
    if electric:
        loss = [
            share
            for node in electric
            if node.enterprise is None and node.is_distribution
            for share in _residual(node.parent, node.children)
        ]
        common = [(flow, flow.sign) for flow in accounts.common]
        park = [*_rest(accounts), *((flow, -times) for flow, times in (*common, *loss))]
        plans += [_plan(LOSS, PARK, loss), _plan(COMMON, PARK, common), _plan(REST, PARK, park)]
    return [replace(plan, uncertainty=uncertainty_of(plan.terms, factors)) for plan in plans if plan.terms]


def residual_words(statement: Statement, accounts: ParkAccounts) -> list[str]:
    """What the residual of a parent meter says, for each period; nothing for other statements."""
    nodes = {f"device/{node.device}": node for node in accounts.nodes}
    node = nodes.get(statement.plan.boundary)
    if node is None:
        return []
    error = [np.nan if (c := term.flow.accuracy_class) is None else c / 100.0 for term in statement.plan.terms]
    tolerance = np.sum(np.abs(statement.amount) * np.array(error)[:, np.newaxis], axis=0, keepdims=True)
    found = verdicts(statement.value[np.newaxis], tolerance, np.array([node.is_certain]))
    return [VERDICT_WORDS[Verdict(verdict)] for verdict in found[0].tolist()]


def _residual(parent: Sequence[Flow], children: Sequence[Flow]) -> list[Share]:
    return [*((flow, flow.sign) for flow in parent), *((flow, -flow.sign) for flow in children)]


def _rest(accounts: ParkAccounts) -> Iterable[Share]:
    """The park's electricity less that of its enterprises, each transfer taken off once."""
    for boundary in accounts.boundaries:
        level = boundary.name.partition("/")[0]
        times = {PARK: 1, "enterprise": -1}.get(level, 0)
        for flow in boundary.flows:
            if flow.is_electric:
                yield flow, times * flow.sign
    for flow in accounts.transfers:
        yield flow, flow.sign


def _plan(recipe: Recipe, boundary: str, shares: Iterable[Share]) -> Plan:
    """Terms of a sum, every register once, those left out that cancel."""
    times: defaultdict[int, int] = defaultdict(int)
    flows: dict[int, Flow] = {}
    for flow, share in shares:
        times[flow.point_id] += share
        flows[flow.point_id] = flow
    kept = sorted((flows[point] for point, found in times.items() if found), key=lambda flow: flow.key)
    terms = (Term(flow, times[flow.point_id], Coefficient(1.0, f"{flow.unit}/{flow.unit}", "", ())) for flow in kept)
    return Plan(recipe, boundary, tuple(terms))
