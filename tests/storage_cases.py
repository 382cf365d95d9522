"""Small parks, batches and truth ledgers for the tests of storage; nothing here opens a server."""

import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from smartpark.catalogue import Catalogue, parse_catalogue
from smartpark.wire import MISSING
from smartpark_storage import READING_DTYPE, Batch

NOON = datetime(2026, 5, 29, 4, 0, tzinfo=UTC)
"""Twelve o'clock in the park's zone."""
NOON_US = 1_780_027_200_000_000
MINUTE_US = 60_000_000
QUARTER_US = 15 * MINUTE_US
HOUR_US = 60 * MINUTE_US
DAY_US = 24 * HOUR_US

METER = (
    {"measurand": "active_energy_import", "resolution": "0.01", "register_digits": 8},
    {"measurand": "active_energy_export", "resolution": "0.01", "register_digits": 8},
    {"measurand": "active_power", "resolution": "1"},
    {"measurand": "power_factor"},
)


def park_document(*, devices: Sequence[str] = ("M0", "M1"), points: Sequence[dict[str, Any]] = METER, **device: Any):
    """A catalogue document: the first device is the boundary meter, the others hang below it."""
    return {
        "park": {
            "code": "hill",
            "name": "山园",
            "name_en": "Hill Park",
            "region": "350121",
            "terrain": "mountain",
            "peer_class": 2,
            "area_mu": 1200.5,
        },
        "enterprise": [{"code": "T1", "name": "甲", "name_en": "A", "uscc": "91350100M000100Y43"}],
        "device": [
            {
                "code": code,
                "name": code,
                "name_en": code,
                "kind": "meter",
                "carrier": "electricity",
                "role": "boundary" if index == 0 else "consumption",
                "ct_ratio": 10.0,
                "point": list(points),
                **({} if index == 0 else {"parent": devices[0], "enterprise": "T1"}),
                **device,
            }
            for index, code in enumerate(devices)
        ],
    }


def park(**changes: Any) -> Catalogue:
    """A checked catalogue."""
    return parse_catalogue(park_document(**changes), file="hill.toml")


def readings(rows: Iterable[tuple[int, int, int | float | None] | tuple[int, int, int | float | None, int]]):
    """Readings of (point, time_us, value[, status]); integers are scaled, floats raw, None has no value."""
    given = list(rows)
    found = np.zeros(len(given), READING_DTYPE)
    for target, (point, time, value, *status) in zip(found, given, strict=True):
        target["point_id"], target["time"] = point, time
        target["scaled"] = value if isinstance(value, int) else MISSING
        target["raw"] = value if isinstance(value, float) else np.nan
        target["status"] = status[0] if status else 0
    return found


def batch(sequence: int, rows: Iterable[Any] = (), *, edge: int = 1, boot: int = 7, floor: int = 0, dead=()) -> Batch:
    """A batch of readings as `readings` takes them."""
    return Batch(edge, boot, sequence, floor, readings(rows), tuple(dead))


def write_truth(
    path: Path,
    rows: Iterable[tuple[str, int, str | None, int]],
    *,
    meta: dict[str, str] | None = None,
    dead_letters: int = 0,
    park_truth: Iterable[tuple[int, float, float]] = (),
    said: Iterable[tuple[str, int, str | None, int]] | None = None,
) -> Path:
    """Write a truth ledger as the simulators do."""
    with closing(sqlite3.connect(path)) as ledger, ledger:
        ledger.executescript("""
            CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT);
            CREATE TABLE reading (point TEXT, time INTEGER, value TEXT, status INTEGER,
                PRIMARY KEY (point, time)) WITHOUT ROWID;
            CREATE TABLE expected_dead (id INTEGER PRIMARY KEY, kind TEXT, topic TEXT, time INTEGER, letters INTEGER);
            CREATE TABLE energy (device TEXT, start INTEGER, kwh REAL);
            CREATE TABLE park_truth (start INTEGER, electricity_kwh REAL, co2_t REAL);
        """)
        ledger.executemany("INSERT INTO meta VALUES (?, ?)", (meta or {"park": "hill"}).items())
        ledger.executemany("INSERT INTO reading VALUES (?, ?, ?, ?)", rows)
        ledger.execute("INSERT INTO expected_dead VALUES (1, 'garbage', 't', 0, ?)", (dead_letters,))
        ledger.executemany("INSERT INTO park_truth VALUES (?, ?, ?)", park_truth)
        if said is not None:
            ledger.execute(
                "CREATE TABLE said (message INTEGER, point TEXT, time INTEGER, value TEXT, status INTEGER)"
            )
            ledger.executemany("INSERT INTO said VALUES (1, ?, ?, ?, ?)", said)
    ledger.close()
    return path
