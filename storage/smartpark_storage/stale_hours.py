"""Hours that gauges have touched: marked with the readings, claimed a day of a park at a time.

A mark stands for a device and an hour; `store_batches` sets it in the transaction that stores the readings. A writer
that finds the mark there holds it (FOR KEY SHARE) until it commits; a worker passes over marks that are held, and a
writer takes one that a worker has in hand for none and adds another. So a mark is deleted only by somebody who sees
all the readings that it stands for, and nobody ever waits. A claim whose transaction fails leaves its marks there.

Two workers never have the same day of a park in hand; when they add up the days of a month they take turns.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from smartpark.clock import from_us
from smartpark.derived_gauges import DERIVED_GAUGES

from smartpark_storage.connections import Connection, transaction
from smartpark_storage.queries import query

LEAPS: Final = 32
"""Days of a park that a worker tries before it takes them all for taken."""


@dataclass(frozen=True, slots=True)
class StaleDay:
    """An accounting day of a park in which hours are stale."""

    park: str
    start_us: int
    """Start of the accounting day. [µs]"""
    hours: dict[str, frozenset[int]]
    """Starts of the stale hours, per device. [µs]"""


def claim_stale_day(connection: Connection, *, closed_us: int) -> StaleDay | None:
    """Take the stale hours of one day of a park, the oldest first, into the caller's transaction.

    Parameters
    ----------
    connection : Connection
        Inside a transaction: the claim lasts until it ends.
    closed_us : int
        Hours that start before this instant are closed; later ones wait. [µs]
    """
    with transaction(connection):
        rows = connection.execute(query("claim_stale_day"), {"closed": from_us(closed_us), "leaps": LEAPS}).fetchall()
    if not rows:
        return None
    hours: dict[str, set[int]] = {}
    for _, device, hour, _ in rows:
        hours.setdefault(device, set()).add(hour)
    park, _, _, day = rows[0]
    return StaleDay(park, day, {device: frozenset(found) for device, found in hours.items()})


def stale_hours_of(connection: Connection, park: str, start_us: int, end_us: int) -> dict[str, frozenset[int]]:
    """Starts of the hours in [start, end) that are stale now, per device; nothing is taken. [µs]."""
    parameters = {"park": park, "start": from_us(start_us), "end": from_us(end_us)}
    hours: dict[str, set[int]] = {}
    with transaction(connection):
        for device, hour in connection.execute(query("stale_hours_of_park"), parameters):
            hours.setdefault(device, set()).add(hour)
    return {device: frozenset(found) for device, found in hours.items()}


def mark_hours_stale(connection: Connection, park: str, start_us: int, end_us: int) -> int:
    """Mark every hour of a park's gauges in [start, end), from their first reading to their last; returns how many.

    For recomputing: hours without readings among them publish nothing.
    """
    parameters = {
        "park": park,
        "start": from_us(start_us),
        "end": from_us(end_us),
        "derived": sorted(DERIVED_GAUGES),
    }
    with transaction(connection):
        return connection.execute(query("mark_hours_stale"), parameters).rowcount


def mark_device_hours_stale(connection: Connection, park: str, devices: Iterable[str], hour_us: int) -> None:
    """Mark one hour of some devices, in the caller's transaction."""
    with transaction(connection):
        connection.execute(
            query("mark_device_hours_stale"), {"park": park, "devices": sorted(devices), "hour": from_us(hour_us)}
        )


def lock_day(connection: Connection, park: str, start_us: int) -> None:
    """Wait until nobody has this accounting day in hand, and have it until the caller's transaction ends."""
    with transaction(connection):
        connection.execute(query("lock_day"), {"park": park, "day": from_us(start_us)})


def lock_rollup(connection: Connection, park: str) -> None:
    """Wait for the turn at adding up a park's days, and keep it until the caller's transaction ends."""
    with transaction(connection):
        connection.execute(query("lock_rollup"), {"park": park})
