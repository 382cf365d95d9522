"""Forecasts of load: the laws they obey, what they rest on, and their score on real series."""

import gzip
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from smartpark_analytics.forecast import Basis, ForecastSettings, forecast_load
from smartpark_analytics.forecast_features import DayType
from smartpark_analytics.forecast_scores import (
    interval_coverage,
    mean_absolute_scaled_error,
    pinball_loss,
    seasonal_naive,
)

STEEL = Path(__file__).parents[1] / "data" / "load_steel" / "steel_2018_01_08_hourly.csv.gz"
SLOTS = 24
WEEK_TYPES = np.repeat(np.array([0, 0, 0, 0, 0, 1, 1], dtype=np.int8), SLOTS)
few = settings(max_examples=25, deadline=None)


def types_of(days: int) -> np.ndarray:
    return np.resize(WEEK_TYPES, days * SLOTS)


def noisy(seed: int, *, series: int = 2, days: int = 70) -> np.ndarray:
    """Weekly pattern with level that wanders and noise; kW."""
    random = np.random.default_rng(seed)
    week = 100 + 40 * np.sin(np.arange(7 * SLOTS) / 3.8) - 60 * WEEK_TYPES
    level = np.cumsum(random.normal(0, 2, (series, days)), axis=1).repeat(SLOTS, axis=1)
    return np.resize(week, days * SLOTS) + level + random.normal(0, 5, (series, days * SLOTS))


def ahead_of(history: np.ndarray, *, days: int = 3, **choices: object):
    types = types_of(history.shape[1] // SLOTS + days)
    return forecast_load(history, types, slots_per_day=SLOTS, settings=ForecastSettings(**choices))


# --- laws ---------------------------------------------------------------------------------------------------------


@few
@given(
    week=st.lists(st.floats(-1e6, 1e6), min_size=168, max_size=168), weeks=st.integers(1, 12), days=st.integers(1, 9)
)
def test_a_series_that_repeats_itself_every_week_goes_on_exactly(week: list[float], weeks: int, days: int):
    history = np.tile(np.array(week), weeks)[np.newaxis]
    found = ahead_of(history, days=days)
    expected = np.resize(np.array(week), days * SLOTS)
    tolerance = 1e-9 * max(1.0, np.abs(expected).max())
    assert found.median[0] == pytest.approx(expected, rel=1e-9, abs=tolerance)
    assert found.basis == (Basis.LEARNT if weeks >= 5 else Basis.PROFILE,)


@few
@given(seed=st.integers(0, 999), gaps=st.lists(st.integers(0, 69), max_size=6, unique=True))
def test_it_stays_exact_when_days_are_missing(seed: int, gaps: list[int]):
    week = np.random.default_rng(seed).uniform(10, 100, 7 * SLOTS)
    history = np.tile(week, 10)[np.newaxis].copy()
    for day in gaps:
        history[:, day * SLOTS : (day + 1) * SLOTS] = np.nan
    assert ahead_of(history).median[0] == pytest.approx(np.resize(week, 3 * SLOTS), rel=1e-9)


@few
@given(seed=st.integers(0, 999), factor=st.floats(1e-6, 1e6))
def test_scaling_the_history_scales_the_forecast(seed: int, factor: float):
    history = noisy(seed)
    assert ahead_of(history * factor).values == pytest.approx(ahead_of(history).values * factor, rel=1e-6)


@few
@given(seed=st.integers(0, 999), order=st.permutations(range(4)))
def test_a_series_is_forecast_for_itself_alone(seed: int, order: list[int]):
    history = noisy(seed, series=4)
    together = ahead_of(history).values
    assert ahead_of(history[list(order)]).values == pytest.approx(together[list(order)], rel=1e-9)
    assert ahead_of(history[1:2]).values == pytest.approx(together[1:2], rel=1e-9)


@few
@given(seed=st.integers(0, 999), older=st.integers(1, 3))
def test_what_is_older_than_it_learns_from_changes_nothing(seed: int, older: int):
    choices = {"training_days": 42, "profile_weeks": 2}
    history = noisy(seed, days=42 + 7 * 6)
    longer = np.concatenate([noisy(seed + 1, days=7 * older), history], axis=1)
    assert np.array_equal(ahead_of(longer, **choices).values, ahead_of(history, **choices).values)


@few
@given(seed=st.integers(0, 999), share=st.floats(0, 0.6))
def test_quantiles_are_in_order(seed: int, share: float):
    history = noisy(seed)
    history[np.random.default_rng(seed).random(history.shape) < share] = np.nan
    found = ahead_of(history, quantiles=(0.05, 0.25, 0.5, 0.75, 0.95)).values
    finite = np.isfinite(found).all(axis=2)
    assert (np.diff(found[finite], axis=-1) >= 0).all()


def test_history_is_not_touched_and_gaps_stay_gaps():
    history = noisy(1)
    history[0, 100:400] = np.nan
    before = history.copy()
    ahead_of(history)
    assert np.array_equal(history, before, equal_nan=True)


def test_a_gap_teaches_nothing():
    """Whatever stands in a gap is not there: a forecast from NaN differs from one that took zeros for readings."""
    history = noisy(5, series=1)
    history[:, 50 * SLOTS : 53 * SLOTS] = np.nan
    dropped = ahead_of(history).median
    zeroed = ahead_of(np.nan_to_num(history)).median
    whole = ahead_of(noisy(5, series=1)).median
    assert np.abs(dropped - whole).mean() < np.abs(zeroed - whole).mean()


def test_a_series_without_readings_has_no_forecast():
    history = np.full((2, 70 * SLOTS), np.nan)
    history[1] = noisy(1, series=1)[0]
    found = ahead_of(history)
    assert found.basis == (Basis.NONE, Basis.LEARNT)
    assert np.isnan(found.values[0]).all()
    assert np.isfinite(found.values[1]).all()


@pytest.mark.parametrize(
    ("days", "basis"), [(3, Basis.NONE), (14, Basis.PROFILE), (34, Basis.PROFILE), (35, Basis.LEARNT)]
)
def test_with_less_history_it_says_so_and_gives_less(days: int, basis: Basis):
    found = ahead_of(noisy(3, series=1, days=days))
    assert found.basis == (basis,)
    assert np.isfinite(found.median).all() == (basis is not Basis.NONE)
    assert np.isfinite(found.values).all() == (basis is Basis.LEARNT)


# --- the calendar -------------------------------------------------------------------------------------------------


def holidays_at(days: int, *special: tuple[int, DayType]) -> np.ndarray:
    types = types_of(days).reshape(days, SLOTS).copy()
    for day, kind in special:
        types[day] = kind
    return types.ravel()


def plant(types: np.ndarray) -> np.ndarray:
    """A plant that runs when people work: 100 kW on working and make-up days, 30 when off, 10 in the festival."""
    level = np.choose(types, [100.0, 30.0, 30.0, 100.0, 10.0])
    return (level + 10 * np.sin(np.arange(types.size) * 2 * np.pi / SLOTS))[np.newaxis]


def test_a_holiday_is_forecast_as_a_day_off_and_a_make_up_day_as_a_working_day():
    types = holidays_at(73, (70, DayType.HOLIDAY), (71, DayType.HOLIDAY), (72, DayType.WORKED))
    types[72 * SLOTS :] = DayType.MAKE_UP
    came = plant(types)
    found = forecast_load(came[:, : 70 * SLOTS], types, slots_per_day=SLOTS)
    assert found.median == pytest.approx(came[:, 70 * SLOTS :], abs=1e-6)


def test_a_holiday_in_the_history_does_not_spoil_the_days_after_it():
    special = [(day, DayType.HOLIDAY) for day in (63, 64, 65, 66)]
    types = holidays_at(75, *special)
    came = plant(types)
    found = forecast_load(came[:, : 70 * SLOTS], types[: 73 * SLOTS], slots_per_day=SLOTS)
    assert found.median == pytest.approx(came[:, 70 * SLOTS : 73 * SLOTS], abs=2)
    blind = forecast_load(came[:, : 70 * SLOTS], types_of(73), slots_per_day=SLOTS)
    assert np.abs(blind.median - came[:, 70 * SLOTS : 73 * SLOTS]).max() > 5


def test_temperature_helps_where_load_follows_it():
    random = np.random.default_rng(4)
    degrees = 28 + 5 * np.sin(np.arange(123 * SLOTS) / 50) + np.cumsum(random.normal(0, 0.2, 123 * SLOTS))
    load = 100 + 8 * np.maximum(0, degrees - 22) + random.normal(0, 2, degrees.size)
    history, came = load[np.newaxis, : 120 * SLOTS], load[np.newaxis, 120 * SLOTS :]
    types = types_of(123)
    without = forecast_load(history, types, slots_per_day=SLOTS).median
    given_it = forecast_load(history, types, slots_per_day=SLOTS, temperature=degrees[np.newaxis]).median
    assert np.abs(given_it - came).mean() < 0.7 * np.abs(without - came).mean()


def test_what_does_not_fit_together_is_refused():
    history = noisy(1)
    with pytest.raises(ValueError, match="whole days"):
        forecast_load(history, types_of(71)[:-1], slots_per_day=SLOTS)
    with pytest.raises(ValueError, match="temperature has"):
        forecast_load(history, types_of(71), slots_per_day=SLOTS, temperature=np.zeros((1, 5)))
    with pytest.raises(ValueError, match="ascending"):
        ahead_of(history, quantiles=(0.9, 0.1))


# --- scores -------------------------------------------------------------------------------------------------------


def test_seasonal_naive_takes_the_newest_season_that_knows_the_slot():
    history = np.array([[1.0, 2.0, 3.0, 4.0, np.nan, 6.0]])
    assert seasonal_naive(history, 3, season=2).tolist() == [[3.0, 6.0, 3.0]]


def test_a_forecast_that_is_missing_is_not_forgiven():
    history = np.array([[1.0, 5.0, 2.0, 6.0]])
    came = np.array([[3.0, np.nan]])
    assert mean_absolute_scaled_error(came, np.array([[4.0, np.nan]]), history, season=2).tolist() == [1.0]
    assert np.isnan(mean_absolute_scaled_error(came, np.array([[np.nan, 1.0]]), history, season=2)).all()


@given(actual=st.floats(-100, 100), low=st.floats(-100, 100))
def test_the_median_of_the_pinball_loss_is_half_the_absolute_error(actual: float, low: float):
    loss = pinball_loss(np.array([[actual]]), np.array([[[low]]]), [0.5])
    assert loss == pytest.approx([abs(actual - low) / 2])


# --- a real series: a steel works, hourly (CC BY 4.0, tests/data/load_steel/SOURCES.md) -----------------------------


def steel_works() -> tuple[np.ndarray, np.ndarray]:
    with gzip.open(STEEL, "rt", encoding="utf-8") as file:
        rows = [line.split(",") for line in file.read().splitlines()[1:]]
    first = datetime.fromisoformat(rows[0][0])
    assert first + timedelta(hours=len(rows) - 1) == datetime.fromisoformat(rows[-1][0])
    types = np.repeat([int((first + timedelta(days=n)).weekday() >= 5) for n in range(len(rows) // 24)], 24)
    return np.array([[float(row[1]) for row in rows]]), types.astype(np.int8)


def test_on_a_real_steel_works_it_beats_the_week_before():
    load, types = steel_works()
    scores, naive, covered = [], [], []
    for day in range(150, load.shape[1] // 24 - 3, 4):
        history, came = load[:, : day * 24], load[:, day * 24 : (day + 3) * 24]
        found = forecast_load(history, types[: (day + 3) * 24], slots_per_day=24)
        scores.append(mean_absolute_scaled_error(came, found.median, history, season=168)[0])
        naive.append(
            mean_absolute_scaled_error(came, seasonal_naive(history, 72, season=168), history, season=168)[0]
        )
        covered.append(interval_coverage(came, found.values[:, :, 0], found.values[:, :, 2])[0])
    assert len(scores) >= 20
    assert np.mean(scores) < 0.9 * np.mean(naive)
    assert 0.7 < np.mean(covered) < 0.9
