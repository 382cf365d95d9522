"""Learning what is usual beside the loop that judges: in a thread, on a connection of its own, one rule at a time.

Weeks of many points take minutes to read and to fit, and nobody's alert may wait for that. The thread changes nothing
that the loop uses: what it has learnt lies ready until the loop takes it, between two turns. Until then a rule judges
by what it had learnt before, or not at all when it is new. What was learnt is kept as long as the rule and its
objects are the same, and learnt anew after a day.

A fault of numbers ends the lesson of that rule alone; a database that is away only puts lessons off.
"""

import logging
import queue
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

from smartpark.errors import RetryableError
from smartpark_analytics.alerts.evaluating import Detection
from smartpark_storage import Connection, connect

from smartpark_ingest.alerting.history import History
from smartpark_ingest.alerting.rules_in_force import FAULTS, InForce, lessons
from smartpark_ingest.alerting.surroundings import Scene
from smartpark_ingest.alerting.values import Values, joined

_log = logging.getLogger(__name__)

ANEW: Final = timedelta(days=1)
"""What was learnt longer ago is learnt anew."""
_AGAIN_S: Final = 60.0
"""Wait after a lesson that the database did not allow. [s]"""
_LAST_S: Final = 10.0
"""How long the end of a lesson is waited for. [s]"""


@dataclass(frozen=True, slots=True)
class Learnt:
    """What became of a lesson."""

    code: str
    basis: bytes
    """Of which rule and objects; equal for equal ones."""
    at: datetime
    detection: Detection | None
    """None: there was a fault."""
    trouble: str = ""


class Learning:
    """What rules have learnt, and the thread in which they learn.

    Parameters
    ----------
    dsn : str, optional
        Where the thread reads; none: nobody learns beside, and this only remembers.
    """

    def __init__(self, dsn: str | None) -> None:
        self._dsn = dsn
        self._known: dict[str, Learnt] = {}
        self._ready: queue.SimpleQueue[Learnt] = queue.SimpleQueue()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._not_before_s = float("-inf")

    @property
    def is_beside(self) -> bool:
        """Whether rules learn beside the loop."""
        return self._dsn is not None

    @property
    def is_busy(self) -> bool:
        """Whether somebody learns, or what was learnt lies ready."""
        return not self._ready.empty() or (self._thread is not None and self._thread.is_alive())

    def recall(self, one: InForce, scene: Scene) -> bool:
        """Let a rule judge by what was learnt of the same rule and objects; says whether there was any."""
        known = self._known.get(one.rule.code)
        if known is None or known.detection is None or known.basis != basis(one, scene):
            return False
        one.evaluation.know(known.detection)
        return True

    def wanting(self, rules: Iterable[InForce], now: datetime) -> list[InForce]:
        """Rules that have not learnt yet, or long ago."""
        return [
            one
            for one in rules
            if one.evaluation.history_us
            and one.keys
            and not one.trouble
            and not (one.evaluation.is_learnt and now - self._known[one.rule.code].at < ANEW)
        ]

    def begin(self, rules: Sequence[InForce], scene: Scene, now: datetime) -> None:
        """Let rules learn, unless others still do."""
        if not rules or self._dsn is None or self.is_busy or time.monotonic() < self._not_before_s:
            return
        self._thread = threading.Thread(
            target=self._teach, args=(self._dsn, tuple(rules), scene, now), name="learning", daemon=True
        )
        self._thread.start()

    def take(self, rules: Iterable[InForce], scene: Scene) -> list[tuple[InForce, Learnt]]:
        """What has become known since of rules as they are now; it is remembered."""
        found: list[tuple[InForce, Learnt]] = []
        by_code = {one.rule.code: one for one in rules}
        while not self._ready.empty():
            learnt = self._ready.get()
            one = by_code.get(learnt.code)
            if one is not None and learnt.basis == basis(one, scene):
                self._known[learnt.code] = learnt
                found.append((one, learnt))
        return found

    def close(self) -> None:
        """Nobody needs to learn any more."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(_LAST_S)

    def _teach(self, dsn: str, rules: Sequence[InForce], scene: Scene, now: datetime) -> None:
        try:
            with connect(dsn, application="smartpark alerts: learning") as connection:
                history = History(connection)
                for one in rules:
                    learnt = self._lesson(connection, history, scene, one, now)
                    if learnt is None:
                        return
                    self._ready.put(learnt)
        except RetryableError as error:
            self._not_before_s = time.monotonic() + _AGAIN_S
            _log.warning("rules go on learning in %.0f s: %s", _AGAIN_S, error)
        except Exception:  # noqa: BLE001  whatever it was, it is told, and another thread begins
            # A thread that ends in silence would leave rules without what they need; the loop begins another one.
            self._not_before_s = time.monotonic() + _AGAIN_S
            _log.exception("rules go on learning in %.0f s", _AGAIN_S)

    def _lesson(
        self, connection: Connection, history: History, scene: Scene, one: InForce, now: datetime
    ) -> Learnt | None:
        """What a rule learns; none: nobody needs it any more."""
        began_s, of = time.monotonic(), basis(one, scene)
        parts: list[Values] = []
        for part in lessons(connection, history, scene, one, now):
            if self._stop.is_set():
                return None
            parts.append(part)
        try:
            detection = one.evaluation.learnt_from(scene.samples(joined(parts)))
        except FAULTS as error:
            _log.exception("rule %s could not learn what is usual", one.rule.code)
            return Learnt(one.rule.code, of, now, None, f"{type(error).__name__}: {error}")
        _log.info("rule %s has learnt what is usual in %.1f s", one.rule.code, time.monotonic() - began_s)
        return Learnt(one.rule.code, of, now, detection)


def basis(one: InForce, scene: Scene) -> bytes:
    """What a rule looks at, and how; equal for equal ones, whatever the numbers of series are today."""
    watched = one.evaluation.watched
    found = sha256(one.rule.model_dump_json().encode())
    found.update("\n".join(key.object for key in one.keys).encode())
    for channel, feed in sorted(watched.feeds.items()):
        found.update(channel.encode() + scene.point_ids(feed.series).tobytes() + feed.row.tobytes())
    for numbers in (watched.channel_of, watched.object_of, watched.resolution):
        found.update(b"|" + numbers.tobytes())
    return found.digest()
