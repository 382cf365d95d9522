"""Rows in the form that was asked for: JSON, NDJSON, CSV, Parquet or Arrow, each exact to the last bit.

A table is written column by column in compiled code: there is no Python object per row, and no model. Numbers are the
shortest decimals that read back as the same double; what is not known is null, in CSV an empty field, never zero.
Which columns there are is said elsewhere (`smartpark.aggregates.FIELDS`); this only knows their Arrow types.
"""

import io
import json
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, Final

from smartpark.clock import from_us

from smartpark_api.aggregates.arrow import Array, Batch, pa, pc, pq
from smartpark_api.models.base import iso

LIST_SEPARATOR: Final = ";"
"""Between the items of a list in a field of CSV; none of what is listed holds one."""
COMPRESSION: Final = "zstd"


class Form(StrEnum):
    """Media types in which rows are given."""

    JSON = "application/json"
    NDJSON = "application/x-ndjson"
    CSV = "text/csv"
    PARQUET = "application/vnd.apache.parquet"
    ARROW = "application/vnd.apache.arrow.stream"

    @property
    def content_type(self) -> str:
        """What the header of an answer says."""
        return "text/csv; charset=utf-8; header=present" if self is Form.CSV else self.value


def json_document(rows: Batch, members: Mapping[str, object]) -> bytes:
    """One JSON object: `rows`, then the members given."""
    rest = json.dumps(members, ensure_ascii=False, separators=(",", ":")).encode()
    listed = _joined(_objects(rows, ",\n"))[:-2]
    return b"".join((b'{"rows":[', listed, b"],", rest[1:]) if members else (b'{"rows":[', listed, b"]}"))


def ndjson(rows: Batch) -> bytes:
    """One JSON object a line."""
    return _joined(_objects(rows, "\n"))


def csv(rows: Batch) -> bytes:
    """A header and a line per row (RFC 4180)."""
    return csv_header(rows) + csv_lines(rows)


def csv_header(rows: Batch) -> bytes:
    """Names of the columns."""
    return (",".join(_csv_text(name) for name in rows.schema.names) + "\r\n").encode()


def csv_lines(rows: Batch) -> bytes:
    """A line per row."""
    parts: list[Array | str] = []
    for column in rows.columns:
        parts += [_text(column, _csv_text, _csv_list, ""), ","]
    parts[-1] = "\r\n"
    return _joined(pc.binary_join_element_wise(*parts, ""))


def arrow_stream(rows: Batch) -> bytes:
    """An Arrow IPC stream of one record batch."""
    out, given = io.BytesIO(), plain_lists(rows)
    with pa.ipc.new_stream(out, given.schema) as writer:
        writer.write_batch(given)
    return out.getvalue()


def parquet(rows: Batch) -> bytes:
    """A Parquet file of one row group."""
    out = io.BytesIO()
    table = pa.Table.from_batches([plain_lists(rows)])
    pq.write_table(table, out, compression=COMPRESSION, row_group_size=max(rows.num_rows, 1))
    return out.getvalue()


ROWS_ONLY: Final[dict[Form, Callable[[Batch], bytes]]] = {
    Form.NDJSON: ndjson,
    Form.CSV: csv,
    Form.PARQUET: parquet,
    Form.ARROW: arrow_stream,
}
"""Forms that hold rows and nothing else."""


def _objects(rows: Batch, end: str) -> Array:
    """Each row as a JSON object with `end` behind it."""
    parts: list[Array | str] = []
    for place, (name, column) in enumerate(zip(rows.schema.names, rows.columns, strict=True)):
        parts += [("," if place else "{") + _json_text(name) + ":", _text(column, _json_text, _json_list, "null")]
    return pc.binary_join_element_wise(*parts, "}" + end, "")


def _text(column: Array, quoted: Callable[[str], str], listed: Callable[[list[str]], str], missing: str) -> Array:
    """Text of every value of a column; one conversion per distinct text, list or instant."""
    kind = column.type

    def quoted_instant(microseconds: int) -> str:
        return quoted(iso(from_us(microseconds)))

    if pa.types.is_timestamp(kind):
        text = _each_once(column.cast(pa.int64()), quoted_instant)
    elif pa.types.is_floating(kind):
        text = _exact(column)
    elif pa.types.is_boolean(kind) or pa.types.is_integer(kind):
        text = column.cast(pa.string())
    elif pa.types.is_dictionary(kind):
        convert = listed if pa.types.is_list(kind.value_type) else quoted
        text = _converted(column, convert)
    else:
        text = _each_once(column, quoted)
    return pc.fill_null(text, missing)


def _exact(numbers: Array) -> Array:
    """The shortest decimals that read back as the same number."""
    text = numbers.cast(pa.string())
    # Readers of JSON take -0 for an integer, which has no sign to keep.
    return pc.if_else(pc.equal(text, "-0"), "-0.0", text)


def _each_once(column: Array, convert: Callable[..., str]) -> Array:
    return _converted(pc.dictionary_encode(column), convert)


def _converted(column: Array, convert: Callable[..., str]) -> Array:
    words = pa.array([convert(value) for value in column.dictionary.to_pylist()], pa.string())
    return pc.take(words, column.indices)


def plain_lists(rows: Batch) -> Batch:
    """The same with lists row by row: few readers take dictionaries of lists."""
    columns = [
        pc.take(column.dictionary, column.indices) if _is_coded_list(column.type) else column
        for column in rows.columns
    ]
    return pa.RecordBatch.from_arrays(columns, rows.schema.names, metadata=rows.schema.metadata)


def _is_coded_list(kind: Any) -> bool:
    return pa.types.is_dictionary(kind) and pa.types.is_list(kind.value_type)


def _json_text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _json_list(items: list[str]) -> str:
    return json.dumps(items, ensure_ascii=False, separators=(",", ":"))


def _csv_text(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if any(sign in text for sign in '",\r\n') else text


def _csv_list(items: list[str]) -> str:
    return _csv_text(LIST_SEPARATOR.join(items))


def _joined(texts: Array) -> bytes:
    """All texts of an array one behind the other."""
    if len(texts) == 0:
        return b""
    _, offsets, data = texts.buffers()
    ends = memoryview(offsets).cast("i")
    return bytes(memoryview(data)[ends[texts.offset] : ends[texts.offset + len(texts)]])
