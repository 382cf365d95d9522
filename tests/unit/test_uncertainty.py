"""How sure a sum is: what shares a source adds up linearly, what does not, in quadrature."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from smartpark.factors import builtin_factors
from smartpark.measurands import Measurand
from smartpark_analytics import half_width_of_class, half_width_of_gaps, relative_half_width

PARTS = st.lists(st.floats(0.1, 1e6), min_size=1, max_size=6)


def of(parts, *, meters=None, meter_half_width=None, uses_factor=None, factor_half_width=(), gaps=None):
    """Relative half-width of one period's sum."""
    n = len(parts)
    meter = np.arange(n) if meters is None else np.array(meters)
    return float(
        relative_half_width(
            np.array(parts, np.float64)[:, np.newaxis],
            meter=meter,
            meter_half_width=np.zeros(int(meter.max()) + 1)
            if meter_half_width is None
            else np.array(meter_half_width),
            uses_factor=np.zeros((len(factor_half_width), n))
            if uses_factor is None
            else np.array(uses_factor, float),
            factor_half_width=np.array(factor_half_width, np.float64),
            gap_half_width=np.zeros((n, 1)) if gaps is None else np.array(gaps, np.float64)[:, np.newaxis],
        )[0]
    )


@given(PARTS, st.floats(0.001, 0.5))
def test_a_factor_in_common_is_as_unsure_as_the_sum(parts, half_width):
    found = of(parts, uses_factor=np.ones((1, len(parts))), factor_half_width=[half_width])
    assert found == pytest.approx(half_width)


@given(st.integers(1, 30), st.floats(0.001, 0.5))
def test_equal_independent_meters_average_out(n, half_width):
    assert of([10.0] * n, meter_half_width=[half_width] * n) == pytest.approx(half_width / np.sqrt(n))


@given(PARTS, st.floats(0.001, 0.5))
def test_splitting_what_one_meter_measured_changes_nothing(parts, half_width):
    one = of(parts, meters=[0] * len(parts), meter_half_width=[half_width])
    assert one == pytest.approx(half_width)


@given(PARTS, st.floats(0.001, 1000))
def test_scaling_changes_no_relative_half_width(parts, scale):
    widths = np.linspace(0.01, 0.05, len(parts))
    scaled = [part * scale for part in parts]
    assert of(scaled, meter_half_width=widths) == pytest.approx(of(parts, meter_half_width=widths), rel=1e-9)


@given(st.permutations(range(4)))
def test_the_order_of_terms_does_not_matter(order):
    parts, widths, gaps = (
        np.array([10.0, 20.0, 5.0, 1.0]),
        np.array([0.01, 0.02, 0.05, 0.1]),
        np.array([0, 0.1, 0, 0.2]),
    )
    uses = np.array([[1.0, 1, 0, 0], [0, 0, 1, 1]])
    i = list(order)
    shuffled = of(
        parts[i], meter_half_width=widths[i], uses_factor=uses[:, i], factor_half_width=[0.05, 0.1], gaps=gaps[i]
    )
    straight = of(parts, meter_half_width=widths, uses_factor=uses, factor_half_width=[0.05, 0.1], gaps=gaps)
    assert shuffled == pytest.approx(straight, rel=1e-12)


def test_a_worked_month():
    # 5053.2 t of electricity (meter 0.5, factor ± 2 %): ± 105.03 t.
    # 1297.3 t of gas (meter 2.0; NCV ± 4.1 %, CC ± 3.6 %, OF ± 5 %): ± 100.40 t. Together ± 145.30 t of 6350.51 t.
    meters = half_width_of_class(np.array([0.5, 2.0]))
    found = of(
        [5053.2, 1297.3133],
        meter_half_width=meters,
        uses_factor=[[1, 0], [0, 1], [0, 1], [0, 1]],
        factor_half_width=[0.02, 0.041, 0.036, 0.05],
    )
    electricity, gas = np.hypot(meters[0], 0.02), np.sqrt(meters[1] ** 2 + 0.041**2 + 0.036**2 + 0.05**2)
    by_hand = np.hypot(5053.2 * electricity, 1297.3133 * gas) / (5053.2 + 1297.3133)
    assert found == pytest.approx(by_hand, rel=1e-12)
    assert found == pytest.approx(145.30 / 6350.51, abs=5e-6)


def test_the_electricity_of_two_tenants_shares_the_grid_factor_and_not_the_meter():
    meters, factor = [0.02, 0.02], 0.03
    shared = of([50.0, 50.0], meter_half_width=meters, uses_factor=[[1, 1]], factor_half_width=[factor])
    assert shared == pytest.approx(np.hypot(0.02 / np.sqrt(2), 0.03))


def test_what_is_sold_takes_its_share_of_a_common_factor_off():
    # 100 bought and 100 sold by one factor: nothing is left of its error, and of the sum neither.
    assert np.isnan(of([100.0, -100.0], uses_factor=[[1, 1]], factor_half_width=[0.1]))
    assert of([100.0, -50.0], uses_factor=[[1, 1]], factor_half_width=[0.1]) == pytest.approx(0.1)


def test_where_a_half_width_is_not_known_the_result_is_not_known():
    assert np.isnan(of([1.0, 2.0], meter_half_width=[0.1, np.nan]))
    assert of([1.0, 0.0], meter_half_width=[0.1, np.nan]) == pytest.approx(0.1)


def test_a_class_is_a_limit_of_a_rectangle():
    assert half_width_of_class(np.array([1.0])) == pytest.approx([0.01 / np.sqrt(3) * 1.96])
    assert np.isnan(half_width_of_class(np.array([np.nan]))).all()


@pytest.mark.parametrize(
    ("completeness", "estimated", "expected"),
    [(1.0, 0.0, 0.0), (1.0, 0.2, 0.1), (0.8, 0.0, 0.25), (0.8, 0.2, np.hypot(0.1, 0.25)), (0.0, 0.0, np.nan)],
)
def test_gaps_count_by_what_was_estimated_and_what_is_missing(completeness, estimated, expected):
    rule = builtin_factors().gap_uncertainty
    assert rule is not None
    found = half_width_of_gaps(
        np.array([completeness]), np.array([estimated]), estimate=rule.estimate, missing=rule.missing
    )
    assert found == pytest.approx([expected], nan_ok=True)


def test_a_meter_without_a_class_has_that_of_the_standard():
    factors = builtin_factors()
    assert factors.accuracy_class(Measurand.ACTIVE_ENERGY_IMPORT) == 1.0
    assert factors.accuracy_class(Measurand.GAS_VOLUME) == 2.0
    assert np.isnan(factors.accuracy_class(Measurand.VOLTAGE))
