"""The process that tells: plans once a minute, sends as long as there is something, waits; outlives the database."""

import logging
import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

from smartpark.clock import utc_now
from smartpark.errors import SmartparkError
from smartpark.exposition import Family, counter, gauge
from smartpark.load_requests.rules import builtin_load_request_rules, load_load_request_rules
from smartpark.vitals import Pulse
from smartpark.workdays import CalendarNotCoveredError, builtin_workdays, load_workdays
from smartpark_storage import describe_database

from smartpark_ingest.counters import Counters
from smartpark_ingest.database import PatientDatabase, StoppedError
from smartpark_ingest.mail import MailServer
from smartpark_ingest.notices.planning import Office, PlanReport, plan
from smartpark_ingest.notices.sending import Channels, Sent, deliver_events, send_notices

_log = logging.getLogger(__name__)

PLAN_EVERY_S: Final = 60.0
POLL_S: Final = 2.0
"""Wait after a round that had nothing to send. [s]"""
STUCK_S: Final = 900.0
_YES_NO: Final = {"": False, "no": False, "yes": True}


def office_from_environment(environment: Mapping[str, str] | None = None) -> Office:
    """Rules and working days of the installation: ``SMARTPARK_LOAD_REQUEST_RULES``, ``SMARTPARK_WORKDAYS``."""
    given = os.environ if environment is None else environment
    rules, days = given.get("SMARTPARK_LOAD_REQUEST_RULES"), given.get("SMARTPARK_WORKDAYS")
    return Office(
        load_load_request_rules(Path(rules)) if rules else builtin_load_request_rules(),
        load_workdays(Path(days)) if days else builtin_workdays(),
    )


def channels_from_environment(environment: Mapping[str, str] | None = None) -> Channels:
    """How people and machines are reached.

    ``SMARTPARK_SMTP_*``, ``SMARTPARK_WEBHOOK_SECRETS``, ``SMARTPARK_WEBHOOKS_PRIVATE``, ``SMARTPARK_CONSOLE_URL``.
    """
    given = os.environ if environment is None else environment
    private = given.get("SMARTPARK_WEBHOOKS_PRIVATE", "")
    if private not in _YES_NO:
        raise SmartparkError(f"SMARTPARK_WEBHOOKS_PRIVATE is {private!r}; it is yes or no")
    secrets = given.get("SMARTPARK_WEBHOOK_SECRETS")
    return Channels(
        mail=MailServer.from_environment(given),
        webhook_secrets=Path(secrets) if secrets else None,
        webhooks_may_be_private=_YES_NO[private],
        console=given.get("SMARTPARK_CONSOLE_URL") or None,
    )


@dataclass(slots=True)
class Totals:
    """What a worker has done."""

    planned: Counter[str] = field(default_factory=Counter[str])
    mails: int = 0
    deliveries: int = 0
    put_off: int = 0
    given_up: int = 0

    def add(self, sent: Sent) -> None:
        """Count a round."""
        self.mails += sent.mails
        self.deliveries += sent.deliveries
        self.put_off += sent.put_off
        self.given_up += sent.given_up


class NoticeWorker:
    """Plans and sends until `stop` is set, or until nothing is due."""

    def __init__(
        self,
        dsn: str,
        stop: threading.Event,
        office: Office,
        channels: Channels,
        *,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._stop, self._office, self._channels, self._clock = stop, office, channels, clock
        self._database = PatientDatabase(dsn, application="smartpark notices", stop=stop, counters=Counters())
        self._said: set[str] = set()
        self.totals = Totals()
        self.vitals = NoticeVitals(self.totals, self._database)

    def run(self) -> None:
        """Plan and send until asked to stop."""
        planned_s = float("-inf")
        try:
            _log.info("notices are sent from %s", self._database.run(describe_database).label)
            while not self._stop.is_set():
                self.vitals.pulse.beat()
                if time.monotonic() - planned_s >= PLAN_EVERY_S:
                    self._plan()
                    planned_s = time.monotonic()
                if not self._send():
                    self._stop.wait(POLL_S)
        except StoppedError as error:
            _log.warning("%s", error)
        finally:
            self._database.close()

    def run_once(self) -> None:
        """Plan, and send what is due now."""
        try:
            self._plan()
            while not self._stop.is_set() and self._send():
                pass
        finally:
            self._database.close()

    def _plan(self) -> None:
        try:
            report = self._database.run(lambda connection: plan(connection, self._office, self._clock()))
        except CalendarNotCoveredError as error:
            # Webhooks are told all the same, and readiness says why people are not.
            self.vitals.plan_trouble = str(error)
            self._say_once(str(error))
            return
        self.vitals.plan_trouble = ""
        self.totals.planned.update(report.planned)
        self._tell(report)

    def _tell(self, report: PlanReport) -> None:
        if sum(report.planned.values()):
            _log.info("planned: %s", ", ".join(f"{kind} {n}" for kind, n in report.planned.items() if n))
        for code in report.unmanaged:
            self._say_once(f"{code}: somebody should be told, and its park has no project manager")
        if self._channels.mail is None and sum(report.planned.values()):
            self._say_once("no mail server is configured (SMARTPARK_SMTP_URL): what is planned for people waits")

    def _say_once(self, message: str) -> None:
        if message not in self._said:
            self._said.add(message)
            _log.warning("%s", message)

    def _send(self) -> bool:
        found = False
        for send in (send_notices, deliver_events):
            sent = send(self._database, self._channels, self._clock())
            self.totals.add(sent)
            found |= sent.found_work
        return found


class NoticeVitals:
    """What a worker says at its port."""

    def __init__(self, totals: Totals, database: PatientDatabase) -> None:
        self._totals, self._database = totals, database
        self.pulse = Pulse("the loop of notices", STUCK_S)
        self.plan_trouble = ""
        """Why nobody can be reminded just now."""

    def ailments(self) -> list[str]:
        """A loop that neither turns nor tries the database."""
        return self.pulse.ailments() if time.monotonic() - self._database.tried_s > STUCK_S else []

    def obstacles(self) -> list[str]:
        """What keeps people from being told."""
        found = [f"planning: {self.plan_trouble}"] if self.plan_trouble else []
        if self._database.waiting_s:
            found.append(f"database: {self._database.trouble}; waiting for {self._database.waiting_s:.0f} s")
        return found

    def families(self) -> Iterator[Family]:
        """Everything."""
        totals = self._totals
        for metric, meaning, value in (
            ("planned_total", "Notices planned.", sum(totals.planned.values())),
            ("mails_total", "Messages that a mail server took.", totals.mails),
            ("webhook_deliveries_total", "Events that a webhook took.", totals.deliveries),
            ("put_off_total", "Attempts that did not work and are repeated later.", totals.put_off),
            ("given_up_total", "Notices and deliveries given up; they stay on record.", totals.given_up),
        ):
            yield counter(f"smartpark_notices_{metric}", meaning, value)
        yield gauge(
            "smartpark_notices_database_waiting_seconds",
            "How long the database has not taken work.",
            self._database.waiting_s,
        )
