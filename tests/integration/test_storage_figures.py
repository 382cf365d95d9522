"""Business figures in the database: recorded by revision, all or none, never overwritten; and the import command."""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from smartpark.business_figures import BusinessFigure
from smartpark.cli import main
from smartpark_storage import Connection, connect, load_catalogue, transaction
from smartpark_storage.figures import (
    FigureReport,
    claim_stale_ratios,
    entity_complaint,
    figure_entities,
    mark_ratios_stale,
    ratio_entities,
    read_figures,
    record_figures,
)
from storage_cases import NOON, park

LATER = NOON + timedelta(days=1)
HEADER = "park,entity,kind,period,value,price_basis,source_document\n"


def figure(**changed: Any) -> BusinessFigure:
    return BusinessFigure.model_validate(
        {
            "park": "hill",
            "kind": "tax",
            "period": "2026-05",
            "value": 12.5,
            "source_document": "book",
            "entered_by": "Chen",
        }
        | changed
    )


@pytest.fixture(autouse=True)
def _catalogue(connection: Connection) -> None:
    load_catalogue(connection, park(), source="hill.toml", loaded_by="test", at=NOON)


def test_the_same_figure_again_is_no_revision_and_another_number_is_one(connection: Connection):
    assert record_figures(connection, [figure()], at=NOON) == FigureReport(added=1)
    again = figure(entered_by="Lin")
    assert record_figures(connection, [again], at=LATER) == FigureReport(unchanged=1)
    corrected = figure(value=13.0, entered_by="Lin", source_document="book, corrected")
    assert record_figures(connection, [corrected], at=LATER) == FigureReport(corrected=1)
    (current,) = read_figures(connection, park="hill")
    assert (current.value, current.revision, current.entered_by) == (13.0, 2, "Lin")
    first, second = read_figures(connection, history=True)
    assert (first.value, first.entered_by, first.recorded_at, first.superseded_at) == (12.5, "Chen", NOON, LATER)
    assert second.superseded_at is None


def test_a_figure_that_is_withdrawn_is_gone_and_stays_on_record(connection: Connection):
    assert record_figures(connection, [figure(value="withdrawn")], at=NOON) == FigureReport(unchanged=1)
    record_figures(connection, [figure()], at=NOON)
    assert record_figures(connection, [figure(value=None)], at=LATER) == FigureReport(withdrawn=1)
    assert record_figures(connection, [figure(value=None)], at=LATER) == FigureReport(unchanged=1)
    assert read_figures(connection) == []
    assert [row.value for row in read_figures(connection, history=True)] == [12.5, None]
    assert record_figures(connection, [figure()], at=LATER) == FigureReport(corrected=1)


def test_price_bases_products_and_periods_are_figures_of_their_own(connection: Connection):
    figures = [
        figure(kind="output", price_basis="current"),
        figure(kind="output", price_basis="constant-2025"),
        figure(kind="output", price_basis="current", period="2026Q2"),
        figure(kind="output", price_basis="current", entity="enterprise/T1"),
        figure(kind="product_output", product="steel", unit="t", entity="enterprise/T1"),
        figure(kind="product_output", product="wire", unit="t", entity="enterprise/T1"),
    ]
    assert record_figures(connection, figures, at=NOON) == FigureReport(added=6)
    assert len(read_figures(connection, kind="output")) == 4
    assert len(read_figures(connection, entity="enterprise/T1")) == 3
    assert len(read_figures(connection, start=date(2026, 5, 1), end=date(2026, 6, 1))) == 5


def test_nobody_rewrites_what_a_figure_said(connection: Connection):
    record_figures(connection, [figure()], at=NOON)
    connection.commit()
    for statement in ("SET value = 1", "SET superseded_at = NULL", "SET superseded_at = now(), note = 'x'"):
        with pytest.raises(psycopg.errors.IntegrityConstraintViolation, match="a business figure is not rewritten"):
            connection.execute(f"UPDATE smartpark.business_figure {statement}")
        connection.rollback()


def test_a_changed_figure_marks_the_months_of_its_period_until_somebody_takes_them(connection: Connection):
    record_figures(connection, [figure(), figure(period="2025Q4"), figure(period="2025Q4", kind="revenue")], at=NOON)
    with transaction(connection):
        months = [date(2025, 10, 1), date(2025, 11, 1), date(2025, 12, 1), date(2026, 5, 1)]
        assert claim_stale_ratios(connection, limit=100) == {"hill": months}
    assert claim_stale_ratios(connection, limit=100) == {}
    record_figures(connection, [figure()], at=LATER)
    assert claim_stale_ratios(connection, limit=100) == {}


def test_marks_of_a_step_that_failed_are_still_there_and_others_do_not_take_them(
    connection: Connection, database_dsn: str
):
    mark_ratios_stale(connection, [("hill", date(2026, 5, 1)), ("hill", date(2026, 6, 1))])
    connection.commit()
    with connect(database_dsn, application="other") as other:
        with transaction(connection):
            assert claim_stale_ratios(connection, limit=1) == {"hill": [date(2026, 5, 1)]}
            assert claim_stale_ratios(other, limit=1) == {}
            raise psycopg.Rollback
        assert claim_stale_ratios(other, limit=5) == {"hill": [date(2026, 5, 1), date(2026, 6, 1)]}


@pytest.mark.parametrize("role", ["smartpark_api", "smartpark_ingest"])
def test_api_and_ingest_may_record_figures_and_grafana_may_look(connection: Connection, role: str):
    with transaction(connection):
        connection.execute(f"SET LOCAL ROLE {role}")
        assert record_figures(connection, [figure()], at=NOON) == FigureReport(added=1)
        assert record_figures(connection, [figure(value=1)], at=LATER) == FigureReport(corrected=1)
    with transaction(connection):
        connection.execute("SET LOCAL ROLE smartpark_grafana")
        assert connection.execute("SELECT value, revision FROM park.business_figure").fetchall() == [(1.0, 2)]
        assert connection.execute("SELECT count(*) FROM park.business_figure_revision").fetchone() == (2,)


def test_entities_that_the_catalogue_does_not_know_are_named(connection: Connection):
    known = figure_entities(connection)
    assert entity_complaint(figure(), known) is None
    assert entity_complaint(figure(entity="enterprise/T9"), known) == (
        "entity: park hill has no 'enterprise/T9'; it has: enterprise/T1, park"
    )
    assert entity_complaint(figure(park="dale"), known) == "park: there is no park 'dale'; known: hill"
    assert [(e.entity, e.area_mu) for e in ratio_entities(connection, "hill")] == [
        ("enterprise/T1", None),
        ("park", 1200.5),
    ]


# --- the command --------------------------------------------------------------------------------------------------


@pytest.fixture
def table(tmp_path: Path, connection: Connection, database_dsn: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    connection.commit()
    monkeypatch.setenv("SMARTPARK_DSN", database_dsn)
    path = tmp_path / "figures.csv"
    path.write_text(
        HEADER + "hill,park,tax,2026-05,12.5,,book\nhill,enterprise/T1,output,2026-05,100,current,book\n",
        encoding="utf-8",
    )
    return path


def imported(*arguments: str | Path) -> int:
    return main(["figures", "import", "--by", "Chen", "--json", *map(str, arguments)])


def test_importing_twice_changes_nothing(table: Path, capsys: pytest.CaptureFixture[str], connection: Connection):
    assert imported(table) == 0
    assert json.loads(capsys.readouterr().out)["added"] == 2
    assert imported(table) == 0
    assert json.loads(capsys.readouterr().out)["unchanged"] == 2
    assert len(read_figures(connection, history=True)) == 2
    assert main(["figures", "list", "--json", "--year", "2026", "--kind", "tax"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert (listed["value"], listed["period"], listed["entered_by"]) == (12.5, "2026-05", "Chen")
    assert datetime.fromisoformat(listed["recorded_at"]).astimezone(UTC) <= datetime.now(UTC)


def test_one_wrong_row_and_nothing_is_recorded(
    table: Path, capsys: pytest.CaptureFixture[str], connection: Connection
):
    with table.open("a", encoding="utf-8") as file:
        file.write("hill,enterprise/T9,tax,2026-05,1,,book\nhill,park,tax,2026-06,-,,book\n")
    assert main(["figures", "import", "--by", "Chen", str(table)]) == 2
    said = capsys.readouterr().err.splitlines()
    assert [line.removeprefix(f"{table}: ").partition(":")[0] for line in said] == ["row 4, entity", "row 5, value"]
    assert read_figures(connection, history=True) == []


def test_wrong_rows_can_be_set_aside(table: Path, capsys: pytest.CaptureFixture[str], connection: Connection):
    with table.open("a", encoding="utf-8") as file:
        file.write("hill,enterprise/T9,tax,2026-05,1,,book\n")
    assert imported(table, "--accept-valid") == 2
    said = json.loads(capsys.readouterr().out)
    assert (said["added"], len(said["problems"])) == (2, 1)
    assert len(read_figures(connection)) == 2
    aside = Path(said["rejected"])
    assert "enterprise/T9,tax" in aside.read_text(encoding="utf-8-sig")
    aside.write_text(aside.read_text(encoding="utf-8-sig").replace("T9", "T1"), encoding="utf-8")
    assert imported(aside) == 0
    assert len(read_figures(connection)) == 3
