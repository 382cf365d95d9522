"""How a stretch of the past is cut into parts and pieces: nothing twice, nothing left out, nothing too large."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from smartpark.clock import from_us, to_us
from smartpark_ingest.derive_spans import DAY_US, QUARTER_US
from smartpark_ingest.recompute import parts_of, pieces_of

START = to_us(datetime(2025, 12, 31, 16, tzinfo=UTC))
"""Start of 2026 in Asia/Shanghai."""


@given(st.integers(0, 400 * 96), st.integers(1, 400 * 96))
def test_parts_follow_on_one_another_and_none_is_in_two_months(first, count):
    start, end = START + first * QUARTER_US, START + (first + count) * QUARTER_US
    parts = parts_of("hill", start, end)
    assert parts[0].start_us == start - (start - START) % DAY_US
    assert parts[-1].end_us == end
    assert all(a.end_us == b.start_us for a, b in pairwise(parts))
    for part in parts:
        local = [from_us(t).astimezone(UTC) + timedelta(hours=8) for t in (part.start_us, part.end_us - 1)]
        assert {f"{at:%Y-%m}" for at in local} == {part.month}
    assert sum(len(part.days) for part in parts) == -(-(end - parts[0].start_us) // DAY_US)


@given(st.dictionaries(st.integers(1, 50), st.integers(0, 5000), max_size=20), st.integers(1, 40))
def test_pieces_hold_every_quarter_hour_of_every_counter_once_and_are_bounded(counts, quarters):
    ids, rows = sorted({*counts, 51}), 2000
    end = START + quarters * 12 * QUARTER_US
    held = np.zeros((len(ids), quarters * 12), np.int64)
    for piece in pieces_of(ids, counts, START, end, rows):
        columns = slice((piece.start_us - START) // QUARTER_US, (piece.end_us - START) // QUARTER_US)
        held[[ids.index(p) for p in piece.point_ids], columns] += 1
        whole_days = (piece.end_us - piece.start_us) <= DAY_US and len(piece.point_ids) == 1
        span = (piece.end_us - piece.start_us) // QUARTER_US
        size = sum(counts.get(p, 0) * span / held.shape[1] + span for p in piece.point_ids)
        assert whole_days or size <= rows
    assert (held == 1).all()
