"""How a number of supply quality came about: each phase's records, those in limits, and the one that is judged."""

from collections.abc import Iterable
from math import floor

import numpy as np
from smartpark.power_quality_limits import Basis, QualityLimit, QualityQuantity

from smartpark_analytics.gauges.day import GaugeDay, GaugeNumber
from smartpark_analytics.gauges.derivation import (
    Asked,
    Derivation,
    Item,
    Rule,
    Step,
    inputs_of,
    minute_items,
    rule_of,
)
from smartpark_analytics.gauges.minutes import Floats, GaugePoint, Minutes, held
from smartpark_analytics.gauges.quality import (
    LONGEST_RHYTHM,
    RECORD,
    Judging,
    judgings,
    quality_numbers,
)
from smartpark_analytics.power_quality import is_within


def explain_quality(day: GaugeDay[GaugePoint], minutes: Minutes, asked: Asked) -> Derivation | None:
    """A number of a meter's supply quality taken apart; None where there is none."""
    number = asked.among(quality_numbers(day, minutes).rows)
    device = asked.boundary.partition("/")[2]
    found = next(
        (one for one in judgings(day, minutes) if one.device == device and one.subject.names(asked.indicator)), None
    )
    if number is None or found is None:
        return None
    rules = () if found.limit is None else (_rule(found.limit),)
    is_share = asked.indicator == found.subject.share
    steps = _share(day, found, number) if is_share else _judged(day, found, number)
    formula = "records in limits / records known" if is_share else "largest record but for the largest 5 %"
    inputs = inputs_of(day, minutes, held(minutes, LONGEST_RHYTHM), found.rows)
    return Derivation(number, formula, inputs, rules, tuple(steps))


def _rule(limit: QualityLimit) -> Rule:
    span = f"{limit.high:g} {limit.unit}" if limit.low is None else f"{limit.low:g} … {limit.high:g} {limit.unit}"
    enough = f"{limit.least_completeness:.0%}"
    zh, en = f"限值 {span}", f"limit {span}"
    if limit.probability is not None:
        zh, en = f"{zh}, {limit.probability:.0%} 概率值", f"{en} for the {limit.probability:.0%} value"
    if limit.least_hours is not None:
        zh, en = f"{zh}, 至少 {limit.least_hours:g} h", f"{en}, over at least {limit.least_hours:g} h"
    return rule_of(limit, f"{zh}, 有效记录至少 {enough}", f"{en}, at least {enough} of the records known")


def _records(day: GaugeDay[GaugePoint], found: Judging) -> Iterable[Step]:
    """Records of ten minutes of each phase, as they are judged."""
    is_voltage = found.limit is not None and found.subject.quantity is QualityQuantity.VOLTAGE_DEVIATION
    for point, values, records in zip(found.points, found.values, found.records, strict=True):
        formulas = _deviations(records, point.nominal_voltage_v or 0.0) if is_voltage else ()
        items = minute_items(day.start_us, values.tolist(), formulas, step=RECORD)
        counted = int(np.isfinite(values).sum())
        yield Step(
            (
                f"{point.code}: 有效的 10 分钟记录占比 [{_unit(found)}]",
                f"{point.code}: share of the records of ten minutes that are known [{_unit(found)}]",
            ),
            counted / values.size,
            "1",
            f"{counted} / {values.size}",
            items,
        )


def _unit(found: Judging) -> str:
    return found.points[0].unit if found.limit is None else found.limit.unit


def _deviations(records: Floats, nominal: float) -> list[str]:
    return [
        f"({value!r} - {nominal!r}) * 100.0 / {nominal!r}" if np.isfinite(value) else "" for value in records.tolist()
    ]


def _share(day: GaugeDay[GaugePoint], found: Judging, number: GaugeNumber) -> Iterable[Step]:
    yield from _records(day, found)
    if found.limit is not None and found.limit.basis is Basis.RANGE:
        yield from _ranges(day, found)
    if found.limit is None or number.value is None:
        yield Step(("不评价", "not judged"), None, "1")
        return
    inside = is_within(found.values, found.limit).sum(axis=1).tolist()
    counted = np.isfinite(found.values).sum(axis=1).tolist()
    for says, counts in (
        (("限值内的记录数", "records in limits"), inside),
        (("有效记录数", "records that are known"), counted),
    ):
        items = tuple(Item(p.code, float(count)) for p, count in zip(found.points, counts, strict=True))
        yield Step(says, float(sum(counts)), "1", "sum(listed)", items)
    yield Step(("合格率", "share in limits"), number.value, "1", f"{sum(inside)} / {sum(counted)}")


def _ranges(day: GaugeDay[GaugePoint], found: Judging) -> Iterable[Step]:
    """Highest positive and lowest negative deviation together: what is judged from 35 kV on."""
    for point, values in zip(found.points, found.values, strict=True):
        if np.isfinite(values).any():
            span = max(float(np.nanmax(values)), 0.0) + max(-float(np.nanmin(values)), 0.0)
            items = minute_items(day.start_us, values.tolist(), step=RECORD)
            says = (f"{point.code}: 正负偏差绝对值之和", f"{point.code}: range of the deviations")
            yield Step(says, span, _unit(found), "max(max(listed), 0.0) + max(-min(listed), 0.0)", items)


def _judged(day: GaugeDay[GaugePoint], found: Judging, number: GaugeNumber) -> Iterable[Step]:
    yield from _records(day, found)
    if found.limit is None or number.value is None:
        yield Step(("不评价", "not judged"), None, _unit(found))
        return
    listed = list[Item]()
    for point, values in zip(found.points, found.values, strict=True):
        ascending = np.sort(values[np.isfinite(values)]).tolist()
        set_aside = floor(len(ascending) * (1.0 - (found.limit.probability or 0.0)) + 1e-9)
        place = len(ascending) - 1 - set_aside
        items = minute_items(day.start_us, values.tolist(), step=RECORD)
        yield Step(
            (
                f"{point.code}: 舍去最大的 {set_aside} 个记录后的最大值",
                f"{point.code}: the largest record left when the largest {set_aside} are set aside",
            ),
            ascending[place],
            _unit(found),
            f"sorted(listed)[{place}]",
            items,
        )
        listed.append(Item(point.code, ascending[place]))
    yield Step(("概率值", "value that is judged"), number.value, _unit(found), "max(listed)", tuple(listed))
