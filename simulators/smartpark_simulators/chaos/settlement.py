"""Turns what was said into what counts, once it is known which messages the agents have accepted.

Works on the truth ledger of a park that awaited its agents (`simulate park --await-agents`) and has stopped.
"""

import sqlite3
from collections import Counter
from collections.abc import Mapping
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
    """And when whatever was delivered more than once became a letter each time."""

    @property
    def letters_least(self) -> int:
        """How many there must be."""
        return sum(one.letters for one in self.expected)


def settle(ledger: Path, accepted: Mapping[int, str], delivered: Counter[int]) -> Settled:
    """Enter accepted messages as handed over; `accepted` maps them to the agents that took them."""
    with closing(sqlite3.connect(ledger, isolation_level=None)) as database:
        database.execute("BEGIN")
        database.execute("CREATE TEMPORARY TABLE accepted (message INTEGER PRIMARY KEY)")
        database.executemany("INSERT INTO accepted VALUES (?)", [(number,) for number in accepted])
        database.execute(
            "INSERT OR IGNORE INTO reading SELECT point, time, value, status FROM said"
            " WHERE message IN (SELECT message FROM accepted)"
        )
        database.execute(
            "INSERT INTO expected_dead (kind, topic, time, letters) SELECT kind, topic, time, letters FROM said_dead"
            " WHERE message IN (SELECT message FROM accepted)"
        )
        rows = database.execute("SELECT message, letters, kind FROM said_dead").fetchall()
        expected = database.execute(
            "SELECT message, kind, time, letters FROM said_dead JOIN accepted USING (message)"
        ).fetchall()
        database.execute("COMMIT")
    most = sum(letters * (delivered[number] if kind == FaultKind.GARBAGE else 1) for number, letters, kind in rows)
    return Settled(tuple(ExpectedLetter(accepted[number], *row) for number, *row in expected), most)
