"""One digest over what holds at a position: two instances that have the same one have the same numbers."""

from dataclasses import dataclass

from smartpark_storage.aggregates.filters import FeedFilter
from smartpark_storage.connections import Connection


@dataclass(frozen=True, slots=True)
class Digest:
    """Of the current revision of every row that is asked for."""

    position: int
    """As of which."""
    rows: int
    sha256: str
    """As `smartpark.aggregates.digest_of` says."""


def state_digest(connection: Connection, wanted: FeedFilter, *, at: int | None = None) -> Digest:
    """Digest over the current revisions as of a position, the newest where none is given."""
    raise NotImplementedError
