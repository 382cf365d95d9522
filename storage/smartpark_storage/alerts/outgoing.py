"""Intents that still wait for more of the same matter, how many a contact has had, and whom alerts were told to."""

import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from smartpark_storage.alerts.intents import LEASE, Intent
from smartpark_storage.connections import Connection, read_transaction, transaction
from smartpark_storage.queries import query


def claim_next(
    connection: Connection, now: datetime, *, lease: timedelta = LEASE, except_contacts: Collection[str] = ()
) -> Intent | None:
    """Take what has been due longest into this sender's hand; None: nothing is due but for `except_contacts`.

    Of one contact and group what was planned first comes first, and nothing after it before it is settled.
    """
    parameters = {"now": now, "lease_until": now + lease, "except_contacts": sorted(except_contacts)}
    with transaction(connection):
        row = connection.execute(query("claim_next_alert_intent"), parameters).fetchone()
    return None if row is None else _intent(row)


@dataclass(frozen=True, slots=True)
class Extension:
    """What an intent says now."""

    intent_id: int
    alerts: tuple[int, ...]
    body: Mapping[str, Any]
    park: str | None
    """None: of several parks."""


def collecting_intents(connection: Connection, contacts: Collection[str], now: datetime) -> list[Intent]:
    """Intents of some contacts that nobody has tried and that are not due yet, held until this transaction ends."""
    if not contacts:
        return []
    parameters = {"contacts": sorted(contacts), "now": now}
    with transaction(connection):
        rows = connection.execute(query("collecting_alert_intents"), parameters).fetchall()
    return [_intent(row) for row in rows]


def extend_intents(connection: Connection, extensions: Sequence[Extension]) -> int:
    """Make intents of `collecting_intents` say more; how many were changed."""
    if not extensions:
        return 0
    parameters = {
        "ids": [one.intent_id for one in extensions],
        "alerts": [f"{{{','.join(map(str, one.alerts))}}}" for one in extensions],
        "bodies": [json.dumps(one.body, ensure_ascii=False, allow_nan=False) for one in extensions],
        "parks": [one.park for one in extensions],
    }
    with transaction(connection):
        return connection.execute(query("extend_alert_intents"), parameters).rowcount


def planned_since(
    connection: Connection, contacts: Collection[str], start: datetime, *, except_kinds: Collection[str]
) -> dict[str, int]:
    """How many messages were planned for each contact after a moment, but for some kinds."""
    parameters = {"contacts": sorted(contacts), "planned_from": start, "except_kinds": sorted(except_kinds)}
    with read_transaction(connection):
        return dict(connection.execute(query("alert_intents_planned"), parameters).fetchall())


def told_contacts(connection: Connection, alerts: Collection[int]) -> dict[int, tuple[str, ...]]:
    """Contacts that were, or will be, told of each of some alerts."""
    found: defaultdict[int, list[str]] = defaultdict(list)
    if alerts:
        with read_transaction(connection):
            for alert_id, contact in connection.execute(query("alert_told_contacts"), {"alerts": sorted(alerts)}):
                found[alert_id].append(contact)
    return {alert_id: tuple(contacts) for alert_id, contacts in found.items()}


def told_facts(connection: Connection, contacts: Collection[str]) -> dict[str, list[dict[str, Any]]]:
    """By contact the newest facts, as they were told, of every alert that still fires and that it was told of."""
    found: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    if contacts:
        with read_transaction(connection):
            for contact, item in connection.execute(
                query("told_facts_of_firing_alerts"), {"contacts": sorted(contacts)}
            ):
                found[contact].append(item)
    return dict(found)


def _intent(row: tuple[Any, ...]) -> Intent:
    number, key, contact, kind, park, alerts, *rest = row
    return Intent(number, key, contact, kind, park, tuple(alerts), *rest)
