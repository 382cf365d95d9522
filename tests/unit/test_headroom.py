"""Free capacity: the worked examples, the laws, what is believed of a year, and the coming year's peak."""

import tomllib
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from smartpark.headroom_rules import HeadroomRules, builtin_headroom_rules
from smartpark_analytics.headroom import (
    Criterion,
    Verdict,
    apparent_power_of,
    node_headroom,
    path_headroom,
    reserved_load,
    verdict,
)
from smartpark_analytics.seasonal_peak import screen_load, seasonal_peak
from smartpark_analytics.yearly_peak import PeakBasis, weekly_maxima, yearly_peak

GOLDEN = tomllib.loads((Path(__file__).parents[1] / "golden" / "headroom.toml").read_text(encoding="utf-8"))
RULES = builtin_headroom_rules()
RULE = RULES.headroom_on(date(2026, 11, 23))
PEAK_RULE = RULES.yearly_peak_on(date(2026, 11, 23))
KVA = st.floats(0, 1e6)
NODES = arrays(np.float64, 5, elements=KVA)


def one_node(units, peak, reserved=0.0, *, n_minus_1=True, short_time=True):
    return node_headroom(
        np.array([units], dtype=float),
        np.array([peak], dtype=float),
        np.array([reserved], dtype=float),
        RULE,
        needs_n_minus_1=np.array([n_minus_1]),
        is_short_time_allowed=short_time,
    )


# --- worked examples ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("example", GOLDEN["node"], ids=lambda e: e["name"])
def test_the_worked_example_of_a_station(example):
    peak, assumed = apparent_power_of(
        np.array([example["peak_kw"]]), np.array([np.nan]), assumed_power_factor=example["power_factor"]
    )
    assert peak == pytest.approx([example["peak_kva"]], abs=0.5)
    assert assumed == [1]
    found = one_node(
        example["units_kva"],
        peak[0],
        example["reserved_kva"],
        n_minus_1=example["n_minus_1"],
        short_time=example.get("short_time", True),
    )
    assert found.by_criterion[0, Criterion.LOAD_SHARE] == pytest.approx(example["load_share_kva"], abs=0.5)
    assert found.by_criterion[0, Criterion.N_MINUS_1] == pytest.approx(example["n_minus_1_kva"], abs=0.5)
    assert found.available[0] == pytest.approx(example["available_kva"], abs=0.5)
    assert Criterion(int(found.binding[0])).name == example["binding"]


@pytest.mark.parametrize("example", GOLDEN["feeder"], ids=lambda e: e["name"])
def test_the_worked_example_of_a_feeder(example):
    rated = np.sqrt(3) * example["voltage_kv"] * example["rated_a"]
    peak = np.sqrt(3) * example["voltage_kv"] * example["peak_a"]
    assert (rated, peak) == pytest.approx((example["rated_kva"], example["peak_kva"]), abs=0.5)
    free = one_node([rated], peak, n_minus_1=False)
    assert free.headroom[0] == pytest.approx(example["free_before_kva"], abs=0.5)
    reserved = reserved_load(
        np.array([example["reserved_kva"]]), np.array([example["coincidence"]]), np.array([[True]])
    )
    found = one_node([rated], peak, reserved[0], n_minus_1=False)
    assert found.headroom[0] == pytest.approx(example["headroom_kva"], abs=0.5)


# --- laws ---------------------------------------------------------------------------------------------------------


@given(units=st.lists(st.floats(1, 1e6), min_size=1, max_size=4), peak=KVA, more=KVA, reserved=KVA, n_1=st.booleans())
def test_more_load_or_more_promises_never_leave_more_room(units, peak, more, reserved, n_1):
    before = one_node(units, peak, reserved, n_minus_1=n_1).headroom[0]
    assert one_node(units, peak + more, reserved, n_minus_1=n_1).headroom[0] <= before
    assert one_node(units, peak, reserved + more, n_minus_1=n_1).headroom[0] <= before


@given(units=st.lists(st.floats(1, 1e6), min_size=2, max_size=4), peak=KVA, extra=st.floats(1, 1e6))
def test_another_unit_never_leaves_less_room(units, peak, extra):
    assert one_node([*units, extra], peak).headroom[0] >= one_node(units, peak).headroom[0] - 1e-6


@given(units=st.lists(st.floats(1, 1e6), min_size=1, max_size=4), peak=KVA)
def test_asking_for_n_minus_1_never_leaves_more_room(units, peak):
    without = one_node(units, peak, n_minus_1=False)
    both = one_node(units, peak)
    assert both.headroom[0] <= without.headroom[0]
    assert one_node(units, peak, short_time=False).headroom[0] <= both.headroom[0]
    assert np.isnan(both.limit[0, Criterion.N_MINUS_1]) == (len(units) == 1)


@given(nodes=NODES, order=st.permutations(range(5)), paths=arrays(np.bool_, (3, 5)))
def test_a_path_has_what_its_tightest_node_has_in_whatever_order(nodes, order, paths):
    paths[:, 0] = True
    found = path_headroom(nodes, paths)
    assert found.headroom.tolist() == [nodes[path].min() for path in paths]
    assert nodes[found.binding].tolist() == found.headroom.tolist()
    assert np.array_equal(path_headroom(nodes[list(order)], paths[:, list(order)]).headroom, found.headroom)


@given(nodes=NODES, asked=st.floats(0, 2e6), more=KVA, replaceable=arrays(np.bool_, 5))
def test_what_does_not_fit_does_not_fit_when_it_is_larger(nodes, asked, more, replaceable):
    assert verdict(nodes, asked + more, replaceable) >= verdict(nodes, asked, replaceable)


@given(asked=st.floats(0, 1e6), share=st.floats(0.1, 1))
def test_promises_add_up(asked, share):
    both = reserved_load(np.array([asked, asked]), np.array([share, 1.0]), np.array([[True, True], [False, True]]))
    assert both == pytest.approx([asked * share + asked, asked])


@given(factor=st.floats(1e-3, 1e3), peak=st.floats(1, 1e6))
def test_scaling_ratings_and_load_scales_the_room(factor, peak):
    found = one_node([500.0, 800.0], peak, 30.0).by_criterion
    scaled = one_node([500.0 * factor, 800.0 * factor], peak * factor, 30.0 * factor).by_criterion
    assert scaled == pytest.approx(found * factor, rel=1e-9, abs=1e-6 * factor)


# --- what is not known --------------------------------------------------------------------------------------------


def test_a_node_without_a_peak_is_never_free():
    found = one_node([1000.0], np.nan, n_minus_1=False)
    assert np.isnan(found.headroom[0])
    assert np.isnan(found.available[0])
    assert found.binding[0] == -1


def test_a_path_with_an_unknown_node_has_at_most_what_the_others_have():
    found = path_headroom(np.array([np.nan, 300.0, 900.0]), np.array([[True, True, True], [True, False, False]]))
    assert np.isnan(found.headroom).all()
    assert found.at_most[0] == 300.0
    assert np.isnan(found.at_most[1])
    assert found.binding.tolist() == [1, -1]


@pytest.mark.parametrize(
    ("nodes", "asked", "replaceable", "said"),
    [
        ([500.0, 900.0], 400.0, [True, False], Verdict.FITS),
        ([300.0, 900.0], 400.0, [True, False], Verdict.AFTER_UPGRADE),
        ([500.0, 300.0], 400.0, [True, False], Verdict.DOES_NOT_FIT),
        ([np.nan, 900.0], 400.0, [True, False], Verdict.NOT_KNOWN),
        ([np.nan, 300.0], 400.0, [True, False], Verdict.DOES_NOT_FIT),
        ([-263.0], 1.0, [False], Verdict.DOES_NOT_FIT),
        ([], 400.0, [], Verdict.NOT_KNOWN),
    ],
)
def test_what_is_said_of_a_request(nodes, asked, replaceable, said):
    assert verdict(np.array(nodes), asked, np.array(replaceable, dtype=bool)) is said


# --- the seasonal maximum -----------------------------------------------------------------------------------------


def peak_of(load, rated=1000.0):
    apparent = np.array([load], dtype=float)
    return seasonal_peak(apparent, screen_load(apparent, np.array([rated]), RULE, interval_hours=0.25), RULE)


def test_bad_data_make_no_peak_and_are_counted():
    day = 100 + 50 * np.sin(np.arange(96) / 15.0)
    load = np.concatenate([day, day])
    load[30] = 700.0  # one quarter-hour far above its neighbours
    load[60:80] = 640.0  # five hours of the same value: a frozen meter, whose first value may have been true
    load[100:103] = 5000.0  # more than any transformer of 1000 kVA carries
    load[120] = -20.0
    found = peak_of(load)
    assert found.rejected.tolist() == [[19, 1, 4]]
    assert (found.peak[0], found.interval[0]) == (640.0, 60)
    assert found.completeness[0] == pytest.approx(1 - 24 / 192)


def test_a_real_peak_stays():
    load = np.full(96, 100.0) + np.arange(96) / 100
    load[40:44] = [180.0, 320.0, 330.0, 150.0]
    load[70:75] = [100, 400.0, np.nan, np.nan, 100]  # beside a gap nothing can be compared
    found = peak_of(load)
    assert found.rejected.tolist() == [[0, 0, 0]]
    assert found.peak[0] == 400.0


def test_zero_for_hours_is_a_load_that_was_off_and_not_a_frozen_meter():
    assert peak_of(np.concatenate([np.zeros(50), [5.0, 6.0]])).rejected.tolist() == [[0, 0, 0]]


def test_the_maximum_of_half_a_year_is_a_lower_bound():
    load = np.where(np.arange(200) < 99, 50.0 + np.arange(200) / 10, np.nan)
    found = peak_of(load)
    assert found.is_lower_bound[0]
    assert found.peak[0] == pytest.approx(59.8)
    nothing = peak_of(np.full(10, np.nan))
    assert np.isnan(nothing.peak[0])
    assert (nothing.interval[0], nothing.completeness[0]) == (-1, 0.0)


@given(load=arrays(np.float64, (2, 40), elements=st.floats(0, 900)))
def test_screening_only_ever_takes_away(load):
    rated = np.array([1000.0, 1000.0])
    found = seasonal_peak(load, screen_load(load, rated, RULE, interval_hours=0.25), RULE)
    assert (found.peak <= load.max(axis=1)).all()
    assert np.isin(found.peak, load).all()


def test_apparent_power_never_adds_kilowatt_to_kilovoltampere():
    apparent, assumed = apparent_power_of(
        np.array([300.0, -300.0, 300.0, np.nan]), np.array([400.0, 400.0, np.nan, 1.0]), assumed_power_factor=0.9
    )
    assert apparent[:3] == pytest.approx([500.0, 500.0, 333.3333333])
    assert np.isnan(apparent[3])
    assert assumed[:3].tolist() == [0, 0, 1]


# --- the coming year's peak ---------------------------------------------------------------------------------------


def years(seed, weeks=104, growth=1.0):
    random = np.random.default_rng(seed)
    season = 1000 + 150 * np.cos(2 * np.pi * np.arange(weeks) / 52)
    return (season * np.where(np.arange(weeks) >= 52, growth, 1.0) * random.normal(1, 0.02, (3, weeks)))[:, :weeks]


@settings(max_examples=30)  # each draws thousands of years nine times
@given(seed=st.integers(0, 99), factor=st.floats(1e-3, 1e3))
def test_the_yearly_peak_scales_and_its_quantiles_are_in_order(seed, factor):
    maxima = years(seed)
    found = yearly_peak(maxima, PEAK_RULE)
    assert (np.diff(found.values, axis=1) >= 0).all()
    assert yearly_peak(maxima * factor, PEAK_RULE).values == pytest.approx(found.values * factor, rel=1e-9)
    assert yearly_peak(maxima[::-1], PEAK_RULE).values == pytest.approx(found.values[::-1], rel=1e-12)


def test_growth_is_told_from_two_years_and_not_from_one():
    two = yearly_peak(years(1, growth=1.2), PEAK_RULE)
    assert set(two.basis) == {PeakBasis.SEASON_AND_GROWTH}
    assert two.growth == pytest.approx([1.2] * 3, rel=0.02)
    one = yearly_peak(years(1, growth=1.2)[:, 52:], PEAK_RULE)
    assert set(one.basis) == {PeakBasis.SEASON}
    assert one.growth.tolist() == [1.0] * 3
    assert two.values == pytest.approx(one.values * two.growth[:, np.newaxis], rel=1e-9)


def test_without_a_year_it_is_the_maximum_seen_so_far_and_says_so():
    found = yearly_peak(years(2)[:, :30], PEAK_RULE)
    assert set(found.basis) == {PeakBasis.SEEN_SO_FAR}
    assert (found.values == found.highest_week[:, np.newaxis]).all()
    assert found.weeks_known.tolist() == [30] * 3
    nothing = yearly_peak(np.full((1, 52), np.nan), PEAK_RULE)
    assert nothing.basis == (PeakBasis.NONE,)
    assert np.isnan(nothing.values).all()


def test_the_yearly_peak_holds_about_as_often_as_it_says():
    """400 made-up years of the assumed kind, each forecast from the one before: a year tells the scatter roughly."""
    random = np.random.default_rng(7)
    season = 1000 + 150 * np.cos(2 * np.pi * np.arange(52) / 52)
    noise = random.gumbel(0, 0.02, (400, 2, 52))
    level = np.exp(random.normal(0, PEAK_RULE.level_spread, (400, 2, 1)))
    level[:, 0] = 1.0
    weeks = season * level * (1 + noise)
    found = yearly_peak(weeks[:, 0], PEAK_RULE)
    came = weeks[:, 1].max(axis=1)
    assert np.mean(came <= found.values[:, 2]) == pytest.approx(0.9, abs=0.1)
    assert np.mean(came <= found.values[:, 1]) == pytest.approx(0.5, abs=0.1)
    assert 0.02 < np.mean(came <= found.values[:, 0]) < 0.2


def test_a_week_that_is_half_unknown_has_no_maximum():
    load = np.arange(20.0)[np.newaxis].copy()
    load[0, 11:16] = np.nan
    assert np.array_equal(weekly_maxima(load, slots_per_week=10, rule=PEAK_RULE), [[9.0, np.nan]], equal_nan=True)


# --- the rules ----------------------------------------------------------------------------------------------------


def test_rules_carry_source_and_grade():
    assert RULE.grade == "M85"
    assert RULE.source
    assert PEAK_RULE.grade
    with pytest.raises(ValueError, match="used twice"):
        HeadroomRules(version="x", headroom=(RULE, RULE), yearly_peak=(PEAK_RULE,))
