"""Readings for the alerts' bench, committed by ingest's own writer; some break a limit, each on a device of its own.

Run as a program of its own, as ingest is: a `Feed` as JSON on stdin, on stdout one JSON line per injected breach,
with the moment at which its transaction had been committed, and a last line that says how far behind it fell.
"""

import json
import logging
import sys
import threading
import time
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from smartpark.clock import MICROSECONDS, utc_now_us
from smartpark_ingest.counters import Counters
from smartpark_ingest.database import PatientDatabase
from smartpark_ingest.letters import Envelope
from smartpark_ingest.outcomes import Admitted
from smartpark_ingest.writer import Writer
from smartpark_storage import READING_DTYPE, Registry, connect, load_registry

EDGES: Final = 8
CALM: Final = 500
"""What a point shows while nothing is wrong, about. [steps]"""


@dataclass(frozen=True, slots=True)
class Feed:
    """What to store."""

    dsn: str
    park: str
    every_s: float
    """Between two readings of a point. [s]"""
    commits_per_second: float
    seconds: float
    breaches: list[str]
    """Keys of points, in the order in which they break their limit, spread evenly over the time."""
    breach_value: int
    """What they show then, and on. [steps]"""
    boot: int


class Feeder:
    """Lets each point speak in its turn."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        with connect(feed.dsn, application="bench feeder") as connection:
            self._registry: Registry = load_registry(connection)
        records = sorted((r for r in self._registry.by_id.values() if r.park == feed.park), key=lambda r: r.key)
        self._ids = np.array([record.point_id for record in records], np.int32)
        self._slots = max(round(feed.every_s * feed.commits_per_second), 1)
        self._broken: dict[int, str] = {}
        database = PatientDatabase(feed.dsn, application="bench feeder", stop=threading.Event(), counters=Counters())
        self._writer = Writer(database, Counters())
        self._random = np.random.default_rng(7)

    def run(self) -> None:
        """Store until the time is over."""
        feed = self._feed
        began, number, behind = time.monotonic(), 0, 0.0
        every, n_commits = 1.0 / feed.commits_per_second, round(feed.seconds * feed.commits_per_second)
        waiting = list(feed.breaches)
        while number < n_commits:
            time.sleep(max(began + number * every - time.monotonic(), 0.0))
            behind = max(behind, time.monotonic() - began - number * every)
            wanted = round(len(feed.breaches) * (number + 1) / n_commits)
            self._commit(number, self._break(waiting, number, wanted - len(feed.breaches) + len(waiting)))
            number += 1
        print(json.dumps({"commits": number, "behind_s": round(behind, 3)}), flush=True)

    def _break(self, waiting: list[str], number: int, many: int) -> list[str]:
        """Points of this turn that break their limit from now on."""
        mine = set(self._ids[number % self._slots :: self._slots].tolist())
        chosen = [key for key in waiting if self._registry.by_key[key].point_id in mine][: max(many, 0)]
        for key in chosen:
            waiting.remove(key)
            self._broken[self._registry.by_key[key].point_id] = key
        return chosen

    def _commit(self, number: int, broken_now: list[str]) -> None:
        ids = self._ids[number % self._slots :: self._slots]
        now = utc_now_us()
        admitted: list[Admitted] = []
        for edge in range(EDGES):
            mine = ids[edge::EDGES]
            envelope = Envelope(f"bench-{edge}", "bench", now, self._feed.boot, number + 1)
            admitted.append(Admitted(envelope, number + 1, self._rows(mine, now)))
        self._writer.store(admitted, self._registry)
        committed = utc_now_us()
        for key in broken_now:
            print(json.dumps({"point": key, "committed_s": committed / MICROSECONDS}), flush=True)

    def _rows(self, ids: NDArray[np.int32], now: int) -> NDArray[np.void]:
        rows = np.zeros(ids.size, READING_DTYPE)
        rows["point_id"], rows["time"], rows["raw"] = ids, now, np.nan
        rows["scaled"] = CALM + self._random.integers(-20, 20, ids.size)
        broken = np.isin(ids, np.array(list(self._broken), np.int32))
        rows["scaled"][broken] = self._feed.breach_value
        return rows


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    given: dict[str, Any] = json.load(sys.stdin)
    Feeder(Feed(**given)).run()
