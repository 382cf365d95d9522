"""Green electricity that was claimed: every figure once, by one rule for shares and for carbon."""

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from smartpark.business_figures import FigureGrain, FigureKind, FigurePeriod, parse_period
from smartpark.green_claims import claims_of
from smartpark.periods import Grain, period_containing
from smartpark_analytics.accounting.certified import certificates_of

YEAR = parse_period("2026")


@dataclass(frozen=True)
class Entered:
    kind: str
    period: FigurePeriod
    value: float | None
    entity: str = "park"


def entered(**figures: float | None) -> list[Entered]:
    """Figures of certificates by period, ``Q2`` and ``m05`` of 2026."""
    periods = {f"Q{n}": f"2026Q{n}" for n in range(1, 5)} | {f"m{n:02}": f"2026-{n:02}" for n in range(1, 13)}
    periods["year"] = "2026"
    return [Entered("gec_mwh", parse_period(periods[name]), value) for name, value in figures.items()]


def of_year(figures: list[Entered]) -> float:
    return claims_of(figures, "park", YEAR)[FigureKind.GEC].mwh


def test_a_quarter_and_one_of_its_months_are_not_added_up():
    assert of_year(entered(Q2=300.0, m05=100.0, m07=50.0)) == 350.0


def test_a_whole_year_goes_before_its_parts():
    assert of_year(entered(year=500.0, Q2=300.0, m05=100.0)) == 500.0


def test_what_nobody_entered_is_not_claimed():
    assert of_year(entered(m05=100.0)) == 100.0
    assert of_year(entered(m05=None)) == 0.0
    assert not claims_of([], "park", YEAR)[FigureKind.GEC].is_entered


def test_a_month_has_its_own_figure_or_its_share_of_the_quarter():
    may, june = (parse_period(f"2026-0{n}") for n in (5, 6))
    figures = entered(Q2=91.0, m05=40.0)
    assert claims_of(figures, "park", may)[FigureKind.GEC].mwh == 40.0
    assert claims_of(figures, "park", june)[FigureKind.GEC].mwh == pytest.approx(30.0)


def test_whatever_counts_as_green_covers_what_was_bought():
    period = period_containing(datetime(2026, 5, 9, tzinfo=UTC), Grain.MONTH)
    kinds = ("direct_green_mwh", "green_trade_mwh", "gec_mwh", "gec_sold_mwh")
    figures = [Entered(kind, parse_period("2026-05"), 10.0**n) for n, kind in enumerate(kinds)]
    found = certificates_of(
        [*figures, Entered("gec_mwh", parse_period("2026-05"), 7.0, "enterprise/E1")], "park", period
    )
    assert (found.claimed_kwh, found.sold_kwh, found.is_entered) == (111_000.0, 1_000_000.0, True)


@given(st.lists(st.floats(0, 1e6), min_size=12, max_size=12))
def test_a_year_of_months_is_their_sum(amounts: list[float]):
    figures = [
        Entered("gec_mwh", FigurePeriod(YEAR.first.replace(month=n), FigureGrain.MONTH), amount)
        for n, amount in enumerate(amounts, 1)
    ]
    assert of_year(figures) == pytest.approx(sum(amounts))
