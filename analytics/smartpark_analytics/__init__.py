"""Pure numpy: registers to energy, coal equivalent, carbon. No I/O, no clock."""

from smartpark_analytics.aggregate import PeriodSums, combined_estimated_share, period_sums
from smartpark_analytics.carbon import LocationBasedCarbon, location_based_carbon
from smartpark_analytics.changes import RegisterChanges, movements_through_changes
from smartpark_analytics.energy import KG_PER_TONNE, comprehensive_energy
from smartpark_analytics.flags import IntervalFlag
from smartpark_analytics.intervals import IntervalAmounts, Intervals, interval_amounts
from smartpark_analytics.registers import (
    NO_VALUE,
    Movements,
    RegisterLimits,
    RegisterPoints,
    RegisterReadings,
    register_movements,
    steps_of_doubles,
)

__all__ = [
    "KG_PER_TONNE",
    "NO_VALUE",
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
    "combined_estimated_share",
    "comprehensive_energy",
    "interval_amounts",
    "location_based_carbon",
    "movements_through_changes",
    "period_sums",
    "register_movements",
    "steps_of_doubles",
]
