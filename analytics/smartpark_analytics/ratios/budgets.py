"""Budgets of a year and gaps to the thresholds of zero-carbon parks, as rows to publish.

A month counts under a budget once it has ended and is complete enough; an unfinished month would look like thrift.
The budget is the figure of its year, or follows from a target of intensity and the planned value added.
"""

from collections.abc import Iterator, Sequence
from datetime import date
from functools import partial
from math import isnan, nan

import numpy as np
from smartpark.business_figures import CURRENT_PRICES, FIGURES, FigureKind, FigurePeriod
from smartpark.dated import in_force
from smartpark.evaluation import BudgetRule, EvaluationRules, ZeroCarbonRole, ZeroCarbonThreshold
from smartpark.indicators import INDICATORS
from smartpark.periods import Grain

from smartpark_analytics.budget import (
    BudgetLevel,
    BudgetThresholds,
    ForecastBasis,
    budget_of_target,
    seasonal_weights,
    track_budget,
)
from smartpark_analytics.ratios.book import Book, days_of, in_percent, months_of_year, start_us, year_of
from smartpark_analytics.ratios.budget_basis import Budget, Months, budget_basis
from smartpark_analytics.ratios.cells import Subject
from smartpark_analytics.ratios.quantity import Quantity, not_known
from smartpark_analytics.ratios.rows import Basis, RatioRow
from smartpark_analytics.ratios.specs import BUDGETS
from smartpark_analytics.zero_carbon_park import Verdict, standing, threshold_by_energy


def budget_rows(subject: Subject, year: int, rules: EvaluationRules) -> Iterator[RatioRow]:
    """Pace, forecast and level of every budget of a year, for each of its months that has begun."""
    rule = in_force(rules.budget_rule, date(year, 1, 1), what="budget rule")
    for name, (_, kind, target, _) in BUDGETS.items():
        may_be = subject.book.may_have(f"{name}_pace", (kind, target))
        for entity in subject.book.entities if may_be else ():
            amount = _budget(subject.book, name, entity, year)
            published = [subject.book.row(entity, f"{name}_pace", month) for month in months_of_year(year)]
            if not amount.is_known and not any(published):
                continue
            found = _tracked(subject, name, entity, year, amount=amount, rule=rule)
            for n, month in enumerate(months_of_year(year)):
                # Months to come have no row, unless one was published before.
                if start_us(month) <= subject.now_us or published[n] is not None:
                    yield from (_row(found, part, month, n) for part in ("pace", "forecast", "level"))


def _tracked(subject: Subject, name: str, entity: str, year: int, *, amount: Quantity, rule: BudgetRule) -> Budget:
    """A budget over its year."""
    counted, _, _, unit = BUDGETS[name]
    months = _months(subject, entity, counted, year, rule.history_years)
    history = np.array([[month.value for month in one] for one in months.history])
    days = np.array([float(days_of(month)) for month in months_of_year(year)])
    weights = seasonal_weights(history[np.newaxis], days)
    intensity, earlier = months.intensities()
    track = track_budget(
        np.array([[quantity.value for quantity in months.amounts]]),
        budget=np.array([amount.value]),
        weights=weights,
        last_year=history[np.newaxis, -1],
        thresholds=BudgetThresholds(rule.red_forecast, rule.red_pace, rule.yellow_forecast, rule.yellow_pace),
        intensity_rises=(intensity > earlier * (1.0 + 1e-9))[np.newaxis],
    )
    return Budget(name, entity, unit, year, amount, rule, months, weights[0], track)


def _budget(book: Book, name: str, entity: str, year: int) -> Quantity:
    """Budget of a year, with where it is from as its source; or why there is none."""
    _, kind, target, _ = BUDGETS[name]
    period = year_of(year)
    entered = book.figure(entity, kind, period)
    if entered.is_known:
        return entered
    for basis in (book.constant_basis(entity, target, year), CURRENT_PRICES):
        if basis is not None:
            intensity = book.figure(entity, target, period, basis=basis)
            planned = book.figure(entity, FigureKind.PLANNED_VALUE_ADDED, period, basis=basis)
            budget = budget_of_target(np.array([intensity.value]), np.array([planned.value]))
            if not np.isnan(budget[0]):
                return Quantity(
                    float(budget[0]),
                    source=f"budget from {intensity.value:g} times {planned.value:g} 万元 ({basis})",
                    name=kind.value,
                    entity=entity,
                    unit=FIGURES[kind].unit,
                    formula=f"{intensity.value!r} x {planned.value!r}",
                    parts=(intensity, planned),
                )
    return not_known(f"{kind} of {year} is not entered", name=kind.value, entity=entity)


def _months(subject: Subject, entity: str, amount: str, year: int, history_years: int) -> Months:
    def of(one: int) -> tuple[Quantity, ...]:
        return tuple(_month(subject, entity, amount, month) for month in months_of_year(one))

    basis = subject.book.constant_basis(entity, FigureKind.VALUE_ADDED, year) or CURRENT_PRICES

    def economy(one: int) -> tuple[Quantity, ...]:
        return tuple(subject.book.figure(entity, FigureKind.VALUE_ADDED, m, basis=basis) for m in months_of_year(one))

    history = tuple(of(one) for one in range(year - history_years, year))
    return Months(of(year), history, economy(year), economy(year - 1))


def _month(subject: Subject, entity: str, amount: str, month: FigurePeriod) -> Quantity:
    end = days_of(month) * 86_400_000_000 + start_us(month)
    if end > subject.now_us:
        return not_known(f"{month} has not ended", 0.0, name=amount, entity=entity)
    return subject.book.published(entity, amount, month, min_completeness=subject.min_completeness)


def _row(budget: Budget, part: str, month: FigurePeriod, n: int) -> RatioRow:
    track, known = budget.track, budget.months.amounts[: n + 1]
    level = BudgetLevel(int(track.level[0, n]))
    value, words, unit = {
        "pace": (float(track.pace[0, n]), "", "1"),
        "forecast": (float(track.forecast[0, n]), _basis_words(int(track.basis[0, n])), budget.unit),
        "level": (nan if level is BudgetLevel.NOT_KNOWN else float(level), level.name.lower(), "1"),
    }[part]
    missing = [one.why for one in known if not one.is_known]
    reason = missing[0] if missing else budget.amount.source or budget.amount.why
    code, is_pace = f"{budget.name}_{part}", part == "pace"
    return RatioRow(
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
        made_of=partial(budget_basis, budget, part, n),
    )


def _basis_words(basis: int) -> str:
    return {
        ForecastBasis.NONE: "",
        ForecastBasis.LAST_YEAR: "months to come as last year, times growth so far",
        ForecastBasis.WEIGHTS: "months to come by their weights at the pace so far",
    }[ForecastBasis(basis)]


def _number(value: float) -> float | None:
    return None if isnan(value) else value


def gap_rows(subject: Subject, year: int, rules: EvaluationRules, core: Sequence[RatioRow]) -> Iterator[RatioRow]:
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
        used = [row for row in rows if row.from_energy_tce <= energy.value][-1:]
        yield RatioRow(
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
            factors=tuple(sorted({*ratio.factors, *(row.id for row in used)})),
            reason=words[verdict],
            made_of=partial(_gap_basis, ratio, energy, used),
        )


def _gap_basis(ratio: RatioRow, energy: Quantity, chosen: Sequence[ZeroCarbonThreshold]) -> Basis:
    """The core indicator less the threshold that the year's energy has chosen."""
    core = Quantity(
        nan if ratio.value is None else ratio.value,
        name=ratio.indicator,
        entity=ratio.boundary,
        unit=ratio.unit,
        number=ratio,
    )
    limits = tuple(
        Quantity(-row.limit, name="threshold", entity=ratio.boundary, unit=row.unit, note=row.id) for row in chosen
    )
    return Basis("core indicator - threshold for the annual energy", (core, *limits), (), (energy,), tuple(chosen))
