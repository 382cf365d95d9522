"""Clocks that are off, told from waiting on the way and from readings that were kept back."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from smartpark_analytics.alerts import clocks
from smartpark_analytics.alerts.samples import Level

SECOND = 1_000_000
WINDOW = clocks.QUARTER_HOUR_US
ROWS = 3


def moments(offset_s, *, seed=0, number=90, row=0):
    """A reading every ten seconds, underway for two seconds and often for more; then the clock is off."""
    generator = np.random.default_rng(seed)
    true = np.arange(number) * 10 * SECOND
    received = true + 2 * SECOND + generator.exponential(4.0, number).astype(np.int64) * SECOND
    return np.full(number, row, np.int64), true - int(offset_s * SECOND), received


def judged(row, measured, received, *, rows=1, **options):
    chosen = {"limit_s": 5.0, "usual_delay_us": 2 * SECOND, "until_us": WINDOW} | options
    return clocks.judge(row, measured, received, clocks.fresh_carry(rows), **chosen)[0]


@pytest.mark.parametrize(
    ("offset", "level"),
    [(0, Level.CLEAR), (4, Level.CLEAR), (-4, Level.CLEAR), (30, Level.BREACH), (-30, Level.BREACH)],
)
def test_a_clock_that_is_behind_or_ahead_is_found_and_waiting_on_the_way_is_not_taken_for_it(offset, level):
    found = judged(*moments(offset))
    assert found.level.tolist()[0] == level
    assert found.value[0] == pytest.approx(offset, abs=1)
    assert found.time_us[0] == WINDOW


def test_between_limit_and_clear_nothing_changes():
    assert judged(*moments(4), clear_s=2.0).level[0] == Level.HOLD
    assert judged(*moments(-4), clear_s=2.0).level[0] == Level.HOLD


def test_readings_kept_back_during_an_outage_do_not_look_like_a_clock_that_is_behind():
    row, measured, received = moments(0)
    late = received.copy()
    late[:80] = received[80]
    found = judged(row, measured, late)
    assert found.level[0] == Level.CLEAR


def test_few_readings_tell_nothing():
    row, measured, received = moments(30, number=4)
    assert judged(row, measured, received).level.tolist() == [Level.UNKNOWN]
    assert judged(row, measured, received, min_count=4).level.tolist() == [Level.BREACH]


def test_a_window_is_judged_when_it_is_over_and_not_before():
    row, measured, received = moments(30, number=80)
    assert received.max() < WINDOW
    _, carry = clocks.judge(row, measured, received, clocks.fresh_carry(1), limit_s=5.0, until_us=WINDOW - 1)
    nothing = np.zeros(0, np.int64)
    found, carry = clocks.judge(nothing, nothing, nothing, carry, limit_s=5.0, until_us=WINDOW)
    assert found.level.tolist() == [Level.BREACH]
    with pytest.raises(ValueError, match="row 0 was judged up to 900000000 µs of receipt"):
        clocks.judge(row, measured, received, carry, limit_s=5.0)


def test_the_usual_delay_is_that_of_most_objects():
    parts = [moments(offset, row=row, seed=row) for row, offset in enumerate([0, 0, 0, 500, -500])]
    row, measured, received = (np.concatenate(column) for column in zip(*parts, strict=True))
    assert clocks.usual_delay_us(row, measured, received) == pytest.approx(2 * SECOND, abs=SECOND)
    found = judged(row, measured, received, rows=5)
    levels = found.level[found.time_us == WINDOW]
    assert levels.tolist() == [0, 0, 0, 2, 2]
    nothing = row[:0]
    with pytest.raises(ValueError, match="without readings"):
        clocks.usual_delay_us(nothing, nothing, nothing)


def test_a_reading_from_the_future_is_found_at_once_at_the_moment_of_receipt():
    row = np.array([0, 0, 1, 0])
    received = np.array([100, 100, 100, 200]) * SECOND
    measured = received + np.array([5, 4000, -9, 0]) * SECOND
    found = clocks.judge_future(row, measured, received, ahead_s=[60.0, 60.0], rows=2)
    assert found.row.tolist() == [0, 0, 1]
    assert (found.time_us / SECOND).tolist() == [100, 200, 100]
    assert found.value.tolist() == [4000, 0, -9]
    assert found.level.tolist() == [Level.BREACH, Level.CLEAR, Level.CLEAR]
    nothing = row[:0]
    assert not clocks.judge_future(nothing, nothing, nothing, ahead_s=1.0, rows=2).row.size


READINGS = st.lists(st.tuples(st.integers(0, ROWS - 1), st.integers(0, 99), st.integers(-30, 60)), max_size=40)


@settings(max_examples=200)
@given(READINGS, st.lists(st.integers(0, 120), max_size=5), st.randoms(use_true_random=False))
def test_in_steps_and_in_any_order_it_comes_to_the_same_as_at_once(readings, cuts, chance):
    chosen = {"limit_s": 10e-6, "clear_s": 5e-6, "usual_delay_us": 3, "window_us": 10, "min_count": 2}
    chance.shuffle(readings)
    given_ = np.array(readings, np.int64).reshape(-1, 3)
    row, received, measured = given_[:, 0], given_[:, 1], given_[:, 1] - given_[:, 2]
    whole, kept = clocks.judge(row, measured, received, clocks.fresh_carry(ROWS), **chosen, until_us=120)
    expected = []
    for at in range(ROWS):
        for window in range(12):
            delays = [delay for of, when, delay in readings if of == at and when // 10 == window]
            if delays:
                off = (min(delays) - 3) * 1e-6
                level = 2 if abs(off) > 10e-6 else (0 if abs(off) <= 5e-6 else 1)
                expected.append((at, window * 10 + 10, level if len(delays) >= 2 else -1))
    columns = zip(*(column.tolist() for column in whole[:3]), strict=True)
    assert list(columns) == expected
    carry, parts = clocks.fresh_carry(ROWS), []
    for low, high in pairwise([0, *sorted(cuts), 120]):
        inside = (received >= low) & (received < high)
        found, carry = clocks.judge(row[inside], measured[inside], received[inside], carry, **chosen, until_us=high)
        parts += zip(*(column.tolist() for column in found), strict=True)
    np.testing.assert_equal(sorted(parts), list(zip(*(column.tolist() for column in whole), strict=True)))
    assert carry.number.tolist() == kept.number.tolist() == [0] * ROWS
    assert clocks.lookback_us() == WINDOW


def test_a_window_that_a_later_reading_has_closed_takes_no_more():
    row, measured, received = moments(0)
    _, carry = clocks.judge(row, measured, received, clocks.fresh_carry(1), limit_s=5.0)
    assert carry.seen_us.tolist() == [WINDOW]
    with pytest.raises(ValueError, match="row 0 was judged up to 900000000 µs of receipt"):
        clocks.judge(row[:1], measured[:1], received[:1], carry, limit_s=5.0)
