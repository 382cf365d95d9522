"""News of alerts within this process: one thread hears the database, and wakes the streams that it may concern.

What is heard is which park, never what; each stream then asks the database for what its own principal may see. The
thread starts with the first stream. While the database is away it tries again, and then wakes everybody.
"""

import asyncio
import logging
import threading
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

from smartpark.errors import SmartparkError
from smartpark_storage.alerts.listening import EVERYWHERE, hear_changes
from smartpark_storage.errors import StorageUnavailableError

MOST_STREAMS: Final = 200
"""Of one process."""
MOST_OF_ONE: Final = 20
"""Of one principal; a program needs one, a person one for each page that they look at."""
_AGAIN_S: Final = 2.0
_log = logging.getLogger(__name__)


class TooManyStreamsError(SmartparkError):
    """There are as many streams as there may be."""


class Ear:
    """One stream's: whether something may have happened that concerns it."""

    def __init__(self) -> None:
        self._woken = asyncio.Event()
        self._parks: set[str] = set()
        self._is_everywhere = False

    def hear(self, parks: frozenset[str] | None) -> None:
        """Note what has changed; in the event loop."""
        self._is_everywhere |= parks is EVERYWHERE
        self._parks |= parks or frozenset()
        self._woken.set()

    async def wait(self, most_s: float) -> bool:
        """Wait until something has changed, or for so long; whether it has."""
        try:
            async with asyncio.timeout(most_s):
                await self._woken.wait()
        except TimeoutError:
            return False
        return True

    def take(self, theirs: frozenset[str] | None) -> bool:
        """Whether what has changed may concern somebody who sees these parks (none: all); begins anew."""
        concerns = self._is_everywhere or theirs is None or not self._parks.isdisjoint(theirs)
        self._woken.clear()
        self._parks.clear()
        self._is_everywhere = False
        return concerns


class News:
    """Of one process."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._ears: set[Ear] = set()
        self._of: Counter[str] = Counter()
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def streams(self) -> int:
        """How many there are."""
        return len(self._ears)

    @contextmanager
    def listening(self, principal: str) -> Generator[Ear]:
        """An ear for one stream of somebody; in the event loop.

        Raises
        ------
        TooManyStreamsError
            When there are as many as there may be.
        """
        if len(self._ears) >= MOST_STREAMS or self._of[principal] >= MOST_OF_ONE:
            raise TooManyStreamsError(f"{len(self._ears)} streams are open, {self._of[principal]} of {principal}")
        ear = Ear()
        self._ears.add(ear)
        self._of[principal] += 1
        self._begin(asyncio.get_running_loop())
        try:
            yield ear
        finally:
            self._ears.discard(ear)
            self._of[principal] -= 1
            self._of += Counter()  # forgets those who have none any more

    def close(self) -> None:
        """Hear no more."""
        self._over.set()
        if self._thread is not None:
            self._thread.join()

    def _begin(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._hear, args=(loop,), name="alert news", daemon=True)
            self._thread.start()

    def _hear(self, loop: asyncio.AbstractEventLoop) -> None:
        while not self._over.is_set():
            try:
                for parks in hear_changes(self._dsn, application="smartpark api news", is_over=self._over.is_set):
                    if loop.is_closed():
                        return
                    loop.call_soon_threadsafe(self._tell, parks)
            except StorageUnavailableError as error:
                _log.warning("news of alerts: %s; trying again", error)
                self._over.wait(_AGAIN_S)

    def _tell(self, parks: frozenset[str] | None) -> None:
        for ear in self._ears:
            ear.hear(parks)
