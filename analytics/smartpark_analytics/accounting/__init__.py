"""Statements: published sums over the flows of a boundary, term by term. No I/O, no clock."""

from smartpark_analytics.accounting.coefficients import Context, UnitMismatchError, heat_terms
from smartpark_analytics.accounting.recipes import RECIPES, Recipe, Traits
from smartpark_analytics.accounting.statement import Plan, Series, Statement, Term, plan_of, reason_of, state
from smartpark_analytics.accounting.steam_heat import (
    LEAD_QUARTERS,
    HeatTerms,
    SteamHeat,
    SteamStates,
    SteamSummary,
    add_steam_heat,
    steam_states,
    steam_summary,
    steam_words,
    with_steam_heat,
)
from smartpark_analytics.accounting.sums import (
    Quarters,
    days_of,
    hours_and_days,
    hours_of,
    park_quarters,
    quarters_of,
    with_virtual_meters,
)
from smartpark_analytics.accounting.tree_plans import TREE_RECIPES, residual_words, tree_plans

__all__ = [
    "LEAD_QUARTERS",
    "RECIPES",
    "TREE_RECIPES",
    "Context",
    "HeatTerms",
    "Plan",
    "Quarters",
    "Recipe",
    "Series",
    "Statement",
    "SteamHeat",
    "SteamStates",
    "SteamSummary",
    "Term",
    "Traits",
    "UnitMismatchError",
    "add_steam_heat",
    "days_of",
    "heat_terms",
    "hours_and_days",
    "hours_of",
    "park_quarters",
    "plan_of",
    "quarters_of",
    "reason_of",
    "residual_words",
    "state",
    "steam_states",
    "steam_summary",
    "steam_words",
    "tree_plans",
    "with_steam_heat",
    "with_virtual_meters",
]
