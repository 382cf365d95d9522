"""Air quality index: worked examples of both editions, rounding, means, levels, and the laws they obey."""

import tomllib
from datetime import date, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from smartpark.air_quality import POLLUTANTS, Form, air_quality_rules
from smartpark.dated import RuleNotFoundError
from smartpark.measurands import Measurand
from smartpark_analytics.air_quality import Breakpoints, air_quality_index, individual_index
from smartpark_analytics.air_quality_means import (
    day_maximum_of_eight_hours,
    day_mean,
    eight_hour_means,
)
from smartpark_analytics.rounding import round_gb8170

GOLDEN = tomllib.loads((Path(__file__).parents[1] / "golden" / "air_quality.toml").read_text(encoding="utf-8"))
RULES = air_quality_rules()
LAST_OF_2012, FIRST_OF_2026 = date(2026, 2, 28), date(2026, 3, 1)
TABLES = {
    (day.year, form): Breakpoints.of(RULES, form, day) for day in (date(2019, 1, 1), FIRST_OF_2026) for form in Form
}
OLD_HOUR, OLD_DAY = TABLES[2019, Form.HOUR], TABLES[2019, Form.DAY]
NEW_HOUR, NEW_DAY = TABLES[2026, Form.HOUR], TABLES[2026, Form.DAY]
CONCENTRATIONS = arrays(np.float64, (6, 4), elements=st.floats(0, 1500))


def column(values: dict[str, float]) -> np.ndarray:
    return np.array([[values.get(pollutant, np.nan)] for pollutant in POLLUTANTS])


def names(marks: np.ndarray) -> list[str]:
    return [str(pollutant) for pollutant, mark in zip(POLLUTANTS, marks, strict=True) if mark]


# --- index ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("example", GOLDEN["individual"], ids=lambda e: f"{e['pollutant']}-{e['concentration']}")
def test_the_editions_differ_where_the_worked_examples_say(example: dict[str, Any]):
    row = POLLUTANTS.index(Measurand(example["pollutant"]))
    values = column({example["pollutant"]: float(example["concentration"])})
    for form in Form:
        assert individual_index(values, TABLES[2019, form])[row] == example["index_2012"]
        assert individual_index(values, TABLES[2026, form])[row] == example["index_2026"]


@pytest.mark.parametrize("example", GOLDEN["day"], ids=lambda e: e["name"])
def test_a_day_reproduces_the_worked_example(example: dict[str, Any]):
    found = air_quality_index(column(example["concentration"]), NEW_DAY)
    by_pollutant = dict(zip(map(str, POLLUTANTS), found.individual[:, 0].tolist(), strict=True))
    assert by_pollutant == {name: float(index) for name, index in example["individual"].items()}
    assert found.index.tolist() == [example["index"]]
    assert names(found.primary[:, 0]) == names(found.above_standard[:, 0]) == example["primary"]
    assert found.level.tolist() == [example["level"]]
    assert RULES.level[example["level"] - 1].zh == example["zh"]


@pytest.mark.parametrize("example", GOLDEN["hour"], ids=lambda e: e["rule"])
def test_an_hour_keeps_the_rules_that_published_hours_showed(example: dict[str, Any]):
    found = air_quality_index(column(example["concentration"]), OLD_HOUR)
    assert found.index.tolist() == [example["index"]]
    assert names(found.primary[:, 0]) == example["primary"]


def test_ozone_of_a_day_above_800_stays_at_300():
    values = column(dict.fromkeys(map(str, POLLUTANTS), 1.0) | {"ambient_o3": 1100.0})
    assert air_quality_index(values, NEW_DAY).index.tolist() == [300.0]
    assert air_quality_index(values, NEW_HOUR).index.tolist() == [450.0]


@pytest.mark.parametrize("missing", POLLUTANTS)
def test_with_a_pollutant_missing_there_is_no_index_and_it_is_named(missing: Measurand):
    values = column({str(p): 10.0 for p in POLLUTANTS if p != missing})
    found = air_quality_index(values, NEW_HOUR)
    assert np.isnan(found.index).all()
    assert found.level.tolist() == [0]
    assert names(found.missing[:, 0]) == [missing]
    assert not found.primary.any()


def test_a_negative_concentration_is_missing_not_excellent():
    values = column(dict.fromkeys(map(str, POLLUTANTS), 10.0) | {"ambient_so2": -3.0})
    assert names(air_quality_index(values, NEW_HOUR).missing[:, 0]) == ["ambient_so2"]


LEVELS = {1: (1, 50), 2: (51, 100), 3: (101, 150), 4: (151, 200), 5: (201, 300), 6: (301, 500)}


@pytest.mark.parametrize(("level", "ends"), LEVELS.items())
def test_levels_begin_one_above_the_last(level: int, ends: tuple[int, int]):
    table = Breakpoints(np.array([[0.0, 500.0]]), np.array([0, 500]), np.array([0]), NEW_HOUR.level_bounds)
    assert air_quality_index(np.array([ends], np.float64), table).level.tolist() == [level, level]
    assert (RULES.level[level - 1].number, RULES.level[level - 1].upto) == (level, ends[1])


def test_levels_have_words_and_colours_in_both_languages():
    assert [level.zh for level in RULES.level] == ["优", "良", "轻度污染", "中度污染", "重度污染", "严重污染"]
    assert [level.colour_zh for level in RULES.level] == ["绿色", "黄色", "橙色", "红色", "紫色", "褐红色"]
    assert len({level.en for level in RULES.level} | {level.colour for level in RULES.level}) == 12


def test_the_edition_follows_the_day():
    assert RULES.edition_on(LAST_OF_2012).code == "HJ 633-2012"
    assert RULES.edition_on(FIRST_OF_2026).code == "HJ 633-2026"
    expected = "no edition of HJ 633 is in force on 2012-12-31; there is: from 2013-01-01"
    with pytest.raises(RuleNotFoundError, match=expected):
        RULES.edition_on(date(2012, 12, 31))


def test_the_editions_differ_in_two_cells_a_form_only():
    for old, new in ((OLD_HOUR, NEW_HOUR), (OLD_DAY, NEW_DAY)):
        differs = ~(
            (old.concentration == new.concentration) | (np.isnan(old.concentration) & np.isnan(new.concentration))
        )
        assert [(str(POLLUTANTS[row]), int(old.index[cell])) for row, cell in np.argwhere(differs)] == [
            ("ambient_pm10", 100),
            ("ambient_pm25", 100),
        ]


@pytest.mark.parametrize("table", TABLES.values(), ids=[f"{year}-{form}" for year, form in TABLES])
def test_each_breakpoint_has_its_own_index(table: Breakpoints):
    for number in range(len(table.index)):
        values = table.concentration[:, number : number + 1]
        found = individual_index(values, table)
        known = np.isfinite(values)
        assert (found[known] == table.index[number]).all()


@given(first=CONCENTRATIONS, second=CONCENTRATIONS, table=st.sampled_from(list(TABLES.values())))
def test_more_of_a_pollutant_never_lowers_its_index(first: np.ndarray, second: np.ndarray, table: Breakpoints):
    low, high = np.minimum(first, second), np.maximum(first, second)
    assert (individual_index(low, table) <= individual_index(high, table)).all()


@given(values=CONCENTRATIONS, table=st.sampled_from(list(TABLES.values())))
def test_the_index_is_the_largest_of_the_six_and_primary_are_those_that_make_it(
    values: np.ndarray, table: Breakpoints
):
    found = air_quality_index(values, table)
    assert np.array_equal(found.index, found.individual.max(axis=0))
    assert np.array_equal(found.primary.any(axis=0), found.index > 50)
    assert (np.where(found.primary, found.individual, found.index) == found.index).all()
    assert ((found.index >= 0) & (found.index <= 500)).all()


@given(values=CONCENTRATIONS, order=st.permutations(range(4)))
def test_stations_do_not_depend_on_each_other(values: np.ndarray, order: list[int]):
    found, again = air_quality_index(values, NEW_HOUR), air_quality_index(values[:, order], NEW_HOUR)
    assert np.array_equal(again.index, found.index[order])
    assert np.array_equal(again.primary, found.primary[:, order])


@given(st.integers(0, 5000))
def test_rounding_up_is_exact_in_tenths(tenths: int):
    row = POLLUTANTS.index(Measurand.AMBIENT_CO)
    found = individual_index(column({"ambient_co": tenths / 10}), OLD_HOUR)[row, 0]
    steps, index = [0, 50, 100, 350, 600, 900, 1200, 1500], [0, 50, 100, 150, 200, 300, 400, 500]
    upper = next((k for k in range(1, 8) if tenths <= steps[k]), None)
    if upper is None:
        assert found == 500
        return
    above = (tenths - steps[upper - 1]) * (index[upper] - index[upper - 1])
    assert found == index[upper - 1] - (-above // (steps[upper] - steps[upper - 1]))


# --- rounding -------------------------------------------------------------------------------------------------------


@given(st.integers(-(10**9), 10**9), st.integers(0, 6), st.integers(0, 3))
def test_rounding_is_that_of_decimals(mantissa: int, digits: int, decimals: int):
    value = Decimal(mantissa).scaleb(-digits)
    expected = value.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_EVEN)
    assert round_gb8170(np.array([float(value)]), decimals).tolist() == [float(expected)]


@given(st.floats(-1e9, 1e9), st.integers(0, 3))
def test_rounding_any_double_is_that_of_the_decimal_it_prints(value: float, decimals: int):
    expected = Decimal(repr(value)).quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_EVEN)
    assert round_gb8170(np.array([value]), decimals).tolist() == [float(expected)]


def test_nothing_rounds_to_nothing():
    assert np.isnan(round_gb8170(np.array([np.nan]))).all()


# --- means ----------------------------------------------------------------------------------------------------------


def test_validity_counts_are_those_of_the_standard():
    for day in (LAST_OF_2012, FIRST_OF_2026):
        rule = RULES.validity_on(day)
        assert (rule.hour_minutes, rule.day_hours, rule.eight_hour_hours) == (45, 20, 6)
        assert (rule.month_days, rule.february_days, rule.year_days) == (27, 25, 324)


@pytest.mark.parametrize(("hours", "value"), [(19, None), (20, 30.0)])
def test_a_day_needs_20_hours(hours: int, value: float | None):
    day = np.full((1, 24), np.nan)
    day[0, :hours] = 30.0
    assert day_mean(day, required_hours=20).tolist() == pytest.approx(
        [np.nan if value is None else value], nan_ok=True
    )


@pytest.mark.parametrize(("hours", "known"), [(5, False), (6, True)])
def test_eight_hours_of_ozone_need_six(hours, known):
    day = np.full((1, 24), np.nan)
    day[0, :hours] = 100.0
    assert np.isfinite(eight_hour_means(day, required_hours=6))[0, 0] == known


def test_eight_hours_end_between_eight_and_midnight_and_never_reach_back():
    days = np.zeros((2, 24))
    days[0] = 240.0
    means = eight_hour_means(days, required_hours=6)
    assert means.shape == (2, 17)
    assert (means[1] == 0.0).all()


def test_a_day_of_ozone_needs_fourteen_means_unless_it_is_above_the_limit():
    day = np.full((3, 24), np.nan)
    day[:2, :18] = np.array([[100.0], [170.0]])  # six of eight hours until 20:00: thirteen means
    day[2, :19] = 100.0  # until 21:00: fourteen
    found = day_maximum_of_eight_hours(day, required_hours=6, required_means=14, limit=160.0)
    assert np.isnan(found[0])
    assert found[1:].tolist() == [170.0, 100.0]


# --- limits of ambient air ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", GOLDEN["limit"], ids=lambda r: r["pollutant"])
def test_limits_tighten_in_2031(row: dict[str, Any]):
    pollutant = Measurand(row["pollutant"])
    switch = date(2031, 1, 1)
    sets = [RULES.limits_on(day) for day in (FIRST_OF_2026, switch - timedelta(days=1), switch)]
    for span in ("year", "day", "hour"):
        found = [getattr(limits, span).get(pollutant) for limits in sets]
        transition, final = row.get(span, [None, None])
        assert found == [transition, transition, final]


def test_every_limit_of_the_standard_is_pinned():
    pinned = {row["pollutant"]: sorted(set(row) - {"pollutant"}) for row in GOLDEN["limit"]}
    limits = RULES.limits_on(FIRST_OF_2026)
    found = {
        str(p): sorted(span for span in ("year", "day", "hour") if p in getattr(limits, span)) for p in POLLUTANTS
    }
    assert found == pinned
