"""What derive needs beside the data itself: marks of its own, turns at a park, and whose grid a park counts by.

A park's indicators rest on many points, and workers share points, not parks. So a worker takes the park's turn before
it reads the intervals to sum: it then sees everything that those before it have committed.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from smartpark.clock import from_us

from smartpark_storage.connections import Connection, transaction
from smartpark_storage.derived import StaleSpan
from smartpark_storage.queries import query


def mark_spans_stale(connection: Connection, spans: Sequence[StaleSpan]) -> int:
    """Mark spans for derive, as if readings had come; those of points that are no counters are left out.

    Returns
    -------
    int
        Marks made.
    """
    parameters = {
        "points": [span.point_id for span in spans],
        "starts": [from_us(span.start_us) for span in spans],
        "ends": [from_us(span.end_us) for span in spans],
    }
    with transaction(connection):
        return connection.execute(query("mark_stale"), parameters).rowcount


class MonthOfPark(NamedTuple):
    """A part of the past that is recomputed as one."""

    park: str
    month: str
    """As ``2026-11``."""


def share_months(connection: Connection, months: Iterable[MonthOfPark]) -> None:
    """Keep recomputing away from these months until the caller's transaction ends; others may share them.

    Two that write the same quarter-hours must not do so from different views of the readings. Among those who derive
    what is stale, claims see to that; one who recomputes has no claims, so it takes the month.
    """
    with transaction(connection):
        connection.execute(query("share_months"), {"months": [" ".join(month) for month in months]})


def take_month(connection: Connection, month: MonthOfPark) -> None:
    """Wait until nobody works on this month, and have it alone until the caller's transaction ends."""
    with transaction(connection):
        connection.execute(query("take_month"), {"month": " ".join(month)})


def lock_parks(connection: Connection, parks: Iterable[str]) -> None:
    """Wait for the turn at these parks and keep it until the caller's transaction ends."""
    with transaction(connection):
        connection.execute(query("lock_parks"), {"parks": sorted(parks)})


def park_factor_scopes(connection: Connection) -> dict[str, str]:
    """Scope of the electricity factor of each park, such as ``provincial:FJ``."""
    with transaction(connection):
        return dict(connection.execute(query("park_factor_scopes")).fetchall())
