"""Means over several spans against their tails: what departs, what does not, and that steps make no difference."""

from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from smartpark_analytics.alerts.departure import fit_departure, fresh_departure, judge_departure
from smartpark_analytics.alerts.samples import Level, Samples, Verdicts

MINUTE = 60_000_000
WINDOWS = (1, 12)
AGE = 60 * MINUTE


def series(value, *, start=0):
    value = np.asarray(value, np.float64)
    return Samples(np.zeros(len(value), np.int64), (start + np.arange(len(value))) * MINUTE, value)


def fitted(samples, *, floor=0.05, rows=1, **given):
    return fit_departure(samples, floor=np.full(rows, floor), windows=WINDOWS, max_age_us=AGE, **given)


def judged(samples, profile, *, rows=1, cuts=(), limit=1.5):
    carry, parts = fresh_departure(rows, WINDOWS), []
    limits = np.full(rows, limit)
    for begin, end in pairwise([-1, *sorted(cuts), 10**18]):
        mine = (samples.time_us > begin) & (samples.time_us <= end)
        part = Samples(*(column[mine] for column in samples))
        found, carry = judge_departure(part, profile, carry, limit=limits, clear_limit=0.8 * limits, max_age_us=AGE)
        parts.append(found)
    merged = [np.concatenate(columns) for columns in zip(*parts, strict=True)]
    order = np.lexsort((merged[1], merged[0]))
    return Verdicts(*(column[order] for column in merged)), carry


def test_a_glitch_and_a_shift_are_each_found_by_their_own_span():
    rng = np.random.default_rng(0)
    profile = fitted(series(rng.normal(20, 2, 4000)))
    value = rng.normal(20, 2, 200)
    value[50] = 40.0
    value[120:] += 4.0
    found, _ = judged(series(value, start=5000), profile)
    breaches = np.flatnonzero(found.level == Level.BREACH)
    assert breaches[0] == 50
    assert 120 < breaches[breaches > 62][0] < 140
    assert found.value[-1] > 0
    assert found.limit[-1] == 1.5


def test_heavy_tails_widen_the_bounds_by_themselves():
    rng = np.random.default_rng(1)
    calm, wild = rng.normal(0, 1, 6000), rng.standard_t(2, 6000)
    share = [
        (judged(series(rest, start=9000), fitted(series(train)))[0].level == Level.BREACH).mean()
        for train, rest in ((calm[:4000], calm[4000:]), (wild[:4000], wild[4000:]))
    ]
    assert max(share) < 0.02
    spikes, _ = judged(series([8.0], start=9000), fitted(series(calm[:4000])))
    assert spikes.level[0] == Level.BREACH
    spikes, _ = judged(series([8.0], start=9000), fitted(series(wild[:4000])))
    assert spikes.level[0] != Level.BREACH


def test_a_fall_is_negative_on_both_sides():
    profile = fitted(series(np.random.default_rng(2).normal(20, 2, 4000)))
    found, _ = judged(series([0.0], start=9000), profile)
    assert found.value[0] < found.limit[0] == -1.5


def test_what_never_moved_needs_a_floor():
    flat = series(np.full(1000, 7.0))
    blind, _ = judged(series([9.0], start=2000), fitted(flat, floor=0.0))
    assert blind.level[0] == Level.UNKNOWN
    seen, _ = judged(series([7.05, 9.0], start=2000), fitted(flat, floor=0.1))
    assert seen.level.tolist() == [Level.CLEAR, Level.BREACH]


def test_missing_is_unknown_and_short_training_too():
    rng = np.random.default_rng(3)
    profile = fitted(series(rng.normal(20, 2, 4000)))
    found, _ = judged(series([20.0, np.nan, 20.0], start=9000), profile)
    assert found.level.tolist() == [Level.CLEAR, Level.UNKNOWN, Level.CLEAR]
    young, _ = judged(series([99.0], start=9000), fitted(series(rng.normal(20, 2, 100))))
    assert young.level[0] == Level.UNKNOWN


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 120), st.lists(st.integers(0, 300), max_size=6))
def test_judging_in_steps_comes_to_judging_at_once(seed, n, cuts):
    rng = np.random.default_rng(seed)
    history = Samples(np.repeat([0, 1, 2], 300), np.tile(np.arange(300) * MINUTE, 3), rng.normal(5, 1, 900))
    profile = fitted(history, rows=3)
    kept = np.sort(rng.choice(900, n, replace=False))
    value = rng.normal(5.5, 1.5, n)
    value[rng.random(n) < 0.15] = np.nan
    samples = Samples(history.row[kept], history.time_us[kept] + 10_000 * MINUTE, value)
    once, whole = judged(samples, profile, rows=3)
    steps, carry = judged(samples, profile, rows=3, cuts=[(10_000 + cut) * MINUTE for cut in cuts])
    for mine, theirs in zip((*once, *whole), (*steps, *carry), strict=True):
        np.testing.assert_array_equal(mine, theirs)
