"""How the load of a transformer came about: its highest quarter of an hour, and the runs of heavy load."""

from collections.abc import Iterable

import numpy as np
from smartpark.electricity_rules import LoadBands, LoadJudgement, builtin_electricity_rules
from smartpark.measurands import Measurand

from smartpark_analytics.gauges.day import LEAD, GaugeDay, GaugeNumber, clock_time
from smartpark_analytics.gauges.derivation import (
    Asked,
    Derivation,
    Item,
    Rule,
    Step,
    inputs_of,
    mean_of_listed,
    minute_items,
    rule_of,
    share_of,
    sums_of,
    written,
)
from smartpark_analytics.gauges.minutes import MINUTE_US, GaugePoint, Minutes, held, total_rows
from smartpark_analytics.gauges.power import BLOCK, power_numbers, when
from smartpark_analytics.gauges.transformers import (
    BLOCK_HOURS,
    BLOCKS_A_DAY,
    LEAD_BLOCKS,
    LONG_BANDS,
    LONG_LOADS,
    TransformerDay,
    transformer_day,
)

FORMULAS = {
    "transformer_load_rate": "max over quarter-hours of sqrt(P^2 + Q^2) / S_N",
    "transformer_heavy_hours": "0.25 h x quarter-hours of heavy load that lasts long enough",
    "transformer_overload_hours": "0.25 h x quarter-hours of overload that lasts long enough",
}
_SIDES = (
    (Measurand.ACTIVE_POWER, "kW", ("有功功率", "active power")),
    (Measurand.REACTIVE_POWER, "kvar", ("无功功率", "reactive power")),
)


def explain_transformer(day: GaugeDay[GaugePoint], minutes: Minutes, asked: Asked) -> Derivation | None:
    """A number of a transformer taken apart; None where there is none."""
    number = asked.among(power_numbers(day, minutes).rows)
    rules = builtin_electricity_rules()
    stood = held(minutes, BLOCK)
    work = transformer_day(day, stood, rules)
    if number is None or work is None:
        return None
    row = work.codes.index(asked.boundary.partition("/")[2])
    bands, judgement = rules.load_bands_on(day.period.day), rules.load_judgement_on(day.period.day)
    if asked.indicator in LONG_LOADS:
        said, steps = [_bands_rule(bands)], _long(day, work, row, number)
    else:
        said, steps = [_bands_rule(bands), _judgement_rule(judgement)], _highest(day, work, row, number)
    devices = {work.sides[0].points[p].device for p, _ in work.meters[row]}
    rows = [at for m, _, _ in _SIDES for at in total_rows(minutes, m) if minutes.points[at].device in devices]
    inputs = inputs_of(day, minutes, stood, rows)
    return Derivation(number, FORMULAS[asked.indicator], inputs, tuple(said), tuple(steps))


def _bands_rule(bands: LoadBands) -> Rule:
    heavy, over, hours = f"{bands.heavy_from:g}", f"{bands.overload_above:g}", f"{bands.sustained_h:g}"
    return rule_of(
        bands,
        f"负载率不低于 {heavy} 为重载, 高于 {over} 为过载, 均须持续 {hours} h",
        f"heavy from {heavy}, overload above {over}, each when it lasts {hours} h",
    )


def _judgement_rule(rule: LoadJudgement) -> Rule:
    share = f"{rule.least_completeness:.0%}"
    return rule_of(rule, f"至少 {share} 的时段有效才评价", f"judged where at least {share} of the period are known")


def _completeness(work: TransformerDay, row: int, number: GaugeNumber) -> Step:
    today = work.load.load_rate[row, LEAD_BLOCKS : LEAD_BLOCKS + BLOCKS_A_DAY]
    counted = int(np.isfinite(today).sum())
    return Step(
        ("有效的刻钟占比", "share of the quarter-hours that are known"),
        number.completeness,
        "1",
        share_of(counted, BLOCKS_A_DAY, number.completeness),
    )


def _highest(day: GaugeDay[GaugePoint], work: TransformerDay, row: int, number: GaugeNumber) -> Iterable[Step]:
    yield _completeness(work, row, number)
    if number.value is None:
        yield Step(("不评价", "not judged"), None, "1")
        return
    today = work.load.load_rate[row, LEAD_BLOCKS : LEAD_BLOCKS + BLOCKS_A_DAY]
    block = LEAD_BLOCKS + int(np.nanargmax(today))
    span = slice(block * BLOCK, block * BLOCK + BLOCK)
    at = when(day, block * BLOCK, BLOCK)
    for side, (_, unit, (zh, en)) in enumerate(_SIDES):
        members = work.sides[side].mean[[pair[side] for pair in work.meters[row]], span]
        items = minute_items(
            day.start_us + (block * BLOCK - LEAD) * MINUTE_US, work.power[side][row, span].tolist(), sums_of(members)
        )
        mean = float(work.blocks[side][row, block])
        yield Step((f"{at} 的{zh}平均值", f"mean {en} of {at}"), mean, unit, mean_of_listed(items), items)
    p, q, rated = (written(value) for value in (*(side[row, block] for side in work.blocks), work.rated[row]))
    apparent = float(np.hypot(work.blocks[0][row, block], work.blocks[1][row, block]))
    yield Step(("视在功率", "apparent power"), apparent, "kVA", f"hypot({p}, {q})")
    yield Step(("负载率", "load rate, over the rated capacity"), number.value, "1", f"{apparent!r} / {rated}")


def _long(day: GaugeDay[GaugePoint], work: TransformerDay, row: int, number: GaugeNumber) -> Iterable[Step]:
    """Quarter-hours of the day that belong to a run; the run itself may have begun before, or end after."""
    yield _completeness(work, row, number)
    band = LONG_BANDS[LONG_LOADS.index(number.indicator)]
    today = work.load.band[row, LEAD_BLOCKS : LEAD_BLOCKS + BLOCKS_A_DAY]
    edges = np.flatnonzero(np.diff(np.pad(today == band, 1).astype(np.int8)))
    rate = work.load.load_rate[row, LEAD_BLOCKS:]
    items = [_run(day, first, last, rate[first:last].tolist()) for first, last in edges.reshape(-1, 2).tolist()]
    yield Step(
        ("各连续时段的刻钟数, 换算为小时", "quarter-hours of each run, in hours"),
        number.value,
        "h",
        f"sum(listed) * {BLOCK_HOURS}",
        tuple(items),
    )


def _run(day: GaugeDay[GaugePoint], first: int, last: int, rates: list[float]) -> Item:
    start, end = (clock_time(day.start_us + at * BLOCK * MINUTE_US) for at in (first, last))
    span = f"{min(rates):.3f}-{max(rates):.3f}"
    return Item(f"{start}-{end}", float(last - first), remark=(f"负载率 {span}", f"load rate {span}"))
