"""One patient database connection: work is tried again until the database takes it or the worker must stop."""

import logging
import random
import threading
import time
from collections.abc import Callable
from typing import Final, TypeVar

from smartpark.errors import RetryableError, SmartparkError
from smartpark_storage import Connection, StorageUnavailableError, connect

from smartpark_ingest.counters import Counters

_log = logging.getLogger(__name__)

Result = TypeVar("Result")

_FIRST_WAIT_S: Final = 0.1
_LONGEST_WAIT_S: Final = 10.0
_GRACE_S: Final = 5.0
"""How long all work in hand together is still tried after the worker was asked to stop. [s]"""


_FAULTS_OF_THE_DATA: Final = ("22", "23")
"""SQLSTATE classes: data exception, integrity constraint violation."""


def is_fault_of_the_data(error: Exception) -> bool:
    """Whether the database refuses what is in the rows, so that repeating is useless and others are innocent."""
    # The driver's own classes stay in storage/; their SQLSTATE is the standard's.
    return str(getattr(error, "sqlstate", None) or "")[:2] in _FAULTS_OF_THE_DATA


class StoppedError(SmartparkError):
    """The worker was asked to stop while the database was away; nothing is lost, the edges send again."""


class PatientDatabase:
    """Runs work on a connection; reconnects and repeats while the trouble is of the kind that passes.

    Work must be a whole transaction that may be repeated: it may have been committed although the answer was lost.
    """

    def __init__(self, dsn: str, *, application: str, stop: threading.Event, counters: Counters) -> None:
        self._dsn = dsn
        self._application = application
        self._stop = stop
        self._counters = counters
        self._connection: Connection | None = None
        self._spent_s = 0.0
        self._give_up_s: float | None = None
        self.tried_s = time.monotonic()
        """When work was tried last, in monotonic seconds: also while the database is away something moves."""
        self.trouble = ""
        """Why work cannot be done just now."""
        self.waiting_since_s: float | None = None

    def take_spent_s(self) -> float:
        """Seconds spent on work since this was asked last, waiting for the database included."""
        spent_s, self._spent_s = self._spent_s, 0.0
        return spent_s

    def run(self, work: Callable[[Connection], Result]) -> Result:
        """Result of the work, however long it takes; `StoppedError` when the worker must end before."""
        began_s = time.monotonic()
        try:
            return self._insist(work)
        finally:
            self._spent_s += time.monotonic() - began_s

    def _insist(self, work: Callable[[Connection], Result]) -> Result:
        wait_s = _FIRST_WAIT_S
        while True:
            self.tried_s = time.monotonic()
            try:
                result = work(self._connected())
            except RetryableError as error:
                self._note_trouble(str(error))
                if isinstance(error, StorageUnavailableError):
                    self.close()
                if self._stop.is_set():
                    self._give_up_s = self._give_up_s or time.monotonic() + _GRACE_S
                    if time.monotonic() > self._give_up_s:
                        raise StoppedError from error
                _log.warning("%s; trying again in %.1f s", error, wait_s)
                self._counters.retries += 1
            else:
                self._note_trouble("")
                return result
            self._pause(wait_s * random.uniform(0.5, 1.0))  # noqa: S311  spreads load, hides nothing
            wait_s = min(2 * wait_s, _LONGEST_WAIT_S)

    def _note_trouble(self, trouble: str) -> None:
        self.trouble = trouble
        self.waiting_since_s = (self.waiting_since_s or self.tried_s) if trouble else None

    @property
    def waiting_s(self) -> float:
        """For how long work has been tried in vain, in seconds; 0 while all goes well."""
        since_s = self.waiting_since_s
        return 0.0 if since_s is None else time.monotonic() - since_s

    def close(self) -> None:
        """Close the connection; the next work opens another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _connected(self) -> Connection:
        if self._connection is None:
            self._connection = connect(self._dsn, application=self._application)
        return self._connection

    def _pause(self, seconds: float) -> None:
        # Waiting on the stop event ends at once when stop is asked; after that, short waits within the grace.
        if self._stop.is_set():
            time.sleep(min(seconds, 0.2))
        else:
            self._stop.wait(seconds)
