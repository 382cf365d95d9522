"""What an uplink would tell just now, for somebody who wants to see it first. It leaves no trace anywhere."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from smartpark.errors import SmartparkError
from smartpark_storage import Connection, transaction
from smartpark_storage.uplinks import (
    DueNumber,
    QueueEntry,
    open_uplink,
    queue_uplink_items,
    sendable_uplink_items,
    uplink_due,
)

from smartpark_ingest.uplinks.kinds import Uplink
from smartpark_ingest.uplinks.planning import AT_ONCE, looked_after_since, wanted_series


class _LookedAtError(SmartparkError):
    """Everything has been seen; nothing is kept."""


@dataclass(slots=True)
class Preview:
    """What would happen."""

    told: list[Mapping[str, Any]]
    withheld: list[tuple[DueNumber, str]]


def preview(connection: Connection, uplink: Uplink, now: datetime, *, limit: int) -> Preview:
    """Queue what is due, look at what would be sent, and undo it all."""
    found = Preview([], [])
    with suppress(_LookedAtError), transaction(connection):
        state = open_uplink(connection, uplink.name, uplink.kind)
        series = wanted_series(uplink.series, now)
        due = uplink_due(
            connection, uplink.name, series, since=looked_after_since(uplink, now), settled=now, limit=AT_ONCE
        )
        entries = [QueueEntry(n, v.digest, v.withheld) for n, v in ((n, uplink.judge(n)) for n in due)]
        queue_uplink_items(connection, uplink.name, entries, now)
        found.withheld = [(entry.due, entry.withheld) for entry in entries if entry.withheld][:limit]
        numbers = sendable_uplink_items(
            *(connection, uplink.name, {one.item: one.form for one in uplink.series}, uplink.ready(state, now), now),
            start_from=datetime.min.replace(tzinfo=UTC),
            start_before=now,
            limit=limit,
        )
        found.told = list(uplink.preview(numbers, state, now))
        raise _LookedAtError
    return found
