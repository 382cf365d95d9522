"""Meters that are replaced: with both counts written down nothing is lost, and nothing has to be guessed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from smartpark_analytics import (
    IntervalFlag,
    Intervals,
    RegisterChanges,
    RegisterPoints,
    RegisterReadings,
    interval_amounts,
    movements_through_changes,
)

MINUTE = 60_000_000
QUARTER = 15 * MINUTE


def readings(times, steps, *, point=None, scale=1.0) -> RegisterReadings:
    count = len(times)
    return RegisterReadings(
        np.zeros(count, np.int64) if point is None else np.asarray(point, np.int64),
        np.asarray(times, np.int64),
        np.asarray(steps, np.int64),
        np.zeros(count, np.int32),
        np.broadcast_to(np.asarray(scale, np.float64), count).copy(),
    )


def changes(*rows, before=1.0, after=1.0) -> RegisterChanges:
    """Rows of (point, time, final, initial)."""
    point, time, final, initial = np.array(rows, np.int64).reshape(-1, 4).T
    return RegisterChanges(point, time, final, initial, np.full(len(rows), before), np.full(len(rows), after))


def amounts(given_: RegisterReadings, told: RegisterChanges, *, count=4, n_points=1, modulus=0):
    points = RegisterPoints(np.full(n_points, modulus, np.int64), np.full(n_points, np.inf))
    movements = movements_through_changes(given_, points, told)
    return interval_amounts(movements, Intervals.dense(n_points, 0, count))


def test_a_replacement_that_was_written_down_loses_nothing():
    result = amounts(readings(np.arange(5) * QUARTER, [800, 900, 50, 150, 250]), changes((0, 20 * MINUTE, 950, 0)))
    assert result.amount.tolist() == [100.0, 100.0, 100.0, 100.0]
    assert result.completeness.tolist() == [1.0] * 4
    assert (result.flags & IntervalFlag.METER_CHANGED).astype(bool).tolist() == [False, True, False, False]
    assert not (result.flags & (IntervalFlag.REPLACED | IntervalFlag.RESET)).any()


def test_a_used_meter_may_begin_higher_than_the_old_one_ended():
    result = amounts(
        readings(np.arange(5) * QUARTER, [10, 20, 70_030, 70_040, 70_050]), changes((0, QUARTER, 20, 70_020))
    )
    assert result.amount.tolist() == [10.0, 10.0, 10.0, 10.0]


def test_another_ratio_holds_from_the_change_on():
    scale = [10.0, 10.0, 10.0, 20.0, 20.0]
    told = changes((0, 2 * QUARTER + 1, 300, 0), before=10.0, after=20.0)
    result = amounts(readings(np.arange(5) * QUARTER, [100, 200, 300, 50, 100], scale=scale), told)
    assert result.amount == pytest.approx([1000.0, 1000.0, 1000.0, 1000.0])
    assert result.flags[2] & IntervalFlag.MULTIPLIER_CHANGED


def test_a_change_concerns_its_own_point_only():
    times = np.tile(np.arange(3) * QUARTER, 2)
    both = readings(times, [0, 90, 10, 0, 90, 10], point=[0, 0, 0, 1, 1, 1])
    result = amounts(both, changes((1, QUARTER, 90, 0)), count=2, n_points=2)
    assert result.amount[2:].tolist() == [90.0, 10.0]
    assert not (result.flags[:2] & IntervalFlag.METER_CHANGED).any()


def test_the_new_register_may_roll_over_like_the_old_one():
    result = amounts(
        readings(np.arange(4) * QUARTER, [500, 600, 9990, 10]),
        changes((0, QUARTER, 600, 9890)),
        count=3,
        modulus=10_000,
    )
    assert result.amount.tolist() == [100.0, 100.0, 20.0]
    assert result.flags[2] & IntervalFlag.ROLLOVER


def test_a_final_count_that_does_not_fit_is_told_and_invents_nothing():
    result = amounts(readings(np.arange(3) * QUARTER, [8000, 9000, 100]), changes((0, 20 * MINUTE, 6000, 0)), count=2)
    assert result.flags[1] & IntervalFlag.REPLACED
    assert result.amount[1] == 100.0
    assert result.completeness[1] < 1.0


@pytest.mark.parametrize("minutes_off", [-12, -6, 6, 12])
def test_a_note_that_is_some_minutes_off_invents_nothing(minutes_off: int):
    """The old register ended at 950 and the new one began at 0 at half past; the note says otherwise."""
    times = np.arange(0, 61, 3) * MINUTE
    shown = np.where(times < 30 * MINUTE, 920 + times // MINUTE, times // MINUTE - 30)
    result = amounts(readings(times, shown), changes((0, (30 + minutes_off) * MINUTE, 950, 0)))
    assert result.amount.sum() == pytest.approx(60.0, abs=abs(minutes_off))
    assert (result.flags & IntervalFlag.GLITCH).any()


@given(
    rises=st.lists(st.integers(0, 10_000), min_size=6, max_size=40),
    cuts=st.lists(st.tuples(st.integers(1, 10**9), st.integers(0, 10**6)), max_size=3, unique_by=lambda cut: cut[0]),
)
def test_wherever_the_meter_is_replaced_the_energy_is_that_of_one_register(rises, cuts):
    """One register cut in pieces, each piece counting from a value of its own, shows the same energy."""
    times = np.arange(len(rises), dtype=np.int64) * 5 * MINUTE + 1
    total = np.cumsum(rises)
    told: list[tuple[int, int, int, int]] = []
    shown = total.copy()
    for share, initial in sorted(cuts):
        at = 1002 + share * (int(times[-1]) - 3000) // 10**9 // 1000 * 1000
        # Between two readings the register stands where the earlier one left it, as far as anybody knows.
        last = np.searchsorted(times, at, side="left") - 1
        if told and times[last] < told[-1][1]:
            continue  # two changes between two readings: nobody knows what the register in between showed
        final = int(shown[last])
        after = times >= at
        shown[after] += initial - final
        told.append((0, int(at), final, initial))
    whole = amounts(readings(times, total), changes(), count=len(rises) // 3)
    pieces = amounts(readings(times, shown), changes(*told), count=len(rises) // 3)
    known = np.isfinite(whole.amount)
    assert np.array_equal(known, np.isfinite(pieces.amount))
    # Where a change falls between two readings, what is apportioned lies on one side of it: totals are the same.
    assert pieces.amount[known].sum() == pytest.approx(whole.amount[known].sum(), abs=max(rises) + 1e-6)
    if len(total) > 3:
        moved = movements_through_changes(readings(times, shown), RegisterPoints.unknown(1), changes(*told))
        assert int(moved.rise.sum()) == int(total[-1] - total[0])
