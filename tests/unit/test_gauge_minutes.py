"""Minutes of gauges: reduced from readings, held until the next reading is due; months of days."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from smartpark.clock import from_us, to_us
from smartpark.contracts import settlement_month
from smartpark.periods import Grain
from smartpark.status import BAD_SENSOR_FAILURE, GOOD, UNCERTAIN, as_int32
from smartpark.wire import MISSING
from smartpark_analytics.gauges.minutes import DAY_US, Minutes, held
from smartpark_analytics.gauges.months import Rollup, rolled_up
from smartpark_storage import READING_DTYPE
from smartpark_storage.minutes import MINUTE_US, NO_READING, reduce_to_minutes
from smartpark_storage.revisions import PublishedRow


def readings(*given: tuple[int, float, int | None, float, int]) -> tuple[np.ndarray, np.ndarray]:
    """Readings of (row, minute, scaled, raw, status), and their rows."""
    rows = np.zeros(len(given), READING_DTYPE)
    rows["time"] = [round(minute * MINUTE_US) for _, minute, *_ in given]
    rows["scaled"] = [MISSING if scaled is None else scaled for *_, scaled, _, _ in given]
    rows["raw"] = [raw for *_, raw, _ in given]
    rows["status"] = [as_int32(status) for *_, status in given]
    return rows, np.array([row for row, *_ in given], np.int64)


def test_a_minute_is_the_mean_of_its_usable_readings_whatever_form_they_have():
    found, row = readings(
        (0, 0.0, 1234, np.nan, GOOD),
        (0, 0.5, None, 20.0, GOOD),
        (0, 0.7, 99999, np.nan, BAD_SENSOR_FAILURE),
        (1, 2.0, 7, np.nan, UNCERTAIN),
        (1, 2.5, None, np.nan, GOOD),
    )
    mean, status = reduce_to_minutes(found, row, np.array([100.0, 1.0]), 0, (2, 3))
    np.testing.assert_allclose(mean, [[16.17, np.nan, np.nan], [np.nan, np.nan, 7.0]])
    assert status.tolist() == [[GOOD, NO_READING, NO_READING], [NO_READING, NO_READING, UNCERTAIN]]


def test_a_minute_of_bad_readings_has_no_mean_and_says_why():
    found, row = readings((0, 0.0, 1, np.nan, BAD_SENSOR_FAILURE))
    mean, status = reduce_to_minutes(found, row, np.array([1.0]), 0, (1, 1))
    assert np.isnan(mean[0, 0])
    assert status[0, 0] == BAD_SENSOR_FAILURE


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 299), st.integers(-(10**9), 10**9)), max_size=60))
def test_the_mean_of_whole_steps_is_exact(given_: list[tuple[int, int, int]]):
    ordered = sorted(given_, key=lambda one: one[:2])
    found, row = readings(*((r, second / 60, value, np.nan, GOOD) for r, second, value in ordered))
    mean, _ = reduce_to_minutes(found, row, np.ones(3), 0, (3, 5))
    for r in range(3):
        for minute in range(5):
            values = [v for which, second, v in ordered if which == r and second // 60 == minute]
            assert mean[r, minute] == sum(values) / len(values) if values else np.isnan(mean[r, minute])


def minutes(*columns: int, width: int = 60) -> Minutes:
    """One point with readings in these minutes, each showing its own number."""
    mean, status = np.full((1, width), np.nan), np.full((1, width), NO_READING)
    mean[0, list(columns)], status[0, list(columns)] = columns, GOOD
    return Minutes((), 0, mean, status)


def held_until(found: Minutes, longest: int) -> list[float]:
    return held(found, longest).mean[0].tolist()


def test_a_reading_stands_until_the_next_one_is_due():
    every_five = held_until(minutes(*range(0, 60, 5)), 5)
    # The first one has no rhythm yet.
    assert every_five[:6] == pytest.approx([0, np.nan, np.nan, np.nan, np.nan, 5], nan_ok=True)
    assert every_five[5:] == [float(column // 5 * 5) for column in range(5, 60)]


def test_a_rhythm_that_is_longer_than_asked_for_is_full_of_gaps():
    assert np.isfinite(held_until(minutes(0, 15, 30, 45), 5)).sum() == 4
    assert np.isfinite(held_until(minutes(0, 15, 30, 45), 15)).sum() == 46


def test_a_failure_of_a_point_that_reports_every_minute_stays_a_gap():
    failing = minutes(*range(20), *range(30, 60))
    assert np.isfinite(held_until(failing, 60)).sum() == 50


def test_a_single_sign_of_life_between_two_failures_stands_for_its_minute():
    assert np.isfinite(held_until(minutes(*range(20), 35, *range(50, 60)), 60)).sum() == 31


@given(st.sets(st.integers(0, 59)), st.integers(1, 60))
def test_what_was_read_stays_as_it_was_read_and_nothing_comes_from_the_future(columns: set[int], longest: int):
    found = held_until(minutes(*columns), longest)
    assert [found[c] for c in sorted(columns)] == sorted(columns)
    assert all(np.isnan(value) or value <= place for place, value in enumerate(found))


DAY = PublishedRow(
    park="hill",
    boundary="park",
    indicator="so2_mass",
    grain="day",
    start_us=0,
    revision=1,
    value=None,
    numerator=None,
    denominator=None,
    unit="kg",
    completeness=1.0,
    estimated_share=0.0,
    uncertainty=None,
    method="m/1",
    factor_set="",
    factors=[],
    reason="",
    computed_at_us=0,
    superseded_at_us=None,
)
NOVEMBER = settlement_month(date(2026, 11, 10), 1)


def days(*given_: dict[str, float | str | None]) -> list[PublishedRow]:
    return [replace(DAY, start_us=to_us(NOVEMBER.start) + i * DAY_US, **one) for i, one in enumerate(given_)]


def test_a_month_of_mass_is_the_sum_of_its_days_with_their_estimated_shares():
    found = days({"value": 4.0, "estimated_share": 0.5}, {"value": None, "completeness": 0.0}, {"value": 12.0})
    row = rolled_up(Rollup("park", "so2_mass", NOVEMBER), found)
    assert row is not None
    assert (row.value, row.estimated_share, row.reason) == (16.0, 0.125, "2 of 30 days")
    assert row.completeness == pytest.approx(2 / 30)


def test_a_ratio_is_divided_last():
    found = days(
        {"value": 1.0, "numerator": 1.0, "denominator": 1.0}, {"value": 0.5, "numerator": 10, "denominator": 20}
    )
    row = rolled_up(Rollup("park", "so2_in_limit", NOVEMBER), found)
    assert row is not None
    assert row.value == 11 / 21


def test_a_month_without_a_row_has_none_and_one_without_a_number_says_so():
    rollup = Rollup("park", "so2_mass", NOVEMBER)
    assert rolled_up(rollup, []) is None
    row = rolled_up(rollup, days({"value": None}))
    assert row is not None
    assert (row.value, row.reason) == (None, "0 of 30 days")


@pytest.mark.parametrize(
    ("on", "cut", "first", "last"),
    [
        (date(2026, 11, 10), 1, date(2026, 11, 1), date(2026, 12, 1)),
        (date(2026, 11, 10), 10, date(2026, 11, 10), date(2026, 12, 10)),
        (date(2026, 11, 9), 10, date(2026, 10, 10), date(2026, 11, 10)),
        (date(2027, 1, 3), 28, date(2026, 12, 28), date(2027, 1, 28)),
        (date(2027, 2, 28), 28, date(2027, 2, 28), date(2027, 3, 28)),
    ],
)
def test_a_settlement_month_goes_from_cut_off_to_cut_off(on: date, cut: int, first: date, last: date):
    month = settlement_month(on, cut)
    assert (month.day, month.grain) == (first, Grain.MONTH)
    assert from_us(to_us(month.end) + 8 * 3_600_000_000).date() == last
