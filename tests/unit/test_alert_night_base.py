"""Night base load: what creeps is told, what the seasons do is not, and neither is one bad night."""

import math

import numpy as np
import pytest
from alert_steps import assert_same, between, cuts, in_steps, series_of
from hypothesis import given, settings
from hypothesis import strategies as st
from smartpark_analytics.alerts.night_base import (
    DAY_US,
    HOUR_US,
    NightSettings,
    day_of_night,
    night_base,
    night_carry,
    night_lookback_us,
)
from smartpark_analytics.alerts.samples import Level, Samples
from smartpark_simulators.replay import steel_power

HOURS = NightSettings()
OFFSET = 8 * HOUR_US


def rest_of(n_days):
    return np.arange(n_days) % 7 >= 5


def many(power):
    """Hourly samples of objects, shape (n_rows, n_days x 24), from local midnight of day 0."""
    rows, hours = power.shape
    times = np.arange(hours) * HOUR_US - OFFSET
    return Samples(np.repeat(np.arange(rows), hours), np.tile(times, rows), power.ravel())


def judged(power, chosen=HOURS, *, least=0.0, rest=None):
    power = np.atleast_2d(power)
    n_days = power.shape[1] // 24
    found, _ = night_base(
        many(power),
        night_carry(len(power), 0, chosen),
        n_days * DAY_US - OFFSET,
        least=np.full(len(power), least),
        is_rest=rest_of(n_days) if rest is None else rest,
        first_day=0,
        settings=chosen,
    )
    return found


def levels(found, row=0):
    return found.verdicts.level[found.verdicts.row == row]


def plant(n_days, nightly, *, noise=0.02, seed=3):
    """A plant: by day it works, at night it draws what `nightly` says of each day."""
    hour = np.arange(24)
    works = np.where((hour >= 7) & (hour < 19), 4.0, 1.0)
    load = nightly[:, np.newaxis] * np.where(rest_of(n_days)[:, np.newaxis], 1.0, works)
    return (load * (1.0 + noise * np.random.default_rng(seed).standard_normal(load.shape))).ravel()


def test_the_example_by_hand():
    # Eight weeks at 100, then 125 from day 56 on: held against the weeks until 14 nights before, 100 + 20 %.
    nightly = np.where(np.arange(70) < 56, 100.0, 125.0)
    found = judged(np.repeat(nightly, 24))
    level = levels(found)
    assert found.expected[56] == pytest.approx(100.0)
    assert found.verdicts.limit[56] == pytest.approx(120.0)
    assert found.verdicts.value[56] == pytest.approx(125.0)
    assert level[55:61].tolist() == [Level.CLEAR, Level.HOLD, Level.HOLD, Level.HOLD, Level.BREACH, Level.BREACH]
    assert found.streak[56:60].tolist() == [1, 2, 3, 4]
    # Of night 59, of which the morning is that of day 59, the end is 5 o'clock local time.
    assert found.verdicts.time_us[59] == 59 * DAY_US + 5 * HOUR_US - OFFSET


@pytest.mark.parametrize("night", [60, 61])
def test_fewer_nights_than_asked_for_are_no_creep(night):
    nightly = np.full(80, 100.0)
    nightly[night : night + 3] = 400.0
    assert Level.BREACH not in levels(judged(plant(80, nightly)))


def test_the_season_is_no_creep():
    # Two years whose nights swing by 40 % to either side, as with heating, cooling and ventilation.
    day = np.arange(730)
    found = levels(judged(plant(730, 100.0 * (1.0 + 0.4 * np.sin(2 * math.pi * day / 365.0)))))
    assert (found >= Level.CLEAR).sum() > 650
    assert Level.BREACH not in found


@pytest.mark.parametrize(("weekly", "until_night"), [(0.08, 23), (0.10, 20), (0.15, 15), (0.25, 10)])
def test_a_creep_is_told(weekly, until_night):
    # A leak in the compressed air that grows: 8 % a week are told after three weeks.
    nightly = 100.0 * (1.0 + weekly / 7.0 * np.maximum(np.arange(110) - 70, 0))
    found = levels(judged(plant(110, nightly)))
    first = int(np.argmax(found == Level.BREACH))
    assert 70 < first <= 70 + until_night


def test_work_and_rest_are_held_against_their_own():
    # At week-ends the base is half: no night is held against the other kind, and a Sunday at 75 is told.
    nightly = np.where(rest_of(140), 50.0, 100.0)
    assert Level.BREACH not in levels(judged(np.repeat(nightly, 24)))
    raised = np.where(rest_of(140) & (np.arange(140) >= 110), 75.0, nightly)
    found = judged(np.repeat(raised, 24))
    # The fourth night of that kind, although the nights between are as usual, and those do not end it.
    assert np.flatnonzero(levels(found) == Level.BREACH)[:2].tolist() == [118, 124]
    assert (levels(found)[119:124] == Level.HOLD).all()


def test_a_small_rise_is_nobodys_concern():
    nightly = np.where(np.arange(80) < 70, 2.0, 3.0)
    assert Level.BREACH in levels(judged(np.repeat(nightly, 24)))
    assert Level.BREACH not in levels(judged(np.repeat(nightly, 24), least=5.0))


def test_a_load_that_jumps_about_every_night_is_not_significant():
    rng = np.random.default_rng(11)
    nightly = rng.uniform(50, 150, 200)
    assert Level.BREACH not in levels(judged(plant(200, nightly)))


def test_a_night_that_is_not_known_ends_nothing():
    power = np.repeat(np.where(np.arange(80) < 70, 100.0, 130.0), 24)
    power[72 * 24 : 72 * 24 + 3] = np.nan  # two of five hours are too few
    found = judged(power)
    assert levels(found)[70:75].tolist() == [Level.HOLD, Level.HOLD, Level.UNKNOWN, Level.HOLD, Level.BREACH]


def test_a_night_across_midnight_belongs_to_its_morning():
    chosen = NightSettings(start_h=22.0, end_h=4.0)
    power = np.full(60 * 24, 100.0)
    power[58 * 24 + 22 : 59 * 24 + 4] = 300.0
    found = judged(power, chosen)
    assert found.verdicts.value[58:].tolist() == [100.0, 300.0]
    assert day_of_night(58 * DAY_US + 23 * HOUR_US - OFFSET, chosen) == 59
    assert day_of_night(59 * DAY_US + 3 * HOUR_US - OFFSET, chosen) == 59


def test_days_that_nobody_entered_are_refused():
    with pytest.raises(ValueError, match="kinds of days are given from 0 until 10"):
        judged(np.full(20 * 24, 1.0), rest=rest_of(10))


@given(
    ends=cuts(90 * DAY_US),
    step=st.sampled_from([1.3, 1.6]),
    lost=st.sets(st.integers(0, 90 * 24 - 1), max_size=60),
)
@settings(max_examples=25)
def test_in_steps_is_as_at_once(ends, step, lost):
    day = np.arange(90)
    power = np.stack([plant(90, np.where(day < 60, 100.0, 100.0 * step), seed=1), plant(90, 50.0 + day, seed=2)])
    power[:, list(lost)] = np.nan
    samples = many(power)

    def judge(start, end, carry):
        nights, carry = night_base(
            between(samples, start, end),
            carry,
            end,
            least=np.zeros(2),
            is_rest=rest_of(91),
            first_day=0,
            settings=HOURS,
        )
        return nights.verdicts, carry

    fresh = night_carry(2, 0, HOURS)
    at_once = in_steps(judge, fresh, ends[-1:])
    assert at_once.row.size == 2 * 90
    assert_same(in_steps(judge, fresh, ends), at_once)


def test_a_carry_is_rebuilt_from_the_lookback():
    power = plant(140, np.where(np.arange(140) < 120, 100.0, 140.0))
    at_once = judged(power)
    until, samples = 122 * DAY_US, many(power[np.newaxis])
    from_us = until - night_lookback_us(HOURS)
    options = {"least": np.zeros(1), "is_rest": rest_of(140), "first_day": 0, "settings": HOURS}
    carry = night_carry(1, day_of_night(from_us, HOURS), HOURS)
    _, carry = night_base(between(samples, from_us, until), carry, until, **options)
    found, _ = night_base(between(samples, until, 139 * DAY_US), carry, 139 * DAY_US, **options)
    assert found.verdicts.level.tolist() == levels(at_once)[123 : 123 + found.verdicts.row.size].tolist()
    assert Level.BREACH in found.verdicts.level


def test_the_nights_of_a_steel_works_are_quiet_until_something_stays_on():
    hourly = steel_power().reshape(-1, 4).mean(axis=1)
    days = hourly.reshape(-1, 24)
    # Four times its eight weeks, from a Monday; then 10 kW that nobody switches off.
    year = np.tile(days, (4, 1))
    assert Level.BREACH not in levels(judged(year.ravel(), least=2.0))
    leak = year + 10.0 * (np.arange(len(year)) >= 180)[:, np.newaxis]
    found = levels(judged(leak.ravel(), least=2.0))
    first = int(np.argmax(found == Level.BREACH))
    assert 180 < first <= 190


def test_one_object_and_many_are_judged_alike():
    nightly = np.where(np.arange(80) < 70, 100.0, 130.0)
    one, two = plant(80, nightly, seed=1), plant(80, nightly, seed=2)
    both = judged(np.stack([one, two]))
    assert levels(both, 1).tolist() == levels(judged(two)).tolist()
    assert series_of([1.0], HOUR_US).row.tolist() == [0]
