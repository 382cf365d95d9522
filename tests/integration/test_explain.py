"""`smartpark explain`: every published number of a park is given again by its explanation, to the last digit."""

import json
import os
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from accounting_park import COMMON, ENTERPRISES, KWH, LOSS, REST, accounting_park, feed
from derive_park import DAY, HOUR, MIDNIGHT, DerivePark
from fix_database import FilledDatabases
from smartpark.business_figures import BusinessFigure
from smartpark.cli import main
from smartpark.clock import from_us
from smartpark.indicators import INDICATORS
from smartpark.periods import Grain, period_containing
from smartpark_api.explaining.evidence import Question, Sources, explain, parse_period
from smartpark_api.explaining.text import told
from smartpark_ingest.derive_figures import RatioDeriver
from smartpark_storage import Connection, connect, transaction
from smartpark_storage.figures import record_figures

INDIVIDUAL = {"carbon_market", "carbon_zero_carbon_park"}


def current(hill: DerivePark, **wanted: str) -> list[dict[str, Any]]:
    """Current rows; those with these values where given."""
    with transaction(hill.connection):
        cursor = hill.connection.execute(
            "SELECT boundary, indicator, grain, start, value, numerator, denominator, completeness, uncertainty,"
            " reason, factors, unit, revision FROM smartpark.indicator"
            " WHERE superseded_at IS NULL AND coalesce(boundary = %(boundary)s, true)"
            " AND coalesce(indicator = %(indicator)s, true) AND coalesce(grain = %(grain)s, true)"
            " ORDER BY boundary, indicator, grain, start",
            {"boundary": None, "indicator": None, "grain": None} | wanted,
        )
        names = [column.name for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor]


def value_of(hill: DerivePark, indicator: str, grain: str, boundary: str = "park") -> float | None:
    return current(hill, indicator=indicator, grain=grain, boundary=boundary)[0]["value"]


@pytest.fixture
def _derived_database(derived: DerivePark, database_dsn: str, monkeypatch):
    monkeypatch.setitem(os.environ, "SMARTPARK_DSN", database_dsn)


def two_days(dsn: str) -> int:
    """Derive two days of two months, one with a hole; how many batches that were."""
    with connect(dsn, application="test") as connection:
        park = accounting_park(DerivePark(connection))
        feed(park, MIDNIGHT, MIDNIGHT + DAY)
        feed(park, MIDNIGHT + 21 * DAY, MIDNIGHT + 21 * DAY + 6 * HOUR, without=("G1",))
        park.derive(now=MIDNIGHT + 22 * DAY)
        return park.sequence


@pytest.fixture
def _two_days(filled_databases: FilledDatabases, database_kind: str) -> Iterator[tuple[str, int]]:
    with filled_databases.one(database_kind, two_days) as filled:
        yield filled


@pytest.fixture
def database_dsn(_two_days: tuple[str, int]) -> str:
    """Address of a database with the two days, for a test alone."""
    return _two_days[0]


@pytest.fixture
def derived(connection: Connection, _two_days: tuple[str, int]) -> DerivePark:
    """Two days of two months, one with a hole."""
    return DerivePark(connection, sequence=_two_days[1], is_loaded=True)


def test_every_published_number_is_given_again_by_its_explanation(derived: DerivePark):
    # Of the hours one of the first day and one of the second, where a meter is missing.
    hours = {from_us(MIDNIGHT + 3 * HOUR), from_us(MIDNIGHT + 21 * DAY + 2 * HOUR)}
    rows = [row for row in current(derived) if row["grain"] != "hour" or row["start"] in hours]
    sources = Sources(derived.connection)
    seen = set[tuple[str, str]]()
    for row in rows:
        period = period_containing(row["start"], Grain(row["grain"]))
        answer = explain(sources, Question(row["indicator"], "hill", period, row["boundary"]))
        found = answer.explanation
        named = (row["indicator"], row["grain"], row["boundary"])
        assert found.differences == (), named
        assert found.value == row["value"], named
        if row["value"] is not None and (found.terms or found.parts or found.numerator is not None):
            assert found.added_up() == row["value"], named
            seen.add((row["indicator"], row["grain"]))
        for term in found.terms:
            if term.amount is not None:
                assert term.amount * term.weight == term.contribution, named
        assert {factor.id for factor in found.factors} <= set(row["factors"]), named
    summed = {row["indicator"] for row in rows if INDICATORS[row["indicator"]].method_page != "intensity"}
    assert {"electricity_consumption", "carbon_location", "so2_by_fuel", "unmetered_rest"} <= summed
    for indicator in ("electricity_consumption", "carbon_location", "balance_residual"):
        assert {(indicator, grain) for grain in ("hour", "day", "month", "year")} <= seen
    assert {(name, grain) for name in INDIVIDUAL for grain in ("month", "year")} <= seen
    assert {("carbon_per_energy", grain) for grain in ("day", "month", "year")} <= seen


def test_the_parts_of_a_park_add_up_to_it(derived: DerivePark):
    for grain, hours in (("hour", 1), ("day", 24)):
        assert value_of(derived, "electricity_consumption", grain) == pytest.approx(KWH * hours)
        assert value_of(derived, "distribution_loss", grain) == pytest.approx(LOSS * hours)
        assert value_of(derived, "common_use", grain) == pytest.approx(COMMON * hours)
        assert value_of(derived, "unmetered_rest", grain) == pytest.approx(REST * hours)
        for code, kwh in ENTERPRISES.items():
            found = value_of(derived, "electricity_consumption", grain, f"enterprise/{code}")
            assert found == pytest.approx(kwh * hours), code
        north = value_of(derived, "electricity_consumption", grain, "sub_park/north")
        south = value_of(derived, "electricity_consumption", grain, "sub_park/south")
        assert (north, south) == (pytest.approx(700.0 * hours), pytest.approx(590.0 * hours))
    # The roof of E3 is behind its meter: what the feeder brings and what the roof makes.
    assert sum(ENTERPRISES.values()) + LOSS + COMMON + REST == pytest.approx(KWH)


def test_a_residual_says_whether_the_meters_errors_explain_it(derived: DerivePark):
    said = {
        row["boundary"]: row["reason"] for row in current(derived, grain="hour") if "residual" in row["indicator"]
    }
    (first, *_) = current(derived, indicator="balance_residual", grain="day", boundary="device/F1")
    assert first["value"] == pytest.approx(24 * 50.0)
    assert first["reason"].startswith("more than the meters' errors explain")
    assert said["device/G1"].startswith("hill/G1/gas_volume known for 0.0%")
    (gas, *_) = current(derived, indicator="balance_residual_gas", grain="day", boundary="device/G1")
    assert gas["reason"].startswith("not judged: a meter's class")


def test_a_month_is_the_sum_of_its_days_and_a_year_that_of_its_months(derived: DerivePark):
    days = current(derived, indicator="electricity_consumption", grain="day", boundary="park")
    months = current(derived, indicator="electricity_consumption", grain="month", boundary="park")
    (year,) = current(derived, indicator="electricity_consumption", grain="year", boundary="park")
    assert [row["value"] for row in months] == [row["value"] for row in days if row["value"] is not None]
    assert year["value"] == months[0]["value"] + months[1]["value"]
    assert months[0]["completeness"] == pytest.approx(1 / 30, abs=2e-3)
    assert year["completeness"] == pytest.approx(1.25 / 365, abs=1e-3)
    assert "1 of 30 days known" in months[0]["reason"]


def test_a_late_reading_corrects_month_and_year_and_leaves_what_was_said(derived: DerivePark):
    before = current(derived, indicator="carbon_location", grain="month", boundary="park")[-1]
    assert before["value"] is None  # nothing is known of the gas
    feed(derived, MIDNIGHT + 21 * DAY, MIDNIGHT + 21 * DAY + 6 * HOUR)
    derived.derive(now=MIDNIGHT + 22 * DAY)
    after = current(derived, indicator="carbon_location", grain="month", boundary="park")[-1]
    assert after["value"] is not None
    assert after["revision"] > before["revision"]
    question = Question(
        "carbon_location",
        "hill",
        period_containing(before["start"], Grain.DAY),
        revision=1,
    )
    differences = explain(Sources(derived.connection), question).explanation.differences
    assert "revision 1 has been superseded" in differences
    assert any("published is None" in line for line in differences)


def test_a_new_factor_shows_as_the_difference_before_it_is_derived(derived: DerivePark):
    with transaction(derived.connection):
        derived.connection.execute(
            "UPDATE smartpark.park SET electricity_factor_scope = 'national' WHERE code = 'hill'"
        )
    period = period_containing(from_us(MIDNIGHT), Grain.DAY)
    differences = explain(
        Sources(derived.connection), Question("carbon_scope2", "hill", period)
    ).explanation.differences
    assert any("factors then: " in line and "electricity:national" in line for line in differences)


def test_certificates_that_are_entered_make_a_new_revision_and_are_explained(derived: DerivePark):
    asked = {"indicator": "carbon_market", "grain": "year", "boundary": "park"}
    (before,) = current(derived, **asked)
    assert "no certificates entered" in before["reason"]
    given = BusinessFigure(
        park="hill", kind="gec_mwh", period="2026-11", value=5.0, source_document="registry", entered_by="test"
    )
    record_figures(derived.connection, [given], at=from_us(MIDNIGHT + 30 * DAY))
    assert RatioDeriver().step(derived.connection, now_us=MIDNIGHT + 30 * DAY).indicators_published
    (after,) = current(derived, **asked)
    assert "certificates of 5 MWh entered" in after["reason"]
    found = explain(Sources(derived.connection), Question("carbon_market", "hill", parse_period("2026"))).explanation
    assert found.differences == ()
    assert found.added_up() == after["value"]
    (covered,) = [term for term in found.terms if term.meter == "certified"]
    assert (covered.amount, covered.coefficient) == (5000.0, 0.6096)
    assert before["value"] - after["value"] == pytest.approx(5000 * 0.6096 / 1000)


def test_the_terminal_tells_everything_in_either_language(derived: DerivePark):
    question = Question("carbon_location", "hill", parse_period("2026-11-10"))
    answer = explain(Sources(derived.connection), question)
    english, chinese = told(answer, chinese=False), told(answer, chinese=True)
    for text in (english, chinese):
        assert repr(answer.explanation.value) in text
        assert "mee-2025-47:electricity:FJ:2023 = 0.4211 kg/kWh" in text
        assert "announcement 2025 no. 47" in text
        assert "hill/G1/gas_volume" in text
        assert "docs/methods/location-based-carbon.md" in text
    assert "二氧化碳排放" in chinese
    assert "latest_published" in english


def test_the_command_prints_what_the_api_answers(derived: DerivePark, database_dsn: str, monkeypatch, capsys):
    monkeypatch.setitem(os.environ, "SMARTPARK_DSN", database_dsn)
    asked = ["explain", "electricity_consumption", "hill", "2026-11-10T03", "--boundary", "enterprise/E2", "--json"]
    assert main(asked) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["value"] == pytest.approx(350.0)
    assert sum(term["contribution"] for term in found["terms"]) == found["value"]
    assert {term["meter"] for term in found["terms"]} == {
        "hill/E1B/active_energy_import",
        "hill/E2/active_energy_import",
    }
    assert found["differences"] == []
    assert main(["explain", "electricity_consumption", "hill", "2026-11", "--zh"]) == 0
    assert "用电量" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (["nonsense", "hill", "2026"], "no indicator has the code 'nonsense'"),
        (["carbon_location", "hill", "yesterday"], "'yesterday' is no period"),
        (["carbon_location", "hill", "2026-13"], "month must be in 1..12"),
        (["carbon_location", "nowhere", "2026-11-10"], "there is no park 'nowhere'"),
        (["carbon_location", "hill", "2026-11-10", "--boundary", "enterprise/E9"], "boundaries with meters: park"),
        (["carbon_location", "hill", "2025-11-10"], "no interval energy on that day"),
        (["carbon_location", "hill", "2026-11-10", "--revision", "9"], "has no revision 9"),
    ],
)
@pytest.mark.usefixtures("_derived_database")
def test_what_cannot_be_explained_is_said(capsys, asked, said):
    assert main(["explain", *asked]) == 1
    assert said in capsys.readouterr().err


@pytest.fixture
def asking(derived: DerivePark, database_dsn: str, client_of: Callable[..., httpx.Client]) -> httpx.Client:
    assert derived.sequence
    return client_of(database_dsn)


def test_the_api_answers_with_the_whole_derivation(asking: httpx.Client):
    asked = {"indicator": "carbon_location", "park": "hill", "period": "2026-11-10"}
    found = asking.get("/api/v1/indicators/explain", params=asked).json()
    total = 0.0
    for term in found["terms"]:
        assert term["amount"] * term["weight"] == term["contribution"]
        total += term["contribution"]
    assert total == found["value"] == found["published"]["value"]
    assert found["differences"] == []
    assert {factor["grade"] for factor in found["factors"]} <= {"C", "S", "P"}
    assert found["start"] == "2026-11-10T00:00:00+08:00"


@pytest.mark.parametrize(
    ("change", "status", "said"),
    [
        ({"period": "soon"}, 422, "'soon' is no period"),
        ({"park": "nowhere"}, 404, "there is no park 'nowhere'; known: hill"),
        ({"indicator": "luck"}, 404, "no indicator has the code 'luck'"),
        ({"boundary": "enterprise/E9"}, 404, "boundaries with meters: park"),
    ],
)
def test_the_api_says_what_it_cannot_explain(asking: httpx.Client, change, status, said):
    asked = {"indicator": "carbon_location", "park": "hill", "period": "2026-11-10", **change}
    answer = asking.get("/api/v1/indicators/explain", params=asked)
    assert answer.status_code == status
    assert said in answer.json()["detail"]
