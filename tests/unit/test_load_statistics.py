"""Load factor, coincidence and duration curves: the worked examples, and the laws they obey."""

import tomllib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from smartpark.electricity_rules import builtin_electricity_rules
from smartpark_analytics.load_statistics import (
    coincidence,
    coincidence_of_curves,
    load_duration_curve,
    load_statistics,
    utilisation_hours,
)
from smartpark_analytics.sufficiency import Sufficiency

GOLDEN = tomllib.loads((Path(__file__).parents[1] / "golden" / "electricity_demand.toml").read_text(encoding="utf-8"))
RULE = builtin_electricity_rules().load_judgement[0]
CURVES = arrays(np.float64, (3, 24), elements=st.just(0.0) | st.floats(1e-3, 1e5))
WITH_GAPS = arrays(np.float64, (3, 24), elements=st.floats(-1e3, 1e5) | st.just(np.nan))


def of_day(power):
    return load_statistics(power, np.zeros(power.shape[1], np.int64), 1, RULE)


@pytest.mark.parametrize("example", GOLDEN["load"], ids=lambda example: example["name"])
def test_load_factor_reproduces_the_worked_example(example):
    found = of_day(np.array([example["quarters_kw"]]))
    assert found.load_factor == pytest.approx(np.array([[example["load_factor"]]]))
    assert found.peak_valley_ratio == pytest.approx(np.array([[example["peak_valley_ratio"]]]))
    assert found.reason[0, 0] == Sufficiency.ENOUGH


@pytest.mark.parametrize("example", GOLDEN["utilisation"], ids=lambda example: example["name"])
def test_utilisation_hours_reproduce_the_worked_example(example):
    hours = utilisation_hours(np.array([example["energy_kwh"]]), np.array([example["maximum_demand_kw"]]))
    assert hours == pytest.approx([example["hours"]])


@pytest.mark.parametrize("example", GOLDEN["coincidence"], ids=lambda example: example["name"])
def test_coincidence_reproduces_the_worked_example(example):
    peaks = np.array(example["member_peaks_kw"])[:, np.newaxis]
    found = coincidence(peaks, np.array([example["system_peak_kw"]]))
    assert found.factor == pytest.approx([example["factor"]])
    assert found.diversity == pytest.approx([example["diversity"]])


@given(power=CURVES)
def test_load_factor_and_coincidence_lie_between_zero_and_one(power):
    factor = of_day(power).load_factor
    assert np.all((factor[np.isfinite(factor)] >= 0) & (factor[np.isfinite(factor)] <= 1 + 1e-12))
    together = coincidence_of_curves(power, np.zeros(24, np.int64), 1, RULE)
    assert np.isnan(together.factor[0]) or 1 / 3 - 1e-12 <= together.factor[0] <= 1 + 1e-12
    if not np.isnan(together.factor[0]):
        assert together.diversity[0] == pytest.approx(1 / together.factor[0])


@given(power=CURVES, scale=st.floats(1e-2, 1e3), data=st.data())
def test_neither_scale_nor_order_changes_the_ratios(power, scale, data):
    order = data.draw(st.permutations(range(3)))
    before, after = of_day(power), of_day(power[order] * scale)
    np.testing.assert_allclose(after.load_factor, before.load_factor[order], rtol=1e-9)
    np.testing.assert_allclose(after.mean_kw, before.mean_kw[order] * scale, rtol=1e-9)
    day = np.zeros(24, np.int64)
    np.testing.assert_allclose(
        coincidence_of_curves(power[order] * scale, day, 1, RULE).factor,
        coincidence_of_curves(power, day, 1, RULE).factor,
        rtol=1e-9,
    )


def test_a_day_of_which_too_little_is_known_is_not_judged_but_has_a_reason():
    power = np.full((4, 24), 10.0)
    power[1, :7] = np.nan
    power[2] = np.nan
    power[3] = 0.0
    found = of_day(power)
    assert found.reason[:, 0].tolist() == [
        Sufficiency.ENOUGH,
        Sufficiency.TOO_LITTLE_DATA,
        Sufficiency.NO_DATA,
        Sufficiency.NO_LOAD,
    ]
    np.testing.assert_array_equal(np.isnan(found.load_factor[:, 0]), [False, True, True, True])
    np.testing.assert_array_equal(np.isnan(found.maximum_kw[:, 0]), [False, True, True, False])
    power[1, 0] = 10.0
    assert of_day(power).reason[1, 0] == Sufficiency.ENOUGH


def test_power_that_flowed_back_makes_the_span_wider_than_the_peak():
    found = of_day(np.array([[100.0, -50.0]]))
    assert found.peak_valley_ratio[0, 0] == pytest.approx(1.5)


def test_a_sum_without_one_of_its_members_is_no_peak_of_the_system():
    power = np.full((2, 24), 10.0)
    power[0, 3] = 1000.0
    power[1, 3] = np.nan
    found = coincidence_of_curves(power, np.zeros(24, np.int64), 1, RULE)
    assert found.system_peak_kw.tolist() == [20.0]
    assert found.sum_of_peaks_kw.tolist() == [20.0]
    power[1, :7] = np.nan
    assert np.isnan(coincidence_of_curves(power, np.zeros(24, np.int64), 1, RULE).factor[0])


@given(power=WITH_GAPS, n_steps=st.integers(1, 40))
def test_a_duration_curve_holds_the_energy_of_what_is_known_and_descends(power, n_steps):
    curve = load_duration_curve(power, 0.25, n_steps)
    energy = np.nansum(power, axis=1) * 0.25
    np.testing.assert_allclose(np.nansum(curve.power_kw * curve.hours, axis=1), energy, rtol=1e-9, atol=1e-6)
    np.testing.assert_allclose(curve.hours.sum(axis=1), np.isfinite(power).sum(axis=1) * 0.25, rtol=1e-9)
    steps = np.diff(curve.power_kw, axis=1)
    assert np.all(steps[np.isfinite(steps)] <= 1e-6)


def test_a_curve_in_as_many_steps_as_intervals_is_the_ordered_load():
    curve = load_duration_curve(np.array([[1.0, 4.0, 2.0, 3.0]]), 1.0, 4)
    assert curve.power_kw.tolist() == [[4.0, 3.0, 2.0, 1.0]]
    assert np.isnan(load_duration_curve(np.full((1, 4), np.nan), 1.0, 2).power_kw).all()
