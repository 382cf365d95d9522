"""Ratios and budgets of months and years: the last stage of derive.

`publish_ratios` is called for the months in which a number changed, by the publisher at its end and by `RatioDeriver`
(`derive_figures`) for changed business figures. It reads what is current, forms every ratio of these months and of
their years, and publishes what differs. It may be repeated: the same inputs make no revision.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from smartpark.clock import PARK_ZONE, from_us
from smartpark.dated import in_force
from smartpark.evaluation import EvaluationRules, builtin_rules
from smartpark.factors import FactorSet
from smartpark.periods import Grain
from smartpark_analytics.ratios.book import Book
from smartpark_analytics.ratios.cells import Subject
from smartpark_analytics.ratios.periods import rows_of_months
from smartpark_analytics.ratios.rows import RatioRow
from smartpark_analytics.ratios.specs import BUDGET_KINDS, INPUTS, RATIOS
from smartpark_storage import Connection, IndicatorRow, load_factor_set, publish_indicators
from smartpark_storage.figures import RatioInput, ratio_entities, ratio_inputs, read_figures


@dataclass(frozen=True, slots=True)
class RatioReport:
    """What was published."""

    published: int = 0
    """New revisions."""
    months: int = 0
    """Months looked at."""


def publish_ratios(
    connection: Connection,
    park: str,
    months: Iterable[int],
    now_us: int,
    *,
    factors: FactorSet | None = None,
    rules: EvaluationRules | None = None,
) -> RatioReport:
    """Publish the ratios and budgets of touched months and of their years, in the caller's transaction.

    Parameters
    ----------
    connection : Connection
        In a transaction that holds the park's turn (`lock_parks`).
    park : str
    months : iterable of int
        Starts of the touched months. [µs]
    now_us : int
        Noted in the rows; months that end later have not ended. [µs]
    factors : FactorSet, optional
        For the standard coal of electricity; default the rows of the database.
    rules : EvaluationRules, optional
        Default the built-in rows.
    """
    firsts = sorted({from_us(start).astimezone(PARK_ZONE).date().replace(day=1) for start in months})
    if not firsts:
        return RatioReport()
    given_rules = rules or builtin_rules()
    subject = Subject(
        park=park,
        book=_book(connection, park, firsts, max(rule.history_years for rule in given_rules.budget_rule)),
        factors=factors or load_factor_set(connection),
        min_completeness=in_force(given_rules.ratio_rule, firsts[-1], what="ratio rule").min_completeness,
        now_us=now_us,
    )
    rows = [_row(row, park, now_us) for row in rows_of_months(subject, firsts, given_rules)]
    return RatioReport(publish_indicators(connection, rows), len(firsts))


def _row(row: RatioRow, park: str, now_us: int) -> IndicatorRow:
    return IndicatorRow(
        park=park,
        boundary=row.boundary,
        indicator=row.indicator,
        grain=row.grain,
        start_us=row.start_us,
        value=row.value,
        numerator=row.numerator,
        denominator=row.denominator,
        unit=row.unit,
        completeness=row.completeness,
        estimated_share=row.estimated_share,
        method=row.method,
        factor_set=row.factor_set,
        factors=row.factors,
        reason=row.reason,
        computed_at_us=now_us,
    )


def _book(connection: Connection, park: str, firsts: list[date], history_years: int) -> Book:
    years, end = sorted({first.year for first in firsts}), date(firsts[-1].year + 1, 1, 1)
    # Levels (land, floor area) hold until a newer one, from ever.
    figures = read_figures(connection, park=park, end=end)
    has_budget = any(row.kind in BUDGET_KINDS and row.first_day.year in years for row in figures)
    # Budgets look at every month of the year and of the years before; ratios at their own.
    since = date(years[0] - history_years, 1, 1) if has_budget else firsts[0]
    until = end if has_budget else firsts[-1] + timedelta(days=1)
    published = [
        *_published(connection, park, Grain.MONTH, since, until),
        *_published(connection, park, Grain.YEAR, date(years[0], 1, 1), end),
    ]
    return Book(figures, published, ratio_entities(connection, park))


def _published(connection: Connection, park: str, grain: Grain, start: date, end: date) -> list[RatioInput]:
    return ratio_inputs(
        connection, park, indicators=INPUTS | RATIOS, grains=[grain.value], start=_midnight(start), end=_midnight(end)
    )


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, tzinfo=PARK_ZONE)
