"""Planning of derive: which quarter-hours a stale span touches, and how work is cut."""

from datetime import datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from smartpark.clock import PARK_ZONE, to_us
from smartpark_ingest.derive_spans import (
    DAY_US,
    POINTS_PER_FETCH,
    QUARTER_US,
    WorkRange,
    ceil_quarter,
    floor_quarter,
    merge_ranges,
    neighbours_by_point,
    spans_by_window,
    within_budget,
    work_pieces,
    work_range,
)
from smartpark_ingest.derive_worker import GRACE_S, grace_left_s
from smartpark_storage import READING_DTYPE, StaleSpan

Q = QUARTER_US
SECOND = 1_000_000
LATER = 1000 * Q


def span(start: int, end: int) -> StaleSpan:
    return StaleSpan(1, start, end)


@pytest.mark.parametrize(("time", "floor", "ceil"), [(0, 0, 0), (1, 0, Q), (Q, Q, Q), (Q + 1, Q, 2 * Q), (-1, -Q, 0)])
def test_quarters_are_half_open(time: int, floor: int, ceil: int):
    assert (floor_quarter(time), ceil_quarter(time)) == (floor, ceil)


def test_a_span_within_the_running_quarter_hour_needs_no_work():
    running = 10 * Q
    assert work_range(span(running + 5, running + 90), running + 4, None, running + 100) is None


def test_the_reading_that_closes_a_quarter_hour_has_it_computed_and_one_more():
    closing = 10 * Q + SECOND
    found = work_range(span(closing, closing + 1), closing - 2 * SECOND, None, closing + SECOND)
    assert found == WorkRange(8 * Q, 10 * Q, 1)


def test_a_closing_reading_of_a_clock_ahead_of_ours_closes_all_the_same():
    closing = 10 * Q + SECOND
    found = work_range(span(closing, closing + 1), closing - 2 * SECOND, None, closing - 5 * SECOND)
    assert found == WorkRange(8 * Q, 10 * Q, 1)


def test_a_reading_on_the_boundary_closes_the_quarter_hour_before_it():
    found = work_range(span(10 * Q, 10 * Q + 1), 9 * Q, None, 10 * Q)
    assert found == WorkRange(8 * Q, 10 * Q, 1)


def test_a_late_reading_has_everything_between_its_neighbours_computed():
    found = work_range(span(20 * Q + 7, 20 * Q + 8), 18 * Q + 1, 22 * Q + 1, LATER)
    assert found == WorkRange(17 * Q, 24 * Q, 1)


def test_the_return_after_an_outage_reaches_back_to_its_beginning():
    found = work_range(span(500 * Q + 1, 502 * Q), 100 * Q, None, LATER)
    assert found == WorkRange(99 * Q, 502 * Q, 1)


def test_the_very_first_readings_reach_back_to_nothing():
    assert work_range(span(10 * Q + 1, 12 * Q + 2), None, None, LATER) == WorkRange(9 * Q, 13 * Q, 1)


def test_neighbours_are_told_apart_by_the_window():
    rows = np.zeros(3, READING_DTYPE)
    rows["point_id"], rows["time"] = [1, 1, 2], [5, 30, 40]
    assert neighbours_by_point(rows, 10) == {1: (5, 30), 2: (None, 40)}


def test_live_spans_of_many_meters_are_one_question():
    spans = [StaleSpan(point, 10 * Q + point, 10 * Q + 100 + point) for point in range(50)]
    assert list(spans_by_window(spans).values()) == [spans]


def test_of_a_backlog_the_earliest_days_of_all_points_are_taken_and_short_spans_before_them():
    midnight = to_us(datetime(2026, 1, 1, tzinfo=PARK_ZONE))
    backlog = [StaleSpan(point, midnight + 5 * Q, midnight + 900 * DAY_US) for point in (1, 2)]
    late = StaleSpan(3, midnight + 400 * DAY_US, midnight + 400 * DAY_US + Q)
    taken, rest = within_budget([*backlog, late], 7)
    assert taken == [*(StaleSpan(p, midnight + 5 * Q, midnight + 3 * DAY_US) for p in (1, 2)), late]
    assert rest == [StaleSpan(p, midnight + 3 * DAY_US, midnight + 900 * DAY_US) for p in (1, 2)]
    assert within_budget([late], 1) == ([late], [])
    assert within_budget(backlog, 1)[0] == [StaleSpan(p, midnight + 5 * Q, midnight + DAY_US) for p in (1, 2)]


@given(
    st.lists(st.tuples(st.integers(1, 4), st.integers(0, 400), st.integers(1, 300)), min_size=1, max_size=20),
    st.integers(1, 20),
)
def test_the_budget_loses_nothing_and_comes_to_an_end(given_: list[tuple[int, int, int]], point_days: int):
    rest = [StaleSpan(point, start * Q, (start + count) * Q) for point, start, count in given_]
    wanted = {(s.point_id, q) for s in rest for q in range(s.start_us, s.end_us, Q)}
    done = set[tuple[int, int]]()
    for _ in range(len(rest) * 10):
        taken, rest = within_budget(rest, point_days)
        assert taken
        assert all(s.start_us < s.end_us for s in (*taken, *rest))
        done |= {(s.point_id, q) for s in taken for q in range(s.start_us, s.end_us, Q)}
        if not rest:
            break
    assert not rest
    assert done == wanted


@given(st.lists(st.tuples(st.integers(1, 40), st.integers(0, 400), st.integers(1, 300)), max_size=60))
def test_pieces_cover_exactly_the_ranges_once_and_stay_within_a_day(given_: list[tuple[int, int, int]]):
    ranges = [WorkRange(start * Q, (start + count) * Q, point) for point, start, count in given_]
    wanted = {(r.point_id, q) for r in ranges for q in range(r.start_us, r.end_us, Q)}
    pieces = list(work_pieces(ranges))
    found = [(p, q) for piece in pieces for p in piece.point_ids for q in range(piece.start_us, piece.end_us, Q)]
    assert len(found) == len(set(found))
    assert set(found) == wanted
    assert all(piece.end_us - piece.start_us <= DAY_US for piece in pieces)
    assert all(len(piece.point_ids) <= POINTS_PER_FETCH for piece in pieces)
    assert [piece.start_us for piece in pieces] == sorted(piece.start_us for piece in pieces)


def test_ranges_of_one_point_that_touch_become_one():
    assert merge_ranges([WorkRange(2 * Q, 4 * Q, 1), WorkRange(0, 2 * Q, 1), WorkRange(0, Q, 2)]) == [
        WorkRange(0, 4 * Q, 1),
        WorkRange(0, Q, 2),
    ]


def test_a_quarter_hour_that_just_ended_gets_a_moment_for_its_last_readings():
    assert grace_left_s(7 * Q) == GRACE_S
    assert grace_left_s(7 * Q + 2 * SECOND) == GRACE_S - 2
    assert grace_left_s(7 * Q + 400 * SECOND) < 0
