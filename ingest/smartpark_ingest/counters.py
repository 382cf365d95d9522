"""What a worker has done so far, in one place: for the summary line now, for metrics later."""

from dataclasses import dataclass, fields


@dataclass(slots=True)
class Counters:
    """Counts since the worker started; the main thread and the intake's callbacks write, each its own."""

    messages: int = 0
    """Messages taken from the queue."""
    batches_new: int = 0
    """Batches stored."""
    batches_known: int = 0
    """Batches that the ledger already had: acknowledged again, not stored again."""
    readings: int = 0
    """Readings stored."""
    dead_letters: int = 0
    """Dead letters stored."""
    transactions: int = 0
    retries: int = 0
    """Transactions tried again because the database was away or busy."""
    poison_batches: int = 0
    """Batches that the database refused for what is in them; every reading became a dead letter."""
    parked: int = 0
    """Batches that had to wait for a birth."""
    rebirths_asked: int = 0
    malformed: int = 0
    """Messages that could not be read, repetitions included."""
    acks: int = 0
    shed: int = 0
    """Messages set aside unread because the queue was full; their edges send them again."""
    foreign: int = 0
    """Messages of edges of other shards."""
    connections: int = 0
    """Connections to the broker so far."""

    def summary(self) -> str:
        """One line: what is not zero."""
        told = (f"{field.name} {getattr(self, field.name)}" for field in fields(self))
        return ", ".join(part for part in told if not part.endswith(" 0")) or "nothing yet"
