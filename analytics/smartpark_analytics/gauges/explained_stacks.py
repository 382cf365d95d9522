"""How a stack's corrected concentration, its hours in limits and its flue gas came about."""

from collections.abc import Iterable

import numpy as np
from smartpark.cems_rules import StackValidity
from smartpark.emission_limits import EmissionLimit
from smartpark.measurands import Measurand
from smartpark.periods import Grain

from smartpark_analytics.cems import OXYGEN_FACTOR_PCT
from smartpark_analytics.cems_hours import DataFlag
from smartpark_analytics.gauges.day import LEAD, GaugeDay, GaugeNumber, clock_time
from smartpark_analytics.gauges.derivation import (
    Asked,
    Derivation,
    Item,
    Rule,
    Step,
    Words,
    inputs_of,
    known,
    mean_of_listed,
    rule_of_table,
)
from smartpark_analytics.gauges.minutes import HOUR_US, MINUTE_US, GaugePoint, Minutes
from smartpark_analytics.gauges.stacks import POLLUTANTS, Stack, StackDay, stack_day, stack_numbers

FLAGS: dict[str, Words] = {
    DataFlag.STOPPED: ("停运", "furnace off"),
    DataFlag.MAINTENANCE: ("维护", "out of service"),
    DataFlag.MANUAL: ("人工替代", "substitute value"),
    DataFlag.FAULT: ("故障", "sensor failure"),
    DataFlag.CALIBRATION: ("校准", "calibration"),
    DataFlag.OVER_RANGE: ("超量程", "over range"),
    DataFlag.COMMUNICATION: ("无数据或无效", "no reading, or a bad one"),
}
_NOT_KNOWN: Words = ("未知", "not known")


def explain_stack(day: GaugeDay[GaugePoint], minutes: Minutes, asked: Asked) -> Derivation | None:
    """A number of a stack taken apart; None where there is none."""
    number = asked.among(stack_numbers(day, minutes).findings.rows)
    if number is None:
        return None
    work, stack = stack_day(day, minutes), asked.boundary.partition("/")[2]
    one, name = work.stacks[stack], asked.indicator.partition("_")[0]
    hour = (asked.start_us - day.start_us) // HOUR_US
    if asked.indicator == "flue_gas_volume":
        formula, measurands, rules = "sum over hours of the mean dry standard flow", [Measurand.FLUE_GAS_FLOW], []
        is_hour = asked.grain is Grain.HOUR
        steps = _flow_hour(work, stack, hour, number) if is_hour else _flow_day(day, one, number)
    else:
        pollutant = next(m for m, code in POLLUTANTS.items() if code == name)
        measurands, rules = [pollutant, Measurand.O2_CONTENT], _limit_rules(one)
        if asked.indicator.endswith("_corrected"):
            formula = "c x (21 - O2_ref) / (21 - O2)"
            steps = _corrected(work, one, (stack, pollutant), hour, number)
        else:
            formula = "hours within the limit / hours judged"
            steps = _in_limit(day, one, list(POLLUTANTS).index(pollutant), number)
    rows = [work.row_of[stack, m] for m in measurands if (stack, m) in work.row_of]
    span = (asked.start_us, asked.start_us + HOUR_US) if asked.grain is Grain.HOUR else None
    inputs = inputs_of(day, minutes, work.stood, rows, span)
    return Derivation(number, formula, inputs, (validity_rule(work.validity), *rules), tuple(steps))


def validity_rule(row: StackValidity) -> Rule:
    """How many minutes an hour needs."""
    return rule_of_table(
        f"{row.practice}:validity",
        row,
        f"每小时至少 {row.hour_minutes} 个有效分钟",
        f"an hour needs {row.hour_minutes} valid minutes",
    )


def _limit_rules(one: Stack) -> list[Rule]:
    if one.limit is None:
        return []
    return [rule_of_table(one.limit.code, one.limit, *_limits(one.limit))]


def _limits(row: EmissionLimit) -> Words:
    values = {"SO2": row.so2, "NOx": row.nox, "dust": row.dust}
    said = ", ".join(f"{name} {value:g} mg/m3" for name, value in values.items() if value is not None)
    oxygen = f"{row.reference_oxygen_pct:g} %"
    return f"{row.zh}: 基准氧含量 {oxygen}, {said}", f"{row.en}: reference oxygen {oxygen}, {said}"


def hour_step(work: StackDay, place: tuple[str, Measurand], hour: int, says: Words) -> Step:
    """Mean of an hour of a point, minute by minute, with why a minute does not count."""
    row = work.row_of.get(place)
    if row is None:
        return Step((f"{says[0]}: 无此测点", f"{says[1]}: there is no such point"), None, "")
    first = hour * 60
    start = work.stood.start_us + (LEAD + first) * MINUTE_US
    values = work.stood.mean[row, LEAD + first : LEAD + first + 60].tolist()
    letters = work.letters[row, first : first + 60].tolist()
    items = tuple(
        _minute(clock_time(start + at * MINUTE_US), value, letter)
        for at, (value, letter) in enumerate(zip(values, letters, strict=True))
    )
    mean = known(float(work.means.value[row, hour]))
    counted = sum(item.value is not None for item in items)
    zh, en = says
    unit = work.stood.points[row].unit
    if mean is None:
        few = (f"{zh}: 仅 {counted} 个有效分钟", f"{en}: only {counted} valid minutes")
        return Step(few, None, unit, items=items)
    return Step(
        (f"{zh}: 有效分钟的平均值", f"{en}: mean of the valid minutes"), mean, unit, mean_of_listed(items), items
    )


def _minute(label: str, value: float, letter: str) -> Item:
    is_valid = letter == DataFlag.NORMAL and np.isfinite(value)
    return Item(label, value if is_valid else None, remark=("", "") if is_valid else FLAGS.get(letter, _NOT_KNOWN))


def _corrected(
    work: StackDay, one: Stack, place: tuple[str, Measurand], hour: int, number: GaugeNumber
) -> Iterable[Step]:
    concentration = hour_step(work, place, hour, ("实测浓度", "measured concentration"))
    oxygen = hour_step(work, (place[0], Measurand.O2_CONTENT), hour, ("含氧量", "oxygen"))
    yield concentration
    yield oxygen
    formula = ""
    if number.value is not None:
        formula = (
            f"{concentration.value!r} * ({OXYGEN_FACTOR_PCT!r} - {float(one.reference_pct)!r})"
            f" / ({OXYGEN_FACTOR_PCT!r} - {oxygen.value!r})"
        )
    yield Step(("折算浓度", "concentration at the reference oxygen"), number.value, "mg/m3", formula)


def _in_limit(day: GaugeDay[GaugePoint], one: Stack, row: int, number: GaugeNumber) -> Iterable[Step]:
    limit = None if one.limit is None else one.limit.of(list(POLLUTANTS)[row])
    items = tuple(_judged(day, one, row, hour) for hour in range(24))
    yield Step(
        (f"各小时折算浓度 [mg/m3], 限值 {limit:g}", f"corrected concentration of each hour [mg/m3], limit {limit:g}"),
        number.denominator,
        "h",
        "len(listed)",
        items,
    )
    kept = f"{number.denominator!r} - {int(one.limits.exceeded_hours[row])}"
    yield Step(("达标小时数", "hours within the limit"), number.numerator, "h", kept)
    yield Step(("达标率", "share"), number.value, "1", f"{number.numerator!r} / {number.denominator!r}")


def _judged(day: GaugeDay[GaugePoint], one: Stack, row: int, hour: int) -> Item:
    label = clock_time(day.start_us + hour * HOUR_US)
    if one.hours.stopped[row, hour]:
        return Item(label, None, remark=("停运, 不判定", "furnace off, not judged"))
    if np.isnan(one.limits.ratio[row, hour]):
        return Item(label, None, remark=("无有效值, 不判定", "no valid value, not judged"))
    said: Words = ("超标", "above the limit") if one.limits.exceeded[row, hour] else ("达标", "kept")
    return Item(label, float(one.hours.corrected[row, hour]), remark=said)


def _flow_hour(work: StackDay, stack: str, hour: int, number: GaugeNumber) -> Iterable[Step]:
    flow = hour_step(work, (stack, Measurand.FLUE_GAS_FLOW), hour, ("标干流量", "dry standard flow"))
    yield flow
    formula = "" if number.value is None else f"{flow.value!r} * 1"
    yield Step(("一小时的烟气量", "flue gas of one hour"), number.value, "m3", formula)


def _flow_day(day: GaugeDay[GaugePoint], one: Stack, number: GaugeNumber) -> Iterable[Step]:
    off = np.logical_and.reduce(one.hours.stopped, axis=0)
    items = tuple(
        Item(
            clock_time(day.start_us + hour * HOUR_US),
            known(float(flow)),
            remark=("", "") if np.isfinite(flow) else FLAGS[DataFlag.STOPPED] if off[hour] else _NOT_KNOWN,
        )
        for hour, flow in enumerate(one.flow)
    )
    yield Step(("各小时之和", "sum of the hours"), number.value, "m3", "sum(listed)", items)
