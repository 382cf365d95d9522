"""The process that keeps the load ahead and the free capacity of every park; it holds up nobody, and nobody it.

Each full hour, and each day at the park's midnight, has one run of every park. What was missed while nobody ran is
not made up for: a forecast that is made afterwards is none. A park that cannot be computed is told and left out; the
others have theirs.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from smartpark.clock import PARK_ZONE, utc_now
from smartpark.errors import RetryableError, SmartparkError
from smartpark.periods import Grain, period_containing
from smartpark.workdays import WorkdayCalendar
from smartpark_storage import describe_database
from smartpark_storage.connections import Connection
from smartpark_storage.emission_limits import keep_emission_limits
from smartpark_storage.outlooks import forget_outlooks, outlook_parks
from smartpark_storage.traffic import forget_traffic

from smartpark_ingest.counters import Counters
from smartpark_ingest.database import PatientDatabase, StoppedError, is_fault_of_the_data
from smartpark_ingest.outlook.computing import Moment, forecast_park, headroom_park
from smartpark_ingest.outlook.vitals import OutlookVitals, Totals

_log = logging.getLogger(__name__)

POLL_S: Final = 5.0
GRACE: Final = timedelta(minutes=5)
"""Time after an hour or a midnight in which its last readings may arrive and be derived."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is kept, how often and for how long."""

    parks: tuple[str, ...] = ()
    """Codes; none: all whose readings come here."""
    forecast_hours: int = 1
    headroom_days: int = 1
    days_ahead: int = 2
    forecasts_kept_days: int = 92
    headroom_kept_days: int = 1100


def forecast_moment(now: datetime, hours: int) -> datetime:
    """Newest moment that has a forecast: full hours counted from the park's midnight."""
    midnight = period_containing(now, Grain.DAY).start
    return midnight + (now - midnight) // timedelta(hours=hours) * timedelta(hours=hours)


def headroom_moment(now: datetime, days: int) -> datetime:
    """Newest midnight of the park that has a run of free capacity."""
    midnight = period_containing(now, Grain.DAY).start
    return midnight - timedelta(days=midnight.astimezone(PARK_ZONE).toordinal() % days)


class OutlookWorker:
    """Keeps what is due until `stop` is set."""

    def __init__(
        self,
        dsn: str,
        stop: threading.Event,
        calendar: WorkdayCalendar,
        wanted: Wanted,
        *,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._stop, self._calendar, self._wanted, self._clock = stop, calendar, wanted, clock
        self._database = PatientDatabase(dsn, application="smartpark outlook", stop=stop, counters=Counters())
        self._done: tuple[datetime, datetime] | None = None
        self._said = set[str]()
        self.totals = Totals()
        self.vitals = OutlookVitals(self.totals, self._database)

    def run(self) -> None:
        """Keep what is due, hour by hour, until asked to stop."""
        try:
            _log.info("outlook works on %s", self._database.run(describe_database).label)
            self._keep_limits()
            while not self._stop.is_set():
                self.vitals.pulse.beat()
                self._round(self._clock() - GRACE)
                self._stop.wait(POLL_S)
        except StoppedError as error:
            _log.warning("%s", error)
        finally:
            self._database.close()

    def run_once(self) -> None:
        """Keep what is due now, without waiting for readings that are on their way."""
        try:
            self._keep_limits()
            self._round(self._clock())
        finally:
            self._database.close()

    def _keep_limits(self) -> None:
        """Limits of stacks follow the table that this release brings."""
        report = self._database.run(lambda connection: keep_emission_limits(connection, at=self._clock()))
        for sentence in report.unknown:
            self._say_once(f"no limit: {sentence}")

    def _round(self, now: datetime) -> None:
        due = (forecast_moment(now, self._wanted.forecast_hours), headroom_moment(now, self._wanted.headroom_days))
        if due == self._done:
            return
        began_s, self.vitals.failing = time.monotonic(), {}
        for park in self._parks():
            if self._stop.is_set():
                return
            self._keep(park, *due)
        self._forget(now)
        self._done = due
        self.vitals.ran(time.monotonic() - began_s, due[0])

    def _parks(self) -> Sequence[str]:
        there, wanted = self._database.run(outlook_parks), self._wanted.parks
        if strangers := [park for park in wanted if park not in there]:
            raise SmartparkError(f"no park in service whose readings come here: {', '.join(strangers)}")
        return wanted or there

    def _keep(self, park: str, forecast_at: datetime, headroom_at: datetime) -> None:
        days = self._wanted.days_ahead
        self.totals.forecasts += self._try(
            park,
            lambda connection, moment: forecast_park(connection, park, moment, self._calendar, days=days),
            forecast_at,
        )
        self.totals.headrooms += self._try(
            park, lambda connection, moment: headroom_park(connection, park, moment), headroom_at
        )

    def _try(self, park: str, work: Callable[[Connection, Moment], bool], at: datetime) -> bool:
        """Whether a run was added; what is wrong with one park is no reason to leave out the others."""
        self.vitals.pulse.beat()
        moment = Moment(at, self._clock())
        try:
            return self._database.run(lambda connection: work(connection, moment))
        except (RetryableError, StoppedError):
            raise
        except Exception as error:
            if not (isinstance(error, SmartparkError) or is_fault_of_the_data(error)):
                raise
            self.totals.failures += 1
            self.vitals.failing[park] = str(error)
            self._say_once(f"{park}: {error}")
            return False

    def _forget(self, now: datetime) -> None:
        forecasts, headroom = (
            now - timedelta(days=days) for days in (self._wanted.forecasts_kept_days, self._wanted.headroom_kept_days)
        )
        self.totals.forgotten += self._database.run(
            lambda connection: forget_outlooks(connection, forecasts_before=forecasts, headroom_before=headroom)
        )
        # The API only adds to how it answered; this is the one worker that forgets by the hour.
        self.totals.forgotten += self._database.run(lambda connection: forget_traffic(connection, now))

    def _say_once(self, message: str) -> None:
        if message not in self._said:
            self._said.add(message)
            _log.warning("%s", message)
