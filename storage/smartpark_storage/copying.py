"""From numpy into PostgreSQL by its binary COPY format, without a Python loop over rows; the way back is `packing`.

A NULL has no bytes in that format, so rows with different NULLs have different lengths. Rows of one kind
(scaled, raw, no value) have one length: each kind is encoded as one structured array and they are sent one after
the other, because a table has no order.
"""

from collections.abc import Iterable
from typing import Final

import numpy as np
from numpy.typing import NDArray
from smartpark.wire import MISSING

from smartpark_storage.connections import Connection
from smartpark_storage.queries import query

Readings = NDArray[np.void]
"""Structured array of `READING_DTYPE`."""
CopyPiece = bytes | memoryview

READING_DTYPE: Final = np.dtype(
    [("point_id", "<i4"), ("time", "<i8"), ("scaled", "<i8"), ("raw", "<f8"), ("status", "<i4")]
)
"""A reading: time in microseconds since 1970 UTC; `scaled` MISSING and `raw` NaN stand for NULL."""

EPOCH_US: Final = 946_684_800_000_000
"""PostgreSQL counts from 2000-01-01. [µs since 1970]"""
SIGNATURE: Final = b"PGCOPY\n\xff\r\n\x00" + b"\x00" * 8
TRAILER: Final = b"\xff\xff"

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


def encode_readings(readings: Readings) -> list[CopyPiece]:
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
    if bool(has_scaled.all()):
        # The rule: meters count steps. Choosing rows would copy them all.
        return [SIGNATURE, _rows(readings, _SCALED), TRAILER]
    return [
        SIGNATURE,
        _rows(readings[has_scaled], _SCALED),
        _rows(readings[has_raw], _RAW),
        _rows(readings[~has_scaled & ~has_raw], _EMPTY),
        TRAILER,
    ]


def _rows(readings: Readings, layout: np.dtype[np.void]) -> CopyPiece:
    # What all rows have in common is written as whole rows; four columns remain.
    rows = np.full(readings.shape, _common(layout))
    rows["time"] = readings["time"] - EPOCH_US
    rows["point"] = readings["point_id"]
    rows["status"] = readings["status"]
    for name in ("scaled", "raw"):
        if name in (layout.names or ()):
            rows[name] = readings[name]
    return rows.view(np.uint8).data


def _common(layout: np.dtype[np.void]) -> NDArray[np.void]:
    """A row with its lengths and without its values."""
    row = np.zeros((), layout)
    row["fields"], row["time_length"], row["point_length"], row["status_length"] = 5, 8, 4, 4
    for name in ("scaled", "raw"):
        row[f"{name}_length"] = 8 if name in (layout.names or ()) else -1
    return row


def send_copy(connection: Connection, pieces: Iterable[CopyPiece]) -> None:
    """Add the readings of a COPY stream to the table, in the caller's transaction."""
    with connection.cursor().copy(query("copy_readings")) as copy:
        for piece in pieces:
            copy.write(piece)


def copy_readings(connection: Connection, readings: Readings) -> None:
    """Add readings to the table, in the caller's transaction."""
    send_copy(connection, encode_readings(readings))
