"""One digest over what holds at a position: two instances that have the same one have the same numbers.

Rows are read and written series by series in the order of their keys, so that memory holds some hundred thousand of
them, however many there are.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from smartpark.aggregates import digest_of

from smartpark_storage.aggregates.columns import AggregateColumns
from smartpark_storage.aggregates.events import columns_of, fetch_picked
from smartpark_storage.aggregates.feed import head
from smartpark_storage.aggregates.filters import FeedFilter
from smartpark_storage.connections import Connection, transaction
from smartpark_storage.queries import query

SERIES_AT_ONCE: Final = 250
"""Series whose rows are in memory together."""


@dataclass(frozen=True, slots=True)
class Digest:
    """Of the revision of every row that is asked for which held at a position."""

    position: int
    """As of which."""
    rows: int
    sha256: str
    """As `smartpark.aggregates.digest_of` says."""


def state_digest(connection: Connection, wanted: FeedFilter, *, at: int | None = None) -> Digest:
    """Digest over the revisions that held at a position, the newest where none is given."""
    rows = 0

    def counted(lines: Iterator[bytes]) -> Iterator[bytes]:
        nonlocal rows
        for line in lines:
            rows += 1
            yield line

    with transaction(connection):
        upto = head(connection).position if at is None else at
        digest = digest_of(counted(_lines(connection, wanted, upto)))
    return Digest(upto, rows, digest)


def _lines(connection: Connection, wanted: FeedFilter, upto: int) -> Iterator[bytes]:
    for columns in read_state(connection, wanted, at=upto):
        yield from columns.lines()


def read_state(connection: Connection, wanted: FeedFilter, *, at: int | None = None) -> Iterator[AggregateColumns]:
    """Revisions that held at a position, some series at a time, all in the order of their keys.

    In the caller's transaction; costs what is asked for, however much else was published.
    """
    upto = head(connection).position if at is None else at
    parameters = {**wanted.parameters, "upper": upto}
    names = connection.execute(query("aggregate_state_series"), parameters, prepare=False).fetchall()
    # By code points, whatever the database's language.
    ids = [row[0] for row in sorted(names, key=lambda row: row[1:])]
    for first in range(0, len(ids), SERIES_AT_ONCE):
        some = ids[first : first + SERIES_AT_ONCE]
        events = fetch_picked(connection, query("aggregate_state"), {**parameters, "series": some})
        yield columns_of(connection, events).in_order_of_keys()
