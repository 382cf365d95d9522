"""Comparing what the database holds with the truth ledger of a simulated park.

The ledger is an SQLite file in which the simulators wrote every reading they handed over, every message that had to
end as dead letters, and what really flowed. Readings are compared one by one, exactly, inside the database; sums of
energy and carbon only over the periods that both sides know completely. Nothing is changed.

What the ledger calls *said* was shown or sent without a word that anybody took it: it may be stored or not, but not
twice, and not altered.
"""

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from smartpark.clock import from_us, parse_instant
from smartpark.errors import SmartparkError

from smartpark_storage.connections import Connection, describe_database, transaction
from smartpark_storage.queries import query

_log = logging.getLogger(__name__)
_CHUNK = 50_000
_HOUR_US = 3_600_000_000


class TruthLedgerError(SmartparkError):
    """The truth ledger cannot be read."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the comparison found; field names are the keys of the JSON report."""

    database: str
    readings_sent: int
    readings_stored: int
    """Stored rows of readings that were sent and taken."""
    readings_lost: int
    readings_duplicated: int
    """Rows beyond the first of one reading."""
    readings_altered: int
    """Stored with another value or status."""
    readings_unexpected: int
    """Rows of the same points and span that nobody sent or said."""
    dead_letters_expected: int
    dead_letters: int
    intervals_compared: int
    """Quarter-hours that went into the energy sums."""
    energy_kwh_true: float
    energy_kwh_computed: float
    hours_compared: int
    """Hours that went into the carbon sums."""
    co2_t_true: float
    co2_t_computed: float

    @property
    def readings_intact(self) -> bool:
        """Nothing lost, doubled or altered."""
        return not (self.readings_lost or self.readings_duplicated or self.readings_altered)

    def as_json(self) -> dict[str, Any]:
        """Keys and values of the report."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Difference:
    """A reading that is not stored as it should be."""

    what: str
    """lost, duplicated or altered."""
    point: str
    time_us: int
    count: int
    """Rows too many of a duplicated one; else 1."""


def verify(connection: Connection, truth: Path, *, differences: list[Difference] | None = None) -> Verdict:
    """Compare the database with a truth ledger; `differences` receives each reading that is not as it should be."""
    if not truth.is_file():
        raise TruthLedgerError(f"{truth}: no such file")
    database = describe_database(connection).label
    try:
        with closing(sqlite3.connect(f"file:{truth}?mode=ro", uri=True)) as ledger, transaction(connection):
            meta = dict(ledger.execute("SELECT key, value FROM meta"))
            readings = _compare_readings(connection, ledger)
            dead = _compare_dead_letters(connection, ledger, meta)
            sums = _compare_sums(connection, ledger, meta)
            if differences is not None and readings["readings_sent"]:
                differences += [Difference(*row) for row in connection.execute(query("list_differences"))]
    except sqlite3.Error as error:
        raise TruthLedgerError(f"{truth}: cannot be read as a truth ledger: {error}") from error
    return Verdict(database=database, **readings, **dead, **sums)


def _compare_readings(connection: Connection, ledger: sqlite3.Connection) -> dict[str, int]:
    (first, last) = ledger.execute("SELECT min(time), max(time) FROM reading").fetchone()
    names = ("sent", "stored", "lost", "duplicated", "altered", "unexpected")
    if first is None:
        return {f"readings_{name}": 0 for name in names}
    connection.execute(query("create_truth"))
    with connection.cursor().copy(query("copy_truth")) as copy:
        for chunk in _reading_lines(ledger):
            copy.write(chunk)
    connection.execute(query("analyze_truth"))
    _log.info("comparing readings from %s to %s", from_us(first), from_us(last))
    span = {"first": from_us(first), "last": from_us(last)}
    connection.execute(query("match_truth"), span)
    row = connection.execute(query("compare_readings"), span).fetchone()
    if row is None:
        raise LookupError("an aggregate without a row")
    return {f"readings_{name}": int(count) for name, count in zip(names, row, strict=True)}


def _reading_lines(ledger: sqlite3.Connection) -> Iterator[str]:
    # SQLite puts the lines of COPY's text format together; keys, decimals and integers need no escaping.
    line = (
        "point || char(9) || time || char(9) || coalesce(value, '\\N') || char(9) || status || char(9)"
        " || '{}' || char(10)"
    )
    statement = f"SELECT {line.format('t')} FROM reading"  # noqa: S608  our own words
    if ledger.execute("SELECT 1 FROM sqlite_master WHERE name = 'said'").fetchone():
        statement += (
            f" UNION ALL SELECT {line.format('f')} FROM said AS s WHERE NOT EXISTS"  # noqa: S608  our own words
            " (SELECT 1 FROM reading AS r WHERE r.point = s.point AND r.time = s.time)"
        )
    cursor = ledger.execute(statement)
    while lines := cursor.fetchmany(_CHUNK):
        yield "".join(line for (line,) in lines)


def _compare_dead_letters(connection: Connection, ledger: sqlite3.Connection, meta: dict[str, str]) -> dict[str, int]:
    (expected,) = ledger.execute("SELECT coalesce(sum(letters), 0) FROM expected_dead").fetchone()
    row = connection.execute(query("count_dead_letters"), {"since": _started_at(meta)}).fetchone()
    return {"dead_letters_expected": int(expected), "dead_letters": 0 if row is None else int(row[0])}


def _started_at(meta: dict[str, str]) -> datetime | None:
    """Letters from before the simulated park started are not its own."""
    text = meta.get("started_at")
    if text is None:
        return None
    try:
        return from_us(int(text)) if text.isdecimal() else parse_instant(text)
    except (ValueError, OverflowError):
        raise TruthLedgerError(
            f"meta: started_at: {text!r} is neither microseconds nor an ISO 8601 instant"
        ) from None


def _compare_sums(connection: Connection, ledger: sqlite3.Connection, meta: dict[str, str]) -> dict[str, Any]:
    rows = ledger.execute("SELECT start, electricity_kwh, co2_t FROM park_truth ORDER BY start").fetchall()
    true_kwh = {start: kwh for start, kwh, _ in rows}
    hours: dict[int, list[float]] = {}
    for start, _, co2_t in rows:
        hours.setdefault(start - start % _HOUR_US, []).append(co2_t)
    true_co2 = {hour: sum(parts) for hour, parts in hours.items() if len(parts) == 4}
    parameters = {
        "park": meta.get("park"),
        "start": from_us(min(true_kwh, default=0)),
        "end": from_us(max(true_kwh, default=0) + 1),
    }
    computed_kwh = dict(connection.execute(query("computed_electricity"), parameters).fetchall())
    computed_co2 = dict(connection.execute(query("computed_carbon"), parameters).fetchall())
    intervals = sorted(true_kwh.keys() & computed_kwh.keys())
    whole_hours = sorted(true_co2.keys() & computed_co2.keys())
    return {
        "intervals_compared": len(intervals),
        "energy_kwh_true": sum(true_kwh[i] for i in intervals),
        "energy_kwh_computed": sum(computed_kwh[i] for i in intervals),
        "hours_compared": len(whole_hours),
        "co2_t_true": sum(true_co2[h] for h in whole_hours),
        "co2_t_computed": sum(computed_co2[h] for h in whole_hours),
    }
