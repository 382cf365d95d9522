"""Totals over many parks: what adds up, in which order, who is missing, and what is not told."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from smartpark.addition import in_order
from smartpark.aggregates import EXAMPLE_ROW
from smartpark.indicators import INDICATORS, Accumulation
from smartpark.periods import Grain, period_containing
from smartpark.secrecy_rules import builtin_secrecy_rules
from smartpark_api.aggregates.totals import NoTotalError, accumulation_of, keep_secret, totals

OCTOBER = period_containing(datetime(2026, 10, 5, tzinfo=UTC), Grain.MONTH)
NOVEMBER = period_containing(OCTOBER.end, Grain.MONTH)
RULE = builtin_secrecy_rules().on(NOVEMBER.day)
ENERGY, RATIO = "electricity_consumption", "carbon_per_energy"


def row(park, value=None, *, parts=(None, None), period=OCTOBER, **more):
    numerator, denominator = parts
    said = {"value": value, "numerator": numerator, "denominator": denominator, "estimated_share": 0.0, **more}
    return replace(EXAMPLE_ROW, park=park, grain="month", start=period.start, end=period.end, **said)


def members(*parks, **left):
    return {(park, "park"): left.get(park) for park in parks}


def total(rows, of, indicator=ENERGY):
    (found,) = totals(indicator, rows, of, [OCTOBER])
    return found


@given(st.dictionaries(st.sampled_from("abcdefgh"), st.floats(-1e12, 1e12, allow_subnormal=True), min_size=1))
def test_amounts_are_added_in_the_order_of_the_codes(values):
    found = total([row(park, value) for park, value in values.items()], members(*values))
    assert found.value == in_order(values[park] for park in sorted(values))
    assert (found.known, found.missing, found.completeness, found.reason) == (len(values), (), 1.0, "")


def test_whoever_is_missing_is_named_and_is_no_zero():
    found = total([row("a", 5.0), row("b", None, completeness=0.0)], members("a", "b", "c"))
    assert (found.value, found.known, found.missing) == (5.0, 1, (("b", "park"), ("c", "park")))
    assert found.completeness == 1 / 3
    assert found.reason == "without 2 of 3"


def test_with_nobodys_number_there_is_no_total():
    found = total([], members("a"))
    assert (found.value, found.completeness, found.reason) == (None, 0.0, "nobody's number is known")
    assert total([], {}).value is None


def test_ratios_are_divided_last():
    rows = [row("a", 0.5, parts=(1.0, 2.0)), row("b", 3.0, parts=(9.0, 3.0)), row("c", 7.0, parts=(None, 5.0))]
    found = total(rows, members("a", "b", "c"), RATIO)
    assert (found.numerator, found.denominator, found.value) == (10.0, 5.0, 2.0)
    assert found.missing == (("c", "park"),)
    nothing = total([row("a", None, parts=(1.0, 0.0))], members("a"), RATIO)
    assert (nothing.value, nothing.reason) == (None, "the denominators add up to nothing")


def test_the_estimated_share_is_that_of_the_amounts():
    rows = [row("a", 90.0, estimated_share=0.0), row("b", 10.0, estimated_share=0.5)]
    assert total(rows, members("a", "b")).estimated_share == pytest.approx(0.05)
    assert total([row("a", 0.0)], members("a")).estimated_share is None


def test_who_left_before_a_period_is_not_missing_in_it():
    left = members("a", "b", b=OCTOBER.start + timedelta(days=3))
    first, second = totals(ENERGY, [row("a", 1.0), row("a", 2.0, period=NOVEMBER)], left, [OCTOBER, NOVEMBER])
    assert first.missing == (("b", "park"),)
    assert (second.missing, second.value, second.completeness) == ((), 2.0, 1.0)


def test_several_units_are_not_added_up():
    with pytest.raises(NoTotalError, match=r"several units \(MWh, kWh\); they are not added up"):
        total([row("a", 1.0), row("b", 1.0, unit="MWh")], members("a", "b"))


@pytest.mark.parametrize("indicator", sorted(INDICATORS))
def test_only_sums_and_ratios_have_a_total(indicator):
    if INDICATORS[indicator].accumulation in {Accumulation.SUM, Accumulation.RATIO}:
        assert accumulation_of(indicator) is INDICATORS[indicator].accumulation
        return
    with pytest.raises(NoTotalError, match="there is no total"):
        accumulation_of(indicator)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ((5.0, 4.0), "2 members: fewer than 3"),
        ((81.0, 10.0, 9.0), "more than 80 %"),
        ((80.0, 11.0, 9.0), ""),
        ((0.0, 0.0, 0.0), ""),
    ],
)
def test_totals_keep_the_secrecy_of_statistics(values, said):
    parks = [chr(ord("a") + n) for n in range(len(values))]
    told = keep_secret(total([row(p, v) for p, v in zip(parks, values, strict=True)], members(*parks)), RULE)
    if not said:
        assert (told.value, told.reason) == (sum(values), "")
        return
    assert (told.value, told.numerator, told.denominator, told.estimated_share) == (None, None, None, None)
    assert said in told.reason
    assert told.reason.startswith("secrecy of statistics (statistics-secrecy:1)")
    assert told.known == len(values)


def test_a_ratio_is_not_told_where_either_part_is_one_members():
    rows = [row(p, 1.0, parts=(1.0, size)) for p, size in zip("abc", (98.0, 1.0, 1.0), strict=True)]
    assert keep_secret(total(rows, members(*"abc"), RATIO), RULE).value is None
    even = [row(p, 1.0, parts=(1.0, 2.0)) for p in "abc"]
    assert keep_secret(total(even, members(*"abc"), RATIO), RULE).value == 0.5


def test_where_nothing_is_known_that_is_the_reason():
    assert keep_secret(total([], members("a")), RULE).reason == "nobody's number is known"
