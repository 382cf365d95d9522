"""How demand and load of a day came about: where the maximum stood, from which minutes, by which rule."""

from collections.abc import Iterable

import numpy as np
from smartpark.addition import in_order
from smartpark.electricity_rules import DemandRule, LoadJudgement
from smartpark.measurands import Measurand

from smartpark_analytics.gauges.day import LEAD, GaugeDay, GaugeNumber, until_end
from smartpark_analytics.gauges.derivation import (
    Asked,
    Derivation,
    Input,
    Item,
    Rule,
    Step,
    inputs_of,
    mean_of_listed,
    minute_items,
    rule_of,
    share_of,
    sums_of,
)
from smartpark_analytics.gauges.minutes import MINUTE_US, GaugePoint, Minutes, held, total_rows
from smartpark_analytics.gauges.power import (
    BLOCK,
    LONGEST_RHYTHM,
    Boundaries,
    PowerDay,
    blocks_of,
    coinciding,
    highest_windows,
    power_day,
    power_numbers,
    when,
)

FORMULAS = {
    "maximum_demand": "max over windows of mean(max(P, 0), window)",
    "maximum_demand_block": "max over quarter-hours of mean(max(P, 0), 15 min)",
    "load_factor": "mean(P) / max(P), of quarter-hours",
    "peak_valley_ratio": "(max(P) - min(P)) / max(P), of quarter-hours",
    "coincidence_factor": "max(sum of enterprises) / sum(max of each enterprise)",
}


def explain_power(day: GaugeDay[GaugePoint], minutes: Minutes, asked: Asked) -> Derivation | None:
    """A number of demand or load taken apart; None where there is none."""
    number = asked.among(power_numbers(day, minutes).rows)
    if number is None:
        return None
    work = power_day(day, minutes)
    rule, judgement = work.rules.demand_on(day.period.day), work.rules.load_judgement_on(day.period.day)
    match asked.indicator:
        case "maximum_demand":
            rules, steps = [_demand_rule(rule)], _sliding(work, rule, asked.boundary)
        case "maximum_demand_block":
            rules, steps = [_demand_rule(rule)], _block(work, number)
        case "coincidence_factor":
            rules, steps = [_judgement_rule(judgement)], _coincidence(work, number)
        case _:
            rules, steps = [_judgement_rule(judgement)], _load(work, number)
    inputs = _inputs(work, minutes, asked)
    return Derivation(number, FORMULAS[asked.indicator], inputs, tuple(rules), tuple(steps))


def _inputs(work: PowerDay, minutes: Minutes, asked: Asked) -> tuple[Input, ...]:
    """Points of the devices that the boundary is the sum of."""
    is_sliding = asked.indicator == "maximum_demand"
    boundaries = work.often if is_sliding else work.load
    if asked.indicator == "coincidence_factor":
        found = coinciding(work)
        rows = [] if found is None else [row for of in found.members for row in of]
        devices = {work.active.points[row].device for row in rows}
    else:
        members = boundaries.members[boundaries.names.index(asked.boundary)]
        devices = {boundaries.points[row].device for row in members}
    seen = until_end(work.day, minutes)
    rows = [row for row in total_rows(seen, Measurand.ACTIVE_POWER) if seen.points[row].device in devices]
    return inputs_of(work.day, seen, held(seen, LONGEST_RHYTHM if is_sliding else BLOCK), rows)


def _demand_rule(rule: DemandRule) -> Rule:
    return rule_of(
        rule,
        f"需量周期 {rule.period_min} min, 滑差 {rule.slip_min} min, 至少 {rule.valid_min} min 有效",
        f"window of {rule.period_min} min, sliding by {rule.slip_min} min, at least {rule.valid_min} min known",
    )


def _judgement_rule(rule: LoadJudgement) -> Rule:
    share = f"{rule.least_completeness:.0%}"
    return rule_of(rule, f"至少 {share} 的时段有效才评价", f"judged where at least {share} of the period are known")


def _sliding(work: PowerDay, rule: DemandRule, boundary: str) -> Iterable[Step]:
    row = work.often.names.index(boundary)
    found = next(window for window in highest_windows(work, rule) if window.row == row)
    yield Step(
        ("计入的窗口占比", "share of the day's windows that count"),
        found.completeness,
        "1",
        share_of(found.counted, found.windows, found.completeness),
    )
    yield _mean_of_minutes(work, work.often, row, found.column, found.width)


def _mean_of_minutes(work: PowerDay, boundaries: Boundaries, row: int, column: int, width: int) -> Step:
    """Mean of the minutes of a window, with what each is the sum of."""
    span = slice(column, column + width)
    items = minute_items(
        work.day.start_us + (column - LEAD) * MINUTE_US,
        boundaries.power[row, span].tolist(),
        sums_of(boundaries.drawn[boundaries.members[row], span]),
    )
    at = when(work.day, column, width)
    return Step((f"{at} 的平均值(各分钟)", f"mean of {at}, minute by minute"), *_mean(items))


def _mean(items: tuple[Item, ...]) -> tuple[float | None, str, str, tuple[Item, ...]]:
    """Value, unit, formula and items of a mean of powers."""
    values = [item.value for item in items if item.value is not None]
    return (in_order(values) / len(values) if values else None, "kW", mean_of_listed(items), items)


def _block(work: PowerDay, number: GaugeNumber) -> Iterable[Step]:
    row = work.load.names.index(number.boundary)
    blocks = blocks_of(work)[row]
    counted = int(np.isfinite(blocks).sum())
    yield Step(
        ("有效的刻钟占比", "share of the quarter-hours that are known"),
        number.completeness,
        "1",
        share_of(counted, blocks.size, number.completeness),
    )
    if number.value is not None:
        highest = int(np.nanargmax(blocks))
        yield _mean_of_minutes(work, work.load, row, LEAD + highest * BLOCK, BLOCK)


def _load(work: PowerDay, number: GaugeNumber) -> Iterable[Step]:
    blocks = blocks_of(work)[work.load.names.index(number.boundary)]
    items = minute_items(work.day.start_us, blocks.tolist(), step=BLOCK)
    counted = int(np.isfinite(blocks).sum())
    yield Step(
        ("有效的刻钟占比", "share of the quarter-hours that are known"),
        number.completeness,
        "1",
        share_of(counted, blocks.size, number.completeness),
    )
    if number.denominator is None:
        yield Step(("不评价", "not judged"), None, "1")
        return
    yield _extreme(items, number.denominator, ("最大值", "highest"), "max(listed)")
    if number.indicator == "load_factor":
        mean = _mean(items)
        yield Step(("平均值", "mean"), mean[0], "kW", mean[2], items)
        formula = f"{number.numerator!r} / {number.denominator!r}"
    else:
        lowest = float(np.nanmin(blocks))
        yield _extreme(items, lowest, ("最小值", "lowest"), "min(listed)")
        formula = f"({number.denominator!r} - {lowest!r}) / {number.denominator!r}"
    names = {"load_factor": ("负荷率", "load factor"), "peak_valley_ratio": ("峰谷差率", "peak-valley ratio")}
    is_known = number.value is not None
    yield Step(names[number.indicator], number.value, "1", formula if is_known else "")


def _extreme(items: tuple[Item, ...], value: float | None, says: tuple[str, str], formula: str) -> Step:
    at = next((item.label for item in items if item.value == value), "")
    return Step((f"{says[0]}, {at} 起", f"{says[1]}, from {at} on"), value, "kW", formula, items)


def _coincidence(work: PowerDay, number: GaugeNumber) -> Iterable[Step]:
    found = coinciding(work)
    if found is None:
        return
    counted = int(np.isfinite(found.together).all(axis=0).sum())
    yield Step(
        ("各企业同时有效的刻钟占比", "share of the quarter-hours in which all are known"),
        number.completeness,
        "1",
        share_of(counted, found.together.shape[1], number.completeness),
    )
    if number.value is None:
        yield Step(("不评价", "not judged"), None, "1")
        return
    labels = [item.label for item in minute_items(work.day.start_us, found.together[0].tolist(), step=BLOCK)]
    own = [
        Item(f"enterprise/{name}, {labels[int(np.nanargmax(curve))]}", float(np.nanmax(curve)))
        for name, curve in zip(found.names, found.together, strict=True)
    ]
    yield Step(("各自最大值之和", "sum of each one's own peak"), number.denominator, "kW", "sum(listed)", tuple(own))
    place = int(np.nanargmax(found.together.sum(axis=0)))
    then = [
        Item(f"enterprise/{name}", float(curve[place]))
        for name, curve in zip(found.names, found.together, strict=True)
    ]
    at = labels[place]
    yield Step(
        (f"同时最大值, {at} 起", f"peak of all together, from {at} on"),
        number.numerator,
        "kW",
        "sum(listed)",
        tuple(then),
    )
    yield Step(("同时率", "coincidence factor"), number.value, "1", f"{number.numerator!r} / {number.denominator!r}")
