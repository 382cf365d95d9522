"""Stores groups one after the other in a thread of its own, and answers for each in another one.

The database's connection must never wait for this program: while one group is being stored the next one stands ready,
and once a group is committed the connection goes on with the next while the acknowledgements are written. More than
that one waiting group would only be memory. What a group asks for, and what is said after it, are the caller's.
"""

import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Final, Self

_WAITING: Final = 1
"""Groups that may stand ready behind the one that is being stored."""

Answer = Callable[[], None]
"""What remains to be said and noted once a group is committed."""


class Storing:
    """Work in order; what goes wrong with it goes wrong in `submit`, `look` or `finish`."""

    def __init__(self, on_stored: Callable[[], None]) -> None:
        self._on_stored = on_stored
        self._storer = ThreadPoolExecutor(1, "storing")
        self._answerer = ThreadPoolExecutor(1, "answering")
        self._under_way: deque[Future[None]] = deque()
        self._answering: Future[None] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # After trouble a group that nobody has begun is left alone: unacknowledged, its edges send it again.
        self._storer.shutdown(cancel_futures=True)
        self._answerer.shutdown()

    @property
    def is_busy(self) -> bool:
        """Whether a group is not stored yet: so long the next one may grow."""
        return bool(self._under_way) and not self._under_way[-1].done()

    def submit(self, store: Callable[[], Answer]) -> float:
        """Have a group stored after those before it; returns the seconds that its place was waited for."""
        began_s = time.monotonic()
        self.look()
        while len(self._under_way) > _WAITING:
            self._under_way.popleft().result()
        waited_s = time.monotonic() - began_s
        self._under_way.append(self._storer.submit(self._run, store))
        self._under_way[-1].add_done_callback(lambda _: self._on_stored())
        return waited_s

    def look(self) -> None:
        """Raise what went wrong with groups that are done."""
        while self._under_way and self._under_way[0].done():
            self._under_way.popleft().result()

    def finish(self) -> None:
        """Wait until everything is stored and answered for."""
        while self._under_way:
            self._under_way.popleft().result()
        self._await_answer()

    def _run(self, store: Callable[[], Answer]) -> None:
        answer = store()
        self._await_answer()
        self._answering = self._answerer.submit(answer)

    def _await_answer(self) -> None:
        answering, self._answering = self._answering, None
        if answering is not None:
            answering.result()
