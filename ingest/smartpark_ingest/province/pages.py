"""From the Arrow stream of an answer to columns that storage takes; what is not as agreed is refused by its field.

Nothing is guessed: a page without its cursor, with a field of another type, or of a row without its key is no page.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from smartpark.errors import SmartparkError
from smartpark_storage.aggregates import AggregateColumns, Origin, Series
from smartpark_storage.aggregates.columns import ROW_DTYPE

from smartpark_ingest.history.arrow import pa, pc

META: Final = b"smartpark."
"""Beginning of the names in the stream's own metadata, which the body's digest covers, unlike headers."""
_SERIES: Final = ("park", "boundary", "indicator", "grain", "region", "uscc")
_ORIGIN: Final = ("unit", "method", "factor_set", "factors", "reason")
_NUMBERS: Final = ("value", "numerator", "denominator", "uncertainty")
_SHARES: Final = ("completeness", "estimated_share")


class BadPageError(SmartparkError):
    """An answer is not a page of aggregates as this version knows them."""


@dataclass(frozen=True, slots=True)
class Page:
    """Rows, and where to go on."""

    columns: AggregateColumns
    cursor: str
    more: bool
    instance: UUID


def page_of(body: bytes) -> Page:
    """Page in an Arrow stream."""
    try:
        with pa.ipc.open_stream(io.BytesIO(body)) as reader:
            table: Any = reader.read_all().combine_chunks()
    except pa.ArrowInvalid as error:
        raise BadPageError(f"the answer is no Arrow stream: {error}") from error
    meta: dict[bytes, bytes] = table.schema.metadata or {}
    try:
        cursor, more = meta[META + b"cursor"].decode(), meta[META + b"more"] == b"true"
        instance = UUID(meta[META + b"instance"].decode())
    except (KeyError, ValueError) as error:
        raise BadPageError(f"the answer does not say where to go on: {error}") from None
    return Page(_columns_of(table), cursor, more, instance)


def _columns_of(table: Any) -> AggregateColumns:
    series_at, series = _places(table, _SERIES)
    origin_at, origins = _places(table, _ORIGIN)
    submission_at, submissions = _places(table, ("submission",))
    rows = np.empty(table.num_rows, ROW_DTYPE)
    rows["series"], rows["origin"] = series_at, origin_at
    named = np.array([code is not None for (code,) in submissions], np.bool_)
    # Places among the codes alone: a row without a submission names none.
    rows["submission"] = np.where(named, np.cumsum(named) - 1, -1)[submission_at] if submissions else -1
    for name in ("start", "computed_at"):
        rows[name] = _whole(table, name, pa.timestamp("us", tz="UTC")).cast(pa.int64()).to_numpy()
    rows["revision"] = _whole(table, "revision", pa.int32()).to_numpy()
    for name in _SHARES:
        rows[name] = _whole(table, name, pa.float64()).to_numpy()
    for name in _NUMBERS:
        rows[name] = _column(table, name, pa.float64()).to_numpy(zero_copy_only=False)
    return AggregateColumns(
        rows,
        [Series(*one) for one in series],
        [
            Origin(unit, method, factor_set, tuple(factors), reason)
            for unit, method, factor_set, factors, reason in origins
        ],
        [code for (code,) in submissions if code is not None],
    )


def _column(table: Any, name: str, kind: Any) -> Any:
    try:
        return table.column(name).combine_chunks().cast(kind)
    except KeyError:
        raise BadPageError(f"the answer has no field {name}") from None
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise BadPageError(f"field {name} of the answer is not what was agreed: {error}") from error


def _whole(table: Any, name: str, kind: Any) -> Any:
    column = _column(table, name, kind)
    if column.null_count:
        raise BadPageError(f"field {name} of the answer is missing in {column.null_count} rows")
    return column


def _places(table: Any, names: Sequence[str]) -> tuple[NDArray[np.int64], list[tuple[Any, ...]]]:
    """Place of each row's combination of texts in the list of combinations, and that list."""
    folded = np.zeros(table.num_rows, np.int64)
    dictionaries = list[list[Any]]()
    for name in names:
        codes, words = _coded(table, name)
        dictionaries.append(words)
        folded = folded * len(words) + codes
        # Folding the next field into sparse numbers could run out of them.
        folded = np.unique(folded, return_inverse=True)[1] if len(words) > 1 else folded
    _, first, places = np.unique(folded, return_index=True, return_inverse=True)
    codes_of = [_coded(table, name)[0][first] for name in names]
    combined = [
        tuple(words[code] for words, code in zip(dictionaries, row, strict=True))
        for row in zip(*(codes.tolist() for codes in codes_of), strict=True)
    ]
    return places, combined


def _coded(table: Any, name: str) -> tuple[NDArray[np.int64], list[Any]]:
    """Codes of a column and what they stand for; what is missing stands for None."""
    try:
        column = table.column(name).combine_chunks()
    except KeyError:
        raise BadPageError(f"the answer has no field {name}") from None
    if pa.types.is_list(column.type) or pa.types.is_large_list(column.type):
        # Lists cannot be told apart by compiled code; there are few different ones, and they are short.
        found = dict[tuple[str, ...], int]()
        codes = [found.setdefault(tuple(one or ()), len(found)) for one in column.to_pylist()]
        return np.array(codes, np.int64), list(found)
    if not pa.types.is_dictionary(column.type):
        column = pc.dictionary_encode(column, null_encoding="encode")
    codes = pc.fill_null(column.indices.cast(pa.int64()), -1).to_numpy(zero_copy_only=False)
    words: list[Any] = column.dictionary.to_pylist()
    return np.where(codes < 0, len(words), codes), [*words, None]
