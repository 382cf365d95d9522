"""Demand and load of a day, from minute means of active power. Pure.

Whose: each electricity meter (``device/CODE``), each enterprise (its topmost meters), and the park (its boundary
meters). Minutes of several meters are added up minute by minute, and a minute in which one of them is not known is
not known. What is published is a mean that adds up from the first minute to the last; the windows are compared by
sums that are rounded otherwise, which decides between two windows only where they agree in all digits but the last.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from smartpark.addition import in_order
from smartpark.catalogue import Role
from smartpark.contracts import settlement_day
from smartpark.derived_gauges import POWER
from smartpark.electricity_rules import DemandRule, ElectricityRules, builtin_electricity_rules
from smartpark.measurands import Carrier, Measurand

from smartpark_analytics.demand import block_maximum_demand, block_means, sliding_maximum_demand
from smartpark_analytics.gauges.day import (
    LEAD,
    Findings,
    GaugeDay,
    Number,
    PointT_co,
    clock_time,
    of_day,
    published,
    until_end,
)
from smartpark_analytics.gauges.minutes import (
    MINUTE_US,
    DeviceMinutes,
    Floats,
    GaugePoint,
    Ints,
    Minutes,
    any_of_row,
    device_totals,
    held,
    in_service,
)
from smartpark_analytics.gauges.transformers import transformer_numbers
from smartpark_analytics.in_order import sums_in_order
from smartpark_analytics.load_statistics import coincidence_of_curves, load_statistics
from smartpark_analytics.sufficiency import REASONS, Sufficiency

LONGEST_RHYTHM: Final = 5
"""A meter that reports power less often than that says nothing of a window that slides by the minute. [min]"""
BLOCK, BLOCK_LEAST = 15, 13
"""Minutes of a quarter of an hour, and how many of them must be known. [min]"""


@dataclass(frozen=True, slots=True)
class Boundaries:
    """Power of boundaries; rows are boundaries."""

    names: list[str]
    members: list[list[int]]
    """Rows of `points` that each is the sum of."""
    points: tuple[GaugePoint, ...]
    drawn: Floats
    """Import of each device, minute by minute with the lead; NaN where not known. [kW]"""
    power: Floats
    """Sum over the members; NaN where one of them is not known. [kW]"""
    cuts: list[bool]
    """Whether a settlement month of the boundary begins with this day."""


@dataclass(frozen=True, slots=True)
class PowerDay:
    """What the numbers of a day rest on."""

    day: GaugeDay[GaugePoint]
    rules: ElectricityRules
    often: Boundaries
    """From readings that come often enough for a window that slides by the minute."""
    load: Boundaries
    """From readings that come often enough for quarters of an hour."""
    active: DeviceMinutes
    """The same, signed and of all devices."""


def power_points(day: GaugeDay[PointT_co]) -> list[PointT_co]:
    """Points to read: of all meters, because park, enterprises and transformers are sums."""
    return [p for p in day.points_of(POWER) if p.carrier is Carrier.ELECTRICITY]


def power_day(day: GaugeDay[GaugePoint], minutes: Minutes) -> PowerDay:
    """Power of a day's boundaries, from its minutes."""
    often = device_totals(held(until_end(day, minutes), LONGEST_RHYTHM), Measurand.ACTIVE_POWER)
    # Load curves are of quarters of an hour, and so may be the readings.
    active = device_totals(until_end(day, held(minutes, BLOCK)), Measurand.ACTIVE_POWER)
    rules = builtin_electricity_rules()
    return PowerDay(day, rules, _boundaries(day, often), _boundaries(day, active), active)


def power_numbers(day: GaugeDay[GaugePoint], minutes: Minutes) -> Findings:
    """Numbers of the day."""
    work = power_day(day, minutes)
    numbers = list[Number]()
    if work.load.names:
        numbers += demand_numbers(work)
        numbers += block_numbers(work)
        numbers += load_numbers(work)
    numbers += coincidence_numbers(work)
    numbers += transformer_numbers(day, held(minutes, BLOCK), work.rules)
    return Findings([published(day, number) for number in numbers])


def enterprise_meters(points: Sequence[GaugePoint]) -> dict[str, list[int]]:
    """Rows of the topmost meters of each enterprise."""
    owner = {p.device: p.enterprise for p in points}
    found: dict[str, list[int]] = {}
    for row, p in enumerate(points):
        is_top = p.parent_device is None or owner.get(p.parent_device) != p.enterprise
        if p.role is Role.CONSUMPTION and p.enterprise is not None and is_top and not p.internal_transfer:
            found.setdefault(p.enterprise, []).append(row)
    return found


def _boundaries(day: GaugeDay[GaugePoint], active: DeviceMinutes) -> Boundaries:
    """Meters that have readings today, enterprises, and the park."""
    points = active.points
    drawn = np.maximum(active.mean, 0.0)
    expected = in_service(points, day.start_us - LEAD * MINUTE_US, drawn.shape[1])
    drawn = np.where(~expected & np.isnan(drawn), 0.0, drawn)
    has_readings = any_of_row(active.has_reading[:, LEAD:])
    owners: list[tuple[str, str | None, list[int]]] = [
        (f"device/{p.device}", p.enterprise, [row])
        for row, p in enumerate(points)
        if p.role is not Role.GENERATION and has_readings[row]
    ]
    owners += [(f"enterprise/{e}", e, rows) for e, rows in sorted(enterprise_meters(points).items())]
    owners.append(("park", None, [r for r, p in enumerate(points) if _is_boundary(p)]))
    owners = [
        (name, enterprise, rows)
        for name, enterprise, rows in owners
        if any(has_readings[row] for row in rows) and any(points[row].device in day.stale for row in rows)
    ]
    return Boundaries(
        [name for name, _, _ in owners],
        [rows for _, _, rows in owners],
        points,
        drawn,
        np.array([drawn[rows].sum(axis=0) for _, _, rows in owners]).reshape(len(owners), drawn.shape[1]),
        [settlement_day(day.catalogue, e, day.period.day) == day.period.day.day for _, e, _ in owners],
    )


def _is_boundary(point: GaugePoint) -> bool:
    return point.role is Role.BOUNDARY and not point.internal_transfer


@dataclass(frozen=True, slots=True)
class Window:
    """Where the maximum of a boundary stood."""

    row: int
    """Of the boundaries."""
    column: int
    """First minute, of the columns with the lead."""
    width: int
    value: float
    """[kW]"""
    counted: int
    """Windows that count."""
    windows: int
    """Windows of the day."""
    completeness: float


def highest_windows(work: PowerDay, rule: DemandRule) -> Iterator[Window]:
    """Of the windows that end in the day; on the first of a settlement month they begin in it too."""
    sums, reach = work.often, rule.period_min - 1
    for cuts in (False, True):
        rows = [row for row, cut in enumerate(sums.cuts) if cut is cuts]
        if not rows:
            continue
        group = np.full(sums.power.shape[1], -1, np.int64)
        group[LEAD - (0 if cuts else reach) :] = 0
        found = sliding_maximum_demand(sums.power[rows], group, 1, rule)
        windows = (int((group == 0).sum()) - reach) // rule.slip_min
        for place, row in enumerate(rows):
            column, share = int(found.window[place, 0]), float(found.completeness[place, 0])
            # No row says: not known. What blocks know is a number of its own.
            if column >= 0:
                value = _mean(sums.power[row, column : column + rule.period_min])
                yield Window(row, column, rule.period_min, value, round(share * windows), windows, share)


def _mean(values: Floats) -> float:
    """Mean of the known values, added up in order."""
    return float(sums_in_order(values) / np.isfinite(values).sum())


def demand_numbers(work: PowerDay) -> Iterable[Number]:
    """Maximum demand of each boundary."""
    rule = work.rules.demand_on(work.day.period.day)
    for found in highest_windows(work, rule):
        yield Number(
            boundary=work.often.names[found.row],
            indicator="maximum_demand",
            value=found.value,
            completeness=found.completeness,
            method="maximum-demand-sliding/1",
            rules=(rule.id,),
            rule_set=work.rules.version,
            reason=when(work.day, found.column, found.width),
        )


def blocks_of(work: PowerDay) -> Floats:
    """Quarters of an hour of the day, shape (n_boundaries, 96). [kW]."""
    return block_means(of_day(work.load.power), BLOCK, least=BLOCK_LEAST)


def _of_one_day(blocks: Floats) -> Ints:
    return np.zeros(blocks.shape[1], np.int64)


def block_numbers(work: PowerDay) -> Iterable[Number]:
    """Maximum of the clock's quarters of an hour: a lower bound of what the billing meter finds."""
    rule = work.rules.demand_on(work.day.period.day)
    blocks = blocks_of(work)
    found = block_maximum_demand(blocks, _of_one_day(blocks), 1)
    for row, name in enumerate(work.load.names):
        window = int(found.window[row, 0])
        is_known = window >= 0
        yield Number(
            boundary=name,
            indicator="maximum_demand_block",
            value=float(found.demand_kw[row, 0]),
            completeness=float(found.completeness[row, 0]),
            method="maximum-demand-block/1",
            rules=(rule.id,),
            rule_set=work.rules.version,
            reason=when(work.day, LEAD + window * BLOCK, BLOCK) if is_known else "no quarter of an hour is known",
        )


def when(day: GaugeDay[GaugePoint], column: int, width: int) -> str:
    """Times of day between which a span of columns lies."""
    start = day.start_us + (column - LEAD) * MINUTE_US
    return f"{clock_time(start)}-{clock_time(start + width * MINUTE_US)}"


def load_numbers(work: PowerDay) -> Iterable[Number]:
    """Load factor and peak-valley ratio of each boundary."""
    judgement = work.rules.load_judgement_on(work.day.period.day)
    blocks = blocks_of(work)
    found = load_statistics(blocks, _of_one_day(blocks), 1, judgement)
    for row, name in enumerate(work.load.names):
        reason = REASONS[Sufficiency(int(found.reason[row, 0]))]
        maximum, minimum = float(found.maximum_kw[row, 0]), float(found.minimum_kw[row, 0])
        mean = np.nan if np.isnan(maximum) else _mean(blocks[row])
        for indicator, value, numerator in (
            ("load_factor", mean / maximum if maximum > 0 else np.nan, mean),
            ("peak_valley_ratio", float(found.peak_valley_ratio[row, 0]), maximum - minimum),
        ):
            yield Number(
                boundary=name,
                indicator=indicator,
                value=value,
                completeness=float(found.completeness[row, 0]),
                method="load-statistics/1",
                numerator=numerator,
                denominator=maximum,
                rules=(judgement.id,),
                rule_set=work.rules.version,
                reason=reason,
            )


@dataclass(frozen=True, slots=True)
class Coinciding:
    """Curves of the enterprises, in quarters of an hour; rows are enterprises."""

    names: list[str]
    members: list[list[int]]
    """Rows of the active power."""
    together: Floats
    """Shape (n_enterprises, 96); NaN where one of them is not known. [kW]"""
    known: float
    """Share of the day in which all are known. [0-1]"""


def coinciding(work: PowerDay) -> Coinciding | None:
    """Enterprises, each with all of its meters; None where there are not two of them that have readings."""
    active = work.active
    expected = any_of_row(in_service(active.points, work.day.start_us, active.mean.shape[1] - LEAD))
    meters = sorted(enterprise_meters(active.points).items())
    found = [(name, rows) for name, rows in meters if any(expected[row] for row in rows)]
    members = [rows for _, rows in found]
    if len(members) < 2 or not active.has_reading[np.concatenate(members)][:, LEAD:].any():
        return None
    power = np.array([active.mean[rows].sum(axis=0) for rows in members])
    blocks = block_means(np.maximum(of_day(power), 0.0), BLOCK, least=BLOCK_LEAST)
    is_known = np.isfinite(blocks).all(axis=0)
    together = np.where(is_known, blocks, np.nan)
    return Coinciding([name for name, _ in found], members, together, float(is_known.mean()))


def coincidence_numbers(work: PowerDay) -> Iterable[Number]:
    """How far the peaks of the enterprises coincide."""
    found = coinciding(work)
    if found is None:
        return
    judgement = work.rules.load_judgement_on(work.day.period.day)
    factor = coincidence_of_curves(found.together, _of_one_day(found.together), 1, judgement)
    system, is_judged = float(factor.system_peak_kw[0]), bool(np.isfinite(factor.system_peak_kw[0]))
    peaks = in_order(np.nanmax(found.together, axis=1).tolist()) if found.known else np.nan
    is_judged = is_judged and peaks > 0
    yield Number(
        boundary="park",
        indicator="coincidence_factor",
        value=system / peaks if is_judged else np.nan,
        completeness=found.known,
        method="coincidence-of-enterprises/1",
        numerator=system,
        denominator=peaks,
        rules=(judgement.id,),
        rule_set=work.rules.version,
        reason=f"{len(found.names)} enterprises" + ("" if is_judged else "; too little known of all"),
    )
