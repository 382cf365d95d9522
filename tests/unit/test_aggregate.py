"""Sums of intervals over hours and days: what is missing stays visible."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from smartpark_analytics import combined_estimated_share, period_sums

HOURS = np.repeat(np.arange(3), 4)
QUARTERS = np.full(3, 4)


def sums(amount, completeness=None, estimated=None):
    whole = np.ones_like(amount) if completeness is None else completeness
    none = np.zeros_like(amount) if estimated is None else estimated
    return period_sums(amount, whole, none, HOURS, QUARTERS)


def test_an_hour_without_any_known_interval_has_no_sum():
    result = sums(np.array([[1.0] * 4 + [np.nan] * 4 + [2.0] * 4]))
    assert np.array_equal(result.amount, [[4.0, np.nan, 8.0]], equal_nan=True)
    assert result.completeness.tolist() == [[1.0, 0.0, 1.0]]


def test_a_partly_known_hour_is_the_sum_of_what_is_known_with_its_completeness():
    result = sums(np.array([[1.0, np.nan, np.nan, 1.0] + [0.0] * 8]))
    assert result.amount[0, 0] == 2.0
    assert result.completeness[0, 0] == 0.5


def test_zero_is_a_value():
    result = sums(np.zeros((1, 12)))
    assert result.amount.tolist() == [[0.0, 0.0, 0.0]]
    assert result.completeness.tolist() == [[1.0, 1.0, 1.0]]


def test_a_period_in_progress_is_measured_against_the_whole_period():
    result = period_sums(np.ones((1, 2)), np.ones((1, 2)), np.zeros((1, 2)), np.zeros(2, np.int64), np.array([96]))
    assert result.completeness.tolist() == [[2 / 96]]


def test_intervals_that_are_themselves_incomplete_lower_the_completeness():
    result = sums(np.ones((1, 12)), completeness=np.full((1, 12), 0.75))
    assert result.completeness.tolist() == [[0.75, 0.75, 0.75]]


def test_the_estimated_share_is_weighted_by_amount():
    amount = np.array([[9.0, 1.0, 0.0, np.nan] + [0.0] * 8])
    result = sums(amount, estimated=np.array([[0.0, 1.0, 1.0, 1.0] + [1.0] * 8]))
    assert result.estimated_share.tolist() == [[0.1, 0.0, 0.0]]


@given(amount=arrays(np.float64, (2, 12), elements=st.one_of(st.floats(0, 1e6), st.just(np.nan))))
def test_hours_add_up_to_the_day(amount):
    hours = sums(amount)
    day = period_sums(amount, np.ones((2, 12)), np.zeros((2, 12)), np.zeros(12, np.int64), np.array([12]))
    assert np.nansum(hours.amount, axis=1) == pytest.approx(np.nan_to_num(day.amount[:, 0]))
    assert hours.completeness.mean(axis=1) == pytest.approx(day.completeness[:, 0])


def test_shares_of_a_sum_weigh_contributions_whatever_their_sign():
    amount, share = np.array([[30.0, np.nan], [-10.0, 0.0]]), np.array([[0.0, 1.0], [1.0, 1.0]])
    assert combined_estimated_share(amount, share).tolist() == [0.25, 0.0]


@given(
    amount=arrays(np.float64, (2, 12), elements=st.one_of(st.just(np.nan), st.integers(-9, 9).map(float))),
    seed=st.integers(0, 99),
)
def test_the_order_of_the_intervals_does_not_matter(amount, seed):
    shuffled = np.random.default_rng(seed).permutation(12)
    whole, none = np.ones((2, 12)), np.full((2, 12), 0.25)
    in_order = period_sums(amount, whole, none, HOURS, QUARTERS)
    mixed = period_sums(amount[:, shuffled], whole, none, HOURS[shuffled], QUARTERS)
    for name in ("amount", "completeness", "estimated_share"):
        assert np.array_equal(getattr(in_order, name), getattr(mixed, name), equal_nan=True)


def test_a_period_without_any_interval_is_not_known():
    result = period_sums(np.ones((1, 4)), np.ones((1, 4)), np.zeros((1, 4)), np.array([0, 0, 2, 2]), np.full(3, 2))
    assert np.array_equal(result.amount, [[2.0, np.nan, 2.0]], equal_nan=True)
