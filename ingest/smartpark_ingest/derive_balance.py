"""The park's boundary: which meters count in which indicator, and the indicators of its hours and days.

Pure: registry and interval energy in, rows to publish out. Which registers count, and with which sign, is core's
`balance_rule`. Sums of enterprises and sub-parks are another balance, not this one.

An indicator is as complete as its least complete meter. A meter of which nothing is known in a period leaves the
indicator without a value, and the reason says which meter it was: a sum without one of its parts is another quantity.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray
from smartpark.balance_rule import ACTIVE_ENERGY, ENERGY, Measures, signs_at_boundary
from smartpark.catalogue import Role
from smartpark.clock import to_us
from smartpark.errors import SmartparkError
from smartpark.factors import FactorChoice, FactorKind, FactorSet, choose_factor
from smartpark.measurands import Carrier
from smartpark.periods import Grain, Period, periods_between
from smartpark_analytics import (
    KG_PER_TONNE,
    PeriodSums,
    combined_estimated_share,
    comprehensive_energy,
    location_based_carbon,
    period_sums,
)
from smartpark_storage import IndicatorRow, PointRecord

from smartpark_ingest.derive_spans import QUARTER_US

Floats = NDArray[np.float64]

_HEAT: Final = frozenset({Carrier.HEAT, Carrier.STEAM})
_TABLE: Final = "table"


class Indicator(StrEnum):
    """What is published for a park's hours and days."""

    ELECTRICITY_CONSUMPTION = "electricity_consumption"
    COMPREHENSIVE_ENERGY = "comprehensive_energy"
    CARBON_LOCATION = "carbon_location"


_UNITS: Final = {
    Indicator.ELECTRICITY_CONSUMPTION: "kWh",
    Indicator.COMPREHENSIVE_ENERGY: "tce",
    Indicator.CARBON_LOCATION: "t",
}
_METHODS: Final = {
    Indicator.ELECTRICITY_CONSUMPTION: "electricity-consumption/1",
    Indicator.COMPREHENSIVE_ENERGY: "comprehensive-energy-calorific/1",
    Indicator.CARBON_LOCATION: "carbon-location/1",
}


class UnitMismatchError(SmartparkError):
    """A factor is per another unit than the meter counts."""


@dataclass(frozen=True, slots=True)
class Flow:
    """A counter that takes part in the balance."""

    point: PointRecord
    sign: int
    """+1 where the register counts energy that comes into the park, -1 where it counts energy that leaves."""

    def is_awaited(self, period: Period) -> bool:
        """Whether a period is incomplete without it: one that lies wholly between its installation and retirement."""
        installed_at_us, retired_at_us = self.point.installed_at_us, self.point.retired_at_us
        return (installed_at_us is None or to_us(period.start) >= installed_at_us) and (
            retired_at_us is None or to_us(period.end) <= retired_at_us
        )

    @property
    def is_generation(self) -> bool:
        """Made inside the boundary rather than brought across it."""
        return self.point.role is Role.GENERATION


@dataclass(frozen=True, slots=True)
class ParkBalance:
    """A park and the flows of its balance."""

    park: str
    electricity_scope: str
    """Whose grid average counts, e.g. ``provincial:FJ``."""
    flows: tuple[Flow, ...]

    @property
    def point_ids(self) -> list[int]:
        """Points to read."""
        return [flow.point.point_id for flow in self.flows]


@dataclass(frozen=True, slots=True)
class Findings:
    """Rows to publish, and why some are not there."""

    rows: list[IndicatorRow]
    missing: list[str]
    """One message per indicator and day that could not be computed for want of a factor."""


def park_balance(park: str, electricity_scope: str, records: Iterable[PointRecord]) -> ParkBalance:
    """Flows of a park: its boundary and its generation, without media and internal transfers."""
    of_park = [r for r in records if r.park == park]
    by_device: defaultdict[str, list[PointRecord]] = defaultdict(list)
    for record in of_park:
        # Registers make up amounts; power is another sum.
        if record.measurand in ENERGY:
            by_device[record.device].append(record)
    flows = (flow for points in by_device.values() for flow in _flows(points))
    return ParkBalance(park, electricity_scope, tuple(sorted(flows, key=lambda f: f.point.key)))


def _flows(points: Sequence[PointRecord]) -> Iterable[Flow]:
    """Registers of one device that count."""
    device = points[0]
    measures = [Measures(p.code, p.measurand) for p in points]
    signs = signs_at_boundary(device.role, device.carrier, measures, internal_transfer=device.internal_transfer)
    return (Flow(point, sign) for point, sign in zip(points, signs, strict=True) if sign)


@dataclass(frozen=True, slots=True)
class _Day:
    """Sums of a day's touched periods, and the factors of that day."""

    balance: ParkBalance
    periods: Sequence[Period]
    sums: PeriodSums
    awaited: NDArray[np.bool_]
    """Which flows a period is incomplete without, shape (n_flows, n_periods)."""
    has_part: NDArray[np.bool_]
    """Which flows are awaited in a period or known in it all the same, shape (n_flows, n_periods)."""
    day: date
    factors: FactorSet
    computed_at_us: int


def day_indicators(
    balance: ParkBalance,
    intervals: NDArray[np.void],
    day: Period,
    hours: frozenset[int],
    factors: FactorSet,
    *,
    computed_at_us: int,
) -> Findings:
    """Indicators of one accounting day and of those of its hours that were touched.

    Parameters
    ----------
    balance : ParkBalance
    intervals : ndarray of INTERVAL_DTYPE
        Interval energy of the balance's points in this day; absent quarter-hours are not known.
    day : Period
        The accounting day.
    hours : frozenset of int
        Starts of the touched hours. [µs]
    factors : FactorSet
        Dated rows to choose from.
    computed_at_us : int
        Noted in the rows. [µs]
    """
    every_hour = periods_between(day.start, day.end, Grain.HOUR)
    touched = [h for h in every_hour if to_us(h.start) in hours]
    periods = [*touched, day]
    awaited = np.array([flow.is_awaited(p) for flow in balance.flows for p in periods], np.bool_)
    awaited = awaited.reshape(len(balance.flows), len(periods))
    sums = _sums(balance, intervals, day, touched)
    # A meter that is not awaited counts with what it measured; nobody waits for more.
    has_part = awaited | ~np.isnan(sums.amount)
    sums = replace(sums, amount=np.where(~awaited & np.isnan(sums.amount), 0.0, sums.amount))
    one = _Day(balance, periods, sums, awaited, has_part, day.day, factors, computed_at_us)
    findings = Findings([], [])
    for indicator, compute in (
        (Indicator.ELECTRICITY_CONSUMPTION, _electricity),
        (Indicator.COMPREHENSIVE_ENERGY, _comprehensive),
        (Indicator.CARBON_LOCATION, _carbon),
    ):
        try:
            result = compute(one)
        except SmartparkError as error:
            findings.missing.append(f"park {balance.park}, {indicator} of {one.day}: {error}")
            continue
        if result is not None:
            findings.rows.extend(_rows(one, indicator, result))
    return findings


def _sums(balance: ParkBalance, intervals: NDArray[np.void], day: Period, hours: Sequence[Period]) -> PeriodSums:
    """Sums per flow and period: the hours, and the day last."""
    first, count = to_us(day.start), (to_us(day.end) - to_us(day.start)) // QUARTER_US
    shape = (len(balance.flows), count)
    amount, completeness, estimated = np.full(shape, np.nan), np.zeros(shape), np.zeros(shape)
    place = {point_id: index for index, point_id in enumerate(balance.point_ids)}
    row = np.array([place[p] for p in intervals["point_id"].tolist()], np.intp)
    column = (intervals["start"] - first) // QUARTER_US
    amount[row, column] = intervals["amount"]
    completeness[row, column] = intervals["completeness"]
    estimated[row, column] = intervals["estimated_share"]
    columns = [range((to_us(p.start) - first) // QUARTER_US, (to_us(p.end) - first) // QUARTER_US) for p in hours]
    picked = np.array([c for quarters in columns for c in quarters], np.intp)
    # The day's own quarter-hours follow those of the hours, as one more period.
    picked = np.concatenate([picked, np.arange(count)])
    expected = np.array([*(len(c) for c in columns), count], np.int64)
    period = np.repeat(np.arange(len(expected), dtype=np.int64), expected)
    return period_sums(amount[:, picked], completeness[:, picked], estimated[:, picked], period, expected)


@dataclass(frozen=True, slots=True)
class _Result:
    """An indicator for all periods of a day."""

    value: Floats
    """Shape (n_periods,)."""
    contributions: Floats
    """Of each flow, in the indicator's unit, shape (n_used, n_periods)."""
    used: list[int]
    """Places of the flows that count."""
    choices: list[FactorChoice]


def _electricity(one: _Day) -> _Result | None:
    used = [i for i, flow in enumerate(one.balance.flows) if flow.point.measurand in ACTIVE_ENERGY]
    if not used:
        return None
    contributions = _signs(one, used) * one.sums.amount[used]
    return _Result(contributions.sum(axis=0), contributions, used, [])


def _comprehensive(one: _Day) -> _Result | None:
    flows = one.balance.flows
    # What a turbine inside makes from fuel counted at the boundary is electricity, and no energy anew.
    used = [i for i, flow in enumerate(flows) if not flow.is_generation or flow.point.carrier is Carrier.PHOTOVOLTAIC]
    if not used:
        return None
    choices = _choose(one, FactorKind.COAL_EQUIVALENT, used)
    amounts = _signs(one, used) * one.sums.amount[used]
    coefficients = np.array([choices[flows[i].point.carrier].value for i in used])
    value = comprehensive_energy(amounts, coefficients)
    return _Result(value, amounts * coefficients[:, np.newaxis] / KG_PER_TONNE, used, list(choices.values()))


def _carbon(one: _Day) -> _Result | None:
    flows = one.balance.flows
    used = [i for i, flow in enumerate(flows) if not flow.is_generation]
    if not used:
        return None
    choices = _choose(one, FactorKind.CARBON_DIOXIDE, used)
    factor = np.array([choices[flows[i].point.carrier].value for i in used])
    amounts, signs = one.sums.amount[used], _signs(one, used)
    is_electric = np.array([flows[i].point.measurand in ACTIVE_ENERGY for i in used])
    is_heat = np.array([flows[i].point.carrier in _HEAT for i in used])
    is_fuel = ~is_electric & ~is_heat
    signed = signs * amounts
    result = location_based_carbon(
        fuels=signed[is_fuel],
        fuel_factors=factor[is_fuel],
        electricity=signed[is_electric],
        electricity_factors=factor[is_electric],
        heat=signed[is_heat],
        heat_factors=factor[is_heat],
    )
    return _Result(result.total, signed * factor[:, np.newaxis] / KG_PER_TONNE, used, list(choices.values()))


def _signs(one: _Day, used: Sequence[int]) -> Floats:
    return np.array([[float(one.balance.flows[i].sign)] for i in used])


def _choose(one: _Day, kind: FactorKind, used: Iterable[int]) -> dict[Carrier, FactorChoice]:
    """Factor of each carrier that counts, on the day; refuses one that is per another unit than the meters count."""
    choices: dict[Carrier, FactorChoice] = {}
    for point in (one.balance.flows[i].point for i in used):
        is_grid = kind is FactorKind.CARBON_DIOXIDE and point.carrier is Carrier.ELECTRICITY
        scope = one.balance.electricity_scope if is_grid else _TABLE
        choice = choose_factor(one.factors.factor, kind=kind, carrier=point.carrier, scope=scope, on=one.day)
        if choice.factor.unit.partition("/")[2] != point.unit:
            raise UnitMismatchError(
                f"factor {choice.factor.id} is in {choice.factor.unit}; {point.key} counts {point.unit}"
            )
        choices[point.carrier] = choice
    return choices


def _rows(one: _Day, indicator: Indicator, result: _Result) -> Iterable[IndicatorRow]:
    completeness = one.sums.completeness[result.used]
    awaited = one.awaited[result.used]
    share = combined_estimated_share(result.contributions, one.sums.estimated_share[result.used])
    for column, period in enumerate(one.periods):
        # A sum without parts is no zero.
        is_sum = bool(one.has_part[result.used, column].any())
        covered = float(completeness[awaited[:, column], column].min(initial=1.0)) if is_sum else 0.0
        value = float(result.value[column]) if is_sum else np.nan
        yield IndicatorRow(
            park=one.balance.park,
            indicator=indicator.value,
            grain=period.grain.value,
            start_us=to_us(period.start),
            value=None if np.isnan(value) else value,
            numerator=None,
            denominator=None,
            unit=_UNITS[indicator],
            completeness=covered,
            estimated_share=float(share[column]),
            method=_METHODS[indicator],
            factor_set=one.factors.version if result.choices else "",
            factors=tuple(sorted(choice.factor.id for choice in result.choices)),
            reason=_reason(one, result, column),
            computed_at_us=one.computed_at_us,
        )


def _reason(one: _Day, result: _Result, column: int) -> str:
    """Why these factors, and which meters are not complete: least complete first, three of them by name."""
    said = [f"{c.factor.id}: {c.reason.value}" for c in sorted(result.choices, key=lambda c: c.factor.id)]
    share: Mapping[str, float] = {
        one.balance.flows[i].point.key: float(one.sums.completeness[i, column])
        for i in result.used
        if one.awaited[i, column]
    }
    short = sorted((value, key) for key, value in share.items() if value < 1.0)
    said += [f"{key} known for {value:.1%}" for value, key in short[:3]]
    if not one.has_part[result.used, column].any():
        said.append("no meter in service")
    if len(short) > 3:
        said.append(f"and {len(short) - 3} more not complete")
    return "; ".join(said)
