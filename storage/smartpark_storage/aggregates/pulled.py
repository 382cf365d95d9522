"""Storing what was pulled: rows and the cursor behind them in one transaction, so that neither is without the other.

A page may be stored any number of times; what is there already is left as it is. Revisions keep their numbers. What
is new is published here in turn, so that others pull it from us as from its source.
"""

from datetime import datetime

from smartpark.errors import SmartparkError

from smartpark_storage.aggregates.columns import AggregateColumns
from smartpark_storage.connections import Connection


class ConflictingRevisionError(SmartparkError):
    """A source says something else of a revision than it did before."""


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
    raise NotImplementedError
