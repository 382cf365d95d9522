"""What the worker of an uplink says at its port."""

import time
from collections.abc import Iterator
from datetime import datetime
from typing import Final

from smartpark.exposition import Family, counter, gauge
from smartpark.vitals import Pulse
from smartpark_storage.uplinks import UplinkOverview

from smartpark_ingest.database import PatientDatabase
from smartpark_ingest.uplinks.kinds import Reply, Uplink

STUCK_S: Final = 900.0


class UplinkVitals:
    """Counts of one worker, and how its queue stood when it was last looked over."""

    def __init__(self, uplink: Uplink, database: PatientDatabase) -> None:
        self._uplink, self._database = uplink, database
        self.pulse = Pulse(f"the loop of uplink {uplink.name}", STUCK_S)
        self.trouble = ""
        """Why the platform cannot be told just now."""
        self.is_turn_missing = False
        self.overview: UplinkOverview | None = None
        self.planned = self.told = self.taken = self.refused = 0
        self.newest_taken: datetime | None = None

    def count(self, reply: Reply, now: datetime) -> None:
        """An answer of the platform's."""
        self.taken += len(reply.taken)
        self.refused += len(reply.refused)
        if reply.taken:
            self.newest_taken = now

    def ailments(self) -> list[str]:
        """A loop that neither turns nor tries the database."""
        return self.pulse.ailments() if time.monotonic() - self._database.tried_s > STUCK_S else []

    def obstacles(self) -> list[str]:
        """What keeps the platform from being told."""
        found = [f"platform: {self.trouble}"] if self.trouble else []
        if self.is_turn_missing:
            found.append("another worker serves this uplink")
        if self._database.waiting_s:
            found.append(f"database: {self._database.trouble}; waiting for {self._database.waiting_s:.0f} s")
        return found

    def families(self) -> Iterator[Family]:
        """Everything."""
        labels = {"uplink": self._uplink.name}
        for metric, meaning, value in (
            ("planned_total", "Numbers looked at because the queue did not know them.", self.planned),
            ("told_total", "Items sent, repetitions included.", self.told),
            ("acknowledged_total", "Items that the platform took.", self.taken),
            ("refused_total", "Items that the platform answered and did not take.", self.refused),
        ):
            yield counter(f"smartpark_uplink_{metric}", meaning, value, labels)
        seen = self.overview
        for metric, meaning, value in (
            ("waiting", "Items that are still to be told.", None if seen is None else seen.waiting),
            ("withheld", "Periods that are not told, as they have no good value.", seen and seen.withheld),
            (
                "oldest_waiting_timestamp_seconds",
                "Start of the oldest period that is still to be told.",
                None if seen is None or seen.oldest_waiting is None else seen.oldest_waiting.timestamp(),
            ),
            (
                "newest_acknowledged_timestamp_seconds",
                "When the platform last took something from this worker.",
                None if self.newest_taken is None else self.newest_taken.timestamp(),
            ),
            ("trouble", "1 while the platform cannot be told.", float(bool(self.trouble))),
            (
                "database_waiting_seconds",
                "How long the database has not taken work.",
                self._database.waiting_s,
            ),
        ):
            yield gauge(f"smartpark_uplink_{metric}", meaning, value, labels)
        yield from self._uplink.families()
