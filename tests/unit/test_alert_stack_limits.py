"""Stacks: hours and days at the reference oxygen, what is not judged, and the warning within the hour."""

import numpy as np
import pytest
from alert_steps import MINUTE, assert_same, between, cuts, in_steps, many_samples, series_of
from hypothesis import given, settings
from hypothesis import strategies as st
from smartpark.cems_rules import cems_rules
from smartpark_analytics.alerts.samples import Level
from smartpark_analytics.alerts.stack_hour_so_far import hour_carry, hour_warning
from smartpark_analytics.alerts.stack_limits import StackLimits, WaitingHours, emission_hours, stack_verdicts
from smartpark_analytics.alerts.waiting import no_samples

HOUR = 60 * MINUTE
VALIDITY = cems_rules().validity[0]
DUST = StackLimits(np.array([50.0]), np.array([9.0]))
NONE = StackLimits(np.array([np.nan]), np.array([9.0]))
STACK = np.zeros(1, np.int64)


def days(minutes, letters=None, oxygen=None, hourly=DUST, daily=NONE):
    letters = np.full(minutes.shape, "N") if letters is None else letters
    oxygen = np.full(minutes.shape, 9.0) if oxygen is None else oxygen
    return stack_verdicts(
        minutes,
        letters,
        oxygen,
        np.full(minutes.shape, "N"),
        start_us=0,
        hourly=hourly,
        daily=daily,
        validity=VALIDITY,
    )


def test_the_corrected_mean_is_what_is_compared():
    # 45 mg/m3 at 11 % oxygen are 45 x (21 - 9) / (21 - 11) = 54 at 9 %.
    found = days(np.full((1, 1440), 45.0), oxygen=np.full((1, 1440), 11.0)).hours
    assert found.value[0] == pytest.approx(54.0)
    assert (found.level == Level.BREACH).all()
    assert days(np.full((1, 1440), 50.0)).hours.level[0] == Level.CLEAR  # a value that equals its limit keeps it


@pytest.mark.parametrize("letter", ["M", "C", "D", "F", "B", "S", "T"])
def test_minutes_with_a_flag_do_not_count(letter):
    minutes, letters = np.full((1, 1440), 40.0), np.full((1, 1440), "N", dtype="U1")
    minutes[0, :15], letters[0, :15] = 900.0, letter  # 45 others are enough
    minutes[0, 60:76], letters[0, 60:76] = 900.0, letter  # 44 are not
    minutes[0, 120:180], letters[0, 120:180] = 900.0, letter
    found = days(minutes, letters).hours
    assert found.level[:4].tolist() == [Level.CLEAR, Level.UNKNOWN, Level.UNKNOWN, Level.CLEAR]
    assert found.value[0] == pytest.approx(40.0)


def test_air_in_the_analyser_is_not_judged():
    oxygen = np.full((1, 1440), 9.0)
    oxygen[0, :60] = 20.9
    assert days(np.full((1, 1440), 900.0), oxygen=oxygen).hours.level[:2].tolist() == [Level.UNKNOWN, Level.BREACH]


def test_a_day_has_a_limit_of_its_own_and_needs_enough_hours():
    minutes, letters = np.full((1, 2880), 40.0), np.full((1, 2880), "N")
    letters[0, 1440 : 1440 + 5 * 60] = "C"  # 19 of 20 hours
    daily = DUST._replace(limit=np.array([30.0]))
    found = days(minutes, letters, daily=daily)
    assert found.days.level.tolist() == [Level.BREACH, Level.UNKNOWN]
    assert found.days.time_us.tolist() == [0, 24 * HOUR]
    assert set(found.hours.level.tolist()) == {Level.CLEAR, Level.UNKNOWN}


def test_a_share_of_the_limit_warns_early_and_a_limit_that_nobody_entered_says_nothing():
    minutes = np.full((1, 1440), 46.0)
    assert days(minutes, hourly=DUST._replace(share=0.9)).hours.level[0] == Level.BREACH
    assert days(minutes, hourly=DUST._replace(clear_share=0.9)).hours.level[0] == Level.HOLD
    assert days(minutes, hourly=NONE).hours.level[0] == Level.UNKNOWN


HOURLY = StackLimits(np.array([50.0, 300.0, 200.0]), np.array([9.0, 9.0, 3.5]))
OXYGEN_OF = np.array([0, 0, 1])
"""Two pollutants of one stack, one of another."""


@given(
    means=many_samples(
        rows=3, span_us=12 * HOUR, step_us=HOUR, values=st.sampled_from([40.0, 60.0, 290.0, 320.0, float("nan")])
    ),
    oxygen=many_samples(
        rows=2, span_us=12 * HOUR, step_us=HOUR, values=st.sampled_from([3.5, 9.0, 10.0, 21.0, float("nan")])
    ),
    ends=cuts(14 * HOUR),
)
@settings(max_examples=50)
def test_hours_in_steps_are_as_at_once(means, oxygen, ends):
    def judge(start, end, waiting):
        return emission_hours(
            between(means, start, end),
            between(oxygen, start, end),
            HOURLY,
            waiting,
            end,
            oxygen_of=OXYGEN_OF,
            ripens_after_us=2 * HOUR,
        )

    fresh = WaitingHours(no_samples(), no_samples())
    at_once = in_steps(judge, fresh, ends[-1:])
    assert_same(in_steps(judge, fresh, ends), at_once)
    assert at_once.row.size == means.row.size
    beside = dict(zip(zip(oxygen.row.tolist(), oxygen.time_us.tolist(), strict=True), oxygen.value, strict=True))
    for row, time, value in zip(means.row.tolist(), means.time_us.tolist(), means.value.tolist(), strict=True):
        air = beside.get((OXYGEN_OF[row], time), np.nan)
        reference = HOURLY.reference_oxygen[row]
        expected = value * (21 - reference) / (21 - air) if air < 20.9 else np.nan
        found = at_once.value[(at_once.row == row) & (at_once.time_us == time)]
        assert found == pytest.approx([expected], nan_ok=True)


def warned(dust, air, limits=DUST, least=5):
    return hour_warning(
        series_of(dust, MINUTE),
        series_of(air, MINUTE),
        limits,
        hour_carry(1, 1),
        oxygen_of=STACK,
        rhythm_us=MINUTE,
        least_minutes=least,
    )[0]


def test_the_hour_is_forecast_while_it_can_be_saved():
    # After 20 minutes at 40 and one at 70: (20 x 40 + 40 x 70) / 60 = 60 if it stays so.
    found = warned([40.0] * 20 + [70.0] * 40, [9.0] * 60)
    assert found.verdicts.value[20] == pytest.approx(60.0)
    assert (found.verdicts.level[20], found.minutes_left[20]) == (Level.BREACH, 39.0)
    # At the hour's end the forecast is its mean.
    assert found.verdicts.value[-1] == pytest.approx(60.0)
    assert found.minutes_left[-1] == 0.0
    assert (found.verdicts.level[:4] == Level.UNKNOWN).all()
    assert found.verdicts.level[4] == Level.CLEAR


def test_minutes_that_do_not_count_are_not_judged_and_not_counted():
    found = warned([40.0] * 10 + [float("nan")] * 10 + [40.0] * 10, [9.0] * 30)
    assert (found.verdicts.level[10:20] == Level.UNKNOWN).all()
    assert found.verdicts.value[-1] == pytest.approx(40.0)


def test_at_the_hours_end_the_forecast_is_the_judged_mean():
    rng = np.random.default_rng(7)
    dust, air = rng.uniform(20, 90, 1440), rng.uniform(6, 12, 1440)
    found = warned(dust, air).verdicts
    hours = days(dust[np.newaxis], oxygen=air[np.newaxis]).hours
    assert found.value[59::60] == pytest.approx(hours.value, rel=1e-6)
    assert found.level[59::60].tolist() == hours.level.tolist()


@given(
    dust=many_samples(
        rows=3, span_us=3 * HOUR, step_us=MINUTE, values=st.sampled_from([40.0, 60.0, 250.0, 400.0, float("nan")])
    ),
    air=many_samples(rows=2, span_us=3 * HOUR, step_us=MINUTE, values=st.sampled_from([8.0, 9.5, float("nan")])),
    ends=cuts(3 * HOUR),
)
@settings(max_examples=50)
def test_warnings_in_steps_are_as_at_once(dust, air, ends):
    def judge(start, end, carry):
        found, carry = hour_warning(
            between(dust, start, end),
            between(air, start, end),
            HOURLY,
            carry,
            oxygen_of=OXYGEN_OF,
            rhythm_us=10 * MINUTE,
            least_minutes=20,
        )
        return found.verdicts, carry

    fresh = hour_carry(3, 2)
    assert_same(in_steps(judge, fresh, ends), in_steps(judge, fresh, ends[-1:]))
