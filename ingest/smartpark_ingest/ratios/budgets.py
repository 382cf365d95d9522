"""Budgets of a year and gaps to the thresholds of zero-carbon parks, as rows to publish.

A month counts under a budget once it has ended and is complete enough; an unfinished month would look like thrift.
The budget is the figure of its year, or follows from a target of intensity and the planned value added.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from math import isnan, nan

import numpy as np
from numpy.typing import NDArray
from smartpark.business_figures import CURRENT_PRICES, FigureKind, FigurePeriod
from smartpark.dated import in_force
from smartpark.evaluation import BudgetRule, EvaluationRules, ZeroCarbonRole
from smartpark.indicators import INDICATORS
from smartpark.periods import Grain
from smartpark_analytics.budget import (
    BudgetLevel,
    BudgetThresholds,
    BudgetTrack,
    ForecastBasis,
    budget_of_target,
    seasonal_weights,
    track_budget,
)
from smartpark_analytics.zero_carbon_park import Verdict, standing, threshold_by_energy
from smartpark_storage import IndicatorRow

from smartpark_ingest.ratios.book import Book, Quantity, days_of, in_percent, months_of_year, start_us, year_of
from smartpark_ingest.ratios.cells import Subject
from smartpark_ingest.ratios.specs import BUDGETS

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Months:
    """What a budget's entity did in the months of a year."""

    amounts: tuple[Quantity, ...]
    history: Floats
    """Of years before, the last one last, shape (n_years, 12)."""
    intensity_rises: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class _Budget:
    """A budget of an entity and year, tracked."""

    name: str
    entity: str
    unit: str
    note: str
    """Where the budget is from, or why there is none."""
    rule: BudgetRule
    amounts: tuple[Quantity, ...]
    """Of the twelve months."""
    track: BudgetTrack


def budget_rows(subject: Subject, year: int, rules: EvaluationRules) -> Iterator[IndicatorRow]:
    """Pace, forecast and level of every budget of a year, for each of its months that has begun."""
    rule = in_force(rules.budget_rule, date(year, 1, 1), what="budget rule")
    for name, (_, kind, target, _) in BUDGETS.items():
        may_be = subject.book.may_have(f"{name}_pace", (kind, target))
        for entity in subject.book.entities if may_be else ():
            amount, note = _budget(subject.book, name, entity, year)
            published = [subject.book.row(entity, f"{name}_pace", month) for month in months_of_year(year)]
            if isnan(amount) and not any(published):
                continue
            found = _tracked(subject, name, entity, year, amount=amount, note=note, rule=rule)
            for n, month in enumerate(months_of_year(year)):
                # Months to come have no row, unless one was published before.
                if start_us(month) <= subject.now_us or published[n] is not None:
                    yield from (_row(subject, found, part, month, n) for part in ("pace", "forecast", "level"))


def _tracked(
    subject: Subject, name: str, entity: str, year: int, *, amount: float, note: str, rule: BudgetRule
) -> _Budget:
    """A budget over its year."""
    counted, _, _, unit = BUDGETS[name]
    months = _months(subject, entity, counted, year, rule.history_years)
    track = track_budget(
        np.array([[quantity.value for quantity in months.amounts]]),
        budget=np.array([amount]),
        weights=seasonal_weights(
            months.history[np.newaxis], np.array([float(days_of(month)) for month in months_of_year(year)])
        ),
        last_year=months.history[np.newaxis, -1],
        thresholds=BudgetThresholds(rule.red_forecast, rule.red_pace, rule.yellow_forecast, rule.yellow_pace),
        intensity_rises=months.intensity_rises[np.newaxis],
    )
    return _Budget(name, entity, unit, note, rule, months.amounts, track)


def _budget(book: Book, name: str, entity: str, year: int) -> tuple[float, str]:
    """Budget of a year, and where it is from, or why there is none."""
    _, kind, target, _ = BUDGETS[name]
    period = year_of(year)
    entered = book.figure(entity, kind, period)
    if entered.is_known:
        return entered.value, entered.source
    for basis in (book.constant_basis(entity, target, year), CURRENT_PRICES):
        if basis is not None:
            intensity = book.figure(entity, target, period, basis=basis)
            planned = book.figure(entity, FigureKind.PLANNED_VALUE_ADDED, period, basis=basis)
            budget = budget_of_target(np.array([intensity.value]), np.array([planned.value]))
            if not np.isnan(budget[0]):
                return float(budget[0]), f"budget from {intensity.value:g} times {planned.value:g} 万元 ({basis})"
    return nan, f"{kind} of {year} is not entered"


def _months(subject: Subject, entity: str, amount: str, year: int, history_years: int) -> _Months:
    def of(one: int) -> tuple[Quantity, ...]:
        return tuple(_month(subject, entity, amount, month) for month in months_of_year(one))

    amounts = of(year)
    history = np.array([[q.value for q in of(one)] for one in range(year - history_years, year)])
    return _Months(amounts, history, _rises(subject.book, entity, amounts, history[-1], year))


def _month(subject: Subject, entity: str, amount: str, month: FigurePeriod) -> Quantity:
    end = days_of(month) * 86_400_000_000 + start_us(month)
    if end > subject.now_us:
        return Quantity(nan, f"{month} has not ended", 0.0)
    return subject.book.published(entity, amount, month, min_completeness=subject.min_completeness)


def _rises(book: Book, entity: str, amounts: Sequence[Quantity], before: Floats, year: int) -> NDArray[np.bool_]:
    """Whether the intensity up to each month is above that of a year before; where not known it does not."""
    basis = book.constant_basis(entity, FigureKind.VALUE_ADDED, year) or CURRENT_PRICES

    def economy(one: int) -> Floats:
        return np.cumsum(
            [book.figure(entity, FigureKind.VALUE_ADDED, m, basis=basis).value for m in months_of_year(one)]
        )

    now, then = economy(year), economy(year - 1)
    usable = (now > 0.0) & (then > 0.0)
    intensity = np.divide(np.cumsum([a.value for a in amounts]), now, out=np.full(12, np.nan), where=usable)
    earlier = np.divide(np.cumsum(before), then, out=np.full(12, np.nan), where=usable)
    return intensity > earlier * (1.0 + 1e-9)


def _row(subject: Subject, budget: _Budget, part: str, month: FigurePeriod, n: int) -> IndicatorRow:
    track, known = budget.track, budget.amounts[: n + 1]
    level = BudgetLevel(int(track.level[0, n]))
    value, words, unit = {
        "pace": (float(track.pace[0, n]), "", "1"),
        "forecast": (float(track.forecast[0, n]), _basis_words(int(track.basis[0, n])), budget.unit),
        "level": (nan if level is BudgetLevel.UNKNOWN else float(level), level.name.lower(), "1"),
    }[part]
    missing = [one.why for one in known if not one.is_known]
    reason = missing[0] if missing else budget.note
    code, is_pace = f"{budget.name}_{part}", part == "pace"
    return IndicatorRow(
        park=subject.park,
        boundary=budget.entity,
        indicator=code,
        grain=Grain.MONTH.value,
        start_us=start_us(month),
        value=_number(value),
        numerator=_number(float(track.spent[0, n])) if is_pace else None,
        denominator=_number(float(track.planned[0, n])) if is_pace else None,
        unit=unit,
        completeness=min(one.completeness for one in known),
        estimated_share=max((one.estimated_share for one in known if one.is_known), default=0.0),
        method=f"{code.replace('_', '-')}/1",
        factor_set=max(one.factor_set for one in known),
        factors=tuple(sorted({*(f for one in known for f in one.factors), budget.rule.id})),
        reason="; ".join(text for text in ("" if isnan(value) else words, reason) if text),
        computed_at_us=subject.now_us,
    )


def _basis_words(basis: int) -> str:
    return {
        ForecastBasis.NONE: "",
        ForecastBasis.LAST_YEAR: "months to come as last year, times growth so far",
        ForecastBasis.WEIGHTS: "months to come by their weights at the pace so far",
    }[ForecastBasis(basis)]


def _number(value: float) -> float | None:
    return None if isnan(value) else value


def gap_rows(
    subject: Subject, year: int, rules: EvaluationRules, core: Sequence[IndicatorRow]
) -> Iterator[IndicatorRow]:
    """Gap of a year's core indicator to the threshold for the park's annual energy."""
    period = year_of(year)
    rows = [r for r in rules.zero_carbon_on(period.months[-1]) if r.role is ZeroCarbonRole.CORE]
    for ratio in core:
        if not rows or ratio.grain != Grain.YEAR.value or ratio.start_us != start_us(period):
            continue
        energy = subject.book.published(
            ratio.boundary, "comprehensive_energy", period, min_completeness=subject.min_completeness
        )
        limit = threshold_by_energy(
            np.array([energy.value]),
            np.array([row.from_energy_tce for row in rows]),
            np.array([row.limit for row in rows]),
        )
        value = np.array([nan if ratio.value is None else ratio.value])
        found = standing(value, limit, at_most=True)
        verdict = Verdict(int(found.verdict[0]))
        words = {
            Verdict.NOT_KNOWN: ratio.reason,
            Verdict.NO_THRESHOLD: energy.why or f"no threshold for {energy.value:g} tce a year",
            Verdict.FAILS: f"fails: {value[0]:.4g} against {limit[0]:.4g} t/tce",
            Verdict.PASSES: f"passes: {value[0]:.4g} against {limit[0]:.4g} t/tce",
        }
        used = tuple(row.id for row in rows if row.limit == limit[0])
        yield IndicatorRow(
            park=subject.park,
            boundary=ratio.boundary,
            indicator="zero_carbon_gap",
            grain=ratio.grain,
            start_us=ratio.start_us,
            value=_number(float(found.gap[0])),
            numerator=None,
            denominator=None,
            unit=INDICATORS["zero_carbon_gap"].unit,
            completeness=in_percent(ratio.completeness) if np.isnan(found.gap[0]) else ratio.completeness,
            estimated_share=0.0 if np.isnan(found.gap[0]) else ratio.estimated_share,
            method="zero-carbon-gap/1",
            factor_set=ratio.factor_set,
            factors=tuple(sorted({*ratio.factors, *used})),
            reason=words[verdict],
            computed_at_us=subject.now_us,
        )
