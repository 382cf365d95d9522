"""Cursors, canonical lines and manifests: what they say comes back, and what was damaged is not taken for whole."""

import json
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from smartpark.aggregates import (
    CANONICAL,
    EXAMPLE_ROW,
    FIELDS,
    AggregateRow,
    BadCursorError,
    BadManifestError,
    Cursor,
    CursorGoneError,
    CursorOfOtherFiltersError,
    CursorScopeChangedError,
    FieldType,
    Manifest,
    canonical_line,
    digest_of,
    key_of,
    name_of_period,
    period_named,
)
from smartpark.periods import Grain, period_containing
from smartpark_storage.aggregates import AggregateColumns, FeedFilter, Revisions

OURS = UUID(int=1)
DIGESTS = {"filter_digest": b"filters!", "scope_digest": b"ourscope"}

cursors = st.builds(
    Cursor,
    st.uuids(),
    st.integers(1, 2**62),
    st.uuids(),
    st.integers(1, 2**31 - 1),
    st.integers(-(2**50), 2**57),
    st.integers(0, 2**31 - 1),
    st.binary(min_size=8, max_size=8),
    st.binary(min_size=8, max_size=8),
)
numbers = st.floats(allow_nan=False, allow_infinity=False)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
instants = st.datetimes(datetime(1992, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  bounds are naive


@st.composite
def rows(draw):
    period = period_containing(
        draw(instants), draw(st.sampled_from([Grain.HOUR, Grain.DAY, Grain.MONTH, Grain.YEAR]))
    )
    submission = draw(st.none() | st.just("minhou/2026-10/1"))
    return AggregateRow(
        park=draw(texts),
        boundary=draw(texts),
        indicator=draw(texts),
        grain=period.grain.value,
        start=period.start,
        end=period.end,
        revision=draw(st.integers(1, 10_000)),
        value=draw(st.none() | numbers),
        numerator=draw(st.none() | numbers),
        denominator=draw(st.none() | numbers),
        unit=draw(texts),
        completeness=draw(st.floats(0, 1)),
        estimated_share=draw(st.floats(0, 1)),
        uncertainty=draw(st.none() | st.floats(0, 2)),
        method=draw(texts),
        factor_set=draw(texts),
        factors=tuple(draw(st.lists(texts, max_size=3))),
        reason=draw(texts),
        computed_at=draw(instants),
        submitted=submission is not None,
        submission=submission,
        region="350121",
        uscc=draw(st.none() | texts),
    )


# --- cursors ------------------------------------------------------------------------------------------------------


@given(cursors)
def test_a_cursor_comes_back_as_it_was(cursor: Cursor):
    assert Cursor.decode(cursor.encode()) == cursor


@given(cursors, st.data())
def test_a_cursor_that_was_changed_anywhere_is_refused(cursor: Cursor, data: st.DataObject):
    text = cursor.encode()
    place = data.draw(st.integers(0, len(text) - 1))
    sign = data.draw(st.characters(codec="ascii").filter(lambda sign: sign != text[place]))
    with pytest.raises(BadCursorError):
        Cursor.decode(text[:place] + sign + text[place + 1 :])


@given(cursors, st.integers(1, 30))
def test_a_cursor_of_which_something_is_missing_is_refused(cursor: Cursor, length: int):
    text = cursor.encode()
    for part in (text[:-length], text[length:], text + text[:length]):
        with pytest.raises(BadCursorError):
            Cursor.decode(part)


@pytest.mark.parametrize("start_us", [2**63 - 1, -(2**63), 2**58])
def test_a_cursor_that_names_no_time_is_refused_even_if_its_check_is_right(start_us: int):
    text = Cursor(OURS, 7, UUID(int=2), 3, start_us, 1, **DIGESTS).encode()
    with pytest.raises(BadCursorError, match="outside all time"):
        Cursor.decode(text)


@given(st.text())
def test_any_other_text_is_no_cursor(text: str):
    with pytest.raises(BadCursorError):
        Cursor.decode(text)


@pytest.mark.parametrize(
    ("instance", "digests", "error"),
    [
        (UUID(int=9), DIGESTS, CursorGoneError),
        (OURS, DIGESTS | {"filter_digest": b"others!!"}, CursorOfOtherFiltersError),
        (OURS, DIGESTS | {"scope_digest": b"others!!"}, CursorScopeChangedError),
    ],
)
def test_a_cursor_of_something_else_says_of_what(instance: UUID, digests: dict[str, bytes], error: type[Exception]):
    cursor = Cursor.at_end_of(OURS, 7, UUID(int=2), **DIGESTS)
    cursor.refuse_other(OURS, **DIGESTS)
    with pytest.raises(error):
        cursor.refuse_other(instance, **digests)


def test_every_filter_makes_another_digest():
    day = datetime(2026, 10, 1, tzinfo=UTC)
    filters = [
        FeedFilter(),
        FeedFilter(parks=frozenset({"a"})),
        FeedFilter(parks=frozenset({"a", "b"})),
        FeedFilter(boundaries=frozenset({"park"})),
        FeedFilter(indicators=frozenset({"a"})),
        FeedFilter(grains=frozenset({"a"})),
        FeedFilter(since=day),
        FeedFilter(until=day),
        FeedFilter(revisions=Revisions.ALL),
    ]
    assert len({one.filter_digest for one in filters}) == len(filters)
    assert len({one.scope_digest for one in filters}) == len({one.parks for one in filters})


def test_whose_parks_are_seen_matters_where_none_is_named():
    two, three = frozenset({"a", "b"}), frozenset({"a", "b", "c"})
    assert FeedFilter(scope=two).scope_digest != FeedFilter(scope=three).scope_digest
    assert FeedFilter(scope=two).filter_digest == FeedFilter(scope=three).filter_digest
    named = frozenset({"a"})
    assert FeedFilter(parks=named, scope=two).scope_digest == FeedFilter(parks=named, scope=three).scope_digest
    assert FeedFilter(parks=three, scope=two).seen_parks == two


# --- rows and lines -----------------------------------------------------------------------------------------------


def test_the_list_of_fields_is_that_of_a_row():
    assert [field.name for field in FIELDS] == [field.name for field in fields(AggregateRow)]
    assert len({field.name for field in FIELDS}) == len(FIELDS)
    assert all(field.zh and field.en for field in FIELDS)


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.name)
def test_a_field_has_the_type_and_the_gaps_that_the_list_says(field):
    types = {
        FieldType.TEXT: str,
        FieldType.TEXTS: tuple,
        FieldType.INSTANT: datetime,
        FieldType.INTEGER: int,
        FieldType.NUMBER: float,
        FieldType.BOOLEAN: bool,
    }
    value = getattr(EXAMPLE_ROW, field.name)
    assert (value is None and field.is_nullable) or type(value) is types[field.type]


@given(rows())
def test_a_canonical_line_says_exactly_what_was_published(row: AggregateRow):
    line = canonical_line(row)
    said = json.loads(line)
    assert tuple(said) == CANONICAL
    assert b"\n" not in line
    for name, value in said.items():
        wanted = getattr(row, name)
        if isinstance(wanted, datetime):
            assert value.endswith("Z")
            assert datetime.fromisoformat(value) == wanted
        else:
            # The sign of zero counts, and so does the difference between 1 and 1.0.
            assert repr(value) == repr(list(wanted) if isinstance(wanted, tuple) else wanted)


def test_what_is_added_to_a_number_later_is_not_in_its_line():
    sealed = replace(EXAMPLE_ROW, submitted=True, submission="minhou/2026-10-31/1", region="350100", uscc="9135")
    assert canonical_line(sealed) == canonical_line(EXAMPLE_ROW)


@pytest.mark.parametrize("name", CANONICAL)
def test_whatever_was_published_is_in_the_line(name: str):
    value = getattr(EXAMPLE_ROW, name)
    other = {
        datetime: lambda: value + timedelta(microseconds=1),
        tuple: lambda: (*value, "b"),
        str: lambda: value + "x",
        int: lambda: value + 1,
        float: lambda: value + 1e-9,
        type(None): lambda: 0.0,
    }[type(value)]()
    changed = replace(EXAMPLE_ROW, **{name: other})
    assert canonical_line(changed) != canonical_line(EXAMPLE_ROW)


@given(st.lists(rows(), max_size=6))
def test_columns_are_the_rows_they_were_made_of(given_rows: list[AggregateRow]):
    columns = AggregateColumns.of(given_rows)
    assert list(columns) == given_rows
    assert list(columns.lines()) == [canonical_line(row) for row in given_rows]
    ordered = list(columns.in_order_of_keys())
    assert ordered == sorted(given_rows, key=key_of)


def test_the_digest_is_that_of_lines_with_their_ends():
    import hashlib  # noqa: PLC0415  beside the only thing it is compared with

    assert digest_of([]) == hashlib.sha256(b"").hexdigest()
    assert digest_of([b"a", b"b"]) == hashlib.sha256(b"a\nb\n").hexdigest()


# --- manifests ----------------------------------------------------------------------------------------------------

MANIFEST = Manifest(
    instance=OURS,
    park="minhou",
    region="350121",
    period="2026-10",
    sequence=1,
    rows=12,
    digest="ab" * 32,
    sealed_by="person:lin",
    sealed_at=datetime(2026, 11, 3, 1, 2, 3, tzinfo=UTC),
    note='十月 "报送"',
    key_id="key-1",
)


@given(texts, st.integers(1, 99), instants)
def test_a_manifest_comes_back_as_it_was(note: str, sequence: int, sealed_at: datetime):
    manifest = replace(MANIFEST, note=note, sequence=sequence, sealed_at=sealed_at)
    assert Manifest.parse(manifest.text) == manifest
    assert manifest.code == f"minhou/2026-10/{sequence}"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        MANIFEST.text[:-1],
        MANIFEST.text + "\n",
        MANIFEST.text.replace('"rows": 12', '"rows": 12.0'),
        MANIFEST.text.replace("smartpark-submission-1", "smartpark-submission-2"),
        MANIFEST.text.replace('"park"', '"plant"'),
        MANIFEST.text.replace("2026-10", "2026-13"),
        MANIFEST.text.replace("2026-10", "october"),
        MANIFEST.text.replace("0000-000000000001", "0000"),
    ],
)
def test_any_other_text_is_no_manifest(text: str):
    with pytest.raises(BadManifestError):
        Manifest.parse(text)


@given(instants, st.sampled_from([Grain.DAY, Grain.MONTH, Grain.YEAR]))
def test_a_period_has_one_name(instant: datetime, grain: Grain):
    period = period_containing(instant, grain)
    assert period_named(name_of_period(period)) == period


def test_an_hour_has_no_name():
    with pytest.raises(BadManifestError, match="hour is not submitted"):
        name_of_period(period_containing(EXAMPLE_ROW.start, Grain.HOUR))
