"""What a unit of a flow amounts to: core's `Lookup` asked for what an indicator needs of a meter.

Which row wins, and what has to be entered where there is none, is the lookup's business. Here is decided what is
asked: a tonne of steam is heat, purchased electricity counts by somebody's grid, a fuel's sulfur by its furnace.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from math import nan
from typing import Final

from smartpark.accounts import Flow
from smartpark.coefficients import Basis, Coefficient, Lookup
from smartpark.errors import FactorNotFoundError, SmartparkError
from smartpark.factor_kinds import FactorKind
from smartpark.factors import MEASURED, SUPPLIER, TABLE, FactorChoice, FactorSet
from smartpark.measurands import Carrier, Measurand
from smartpark.steam_meters import mass_of

from smartpark_analytics.sulfur import INVENTORY_SO2_PER_SULFUR

_OWN_FIRST: Final = (MEASURED, SUPPLIER, TABLE)


class UnitMismatchError(SmartparkError):
    """A factor is per another unit than the meter counts."""


@dataclass(frozen=True, slots=True)
class Context:
    """Whose flows, on which day, by which rows."""

    factors: FactorSet
    park: str
    on: date
    electricity_scope: str
    """Whose grid average counts, e.g. ``provincial:FJ``."""
    by_enthalpy: frozenset[int] = frozenset()
    """Points that count the mass of steam whose heat follows from its pressure and temperature."""

    def lookup(self, flow: Flow) -> Lookup:
        """Lookup for a meter."""
        return Lookup(self.factors, self.on, park=self.park, device=flow.device)


Rule = Callable[[Context, Flow], Coefficient]


def one(_context: Context, flow: Flow) -> Coefficient:
    """The amount itself."""
    return Coefficient(1.0, f"{flow.unit}/{flow.unit}", "", ())


def coal_equivalent(context: Context, flow: Flow) -> Coefficient:
    """Standard coal on calorific basis."""
    return _coal(context, flow, Basis.CALORIFIC)


def coal_equivalent_primary(context: Context, flow: Flow) -> Coefficient:
    """Standard coal burnt to make it."""
    return _coal(context, flow, Basis.PRIMARY)


def _coal(context: Context, flow: Flow, basis: Basis) -> Coefficient:
    lookup = context.lookup(flow)
    if mass_of(flow.point_id) is not None:
        return fitting(flow, _by_enthalpy(lookup, lookup.coal_equivalent(Carrier.HEAT, basis)))
    try:
        return fitting(flow, lookup.coal_equivalent(flow.carrier, basis))
    except FactorNotFoundError:
        if not _is_steam_by_mass(flow):
            raise
    return fitting(flow, _times(lookup.heat_of_steam(), lookup.coal_equivalent(Carrier.HEAT, basis), "kgce/t"))


def carbon_dioxide(context: Context, flow: Flow) -> Coefficient:
    """CO2 of a fuel that burns, of heat that was bought, or of a material that decomposes."""
    lookup = context.lookup(flow)
    if flow.is_material:
        return fitting(flow, lookup.process_carbon(flow.carrier))
    if mass_of(flow.point_id) is not None:
        return fitting(flow, _by_enthalpy(lookup, lookup.heat_carbon(Carrier.HEAT)))
    if _is_steam_by_mass(flow):
        return fitting(flow, _times(lookup.heat_of_steam(), lookup.heat_carbon(Carrier.HEAT), "kg/t"))
    if flow.carrier in {Carrier.HEAT, Carrier.STEAM}:
        return fitting(flow, lookup.heat_carbon(flow.carrier))
    return fitting(flow, lookup.fuel_carbon(flow.carrier))


def grid_carbon(scope: str | None) -> Rule:
    """CO2 of purchased electricity by the average of a grid; None: the park's own grid."""

    def rule(context: Context, flow: Flow) -> Coefficient:
        wanted = context.electricity_scope if scope is None else scope
        choice = context.lookup(flow).choose(FactorKind.CARBON_DIOXIDE, Carrier.ELECTRICITY, wanted)
        return fitting(flow, Coefficient(choice.value, choice.factor.unit, choice.factor.kind.value, (choice,)))

    return rule


def sulfur_dioxide(context: Context, flow: Flow) -> Coefficient:
    """Sulfur dioxide that leaves the stack per unit of fuel, by mass balance."""
    lookup = context.lookup(flow)
    content = lookup.choose(FactorKind.SULFUR_CONTENT, flow.carrier, _OWN_FIRST)
    by_furnace = (f"furnace:{flow.furnace}",) if flow.furnace else ()
    scopes = (MEASURED, SUPPLIER, *by_furnace, TABLE)
    conversion = lookup.choose(FactorKind.SULFUR_CONVERSION, flow.carrier, scopes)
    formula = f"{INVENTORY_SO2_PER_SULFUR:g} x sulfur_content x sulfur_conversion"
    value = INVENTORY_SO2_PER_SULFUR * content.value * conversion.value
    plain = Coefficient(value, content.factor.unit, formula, (content, conversion))
    try:
        removal = lookup.choose(FactorKind.DESULFURISATION, flow.carrier, _OWN_FIRST)
    except FactorNotFoundError:
        return fitting(flow, replace(plain, formula=f"{formula}; no desulfurisation was entered"))
    left = 1.0 - removal.value
    remaining = replace(
        plain,
        value=value * left,
        formula=f"{formula} x (1 - desulfurisation)",
        choices=(*plain.choices, removal),
        # What is left changes by much when what is taken out changes by little; of nothing left nobody can say.
        sensitivity=(1.0, 1.0, -removal.value / left if left > 0 else nan),
    )
    return fitting(flow, remaining)


def heat_terms(context: Context, device: str) -> tuple[FactorChoice, FactorChoice]:
    """Enthalpy of the water that a meter's steam is counted from, and the heat of steam of which nothing is known."""
    lookup = Lookup(context.factors, context.on, park=context.park, device=device)
    return lookup.reference_enthalpy(), lookup.heat_of_steam().choices[0]


def _by_enthalpy(lookup: Lookup, per_heat: Coefficient) -> Coefficient:
    """Heat that was computed from enthalpy: the rows behind it are named too."""
    reference, table = lookup.reference_enthalpy(), lookup.heat_of_steam().choices[0]
    return replace(
        per_heat,
        formula=f"({per_heat.formula}) x heat; heat = mass x (enthalpy(p, T) - reference_enthalpy)",
        choices=(*per_heat.choices, reference, table),
        # What the water brought is taken off; where the table stands in, that is an estimate, and unsure as such.
        sensitivity=(*(1.0 for _ in per_heat.choices), -reference.value / table.value, 0.0),
    )


def _is_steam_by_mass(flow: Flow) -> bool:
    return flow.measurand is Measurand.STEAM_MASS


def _times(first: Coefficient, second: Coefficient, unit: str) -> Coefficient:
    choices = (*first.choices, *second.choices)
    return Coefficient(first.value * second.value, unit, f"({first.formula}) x ({second.formula})", choices)


def fitting(flow: Flow, coefficient: Coefficient) -> Coefficient:
    """The coefficient itself; refuses one that is per another unit than the meter counts."""
    if coefficient.per != flow.unit:
        named = " and ".join(coefficient.ids)
        raise UnitMismatchError(f"factor {named} is in {coefficient.unit}; {flow.key} counts {flow.unit}")
    return coefficient
