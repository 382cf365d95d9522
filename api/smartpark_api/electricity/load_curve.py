"""How long a boundary or a meter draws which power: its load duration curve over a period, from quarter-hours."""

from dataclasses import dataclass

import numpy as np
from smartpark.electricity_rules import builtin_electricity_rules
from smartpark.measurands import Measurand
from smartpark.periods import Period
from smartpark_analytics.demand import mean_power
from smartpark_analytics.load_statistics import (
    DurationCurve,
    LoadStatistics,
    load_duration_curve,
    load_statistics,
    utilisation_hours,
)
from smartpark_storage import Connection

from smartpark_api.electricity.quarters import (
    BoundaryQuarters,
    NoElectricityError,
    boundary_quarters,
    electricity_of,
    meter_quarters,
)

_QUARTER_H = 0.25


@dataclass(frozen=True, slots=True)
class LoadCurve:
    """A period's load, told."""

    park: str
    boundary: str
    period: Period
    meters: tuple[str, ...]
    curve: DurationCurve
    statistics: LoadStatistics
    utilisation_h: float
    """Hours at the maximum that would take the known energy. [h]"""
    energy_kwh: float
    """Of the known quarter-hours. [kWh]"""


def curve_of(connection: Connection, park: str, boundary: str, period: Period, *, steps: int) -> LoadCurve:
    """Load duration curve of the park, a sub-park, an enterprise or a meter (``device/CODE``).

    Raises
    ------
    SmartparkError
        When there is no such park, boundary or meter; it says what there is.
    """
    source = electricity_of(connection, park)
    kind, _, code = boundary.partition("/")
    if kind == "device":
        drawn: BoundaryQuarters = meter_quarters(source, (code,), (Measurand.ACTIVE_ENERGY_IMPORT,), period)
        if not drawn.meters:
            raise NoElectricityError(f"{park} has no meter {code!r} with a register of active energy")
    else:
        drawn = boundary_quarters(source, boundary, "electricity_consumption", period)
    power = mean_power(drawn.energy_kwh, _QUARTER_H)[np.newaxis]
    rule = builtin_electricity_rules().load_judgement_on(period.day)
    statistics = load_statistics(power, np.zeros(power.shape[1], np.int64), 1, rule)
    known = np.isfinite(drawn.energy_kwh)
    energy = float(drawn.energy_kwh[known].sum()) if known.any() else np.nan
    return LoadCurve(
        park=park,
        boundary=boundary,
        period=period,
        meters=drawn.meters,
        curve=load_duration_curve(power, _QUARTER_H, steps),
        statistics=statistics,
        utilisation_h=float(utilisation_hours(np.array([energy]), statistics.maximum_kw[0])[0]),
        energy_kwh=energy,
    )
