"""A park for benches: meters with steady and with wandering loads, fed as a writer would store their backlog."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from smartpark.catalogue import parse_catalogue
from smartpark.clock import from_us
from smartpark_storage import (
    READING_DTYPE,
    Batch,
    Connection,
    load_catalogue,
    load_registry,
    register_edge,
    store_batches,
)

DAY_US = 86_400_000_000


@dataclass(frozen=True, slots=True)
class Park:
    """A park with readings."""

    code: str
    meters: int
    days: int
    readings: int


def document(code: str, meters: int) -> dict[str, Any]:
    """Catalogue: a grid meter, a roof, a gas meter, and tenants; each has one register."""
    kinds = [
        ("electricity", "boundary", "active_energy_import"),
        ("photovoltaic", "generation", "active_energy_export"),
        ("natural_gas", "boundary", "gas_volume"),
        *[("electricity", "consumption", "active_energy_import")] * (meters - 3),
    ]
    return {
        "park": _itself(code),
        "device": [
            {
                **_named(number),
                "kind": "meter",
                "carrier": carrier,
                "role": role,
                "point": [{"measurand": measurand, "resolution": "0.01", "register_digits": 12}],
            }
            for number, (carrier, role, measurand) in enumerate(kinds)
        ],
    }


def meters(code: str, points: int, measured: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """Catalogue of as many meters as hold so many points; each measures the same, by measurand and resolution."""
    listed = [{"measurand": name, "resolution": resolution} for name, resolution in measured]
    return {
        "park": _itself(code),
        "device": [
            {**_named(number), "kind": "meter", "carrier": "electricity", "point": listed}
            for number in range(-(-points // len(measured)))
        ],
    }


def _itself(code: str) -> dict[str, Any]:
    return {
        "code": code,
        "name": code,
        "name_en": code,
        "region": "350121",
        "terrain": "coastal",
        "peer_class": 1,
        "area_mu": 100.0,
    }


def _named(number: int) -> dict[str, str]:
    return dict.fromkeys(("code", "name", "name_en"), f"M{number}")


def make_park(connection: Connection, code: str, *, meters: int, start_us: int, days: int, every_s: int) -> Park:
    """Load the catalogue and store the readings of whole days, one batch a day."""
    catalogue = parse_catalogue(document(code, meters), file=f"{code}.toml")
    load_catalogue(connection, catalogue, source="bench", loaded_by="bench", at=from_us(start_us))
    registry, edge = load_registry(connection), register_edge(connection, code)
    ids = np.array([r.point_id for r in registry.by_id.values() if r.park == code], np.int32)
    times = np.arange(0, DAY_US, every_s * 1_000_000, dtype=np.int64)
    random = np.random.default_rng(7)
    shown = np.zeros((len(ids), 1), np.int64)
    for day in range(days):
        steps = shown + np.cumsum(random.integers(0, 1 + every_s, (len(ids), len(times))), axis=1)
        shown = steps[:, -1:]
        rows = np.zeros(steps.size, READING_DTYPE)
        rows["point_id"], rows["time"] = (
            np.repeat(ids, len(times)),
            np.tile(start_us + day * DAY_US + times, len(ids)),
        )
        rows["scaled"], rows["raw"] = steps.ravel(), np.nan
        store_batches(connection, [Batch(edge, 1, day, 0, rows)], received_at=from_us(start_us + (day + 1) * DAY_US))
    return Park(code, meters, days, len(ids) * len(times) * days)
