"""Tariff periods: hours of the park's zone, versions that change inside a month, and sums that add up."""

import copy
import tomllib
from datetime import date, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from smartpark.clock import PARK_ZONE, to_us
from smartpark.price_plans import PlanVersion, builtin_price_plans
from smartpark.tariff_hours import TARIFF_PERIODS
from smartpark.workdays import DayKind
from smartpark_analytics.tariff import (
    TariffIntervals,
    amounts_by_tariff,
    classify_intervals,
    interval_prices,
    tariff_labels,
)

GOLDEN = tomllib.loads((Path(__file__).parents[1] / "golden" / "tariff.toml").read_text(encoding="utf-8"))
FUJIAN = builtin_price_plans().plan[0].version
SHARP, PEAK, FLAT, VALLEY = range(4)


def quarters(first, days=1):
    """Starts of the quarters of an hour of whole days of the park's calendar."""
    midnight = to_us(datetime.combine(first, datetime.min.time(), tzinfo=PARK_ZONE))
    return midnight + 900_000_000 * np.arange(96 * days, dtype=np.int64)


def version(name, valid_from, hours, **more):
    return PlanVersion(
        id=name,
        valid_from=valid_from,
        source="contract",
        grade="P",
        hours=hours,
        **({"price": dict.fromkeys(TARIFF_PERIODS, 1.0)} | more),
    )


ALL_FLAT = ({"period": "flat", "spans": ["00:00-24:00"]},)
ALL_PEAK = ({"period": "peak", "spans": ["00:00-24:00"]},)


@pytest.mark.parametrize("example", GOLDEN["hours"], ids=lambda example: example["name"])
def test_a_day_is_classified_as_the_notice_says(example):
    found = classify_intervals(quarters(example["day"]), FUJIAN)
    hours = {period.value: np.sum(found.period == code) / 4 for code, period in enumerate(TARIFF_PERIODS)}
    assert hours == example["hours"]
    assert (found.version == 0).all()


@pytest.mark.parametrize(
    ("clock", "period"),
    [
        ((0, 0), VALLEY),
        ((7, 59), VALLEY),
        ((8, 0), FLAT),
        ((9, 59), FLAT),
        ((10, 0), PEAK),
        ((11, 0), SHARP),
        ((12, 0), FLAT),
        ((15, 0), PEAK),
        ((17, 0), SHARP),
        ((18, 0), PEAK),
        ((20, 0), FLAT),
        ((21, 0), PEAK),
        ((22, 0), FLAT),
        ((23, 59), FLAT),
    ],
)
def test_hours_are_half_open_and_of_the_parks_zone(clock, period):
    instant = to_us(datetime(2026, 9, 30, *clock, tzinfo=PARK_ZONE))
    assert classify_intervals(np.array([instant]), FUJIAN).period.tolist() == [period]


def test_sharp_hours_end_with_september():
    eleven = [to_us(datetime(2026, 9, 30, 11, tzinfo=PARK_ZONE)), to_us(datetime(2026, 10, 1, 11, tzinfo=PARK_ZONE))]
    assert classify_intervals(np.array(eleven), FUJIAN).period.tolist() == [SHARP, PEAK]


def test_a_plan_may_change_inside_a_month():
    versions = [
        version("second", date(2026, 5, 16), ALL_PEAK),
        version("first", date(2026, 5, 1), ALL_FLAT, valid_to=date(2026, 5, 31)),
        version("for two days", date(2026, 5, 20), ALL_FLAT, valid_to=date(2026, 5, 22)),
    ]
    found = classify_intervals(quarters(date(2026, 4, 30), 32), versions)
    by_day = found.version.reshape(32, 96)
    assert (by_day == by_day[:, :1]).all()
    # Before the first version none; the second from the 16th; for two days the third, then the second again.
    assert by_day[:, 0].tolist() == [-1, *[1] * 15, *[0] * 4, *[2] * 2, *[0] * 10]
    assert set(found.period[found.version == 0]) == {PEAK}
    assert set(found.period[found.version == -1]) == {-1}


def test_working_days_are_told_from_others_where_the_plan_does():
    hours = (
        {"period": "peak", "spans": ["00:00-24:00"], "days": ["workday", "make_up_day"]},
        {"period": "valley", "spans": ["00:00-24:00"], "days": ["weekend", "holiday"]},
    )
    plan = [version("by day", date(2026, 1, 1), hours)]
    start = quarters(date(2026, 10, 9), 3)
    kinds = [DayKind.WORKDAY, DayKind.MAKE_UP_DAY, DayKind.WEEKEND]
    found = classify_intervals(start, plan, day_kind=kinds)
    assert found.period.reshape(3, 96)[:, 0].tolist() == [PEAK, PEAK, VALLEY]
    with pytest.raises(ValueError, match="day_kind is needed"):
        classify_intervals(start, plan)
    with pytest.raises(ValueError, match="day_kind has 1 days; the intervals lie in 3"):
        classify_intervals(start, plan, day_kind=kinds[:1])


def test_clocks_that_were_changed_in_between_are_refused():
    summers = [to_us(datetime(year, 7, 1, tzinfo=PARK_ZONE)) for year in (1990, 1995)]
    with pytest.raises(ValueError, match="clocks were changed"):
        classify_intervals(np.array(summers), FUJIAN)


@given(energy=arrays(np.float64, (3, 96 * 4), elements=st.floats(0, 1e6) | st.just(np.nan)))
def test_periods_add_up_to_the_total(energy):
    start = quarters(date(2026, 6, 29), 4)
    month = np.repeat([0, 1], 96 * 2)
    found = amounts_by_tariff(energy, classify_intervals(start, FUJIAN), month, 2)
    np.testing.assert_allclose(np.nansum(found.amount, axis=(1, 2)), np.nansum(energy, axis=1), rtol=1e-12)


def test_what_is_not_known_adds_nothing_and_shows():
    start = quarters(date(2026, 11, 22))
    energy = np.ones((1, 96))
    energy[0, :8] = np.nan
    tariff = classify_intervals(start, FUJIAN)
    found = amounts_by_tariff(energy, tariff, np.zeros(96, np.int64), 1)
    assert found.amount[0, 0].tolist() == [0.0, 32.0, 32.0, 24.0]
    # There are no sharp hours in November: nothing is missing of them.
    assert found.completeness[0, 0].tolist() == [1.0, 1.0, 1.0, 0.75]
    energy[0, :32] = np.nan
    gone = amounts_by_tariff(energy, tariff, np.zeros(96, np.int64), 1)
    assert np.isnan(gone.amount[0, 0, VALLEY])
    assert gone.completeness[0, 0, VALLEY] == 0.0


def test_cost_follows_the_price_of_the_version_in_force():
    versions = [
        version("before", date(2026, 5, 1), ALL_FLAT, price={"flat": 0.6}),
        version("after", date(2026, 5, 16), ALL_FLAT, price={"flat": 0.7}),
    ]
    tariff = classify_intervals(quarters(date(2026, 5, 1), 31), versions)
    price = interval_prices(tariff, np.array([v.prices() for v in versions]))
    energy = np.ones((1, price.size))
    cost = amounts_by_tariff(energy * price, tariff, np.zeros(price.size, np.int64), 1)
    assert cost.amount[0, 0, FLAT] == pytest.approx(15 * 96 * 0.6 + 16 * 96 * 0.7)


@given(order=st.permutations(range(4)))
def test_the_order_of_versions_in_the_file_does_not_matter(order):
    versions = [version(str(i), date(2026, 5, 1 + 7 * i), ALL_PEAK if i % 2 else ALL_FLAT) for i in range(4)]
    start = quarters(date(2026, 5, 1), 31)
    shuffled = copy.copy([versions[i] for i in order])
    np.testing.assert_array_equal(
        classify_intervals(start, shuffled).period, classify_intervals(start, versions).period
    )


def test_labels_join_month_and_period():
    tariff = TariffIntervals(np.array([SHARP, VALLEY, -1, PEAK]), np.array([0, 0, -1, 0]))
    assert tariff_labels(tariff, np.array([0, 1, 1, -1])).tolist() == [0, 7, -1, -1]


def test_no_intervals_have_no_tariff():
    found = classify_intervals(np.zeros(0, np.int64), FUJIAN)
    assert found.period.size == found.version.size == 0
