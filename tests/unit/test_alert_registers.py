"""Counters that go back, start again or jump: found as energy understands them, and in steps as at once."""

from dataclasses import fields, replace
from itertools import pairwise

import numpy as np
import pytest
from smartpark_analytics import IntervalFlag, RegisterChanges, RegisterPoints, RegisterReadings
from smartpark_analytics.alerts import episodes, registers
from smartpark_analytics.alerts.samples import Level

MINUTE = 60_000_000
STEP = 5 * MINUTE
LATER = 10**6 * MINUTE


def shown(steps, *, row=0, status=0, scale=0.5) -> RegisterReadings:
    count = len(steps)
    return RegisterReadings(
        np.full(count, row, np.int64),
        np.arange(count, dtype=np.int64) * STEP,
        np.array(steps, np.int64),
        np.broadcast_to(np.array(status, np.int32), count).copy(),
        np.full(count, scale),
    )


def judged(readings, *, modulus=0, max_rate=np.inf, **options):
    points = RegisterPoints(np.array([modulus]), np.array([max_rate]))
    return registers.judge(readings, points, registers.fresh_carry(1), **({"until_us": LATER} | options))[0]


def breaches(steps, **options) -> list[int]:
    found = judged(shown(steps), **options)
    return (found.time_us[found.level == Level.BREACH] // STEP).tolist()


STEADY = [1000, 1010, 1020, 1030, 1040]
AFTER = [1050, 1060, 1070, 1080, 1090, 1100]


def test_a_register_that_only_grows_is_fine():
    assert breaches(STEADY + AFTER) == []


def test_one_that_starts_again_and_one_that_goes_on_elsewhere_are_found():
    assert breaches([*STEADY, 5, 15, 25, 35]) == [5]
    found = judged(shown([*STEADY, 5, 15, 25, 35]))
    assert found.value[found.level == Level.BREACH].tolist() == [(5 - 1040) * 0.5]
    assert found.limit[found.level == Level.BREACH].tolist() == [0.0]
    assert breaches([*STEADY, 500, 510, 520, 530]) == [5]
    assert breaches([*STEADY, 500, 510, 520, 530], findings=IntervalFlag.RESET) == []
    assert breaches([*STEADY, 500, 510, 520, 530], findings=IntervalFlag.REPLACED) == [5]


def test_a_rollover_of_known_width_is_fine_and_an_unknown_one_is_not():
    over = [9950, 9960, 9970, 9980, 9990, 0, 10, 20, 30]
    assert breaches(over, modulus=10_000) == []
    assert breaches(over) == [5]


def test_what_is_taken_back_at_once_is_set_aside():
    assert breaches([*STEADY, 3, *AFTER]) == []
    assert breaches([*STEADY, 99_999, *AFTER]) == []


def test_a_jump_is_found_where_somebody_said_how_fast_it_can_be():
    jumped = [*STEADY, 5000, 5010, 5020, 5030]
    assert breaches(jumped) == []
    assert breaches(jumped, max_rate=100.0) == [5]
    found = judged(shown(jumped), max_rate=120.0)
    at = found.level == Level.BREACH
    assert (found.value[at].tolist(), found.limit[at].tolist()) == ([1980.0], [10.0])


def test_a_change_of_meter_that_was_written_down_is_none():
    meters = [*STEADY, 3, 13, 23, 33]
    one = {"point": [0], "time": [5 * STEP - MINUTE], "final": [1048], "initial": [1]}
    written = RegisterChanges(
        **{name: np.array(value, np.int64) for name, value in one.items()},
        scale_before=np.array([0.5]),
        scale_after=np.array([0.5]),
    )
    assert breaches(meters) == [5]
    assert breaches(meters, changes=written) == []


def test_bad_and_empty_readings_are_none():
    steps = [*STEADY, -(2**63), 7, *AFTER]
    status = [0] * 6 + [-0x8000_0000] + [0] * 6
    found = judged(shown(steps, status=status))
    assert not (found.level == Level.BREACH).any()
    assert not np.isin(found.time_us // STEP, [5, 6]).any()


def test_a_reading_is_judged_once_it_cannot_be_taken_back_and_another_has_come():
    points = RegisterPoints.unknown(1)
    steps = [*STEADY, 5, 15, 25, 35, 45, 55, 65, 75]
    found, carry = registers.judge(shown(steps), points, registers.fresh_carry(1))
    # Half an hour is six readings; the one before is judged with the next one.
    assert found.time_us.max() // STEP == len(steps) - 1 - 6 - 1
    assert registers.judged_until_us(carry).tolist() == [found.time_us.max() + 1]
    assert registers.delay_us() == 30 * MINUTE
    assert registers.lookback_us(STEP) > registers.delay_us()
    assert registers.judged_until_us(registers.fresh_carry(1)).tolist() == [np.iinfo(np.int64).min]


def test_a_finding_is_an_episode_until_the_next_sound_reading():
    points, carry, state = RegisterPoints.unknown(1), registers.fresh_carry(1), episodes.fresh_carry(1)
    whole = shown([*STEADY, 5, *range(15, 215, 10)])
    spans = []
    for low, high in pairwise(range(0, 60, 4)):
        part = some(whole, (whole.time >= low * STEP) & (whole.time < high * STEP))
        verdicts, carry = registers.judge(part, points, carry, until_us=high * STEP)
        until = registers.judged_until_us(carry)
        found, state = episodes.step(verdicts, state, for_us=0, clear_for_us=0, holds_us=0, until_us=until)
        spans += zip(found.since_us // STEP, found.cleared_us // STEP, strict=True)
    assert spans[-1] == (5, 6)


def some(readings: RegisterReadings, which) -> RegisterReadings:
    return replace(readings, **{field.name: getattr(readings, field.name)[which] for field in fields(readings)})


def registers_of(chance: np.random.Generator) -> RegisterReadings:
    """Readings of two registers that count, and now and then do what registers do."""
    parts = []
    for row in range(2):
        count = int(chance.integers(0, 60))
        steps = 900 + np.cumsum(chance.integers(0, 12, count))
        for _ in range(int(chance.integers(0, 6)) if count else 0):
            at, kind = int(chance.integers(0, count)), int(chance.integers(0, 5))
            if kind == 0:
                steps[at:] -= steps[at]
            elif kind == 1:
                steps[at:] -= 300
            elif kind == 2:
                steps[at : at + int(chance.integers(1, 4))] -= 400
            elif kind == 3:
                steps[at : at + int(chance.integers(1, 4))] += 5000
            else:
                steps[at:] %= 1000
        time = np.cumsum(chance.choice([1, 2, 5, 5, 7, 20, 90], count)).astype(np.int64) * MINUTE
        status = chance.choice([0] * 9 + [-0x8000_0000], count)
        parts.append((np.full(count, row, np.int64), time, np.abs(steps).astype(np.int64), status))
    row, time, steps, status = (np.concatenate(column) for column in zip(*parts, strict=True))
    return RegisterReadings(row, time, steps, status.astype(np.int32), np.full(len(row), 0.5))


SEEDS_FOR_MEMORY = (5, 41, 109, 166)
"""With less remembered, these come to something else in steps than at once."""
SEEDS_FOR_DELAY = (95, 135, 160, 170)
"""With a reading judged too early, these do."""


@pytest.mark.parametrize("seed", [*SEEDS_FOR_MEMORY, *SEEDS_FOR_DELAY, *range(200, 320)])
def test_in_steps_it_finds_what_it_finds_at_once(seed):
    chance = np.random.default_rng(seed)
    readings, end = registers_of(chance), 10**5 * MINUTE
    points = RegisterPoints(np.full(2, chance.choice([0, 1000])), np.full(2, chance.choice([60.0, np.inf])))
    whole, _ = registers.judge(readings, points, registers.fresh_carry(2), until_us=end)
    carry, parts = registers.fresh_carry(2), []
    cuts = np.sort(chance.integers(0, 900, int(chance.integers(1, 30)))) * MINUTE
    for low, high in pairwise([0, *cuts.tolist(), end]):
        part = some(readings, (readings.time >= low) & (readings.time < high))
        found, carry = registers.judge(part, points, carry, until_us=high)
        parts += zip(*(column.tolist() for column in found), strict=True)
    np.testing.assert_equal(sorted(parts), list(zip(*(column.tolist() for column in whole), strict=True)))


def test_repeated_readings_are_refused():
    points = RegisterPoints.unknown(1)
    _, carry = registers.judge(shown(STEADY), points, registers.fresh_carry(1))
    with pytest.raises(ValueError, match="row 0 was judged up to"):
        registers.judge(shown(STEADY), points, carry)


def test_what_is_remembered_does_not_grow():
    whole = shown(np.arange(5000) * 10)
    _, carry = registers.judge(whole, RegisterPoints.unknown(1), registers.fresh_carry(1))
    assert len(carry.recent.time) < 30
