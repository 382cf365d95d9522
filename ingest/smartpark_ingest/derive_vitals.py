"""What a derive worker says at its port: what it has done, how long its steps take, how far it is behind.

How far behind: a worker that keeps up finds nothing stale every few seconds. So the time since it last found nothing
is how long it has been working without catching up; counting the marks in the database would cost more than it tells.
Told in docs/metrics.md.
"""

import time
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Final

from smartpark.exposition import SECONDS, Family, Histogram, counter, gauge
from smartpark.vitals import Pulse

from smartpark_ingest.database import PatientDatabase

if TYPE_CHECKING:
    from smartpark_ingest.derive_worker import Totals

STUCK_S: Final = 1800.0
"""A step over a long stretch of a large park may take minutes; half an hour it never does. [s]"""
BEHIND_S: Final = 900.0
"""A worker that has not caught up for a quarter-hour is behind the next one. [s]"""

_DONE: Final = {
    "steps": ("steps_total", "Steps done, those that found nothing included."),
    "readings": ("readings_total", "Readings read."),
    "intervals_changed": ("intervals_changed_total", "Quarter-hours written anew."),
    "indicators_published": ("indicators_published_total", "Revisions of indicators published."),
    "not_published": ("indicators_withheld_total", "Indicators not published because a factor is missing."),
}


class DeriveVitals:
    """Of one worker."""

    def __init__(self, totals: "Totals", database: PatientDatabase) -> None:
        self._totals, self._database = totals, database
        self._caught_up_s = time.monotonic()
        self._steps: dict[str, Histogram] = {}
        self.pulse = Pulse("the derive loop", STUCK_S)

    def begin_round(self) -> None:
        """Everything gets its turn."""
        self.pulse.beat()

    def found_nothing(self) -> None:
        """Nothing is stale just now."""
        self._caught_up_s = time.monotonic()

    def stepped(self, stepper: str, seconds: float, *, found_work: bool) -> None:
        """One step is done; those that found nothing are not worth a time."""
        self.pulse.beat()
        if found_work:
            self._steps.setdefault(stepper, Histogram(SECONDS)).observe(seconds)

    @property
    def behind_s(self) -> float:
        """How long it has been at work without catching up, in seconds."""
        return time.monotonic() - self._caught_up_s

    def ailments(self) -> list[str]:
        """A loop that neither turns nor tries the database."""
        return self.pulse.ailments() if time.monotonic() - self._database.tried_s > STUCK_S else []

    def obstacles(self) -> list[str]:
        """What keeps published numbers from being those of now."""
        if self._database.waiting_s:
            return [f"database: {self._database.trouble}; waiting for {self._database.waiting_s:.0f} s"]
        if self.behind_s > BEHIND_S:
            return [f"behind: something has been stale for {self.behind_s:.0f} s without a pause"]
        return []

    def families(self) -> Iterator[Family]:
        """Everything."""
        done = asdict(self._totals)
        for name, (metric, meaning) in _DONE.items():
            yield counter(f"smartpark_derive_{metric}", meaning, done[name])
        for metric, meaning, value in (
            ("behind_seconds", "Time since nothing was stale: how long it has not caught up.", self.behind_s),
            ("database_waiting_seconds", "How long the database has not taken work.", self._database.waiting_s),
            ("loop_age_seconds", "Time since the loop last came round.", self.pulse.age_s),
        ):
            yield gauge(f"smartpark_derive_{metric}", meaning, value)
        for stepper, histogram in dict(self._steps).items():
            yield histogram.family(
                "smartpark_derive_step_seconds", "Steps that found work, by what they derive.", {"stepper": stepper}
            )
