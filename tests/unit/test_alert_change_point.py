"""Cumulative sums on residuals: what they find, what does not stir them, and that steps make no difference."""

from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from smartpark_analytics.alerts.change_point import (
    bounded_sums,
    fit_level,
    fresh_change,
    judge_change,
    standardise,
)
from smartpark_analytics.alerts.samples import Level, Samples, Verdicts

MINUTE = 60_000_000


def one_row(value, *, every=MINUTE):
    value = np.asarray(value, np.float64)
    return Samples(np.zeros(len(value), np.int64), np.arange(len(value)) * every, value)


def judged(samples, carry=None, *, rows=1, **given):
    chosen = {"drift": 0.5, "threshold": 8.0, "clear_threshold": 2.0, "bound": 12.0, "cut": 4.0, **given}
    arrays = {name: np.full(rows, value) for name, value in chosen.items()}
    return judge_change(
        samples, carry or fresh_change(rows), **arrays, max_gap_us=np.full(rows, 60 * MINUTE, np.int64)
    )


def test_a_level_that_rose_by_two_spreads_is_found_soon():
    noise = np.random.default_rng(0).normal(size=600)
    noise[300:] += 2.0
    found, _ = judged(one_row(noise))
    breaches = np.flatnonzero(found.level == Level.BREACH)
    assert 300 <= breaches[0] < 315
    assert found.value[breaches[0]] > 0
    assert found.limit[breaches[0]] == 8.0


def test_a_level_that_fell_says_so_by_its_sign():
    found, _ = judged(one_row(-2.0 * np.ones(20)))
    assert found.level[-1] == Level.BREACH
    assert found.value[-1] < 0
    assert found.limit[-1] == -8.0


def test_a_lone_spike_raises_nothing_and_a_long_change_is_over_in_bounded_time():
    spike = np.zeros(50)
    spike[20] = 1e6
    found, _ = judged(one_row(spike))
    assert not (found.level == Level.BREACH).any()
    back, _ = judged(one_row(np.concatenate([np.full(5000, 3.0), np.zeros(21)])))
    assert back.level[4999] == Level.BREACH
    assert back.level[-1] == Level.CLEAR  # (12 - 2) / 0.5 samples later


def test_missing_is_unknown_and_changes_nothing():
    value = np.array([2.0, np.nan, 2.0, np.nan, 2.0])
    found, _ = judged(one_row(value))
    assert found.level[[1, 3]].tolist() == [Level.UNKNOWN] * 2
    assert np.isnan(found.value[[1, 3]]).all()
    assert found.value[4] == 3 * 1.5


def test_after_a_long_silence_sums_begin_anew():
    early, late = one_row(np.full(5, 2.0)), one_row(np.full(5, 2.0))
    samples = Samples(
        np.zeros(10, np.int64), np.concatenate([early.time_us, late.time_us + 100 * MINUTE]), np.full(10, 2.0)
    )
    found, _ = judged(samples)
    assert found.value[4] == 7.5
    assert found.value[5] == 1.5


def test_a_level_is_learnt_robustly_and_refused_where_too_little_is_known():
    rng = np.random.default_rng(1)
    value = np.concatenate([rng.normal(50, 3, 400), np.full(20, 1e9), [1.0, 2.0]])
    row = np.repeat([0, 1], [420, 2])
    samples = Samples(row, np.arange(422), value)
    profile = fit_level(samples, floor=np.array([0.1, 0.1]))
    assert abs(profile.middle[0] - 50) < 1
    assert abs(profile.spread[0] - 3) < 0.6
    assert np.isnan(profile.middle[1])
    assert np.isnan(standardise(samples, profile).value[-2:]).all()


def plain_sums(row, step, bound, anew, start):
    """The same, one after another."""
    now, found = start.copy(), []
    for r, s, b, a in zip(row, step, bound, anew, strict=True):
        now[r] = min(max((0 if a else now[r]) + s, 0), b)
        found.append(now[r])
    return np.array(found, np.int64)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 200))
def test_sums_by_doubling_are_sums_one_after_another(seed, n):
    rng = np.random.default_rng(seed)
    row = np.sort(rng.integers(0, 3, n))
    step, bound = rng.integers(-9, 10, n), np.array([5, 12, 40])[row]
    anew, start = rng.random(n) < 0.05, rng.integers(0, 5, 3)
    np.testing.assert_array_equal(
        bounded_sums(row, step, bound, anew, start), plain_sums(row, step, bound, anew, start)
    )


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 150), st.lists(st.integers(0, 400), max_size=6))
def test_judging_in_steps_comes_to_judging_at_once(seed, n, cuts):
    rng = np.random.default_rng(seed)
    key = np.sort(rng.choice(3 * 400, n, replace=False))
    value = rng.normal(0.3, 1.5, n)
    value[rng.random(n) < 0.1] = np.nan
    samples = Samples(key // 400, (key % 400) * 20 * MINUTE, value)
    once, whole = judged(samples, rows=3)
    carry, parts = fresh_change(3), []
    edges = [-1, *sorted(c * 20 * MINUTE for c in cuts), 10**18]
    for begin, end in pairwise(edges):
        mine = (samples.time_us > begin) & (samples.time_us <= end)
        found, carry = judged(Samples(*(column[mine] for column in samples)), carry, rows=3)
        parts.append(found)
    merged = [np.concatenate(columns) for columns in zip(*parts, strict=True)]
    order = np.lexsort((merged[1], merged[0]))
    steps = Verdicts(*(column[order] for column in merged))
    for mine, theirs in zip((*once, *whole), (*steps, *carry), strict=True):
        np.testing.assert_array_equal(mine, theirs)
