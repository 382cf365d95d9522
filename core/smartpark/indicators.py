"""What is published: one closed list of indicators, with unit, names, and how each adds up over time.

Everything that writes, explains or shows a published number refers to these codes; a number under a code that is not
here does not exist for the platform. How an indicator is computed stands on its method page (docs/methods). Nothing
is computed here.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Accumulation(StrEnum):
    """How the value of a longer period follows from those of its parts."""

    SUM = "sum"
    """Parts add up: energy, mass."""
    MAXIMUM = "maximum"
    """The largest of the parts: demand."""
    RATIO = "ratio"
    """Numerators and denominators add up; they are divided last."""
    NONE = "none"
    """Each period stands for itself."""


@dataclass(frozen=True, slots=True)
class IndicatorMeaning:
    """Unit, names and method of an indicator."""

    code: str
    unit: str
    accumulation: Accumulation
    zh: str
    en: str
    method_page: str
    """File in docs/methods, without its ending."""


_S, _R = Accumulation.SUM, Accumulation.RATIO

INDICATORS: Final[dict[str, IndicatorMeaning]] = {
    meaning.code: meaning
    for meaning in (
        # --- energy: amounts inside a boundary ---
        IndicatorMeaning(
            "electricity_consumption", "kWh", _S, "用电量", "electricity consumption", "comprehensive-energy"
        ),
        IndicatorMeaning(
            "comprehensive_energy", "tce", _S, "综合能耗(当量值)", "comprehensive energy", "comprehensive-energy"
        ),
        # --- carbon ---
        IndicatorMeaning(
            "carbon_location",
            "t",
            _S,
            "二氧化碳排放(位置法, 省级因子)",
            "CO2, location based, provincial factor",
            "location-based-carbon",
        ),
    )
}


def meaning_of(indicator: str) -> IndicatorMeaning:
    """Meaning of a published indicator.

    Raises
    ------
    KeyError
        When there is none of this code; the message lists the nearest ones.
    """
    try:
        return INDICATORS[indicator]
    except KeyError:
        known = ", ".join(sorted(INDICATORS))
        raise KeyError(f"no indicator has the code {indicator!r}; there are: {known}") from None
