"""The truth ledger: what really happened in the park, so that the platform's answer can be compared with it.

One SQLite file. A row of `reading` is a distinct reading that was handed over: its MQTT message has been
acknowledged by the broker, or its OPC UA node was being monitored when it was written. Messages that cannot be
understood are in `expected_dead` with the number of letters they must become. `energy`, `amount` and `park_truth`
hold what flowed, which no fault of an instrument changes; `fault` holds which faults came and went. `said` holds what
was said or shown, whether or not anybody took it: a reading there that is not in `reading` may be stored (once,
unaltered) or not, because whoever took it may have been killed before it could say so. `smartpark verify` reads this
file; of the rest only the demo reads what befell whom.

Rows are collected and written together, because SQLite commits some hundred times a second and meters speak more
often. A park that is stopped cleanly leaves everything written; one that is killed may lose the last second's rows.
"""

import hashlib
import sqlite3
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from smartpark.errors import SmartparkError

_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT);
CREATE TABLE IF NOT EXISTS reading (
    point TEXT, time INTEGER, value TEXT, status INTEGER, PRIMARY KEY (point, time)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS expected_dead (
    id INTEGER PRIMARY KEY, kind TEXT, topic TEXT, time INTEGER, letters INTEGER
);
CREATE TABLE IF NOT EXISTS said (
    message INTEGER, point TEXT, time INTEGER, value TEXT, status INTEGER, PRIMARY KEY (point, time)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS said_dead (
    message INTEGER PRIMARY KEY, kind TEXT, topic TEXT, time INTEGER, letters INTEGER
);
CREATE TABLE IF NOT EXISTS energy (device TEXT, start INTEGER, kwh REAL, PRIMARY KEY (device, start)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS amount (
    device TEXT, measurand TEXT, start INTEGER, amount REAL, PRIMARY KEY (device, measurand, start)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS fault (
    kind TEXT, device TEXT, start INTEGER, stop INTEGER, PRIMARY KEY (kind, device, start)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS park_truth (start INTEGER PRIMARY KEY, electricity_kwh REAL, co2_t REAL);
"""
_SAID = "INSERT OR IGNORE INTO said VALUES (?, ?, ?, ?, ?)"
_SAID_DEAD = "INSERT OR IGNORE INTO said_dead VALUES (?, ?, ?, ?, ?)"


class LedgerError(SmartparkError):
    """The truth ledger cannot be used."""


@dataclass(frozen=True, slots=True)
class TrueReading:
    """A reading as it was handed over."""

    point: str
    time: int
    """[us since the epoch]"""
    value: str | None
    """Decimal text as the device showed it; None: it had no value."""
    status: int = 0


@dataclass(frozen=True, slots=True)
class ExpectedDead:
    """A message that must end in the dead letters."""

    kind: str
    topic: str
    time: int
    letters: int


def message_number(topic: str, body: bytes) -> int:
    """Number by which a message is known again, whoever carries it: 63 bits of a digest."""
    digest = hashlib.blake2b(topic.encode() + b"\0" + body, digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


def _open(path: Path) -> sqlite3.Connection:
    database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
    try:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = NORMAL")
        database.executescript(_SCHEMA)
    except sqlite3.Error:
        database.close()
        raise
    return database


class TruthLedger:
    """Writes the ledger; any thread may add to it."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._readings: list[TrueReading] = []
        self._dead: list[ExpectedDead] = []
        self._said: list[tuple[int | None, TrueReading]] = []
        self._said_dead: list[tuple[int, ExpectedDead]] = []
        self.handed_over = 0
        """Readings added in this process."""
        try:
            self._database = _open(path)
        except sqlite3.Error as error:
            raise LedgerError(f"truth ledger {path} cannot be opened: {error}") from error

    def meta(self) -> dict[str, str]:
        """Everything that was noted about the park."""
        return dict(self._database.execute("SELECT key, value FROM meta"))

    def note(self, facts: Mapping[str, str]) -> None:
        """Note facts about the park; a key that is there already is replaced."""
        self._write([("INSERT OR REPLACE INTO meta VALUES (?, ?)", list(facts.items()))])

    def add(self, readings: Iterable[TrueReading], dead: ExpectedDead | None = None) -> None:
        """Enter what has just been handed over."""
        with self._lock:
            before = len(self._readings)
            self._readings.extend(readings)
            self.handed_over += len(self._readings) - before
            if dead is not None:
                self._dead.append(dead)

    def say(
        self, readings: Iterable[TrueReading], *, message: int | None = None, dead: ExpectedDead | None = None
    ) -> None:
        """Enter what is being said; `message` tells it apart for who hears of its acceptance later (`settle`)."""
        with self._lock:
            self._said.extend((message, reading) for reading in readings)
            if dead is not None and message is not None:
                self._said_dead.append((message, dead))

    def add_energy(self, device: str, rows: Iterable[tuple[int, float]]) -> None:
        """Enter true electric energy per quarter of an hour [us, kWh]."""
        statement = "INSERT OR REPLACE INTO energy VALUES (?, ?, ?)"
        self._write([(statement, [(device, start, kwh) for start, kwh in rows])])

    def add_amount(self, device: str, measurand: str, rows: Iterable[tuple[int, float]]) -> None:
        """Enter true amounts of another medium per quarter of an hour [us, the measurand's unit]."""
        statement = "INSERT OR REPLACE INTO amount VALUES (?, ?, ?, ?)"
        self._write([(statement, [(device, measurand, start, amount) for start, amount in rows])])

    def add_faults(self, rows: Iterable[tuple[str, str, int, int]]) -> None:
        """Enter faults that came and went: kind, device, first and last moment [us]."""
        self._write([("INSERT OR REPLACE INTO fault VALUES (?, ?, ?, ?)", list(rows))])

    def add_park(self, rows: Iterable[tuple[int, float, float]]) -> None:
        """Enter the park's net purchase and its CO2 per quarter of an hour [us, kWh, t]."""
        self._write([("INSERT OR REPLACE INTO park_truth VALUES (?, ?, ?)", list(rows))])

    def flush(self) -> None:
        """Write what has been collected, in one transaction."""
        with self._lock:
            readings, self._readings = self._readings, []
            dead, self._dead = self._dead, []
            said, self._said = self._said, []
            said_dead, self._said_dead = self._said_dead, []
        # A device may say the same thing twice; it is one reading.
        readings_sql = "INSERT OR IGNORE INTO reading VALUES (?, ?, ?, ?)"
        dead_sql = "INSERT INTO expected_dead (kind, topic, time, letters) VALUES (?, ?, ?, ?)"
        self._write(
            [
                (readings_sql, [(r.point, r.time, r.value, r.status) for r in readings]),
                (dead_sql, [(d.kind, d.topic, d.time, d.letters) for d in dead]),
                (_SAID, [(message, r.point, r.time, r.value, r.status) for message, r in said]),
                (_SAID_DEAD, [(message, d.kind, d.topic, d.time, d.letters) for message, d in said_dead]),
            ]
        )

    def close(self) -> None:
        """Write everything and fold the write-ahead log into the file, so that it can be copied."""
        self.flush()
        with self._lock:
            self._database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            self._database.close()

    def _write(
        self, statements: list[tuple[str, list[tuple[object, ...]]] | tuple[str, list[tuple[str, str]]]]
    ) -> None:
        with self._lock:
            self._database.execute("BEGIN")
            for statement, rows in statements:
                self._database.executemany(statement, rows)
            self._database.execute("COMMIT")
