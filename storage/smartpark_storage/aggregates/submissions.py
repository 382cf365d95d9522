"""Periods that were handed in: sealing them, and reading what was sealed.

Nobody here holds a key: whoever seals brings a function that signs. What was sealed is never changed; a correction is
a further revision of a number, and the period may be sealed again under the next sequence number.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from smartpark.aggregates import Cursor, Manifest
from smartpark.errors import SmartparkError
from smartpark.periods import Period

from smartpark_storage.aggregates.columns import AggregateColumns
from smartpark_storage.connections import Connection


class NothingToSealError(SmartparkError):
    """No number of this period has been published."""


class AlreadySealedError(SmartparkError):
    """What holds of this period is what was submitted last."""

    def __init__(self, code: str) -> None:
        super().__init__(f"what holds now is what was submitted as {code}; nothing has changed since")
        self.code = code


class PeriodNotOverError(SmartparkError):
    """A period is submitted once it is over."""


class UnknownSubmissionError(SmartparkError):
    """There is no such submission."""

    def __init__(self, *codes: str) -> None:
        super().__init__(f"there is no submission {', '.join(codes)}")
        self.codes = codes


class SealedElsewhereError(SmartparkError):
    """The park is pulled from a source; what it submits is sealed there."""


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


@dataclass(frozen=True, slots=True)
class SealKey:
    """Public half of a key that seals."""

    key_id: str
    public_key: bytes
    source: str | None
    """None: our own."""
    known_since: datetime
    retired_at: datetime | None


def seal(
    connection: Connection,
    *,
    park: str,
    period: Period,
    sealed_by: str,
    sealed_at: datetime,
    note: str,
    key_id: str,
    sign: Callable[[bytes], bytes],
) -> Submission:
    """Seal what holds of a day, month or year of a park, its sub-parks and its enterprises, and number it.

    `sign` gets the manifest's text as UTF-8 and returns its Ed25519 signature.
    """
    raise NotImplementedError


def read_submission(connection: Connection, code: str) -> Submission:
    """The submission of this code; `UnknownSubmissionError` where there is none."""
    raise NotImplementedError


def submission_rows(connection: Connection, code: str) -> AggregateColumns:
    """Rows that were sealed, in the order of their keys: their canonical lines give the digest."""
    raise NotImplementedError


def read_submissions(
    connection: Connection, *, scope: frozenset[str] | None, park: str | None, after: Cursor | None, limit: int
) -> SubmissionsPage:
    """Submissions of the parks that may be seen, in the order of their positions."""
    raise NotImplementedError


def store_submission(
    connection: Connection, source: str, manifest: Manifest, signature: bytes, rows: AggregateColumns
) -> bool:
    """Keep a submission of a source, with all its rows; says whether it was new.

    The caller has verified the signature; that the rows are those of the manifest is verified here.
    """
    raise NotImplementedError


def put_seal_key(
    connection: Connection, key_id: str, public_key: bytes, *, source: str | None, known_since: datetime
) -> bool:
    """Keep the public half of a key; says whether it was new. A known one with other bytes is refused."""
    raise NotImplementedError


def read_seal_keys(connection: Connection, *, source: str | None = None) -> list[SealKey]:
    """Keys of a source, or our own."""
    raise NotImplementedError


def retire_seal_key(connection: Connection, key_id: str, at: datetime) -> None:
    """Say until when a key was used."""
    raise NotImplementedError
