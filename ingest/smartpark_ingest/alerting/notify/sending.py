"""Sending what is planned: threads that claim a message each, hand it over and note it; patient, and not for ever.

A claimed message is in one sender's hand until its lease ends. A sender that dies loses it to the next one, so that
what it had handed over and not noted is sent once more, under the same name. A contact that does not take messages
is left alone for longer and longer, and holds nobody else up; of one matter what was planned first is sent first.
"""

import logging
import random
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from smartpark.alerts.routes import Contact
from smartpark.clock import utc_now
from smartpark.exposition import Family, Kind, Sample, counter, gauge
from smartpark_storage import Connection
from smartpark_storage.alerts import Intent, claim_next, give_up_intents, read_contacts, retry_intents, sent_intents

from smartpark_ingest.alerting.notify.alertmanager import REPEAT
from smartpark_ingest.alerting.notify.channels import Ways, hand_over, spacing_s
from smartpark_ingest.alerting.notify.message import Message, NotTakenError, RefusedError
from smartpark_ingest.alerting.notify.repeating import repeat
from smartpark_ingest.alerting.notify.wording import words_of
from smartpark_ingest.counters import Counters
from smartpark_ingest.database import PatientDatabase, StoppedError

_log = logging.getLogger(__name__)

LEASE: Final = timedelta(seconds=90)
"""Longer than any way takes for one message, so that nobody else sends it meanwhile."""
NEWS_FOR: Final = timedelta(days=2)
"""What was planned so long ago, which is longer than anything waits for its digest, is no news: it is given up."""
THREADS: Final = 4
POLL_S: Final = 1.0
_FIRST_WAIT_S: Final = 5.0
_LONGEST_WAIT_S: Final = 600.0
_AFTER_FAULT_S: Final = 5.0


def wait_after(failures: int) -> timedelta:
    """How long until the next attempt after so many that failed, before it is spread.

    Examples
    --------
    >>> [wait_after(n).total_seconds() for n in (1, 2, 3, 20)]
    [5.0, 10.0, 20.0, 600.0]
    """
    return timedelta(seconds=min(_LONGEST_WAIT_S, _FIRST_WAIT_S * 2 ** min(failures - 1, 16)))


@dataclass(slots=True)
class Tally:
    """What senders have done; under the lock of whoever holds it."""

    sent: Counter[str] = field(default_factory=Counter[str])
    """By channel."""
    put_off: Counter[str] = field(default_factory=Counter[str])
    given_up: Counter[str] = field(default_factory=Counter[str])


@dataclass(slots=True)
class _Rest:
    until: datetime
    failures: int = 0


class Gate:
    """Which contacts are left alone just now: being told, told a moment ago, or not answering."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._busy: set[str] = set()
        self._rests: dict[str, _Rest] = {}

    def closed(self, now: datetime) -> frozenset[str]:
        """Contacts of which nothing may be claimed."""
        with self._lock:
            return frozenset(self._busy | {code for code, rest in self._rests.items() if rest.until > now})

    def enter(self, contact: str) -> None:
        """It is being told now, until `told` or `failed`."""
        with self._lock:
            self._busy.add(contact)

    def told(self, contact: str, until: datetime) -> None:
        """It answered; nothing more before `until`."""
        with self._lock:
            self._busy.discard(contact)
            self._rests[contact] = _Rest(until)

    def failed(self, contact: str, now: datetime) -> datetime:
        """It did not; when to try again."""
        with self._lock:
            self._busy.discard(contact)
            failures = self._rests.get(contact, _Rest(now)).failures + 1
            # Spread, so that what failed together is not tried again together.
            wait = wait_after(failures) * random.uniform(0.5, 1.0)  # noqa: S311  spreads load, hides nothing
            self._rests[contact] = _Rest(now + wait, failures)
            return now + wait

    def resting(self) -> Mapping[str, int]:
        """Contacts that do not answer, with how often in a row."""
        with self._lock:
            return {code: rest.failures for code, rest in self._rests.items() if rest.failures}


class Sender:
    """Threads that send what is due until they are stopped.

    Parameters
    ----------
    dsn : str
    ways : Ways
    stop : Event
        Set by whoever wants them to end; what is in hand is handed over and noted first.
    """

    def __init__(
        self,
        dsn: str,
        ways: Ways,
        stop: threading.Event,
        *,
        threads: int = THREADS,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._dsn, self._ways, self._stop, self._clock = dsn, ways, stop, clock
        self._gate, self._tally, self._lock = Gate(), Tally(), threading.Lock()
        self._work, self._claiming = threading.Condition(), threading.Lock()
        self._news = 0
        self.faults = 0
        """Turns that ended in something that nobody had thought of."""
        self._threads = [threading.Thread(target=self._run, name=f"sender {n}", daemon=True) for n in range(threads)]
        self._threads.append(threading.Thread(target=self._repeat, name="repeater", daemon=True))

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def wake(self) -> None:
        """Look at once: something has been planned. Also what ends waiting when `stop` is set."""
        with self._work:
            self._news += 1
            self._work.notify_all()

    def join(self, timeout_s: float | None = None) -> None:
        """Wait until all have ended, after `stop` was set."""
        self.wake()
        until_s = None if timeout_s is None else time.monotonic() + timeout_s
        for thread in self._threads:
            thread.join(None if until_s is None else max(0.0, until_s - time.monotonic()))

    @property
    def tally(self) -> Tally:
        """A copy of what has been done."""
        with self._lock:
            return Tally(Counter(self._tally.sent), Counter(self._tally.put_off), Counter(self._tally.given_up))

    def send_due(self) -> int:
        """Send in this thread what is due and may be sent now; how many messages were tried."""
        database = self._database()
        try:
            tried = 0
            while not self._stop.is_set() and self._one(database):
                tried += 1
            return tried
        finally:
            database.close()

    def obstacles(self) -> list[str]:
        """Contacts that do not take messages."""
        return [
            f"contact {code} has not taken a message {n} times in a row" for code, n in self._gate.resting().items()
        ]

    def families(self) -> Iterator[Family]:
        """Its metrics."""
        tally = self.tally
        for metric, meaning, counts in (
            ("sent_total", "Messages that were handed over.", tally.sent),
            ("put_off_total", "Attempts that did not work and are repeated later.", tally.put_off),
            ("given_up_total", "Messages given up; they stay on record.", tally.given_up),
        ):
            samples = [Sample(count, {"channel": channel}) for channel, count in sorted(counts.items())]
            yield Family(f"smartpark_alert_messages_{metric}", Kind.COUNTER, meaning, tuple(samples))
        yield counter(
            "smartpark_alert_sending_faults_total", "Turns that ended in a fault nobody had thought of.", self.faults
        )
        yield gauge("smartpark_alert_contacts_silent", "Contacts that take no message.", len(self._gate.resting()))

    def _database(self) -> PatientDatabase:
        return PatientDatabase(
            self._dsn, application="smartpark alerts sending", stop=self._stop, counters=Counters()
        )

    def _run(self) -> None:
        self._insist(self._turn)

    def _repeat(self) -> None:
        self._insist(self._repetition)

    def _turn(self, database: PatientDatabase) -> None:
        seen = self._news
        if not self._one(database):
            self._rest(seen)

    def _repetition(self, database: PatientDatabase) -> None:
        if not self._stop.wait(REPEAT.total_seconds()):
            repeat(database, self._ways, self._clock())

    def _insist(self, work: Callable[[PatientDatabase], None]) -> None:
        """Work until it is time to stop, whatever goes wrong: a sender that has ended would be missed by nobody."""
        database = self._database()
        try:
            while not self._stop.is_set():
                try:
                    work(database)
                except StoppedError:
                    return  # what is planned waits for the next process
                except Exception:  # noqa: BLE001  see above
                    _log.exception("sending: trying again in %.0f s", _AFTER_FAULT_S)
                    self.faults += 1
                    self._stop.wait(_AFTER_FAULT_S)
        finally:
            database.close()

    def _rest(self, seen: int) -> None:
        with self._work:
            if seen == self._news and not self._stop.is_set():
                self._work.wait(POLL_S)

    def _one(self, database: PatientDatabase) -> bool:
        """Send one message, if one is due; whether there was one."""
        found = self._claim(database)
        if found is None:
            return False
        try:
            self._settle(database, *found)
        except BaseException:  # raised again; the contact must not count as being told for ever
            self._gate.failed(found[0].contact, self._clock())
            raise
        return True

    def _claim(self, database: PatientDatabase) -> tuple[Intent, Contact | None] | None:
        """A message in this thread's hand, of a contact that no other thread tells."""
        with self._claiming:
            now = self._clock()
            closed = self._gate.closed(now)
            found = database.run(lambda connection: _claim(connection, now, closed))
            if found is not None:
                self._gate.enter(found[0].contact)
            return found

    def _settle(self, database: PatientDatabase, intent: Intent, contact: Contact | None) -> None:
        channel = "none" if contact is None else contact.channel.value
        try:
            self._hand_over(intent, contact)
        except NotTakenError as error:
            self._put_off(database, intent, channel, str(error))
        except RefusedError as error:
            self._gate.told(intent.contact, self._clock())
            self._give_up(database, intent, channel, str(error))
        except Exception as error:  # noqa: BLE001  a fault in one message, or in a plugin, must not end all others
            # Where, but not what it says: that may name an address.
            where = "".join(traceback.format_tb(error.__traceback__))
            _log.error("message %s: %s\n%s", intent.key, type(error).__name__, where)
            self._put_off(database, intent, channel, type(error).__name__)
        else:
            at = self._clock()
            database.run(lambda connection: sent_intents(connection, [intent.intent_id], at=at))
            self._gate.told(intent.contact, at + timedelta(seconds=spacing_s(contact.channel) if contact else 0))
            self._count(self._tally.sent, channel)

    def _hand_over(self, intent: Intent, contact: Contact | None) -> None:
        now = self._clock()
        if contact is None or not contact.is_active:
            raise RefusedError(f"there is no contact {intent.contact} any more")
        if now - intent.planned_at > NEWS_FOR:
            raise RefusedError(
                f"planned at {intent.planned_at:%Y-%m-%d %H:%M} UTC, it is no news any more; {intent.error}"
            )
        words = words_of(intent.body, contact.language, console=self._ways.console)
        hand_over(Message(intent.key, contact, words, intent.body, intent.planned_at, now), self._ways)

    def _put_off(self, database: PatientDatabase, intent: Intent, channel: str, error: str) -> None:
        now = self._clock()
        at = self._gate.failed(intent.contact, now)
        _log.warning("message %s (attempt %d): %s; trying again later", intent.key, intent.attempts, error)
        database.run(lambda connection: retry_intents(connection, [intent.intent_id], at, error))
        self._count(self._tally.put_off, channel)

    def _give_up(self, database: PatientDatabase, intent: Intent, channel: str, error: str) -> None:
        _log.error("message %s is given up: %s", intent.key, error)
        at = self._clock()
        database.run(lambda connection: give_up_intents(connection, [intent.intent_id], at=at, error=error))
        self._count(self._tally.given_up, channel)

    def _count(self, counts: Counter[str], channel: str) -> None:
        with self._lock:
            counts[channel] += 1


def _claim(connection: Connection, now: datetime, closed: frozenset[str]) -> tuple[Intent, Contact | None] | None:
    intent = claim_next(connection, now, lease=LEASE, except_contacts=closed)
    if intent is None:
        return None
    return intent, {one.code: one for one in read_contacts(connection)}.get(intent.contact)
