"""What factors convert, and the one unit in which the platform reckons with each kind.

Documents state the same quantity in many units (a net calorific value comes as GJ/10^4 m3, MJ/m3, kJ/kg or
TJ/10^8 m3). A row is converted once, when it is read; nothing behind this module knows another unit. A unit that
is not listed is refused, never guessed.
"""

from enum import StrEnum
from typing import Final


class FactorKind(StrEnum):
    """What a factor converts."""

    COAL_EQUIVALENT = "coal_equivalent"
    """Standard coal per physical quantity, calorific basis (当量值, GB/T 2589). [kgce per unit]"""
    COAL_EQUIVALENT_PRIMARY = "coal_equivalent_primary"
    """Standard coal burnt to make it, primary basis (等价值). [kgce per unit]"""
    NET_CALORIFIC_VALUE = "net_calorific_value"
    """Heat set free by burning, water as vapour (低位发热量). [GJ per unit]"""
    CARBON_CONTENT = "carbon_content"
    """Carbon per heat (单位热值含碳量). [t/GJ]"""
    OXIDATION_FACTOR = "oxidation_factor"
    """Share of the carbon that becomes CO2. [0-1]"""
    CARBON_DIOXIDE = "carbon_dioxide"
    """CO2 per physical quantity. [kg per unit]"""
    CARBON_FOOTPRINT = "carbon_footprint"
    """Life-cycle CO2 equivalent, for products' footprints only; another quantity than CO2 emitted. [kg per unit]"""
    PURITY = "purity"
    """Share of a material that reacts, by mass. [0-1]"""
    SULFUR_CONTENT = "sulfur_content"
    """Sulfur per physical quantity, as received. [kg per unit]"""
    SULFUR_CONVERSION = "sulfur_conversion"
    """Share of the sulfur that leaves the furnace as SO2. [0-1]"""
    DESULFURISATION = "desulfurisation"
    """Share of the SO2 that is removed before the stack. [0-1]"""
    REFERENCE_ENTHALPY = "reference_enthalpy"
    """Enthalpy of the water that steam is counted from. [GJ/t]"""


KIND_WORDS: Final[dict[FactorKind, tuple[str, str]]] = {
    FactorKind.COAL_EQUIVALENT: ("折标准煤系数(当量值)", "coal equivalent, calorific"),
    FactorKind.COAL_EQUIVALENT_PRIMARY: ("折标准煤系数(等价值)", "coal equivalent, primary"),
    FactorKind.NET_CALORIFIC_VALUE: ("低位发热量", "net calorific value"),
    FactorKind.CARBON_CONTENT: ("单位热值含碳量", "carbon content"),
    FactorKind.OXIDATION_FACTOR: ("碳氧化率", "oxidation factor"),
    FactorKind.CARBON_DIOXIDE: ("二氧化碳排放因子", "CO2 emission factor"),
    FactorKind.CARBON_FOOTPRINT: ("碳足迹因子", "carbon footprint factor"),
    FactorKind.PURITY: ("纯度", "purity"),
    FactorKind.SULFUR_CONTENT: ("含硫量", "sulfur content"),
    FactorKind.SULFUR_CONVERSION: ("硫转化率", "sulfur conversion"),
    FactorKind.DESULFURISATION: ("脱硫效率", "desulfurisation"),
    FactorKind.REFERENCE_ENTHALPY: ("基准焓", "reference enthalpy"),
}

_PER_UNIT: Final = ("kWh", "GJ", "m3", "t")
"""Units of the measurands: whatever is converted is counted in one of them."""
_LARGE_GAS: Final = {"10^4 m3": 1e4, "10^4 Nm3": 1e4, "Nm3": 1.0}


def _per_unit(internal: str, factors: dict[str, float]) -> dict[str, tuple[str, float]]:
    """Units accepted for a quantity per physical unit: spellings of the quantity by spellings of the unit."""
    below = {**dict.fromkeys(_PER_UNIT, 1.0), **_LARGE_GAS, "kg": 1e-3, "MJ": 1e-3, "MWh": 1e3}
    inside = {"kg": "t", "MJ": "GJ", "MWh": "kWh"}
    return {
        f"{above}/{unit}": (
            f"{internal}/{inside.get(unit, 'm3' if unit in _LARGE_GAS else unit)}",
            factor / amount,
        )
        for above, factor in factors.items()
        for unit, amount in below.items()
    }


_SHARE: Final = {"1": ("1", 1.0), "%": ("1", 0.01)}

UNITS: Final[dict[FactorKind, dict[str, tuple[str, float]]]] = {
    FactorKind.COAL_EQUIVALENT: _per_unit("kgce", {"kgce": 1.0, "tce": 1e3}),
    FactorKind.COAL_EQUIVALENT_PRIMARY: _per_unit("kgce", {"kgce": 1.0, "tce": 1e3, "gce": 1e-3}),
    FactorKind.NET_CALORIFIC_VALUE: {
        **_per_unit("GJ", {"GJ": 1.0, "MJ": 1e-3, "kJ": 1e-6}),
        "TJ/10^8 m3": ("GJ/m3", 1e-5),
        "TJ/10^3 t": ("GJ/t", 1.0),
    },
    FactorKind.CARBON_CONTENT: {"t/GJ": ("t/GJ", 1.0), "t/TJ": ("t/GJ", 1e-3), "kg/GJ": ("t/GJ", 1e-3)},
    FactorKind.OXIDATION_FACTOR: _SHARE,
    FactorKind.CARBON_DIOXIDE: _per_unit("kg", {"kg": 1.0, "t": 1e3, "g": 1e-3}),
    FactorKind.CARBON_FOOTPRINT: _per_unit("kg", {"kg": 1.0, "t": 1e3, "g": 1e-3}),
    FactorKind.PURITY: _SHARE,
    FactorKind.SULFUR_CONTENT: {
        **_per_unit("kg", {"kg": 1.0, "g": 1e-3, "mg": 1e-6}),
        "%": ("kg/t", 10.0),
    },
    FactorKind.SULFUR_CONVERSION: _SHARE,
    FactorKind.DESULFURISATION: _SHARE,
    FactorKind.REFERENCE_ENTHALPY: {"GJ/t": ("GJ/t", 1.0), "kJ/kg": ("GJ/t", 1e-3)},
}
"""For each kind the units that a document may use, each with the internal unit and what to multiply by."""


def in_internal_unit(kind: FactorKind, value: float, unit: str) -> tuple[float, str]:
    """Value and unit as the platform reckons with them.

    Raises
    ------
    ValueError
        When the unit is not one of this kind; the message lists those that are.

    Examples
    --------
    One net calorific value of natural gas in three spellings:

    >>> [round(in_internal_unit(FactorKind.NET_CALORIFIC_VALUE, value, unit)[0], 9)
    ...  for value, unit in ((389.31, "GJ/10^4 Nm3"), (38.931, "MJ/m3"), (38931, "kJ/Nm3"))]
    [0.038931, 0.038931, 0.038931]
    """
    known = UNITS[kind]
    if unit not in known:
        raise ValueError(f"{unit!r} is no unit of {kind}; there are: {', '.join(sorted(known))}")
    internal, scale = known[unit]
    return value if scale == 1.0 else value * scale, internal
