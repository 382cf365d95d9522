"""A park's year against the six indicators of national zero-carbon parks, by the command."""

import json
from dataclasses import replace
from typing import Any

import pytest
from smartpark.cli import main
from smartpark_api.evaluation.zero_carbon import Check, check_park
from smartpark_storage import Connection, publish_indicators
from test_ranking import province, row

__all__ = ["province"]


def publish(connection: Connection, **values: float | None) -> None:
    publish_indicators(connection, [row("p0", value, indicator=name) for name, value in values.items()])
    connection.commit()


def checks(connection: Connection) -> dict[str, Check]:
    return {check.indicator: check for check in check_park(connection, "p0", 2025)}


def test_each_indicator_has_its_gap_and_verdict(province: Connection):
    publish(
        province,
        comprehensive_energy=1_000_000.0,
        carbon_per_energy_zero_carbon=0.25,
        clean_energy_share=0.85,
        water_reuse_rate=None,
    )
    found = checks(province)
    assert next(iter(found)) == "carbon_per_energy_zero_carbon"
    core = found["carbon_per_energy_zero_carbon"]
    # A million tonnes belong to the upper row.
    assert (core.role, core.limit, core.verdict, core.gap) == ("core", 0.3, "passes", pytest.approx(-0.05))
    clean = found["clean_energy_share"]
    assert (clean.role, clean.limit, clean.verdict, clean.gap) == ("guiding", 0.9, "fails", pytest.approx(0.05))
    assert (clean.grade, clean.at_most) == ("S", False)
    water, waste = found["water_reuse_rate"], found["solid_waste_utilisation"]
    assert (water.verdict, water.reason) == ("not_known", "value_added of 2025 is not entered")
    assert (waste.verdict, waste.reason) == ("not_known", "solid_waste_utilisation is not published")
    assert len(found) == 6


def test_a_small_park_has_no_core_threshold(province: Connection):
    publish(province, carbon_per_energy_zero_carbon=0.1, comprehensive_energy=199_999.0)
    core = checks(province)["carbon_per_energy_zero_carbon"]
    assert (core.value, core.limit, core.gap, core.verdict) == (0.1, None, None, "no_threshold")


def test_without_the_years_energy_it_is_not_known_which_threshold_counts(province: Connection):
    publish(province, carbon_per_energy_zero_carbon=0.1)
    core = checks(province)["carbon_per_energy_zero_carbon"]
    assert (core.value, core.limit, core.gap, core.verdict) == (0.1, None, None, "not_known")
    assert core.reason.startswith("comprehensive_energy is not published")


def test_half_a_year_of_energy_chooses_no_threshold(province: Connection):
    half = replace(row("p0", 3e5, indicator="comprehensive_energy"), completeness=0.5)
    publish_indicators(province, [half])
    publish(province, carbon_per_energy_zero_carbon=0.1)
    core = checks(province)["carbon_per_energy_zero_carbon"]
    assert core.verdict == "not_known"
    assert core.reason.startswith("comprehensive_energy of the year is complete to 50.0% only")


def test_the_command_prints_for_people_and_machines(
    province: Connection, database_dsn: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    publish(province, comprehensive_energy=4e5, carbon_per_energy_zero_carbon=2.91)
    monkeypatch.setenv("SMARTPARK_DSN", database_dsn)
    assert main(["zerocarbon", "p0", "--year", "2025"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split()[:7] == ["core", "2.91", "<=", "0.2", "t/tce", "fails,", "gap"]
    assert main(["zerocarbon", "p0", "--year", "2025", "--json"]) == 0
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert answer["checks"][0]["gap"] == pytest.approx(2.71)
    assert main(["zerocarbon", "nowhere"]) == 1
    assert "there is no park 'nowhere'; known: p0, p1" in capsys.readouterr().err
