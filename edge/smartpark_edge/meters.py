"""What an agent measures while it works: how long it writes, how much goes together, how soon it is acknowledged."""

from dataclasses import dataclass, field

from smartpark.exposition import AGES, COUNTS, SECONDS, Histogram


@dataclass(slots=True)
class Meters:
    """Of one agent, for as long as its process lives; written by its threads, read by the port for metrics."""

    commit: Histogram = field(default_factory=lambda: Histogram(SECONDS))
    """Transactions that added to the spool. [s]"""
    batch: Histogram = field(default_factory=lambda: Histogram(COUNTS))
    """Readings in a sealed batch."""
    ack: Histogram = field(default_factory=lambda: Histogram(AGES))
    """From the last sending of a batch to its acknowledgement. [s]"""
