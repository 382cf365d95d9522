"""Stacks: flow, concentration, mass, validity of hours and compliance, and the rows behind them."""

import tomllib
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from smartpark.cems_rules import cems_rules
from smartpark.dated import RuleNotFoundError
from smartpark.emission_limits import emission_limits
from smartpark.measurands import Measurand
from smartpark_analytics.cems import (
    StackFlag,
    corrected_concentration,
    dry_standard_flow,
    excess_air,
    hourly_mass,
    mass_concentration,
    wet_flow,
)
from smartpark_analytics.cems_compliance import limit_findings
from smartpark_analytics.cems_hours import (
    WITH_OVER_RANGE,
    DataFlag,
    HourMeans,
    emitted_mass,
    hour_means,
    letters_of_status,
    period_means,
)
from smartpark_analytics.cems_stack import stack_hours

GOLDEN = tomllib.loads((Path(__file__).parents[1] / "golden" / "cems.toml").read_text(encoding="utf-8"))
TODAY = date(2026, 11, 1)
RULES = cems_rules().validity_on(TODAY)
LIMITED = (Measurand.DUST_CONCENTRATION, Measurand.SO2_CONCENTRATION, Measurand.NOX_CONCENTRATION)


def minutes(counts: dict[str, int], value: float = 35.2) -> tuple[np.ndarray, np.ndarray]:
    """One hour: a value in each minute, and as many minutes of each flag."""
    letters = "".join(letter * count for letter, count in counts.items())
    return np.full((1, 60), value), np.array([list(letters)])


# --- one instant ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("example", GOLDEN["flow"], ids=lambda e: e["name"])
def test_dry_standard_flow_reproduces_the_worked_example(example: dict[str, Any]):
    flow = dry_standard_flow(
        np.array([example["wet"]]),
        temperature=np.array([example["temperature"]]),
        barometric_pressure=example["barometric_pressure"],
        static_pressure=example["static_pressure"],
        moisture=np.array([example["moisture"]]),
    )
    assert flow == pytest.approx([example["dry_standard"]], abs=5e-3)


@pytest.mark.parametrize("example", GOLDEN["ppm"], ids=lambda e: e["name"])
def test_ppm_become_milligrams(example: dict[str, Any]):
    assert mass_concentration(np.ones(1), example["molar_mass"]) == pytest.approx([example["mg_per_ppm"]], abs=5e-4)


@pytest.mark.parametrize("example", GOLDEN["corrected"], ids=lambda e: e["name"])
def test_corrected_concentration_reproduces_the_worked_example_in_both_forms(example: dict[str, Any]):
    reference = emission_limits().on(example["limit"], TODAY).reference_oxygen_pct
    measured, oxygen = np.array([example["measured"]]), np.array([example["oxygen"]])
    assert corrected_concentration(measured, oxygen, reference).value == pytest.approx([example["corrected"]])
    assert measured * excess_air(oxygen) / example["alpha_s"] == pytest.approx([example["corrected"]])


@pytest.mark.parametrize("example", GOLDEN["mass"], ids=lambda e: e["name"])
def test_mass_reproduces_the_worked_example(example: dict[str, Any]):
    mass = hourly_mass(np.array([[example["measured"]]]), np.array([[example["flow"]]]))
    assert mass == pytest.approx(np.array([[example["kg"]]]))


def test_wet_flow_is_area_times_mean_velocity():
    assert wet_flow(5.0, np.array([10.0]), field_factor=0.95) == pytest.approx([171_000.0])


def test_moisture_in_percent_is_refused():
    with pytest.raises(ValueError, match="divide percent by 100"):
        dry_standard_flow(
            np.ones(1),
            temperature=np.zeros(1),
            barometric_pressure=101_325.0,
            static_pressure=0.0,
            moisture=np.array([9.0]),
        )


@given(
    measured=st.floats(0, 1e4),
    oxygen=st.floats(0, 20.8),
    reference=st.sampled_from([3.0, 3.5, 6.0, 8.0, 9.0, 10.0, 15.0, 18.0]),
)
def test_both_forms_of_the_correction_are_one(measured: float, oxygen: float, reference: float):
    found = corrected_concentration(np.array([measured]), np.array([oxygen]), reference).value
    assert found == pytest.approx([measured * excess_air(oxygen) / excess_air(reference)], rel=1e-9)


@given(
    measured=arrays(np.float64, (2, 6), elements=st.floats(0, 1e4)),
    flow=arrays(np.float64, (2, 6), elements=st.floats(0, 1e7)),
    scale=st.floats(1e-3, 1e3),
)
def test_mass_scales_with_concentration_and_with_flow(measured: np.ndarray, flow: np.ndarray, scale: float):
    mass = hourly_mass(measured, flow)
    assert hourly_mass(measured * scale, flow) == pytest.approx(mass * scale, rel=1e-9)
    assert hourly_mass(measured, flow * scale) == pytest.approx(mass * scale, rel=1e-9)


def test_at_the_reference_oxygen_nothing_is_corrected():
    assert corrected_concentration(np.array([40.0]), np.array([9.0]), 9.0).value == pytest.approx([40.0])


def test_oxygen_of_air_is_no_division_by_nothing():
    oxygen = np.array([20.8, 20.9, 21.0, 25.0, -0.1, 19.0, 19.1])
    found = corrected_concentration(np.full(7, 10.0), oxygen, 9.0)
    assert np.isfinite(found.value).tolist() == [True, False, False, False, False, True, True]
    assert ((found.flags & StackFlag.OXYGEN_OF_AIR) != 0).tolist() == [False, True, True, True, True, False, False]
    assert ((found.flags & StackFlag.OXYGEN_SUSPICIOUS) != 0).tolist() == [True, *[False] * 5, True]


def test_a_furnace_that_is_off_is_stopped_and_not_zero():
    stopped = np.array([True, False, False])
    found = corrected_concentration(np.array([0.0, np.nan, 5.0]), np.array([20.9, 9.0, 9.0]), 9.0, stopped=stopped)
    assert np.isnan(found.value).tolist() == [True, True, False]
    assert found.flags.tolist() == [StackFlag.STOPPED, StackFlag.MISSING, 0]


# --- hours, days, months --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("good", "valid"), [(44, False), (45, True), (60, True)])
def test_an_hour_needs_45_valid_minutes(good, valid):
    values, letters = minutes({"N": good, "D": 60 - good})
    found = hour_means(values, letters, required_minutes=RULES.hour_minutes)
    assert found.valid.tolist() == [[valid]]
    assert found.valid_minutes.tolist() == [[good]]
    assert found.flags.tolist() == [[0 if valid else StackFlag.TOO_FEW_MINUTES]]


def test_older_systems_need_54_minutes():
    older = cems_rules().validity_on(TODAY, "older-systems")
    values, letters = minutes({"N": 53, "C": 7})
    assert not hour_means(values, letters, required_minutes=older.hour_minutes).valid.any()
    assert hour_means(values, letters, required_minutes=RULES.hour_minutes).valid.all()


@pytest.mark.parametrize("letter", [flag for flag in DataFlag if flag != DataFlag.NORMAL])
def test_only_normal_minutes_count(letter: str):
    values, letters = minutes({"N": 45, letter: 15})
    values[0, 45:] = 1e6
    assert hour_means(values, letters, required_minutes=45).value == pytest.approx(np.array([[35.2]]))


def test_over_range_counts_where_policy_says_so():
    values, letters = minutes({"N": 30, "T": 30})
    assert not hour_means(values, letters, required_minutes=45).valid.any()
    assert hour_means(values, letters, required_minutes=45, usable=WITH_OVER_RANGE).valid.all()


def test_a_minute_without_a_value_does_not_count_whatever_its_flag():
    values, letters = minutes({"N": 60})
    values[0, :16] = np.nan
    assert hour_means(values, letters, required_minutes=45).valid_minutes.tolist() == [[44]]


@pytest.mark.parametrize(("off", "flag"), [(45, StackFlag.STOPPED), (44, StackFlag.TOO_FEW_MINUTES)])
def test_an_hour_is_stopped_when_the_furnace_was_off_for_45_minutes(off: int, flag: StackFlag):
    found = hour_means(*minutes({"F": off, "M": 60 - off}), required_minutes=45)
    assert found.flags.tolist() == [[flag]]
    assert np.isnan(found.value).all()
    assert found.stopped.tolist() == [[flag is StackFlag.STOPPED]]


def test_flags_follow_from_status_codes():
    status = np.array([0, 0x80000000, 0x800C0000, 0x808D0000, 0x808C0000, 0x40910000, 0x40940000, 0x40000000])
    assert "".join(letters_of_status(status)) == "NBFMDSTN"


@pytest.mark.parametrize(("hours", "valid"), [(19, False), (20, True)])
def test_a_day_needs_20_valid_hours(hours, valid):
    parts = np.full((1, 24), np.nan)
    parts[0, :hours] = 30.0
    found = period_means(parts, np.zeros(24, np.int64), np.array([RULES.day_hours]))
    assert found.valid.tolist() == [[valid]]
    assert np.isfinite(found.value).tolist() == [[valid]]


def test_a_month_needs_25_valid_days_and_february_23():
    required = np.array([RULES.days_of(month) for month in (1, 2, 3)])
    days = np.repeat(np.arange(3), [31, 28, 31])
    parts = np.full((1, 90), np.nan)
    parts[0, :24], parts[0, 31:54], parts[0, 59:84] = 1.0, 2.0, 3.0
    found = period_means(parts, days, required)
    assert found.valid_parts.tolist() == [[24, 23, 25]]
    assert found.valid.tolist() == [[False, True, True]]
    assert found.value[0, 1:].tolist() == [2.0, 3.0]


def test_mass_of_a_day_leaves_stopped_hours_out_and_says_what_is_missing():
    mass = np.array([[4.0] * 12 + [np.nan] * 12])
    flags = np.zeros((1, 24), np.uint16)
    flags[0, 12:20] = StackFlag.STOPPED
    day = emitted_mass(mass, flags, np.zeros(24, np.int64), 1)
    assert day.total == pytest.approx(np.array([[48.0]]))
    assert day.stopped_hours.tolist() == [[8]]
    assert day.completeness == pytest.approx(np.array([[12 / 16]]))


def test_a_day_without_the_furnace_has_no_mass_and_misses_nothing():
    day = emitted_mass(
        np.full((1, 24), np.nan), np.full((1, 24), StackFlag.STOPPED, np.uint16), np.zeros(24, np.int64), 1
    )
    assert np.isnan(day.total).all()
    assert day.completeness.tolist() == [[1.0]]


@given(st.permutations(range(4)))
def test_series_do_not_depend_on_each_other(order: list[int]):
    rng = np.random.default_rng(7)
    values = rng.uniform(0, 100, (4, 180))
    letters = rng.choice(list("NNNNNNFD"), (4, 180))
    found = hour_means(values, letters, required_minutes=45)
    again = hour_means(values[order], letters[order], required_minutes=45)
    assert np.array_equal(again.value, found.value[order], equal_nan=True)
    assert np.array_equal(again.flags, found.flags[order])


# --- limits ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", GOLDEN["reference"], ids=lambda r: r["limit"])
def test_limit_sets_have_their_reference_oxygen_and_grade(row: dict[str, Any]):
    found = emission_limits().on(row["limit"], TODAY)
    assert found.reference_oxygen_pct == row["oxygen"]
    assert excess_air(found.reference_oxygen_pct) == pytest.approx(row["alpha_s"], abs=5e-5)
    assert found.grade == row["grade"]
    assert [found.of(measurand) for measurand in LIMITED] == row.get("dust_so2_nox", [None, None, None])


def test_every_limit_set_is_pinned():
    assert set(emission_limits().codes) == {row["limit"] for row in GOLDEN["reference"]}


def test_an_unknown_limit_set_is_an_error_that_names_the_near_ones():
    with pytest.raises(RuleNotFoundError, match=r"gb13271-2014:gas, .*gb13271-2014:"):
        emission_limits().on("gb13271-2014:gaz", TODAY)
    with pytest.raises(RuleNotFoundError, match="from 2014-07-01"):
        emission_limits().on("gb13271-2014:gas", date(2014, 6, 30))


def test_a_value_that_equals_its_limit_keeps_it():
    limit = emission_limits().on("gb13271-2014:gas", TODAY).of(Measurand.SO2_CONCENTRATION)
    found = limit_findings(np.array([[50.0, 50.001]]), np.zeros((1, 2), np.uint16), np.array([limit]))
    assert found.exceeded.tolist() == [[False, True]]
    assert found.compliance_rate.tolist() == [0.5]


@pytest.mark.parametrize(
    "flag", [StackFlag.SUBSTITUTED, StackFlag.STOPPED, StackFlag.OXYGEN_OF_AIR, StackFlag.MISSING]
)
def test_substituted_and_stopped_hours_are_not_judged(flag: StackFlag):
    found = limit_findings(np.array([[1e4, 10.0]]), np.array([[flag, 0]], np.uint16), np.array([50.0]))
    assert found.judged_hours.tolist() == [1]
    assert not found.exceeded.any()
    assert np.isnan(found.ratio[0, 0])


def test_without_a_limit_nothing_is_judged():
    found = limit_findings(np.array([[1e4]]), np.zeros((1, 1), np.uint16), np.array([np.nan]))
    assert found.judged_hours.tolist() == [0]
    assert np.isnan(found.compliance_rate).all()


# --- hours of a stack -----------------------------------------------------------------------------------------------


def hours_of(*values: float, flags: int = 0) -> HourMeans:
    shown = np.array([values])
    return HourMeans(shown, np.full(shown.shape, 60), np.where(np.isnan(shown), flags, 0).astype(np.uint16))


def test_mass_needs_no_oxygen_and_correction_no_flow():
    found = stack_hours(
        hours_of(35.2, 35.2, 35.2),
        hours_of(8.5, np.nan, 8.5, flags=StackFlag.TOO_FEW_MINUTES),
        hours_of(120_000.0, 120_000.0, np.nan, flags=StackFlag.TOO_FEW_MINUTES),
        np.array([9.0]),
    )
    assert np.isfinite(found.mass).tolist() == [[True, True, False]]
    assert np.isfinite(found.corrected).tolist() == [[True, False, True]]
    assert found.flags.tolist() == [[0, StackFlag.MISSING | StackFlag.TOO_FEW_MINUTES, 0]]


def test_a_stopped_stack_has_hours_without_mass_that_nobody_misses():
    nothing = hours_of(np.nan, flags=StackFlag.STOPPED)
    found = stack_hours(nothing, hours_of(20.9), hours_of(0.0), np.array([9.0]))
    assert found.stopped.tolist() == [[True]]
    assert np.isnan(found.mass).all()
    assert found.flags.tolist() == [[StackFlag.STOPPED]]
