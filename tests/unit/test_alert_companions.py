"""What detectors share: companions, samples that wait, sums that forget; each against a plain loop."""

import doctest
import importlib

import numpy as np
import pytest
from alert_steps import between, cuts, many_samples, series_of
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from smartpark_analytics.alerts.companions import as_of, latest_after, nothing_yet
from smartpark_analytics.alerts.recursion import forgetting_sum, sums_in_runs
from smartpark_analytics.alerts.samples import NOT_YET_US, Samples
from smartpark_analytics.alerts.waiting import joined, no_samples

VALUES = st.sampled_from([1.0, 2.0, 3.0, float("nan")])
MODULES = (
    "balance_residual",
    "companions",
    "demand_warning",
    "electrical",
    "night_base",
    "night_expected",
    "recursion",
    "stack_hour_so_far",
    "stack_limits",
    "transformer_load",
    "waiting",
)


@pytest.mark.parametrize("name", MODULES)
def test_examples_of_detectors_hold(name):
    assert doctest.testmod(importlib.import_module(f"smartpark_analytics.alerts.{name}")).failed == 0


def companion(samples, row, time, max_age):
    """The same, by looking through everything."""
    before = [
        (t, v)
        for r, t, v in zip(samples.row.tolist(), samples.time_us.tolist(), samples.value.tolist(), strict=True)
        if r == row and time - max_age <= t <= time
    ]
    return max(before)[1] if before else float("nan")


@given(
    samples=many_samples(rows=3, span_us=50, step_us=1, values=VALUES),
    asked=st.lists(st.tuples(st.integers(0, 2), st.integers(0, 60)), max_size=20),
    max_age=st.integers(0, 30),
    ends=cuts(61),
)
@settings(max_examples=80)
def test_a_companion_is_the_newest_that_is_fresh(samples, asked, max_age, ends):
    expected = [companion(samples, row, time, max_age) for row, time in asked]
    found, latest, start = np.full(len(asked), np.nan), nothing_yet(3), 0
    row, time = (np.array([pair[n] for pair in asked], np.int64) for n in (0, 1))
    for end in ends:
        step, inside = between(samples, start, end), (time >= start) & (time < end)
        found[inside] = as_of(step, row[inside], time[inside], latest, max_age_us=max_age)
        latest, start = latest_after(latest, step), end
    np.testing.assert_array_equal(found, np.array(expected))


def test_nobody_is_fresh_before_speaking():
    empty = no_samples()
    one = np.zeros(1, np.int64)
    assert np.isnan(as_of(empty, one, np.array([NOT_YET_US + 5]), nothing_yet(1), max_age_us=10**18)).all()


def test_of_two_samples_of_an_instant_the_newer_counts():
    old = series_of([1.0, 2.0], 10)
    new = Samples(np.zeros(1, np.int64), np.array([10]), np.array([np.nan]))
    assert np.isnan(joined(old, new).value).tolist() == [False, True]


@given(
    keep=arrays(np.float64, 25, elements=st.floats(0, 1)),
    add=arrays(np.float64, 25, elements=st.floats(-100, 100)),
    sizes=st.lists(st.integers(0, 12), min_size=1, max_size=5),
)
def test_a_forgetting_sum_is_that_of_a_loop(keep, add, sizes):
    row = np.repeat(np.arange(len(sizes)), sizes)[:25]
    before = np.arange(len(sizes), dtype=np.float64)
    last, expected = before.copy(), []
    for place, r in enumerate(row):
        last[r] = keep[place] * last[r] + add[place]
        expected.append(last[r])
    found = forgetting_sum(keep[: row.size], add[: row.size], row, before)
    assert found == pytest.approx(np.array(expected), rel=1e-12, abs=1e-12)


@given(values=arrays(np.int64, 20, elements=st.integers(-(2**62), 2**62)), starts=st.sets(st.integers(1, 19)))
def test_sums_in_runs_are_exact(values, starts):
    # The sum of all may be too large for an integer; that of a run must fit.
    values = values // 20
    is_start = np.isin(np.arange(20), [0, *starts])
    expected = [int(values[max(s for s in {0, *starts} if s <= n) : n + 1].sum()) for n in range(20)]
    assert sums_in_runs(values, is_start).tolist() == expected
