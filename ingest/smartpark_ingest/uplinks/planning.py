"""What an uplink is to tell: current numbers that its queue does not know, each judged and queued or withheld.

Live periods are looked at often, all that are looked after now and then: that finds what was corrected long after.

Only periods that have ended are looked at, and numbers that have stood still for a while: a day under way, or one
that is being computed anew just now, would be told several times over.
"""

import logging
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from datetime import time as time_of_day
from typing import Final

from smartpark.clock import PARK_ZONE
from smartpark.periods import Grain, period_containing, periods_between
from smartpark_storage import Connection, transaction
from smartpark_storage.uplinks import (
    Coverage,
    QueueEntry,
    WantedSeries,
    forget_uplink_items,
    queue_uplink_items,
    retire_uplink_items,
    uplink_due,
    uplink_overviews,
)

from smartpark_ingest.database import PatientDatabase
from smartpark_ingest.uplinks.kinds import Series, Uplink
from smartpark_ingest.uplinks.vitals import UplinkVitals

_log = logging.getLogger(__name__)

AT_ONCE: Final = 20_000
"""Numbers queued in one transaction."""
_FORGET_EVERY_S: Final = 3_600.0


def looked_after_since(uplink: Uplink, now: datetime) -> datetime:
    """Start of the oldest period that is told: the day in the settings, or as far back as the queue is kept."""
    first = datetime.combine(uplink.delivery.since, time_of_day.min, tzinfo=PARK_ZONE)
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


def expected_periods(covered: Coverage, now: datetime) -> int:
    """How many periods of a grain's items have ended since the oldest of them, those that nobody published too."""
    grain = Grain(covered.grain)
    return covered.items * len(periods_between(covered.oldest, period_containing(now, grain).start, grain))


def plan(connection: Connection, uplink: Uplink, since: datetime, now: datetime) -> int:
    """Queue what is due of periods from `since` on, at most `AT_ONCE` numbers; how many were looked at."""
    settled = now - timedelta(seconds=uplink.delivery.settle_s)
    wanted, first = wanted_series(uplink.series, now), max(since, looked_after_since(uplink, now))
    with transaction(connection):
        found = uplink_due(connection, uplink.name, wanted, since=first, settled=settled, limit=AT_ONCE)
        verdicts = [uplink.judge(number) for number in found]
        entries = [QueueEntry(n, v.digest, v.withheld) for n, v in zip(found, verdicts, strict=True)]
        queue_uplink_items(connection, uplink.name, entries, now)
    return len(found)


class Planner:
    """Plans in its turns, and lets go of what nobody asks for any more."""

    def __init__(
        self, database: PatientDatabase, uplink: Uplink, vitals: UplinkVitals, clock: Callable[[], datetime]
    ) -> None:
        self._database, self._uplink, self._vitals, self._clock = database, uplink, vitals, clock
        self._looked_s = self._looked_back_s = self._forgot_s = float("-inf")
        self._are_old_items_gone = False

    def look(self) -> bool:
        """Look for what is due, if it is time to; whether there is more of it."""
        delivery = self._uplink.delivery
        if time.monotonic() - self._looked_s < delivery.plan_s:
            return False
        self._retire()
        now = self._clock()
        is_thorough = time.monotonic() - self._looked_back_s >= delivery.look_back_s
        since = looked_after_since(self._uplink, now) if is_thorough else now - timedelta(hours=delivery.live_for_h)
        looked_at = self._database.run(lambda connection: plan(connection, self._uplink, since, now))
        self._vitals.planned += looked_at
        name = self._uplink.name
        (self._vitals.overview,) = self._database.run(lambda connection: uplink_overviews(connection, name))
        if looked_at == AT_ONCE:
            return True
        self._looked_s = time.monotonic()
        if is_thorough:
            self._looked_back_s = self._looked_s
        self._forget(now)
        return False

    def _retire(self) -> None:
        if not self._are_old_items_gone:
            name, items = self._uplink.name, [series.item for series in self._uplink.series]
            gone = self._database.run(lambda connection: retire_uplink_items(connection, name, items))
            if gone:
                _log.warning("uplink %s: %d periods wait under items that the settings do not name", name, gone)
            self._are_old_items_gone = True

    def _forget(self, now: datetime) -> None:
        if time.monotonic() - self._forgot_s < _FORGET_EVERY_S:
            return
        self._forgot_s = time.monotonic()
        name, since = self._uplink.name, looked_after_since(self._uplink, now)
        settled = now - timedelta(days=self._uplink.delivery.keep_days)
        gone = self._database.run(
            lambda connection: forget_uplink_items(connection, name, start_before=since, settled_before=settled)
        )
        if gone:
            _log.info("uplink %s: %d items of long ago are forgotten", name, gone)
