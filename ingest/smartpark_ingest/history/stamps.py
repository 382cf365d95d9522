"""From stamps in a file to microseconds UTC, and which of them name no instant.

A stamp without offset is of the zone that the map says. In the hour that a change of clocks repeats or leaves out, it
names two instants or none: it is refused rather than guessed.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from smartpark_ingest.history.arrow import pa, pc

_OFFSET: Final = r"[T ].*(Z|[+-]\d{2}(:?\d{2})?)$"
_EPOCHS: Final = {"epoch_s": 1_000_000, "epoch_ms": 1_000, "epoch_us": 1}
NONE: Final = np.iinfo(np.int64).min
"""Stands where a stamp names no instant."""
REASON: Final = "the stamp names no instant, or two of them (a change of clocks)"


def times_us(column: Any, time_format: str, zone: str) -> NDArray[np.int64]:
    """Instants of a column of stamps; `NONE` where there is none, in µs."""
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    if pa.types.is_timestamp(column.type) or pa.types.is_date(column.type):
        return _of_timestamps(column, zone)
    if time_format in _EPOCHS:
        return _of_epochs(column, _EPOCHS[time_format])
    texts = pc.utf8_trim_whitespace(pc.cast(column, pa.string()))
    if time_format == "iso":
        return _of_iso(texts, zone)
    return _localized(pc.strptime(texts, format=time_format, unit="us", error_is_null=True), zone)


def _of_timestamps(column: Any, zone: str) -> NDArray[np.int64]:
    if getattr(column.type, "tz", None):
        return _as_us(pc.cast(column, pa.timestamp("us", "UTC"), safe=False))
    return _localized(pc.cast(column, pa.timestamp("us"), safe=False), zone)


def _of_epochs(column: Any, microseconds: int) -> NDArray[np.int64]:
    numbers = pc.cast(column, pa.float64()) if not pa.types.is_integer(column.type) else column
    found = numbers.to_numpy(zero_copy_only=False).astype(np.float64)
    is_known = np.isfinite(found) & (np.abs(found) < 2.0**62 / microseconds)
    return np.where(is_known, np.rint(np.where(is_known, found, 0.0) * microseconds), NONE).astype(np.int64)


def _of_iso(texts: Any, zone: str) -> NDArray[np.int64]:
    offsets = pc.fill_null(pc.match_substring_regex(texts, _OFFSET), False).to_numpy(zero_copy_only=False)
    try:
        if not offsets.any():
            return _localized(pc.cast(texts, pa.timestamp("us")), zone)
        if offsets.all():
            return _as_us(pc.cast(texts, pa.timestamp("us", "UTC")))
    except pa.ArrowInvalid:
        pass  # one of them is no stamp: which one, the slow way tells
    instants = [_instant(text) for text in texts.to_pylist()]
    naive = pa.array([at if at is not None and at.tzinfo is None else None for at in instants], pa.timestamp("us"))
    aware = [None if at is None or at.tzinfo is None else at.astimezone(UTC) for at in instants]
    found = _localized(naive, zone)
    return np.where(offsets, _as_us(pa.array(aware, pa.timestamp("us", "UTC"))), found)


def _instant(text: str | None) -> datetime | None:
    try:
        return None if text is None else datetime.fromisoformat(text)
    except ValueError:
        return None


def _localized(naive: Any, zone: str) -> NDArray[np.int64]:
    """Instants of stamps without offset; the two answers of a change of clocks differ, and then there is none."""
    assume: Callable[[str], NDArray[np.int64]] = lambda which: _as_us(  # noqa: E731
        pc.assume_timezone(naive, zone, ambiguous=which, nonexistent=which)
    )
    earliest = assume("earliest")
    return np.where(earliest == assume("latest"), earliest, NONE)


def _as_us(stamps: Any) -> NDArray[np.int64]:
    return pc.fill_null(pc.cast(stamps, pa.int64()), int(NONE)).to_numpy(zero_copy_only=False)
