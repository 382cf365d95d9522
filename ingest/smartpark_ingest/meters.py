"""What a worker measures while it writes: how long, how much at once, how late. Counts stand in `counters`."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from smartpark.clock import MICROSECONDS
from smartpark.exposition import AGES, COUNTS, SECONDS, Histogram

from smartpark_ingest.outcomes import Admitted


@dataclass(slots=True)
class Meters:
    """Written by the worker's main thread, read by the port for metrics."""

    commit: Histogram = field(default_factory=lambda: Histogram(SECONDS))
    """Transactions that stored batches. [s]"""
    group: Histogram = field(default_factory=lambda: Histogram(COUNTS))
    """Readings stored in one transaction."""
    batch: Histogram = field(default_factory=lambda: Histogram(COUNTS))
    """Readings let in of one batch."""
    lag: Histogram = field(default_factory=lambda: Histogram(AGES))
    """From a batch's arrival to its commit. [s]"""
    newest_us: dict[str, int] = field(default_factory=dict[str, int])
    """Source time of the newest reading committed, by edge. [us since the epoch]"""
    clock_ahead_s: dict[str, float] = field(default_factory=dict[str, float])
    """How far the clock of an edge's newest status was ahead of its arrival. [s]"""

    def committed(self, admitted: Sequence[Admitted], stored: int, *, now_us: int) -> None:
        """Note a group that is in the database now, with how many of its readings were new."""
        self.group.observe(stored)
        for one in admitted:
            self.batch.observe(len(one.rows))
            self.lag.observe((now_us - one.envelope.received_us) / MICROSECONDS)
            if one.rows.size:
                edge, newest_us = one.envelope.edge, int(one.rows["time"].max())
                self.newest_us[edge] = max(self.newest_us.get(edge, newest_us), newest_us)

    def heard_clock(self, edge: str, said_us: int, received_us: int) -> None:
        """Compare an edge's clock with ours; what the message took on its way counts as being behind."""
        self.clock_ahead_s[edge] = (said_us - received_us) / MICROSECONDS
