"""Detectors of readings - limits, silence, standing still - bound to the numbers of a rule's objects.

Nothing is judged here; `binding` chooses among these by the kind of a rule's detector.
"""

from typing import Any, Final, NamedTuple, cast

import numpy as np
from smartpark.alerts.detectors import Gap, Limit, Silent, Stale, Stuck

from smartpark_analytics.alerts import limits, presence, stuck, stuck_counters
from smartpark_analytics.alerts.companions import Latest, as_of, latest_after, nothing_yet
from smartpark_analytics.alerts.evaluating.detection import Detection, Inputs, together
from smartpark_analytics.alerts.evaluating.watched import Channel, Watched
from smartpark_analytics.alerts.limits import Limits
from smartpark_analytics.alerts.rows import Bools, later, some_samples
from smartpark_analytics.alerts.samples import NEVER_US, NOT_YET_US, Floats, Ints, Samples, Verdicts

_SECOND_US: Final = 1_000_000
BESIDE_US: Final = 900 * _SECOND_US
"""What another gauge of a device showed counts for so long. [µs]"""
_SLOW_US: Final = 3600 * _SECOND_US
"""Nobody is taken to speak less often before more is known. [µs]"""


def us(seconds: float) -> int:
    """[µs]."""
    return round(seconds * _SECOND_US)


class _Silence(NamedTuple):
    stale_us: Ints


class _Still(NamedTuple):
    stuck_us: Ints
    tolerance: Floats
    rest: Floats
    max_gap_us: Ints


def bind_limit(detector: Limit, watched: Watched) -> Detection:
    """Above or below, in the unit or as shares of what each object has."""

    def bound(share: float | None, otherwise: float | Floats) -> Floats:
        return np.broadcast_to(otherwise, (watched.rows,)) if share is None else share * watched.base

    high, low = bound(detector.above, np.inf), bound(detector.below, -np.inf)
    band = limits.band(
        low, high, above_clear=bound(detector.clear_above, high), below_clear=bound(detector.clear_below, low)
    )
    return of_limits(band)


def of_limits(band: Limits) -> Detection:
    """Samples held against limits, one by one."""

    def judge(inputs: Inputs, at: Limits, carry: tuple[()], _until: Ints) -> tuple[Verdicts, tuple[()]]:
        return limits.judge(inputs[Channel.VALUE], at), carry

    return Detection(judge, Limits(*(np.array(column) for column in band)))


def bind_stale(stale_us: Ints, expected_since_us: Ints | None = None) -> Detection:
    """Silent too long; told by time alone."""
    rows = stale_us.size

    def judge(
        inputs: Inputs, at: _Silence, carry: presence.PresenceCarry, until: Ints
    ) -> tuple[Verdicts, presence.PresenceCarry]:
        said = inputs[Channel.VALUE]
        # A reading that says that it knows no value is no use to anybody.
        known = np.isfinite(said.value)
        useful = said if known.all() else some_samples(said, known)
        heard, carry = presence.judge(useful, carry, stale_us=at.stale_us)
        moment = _stale_from(at, carry)
        due = np.where(moment < until, moment + 1, NOT_YET_US)
        silent, after = presence.judge(_nothing(), carry, stale_us=at.stale_us, until_us=due)
        # An agent that was away sends what it has kept: readings from the silence itself, which are no fault.
        told = together([heard, silent]) if silent.row.size else heard
        return told, after._replace(seen_us=carry.seen_us)

    return Detection(
        judge,
        _Silence(stale_us),
        lambda: presence.fresh_carry(rows, NEVER_US if expected_since_us is None else expected_since_us),
        lookback_us=presence.lookback_us(stale_us) if rows else 0,
        wakes=_stale_from,
        believes_for_ever=True,
    )


def _stale_from(at: _Silence, carry: presence.PresenceCarry) -> Ints:
    is_waiting = (carry.since_us != NEVER_US) & ~carry.is_stale
    return np.where(is_waiting, later(np.where(is_waiting, carry.since_us, 0), at.stale_us), NEVER_US)


def _nothing() -> Samples:
    return Samples(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))


def bind_silent(detector: Silent, watched: Watched) -> Detection:
    """An edge agent that is away: a sample of 0 is its goodbye and no sign of life."""
    stale = bind_stale(np.full(watched.rows, us(detector.after_s), np.int64))

    def judge(inputs: Inputs, at: Any, carry: Any, until: Ints) -> tuple[Any, Any]:
        said = inputs[Channel.VALUE]
        alive = said.value != 0
        heard = Samples(said.row[alive], said.time_us[alive], said.value[alive])
        return stale.judge({Channel.VALUE: heard}, at, carry, until)

    return Detection(
        judge,
        stale.parameters,
        stale.fresh,
        lookback_us=stale.lookback_us,
        wakes=stale.wakes,
        believes_for_ever=True,
    )


def stale_after(detector: Stale, watched: Watched) -> Ints:
    """How long each object may be silent. [µs]."""
    least = np.full(watched.rows, us(detector.after_s), np.int64)
    if detector.after_steps is None:
        return least
    # Of whom it is not known how often they speak, the slowest healthy ones must not be alarms in their first hour.
    steps = np.where(watched.usual_step_us == NEVER_US, _SLOW_US, watched.usual_step_us)
    return np.maximum(least, np.rint(steps * detector.after_steps).astype(np.int64))


def bind_gap(detector: Gap, watched: Watched) -> Detection:
    """Holes, told when they have closed."""

    def judge(inputs: Inputs, at: _Silence, carry: presence.GapCarry, _until: Ints) -> Any:
        return presence.gaps(inputs[Channel.VALUE], carry, gap_us=at.stale_us)

    longest = np.full(watched.rows, us(detector.longer_than_s), np.int64)
    return Detection(
        judge,
        _Silence(longest),
        lambda: presence.fresh_gap_carry(watched.rows),
        lookback_us=us(detector.longer_than_s),
    )


def bind_stuck(detector: Stuck, watched: Watched) -> Detection:
    """Gauges that stand still, and counters that do while something flows beside them."""
    if watched.is_counter.any() and not watched.is_counter.all():
        return _either(watched.is_counter, _stuck_counters(detector, watched), _stuck_gauges(detector, watched))
    return _stuck_counters(detector, watched) if watched.is_counter.any() else _stuck_gauges(detector, watched)


def _stuck_gauges(detector: Stuck, watched: Watched) -> Detection:
    half_step = np.nan_to_num(watched.resolution) / 2.0
    rest = np.full(watched.rows, np.nan if detector.rest is None else detector.rest)
    parameters = _Still(
        np.full(watched.rows, us(detector.after_s), np.int64),
        np.maximum(half_step, detector.tolerance),
        rest,
        watched.holds_us(),
    )

    def judge(inputs: Inputs, at: _Still, carry: stuck.StuckCarry, _until: Ints) -> tuple[Verdicts, stuck.StuckCarry]:
        return stuck.judge(
            inputs[Channel.VALUE],
            carry,
            stuck_us=at.stuck_us,
            tolerance=at.tolerance,
            rest=at.rest,
            max_gap_us=at.max_gap_us,
        )

    return Detection(judge, parameters, lambda: stuck.fresh_carry(watched.rows), lookback_us=us(detector.after_s))


class _Mixed(NamedTuple):
    is_counter: Bools
    gauges: Any
    counters: Any


class _Both(NamedTuple):
    gauges: Any
    counters: Any


def _either(is_counter: Bools, counters: Detection, gauges: Detection) -> Detection:
    """Counters by the one, gauges by the other."""

    def judge(inputs: Inputs, at: _Mixed, carry: _Both, until: Ints) -> tuple[Verdicts, _Both]:
        value = inputs[Channel.VALUE]
        counts = at.is_counter[value.row]
        one, after_one = gauges.judge(
            {**inputs, Channel.VALUE: some_samples(value, ~counts)}, at.gauges, carry.gauges, until
        )
        other, after_other = counters.judge(
            {**inputs, Channel.VALUE: some_samples(value, counts)}, at.counters, carry.counters, until
        )
        return together([cast("Verdicts", one), cast("Verdicts", other)]), _Both(after_one, after_other)

    return Detection(
        judge,
        _Mixed(is_counter, gauges.parameters, counters.parameters),
        lambda: _Both(gauges.fresh(), counters.fresh()),
        lookback_us=max(gauges.lookback_us, counters.lookback_us),
    )


class _Due(NamedTuple):
    due: Floats
    sign: Floats
    max_gap_us: Ints


class _CounterCarry(NamedTuple):
    counter: stuck_counters.CounterCarry
    flow: Latest


def _stuck_counters(detector: Stuck, watched: Watched) -> Detection:
    """Due: what flows in `after_s` is not known beforehand; three steps at least."""
    due = np.maximum(3.0 * watched.resolution, detector.tolerance)
    parameters = _Due(due, np.nan_to_num(watched.flow_sign, nan=1.0), watched.holds_us())

    def judge(inputs: Inputs, at: _Due, carry: _CounterCarry, _until: Ints) -> tuple[Verdicts, _CounterCarry]:
        counter, flow = inputs[Channel.VALUE], inputs[Channel.LOAD]
        beside = as_of(flow, counter.row, counter.time_us, carry.flow, max_age_us=BESIDE_US)
        # What flows the other way, this register does not count.
        counted = np.maximum(beside * at.sign[counter.row], 0.0)
        found, after = stuck_counters.judge(counter, counted, carry.counter, due=at.due, max_gap_us=at.max_gap_us)
        return found, _CounterCarry(after, latest_after(carry.flow, flow))

    def fresh() -> _CounterCarry:
        return _CounterCarry(stuck_counters.fresh_carry(watched.rows), nothing_yet(watched.rows))

    return Detection(judge, parameters, fresh, lookback_us=us(detector.after_s))
