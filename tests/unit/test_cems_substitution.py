"""What stands in for lost hours of a stack: each row of the table, its boundaries, and a plain second reckoning."""

import tomllib
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from smartpark.cems_rules import cems_rules
from smartpark.dated import RuleNotFoundError
from smartpark_analytics.cems import StackFlag
from smartpark_analytics.cems_hours import emitted_mass
from smartpark_analytics.cems_substitution import (
    SubstitutedMass,
    SubstitutionRules,
    capture_rate,
    substitute_mass,
)

GOLDEN = tomllib.loads((Path(__file__).parents[1] / "golden" / "cems.toml").read_text(encoding="utf-8"))
ROWS = cems_rules().substitution_on(date(2026, 11, 1))
RULES = SubstitutionRules.of(ROWS)
SMALL = SubstitutionRules(
    capture_from=np.array([0.9, 0.9, 0.75]),
    capture_below=np.array([np.inf, np.inf, 0.9]),
    longest_hours=np.array([2.0, np.inf, np.inf]),
    look_back_hours=np.array([3, 5, 8]),
)
"""The same table, small enough for random stacks of a few dozen hours to reach each row."""


def one_quarter(mass: np.ndarray, capture: float, rules: SubstitutionRules = RULES) -> SubstitutedMass:
    stopped = np.zeros(mass.shape, np.bool_)
    return substitute_mass(
        mass, stopped, np.zeros(mass.shape[1], np.int64), np.full((mass.shape[0], 1), capture), rules
    )


@pytest.mark.parametrize("case", GOLDEN["substitute"], ids=lambda c: f"{c['capture']}-{c['run_hours']}h")
def test_the_table_decides_how_far_to_look_back(case: dict[str, Any]):
    run, back = case["run_hours"], case["look_back_hours"]
    # Falling hour by hour, so that the maximum over the last n valid hours is that of n hours ago.
    falling = np.arange(3000.0, 0.0, -1.0)
    found = one_quarter(np.r_[falling, np.full(run, np.nan), 1.0][np.newaxis], case["capture"])
    gap = slice(3000, 3000 + run)
    if back:
        assert set(found.mass[0, gap]) == {float(back)}
        assert set(found.flags[0, gap]) == {StackFlag.SUBSTITUTED}
    else:
        assert np.isnan(found.mass[0, gap]).all()
        assert set(found.flags[0, gap]) == {StackFlag.NO_SUBSTITUTE}
    assert found.flags[0, -1] == 0


def test_the_rows_are_dated_and_graded():
    assert {row.grade for row in ROWS} == {"M82"}
    with pytest.raises(RuleNotFoundError, match="no substitution rule of practice hj75-2017 on 2018-02-28"):
        cems_rules().substitution_on(date(2018, 2, 28))


def test_valid_hours_are_counted_not_hours_of_the_clock():
    mass = np.array([[9.0, np.nan, 1.0, 2.0, 1.0, np.nan]])
    stopped = np.array([[False, True, False, False, False, False]])
    found = substitute_mass(mass, stopped, np.zeros(6, np.int64), np.array([[0.95]]), RULES)
    assert found.mass[0, -1] == 9.0
    assert found.flags[0, -1] == StackFlag.SUBSTITUTED | StackFlag.SHORT_HISTORY
    assert np.isnan(found.mass[0, 1])
    assert found.flags[0, 1] == StackFlag.STOPPED


def test_without_a_valid_hour_before_there_is_no_substitute():
    found = one_quarter(np.array([[np.nan, 5.0]]), 1.0)
    assert np.isnan(found.mass[0, 0])
    assert found.flags.tolist() == [[StackFlag.NO_SUBSTITUTE, 0]]


def test_substituted_hours_feed_no_later_substitute():
    found = one_quarter(np.array([[7.0, np.nan, 1.0, 1.0, 1.0, np.nan]]), 1.0, SMALL)
    assert found.mass.tolist() == [[7.0, 7.0, 1.0, 1.0, 1.0, 1.0]]


def test_a_stack_never_borrows_from_another():
    found = one_quarter(np.array([[100.0, 100.0], [np.nan, 1.0], [2.0, np.nan]]), 1.0)
    assert np.isnan(found.mass[1, 0])
    assert found.mass[2].tolist() == [2.0, 2.0]


def test_each_hour_of_a_run_goes_by_the_rate_of_its_own_quarter():
    mass = np.array([[9.0, 8.0, 7.0, 6.0, 5.0, np.nan, np.nan]])
    quarter = np.array([0, 0, 0, 0, 0, 0, 1])
    found = substitute_mass(mass, np.zeros((1, 7), np.bool_), quarter, np.array([[0.95, 0.8]]), SMALL)
    assert found.mass[0, 5:].tolist() == [7.0, 9.0]


def test_the_substituted_share_of_a_day_is_shown():
    found = one_quarter(np.array([[1.0, 3.0, np.nan, np.nan]]), 1.0)
    day = emitted_mass(found.mass, found.flags, np.zeros(4, np.int64), 1)
    assert day.total.tolist() == [[10.0]]
    assert day.substituted_share.tolist() == [[0.6]]
    assert day.completeness.tolist() == [[1.0]]


def test_a_capture_rate_leaves_stopped_hours_out():
    valid = np.array([[True, True, True, False, False, False]])
    stopped = np.array([[False, False, False, False, True, True]])
    rate = capture_rate(valid, stopped, np.array([0, 0, 0, 0, 0, 1]), 2)
    assert rate[0, 0] == 0.75
    assert np.isnan(rate[0, 1])


def plain_substitute(
    mass: np.ndarray, stopped: np.ndarray, quarter: np.ndarray, capture: np.ndarray, rules: SubstitutionRules
) -> np.ndarray:
    """The same rules, hour by hour, as one would do it by hand."""
    result = np.where(stopped, np.nan, mass)
    for stack in range(mass.shape[0]):
        for hour in range(mass.shape[1]):
            if stopped[stack, hour] or np.isfinite(mass[stack, hour]):
                continue
            bad = [not stopped[stack, h] and np.isnan(mass[stack, h]) for h in range(mass.shape[1])]
            first = last = hour
            while first > 0 and bad[first - 1]:
                first -= 1
            while last + 1 < len(bad) and bad[last + 1]:
                last += 1
            rate = capture[stack, quarter[hour]]
            short, long, low = rules.look_back_hours
            back = 0
            if rate >= 0.9:
                back = short if last - first + 1 <= rules.longest_hours[0] else long
            elif rate >= 0.75:
                back = low
            history = [mass[stack, h] for h in range(first) if not stopped[stack, h] and np.isfinite(mass[stack, h])]
            if back and history:
                result[stack, hour] = max(history[-back:])
    return result


@settings(max_examples=150)
@given(st.integers(0, 2**32 - 1), st.integers(1, 4), st.integers(1, 40), st.floats(0.0, 0.9))
def test_all_stacks_at_once_give_what_one_reckons_by_hand(seed: int, stacks: int, hours: int, lost: float):
    rng = np.random.default_rng(seed)
    mass = np.where(rng.random((stacks, hours)) < lost, np.nan, rng.integers(0, 9, (stacks, hours)).astype(float))
    stopped = rng.random((stacks, hours)) < 0.2
    quarter = np.arange(hours) * 2 // hours
    capture = rng.choice([0.5, 0.7499, 0.75, 0.8999, 0.9, 1.0, np.nan], (stacks, 2))
    before = mass.copy()
    found = substitute_mass(mass, stopped, quarter, capture, SMALL)
    expected = plain_substitute(mass, stopped, quarter, capture, SMALL)
    assert np.array_equal(found.mass, expected, equal_nan=True)
    assert np.array_equal(mass, before, equal_nan=True)
    bad = np.isnan(mass) & ~stopped
    assert np.array_equal(found.substituted, bad & np.isfinite(expected))
    assert np.array_equal((found.flags & StackFlag.NO_SUBSTITUTE) != 0, bad & np.isnan(expected))
