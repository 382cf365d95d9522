"""Readings of a point laid out for an answer: a dense grid of buckets or raw readings; rows, columns or CSV.

A bucket without readings is a row with a reason, so that a gap cannot be mistaken for a straight line. Buckets
that have not begun are left out: the future is not missing.
"""

import csv
import io
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from smartpark import status
from smartpark.measurands import Kind
from smartpark.periods import Grain, period_containing, periods_between
from smartpark_storage.reads import BucketRow, PointRow, ReadingRow

from smartpark_api.lookup import point_of
from smartpark_api.models.base import Missing, iso
from smartpark_api.models.series import Bucket, Layout, Series, SeriesColumns, SeriesRow
from smartpark_api.now import quality_of
from smartpark_api.problems import ProblemError, ProblemKind

_LENGTH: Final = {
    Bucket.QUARTER_HOUR: timedelta(minutes=15),
    Bucket.HOUR: timedelta(hours=1),
    Bucket.DAY: timedelta(days=1),
}
_GRAIN: Final = {
    Bucket.QUARTER_HOUR: Grain.QUARTER_HOUR,
    Bucket.HOUR: Grain.HOUR,
    Bucket.DAY: Grain.DAY,
}
RAW_KEYS: Final = ("time", "value", "quality", "status", "reason")
BUCKET_KEYS: Final = ("time", "value", "minimum", "maximum", "first", "count", "bad", "reason")


def bucket_starts(start: datetime, end: datetime, bucket: Bucket, *, now: datetime, max_rows: int) -> list[datetime]:
    """Starts of the buckets that overlap [start, end) and have begun; a problem when they are too many."""
    until = min(end, now)
    wanted = int((until - start) / _LENGTH[bucket])
    if wanted > max_rows:
        span = max_rows * _LENGTH[bucket]
        raise ProblemError(
            ProblemKind.RANGE_TOO_WIDE,
            f"{wanted} buckets of {bucket} lie between from and to, and one answer holds {max_rows}: "
            f"ask for at most {span.days} days at a time, or for larger buckets",
        )
    if bucket is Bucket.DAY:
        return [period.start for period in periods_between(start, until, Grain.DAY)]
    first = period_containing(start, _GRAIN[bucket]).start
    # Hours and quarters are those of UTC: plain steps, without asking the calendar each time.
    return [first + n * _LENGTH[bucket] for n in range(-int((first - until) // _LENGTH[bucket]))]


def bucket_rows(starts: Sequence[datetime], found: Sequence[BucketRow], *, kind: str) -> list[SeriesRow]:
    """One row per start; those without readings say so."""
    by_start = {row.time: row for row in found}
    return [_bucket_row(start, by_start.get(start), is_counter=kind == Kind.COUNTER) for start in starts]


def _bucket_row(start: datetime, row: BucketRow | None, *, is_counter: bool) -> SeriesRow:
    if row is None:
        return SeriesRow(
            time=start, value=None, minimum=None, maximum=None, first=None, count=0, bad=0, reason=Missing.NO_READINGS
        )
    value = row.last if is_counter else row.mean
    reason = None
    if value is None:
        reason = Missing.BAD_QUALITY if row.bad else Missing.NO_VALUE
    return SeriesRow(
        time=start,
        value=value,
        minimum=row.low,
        maximum=row.high,
        first=row.first,
        count=row.readings,
        bad=row.bad,
        reason=reason,
    )


def reading_rows(found: Sequence[ReadingRow], *, max_rows: int) -> list[SeriesRow]:
    """One row per reading; a problem when there are more than an answer holds."""
    if len(found) > max_rows:
        raise ProblemError(
            ProblemKind.RANGE_TOO_WIDE,
            f"more than {max_rows} readings lie between from and to: "
            f"ask for to={iso(found[max_rows].time)} first and go on from there, or for bucket=15m",
        )
    return [_reading_row(row) for row in found]


def _reading_row(row: ReadingRow) -> SeriesRow:
    reason = None
    if row.value is None:
        reason = Missing.BAD_QUALITY if status.is_bad(row.status) else Missing.NO_VALUE
    return SeriesRow(time=row.time, value=row.value, quality=quality_of(row.status), status=row.status, reason=reason)


def lay_out(
    point: PointRow, bucket: Bucket, start: datetime, end: datetime, rows: list[SeriesRow], *, layout: Layout
) -> Series:
    """The answer in the layout asked for."""
    out = point_of(point)
    if layout is Layout.ROWS:
        return Series(point=out, bucket=bucket, start=start, end=end, rows=rows)
    keys = RAW_KEYS if bucket is Bucket.RAW else BUCKET_KEYS
    columns = SeriesColumns.model_validate({key: [getattr(row, key) for row in rows] for key in keys})
    return Series(point=out, bucket=bucket, start=start, end=end, columns=columns)


def csv_text(rows: Sequence[SeriesRow], bucket: Bucket) -> str:
    """Comma-separated text with a header; a value that is missing is an empty field with a reason beside it."""
    keys = RAW_KEYS if bucket is Bucket.RAW else BUCKET_KEYS
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(keys)
    writer.writerows([iso(row.time) if key == "time" else getattr(row, key) for key in keys] for row in rows)
    return text.getvalue()
