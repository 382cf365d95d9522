"""What an uplink is to tell: current numbers that its queue does not know, each judged and queued or withheld.

Only periods that have ended are looked at, and numbers that have stood still for a while: a day under way, or one
that is being computed anew just now, would be told several times over.
"""

from collections.abc import Sequence
from datetime import datetime, time, timedelta

from smartpark.clock import PARK_ZONE
from smartpark.periods import Grain, period_containing
from smartpark_storage import Connection, transaction
from smartpark_storage.uplinks import QueueEntry, WantedSeries, queue_uplink_items, uplink_due

from smartpark_ingest.uplinks.kinds import Series, Uplink

AT_ONCE = 5_000
"""Numbers queued in one transaction."""


def looked_after_since(uplink: Uplink, now: datetime) -> datetime:
    """Start of the oldest period that is told: the day in the settings, or as far back as the queue is kept."""
    first = datetime.combine(uplink.delivery.since, time.min, tzinfo=PARK_ZONE)
    return max(first, now - timedelta(days=uplink.delivery.keep_days))


def wanted_series(series: Sequence[Series], now: datetime) -> list[WantedSeries]:
    """Series with the start before which their periods have ended."""
    return [
        WantedSeries(
            item=one.item,
            packet=one.packet,
            form=one.form,
            park=one.park,
            boundary=one.boundary,
            indicator=one.indicator,
            grain=one.grain,
            before=period_containing(now, Grain(one.grain)).start,
        )
        for one in series
    ]


def plan(connection: Connection, uplink: Uplink, now: datetime) -> int:
    """Queue what is due, at most `AT_ONCE` numbers; how many were looked at."""
    settled = now - timedelta(seconds=uplink.delivery.settle_s)
    wanted, since = wanted_series(uplink.series, now), looked_after_since(uplink, now)
    with transaction(connection):
        found = uplink_due(connection, uplink.name, wanted, since=since, settled=settled, limit=AT_ONCE)
        verdicts = [uplink.judge(number) for number in found]
        entries = [QueueEntry(n, v.digest, v.withheld) for n, v in zip(found, verdicts, strict=True)]
        queue_uplink_items(connection, uplink.name, entries, now)
    return len(found)
