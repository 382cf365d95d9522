"""Detectors that remember readings themselves - rates, registers, clocks - bound to the numbers of a rule's objects.

They look at all objects together, so they are not asked at every tick but once a minute.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from smartpark.alerts.detectors import ClockDrift, Rate

from smartpark_analytics.alerts import clocks, limits, rates, registers
from smartpark_analytics.alerts.evaluating.detection import Detection, Inputs
from smartpark_analytics.alerts.evaluating.watched import Channel, Watched
from smartpark_analytics.alerts.limits import Limits
from smartpark_analytics.alerts.samples import NOT_YET_US, Floats, Ints, Samples, Verdicts
from smartpark_analytics.changes import RegisterChanges
from smartpark_analytics.registers import NO_VALUE, RegisterLimits, RegisterPoints, RegisterReadings

_SECOND_US: Final = 1_000_000
MINUTE_US: Final = 60 * _SECOND_US
_UNKNOWN_STEP_US: Final = 900 * _SECOND_US
LONGEST_DELAY_S: Final = 3600.0
"""Readings that took longer are not asked about clocks. [s]"""
FEWEST: Final = 5
"""Readings of a window from which its least delay is believed."""
_LARGEST: Final = 2.0**52
"""A double shows all integers up to here."""


class MeterReplaced(NamedTuple):
    """A replacement that was written down."""

    series: int
    at_us: int
    final: float
    """What the old register showed last, primary side. [unit]"""
    initial: float
    """What the new one showed first."""


def bind_rate(detector: Rate, watched: Watched) -> Detection:
    """Rises or falls too fast over a span."""
    span_us = round(detector.span_s * _SECOND_US)

    def bound(rate: float | None, sign: float) -> Floats:
        return np.full(watched.rows, sign * np.inf) if rate is None else sign * rate * watched.base

    band = limits.band(bound(detector.fall_per_h, -1.0), bound(detector.rise_per_h, 1.0))

    def judge(inputs: Inputs, at: Limits, carry: rates.RateCarry, _until: Ints) -> tuple[Verdicts, rates.RateCarry]:
        return rates.judge(inputs[Channel.VALUE], carry, at, span_us=span_us)

    return Detection(
        judge,
        band,
        lambda: rates.fresh_carry(watched.rows),
        lookback_us=rates.lookback_us(span_us),
        is_whole=True,
        every_us=min(MINUTE_US, span_us),
    )


class _Registers(NamedTuple):
    step: Floats


def bind_register(watched: Watched, replaced: Sequence[MeterReplaced]) -> Detection:
    """Goes back, begins anew or jumps, and nobody has written down why."""
    step = np.where(np.isfinite(watched.resolution), watched.resolution, 2.0**-20)
    modulus = np.where(np.isfinite(watched.modulus), np.rint(watched.modulus / step), 0).astype(np.int64)
    points = RegisterPoints(modulus, np.where(np.isfinite(watched.max_rate), watched.max_rate, np.inf))
    changes = _changes(watched, replaced, step)

    def judge(
        inputs: Inputs, at: _Registers, carry: registers.RegisterCarry, _until: Ints
    ) -> tuple[Verdicts, registers.RegisterCarry]:
        # A meter that was away sends hours later what comes next: time must not have closed that stretch.
        return registers.judge(_readings(inputs[Channel.VALUE], at.step), points, carry, changes=changes)

    return Detection(
        judge,
        _Registers(step),
        lambda: registers.fresh_carry(watched.rows),
        lookback_us=registers.lookback_us(_usual_step(watched)),
        is_whole=True,
        every_us=MINUTE_US,
        judges_after_us=registers.delay_us(RegisterLimits()),
    )


def _usual_step(watched: Watched) -> int:
    known = watched.usual_step_us[watched.usual_step_us < 86_400 * _SECOND_US]
    return int(known.max(initial=_UNKNOWN_STEP_US))


def _readings(samples: Samples, step: Floats) -> RegisterReadings:
    scale = step[samples.row]
    counted = np.rint(samples.value / scale)
    known = np.isfinite(counted) & (np.abs(counted) < _LARGEST)
    steps = np.full(counted.size, NO_VALUE, np.int64)
    steps[known] = counted[known].astype(np.int64)
    return RegisterReadings(samples.row, samples.time_us, steps, np.zeros(steps.size, np.int32), scale)


def _changes(watched: Watched, replaced: Sequence[MeterReplaced], step: Floats) -> RegisterChanges | None:
    row_of = {subject.series: row for row, subject in enumerate(watched.subjects)}
    own = [(row_of[one.series], one) for one in replaced if one.series in row_of]
    if not own:
        return None
    row = np.array([row for row, _ in own], np.int64)
    scale = step[row]
    return RegisterChanges(
        row,
        np.array([one.at_us for _, one in own], np.int64),
        np.rint(np.array([one.final for _, one in own]) / scale).astype(np.int64),
        np.rint(np.array([one.initial for _, one in own]) / scale).astype(np.int64),
        scale,
        scale,
    )


class _Clocks(NamedTuple):
    limit_s: Floats


def bind_clock(detector: ClockDrift, watched: Watched, usual_delay_us: int) -> Detection:
    """Clocks of devices, as seen from when readings come in."""
    # Devices that speak seldom need longer until enough is known.
    window_us = -(-FEWEST * _usual_step(watched) // clocks.QUARTER_HOUR_US) * clocks.QUARTER_HOUR_US

    def judge(
        inputs: Inputs, at: _Clocks, carry: clocks.ClockCarry, until: Ints
    ) -> tuple[Verdicts, clocks.ClockCarry]:
        row, time_us, delay_s = inputs[Channel.DELAY]
        received = time_us + np.rint(delay_s * _SECOND_US).astype(np.int64)
        # What was received in a window that is over and is handed over only now, changes little; and what comes in
        # hours late was kept back or imported: of a clock that is so far behind it cannot be told.
        fresh = (received >= carry.seen_us[row]) & (delay_s <= LONGEST_DELAY_S)
        return clocks.judge(
            row[fresh],
            time_us[fresh],
            received[fresh],
            carry,
            limit_s=at.limit_s,
            clear_s=at.limit_s / 2.0,
            usual_delay_us=usual_delay_us,
            window_us=window_us,
            min_count=FEWEST,
            until_us=np.where(until == NOT_YET_US, NOT_YET_US, until),
        )

    return Detection(
        judge,
        _Clocks(np.full(watched.rows, detector.limit_s)),
        lambda: clocks.fresh_carry(watched.rows),
        lookback_us=clocks.lookback_us(window_us),
        is_whole=True,
        every_us=MINUTE_US,
    )
