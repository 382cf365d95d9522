"""Periods that were handed in, as they were handed in."""

from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import class_row
from smartpark.aggregates import Cursor, Manifest, period_named

from smartpark_storage.aggregates.columns import AggregateColumns
from smartpark_storage.aggregates.errors import (
    UnknownSubmissionError,
)
from smartpark_storage.aggregates.events import columns_of, fetch_picked
from smartpark_storage.aggregates.feed import Head, check_cursor, cursor_at, head, token_at
from smartpark_storage.aggregates.filters import FeedFilter
from smartpark_storage.connections import Connection, transaction
from smartpark_storage.queries import query


@dataclass(frozen=True, slots=True)
class Submission:
    """What was handed in, and signed."""

    code: str
    park: str
    grain: str
    start: datetime
    sequence: int
    rows: int
    digest: str
    """64 hexadecimal digits."""
    manifest: str
    """The text that was signed."""
    signature: bytes
    key_id: str
    sealed_by: str
    sealed_at: datetime
    note: str
    position: int | None
    """Of its publication; None: it has not been numbered yet."""


@dataclass(frozen=True, slots=True)
class SubmissionsPage:
    """Some submissions in the order of their positions."""

    submissions: list[Submission]
    next: Cursor
    more: bool


@dataclass(frozen=True, slots=True, eq=False)
class SealedRows:
    """Rows of a submission in the order of their keys, and the numbers of their series here."""

    columns: AggregateColumns
    series_ids: list[int]


def insert_submission(connection: Connection, manifest: Manifest, signature: bytes, rows: SealedRows) -> None:
    """Keep a submission with its rows, in the caller's transaction."""
    period = period_named(manifest.period)
    given = {
        "code": manifest.code,
        "park": manifest.park,
        "grain": period.grain.value,
        "start": period.start,
        "sequence": manifest.sequence,
        "rows": manifest.rows,
        "digest": manifest.digest,
        "manifest": manifest.text,
        "signature": signature,
        "key_id": manifest.key_id,
        "sealed_by": manifest.sealed_by,
        "sealed_at": manifest.sealed_at,
        "note": manifest.note,
    }
    connection.execute(query("insert_submission"), given)
    keys = {
        "code": manifest.code,
        "series_id": rows.series_ids,
        "start_us": rows.columns.rows["start"].tolist(),
        "revision": rows.columns.rows["revision"].tolist(),
    }
    connection.execute(query("insert_submission_rows"), keys)


def read_submission(connection: Connection, code: str) -> Submission:
    """The submission of this code; `UnknownSubmissionError` where there is none."""
    statement = f"{query('submissions')}\n{query('submission_of_code')}"
    with transaction(connection), connection.cursor(row_factory=class_row(Submission)) as cursor:
        found = cursor.execute(statement, {"code": code}).fetchone()
    if found is None:
        raise UnknownSubmissionError(code)
    return found


def submission_rows(connection: Connection, code: str) -> AggregateColumns:
    """Rows that were sealed, in the order of their keys: their canonical lines give the digest."""
    with transaction(connection):
        read_submission(connection, code)
        events = fetch_picked(connection, query("submission_rows"), {"code": code})
        return columns_of(connection, events).in_order_of_keys()


def read_submissions(
    connection: Connection, *, scope: frozenset[str] | None, park: str | None, after: Cursor | None, limit: int
) -> SubmissionsPage:
    """Submissions of the parks that may be seen, in the order of their positions."""
    wanted = FeedFilter(
        parks=None if park is None else frozenset({park}), boundaries=frozenset({"submissions"}), scope=scope
    )
    statement = f"{query('submissions')}\n{query('submissions_after')}"
    with transaction(connection), connection.cursor(row_factory=class_row(Submission)) as cursor:
        upto = head(connection, parks=wanted.seen_parks)
        check_cursor(connection, wanted, after, upto)
        given = {
            "parks": wanted.parameters["parks"],
            "position": 0 if after is None else after.position,
            "upper": upto.position,
            "limit": limit + 1,
        }
        found = cursor.execute(statement, given).fetchall()
        more = len(found) > limit
        end = upto
        if more:
            position = found[limit - 1].position or 0
            end = Head(upto.instance, position, token_at(connection, position))
    return SubmissionsPage(found[:limit], cursor_at(wanted, end), more)
