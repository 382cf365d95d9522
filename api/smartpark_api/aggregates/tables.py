"""Rows of aggregates as an Arrow table: the columns that `FIELDS` lists, in its order, each of the type it says.

Texts stay lists of words with a number per row, and numbers stay the memory they came in. Nothing is computed.
"""

from collections.abc import Callable, Hashable, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from smartpark.aggregates import FIELDS, Field, FieldType
from smartpark_storage.aggregates.columns import AggregateColumns, Origin, Series

from smartpark_api.aggregates.arrow import Array, Batch, pa

Codes = NDArray[np.integer[Any]]

_TYPES: Final[dict[FieldType, Any]] = {
    FieldType.TEXT: pa.dictionary(pa.int32(), pa.string()),
    FieldType.TEXTS: pa.list_(pa.string()),
    FieldType.INSTANT: pa.timestamp("us", "UTC"),
    FieldType.INTEGER: pa.int32(),
    FieldType.NUMBER: pa.float64(),
    FieldType.BOOLEAN: pa.bool_(),
}
SCHEMA: Final[Any] = pa.schema([pa.field(one.name, _TYPES[one.type], nullable=one.is_nullable) for one in FIELDS])
"""Types as they are handed out."""

_OF_SERIES: Final[dict[str, Callable[[Series], str | None]]] = {
    "park": lambda one: one.park,
    "boundary": lambda one: one.boundary,
    "indicator": lambda one: one.indicator,
    "grain": lambda one: one.grain,
    "region": lambda one: one.region,
    "uscc": lambda one: one.uscc,
}
_OF_ORIGIN: Final[dict[str, Callable[[Origin], str]]] = {
    "unit": lambda one: one.unit,
    "method": lambda one: one.method,
    "factor_set": lambda one: one.factor_set,
    "reason": lambda one: one.reason,
}


def table_of(columns: AggregateColumns) -> Batch:
    """Rows as a record batch; of lists, one per origin (`formats` writes them out where a form needs it)."""
    return pa.RecordBatch.from_arrays([_column(columns, field) for field in FIELDS], [field.name for field in FIELDS])


def _column(columns: AggregateColumns, field: Field) -> Array:
    rows, name = columns.rows, field.name
    if name in _OF_SERIES:
        return _texts([_OF_SERIES[name](one) for one in columns.series], rows["series"])
    if name in _OF_ORIGIN:
        return _texts([_OF_ORIGIN[name](one) for one in columns.origins], rows["origin"])
    if name in _OF_THEIR_OWN:
        return _OF_THEIR_OWN[name](columns)
    return pa.array(np.ascontiguousarray(rows[name]), from_pandas=True).cast(_TYPES[field.type])


_OF_THEIR_OWN: Final[dict[str, Callable[[AggregateColumns], Array]]] = {
    "factors": lambda columns: _lists([one.factors for one in columns.origins], columns.rows["origin"]),
    # Place -1 is that of none, and so the last in the list.
    "submission": lambda columns: _texts([*columns.submissions, None], columns.rows["submission"]),
    "submitted": lambda columns: pa.array(columns.rows["submission"] >= 0),
    "end": lambda columns: pa.array(columns.ends).cast(_TYPES[FieldType.INSTANT]),
}


def _texts(of_place: Sequence[str | None], places: Codes) -> Array:
    """One word per row; each distinct word stands once in the dictionary, and none is one of them."""
    words, codes = _distinct(of_place)
    row_codes = codes[places]
    # A dictionary that holds null itself is not taken by writers of Parquet.
    return pa.DictionaryArray.from_arrays(
        pa.array(row_codes, pa.int32(), mask=row_codes < 0), pa.array(words, pa.string())
    )


def _lists(of_place: Sequence[tuple[str, ...]], places: Codes) -> Array:
    words, codes = _distinct(of_place)
    return pa.DictionaryArray.from_arrays(
        pa.array(codes[places], pa.int32()), pa.array([list(word) for word in words], _TYPES[FieldType.TEXTS])
    )


def _distinct(of_place: Sequence[Hashable]) -> tuple[list[Any], NDArray[np.int32]]:
    """Words that occur, each once, and the number of each place's word; -1: none."""
    numbers: dict[Hashable, int] = {}
    codes = [-1 if word is None else numbers.setdefault(word, len(numbers)) for word in of_place]
    return list(numbers), np.array(codes, np.int32)
