"""Aggregates in the database: the feed others pull, digests, submissions, sources we pull from.

What other rooms use is listed here. Every function takes an open connection first and runs as one transaction, or as
part of the caller's.
"""

from smartpark_storage.aggregates.columns import ROW_DTYPE, AggregateColumns, Origin, Series
from smartpark_storage.aggregates.digest import Digest, read_state, state_digest
from smartpark_storage.aggregates.errors import (
    AlreadySealedError,
    ConflictingRevisionError,
    ConflictingSubmissionError,
    ForeignParkError,
    NothingToSealError,
    OtherInstanceError,
    PeriodNotOverError,
    SealedElsewhereError,
    SealKeyError,
    UnknownSourceError,
    UnknownSubmissionError,
    UnusableIdentityError,
    UnusableRowError,
)
from smartpark_storage.aggregates.feed import (
    FeedPage,
    Head,
    cursor_at,
    head,
    number_publications,
    page_rows,
    publications_wait,
    read_feed,
)
from smartpark_storage.aggregates.filters import DEFAULT_BOUNDARIES, EVERYTHING, FeedFilter, Revisions
from smartpark_storage.aggregates.keys import SealKey, put_seal_key, read_seal_keys, retire_seal_key
from smartpark_storage.aggregates.pulled import forget_pulled, store_pulled, store_submission
from smartpark_storage.aggregates.sealing import seal
from smartpark_storage.aggregates.sources import (
    IDENTITY_COLUMNS,
    Identities,
    Source,
    identities,
    note_source_error,
    put_identities,
    put_source,
    read_source,
    read_sources,
    reset_source_cursor,
)
from smartpark_storage.aggregates.submissions import (
    Submission,
    SubmissionsPage,
    read_submission,
    read_submissions,
    submission_rows,
)

__all__ = [
    "DEFAULT_BOUNDARIES",
    "EVERYTHING",
    "IDENTITY_COLUMNS",
    "ROW_DTYPE",
    "AggregateColumns",
    "AlreadySealedError",
    "ConflictingRevisionError",
    "ConflictingSubmissionError",
    "Digest",
    "FeedFilter",
    "FeedPage",
    "ForeignParkError",
    "Head",
    "Identities",
    "NothingToSealError",
    "Origin",
    "OtherInstanceError",
    "PeriodNotOverError",
    "Revisions",
    "SealKey",
    "SealKeyError",
    "SealedElsewhereError",
    "Series",
    "Source",
    "Submission",
    "SubmissionsPage",
    "UnknownSourceError",
    "UnknownSubmissionError",
    "UnusableIdentityError",
    "UnusableRowError",
    "cursor_at",
    "forget_pulled",
    "head",
    "identities",
    "note_source_error",
    "number_publications",
    "page_rows",
    "publications_wait",
    "put_identities",
    "put_seal_key",
    "put_source",
    "read_feed",
    "read_seal_keys",
    "read_source",
    "read_sources",
    "read_state",
    "read_submission",
    "read_submissions",
    "reset_source_cursor",
    "retire_seal_key",
    "seal",
    "state_digest",
    "store_pulled",
    "store_submission",
    "submission_rows",
]
