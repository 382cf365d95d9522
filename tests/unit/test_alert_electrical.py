"""Bounds of electricity by standard, and values that count only under load."""

from datetime import date

import numpy as np
import pytest
from alert_steps import MINUTE, samples_of, series_of
from smartpark.power_quality_limits import QualityQuantity
from smartpark_analytics.alerts import limits
from smartpark_analytics.alerts.companions import nothing_yet
from smartpark_analytics.alerts.electrical import (
    deviation_samples,
    loaded_samples,
    power_factor_bounds,
    power_factor_samples,
    quality_bounds,
)
from smartpark_analytics.alerts.samples import Level

TODAY = date(2026, 11, 23)


@pytest.mark.parametrize(
    ("quantity", "kv", "share", "band"),
    [
        (QualityQuantity.VOLTAGE_DEVIATION, 0.22, 1.0, (-10.0, 7.0)),
        (QualityQuantity.VOLTAGE_DEVIATION, 10.0, 0.5, (-3.5, 3.5)),
        (
            QualityQuantity.VOLTAGE_DEVIATION,
            110.0,
            1.0,
            (-10.0, 10.0),
        ),  # a range of 10: one deviation may be all of it
        (QualityQuantity.FREQUENCY, 0.38, 1.0, (49.8, 50.2)),
        (QualityQuantity.FREQUENCY, 0.38, 0.5, (49.9, 50.1)),
        (QualityQuantity.VOLTAGE_UNBALANCE, 10.0, 1.0, (-np.inf, 4.0)),  # 2 for 95 % of the time, 4 for a moment
        (QualityQuantity.VOLTAGE_THD, 0.38, 1.0, (-np.inf, 5.0)),
        (QualityQuantity.VOLTAGE_THD, 10.0, 0.8, (-np.inf, 3.2)),
    ],
)
def test_bounds_are_those_of_the_standard(quantity, kv, share, band):
    found = quality_bounds(quantity, [kv, None], TODAY, share=share)
    assert (found.low[0], found.high[0]) == (pytest.approx(band[0]), pytest.approx(band[1]))
    assert np.isnan(found.low[1]) or np.isnan(found.high[1])


def test_a_level_without_a_limit_is_not_judged_and_the_others_are():
    bounds = quality_bounds(QualityQuantity.VOLTAGE_THD, [25.0, 10.0, float("nan")], TODAY)
    both = samples_of({0: [(0, 9.0)], 1: [(0, 9.0)], 2: [(0, 9.0)]})
    assert limits.judge(both, limits.band(*bounds)).level.tolist() == [Level.UNKNOWN, Level.BREACH, Level.UNKNOWN]


def test_a_voltage_beyond_its_band_is_a_breach():
    voltage = series_of([220.0, 236.0, 235.4, 197.0], MINUTE)
    bounds = quality_bounds(QualityQuantity.VOLTAGE_DEVIATION, [0.22], TODAY)
    found = limits.judge(deviation_samples(voltage, np.array([220.0])), limits.band(*bounds))
    assert found.level.tolist() == [Level.CLEAR, Level.BREACH, Level.CLEAR, Level.BREACH]


def test_a_low_power_factor_counts_only_under_load():
    active = series_of([800.0, 30.0, 800.0, 800.0], MINUTE)
    reactive = samples_of({0: [(0, 600.0), (MINUTE, 60.0), (2 * MINUTE, 300.0)]})
    factor, latest = power_factor_samples(active, reactive, nothing_yet(1), max_age_us=MINUTE // 2)
    assert factor.value[:3] == pytest.approx([0.8, 30 / np.hypot(30, 60), 800 / np.hypot(800, 300)])
    assert np.isnan(factor.value[3])  # the reactive power is a minute old
    assert latest.value.tolist() == [300.0]
    loaded, _ = loaded_samples(factor, active, np.array([200.0]), nothing_yet(1), max_age_us=MINUTE)
    found = limits.judge(loaded, limits.band(*power_factor_bounds(["0.90"], TODAY)))
    assert found.level.tolist() == [Level.BREACH, Level.UNKNOWN, Level.CLEAR, Level.UNKNOWN]


def test_without_a_contract_a_power_factor_is_not_judged():
    found = limits.judge(series_of([0.5], MINUTE), limits.band(*power_factor_bounds([None], TODAY)))
    assert found.level.tolist() == [Level.UNKNOWN]


def test_generation_has_a_power_factor_too():
    factor, _ = power_factor_samples(
        series_of([-800.0, 0.0], MINUTE), series_of([600.0, 0.0], MINUTE), nothing_yet(1), max_age_us=0
    )
    assert factor.value[0] == pytest.approx(0.8)
    assert np.isnan(factor.value[1])
