"""A park with sub-parks, tenants, a roof, a meter tree, transfers and a virtual meter, fed with steady loads."""

from typing import Any

from derive_park import DAY, HOUR, MIDNIGHT, MINUTE, DerivePark, device, document

LOADS = {
    "M0/active_energy_import": 1000.0,
    "M0/active_energy_export": 40.0,
    "PV1/active_energy_export": 300.0,
    "F1/active_energy_import": 700.0,
    "F2/active_energy_import": 540.0,
    "E1/active_energy_import": 400.0,
    "E2/active_energy_import": 250.0,
    "E3/active_energy_import": 300.0,
    "E3PV/active_energy_export": 50.0,
    "C1/active_energy_import": 90.0,
    "E1B/active_energy_import": 100.0,
    "G1/gas_volume": 45.0,
    "G2/gas_volume": 30.0,
    "W1/water_volume": 9.0,
    "S1/heat_energy": 2.0,
}
"""Steady load of each counter. [unit/h]"""
KWH = 1000.0 - 40.0 + 300.0 + 50.0
LOSS = 1000.0 - 40.0 + 300.0 - 700.0 - 540.0
COMMON = 90.0
REST = 700.0 - 400.0 - 250.0 + 540.0 - 300.0 - 90.0
ENTERPRISES = {"E1": 300.0, "E2": 250.0 + 100.0, "E3": 300.0 + 50.0}
"""E1 hands 100 on to E2, whose meter E1B hangs on E1's; E3's roof is behind its meter."""


def _enterprise(code: str, uscc: str, sub_park: str) -> dict[str, Any]:
    return {"code": code, "name": code, "name_en": code, "uscc": uscc, "sub_park": sub_park}


def accounting_document() -> dict[str, Any]:
    both = ("active_energy_import", "active_energy_export")
    one, export = "active_energy_import", "active_energy_export"
    exact = {"accuracy_class": 0.5}
    return {
        "park": document()["park"],
        "sub_park": [{"code": code, "name": code, "name_en": code} for code in ("north", "south")],
        "enterprise": [
            _enterprise("E1", "91350121MA0000P01P", "north"),
            _enterprise("E2", "91350121MA0000P02T", "north"),
            _enterprise("E3", "91350121MA0000P03X", "south"),
        ],
        "device": [
            device("M0", "electricity", "boundary", *both, **exact),
            device("PV1", "photovoltaic", "generation", export, **exact),
            device("F1", "electricity", "distribution", one, parent="M0", sub_park="north", **exact),
            device("F2", "electricity", "distribution", one, parent="M0", sub_park="south", **exact),
            device("E1", "electricity", "consumption", one, parent="F1", enterprise="E1", **exact),
            device("E2", "electricity", "consumption", one, parent="F1", enterprise="E2", **exact),
            device("E1B", "electricity", "consumption", one, parent="E1", enterprise="E2", **exact),
            device("E3", "electricity", "consumption", one, parent="F2", enterprise="E3", **exact),
            device("E3PV", "photovoltaic", "generation", export, enterprise="E3", **exact),
            device("C1", "electricity", "consumption", one, parent="F2", **exact),
            device("G1", "natural_gas", "boundary", "gas_volume"),
            device(
                "G2", "natural_gas", "consumption", "gas_volume", parent="G1", enterprise="E1", furnace="gas_boiler"
            ),
            device("W1", "water", "boundary", "water_volume"),
            device("S1", "heat", "consumption", "heat_energy", enterprise="E2", internal_transfer=True),
        ],
        "virtual_meter": [
            {
                "code": "V2",
                "name": "V2",
                "name_en": "V2",
                "expression": "0.5 * (F2 - E3 - C1)",
                "carrier": "electricity",
                "role": "none",
            }
        ],
    }


def register(key: str, time: int) -> int:
    """What a register shows at an instant, in its steps of 0.01."""
    return round(100_000 + 100 * LOADS[key] * (time - MIDNIGHT + DAY) / HOUR)


def accounting_park(hill: DerivePark) -> DerivePark:
    """The park loaded in the place of the small one."""
    hill.load(accounting_document())
    return hill


def feed(hill: DerivePark, start: int, end: int, *, without: tuple[str, ...] = ()) -> None:
    keys = [key for key in LOADS if key.split("/")[0] not in without]
    hill.feed(start, end, every=15 * MINUTE, keys=keys, register=register)
