"""The publisher's side of the spool: pending batches by number, over a connection that cannot write."""

from pathlib import Path

from smartpark_edge.spool_file import SQL, connect, translate_sqlite
from smartpark_edge.spool_records import Counters, Stored


class SpoolReader:
    """The publisher's side: pending batches by number, over a connection that cannot write."""

    def __init__(self, path: Path) -> None:
        self._db = connect(path, read_only=True)

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    def live_after(self, sequence: int, limit: int) -> list[Stored]:
        """Pending batches of live readings beyond a number."""
        return self._batches("live_after", (sequence, limit))

    def backlog_after(self, sequence: int, live_from: int, limit: int) -> list[Stored]:
        """Pending batches beyond a number that are history, or not beyond `live_from`."""
        return self._batches("backlog_after", (sequence, live_from, limit))

    def one(self, sequence: int) -> Stored | None:
        """A batch, when it is still pending."""
        found = self._batches("one_pending", (sequence,))
        return found[0] if found else None

    def first_sealed_since(self, sequence: int, sealed_at: int) -> int | None:
        """First pending live batch beyond a number that is younger than an instant."""
        with translate_sqlite():
            return self._db.execute(SQL["first_sealed_since"], (sequence, sealed_at)).fetchone()[0]

    def floor(self) -> int:
        """Lowest number not yet acknowledged; without any, the next to be given."""
        with translate_sqlite():
            return self._db.execute(SQL["floor"]).fetchone()[0]

    def oldest_pending(self) -> int | None:
        """Earliest source time in the oldest batch not yet acknowledged; without any, in the oldest piece."""
        with translate_sqlite():
            found = self._db.execute(SQL["first_pending"]).fetchone()
            if found is not None:
                return found[1]
            piece = self._db.execute(SQL["first_piece"]).fetchone()
        return None if piece is None else piece[0]

    def span_pending(self) -> tuple[int, int] | None:
        """Source times of the first and the last reading not yet acknowledged; looks at every batch."""
        with translate_sqlite():
            first, last = self._db.execute(SQL["span_pending"]).fetchone()
        return None if first is None else (first, last)

    def pending_letters(self) -> int:
        """Dead letters not yet acknowledged; looks at every batch."""
        with translate_sqlite():
            return self._db.execute(SQL["count_pending_letters"]).fetchone()[0]

    def last_sequence(self) -> int:
        """Highest number given so far."""
        with translate_sqlite():
            return self._db.execute(SQL["last_sequence"]).fetchone()[0]

    def counters(self) -> Counters:
        """What the spool knows of itself."""
        with translate_sqlite():
            return Counters(*self._db.execute(SQL["counters"]).fetchone())

    def _batches(self, statement: str, parameters: tuple[int, ...]) -> list[Stored]:
        with translate_sqlite():
            return [Stored(*row) for row in self._db.execute(SQL[statement], parameters)]
