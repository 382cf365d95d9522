"""Quantiles of many groups at once are those of each by itself."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from smartpark_analytics.alerts.robust import grouped_middle_and_spread, grouped_quantile


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 200), st.sampled_from([0.0, 0.5, 0.9, 0.999, 1.0]))
def test_quantiles_of_groups_are_those_of_each(seed, n, share):
    rng = np.random.default_rng(seed)
    # Groups beyond sixteen bits, and many equal values.
    group = rng.choice([0, 1, 5, 65_535, 65_536, 70_001], n)
    value = rng.integers(-5, 6, n) * rng.choice([1.0, 0.25], n)
    found = grouped_quantile(group, value, 70_003, share)
    assert np.isnan(np.delete(found, np.unique(group))).all()
    for one in np.unique(group):
        np.testing.assert_allclose(found[one], np.quantile(value[group == one], share), atol=1e-12)


def test_a_group_without_median_deviation_takes_the_plain_one():
    value = np.array([4.0, 4, 4, 4, 9, 2, 2, 2])
    middle, spread = grouped_middle_and_spread(np.array([0, 0, 0, 0, 0, 2, 2, 2]), value, 3)
    assert middle[[0, 2]].tolist() == [4.0, 2.0]
    assert spread[0] == np.sqrt(25 / 5)
    assert np.isnan(spread[1:]).all()
