"""Rows of aggregates in every form come back exactly: floats bit for bit, instants to the µs, texts whole."""

import csv
import io
import json
import math
import struct
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from smartpark_api.aggregates import formats

AWKWARD = (
    -0.0,
    0.0,
    5e-324,
    -2.2250738585072014e-308,
    1.7976931348623157e308,
    0.1,
    1 / 3,
    1e15,
    1e16,
    1e22,
    123456.0,
)
TEXTS = st.one_of(st.none(), st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12))
FLOATS = st.one_of(st.none(), st.sampled_from(AWKWARD), st.floats(allow_nan=False, allow_infinity=False))
INSTANTS = st.datetimes(datetime(1990, 1, 1), datetime(2199, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001  strategies want naive bounds
ITEMS = st.lists(st.text('abc:-Ä煤"\\', min_size=1, max_size=8), max_size=3)
ROWS = st.lists(
    st.tuples(TEXTS, FLOATS, st.floats(0, 1, width=32), INSTANTS, ITEMS, st.booleans(), st.integers(1, 2**31 - 1)),
    max_size=8,
)
NAMES = ("text", "value", "share", "start", "items", "submitted", "revision")


def batch_of(rows):
    text, value, share, start, items, submitted, revision = [list(c) for c in zip(*rows, strict=True)] or [[]] * 7
    listed = pa.array(items, pa.list_(pa.string()))
    columns = [
        pa.array(text, pa.string()).dictionary_encode(),
        pa.array(value, pa.float64()),
        pa.array(np.array(share, np.float32)),
        pa.array(start, pa.timestamp("us", "UTC")),
        pa.DictionaryArray.from_arrays(pa.array(range(len(rows)), pa.int32()), listed),
        pa.array(submitted, pa.bool_()),
        pa.array(revision, pa.int32()),
    ]
    return pa.RecordBatch.from_arrays(columns, list(NAMES))


def same(a, b):
    if a is None or b is None:
        return a is b
    return struct.pack("<d", a) == struct.pack("<d", b)


def check(given_rows, found):
    assert len(found) == len(given_rows)
    for one, back in zip(given_rows, found, strict=True):
        assert back["text"] == one[0]
        assert same(back["value"], one[1])
        assert np.float32(back["share"]) == np.float32(one[2])
        assert back["start"] == one[3]
        assert (back["items"], back["submitted"], back["revision"]) == (one[4], one[5], one[6])


def from_json(row):
    number = None if row["value"] is None else float(row["value"])
    return row | {"value": number, "start": datetime.fromisoformat(row["start"])}


@given(ROWS)
def test_json_comes_back_exactly(rows):
    document = json.loads(formats.json_document(batch_of(rows), {"cursor": "é", "more": False}))
    check(rows, [from_json(row) for row in document["rows"]])
    assert (document["cursor"], document["more"]) == ("é", False)


@given(ROWS)
def test_ndjson_is_a_line_per_row(rows):
    text = formats.ndjson(batch_of(rows)).decode()
    check(rows, [from_json(json.loads(line)) for line in text.split("\n")[:-1]])
    assert text == "" or text.endswith("\n")


@given(ROWS)
def test_csv_comes_back_exactly(rows):
    text = formats.csv(batch_of(rows)).decode()
    found = list(csv.DictReader(io.StringIO(text, newline="")))
    assert text.splitlines()[0] == ",".join(NAMES)
    back = [
        row
        | {
            "value": None if row["value"] == "" else float(row["value"]),
            "start": datetime.fromisoformat(row["start"]),
            "items": row["items"].split(";") if row["items"] else [],
            "submitted": {"true": True, "false": False}[row["submitted"]],
            "revision": int(row["revision"]),
            # CSV has one sign for a text that is empty and for none.
            "text": row["text"],
        }
        for row in found
    ]
    check([(one[0] or "", *one[1:]) for one in rows], back)


@given(ROWS)
def test_arrow_comes_back_exactly(rows):
    table = pa.ipc.open_stream(formats.arrow_stream(batch_of(rows))).read_all()
    assert table.schema.field("items").type == pa.list_(pa.string())
    check(rows, table.to_pylist())


@given(ROWS)
def test_parquet_comes_back_exactly(rows):
    check(rows, pq.read_table(io.BytesIO(formats.parquet(batch_of(rows)))).to_pylist())


def test_instants_are_told_in_the_parks_zone():
    start = datetime(2026, 9, 30, 16, tzinfo=UTC)
    rows = [("a", 1.5, 1.0, start, [], True, 1), ("a", 1.5, 1.0, start + timedelta(microseconds=1), [], True, 1)]
    first, second = formats.ndjson(batch_of(rows)).decode().splitlines()
    assert '"start":"2026-10-01T00:00:00+08:00"' in first
    assert '"start":"2026-10-01T00:00:00.000001+08:00"' in second


def test_a_number_that_is_not_known_is_null_and_never_zero():
    start = datetime(2026, 9, 30, 16, tzinfo=UTC)
    rows = batch_of([(None, None, 0.0, start, [], False, 1)])
    assert json.loads(formats.ndjson(rows))["value"] is None
    assert formats.csv(rows).decode().splitlines()[1].startswith(",,0,")


@pytest.mark.parametrize("value", AWKWARD)
def test_awkward_numbers_keep_their_sign_and_every_bit(value):
    start = datetime(2026, 9, 30, 16, tzinfo=UTC)
    text = formats.ndjson(batch_of([("a", value, 1.0, start, [], False, 1)]))
    read = json.loads(text)["value"]
    assert same(float(read), value)
    assert math.copysign(1, read) == math.copysign(1, value)
