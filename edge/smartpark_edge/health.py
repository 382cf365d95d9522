"""Counters of one source, written by its threads and read by the status; plain numbers, no history."""

import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from smartpark.clock import MICROSECONDS
from smartpark.wire import SourceStatus

_AHEAD_US: Final = 5 * 60 * MICROSECONDS
"""As much as ingest lets a clock be ahead."""


@dataclass(slots=True)
class SourceHealth:
    """How one source fares. The lock is for the few places where two threads add to one number."""

    name: str
    connected: bool = False
    subscribed: bool = False
    """Everything it should hear, it hears."""
    last_reading: int | None = None
    readings: int = 0
    problems: int = 0
    ignored: int = 0
    """Known messages without readings."""
    lost: int = 0
    """What came faster than it could be written down and cannot be asked for again."""
    overflows: int = 0
    """OPC UA: values that the server had to throw away before we fetched them."""
    server_times: int = 0
    """OPC UA: readings stamped by the server because the source gave no time."""
    arrival_times: int = 0
    note: str = ""
    """Last trouble with the connection."""
    rounded: set[str] = field(default_factory=set[str])
    """Points whose values are finer than their resolution."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def heard(self, newest: int, arrival: int) -> None:
        """Note the source time of a good reading; a clock far ahead must not make a silent source look alive."""
        if (self.last_reading or 0) < newest <= arrival + _AHEAD_US:
            self.last_reading = newest

    def status(self) -> SourceStatus:
        """For the edge's status message."""
        return SourceStatus(
            name=self.name,
            connected=self.connected and self.subscribed,
            last_reading=self.last_reading,
            readings=self.readings,
            problems=self.problems,
            detail="; ".join(self._details()),
        )

    def _details(self) -> Iterable[str]:
        if self.note:
            yield self.note
        for count, words in (
            (self.ignored, "messages without readings"),
            (self.lost, "lost: came too fast"),
            (self.overflows, "overflows at the OPC UA server"),
            (self.server_times, "stamped by the server"),
            (self.arrival_times, "stamped on arrival"),
        ):
            if count:
                yield f"{count} {words}"
        if self.rounded:
            yield f"rounded to their resolution: {', '.join(sorted(self.rounded)[:5])}"
