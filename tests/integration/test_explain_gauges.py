"""`smartpark explain` of numbers from gauges: each is computed anew and comes out to the last digit, step by step."""

import json
import os
from typing import Any

import pytest
from gauge_park import AIR, DAY, HOUR, MIDNIGHT, MINUTE, STACK, VALUES, GaugePark, document
from smartpark.clock import from_us
from smartpark.indicators import INDICATORS
from smartpark.periods import Grain, period_containing
from smartpark.status import BAD_SENSOR_FAILURE, BAD_SHUTDOWN, as_int32
from smartpark_analytics.gauges.arithmetic import evaluate
from smartpark_api.explaining.evidence import Question, Sources, explain, parse_period
from smartpark_api.explaining.gauges import GAUGES
from smartpark_storage import transaction

S1 = tuple(f"S1/{measurand}" for measurand in STACK)
A1 = tuple(f"A1/{measurand}" for measurand in AIR)
M0 = tuple(key for key in VALUES if key.startswith("M0/"))


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


@pytest.fixture
def derived(gauges: GaugePark) -> GaugePark:
    """A day of everything, with a lost hour and a furnace that goes off; hours before it, and a day of the next month.

    The second transformer meter has phases, and unbalance is measured, so that every indicator of gauges is there.
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
    gauges.feed(MIDNIGHT + 21 * DAY, MIDNIGHT + 21 * DAY + 5 * HOUR, curve=uneven)
    gauges.derive(now=MIDNIGHT + 22 * DAY)
    return gauges


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
    assert GAUGES <= INDICATORS.keys()
    of_pages = {"maximum-demand", "load-statistics", "transformer-load", "power-quality", "air-quality-index"}
    of_pages |= {"stack-emissions"}
    assert {m.code for m in INDICATORS.values() if m.method_page in of_pages} <= GAUGES
