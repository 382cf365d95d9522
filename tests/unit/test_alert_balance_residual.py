"""Balance alerts: what is beyond the meters' errors, what is not known, and intervals that arrive in pieces."""

from dataclasses import replace

import numpy as np
import pytest
from alert_steps import assert_same, between, cuts, in_steps, many_samples, samples_of
from hypothesis import given, settings
from hypothesis import strategies as st
from smartpark_analytics.alerts.balance_residual import BalanceLimits, balance_residual
from smartpark_analytics.alerts.samples import Level
from smartpark_analytics.alerts.waiting import no_samples
from smartpark_analytics.balance import MeterTree

HOUR = 3_600_000_000
FEEDER = MeterTree(
    np.zeros(3, np.intp), np.arange(3), np.array([1.0, -1.0, -1.0]), np.array([0.005, 0.01, 0.01]), np.array([True])
)
TWO = MeterTree(
    np.array([0, 0, 0, 1, 1]),
    np.array([0, 1, 2, 2, 3]),
    np.array([1.0, -1.0, -1.0, 1.0, -1.0]),
    np.array([0.005, 0.01, 0.01, 0.01, 0.01]),
    np.array([True, True]),
)
"""A main meter (0) with two children (1, 2), of which the second is a parent too (3)."""
NOTHING = BalanceLimits(np.zeros(1), np.zeros(1))


def hour(*values):
    return samples_of({row: [(0, value)] for row, value in enumerate(values) if value is not None})


def judged(samples, limits=NOTHING, tree=FEEDER):
    return balance_residual(samples, tree, limits, no_samples(), HOUR, ripens_after_us=HOUR)[0]


@pytest.mark.parametrize(
    ("values", "limits", "level", "bound"),
    [
        ((1000.0, 600.0, 380.0), NOTHING, Level.BREACH, 14.8),  # 0.5 % of 1000, 1 % of 600 and of 380
        ((1000.0, 600.0, 386.0), NOTHING, Level.CLEAR, 14.86),
        ((1000.0, 600.0, 420.0), NOTHING, Level.BREACH, -15.2),  # children exceed
        ((1000.0, 600.0, 380.0), BalanceLimits(np.array([0.03]), np.zeros(1)), Level.CLEAR, 30.0),
        ((1000.0, 600.0, 380.0), BalanceLimits(np.zeros(1), np.array([25.0])), Level.CLEAR, 25.0),
        ((1000.0, 600.0, 386.0), BalanceLimits(np.zeros(1), np.zeros(1), 0.5), Level.HOLD, 14.86),
        ((1000.0, 600.0, None), NOTHING, Level.UNKNOWN, None),
        ((1000.0, float("nan"), 380.0), NOTHING, Level.UNKNOWN, None),
        ((None, 600.0, 380.0), NOTHING, Level.UNKNOWN, None),
    ],
)
def test_a_residual_is_held_against_the_errors_of_the_meters(values, limits, level, bound):
    found = judged(hour(*values), limits)
    assert found.verdicts.level.tolist() == [level]
    if bound is not None:
        residual = values[0] - values[1] - values[2]
        assert found.verdicts.value[0] == pytest.approx(residual)
        assert found.verdicts.limit[0] == pytest.approx(bound)
        assert found.share[0] == pytest.approx(residual / 1000.0)


def test_a_class_that_nobody_said_is_not_judged():
    tree = replace(FEEDER, error=np.array([0.005, np.nan, 0.01]))
    assert judged(hour(1000.0, 600.0, 380.0), tree=tree).verdicts.level.tolist() == [Level.UNKNOWN]


def test_an_hour_waits_for_its_slow_meters():
    limits, late = NOTHING, samples_of({2: [(0, 380.0)]})
    first, waiting = balance_residual(
        hour(1000.0, 600.0), FEEDER, limits, no_samples(), HOUR, ripens_after_us=2 * HOUR
    )
    assert first.verdicts.row.size == 0
    second, waiting = balance_residual(late, FEEDER, limits, waiting, 2 * HOUR, ripens_after_us=2 * HOUR)
    assert second.verdicts.level.tolist() == [Level.BREACH]
    assert waiting.row.size == 0


def test_nothing_is_said_of_a_parent_of_which_nothing_came():
    found = judged(samples_of({0: [(0, 10.0)], 1: [(0, 10.0)]}), BalanceLimits(np.zeros(2), np.zeros(2)), TWO)
    assert found.verdicts.row.tolist() == [0]


@given(
    samples=many_samples(
        rows=4, span_us=12 * HOUR, step_us=HOUR, values=st.sampled_from([0.0, 50.0, 100.0, 101.0, float("nan")])
    ),
    ends=cuts(16 * HOUR),
)
@settings(max_examples=50)
def test_in_steps_is_as_at_once(samples, ends):
    limits = BalanceLimits(np.array([0.01, 0.0]), np.array([1.0, 5.0]))

    def judge(start, end, waiting):
        found, waiting = balance_residual(
            between(samples, start, end), TWO, limits, waiting, end, ripens_after_us=2 * HOUR
        )
        return found.verdicts, waiting

    at_once = in_steps(judge, no_samples(), ends[-1:])
    assert_same(in_steps(judge, no_samples(), ends), at_once)
    assert at_once.row.size == sum(
        len({t for r, t in zip(samples.row.tolist(), samples.time_us.tolist(), strict=True) if r in own})
        for own in ({0, 1, 2}, {2, 3})
    )
