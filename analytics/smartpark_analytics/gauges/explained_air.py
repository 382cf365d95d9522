"""How an index of a station came about: concentrations, breakpoints, and the largest of the six."""

from collections.abc import Iterable, Iterator

import numpy as np
from smartpark.air_quality import POLLUTANTS, AmbientValidity, Form
from smartpark.measurands import MEANINGS, Measurand
from smartpark.periods import Grain

from smartpark_analytics.air_quality import Breakpoints
from smartpark_analytics.air_quality_means import eight_hour_means
from smartpark_analytics.gauges.air import AirDay, air_day, air_numbers
from smartpark_analytics.gauges.day import LEAD, GaugeDay, GaugeNumber, clock_time
from smartpark_analytics.gauges.derivation import (
    Asked,
    Derivation,
    Item,
    Rule,
    Step,
    inputs_of,
    known,
    mean_of_listed,
    minute_items,
    rule_of_table,
)
from smartpark_analytics.gauges.minutes import HOUR_US, MINUTE_US, GaugePoint, Minutes
from smartpark_analytics.rounding import round_gb8170

_TENTHS = 10


def explain_air(day: GaugeDay[GaugePoint], minutes: Minutes, asked: Asked) -> Derivation | None:
    """An index of a station taken apart; None where there is none."""
    number = asked.among(air_numbers(day, minutes).rows)
    if number is None:
        return None
    work, station = air_day(day, minutes), asked.boundary.partition("/")[2]
    chosen = [p for p in POLLUTANTS if asked.indicator in {"air_quality_index", _code(p)}]
    rows = [row for row, p in enumerate(minutes.points) if p.device == station and p.measurand in chosen]
    span = (asked.start_us, asked.start_us + HOUR_US) if asked.grain is Grain.HOUR else None
    steps = tuple(_steps(day, work, (station, asked), chosen, number))
    formula = "IAQI = IAQI_lo + (IAQI_hi - IAQI_lo) x (C - C_lo) / (C_hi - C_lo), rounded up; AQI = max(IAQI)"
    return Derivation(
        number, formula, inputs_of(day, minutes, work.stood, rows, span), tuple(_rules(day, work, asked)), steps
    )


def _code(pollutant: Measurand) -> str:
    return f"iaqi_{pollutant.value.removeprefix('ambient_')}"


def _rules(day: GaugeDay[GaugePoint], work: AirDay, asked: Asked) -> Iterator[Rule]:
    edition, validity = work.rules.edition_on(day.period.day), work.rules.validity_on(day.period.day)
    form = ("小时", "hours") if asked.grain is Grain.HOUR else ("日", "days")
    yield rule_of_table(edition.code, edition, f"{form[0]}浓度限值分级", f"breakpoints of {form[1]}")
    yield rule_of_table(f"{validity.document}:validity", validity, *_enough(validity))


def _enough(row: AmbientValidity) -> tuple[str, str]:
    return (
        (
            f"小时均值至少 {row.hour_minutes} min, 日均值至少 {row.day_hours} h, 臭氧 8 小时均值至少"
            f" {row.eight_hour_hours} h 且每日至少 {row.day_eight_hour_means} 个"
        ),
        (
            f"an hour needs {row.hour_minutes} min, a day {row.day_hours} h; ozone's 8-hour mean needs"
            f" {row.eight_hour_hours} h, and its day {row.day_eight_hour_means} of them"
        ),
    )


def _steps(
    day: GaugeDay[GaugePoint],
    work: AirDay,
    place: tuple[str, Asked],
    chosen: list[Measurand],
    number: GaugeNumber,
) -> Iterable[Step]:
    station, asked = place
    form = Form.HOUR if asked.grain is Grain.HOUR else Form.DAY
    table = Breakpoints.of(work.rules, form, day.period.day)
    indices = list[Item]()
    for pollutant in chosen:
        row = POLLUTANTS.index(pollutant)
        if form is Form.HOUR:
            hour = (asked.start_us - day.start_us) // HOUR_US
            step = _hour_mean(day, work, (station, pollutant), hour)
        else:
            step = _day_value(day, work, (station, pollutant))
        yield step
        index = _index(table, row, step)
        if index is not None:
            yield index
        indices.append(Item(_code(pollutant), None if index is None else index.value))
    if asked.indicator == "air_quality_index":
        is_known = number.value is not None
        says = (f"空气质量指数({number.reason})", f"air quality index ({number.reason})")
        yield Step(says, number.value, "1", "max(listed)" if is_known else "", tuple(indices))


def _hour_mean(day: GaugeDay[GaugePoint], work: AirDay, place: tuple[str, Measurand], hour: int) -> Step:
    """Mean of an hour, minute by minute."""
    station, pollutant = place
    name, unit = MEANINGS[pollutant].en.removeprefix("ambient "), MEANINGS[pollutant].unit
    row = next((r for r, p in enumerate(work.stood.points) if (p.device, p.measurand) == place), None)
    value = known(float(work.hours[POLLUTANTS.index(pollutant), work.stations.index(station), hour]))
    if row is None:
        return Step((f"{name}: 无此测点", f"{name}: there is no such point"), None, unit)
    first = LEAD + hour * 60
    items = minute_items(day.start_us + hour * 60 * MINUTE_US, work.stood.mean[row, first : first + 60].tolist())
    says = (f"{name}: 小时均值(各有效分钟)", f"{name}: mean of the hour, of its known minutes")
    return Step(says, value, unit, "" if value is None else mean_of_listed(items), items)


def _day_value(day: GaugeDay[GaugePoint], work: AirDay, place: tuple[str, Measurand]) -> Step:
    """What the day's index is made of: the mean of its hours, of ozone the largest 8-hour mean."""
    station, pollutant = place
    name, unit = MEANINGS[pollutant].en.removeprefix("ambient "), MEANINGS[pollutant].unit
    at = POLLUTANTS.index(pollutant), work.stations.index(station)
    hours, value = work.hours[at], known(float(work.values[at]))
    if pollutant is not Measurand.AMBIENT_O3:
        items = minute_items(day.start_us, hours.tolist(), step=60)
        says = (f"{name}: 日均值(各有效小时)", f"{name}: mean of the day, of its known hours")
        return Step(says, value, unit, "" if value is None else mean_of_listed(items), items)
    least = work.rules.validity_on(day.period.day).eight_hour_hours
    means = eight_hour_means(hours[np.newaxis], required_hours=least)[0]
    items = tuple(
        Item(
            f"{clock_time(day.start_us + first * HOUR_US)}-{clock_time(day.start_us + (first + 8) * HOUR_US)}",
            known(float(mean)),
            _mean_of(hours[first : first + 8].tolist()) if np.isfinite(mean) else "",
        )
        for first, mean in enumerate(means)
    )
    says = (f"{name}: 日最大 8 小时平均", f"{name}: largest mean of eight hours of the day")
    return Step(says, value, unit, "" if value is None else "max(listed)", items)


def _mean_of(values: list[float]) -> str:
    numbers = [repr(value) for value in values if np.isfinite(value)]
    return f"({' + '.join(numbers)}) / {len(numbers)}"


def _index(table: Breakpoints, row: int, step: Step) -> Step | None:
    """Individual index of a concentration; in whole tenths, as it is reckoned."""
    if step.value is None:
        return None
    rounded = float(round_gb8170(np.array([step.value]), int(table.decimals[row]))[0])
    column = table.concentration[row][np.isfinite(table.concentration[row])]
    rows = np.rint(column * _TENTHS).astype(np.int64).tolist()
    index = table.index[: len(rows)].tolist()
    here = min(round(rounded * _TENTHS), rows[-1])
    upper = min(max(int(np.searchsorted(rows, here, side="left")), 1), len(rows) - 1)
    low, high, start, end = rows[upper - 1], rows[upper], index[upper - 1], index[upper]
    value = float(start - (-(here - low) * (end - start) // (high - low)))
    name, unit = step.says[1].partition(":")[0], step.unit
    between = f"{low / _TENTHS:g}-{high / _TENTHS:g} {unit} = {start}-{end}"
    return Step(
        (
            f"{name}: 分指数; 修约为 {rounded:g} {unit}, 分级 {between} (以十分之一计, 向上取整)",
            f"{name}: individual index of {rounded:g} {unit}, rounded first; {between} (in tenths, rounded up)",
        ),
        value,
        "1",
        f"{start} + ceil(({here} - {low}) * {end - start} / {high - low})",
    )
