"""From figures and published numbers to ratios and budgets: whose they are, when they are withheld, and why."""

from datetime import UTC, date, datetime
from math import isnan
from typing import Any

import pytest
from smartpark.business_figures import FIGURES, FigureGrain, FigureKind, FigurePeriod, parse_period
from smartpark.evaluation import builtin_rules
from smartpark.factors import builtin_factors
from smartpark.indicators import INDICATORS
from smartpark_analytics.ratios.book import Book, month_of, start_us, year_of
from smartpark_analytics.ratios.budgets import budget_rows, gap_rows
from smartpark_analytics.ratios.cells import Subject, ratio_rows
from smartpark_analytics.ratios.specs import INPUTS, RATIOS
from smartpark_storage import IndicatorRow
from smartpark_storage.figures import FigureRow, RatioEntity, RatioInput

MAY = month_of(date(2026, 5, 1))
YEAR = year_of(2026)
NOW_US = start_us(month_of(date(2026, 7, 1)))
ENTITIES = (
    RatioEntity("park", 100.0, None, None, None),
    RatioEntity("sub_park/east", None, None, None, None),
    RatioEntity("enterprise/A", 30.0, True, "C31", "sub_park/east"),
    RatioEntity("enterprise/B", 20.0, True, "C26", None),
)


def entered(
    kind: str, value: float | None, *, period: str = "2026-05", entity: str = "park", **more: Any
) -> FigureRow:
    span = parse_period(period)
    basis = "current" if FIGURES[FigureKind(kind)].priced else ""
    known = {"product": "", "price_basis": basis, "unit": FIGURES[FigureKind(kind)].unit, "is_estimated": False}
    return FigureRow(
        park="hill",
        entity=entity,
        kind=kind,
        grain=span.grain,
        first_day=span.first,
        revision=1,
        value=value,
        source_document="book",
        entered_by="Chen",
        note="",
        recorded_at=datetime(2026, 6, 1, tzinfo=UTC),
        superseded_at=None,
        **(known | more),
    )


def published(
    indicator: str, value: float | None, *, period: FigurePeriod = MAY, entity: str = "park", **more: Any
) -> RatioInput:
    grain = "month" if period.grain is FigureGrain.MONTH else "year"
    known = {"completeness": 1.0, "estimated_share": 0.0, "factors": ["f1"], "uncertainty": None}
    given: dict[str, Any] = {"method": "m/1", "factor_set": "s", **known, **more}
    return RatioInput(entity, indicator, grain, start_us(period), value, **given)


def subject(figures: list[FigureRow], numbers: list[RatioInput]) -> Subject:
    return Subject("hill", Book(figures, numbers, ENTITIES), builtin_factors(), 0.9, NOW_US)


def ratios(
    figures: list[FigureRow], numbers: list[RatioInput], period: FigurePeriod = MAY
) -> dict[Any, IndicatorRow]:
    return {(row.boundary, row.indicator): row for row in ratio_rows(subject(figures, numbers), [period])}


ENERGY = published("comprehensive_energy", 160.0)


# --- figures by period --------------------------------------------------------------------------------------------


def amount(figures: list[FigureRow], period: FigurePeriod, kind: FigureKind = FigureKind.TAX):
    return Book(figures, [], ENTITIES).figure("park", kind, period)


def test_a_month_of_which_only_the_quarter_is_known_gets_its_share_by_days_and_is_estimated():
    found = amount([entered("tax", 91.0, period="2026Q2")], MAY)
    assert found.value == pytest.approx(31.0)
    assert found.estimated_share == 1.0
    assert found.why == "tax is a share of 2026Q2 by days"


def test_a_year_is_what_was_entered_else_its_quarters_and_months_and_else_not_known():
    parts = [entered("tax", 10.0, period=f"2026Q{n}", is_estimated=n == 4) for n in (1, 2, 4)]
    parts += [entered("tax", float(n), period=f"2026-{n:02}") for n in (7, 8)]
    missing = amount(parts, YEAR)
    assert isnan(missing.value)
    assert missing.why == "tax of 2026Q3 is not entered"
    whole = amount([*parts, entered("tax", 9.0, period="2026-09")], YEAR)
    assert (whole.value, whole.estimated_share) == (54.0, pytest.approx(10 / 54))
    assert amount([*parts, entered("tax", 60.0, period="2026")], YEAR).value == 60.0
    assert amount([entered("tax", 60.0, period="2026")], MAY).why == "tax of 2026-05 is not entered"


def test_a_level_holds_until_a_newer_one():
    figures = [entered("floor_area", 5.0, period="2025"), entered("floor_area", 7.0, period="2026-06")]
    assert amount(figures, MAY, FigureKind.FLOOR_AREA).value == 5.0
    assert amount(figures, MAY, FigureKind.FLOOR_AREA).why == "floor_area as of 2025"
    assert amount(figures, YEAR, FigureKind.FLOOR_AREA).value == 7.0
    assert isnan(amount(figures, year_of(2024), FigureKind.FLOOR_AREA).value)


# --- ratios -------------------------------------------------------------------------------------------------------


def test_what_is_published_is_in_the_registry_and_is_no_input():
    found = ratios([entered("value_added", 1120.0), entered("tax", 1.0)], [ENERGY])
    assert {indicator for _, indicator in found} <= RATIOS
    assert RATIOS.issubset(INDICATORS)
    assert not RATIOS & INPUTS


def test_a_park_divides_what_its_boundary_measures_by_its_own_figure():
    row = ratios([entered("value_added", 1120.0)], [ENERGY])["park", "energy_per_value_added"]
    assert row.value == pytest.approx(0.142857, abs=5e-7)
    assert (row.numerator, row.denominator, row.unit) == (160.0, 1120.0, "tce/万元")
    assert (row.grain, row.start_us, row.method) == ("month", start_us(MAY), "energy-per-value-added/1")
    assert (row.factors, row.factor_set, row.reason) == (
        ("f1",),
        "s",
        "comprehensive_energy / value_added; current prices; value_added 2026-05: book (Chen, revision 1)",
    )


def test_a_park_whose_enterprises_report_sums_them_first():
    energy = [published("comprehensive_energy", v, entity=f"enterprise/{e}") for e, v in (("A", 100.0), ("B", 60.0))]
    output = [entered("output", v, entity=f"enterprise/{e}") for e, v in (("A", 1000.0), ("B", 120.0))]
    found = ratios(output, [ENERGY, *energy])
    assert found["park", "energy_per_output"].value == pytest.approx(160 / 1120)
    reason = "comprehensive_energy / output; current prices; sums over 2 enterprises"
    assert found["park", "energy_per_output"].reason == reason
    assert found["sub_park/east", "energy_per_output"].value == pytest.approx(0.1)
    assert found["enterprise/B", "energy_per_output"].value == pytest.approx(0.5)
    coverage = found["park", "output_coverage"]
    assert (coverage.value, coverage.numerator, coverage.denominator) == (1.0, 1120.0, 1120.0)


def test_energy_and_economy_of_different_enterprises_make_no_intensity_and_the_reason_names_them():
    energy = [published("comprehensive_energy", 100.0, entity="enterprise/A")]
    output = [entered("output", v, entity=f"enterprise/{e}") for e, v in (("A", 1000.0), ("B", 120.0))]
    found = ratios(output, [ENERGY, *energy])
    row = found["park", "energy_per_output"]
    assert row.value is None
    assert row.reason == (
        "numerator and denominator are not of the same enterprises: "
        "enterprise/B: comprehensive_energy of 2026-05 is not known"
    )
    assert found["enterprise/A", "energy_per_output"].value == pytest.approx(0.1)
    assert found["park", "output_coverage"].value == pytest.approx(1000 / 1120)


def test_an_output_that_is_missing_leaves_the_coverage_unknown():
    row = ratios([entered("output", 1000.0, entity="enterprise/A")], [ENERGY])["park", "output_coverage"]
    assert (row.value, row.reason) == (None, "enterprise/B: output of 2026-05 is not entered")


def test_energy_that_describes_half_the_month_is_not_divided_by_a_figure_of_the_whole():
    half = published("comprehensive_energy", 80.0, completeness=0.5)
    row = ratios([entered("value_added", 1120.0)], [half])["park", "energy_per_value_added"]
    assert row.value is None
    assert row.reason == "comprehensive_energy of 2026-05 is less than 90% complete"
    assert row.completeness == 0.5


def test_what_is_withheld_is_not_published_anew_every_hour():
    def withheld(completeness: float) -> IndicatorRow:
        numbers = [
            published("comprehensive_energy", completeness * 160.0, completeness=completeness, period=YEAR),
            published("carbon_zero_carbon_park", completeness * 60.0, completeness=completeness, period=YEAR),
        ]
        rows = ratios([entered("value_added", 1120.0, period="2026")], numbers, YEAR)
        assert gap([], numbers)[1].completeness == 0.5
        return rows["park", "energy_per_value_added"]

    assert withheld(0.501) == withheld(0.509)


@pytest.mark.parametrize(
    ("value", "reason"),
    [(0.0, "the denominator is 0: nothing to divide by"), (-5.0, "the denominator is -5: nothing to divide by")],
)
def test_nothing_is_divided_by_nothing(value: float, reason: str):
    row = ratios([entered("value_added", value)], [ENERGY])["park", "energy_per_value_added"]
    assert (row.value, row.denominator, row.reason) == (None, value, reason)


def test_a_missing_figure_is_missed_where_others_of_the_year_are_known_and_not_elsewhere():
    found = ratios([entered("value_added", 1.0, period="2026-04")], [ENERGY])
    assert found["park", "energy_per_value_added"].reason == "value_added of 2026-05 is not entered"
    assert ("park", "energy_per_output") not in found
    assert ("park", "energy_per_value_added_constant") not in found


def test_a_withdrawn_figure_takes_its_ratio_back():
    before = published("energy_per_value_added", 0.14)
    found = ratios([], [ENERGY, before])
    row = found["park", "energy_per_value_added"]
    assert (row.value, row.reason) == (None, "value_added of 2026-05 is not entered")


def test_current_and_constant_prices_are_two_indicators():
    figures = [
        entered("value_added", 1000.0),
        entered("value_added", 900.0, price_basis="constant-2020"),
        entered("value_added", 800.0, price_basis="constant-2025"),
    ]
    found = ratios(figures, [ENERGY])
    assert found["park", "energy_per_value_added"].value == pytest.approx(0.16)
    constant = found["park", "energy_per_value_added_constant"]
    assert constant.value == pytest.approx(0.2)
    assert "constant-2025 prices" in constant.reason


def test_land_is_as_entered_and_else_as_in_the_catalogue():
    tax = entered("tax", 50.0)
    row = ratios([tax], [ENERGY])["park", "tax_per_mu"]
    assert row.value == 0.5
    assert row.reason == "tax / industrial_land; land as in the catalogue; tax 2026-05: book (Chen, revision 1)"
    entered_land = entered("industrial_land", 200.0, period="2026")
    assert ratios([tax, entered_land], [ENERGY])["park", "tax_per_mu"].value == 0.25
    assert ratios([], [ENERGY])["park", "energy_per_mu"].value == pytest.approx(1.6)
    # Enterprise B has land and no meter, the sub-park neither.
    assert [of for of, indicator in ratios([], [ENERGY]) if indicator == "energy_per_mu"] == ["park"]
    floor = ratios([entered("floor_area", 1e5)], [ENERGY])["park", "floor_area_ratio"]
    assert floor.value == pytest.approx(1e5 / (100 * 10_000 / 15))


def test_floor_area_counts_in_the_years_after_it_was_entered():
    found = ratios([entered("floor_area", 1e5, period="2024")], [ENERGY])
    assert "floor_area as of 2024; land as in the catalogue" in found["park", "floor_area_ratio"].reason


def test_one_figure_of_two_is_no_ratio_and_says_what_is_missing():
    row = ratios([entered("water_reused_m3", 80.0)], [ENERGY])["park", "water_reuse_rate"]
    assert (row.value, row.reason) == (None, "water_total_m3 of 2026-05 is not entered")
    both = [entered("water_reused_m3", 80.0), entered("water_total_m3", 100.0)]
    assert ratios(both, [ENERGY])["park", "water_reuse_rate"].value == 0.8


def test_tax_of_enterprises_is_divided_by_their_own_land():
    found = ratios([entered("tax", 60.0, entity="enterprise/A")], [ENERGY])
    assert found["enterprise/A", "tax_per_mu"].value == 2.0
    # B has land and reports no tax: the two sums would not be of the same enterprises.
    assert found["park", "tax_per_mu"].value is None


def test_green_power_counts_what_was_claimed_once():
    numbers = [
        published("electricity_consumption", 13.5e6),
        published("photovoltaic_generation", 1.6e6),
        published("photovoltaic_self_used", 1.5e6),
    ]
    row = ratios([entered("gec_mwh", 2000.0)], numbers)["park", "green_power_share"]
    assert row.value == pytest.approx(0.259259, abs=5e-7)
    assert row.reason == "2000 MWh gec_mwh; gec_mwh 2026-05: book (Chen, revision 1)"
    sold = ratios([entered("gec_mwh", 2000.0), entered("gec_sold_mwh", 1500.0)], numbers)
    assert sold["park", "green_power_share"].value == pytest.approx(0.148148, abs=5e-7)
    too_much = ratios([entered("green_trade_mwh", 14_000.0)], numbers)["park", "green_power_share"]
    assert (too_much.value, too_much.reason) == (None, "the part is more than the whole: something was counted twice")
    assert ratios([], numbers[:1])["park", "green_power_share"].value == 0.0


def test_the_electrification_rate_counts_electricity_by_its_coefficient():
    numbers = [published("electricity_consumption", 12e6), published("comprehensive_energy", 4219.1295)]
    row = ratios([], numbers)["park", "electrification_rate"]
    assert row.value == pytest.approx(0.349551, abs=5e-7)
    assert any("electricity" in factor for factor in row.factors)


def test_energy_per_product_needs_one_product():
    energy = published("comprehensive_energy", 100.0, entity="enterprise/A")
    steel = entered("product_output", 200.0, entity="enterprise/A", product="steel", unit="t")
    wire = entered("product_output", 20.0, entity="enterprise/A", product="wire", unit="t")
    row = ratios([steel], [energy])["enterprise/A", "energy_per_product"]
    assert row.value == 0.5
    assert row.reason == "tce per t of steel; product_output 2026-05: book (Chen, revision 1)"
    several = ratios([steel, wire], [energy])["enterprise/A", "energy_per_product"]
    assert (several.value, several.reason) == (None, "energy is not measured per product; there are steel, wire")


# --- zero-carbon parks --------------------------------------------------------------------------------------------


def gap(figures: list[FigureRow], numbers: list[RatioInput]) -> tuple[IndicatorRow, IndicatorRow]:
    about = subject(figures, numbers)
    core = [r for r in ratio_rows(about, [YEAR]) if r.indicator == "carbon_per_energy_zero_carbon"]
    (found,) = gap_rows(about, 2026, builtin_rules(), core)
    return core[0], found


@pytest.mark.parametrize(
    ("energy", "carbon", "value", "reason"),
    [
        (4e5, 116.4e4, 2.71, "fails: 2.91 against 0.2 t/tce"),
        (4e5, 6e4, -0.05, "passes: 0.15 against 0.2 t/tce"),
        (2e6, 5e5, -0.05, "passes: 0.25 against 0.3 t/tce"),
        (1e5, 1e4, None, "no threshold for 100000 tce a year"),
    ],
)
def test_the_gap_is_to_the_threshold_for_the_parks_annual_energy(
    energy: float, carbon: float, value: float | None, reason: str
):
    numbers = [
        published("comprehensive_energy", energy, period=YEAR),
        published("carbon_zero_carbon_park", carbon, period=YEAR),
    ]
    _, row = gap([], numbers)
    assert row.value == (None if value is None else pytest.approx(value))
    assert row.reason == reason
    assert any(f.startswith("ndrc-2025-910") for f in row.factors) == (value is not None)


def test_process_emissions_that_were_entered_count():
    numbers = [
        published("comprehensive_energy", 4e5, period=YEAR),
        published("carbon_zero_carbon_park", 6e4, period=YEAR),
    ]
    core, row = gap([entered("process_carbon_t", 2e4, period="2026")], numbers)
    assert core.value == pytest.approx(0.2)
    assert row.reason == "passes: 0.2 against 0.2 t/tce"


# --- budgets ------------------------------------------------------------------------------------------------------


def budget(figures: list[FigureRow], numbers: list[RatioInput]) -> dict[Any, IndicatorRow]:
    rows = budget_rows(subject(figures, numbers), 2026, builtin_rules())
    return {(row.indicator, row.start_us): row for row in rows if row.boundary == "park"}


def months(indicator: str, values: list[float], year: int = 2026) -> list[RatioInput]:
    return [published(indicator, v, period=month_of(date(year, n, 1))) for n, v in enumerate(values, 1)]


JUNE = start_us(month_of(date(2026, 6, 1)))


def test_a_budget_has_a_pace_a_forecast_and_a_level_each_month():
    # Twelve equal months before make equal weights, and the forecast.
    numbers = months("carbon_location", [10_500.0] * 6) + months("carbon_location", [10_000.0] * 12, 2025)
    found = budget([entered("carbon_budget_t", 120_000.0, period="2026")], numbers)
    pace, forecast, level = (found[f"carbon_budget_{part}", JUNE] for part in ("pace", "forecast", "level"))
    assert (pace.value, pace.numerator, pace.denominator) == (pytest.approx(1.05), 63_000.0, pytest.approx(60_000.0))
    assert forecast.value == pytest.approx(126_000.0)
    source = "carbon_budget_t 2026: book (Chen, revision 1)"
    assert (forecast.unit, pace.reason) == ("t", source)
    assert forecast.reason == f"months to come as last year, times growth so far; {source}"
    assert (level.value, level.reason) == (1.0, f"yellow; {source}")
    assert "house:budget" in level.factors
    # July has begun and is not over.
    july = found["carbon_budget_pace", NOW_US]
    assert (july.value, july.reason) == (None, "2026-07 has not ended")
    assert max(start for _, start in found) == NOW_US


def test_a_month_that_is_not_complete_leaves_the_rest_of_the_year_open():
    numbers = months("carbon_location", [10_000.0] * 6)
    numbers[2] = published("carbon_location", 1.0, period=month_of(date(2026, 3, 1)), completeness=0.4)
    found = budget([entered("carbon_budget_t", 120_000.0, period="2026")], numbers)
    assert found["carbon_budget_pace", start_us(month_of(date(2026, 2, 1)))].value is not None
    june = found["carbon_budget_level", JUNE]
    assert (june.value, june.reason) == (None, "carbon_location of 2026-03 is less than 90% complete")


def test_a_target_of_intensity_and_planned_value_added_make_a_budget():
    figures = [
        entered("energy_intensity_target", 0.48, period="2026"),
        entered("planned_value_added", 250_000.0, period="2026"),
    ]
    found = budget(figures, months("energy_under_control", [10_000.0] * 6))
    pace = found["energy_budget_pace", JUNE]
    assert pace.denominator == pytest.approx(120_000 * 181 / 365)
    assert pace.reason == "budget from 0.48 times 250000 万元 (current)"


def test_an_intensity_that_rose_against_last_year_is_red():
    figures = [entered("carbon_budget_t", 1e9, period="2026")]
    figures += [entered("value_added", 100.0, period=f"{y}-{n:02}") for y in (2025, 2026) for n in range(1, 7)]
    numbers = months("carbon_location", [11.0] * 6) + months("carbon_location", [10.0] * 12, 2025)
    assert budget(figures, numbers)["carbon_budget_level", JUNE].value == 2.0
    fewer = months("carbon_location", [9.0] * 6) + months("carbon_location", [10.0] * 12, 2025)
    assert budget(figures, fewer)["carbon_budget_level", JUNE].value == 0.0


def test_without_a_budget_there_is_none_and_a_withdrawn_one_is_taken_back():
    numbers = months("carbon_location", [10.0] * 6)
    assert budget([], numbers) == {}
    before = published("carbon_budget_pace", 1.0, period=month_of(date(2026, 6, 1)))
    row = budget([], [*numbers, before])["carbon_budget_pace", JUNE]
    assert (row.value, row.reason) == (None, "carbon_budget_t of 2026 is not entered")
