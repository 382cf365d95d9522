"""How a mass came about: measured concentration times flow, or what stands in for an hour that was lost, and why."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from smartpark.addition import in_order
from smartpark.cems_rules import SubstitutionRow, cems_rules
from smartpark.clock import PARK_ZONE, from_us
from smartpark.measurands import Measurand
from smartpark.periods import Grain

from smartpark_analytics.cems import StackFlag
from smartpark_analytics.cems_substitution import capture_rate
from smartpark_analytics.gauges.day import GaugeDay, GaugeNumber, published
from smartpark_analytics.gauges.derivation import (
    NOTHING,
    Asked,
    Derivation,
    Input,
    Item,
    Rule,
    Step,
    Words,
    inputs_of,
    known,
    rule_of_table,
    share_of,
)
from smartpark_analytics.gauges.explained_stacks import hour_step, validity_rule
from smartpark_analytics.gauges.masses import (
    MASSES,
    HourMasses,
    Masses,
    day_masses,
    hour_masses,
    overlaid,
    quarter_start,
    quarters_of,
    substituted,
)
from smartpark_analytics.gauges.minutes import HOUR_US, Bools, Floats, GaugePoint, Minutes
from smartpark_analytics.gauges.stacks import POLLUTANTS, StackDay, stack_day, stack_numbers

_SHOWN: Final = 5
"""Largest hours of the past that are listed: one of them is the substitute."""


@dataclass(frozen=True, slots=True)
class _Work:
    """What a mass rests on; arrays of masses have shape (n_stacks, n_pollutants, n_hours)."""

    day: GaugeDay[GaugePoint]
    stacks: list[str]
    hours: StackDay
    before: Masses
    """What was measured."""
    now: Masses
    """With what stands in."""
    start_us: int
    pollutant: int


def explain_mass(
    day: GaugeDay[GaugePoint], minutes: Minutes, series: HourMasses, stacks: list[str], asked: Asked
) -> Derivation | None:
    """A mass of an hour or a day taken apart; None where there is none.

    Parameters
    ----------
    day : GaugeDay
    minutes : Minutes
        Of the park's stacks, on that day.
    series : HourMasses
        Published masses of the window that substitutes come from.
    stacks : list of str
        All stacks of the park, as the series has them.
    asked : Asked
    """
    measured = stack_numbers(day, minutes).masses
    before = overlaid(day, measured, stacks, series)
    now = substituted(day, before, series.start_us)
    pollutant = MASSES.index(asked.indicator)
    if not now.is_awaited[:, pollutant].any():
        return None
    work = _Work(day, stacks, stack_day(day, minutes), before, now, series.start_us, pollutant)
    number = _number(work, asked)
    if number is None:
        return None
    hour = (asked.start_us - series.start_us) // HOUR_US
    steps, rules = list[Step](), [validity_rule(work.hours.validity)]
    if asked.grain is Grain.HOUR and asked.boundary != "park":
        steps = list(_hour(work, stacks.index(asked.boundary.partition("/")[2]), hour, number, rules))
    elif asked.grain is Grain.HOUR:
        steps = [_park_hour(work, hour, number)]
    elif asked.boundary == "park":
        steps = list(_park_day(work, hour, number))
    else:
        steps = list(_day(work, stacks.index(asked.boundary.partition("/")[2]), hour, number))
    inputs = _inputs(work, minutes, asked)
    return Derivation(number, "concentration x flow x 10^-6, hour by hour", inputs, tuple(rules), tuple(steps))


def _number(work: _Work, asked: Asked) -> GaugeNumber | None:
    """The number anew, as derive finds it, whether or not it has changed."""
    shape = work.now.mass.shape
    first = (asked.start_us - work.start_us) // HOUR_US
    if asked.grain is Grain.HOUR:
        chosen: Bools = np.zeros(shape, np.bool_)
        chosen[:, work.pollutant, first] = True
        found = hour_masses(work.stacks, work.now, chosen, work.start_us)
    else:
        chosen = np.zeros((*shape[:2], shape[2] // 24), np.bool_)
        chosen[:, work.pollutant, first // 24] = True
        found = day_masses(work.stacks, work.now, chosen, work.start_us)
    return asked.among(published(work.day, number, asked.grain, at) for number, at in found)


def _inputs(work: _Work, minutes: Minutes, asked: Asked) -> tuple[Input, ...]:
    pollutant = list(POLLUTANTS)[work.pollutant]
    of = None if asked.boundary == "park" else asked.boundary.partition("/")[2]
    rows = [
        row
        for row, p in enumerate(minutes.points)
        if p.measurand in {pollutant, Measurand.FLUE_GAS_FLOW} and of in {None, p.device}
    ]
    span = (asked.start_us, asked.start_us + HOUR_US) if asked.grain is Grain.HOUR else None
    return inputs_of(work.day, minutes, work.hours.stood, rows, span)


def _hour(work: _Work, stack: int, hour: int, number: GaugeNumber, rules: list[Rule]) -> Iterable[Step]:
    """An hour of a stack: measured, or off, or lost and substituted."""
    place = (stack, work.pollutant, hour)
    of_day, code = (number.start_us - work.day.start_us) // HOUR_US, work.stacks[stack]
    concentration, flow = (
        hour_step(work.hours, (code, measurand), of_day, says)
        for measurand, says in (
            (list(POLLUTANTS)[work.pollutant], ("实测浓度", "measured concentration")),
            (Measurand.FLUE_GAS_FLOW, ("标干流量", "dry standard flow")),
        )
    )
    yield concentration
    yield flow
    if work.now.stopped[place]:
        yield Step(("停运: 无排放量, 亦不缺失", "furnace off: no mass, and nothing is missing"), None, "kg")
    elif number.estimated_share or number.value is None:
        yield from _substitute(work, place, number, rules)
    else:
        yield Step(("排放量", "mass"), number.value, "kg", f"{concentration.value!r} * {flow.value!r} * 1e-06")


def _substitute(work: _Work, place: tuple[int, int, int], number: GaugeNumber, rules: list[Rule]) -> Iterable[Step]:
    """Why an hour is lost, by which row it is substituted, and from which hours before."""
    mass, off = work.before.mass[place[:2]], work.before.is_off[place[:2]]
    quarter = quarters_of(work.start_us, mass.size)
    here = quarter == quarter[place[2]]
    valid = np.isfinite(mass)
    rates = capture_rate(valid[np.newaxis], off[np.newaxis], quarter, int(quarter[-1]) + 1)
    rate = float(rates[0, quarter[place[2]]])
    ran, caught = int((~off & here).sum()), int((valid & ~off & here).sum())
    since = _date(quarter_start(number.start_us))
    yield Step(
        (f"自 {since} 起季度的有效数据捕集率", f"capture rate of the quarter that began on {since}"),
        known(rate),
        "1",
        share_of(caught, ran, rate),
    )
    first, length = _run(~valid & ~off, place[2])
    began = _moment(work.start_us + first * HOUR_US)
    yield Step((f"自 {began} 起连续缺失的小时数", f"hours lost on end, since {began}"), float(length), "h")
    row = _row(cems_rules().substitution_on(work.day.period.day), rate, length)
    history = np.flatnonzero(valid[:first])
    if row is None or number.value is None or not history.size:
        yield Step(("无适用的替代规则", "no rule gives a substitute"), None, "kg")
        return
    rules.append(_substitution_rule(row))
    yield _largest(work, mass, history[-row.look_back_hours :], number)


def _largest(work: _Work, mass: Floats, hours: NDArray[np.intp], number: GaugeNumber) -> Step:
    """Maximum of the valid hours before the run; the largest of them are listed."""
    order = np.argsort(-mass[hours], kind="stable")[:_SHOWN]
    items = tuple(Item(_moment(work.start_us + int(hour) * HOUR_US), float(mass[hour])) for hour in hours[order])
    since = _moment(work.start_us + int(hours[0]) * HOUR_US)
    return Step(
        (
            f"自 {since} 起此前 {hours.size} 个有效小时的最大值(列出最大的 {len(items)} 个)",
            f"maximum of the {hours.size} valid hours before, since {since}; the {len(items)} largest are listed",
        ),
        number.value,
        "kg",
        "max(listed)",
        items,
    )


def _run(bad: Bools, hour: int) -> tuple[int, int]:
    """First hour and length of the run of lost hours around an hour."""
    first, last = hour, hour
    while first > 0 and bad[first - 1]:
        first -= 1
    while last + 1 < bad.size and bad[last + 1]:
        last += 1
    return first, last - first + 1


def _row(rows: Iterable[SubstitutionRow], rate: float, length: int) -> SubstitutionRow | None:
    """Of the rows that hold, the one for the shortest runs."""
    holding = [r for r in rows if r.capture_from <= rate < r.capture_below and length <= r.longest_hours]
    return min(holding, key=lambda r: r.longest_hours, default=None)


def _substitution_rule(row: SubstitutionRow) -> Rule:
    rate = f"{row.capture_from:.0%}"
    longest = "" if np.isinf(row.longest_hours) else f" ≤ {row.longest_hours:g} h"
    return rule_of_table(
        f"{row.practice}:substitution:{row.capture_from:g}:{row.longest_hours:g}",
        row,
        f"捕集率不低于 {rate}, 连续缺失{longest}: 取此前 {row.look_back_hours} 个有效小时的最大值",
        f"capture rate from {rate}, lost on end{longest}: maximum of the {row.look_back_hours} valid hours before",
    )


def _how(work: _Work, place: tuple[int, int, int]) -> Words:
    """What an hour is."""
    flags = int(work.now.flags[place])
    if work.now.stopped[place]:
        return "停运", "furnace off"
    if flags & StackFlag.SUBSTITUTED:
        return "替代", "substituted"
    if np.isfinite(work.now.mass[place]):
        return NOTHING
    return ("缺失", "lost, no substitute") if work.now.is_awaited[place] else ("尚无数据", "nothing was heard yet")


def _day(work: _Work, stack: int, hour: int, number: GaugeNumber) -> Iterable[Step]:
    places = [(stack, work.pollutant, at) for at in range(hour, hour + 24)]
    items = tuple(
        Item(_clock(work.start_us + at[2] * HOUR_US), known(float(work.now.mass[at])), remark=_how(work, at))
        for at in places
    )
    runs = 24 - sum(bool(work.now.flags[at] & StackFlag.STOPPED) for at in places)
    counted = sum(item.value is not None for item in items)
    yield Step(
        ("已知小时占运行小时之比", "hours known, of those in which the furnace ran"),
        number.completeness,
        "1",
        share_of(counted, runs, number.completeness),
    )
    put_in = [at for at in places if work.now.flags[at] & StackFlag.SUBSTITUTED]
    if put_in and number.value:
        mass = in_order(float(work.now.mass[at]) for at in put_in)
        yield _put_in(mass, number)
    says = ("各小时之和", "sum of the hours")
    yield Step(says, number.value, "kg", "" if number.value is None else "sum(listed)", items)


def _put_in(mass: float, number: GaugeNumber) -> Step:
    says = ("其中替代值占比", "substituted of it")
    return Step(says, number.estimated_share, "1", f"{mass!r} / {number.value!r}")


def _park_hour(work: _Work, hour: int, number: GaugeNumber) -> Step:
    places = [(stack, work.pollutant, hour) for stack in range(len(work.stacks))]
    items = tuple(
        Item(f"device/{code}", known(float(work.now.mass[at])), remark=_how(work, at))
        for code, at in zip(work.stacks, places, strict=True)
    )
    says = ("各排放口之和; 有一个运行而未知则合计未知", "sum of the stacks; not known where one that runs is not")
    return Step(says, number.value, "kg", "" if number.value is None else "sum(listed)", items)


def _park_day(work: _Work, hour: int, number: GaugeNumber) -> Iterable[Step]:
    chosen = np.zeros((*work.now.mass.shape[:2], work.now.mass.shape[2] // 24), np.bool_)
    chosen[:, work.pollutant, hour // 24] = True
    found = {n.boundary: n for n, _ in day_masses(work.stacks, work.now, chosen, work.start_us)}
    of_stacks = [found[f"device/{code}"] for code in work.stacks]
    items = tuple(Item(one.boundary, known(one.value), remark=_covered(one.completeness)) for one in of_stacks)
    put_in = in_order(one.value * one.estimated_share for one in of_stacks if not np.isnan(one.value))
    if number.estimated_share and number.value:
        yield _put_in(put_in, number)
    says = ("各排放口之和", "sum of the stacks")
    yield Step(says, number.value, "kg", "" if number.value is None else "sum(listed)", items)


def _covered(share: float) -> Words:
    return f"完整率 {share:.1%}", f"complete to {share:.1%}"


def _clock(instant_us: int) -> str:
    return f"{from_us(instant_us).astimezone(PARK_ZONE):%H:%M}"


def _date(instant_us: int) -> str:
    return f"{from_us(instant_us).astimezone(PARK_ZONE):%Y-%m-%d}"


def _moment(instant_us: int) -> str:
    return f"{from_us(instant_us).astimezone(PARK_ZONE):%Y-%m-%dT%H}"
