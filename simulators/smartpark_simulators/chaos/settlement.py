"""Turns what was said into what counts, once it is known which messages the agents have accepted.

Works on the truth ledger of a park that awaited its agents (`simulate park --await-agents`) and has stopped.
"""

import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from smartpark_simulators.chaos.losses import ExpectedLetter
from smartpark_simulators.faults import FaultKind


@dataclass(frozen=True, slots=True)
class Settled:
    """What the ledger holds now."""

    expected: tuple[ExpectedLetter, ...]
    """Dead letters there must be."""
    letters_most: int
    """And with what a broker that had forgotten delivered anew, without its DUP flag."""

    @property
    def letters_least(self) -> int:
        """How many there must be."""
        return sum(one.letters for one in self.expected)


def settle(ledger: Path, accepted: set[int], fresh: Counter[int]) -> Settled:
    """Enter accepted messages as handed over."""
    with closing(sqlite3.connect(ledger, isolation_level=None)) as database:
        database.execute("BEGIN")
        database.execute("CREATE TEMPORARY TABLE accepted (message INTEGER PRIMARY KEY, fresh INTEGER)")
        database.executemany("INSERT INTO accepted VALUES (?, ?)", [(n, max(fresh[n], 1)) for n in accepted])
        database.execute(
            "INSERT OR IGNORE INTO reading SELECT point, time, value, status FROM said"
            " WHERE message IN (SELECT message FROM accepted)"
        )
        database.execute(
            "INSERT INTO expected_dead (kind, topic, time, letters) SELECT kind, topic, time, letters FROM said_dead"
            " WHERE message IN (SELECT message FROM accepted)"
        )
        # Garbage that was delivered and never acknowledged may have become a letter all the same.
        (most,) = database.execute(
            "SELECT coalesce(sum(CASE WHEN kind = ? THEN letters * coalesce(a.fresh, 1) ELSE letters END), 0)"
            " FROM said_dead LEFT JOIN accepted AS a USING (message)",
            (FaultKind.GARBAGE.value,),
        ).fetchone()
        expected = database.execute(
            "SELECT message, time, letters FROM said_dead JOIN accepted USING (message)"
        ).fetchall()
        database.execute("COMMIT")
    return Settled(tuple(ExpectedLetter(*row) for row in expected), int(most))
