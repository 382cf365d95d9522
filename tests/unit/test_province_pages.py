"""From Arrow to columns: what one side wrote the other reads, bit for bit, and nothing else is taken for a page."""

import math
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from smartpark.aggregates import EXAMPLE_ROW, AggregateRow, canonical_line
from smartpark_api.aggregates.arrow import pa
from smartpark_api.aggregates.formats import arrow_stream
from smartpark_api.aggregates.tables import table_of
from smartpark_ingest.province.pages import BadPageError, page_of
from smartpark_ingest.province.seals import SealBrokenError, rows_of_lines
from smartpark_storage.aggregates import AggregateColumns

SAID = {"smartpark.cursor": "abc", "smartpark.more": "true", "smartpark.instance": str(UUID(int=7))}
NUMBERS = st.none() | st.floats(allow_nan=False, allow_infinity=False)
NAMES = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"], exclude_characters="\x00"), max_size=8)
ROWS = st.builds(
    lambda number, park, boundary, reason, factors, value, other, share, sealed: replace(
        EXAMPLE_ROW,
        park=park,
        boundary=boundary,
        start=EXAMPLE_ROW.start + timedelta(days=number),
        end=EXAMPLE_ROW.end + timedelta(days=number),
        revision=number + 1,
        value=value,
        numerator=other,
        denominator=value,
        uncertainty=other,
        completeness=share,
        reason=reason,
        factors=tuple(factors),
        submitted=sealed is not None,
        submission=sealed,
        uscc=sealed,
    ),
    st.integers(0, 400),
    NAMES,
    st.sampled_from(["park", "enterprise/T1", "sub_park/一区"]),
    NAMES,
    st.lists(NAMES, max_size=3),
    NUMBERS,
    NUMBERS,
    st.floats(0, 1),
    st.none() | st.sampled_from(["p/2026-10/1", "p/2026-10/2", "p/2026/1"]),
)


def body_of(rows: list[AggregateRow], said=SAID) -> bytes:
    return arrow_stream(table_of(AggregateColumns.of(rows)).replace_schema_metadata(said))


@given(st.lists(ROWS, max_size=20))
def test_a_page_arrives_bit_for_bit(rows):
    page = page_of(body_of(rows))

    assert list(page.columns) == rows
    assert [math.copysign(1, row.value) for row in page.columns if row.value is not None] == [
        math.copysign(1, row.value) for row in rows if row.value is not None
    ]
    assert (page.cursor, page.more, page.instance) == ("abc", True, UUID(int=7))


def test_what_is_no_page_is_refused_by_its_field():
    table = table_of(AggregateColumns.of([EXAMPLE_ROW])).replace_schema_metadata(SAID)
    without = table.drop_columns(["revision"])
    texts = table.set_column(table.schema.get_field_index("value"), "value", pa.array(["many"]))

    with pytest.raises(BadPageError, match="no Arrow stream"):
        page_of(b"<html>")
    with pytest.raises(BadPageError, match="where to go on"):
        page_of(body_of([EXAMPLE_ROW], said={}))
    with pytest.raises(BadPageError, match="no field revision"):
        page_of(arrow_stream(without))
    with pytest.raises(BadPageError, match="field value"):
        page_of(arrow_stream(texts))


@given(st.lists(ROWS, max_size=10))
def test_canonical_lines_are_read_back(rows):
    lines = b"".join(canonical_line(row) + b"\n" for row in rows)

    assert b"".join(line + b"\n" for line in rows_of_lines(lines).lines()) == lines


def test_a_line_that_is_no_row_is_refused():
    with pytest.raises(SealBrokenError, match="no row"):
        rows_of_lines(b'{"park":"x"}\n')
