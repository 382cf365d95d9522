"""All ratios, budgets and gaps of a park's months and of their years."""

from collections.abc import Sequence
from datetime import date

from smartpark.business_figures import FigureGrain, FigurePeriod
from smartpark.evaluation import EvaluationRules

from smartpark_analytics.ratios.book import year_of
from smartpark_analytics.ratios.budgets import budget_rows, gap_rows
from smartpark_analytics.ratios.cells import Subject, ratio_rows
from smartpark_analytics.ratios.rows import RatioRow


def rows_of_months(subject: Subject, firsts: Sequence[date], rules: EvaluationRules) -> list[RatioRow]:
    """Rows of months (by their first days), and of the years they lie in."""
    years = sorted({first.year for first in firsts})
    periods = [*(FigurePeriod(first, FigureGrain.MONTH) for first in firsts), *map(year_of, years)]
    rows = list(ratio_rows(subject, periods))
    core = [row for row in rows if row.indicator == "carbon_per_energy_zero_carbon"]
    for year in years:
        rows += budget_rows(subject, year, rules)
        rows += gap_rows(subject, year, rules, core)
    return rows
