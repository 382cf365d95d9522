"""Maximum demand: the worked example, a plain twin, and the laws it obeys."""

import tomllib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from smartpark.electricity_rules import builtin_electricity_rules
from smartpark_analytics.demand import (
    block_maximum_demand,
    block_means,
    mean_of_windows,
    mean_power,
    sliding_maximum_demand,
)
from smartpark_analytics.groups import Groups

GOLDEN = tomllib.loads((Path(__file__).parents[1] / "golden" / "electricity_demand.toml").read_text(encoding="utf-8"))
RULE = builtin_electricity_rules().demand[0]
POWERS = arrays(np.float64, st.tuples(st.integers(1, 4), st.just(60)), elements=st.floats(0, 1e5))
"""Whole hours of minutes: blocks cover them, which the bound by half needs."""


def month(n):
    return np.zeros(n, np.int64)


def sliding(power, group=None, n_groups=1, rule=RULE):
    return sliding_maximum_demand(power, month(power.shape[1]) if group is None else group, n_groups, rule)


def blocks(power):
    return block_means(power, 15, least=RULE.valid_min)


def plain_maximum(power, group, n_groups):
    """The same by the words of the rule, one window after the other."""
    found = [[(np.nan, -1)] * n_groups for _ in power]
    for point, row in enumerate(power):
        for first in range(row.size - 14):
            known = [max(p, 0.0) for p in row[first : first + 15] if not np.isnan(p)]
            labels = set(group[first : first + 15].tolist())
            if len(labels) == 1 and min(labels) >= 0 and len(known) >= 13:
                mean = sum(known) / len(known)
                best = found[point][min(labels)][0]
                if np.isnan(best) or mean > best * (1 + 1e-12):
                    found[point][min(labels)] = (mean, first)
    return np.array(found)


@pytest.mark.parametrize("example", GOLDEN["demand"], ids=lambda example: example["name"])
def test_maximum_demand_reproduces_the_worked_example(example):
    power = np.concatenate([np.full(int(count), kw) for count, kw in example["minutes"]])[np.newaxis]
    assert blocks(power)[0] == pytest.approx(example["blocks_kw"], abs=5e-3)
    by_blocks = block_maximum_demand(blocks(power), month(3), 1)
    assert by_blocks.demand_kw == pytest.approx(np.array([[example["block_kw"]]]), abs=5e-3)
    assert by_blocks.window.tolist() == [[example["block_index"]]]
    assert by_blocks.is_lower_bound
    found = sliding(power)
    assert found.demand_kw.tolist() == [[example["sliding_kw"]]]
    assert found.window.tolist() == [[example["window_minute"]]]
    assert not found.is_lower_bound


@given(
    power=arrays(np.float64, (2, 50), elements=st.floats(-100, 1e4) | st.just(np.nan)),
    labels=st.lists(st.integers(-1, 2), min_size=5, max_size=5),
    lengths=st.lists(st.integers(10, 30), min_size=5, max_size=5),
)
def test_it_is_what_the_words_of_the_rule_say(power, labels, lengths):
    group = np.repeat(np.array(labels, np.int64), lengths)[:50]
    found = sliding(power, group, 3)
    expected = plain_maximum(power, group, 3)
    np.testing.assert_allclose(found.demand_kw, expected[:, :, 0], rtol=1e-9, atol=1e-9)
    np.testing.assert_array_equal(found.window < 0, expected[:, :, 1] < 0)


@given(power=POWERS)
def test_sliding_is_at_least_the_block_and_at_most_twice_it(power):
    by_blocks = block_maximum_demand(blocks(power), month(4), 1).demand_kw
    found = sliding(power).demand_kw
    assert np.all(found >= by_blocks * (1 - 1e-12))
    assert np.all(found <= 2 * by_blocks * (1 + 1e-12))


@given(power=POWERS, scale=st.floats(1e-3, 1e3))
def test_demand_scales_with_power(power, scale):
    np.testing.assert_allclose(sliding(power * scale).demand_kw, sliding(power).demand_kw * scale, rtol=1e-9)


@given(power=arrays(np.float64, (5, 40), elements=st.floats(-10, 1e4) | st.just(np.nan)), data=st.data())
def test_the_order_of_the_meters_does_not_matter(power, data):
    order = data.draw(st.permutations(range(5)))
    np.testing.assert_array_equal(sliding(power[order]).demand_kw, sliding(power).demand_kw[order])


def test_thirteen_minutes_of_fifteen_are_enough_and_twelve_are_not():
    power = np.full((2, 15), 100.0)
    power[0, :2] = np.nan
    power[1, :3] = np.nan
    found = sliding(power)
    assert found.demand_kw[0, 0] == 100.0
    assert np.isnan(found.demand_kw[1, 0])
    assert found.window.tolist() == [[0], [-1]]
    assert found.completeness.tolist() == [[1.0], [0.0]]


def test_no_window_lies_across_the_settlement_cut_off():
    power = np.full((1, 40), 100.0)
    power[0, 13:27] = 900.0
    split = sliding(power, np.repeat([0, 1], 20), 2)
    # 14 minutes at 900 kW, and no 15 minutes hold them all: 7 fall before the cut-off and 7 after it.
    assert split.demand_kw[0] == pytest.approx([(8 * 100 + 7 * 900) / 15] * 2)
    assert sliding(power).demand_kw[0] == pytest.approx([(100 + 14 * 900) / 15])


def test_a_window_across_a_change_of_tariff_counts_for_neither_period():
    power = np.full((1, 60), 100.0)
    power[0, 20:40] = 500.0
    peak_twice = np.repeat([0, 1, 0], [25, 10, 25]).astype(np.int64)
    found = sliding(power, peak_twice, 2)
    # The ten minutes of the second period hold no window; those of the first do not join across it.
    assert found.demand_kw[0, 0] == pytest.approx((5 * 500 + 10 * 100) / 15)
    assert np.isnan(found.demand_kw[0, 1])


@given(power=arrays(np.float64, (2, 180), elements=st.floats(0, 1e4) | st.just(np.nan)))
def test_hours_have_the_maximum_of_their_day_when_only_the_month_cuts(power):
    settlement = np.repeat([0, 1], [100, 80])
    by_hour = sliding_maximum_demand(power, np.repeat([0, 1, 2], 60), 3, RULE, cut=settlement)
    day = sliding_maximum_demand(power, month(180), 1, RULE, cut=settlement)
    np.testing.assert_array_equal(np.fmax.reduce(by_hour.demand_kw, axis=1), day.demand_kw[:, 0])


def test_a_window_belongs_to_the_hour_in_which_it_ends():
    power = np.zeros((1, 120))
    power[0, 50:65] = 900.0
    by_hour = sliding_maximum_demand(power, np.repeat([0, 1], 60), 2, RULE, cut=month(120))
    assert by_hour.demand_kw[0].tolist() == [600.0, 900.0]
    assert by_hour.window[0].tolist() == [45, 50]
    # Labels of the hours as cuts would have lost it.
    assert sliding(power, np.repeat([0, 1], 60), 2).demand_kw[0].tolist() == [600.0, 300.0]


def test_what_flows_back_is_not_netted():
    power = np.array([[900.0] * 8 + [-900.0] * 7])
    assert sliding(power).demand_kw[0, 0] == pytest.approx(480.0)
    exporting = block_maximum_demand(np.array([[-5.0, -7.0]]), month(2), 1)
    assert exporting.demand_kw.tolist() == [[0.0]]


def test_equal_windows_have_equal_means_so_the_first_is_told():
    power = np.full((1, 44_640), 0.1)
    found = sliding(power)
    assert found.window[0, 0] == 0
    assert found.demand_kw[0, 0] == pytest.approx(0.1, rel=1e-15)


def test_a_longer_slip_looks_at_fewer_windows():
    power = np.repeat([800.0, 1200.0, 800.0], [8, 15, 22])[np.newaxis]
    every_five = RULE.model_copy(update={"slip_min": 5})
    assert sliding(power, rule=every_five).demand_kw[0, 0] == pytest.approx((13 * 1200 + 2 * 800) / 15)
    as_blocks = RULE.model_copy(update={"slip_min": 15})
    assert sliding(power, rule=as_blocks).demand_kw[0, 0] == pytest.approx(1013.3333)


def test_nothing_known_and_nothing_given_have_no_demand():
    assert np.isnan(sliding(np.full((1, 60), np.nan)).demand_kw[0, 0])
    assert np.isnan(sliding(np.ones((1, 14))).demand_kw[0, 0])
    assert np.isnan(sliding(np.ones((1, 0))).demand_kw[0, 0])
    assert sliding(np.ones((0, 60))).demand_kw.shape == (0, 1)
    empty = block_maximum_demand(np.full((1, 4), np.nan), month(4), 1)
    assert np.isnan(empty.demand_kw[0, 0])
    assert empty.window[0, 0] == -1
    assert empty.completeness[0, 0] == 0.0


def test_the_power_handed_in_is_left_as_it_was():
    power = np.array([[-1.0, np.nan] * 10])
    before = power.copy()
    sliding(power)
    np.testing.assert_array_equal(power, before)


def test_energy_of_a_quarter_of_an_hour_is_a_quarter_of_its_power():
    assert mean_power(np.array([300.0]), 0.25).tolist() == [1200.0]


@given(values=arrays(np.float64, (2, 40), elements=st.floats(-1e6, 1e6)), width=st.integers(1, 40))
def test_windows_of_any_width_are_means(values, width):
    expected = np.lib.stride_tricks.sliding_window_view(values, width, axis=1).mean(axis=2)
    np.testing.assert_allclose(mean_of_windows(values, width, least=width), expected, rtol=1e-9, atol=1e-6)


# --- groups of columns --------------------------------------------------------------------------------------------


@given(
    values=arrays(np.float64, (3, 12), elements=st.floats(-1e3, 1e3) | st.just(np.nan)),
    label=arrays(np.int64, 12, elements=st.integers(-1, 4)),
)
def test_groups_reduce_what_belongs_to_them(values, label):
    groups = Groups.of(label, 5)
    padded = groups.padded(values)
    for group in range(5):
        for row in range(3):
            known = [v for v, of in zip(values[row], label, strict=True) if of == group and not np.isnan(v)]
            assert groups.total(values)[row, group] == pytest.approx(sum(known), abs=1e-9)
            assert groups.count(np.isfinite(values))[row, group] == len(known)
            highest, lowest = groups.maximum(values)[row, group], groups.minimum(values)[row, group]
            assert (highest, lowest) == (max(known), min(known)) if known else np.isnan([highest, lowest]).all()
            inside = padded[row, group]
            assert sorted(inside[np.isfinite(inside)]) == sorted(known)


def test_a_label_beyond_the_groups_is_refused():
    with pytest.raises(ValueError, match="labelled 3, of 3 groups"):
        Groups.of(np.array([0, 3]), 3)


def test_means_of_no_points_are_none():
    assert block_means(np.zeros((0, 6)), 3, least=2).shape == (0, 2)
