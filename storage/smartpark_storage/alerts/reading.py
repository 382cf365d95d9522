"""Alerts on record: single ones, those an evaluation has to know, lists, what changed; nothing here writes."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from enum import Enum
from typing import Any, Final, LiteralString, cast

from smartpark.alerts.events import BODY, Event

from smartpark_storage.alerts.rows import (
    NO_FILTER,
    OPEN,
    AlertFilter,
    Below,
    StoredAlert,
    UnknownAlertError,
    stored_alert,
)
from smartpark_storage.connections import Connection, read_transaction
from smartpark_storage.queries import query

CHANNEL: Final = "smartpark_alert"
"""Whoever LISTENs here is sent ``{"change": 7, "alert": 123, "park": "minhou"}`` with each commit that changes an
alert, in the order of commits; what was missed while not listening: `read_changed`."""


def read_alert(connection: Connection, alert_id: int, *, for_update: bool = False) -> StoredAlert:
    """An alert; with `for_update` no other writer gets in before the caller's transaction ends."""
    found = read_alerts_by_id(connection, [alert_id], for_update=for_update)
    if not found:
        raise UnknownAlertError(f"there is no alert {alert_id}")
    return found[0]


def read_alerts_by_id(
    connection: Connection, alert_ids: Iterable[int], *, for_update: bool = False
) -> list[StoredAlert]:
    """Alerts of these numbers, those that there are, ascending."""
    tail = query("alerts_by_id_locked") if for_update else query("alerts_by_id")
    return _ask(connection, tail, {"ids": sorted(set(alert_ids))})


def read_events(connection: Connection, alert_id: int) -> tuple[Event, ...]:
    """Events of an alert, in order."""
    found = read_events_of(connection, [alert_id])
    if alert_id not in found:
        raise UnknownAlertError(f"there is no alert {alert_id}")
    return found[alert_id]


def read_events_of(connection: Connection, alert_ids: Iterable[int]) -> dict[int, tuple[Event, ...]]:
    """Events of several alerts, in one question; those that do not exist are not there."""
    found: dict[int, list[Event]] = {}
    with read_transaction(connection):
        rows = connection.execute(query("alert_events"), {"ids": sorted(set(alert_ids))}).fetchall()
    for alert_id, sequence, at, recorded_at, actor, body in rows:
        event = Event(sequence=sequence, at=at, recorded_at=recorded_at, actor=actor, body=BODY.validate_python(body))
        found.setdefault(alert_id, []).append(event)
    return {alert_id: tuple(events) for alert_id, events in found.items()}


def read_alerts(
    connection: Connection, wanted: AlertFilter = NO_FILTER, *, limit: int = 100, below: Below | None = None
) -> list[StoredAlert]:
    """A page of alerts that fit, those that began last first; the next page is below its last one (`place_of`)."""
    parameters = filter_parameters(wanted) | {
        "below_since": None if below is None else below.since,
        "below_id": None if below is None else below.alert_id,
        "limit": limit,
    }
    return _ask(connection, query("alerts_fit") + "\n" + query("alerts_newest_first"), parameters)


def read_open(
    connection: Connection, wanted: AlertFilter = NO_FILTER, *, limit: int | None = None
) -> list[StoredAlert]:
    """Alerts that are pending or fire and fit, those that began last first."""
    page = {"below_since": None, "below_id": None, "limit": limit}
    return _ask(
        connection,
        query("alerts_fit") + "\n" + query("alerts_newest_first"),
        filter_parameters(replace(wanted, states=wanted.states or OPEN)) | page,
    )


def read_current(connection: Connection, *, ended_after: datetime) -> list[StoredAlert]:
    """The newest alert of each rule and object, for an evaluation to go on from.

    It is open, or its condition holds although a person has resolved it, or it was resolved at `ended_after` or later
    and may still come back.
    """
    return _ask(connection, query("alerts_that_count"), {"ended_after": ended_after})


def alerts_between(
    connection: Connection, rule: str, objects: Sequence[str], start: datetime, end: datetime
) -> list[StoredAlert]:
    """Alerts of a rule about objects whose condition held in some part of [start, end), by object and beginning."""
    parameters = {"rule": rule, "objects": list(objects), "start": start, "end": end}
    return _ask(connection, query("alerts_between"), parameters)


def similar_alerts(connection: Connection, alert: StoredAlert, *, limit: int = 10) -> list[StoredAlert]:
    """Other alerts that fired, the newest first: those of the same rule and object, then those of the same matter."""
    about = alert.alert.about
    parameters = {
        "alert_id": alert.alert_id,
        "rule": about.rule,
        "object": about.object,
        "group_key": alert.group_key,
        "limit": limit,
    }
    return _ask(connection, query("alerts_similar"), parameters)


def newest_change(connection: Connection) -> int:
    """Number of the newest change that is committed; 0: there is none."""
    with read_transaction(connection):
        row = connection.execute(query("alert_newest_change")).fetchone()
    return 0 if row is None else row[0]


def read_changed(connection: Connection, after: int, *, limit: int = 1000) -> list[StoredAlert]:
    """Alerts that changed after a change, in the order of their newest ones; none is missed, whoever commits when."""
    return _ask(connection, query("alerts_changed"), {"after": after, "limit": limit})


def filter_parameters(wanted: AlertFilter) -> dict[str, Any]:
    """What the statement `alerts_fit` asks."""
    return {name: _plain(given) for name, given in asdict(wanted).items()}


def _plain(given: Any) -> Any:
    if isinstance(given, tuple):
        return [_plain(one) for one in cast("tuple[Any, ...]", given)]
    return given.value if isinstance(given, Enum) else given


def _ask(connection: Connection, tail: LiteralString, parameters: dict[str, Any]) -> list[StoredAlert]:
    with read_transaction(connection):
        # Planned for these parameters, so that what is not asked costs nothing.
        rows = connection.execute(query("alert_columns") + "\n" + tail, parameters, prepare=False).fetchall()
    return [stored_alert(row) for row in rows]
