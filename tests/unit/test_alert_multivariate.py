"""Channels of one device together: what the distance sees, what it refuses, and that steps make no difference."""

from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from smartpark_analytics.alerts.multivariate import (
    Vectors,
    channels_away,
    fit_channels,
    fresh_channels,
    judge_channels,
)
from smartpark_analytics.alerts.samples import Level, Verdicts

SECOND = 1_000_000
WINDOW = 5


def pumps(n, *, rows=1, seed=0, start=0):
    """Power, flow that follows it, and a temperature of its own."""
    rng = np.random.default_rng(seed)
    row = np.repeat(np.arange(rows), n)
    power = 50 * (row + 1) + rng.normal(0, 5, n * rows)
    flow = 2 * power + rng.normal(0, 1.5, n * rows)
    values = np.stack([power, flow, rng.normal(60, 2, n * rows)], axis=1)
    return Vectors(row, np.tile(start + np.arange(n), rows) * SECOND, values)


def fitted(train, rows=1, **given):
    return fit_channels(train, rows, window=WINDOW, max_age_us=60 * SECOND, **given)


def judged(vectors, profile, *, rows=1, cuts=(), limit=2.0):
    carry, parts = fresh_channels(rows, vectors.values.shape[1], WINDOW), []
    for begin, end in pairwise([-1, *sorted(cuts), 10**18]):
        mine = (vectors.time_us > begin) & (vectors.time_us <= end)
        part = Vectors(*(column[mine] for column in vectors))
        found, carry = judge_channels(
            part,
            profile,
            carry,
            limit=np.full(rows, limit),
            clear_limit=np.full(rows, 0.8 * limit),
            max_age_us=60 * SECOND,
        )
        parts.append(found)
    merged = [np.concatenate(columns) for columns in zip(*parts, strict=True)]
    order = np.lexsort((merged[1], merged[0]))
    return Verdicts(*(column[order] for column in merged)), carry


def test_channels_that_part_are_a_breach_though_each_is_in_its_usual_range():
    profile = fitted(pumps(2000), shrink=0.1)
    coming = pumps(40, seed=1, start=3000)
    coming.values[20:, 0] = 58.0  # both within two spreads, but never together
    coming.values[20:, 1] = 86.0
    found, _ = judged(coming, profile, limit=1.5)
    assert (found.level[:20] != Level.BREACH).all()
    assert (found.level[26:] == Level.BREACH).all()
    alone = fitted(Vectors(*(c[:2000] for c in pumps(2000))), shrink=1.0)
    apart, _ = judged(coming, alone, limit=1.5)
    assert found.value[-1] > 1.5 * apart.value[-1]


def test_a_glitch_is_averaged_away_and_a_state_is_not():
    profile = fitted(pumps(2000))
    coming = pumps(60, seed=2, start=3000)
    coming.values[10, 2] += 12.0  # six spreads, once
    coming.values[30:, 2] += 12.0
    found, _ = judged(coming, profile)
    assert (found.level[:30] != Level.BREACH).all()
    assert (found.level[35:] == Level.BREACH).all()
    away, _ = channels_away(coming, profile, fresh_channels(1, 3, WINDOW), max_age_us=60 * SECOND)
    assert np.abs(away[-1]).argmax() == 2


def test_outliers_in_training_hardly_move_what_is_usual():
    clean, spoilt = pumps(2000), pumps(2000)
    spoilt.values[100:130] *= 40
    mine, theirs = fitted(clean), fitted(spoilt)
    np.testing.assert_allclose(theirs.spread, mine.spread, rtol=0.1)
    np.testing.assert_allclose(theirs.correlation, mine.correlation, atol=0.1)
    np.testing.assert_allclose(theirs.usual, mine.usual, rtol=0.1)


def test_a_stretch_of_glitches_in_training_does_not_hide_a_fault_later():
    spoilt = pumps(400)
    spoilt.values[200:220, 2] += 60.0
    coming = pumps(40, seed=6, start=3000)
    coming.values[10:, 0] += 40.0
    found, _ = judged(coming, fitted(spoilt))
    assert (found.level[:10] != Level.BREACH).all()
    assert (found.level[16:] == Level.BREACH).all()


def test_what_is_usual_is_exceeded_by_few_in_a_hundred():
    # One, were the channels normal and independent; these two go closely together, so it is some more.
    profile = fitted(pumps(20_000))
    found, _ = judged(pumps(20_000, seed=8, start=30_000), profile)
    assert 0.003 < (found.value > 1.0).mean() < 0.06


def test_a_missing_channel_leaves_the_others_to_judge_and_too_few_are_unknown():
    profile = fitted(pumps(2000))
    coming = pumps(30, seed=3, start=3000)
    coming.values[:, 2] = np.nan
    coming.values[15:, 1] -= 30.0
    found, _ = judged(coming, profile)
    assert (found.level[:15] == Level.CLEAR).any()
    assert (found.level[20:] == Level.BREACH).all()
    coming.values[:, 1] = np.nan  # one of three is left
    blind, _ = judged(coming, profile)
    assert (blind.level == Level.UNKNOWN).all()


def test_a_short_training_knows_nothing():
    profile = fitted(pumps(50))
    found, _ = judged(pumps(5, start=100), profile)
    assert (found.level == Level.UNKNOWN).all()


def test_after_a_silence_a_mean_begins_anew():
    profile = fitted(pumps(2000))
    before, after = pumps(10, seed=4, start=3000), pumps(1, seed=5, start=9000)
    before.values[:, 2] += 100.0
    both = Vectors(*(np.concatenate(columns) for columns in zip(before, after, strict=True)))
    found, _ = judged(both, profile)
    alone, _ = judged(after, profile)
    assert found.level[9] == Level.BREACH
    assert found.value[-1] == alone.value[-1]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 80), st.lists(st.integers(0, 300), max_size=6))
def test_judging_in_steps_comes_to_judging_at_once(seed, n, cuts):
    profile = fitted(pumps(300, rows=3, seed=seed), rows=3)
    rng = np.random.default_rng(seed)
    full = pumps(300, rows=3, seed=seed + 1)
    kept = np.sort(rng.choice(900, n, replace=False))
    vectors = Vectors(*(column[kept] for column in full))
    vectors.values[rng.random(vectors.values.shape) < 0.2] = np.nan
    once, whole = judged(vectors, profile, rows=3)
    steps, carry = judged(vectors, profile, rows=3, cuts=[cut * SECOND for cut in cuts])
    for mine, theirs in zip((*once, *whole), (*steps, *carry), strict=True):
        np.testing.assert_array_equal(mine, theirs)
