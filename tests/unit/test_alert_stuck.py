"""Gauges that freeze and counters that stand still; what may rest does not count."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from smartpark_analytics.alerts import stuck, stuck_counters
from smartpark_analytics.alerts.samples import NEVER_US, Level, Samples

MINUTE = 60_000_000
ROWS = 3


def each_minute(values, *, row=0) -> Samples:
    count = len(values)
    return Samples(np.full(count, row, np.int64), np.arange(count) * MINUTE, np.array(values, np.float64))


def breaches(values, **parameters) -> list[int]:
    chosen = {"stuck_us": 3 * MINUTE, "tolerance": 0.1} | parameters
    verdicts, _ = stuck.judge(each_minute(values), stuck.fresh_carry(1), **chosen)
    return np.flatnonzero(verdicts.level == Level.BREACH).tolist()


def test_a_value_that_stands_still_is_stuck_once_it_has_lasted():
    assert breaches([1, 2, 5, 5, 5, 5, 5, 6]) == [5, 6]
    verdicts, _ = stuck.judge(each_minute([1, 5, 5, 5]), stuck.fresh_carry(1), stuck_us=2 * MINUTE, tolerance=0.0)
    assert verdicts.value.tolist() == [0, 0, 60, 120]
    assert verdicts.limit.tolist() == [120] * 4


def test_noise_within_the_tolerance_stands_still_and_whole_steps_do_not():
    assert breaches([5.0, 5.04, 4.98, 5.05, 5.0]) == [3, 4]
    assert breaches([5, 6, 5, 6, 5, 6, 5], tolerance=0.5) == []
    assert breaches([5, 6, 5, 6, 5, 6, 5], tolerance=1.0) == [3, 4, 5, 6]


def test_a_slow_drift_moves():
    assert breaches(np.arange(60) * 0.04) == []
    # 0.72 and 0.76 lie within the tolerance of 0.8: they stand still with it.
    assert breaches([*(np.arange(20) * 0.04), *[0.8] * 5]) == [21, 22, 23, 24]


def test_what_may_rest_is_not_stuck():
    night = [3, 2, 0, 0, 0.05, 0, 0, 0, 2, 3, 3, 3, 3]
    assert breaches(night, rest=0.0) == [12]
    assert breaches(night, rest=np.nan) == [5, 6, 7, 12]
    assert breaches(night, may_rest=np.array(night) > 2.5) == [5, 6, 7]


def test_standing_still_counts_from_when_it_left_its_rest():
    near = [0.1, 0.15, 0.15, 0.15, 0.15]
    assert breaches(near, rest=0.0) == [4]
    _, carry = stuck.judge(each_minute(near[:1]), stuck.fresh_carry(1), stuck_us=1, tolerance=0.1, rest=0.0)
    assert carry.since_us.tolist() == [NEVER_US]


def test_unknown_values_end_nothing_and_a_long_hole_does():
    assert breaches([5, np.nan, np.nan, 5, 5]) == [4]
    assert breaches([5, np.nan, np.nan, 5, 5], max_gap_us=2 * MINUTE) == []
    assert breaches([5, np.inf, 5, 5]) == [3]


def test_two_readings_far_apart_prove_nothing():
    assert breaches([5, *[np.nan] * 9, 5]) == []
    assert breaches([5, *[np.nan] * 9, 5], min_count=2) == [10]


def test_objects_have_parameters_of_their_own():
    samples = Samples(np.repeat([0, 2], 4), np.tile(np.arange(4) * MINUTE, 2), np.full(8, 7.0))
    verdicts, _ = stuck.judge(samples, stuck.fresh_carry(3), stuck_us=[2 * MINUTE, 0, NEVER_US], tolerance=[0, 0, 1])
    assert np.flatnonzero(verdicts.level == Level.BREACH).tolist() == [2, 3]


def test_repeated_samples_are_refused():
    _, carry = stuck.judge(each_minute([1, 2]), stuck.fresh_carry(1), stuck_us=9, tolerance=0)
    with pytest.raises(ValueError, match="row 0 was judged up to"):
        stuck.judge(each_minute([1, 2]), carry, stuck_us=9, tolerance=0)
    _, carry = stuck_counters.judge(each_minute([1]), np.ones(1), stuck_counters.fresh_carry(1), due=1)
    with pytest.raises(ValueError, match="row 0 was judged up to"):
        stuck_counters.judge(each_minute([1]), np.ones(1), carry, due=1)


VALUES = st.lists(
    st.tuples(
        st.integers(0, ROWS - 1),
        st.integers(1, 4) | st.just(30),
        st.integers(0, 6).map(float) | st.just(2.0) | st.just(np.nan),
        st.sampled_from([0.0, 1.0, 50.0, np.nan]),
    ),
    max_size=60,
)


def columns(stream) -> tuple[Samples, np.ndarray]:
    clock, flat = [0] * ROWS, []
    for row, distance, value, flow in stream:
        clock[row] += distance
        flat.append((row, clock[row], value, flow))
    flat.sort(key=lambda one: one[:2])
    row, time, value, flow = zip(*flat, strict=True) if flat else [()] * 4
    samples = Samples(np.array(row, np.int64), np.array(time, np.int64), np.array(value, np.float64))
    return samples, np.array(flow, np.float64)


def slow(samples, stuck_us, tolerance, rest, max_gap_us) -> list[int]:
    """One sample after the other: the places that are stuck."""
    out, stretch = [], []
    for place, (row, time, value) in enumerate(zip(*(column.tolist() for column in samples), strict=True)):
        if np.isnan(value):
            continue
        if stretch and stretch[0][0] != row:
            stretch = []
        if value == rest:
            stretch = []
            continue
        seen = [one[2] for one in stretch] + [value]
        if stretch and (max(seen) - min(seen) > tolerance or time - stretch[-1][1] > max_gap_us):
            stretch = []
        stretch.append((row, time, value))
        if time - stretch[0][1] >= stuck_us and len(stretch) >= 3:
            out.append(place)
    return out


@settings(max_examples=300)
@given(VALUES, st.integers(0, 12), st.integers(0, 3), st.sampled_from([np.nan, 2.0]), st.sampled_from([5, NEVER_US]))
def test_it_does_what_the_slow_model_does(stream, stuck_us, tolerance, rest, max_gap_us):
    samples, _ = columns(stream)
    # At rest is what lies within the tolerance; the model knows only the very value.
    tolerance = tolerance if np.isnan(rest) else 0
    verdicts, _ = stuck.judge(
        samples, stuck.fresh_carry(ROWS), stuck_us=stuck_us, tolerance=tolerance, rest=rest, max_gap_us=max_gap_us
    )
    found = np.flatnonzero(verdicts.level == Level.BREACH).tolist()
    assert found == slow(samples, stuck_us, tolerance, rest, max_gap_us)


def in_steps(samples, extra, cuts, judge, carry) -> tuple:
    parts = []
    for low, high in pairwise([0, *sorted(cuts), 10**9]):
        inside = np.flatnonzero((samples.time_us >= low) & (samples.time_us < high))
        part = Samples(*(column[inside] for column in samples))
        verdicts, carry = judge(part, extra[inside], carry)
        parts += zip(*(column.tolist() for column in verdicts[:3]), verdicts.value.tolist(), strict=True)
    return sorted(parts), carry


def as_rows(verdicts) -> list:
    return list(zip(*(column.tolist() for column in verdicts[:3]), verdicts.value.tolist(), strict=True))


@settings(max_examples=200)
@given(VALUES, st.lists(st.integers(0, 120), max_size=5), st.sampled_from([np.nan, 2.0]), st.booleans())
def test_gauges_in_steps_come_to_the_same_as_at_once(stream, cuts, rest, told):
    samples, flow = columns(stream)

    def judge(part, extra, carry):
        may = (extra == 0) if told else None
        chosen = {"stuck_us": 4, "tolerance": 2.0, "rest": rest, "max_gap_us": 20, "may_rest": may}
        return stuck.judge(part, carry, **chosen)

    whole, kept = judge(samples, flow, stuck.fresh_carry(ROWS))
    parts, carry = in_steps(samples, flow, cuts, judge, stuck.fresh_carry(ROWS))
    np.testing.assert_equal(parts, as_rows(whole))
    np.testing.assert_equal(carry._asdict(), kept._asdict())


def test_a_long_drift_and_a_chunk_of_samples_are_cut_right(monkeypatch):
    monkeypatch.setattr(stuck, "_CHUNK", 50)
    monkeypatch.setattr(stuck, "_WIDEST", 3)
    generator = np.random.default_rng(7)
    values = np.cumsum(generator.integers(-1, 2, 3000)).astype(float)
    samples = Samples(np.repeat(np.arange(3), 1000), np.tile(np.arange(1000), 3), values)
    verdicts, _ = stuck.judge(samples, stuck.fresh_carry(3), stuck_us=20, tolerance=3)
    expected = slow(samples, 20, 3, np.nan, NEVER_US)
    assert len(expected) > 20
    assert np.flatnonzero(verdicts.level == Level.BREACH).tolist() == expected


# --- counters -------------------------------------------------------------------------------------


def standing(values, flow, **parameters):
    chosen = {"due": 2.5} | parameters
    verdicts, _ = stuck_counters.judge(
        each_minute(values), np.array(flow, np.float64), stuck_counters.fresh_carry(1), **chosen
    )
    return verdicts.level.tolist()


def test_a_counter_that_stands_still_while_power_flows_is_stuck():
    assert standing([7, 8, 8, 8, 8, 9, 9], [60.0] * 7) == [0, 0, 0, 0, 2, 0, 0]
    assert standing([8, 8, 8, 8], [0.0] * 4) == [0, 0, 0, 0]
    assert standing([8, 8, 8, 8], [-60.0] * 4) == [0, 0, 0, 2]  # export flows as well


def test_a_large_step_of_the_counter_needs_a_large_flow():
    assert standing([8] * 5, [60.0] * 5, due=30.0) == [0] * 5
    assert standing([8] * 5, [6000.0] * 5, due=30.0) == [0, 2, 2, 2, 2]


def test_flow_that_is_not_known_counts_nothing_and_says_nothing():
    assert standing([8] * 5, [60, 60, np.nan, 60, 60]) == [0, 0, -1, 0, 0]
    assert standing([8, 8, np.nan, 8, 8], [60] * 5) == [0, 0, -1, 2, 2]
    assert standing([8, 8, np.nan, np.nan, 8], [60] * 5, max_gap_us=MINUTE) == [0, 0, -1, -1, 0]
    assert standing([8] * 5, [60] * 5, due=np.nan) == [-1] * 5


def test_one_high_reading_of_the_power_does_not_make_a_flow():
    assert standing([8] * 5, [0, 0, 9e9, 0, 0]) == [0] * 5


@settings(max_examples=200)
@given(VALUES, st.lists(st.integers(0, 120), max_size=5))
def test_counters_in_steps_come_to_the_same_as_at_once(stream, cuts):
    samples, flow = columns(stream)

    def judge(part, extra, carry):
        return stuck_counters.judge(part, extra, carry, due=3e-8, max_gap_us=20)

    whole, kept = judge(samples, flow, stuck_counters.fresh_carry(ROWS))
    parts, carry = in_steps(samples, flow, cuts, judge, stuck_counters.fresh_carry(ROWS))
    np.testing.assert_equal(parts, as_rows(whole))
    np.testing.assert_equal(carry._asdict(), kept._asdict())


def test_history_needed_until_what_is_due_has_flowed():
    assert stuck.lookback_us([5, 9]) == 9
    assert stuck_counters.lookback_us([3.0, 3.0], [6.0, 1.0]) == 3 * 60 * MINUTE
    assert stuck_counters.lookback_us([3.0], [0.0]) == 0
