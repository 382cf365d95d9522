"""A small park whose readings tests store as ingest does, rules to watch it by, and what became of them.

Time is the test's own: readings bear it, and the worker is told it.
"""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from smartpark.alerts.life import Alert
from smartpark.alerts.rules import Rule
from smartpark.catalogue import parse_catalogue
from smartpark.clock import from_us, to_us
from smartpark.workdays import builtin_workdays
from smartpark_ingest.alerting.rules_in_force import enter_builtin_rules
from smartpark_ingest.alerting.worker import AlertWorker
from smartpark_storage import (
    READING_DTYPE,
    Batch,
    Connection,
    connect,
    load_catalogue,
    load_registry,
    register_edge,
    store_batches,
)
from smartpark_storage.alerts import AlertFilter, put_rules, read_alerts, read_rules, retire_rule

PARK = "hill"
START = datetime(2026, 11, 2, 2, 0, tzinfo=UTC)
"""A Monday morning in the park."""
SECOND = timedelta(seconds=1)


def document(devices: int = 4) -> dict[str, Any]:
    """Catalogue: meters with a power, a voltage and a register."""
    return {
        "park": {
            "code": PARK,
            "name": "山丘",
            "name_en": "Hill",
            "region": "350121",
            "terrain": "coastal",
            "peer_class": 1,
            "area_mu": 100.0,
        },
        "device": [
            {
                "code": f"M{number}",
                "name": f"表{number}",
                "name_en": f"Meter {number}",
                "kind": "meter",
                "carrier": "electricity",
                "role": "consumption",
                "point": [
                    {"measurand": "active_power", "resolution": "0.1"},
                    {"measurand": "voltage", "resolution": "0.1"},
                    {"measurand": "active_energy_import", "resolution": "0.01", "register_digits": 8},
                ],
            }
            for number in range(1, devices + 1)
        ],
    }


def limit(code: str = "too-much", **changes: Any) -> Rule:
    """A rule: power above 100 kW, fine again at 90."""
    given: dict[str, Any] = {
        "code": code,
        "name": "功率过高",
        "name_en": "Power too high",
        "why": "a test",
        "severity": "critical",
        "cause": "overload",
        "scope": {"measurands": ["active_power"]},
        "detector": {"kind": "limit", "above": 100.0, "clear_above": 90.0},
    }
    return Rule.model_validate(given | changes)


@dataclass
class Hill:
    """The park in a database."""

    dsn: str
    edge: str = "gw-1"
    _sequence: int = 0
    now: datetime = START
    ids: dict[str, int] = field(default_factory=dict[str, int])

    def __post_init__(self) -> None:
        with self.connection() as connection:
            catalogue = parse_catalogue(document(), file="hill.toml")
            load_catalogue(connection, catalogue, source="test", loaded_by="test", at=START - timedelta(days=900))
            enter_builtin_rules(connection, START)
            self.ids = {key: record.point_id for key, record in load_registry(connection).by_key.items()}

    def connection(self) -> Connection:
        return connect(self.dsn, application="test")

    def rules(self, *rules: Rule) -> None:
        """Let these rules be all that are in force."""
        with self.connection() as connection:
            put_rules(connection, rules, by="local", at=self.now)
            wanted = {rule.code for rule in rules}
            for found in read_rules(connection, active_only=True):
                if found.rule.code not in wanted:
                    retire_rule(connection, found.rule.code, by="local", at=self.now)

    def store(self, values: Mapping[str, Sequence[tuple[datetime, float]]], *, edge: str | None = None) -> None:
        """Store readings in one commit: point within the park (``M1/active_power``) to moments and values."""
        rows = [
            (self.ids[f"{PARK}/{point}"], to_us(at), value) for point, said in values.items() for at, value in said
        ]
        readings = np.zeros(len(rows), READING_DTYPE)
        readings["point_id"] = [row[0] for row in rows]
        readings["time"] = [row[1] for row in rows]
        readings["scaled"] = [round(row[2] * 10) for row in rows]
        readings["raw"] = np.nan
        self._sequence += 1
        with self.connection() as connection:
            number = register_edge(connection, edge or self.edge)
            batch = Batch(number, 1, self._sequence, 0, readings)
            store_batches(connection, [batch], received_at=self.now)

    def worker(self) -> AlertWorker:
        return AlertWorker(self.dsn, threading.Event(), builtin_workdays(), clock=lambda: self.now)

    def evaluate(self, at: datetime | None = None) -> AlertWorker:
        """Let a worker begin, do what there is to do, and end."""
        self.now = at or self.now
        worker = self.worker()
        assert worker.run_once()
        return worker

    def alerts(self, **wanted: Any) -> list[Alert]:
        """On record, those that began first first."""
        with self.connection() as connection:
            found = read_alerts(connection, AlertFilter(**wanted), limit=10_000)
        return [one.alert for one in reversed(found)]


def seconds(*values: float, start: datetime = START, every_s: float = 10.0) -> list[tuple[datetime, float]]:
    """Values one after the other."""
    return [(start + timedelta(seconds=every_s * n), value) for n, value in enumerate(values)]


def instant(microseconds: int) -> datetime:
    return from_us(microseconds)
