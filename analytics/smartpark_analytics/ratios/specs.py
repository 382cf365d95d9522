"""Which ratios are published, and what each is formed from: one table.

A side is a published indicator, an entered figure, or the land. Whether both sides describe the same entities and the
same time is decided in `cells`; what the numbers mean stands on the method pages.
"""

from dataclasses import dataclass
from typing import Final

from smartpark.business_figures import SQUARE_METRES_PER_MU, FigureKind


@dataclass(frozen=True, slots=True)
class Published:
    """A number that derive publishes."""

    indicator: str


@dataclass(frozen=True, slots=True)
class Entered:
    """A business figure."""

    kind: FigureKind


@dataclass(frozen=True, slots=True)
class Land:
    """Industrial land as entered, else as in the catalogue."""

    factor: float = 1.0
    """Times mu."""


Side = Published | Entered | Land


@dataclass(frozen=True, slots=True)
class RatioSpec:
    """A ratio of two sides."""

    indicator: str
    numerator: Side
    denominator: Side
    is_share: bool = False
    """A part of a whole: above one it is refused."""

    @property
    def sides(self) -> tuple[Side, Side]:
        """Both."""
        return (self.numerator, self.denominator)

    @property
    def kinds(self) -> tuple[FigureKind, ...]:
        """Figures that it needs."""
        return tuple(side.kind for side in self.sides if isinstance(side, Entered))

    @property
    def inputs(self) -> tuple[str, ...]:
        """Published numbers that it needs."""
        return tuple(side.indicator for side in self.sides if isinstance(side, Published))


_ENERGY: Final = Published("comprehensive_energy")
_CARBON: Final = Published("carbon_location")
_OUTPUT, _VALUE_ADDED = Entered(FigureKind.OUTPUT), Entered(FigureKind.VALUE_ADDED)

SPECS: Final = (
    RatioSpec("energy_per_output", _ENERGY, _OUTPUT),
    RatioSpec("energy_per_value_added", _ENERGY, _VALUE_ADDED),
    RatioSpec("carbon_per_output", _CARBON, _OUTPUT),
    RatioSpec("carbon_per_value_added", _CARBON, _VALUE_ADDED),
    RatioSpec("so2_per_value_added", Published("so2_by_fuel"), _VALUE_ADDED),
    RatioSpec("energy_per_mu", _ENERGY, Land()),
    RatioSpec("output_per_mu", _OUTPUT, Land()),
    RatioSpec("value_added_per_mu", _VALUE_ADDED, Land()),
    RatioSpec("tax_per_mu", Entered(FigureKind.TAX), Land()),
    RatioSpec("floor_area_ratio", Entered(FigureKind.FLOOR_AREA), Land(SQUARE_METRES_PER_MU)),
    RatioSpec("clean_energy_share", Entered(FigureKind.CLEAN_ENERGY), _ENERGY, is_share=True),
    RatioSpec(
        "quota_level_2_share",
        Entered(FigureKind.QUOTA_PRODUCTS_LEVEL_2),
        Entered(FigureKind.QUOTA_PRODUCTS),
        is_share=True,
    ),
    RatioSpec(
        "solid_waste_utilisation",
        Entered(FigureKind.SOLID_WASTE_USED),
        Entered(FigureKind.SOLID_WASTE),
        is_share=True,
    ),
    RatioSpec(
        "waste_heat_utilisation",
        Entered(FigureKind.WASTE_HEAT_USED),
        Entered(FigureKind.WASTE_HEAT),
        is_share=True,
    ),
    RatioSpec("water_reuse_rate", Entered(FigureKind.WATER_REUSED), Entered(FigureKind.WATER_TOTAL), is_share=True),
)
"""In current prices where a figure has prices; each that has is published in constant prices too."""

CONSTANT: Final = "_constant"
"""Ending of the code of a ratio in constant prices."""

BUDGETS: Final = {
    "energy_budget": ("energy_under_control", FigureKind.ENERGY_BUDGET, FigureKind.ENERGY_TARGET, "tce"),
    "carbon_budget": ("carbon_location", FigureKind.CARBON_BUDGET, FigureKind.CARBON_TARGET, "t"),
}
"""Name: what counts under it, the budget, the target of intensity it may follow from, unit."""

BUDGET_KINDS: Final = frozenset(kind.value for _, budget, target, _ in BUDGETS.values() for kind in (budget, target))
"""Figures that make a year have a budget."""

OTHER_INPUTS: Final = (
    "electricity_consumption",
    "photovoltaic_generation",
    "photovoltaic_self_used",
    "carbon_zero_carbon_park",
)
OTHERS: Final = (
    "output_coverage",
    "green_power_share",
    "electrification_rate",
    "energy_per_product",
    "carbon_per_energy_zero_carbon",
    "zero_carbon_gap",
)


def priced(spec: RatioSpec) -> bool:
    """Whether a ratio has a figure with prices."""
    return bool({FigureKind.OUTPUT, FigureKind.VALUE_ADDED} & set(spec.kinds))


INPUTS: Final = frozenset(
    [*OTHER_INPUTS, *(name for spec in SPECS for name in spec.inputs), *(amount for amount, *_ in BUDGETS.values())]
)
"""Published numbers that ratios and budgets are formed from."""

RATIOS: Final = frozenset(
    [
        *OTHERS,
        *(spec.indicator for spec in SPECS),
        *(spec.indicator + CONSTANT for spec in SPECS if priced(spec)),
        *(f"{name}_{part}" for name in BUDGETS for part in ("pace", "forecast", "level")),
    ]
)
"""Everything that is published here."""
