"""A small park whose loads are known, fed straight into the database: for the tests of derive.

Every meter has its own steady load, so that what must come out of any period is one multiplication.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np
from smartpark.catalogue import parse_catalogue
from smartpark.clock import from_us, to_us
from smartpark.wire import MISSING
from smartpark_ingest.derive import Deriver
from smartpark_storage import (
    READING_DTYPE,
    Batch,
    Connection,
    load_catalogue,
    load_registry,
    register_edge,
    store_batches,
    transaction,
)

MINUTE = 60_000_000
QUARTER, HOUR, DAY = 15 * MINUTE, 60 * MINUTE, 1440 * MINUTE
MIDNIGHT = to_us(datetime(2026, 11, 9, 16, tzinfo=UTC))
"""Start of the accounting day 2026-11-10 in Asia/Shanghai."""

KGCE_PER_KWH, KGCE_PER_M3 = 0.1229, 1.33
KG_PER_KWH, KG_PER_M3 = 0.4211, 2.162188809

LOADS = {
    "M0/active_energy_import": 1200.0,
    "M0/active_energy_export": 60.0,
    "PV1/active_energy_export": 300.0,
    "PV1/active_energy_import": 6.0,
    "G1/gas_volume": 45.0,
    "T1/active_energy_import": 500.0,
    "X1/active_energy_import": 77.0,
    "W1/water_volume": 9.0,
}
"""Steady load of each counter, on the primary side. [unit/h]"""
BALANCE = [k for k in LOADS if k.split("/")[0] in {"M0", "PV1", "G1"}]
KWH_PER_HOUR = 1200.0 - 60.0 + 300.0 - 6.0
TCE_PER_HOUR = (KWH_PER_HOUR * KGCE_PER_KWH + 45.0 * KGCE_PER_M3) / 1000
T_PER_HOUR = ((1200.0 - 60.0) * KG_PER_KWH + 45.0 * KG_PER_M3) / 1000


def device(code: str, carrier: str, role: str, *measurands: str, **more: Any) -> dict[str, Any]:
    point = [{"measurand": m, "resolution": "0.01", "register_digits": 9} for m in measurands]
    return {
        "code": code,
        "name": code,
        "name_en": code,
        "kind": "meter",
        "carrier": carrier,
        "role": role,
        "point": point,
        **more,
    }


def document(*extra: dict[str, Any]) -> dict[str, Any]:
    both = ("active_energy_import", "active_energy_export")
    return {
        "park": {
            "code": "hill",
            "name": "山",
            "name_en": "Hill",
            "region": "350121",
            "terrain": "coastal",
            "peer_class": 1,
            "area_mu": 100.0,
        },
        "device": [
            device("M0", "electricity", "boundary", *both, ct_ratio=10.0),
            device("PV1", "photovoltaic", "generation", *both),
            device("G1", "natural_gas", "boundary", "gas_volume"),
            device("T1", "electricity", "consumption", "active_energy_import", parent="M0"),
            device("X1", "electricity", "boundary", "active_energy_import", internal_transfer=True),
            device("W1", "water", "boundary", "water_volume"),
            *extra,
        ],
    }


@dataclass
class DerivePark:
    """The park, its database, and what has been fed."""

    connection: Connection
    deriver: Deriver = field(default_factory=Deriver)
    sequence: int = 0
    """Batches that the database has of it already."""
    is_loaded: bool = False
    """Whether the database has its catalogue."""

    def __post_init__(self):
        if self.is_loaded:
            self.registry = load_registry(self.connection)
        else:
            self.load(document())
        self.edge = register_edge(self.connection, "edge-a")

    def load(self, catalogue: dict[str, Any], *, at: int = MIDNIGHT - DAY) -> None:
        load_catalogue(
            self.connection,
            parse_catalogue(catalogue, file="hill.toml"),
            source="hill.toml",
            loaded_by="test",
            at=from_us(at),
        )
        self.registry = load_registry(self.connection)

    def register(self, key: str, time: int) -> int:
        """What a register shows at an instant, in its steps of 0.01, before the multiplier."""
        ratio = 10.0 if key.startswith("M0") else 1.0
        return round(100_000 + 100 * LOADS[key] / ratio * (time - MIDNIGHT + DAY) / HOUR)

    def feed(
        self,
        start: int,
        end: int,
        *,
        every: int = 5 * MINUTE,
        keys: Sequence[str] = tuple(LOADS),
        register: Callable[[str, int], int | None] | None = None,
        status: int = 0,
    ) -> None:
        """Store readings of [start, end] as one batch."""
        times = range(start, end + 1, every)
        shows = register or self.register
        rows = np.zeros(len(times) * len(keys), READING_DTYPE)
        rows["point_id"] = np.repeat([self.registry.by_key[f"hill/{k}"].point_id for k in keys], len(times))
        rows["time"] = np.tile(times, len(keys))
        values = [shows(key, time) for key in keys for time in times]
        rows["scaled"] = [MISSING if value is None else value for value in values]
        rows["raw"], rows["status"] = np.nan, status
        self.sequence += 1
        store_batches(
            self.connection,
            [Batch(self.edge, 1, self.sequence, 0, rows)],
            received_at=from_us(end),
        )

    def derive(self, *, now: int = MIDNIGHT + 10 * DAY) -> tuple[int, int]:
        """Derive until nothing is stale; quarter-hours changed and revisions published."""
        changed = published = 0
        while (report := self.deriver.step(self.connection, now_us=now)).found_work:
            changed += report.intervals_changed
            published += report.indicators_published
        return changed, published

    def published(self, indicator: str, grain: str, *, every_revision: bool = False) -> list[dict[str, Any]]:
        """Revisions in order of time, the current ones or all."""
        with transaction(self.connection):
            cursor = self.connection.execute(
                "SELECT start, revision, value, completeness, estimated_share, unit, method, factor_set, factors,"
                " reason, superseded_at FROM smartpark.indicator"
                " WHERE park = 'hill' AND indicator = %s AND grain = %s AND (%s OR superseded_at IS NULL)"
                " ORDER BY start, revision",
                (indicator, grain, every_revision),
            )
            names = [column.name for column in cursor.description or ()]
            return [dict(zip(names, row, strict=True)) for row in cursor]

    def hour(self, indicator: str, hour: int) -> dict[str, Any]:
        """Current revision of an hour of the accounting day 2026-11-10."""
        at = from_us(MIDNIGHT + hour * HOUR)
        return next(row for row in self.published(indicator, "hour") if row["start"] == at)

    def intervals(self, key: str) -> list[tuple[int, float | None, int]]:
        """Quarter-hours of a counter: number within 2026-11-10, amount, flags."""
        with transaction(self.connection):
            rows = self.connection.execute(
                "SELECT start, amount, flags FROM smartpark.interval_energy WHERE point_id = %s ORDER BY start",
                (self.registry.by_key[f"hill/{key}"].point_id,),
            ).fetchall()
        return [((to_us(start) - MIDNIGHT) // QUARTER, amount, flags) for start, amount, flags in rows]

    def everything(self) -> tuple[list[Any], list[Any]]:
        """All that was derived, without when."""
        with transaction(self.connection):
            energy = self.connection.execute("SELECT * FROM smartpark.interval_energy ORDER BY 1, 2").fetchall()
            current = self.connection.execute(
                "SELECT indicator, grain, start, value, completeness, estimated_share, factors, reason"
                " FROM smartpark.indicator WHERE superseded_at IS NULL ORDER BY 1, 2, 3"
            ).fetchall()
        return energy, current
