"""Ratios and budgets over the database: what is entered, corrected or withdrawn changes what is published."""

import threading
from datetime import UTC, datetime
from typing import Any

import pytest
from smartpark.business_figures import BusinessFigure
from smartpark.clock import to_us
from smartpark_ingest.derive_figures import RatioDeriver
from smartpark_ingest.derive_ratios import publish_ratios
from smartpark_ingest.derive_worker import DeriveWorker
from smartpark_storage import Connection, IndicatorRow, load_catalogue, publish_indicators, transaction
from smartpark_storage.figures import record_figures
from storage_cases import NOON, park

NOW = datetime(2026, 7, 15, tzinfo=UTC)


def month_us(month: int, year: int = 2026) -> int:
    """Midnight in the park's zone of the month's first day."""
    return to_us(datetime(year, month, 1, tzinfo=UTC)) - 8 * 3_600_000_000


def number(indicator: str, value: float, month: int, **more: Any) -> IndicatorRow:
    known: dict[str, Any] = {"completeness": 1.0, "estimated_share": 0.0, "grain": "month"}
    return IndicatorRow(
        park="hill",
        indicator=indicator,
        start_us=month_us(month),
        value=value,
        numerator=None,
        denominator=None,
        unit="tce",
        method="m/1",
        factor_set="2026-11",
        factors=("f",),
        reason="",
        computed_at_us=to_us(NOON),
        **(known | more),
    )


def figure(kind: str, value: Any, period: str = "2026-05", **more: Any) -> BusinessFigure:
    priced = {"price_basis": "current"} if kind in {"value_added", "output"} else {}
    return BusinessFigure.model_validate(
        {
            "park": "hill",
            "kind": kind,
            "period": period,
            "value": value,
            "source_document": "book",
            "entered_by": "Chen",
        }
        | priced
        | more
    )


def current(connection: Connection, indicator: str) -> list[tuple[Any, ...]]:
    with transaction(connection):
        return connection.execute(
            "SELECT grain, revision, value, numerator, denominator, reason FROM park.indicator"
            " WHERE park = 'hill' AND boundary = 'park' AND indicator = %s ORDER BY grain, time",
            (indicator,),
        ).fetchall()


@pytest.fixture(autouse=True)
def _park(connection: Connection) -> None:
    load_catalogue(connection, park(), source="hill.toml", loaded_by="test", at=NOON)
    publish_indicators(connection, [number("comprehensive_energy", 160.0, 5), number("carbon_location", 400.0, 5)])
    connection.commit()


def step(connection: Connection) -> int:
    report = RatioDeriver().step(connection, now_us=to_us(NOW))
    connection.commit()
    return report.indicators_published


def test_a_figure_that_is_entered_corrected_and_withdrawn_makes_a_revision_each(connection: Connection):
    record_figures(connection, [figure("value_added", 1120.0)], at=NOW)
    assert step(connection) > 0
    month, year = current(connection, "energy_per_value_added")
    assert month[:5] == ("month", 1, pytest.approx(160 / 1120), 160.0, 1120.0)
    assert month[5].endswith("current prices; value_added 2026-05: book (Chen, revision 1)")
    assert year[:3] == ("year", 1, None)
    assert step(connection) == 0

    record_figures(connection, [figure("value_added", 1000.0, entered_by="Lin")], at=NOW)
    step(connection)
    assert current(connection, "energy_per_value_added")[0][:3] == ("month", 2, pytest.approx(0.16))

    record_figures(connection, [figure("value_added", "withdrawn")], at=NOW)
    step(connection)
    month = current(connection, "energy_per_value_added")[0]
    assert (month[1], month[2], month[5]) == (3, None, "value_added of 2026-05 is not entered")
    with transaction(connection):
        kept = connection.execute(
            "SELECT value FROM park.indicator_revision WHERE indicator = 'energy_per_value_added' AND grain = 'month'"
            " AND boundary = 'park' ORDER BY revision"
        ).fetchall()
    assert kept == [(pytest.approx(160 / 1120),), (pytest.approx(0.16),), (None,)]


def test_energy_that_changes_changes_its_ratios(connection: Connection):
    record_figures(connection, [figure("value_added", 1000.0)], at=NOW)
    step(connection)
    publish_indicators(connection, [number("comprehensive_energy", 200.0, 5)])
    with transaction(connection):
        report = publish_ratios(connection, "hill", [month_us(5)], to_us(NOW))
    assert report.published > 0
    assert current(connection, "energy_per_value_added")[0][1:3] == (2, pytest.approx(0.2))
    with transaction(connection):
        assert publish_ratios(connection, "hill", [month_us(5)], to_us(NOW)).published == 0


def test_a_whole_year_of_figures_is_divided_by_the_years_own_sum(connection: Connection):
    publish_indicators(connection, [number("comprehensive_energy", 1920.0, 1, grain="year")])
    record_figures(
        connection, [figure("value_added", v, f"2026Q{q}") for q, v in enumerate((10, 20, 30, 40), 1)], at=NOW
    )
    step(connection)
    rows = current(connection, "energy_per_value_added")
    assert rows[-1][:5] == ("year", 1, pytest.approx(19.2), 1920.0, 100.0)
    may = next(row for row in rows if row[3] is not None)
    assert may[4] == pytest.approx(20 * 31 / 91)
    assert "value_added is a share of 2026Q2 by days" in may[5]


def test_a_budget_follows_the_months(connection: Connection):
    publish_indicators(connection, [number("carbon_location", 10_500.0, month) for month in range(1, 7)])
    record_figures(connection, [figure("carbon_budget_t", 120_000.0, "2026")], at=NOW)
    step(connection)
    june = current(connection, "carbon_budget_pace")[5]
    assert june[2:5] == (pytest.approx(63_000 / (120_000 * 181 / 365)), 63_000.0, pytest.approx(120_000 * 181 / 365))
    assert current(connection, "carbon_budget_level")[5][2] == 2.0
    assert current(connection, "carbon_budget_pace")[6][2:3] == (None,)


def test_certificates_bring_a_park_nearer_to_the_zero_carbon_threshold(connection: Connection):
    year: dict[str, Any] = {"grain": "year"}
    publish_indicators(
        connection,
        [
            number("comprehensive_energy", 300_000.0, 1, **year),
            number("electricity_purchased", 100e6, 1, **year),
            number("carbon_scope1", 0.0, 1, **year),
        ],
    )
    before = figure("gec_mwh", 50_000.0, "2026")
    record_figures(connection, [before], at=NOW)
    step(connection)
    (_, _, value, *_) = current(connection, "carbon_per_energy_zero_carbon")[-1]
    # 50 GWh at 0.8273 kg/kWh, the national average of fossil power.
    assert value == pytest.approx(50_000 * 0.8273 / 300_000)
    assert current(connection, "zero_carbon_gap")[-1][5] == "passes: 0.1379 against 0.2 t/tce"
    record_figures(connection, [figure("gec_mwh", 10_000.0, "2026")], at=NOW)
    step(connection)
    assert current(connection, "zero_carbon_gap")[-1][2] == pytest.approx(90_000 * 0.8273 / 300_000 - 0.2)
    assert current(connection, "zero_carbon_gap")[-1][5] == "fails: 0.2482 against 0.2 t/tce"


def test_a_step_that_fails_leaves_the_marks(connection: Connection, monkeypatch: pytest.MonkeyPatch):
    record_figures(connection, [figure("value_added", 1120.0)], at=NOW)
    connection.commit()
    monkeypatch.setattr("smartpark_ingest.derive_figures.publish_ratios", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        RatioDeriver().step(connection, now_us=to_us(NOW))
    monkeypatch.undo()
    assert step(connection) > 0


def test_the_worker_publishes_what_a_figure_changes(connection: Connection, database_dsn: str):
    record_figures(connection, [figure("value_added", 1120.0)], at=NOW)
    connection.commit()
    worker = DeriveWorker(database_dsn, threading.Event(), clock=lambda: to_us(NOW))
    worker.run_once()
    assert worker.totals.indicators_published > 0
    assert current(connection, "carbon_per_value_added")[0][2] == pytest.approx(400 / 1120)
