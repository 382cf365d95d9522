"""Load of transformers: apparent power, bands, and what two hours on end make of it."""

import tomllib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from smartpark.electricity_rules import builtin_electricity_rules
from smartpark_analytics.sufficiency import Sufficiency
from smartpark_analytics.transformer import (
    LoadBand,
    apparent_power,
    economic_load_rate,
    transformer_load,
    transformer_periods,
)

GOLDEN = tomllib.loads((Path(__file__).parents[1] / "golden" / "electricity_demand.toml").read_text(encoding="utf-8"))
RULES = builtin_electricity_rules()
BANDS, JUDGEMENT = RULES.load_bands[0], RULES.load_judgement[0]


def load_of(*stretches, hours=0.25):
    """Load of one transformer of 100 kVA from (load rate, intervals) on end."""
    rates = np.concatenate([np.full(count, rate * 100.0) for rate, count in stretches])
    return transformer_load(rates[np.newaxis], np.array([100.0]), BANDS, interval_hours=hours)


def bands_of(*stretches, hours=0.25):
    return [LoadBand(int(band)).name for band in load_of(*stretches, hours=hours).band[0]]


@pytest.mark.parametrize("example", GOLDEN["transformer"], ids=lambda example: example["name"])
def test_load_rate_reproduces_the_worked_example(example):
    apparent = apparent_power(np.array([[example["active_kw"]]]), np.array([[example["reactive_kvar"]]]))
    found = transformer_load(apparent, np.array([example["rated_kva"]]), BANDS, interval_hours=0.25)
    assert found.load_rate == pytest.approx(np.array([[example["load_rate"]]]))
    assert example["active_kw"] / example["rated_kva"] == 0.8  # what P/S_N would have said


@pytest.mark.parametrize("example", GOLDEN["economic"], ids=lambda example: example["name"])
def test_economic_load_rate_reproduces_the_worked_example(example):
    rate = economic_load_rate(np.array([example["no_load_loss_kw"]]), np.array([example["load_loss_kw"]]))
    assert rate == pytest.approx([example["load_rate"]])


@pytest.mark.parametrize(
    ("rate", "band"),
    [
        (0.0, "LIGHT"),
        (0.199, "LIGHT"),
        (0.20, "NORMAL"),
        (0.30, "ECONOMIC"),
        (0.60, "ECONOMIC"),
        (0.65, "NORMAL"),
        (0.70, "WATCH"),
        (0.80, "WATCH"),
        (1.50, "WATCH"),
    ],
)
def test_a_single_interval_has_the_band_of_its_rate(rate, band):
    assert bands_of((rate, 1)) == [band]


def test_two_hours_make_it_heavy_and_less_do_not():
    assert bands_of((0.5, 1), (0.85, 8), (0.5, 1)) == ["ECONOMIC", *["HEAVY"] * 8, "ECONOMIC"]
    assert bands_of((0.5, 1), (0.85, 7), (0.5, 1)) == ["ECONOMIC", *["WATCH"] * 7, "ECONOMIC"]
    assert bands_of((0.85, 2), hours=1.0) == ["HEAVY"] * 2


def test_two_hours_above_full_load_make_an_overload_inside_a_heavy_run():
    assert bands_of((0.9, 4), (1.2, 8), (0.9, 1)) == [*["HEAVY"] * 4, *["OVERLOAD"] * 8, "HEAVY"]
    # A short peak in a heavy run is part of that run; full load exactly is not above it.
    assert bands_of((0.9, 6), (1.2, 2)) == ["HEAVY"] * 8
    assert bands_of((1.0, 8)) == ["HEAVY"] * 8


def test_what_was_not_measured_ends_a_run():
    assert bands_of((0.9, 5), (np.nan, 1), (0.9, 5)) == [*["WATCH"] * 5, "NOT_JUDGED", *["WATCH"] * 5]


def test_runs_of_one_transformer_do_not_go_on_in_the_next():
    found = transformer_load(np.full((2, 4), 90.0), np.array([100.0, 100.0]), BANDS, interval_hours=0.25)
    assert (found.band == LoadBand.WATCH).all()


def test_reactive_power_that_is_not_known_leaves_no_load_rate():
    assert np.isnan(apparent_power(np.array([80.0]), np.array([np.nan]))[0])


def summary_of(load, period, n_periods):
    return transformer_periods(load, period, n_periods, JUDGEMENT, interval_hours=0.25)


def test_hours_in_bands_and_the_worst_of_a_day():
    found = summary_of(load_of((0.1, 4), (0.85, 8), (0.5, 4)), np.zeros(16, np.int64), 1)
    assert found.band_hours[0, 0].tolist() == [1.0, 0.0, 1.0, 0.0, 2.0, 0.0]
    assert found.worst[0, 0] == LoadBand.HEAVY
    assert found.maximum_rate[0, 0] == pytest.approx(0.85)
    assert found.mean_rate[0, 0] == pytest.approx((0.1 * 4 + 0.85 * 8 + 0.5 * 4) / 16)


def test_a_day_of_which_too_little_is_known_has_no_highest_rate():
    found = summary_of(load_of((0.5, 2), (np.nan, 2), (np.nan, 4)), np.repeat([0, 1], 4), 2)
    assert found.reason[0].tolist() == [Sufficiency.TOO_LITTLE_DATA, Sufficiency.NO_DATA]
    assert np.isnan(found.maximum_rate).all()
    assert found.worst[0].tolist() == [LoadBand.ECONOMIC, LoadBand.NOT_JUDGED]


RATES = arrays(np.float64, (2, 40), elements=st.sampled_from([0.1, 0.5, 0.75, 0.9, 1.0, 1.2, np.nan]))


@given(rates=RATES)
def test_runs_are_what_counting_on_finds(rates):
    found = transformer_load(rates * 100, np.array([100.0, 100.0]), BANDS, interval_hours=0.25).band
    for row in range(2):
        for limit, band in ((lambda r: r >= 0.8, LoadBand.HEAVY), (lambda r: r > 1.0, LoadBand.OVERLOAD)):
            start = 0
            while start < 40:
                end = start
                while end < 40 and limit(rates[row, end]):
                    end += 1
                assert (found[row, start:end] >= band).all() == (end - start >= 8 or end == start)
                start = end + 1


@given(rates=RATES)
def test_hours_in_bands_add_up_to_the_known_time(rates):
    load = transformer_load(rates * 100, np.array([100.0, 100.0]), BANDS, interval_hours=0.25)
    found = summary_of(load, np.repeat([0, 1], 20), 2)
    known = np.isfinite(rates).reshape(2, 2, 20).sum(axis=2) * 0.25
    np.testing.assert_allclose(found.band_hours.sum(axis=2), known)


def test_without_a_loss_there_is_no_economic_load_rate():
    rate = economic_load_rate(np.array([1.6, 1.6, 0.0, np.nan]), np.array([10.0, 0.0, 10.0, 10.0]))
    assert np.array_equal(rate, [0.4, np.nan, np.nan, np.nan], equal_nan=True)
