"""From a number to a register's steps and back: exact, or refused."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from smartpark.decimals import NotANumberError, from_mantissa, rescale, to_mantissa

EXPONENTS = st.integers(-12, 9)
MANTISSAS = st.integers(-(2**63) + 1, 2**63 - 1)


@given(MANTISSAS, EXPONENTS)
def test_a_decimal_survives_the_way_there_and_back(mantissa, exponent):
    assert to_mantissa(from_mantissa(mantissa, exponent), exponent) == mantissa


@given(MANTISSAS, EXPONENTS)
def test_text_is_read_exactly(mantissa, exponent):
    assert to_mantissa(f"{from_mantissa(mantissa, exponent):f}", exponent) == mantissa


@given(st.integers(-(10**15), 10**15), EXPONENTS)
def test_a_double_nearest_to_a_decimal_gives_that_decimal(mantissa, exponent):
    assert to_mantissa(float(from_mantissa(mantissa, exponent)), exponent) == mantissa


@given(MANTISSAS, EXPONENTS, EXPONENTS)
def test_rescaling_keeps_the_value_or_declines(mantissa, exponent, to):
    result = rescale(mantissa, exponent, to)
    if result is not None:
        # Fractions, because the default decimal context rounds at 28 digits.
        assert result * 10 ** (to + 12) == mantissa * 10 ** (exponent + 12)


@given(MANTISSAS, EXPONENTS)
def test_rescaling_to_the_same_step_changes_nothing(mantissa, exponent):
    assert rescale(mantissa, exponent, exponent) == mantissa


def test_rescaling_declines_what_does_not_fit_64_bits():
    assert rescale(2**62, 0, -3) is None


@pytest.mark.parametrize(
    ("value", "exponent", "steps"),
    [(514.153, -3, 514153), ("0.1", -2, 10), (12000, 3, 12), (0.29, -2, 29), (-1.005, -3, -1005), (0.0, 0, 0)],
)
def test_known_readings(value, exponent, steps):
    assert to_mantissa(value, exponent) == steps


@pytest.mark.parametrize("value", ["2.5", Decimal("2.5"), 2.5])
def test_halves_go_to_the_even_step(value):
    assert to_mantissa(value, 0) == 2


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "nan", "-Infinity", "12,5", "''", "1e40"])
def test_what_is_no_number_of_steps_is_refused_with_the_value_named(value):
    with pytest.raises(NotANumberError, match=str(value)):
        to_mantissa(value, 0)


def test_a_double_beyond_64_bits_of_steps_is_refused():
    with pytest.raises(NotANumberError, match="more than 9223372036854775807 steps of 1e-2"):
        to_mantissa(1e17, -2)
