"""What one unit of a carrier comes to, in standard coal or CO2: factors chosen and put together, with the reasons.

Here it is decided which factors a conversion needs and in which order their sources are asked (measured, then the
supplier's, then a table's); the arithmetic over amounts is the analytics' business. Where a factor is missing the
lookup raises; nothing is replaced by something like it.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from math import prod
from typing import Final

from smartpark.errors import FactorNotFoundError
from smartpark.factors import (
    MEASURED,
    SUPPLIER,
    TABLE,
    ElectricityMethod,
    FactorChoice,
    FactorKind,
    FactorSet,
)
from smartpark.measurands import Carrier

GJ_PER_KGCE: Final = 29_307e-6
"""Heat in a kilogram of standard coal, by which the unit kgce is defined [GJ/kgce]."""
CO2_PER_CARBON: Final = 44 / 12
"""Mass of CO2 per mass of carbon, as the guidelines round it [kg/kg]."""
KG_PER_TONNE: Final = 1000.0

FUEL_PARAMETERS: Final = ("table:guideline-other-industry",)
"""Parameter sets of fuels that are asked unless a park selects others, in order."""

_OWN: Final = (MEASURED, SUPPLIER)
_ELECTRIC: Final = frozenset({Carrier.ELECTRICITY, Carrier.PHOTOVOLTAIC})


class Basis(StrEnum):
    """How electricity counts as energy."""

    CALORIFIC = "calorific"
    """By the heat it is worth (当量值)."""
    PRIMARY = "primary"
    """By the coal that was burnt to make it (等价值)."""


@dataclass(frozen=True, slots=True)
class Coefficient:
    """What one unit comes to, and how that number came about."""

    value: float
    unit: str
    """e.g. ``kgce/m3``."""
    formula: str
    """In words of the factors' kinds, e.g. ``net_calorific_value / 0.029307 GJ/kgce``."""
    choices: tuple[FactorChoice, ...]
    """Factors that it is made of."""
    sensitivity: tuple[float, ...] = ()
    """Relative change of the value per relative change of each factor; none given: it is proportional to all. [1]"""

    @property
    def ids(self) -> tuple[str, ...]:
        """Of the factors."""
        return tuple(choice.factor.id for choice in self.choices)

    @property
    def per(self) -> str:
        """Unit of the amounts it is multiplied by."""
        return self.unit.partition("/")[2]

    def sensitivity_to(self, factor_id: str) -> float:
        """Relative change of the value per relative change of a factor, wherever that occurs in it."""
        given = self.sensitivity or (1.0,) * len(self.choices)
        return sum(one for one, choice in zip(given, self.choices, strict=True) if choice.factor.id == factor_id)

    @property
    def reason(self) -> str:
        """Why each factor was chosen."""
        return "; ".join(choice.why for choice in self.choices)


@dataclass(frozen=True, slots=True)
class Lookup:
    """Whose conversions, and on which day: what every lookup of a park's day has in common."""

    factors: FactorSet
    on: date
    park: str | None = None
    device: str | None = None
    as_of: date | None = None
    fuel_parameters: tuple[str, ...] = FUEL_PARAMETERS

    def choose(
        self, kind: FactorKind, carrier: Carrier, scope: str | Sequence[str], *, practice: str | None = None
    ) -> FactorChoice:
        """`FactorSet.choose` for this park and day."""
        return self.factors.choose(
            kind,
            carrier,
            scope,
            self.on,
            park=self.park,
            device=self.device,
            as_of=self.as_of,
            practice=practice,
        )

    def coal_equivalent(self, carrier: Carrier, basis: Basis = Basis.CALORIFIC) -> Coefficient:
        """Standard coal per unit of a carrier [kgce per unit].

        A net calorific value that was measured goes before one that the supplier states, and both before the
        published coefficient of the table. On the primary basis electricity, the park's own included, counts by the
        generation rate of its year; all other carriers count as on the calorific basis.

        References
        ----------
        GB/T 2589-2020, 4.4 and 5: k = NCV / 29 307 kJ/kgce where the calorific value is known.
        """
        if basis is Basis.PRIMARY and carrier in _ELECTRIC:
            row = self.choose(FactorKind.COAL_EQUIVALENT_PRIMARY, Carrier.ELECTRICITY, (*_OWN, TABLE, "national"))
            return _single(row)
        for scope in _OWN:
            with suppress(FactorNotFoundError):
                return _from_heat(self.choose(FactorKind.NET_CALORIFIC_VALUE, carrier, scope))
            with suppress(FactorNotFoundError):
                return _single(self.choose(FactorKind.COAL_EQUIVALENT, carrier, scope))
        return _single(self.choose(FactorKind.COAL_EQUIVALENT, carrier, (*_OWN, TABLE)))

    def fuel_carbon(self, carrier: Carrier) -> Coefficient:
        """CO2 per unit of a fuel burnt [kg per unit].

        Net calorific value, carbon content and oxidation factor, each measured before the supplier's before that of
        the parameter sets, in their order. A fuel without carbon parameters has its own factor, or none.

        References
        ----------
        Accounting guideline for other industrial enterprises (trial), 5.1: FC x NCV x CC x OF x 44/12.
        """
        scopes = (*_OWN, *self.fuel_parameters)
        try:
            oxidation = self.choose(FactorKind.OXIDATION_FACTOR, carrier, scopes)
        except FactorNotFoundError:
            return _single(self.choose(FactorKind.CARBON_DIOXIDE, carrier, (*_OWN, TABLE)))
        heat = self.choose(FactorKind.NET_CALORIFIC_VALUE, carrier, scopes)
        carbon = self.choose(FactorKind.CARBON_CONTENT, carrier, scopes)
        value = prod(choice.value for choice in (heat, carbon, oxidation)) * CO2_PER_CARBON * KG_PER_TONNE
        return Coefficient(
            value,
            f"kg/{heat.factor.per}",
            "net_calorific_value x carbon_content x oxidation_factor x 44/12 x 1000",
            (heat, carbon, oxidation),
        )

    def heat_carbon(self, carrier: Carrier) -> Coefficient:
        """CO2 per heat bought, as such or in steam: the supplier's before the default [kg/GJ]."""
        return _single(self.choose(FactorKind.CARBON_DIOXIDE, carrier, (*_OWN, TABLE)))

    def heat_of_steam(self) -> Coefficient:
        """Heat in a tonne of steam of which pressure and temperature are not known [GJ/t]."""
        return _single(self.choose(FactorKind.NET_CALORIFIC_VALUE, Carrier.STEAM, (*_OWN, TABLE)))

    def reference_enthalpy(self) -> FactorChoice:
        """Enthalpy of the water that steam is counted from [GJ/t]."""
        return self.choose(FactorKind.REFERENCE_ENTHALPY, Carrier.STEAM, (*_OWN, TABLE))

    def process_carbon(self, material: Carrier) -> Coefficient:
        """CO2 per tonne of a carbonate that decomposes: its factor times its purity, which has no default [kg/t]."""
        factor = self.choose(FactorKind.CARBON_DIOXIDE, material, (*_OWN, TABLE))
        purity = self.choose(FactorKind.PURITY, material, _OWN)
        return Coefficient(
            factor.value * purity.value, factor.factor.unit, "carbon_dioxide x purity", (factor, purity)
        )

    def grid_carbon(self, method: ElectricityMethod, grid_scope: str, *, practice: str | None = None) -> Coefficient:
        """CO2 per kWh of purchased electricity, or of what certificates leave of it [kg/kWh].

        Parameters
        ----------
        method : ElectricityMethod
        grid_scope : str
            Grid of the park, e.g. ``provincial:FJ``; for the methods that count by place.
        practice : str, optional
            Reporting practice that names the data year.
        """
        selection = self.factors.electricity(method)
        scope = grid_scope if selection.scope == "park" else selection.scope
        return _single(self.choose(FactorKind.CARBON_DIOXIDE, Carrier.ELECTRICITY, scope, practice=practice))


def _single(choice: FactorChoice) -> Coefficient:
    return Coefficient(choice.value, choice.factor.unit, choice.factor.kind.value, (choice,))


def _from_heat(choice: FactorChoice) -> Coefficient:
    return Coefficient(
        choice.value / GJ_PER_KGCE,
        f"kgce/{choice.factor.per}",
        f"net_calorific_value / {GJ_PER_KGCE} GJ/kgce",
        (choice,),
    )
