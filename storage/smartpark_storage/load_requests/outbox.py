"""Webhooks and what they are still to be told: lines written with each event, claimed by whoever delivers.

A claimed line is in one worker's hand until its lease ends; a worker that dies loses it to the next one, so a
receiver may hear of an event twice and tells by code and sequence. Nothing here opens a connection to a receiver.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit

from psycopg import errors as pg
from smartpark.errors import SmartparkError
from smartpark.load_requests.events import Event

from smartpark_storage.connections import Connection, transaction
from smartpark_storage.load_requests.rows import UnknownReferenceError
from smartpark_storage.load_requests.writing import event_of
from smartpark_storage.queries import query

LEASE: Final = timedelta(minutes=5)
"""For so long is a claimed line in its worker's hand."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """Somebody who is told of events."""

    name: str
    url: str
    secret_ref: str
    """Name of the secret that signs; never the secret."""
    events: tuple[str, ...] = ()
    """Types of events; empty: all."""
    park: str | None = None
    """None: of all parks."""
    is_active: bool = True


@dataclass(frozen=True, slots=True)
class Delivery:
    """An event that a webhook is to be told of."""

    outbox_id: int
    attempts: int
    """This one included."""
    webhook: str
    url: str
    secret_ref: str
    park: str
    code: str
    event: Event


@dataclass(frozen=True, slots=True)
class WebhookState:
    """How far a webhook has been told."""

    webhook: str
    waiting: int
    done: int
    given_up: int
    oldest_waiting: datetime | None
    newest_error: str


def put_webhook(connection: Connection, webhook: Webhook) -> None:
    """Add a webhook, or make the one of that name say this; events before it are not told."""
    parts = urlsplit(webhook.url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise SmartparkError(f"webhook {webhook.name}: the address begins with https:// or http:// and names a host")
    if parts.username is not None or parts.password is not None:
        raise SmartparkError(f"webhook {webhook.name}: no user or password in the address; it signs with its secret")
    row = asdict(webhook) | {"events": list(webhook.events)}
    try:
        with transaction(connection):
            connection.execute(query("put_webhook"), row)
    except pg.ForeignKeyViolation as error:
        raise UnknownReferenceError(f"webhook {webhook.name}: there is no park {webhook.park}") from error


def read_webhooks(connection: Connection) -> list[Webhook]:
    """Webhooks by name."""
    with transaction(connection):
        return [
            Webhook(name, url, secret_ref, tuple(events), park, is_active)
            for name, url, secret_ref, events, park, is_active in connection.execute(query("read_webhooks"))
        ]


def claim_outbox(connection: Connection, limit: int, now: datetime, *, lease: timedelta = LEASE) -> list[Delivery]:
    """Take up to `limit` lines that are due into this worker's hand, committed at once with the transaction."""
    parameters = {"limit": limit, "now": now, "lease_until": now + lease}
    with transaction(connection):
        rows = connection.execute(query("claim_outbox"), parameters).fetchall()
    found = [_delivery(*row) for row in rows]
    return sorted(found, key=lambda d: d.outbox_id)


def done_outbox(connection: Connection, outbox_id: int, *, at: datetime) -> bool:
    """The receiver has taken it; False: it was settled before."""
    return _settle(connection, "done_outbox", outbox_id, at)


def retry_outbox(connection: Connection, outbox_id: int, at: datetime, error: str) -> bool:
    """It did not work; try again from `at` on."""
    return _settle(connection, "retry_outbox", outbox_id, at, error)


def give_up_outbox(connection: Connection, outbox_id: int, *, at: datetime, error: str) -> bool:
    """It never worked; it stays on record and the ones behind it go on."""
    return _settle(connection, "give_up_outbox", outbox_id, at, error)


def _delivery(*row: Any) -> Delivery:
    outbox_id, attempts, webhook, url, secret_ref, park, code, *event = row
    return Delivery(outbox_id, attempts, webhook, url, secret_ref, park, code, event_of(*event))


def _settle(connection: Connection, statement: str, line: int, at: datetime, error: str = "") -> bool:
    with transaction(connection):
        return connection.execute(query(statement), {"id": line, "at": at, "error": error[:500]}).rowcount == 1


def outbox_state(connection: Connection) -> Sequence[WebhookState]:
    """How far each webhook has been told."""
    with transaction(connection):
        return [WebhookState(*row) for row in connection.execute(query("outbox_state"))]
