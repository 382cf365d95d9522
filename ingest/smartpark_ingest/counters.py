"""What a worker has done so far, in one place: for the summary line and for metrics (`vitals`)."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, fields

from smartpark_storage import DeadLetterRow


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
    letters: Counter[str] = field(default_factory=Counter[str])
    """Dead letters stored, by reason."""
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

    @property
    def dead_letters(self) -> int:
        """Dead letters stored."""
        return self.letters.total()

    def count_letters(self, letters: Iterable[DeadLetterRow]) -> None:
        """Letters that are stored now."""
        self.letters.update(letter.reason.value for letter in letters)

    def numbers(self) -> dict[str, int]:
        """Every plain count by its name."""
        return {one.name: getattr(self, one.name) for one in fields(self) if one.name != "letters"}

    def summary(self) -> str:
        """One line: what is not zero."""
        counts = {**self.numbers(), "dead_letters": self.dead_letters}
        return ", ".join(f"{name} {count}" for name, count in counts.items() if count) or "nothing yet"
