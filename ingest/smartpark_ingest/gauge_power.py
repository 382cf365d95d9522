"""Demand, load and transformers of a day, from minute means of active and reactive power. Pure.

Whose: each electricity meter (``device/CODE``), each enterprise (its topmost meters), the park (its boundary meters),
and each transformer (its topmost meters). Minutes of several meters are added up minute by minute, and a minute in
which one of them is not known is not known.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from smartpark.catalogue import Role
from smartpark.contracts import settlement_day
from smartpark.derived_gauges import POWER
from smartpark.electricity_rules import ElectricityRules, builtin_electricity_rules
from smartpark.measurands import Carrier, Measurand
from smartpark_analytics.demand import block_maximum_demand, block_means, sliding_maximum_demand
from smartpark_analytics.load_statistics import coincidence_of_curves, load_statistics
from smartpark_analytics.sufficiency import REASONS, Sufficiency
from smartpark_analytics.transformer import LoadBand, apparent_power, transformer_load, transformer_periods
from smartpark_storage import PointRecord
from smartpark_storage.minutes import MINUTE_US, MinuteMeans

from smartpark_ingest.gauge_day import (
    LEAD,
    DeviceMinutes,
    Findings,
    Floats,
    GaugeDay,
    Number,
    any_of_row,
    clock_time,
    device_totals,
    held,
    in_service,
    of_day,
    published,
    until_end,
)

LONGEST_RHYTHM: Final = 5
"""A meter that reports power less often than that says nothing of a window that slides by the minute. [min]"""
LONG_LOADS: Final = ("transformer_heavy_hours", "transformer_overload_hours")
"""What depends on how long a load lasts, also beyond the day."""
_BLOCK, _BLOCK_LEAST = 15, 13
_LEAD_BLOCKS = LEAD // _BLOCK
_MINUTES_A_DAY: Final = 1440


@dataclass(frozen=True, slots=True)
class _Sums:
    """Power of boundaries; rows are boundaries."""

    names: list[str]
    power: Floats
    """Import, minute by minute with the lead; NaN where a part is not known. [kW]"""
    cuts: list[bool]
    """Whether a settlement month of the boundary begins with this day."""


def power_points(day: GaugeDay) -> list[PointRecord]:
    """Points to read: of all meters, because park, enterprises and transformers are sums."""
    return [p for p in day.points_of(POWER) if p.carrier is Carrier.ELECTRICITY]


def power_numbers(day: GaugeDay, minutes: MinuteMeans) -> Findings:
    """Numbers of the day."""
    rules = builtin_electricity_rules()
    often = device_totals(held(until_end(day, minutes), LONGEST_RHYTHM), Measurand.ACTIVE_POWER)
    # Load curves are of quarters of an hour, and so may be the readings.
    longer = held(minutes, _BLOCK)
    minutes = until_end(day, longer)
    active = device_totals(minutes, Measurand.ACTIVE_POWER)
    numbers = list[Number]()
    sums = _boundaries(day, active)
    if sums.names:
        numbers += _demand(day, _boundaries(day, often), rules)
        numbers += _blocks_of_demand(day, sums, rules)
        numbers += _load(day, sums, rules)
    numbers += _coincidence(day, active, rules)
    numbers += _transformers(
        day, device_totals(longer, Measurand.ACTIVE_POWER), device_totals(longer, Measurand.REACTIVE_POWER), rules
    )
    return Findings([published(day, number) for number in numbers])


def enterprise_meters(points: Sequence[PointRecord]) -> dict[str, list[int]]:
    """Rows of the topmost meters of each enterprise."""
    owner = {p.device: p.enterprise for p in points}
    found: dict[str, list[int]] = {}
    for row, p in enumerate(points):
        is_top = p.parent_device is None or owner.get(p.parent_device) != p.enterprise
        if p.role is Role.CONSUMPTION and p.enterprise is not None and is_top and not p.internal_transfer:
            found.setdefault(p.enterprise, []).append(row)
    return found


def _boundaries(day: GaugeDay, active: DeviceMinutes) -> _Sums:
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
    return _Sums(
        [name for name, _, _ in owners],
        np.array([drawn[rows].sum(axis=0) for _, _, rows in owners]).reshape(len(owners), drawn.shape[1]),
        [settlement_day(day.catalogue, e, day.period.day) == day.period.day.day for _, e, _ in owners],
    )


def _is_boundary(point: PointRecord) -> bool:
    return point.role is Role.BOUNDARY and not point.internal_transfer


def _demand(day: GaugeDay, sums: _Sums, rules: ElectricityRules) -> Iterable[Number]:
    """Maximum over the windows that end in the day; on the first of a settlement month they begin in it too."""
    rule = rules.demand_on(day.period.day)
    reach = rule.period_min - 1
    for cuts in (False, True):
        rows = [row for row, cut in enumerate(sums.cuts) if cut is cuts]
        if not rows:
            continue
        group = np.full(sums.power.shape[1], -1, np.int64)
        group[LEAD - (0 if cuts else reach) :] = 0
        found = sliding_maximum_demand(sums.power[rows], group, 1, rule)
        for row, value, window, share in zip(
            rows, found.demand_kw[:, 0], found.window[:, 0], found.completeness[:, 0], strict=True
        ):
            if window < 0:
                # No row says: not known. What blocks know is a number of its own.
                continue
            yield Number(
                boundary=sums.names[row],
                indicator="maximum_demand",
                value=float(value),
                completeness=float(share),
                method="maximum-demand-sliding/1",
                rules=(rule.id,),
                rule_set=rules.version,
                reason=_when(day, int(window), rule.period_min),
            )


def _blocks_of_demand(day: GaugeDay, sums: _Sums, rules: ElectricityRules) -> Iterable[Number]:
    """Maximum of the clock's quarters of an hour: a lower bound of what the billing meter finds."""
    rule = rules.demand_on(day.period.day)
    blocks = block_means(of_day(sums.power), _BLOCK, least=_BLOCK_LEAST)
    found = block_maximum_demand(blocks, np.zeros(blocks.shape[1], np.int64), 1)
    for row, name in enumerate(sums.names):
        window = int(found.window[row, 0])
        yield Number(
            boundary=name,
            indicator="maximum_demand_block",
            value=float(found.demand_kw[row, 0]),
            completeness=float(found.completeness[row, 0]),
            method="maximum-demand-block/1",
            rules=(rule.id,),
            rule_set=rules.version,
            reason=_when(day, LEAD + window * _BLOCK, _BLOCK) if window >= 0 else "no quarter of an hour is known",
        )


def _when(day: GaugeDay, window: int, width: int) -> str:
    start = day.start_us + (window - LEAD) * MINUTE_US
    return f"{clock_time(start)}-{clock_time(start + width * MINUTE_US)}"


def _load(day: GaugeDay, sums: _Sums, rules: ElectricityRules) -> Iterable[Number]:
    judgement = rules.load_judgement_on(day.period.day)
    blocks = block_means(of_day(sums.power), _BLOCK, least=_BLOCK_LEAST)
    found = load_statistics(blocks, np.zeros(blocks.shape[1], np.int64), 1, judgement)
    for row, name in enumerate(sums.names):
        reason = REASONS[Sufficiency(int(found.reason[row, 0]))]
        mean, maximum, minimum = (float(a[row, 0]) for a in (found.mean_kw, found.maximum_kw, found.minimum_kw))
        for indicator, value, numerator in (
            ("load_factor", found.load_factor[row, 0], mean),
            ("peak_valley_ratio", found.peak_valley_ratio[row, 0], maximum - minimum),
        ):
            yield Number(
                boundary=name,
                indicator=indicator,
                value=float(value),
                completeness=float(found.completeness[row, 0]),
                method="load-statistics/1",
                numerator=numerator,
                denominator=maximum,
                rules=(judgement.id,),
                rule_set=rules.version,
                reason=reason,
            )


def _coincidence(day: GaugeDay, active: DeviceMinutes, rules: ElectricityRules) -> Iterable[Number]:
    """Of the enterprises, each with all of its meters: how far their peaks coincide."""
    expected = any_of_row(in_service(active.points, day.start_us, active.mean.shape[1] - LEAD))
    members = [
        rows for _, rows in sorted(enterprise_meters(active.points).items()) if any(expected[row] for row in rows)
    ]
    if len(members) < 2 or not active.has_reading[np.concatenate(members)][:, LEAD:].any():
        return
    judgement = rules.load_judgement_on(day.period.day)
    power = np.array([active.mean[rows].sum(axis=0) for rows in members])
    blocks = block_means(np.maximum(of_day(power), 0.0), _BLOCK, least=_BLOCK_LEAST)
    found = coincidence_of_curves(blocks, np.zeros(blocks.shape[1], np.int64), 1, judgement)
    known = float(np.isfinite(blocks).all(axis=0).mean())
    yield Number(
        boundary="park",
        indicator="coincidence_factor",
        value=float(found.factor[0]),
        completeness=known,
        method="coincidence-of-enterprises/1",
        numerator=float(found.system_peak_kw[0]),
        denominator=float(found.sum_of_peaks_kw[0]),
        rules=(judgement.id,),
        rule_set=rules.version,
        reason=f"{len(members)} enterprises" + ("" if np.isfinite(found.factor[0]) else "; too little known of all"),
    )


def _transformers(
    day: GaugeDay, active: DeviceMinutes, reactive: DeviceMinutes, rules: ElectricityRules
) -> Iterable[Number]:
    """Load of the day; a heavy load that reaches over midnight counts in both days, each with its own hours."""
    rated = {} if day.catalogue is None else {t.code: t.rated_kva for t in day.catalogue.transformer}
    found = [(code, rows) for code, rows in _meters_of_transformers(active, reactive) if code in rated]
    has_readings = any_of_row(active.has_reading[:, LEAD : LEAD + _MINUTES_A_DAY])
    found = [
        (code, rows)
        for code, rows in found
        if any(has_readings[p] for p, _ in rows) and any(active.points[p].device in day.stale for p, _ in rows)
    ]
    if not found:
        return
    p, q = (
        np.array([matrix[[pair[side] for pair in rows]].sum(axis=0) for _, rows in found])
        for side, matrix in enumerate((active.mean, reactive.mean))
    )
    blocks = [block_means(power, _BLOCK, least=_BLOCK_LEAST) for power in (p, q)]
    bands, judgement = rules.load_bands_on(day.period.day), rules.load_judgement_on(day.period.day)
    capacity = np.array([rated[code] for code, _ in found])
    load = transformer_load(apparent_power(*blocks), capacity, bands, interval_hours=0.25)
    n_blocks = _MINUTES_A_DAY // _BLOCK
    around = blocks[0].shape[1] - _LEAD_BLOCKS - n_blocks
    period = np.repeat(np.array([-1, 0, -1], np.int64), [_LEAD_BLOCKS, n_blocks, around])
    days = transformer_periods(load, period, 1, judgement, interval_hours=0.25)
    for row, (code, _) in enumerate(found):
        rate = float(days.maximum_rate[row, 0])
        boundary, completeness = f"transformer/{code}", float(days.completeness[row, 0])
        worst = LoadBand(int(days.worst[row, 0])).name.lower().replace("_", " ")
        yield Number(
            boundary,
            "transformer_load_rate",
            completeness=completeness,
            value=rate,
            method="transformer-load/1",
            numerator=rate * rated[code],
            denominator=rated[code],
            rules=(bands.id, judgement.id),
            rule_set=rules.version,
            reason=REASONS[Sufficiency(int(days.reason[row, 0]))] or worst,
        )
        for indicator, band in zip(LONG_LOADS, (LoadBand.HEAVY, LoadBand.OVERLOAD), strict=True):
            yield Number(
                boundary,
                indicator,
                completeness=completeness,
                value=float(days.band_hours[row, 0, band]),
                method="transformer-load/1",
                rules=(bands.id,),
                rule_set=rules.version,
            )


def _meters_of_transformers(
    active: DeviceMinutes, reactive: DeviceMinutes
) -> list[tuple[str, list[tuple[int, int]]]]:
    """Rows of active and reactive power of the topmost meters of each transformer that have both."""
    place = {p.device: row for row, p in enumerate(reactive.points)}
    hangs_on = {p.device: p.transformer for p in active.points}
    found: dict[str, list[tuple[int, int]]] = {}
    for row, p in enumerate(active.points):
        is_top = p.parent_device is None or hangs_on.get(p.parent_device) != p.transformer
        if p.transformer is not None and is_top and p.device in place:
            found.setdefault(p.transformer, []).append((row, place[p.device]))
    return sorted(found.items())
