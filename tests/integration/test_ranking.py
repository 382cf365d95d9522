"""The ranking command over published years: groups, coverage, progress, and the mix of industries."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from smartpark.catalogue import parse_catalogue
from smartpark.cli import main
from smartpark.clock import to_us
from smartpark_api.evaluation.ranking import Table, rank_year
from smartpark_storage import Connection, IndicatorRow, load_catalogue, publish_indicators
from storage_cases import NOON, park_document

USCC = "91350100M000100Y43"


def year_us(year: int) -> int:
    return to_us(datetime(year, 1, 1, tzinfo=UTC)) - 8 * 3_600_000_000


def row(park: str, value: float | None, *, year: int = 2025, **more: Any) -> IndicatorRow:
    known: dict[str, Any] = {
        "indicator": "energy_per_value_added",
        "numerator": None,
        "denominator": None,
        "reason": "current prices" if value is not None else "value_added of 2025 is not entered",
    }
    return IndicatorRow(
        park=park,
        grain="year",
        start_us=year_us(year),
        value=value,
        unit="tce/万元",
        completeness=1.0,
        estimated_share=0.0,
        method="m/1",
        factor_set="",
        factors=(),
        computed_at_us=to_us(NOON),
        **(known | more),
    )


@pytest.fixture
def province(connection: Connection) -> Connection:
    """Seven parks: five of class 1 at the coast, one in its mountains, one of class 2."""
    for n in range(7):
        document = park_document()
        document["park"] |= {
            "code": f"p{n}",
            "terrain": "mountain" if n == 5 else "coastal",
            "peer_class": 2 if n == 6 else 1,
        }
        document["enterprise"] = [
            {"code": c, "name": c, "name_en": c, "uscc": USCC, "industry": industry, "is_above_scale": True}
            for c, industry in (("T1", "C2611"), ("T2", "C3922"))
        ]
        load_catalogue(connection, parse_catalogue(document, file="p.toml"), source="p", loaded_by="test", at=NOON)
    rows = [row(f"p{n}", 0.1 * (n + 1)) for n in range(7)]
    rows += [row(f"p{n}", 0.2, year=2024) for n in range(7)]
    publish_indicators(connection, rows)
    connection.commit()
    return connection


def places(tables: list[Table], indicator: str = "energy_per_value_added") -> dict[str, Any]:
    found = next(table for table in tables if table.indicator == indicator)
    return {place.park: place for place in found.places}


def test_a_park_is_ranked_within_the_narrowest_group_that_is_large_enough(province: Connection):
    found = places(rank_year(province, 2025))
    assert list(found) == ["p0", "p1", "p2", "p3", "p4", "p5", "p6"]
    assert [(p.level, p.group_size) for p in found.values()] == [
        *[("class_and_terrain", 5)] * 5,
        ("class", 6),
        ("province", 7),
    ]
    assert [p.percentile for p in found.values()] == [100.0, 75.0, 50.0, 25.0, 0.0, 0.0, 0.0]
    assert found["p0"].progress == pytest.approx(0.5)
    assert found["p0"].progress_percentile == 100.0
    assert found["p3"].progress == pytest.approx(-1.0)


def test_low_coverage_is_shown_and_not_ranked(province: Connection):
    publish_indicators(province, [row("p4", 0.7, indicator="output_coverage"), row("p3", None)])
    found = places(rank_year(province, 2025))
    assert (found["p4"].value, found["p4"].not_ranked, found["p4"].percentile) == (0.5, "low_coverage", None)
    assert (found["p3"].value, found["p3"].not_ranked) == (None, "not_known")
    assert found["p3"].reason == "value_added of 2025 is not entered"
    # Three of the group are left at the coast, four in the class: the province it is.
    assert (found["p0"].level, found["p0"].group_size) == ("province", 5)
    assert list(found)[-2:] == ["p4", "p3"]


def test_a_park_of_heavy_industry_is_compared_with_the_mix_of_its_class(province: Connection):
    firms = []
    for n in range(6):
        # All work alike in both sectors; only p0 has mostly chemistry.
        heavy, light = (900.0, 100.0) if n == 0 else (100.0, 900.0)
        for firm, energy, economy in (("T1", heavy, heavy), ("T2", light * 0.1, light)):
            firms.append(
                row(
                    f"p{n}",
                    energy / economy,
                    boundary=f"enterprise/{firm}",
                    numerator=energy,
                    denominator=economy,
                )
            )
    publish_indicators(province, firms)
    tables = [t for t in rank_year(province, 2025) if t.is_mix_adjusted]
    assert [t.indicator for t in tables] == ["energy_per_value_added"]
    values = {place.park: place.value for place in tables[0].places}
    expected = (1400 / 6000) * 1.0 + (4600 / 6000) * 0.1
    assert [values[f"p{n}"] for n in range(6)] == pytest.approx([expected] * 6)
    assert values["p6"] is None


def test_the_command_prints_tables_for_people_and_machines(
    province: Connection, database_dsn: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("SMARTPARK_DSN", database_dsn)
    assert main(["ranking", "--year", "2025", "--indicator", "energy_per_value_added"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith("[tce/万元], 2025, lower is better")
    assert " ".join(lines[1].split()) == (
        "p0 0.1 100.0 of 100 among 5 (class_and_terrain), z +1.83, +50.0% against the year before"
    )
    assert main(["ranking", "--year", "2025", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["year"] == 2025
    tax = next(table for table in answer["tables"] if table["indicator"] == "tax_per_mu")
    assert {place["not_ranked"] for place in tax["places"]} == {"not_known"}
    assert main(["ranking", "--indicator", "beauty"]) == 1
    assert "'beauty' is not compared; there are: energy_per_value_added" in capsys.readouterr().err


def test_without_parks_there_are_empty_tables(connection: Connection):
    assert all(table.places == () for table in rank_year(connection, 2025))
