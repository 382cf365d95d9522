"""Accounting periods follow the park's calendar; time at the border is aware and exact."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from smartpark.clock import PARK_ZONE, from_us, parse_instant, to_us
from smartpark.periods import Grain, period_containing, periods_between

# China's last daylight saving time ended in 1991; before it hours do not coincide with UTC's days of 24 h.
INSTANTS = st.integers(to_us(datetime(1992, 1, 1, tzinfo=UTC)), to_us(datetime(2100, 1, 1, tzinfo=UTC))).map(from_us)
GRAINS = st.sampled_from(list(Grain))


@given(INSTANTS, GRAINS)
def test_a_period_contains_its_instant_and_starts_at_itself(instant, grain):
    period = period_containing(instant, grain)
    assert period.start <= instant < period.end
    assert period_containing(period.start, grain) == period
    assert period_containing(period.end - timedelta(microseconds=1), grain) == period


@given(INSTANTS, GRAINS)
def test_the_end_of_a_period_is_the_start_of_the_next(instant, grain):
    period = period_containing(instant, grain)
    assert period_containing(period.end, grain).start == period.end


@given(
    INSTANTS, st.timedeltas(timedelta(0), timedelta(days=40)), st.sampled_from([Grain.DAY, Grain.MONTH, Grain.YEAR])
)
def test_periods_between_cover_the_span_without_gap_or_overlap(start, length, grain):
    periods = periods_between(start, start + length, grain)
    if length:
        assert periods[0].start <= start
        assert periods[-1].end >= start + length
    assert all(a.end == b.start for a, b in pairwise(periods))


def test_a_day_begins_at_midnight_in_shanghai():
    period = period_containing(datetime(2026, 11, 22, 16, 30, tzinfo=UTC), Grain.DAY)
    assert period.start == datetime(2026, 11, 22, 16, 0, tzinfo=UTC)
    assert period.day == date(2026, 11, 23)


@pytest.mark.parametrize(
    ("grain", "start", "end"),
    [
        (Grain.QUARTER_HOUR, "2026-02-28T23:45+08:00", "2026-03-01T00:00+08:00"),
        (Grain.HOUR, "2026-02-28T23:00+08:00", "2026-03-01T00:00+08:00"),
        (Grain.DAY, "2026-02-28T00:00+08:00", "2026-03-01T00:00+08:00"),
        (Grain.MONTH, "2026-02-01T00:00+08:00", "2026-03-01T00:00+08:00"),
        (Grain.YEAR, "2026-01-01T00:00+08:00", "2027-01-01T00:00+08:00"),
    ],
)
def test_the_last_minute_of_february(grain, start, end):
    period = period_containing(parse_instant("2026-02-28T23:59:59+08:00"), grain)
    assert (period.start, period.end) == (parse_instant(start), parse_instant(end))


@given(INSTANTS)
def test_microseconds_are_exact_both_ways(instant):
    assert from_us(to_us(instant)) == instant


def test_an_instant_without_a_zone_is_refused_or_given_one():
    with pytest.raises(ValueError, match="no time zone"):
        parse_instant("2026-11-22T08:00:00")
    with pytest.raises(ValueError, match="names no instant"):
        to_us(datetime(2026, 11, 22, 8))  # noqa: DTZ001  naive on purpose
    assert parse_instant("2026-11-22T08:00:00", default_zone=PARK_ZONE) == parse_instant("2026-11-22T00:00:00Z")
