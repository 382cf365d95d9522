"""The feed: published numbers in the order in which they became known, page by page behind a cursor.

Each publication has a position, which it got after it was committed, so behind a cursor there is never anything that
was still under way when the cursor was given. An event is a row of a publication of values, or a row that a
submission sealed, now said to be submitted; a row that is sealed comes with its seal only. A page looks at
publications up to a position and at nothing later, so the same cursor gives the same page for the same position.
Nothing here writes, but for the numbering.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from psycopg.types.numeric import Int8
from smartpark.aggregates import AggregateRow, Cursor, CursorGoneError
from smartpark.clock import from_us

from smartpark_storage.aggregates.choosing import Reading, chosen
from smartpark_storage.aggregates.columns import AggregateColumns
from smartpark_storage.aggregates.events import EVENT_DTYPE, columns_of, unpack_events
from smartpark_storage.aggregates.filters import FeedFilter
from smartpark_storage.connections import Connection, read_transaction, transaction
from smartpark_storage.copying import EPOCH_US
from smartpark_storage.errors import StorageUnavailableError
from smartpark_storage.queries import query

EXAMINED_AT_ONCE: Final = 50_000
"""Events that one statement looks at."""
EXAMINED_PER_PAGE: Final = 500_000
"""Events that a page looks at; where little among them is asked for, it is short and says there is more."""


@dataclass(frozen=True, slots=True)
class Head:
    """How far the history goes."""

    instance: UUID
    position: int
    token: UUID


@dataclass(frozen=True, slots=True, eq=False)
class FeedPage:
    """Some events, and where the next ones begin."""

    columns: AggregateColumns
    positions: NDArray[np.int64]
    """Of each row's publication."""
    next: Cursor
    more: bool
    """Whether there may be more behind `next` right now."""
    head: Head
    """As of which the page is."""


def head(connection: Connection, *, parks: frozenset[str] | None = None) -> Head:
    """The newest position; cheap. With `parks`, the newest that concerns them: what others do does not show in it."""
    with read_transaction(connection):
        if parks is None:
            row = connection.execute(query("aggregate_head")).fetchone()
        else:
            row = connection.execute(query("aggregate_head_of_parks"), {"parks": sorted(parks)}).fetchone()
    if row is None:
        raise StorageUnavailableError("the database has no publication; is its copy whole?")
    return Head(row[0], row[1], row[2])


def publications_wait(connection: Connection) -> bool:
    """Whether something is committed that has no position yet; cheap."""
    with read_transaction(connection):
        row = connection.execute(query("publications_wait")).fetchone()
    return row is not None and bool(row[0])


def number_publications(connection: Connection, *, wait: bool) -> int | None:
    """Give all committed publications that have none their positions, in the caller's transaction or one of its own.

    Returns
    -------
    int or None
        How many; None: somebody else was just doing so, and `wait` was not wanted.
    """
    with transaction(connection):
        row = connection.execute(query("number_publications"), {"may_wait": wait}).fetchone()
    return None if row is None or row[0] is None else int(row[0])


def read_feed(
    connection: Connection, wanted: FeedFilter, after: Cursor | None, *, limit: int, at: Head | int | None = None
) -> FeedPage:
    """The next page behind a cursor, or the first.

    Parameters
    ----------
    connection : Connection
    wanted : FeedFilter
    after : Cursor, optional
        As the page before gave it.
    limit : int
        Rows at most; a page may have fewer and more may follow, as `more` says.
    at : Head or int, optional
        Position up to which is read, or what `head` said of it; without, up to the newest.

    Raises
    ------
    CursorError
        When the cursor is of another instance, of other filters, of parks that have changed, or of a history that a
        restore cut off.
    """
    with read_transaction(connection):
        upto = _upto(connection, at)
        check_cursor(connection, wanted, after, upto)
        reading = Reading(connection, wanted, upto.position)
        connection.execute(query("plan_aggregate_events"))
        events, following, more = _collect(reading, cursor_at(wanted, upto), after, limit)
        columns = columns_of(connection, events, reading.names)
        return FeedPage(columns, events["position"].astype(np.int64), following, more, upto)


def page_rows(page: FeedPage) -> Iterator[AggregateRow]:
    """Rows of a page one by one."""
    return iter(page.columns)


def cursor_at(wanted: FeedFilter, upto: Head) -> Cursor:
    """The cursor behind all that is known at a position."""
    return Cursor.at_end_of(
        upto.instance,
        upto.position,
        upto.token,
        filter_digest=wanted.filter_digest,
        scope_digest=wanted.scope_digest,
    )


def _upto(connection: Connection, at: Head | int | None) -> Head:
    if isinstance(at, Head):
        return at
    newest = head(connection)
    if at is None or at == newest.position:
        return newest
    return Head(newest.instance, at, token_at(connection, at))


def token_at(connection: Connection, position: int) -> UUID:
    """Token of a position; `CursorGoneError` where the history has none."""
    row = connection.execute(query("publication_token"), {"position": position}).fetchone()
    if row is None:
        raise CursorGoneError(f"there is no position {position} in the history; start over without a cursor")
    return row[0]


def check_cursor(connection: Connection, wanted: FeedFilter, after: Cursor | None, newest: Head) -> None:
    """Raise the `CursorError` that says why a cursor is not one of this pull and this history."""
    if after is None:
        return
    after.refuse_other(newest.instance, filter_digest=wanted.filter_digest, scope_digest=wanted.scope_digest)
    token = newest.token if after.position == newest.position else token_at(connection, after.position)
    if token != after.token:
        raise CursorGoneError


def _collect(
    reading: Reading, end: Cursor, after: Cursor | None, limit: int
) -> tuple[NDArray[np.void], Cursor, bool]:
    """Events of a page, the cursor behind them, and whether more may follow."""
    place = (1, 0, 0, 0) if after is None else _place(after)
    found, n_found, n_examined, examine = list[NDArray[np.void]](), 0, 0, limit + 1
    while place[0] <= reading.upper:
        examined = _examine(reading, place, examine)
        found.append(chosen(reading, examined))
        n_found, n_examined = n_found + len(found[-1]), n_examined + len(examined)
        if n_found > limit:
            whole = np.concatenate(found)[:limit]
            return whole, _cursor(reading, end, _key(whole[-1])), True
        if len(examined) < examine:
            break
        place = _key(examined[-1])
        if n_examined >= EXAMINED_PER_PAGE:
            return np.concatenate(found), _cursor(reading, end, place), True
        examine = max(limit + 1, min(4 * examine, EXAMINED_AT_ONCE))
    whole = np.concatenate([np.empty(0, EVENT_DTYPE), *found])
    # A cursor beyond `upto` stays where it is: nothing is read twice.
    return whole, after if after is not None and after.position > reading.upper else end, False


def _examine(reading: Reading, place: "_Place", examine: int) -> NDArray[np.void]:
    """The next `examine` events, in order."""
    position, series, start_us, revision = place
    # Of one type whatever the value, so that it stays one statement.
    parameters = {
        "position": Int8(position),
        "series_id": Int8(series),
        "start": from_us(start_us).isoformat() if series else "-infinity",
        "revision": Int8(revision),
        "upper": Int8(reading.upper),
        "examine": Int8(examine),
        "parks": reading.wanted.parameters["parks"],
    }
    with reading.connection.cursor(binary=True) as cursor:
        row = cursor.execute(query("aggregate_events"), parameters, prepare=True).fetchone()
    return unpack_events(None if row is None else row[0])


_Place = tuple[int, int, int, int]
"""Position, series, start in µs and revision of an event."""


def _place(after: Cursor) -> _Place:
    if after.is_at_end:
        return after.position + 1, 0, 0, 0
    return after.position, after.series_id, after.start_us, after.revision


def _key(event: np.void) -> _Place:
    return int(event["position"]), int(event["series_id"]), int(event["start"]) + EPOCH_US, int(event["revision"])


def _cursor(reading: Reading, end: Cursor, place: _Place) -> Cursor:
    position, series, start_us, revision = place
    token = end.token if position == end.position else token_at(reading.connection, position)
    return Cursor(end.instance, position, token, series, start_us, revision, end.filter_digest, end.scope_digest)
