"""Demand warning: the example by hand, its laws, and how early and how rightly it warns at a steel works."""

import math

import numpy as np
import pytest
from alert_steps import MINUTE, assert_same, between, cuts, in_steps, many_samples, series_of
from hypothesis import given, settings
from hypothesis import strategies as st
from smartpark.electricity_rules import builtin_electricity_rules
from smartpark_analytics.alerts.demand_warning import (
    DemandWarningSettings,
    demand_carry,
    demand_lookback_us,
    demand_warning,
)
from smartpark_analytics.alerts.recursion import forgetting_sum
from smartpark_analytics.alerts.samples import Level, Samples
from smartpark_analytics.alerts.sliding_demand_warning import sliding_demand_carry, sliding_demand_warning
from smartpark_analytics.demand import sliding_maximum_demand
from smartpark_simulators.replay import steel_power

RULE = builtin_electricity_rules().demand[0]
ONE_SIGMA = 0.8413447460685429
WINDOW = RULE.period_min * MINUTE
HALVING = DemandWarningSettings(certainty=ONE_SIGMA, recent_us=round(MINUTE / math.log(2)))
"""A minute ago counts half, and the interval is one standard deviation wide."""
POWERS = st.sampled_from([0.0, -50.0, 400.0, 990.0, 1000.0, 1010.0, 3000.0, float("nan"), 1e9])


def warned(samples, limit_kw, chosen=HALVING, *, is_register=False, carry=None):
    rows = int(samples.row.max(initial=0)) + 1
    return demand_warning(
        samples,
        np.full(rows, limit_kw),
        demand_carry(rows) if carry is None else carry,
        rule=RULE,
        is_register=np.full(rows, is_register),
        settings=chosen,
    )


@pytest.mark.parametrize(
    ("limit_kw", "level", "shed_kw"),
    [(890.0, Level.BREACH, 330.0), (950.0, Level.HOLD, 150.0), (1100.0, Level.HOLD, 0.0), (1140.0, Level.CLEAR, 0.0)],
)
def test_the_example_by_hand(limit_kw, level, shed_kw):
    # Ten minutes at 900 kW, then 1500. Recent power 1200, variance half of half of 600²: 300². 9000 kW min are drawn,
    # 5 min at 1200 follow: 15 000 / 15 = 1000, and 300 x 5 / 15 = 100 to either side.
    found, _ = warned(series_of([900.0] * 10 + [1500.0], MINUTE), limit_kw)
    assert found.verdicts.value[-1] == pytest.approx(1000.0)
    assert (found.low[-1], found.high[-1]) == (pytest.approx(900.0), pytest.approx(1100.0))
    assert found.minutes_left[-1] == 5.0
    assert found.shed_kw[-1] == pytest.approx(shed_kw)  # 15 x limit less 9000, over five minutes, below 1200
    assert found.verdicts.level[-1] == level


def test_a_register_says_the_same_as_the_power_it_counts():
    power = [900.0] * 10 + [1500.0] * 4
    register = np.concatenate([[0.0], np.cumsum(power[:-1]) / 60.0])
    by_power, _ = warned(series_of(power, MINUTE), 950.0)
    by_register, _ = warned(series_of(register, MINUTE), 950.0, is_register=True)
    # The register tells the power of a step at its end, so what is recent is a minute older; the energy is the same.
    assert by_register.verdicts.value[3:10] == pytest.approx(by_power.verdicts.value[3:10])
    assert by_register.verdicts.value[-1] == pytest.approx((9000.0 + 4500.0 + 2 * 1425.0) / 15.0)


def test_a_window_that_is_lost_is_a_breach_even_when_nothing_more_is_known():
    found, _ = warned(series_of([3000.0] * 8 + [float("nan")] * 7, MINUTE), 1000.0)
    assert (found.verdicts.level[6:] == Level.BREACH).all()
    assert np.isnan(found.shed_kw[-1])


def test_a_window_of_which_too_much_is_unknown_is_not_judged():
    power = series_of([2000.0] * 40, MINUTE)
    keep = (power.time_us < 16 * MINUTE) | (power.time_us >= 20 * MINUTE)
    found, _ = warned(Samples(*(part[keep] for part in power)), 1900.0)
    in_second = (found.verdicts.time_us >= 20 * MINUTE) & (found.verdicts.time_us < 25 * MINUTE)
    assert (found.verdicts.level[in_second] == Level.UNKNOWN).all()
    in_third = found.verdicts.time_us >= 30 * MINUTE
    assert (found.verdicts.level[in_third] == Level.BREACH).all()


@pytest.mark.parametrize("function", [demand_warning, sliding_demand_warning])
def test_a_slow_meter_is_believed_by_its_own_rhythm(function):
    # Two registers that speak every five minutes; only of the second it is known that this is its rhythm.
    counted = series_of(1500.0 * np.arange(20) / 12.0, 5 * MINUTE)
    both = Samples(np.repeat([0, 1], 20), np.tile(counted.time_us, 2), np.tile(counted.value, 2))
    found, _ = function(
        both,
        np.full(2, 1000.0),
        sliding_demand_carry(2, RULE) if function is sliding_demand_warning else demand_carry(2),
        rule=RULE,
        is_register=np.full(2, True),
        settings=DemandWarningSettings(max_gap_us=np.array([3 * MINUTE, 12 * MINUTE])),
    )
    level = found.verdicts.level.reshape(2, 20)
    assert (level[0] == Level.UNKNOWN).all()
    assert (level[1, 4:] == Level.BREACH).all()


def test_without_a_limit_nothing_is_judged():
    found, _ = warned(series_of([900.0] * 20, MINUTE), float("nan"))
    assert (found.verdicts.level == Level.UNKNOWN).all()


@given(
    power=st.floats(0, 5000),
    limit=st.floats(1, 5000),
    steps=st.lists(st.integers(1, 150), min_size=30, max_size=120),
    is_register=st.booleans(),
    begin=st.integers(0, 2000),
)
@settings(max_examples=60)
def test_a_constant_load_never_gets_two_answers(power, limit, steps, is_register, begin):
    times = (begin + np.cumsum(steps)) * 1_000_000
    values = power * (times - times[0]) / (60 * MINUTE) if is_register else np.full(times.size, power)
    samples = Samples(np.zeros(times.size, np.int64), times, values)
    found, _ = warned(samples, limit, DemandWarningSettings(), is_register=is_register)
    told = set(found.verdicts.level.tolist())
    assert not {int(Level.CLEAR), int(Level.BREACH)} <= told
    if abs(power - limit) > 0.04 * limit and Level.HOLD in told:
        assert is_register  # of its readings the last digits differ


@given(
    samples=many_samples(rows=3, span_us=40 * MINUTE, step_us=MINUTE, values=POWERS),
    ends=cuts(40 * MINUTE),
    slides=st.booleans(),
)
@settings(max_examples=60)
def test_in_steps_is_as_at_once(samples, ends, slides):
    limits, counts = np.array([1000.0, 700.0, 500.0]), np.array([False, False, True])
    function, fresh = (
        (sliding_demand_warning, sliding_demand_carry(3, RULE)) if slides else (demand_warning, demand_carry(3))
    )

    def judge(start, end, carry):
        found, carry = function(
            between(samples, start, end), limits, carry, rule=RULE, is_register=counts, settings=HALVING
        )
        return found.verdicts, carry

    assert_same(in_steps(judge, fresh, ends), in_steps(judge, fresh, ends[-1:]))


def test_a_carry_is_rebuilt_from_the_lookback():
    rng = np.random.default_rng(5)
    power = series_of(900.0 + 200.0 * rng.standard_normal(400), MINUTE // 2)
    chosen = DemandWarningSettings()
    at_once, _ = warned(power, 950.0, chosen)
    from_us = 150 * MINUTE - demand_lookback_us(RULE, chosen)
    _, carry = warned(between(power, from_us, 150 * MINUTE), 950.0, chosen)
    rest, _ = warned(between(power, 150 * MINUTE, 200 * MINUTE), 950.0, chosen, carry=carry)
    assert rest.verdicts.level.tolist() == at_once.verdicts.level[300:].tolist()
    assert rest.verdicts.value == pytest.approx(at_once.verdicts.value[300:], rel=1e-4)


def test_sliding_windows_are_seen_where_blocks_are_blind():
    # A quarter of an hour at 1200 kW that begins at minute 8: blocks come to 1013, the meter finds 1200.
    power = np.repeat([800.0, 1200.0, 800.0], [23, 15, 22])
    samples = series_of(power, MINUTE)
    chosen = DemandWarningSettings()
    blocks, _ = warned(samples, 1100.0, chosen)
    sliding, _ = sliding_demand_warning(
        samples,
        np.array([1100.0]),
        sliding_demand_carry(1, RULE),
        rule=RULE,
        is_register=np.array([False]),
        settings=chosen,
    )
    metered = sliding_maximum_demand(power[np.newaxis], np.zeros(60, np.int64), 1, RULE)
    assert metered.demand_kw[0, 0] == 1200.0
    breach = sliding.verdicts.level == Level.BREACH
    first = sliding.verdicts.time_us[breach][0] / MINUTE
    assert 23 < first < 38  # told before that window closes
    assert sliding.shed_kw[breach][0] > 0
    assert breach.sum() > (blocks.verdicts.level == Level.BREACH).sum()


def steel_half_minutes(scatter, seed):
    """Half-minutes whose quarters of an hour are those of the steel works, moving within them by a share."""
    quarters = steel_power()
    noise = np.random.default_rng(seed).standard_normal(quarters.size * 30)
    keep = np.full(noise.size, math.exp(-0.25))
    drift = forgetting_sum(keep, noise * math.sqrt(1 - math.exp(-0.5)), np.zeros(noise.size, np.int64), np.zeros(1))
    power = np.maximum(np.repeat(quarters, 30) * (1.0 + scatter * drift), 0.0).reshape(-1, 30)
    return power * (quarters / np.maximum(power.mean(axis=1), 1e-9))[:, np.newaxis]


@pytest.mark.parametrize(
    ("scatter", "precision", "minutes"), [(0.05, 0.90, 9.0), (0.15, 0.92, 7.0), (0.3, 0.90, 5.0)]
)
def test_it_warns_of_a_steel_works_early_and_rightly(scatter, precision, minutes):
    power = steel_half_minutes(scatter, 1)
    limit = np.percentile(power.mean(axis=1), 95)
    exceeded = power.mean(axis=1) > limit
    found, _ = warned(series_of(power.ravel(), MINUTE // 2), limit, DemandWarningSettings())
    level = found.verdicts.level.reshape(power.shape)
    breach = level == Level.BREACH
    has_warned = breach.any(axis=1)
    left = found.minutes_left.reshape(power.shape)[np.arange(len(power)), breach.argmax(axis=1)]
    assert exceeded.sum() > 250
    assert (has_warned & exceeded).sum() / has_warned.sum() > precision
    assert (has_warned & exceeded).sum() / exceeded.sum() > 0.94
    assert np.median(left[has_warned & exceeded]) >= minutes
    # Nowhere in eight weeks a warning that was taken back and came again within its window.
    told = np.where(breach, 1, np.where(level == Level.CLEAR, -1, 0))
    turns = [np.count_nonzero(np.diff(window[window != 0])) for window in told]
    assert max(turns) <= 1
