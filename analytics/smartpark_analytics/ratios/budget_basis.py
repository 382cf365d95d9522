"""What a budget's pace, forecast and level were made of, month by month; told only when somebody asks."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import nan

import numpy as np
from numpy.typing import NDArray
from smartpark.evaluation import BudgetRule
from smartpark.indicators import INDICATORS

from smartpark_analytics.budget import BudgetTrack, ForecastBasis
from smartpark_analytics.ratios.book import days_of, months_of_year
from smartpark_analytics.ratios.quantity import Quantity, sum_of
from smartpark_analytics.ratios.rows import Basis

Floats = NDArray[np.float64]
Row = tuple[Quantity, ...]
_FORMULAS = {
    "pace": "spent / (budget x share of the year by its weights)",
    "forecast": "spent + months to come",
    "level": "2 red, 1 yellow, 0 green: by forecast over budget, pace, and intensity against the year before",
}


@dataclass(frozen=True, slots=True)
class Months:
    """What a budget's entity did in the months of a year; every row has twelve."""

    amounts: Row
    history: tuple[Row, ...]
    """Of years before, the last one last."""
    economy: Row
    """Value added."""
    economy_before: Row
    """Of the year before."""

    def intensities(self) -> tuple[Floats, Floats]:
        """Amount per value added from January to each month, of the year and of the one before; NaN: not known."""
        now, then = _cumulated(self.economy), _cumulated(self.economy_before)
        usable = (now > 0.0) & (then > 0.0)
        above = (_cumulated(self.amounts), _cumulated(self.history[-1]))
        this, last = (
            np.divide(a, b, out=np.full(12, np.nan), where=usable) for a, b in zip(above, (now, then), strict=True)
        )
        return this, last


@dataclass(frozen=True, slots=True)
class Budget:
    """A budget of an entity and year, tracked."""

    name: str
    entity: str
    unit: str
    year: int
    amount: Quantity
    """Of the whole year."""
    rule: BudgetRule
    months: Months
    weights: Floats
    """Share of the year that each month takes, shape (12,)."""
    track: BudgetTrack


def budget_basis(budget: Budget, part: str, n: int) -> Basis:
    """What a pace, forecast or level after the month of index `n` was made of."""
    spent = _spent(budget, n)
    match part:
        case "pace":
            return Basis(_FORMULAS[part], spent.parts, (_planned(budget, n),))
        case "forecast":
            return Basis(_FORMULAS[part], *_forecast(budget, n))
        case _:
            return Basis(_FORMULAS[part], deciding=_deciding(budget, n), rules=(budget.rule,))


def _spent(budget: Budget, n: int) -> Quantity:
    return sum_of("spent", budget.months.amounts[: n + 1], budget.unit)


def _planned(budget: Budget, n: int) -> Quantity:
    share = _share_so_far(budget, n)
    return Quantity(
        float(budget.track.planned[0, n]),
        name="planned",
        entity=budget.entity,
        unit=budget.unit,
        formula=f"{budget.amount.value!r} x {share.value!r}",
        parts=(budget.amount, share),
    )


def _share_so_far(budget: Budget, n: int) -> Quantity:
    """Weights of the months up to now: of years past, or of the calendar."""
    complete = [year for year in budget.months.history if _is_complete(year)]
    days = [float(days_of(month)) for month in months_of_year(budget.year)]
    months = [_of_years(complete, month) if complete else _days(days[month], budget.entity) for month in range(12)]
    whole = sum_of("weights_of_the_year", months, budget.unit if complete else "d")
    weights = [
        Quantity(
            float(budget.weights[month]),
            name="weight",
            entity=budget.entity,
            unit="1",
            formula=f"{of.value!r} / {whole.value!r}",
            note=f"month {month + 1}",
            parts=(of, whole) if month == 0 else (of,),
        )
        for month, of in enumerate(months[: n + 1])
    ]
    return sum_of("share_of_the_year", weights, "1")


def _is_complete(year: Row) -> bool:
    values = np.array([month.value for month in year])
    return bool(values.sum() > 0.0 and (values >= 0.0).all())


def _of_years(years: Sequence[Row], month: int) -> Quantity:
    parts = [year[month] for year in years]
    return sum_of(parts[0].name, parts, parts[0].unit)


def _days(days: float, entity: str) -> Quantity:
    return Quantity(days, name="days", entity=entity, unit="d", note="no complete year before: by days")


def _forecast(budget: Budget, n: int) -> tuple[tuple[Quantity, ...], tuple[Quantity, ...]]:
    spent = _spent(budget, n)
    if ForecastBasis(int(budget.track.basis[0, n])) is not ForecastBasis.LAST_YEAR:
        return (spent,), (_share_so_far(budget, n),)
    before = budget.months.history[-1]
    # From December backwards, as they were added up.
    rest = sum_of("last_year_to_come", before[:n:-1], budget.unit)
    if not rest.value:
        return (spent,), ()
    so_far = sum_of("last_year_so_far", before[: n + 1], budget.unit)
    growth = _quotient("growth", spent, so_far, "1")
    to_come = Quantity(
        rest.value * growth.value,
        name="months_to_come",
        entity=budget.entity,
        unit=budget.unit,
        formula=f"{rest.value!r} x {growth.value!r}",
        parts=(rest, growth),
    )
    return (spent, to_come), ()


def _deciding(budget: Budget, n: int) -> tuple[Quantity, ...]:
    track = budget.track
    above, below = _forecast(budget, n)
    forecast = Quantity(
        float(track.forecast[0, n]),
        name=f"{budget.name}_forecast",
        entity=budget.entity,
        unit=budget.unit,
        formula=" + ".join(repr(one.value) for one in above) + "".join(f" / {one.value!r}" for one in below),
        parts=(*above, *below),
    )
    pace = _quotient(f"{budget.name}_pace", _spent(budget, n), _planned(budget, n), "1")
    ahead = _quotient("forecast_over_budget", forecast, budget.amount, "1")
    return (ahead, pace, *_intensity(budget, n))


def _intensity(budget: Budget, n: int) -> tuple[Quantity, ...]:
    now, _ = budget.months.intensities()
    if np.isnan(now[n]):
        return ()
    months, counted = budget.months, budget.months.amounts[0].name
    unit = INDICATORS[counted].unit
    sides = (months.amounts, months.economy), (months.history[-1], months.economy_before)
    names = ("intensity", "intensity_a_year_before")
    return tuple(
        _quotient(
            name,
            sum_of(counted, above[: n + 1], unit),
            sum_of("value_added", below[: n + 1], "万元"),
            f"{unit}/万元",
        )
        for name, (above, below) in zip(names, sides, strict=True)
    )


def _quotient(name: str, above: Quantity, below: Quantity, unit: str) -> Quantity:
    return Quantity(
        above.value / below.value if below.value else nan,
        name=name,
        entity=above.entity,
        unit=unit,
        formula=f"{above.value!r} / {below.value!r}",
        parts=(above, below),
    )


def _cumulated(row: Row) -> Floats:
    return np.cumsum([one.value for one in row])
