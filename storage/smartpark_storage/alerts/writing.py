"""Keeping alerts: events that nobody rewrites, and the row that follows from them, in one transaction.

What may happen is decided by core before it comes here. Writing the beginning of an alert again does nothing; an
event on top of another version than the writer had read is refused, and nothing of that transaction is kept.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from psycopg import errors as pg
from psycopg.types.json import Jsonb
from smartpark.alerts.events import BODY, Event
from smartpark.alerts.life import Alert
from smartpark.alerts.words import AlertState, EndedBy
from smartpark.errors import SmartparkError

from smartpark_storage.alerts.rows import (
    AlertWrite,
    OpenAlertError,
    StaleAlertError,
    UnknownAlertError,
    Written,
    columns_of,
)
from smartpark_storage.connections import Connection, transaction
from smartpark_storage.queries import query

_Key = tuple[str, str, datetime]


def begin_alert(connection: Connection, events: Sequence[Event], alert: Alert) -> Written:
    """Keep a new alert with its first events; one of its rule, object and beginning that is on record stays as it is.

    Raises
    ------
    OpenAlertError
        When of this rule and object another one is open.
    """
    return write_alerts(connection, [AlertWrite(None, tuple(events), alert)])[0]


def append_events(connection: Connection, alert_id: int, events: Sequence[Event], alert: Alert) -> None:
    """Add events to an alert and make its row say what follows from them.

    Parameters
    ----------
    connection : Connection
    alert_id : int
    events : sequence of Event
        The first one has the sequence that the writer had read, plus one.
    alert : Alert
        After the last one.

    Raises
    ------
    StaleAlertError
        When somebody else was faster.
    UnknownAlertError
        When there is no such alert.
    """
    write_alerts(connection, [AlertWrite(alert_id, tuple(events), alert)])


def write_alerts(connection: Connection, writes: Sequence[AlertWrite]) -> list[Written]:
    """Write events of many alerts in a few statements, each alert on record once; what became of each.

    First what ends, then what goes on, then what begins: an object may have an alert ended and a new one begun at
    once. Errors as of `begin_alert` and `append_events`; then nothing is kept.
    """
    for write in writes:
        _check(write)
    old = [write for write in writes if write.alert_id is not None]
    new = [write for write in writes if write.alert_id is None]
    with transaction(connection):
        for is_wanted in (_is_withdrawn, _is_ended, _goes_on):
            _update(connection, [write for write in old if is_wanted(write.alert)])
        begun = _insert(connection, [write.alert for write in new])
        written = [
            Written(write.alert_id, is_written=True) if write.alert_id is not None else _take(begun, write.alert)
            for write in writes
        ]
        pairs = zip(writes, written, strict=True)
        _add_events(connection, [(w.alert_id, event) for write, w in pairs if w.is_written for event in write.events])
    return written


def forget_alerts(connection: Connection, alert_ids: Sequence[int]) -> int:
    """Forget alerts that never came to anything, with their events; how many. What has fired is kept."""
    with transaction(connection):
        return connection.execute(query("forget_alerts"), {"ids": list(alert_ids)}).rowcount


def _check(write: AlertWrite) -> None:
    sequences = [event.sequence for event in write.events]
    first = write.alert.sequence - len(sequences) + 1
    if not sequences or sequences != list(range(first, write.alert.sequence + 1)):
        raise SmartparkError(f"events {sequences} do not lead to event {write.alert.sequence} of an alert")
    if (first == 1) != (write.alert_id is None):
        raise SmartparkError(f"event {first} is not the first one of alert {write.alert_id or 'yet to be'}")


def _is_withdrawn(alert: Alert) -> bool:
    return alert.ended_by is EndedBy.CORRECTION


def _is_ended(alert: Alert) -> bool:
    return alert.state is AlertState.RESOLVED and not _is_withdrawn(alert)


def _goes_on(alert: Alert) -> bool:
    return alert.state is not AlertState.RESOLVED


def _update(connection: Connection, writes: Sequence[AlertWrite]) -> None:
    if not writes:
        return
    expected = {write.alert_id: write.events[0].sequence - 1 for write in writes}
    if len(expected) != len(writes):
        raise SmartparkError("an alert is written twice at once")
    parameters = {
        "rows": Jsonb([columns_of(write.alert) | {"alert_id": write.alert_id} for write in writes]),
        "ids": list(expected),
        "expected": list(expected.values()),
    }
    done = {alert_id for (alert_id,) in connection.execute(query("update_alerts"), parameters)}
    missing = [alert_id for alert_id in expected if alert_id not in done and alert_id is not None]
    if missing:
        found = dict(connection.execute(query("alert_sequences"), {"ids": missing}).fetchall())
        for alert_id in missing:
            if alert_id in found:
                raise StaleAlertError(alert_id, expected=expected[alert_id], found=found[alert_id])
        raise UnknownAlertError(f"there is no alert {', '.join(map(str, missing))}")


def _insert(connection: Connection, alerts: Sequence[Alert]) -> dict[_Key, Written]:
    """Alerts by their keys; those of which another one is open are not there."""
    if not alerts:
        return {}
    rows = Jsonb([columns_of(alert) for alert in alerts])
    try:
        inserted = connection.execute(query("insert_alerts"), {"rows": rows}).fetchall()
    except pg.ForeignKeyViolation as error:
        raise SmartparkError(f"an alert of something unknown: {error.diag.message_detail}") from error
    found = {(rule, subject, since): Written(number, is_written=True) for number, rule, subject, since in inserted}
    if len(found) < len(alerts):
        for number, *key in connection.execute(query("alerts_on_record"), {"rows": rows}):
            rule, subject, since = key
            found.setdefault((rule, subject, since), Written(number, is_written=False))
    return found


def _key(alert: Alert) -> _Key:
    return alert.about.rule, alert.about.object, alert.since


def _take(begun: dict[_Key, Written], alert: Alert) -> Written:
    """What became of a new alert; the same one further down the list is on record by then."""
    written = begun.get(_key(alert))
    if written is None:
        raise OpenAlertError(
            f"no alert of rule {alert.about.rule} about {alert.about.object} can begin at {alert.since.isoformat()}: "
            "another one is open"
        )
    begun[_key(alert)] = written._replace(is_written=False)
    return written


def _add_events(connection: Connection, events: Sequence[tuple[int, Event]]) -> None:
    if not events:
        return
    parameters: dict[str, list[Any]] = {
        "ids": [alert_id for alert_id, _ in events],
        "sequences": [event.sequence for _, event in events],
        "at": [event.at for _, event in events],
        "recorded_at": [event.recorded_at for _, event in events],
        "actors": [event.actor for _, event in events],
        "bodies": [BODY.dump_json(event.body).decode() for _, event in events],
    }
    connection.execute(query("insert_alert_events"), parameters)
