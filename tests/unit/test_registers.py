"""Register readings to interval amounts: each way in which a register can behave, and the laws of conservation."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from smartpark_analytics import (
    NO_VALUE,
    IntervalAmounts,
    IntervalFlag,
    Intervals,
    RegisterLimits,
    RegisterPoints,
    RegisterReadings,
    interval_amounts,
    register_movements,
    steps_of_doubles,
)

MINUTE = 60_000_000
QUARTER, HOUR, DAY = 15 * MINUTE, 60 * MINUTE, 1440 * MINUTE
BAD, UNCERTAIN = -0x8000_0000, 0x4000_0000


def readings(times, steps, *, point=None, status=None, scale=0.01) -> RegisterReadings:
    count = len(times)
    return RegisterReadings(
        point=np.zeros(count, np.int64) if point is None else np.asarray(point, np.int64),
        time=np.asarray(times, np.int64),
        steps=np.asarray(steps, np.int64),
        status=np.zeros(count, np.int32) if status is None else np.asarray(status, np.int32),
        scale=np.broadcast_to(np.asarray(scale, np.float64), count).copy(),
    )


def amounts(given: RegisterReadings, *, count=8, start=0, width=QUARTER, modulus=0, max_rate=np.inf, **options):
    n_points = int(given.point.max(initial=0)) + 1
    points = RegisterPoints(np.full(n_points, modulus, np.int64), np.full(n_points, max_rate))
    movements = register_movements(given, points)
    return interval_amounts(movements, Intervals.dense(n_points, start, count, width), **options)


def every(minutes: float, count: int) -> np.ndarray:
    return (np.arange(count) * minutes * MINUTE).astype(np.int64)


def has(result: IntervalAmounts, flag: IntervalFlag) -> list[int]:
    return np.flatnonzero(result.flags & flag).tolist()


# --- plain ----------------------------------------------------------------------------------------


def test_readings_on_the_boundaries_give_their_differences_exactly():
    result = amounts(readings(every(15, 9), [0, 100, 100, 300, 350, 400, 500, 501, 600]))
    assert result.amount.tolist() == [1.0, 0.0, 2.0, 0.5, 0.5, 1.0, 0.01, 0.99]
    assert result.completeness.tolist() == [1.0] * 8
    assert not result.flags.any()
    assert not result.estimated_share.any()


def test_a_boundary_between_two_readings_lies_on_the_line_between_them():
    times = np.array([-5, 10, 25, 40]) * MINUTE
    result = amounts(readings(times, [0, 1500, 1500, 4500]), count=2)
    assert result.amount == pytest.approx([10.0, 10.0])
    assert not result.flags.any()  # fifteen minutes apart: nothing is estimated


def test_a_reading_on_the_last_boundary_closes_the_interval_and_nothing_after_it_is_known():
    result = amounts(readings(every(5, 4), [0, 1, 2, 3]), count=2)
    assert result.amount.tolist()[0] == pytest.approx(0.03)
    assert np.isnan(result.amount[1])
    assert has(result, IntervalFlag.GAP) == [1]
    assert result.completeness.tolist() == [1.0, 0.0]


def test_billing_grade_digits_survive_registers_near_the_limit():
    top = 2**62
    result = amounts(readings(every(15, 3), [top, top + 1, top + 3], scale=0.001), count=2)
    assert result.amount.tolist() == [0.001, 0.002]


def test_points_are_kept_apart():
    both = readings(
        np.tile(every(15, 3), 2), [0, 100, 200, 10**9, 10**9 + 7, 10**9 + 9], point=[0] * 3 + [1] * 3, scale=1.0
    )
    assert amounts(both, count=2).amount.tolist() == [100.0, 100.0, 7.0, 2.0]


def test_no_readings_at_all_are_gaps_not_zeros():
    result = amounts(readings([], []), count=3)
    assert np.isnan(result.amount).all()
    assert has(result, IntervalFlag.GAP) == [0, 1, 2]


def test_one_single_reading_says_nothing_about_any_interval():
    result = amounts(readings([QUARTER], [5]), count=3)
    assert np.isnan(result.amount).all()


# --- quality --------------------------------------------------------------------------------------


def test_the_order_of_arrival_does_not_matter():
    times, steps = every(5, 25), np.cumsum(np.arange(25))
    shuffled = np.random.default_rng(1).permutation(25)
    there = amounts(readings(times, steps))
    mixed = amounts(readings(times[shuffled], steps[shuffled]))
    assert np.array_equal(there.amount, mixed.amount)


def test_the_same_reading_twice_counts_once_and_is_no_finding():
    result = amounts(readings([0, 0, QUARTER, QUARTER, 2 * QUARTER], [0, 0, 50, 50, 80], scale=1.0), count=2)
    assert result.amount.tolist() == [50.0, 30.0]
    assert not result.flags.any()


def test_two_values_for_one_instant_count_as_the_smaller_and_are_told():
    for steps in ([0, 50, 70, 80], [0, 70, 50, 80]):
        result = amounts(readings([0, QUARTER, QUARTER, 2 * QUARTER], steps, scale=1.0), count=2)
        assert result.amount.tolist() == [50.0, 30.0]
        assert has(result, IntervalFlag.CONFLICT) == [1]


def test_a_bad_reading_is_set_aside_and_told():
    result = amounts(readings(every(5, 7), [0, 1, 99, 3, 4, 5, 6], status=[0, 0, BAD, 0, 0, 0, 0]), count=2)
    assert result.amount == pytest.approx([0.03, 0.03])
    assert has(result, IntervalFlag.BAD_STATUS) == [0]


def test_an_uncertain_reading_is_used_and_told():
    result = amounts(readings(every(15, 3), [0, 7, 9], status=[0, UNCERTAIN, 0], scale=1.0), count=2)
    assert result.amount.tolist() == [7.0, 2.0]
    assert has(result, IntervalFlag.UNCERTAIN) == [1]


def test_a_reading_without_a_value_is_none():
    result = amounts(readings(every(15, 3), [0, NO_VALUE, 9], scale=1.0), count=2)
    assert result.amount.tolist() == [4.5, 4.5]
    assert has(result, IntervalFlag.ESTIMATED) == [0, 1]


def test_only_bad_readings_leave_gaps_that_say_why():
    result = amounts(readings(every(15, 3), [0, 1, 2], status=[BAD] * 3), count=2)
    assert np.isnan(result.amount).all()
    assert has(result, IntervalFlag.BAD_STATUS) == [0, 1]


# --- gaps -----------------------------------------------------------------------------------------


def test_a_gap_within_the_limit_is_apportioned_evenly_and_called_estimated():
    result = amounts(readings([0, HOUR, HOUR + QUARTER], [0, 400, 500], scale=1.0), count=5)
    assert result.amount.tolist() == [100.0] * 5
    assert result.estimated_share.tolist() == [1.0, 1.0, 1.0, 1.0, 0.0]
    assert has(result, IntervalFlag.ESTIMATED) == [0, 1, 2, 3]


def test_ten_hours_of_outage_are_ten_unknown_hours_and_no_spike_afterwards():
    times = np.concatenate([every(5, 13), 11 * HOUR + every(5, 13)])
    steps = np.concatenate([np.arange(13) * 10, 5000 + np.arange(13) * 10])
    result = amounts(readings(times, steps, scale=1.0), count=12, width=HOUR)
    assert np.isnan(result.amount[1:11]).all()
    assert result.amount[[0, 11]].tolist() == [120.0, 120.0]
    assert has(result, IntervalFlag.GAP) == list(range(1, 11))
    assert result.completeness.tolist() == [1.0] + [0.0] * 10 + [1.0]


def test_the_day_around_an_outage_is_known_from_the_register_although_its_hours_are_not():
    times = np.concatenate([every(5, 13), 11 * HOUR + every(5, 157)])
    steps = np.concatenate([np.arange(13) * 10, 5000 + np.arange(157) * 10])
    result = amounts(readings(times, steps, scale=1.0), count=1, width=DAY)
    assert result.amount.tolist() == [5000 + 156 * 10]
    assert result.completeness.tolist() == [1.0]


def test_what_a_late_buffer_brings_fills_the_hole_as_if_it_had_never_been():
    times, steps = every(5, 145), np.cumsum(np.arange(145) % 7)
    hole = (times > HOUR) & (times < 11 * HOUR)
    whole = amounts(readings(times, steps), count=48)
    holed = amounts(readings(times[~hole], steps[~hole]), count=48)
    late = np.concatenate([np.flatnonzero(~hole), np.flatnonzero(hole)])
    filled = amounts(readings(times[late], steps[late]), count=48)
    assert np.isnan(holed.amount[4:44]).all()
    assert np.array_equal(filled.amount, whole.amount)
    assert np.array_equal(filled.flags, whole.flags)


def test_an_interval_with_one_unknown_boundary_has_no_amount():
    result = amounts(readings([0, 7 * MINUTE, 3 * HOUR], [0, 7, 180]), count=2)
    assert np.isnan(result.amount).all()


# --- registers that fall --------------------------------------------------------------------------


def test_a_counter_reset_does_not_create_negative_energy():
    steps = [5000, 5010, 5020, 4, 14, 24, 34]
    result = amounts(readings(every(5, 7), steps, scale=1.0), count=2)
    assert result.amount.tolist() == [24.0, 30.0]  # 10 + 10 + 4 counted since the reset
    assert has(result, IntervalFlag.RESET) == [0]


def test_a_rollover_is_counted_through_the_modulus():
    steps = [999_970, 999_980, 999_990, 0, 10, 20, 30]
    result = amounts(readings(every(5, 7), steps, scale=1.0), count=2, modulus=1_000_000)
    assert result.amount.tolist() == [30.0, 30.0]
    assert has(result, IntervalFlag.ROLLOVER) == [0]


def test_without_a_known_modulus_the_same_fall_is_a_reset():
    steps = [999_970, 999_980, 999_990, 3, 13, 23, 33]
    result = amounts(readings(every(5, 7), steps, scale=1.0), count=2)
    assert result.amount.tolist() == [23.0, 30.0]
    assert has(result, IntervalFlag.RESET) == [0]


def test_a_fall_from_the_middle_of_the_register_is_no_rollover():
    steps = [500_000, 500_010, 500_020, 4, 14, 24, 34]
    result = amounts(readings(every(5, 7), steps, scale=1.0), count=2, modulus=1_000_000)
    assert result.amount.tolist() == [24.0, 30.0]
    assert has(result, IntervalFlag.ROLLOVER) == []


def test_a_narrow_register_that_rolls_over_within_minutes_is_no_glitch():
    true = 900 + 75 * np.arange(60)  # back at any height after 13 minutes
    result = amounts(readings(every(1, 60), true % 1000, scale=1.0), count=3, modulus=1000)
    assert result.amount.tolist() == [1125.0] * 3
    assert has(result, IntervalFlag.GLITCH) == []


def test_a_moment_of_zero_near_the_top_is_a_glitch_and_no_rollover():
    steps = [999_970, 999_980, 0, 999_990, 999_992, 999_994, 999_996]
    result = amounts(readings(every(5, 7), steps, scale=1.0), count=2, modulus=1_000_000)
    assert result.amount.tolist() == [20.0, 6.0]
    assert has(result, IntervalFlag.GLITCH) == [0]


def test_going_back_a_little_is_a_glitch_and_no_energy_is_lost_or_invented():
    result = amounts(readings(every(5, 7), [1000, 1010, 1009, 1030, 1040, 1050, 1060], scale=1.0), count=2)
    assert result.amount.tolist() == [30.0, 30.0]
    assert has(result, IntervalFlag.GLITCH) == [0]


@pytest.mark.parametrize("outlier", [0, 5, 900, 999])
@pytest.mark.parametrize("length", [1, 2])
def test_readings_that_are_low_for_a_moment_condemn_no_good_reading(outlier: int, length: int):
    steps = 1000 + 10 * np.arange(13)
    steps[4 : 4 + length] = outlier
    result = amounts(readings(every(5, 13), steps, scale=1.0), count=4)
    assert result.amount.tolist() == [30.0] * 4
    assert set(has(result, IntervalFlag.GLITCH)) == {1}


@pytest.mark.parametrize("outlier", [1050, 2000, 10**9])
@pytest.mark.parametrize("length", [1, 2])
def test_readings_that_are_high_for_a_moment_condemn_no_good_reading(outlier: int, length: int):
    steps = 1000 + 2 * np.arange(13)
    steps[4 : 4 + length] = outlier
    result = amounts(readings(every(5, 13), steps, scale=1.0), count=4)
    assert result.amount.tolist() == [6.0] * 4
    assert set(has(result, IntervalFlag.GLITCH)) == {1}


def test_a_small_step_back_that_stays_counts_nothing():
    steps = [50_000, 50_010, 50_000, 50_001, 50_002, 50_003, 50_004, 50_005]
    result = amounts(readings(every(15, 8), steps, scale=1.0), count=7)
    assert result.amount.tolist() == [10.0, 0.0, 1.0, 1.0, 1.0, 1.0, 1.0]
    assert has(result, IntervalFlag.GLITCH) == [1]


def test_a_register_that_goes_on_from_another_value_loses_that_step_and_says_so():
    steps = [9000, 9010, 9020, 4000, 4010, 4020, 4030]
    result = amounts(readings(every(5, 7), steps, scale=1.0), count=2)
    assert result.amount.tolist() == [20.0, 30.0]
    assert result.completeness == pytest.approx([2 / 3, 1.0])
    assert has(result, IntervalFlag.REPLACED) == [0]


def test_a_used_meter_put_in_does_not_pass_for_a_reset_that_invents_energy():
    steps = [100_000, 100_010, 100_020, 9000, 9010, 9020, 9030]
    result = amounts(readings(every(5, 7), steps, scale=1.0), count=2)
    assert result.amount.tolist() == [20.0, 30.0]
    assert has(result, IntervalFlag.REPLACED) == [0]


def test_a_step_that_is_not_known_and_fills_the_interval_leaves_no_amount():
    result = amounts(readings(every(15, 4), [9000, 9010, 4000, 4010], scale=1.0), count=3)
    assert np.array_equal(result.amount, [10.0, np.nan, 10.0], equal_nan=True)
    assert has(result, IntervalFlag.GAP) == has(result, IntervalFlag.REPLACED) == [1]


def test_a_movement_faster_than_the_point_can_is_not_counted():
    steps = [0, 10, 20, 50_020, 50_030, 50_040, 50_050]
    result = amounts(readings(every(5, 7), steps, scale=1.0), count=2, max_rate=1000.0)
    assert result.amount.tolist() == [20.0, 30.0]
    assert has(result, IntervalFlag.IMPLAUSIBLE) == [0]
    assert result.completeness == pytest.approx([2 / 3, 1.0])


def test_a_limit_of_one_point_says_nothing_about_the_others():
    both = readings(np.tile(every(15, 3), 2), [0, 100, 9000, 0, 100, 9000], point=[0] * 3 + [1] * 3, scale=1.0)
    points = RegisterPoints(np.zeros(2, np.int64), np.array([1000.0, np.inf]))
    result = interval_amounts(register_movements(both, points), Intervals.dense(2, 0, 2))
    assert np.array_equal(result.amount, [100.0, np.nan, 100.0, 8900.0], equal_nan=True)


def test_a_changed_multiplier_holds_from_its_own_reading_on():
    scale = [1.0, 1.0, 10.0, 10.0, 10.0]
    result = amounts(readings(every(15, 5), [0, 100, 200, 300, 400], scale=scale), count=4)
    assert result.amount.tolist() == [100.0, 100.0, 1000.0, 1000.0]
    assert has(result, IntervalFlag.MULTIPLIER_CHANGED) == [1]


def test_after_a_changed_multiplier_an_amount_does_not_depend_on_where_the_computing_began():
    # Revisions are told apart by their last digit: the same readings must give the same number in any window.
    shown = 12_345_678 + np.cumsum(np.arange(96) % 7 * 131 + 3)
    scale = np.where(np.arange(96) < 30, 0.1, 0.2)
    times = 900_000_000 * np.arange(96, dtype=np.int64)

    def amounts(first: int) -> list[float]:
        given_ = RegisterReadings(
            np.zeros(96 - first, np.int64),
            times[first:],
            shown[first:],
            np.zeros(96 - first, np.int32),
            scale[first:],
        )
        moved = register_movements(given_, RegisterPoints.unknown(1))
        return interval_amounts(moved, Intervals.dense(1, int(times[50]), 45)).amount.tolist()

    assert amounts(0) == amounts(20) == amounts(48)


def test_glitches_longer_than_the_window_are_resets():
    steps = np.concatenate([1000 + np.arange(4), np.zeros(5), 1010 + np.arange(4)]).astype(np.int64)
    limits = RegisterLimits(glitch_window_us=10 * MINUTE)
    movements = register_movements(readings(every(5, 13), steps), RegisterPoints.unknown(1), limits)
    assert movements.flags.tolist().count(IntervalFlag.RESET) == 1


# --- doubles --------------------------------------------------------------------------------------


def test_registers_that_come_as_doubles_take_the_same_way():
    value = np.array([1234.125, 1240.5, np.nan, 1250.75, 0.0, 3.5])
    point = np.array([0, 0, 0, 0, 1, 1])
    steps, step = steps_of_doubles(point, value, 2)
    assert steps[2] == NO_VALUE
    given_ = readings([0, QUARTER, QUARTER + 1, 2 * QUARTER, 0, QUARTER], steps, point=point, scale=step[point])
    result = amounts(given_, count=2)
    assert result.amount[:3].tolist() == [6.375, 10.25, 3.5]


@given(values=st.lists(st.floats(-1e12, 1e12), min_size=1, max_size=20))
@example(values=[5e-324])
def test_the_binary_step_keeps_every_double_to_its_last_digit(values: list[float]):
    value = np.array(values)
    steps, step = steps_of_doubles(np.zeros(len(values), np.int64), value, 1)
    assert np.abs(steps * step[0] - value).max() <= np.abs(value).max() * 2.0**-60 + 5e-324


def test_too_long_a_time_for_too_many_points_is_refused_with_a_reason():
    far = readings([0, 10**17], [0, 1], point=[0, 200])
    with pytest.raises(ValueError, match="too many for one call"):
        amounts(far, count=1)


# --- laws -----------------------------------------------------------------------------------------


@st.composite
def registers(draw: st.DrawFn) -> RegisterReadings:
    """Readings of one to three registers over a day, no two further apart than an hour."""
    times, steps, point = [], [], []
    for index in range(draw(st.integers(1, 3))):
        gaps = draw(st.lists(st.integers(1, 60), min_size=30, max_size=60))
        rises = draw(st.lists(st.integers(0, 1000), min_size=len(gaps), max_size=len(gaps)))
        times += list(np.cumsum(gaps) * MINUTE - 60 * MINUTE)
        steps += list(np.cumsum(rises) + draw(st.integers(0, 10**9)))
        point += [index] * len(gaps)
    return readings(times, steps, point=point)


@given(
    given_=registers(), start=st.integers(0, 200), counts=st.sampled_from([(60, 15), (30, 30), (15, 60), (12, 75)])
)
def test_energy_is_conserved_over_any_re_windowing(given_: RegisterReadings, start: int, counts: tuple[int, int]):
    """Whatever the grid, the known sum over a window is the register's own difference over it."""
    count, minutes = counts
    n_points = int(given_.point.max()) + 1
    total = count * minutes * MINUTE
    grid = amounts(given_, start=start * MINUTE, count=count, width=minutes * MINUTE)
    whole = amounts(given_, start=start * MINUTE, count=1, width=total)
    for point in range(n_points):
        parts = grid.amount.reshape(n_points, count)[point]
        if not np.isnan(parts).any():
            assert parts.sum() == pytest.approx(whole.amount[point], rel=1e-9, abs=1e-9)
    assert (grid.amount[~np.isnan(grid.amount)] >= 0).all()


@given(given_=registers())
def test_the_sum_between_first_and_last_reading_is_the_difference_of_the_register(given_: RegisterReadings):
    movements = register_movements(given_, RegisterPoints.unknown(3))
    for point in np.unique(given_.point):
        own = given_.steps[given_.point == point]
        assert movements.rise[movements.point == point].sum() == own[-1] - own[0]


@given(given_=registers(), keep=st.integers(2, 5))
def test_dropping_readings_in_between_moves_energy_but_keeps_the_total(given_: RegisterReadings, keep: int):
    chosen = np.zeros(len(given_.point), np.bool_)
    for point in np.unique(given_.point):
        own = np.flatnonzero(given_.point == point)
        chosen[own[::keep]] = chosen[own[-1]] = True
    fewer = readings(given_.time[chosen], given_.steps[chosen], point=given_.point[chosen])
    first, last = int(given_.time.min()), int(given_.time.max())
    window = {"start": first, "count": 1, "width": last - first, "max_gap_us": DAY * 10}
    assert amounts(fewer, **window).amount == pytest.approx(amounts(given_, **window).amount, nan_ok=True)


@given(given_=registers(), factor=st.sampled_from([2.0, 10.0, 2000.0, 0.001]))
def test_scaling_the_multiplier_scales_the_energy_and_nothing_else(given_: RegisterReadings, factor: float):
    scaled = readings(given_.time, given_.steps, point=given_.point, scale=0.01 * factor)
    one, other = amounts(given_, count=96), amounts(scaled, count=96)
    assert other.amount == pytest.approx(one.amount * factor, nan_ok=True)
    assert np.array_equal(one.flags, other.flags)
    assert other.estimated_share == pytest.approx(one.estimated_share)


@given(given_=registers(), seed=st.integers(0, 2**32))
def test_neither_order_nor_repetition_changes_anything(given_: RegisterReadings, seed: int):
    order = np.random.default_rng(seed).choice(len(given_.point), 2 * len(given_.point))
    order = np.concatenate([order, np.arange(len(given_.point))])
    again = readings(given_.time[order], given_.steps[order], point=given_.point[order])
    one, other = amounts(given_, count=96), amounts(again, count=96)
    assert np.array_equal(one.amount, other.amount, equal_nan=True)
    assert np.array_equal(one.flags, other.flags)


@given(given_=registers(), cut=st.integers(1, 80))
def test_intervals_do_not_depend_on_what_else_is_computed_with_them(given_: RegisterReadings, cut: int):
    """Spans computed one by one, each with an hour of context, equal the whole computed at once."""
    n_points = int(given_.point.max()) + 1
    whole = amounts(given_, count=96).amount.reshape(n_points, 96)
    for first, last in ((0, cut), (cut, 96)):
        near = (given_.time >= first * QUARTER - HOUR) & (given_.time < last * QUARTER + HOUR)
        part = readings(given_.time[near], given_.steps[near], point=given_.point[near])
        movements = register_movements(part, RegisterPoints.unknown(n_points))
        span = Intervals.dense(n_points, first * QUARTER, last - first)
        alone = interval_amounts(movements, span).amount.reshape(n_points, last - first)
        assert alone == pytest.approx(whole[:, first:last], rel=1e-12, abs=1e-12, nan_ok=True)
