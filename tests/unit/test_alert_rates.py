"""Rates of change: over the span asked for, by the time that really went by."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from smartpark_analytics.alerts import limits, rates
from smartpark_analytics.alerts.samples import Level, Samples

MINUTE = rates.MINUTE_US
ROWS = 3


def at(times, values, *, row=0) -> Samples:
    return Samples(np.full(len(times), row, np.int64), np.array(times, np.int64), np.array(values, np.float64))


def band(fall, rise) -> limits.Limits:
    return limits.band(np.full(ROWS, fall), np.full(ROWS, rise))


def judged(samples, fall=-100.0, rise=100.0, **options):
    chosen = {"span_us": 2 * MINUTE, "per_us": MINUTE} | options
    return rates.judge(samples, rates.fresh_carry(ROWS), band(fall, rise), **chosen)[0]


def test_rising_and_falling_have_limits_of_their_own():
    found = judged(at(np.arange(7) * MINUTE, [0, 5, 10, 30, 30, 20, 0]), fall=-12, rise=10)
    assert found.value.tolist()[2:] == [5, 12.5, 10, -5, -15]
    assert found.level.tolist()[2:] == [Level.CLEAR, Level.BREACH, Level.CLEAR, Level.CLEAR, Level.BREACH]
    assert found.limit[3] == 10
    assert found.limit[6] == -12


def test_samples_that_come_a_little_early_or_late_do_not_change_the_rate():
    generator = np.random.default_rng(1)
    times = np.arange(60) * MINUTE + generator.integers(-5_000_000, 5_000_000, 60)
    found = judged(at(times, times / MINUTE * 3.0))
    np.testing.assert_allclose(found.value[3:], 3.0)


def test_without_a_sample_near_the_begin_of_the_span_the_rate_is_not_known():
    found = judged(at(np.array([0, 1, 10, 11, 12]) * MINUTE, [0, 1, 500, 501, 502]))
    assert found.level.tolist() == [Level.UNKNOWN, 0, Level.UNKNOWN, 0, 0]
    strict = judged(at(np.array([0, 1, 10, 11, 12]) * MINUTE, [0, 1, 500, 501, 502]), slack_us=MINUTE // 2)
    assert strict.level.tolist() == [-1, -1, -1, -1, 0]


def test_values_that_are_not_known_are_no_base():
    found = judged(at(np.arange(4) * MINUTE, [0, np.nan, np.nan, 30]), slack_us=MINUTE)
    assert found.level.tolist() == [-1, -1, -1, 0]
    assert found.value[3] == 10


def test_the_slack_must_be_less_than_the_span():
    with pytest.raises(ValueError, match="slack_us of row 0"):
        judged(at([0], [0]), slack_us=2 * MINUTE)
    with pytest.raises(ValueError, match="slack_us of row 0"):
        judged(at([0], [0]), span_us=0)


def test_repeated_samples_are_refused():
    _, carry = rates.judge(at([5], [1]), rates.fresh_carry(ROWS), band(-1, 1), span_us=MINUTE)
    with pytest.raises(ValueError, match="row 0 was judged up to 5 µs"):
        rates.judge(at([5], [1]), carry, band(-1, 1), span_us=MINUTE)


STREAM = st.lists(
    st.tuples(st.integers(0, ROWS - 1), st.integers(1, 9), st.integers(-9, 9).map(float) | st.just(np.nan)),
    max_size=40,
)


def flat(stream) -> Samples:
    clock, out = [0] * ROWS, []
    for row, distance, value in stream:
        clock[row] += distance
        out.append((row, clock[row], value))
    out.sort(key=lambda one: one[:2])
    row, time, value = zip(*out, strict=True) if out else [()] * 3
    return Samples(np.array(row, np.int64), np.array(time, np.int64), np.array(value, np.float64))


def slow(samples, span, slack) -> list[float]:
    out = []
    for row, time, value in zip(*(column.tolist() for column in samples), strict=True):
        past = [
            (abs(time - span - when), when, what)
            for of, when, what in zip(*(column.tolist() for column in samples), strict=True)
            if of == row and when < time and not np.isnan(what) and abs(time - span - when) <= slack
        ]
        rate = (value - min(past)[2]) / (time - min(past)[1]) if past else np.nan
        out.append(rate)
    return out


@settings(max_examples=200)
@given(STREAM, st.integers(2, 25), st.integers(0, 24), st.lists(st.integers(0, 60), max_size=5))
def test_in_steps_and_at_once_it_does_what_the_slow_model_does(stream, span, slack, cuts):
    samples, slack = flat(stream), min(slack, span - 1)
    chosen = {"span_us": span, "slack_us": slack, "per_us": 1}
    whole, _ = rates.judge(samples, rates.fresh_carry(ROWS), band(-1.0, 1.0), **chosen)
    np.testing.assert_allclose(whole.value, slow(samples, span, slack))
    carry, parts = rates.fresh_carry(ROWS), []
    for low, high in pairwise([0, *sorted(cuts), 10**6]):
        inside = (samples.time_us >= low) & (samples.time_us < high)
        part = Samples(*(column[inside] for column in samples))
        found, carry = rates.judge(part, carry, band(-1.0, 1.0), **chosen)
        parts += zip(*(column.tolist() for column in found), strict=True)
        assert carry.recent.row.size <= samples.row.size
    np.testing.assert_equal(sorted(parts), list(zip(*(column.tolist() for column in whole), strict=True)))


def test_what_is_remembered_is_no_more_than_a_span():
    samples = at(np.arange(1000) * MINUTE, np.zeros(1000))
    _, carry = rates.judge(samples, rates.fresh_carry(ROWS), band(-1, 1), span_us=10 * MINUTE)
    assert carry.recent.row.size == 16
    assert rates.lookback_us(10 * MINUTE) == 15 * MINUTE
    assert rates.lookback_us([10, 20], [1, 2]) == 22
