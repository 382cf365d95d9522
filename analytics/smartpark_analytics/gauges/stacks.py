"""Hours of stacks, from minute means: what was measured of mass, corrected concentration and limits. Pure.

The mass of lost hours is not made up here: that takes the quarter's other hours (`gauge_masses`).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from smartpark.cems_rules import StackValidity, cems_rules
from smartpark.dated import RuleNotFoundError
from smartpark.derived_gauges import STACK
from smartpark.emission_limits import EmissionLimit, emission_limits
from smartpark.measurands import Measurand
from smartpark.periods import Grain

from smartpark_analytics.cems import StackFlag
from smartpark_analytics.cems_compliance import LimitFindings, limit_findings
from smartpark_analytics.cems_hours import HourMeans, Letters, hour_means, letters_of_status
from smartpark_analytics.cems_stack import StackHours, stack_hours
from smartpark_analytics.gauges.day import LEAD, Findings, GaugeDay, GaugeNumber, Number, PointT_co, published
from smartpark_analytics.gauges.minutes import NO_READING, Bools, Floats, GaugePoint, Minutes, any_of_row, held
from smartpark_analytics.in_order import sums_in_order

LONGEST_RHYTHM: Final = 60
"""Data loggers send means of a minute, of ten minutes or of an hour, with the start of that span (HJ 212). [min]"""
POLLUTANTS: Final = {
    Measurand.SO2_CONCENTRATION: "so2",
    Measurand.NOX_CONCENTRATION: "nox",
    Measurand.DUST_CONCENTRATION: "dust",
}
_OFFLINE: Final = 0x8031_0000
"""BadNoCommunication: a minute without any reading."""


@dataclass(frozen=True, slots=True)
class MeasuredMasses:
    """What was measured of a day; arrays have shape (n_stacks, n_pollutants, n_hours)."""

    stacks: list[str]
    mass: Floats
    """NaN where not valid. [kg]"""
    stopped: Bools
    valid_share: Floats
    """Valid minutes of the hour, of concentration and flow the fewer. [0-1]"""
    has_reading: Bools
    """Hours in which the stack has brought any reading, of pollutants that it measures."""


@dataclass(frozen=True, slots=True)
class StackFindings:
    """Numbers of a day, and the masses from which those of longer spans follow."""

    findings: Findings
    masses: MeasuredMasses


def stack_points(day: GaugeDay[PointT_co]) -> list[PointT_co]:
    """Points to read: of the stacks that are stale."""
    return day.points_of(STACK, only_stale=True)


@dataclass(frozen=True, slots=True)
class Stack:
    """Hours of one stack; rows are pollutants."""

    hours: StackHours
    limits: LimitFindings
    limit: EmissionLimit | None
    reference_pct: float
    valid_share: Floats
    flow: Floats
    """Shape (24,). [m3/h]"""
    is_measured: list[bool]
    """Whether the stack has the pollutant's point at all."""


@dataclass(frozen=True, slots=True)
class StackDay:
    """What the numbers of a day rest on."""

    validity: StackValidity
    stood: Minutes
    """With readings that stand for the minutes until the next one is due."""
    letters: Letters
    """Flag of each minute of the day, shape (n_points, 1440)."""
    means: HourMeans
    """Of each point, shape (n_points, 24)."""
    row_of: dict[tuple[str, Measurand], int]
    stacks: dict[str, Stack]
    missing: list[str]


def stack_day(day: GaugeDay[GaugePoint], minutes: Minutes) -> StackDay:
    """Hours of each stack that has points in the minutes."""
    validity = cems_rules().validity_on(day.period.day)
    stood = held(minutes, LONGEST_RHYTHM)
    letters = letters_of_status(np.where(stood.status == NO_READING, _OFFLINE, stood.status)[:, LEAD:])
    means = hour_means(stood.mean[:, LEAD:], letters, required_minutes=validity.hour_minutes)
    row_of = {(p.device, p.measurand): row for row, p in enumerate(minutes.points)}
    missing = list[str]()
    stacks = {
        stack: _stack(day, stack, row_of, means, missing) for stack in sorted({p.device for p in minutes.points})
    }
    return StackDay(validity, stood, letters, means, row_of, stacks, missing)


def stack_numbers(day: GaugeDay[GaugePoint], minutes: Minutes) -> StackFindings:
    """Hours and the day of each stack, without what is substituted."""
    work = stack_day(day, minutes)
    found = Findings(missing=work.missing)
    seen = np.logical_or.reduce(minutes.has_reading[:, LEAD:].reshape(len(minutes.points), -1, 60), axis=2)
    stacks, parts = list(work.stacks), list(work.stacks.values())
    readings = [any_of_row(seen[[r for (s, _), r in work.row_of.items() if s == stack]].T) for stack in stacks]
    for stack, one, has_reading in zip(stacks, parts, readings, strict=True):
        hours = [hour for hour in day.stale_hours(stack) if has_reading[hour]]
        if any(has_reading):
            found.rows.extend(_rows(day, stack, one, hours))
    shape = (len(stacks), len(POLLUTANTS), 24)
    return StackFindings(
        found,
        MeasuredMasses(
            stacks,
            np.array([one.hours.mass for one in parts]).reshape(shape),
            np.array([one.hours.stopped for one in parts], np.bool_).reshape(shape),
            np.array([one.valid_share for one in parts]).reshape(shape),
            np.array(
                [np.outer(one.is_measured, has_reading) for one, has_reading in zip(parts, readings, strict=True)],
                np.bool_,
            ).reshape(shape),
        ),
    )


def _stack(
    day: GaugeDay[GaugePoint],
    stack: str,
    row_of: Mapping[tuple[str, Measurand], int],
    means: HourMeans,
    missing: list[str],
) -> Stack:
    limit, reference = _limit(day, stack, missing)
    rows = [row_of.get((stack, pollutant)) for pollutant in POLLUTANTS]
    oxygen, flow = (row_of.get((stack, m)) for m in (Measurand.O2_CONTENT, Measurand.FLUE_GAS_FLOW))
    concentration, flows = _picked(means, rows), _picked(means, [flow] * len(rows))
    hours = stack_hours(concentration, _picked(means, [oxygen] * len(rows)), flows, np.full(len(rows), reference))
    values = [np.nan if limit is None else (limit.of(p) or np.nan) for p in POLLUTANTS]
    return Stack(
        hours=hours,
        limits=limit_findings(hours.corrected, hours.flags, np.array(values)),
        limit=limit,
        reference_pct=reference,
        valid_share=np.minimum(concentration.valid_minutes, flows.valid_minutes) / 60.0,
        flow=flows.value[0],
        is_measured=[row is not None for row in rows],
    )


def _picked(means: HourMeans, rows: Sequence[int | None]) -> HourMeans:
    """Rows of the means; where there is no such point, hours without a mean."""
    index = np.array([-1 if row is None else row for row in rows], np.intp)
    is_there = (index >= 0)[:, np.newaxis]
    return HourMeans(
        np.where(is_there, means.value[index], np.nan),
        np.where(is_there, means.valid_minutes[index], 0),
        np.where(is_there, means.flags[index], np.uint16(StackFlag.TOO_FEW_MINUTES)).astype(np.uint16),
    )


def _limit(day: GaugeDay[GaugePoint], stack: str, missing: list[str]) -> tuple[EmissionLimit | None, float]:
    """Limit set of a stack and its reference oxygen; NaN where the catalogue names neither."""
    point = next(p for p in day.points if p.device == stack)
    limit = None
    if point.emission_limit is not None:
        try:
            limit = emission_limits().on(point.emission_limit, day.period.day)
        except RuleNotFoundError as error:
            missing.append(f"park {day.park}, concentration limits of {stack}: {error}")
    if point.o2_reference_pct is not None:
        return limit, point.o2_reference_pct
    if limit is None:
        missing.append(
            f"park {day.park}, corrected concentration of {stack}: the catalogue names neither emission_limit nor"
            " o2_reference_pct of this stack"
        )
    return limit, np.nan if limit is None else limit.reference_oxygen_pct


def _rows(day: GaugeDay[GaugePoint], stack: str, one: Stack, hours: Sequence[int]) -> Iterable[GaugeNumber]:
    boundary = f"device/{stack}"
    rules = () if one.limit is None else (one.limit.code,)
    version = emission_limits().version
    for row, name in enumerate(POLLUTANTS.values()):
        if not one.is_measured[row] or np.isnan(one.reference_pct):
            continue
        for hour in hours:
            yield published(
                day,
                Number(
                    boundary,
                    f"{name}_corrected",
                    value=float(one.hours.corrected[row, hour]),
                    completeness=float(one.valid_share[row, hour]),
                    method="stack-corrected-hour/1",
                    reason=_corrected_reason(one, row, hour),
                    rules=rules,
                    rule_set=version,
                ),
                Grain.HOUR,
                day.hour_us(hour),
            )
        judged = int(one.limits.judged_hours[row])
        if judged:
            kept = judged - int(one.limits.exceeded_hours[row])
            yield published(
                day,
                Number(
                    boundary,
                    f"{name}_in_limit",
                    value=kept / judged,
                    numerator=float(kept),
                    denominator=float(judged),
                    completeness=judged / max(24 - int(one.hours.stopped[row].sum()), 1),
                    method="stack-limit-hours/1",
                    reason=f"{judged - kept} of {judged} judged hours above the limit",
                    rules=rules,
                    rule_set=version,
                ),
            )
    yield from _volume(day, boundary, one, hours)


def _corrected_reason(one: Stack, row: int, hour: int) -> str:
    flags = StackFlag(int(one.hours.flags[row, hour]))
    words = [flag.name.lower().replace("_", " ") for flag in StackFlag if flag in flags and flag.name]
    words.append(f"reference oxygen {one.reference_pct:g} %")
    if one.limit is not None and np.isfinite(one.limits.ratio[row, hour]):
        limit = one.limit.of(tuple(POLLUTANTS)[row])
        words.append(f"limit {limit:g} mg/m3 {'exceeded' if one.limits.exceeded[row, hour] else 'kept'}")
    return "; ".join(words)


def _volume(day: GaugeDay[GaugePoint], boundary: str, one: Stack, hours: Sequence[int]) -> Iterable[GaugeNumber]:
    """Flue gas of the hours and of the day; a day is the sum of what is known of it."""
    known = np.isfinite(one.flow)
    off = np.logical_and.reduce(one.hours.stopped, axis=0) & ~known
    covered = known | off
    numbers = [(Grain.HOUR, hour, float(one.flow[hour]), float(covered[hour])) for hour in hours]
    if np.count_nonzero(known):
        share = np.count_nonzero(known) / max(24 - np.count_nonzero(off), 1)
        numbers.append((Grain.DAY, 0, float(sums_in_order(one.flow)), share))
    for grain, hour, value, completeness in numbers:
        number = Number(boundary, "flue_gas_volume", value, completeness, "flue-gas-volume/1")
        yield published(day, number, grain, day.hour_us(hour))
