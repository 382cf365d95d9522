"""Detectors of electricity and stacks - demand, transformers, power factor, quality, emissions, balances - bound.

Limits by law and contract are dated rows; the day is the caller's. Nothing is judged here.
"""

from collections.abc import Sequence
from datetime import date
from typing import Final, NamedTuple

import numpy as np
from smartpark.alerts.detectors import Agreement, Balance, DemandWarning, Emission, PowerQuality, TransformerLoad
from smartpark.electricity_rules import builtin_electricity_rules
from smartpark.headroom_rules import builtin_headroom_rules
from smartpark.power_quality_limits import QualityQuantity

from smartpark_analytics.alerts import agreement, limits
from smartpark_analytics.alerts.agreement import AgreementCarry, AgreementLimits
from smartpark_analytics.alerts.balance_residual import BalanceLimits, balance_residual
from smartpark_analytics.alerts.companions import Latest, nothing_yet
from smartpark_analytics.alerts.demand_warning import DemandCarry, DemandWarningSettings, demand_lookback_us
from smartpark_analytics.alerts.electrical import deviation_samples, loaded_samples, quality_bounds
from smartpark_analytics.alerts.evaluating.detection import Detection, Inputs
from smartpark_analytics.alerts.evaluating.watched import Channel, Watched
from smartpark_analytics.alerts.limits import Limits
from smartpark_analytics.alerts.samples import NOT_YET_US, Floats, Ints, Samples, Verdicts
from smartpark_analytics.alerts.sliding_demand_warning import sliding_demand_carry, sliding_demand_warning
from smartpark_analytics.alerts.stack_limits import StackLimits, WaitingHours, emission_hours
from smartpark_analytics.alerts.transformer_load import (
    LoadGrades,
    TransformerCarry,
    transformer_carry,
    transformer_load_alerts,
    transformer_lookback_us,
)
from smartpark_analytics.alerts.waiting import no_samples
from smartpark_analytics.balance import MeterTree, meter_tree

_SECOND_US: Final = 1_000_000
BESIDE_US: Final = 900 * _SECOND_US
"""What another gauge of a device showed counts for so long. [µs]"""


class _Loaded(NamedTuple):
    band: Limits
    least_load: Floats


def bind_power_factor(watched: Watched) -> Detection:
    """Below the standard while there is load."""

    def judge(inputs: Inputs, at: _Loaded, carry: Latest, _until: Ints) -> tuple[Verdicts, Latest]:
        factor = inputs[Channel.VALUE]
        amount = factor._replace(value=np.abs(factor.value))
        loaded, carry = loaded_samples(amount, inputs[Channel.LOAD], at.least_load, carry, max_age_us=BESIDE_US)
        return limits.judge(loaded, at.band), carry

    band = limits.below(watched.low)
    return Detection(
        judge,
        _Loaded(Limits(*(np.array(column) for column in band)), watched.least_load),
        lambda: nothing_yet(watched.rows),
        lookback_us=BESIDE_US,
    )


class _Quality(NamedTuple):
    band: Limits
    nominal: Floats


def bind_quality(
    detector: PowerQuality, watched: Watched, quantity: Sequence[QualityQuantity], on: date
) -> Detection:
    """Beyond the national limits, each object by its quantity and voltage level."""
    low, high = np.full(watched.rows, -np.inf), np.full(watched.rows, np.inf)
    of = np.array([one.value for one in quantity], np.str_)
    for one in set(quantity):
        rows = np.flatnonzero(of == one.value)
        levels = [float(kv) for kv in watched.level_kv[rows]]
        found = quality_bounds(one, levels, on, share=detector.share)
        low[rows], high[rows] = np.nan_to_num(found.low, nan=-np.inf), np.nan_to_num(found.high, nan=np.inf)
    nominal = np.where(of == QualityQuantity.VOLTAGE_DEVIATION.value, watched.base, np.nan)

    def judge(inputs: Inputs, at: _Quality, carry: tuple[()], _until: Ints) -> tuple[Verdicts, tuple[()]]:
        shown = inputs[Channel.VALUE]
        deviation = deviation_samples(shown, at.nominal).value
        value = np.where(np.isnan(at.nominal[shown.row]), shown.value, deviation)
        return limits.judge(shown._replace(value=value), at.band), carry

    return Detection(judge, _Quality(limits.band(low, high), nominal))


class _Demand(NamedTuple):
    limit_kw: Floats


def bind_demand(detector: DemandWarning, watched: Watched, on: date) -> Detection:
    """The demand of any window over a moment, before it closes."""
    rule = builtin_electricity_rules().demand_on(on)
    settings = DemandWarningSettings(certainty=detector.certainty)
    is_register = np.zeros(watched.rows, np.bool_)

    def judge(inputs: Inputs, at: _Demand, carry: DemandCarry, _until: Ints) -> tuple[Verdicts, DemandCarry]:
        found, carry = sliding_demand_warning(
            inputs[Channel.VALUE], at.limit_kw, carry, rule=rule, is_register=is_register, settings=settings
        )
        return found.verdicts, carry

    return Detection(
        judge,
        _Demand(detector.share * watched.base),
        lambda: sliding_demand_carry(watched.rows, rule),
        lookback_us=demand_lookback_us(rule, settings),
        is_whole=True,
    )


class _Rating(NamedTuple):
    rated_kva: Floats
    meters: Floats


def bind_transformer(detector: TransformerLoad, watched: Watched, on: date, max_gap_us: int) -> Detection:
    """Apparent power over the rating; where nobody measures reactive power, by an assumed power factor."""
    clear = 1.0 if detector.clear_share is None else detector.clear_share / detector.share
    grades = LoadGrades(np.array([detector.share]), np.zeros(1, np.int64), clear)
    assumed = builtin_headroom_rules().headroom_on(on).assumed_power_factor

    def judge(
        inputs: Inputs, at: _Rating, carry: TransformerCarry, _until: Ints
    ) -> tuple[Verdicts, TransformerCarry]:
        nothing = Samples(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))
        return transformer_load_alerts(
            _summed(inputs[Channel.VALUE], at.meters),
            _summed(inputs.get(Channel.REACTIVE, nothing), at.meters),
            at.rated_kva,
            grades,
            carry,
            max_gap_us=max_gap_us,
            assumed_power_factor=assumed,
        )

    return Detection(
        judge,
        _Rating(watched.base, watched.meters),
        lambda: transformer_carry(watched.rows, grades),
        lookback_us=transformer_lookback_us(grades, max_gap_us),
    )


def _summed(samples: Samples, meters: Floats) -> Samples:
    """One sample for each moment of a row: the sum of its meters, NaN where one is missing."""
    row, time_us, value = samples
    if not row.size or meters.max(initial=1.0) <= 1.0:
        return samples
    first = np.flatnonzero((np.diff(row, prepend=-1) != 0) | (np.diff(time_us, prepend=NOT_YET_US + 1) != 0))
    total, count = np.add.reduceat(value, first), np.diff(first, append=row.size)
    return Samples(row[first], time_us[first], np.where(count == meters[row[first]], total, np.nan))


class _Agreement(NamedTuple):
    limits: AgreementLimits
    has_returned: Floats


def bind_agreement(detector: Agreement, watched: Watched, window_us: int) -> Detection:
    """A gauge against the registers beside it."""
    least = np.maximum(detector.least * window_us / 3.6e9, 2.0 * np.nan_to_num(watched.resolution))
    bounds = AgreementLimits(np.full(watched.rows, detector.share), least, watched.per_hour)

    def judge(inputs: Inputs, at: _Agreement, carry: AgreementCarry, _until: Ints) -> tuple[Verdicts, AgreementCarry]:
        nothing = Samples(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))
        return agreement.judge(
            inputs[Channel.VALUE],
            inputs[Channel.COUNTED],
            inputs.get(Channel.RETURNED, nothing),
            carry,
            at.limits,
            window_us=window_us,
            has_returned=at.has_returned,
        )

    return Detection(
        judge,
        _Agreement(bounds, np.nan_to_num(watched.meters)),
        lambda: agreement.fresh_carry(watched.rows),
        lookback_us=window_us,
    )


class _Stack(NamedTuple):
    limit: Floats
    reference_oxygen: Floats


def bind_emission(detector: Emission, watched: Watched) -> Detection:
    """Hourly means at the reference oxygen."""

    def judge(inputs: Inputs, at: _Stack, carry: tuple[()], _until: Ints) -> tuple[Verdicts, tuple[()]]:
        hours = inputs[Channel.VALUE]
        found, _ = emission_hours(
            hours,
            inputs[Channel.OXYGEN],
            StackLimits(at.limit, at.reference_oxygen, detector.share),
            WaitingHours(no_samples(), no_samples()),
            int(hours.time_us.max(initial=0)),
            oxygen_of=np.arange(at.limit.size),
            ripens_after_us=0,
        )
        return found, carry

    return Detection(judge, _Stack(watched.high, watched.reference_oxygen))


def bind_balance(detector: Balance, watched: Watched) -> Detection:
    """Parents against their children; windows come whole, so nothing waits."""
    tree: MeterTree = meter_tree(watched.nodes, watched.register_of)
    n_nodes = watched.rows
    # What counts in steps of 12 kWh may differ by as much in any hour, for each register once.
    steps = np.bincount(tree.node, weights=np.nan_to_num(watched.resolution)[tree.series], minlength=n_nodes)
    bounds = BalanceLimits(np.full(n_nodes, detector.share), np.maximum(detector.least, steps))

    def judge(inputs: Inputs, _at: tuple[()], carry: tuple[()], _until: Ints) -> tuple[Verdicts, tuple[()]]:
        hours = inputs[Channel.VALUE]
        found, _ = balance_residual(
            hours, tree, bounds, no_samples(), int(hours.time_us.max(initial=0)), ripens_after_us=0
        )
        return found.verdicts, carry

    return Detection(judge, is_whole=True)
