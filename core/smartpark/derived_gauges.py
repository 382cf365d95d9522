"""Gauges that something is derived from: a closed list, so that a writer marks no hour in vain.

A reading of one of these marks its hour as stale; those of the others (currents, temperatures, wind) are kept, shown
and watched, and no published number rests on them. Whoever derives from another gauge adds it here.
"""

from typing import Final

from smartpark.measurands import Measurand

POWER: Final = frozenset({Measurand.ACTIVE_POWER, Measurand.REACTIVE_POWER})
"""Demand, load factor, coincidence, load rate of transformers."""

SUPPLY_QUALITY: Final = frozenset(
    {Measurand.VOLTAGE, Measurand.FREQUENCY, Measurand.VOLTAGE_UNBALANCE, Measurand.VOLTAGE_THD}
)
"""Compliance of voltage, frequency and wave form."""

STACK: Final = frozenset(
    {
        Measurand.SO2_CONCENTRATION,
        Measurand.NOX_CONCENTRATION,
        Measurand.DUST_CONCENTRATION,
        Measurand.O2_CONTENT,
        Measurand.FLUE_GAS_FLOW,
    }
)
"""Mass and corrected concentration of what leaves a stack."""

AMBIENT: Final = frozenset(
    {
        Measurand.AMBIENT_PM25,
        Measurand.AMBIENT_PM10,
        Measurand.AMBIENT_SO2,
        Measurand.AMBIENT_NO2,
        Measurand.AMBIENT_O3,
        Measurand.AMBIENT_CO,
    }
)
"""Air quality index."""

DERIVED_GAUGES: Final = POWER | SUPPLY_QUALITY | STACK | AMBIENT
"""All of them."""
