"""Storing what was pulled: rows and the cursor behind them in one transaction, so that neither is without the other.

A page may be stored any number of times; what is there already is left as it is. Revisions keep their numbers. What
is new is published here in turn, so that others pull it from us as from its source.
"""

from datetime import datetime
from typing import Any, Final

import numpy as np
from smartpark.aggregates import Manifest, digest_of, period_named
from smartpark.clock import to_us

from smartpark_storage.aggregates.columns import AggregateColumns, listed
from smartpark_storage.aggregates.errors import (
    ConflictingRevisionError,
    ConflictingSubmissionError,
    UnknownSubmissionError,
    UnusableRowError,
)
from smartpark_storage.aggregates.feed import number_publications
from smartpark_storage.aggregates.keys import refuse_key
from smartpark_storage.aggregates.sources import hold_source, refuse_foreign_parks
from smartpark_storage.aggregates.submissions import SealedRows, insert_submission, read_submission
from smartpark_storage.connections import Connection, transaction
from smartpark_storage.derived import enter_names
from smartpark_storage.queries import query

_LINE_ENDS: Final = ("\n", "\x1e", "\x1f")
"""With which names are kept apart in the database."""


def store_pulled(
    connection: Connection, source: str, columns: AggregateColumns, cursor: str, *, at: datetime, complete: bool
) -> int:
    """Store a page of a source and the cursor behind it; returns how many revisions were new.

    Raises
    ------
    ForeignParkError
        When a row is of a park that is not the source's (see `put_identities`).
    UnknownSubmissionError
        When rows are of submissions that are not stored yet: `codes` names them, `store_submission` stores them.
    ConflictingRevisionError
        When a stored revision says something else; a published number is never rewritten.
    """
    with transaction(connection):
        hold_source(connection, source)
        refuse_foreign_parks(connection, source, {one.park for one in columns.series})
        _refuse_unknown_submissions(connection, columns)
        stored = store_rows(connection, columns)
        kept = {"source": source, "cursor": cursor, "rows": stored, "at": at, "complete": complete}
        connection.execute(query("keep_cursor_of_source"), kept)
        if stored:
            number_publications(connection, wait=True)
    return stored


def store_submission(
    connection: Connection, source: str, manifest: Manifest, signature: bytes, rows: AggregateColumns
) -> bool:
    """Keep a submission of a source, with all its rows; says whether it was new.

    The caller has verified the signature; that the key is the source's, and the rows those of the manifest, is
    verified here.
    """
    rows = rows.in_order_of_keys()
    if not _are_sealed(rows, manifest):
        raise ConflictingSubmissionError(f"the rows of {manifest.code} are not those that were sealed")
    with transaction(connection):
        hold_source(connection, source)
        refuse_foreign_parks(connection, source, [manifest.park])
        refuse_key(connection, manifest.key_id, source=source)
        if connection.execute(query("known_submissions"), {"codes": [manifest.code]}).fetchone() is not None:
            kept = read_submission(connection, manifest.code)
            if (kept.manifest, kept.signature) != (manifest.text, signature):
                raise ConflictingSubmissionError(f"{manifest.code} is stored here and says something else")
            return False
        stored = store_rows(connection, rows)
        connection.execute(query("count_rows_of_source"), {"source": source, "rows": stored})
        series = enter_names(connection, "series", [rows.series[n] for n in rows.rows["series"]])
        insert_submission(connection, manifest, signature, SealedRows(rows, series))
        number_publications(connection, wait=True)
    return True


def _are_sealed(rows: AggregateColumns, manifest: Manifest) -> bool:
    """Whether rows are those of a manifest, and all of the park and the period that it speaks of."""
    period = period_named(manifest.period)
    about = {(one.park, one.grain) for one in rows.series} <= {(manifest.park, period.grain.value)}
    return (
        about
        and bool((rows.rows["start"] == to_us(period.start)).all())
        and len(rows) == manifest.rows
        and digest_of(rows.lines()) == manifest.digest
    )


def store_rows(connection: Connection, columns: AggregateColumns) -> int:
    """Publish the revisions that are not here yet, in the caller's transaction; returns how many they were."""
    if not len(columns):
        return 0
    _refuse_unusable(columns)
    parameters = _parameters(connection, columns)
    given = query("given_pulled")
    conflict = connection.execute(f"{given}\n{query('pulled_conflict')}", parameters, prepare=False).fetchone()
    if conflict is not None:
        park, boundary, indicator, grain, start, revision = conflict
        raise ConflictingRevisionError(
            f"{park}/{boundary}/{indicator} of the {grain} {start.isoformat()}: revision {revision} is stored here,"
            " and the source says something else of it, as one does that was restored from a backup; see"
            " `smartpark province forget`"
        )
    connection.execute(f"{given}\n{query('supersede_by_pulled')}", parameters, prepare=False)
    return connection.execute(f"{given}{query('insert_pulled')}", parameters, prepare=False).rowcount


def _parameters(connection: Connection, columns: AggregateColumns) -> dict[str, Any]:
    """Each revision once, by the numbers its names have here."""
    series = np.array(enter_names(connection, "series", columns.series), np.int32)[columns.rows["series"]]
    origins = np.array(enter_names(connection, "origin", columns.origins), np.int32)[columns.rows["origin"]]
    keys = np.rec.fromarrays([series, columns.rows["start"], columns.rows["revision"]])
    once = np.unique(keys, return_index=True)[1]
    rows = columns.rows[once]
    names = ("revision", "value", "numerator", "denominator", "uncertainty", "completeness", "estimated_share")
    return {
        "series_id": series[once].tolist(),
        "origin_id": origins[once].tolist(),
        "start_us": rows["start"].tolist(),
        "computed_at_us": rows["computed_at"].tolist(),
        **{name: listed(rows, name) for name in names},
    }


def _refuse_unusable(columns: AggregateColumns) -> None:
    for origin in columns.origins:
        for factor in origin.factors:
            if any(sign in factor for sign in _LINE_ENDS):
                raise UnusableRowError(f"a factor has a line end in its name: {factor!r}")
    wrong = columns.rows["revision"] < 1
    if wrong.any():
        series = columns.series[columns.rows["series"][wrong][0]]
        raise UnusableRowError(f"{'/'.join(series.key)}: revisions count from 1")


def _refuse_unknown_submissions(connection: Connection, columns: AggregateColumns) -> None:
    named = set(columns.submissions)
    if named:
        found = connection.execute(query("known_submissions"), {"codes": sorted(named)}).fetchall()
        unknown = sorted(named - {code for (code,) in found})
        if unknown:
            raise UnknownSubmissionError(*unknown)


def forget_pulled(connection: Connection, source: str) -> int:
    """Remove what was pulled from a source, so that it can be pulled anew; returns how many revisions it was.

    For a source that was restored from a backup and has said other things since, under numbers of revisions that we
    know. What was submitted is kept. Whoever pulls from us starts over, for our history is another one after this.
    Only the owner of the database may: nobody else has the right to remove a published number.
    """
    with transaction(connection):
        hold_source(connection, source)
        removed = connection.execute(query("forget_pulled"), {"source": source}).rowcount
        connection.execute(query("forget_cursor_of_source"), {"source": source})
        number_publications(connection, wait=True)
        connection.execute(query("begin_another_history"))
    return removed
