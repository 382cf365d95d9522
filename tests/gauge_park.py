"""A small park whose gauges are known functions of time, fed straight into the database: for the tests of derive."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np
from smartpark.catalogue import parse_catalogue
from smartpark.clock import from_us, to_us
from smartpark_ingest.derive_gauges import GaugeDeriver
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
HOUR, DAY = 60 * MINUTE, 1440 * MINUTE
MIDNIGHT = to_us(datetime(2026, 11, 9, 16, tzinfo=UTC))
"""Start of the accounting day 2026-11-10 in Asia/Shanghai."""
LATER = MIDNIGHT + 20 * DAY

AIR = {
    "ambient_so2": 18.0,
    "ambient_no2": 52.0,
    "ambient_co": 0.9,
    "ambient_o3": 60.0,
    "ambient_pm10": 88.0,
    "ambient_pm25": 43.0,
}
STACK = {
    "so2_concentration": 35.2,
    "nox_concentration": 48.0,
    "dust_concentration": 4.1,
    "o2_content": 8.5,
    "flue_gas_flow": 120_000.0,
}
VALUES = {
    **{f"A1/{measurand}": value for measurand, value in AIR.items()},
    **{f"S1/{measurand}": value for measurand, value in STACK.items()},
    **{f"S2/{measurand}": value / 2 for measurand, value in STACK.items()},
    "M0/active_power": 5000.0,
    "M0/reactive_power": 1000.0,
    "M0/voltage_a": 5800.0,
    "M0/voltage_b": 5790.0,
    "M0/voltage_c": 5780.0,
    "M0/frequency": 50.02,
    "M0/voltage_thd": 2.5,
    "T1/active_power": 800.0,
    "T1/reactive_power": 600.0,
    "T2/active_power": 300.0,
    "T2/reactive_power": 100.0,
}
"""What each gauge shows steadily, on the primary side."""

Curve = Callable[[str, int], float | None]


def _device(code: str, kind: str, carrier: str, measurands: Iterable[str], **more: Any) -> dict[str, Any]:
    def point(name: str) -> dict[str, Any]:
        measurand = "voltage" if name.startswith("voltage_") and name[-2] == "_" else name
        return {"measurand": measurand, "code": name, "resolution": "0.001"}

    names = {"code": code, "name": code, "name_en": code, "kind": kind, "carrier": carrier}
    return {**names, "point": [point(name) for name in measurands], **more}


def document(**more: Any) -> dict[str, Any]:
    """The catalogue; keys of devices may be overridden by code."""
    power = ("active_power", "reactive_power")
    quality = ("voltage_a", "voltage_b", "voltage_c", "frequency", "voltage_thd")
    devices = [
        _device("M0", "meter", "electricity", (*power, *quality), role="boundary", nominal_voltage_v=5773.5),
        _device("T1", "meter", "electricity", power, role="consumption", parent="M0", enterprise="E1"),
        _device("T2", "meter", "electricity", power, role="consumption", parent="M0", enterprise="E2", ct_ratio=10.0),
        _device("S1", "stack", "flue_gas", STACK, emission_limit="gb13271-2014:coal"),
        _device("S2", "stack", "flue_gas", STACK, emission_limit="gb13271-2014:coal"),
        _device("A1", "station", "ambient_air", AIR),
    ]
    devices[1]["transformer"] = "TR1"
    names = {"name": "x", "name_en": "x"}
    return {
        "park": {
            **names,
            "code": "hill",
            "region": "350121",
            "terrain": "coastal",
            "peer_class": 1,
            "area_mu": 100.0,
        },
        "enterprise": [
            {**names, "code": "E1", "uscc": "91350121MA0000P01P"},
            {**names, "code": "E2", "uscc": "91350121MA0000P02T"},
        ],
        "transformer": [{"code": "TR1", "name": "x", "rated_kva": 1250.0, "voltage_kv": 10.0}],
        "device": devices,
        **more,
    }


@dataclass
class GaugePark:
    """The park, its database, and what has been fed."""

    connection: Connection
    deriver: GaugeDeriver = field(default_factory=GaugeDeriver)
    sequence: int = 0

    def __post_init__(self):
        self.load(document())
        self.edge = register_edge(self.connection, "edge-a")

    def load(self, catalogue: dict[str, Any], *, at: int = MIDNIGHT - 300 * DAY) -> None:
        load_catalogue(
            self.connection,
            parse_catalogue(catalogue, file="hill.toml"),
            source="hill.toml",
            loaded_by="test",
            at=from_us(at),
        )
        self.registry = load_registry(self.connection)

    def rows(self, times: Iterable[int], keys: Iterable[str], curve: Curve | None, status: int) -> np.ndarray:
        times, keys = np.fromiter(times, np.int64), list(keys)
        rows = np.zeros(times.size * len(keys), READING_DTYPE)
        records = [self.registry.by_key[f"hill/{key}"] for key in keys]
        rows["point_id"] = np.repeat([r.point_id for r in records], times.size)
        rows["time"] = np.tile(times, len(keys))
        shows = curve or (lambda key, _: VALUES[key])
        values = [
            round(1000 * value / record.multiplier) if (value := shows(key, int(time))) is not None else None
            for key, record in zip(keys, records, strict=True)
            for time in times
        ]
        rows["scaled"] = [np.iinfo(np.int64).min if value is None else value for value in values]
        rows["raw"], rows["status"] = np.nan, np.int64(status).astype(np.int32)
        return rows

    def feed(
        self,
        start: int,
        end: int,
        *,
        keys: Iterable[str] = tuple(VALUES),
        every: int = MINUTE,
        curve: Curve | None = None,
        status: int = 0,
        through: Connection | None = None,
    ) -> None:
        """Store readings of [start, end) as one batch."""
        self.sequence += 1
        rows = self.rows(range(start, end, every), keys, curve, status)
        batch = Batch(self.edge, 1, self.sequence, 0, rows)
        store_batches(through or self.connection, [batch], received_at=from_us(end))

    def derive(self, *, now: int = LATER, deriver: GaugeDeriver | None = None) -> int:
        """Derive until nothing is stale; revisions published."""
        published = 0
        while (report := (deriver or self.deriver).step(self.connection, now_us=now)).found_work:
            published += report.indicators_published
        return published

    def published(
        self, indicator: str, grain: str, boundary: str = "park", *, every_revision: bool = False
    ) -> list[dict[str, Any]]:
        """Revisions in order of time, the current ones or all."""
        with transaction(self.connection):
            cursor = self.connection.execute(
                "SELECT start, revision, value, numerator, denominator, completeness, estimated_share, unit, method,"
                " factors, reason, superseded_at FROM smartpark.indicator"
                " WHERE park = 'hill' AND boundary = %s AND indicator = %s AND grain = %s"
                " AND (%s OR superseded_at IS NULL) ORDER BY start, revision",
                (boundary, indicator, grain, every_revision),
            )
            names = [column.name for column in cursor.description or ()]
            return [dict(zip(names, row, strict=True)) for row in cursor]

    def day(self, indicator: str, boundary: str = "park") -> dict[str, Any]:
        """Current revision of the accounting day 2026-11-10."""
        (row,) = [r for r in self.published(indicator, "day", boundary) if r["start"] == from_us(MIDNIGHT)]
        return row

    def hour(self, indicator: str, hour: int, boundary: str) -> dict[str, Any]:
        """Current revision of an hour of that day."""
        at = from_us(MIDNIGHT + hour * HOUR)
        (row,) = [r for r in self.published(indicator, "hour", boundary) if r["start"] == at]
        return row

    def everything(self) -> list[Any]:
        """All that is current, without when it was computed."""
        with transaction(self.connection):
            return self.connection.execute(
                "SELECT boundary, indicator, grain, start, value, numerator, denominator, completeness,"
                " estimated_share, factors, reason FROM smartpark.indicator WHERE superseded_at IS NULL"
                " ORDER BY 1, 2, 3, 4"
            ).fetchall()
