"""What is to be told, once: planned with the event that says so, claimed by whoever sends.

What an intent is about, and to whom, is its key: planning it again does nothing. A claimed one is in its sender's
hand until the lease ends; a sender that dies loses it to the next, so that what it has just handed over is told twice
at worst, and never not at all. How it is sent, and in which words, is decided elsewhere.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from smartpark_storage.connections import Connection, read_transaction, transaction
from smartpark_storage.queries import query

LEASE: Final = timedelta(minutes=5)
"""For so long is a claimed intent in its sender's hand."""
_ERROR_CHARACTERS: Final = 500


@dataclass(frozen=True, slots=True)
class NewIntent:
    """Something that a contact is to be told once."""

    key: str
    contact: str
    kind: str
    alerts: tuple[int, ...]
    group_key: str
    due_at: datetime
    """Not before."""
    body: Mapping[str, Any]
    """What its words are made of."""
    park: str | None = None
    """None: of several parks."""


@dataclass(frozen=True, slots=True)
class Intent:
    """An intent on record."""

    intent_id: int
    key: str
    contact: str
    kind: str
    park: str | None
    alerts: tuple[int, ...]
    group_key: str
    body: dict[str, Any]
    planned_at: datetime
    due_at: datetime
    attempts: int
    """Of one that was claimed: this one included."""
    lease_until: datetime | None
    sent_at: datetime | None
    given_up_at: datetime | None
    withdrawn_at: datetime | None
    error: str

    @property
    def is_waiting(self) -> bool:
        """Whether it is still to be told."""
        return self.sent_at is None and self.given_up_at is None and self.withdrawn_at is None


@dataclass(frozen=True, slots=True)
class ContactState:
    """How far a contact has been told."""

    contact: str
    waiting: int
    sent: int
    given_up: int
    withdrawn: int
    oldest_waiting: datetime | None
    """When it was planned."""
    last_sent_at: datetime | None
    newest_error: str


def plan_intents(connection: Connection, intents: Sequence[NewIntent], *, at: datetime) -> list[str]:
    """Plan intents, in the caller's transaction; the keys of those that are new."""
    if not intents:
        return []
    parameters = {
        "keys": [one.key for one in intents],
        "contacts": [one.contact for one in intents],
        "kinds": [str(one.kind) for one in intents],
        "parks": [one.park for one in intents],
        "alerts": [f"{{{','.join(map(str, one.alerts))}}}" for one in intents],
        "groups": [one.group_key for one in intents],
        "bodies": [json.dumps(one.body, ensure_ascii=False, allow_nan=False) for one in intents],
        "due": [one.due_at for one in intents],
        "at": at,
    }
    with transaction(connection):
        return [key for (key,) in connection.execute(query("plan_alert_intents"), parameters)]


def claim_intents(connection: Connection, limit: int, now: datetime, *, lease: timedelta = LEASE) -> list[Intent]:
    """Take up to `limit` intents that are due into this sender's hand, the longest due first."""
    parameters = {"limit": limit, "now": now, "lease_until": now + lease}
    with transaction(connection):
        rows = connection.execute(query("claim_alert_intents"), parameters).fetchall()
    return sorted((_intent(row) for row in rows), key=lambda one: (one.due_at, one.intent_id))


def sent_intents(connection: Connection, intent_ids: Sequence[int], *, at: datetime) -> int:
    """They were handed over; how many of them had not been settled before."""
    return _settle(connection, "sent_alert_intents", intent_ids, at)


def retry_intents(connection: Connection, intent_ids: Sequence[int], at: datetime, error: str) -> int:
    """It did not work, or not yet; try again from `at` on."""
    return _settle(connection, "retry_alert_intents", intent_ids, at, error)


def give_up_intents(connection: Connection, intent_ids: Sequence[int], *, at: datetime, error: str) -> int:
    """It never worked; they stay on record."""
    return _settle(connection, "give_up_alert_intents", intent_ids, at, error)


def withdraw_intents(connection: Connection, intent_ids: Sequence[int], *, at: datetime, reason: str) -> int:
    """No longer wanted, such as an escalation of what somebody has taken note of meanwhile; they stay on record."""
    return _settle(connection, "withdraw_alert_intents", intent_ids, at, reason)


def read_intents(
    connection: Connection,
    *,
    alert_id: int | None = None,
    contact: str | None = None,
    planned_from: datetime | None = None,
    is_waiting: bool = False,
    limit: int | None = 1000,
) -> list[Intent]:
    """Intents about an alert, of a contact, or all, the newest first; `is_waiting`: only those still to be told."""
    parameters = {
        "alert_id": alert_id,
        "contact": contact,
        "planned_from": planned_from,
        "is_waiting": is_waiting,
        "limit": limit,
    }
    with read_transaction(connection):
        return [_intent(row) for row in connection.execute(query("alert_intents"), parameters, prepare=False)]


def next_due(connection: Connection) -> datetime | None:
    """When the next intent is due; None: nothing waits."""
    with read_transaction(connection):
        row = connection.execute(query("alert_intent_next_due")).fetchone()
    return None if row is None else row[0]


def intent_state(connection: Connection, *, planned_from: datetime | None = None) -> list[ContactState]:
    """How far each contact has been told, of what was planned from a moment on."""
    with read_transaction(connection):
        rows = connection.execute(query("alert_intent_state"), {"planned_from": planned_from}).fetchall()
    return [ContactState(*row) for row in rows]


def _settle(connection: Connection, statement: str, ids: Sequence[int], at: datetime, error: str = "") -> int:
    parameters = {"ids": list(ids), "at": at, "error": error[:_ERROR_CHARACTERS]}
    with transaction(connection):
        return connection.execute(query(statement), parameters).rowcount


def _intent(row: tuple[Any, ...]) -> Intent:
    number, key, contact, kind, park, alerts, *rest = row
    return Intent(number, key, contact, kind, park, tuple(alerts), *rest)
