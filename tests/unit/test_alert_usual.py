"""Learning in slices of rows: the same as learning from all rows at once."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from smartpark_analytics.alerts.evaluating.usual import usual_departures, usual_levels
from smartpark_analytics.alerts.samples import Samples
from smartpark_analytics.alerts.seasonal_profile import Days

HOUR_US = 3_600_000_000
N_DAYS = 14
DAYS = Days(np.arange(N_DAYS + 1) * 24 * HOUR_US, np.stack([np.arange(N_DAYS) % 7 // 5, np.zeros(N_DAYS, np.int64)]))


def _history(rows: int, seed: int) -> Samples:
    """Hours of some rows with holes; a row may have nothing at all."""
    random = np.random.default_rng(seed)
    hours = np.arange(24 * N_DAYS)
    row, hour = np.divmod(
        np.flatnonzero(random.random(rows * hours.size) < random.choice([0.0, 0.5, 1.0])), hours.size
    )
    value = 50.0 * (row + 1) + 20.0 * np.sin(hour / 24 * 2 * np.pi) + random.normal(0, 3, row.size)
    value[random.random(row.size) < 0.05] = np.nan
    return Samples(row, hour * HOUR_US, value)


@settings(max_examples=25, deadline=None)
@given(rows=st.integers(0, 7), at_once=st.integers(1, 8), seed=st.integers(0, 10_000))
def test_slices_of_rows_learn_what_all_rows_learn_at_once(rows: int, at_once: int, seed: int) -> None:
    seen, resolution = _history(rows, seed), np.full(rows, 0.1)
    whole = usual_departures(
        seen, resolution, DAYS, windows=(1, 4), max_age_us=8 * HOUR_US, rows_at_once=max(rows, 1)
    )
    sliced = usual_departures(seen, resolution, DAYS, windows=(1, 4), max_age_us=8 * HOUR_US, rows_at_once=at_once)
    _hold_equal(sliced, whole)
    _hold_equal(
        usual_levels(seen, resolution, DAYS, rows_at_once=at_once),
        usual_levels(seen, resolution, DAYS, rows_at_once=max(rows, 1)),
    )


def _hold_equal(found: object, wanted: object) -> None:
    if isinstance(wanted, np.ndarray):
        np.testing.assert_array_equal(found, wanted)
    elif isinstance(wanted, tuple):
        assert isinstance(found, tuple)
        assert len(found) == len(wanted)
        for one, other in zip(found, wanted, strict=True):
            _hold_equal(one, other)
    else:
        assert found == wanted


def test_something_is_learnt() -> None:
    """So that the law above does not hold of nothing."""
    usual, departures = usual_departures(
        _history(9, 2), np.full(9, 0.1), DAYS, windows=(1, 4), max_age_us=8 * HOUR_US, rows_at_once=2
    )
    assert usual.helps.any()
    assert np.isfinite(departures.level.middle).any()
    assert np.isfinite(departures.tail).any()
