"""Power quality: limits by level and day, time within them, and the 95 % probability value."""

import tomllib
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from smartpark.dated import RuleNotFoundError
from smartpark.errors import InvalidFileError
from smartpark.power_quality_limits import LimitCase, QualityLimits, QualityQuantity, builtin_quality_limits
from smartpark.tomlfile import parse_model
from smartpark_analytics.power_quality import (
    Verdict,
    compliance,
    is_within,
    limit_share,
    probability_value,
    voltage_deviation,
)
from smartpark_analytics.sufficiency import Sufficiency

GOLDEN = tomllib.loads((Path(__file__).parents[1] / "golden" / "power_quality.toml").read_text(encoding="utf-8"))
ON = date(2026, 11, 1)


def limit_of(quantity, nominal_kv=10.0, case="normal"):
    return builtin_quality_limits().limit_on(
        QualityQuantity(quantity), nominal_kv=nominal_kv, on=ON, case=LimitCase(case)
    )


THD = limit_of("voltage_thd")
VOLTAGE = limit_of("voltage_deviation")


def one(n):
    return np.zeros(n, np.int64)


# --- the rows -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "row", GOLDEN["limit"], ids=lambda r: f"{r['quantity']} {r['nominal_kv']} kV {r.get('case', '')}"
)
def test_limits_are_those_of_the_standards(row):
    found = limit_of(row["quantity"], row["nominal_kv"], row.get("case", "normal"))
    for key in ("low", "high", "odd_high", "even_high", "short_time_high"):
        assert getattr(found, key) == row.get(key), key
    assert found.source
    assert found.grade


def test_a_level_without_a_row_has_no_limit_and_the_error_says_which_have():
    with pytest.raises(RuleNotFoundError, match=r"limit of voltage_thd for 20 kV; there is: 0\.3-3 kV, 6-20 kV"):
        limit_of("voltage_thd", 20.0)


def test_a_day_before_the_standard_has_no_limit():
    with pytest.raises(RuleNotFoundError, match="in force on 1990-01-01"):
        builtin_quality_limits().limit_on(QualityQuantity.VOLTAGE_THD, nominal_kv=10.0, on=date(1990, 1, 1))


def test_a_row_that_does_not_fit_its_basis_is_refused_with_its_key():
    row = {
        "id": "x",
        "quantity": "frequency",
        "kv_from": 10.0,
        "kv_below": 1.0,
        "unit": "Hz",
        "basis": "time",
        "low": 49.8,
        "high": 50.2,
        "least_completeness": 0.75,
        "valid_from": ON,
        "source": "nowhere",
        "grade": "S",
    }
    other = row | {"id": "y", "kv_below": 20.0, "probability": 0.95, "grade": "Z"}
    with pytest.raises(InvalidFileError) as refused:
        parse_model({"version": "1", "limit": [row, other]}, QualityLimits, file="limits.toml")
    assert {problem.key for problem in refused.value.problems} == {"limit[x]", "limit[y].grade"}


# --- voltage ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("example", GOLDEN["voltage"], ids=lambda example: example["name"])
def test_voltage_deviation_reproduces_the_worked_example(example):
    found = voltage_deviation(np.array([[example["voltage_v"]]]), np.array([example["nominal_v"]]))
    assert found == pytest.approx(np.array([[example["deviation_pct"]]]), abs=5e-5)
    limit = limit_of("voltage_deviation", example["nominal_v"] / 1000)
    assert is_within(found, limit).tolist() == [[example["in_limits"]]]


def test_at_35_kv_the_span_of_deviations_counts_and_there_is_no_share():
    limit = limit_of("voltage_deviation", 35.0)
    deviation = np.array([[6.0, -5.0], [6.0, -4.0], [8.0, 1.0], [-3.0, -9.0], [-11.0, -2.0]])
    found = compliance(deviation, limit, one(2), 1, record_hours=12.0)
    assert found.judged_value[:, 0].tolist() == [11.0, 10.0, 8.0, 9.0, 11.0]
    verdicts = [Verdict.EXCEEDED, Verdict.KEPT, Verdict.KEPT, Verdict.KEPT, Verdict.EXCEEDED]
    assert found.verdict[:, 0].tolist() == verdicts
    share = limit_share(deviation, limit, one(2), 1)
    assert np.isnan(share.share).all()
    assert (share.reason == Sufficiency.NO_REQUIREMENT).all()


# --- time within limits -------------------------------------------------------------------------------------------


def test_the_share_is_carried_as_numerator_and_denominator():
    deviation = np.array([[0.0, 8.0, 6.9, np.nan]])
    found = limit_share(deviation, VOLTAGE, one(4), 1)
    assert (found.in_limits[0, 0], found.known[0, 0]) == (2, 3)
    assert found.share[0, 0] == pytest.approx(2 / 3)
    assert (found.highest[0, 0], found.lowest[0, 0]) == (8.0, 0.0)


def test_an_hour_of_which_too_little_is_known_is_not_judged_but_has_a_reason():
    hour = np.zeros((3, 60))
    hour[0, :15] = np.nan
    hour[1, :16] = np.nan
    hour[2] = np.nan
    found = limit_share(hour, VOLTAGE, one(60), 1)
    assert found.reason[:, 0].tolist() == [
        Sufficiency.ENOUGH,
        Sufficiency.TOO_LITTLE_DATA,
        Sufficiency.NO_DATA,
    ]
    assert found.share[0, 0] == 1.0
    assert np.isnan(found.share[1:]).all()


@given(values=arrays(np.float64, (2, 24), elements=st.floats(-20, 20) | st.just(np.nan)))
def test_hours_in_limits_add_up_to_those_of_the_day(values):
    by_hour = limit_share(values, VOLTAGE, np.repeat(np.arange(4), 6), 4)
    day = limit_share(values, VOLTAGE, one(24), 1)
    np.testing.assert_array_equal(by_hour.in_limits.sum(axis=1), day.in_limits[:, 0])
    np.testing.assert_array_equal(by_hour.known.sum(axis=1), day.known[:, 0])
    assert np.all(day.in_limits <= day.known)


def test_time_in_limits_has_a_share_but_no_verdict():
    found = compliance(np.full((1, 144), 50.0), limit_of("frequency"), one(144), 1, record_hours=1 / 6)
    assert found.verdict[0, 0] == Verdict.NOT_JUDGED
    assert found.reason[0, 0] == Sufficiency.NO_REQUIREMENT


# --- 95 % probability value ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("example", GOLDEN["probability"], ids=lambda example: example["name"])
def test_the_probability_value_reproduces_the_worked_example(example):
    records = np.concatenate([np.full(int(count), value) for count, value in example["records"]])
    found = compliance(records[np.newaxis], THD, one(144), 1, record_hours=1 / 6)
    assert found.judged_value[0, 0] == example["judged_value_pct"]
    assert found.verdict[0, 0] == (Verdict.KEPT if example["kept"] else Verdict.EXCEEDED)


def test_less_than_a_day_has_no_verdict_however_good():
    found = compliance(np.full((1, 138), 1.0), THD, one(138), 1, record_hours=1 / 6)
    assert found.reason[0, 0] == Sufficiency.TOO_SHORT
    assert found.verdict[0, 0] == Verdict.NOT_JUDGED
    assert np.isnan(found.judged_value[0, 0])


@given(values=arrays(np.float64, (2, 60), elements=st.floats(0, 20) | st.just(np.nan)), data=st.data())
def test_the_probability_value_is_a_record_that_one_in_twenty_at_most_exceeds(values, data):
    found = probability_value(values, 0.95, np.repeat([0, 1], 30), 2)
    for row in range(2):
        for period in range(2):
            known = values[row, period * 30 : period * 30 + 30]
            known = known[np.isfinite(known)]
            if known.size == 0:
                assert np.isnan(found[row, period])
            else:
                assert found[row, period] in known
                assert np.sum(known > found[row, period]) <= 0.05 * known.size
    order = np.concatenate([data.draw(st.permutations(range(30))), np.arange(30, 60)]).astype(int)
    np.testing.assert_array_equal(probability_value(values[:, order], 0.95, np.repeat([0, 1], 30), 2), found)


def test_no_records_have_no_probability_value():
    assert np.isnan(probability_value(np.zeros((1, 0)), 0.95, one(0), 1)).all()
