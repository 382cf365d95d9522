"""Pure numpy: registers to energy, coal equivalent, carbon. No I/O, no clock."""

from smartpark_analytics.aggregate import PeriodSums, combined_estimated_share, period_sums
from smartpark_analytics.carbon import LocationBasedCarbon, location_based_carbon
from smartpark_analytics.certificates import CertificateFlag, Certificates, certificate_flags, certified_energy
from smartpark_analytics.changes import RegisterChanges, movements_through_changes
from smartpark_analytics.dense import dense_interval_amounts
from smartpark_analytics.energy import (
    KG_PER_TONNE,
    EnergyTotals,
    comprehensive_energy,
    consumed_from_stock,
    energy_totals,
    net_of_conversion,
)
from smartpark_analytics.flags import IntervalFlag
from smartpark_analytics.fuel_carbon import carbonate_carbon, combustion_carbon, emission_factor
from smartpark_analytics.intervals import IntervalAmounts, Intervals, interval_amounts
from smartpark_analytics.inventory import CarbonInventory, carbon_per_energy
from smartpark_analytics.purchased_electricity import ElectricityCarbon, electricity_carbon
from smartpark_analytics.registers import (
    NO_VALUE,
    Movements,
    RegisterLimits,
    RegisterPoints,
    RegisterReadings,
    register_movements,
    steps_of_doubles,
)
from smartpark_analytics.uncertainty import half_width_of_class, half_width_of_gaps, relative_half_width

__all__ = [
    "KG_PER_TONNE",
    "NO_VALUE",
    "CarbonInventory",
    "CertificateFlag",
    "Certificates",
    "ElectricityCarbon",
    "EnergyTotals",
    "IntervalAmounts",
    "IntervalFlag",
    "Intervals",
    "LocationBasedCarbon",
    "Movements",
    "PeriodSums",
    "RegisterChanges",
    "RegisterLimits",
    "RegisterPoints",
    "RegisterReadings",
    "carbon_per_energy",
    "carbonate_carbon",
    "certificate_flags",
    "certified_energy",
    "combined_estimated_share",
    "combustion_carbon",
    "comprehensive_energy",
    "consumed_from_stock",
    "dense_interval_amounts",
    "electricity_carbon",
    "emission_factor",
    "energy_totals",
    "half_width_of_class",
    "half_width_of_gaps",
    "interval_amounts",
    "location_based_carbon",
    "movements_through_changes",
    "net_of_conversion",
    "period_sums",
    "register_movements",
    "relative_half_width",
    "steps_of_doubles",
]
