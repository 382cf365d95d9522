"""Periods of emission limits: day by day what the lookup says, each day once, and the rows of a stack."""

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from smartpark.dated import RuleNotFoundError
from smartpark.emission_limits import EmissionLimit, EmissionLimits, emission_limits
from smartpark.measurands import Measurand
from smartpark_storage.emission_limits import LimitedStack, rows_of

FIRST = date(2020, 1, 1)
OFFSETS = st.integers(0, 40)


def row(start, length, *, code="x", **limits):
    begin = FIRST + timedelta(days=start)
    return EmissionLimit(
        code=code,
        zh=f"行{start}",
        en=f"row {start}",
        valid_from=begin,
        valid_to=None if length is None else begin + timedelta(days=length),
        reference_oxygen_pct=3.5,
        source="somewhere",
        grade="S",
        **limits,
    )


def table(*rows):
    return EmissionLimits(version="v", limit=rows)


@given(
    st.lists(
        st.tuples(OFFSETS, st.none() | st.integers(1, 20)), min_size=1, max_size=5, unique_by=lambda pair: pair[0]
    )
)
@settings(max_examples=60, deadline=None)
def test_every_day_is_in_the_period_of_the_row_that_the_lookup_finds(spans):
    limits = table(*(row(start, length) for start, length in spans))
    periods = limits.periods("x")
    for offset in range(-1, 70):
        day = FIRST + timedelta(days=offset)
        held = [p.limit for p in periods if p.start <= day and (p.end is None or day < p.end)]
        try:
            assert held == [limits.on("x", day)]
        except RuleNotFoundError:
            assert held == []
    assert [p.start for p in periods] == sorted(p.start for p in periods)


def test_a_newer_row_ends_an_older_one_and_an_interlude_returns_to_it():
    limits = table(row(0, None, so2=50), row(10, 5, so2=35))
    assert [(p.start.day, p.end and p.end.day, p.limit.so2) for p in limits.periods("x")] == [
        (1, 11, 50),
        (11, 16, 35),
        (16, None, 50),
    ]


def test_a_code_that_nobody_knows_names_the_nearest():
    with pytest.raises(RuleNotFoundError, match="gb13271-2014:gas"):
        emission_limits().periods("gb13271-2014:gaz")


def test_a_stack_has_a_row_for_each_limit_that_was_entered_and_its_own_oxygen():
    limits = table(row(0, None, so2=50, dust=20))
    found = list(rows_of(LimitedStack("p", "S1", "x", 6.0), limits))
    assert {(one["pollutant"], one["limit_value"], one["reference_o2_pct"]) for one in found} == {
        ("so2", 50, 6.0),
        ("dust", 20, 6.0),
    }
    assert {one["reference_o2_pct"] for one in rows_of(LimitedStack("p", "S1", "x", None), limits)} == {3.5}


def test_every_set_that_comes_with_the_platform_can_be_kept():
    limits = emission_limits()
    for code in limits.codes:
        for one in rows_of(LimitedStack("p", "S", code, None), limits):
            limit = limits.on(code, date.fromisoformat(one["valid_from"]))
            assert one["limit_value"] == limit.of(Measurand(one["measurand"]))
