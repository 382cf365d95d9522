"""What a unit of a flow amounts to: the rows that give it, and how they are combined.

A coefficient is one number per unit of what a meter counts, with every row that it was made of. Which row wins is
the factor set's business (`FactorSet.choose`); what has no row is an error that says what to enter.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
from smartpark.accounts import Flow
from smartpark.errors import FactorNotFoundError, SmartparkError
from smartpark.factor_kinds import FactorKind
from smartpark.factors import MEASURED, SUPPLIER, TABLE, FactorChoice, FactorSet
from smartpark.measurands import Carrier

from smartpark_analytics.sulfur import sulfur_dioxide_factor

GJ_PER_KGCE: Final = 0.029307
"""Heat of a kilogram of standard coal, 7000 kcal, by definition (GB/T 2589-2020, 3.9). [GJ/kgce]"""
OWN_FIRST: Final = (MEASURED, SUPPLIER, TABLE)
"""Measured before supplier's before the table (GB/T 2589-2020, 6)."""
FURNACE_SCOPE: Final = "furnace"


class UnitMismatchError(SmartparkError):
    """A factor is per another unit than the meter counts."""


@dataclass(frozen=True, slots=True)
class Coefficient:
    """A number per unit, and where it is from."""

    value: float
    unit: str
    """e.g. ``kgce/kWh``."""
    choices: tuple[FactorChoice, ...] = ()
    formula: str = ""
    """How it follows from several rows; empty: it is the one row's value."""
    half_width: float = 0.0
    """Relative half-width of its 95 % interval; NaN: not known. [1]"""


@dataclass(frozen=True, slots=True)
class Context:
    """Whose flow, on which day, by which rows."""

    factors: FactorSet
    park: str
    on: date
    electricity_scope: str
    """Whose grid average counts, e.g. ``provincial:FJ``."""


Rule = Callable[[Context, Flow], Coefficient]


def one(_context: Context, flow: Flow) -> Coefficient:
    """The amount itself."""
    return Coefficient(1.0, f"{flow.unit}/{flow.unit}")


def coal_equivalent(context: Context, flow: Flow) -> Coefficient:
    """Standard coal on calorific basis, by a measured or supplied calorific value where there is one."""
    try:
        ncv = _choose(context, FactorKind.NET_CALORIFIC_VALUE, flow, (MEASURED, SUPPLIER))
    except FactorNotFoundError:
        return _plain(context, flow, _choose(context, FactorKind.COAL_EQUIVALENT, flow, OWN_FIRST))
    return _combined(
        context,
        flow,
        ncv.value / GJ_PER_KGCE,
        above="kgce",
        choices=(ncv,),
        formula=f"{ncv.value!r} GJ / {GJ_PER_KGCE}",
    )


def coal_equivalent_primary(context: Context, flow: Flow) -> Coefficient:
    """Standard coal burnt to make it; fuels are what they are on calorific basis."""
    if not flow.is_electric:
        return coal_equivalent(context, flow)
    carrier = Carrier.ELECTRICITY
    choice = context.factors.choose(
        FactorKind.COAL_EQUIVALENT_PRIMARY, carrier, OWN_FIRST, context.on, park=context.park
    )
    return _plain(context, flow, choice)


def carbon_dioxide(context: Context, flow: Flow) -> Coefficient:
    """CO2 of a fuel, of heat or of a process."""
    return _plain(context, flow, _choose(context, FactorKind.CARBON_DIOXIDE, flow, OWN_FIRST))


def grid_carbon(scope: str | None) -> Rule:
    """CO2 of purchased electricity by the average of a grid; None: the park's own grid."""

    def rule(context: Context, flow: Flow) -> Coefficient:
        wanted = context.electricity_scope if scope is None else scope
        kind, carrier = FactorKind.CARBON_DIOXIDE, Carrier.ELECTRICITY
        return _plain(context, flow, context.factors.choose(kind, carrier, wanted, context.on, park=context.park))

    return rule


def sulfur_dioxide(context: Context, flow: Flow) -> Coefficient:
    """Sulfur dioxide that leaves the stack per unit of fuel."""
    content = _choose(context, FactorKind.SULFUR_CONTENT, flow, OWN_FIRST)
    furnace = f"{FURNACE_SCOPE}:{flow.furnace}" if flow.furnace else TABLE
    conversion = _choose(context, FactorKind.SULFUR_CONVERSION, flow, (MEASURED, SUPPLIER, furnace, TABLE))
    choices = [content, conversion]
    removal = 0.0
    try:
        choices.append(_choose(context, FactorKind.DESULFURISATION, flow, OWN_FIRST))
        removal = choices[-1].value
    except FactorNotFoundError:
        pass  # No desulfurisation was entered: there is none, and the formula says so.
    value = float(sulfur_dioxide_factor(np.array([content.value]), np.array([conversion.value]), removal=removal)[0])
    formula = f"2 x {content.value!r} kg x {conversion.value!r} x (1 - {removal!r})"
    return _combined(context, flow, value, above="kg", choices=tuple(choices), formula=formula)


def _choose(context: Context, kind: FactorKind, flow: Flow, scopes: tuple[str, ...]) -> FactorChoice:
    return context.factors.choose(kind, flow.carrier, scopes, context.on, park=context.park, device=flow.device)


def _plain(context: Context, flow: Flow, choice: FactorChoice) -> Coefficient:
    _check_unit(flow, choice)
    factor = choice.factor
    return Coefficient(choice.value, factor.unit, (choice,), half_width=context.factors.half_width(factor))


def _combined(
    context: Context, flow: Flow, value: float, *, above: str, choices: tuple[FactorChoice, ...], formula: str
) -> Coefficient:
    for choice in choices:
        _check_unit(flow, choice)
    widths = np.array([context.factors.half_width(choice.factor) for choice in choices])
    return Coefficient(value, f"{above}/{flow.unit}", choices, formula, float(np.sqrt(np.square(widths).sum())))


def _check_unit(flow: Flow, choice: FactorChoice) -> None:
    factor = choice.factor
    if factor.unit != "1" and factor.per != flow.unit:
        raise UnitMismatchError(f"factor {factor.id} is in {factor.unit}; {flow.key} counts {flow.unit}")
