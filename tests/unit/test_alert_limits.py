"""Values against limits: which side, where it counts as over, and what is not known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from smartpark_analytics.alerts import limits
from smartpark_analytics.alerts.samples import Level, Samples


def one(values) -> Samples:
    return Samples(np.zeros(len(values), np.int64), np.arange(len(values)), np.array(values, np.float64))


def each(values) -> Samples:
    return Samples(np.arange(len(values)), np.zeros(len(values), np.int64), np.array(values, np.float64))


def array(*values) -> np.ndarray:
    return np.array(values, np.float64)


def test_at_the_limit_is_not_beyond_it():
    found = limits.judge(one([99, 100, 100.001]), limits.above(array(100)))
    assert found.level.tolist() == [Level.CLEAR, Level.CLEAR, Level.BREACH]
    assert found.limit.tolist() == [100, 100, 100]
    found = limits.judge(one([99, 98, 97.999]), limits.below(array(98)))
    assert found.level.tolist() == [Level.CLEAR, Level.CLEAR, Level.BREACH]


def test_between_limit_and_clear_nothing_changes():
    found = limits.judge(one([101, 100, 95.1, 95, 0]), limits.above(array(100), clear=95.0))
    assert found.level.tolist() == [Level.BREACH, Level.HOLD, Level.HOLD, Level.CLEAR, Level.CLEAR]
    found = limits.judge(one([49, 50, 51]), limits.below(array(50), clear=array(51)))
    assert found.level.tolist() == [Level.BREACH, Level.HOLD, Level.CLEAR]


def test_a_band_has_the_limit_that_was_broken_or_is_nearer():
    """Nominal voltage 220 V, -10 % and +7 % (GB/T 12325)."""
    band = limits.band(array(198), array(235.4), below_clear=200.0, above_clear=233.0)
    found = limits.judge(one([197, 199, 220, 234, 236]), band)
    assert found.level.tolist() == [Level.BREACH, Level.HOLD, Level.CLEAR, Level.HOLD, Level.BREACH]
    assert found.limit.tolist() == [198, 198, 235.4, 235.4, 235.4]


def test_objects_have_limits_of_their_own_and_one_that_is_not_known_is_not_judged():
    found = limits.judge(each([500, 500, 500]), limits.above(array(400, 600, np.nan)))
    assert found.level.tolist() == [Level.BREACH, Level.CLEAR, Level.UNKNOWN]


def test_a_side_that_is_not_known_leaves_the_other():
    band = limits.band(array(np.nan, np.nan, -np.inf, 10), array(100, 100, 100, np.inf))
    found = limits.judge(each([101, 50, 50, 5]), band)
    assert found.level.tolist() == [Level.BREACH, Level.UNKNOWN, Level.CLEAR, Level.BREACH]
    assert found.limit[[0, 2, 3]].tolist() == [100, 100, 10]
    assert limits.judge(each([1, 1, 1, 500]), band).limit[3] == 10  # the side without a limit is not the nearer one


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_no_number_is_not_judged(value):
    for chosen in (limits.above(array(1)), limits.below(array(1)), limits.band(array(0), array(1))):
        assert limits.judge(one([value]), chosen).level.tolist() == [Level.UNKNOWN]


def test_no_limit_at_all_is_fine():
    found = limits.judge(one([1e9]), limits.band(array(-np.inf), array(np.inf)))
    assert found.level.tolist() == [Level.CLEAR]
    assert np.isnan(found.limit).all()


def test_limits_that_contradict_themselves_are_refused_by_row():
    with pytest.raises(ValueError, match="limits of row 1"):
        limits.above(array(10, 10), clear=array(9, 11))
    with pytest.raises(ValueError, match="limits of row 0"):
        limits.band(array(5), array(4))
    with pytest.raises(ValueError, match="above_clear has shape"):
        limits.above(array(1, 2), clear=array(1, 1, 1))


NUMBER = st.one_of(st.floats(-50, 50), st.just(np.nan))


@given(st.lists(NUMBER, max_size=20), st.floats(-40, 40), st.floats(0, 30), st.floats(0, 5), st.booleans())
def test_band_and_single_sides_agree(values, low, width, gap, mirrored):
    gap = min(gap, width)
    samples = one(values)
    above = limits.judge(samples, limits.above(array(low + width), clear=low + width - gap))
    both = limits.judge(samples, limits.band(array(-np.inf), array(low + width), above_clear=low + width - gap))
    assert above.level.tolist() == both.level.tolist()
    turned = samples._replace(value=-samples.value)
    below = limits.judge(turned, limits.below(array(-(low + width)), clear=-(low + width - gap)))
    assert above.level.tolist() == below.level.tolist()
