"""Electricity by tariff period, from readings to days and months, by the plan of the contract or the province's."""

import pytest
from derive_park import DAY, HOUR, LOADS, MIDNIGHT, DerivePark, document
from smartpark_ingest.derive import Deriver
from smartpark_storage import Connection

KWH = LOADS["M0/active_energy_import"]
PLAN = """
version = "1"
[[plan]]
code = "night"
name = "夜"
name_en = "night"
purchase = "market"
[[plan.version]]
id = "night-1"
valid_from = 2026-01-01
source = "contract"
grade = "P"
price = { flat = 0.6, valley = 0.3 }
[[plan.version.hours]]
period = "valley"
spans = ["00:00-06:00"]
[[plan.version.hours]]
period = "flat"
spans = ["06:00-24:00"]
"""


def periods(park: DerivePark, grain: str = "day") -> dict[str, float]:
    names = ("sharp", "peak", "flat", "valley")
    return {name: park.published(f"electricity_{name}", grain)[0]["value"] for name in names}


def test_a_day_is_split_by_the_default_plan_of_the_province(connection: Connection):
    park = DerivePark(connection)
    park.feed(MIDNIGHT, MIDNIGHT + DAY)
    park.derive()
    # November in Fujian: eight hours each, and none that are sharp.
    assert periods(park) == pytest.approx({"sharp": 0.0, "peak": 8 * KWH, "flat": 8 * KWH, "valley": 8 * KWH})
    assert periods(park, "month") == pytest.approx(periods(park))
    (day,) = park.published("electricity_peak", "day")
    assert (day["factors"], day["completeness"]) == (["fujian-2023-8"], 1.0)
    assert day["reason"].startswith("price plan fujian-agency (default)")
    (bought,) = park.published("electricity_purchased", "day")
    assert sum(periods(park).values()) == pytest.approx(bought["value"])


def test_a_period_is_as_complete_as_its_own_hours(connection: Connection):
    park = DerivePark(connection)
    park.feed(MIDNIGHT, MIDNIGHT + 8 * HOUR)
    park.derive()
    (valley,) = park.published("electricity_valley", "day")
    (flat,) = park.published("electricity_flat", "day")
    assert (valley["value"], valley["completeness"]) == (pytest.approx(8 * KWH), 1.0)
    assert (flat["value"], flat["completeness"]) == (None, 0.0)


def test_a_contract_names_a_plan_of_ones_own(connection: Connection, tmp_path, monkeypatch):
    plans = tmp_path / "plans.toml"
    plans.write_text(PLAN, "utf-8")
    monkeypatch.setenv("SMARTPARK_PRICE_PLANS", str(plans))
    park = DerivePark(connection, deriver=Deriver())
    contract = {"code": "C1", "valid_from": "2026-01-01", "basic_charge": "none", "price_plan": "night"}
    park.load({**document(), "contract": [contract]}, at=MIDNIGHT - DAY // 2)
    park.feed(MIDNIGHT, MIDNIGHT + DAY)
    park.derive()
    assert periods(park) == pytest.approx({"sharp": 0.0, "peak": 0.0, "flat": 18 * KWH, "valley": 6 * KWH})
