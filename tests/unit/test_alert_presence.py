"""Who is silent, since when; what came late; where the holes are."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from smartpark_analytics.alerts import episodes, presence
from smartpark_analytics.alerts.samples import NEVER_US, NOT_YET_US, Level, Samples

ROWS = 3


def heard(*moments, row=0) -> Samples:
    count = len(moments)
    return Samples(np.full(count, row, np.int64), np.array(moments, np.int64), np.full(count, np.nan))


def told(verdicts) -> list[tuple]:
    return list(zip(verdicts.row.tolist(), verdicts.time_us.tolist(), verdicts.level.tolist(), strict=True))


def test_the_moment_of_silence_does_not_depend_on_the_tick():
    for until in (41, 55, 1000):
        carry = presence.fresh_carry(1)
        _, carry = presence.judge(heard(0, 10), carry, stale_us=30, until_us=20)
        silent, carry = presence.judge(heard(), carry, stale_us=30, until_us=until)
        assert told(silent) == [(0, 40, Level.BREACH)]
        again, carry = presence.judge(heard(), carry, stale_us=30, until_us=until + 500)
        assert not again.row.size
        back, _ = presence.judge(heard(2000), carry, stale_us=30)
        assert told(back) == [(0, 2000, Level.CLEAR)]
        assert back.value.tolist() == [1990 / 1e6]


def test_a_reading_may_come_at_the_last_moment():
    silent, carry = presence.judge(heard(10), presence.fresh_carry(1), stale_us=30, until_us=40)
    assert told(silent) == [(0, 10, Level.CLEAR)]
    assert told(presence.judge(heard(40), carry, stale_us=30)[0]) == [(0, 40, Level.CLEAR)]


def test_whoever_never_spoke_is_silent_from_when_it_was_expected():
    carry = presence.fresh_carry(3, expected_since_us=[100, 500, NEVER_US])
    silent, carry = presence.judge(heard(), carry, stale_us=30, until_us=300)
    assert told(silent) == [(0, 130, Level.BREACH)]
    silent, carry = presence.judge(heard(400, row=2), carry, stale_us=30, until_us=600)
    assert told(silent) == [(1, 530, Level.BREACH), (2, 400, Level.CLEAR), (2, 430, Level.BREACH)]


def test_before_it_is_expected_its_silence_does_not_count():
    carry = presence.fresh_carry(1, expected_since_us=100)
    silent, carry = presence.judge(heard(10, 90), carry, stale_us=30, until_us=131)
    assert told(silent) == [(0, 10, Level.CLEAR), (0, 90, Level.CLEAR), (0, 130, Level.BREACH)]


def test_an_object_that_may_be_silent_for_ever_is_never_stale():
    carry = presence.fresh_carry(2, expected_since_us=0)
    silent, _ = presence.judge(heard(5, row=1), carry, stale_us=[NEVER_US, 10], until_us=10**15)
    assert told(silent) == [(1, 5, Level.CLEAR), (1, 15, Level.BREACH)]


def test_silence_is_an_episode_from_when_it_was_too_long_to_the_next_reading():
    verdicts, _ = presence.judge(heard(0, 100, 500), presence.fresh_carry(1), stale_us=60, until_us=900)
    found, _ = episodes.step(
        verdicts, episodes.fresh_carry(1), for_us=20, clear_for_us=0, holds_us=NEVER_US, until_us=900
    )
    assert found.since_us.tolist() == [60, 160, 560]
    assert found.fired_us.tolist() == [80, 180, 580]
    assert found.cleared_us.tolist() == [100, 500, NEVER_US]


def test_repeated_readings_are_refused():
    _, carry = presence.judge(heard(5), presence.fresh_carry(1), stale_us=9)
    with pytest.raises(ValueError, match="row 0 was judged up to 5 µs"):
        presence.judge(heard(5), carry, stale_us=9)
    _, carry = presence.gaps(heard(5), presence.fresh_gap_carry(1), gap_us=9)
    with pytest.raises(ValueError, match="row 0 was judged up to 5 µs"):
        presence.gaps(heard(5), carry, gap_us=9)


def test_late_is_what_took_too_long_and_the_future_is_not_late():
    row, zero = np.arange(4), np.zeros(4, np.int64)
    found = presence.judge_late(row, zero, np.array([10, 31, 61, -900]), late_us=60, rows=4)
    assert found.level.tolist() == [Level.CLEAR, Level.HOLD, Level.BREACH, Level.CLEAR]
    assert found.value.tolist() == [10e-6, 31e-6, 61e-6, -900e-6]


def test_a_hole_is_over_when_it_is_known():
    found, carry = presence.gaps(heard(0, 30), presence.fresh_gap_carry(1), gap_us=30)
    assert not found.row.size
    found, _ = presence.gaps(heard(90), carry, gap_us=30)
    assert (found.since_us[0], found.fired_us[0], found.cleared_us[0]) == (30, 60, 90)
    assert (found.worst[0], found.worst_limit[0], found.n_breaches[0]) == (60e-6, 30e-6, 1)


def test_the_usual_distance_is_the_median_and_too_few_tell_nothing():
    row = np.repeat([0, 1, 3], [8, 3, 7])
    time = np.concatenate([[0, 60, 121, 180, 9000, 9001, 9061, 9121], [0, 1, 2], np.arange(7) * 15])
    found = presence.expected_step_us(row, time.astype(np.int64), 5)
    assert found.tolist() == [60, NEVER_US, NEVER_US, 15, NEVER_US]
    rare = presence.expected_step_us(row, time.astype(np.int64), 5, quantile=1.0)
    assert rare.tolist() == [8820, NEVER_US, NEVER_US, 15, NEVER_US]
    assert presence.expected_step_us(row[:0], time[:0].astype(np.int64), 2).tolist() == [NEVER_US] * 2


MOMENTS = st.lists(st.tuples(st.integers(0, ROWS - 1), st.integers(0, 200)), max_size=25, unique=True)
STALE = st.lists(st.integers(0, 60) | st.just(NEVER_US), min_size=ROWS, max_size=ROWS)
EXPECTED = st.lists(st.integers(0, 150) | st.just(NEVER_US), min_size=ROWS, max_size=ROWS)


def flat(moments) -> Samples:
    ordered = sorted(moments)
    columns = (np.array([moment[place] for moment in ordered], np.int64) for place in (0, 1))
    return Samples(*columns, np.zeros(len(ordered)))


def slow(moments, stale, expected, until) -> list[tuple]:
    out = []
    for row in range(ROWS):
        since = None if expected[row] == NEVER_US else expected[row]
        for moment in [*sorted(time for at, time in moments if at == row), None]:
            limit = NEVER_US if since is None else since + stale[row]
            if limit < (until if moment is None else moment):
                out.append((row, limit, Level.BREACH))
            if moment is not None:
                out.append((row, moment, Level.CLEAR))
                since = moment if expected[row] == NEVER_US else max(moment, expected[row])
    return out


@settings(max_examples=200)
@given(MOMENTS, STALE, EXPECTED, st.lists(st.integers(0, 260), max_size=5))
def test_in_steps_and_at_once_it_does_what_the_slow_model_does(moments, stale, expected, cuts):
    end = 260
    whole = flat(moments)
    at_once, last = presence.judge(whole, presence.fresh_carry(ROWS, expected), stale_us=stale, until_us=end)
    assert told(at_once) == slow(moments, stale, expected, end)
    carry, steps = presence.fresh_carry(ROWS, expected), []
    gap_carry, holes = presence.fresh_gap_carry(ROWS), []
    for low, high in pairwise([0, *sorted(cuts), end]):
        inside = (whole.time_us >= low) & (whole.time_us < high)
        part = Samples(*(column[inside] for column in whole))
        verdicts, carry = presence.judge(part, carry, stale_us=stale, until_us=high)
        steps += told(verdicts)
        found, gap_carry = presence.gaps(part, gap_carry, gap_us=stale)
        holes += zip(*(column.tolist() for column in found), strict=True)
    assert sorted(steps) == told(at_once)
    for kept, expected_kept in zip(carry, last, strict=True):
        assert kept.tolist() == expected_kept.tolist()
    found, _ = presence.gaps(whole, presence.fresh_gap_carry(ROWS), gap_us=stale)
    assert sorted(holes) == list(zip(*(column.tolist() for column in found), strict=True))


def test_nothing_heard_of_nobody_is_nothing():
    verdicts, carry = presence.judge(heard(), presence.fresh_carry(0), stale_us=1, until_us=NOT_YET_US)
    assert not verdicts.row.size
    assert not carry.since_us.size
