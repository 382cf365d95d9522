"""Load requests as events: adding one, and the row that follows from it, in one transaction.

The version that a writer has read is the sequence of the newest event. A writer who read an older one is refused by
`StaleVersionError`, and nothing of his is kept. What may happen is decided by core before it comes here.
"""

from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any

from psycopg import errors as pg
from psycopg.types.json import Jsonb
from smartpark.clock import PARK_ZONE
from smartpark.load_requests.clocks import Clock, Clocks
from smartpark.load_requests.events import BODY, Event
from smartpark.load_requests.requests import LoadRequest

from smartpark_storage.connections import Connection, transaction
from smartpark_storage.load_requests.rows import StaleVersionError, UnknownReferenceError, UnknownRequestError
from smartpark_storage.queries import query


def insert_request(connection: Connection, event: Event, request: LoadRequest, clocks: Clocks) -> str:
    """Keep a request that has just been opened; returns its new code, e.g. ``LR-2026-000123``.

    The number counts the requests opened in a year of the park's zone; a number may be missing where somebody's
    transaction failed.
    """
    year = request.opened_at.astimezone(PARK_ZONE).year
    with transaction(connection), _known_references():
        row = connection.execute(query("next_load_request_number"), {"year": year}).fetchone()
        if row is None:
            raise LookupError(f"there is no number for a request of {year}")
        code = f"LR-{year}-{row[0]:06d}"
        fixed = {"park": request.details.park, "opened_at": request.opened_at}
        connection.execute(query("insert_load_request"), _row(code, request, clocks) | fixed)
        _add_event(connection, code, event, request)
    return code


def append_event(connection: Connection, code: str, event: Event, request: LoadRequest, clocks: Clocks) -> None:
    """Add an event and make the row say what follows from it.

    Parameters
    ----------
    connection : Connection
    code : str
    event : Event
        Its sequence is the version that the writer had read, plus one.
    request : LoadRequest
        After the event.
    clocks : Clocks
        After the event.

    Raises
    ------
    StaleVersionError
        When the request has another version than the writer had read.
    UnknownRequestError
        When there is no request of this code.
    """
    expected = event.sequence - 1
    with transaction(connection), _known_references():
        row = _row(code, request, clocks) | {"expected": expected}
        if connection.execute(query("update_load_request"), row).rowcount == 0:
            raise StaleVersionError(code, expected=expected, found=read_version(connection, code))
        _add_event(connection, code, event, request)


def read_version(connection: Connection, code: str) -> int:
    """Version on record."""
    with transaction(connection):
        row = connection.execute(query("load_request_version"), {"code": code}).fetchone()
    if row is None:
        raise UnknownRequestError(f"there is no load request {code}")
    return row[0]


def read_events(connection: Connection, code: str, *, for_update: bool = False) -> tuple[Event, ...]:
    """Events of a request, in order; with `for_update` no other writer gets in before this transaction ends."""
    with transaction(connection):
        if for_update:
            connection.execute(query("lock_load_request"), {"code": code})
        found = read_events_of(connection, [code])
    if code not in found:
        raise UnknownRequestError(f"there is no load request {code}")
    return found[code]


def read_events_of(connection: Connection, codes: Iterable[str]) -> dict[str, tuple[Event, ...]]:
    """Events of several requests, in one question; those that do not exist are not there."""
    with transaction(connection):
        rows = connection.execute(query("load_request_events"), {"codes": sorted(set(codes))}).fetchall()
    found: dict[str, list[Event]] = {}
    for code, *rest in rows:
        found.setdefault(code, []).append(event_of(*rest))
    return {code: tuple(events) for code, events in found.items()}


def refresh_clocks(connection: Connection, code: str, request: LoadRequest, clocks: Clocks) -> bool:
    """Make the row say the clocks as they are by a newer calendar or on a newer day.

    False: the request has another version than `request` by now, whose writer has refreshed them himself.
    """
    row = _clocks(clocks) | {"code": code, "version": request.sequence}
    with transaction(connection):
        return connection.execute(query("refresh_load_request_clocks"), row).rowcount == 1


def refresh_open_clocks(
    connection: Connection,
    reckon: Callable[[Sequence[Event]], tuple[LoadRequest, Clocks]],
    *,
    slice_size: int = 500,
) -> Generator[int]:
    """Refresh the clocks of all open requests, e.g. after the holidays of a new year were entered.

    Parameters
    ----------
    connection : Connection
    reckon : callable
        Request and clocks that follow from events; the caller knows rules, calendar and day.
    slice_size : int
        Requests per transaction, so that nobody at the desk waits for all of them.

    Yields
    ------
    int
        Requests refreshed by each slice.
    """
    after = ""
    while True:
        with transaction(connection):
            rows = connection.execute(
                query("open_load_request_codes"), {"after": after, "limit": slice_size}
            ).fetchall()
            codes = [code for (code,) in rows]
            if not codes:
                return
            done = 0
            for code, events in read_events_of(connection, codes).items():
                done += refresh_clocks(connection, code, *reckon(events))
        after = codes[-1]
        yield done


@contextmanager
def _known_references() -> Generator[None]:
    try:
        yield
    except pg.ForeignKeyViolation as error:
        detail = error.diag.message_detail or "it names something that is not in the database"
        raise UnknownReferenceError(detail) from error


def _add_event(connection: Connection, code: str, event: Event, request: LoadRequest) -> None:
    row: dict[str, Any] = {
        "code": code,
        "sequence": event.sequence,
        "at": event.at,
        "recorded_at": event.recorded_at,
        "by": event.by,
        "body": Jsonb(BODY.dump_python(event.body, mode="json")),
    }
    connection.execute(query("insert_load_request_event"), row)
    about = {"park": request.details.park, "type": event.body.type}
    connection.execute(query("fill_outbox"), row | about)


def event_of(sequence: int, at: datetime, recorded_at: datetime, by: str, body: object) -> Event:
    """Event of its columns."""
    return Event(sequence=sequence, at=at, recorded_at=recorded_at, by=by, body=BODY.validate_python(body))


def _row(code: str, request: LoadRequest, clocks: Clocks) -> dict[str, Any]:
    """Columns of a request, apart from those that never change."""
    details, scheme = request.details, request.scheme
    asked = details.model_dump(mode="json", exclude={"park", "contact_role", "wanted_on"})
    return {
        **asked,
        **_clocks(clocks),
        "code": code,
        "wanted_on": details.wanted_on,
        "stage": request.stage.value,
        "owner": request.owner.value,
        "suspended": None if request.suspended is None else request.suspended.value,
        "outcome": None if request.outcome is None else request.outcome.value,
        "manager": request.manager,
        "approved_kva": None if scheme is None else scheme.approved_kva,
        "scheme_node": None if scheme is None else scheme.node,
        "scheme_replied_at": None if scheme is None else scheme.replied_at,
        "scheme_is_extended": scheme is not None and scheme.is_extended,
        "reserved_kva": request.reserved_kva,
        "reworks": request.reworks,
        "accepted_at": request.accepted_at,
        "stage_since": request.stage_since,
        "changed_at": request.changed_at,
        "energized_at": request.energized_at,
        "ended_at": request.ended_at,
        "version": request.sequence,
    }


def _clocks(clocks: Clocks) -> dict[str, Any]:
    days = {
        stage.value: {owner.value: count for owner, count in by_owner.items()}
        for stage, by_owner in clocks.by_stage.items()
    }
    limits = [
        {"stage": kept.stage.value, "rule": kept.rule, "used": kept.used, "limit": kept.limit}
        for kept in clocks.limits
    ]
    return {
        **_clock("stage", clocks.stage),
        **_clock("total", clocks.total),
        "stage_days": Jsonb(days),
        "stage_limits": Jsonb(limits),
        "clocks_on": clocks.on,
    }


def _clock(name: str, clock: Clock) -> dict[str, int | str | date | bool | None]:
    return {
        f"{name}_used": clock.used,
        f"{name}_limit": clock.limit,
        f"{name}_due_on": clock.due_on,
        f"{name}_risk_from": clock.at_risk_from,
        f"{name}_rule": clock.rule,
        f"{name}_runs": clock.is_running,
    }
