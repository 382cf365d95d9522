"""Air quality index of stations, for hours and for the day. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from smartpark.air_quality import POLLUTANTS, AirQualityRules, Form, air_quality_rules
from smartpark.derived_gauges import AMBIENT
from smartpark.measurands import MEANINGS, Measurand
from smartpark.periods import Grain

from smartpark_analytics.air_quality import AirQuality, Breakpoints, air_quality_index
from smartpark_analytics.air_quality_means import day_maximum_of_eight_hours, day_mean
from smartpark_analytics.demand import block_means
from smartpark_analytics.gauges.day import LEAD, Findings, GaugeDay, Number, PointT_co, of_day, published
from smartpark_analytics.gauges.minutes import Bools, Floats, GaugePoint, Minutes, any_of_row, held

LONGEST_RHYTHM: Final = 60
"""Stations report hourly means at the latest. [min]"""


def air_points(day: GaugeDay[PointT_co]) -> list[PointT_co]:
    """Points to read: of the stations that are stale."""
    return day.points_of(AMBIENT, only_stale=True)


@dataclass(frozen=True, slots=True)
class AirDay:
    """What the numbers of a day rest on."""

    rules: AirQualityRules
    stations: list[str]
    stood: Minutes
    """With readings that stand for the minutes until the next one is due."""
    hours: Floats
    """Hourly means, shape (n_pollutants, n_stations, 24); NaN where not valid."""
    values: Floats
    """What the daily index is made of, shape (n_pollutants, n_stations)."""
    hourly: AirQuality
    """Of each station hour by hour, one station after the other."""
    daily: AirQuality


def air_day(day: GaugeDay[GaugePoint], minutes: Minutes) -> AirDay:
    """Concentrations and indices of a day."""
    rules, on = air_quality_rules(), day.period.day
    stations = sorted({p.device for p in minutes.points})
    stood = held(minutes, LONGEST_RHYTHM)
    hours = _hours(stations, stood, rules.validity_on(on).hour_minutes)
    values = _day_values(hours, day, rules)
    hourly = air_quality_index(hours.reshape(len(POLLUTANTS), -1), Breakpoints.of(rules, Form.HOUR, on))
    daily = air_quality_index(values, Breakpoints.of(rules, Form.DAY, on))
    return AirDay(rules, stations, stood, hours, values, hourly, daily)


def air_numbers(day: GaugeDay[GaugePoint], minutes: Minutes) -> Findings:
    """Indices of the stale hours and of the day."""
    found, work = Findings(), air_day(day, minutes)
    rules = work.rules
    seen = np.logical_or.reduce(minutes.has_reading[:, LEAD:].reshape(len(minutes.points), -1, 60), axis=2)
    for number, station in enumerate(work.stations):
        rows = [row for row, p in enumerate(minutes.points) if p.device == station]
        has_reading = any_of_row(seen[rows].T)
        for hour in day.stale_hours(station):
            if has_reading[hour]:
                numbers = _numbers(day, station, (work.hourly, number * 24 + hour), rules)
                found.rows.extend(published(day, one, Grain.HOUR, day.hour_us(hour)) for one in numbers)
        if any(has_reading):
            share = float(np.isfinite(work.hours[:, number]).mean(axis=1).min())
            numbers = _numbers(day, station, (work.daily, number), rules, share)
            found.rows.extend(published(day, one) for one in numbers)
    return found


def _hours(stations: list[str], minutes: Minutes, required_minutes: int) -> Floats:
    """Hourly means, shape (n_pollutants, n_stations, 24)."""
    hours = np.full((len(POLLUTANTS), len(stations), 24), np.nan)
    means = block_means(of_day(minutes.mean), 60, least=required_minutes)
    for row, point in enumerate(minutes.points):
        hours[POLLUTANTS.index(point.measurand), stations.index(point.device)] = means[row]
    return hours


def _day_values(hours: Floats, day: GaugeDay[GaugePoint], rules: AirQualityRules) -> Floats:
    """What the daily index is made of, shape (n_pollutants, n_stations)."""
    validity, on = rules.validity_on(day.period.day), day.period.day
    values = day_mean(hours, required_hours=validity.day_hours)
    ozone = POLLUTANTS.index(Measurand.AMBIENT_O3)
    values[ozone] = day_maximum_of_eight_hours(
        hours[ozone],
        required_hours=validity.eight_hour_hours,
        required_means=validity.day_eight_hour_means,
        limit=rules.limits_on(on).day[Measurand.AMBIENT_O3],
    )
    return values


def _numbers(
    day: GaugeDay[GaugePoint],
    station: str,
    at: tuple[AirQuality, int],
    rules: AirQualityRules,
    completeness: float | None = None,
) -> Iterable[Number]:
    """Index of a station and of each pollutant, from its place in what was computed; completeness is of the day."""
    (found, place), is_hour = at, completeness is None
    edition = rules.edition_on(day.period.day)
    one = Number(
        boundary=f"device/{station}",
        indicator="air_quality_index",
        value=float(found.index[place]),
        completeness=float((~found.missing[:, place]).mean()) if completeness is None else completeness,
        method=f"air-quality-index-{'hour' if is_hour else 'day'}/1",
        rules=(edition.code,),
        rule_set=rules.version,
        reason=_reason(found, place, rules),
    )
    yield one
    for row, pollutant in enumerate(POLLUTANTS):
        value = float(found.individual[row, place])
        if not np.isnan(value):
            yield replace(one, indicator=f"iaqi_{pollutant.value.removeprefix('ambient_')}", value=value, reason="")


def _reason(found: AirQuality, place: int, rules: AirQualityRules) -> str:
    if found.missing[:, place].any():
        return f"without {_names(found.missing[:, place])} there is no index"
    level = rules.level[int(found.level[place]) - 1]
    said = f"level {level.number} {level.en}"
    primary = found.primary[:, place]
    return f"{said}; primary pollutant {_names(primary)}" if primary.any() else said


def _names(chosen: Bools) -> str:
    return ", ".join(_name(p) for p, is_so in zip(POLLUTANTS, chosen.tolist(), strict=True) if is_so)


def _name(pollutant: Measurand) -> str:
    return MEANINGS[pollutant].en.removeprefix("ambient ")
