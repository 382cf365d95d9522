"""`smartpark explain` of numbers from gauges: each is computed anew and comes out to the last digit, step by step."""

import json
import os
import re
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from fix_api import serving
from gauge_park import DAY, HOUR, MIDNIGHT, MINUTE, STACK, VALUES, GaugePark, document
from playwright.sync_api import Browser
from smartpark.cli import main
from smartpark.clock import from_us
from smartpark.indicators import INDICATORS
from smartpark.periods import Grain, period_containing
from smartpark.status import BAD_SENSOR_FAILURE, BAD_SHUTDOWN, as_int32
from smartpark_analytics.accounting.explanation import NothingToExplainError
from smartpark_analytics.gauges.arithmetic import evaluate
from smartpark_api.app import create_app
from smartpark_api.explaining.evidence import WHOLE, Question, Sources, explain, parse_period
from smartpark_api.explaining.gauges import GAUGES
from smartpark_api.explaining.text import told
from smartpark_api.settings import ApiSettings
from smartpark_storage import connect, transaction

S1 = tuple(f"S1/{measurand}" for measurand in STACK)
S2 = tuple(f"S2/{measurand}" for measurand in STACK)


def uneven(key: str, at: int) -> float:
    """Never the same twice, so that a sum in another order would have another last digit."""
    minute = (at - MIDNIGHT) // MINUTE
    return VALUES[key] * (0.7 + 0.3 * ((minute * 37 + len(key) * 11) % 101) / 101)


def current(gauges: GaugePark) -> list[dict[str, Any]]:
    with transaction(gauges.connection):
        cursor = gauges.connection.execute(
            "SELECT boundary, indicator, grain, start, value, completeness, reason, method FROM smartpark.indicator"
            " WHERE superseded_at IS NULL ORDER BY boundary, indicator, grain, start"
        )
        names = [column.name for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor]


CONTRACTS = [
    {"code": "C0", "valid_from": "2026-01-01", "basic_charge": "contract_demand", "contract_demand_kw": 4800.0},
    {
        "code": "C1",
        "enterprise": "E1",
        "valid_from": "2026-01-01",
        "basic_charge": "contract_demand",
        "contract_demand_kw": 1000.0,
        "settlement_day": 10,
    },
]


def filled(gauges: GaugePark) -> GaugePark:
    """A day of everything with a lost hour and a furnace that goes off, hours before it, and some of the next month.

    Unbalance is measured and a transformer has two meters, so that every indicator of gauges is there.
    """
    catalogue = document(contract=CONTRACTS)
    catalogue["device"][0]["point"].append(
        {"measurand": "voltage_unbalance", "code": "voltage_unbalance", "resolution": "0.001"}
    )
    catalogue["device"][2]["transformer"] = "TR1"
    gauges.load(catalogue)
    keys = [key for key in VALUES if key not in S1]
    gauges.feed(MIDNIGHT - 2 * HOUR, MIDNIGHT + DAY, keys=keys, curve=uneven)
    gauges.feed(
        MIDNIGHT, MIDNIGHT + DAY, keys=["M0/voltage_unbalance"], curve=lambda _, at: 1.0 + at // MINUTE % 7 / 7
    )
    gauges.feed(MIDNIGHT - 2 * HOUR, MIDNIGHT + 6 * HOUR, keys=S1, curve=uneven)
    gauges.feed(MIDNIGHT + 6 * HOUR, MIDNIGHT + 7 * HOUR, keys=S1, status=as_int32(BAD_SENSOR_FAILURE))
    gauges.feed(MIDNIGHT + 8 * HOUR, MIDNIGHT + 20 * HOUR, keys=S1, curve=uneven)
    gauges.feed(MIDNIGHT + 20 * HOUR, MIDNIGHT + 22 * HOUR, keys=S1, status=as_int32(BAD_SHUTDOWN))
    later = MIDNIGHT + 21 * DAY
    gauges.feed(later, later + HOUR, keys=keys, curve=uneven)
    # The second stack has been silent for three weeks: too little is caught of its quarter for any substitute.
    gauges.feed(later + HOUR, later + 2 * HOUR, keys=[key for key in keys if key not in S2], curve=uneven)
    gauges.feed(later + HOUR, later + 2 * HOUR, keys=S2, status=as_int32(BAD_SENSOR_FAILURE))
    gauges.feed(later + 2 * HOUR, later + 5 * HOUR, keys=keys, curve=uneven)
    gauges.derive(now=MIDNIGHT + 22 * DAY)
    return gauges


@pytest.fixture
def derived(gauges: GaugePark) -> GaugePark:
    """The park on a database of each kind."""
    return filled(gauges)


@pytest.fixture
def told_park(plain_database_dsn: str) -> Iterator[GaugePark]:
    """The same on plain PostgreSQL only, for what is said."""
    with connect(plain_database_dsn, application="test, explain") as connection:
        yield filled(GaugePark(connection))


def test_every_number_from_gauges_is_given_again_by_its_derivation(derived: GaugePark):
    rows = current(derived)
    # Of hours those of the first day's night, with a measured, a lost, a substituted and a stopped one.
    hours = {from_us(MIDNIGHT + hour * HOUR) for hour in (3, 6, 7, 20)}
    sources, seen = Sources(derived.connection), set[tuple[str, str]]()
    for row in rows:
        if row["grain"] == "hour" and row["start"] not in hours:
            continue
        period = period_containing(row["start"], Grain(row["grain"]))
        found = explain(sources, Question(row["indicator"], "hill", period, row["boundary"])).explanation
        named = (row["indicator"], row["boundary"], row["grain"], row["start"])
        assert found.differences == (), named
        assert found.value == row["value"], named
        assert (found.reason, found.method) == (row["reason"], row["method"]), named
        assert found.completeness == pytest.approx(row["completeness"], rel=1e-6), named
        check_steps(found.derivation, named)
        if row["value"] is not None:
            assert found.added_up() == row["value"], named
            seen.add((row["indicator"], row["grain"]))
    assert {indicator for indicator, _ in seen} == GAUGES
    assert seen == {(row["indicator"], row["grain"]) for row in rows if row["value"] is not None}


def check_steps(derivation: Any, named: Any) -> None:
    """Every formula gives its value, and the last one the number."""
    assert derivation.steps, named
    for step in derivation.steps:
        assert all(step.says), named
        if step.formula:
            assert step.added_up() == step.value, (named, step.says, step.formula)
        for item in step.items:
            if item.formula:
                assert evaluate(item.formula) == item.value, (named, item)
    assert derivation.steps[-1].value == derivation.number.value, named
    for rule in derivation.rules:
        assert rule.source, named
        assert all(rule.says), named


def test_what_comes_from_gauges_is_on_the_list_of_indicators():
    assert INDICATORS.keys() >= GAUGES
    of_pages = {"maximum-demand", "load-statistics", "transformer-load", "power-quality", "air-quality-index"}
    of_pages |= {"stack-emissions"}
    assert {m.code for m in INDICATORS.values() if m.method_page in of_pages} <= GAUGES


def text_of(gauges: GaugePark, indicator: str, period: str, boundary: str, *, chinese: bool = False) -> str:
    answer = explain(Sources(gauges.connection), Question(indicator, "hill", parse_period(period), boundary))
    return told(answer, chinese=chinese)


TOLD = {
    # The maximum minute by minute, in either language.
    ("maximum_demand", "2026-11-10", "park"): [
        "hill/M0/active_power [kW]: 1440 of 1440 minutes known, 1440 with a reading",
        "demand:15-1: window of 15 min, sliding by 1 min, at least 13 min known",
        "DL/T 645-2007",
        "2. mean of 00:17-00:32, minute by minute: sum(listed) / 15 = 4338.614 kW",
        "00:17 4792.079, 00:18 3841.584",
    ],
    ("maximum_demand", "2026-11-10", "park", "zh"): [
        "需量周期 15 min, 滑差 1 min, 至少 13 min 有效",
        "2. 00:17-00:32 的平均值(各分钟): sum(listed) / 15 = 4338.614 kW",
    ],
    # What several meters measure is added up before the reader's eyes.
    ("transformer_load_rate", "2026-11-10", "transformer/TR1"): [
        "02:00: 966.044 = 702.574 + 263.47",
        "4. apparent power: hypot(954.2798, 597.0128000000001) = 1125.6439135232242 kVA",
        "5. load rate, over the rated capacity: 1125.6439135232242 / 1250.0 = 0.9005151308185794",
    ],
    # A lost hour: by which rule it is substituted, and from which hour before.
    ("so2_mass", "2026-11-10T06", "device/S1"): [
        "estimated 100.0%",
        "hill/S1/so2_concentration [mg/m3]: 0 of 60 minutes known, 60 with a reading",
        "06:00: not known  (sensor failure)",
        "3. capture rate of the quarter that began on 2026-10-01: 20 / 22 = 0.9090909090909091",
        "4. hours lost on end, since 2026-11-10T06: 2.0 h",
        "capture rate from 90%, lost on end ≤ 24 h: maximum of the 180 valid hours before",
        "5. maximum of the 8 valid hours before, since 2026-11-09T22; the 5 largest are listed: max(listed) = ",
    ],
    ("so2_mass", "2026-11-10", "device/S1", "zh"): ["(替代)", "20:00: 未知  (停运)"],
    ("so2_mass", "2026-12-01T01", "device/S2"): ["no rule gives a substitute: not known"],
    # Concentrations, breakpoints, and the largest of the six.
    ("air_quality_index", "2026-11-10T03", "device/A1"): [
        "HJ 633-2026: breakpoints of hours",
        "10. PM10: individual index of 75 ug/m3, rounded first; 50-120 ug/m3 = 50-100",
        "(in tenths, rounded up): 50 + ceil((750 - 500) * 50 / 700) = 68.0",
        "13. air quality index (level 2 good; primary pollutant PM10): max(listed) = 68.0",
    ],
    ("voltage_thd_p95", "2026-11-10", "device/M0"): [
        "gbt14549:6-10kv: limit 4 % for the 95% value",
        "the largest record left when the largest 7 are set aside: sorted(listed)[136] = 2.1725000000000003 %",
        "listed: as in step 1",
    ],
    # A settlement month is found by the month in which it begins; the tenth is the cut-off of E1.
    ("contract_demand_use", "2026-11", "enterprise/E1"): ["2026-11-10 694.1782", "694.1782 / 1000.0 = 0.6941782"],
    ("maximum_demand_block", "2026-11", "enterprise/E1"): ["2026-11-09: ", "2026-11-10: "],
}
"""Lines of the text about a number."""
NOT_PUBLISHED = {
    ("maximum_demand", "2026-11-10T03", "park"): "it is published by day and month",
    ("maximum_demand", "2026-11-10", "device/M9"): "try --boundary with one of: device/M0",
    ("so2_mass", "2026-11-12", "park"): "there is none of that period",
}


def test_the_text_shows_inputs_rules_and_numbers_put_in(told_park: GaugePark):
    for (indicator, period, boundary, *language), lines in TOLD.items():
        text = text_of(told_park, indicator, period, boundary, chinese=language == ["zh"])
        for line in lines:
            assert line in text, (indicator, line)
    assert "2026-11-09: " not in text_of(told_park, "maximum_demand", "2026-11", "enterprise/E1")
    # A month goes down to the minutes of its days where everything is asked for.
    month = Question("maximum_demand", "hill", parse_period("2026-11"), "enterprise/E1")
    whole = told(explain(Sources(told_park.connection), month, WHOLE), chinese=False)
    assert "1. largest of the parts, on 2026-11-10: max(listed) = 694.1782 kW" in whole
    assert "mean of 00:17-00:32, minute by minute: sum(listed) / 15 = 694.1782 kW" in whole
    for question, said in NOT_PUBLISHED.items():
        with pytest.raises(NothingToExplainError, match=re.escape(said)):
            text_of(told_park, *question)


def test_a_late_reading_is_a_difference_until_derived_and_without_readings_the_row_is_told(
    derived: GaugePark,
):
    question = Question("maximum_demand", "hill", parse_period("2026-11-10"), "device/T1")
    derived.feed(MIDNIGHT + 3 * HOUR, MIDNIGHT + 4 * HOUR, keys=["T1/active_power"], curve=lambda *_: 2000.0)
    before = explain(Sources(derived.connection), question).explanation
    # Both readings of a minute count, so the new ones alone do not make its mean.
    assert before.value is not None
    assert any("readings or meters have changed since" in line for line in before.differences)
    derived.derive(now=MIDNIGHT + 22 * DAY)
    after = explain(Sources(derived.connection), question)
    assert after.explanation.differences == ()
    assert after.published is not None
    assert after.published.value == before.value
    # And when the readings are gone, the row is told as it was published.
    with transaction(derived.connection):
        derived.connection.execute("DELETE FROM smartpark.minute_hour")
        derived.connection.execute("DELETE FROM smartpark.reading")
    text = text_of(derived, "air_quality_index", "2026-11-10", "device/A1")
    assert "none of the readings that it was computed from is left; level 2 good" in text


def test_command_api_and_page_show_the_same_steps(
    told_park: GaugePark,
    plain_database_dsn: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    client_of: Callable[..., httpx.Client],
):
    monkeypatch.setitem(os.environ, "SMARTPARK_DSN", plain_database_dsn)
    boundary = ["--boundary", "device/S1"]
    assert main(["explain", "so2_corrected", "hill", "2026-11-10T03", *boundary, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    last = found["derivation"]["steps"][-1]
    assert (last["value"], last["zh"], last["en"]) == (
        found["value"],
        "折算浓度",
        "concentration at the reference oxygen",
    )
    assert evaluate(last["formula"]) == found["value"] == found["published"]["value"]
    assert found["differences"] == []
    assert main(["explain", "so2_corrected", "hill", "2026-11-10T03", *boundary, "--zh"]) == 0
    assert f"3. 折算浓度: {last['formula']} = {found['value']!r} mg/m3" in capsys.readouterr().out
    assert told_park.sequence
    client = client_of(plain_database_dsn)
    asked = {"indicator": "so2_corrected", "period": "2026-11-10T03", "boundary": "device/S1"}
    answer = client.get("/api/v1/indicators/explain", params={"park": "hill", **asked}).json()
    assert answer["derivation"] == found["derivation"]
    page = client.get("/parks/hill/explain", params=asked)
    assert page.status_code == 200
    assert f"{last['formula']} = {found['value']!r}" in page.text
    assert "GB 13271-2014, table 2 and 5.2" in page.text
    assert "hill/S1/o2_content" in page.text


@pytest.mark.browser
def test_no_derivation_is_wider_than_a_phone(told_park: GaugePark, plain_database_dsn: str, browser: Browser):
    assert told_park.sequence
    wide = {
        "iaqi_o3": "2026-11-10&boundary=device/A1",
        "transformer_load_rate": "2026-11-10&boundary=transformer/TR1",
    }
    with serving(create_app(ApiSettings(dsn=plain_database_dsn))) as address:
        context = browser.new_context(viewport={"width": 360, "height": 900})
        try:
            page = context.new_page()
            for indicator, boundary in wide.items():
                asked = f"indicator={indicator}&period=2026-11-10&boundary={boundary}"
                page.goto(f"{address}/parks/hill/explain?{asked}&lang=en")
                page.locator("details").first.click()
                assert page.evaluate("document.documentElement.scrollWidth") == 360, indicator
                assert page.locator("#steps-heading").is_visible()
        finally:
            context.close()
