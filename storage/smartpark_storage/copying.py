"""PostgreSQL's binary COPY format, to and from numpy, without a Python loop over rows.

A NULL has no bytes in that format, so rows with different NULLs have different lengths. Rows of one kind
(scaled, raw, no value) have one length: each kind is encoded as one structured array and they are sent one after
the other, because a table has no order. On the way out the statement replaces NULLs, so that every row has the
same length and decoding is a look at the memory.
"""

from collections.abc import Mapping
from typing import Any, Final, LiteralString

import numpy as np
from numpy.typing import NDArray
from smartpark.wire import MISSING

from smartpark_storage.connections import Connection
from smartpark_storage.queries import query

Readings = NDArray[np.void]
"""Structured array of `READING_DTYPE`."""

READING_DTYPE: Final = np.dtype(
    [("point_id", "<i4"), ("time", "<i8"), ("scaled", "<i8"), ("raw", "<f8"), ("status", "<i4")]
)
"""A reading: time in microseconds since 1970 UTC; `scaled` MISSING and `raw` NaN stand for NULL."""

_EPOCH_US: Final = 946_684_800_000_000
"""PostgreSQL counts from 2000-01-01. [µs since 1970]"""
_SIGNATURE: Final = b"PGCOPY\n\xff\r\n\x00" + b"\x00" * 8
_TRAILER: Final = b"\xff\xff"

# Big-endian, each value behind its length; the order of columns is that of the named statements.
_HEAD: Final = [
    ("fields", ">i2"),
    ("time_length", ">i4"),
    ("time", ">i8"),
    ("point_length", ">i4"),
    ("point", ">i4"),
    ("status_length", ">i4"),
    ("status", ">i4"),
]
_SCALED: Final = np.dtype([*_HEAD, ("scaled_length", ">i4"), ("scaled", ">i8"), ("raw_length", ">i4")])
_RAW: Final = np.dtype([*_HEAD, ("scaled_length", ">i4"), ("raw_length", ">i4"), ("raw", ">f8")])
_EMPTY: Final = np.dtype([*_HEAD, ("scaled_length", ">i4"), ("raw_length", ">i4")])
_BOTH: Final = np.dtype([*_HEAD, ("scaled_length", ">i4"), ("scaled", ">i8"), ("raw_length", ">i4"), ("raw", ">f8")])


def encode_readings(readings: Readings) -> list[bytes]:
    """Binary COPY stream, in pieces, for the columns time, point_id, status, scaled, raw.

    Parameters
    ----------
    readings : ndarray of READING_DTYPE, shape (n,)

    Raises
    ------
    ValueError
        When a reading has both a scaled and a raw value.
    """
    has_scaled = readings["scaled"] != MISSING
    has_raw = ~np.isnan(readings["raw"])
    if bool((has_scaled & has_raw).any()):
        raise ValueError("a reading has a scaled or a raw value, never both")
    return [
        _SIGNATURE,
        _rows(readings[has_scaled], _SCALED),
        _rows(readings[has_raw], _RAW),
        _rows(readings[~has_scaled & ~has_raw], _EMPTY),
        _TRAILER,
    ]


def _rows(readings: Readings, layout: np.dtype[np.void]) -> bytes:
    rows = np.empty(readings.shape, layout)
    rows["fields"] = 5
    rows["time_length"], rows["time"] = 8, readings["time"] - _EPOCH_US
    rows["point_length"], rows["point"] = 4, readings["point_id"]
    rows["status_length"], rows["status"] = 4, readings["status"]
    rows["scaled_length"] = rows["raw_length"] = -1
    for name in ("scaled", "raw"):
        if name in (layout.names or ()):
            rows[f"{name}_length"], rows[name] = 8, readings[name]
    return rows.tobytes()


def decode_readings(stream: bytes) -> Readings:
    """Readings of a binary COPY stream whose statement has put MISSING and NaN in the place of NULLs.

    Raises
    ------
    ValueError
        When the stream is not of that form.
    """
    end = len(stream) - len(_TRAILER)
    if not stream.startswith(_SIGNATURE) or stream[end:] != _TRAILER or (end - len(_SIGNATURE)) % _BOTH.itemsize:
        raise ValueError("not a binary COPY stream of readings")
    rows = np.frombuffer(memoryview(stream)[len(_SIGNATURE) : end], _BOTH)
    readings = np.empty(rows.shape, READING_DTYPE)
    readings["point_id"], readings["status"] = rows["point"], rows["status"]
    readings["time"] = rows["time"] + np.int64(_EPOCH_US)
    readings["scaled"], readings["raw"] = rows["scaled"], rows["raw"]
    return readings


def copy_readings(connection: Connection, readings: Readings) -> None:
    """Add readings to the table, in the caller's transaction."""
    with connection.cursor().copy(query("copy_readings")) as copy:
        for piece in encode_readings(readings):
            copy.write(piece)


def fetch_by_copy(connection: Connection, statement: LiteralString, parameters: Mapping[str, Any]) -> Readings:
    """Readings that a COPY … TO STDOUT statement of ours gives."""
    with connection.cursor().copy(statement, parameters) as copy:
        return decode_readings(b"".join(copy))
