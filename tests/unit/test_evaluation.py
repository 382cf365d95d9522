"""Evaluation of parks: the worked examples, and the laws that ratios, budgets and rankings obey."""

import tomllib
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from smartpark.dated import RuleNotFoundError, in_force
from smartpark.errors import InvalidFileError
from smartpark.evaluation import EvaluationRules, ZeroCarbonRole, builtin_rules
from smartpark.tomlfile import parse_model
from smartpark_analytics import budget, intensity, ranking, zero_carbon_park
from smartpark_analytics.budget import BudgetLevel, BudgetThresholds, ForecastBasis
from smartpark_analytics.intensity import NoRatio
from smartpark_analytics.inventory import carbon_per_energy
from smartpark_analytics.ranking import NotRanked, PeerLevel
from smartpark_analytics.zero_carbon_park import Verdict

EXAMPLES: dict[str, Any] = tomllib.loads(
    (Path(__file__).parents[1] / "golden" / "evaluation.toml").read_text(encoding="utf-8")
)
TODAY = date(2026, 11, 23)
DAYS = np.array([31.0, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
POSITIVE = st.floats(1e-3, 1e9)


def thresholds() -> BudgetThresholds:
    rule = in_force(builtin_rules().budget_rule, TODAY, what="budget rule")
    return BudgetThresholds(rule.red_forecast, rule.red_pace, rule.yellow_forecast, rule.yellow_pace)


def rank(values: Any, **changed: Any) -> ranking.Ranking:
    rule = in_force(builtin_rules().ranking_rule, TODAY, what="ranking rule")
    given_values = np.asarray(values, float)
    n = given_values.size
    return ranking.rank_parks(
        given_values,
        **(
            {
                "higher_is_better": False,
                "right_skewed": False,
                "peer_class": np.ones(n, np.int64),
                "terrain": np.zeros(n, np.int64),
                "coverage": np.ones(n),
                "min_group": rule.min_group,
                "min_coverage": rule.min_coverage,
                "winsor": rule.winsor,
            }
            | changed
        ),
    )


# --- ratios -------------------------------------------------------------------------------------------------------


def test_the_ratio_of_sums_reproduces_the_worked_example_and_is_not_the_mean_of_ratios():
    example = EXAMPLES["ratio_of_sums"]
    energy, economy = np.array(example["energy_tce"]), np.array(example["value_added"])
    found = intensity.ratio_of_sums(energy, economy)
    assert found.value == pytest.approx(example["ratio"], abs=5e-7)
    assert (found.numerator, found.denominator) == (160.0, 1120.0)
    assert np.mean(energy / economy) == pytest.approx(example["mean_of_ratios"], abs=5e-5)
    assert example["mean_of_ratios"] / found.value == pytest.approx(2.6, abs=0.05)


@pytest.mark.parametrize(
    ("numerator", "denominator", "reason"),
    [
        (1.0, 0.0, NoRatio.DENOMINATOR_NOT_POSITIVE),
        (1.0, -2.0, NoRatio.DENOMINATOR_NOT_POSITIVE),
        (1.0, np.nan, NoRatio.DENOMINATOR_MISSING),
        (np.nan, 2.0, NoRatio.NUMERATOR_MISSING),
        (np.nan, 0.0, NoRatio.NUMERATOR_MISSING),
    ],
)
def test_what_cannot_be_divided_is_missing_with_its_reason(numerator: float, denominator: float, reason: NoRatio):
    found = intensity.ratios(np.array([numerator]), np.array([denominator]))
    assert np.isnan(found.value[0])
    assert found.reason[0] == reason


def test_sums_of_different_entities_make_no_ratio():
    found = intensity.ratio_of_sums(np.array([100.0, 50.0, np.nan]), np.array([1000.0, np.nan, np.nan]))
    assert np.isnan(found.value)
    assert found.reason == NoRatio.DIFFERENT_ENTITIES
    same = intensity.ratio_of_sums(np.array([100.0, np.nan]), np.array([1000.0, np.nan]))
    assert same.value == pytest.approx(0.1)


def test_current_and_constant_prices_are_never_added():
    numerators, denominators = np.array([[1.0, 1.0], [1.0, 1.0]]), np.array([[2.0, 2.0], [2.0, 2.0]])
    found = intensity.ratio_of_sums(numerators, denominators, price_basis=np.array([[0, 2025], [2020, 2025]]))
    assert found.reason.tolist() == [NoRatio.MIXED_PRICE_BASIS, NoRatio.THERE_IS_ONE]
    # The basis of somebody who is in neither sum does not matter.
    absent = np.array([[1.0], [np.nan]])
    assert intensity.ratio_of_sums(absent, absent, price_basis=np.array([[0], [2020]])).value == pytest.approx([1.0])


def test_coverage_is_the_share_of_output_that_is_metered():
    assert intensity.coverage(np.array([800.0, 150.0, 50.0]), np.array([True, False, True])) == pytest.approx(0.85)
    assert np.isnan(intensity.coverage(np.array([800.0, np.nan]), np.array([True, True])))


@given(
    energy=arrays(np.float64, (6, 2), elements=POSITIVE),
    economy=arrays(np.float64, (6, 2), elements=POSITIVE),
    cut=st.integers(1, 5),
)
def test_merging_two_sub_parks_is_the_same_as_one_park(energy: np.ndarray, economy: np.ndarray, cut: int):
    parts = [intensity.ratio_of_sums(energy[rows], economy[rows]) for rows in (slice(cut), slice(cut, None))]
    merged = intensity.ratio_of_sums(
        np.stack([part.numerator for part in parts]), np.stack([part.denominator for part in parts])
    )
    whole = intensity.ratio_of_sums(energy, economy)
    assert merged.value == pytest.approx(whole.value, rel=1e-12)
    assert np.all(whole.value <= np.max(energy / economy, axis=0) * (1 + 1e-12))
    assert np.all(whole.value >= np.min(energy / economy, axis=0) * (1 - 1e-12))


@given(
    energy=arrays(np.float64, 5, elements=POSITIVE),
    economy=arrays(np.float64, 5, elements=POSITIVE),
    scale=st.floats(1e-3, 1e3),
)
def test_units_scale_a_ratio_and_order_does_not_matter(energy: np.ndarray, economy: np.ndarray, scale: float):
    found = intensity.ratio_of_sums(energy, economy).value
    assert intensity.ratio_of_sums(energy * scale, economy).value == pytest.approx(found * scale, rel=1e-9)
    assert intensity.ratio_of_sums(energy, economy * scale).value == pytest.approx(found / scale, rel=1e-9)
    assert intensity.ratio_of_sums(energy[::-1], economy[::-1]).value == pytest.approx(found, rel=1e-12)


def test_green_power_reproduces_the_worked_example_and_counts_a_megawatt_hour_once():
    example = EXAMPLES["green_power"]
    own, none = np.array([example["own_use_kwh"]]), np.zeros(1)

    def share(*, sold: np.ndarray, traded: np.ndarray) -> intensity.Ratios:
        return intensity.green_power_share(
            own_use=own,
            own_use_sold_as_certificates=sold,
            direct_line=none,
            green_trade=traded,
            certificates=np.array([example["certificates_kwh"]]),
            total=np.array([example["total_kwh"]]),
        )

    assert share(sold=none, traded=none).value == pytest.approx([example["share"]], abs=5e-7)
    sold = share(sold=own, traded=none)
    assert sold.value == pytest.approx([example["share_when_own_certificates_are_sold"]], abs=5e-7)
    twice = share(sold=none, traded=np.array([11e6]))
    assert twice.reason == [NoRatio.MORE_THAN_THE_WHOLE]
    assert np.isnan(twice.value).all()


def test_the_electrification_rate_reproduces_the_worked_example():
    example = EXAMPLES["electrification"]
    found = intensity.share(np.array([example["electricity_tce"]]), np.array([example["energy_tce"]]))
    assert found.value == pytest.approx([example["rate"]], abs=5e-7)


# --- budgets ------------------------------------------------------------------------------------------------------


def months(*, spent: float, of: int) -> np.ndarray:
    return np.r_[np.full(of, spent / of), np.full(12 - of, np.nan)][np.newaxis]


EVEN = np.full((1, 12), 1 / 12)
UNKNOWN = np.full((1, 12), np.nan)


def test_the_budget_reproduces_the_worked_example():
    example = EXAMPLES["budget"]
    month = example["month"]
    track = budget.track_budget(
        months(spent=example["spent"], of=month),
        budget=np.array([example["budget"]]),
        weights=EVEN,
        last_year=UNKNOWN,
        thresholds=thresholds(),
    )
    assert track.planned[0, month - 1] == pytest.approx(example["planned"])
    assert track.pace[0, month - 1] == pytest.approx(example["pace"])
    assert track.forecast[0, month - 1] == pytest.approx(example["forecast_by_weights"])
    assert track.basis[0, month - 1] == ForecastBasis.WEIGHTS
    assert track.level[0, month - 1] == BudgetLevel[example["level"]]
    assert np.isnan(track.pace[0, month:]).all()
    assert (track.level[0, month:] == BudgetLevel.NOT_KNOWN).all()


@pytest.mark.parametrize(
    ("spent", "last_year", "growth", "level"),
    [
        (63_600.0, 60_000.0, 1.0, BudgetLevel.RED),  # pace 1.06, forecast 123 600
        (63_600.0, 54_000.0, 1.0, BudgetLevel.YELLOW),  # pace 1.06, forecast 117 600: exactly 0.98
        (59_000.0, 60_000.0, 1.0, BudgetLevel.YELLOW),  # slower than planned, forecast 119 000
        (59_000.0, 57_000.0, 1.0, BudgetLevel.GREEN),  # forecast 116 000
    ],
)
def test_levels_follow_pace_and_forecast(spent: float, last_year: float, growth: float, level: BudgetLevel):
    track = budget.track_budget(
        months(spent=spent, of=6),
        budget=np.array([120_000.0]),
        weights=EVEN,
        last_year=np.full((1, 12), last_year / 6),
        thresholds=thresholds(),
        growth=np.array([growth]),
    )
    assert track.basis[0, 5] == ForecastBasis.LAST_YEAR
    assert track.forecast[0, 5] == pytest.approx(spent + last_year * growth)
    assert track.level[0, 5] == level


def test_an_intensity_that_rises_is_red_by_itself():
    track = budget.track_budget(
        months(spent=10.0, of=6),
        budget=np.array([120_000.0]),
        weights=EVEN,
        last_year=UNKNOWN,
        thresholds=thresholds(),
        intensity_rises=np.ones((1, 12), np.bool_),
    )
    assert (track.level[0, :6] == BudgetLevel.RED).all()


def test_without_a_budget_or_a_month_there_is_no_level():
    track = budget.track_budget(
        np.array([[np.nan] + [1.0] * 11, [1.0] * 12]),
        budget=np.array([100.0, 0.0]),
        weights=np.full((2, 12), 1 / 12),
        last_year=np.full((2, 12), np.nan),
        thresholds=thresholds(),
    )
    assert (track.level == BudgetLevel.NOT_KNOWN).all()
    assert np.isnan(track.pace).all()


def test_weights_come_from_complete_years_else_from_the_calendar():
    history = np.full((2, 3, 12), np.nan)
    history[0, 0], history[0, 1] = np.arange(1.0, 13.0), 2 * np.arange(1.0, 13.0)
    history[0, 2, :11] = 99.0
    weights = budget.seasonal_weights(history, DAYS)
    assert weights[0] == pytest.approx(np.arange(1.0, 13.0) / 78)
    assert weights[1] == pytest.approx(DAYS / 365)


@given(actual=arrays(np.float64, (2, 12), elements=POSITIVE), scale=st.floats(1e-3, 1e3))
def test_units_of_a_budget_do_not_move_its_pace_nor_its_level(actual: np.ndarray, scale: float):
    def track(by: float) -> budget.BudgetTrack:
        return budget.track_budget(
            actual * by,
            budget=np.array([1e6, 1e7]) * by,
            weights=np.full((2, 12), 1 / 12),
            last_year=actual[::-1] * by,
            thresholds=thresholds(),
        )

    one, other = track(1.0), track(scale)
    assert other.pace == pytest.approx(one.pace, rel=1e-9)
    assert other.forecast == pytest.approx(one.forecast * scale, rel=1e-9)
    assert one.forecast[:, 11] == pytest.approx(actual.sum(axis=1), rel=1e-9)
    # A threshold met to the last digit may fall to either side; nothing else may.
    assert np.mean(one.level == other.level) > 0.9


def test_a_target_of_intensity_is_a_budget_and_exclusions_come_off():
    assert budget.budget_of_target(np.array([0.48]), np.array([250_000.0])) == pytest.approx([120_000.0])
    assessed = budget.assessed_energy(np.array([100.0]), feedstock=np.array([20.0]), non_fossil=np.array([5.0]))
    assert assessed == pytest.approx([75.0])


# --- zero-carbon parks --------------------------------------------------------------------------------------------


def core_limits() -> tuple[np.ndarray, np.ndarray]:
    rows = [row for row in builtin_rules().zero_carbon_on(TODAY) if row.role is ZeroCarbonRole.CORE]
    return np.array([row.from_energy_tce for row in rows]), np.array([row.limit for row in rows])


def test_the_zero_carbon_core_indicator_reproduces_the_worked_example():
    example = EXAMPLES["zero_carbon"]
    found = carbon_per_energy(np.array([example["carbon_t"]]), np.array([example["energy_tce"]]))
    assert found == pytest.approx([example["carbon_per_energy"]], abs=5e-5)
    limits = zero_carbon_park.threshold_by_energy(np.array(example["annual_energy_tce"]), *core_limits())
    assert limits == pytest.approx(example["limits"], nan_ok=True)
    value = np.full(4, found[0])
    standing = zero_carbon_park.standing(value, limits, at_most=True)
    assert standing.gap[1] == pytest.approx(example["gap_at_20_wan_tce"], abs=5e-4)
    assert [Verdict(v) for v in standing.verdict] == [Verdict.NO_THRESHOLD, *[Verdict.FAILS] * 3]


def test_a_guiding_share_is_short_of_its_lower_limit_by_a_positive_gap():
    found = zero_carbon_park.standing(np.array([0.7, 0.8, np.nan]), np.full(3, 0.8), at_most=False)
    assert found.gap == pytest.approx([0.1, 0.0, np.nan], nan_ok=True)
    assert [Verdict(v) for v in found.verdict] == [Verdict.FAILS, Verdict.PASSES, Verdict.NOT_KNOWN]


def test_the_thresholds_are_one_core_indicator_and_five_guiding_ones():
    rows = builtin_rules().zero_carbon_on(TODAY)
    assert len({row.indicator for row in rows if row.role is ZeroCarbonRole.CORE}) == 1
    assert len({row.indicator for row in rows if row.role is ZeroCarbonRole.GUIDING}) == 5
    assert builtin_rules().zero_carbon_on(date(2025, 6, 30)) == []


# --- ranking ------------------------------------------------------------------------------------------------------


def test_percentiles_share_the_middle_of_a_tie():
    assert rank([1.0, 2.0, 2.0, 3.0, 4.0]).percentile == pytest.approx([100.0, 62.5, 62.5, 25.0, 0.0])


def test_a_small_group_gives_way_to_the_next_wider_and_says_so():
    classes = np.array([1] * 8 + [2] * 3)
    terrain = np.array([0] * 5 + [1] * 3 + [0] * 3)
    found = rank(np.arange(11.0), peer_class=classes, terrain=terrain)
    assert [PeerLevel(level) for level in found.level] == [
        *[PeerLevel.CLASS_AND_TERRAIN] * 5,
        *[PeerLevel.CLASS] * 3,
        *[PeerLevel.PROVINCE] * 3,
    ]
    assert found.group_size.tolist() == [5] * 5 + [8] * 3 + [11] * 3
    assert found.percentile[[0, 4, 7, 10]] == pytest.approx([100.0, 0.0, 0.0, 0.0])


def test_too_few_parks_are_not_ranked():
    found = rank([1.0, 2.0, 3.0, 4.0])
    assert np.isnan(found.percentile).all()
    assert [NotRanked(r) for r in found.reason] == [NotRanked.TOO_FEW_PEERS] * 4
    assert rank([]).percentile.size == 0


def test_parks_of_low_coverage_are_not_ranked_and_nobody_is_ranked_against_them():
    found = rank([0.001, 1.0, 2.0, 3.0, 4.0, 5.0], coverage=np.array([0.79, 0.8, 1, 1, 1, 1]))
    assert found.reason[0] == NotRanked.LOW_COVERAGE
    assert np.isnan(found.percentile[0])
    assert found.percentile[1:] == pytest.approx([100.0, 75.0, 50.0, 25.0, 0.0])
    assert found.group_size[1] == 5
    missing = rank([np.nan, 1.0, 2.0, 3.0, 4.0, 5.0])
    assert missing.reason[0] == NotRanked.NOT_KNOWN
    assert missing.percentile[1:] == pytest.approx(found.percentile[1:])


def test_robust_z_is_winsorised_and_missing_where_the_group_does_not_differ():
    found = rank([1.0, 2.0, 3.0, 4.0, 1000.0])
    assert found.robust_z == pytest.approx([1.349, 0.6745, 0.0, -0.6745, -3.0])
    same = rank([2.0, 2.0, 2.0, 2.0, 7.0])
    assert np.isnan(same.robust_z).all()
    assert same.percentile == pytest.approx([62.5, 62.5, 62.5, 62.5, 0.0])


def test_right_skewed_intensities_are_compared_by_their_logarithm():
    found = rank([0.1, 1.0, 10.0, 100.0, 1000.0], right_skewed=True)
    assert found.robust_z == pytest.approx([1.349, 0.6745, 0.0, -0.6745, -1.349])
    negative = rank([-1.0, 1.0, 2.0, 3.0, 4.0], right_skewed=True)
    assert np.isnan(negative.robust_z[0])
    assert negative.percentile[0] == 100.0


PARKS = st.integers(1, 30).flatmap(
    lambda n: st.tuples(
        arrays(np.float64, n, elements=st.floats(0.01, 100).map(lambda v: round(v, 2))),
        arrays(np.int64, n, elements=st.integers(1, 4)),
        arrays(np.int64, n, elements=st.integers(0, 1)),
        arrays(np.float64, n, elements=st.sampled_from([0.5, 0.8, 1.0])),
        st.permutations(range(n)),
    )
)


@given(parks=PARKS)
def test_the_order_of_the_parks_does_not_matter(parks: Any):
    values, classes, terrain, coverage, order = parks
    one = rank(values, peer_class=classes, terrain=terrain, coverage=coverage)
    other = rank(values[order], peer_class=classes[order], terrain=terrain[order], coverage=coverage[order])
    for name in ("percentile", "robust_z", "level", "group_size", "reason"):
        assert getattr(other, name) == pytest.approx(getattr(one, name)[order], nan_ok=True), name


@given(parks=PARKS)
def test_reversing_the_direction_reverses_the_ranking(parks: Any):
    values, classes, terrain, coverage, _ = parks
    low = rank(values, peer_class=classes, terrain=terrain, coverage=coverage)
    high = rank(values, peer_class=classes, terrain=terrain, coverage=coverage, higher_is_better=True)
    assert high.percentile == pytest.approx(100.0 - low.percentile, nan_ok=True)
    assert high.robust_z == pytest.approx(-low.robust_z, nan_ok=True)


@given(parks=PARKS, scale=st.sampled_from([0.5, 2.0, 1024.0]))
def test_the_unit_of_an_indicator_does_not_move_anybody(parks: Any, scale: float):
    values, classes, terrain, coverage, _ = parks
    same = {"peer_class": classes, "terrain": terrain, "coverage": coverage}
    for right_skewed in (False, True):
        one = rank(values, right_skewed=right_skewed, **same)
        other = rank(values * scale, right_skewed=right_skewed, **same)
        assert other.percentile == pytest.approx(one.percentile, nan_ok=True)
        if not right_skewed:
            assert other.robust_z == pytest.approx(one.robust_z, nan_ok=True, rel=1e-9)


def test_the_median_of_each_group_is_that_of_numpy():
    generator = np.random.default_rng(4)
    values, key = generator.normal(size=200), generator.integers(0, 7, 200)
    values[::11] = np.nan
    found = ranking._group_medians(values, key)
    wanted = [np.nanmedian(values[key == k]) for k in key]
    assert found == pytest.approx(wanted)


def test_progress_looks_in_the_good_direction():
    now, before = np.array([0.18, 0.22, 1.0, np.nan]), np.array([0.2, 0.2, 0.0, 0.2])
    assert ranking.progress(now, before, higher_is_better=False) == pytest.approx(
        [0.1, -0.1, np.nan, np.nan], nan_ok=True
    )
    assert ranking.progress(now, before, higher_is_better=True)[:2] == pytest.approx([-0.1, 0.1])


def test_a_mix_adjusted_intensity_does_not_punish_heavy_industry():
    energy = np.array([[900.0, 10.0], [200.0, 90.0]])
    economy = np.array([[900.0, 100.0], [100.0, 900.0]])
    plain = energy.sum(axis=1) / economy.sum(axis=1)
    adjusted = ranking.industry_mix_adjusted(energy, economy, np.array([7, 7]))
    assert plain[0] > plain[1]
    assert adjusted.value[0] < adjusted.value[1]
    assert adjusted.value == pytest.approx([0.5 * 1.0 + 0.5 * 0.1, 0.5 * 2.0 + 0.5 * 0.1])


def test_a_sector_that_a_park_lacks_counts_as_the_group_has_it():
    energy = np.array([[100.0, np.nan], [300.0, 50.0], [np.nan, np.nan]])
    economy = np.array([[100.0, np.nan], [100.0, 200.0], [np.nan, np.nan]])
    found = ranking.industry_mix_adjusted(energy, economy, np.zeros(3, np.int64))
    # The group: 400/200 = 2 in the first sector, 50/200 = 0.25 in the second, half and half.
    assert found.value == pytest.approx([0.5 * 1 + 0.5 * 0.25, 0.5 * 3 + 0.5 * 0.25, np.nan], nan_ok=True)
    assert found.own_share == pytest.approx([0.5, 1.0, 0.0])


@given(
    energy=arrays(np.float64, (4, 3), elements=POSITIVE),
    economy=arrays(np.float64, (4, 3), elements=st.floats(1, 1e6)),
)
def test_a_group_of_equal_mixes_is_not_adjusted(energy: np.ndarray, economy: np.ndarray):
    alike = np.broadcast_to(economy[:1], economy.shape)
    found = ranking.industry_mix_adjusted(energy, alike, np.zeros(4, np.int64))
    assert found.value == pytest.approx(energy.sum(axis=1) / alike.sum(axis=1), rel=1e-9)


# --- rules as data ------------------------------------------------------------------------------------------------


def test_a_day_without_a_rule_has_none():
    with pytest.raises(RuleNotFoundError, match="budget rule"):
        in_force(builtin_rules().budget_rule, date(2020, 1, 1), what="budget rule")


def test_a_threshold_has_exactly_one_limit():
    document = builtin_rules().model_dump(mode="python")
    document["zero_carbon"][0]["at_least"] = 1.0
    with pytest.raises(InvalidFileError, match="give either at_most or at_least"):
        parse_model(document, EvaluationRules, file="mine.toml")
