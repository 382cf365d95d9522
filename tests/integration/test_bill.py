"""`smartpark bill` and `smartpark load-curve`: a month that can be reckoned on paper, on both databases."""

import json
import os
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from derive_park import DAY, HOUR, MIDNIGHT, MINUTE, DerivePark, device, document
from smartpark.cli import main
from smartpark.clock import to_us
from smartpark.contracts import settlement_month
from smartpark.indicators import INDICATORS
from smartpark_api.electricity.asking import month_of
from smartpark_storage import IndicatorRow, publish_indicators

FIRST = MIDNIGHT - 9 * DAY
KW, KVAR = 1200.0, 636.0
PRICED = """
version = "1"
[[plan]]
code = "priced"
name = "三段"
name_en = "three periods"
purchase = "market"
[[plan.version]]
id = "priced-1"
valid_from = 2026-01-01
source = "contract"
grade = "P"
price = { peak = 0.948, flat = 0.6, valley = 0.222 }
fund_price = 0.03
demand_price = 40.0
capacity_price = 22.6
[[plan.version.hours]]
period = "valley"
spans = ["00:00-08:00"]
[[plan.version.hours]]
period = "flat"
spans = ["08:00-16:00"]
[[plan.version.hours]]
period = "peak"
spans = ["16:00-24:00"]
"""
CONTRACT: dict[str, Any] = {
    "code": "C1",
    "valid_from": "2026-01-01",
    "basic_charge": "contract_demand",
    "contract_demand_kw": 2400.0,
    "capacity_kva": 5000.0,
    "power_factor_standard": "0.90",
    "price_plan": "priced",
}
BILL = ["bill", "hill", "2026-11"]


def demand(month: str, value: float) -> IndicatorRow:
    period = settlement_month(month_of(month), 1)
    return IndicatorRow(
        park="hill",
        indicator="maximum_demand",
        grain="month",
        start_us=to_us(period.start),
        value=value,
        numerator=None,
        denominator=None,
        unit=INDICATORS["maximum_demand"].unit,
        completeness=1.0,
        estimated_share=0.0,
        method="maximum-demand-sliding/1",
        factor_set="",
        factors=(),
        reason="",
        computed_at_us=MIDNIGHT,
    )


def register(key: str, time: int) -> int:
    load = KVAR if "reactive" in key else KW
    return round(100_000 + 100 * load * (time - FIRST + DAY) / HOUR)


@pytest.fixture
def billed(hill: DerivePark, tmp_path, monkeypatch: pytest.MonkeyPatch, database_dsn: str) -> DerivePark:
    """November of one meter with a steady load, and two months' demand."""
    plans = tmp_path / "plans.toml"
    plans.write_text(PRICED, "utf-8")
    monkeypatch.setenv("SMARTPARK_PRICE_PLANS", str(plans))
    monkeypatch.setitem(os.environ, "SMARTPARK_DSN", database_dsn)
    given = document()
    meter = device("M0", "electricity", "boundary", "active_energy_import", "reactive_energy_import")
    hill.load({"park": given["park"], "device": [meter], "contract": [CONTRACT]})
    keys = ["M0/active_energy_import", "M0/reactive_energy_import"]
    hill.feed(FIRST, FIRST + 30 * DAY, every=15 * MINUTE, keys=keys, register=register)
    hill.derive(now=FIRST + 40 * DAY)
    publish_indicators(hill.connection, [demand("2026-11", 2600.0), demand("2026-10", 2500.0)])
    hill.connection.commit()
    return hill


def asked(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    assert main([*arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_a_month_is_told_in_terms_that_add_up(
    billed: DerivePark,
    capsys: pytest.CaptureFixture[str],
    client_of: Callable[..., httpx.Client],
    database_dsn: str,
    monkeypatch: pytest.MonkeyPatch,
):
    assert billed.sequence
    bill = asked(capsys, *BILL)
    kwh = KW * 8 * 30
    assert [(t["code"], t["quantity"], t["amount_yuan"]) for t in bill["terms"]] == [
        ("basic_charge", 2400.0, pytest.approx(96_000.0)),
        ("basic_charge_excess", 200.0, pytest.approx(11_200.0)),
        ("energy_charge_sharp", 0.0, 0.0),
        ("energy_charge_peak", pytest.approx(kwh), pytest.approx(kwh * 0.948)),
        ("energy_charge_flat", pytest.approx(kwh), pytest.approx(kwh * 0.6)),
        ("energy_charge_valley", pytest.approx(kwh), pytest.approx(kwh * 0.222)),
        ("government_funds", pytest.approx(3 * kwh), pytest.approx(3 * kwh * 0.03)),
        # P 864 000 kWh, Q 457 920 kvarh: 0.8836, of which 0.88 adds one percent to charge and energy.
        ("power_factor_adjustment", pytest.approx(616_960.0), pytest.approx(6_169.6)),
    ]
    assert bill["total_yuan"] == pytest.approx(649_049.6)
    assert bill["total_yuan"] == pytest.approx(sum(term["amount_yuan"] for term in bill["terms"]))
    assert (bill["power_factor"], bill["completeness"], bill["missing"]) == (0.88, 1.0, [])
    advice = bill["advice"]
    assert (advice["months"], advice["months_known"]) == (12, 1)
    assert advice["cost_yuan"]["capacity"] == pytest.approx(5000 * 22.6)
    assert advice["break_even_kw_per_kva"] == pytest.approx(22.6 / 40.0)
    assert advice["least_contract_demand_kw"] == 2000.0
    # 2600 kW are within 105 % of 2477 kW, and not of 2476.
    assert (advice["best"], advice["best_contract_demand_kw"]) == ("contract_demand", 2477.0)
    answered = client_of(database_dsn).get("/api/v1/parks/hill/bill", params={"month": "2026-11"}).json()
    assert answered == bill

    assert main([*BILL, "--zh"]) == 0
    chinese = capsys.readouterr().out
    assert "力调电费" in chinese
    assert "649,049.60" in chinese
    assert main(BILL) == 0
    assert "power-factor adjustment" in capsys.readouterr().out

    monkeypatch.delenv("SMARTPARK_PRICE_PLANS")
    assert main(BILL) == 1
    assert "no price plan has the code 'priced'" in capsys.readouterr().err
    billed.load({**_catalogue(billed), "contract": [_plain()]}, at=MIDNIGHT)
    lacking = asked(capsys, *BILL)
    assert lacking["total_yuan"] is None
    assert lacking["missing"] == ["flat_price", "fund_price", "demand_price", "capacity_kva"]
    given = ("--flat-price", "0.6", "--fund-price", "0.03", "--demand-price", "40", "--capacity-kva", "5000")
    assert asked(capsys, *BILL, *given)["total_yuan"] is not None
    assert main(["bill", "hill", "2026-11", "--enterprise", "E9"]) == 1
    assert "has no contract of E9 in 2026-11; the catalogue has: C1 (park" in capsys.readouterr().err


def _catalogue(park: DerivePark) -> dict[str, Any]:
    meter = device("M0", "electricity", "boundary", "active_energy_import", "reactive_energy_import")
    assert park.registry.by_key
    return {"park": document()["park"], "device": [meter]}


def _plain() -> dict[str, Any]:
    return {k: v for k, v in CONTRACT.items() if k not in {"price_plan", "capacity_kva"}}


def test_the_load_curve_holds_the_energy_of_what_is_known(
    billed: DerivePark, capsys: pytest.CaptureFixture[str], client_of: Callable[..., httpx.Client], database_dsn: str
):
    assert billed.sequence
    curve = asked(capsys, "load-curve", "hill", "2026-11-10", "--steps", "8")
    assert curve["power_kw"] == pytest.approx([KW] * 8)
    assert (curve["step_h"], curve["load_factor"], curve["reason"]) == (3.0, pytest.approx(1.0), "")
    assert sum(power * curve["step_h"] for power in curve["power_kw"]) == pytest.approx(curve["energy_kwh"])
    assert curve["utilisation_h"] == pytest.approx(24.0)
    of_meter = asked(capsys, "load-curve", "hill", "2026-11", "--boundary", "device/M0")
    assert of_meter["energy_kwh"] == pytest.approx(KW * 24 * 30)
    params = {"period": "2026-11-10", "steps": 8}
    assert client_of(database_dsn).get("/api/v1/parks/hill/load-curve", params=params).json() == curve
    assert main(["load-curve", "hill", "2026-11-12", "--zh"]) == 0
    assert "负荷率 100.0%" in capsys.readouterr().out
    for wrong, said in (
        (["hill", "2026-11-10T03"], "is an hour"),
        (["hill", "2026-11", "--boundary", "device/X9"], "has no meter 'X9'"),
        (["hill", "2026-11", "--boundary", "enterprise/E9"], "it has: park"),
        (["nowhere", "2026-11"], "there is no park 'nowhere'"),
    ):
        assert main(["load-curve", *wrong]) == 1
        assert said in capsys.readouterr().err
