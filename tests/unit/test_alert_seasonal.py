"""The robust seasonal profile: what it learns, what it refuses to judge, and that steps make no difference."""

from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from smartpark_analytics.alerts.samples import Level, Samples, Verdicts
from smartpark_analytics.alerts.seasonal import fresh_seasonal, judge_seasonal, seasonal_lookback_us
from smartpark_analytics.alerts.seasonal_profile import Days, fit_seasonal, seasonal_gain, usual_values

HOUR = 3_600_000_000
DAY = 24 * HOUR
WORKED, REST = 0, 1


def days_of(n, *, weekend=True):
    """Two divisions: by weekday, then worked or rest."""
    weekday = np.arange(n) % 7
    rest = (weekday >= 5).astype(np.int64) if weekend else np.zeros(n, np.int64)
    return Days(np.arange(n + 1) * DAY, np.stack([weekday, rest]))


def factory(n_days, *, rows=1, seed=0):
    """Hourly load that follows the clock and rests at weekends, with a little noise."""
    time = np.tile(np.arange(n_days * 24) * HOUR, rows)
    row = np.repeat(np.arange(rows), n_days * 24)
    hour, weekday = (time // HOUR) % 24, (time // DAY) % 7
    worked = (weekday < 5) & (hour >= 8) & (hour < 18)
    noise = np.random.default_rng(seed).normal(0, 2.0, len(time))
    return Samples(row, time, np.where(worked, 100.0, 20.0) * (row + 1) + noise)


def judged(samples, profile, days, *, memory=24, cuts=(), rows=1, width=5.0):
    carry = fresh_seasonal(rows, memory)
    parts = []
    edges = [-np.inf, *sorted(cuts), np.inf]
    for begin, end in pairwise(edges):
        mine = (samples.time_us > begin) & (samples.time_us <= end)
        part = Samples(samples.row[mine], samples.time_us[mine], samples.value[mine])
        widths = np.full(rows, width)
        found, carry = judge_seasonal(part, profile, days, carry, width=widths, clear_width=0.8 * widths)
        parts.append(found)
    merged = [np.concatenate(columns) for columns in zip(*parts, strict=True)]
    order = np.lexsort((merged[1], merged[0]))
    return Verdicts(*(column[order] for column in merged)), carry


def test_a_load_that_is_usual_by_day_is_a_breach_by_night():
    history, days = factory(35), days_of(42)
    profile = fit_seasonal(history, days, floor=np.array([0.5]))
    coming = factory(42, seed=1)
    later = coming.time_us >= 35 * DAY
    value = coming.value[later].copy()
    value[2] = 100.0  # two in the morning of a Monday
    found, _ = judged(Samples(coming.row[later], coming.time_us[later], value), profile, days)
    assert np.flatnonzero(found.level == Level.BREACH).tolist() == [2]
    assert 20 < found.limit[2] < 45
    assert found.value[2] == 100.0


def test_outliers_in_the_history_do_not_widen_the_band():
    history, days = factory(35), days_of(35)
    spoilt = history.value.copy()
    spoilt[np.random.default_rng(5).choice(len(spoilt), len(spoilt) // 20, replace=False)] *= 50
    clean = fit_seasonal(history, days, floor=np.array([0.5]))
    robust = fit_seasonal(history._replace(value=spoilt), days, floor=np.array([0.5]))
    night = (slice(None), 0, slice(None), slice(1, 6))
    # One value in twenty is fifty times too great; a standard deviation would grow a hundredfold.
    assert np.nanmedian(robust.spread[night] / clean.spread[night]) < 1.3
    assert np.nanmax(robust.spread[night]) < 8.0
    assert np.nanmax(np.abs(robust.middle[night] - clean.middle[night])) < 3.0


def test_a_coarser_division_answers_where_the_finer_has_too_few_days():
    # Ten days: each weekday was there once or twice, worked days at least six times.
    history, days = factory(10), days_of(14)
    profile = fit_seasonal(history, days, floor=np.array([0.5]), min_days=3)
    assert np.isnan(profile.middle[0]).all()
    monday_noon = Samples(np.array([0]), np.array([7 * DAY + 12 * HOUR]), np.array([100.0]))
    middle, _ = usual_values(monday_noon, profile, days)
    assert abs(middle[0] - 100) < 5


def test_nothing_comparable_nothing_said():
    history, days = factory(35), days_of(35)
    profile = fit_seasonal(history, days, floor=np.array([0.5, 0.5]))
    odd = Samples(np.array([0, 0, 1]), np.array([3 * HOUR, 99 * DAY, 3 * HOUR]), np.array([np.nan, 20.0, 20.0]))
    found, _ = judged(odd, profile, days, rows=2)
    # No value; a day nobody spoke of; a row without history.
    assert found.level.tolist() == [Level.UNKNOWN] * 3


def test_a_kind_of_day_that_the_history_did_not_have_is_not_judged_by_another():
    history = factory(35)
    plain = Days(np.arange(36) * DAY, np.zeros((1, 35), np.int64))
    profile = fit_seasonal(history, plain, floor=np.array([0.5]))
    festival = Days(np.arange(36) * DAY, np.full((1, 35), 4))
    found, _ = judged(history, profile, festival)
    assert (found.level == Level.UNKNOWN).all()


def test_a_series_without_any_spread_needs_a_floor():
    time = np.arange(240) * HOUR
    flat, days = Samples(np.zeros(240, np.int64), time, np.full(240, 7.0)), days_of(10, weekend=False)
    assert np.isnan(fit_seasonal(flat, days, floor=np.array([0.0])).middle).all()
    assert np.nanmax(fit_seasonal(flat, days, floor=np.array([0.25])).spread) == 0.25


def test_the_level_follows_slow_drift_but_not_a_great_fault():
    history, days = factory(35), days_of(70)
    profile = fit_seasonal(history, days, floor=np.array([0.5]))
    coming = factory(70, seed=2)
    later = coming.time_us >= 35 * DAY
    part = Samples(coming.row[later], coming.time_us[later], coming.value[later])
    hours = np.arange(later.sum())
    drifting, _ = judged(part._replace(value=part.value + 0.012 * hours), profile, days)
    assert (drifting.level == Level.BREACH).mean() < 0.02  # ends 10 kW higher: five spreads
    broken, _ = judged(part._replace(value=part.value + 400.0), profile, days)
    assert (broken.level == Level.BREACH).all()


def test_the_carry_is_rebuilt_from_the_history_it_asks_for():
    history, days = factory(35), days_of(35)
    profile = fit_seasonal(history, days, floor=np.array([0.5]))
    whole, carry = judged(history, profile, days)
    newest = history.time_us[-1]
    recent = history.time_us > newest - seasonal_lookback_us(HOUR, 24)
    _, rebuilt = judged(Samples(*(column[recent] for column in history)), profile, days)
    for mine, theirs in zip(carry, rebuilt, strict=True):
        np.testing.assert_array_equal(mine, theirs)
    assert len(whole.level) == 35 * 24


def test_a_profile_is_of_use_where_the_clock_explains_something():
    clocked = factory(35, rows=2)
    rng = np.random.default_rng(7)
    value = np.where(clocked.row == 0, clocked.value, rng.normal(50, 5, len(clocked.value)))
    gain = seasonal_gain(clocked._replace(value=value), days_of(35), floor=np.array([0.5, 0.5, 0.5]))
    assert gain[0] < 0.8
    assert 0.9 < gain[1] < 1.3
    assert gain[2] == 1.0  # nothing is known of the third


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_judging_in_steps_comes_to_judging_at_once(data):
    seed = data.draw(st.integers(0, 10_000))
    rows, memory = data.draw(st.integers(1, 3)), data.draw(st.integers(1, 30))
    days = days_of(14)
    profile = fit_seasonal(factory(14, rows=rows, seed=seed), days, floor=np.full(rows, 0.5), min_days=2)
    rng = np.random.default_rng(seed + 1)
    full = factory(14, rows=rows, seed=seed + 1)
    kept = np.sort(rng.choice(len(full.row), data.draw(st.integers(0, 120)), replace=False))
    value = full.value[kept] + rng.normal(0, 15, len(kept))
    value[rng.random(len(kept)) < 0.1] = np.nan
    samples = Samples(full.row[kept], full.time_us[kept], value)
    cuts = data.draw(st.lists(st.integers(0, 14 * 24), max_size=6))
    once, carry = judged(samples, profile, days, memory=memory, rows=rows)
    steps, stepped = judged(samples, profile, days, memory=memory, rows=rows, cuts=[c * HOUR for c in cuts])
    for mine, theirs in zip((*once, *carry), (*steps, *stepped), strict=True):
        np.testing.assert_array_equal(mine, theirs)
