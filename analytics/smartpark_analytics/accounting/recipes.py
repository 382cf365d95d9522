"""What is published as a sum of flows: which flows count in which indicator, how much, and converted by what.

Every indicator here is linear in the meters' amounts, so that hours add up to their day and owners to their park.
Nothing is clipped. What would not be linear is a ratio, or needs certificates, and is made of these (`derived`).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from smartpark.accounts import Flow
from smartpark.measurands import Carrier, Measurand

from smartpark_analytics.accounting.coefficients import (
    Rule,
    carbon_dioxide,
    coal_equivalent,
    coal_equivalent_primary,
    grid_carbon,
    one,
    sulfur_dioxide,
)

_HEAT: Final = frozenset({Carrier.HEAT, Carrier.STEAM})
_NOT_FOSSIL: Final = frozenset({Carrier.BIOMASS, Carrier.BIOGAS})
KILO: Final = 1000.0
"""Kilograms in a tonne."""


@dataclass(frozen=True, slots=True)
class Traits:
    """What there is inside a boundary, as far as it decides how much a flow counts."""

    has_photovoltaic: bool
    has_other_generation: bool

    @staticmethod
    def of(flows: Sequence[Flow]) -> "Traits":
        """Traits of a boundary."""
        made = [flow.carrier is Carrier.PHOTOVOLTAIC for flow in flows if flow.is_generation]
        return Traits(any(made), not all(made))


@dataclass(frozen=True, slots=True)
class Recipe:
    """An indicator as a sum over flows."""

    indicator: str
    method: str
    """Name and version, kept with every number."""
    counts: Callable[[Flow, Traits], int]
    """How often a flow counts, with its sign: -1, 0 or 1."""
    rule: Callable[[Flow], Rule]
    """What converts a flow."""
    per: float = 1.0
    """What the coefficient's unit is divided by: kilograms of coefficients, tonnes of indicators."""
    formula: str = ""
    """For people."""
    is_optional: bool = False
    """Published only where somebody has entered its factors: that they are missing is no complaint."""
    is_whole: Callable[[Traits], bool] = lambda _: True
    """Whether it means anything inside such a boundary."""


def _electricity(flow: Flow, _: Traits) -> int:
    return flow.sign if flow.is_electric else 0


def _purchased(flow: Flow, _: Traits) -> int:
    return int(flow.is_electric and not flow.is_generation and flow.sign > 0)


def _exported(flow: Flow, _: Traits) -> int:
    return int(flow.is_electric and not flow.is_generation and flow.sign < 0)


def _generated(flow: Flow, _: Traits) -> int:
    return flow.sign if flow.is_generation and flow.carrier is Carrier.PHOTOVOLTAIC else 0


def _leaves(flow: Flow) -> bool:
    """Electricity that goes out of the boundary by a register of its own."""
    is_export = flow.measurand is Measurand.ACTIVE_ENERGY_EXPORT
    return is_export and not flow.is_generation and flow.sign < 0


def _self_used(flow: Flow, traits: Traits) -> int:
    return _generated(flow, traits) or -int(_leaves(flow))


def _energy(flow: Flow, traits: Traits) -> int:
    return 0 if flow.is_medium else _energy_with_media(flow, traits)


def _energy_with_media(flow: Flow, _: Traits) -> int:
    # What a turbine inside makes from fuel counted at the boundary is electricity, and no energy anew.
    is_anew = not flow.is_generation or flow.carrier is Carrier.PHOTOVOLTAIC
    return flow.sign if is_anew and not flow.is_material else 0


def _controlled(flow: Flow, traits: Traits) -> int:
    if flow.is_feedstock or flow.carrier in _NOT_FOSSIL or flow.is_generation:
        return 0
    # Where the roof alone makes electricity, what leaves is not fossil and was never counted.
    if _leaves(flow) and traits.has_photovoltaic and not traits.has_other_generation:
        return 0
    return _energy(flow, traits)


def _burnt(flow: Flow, _: Traits) -> int:
    is_fuel = not (flow.is_electric or flow.is_medium or flow.is_generation or flow.carrier in _HEAT)
    return flow.sign if is_fuel and (flow.is_material or not flow.is_feedstock) else 0


def _heat(flow: Flow, _: Traits) -> int:
    return flow.sign if flow.carrier in _HEAT and not flow.is_generation else 0


def _scope2(flow: Flow, traits: Traits) -> int:
    is_purchased = flow.is_electric and not flow.is_generation
    return flow.sign if is_purchased else _heat(flow, traits)


def _carbon(flow: Flow, traits: Traits) -> int:
    return _burnt(flow, traits) or _scope2(flow, traits)


def _sulfur(flow: Flow, traits: Traits) -> int:
    return 0 if flow.is_material or flow.furnace is None else _burnt(flow, traits)


def _always(rule: Rule) -> Callable[[Flow], Rule]:
    return lambda _: rule


def _by_grid(scope: str | None) -> Callable[[Flow], Rule]:
    grid = grid_carbon(scope)
    return lambda flow: grid if flow.carrier is Carrier.ELECTRICITY else carbon_dioxide


RECIPES: Final = (
    Recipe(
        "electricity_consumption",
        "electricity-consumption/1",
        _electricity,
        _always(one),
        formula="sum(import - export) + sum(generated)",
    ),
    Recipe("electricity_purchased", "electricity-purchased/1", _purchased, _always(one), formula="sum(import)"),
    Recipe("electricity_exported", "electricity-exported/1", _exported, _always(one), formula="sum(export)"),
    Recipe(
        "photovoltaic_generation", "photovoltaic-generation/1", _generated, _always(one), formula="sum(generated)"
    ),
    Recipe(
        "photovoltaic_self_used",
        "photovoltaic-self-used/1",
        _self_used,
        _always(one),
        formula="sum(generated) - sum(export)",
        # Of what leaves, nobody knows which part a turbine made.
        is_whole=lambda traits: traits.has_photovoltaic and not traits.has_other_generation,
    ),
    Recipe(
        "comprehensive_energy",
        "comprehensive-energy-calorific/1",
        _energy,
        _always(coal_equivalent),
        KILO,
        "sum(amount x coefficient) / 1000",
    ),
    Recipe(
        "comprehensive_energy_with_media",
        "comprehensive-energy-with-media/1",
        _energy_with_media,
        _always(coal_equivalent),
        KILO,
        "sum(amount x coefficient) / 1000, working media included",
    ),
    Recipe(
        "comprehensive_energy_primary",
        "comprehensive-energy-primary/1",
        _energy,
        _always(coal_equivalent_primary),
        KILO,
        "sum(amount x coefficient) / 1000, electricity on primary basis",
        is_optional=True,
    ),
    Recipe(
        "energy_under_control",
        "energy-under-control/1",
        _controlled,
        _always(coal_equivalent),
        KILO,
        "sum(amount x coefficient) / 1000, without feedstock and what is not fossil",
    ),
    Recipe("carbon_scope1", "carbon-scope1/1", _burnt, _always(carbon_dioxide), KILO, "sum(fuel x factor) / 1000"),
    Recipe("carbon_heat", "carbon-heat/1", _heat, _always(carbon_dioxide), KILO, "sum(heat x factor) / 1000"),
    Recipe(
        "carbon_scope2",
        "carbon-scope2/1",
        _scope2,
        _by_grid(None),
        KILO,
        "(sum(purchased - exported) x grid factor + sum(heat x factor)) / 1000",
    ),
    Recipe(
        "carbon_location",
        "carbon-location/1",
        _carbon,
        _by_grid(None),
        KILO,
        "(sum(fuel x factor) + sum(purchased - exported) x grid factor + sum(heat x factor)) / 1000",
    ),
    Recipe(
        "carbon_location_national",
        "carbon-location-national/1",
        _carbon,
        _by_grid("national"),
        KILO,
        "(sum(fuel x factor) + sum(purchased - exported) x national grid factor + sum(heat x factor)) / 1000",
    ),
    Recipe(
        "so2_by_fuel",
        "so2-by-fuel/1",
        _sulfur,
        _always(sulfur_dioxide),
        formula="sum(fuel x 2 x sulfur x conversion x (1 - removal))",
    ),
)
"""In the order in which they are published."""
