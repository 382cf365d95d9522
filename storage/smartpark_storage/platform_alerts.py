"""What a monitor told of the platform itself: kept once an event, with who was told of it. Nothing is removed.

An event is what has a fingerprint and a beginning. Told again it only says that it still holds, or that it is over;
what was over stays over. Whom to tell is decided elsewhere, in the same transaction.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from smartpark.alerts.platform import PlatformAlert
from smartpark.alerts.words import Severity

from smartpark_storage.connections import Connection, read_transaction, transaction
from smartpark_storage.errors import translate_errors
from smartpark_storage.queries import query


@dataclass(frozen=True, slots=True)
class Heard:
    """One event as a monitor tells it."""

    fingerprint: str
    event: PlatformAlert


@dataclass(frozen=True, slots=True)
class StoredPlatformAlert:
    """One event on record."""

    platform_alert_id: int
    fingerprint: str
    event: PlatformAlert
    reported_by: str
    first_at: datetime
    heard_at: datetime
    """When the monitor last said so."""
    told_at: datetime | None
    """When people were told that it holds; none: nobody was to be, yet."""
    over_told_at: datetime | None
    told_to: tuple[str, ...]
    """Contacts."""


@translate_errors()
def hear_platform_alerts(connection: Connection, heard: Sequence[Heard], *, by: str, at: datetime) -> None:
    """Keep what a monitor tells; of one event given twice the last counts."""
    events = [one.event for one in heard]
    parameters = {
        **_places(heard),
        "ends": [one.ends_at for one in events],
        "rules": [one.rule for one in events],
        "severities": [one.severity.value for one in events],
        "titles": [one.title for one in events],
        "titles_en": [one.title_en for one in events],
        "advices": [one.advice for one in events],
        "advices_en": [one.advice_en for one in events],
        "abouts": [json.dumps(dict(one.about), ensure_ascii=False) for one in events],
        "values": [one.value for one in events],
        "units": [one.unit for one in events],
        "by": by,
        "at": at,
    }
    with transaction(connection):
        connection.execute(query("platform_turn"))
        connection.execute(query("platform_hear"), parameters)
        connection.execute(query("platform_end_older"), _places(heard))


def _places(heard: Sequence[Heard]) -> Mapping[str, object]:
    return {"fingerprints": [one.fingerprint for one in heard], "starts": [one.event.starts_at for one in heard]}


@translate_errors()
def untold_platform_alerts(connection: Connection, fingerprints: Sequence[str]) -> list[StoredPlatformAlert]:
    """Events of some fingerprints of which people are still to be told, held until the caller's transaction ends."""
    with transaction(connection):
        rows = connection.execute(query("platform_untold"), {"fingerprints": sorted(set(fingerprints))}).fetchall()
    return [_stored(row) for row in rows]


@translate_errors()
def platform_alerts_told(connection: Connection, told: Mapping[int, Sequence[str]], *, at: datetime) -> None:
    """People are told of these now: by event the contacts; for what is over, those are kept that heard of it."""
    if told:
        parameters = {"ids": list(told), "contacts": [" ".join(codes) for codes in told.values()], "at": at}
        with transaction(connection):
            connection.execute(query("platform_told"), parameters)


def read_platform_alerts(
    connection: Connection, *, is_holding: bool = False, limit: int = 200
) -> list[StoredPlatformAlert]:
    """The newest events, those that hold first."""
    with read_transaction(connection):
        rows = connection.execute(query("platform_alerts"), {"holding": is_holding, "limit": limit}).fetchall()
    return [_stored(row) for row in rows]


def _stored(row: tuple[Any, ...]) -> StoredPlatformAlert:
    number, fingerprint, starts, ends, rule, severity, title, title_en, advice, advice_en, about, *rest = row
    value, unit, by, first_at, heard_at, told_at, over_told_at, told_to = rest
    event = PlatformAlert(
        rule, Severity(severity), title, title_en, advice, advice_en, about, starts, ends, value, unit
    )
    return StoredPlatformAlert(
        number, fingerprint, event, by, first_at, heard_at, told_at, over_told_at, tuple(told_to)
    )
