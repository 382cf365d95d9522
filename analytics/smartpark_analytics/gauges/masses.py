"""Mass of stacks over hours, days and the whole park, with what stands in for the hours that a monitor lost. Pure.

The substitute of an hour depends on its quarter: on the share of hours that were caught, and on the valid hours
before. Whatever changes in a quarter, its lost hours and those of the next one are looked at again, and those that
come out otherwise are published anew, with their days. What was measured is told by its estimated share of zero,
and an hour in which the furnace was off by being complete without a number.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from smartpark.addition import in_order
from smartpark.cems_rules import cems_rules
from smartpark.clock import PARK_ZONE, from_us, to_us
from smartpark.periods import Grain, period_containing

from smartpark_analytics.cems import StackFlag
from smartpark_analytics.cems_hours import emitted_mass
from smartpark_analytics.cems_substitution import SubstitutionRules, capture_rate, substitute_mass
from smartpark_analytics.gauges.day import GaugeDay, GaugeNumber, Number, published
from smartpark_analytics.gauges.minutes import HOUR_US, Bools, Floats, GaugePoint, Ints
from smartpark_analytics.gauges.stacks import POLLUTANTS, MeasuredMasses

MASSES: Final = [f"{name}_mass" for name in POLLUTANTS.values()]
LOOK_BACK_DAYS: Final = 120
"""The longest rule wants 2160 valid hours, ninety days, before those that were lost; furnaces stand still, too."""
_METHOD: Final = "stack-mass/1"
_DAY_US: Final = 24 * HOUR_US
_WORDS: Final = {
    StackFlag.STOPPED: "furnace off",
    StackFlag.SUBSTITUTED: "substituted",
    StackFlag.NO_SUBSTITUTE: "no valid mass, and no rule gives a substitute",
    StackFlag.SHORT_HISTORY: "from fewer valid hours than the rule wants",
}


class HourMasses(Protocol):
    """Published hours as dense arrays; storage's `HourSeries` is one. Shape (n_stacks, n_pollutants, n_hours)."""

    @property
    def start_us(self) -> int:
        """Start of the first hour. [µs]."""
        ...

    @property
    def value(self) -> Floats:
        """NaN where no number is known. [kg]."""
        ...

    @property
    def completeness(self) -> Floats:
        """Valid share of each hour. [0-1]."""
        ...

    @property
    def estimated_share(self) -> Floats:
        """Above zero where it was put in. [0-1]."""
        ...

    @property
    def is_there(self) -> Bools:
        """Hours that have a row, with a number or without."""
        ...


@dataclass(frozen=True, slots=True)
class Window:
    """Whole days that are looked at; instants in µs."""

    start_us: int
    """The past that substitutes come from begins here."""
    first_us: int
    """From here on hours may change."""
    end_us: int


def mass_window(day: GaugeDay[GaugePoint], closed_us: int) -> Window:
    """Quarter of the day and the one after it, as far as hours are closed, with the past before them."""
    first = quarter_start(day.start_us)
    start = first - LOOK_BACK_DAYS * _DAY_US
    end = max(min(_next_quarter(_next_quarter(first)), closed_us), day.end_us)
    return Window(start, first, start + -(-(end - start) // _DAY_US) * _DAY_US)


def _next_quarter(start_us: int) -> int:
    """Start of the quarter that follows the one that starts here."""
    # A quarter has 90 to 92 days, so a hundred days later lie in the next one.
    return quarter_start(start_us + 100 * _DAY_US)


def quarter_start(instant_us: int) -> int:
    """Start of the quarter of the year that contains an instant, in the park's zone. [µs]."""
    local = from_us(instant_us).astimezone(PARK_ZONE)
    first = local.replace(month=local.month - (local.month - 1) % 3, day=1)
    return to_us(period_containing(first, Grain.MONTH).start)


def mass_numbers(
    day: GaugeDay[GaugePoint], measured: MeasuredMasses, stacks: list[str], window: Window, series: HourMasses
) -> list[GaugeNumber]:
    """Rows of the hours that the day changes, and of their days, for each stack and for the park.

    Parameters
    ----------
    day : GaugeDay[GaugePoint]
    measured : MeasuredMasses
        What was measured of the day by the stacks that are stale.
    stacks : list of str
        All stacks of the park.
    window : Window
    series : HourMasses
        Published masses of all stacks and pollutants (`MASSES`) in the window.
    """
    now = substituted(day, overlaid(day, measured, stacks, series), series.start_us)
    changed = _changed(day, measured, stacks, series, now)
    changed[:, :, : (window.first_us - window.start_us) // HOUR_US] = False
    rows = [published(day, n, Grain.HOUR, at) for n, at in hour_masses(stacks, now, changed, series.start_us)]
    # Days are whole in the window, because it begins with a day.
    by_day = changed.reshape(*changed.shape[:2], -1, 24)
    for number, at in day_masses(stacks, now, np.logical_or.reduce(by_day, axis=3), series.start_us):
        rows.append(published(day, number, Grain.DAY, at))
    return rows


@dataclass(frozen=True, slots=True)
class Masses:
    """Hours of all stacks; arrays have shape (n_stacks, n_pollutants, n_hours)."""

    mass: Floats
    """Measured; after `substituted` with what stands in. [kg]"""
    stopped: Bools
    completeness: Floats
    is_awaited: Bools
    """From the first hour of which anything was heard to the last one."""
    flags: Ints

    @property
    def is_off(self) -> Bools:
        """Hours that nothing stands in for: the furnace was off, or nobody waits for them."""
        return self.stopped | ~self.is_awaited


def overlaid(day: GaugeDay[GaugePoint], measured: MeasuredMasses, stacks: list[str], series: HourMasses) -> Masses:
    """What was measured: of the day as just found, of other days as published."""
    is_measured = np.isfinite(series.value) & (series.estimated_share == 0.0)
    mass = np.where(is_measured, series.value, np.nan)
    stopped = series.is_there & np.isnan(series.value) & (series.completeness >= 1.0)
    completeness, is_there = series.completeness.copy(), series.is_there.copy()
    first = (day.start_us - series.start_us) // HOUR_US
    hours = slice(first, first + 24)
    for row, stack in enumerate(measured.stacks):
        place, fresh = stacks.index(stack), measured.has_reading[row]
        for into, found in (
            (mass, measured.mass),
            (stopped, measured.stopped),
            (completeness, np.where(measured.stopped, 1.0, measured.valid_share)),
            (is_there, measured.has_reading),
        ):
            into[place, :, hours] = np.where(fresh, found[row], into[place, :, hours])
    seen_before = np.logical_or.accumulate(is_there, axis=2)
    seen_after = np.logical_or.accumulate(is_there[:, :, ::-1], axis=2)[:, :, ::-1]
    return Masses(mass, stopped, completeness, seen_before & seen_after, np.zeros(mass.shape, np.int64))


def substituted(day: GaugeDay[GaugePoint], known: Masses, start_us: int) -> Masses:
    """Put in what stands for lost hours, by the rules of the day."""
    shape = known.mass.shape
    flat = (shape[0] * shape[1], shape[2])
    mass = known.mass.reshape(flat)
    off = known.is_off.reshape(flat)
    quarter = quarters_of(start_us, shape[2])
    capture = capture_rate(np.isfinite(mass), off, quarter, int(quarter[-1]) + 1)
    rules = SubstitutionRules.of(cems_rules().substitution_on(day.period.day))
    found = substitute_mass(mass, off, quarter, capture, rules)
    flags = found.flags.reshape(shape).astype(np.int64)
    # What is not awaited is not stopped: nobody knows.
    flags = np.where(known.is_awaited, flags, 0)
    return Masses(found.mass.reshape(shape), known.stopped, known.completeness, known.is_awaited, flags)


def quarters_of(start_us: int, n_hours: int) -> Ints:
    """Index of the quarter of the year of each hour, from 0."""
    starts, here = list[int](), start_us
    while here < start_us + n_hours * HOUR_US:
        starts.append(here)
        here = _next_quarter(quarter_start(here))
    hours = start_us + np.arange(n_hours) * HOUR_US
    return (np.searchsorted(np.array(starts), hours, side="right") - 1).astype(np.int64)


def _changed(
    day: GaugeDay[GaugePoint], measured: MeasuredMasses, stacks: list[str], series: HourMasses, now: Masses
) -> Bools:
    """Hours to publish: the stale ones, and those whose substitute has become another one."""
    is_put_in = (now.flags & StackFlag.SUBSTITUTED) != 0
    was_put_in = series.estimated_share > 0.0
    lost = now.is_awaited & ~now.stopped & (np.isnan(now.mass) | is_put_in) & (series.is_there | is_put_in)
    same = (now.mass == series.value) | (np.isnan(now.mass) & np.isnan(series.value))
    changed = lost & ~(same & (is_put_in == was_put_in) & series.is_there)
    first = (day.start_us - series.start_us) // HOUR_US
    for row, stack in enumerate(measured.stacks):
        hours = [hour for hour in day.stale_hours(stack) if hour < 24]
        place = stacks.index(stack)
        for hour in hours:
            changed[place, :, first + hour] |= measured.has_reading[row, :, hour]
    return changed


def hour_masses(stacks: list[str], now: Masses, changed: Bools, start_us: int) -> Iterable[tuple[Number, int]]:
    """Hours chosen, shape as the masses: of these stacks, and of the park; each with its start in µs."""
    is_put_in = (now.flags & StackFlag.SUBSTITUTED) != 0
    for stack, pollutant, hour in np.argwhere(changed).tolist():
        place = (stack, pollutant, hour)
        yield (
            _number(
                f"device/{stacks[stack]}",
                pollutant,
                (float(now.mass[place]), float(now.completeness[place]), float(is_put_in[place])),
                _reason(int(now.flags[place])),
            ),
            start_us + hour * HOUR_US,
        )
    for pollutant, hour in np.argwhere(np.logical_or.reduce(changed, axis=0)).tolist():
        yield _park_hour(now, pollutant, hour), start_us + hour * HOUR_US


def _park_hour(now: Masses, pollutant: int, hour: int) -> Number:
    """All stacks together; not known where one that runs is not."""
    place = (slice(None), pollutant, hour)
    mass, awaited, stopped = now.mass[place], now.is_awaited[place], now.stopped[place]
    runs = awaited & ~stopped
    known = np.isfinite(mass) & runs
    total = in_order(mass[known].tolist()) if np.array_equal(known, runs) and np.count_nonzero(runs) else np.nan
    put_in = known & ((now.flags[place] & StackFlag.SUBSTITUTED) != 0)
    share = in_order(mass[put_in].tolist()) / total if total > 0 else 0.0
    covered = (np.count_nonzero(known) + np.count_nonzero(awaited & stopped)) / max(np.count_nonzero(awaited), 1)
    said = f"{np.count_nonzero(known)} of {np.count_nonzero(runs)} stacks that run"
    return _number("park", pollutant, (total, covered, share if np.isfinite(total) else 0.0), said)


def day_masses(stacks: list[str], now: Masses, changed: Bools, start_us: int) -> Iterable[tuple[Number, int]]:
    """Days with a change, shape (n_stacks, n_pollutants, n_days): of these stacks, and of the park."""
    for pollutant, number in np.argwhere(np.logical_or.reduce(changed, axis=0)).tolist():
        hours = slice(number * 24, number * 24 + 24)
        at = start_us + number * 24 * HOUR_US
        flags = now.flags[:, pollutant, hours].astype(np.uint16)
        day = emitted_mass(now.mass[:, pollutant, hours], flags, np.zeros(24, np.int64), 1)
        total, covered, share = day.total[:, 0], day.completeness[:, 0], day.substituted_share[:, 0]
        for stack, code in enumerate(stacks):
            if changed[stack, pollutant, number]:
                said = f"{int(day.stopped_hours[stack, 0])} hours furnace off"
                yield (
                    _number(
                        f"device/{code}",
                        pollutant,
                        (float(total[stack]), float(covered[stack]), float(share[stack])),
                        said,
                    ),
                    at,
                )
        counts = np.logical_or.reduce(now.is_awaited[:, pollutant, hours], axis=1)
        known = counts & np.isfinite(total)
        value = in_order(total[known].tolist()) if np.count_nonzero(known) else np.nan
        put_in = in_order((total * share)[known].tolist())
        yield (
            _number(
                "park",
                pollutant,
                (value, float(covered[counts].min()), put_in / value if value > 0 else 0.0),
                f"{np.count_nonzero(counts)} stacks",
            ),
            at,
        )


def _number(boundary: str, pollutant: int, known: tuple[float, float, float], reason: str) -> Number:
    """Number from its value, completeness and estimated share."""
    value, completeness, estimated_share = known
    return Number(
        boundary,
        MASSES[pollutant],
        value,
        completeness,
        _METHOD,
        estimated_share=estimated_share,
        rule_set=cems_rules().version,
        reason=reason,
    )


def _reason(flags: int) -> str:
    return "; ".join(words for flag, words in _WORDS.items() if flags & flag)
