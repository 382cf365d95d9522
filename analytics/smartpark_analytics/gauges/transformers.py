"""Load of transformers over a day, from minute means of active and reactive power. Pure.

A transformer carries what its topmost meters measure that have both active and reactive power.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
from smartpark.electricity_rules import ElectricityRules
from smartpark.measurands import Measurand

from smartpark_analytics.demand import block_means
from smartpark_analytics.gauges.day import LEAD, GaugeDay, Number
from smartpark_analytics.gauges.minutes import (
    DeviceMinutes,
    Floats,
    GaugePoint,
    Minutes,
    any_of_row,
    device_totals,
)
from smartpark_analytics.sufficiency import REASONS, Sufficiency
from smartpark_analytics.transformer import (
    LoadBand,
    TransformerLoad,
    TransformerPeriods,
    apparent_power,
    transformer_load,
    transformer_periods,
)

LONG_LOADS: Final = ("transformer_heavy_hours", "transformer_overload_hours")
"""What depends on how long a load lasts, also beyond the day."""
LONG_BANDS: Final = (LoadBand.HEAVY, LoadBand.OVERLOAD)
_BLOCK, _BLOCK_LEAST = 15, 13
LEAD_BLOCKS: Final = LEAD // _BLOCK
BLOCKS_A_DAY: Final = 96
BLOCK_HOURS: Final = 0.25
_MINUTES_A_DAY: Final = 1440


@dataclass(frozen=True, slots=True)
class TransformerDay:
    """What the numbers of a day rest on; rows are transformers, blocks begin with the lead and go beyond the day."""

    codes: list[str]
    meters: list[list[tuple[int, int]]]
    """Rows of active and of reactive power of each one's meters."""
    sides: tuple[DeviceMinutes, DeviceMinutes]
    """Active and reactive power of all devices."""
    power: tuple[Floats, Floats]
    """Active and reactive power, minute by minute. [kW], [kvar]"""
    blocks: tuple[Floats, Floats]
    """The same in quarters of an hour."""
    rated: list[float]
    """[kVA]"""
    load: TransformerLoad
    days: TransformerPeriods


def transformer_day(day: GaugeDay[GaugePoint], minutes: Minutes, rules: ElectricityRules) -> TransformerDay | None:
    """Load of the transformers whose meters have brought readings; None where there is none.

    Parameters
    ----------
    day : GaugeDay
    minutes : Minutes
        Readings stand for the minutes until the next one is due; with those before and after the day.
    rules : ElectricityRules
    """
    active, reactive = (device_totals(minutes, m) for m in (Measurand.ACTIVE_POWER, Measurand.REACTIVE_POWER))
    rated = {} if day.catalogue is None else {t.code: t.rated_kva for t in day.catalogue.transformer}
    has_readings = any_of_row(active.has_reading[:, LEAD : LEAD + _MINUTES_A_DAY])
    found = [
        (code, rows)
        for code, rows in _meters_of_transformers(active, reactive)
        if code in rated
        and any(has_readings[p] for p, _ in rows)
        and any(active.points[p].device in day.stale for p, _ in rows)
    ]
    if not found:
        return None
    p, q = (
        np.array([matrix[[pair[side] for pair in rows]].sum(axis=0) for _, rows in found])
        for side, matrix in enumerate((active.mean, reactive.mean))
    )
    blocks = (block_means(p, _BLOCK, least=_BLOCK_LEAST), block_means(q, _BLOCK, least=_BLOCK_LEAST))
    bands, judgement = rules.load_bands_on(day.period.day), rules.load_judgement_on(day.period.day)
    capacity = [rated[code] for code, _ in found]
    load = transformer_load(apparent_power(*blocks), np.array(capacity), bands, interval_hours=BLOCK_HOURS)
    around = blocks[0].shape[1] - LEAD_BLOCKS - BLOCKS_A_DAY
    period = np.repeat(np.array([-1, 0, -1], np.int64), [LEAD_BLOCKS, BLOCKS_A_DAY, around])
    days = transformer_periods(load, period, 1, judgement, interval_hours=BLOCK_HOURS)
    codes, meters = [code for code, _ in found], [rows for _, rows in found]
    return TransformerDay(codes, meters, (active, reactive), (p, q), blocks, capacity, load, days)


def transformer_numbers(day: GaugeDay[GaugePoint], minutes: Minutes, rules: ElectricityRules) -> Iterable[Number]:
    """Load of the day; a heavy load that reaches over midnight counts in both days, each with its own hours."""
    found = transformer_day(day, minutes, rules)
    if found is None:
        return
    bands, judgement = rules.load_bands_on(day.period.day), rules.load_judgement_on(day.period.day)
    for row, code in enumerate(found.codes):
        rate = float(found.days.maximum_rate[row, 0])
        boundary, completeness = f"transformer/{code}", float(found.days.completeness[row, 0])
        worst = LoadBand(int(found.days.worst[row, 0])).name.lower().replace("_", " ")
        yield Number(
            boundary,
            "transformer_load_rate",
            completeness=completeness,
            value=rate,
            method="transformer-load/1",
            numerator=rate * found.rated[row],
            denominator=found.rated[row],
            rules=(bands.id, judgement.id),
            rule_set=rules.version,
            reason=REASONS[Sufficiency(int(found.days.reason[row, 0]))] or worst,
        )
        for indicator, band in zip(LONG_LOADS, LONG_BANDS, strict=True):
            yield Number(
                boundary,
                indicator,
                completeness=completeness,
                value=float(found.days.band_hours[row, 0, band]),
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
