"""`smartpark indicators`: what there can be, what is published, and where to look when it is not."""

import json

import pytest
from fix_api import NOON
from smartpark.cli import main
from smartpark.indicators import INDICATORS
from smartpark.periods import Grain, period_containing

DAY = period_containing(NOON, Grain.DAY).start


@pytest.fixture
def published(plain_hand, monkeypatch):
    plain_hand.indicator("carbon_location", DAY, 20.5, unit="t")
    plain_hand.indicator("load_factor", DAY, None, unit="1")
    plain_hand.indicator("air_quality_index", DAY, 45.0, unit="1", boundary="device/A1")
    monkeypatch.setenv("SMARTPARK_DSN", plain_hand.dsn)
    return plain_hand


def test_indicators_are_found_by_code_and_by_name_in_either_language(capsys):
    for word, code in (("SCOPE1", "carbon_scope1"), ("需量", "maximum_demand"), ("air quality", "air_quality_index")):
        assert main(["indicators", "--find", word]) == 0
        found = capsys.readouterr().out
        assert code in found
        assert f"docs/methods/{INDICATORS[code].method_page}.md" in found
    assert main(["indicators", "--json"]) == 0
    assert [one["indicator"] for one in json.loads(capsys.readouterr().out)] == list(INDICATORS)


@pytest.mark.usefixtures("published")
def test_a_day_is_listed_with_reasons_for_what_is_not_known(capsys):
    assert main(["indicators", "testpark", "2026-11-22"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "park"
    assert lines[1].split()[:4] == ["carbon_location", "20.500", "t", "97.5%"]
    assert lines[2].endswith("负荷率 load factor  [no reading of M0]")
    assert len(lines) == 3
    assert main(["indicators", "testpark", "2026-11-22", "--boundary", "all", "--find", "AQI", "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)
    assert (found["boundary"], found["value"], found["start"]) == ("device/A1", 45.0, "2026-11-22T00:00:00+08:00")


@pytest.mark.usefixtures("published")
@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (["indicators", "nowhere"], "there is no park 'nowhere'; known: testpark"),
        (["indicators", "testpark", "2025"], "nothing is published of testpark, park, in that period"),
        (["indicators", "testpark", "2026-11-22", "--boundary", "device/S1"], "there is of: device/A1, park"),
        (["explain", "AQI", "testpark", "2026-11-22"], "did you mean air_quality_index, iaqi_so2"),
        (["explain", "air_quality_index", "testpark", "2026-11-22"], "try --boundary with one of: device/A1"),
        (["explain", "load_factor", "testpark", "2026-11"], "it is published by day"),
        (["explain", "load_factor", "testpark", "2026-11-23"], "there is none of that period"),
        (["explain", "energy_per_output", "testpark", "2026-11"], "docs/methods/intensity.md says what it needs"),
    ],
)
def test_what_is_not_there_says_where_to_look(capsys, asked, said):
    assert main(asked) == 1
    assert said in capsys.readouterr().err
