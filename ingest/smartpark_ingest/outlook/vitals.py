"""What an outlook worker says at its port: what it has kept, how long that took, which parks it could not compute."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from smartpark.exposition import Family, counter, gauge
from smartpark.vitals import Pulse

from smartpark_ingest.database import PatientDatabase

STUCK_S: Final = 1800.0
"""Two years of quarter-hours of a large park take a minute; half an hour one park never does. [s]"""


@dataclass(slots=True)
class Totals:
    """What a worker has done."""

    forecasts: int = 0
    headrooms: int = 0
    failures: int = 0
    forgotten: int = 0
    """Rows deleted because they are old."""


class OutlookVitals:
    """Of one worker."""

    def __init__(self, totals: Totals, database: PatientDatabase) -> None:
        self._totals, self._database = totals, database
        self._ran_s = time.monotonic()
        self._took_s: float | None = None
        self.made_at: datetime | None = None
        self.failing: dict[str, str] = {}
        """Parks that the newest round left out, and why."""
        self.pulse = Pulse("the outlook loop", STUCK_S)

    def ran(self, took_s: float, made_at: datetime) -> None:
        """A round over all parks is done."""
        self._ran_s, self._took_s, self.made_at = time.monotonic(), took_s, made_at

    def ailments(self) -> list[str]:
        """A loop that neither turns nor tries the database."""
        return self.pulse.ailments() if time.monotonic() - self._database.tried_s > STUCK_S else []

    def obstacles(self) -> list[str]:
        """What keeps the outlook from being that of now."""
        found = [f"{park}: {why}" for park, why in dict(self.failing).items()]
        if self._database.waiting_s:
            found.append(f"database: {self._database.trouble}; waiting for {self._database.waiting_s:.0f} s")
        return found

    def families(self) -> Iterator[Family]:
        """Everything."""
        totals = self._totals
        for metric, meaning, value in (
            ("forecasts_kept_total", "Forecasts of a park's load kept.", totals.forecasts),
            ("headroom_kept_total", "Runs of a park's free capacity kept.", totals.headrooms),
            ("failures_total", "Runs that could not be computed.", totals.failures),
            ("rows_forgotten_total", "Rows deleted because they are old.", totals.forgotten),
        ):
            yield counter(f"smartpark_outlook_{metric}", meaning, value)
        for metric, meaning, value in (
            ("database_waiting_seconds", "How long the database has not taken work.", self._database.waiting_s),
            ("loop_age_seconds", "Time since the loop last came round.", self.pulse.age_s),
            ("round_age_seconds", "Time since all parks had their runs.", time.monotonic() - self._ran_s),
        ):
            yield gauge(f"smartpark_outlook_{metric}", meaning, value)
        if self._took_s is not None:
            yield gauge("smartpark_outlook_round_seconds", "How long the newest round took.", self._took_s)
