"""Trying again: after longer and longer waits, as long as the other side asks for, and not for ever where one waits.

The waits are spread, so that many pullers that lost a source do not all come back in the same second.
"""

import logging
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, TypeVar

from smartpark.errors import RetryableError, SmartparkError

_log = logging.getLogger(__name__)
Result = TypeVar("Result")

FIRST_WAIT_S: Final = 0.2
LONGEST_WAIT_S: Final = 120.0
LONGEST_ASKED_S: Final = 3600.0
"""A source may ask for longer, and is asked again after this all the same. [s]"""


class StoppedError(SmartparkError):
    """Asked to stop; what was pulled is stored, the next pull goes on from there."""


class OutOfPatienceError(SmartparkError):
    """The other side stayed away for longer than we were told to wait."""


@dataclass(slots=True)
class Patience:
    """How long to go on trying, and what has been tried."""

    stop: threading.Event
    most_s: float | None = None
    """Longest time without any success; None: for good. [s]"""
    first_wait_s: float = FIRST_WAIT_S
    longest_wait_s: float = LONGEST_WAIT_S
    retries: int = field(default=0, init=False)

    def insist(self, work: Callable[[], Result]) -> Result:
        """Result of `work`, which may be repeated; `OutOfPatienceError` tells the last trouble."""
        began_s, wait_s = time.monotonic(), self.first_wait_s
        while not self.stop.is_set():
            try:
                return work()
            except RetryableError as error:
                asked_s = getattr(error, "retry_after_s", None)
                pause_s = wait_s * random.uniform(0.5, 1.0)  # noqa: S311  spreads load, hides nothing
                if asked_s is not None:
                    pause_s = max(pause_s, min(asked_s, LONGEST_ASKED_S))
                spent_s = time.monotonic() - began_s
                if self.most_s is not None and spent_s + pause_s > self.most_s:
                    raise OutOfPatienceError(f"{error} (tried for {spent_s:.0f} s)") from error
                _log.warning("%s; trying again in %.1f s", error, pause_s)
                self.retries += 1
                self.stop.wait(pause_s)
                wait_s = min(2 * wait_s, self.longest_wait_s)
        raise StoppedError
