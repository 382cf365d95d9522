"""From statements to rows to publish: hours and days by their terms, months and years by their parts. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from smartpark.clock import to_us
from smartpark.indicators import INDICATORS, Accumulation
from smartpark.periods import Grain, Period
from smartpark_analytics.accounting import Statement, reason_of
from smartpark_storage import IndicatorRow
from smartpark_storage.revisions import PartsSum

LARGEST_REASONS: Final = 3
"""Different reasons of its parts that a longer period repeats."""
DAY_US: Final = 86_400_000_000


@dataclass(frozen=True, slots=True)
class Columns:
    """Periods of a statement."""

    starts: list[int]
    """[µs]"""
    grains: list[str]


@dataclass(frozen=True, slots=True)
class Noted:
    """What every row of one publication has in common."""

    park: str
    factor_set: str
    computed_at_us: int


def rows_of(
    statement: Statement, columns: Columns, noted: Noted, findings: Sequence[str] = ()
) -> Iterable[IndicatorRow]:
    """Rows of an indicator, one for each period.

    Parameters
    ----------
    statement : Statement
    columns : Columns
        Its periods.
    noted : Noted
    findings : sequence of str
        What is to be said of each period beside the reason; none: nothing.
    """
    plan = statement.plan
    unit, factors = INDICATORS[plan.recipe.indicator].unit, plan.factor_ids
    values, uncertain = statement.value.tolist(), statement.uncertainty.tolist()
    completeness, share = statement.completeness.tolist(), statement.estimated_share.tolist()
    whys = "; ".join(plan.whys)
    for n, start in enumerate(columns.starts):
        reason = whys if completeness[n] == 1.0 else reason_of(statement, n)
        yield IndicatorRow(
            park=noted.park,
            indicator=plan.recipe.indicator,
            grain=columns.grains[n],
            start_us=start,
            value=_known(values[n]),
            numerator=None,
            denominator=None,
            unit=unit,
            completeness=completeness[n],
            estimated_share=share[n],
            method=plan.recipe.method,
            factor_set=noted.factor_set if factors else "",
            factors=factors,
            reason="; ".join(filter(None, (findings[n], reason))) if findings else reason,
            computed_at_us=noted.computed_at_us,
            boundary=plan.boundary,
            uncertainty=_known(uncertain[n]),
        )


def _known(value: float) -> float | None:
    return None if np.isnan(value) else value


def ratio_rows(above: Statement, below: Statement, columns: Columns, noted: Noted) -> Iterable[IndicatorRow]:
    """CO2 per energy of days: numerator and denominator, divided last."""
    completeness = np.minimum(above.completeness, below.completeness).tolist()
    share = np.maximum(above.estimated_share, below.estimated_share).tolist()
    factors = tuple(sorted({*above.plan.factor_ids, *below.plan.factor_ids}))
    for n, start in enumerate(columns.starts):
        if columns.grains[n] != Grain.DAY.value:
            continue
        numerator, denominator = _known(float(above.value[n])), _known(float(below.value[n]))
        is_whole = numerator is not None and denominator is not None
        yield IndicatorRow(
            park=noted.park,
            indicator="carbon_per_energy",
            grain=Grain.DAY.value,
            start_us=start,
            value=numerator / denominator if is_whole and denominator and numerator is not None else None,
            # Only days that are known on both sides go into a month.
            numerator=numerator if is_whole else None,
            denominator=denominator if is_whole else None,
            unit=INDICATORS["carbon_per_energy"].unit,
            completeness=completeness[n],
            estimated_share=share[n],
            method="carbon-per-energy/1",
            factor_set=noted.factor_set,
            factors=factors,
            reason="" if is_whole else "energy or carbon is not known",
            computed_at_us=noted.computed_at_us,
            boundary=above.plan.boundary,
        )


def longer_row(parts: PartsSum, period: Period, *, park: str, computed_at_us: int) -> IndicatorRow:
    """Row of a month from its days, or of a year from its months."""
    is_ratio = INDICATORS[parts.indicator].accumulation is Accumulation.RATIO
    days = (to_us(period.end) - to_us(period.start)) / DAY_US
    value = _quotient(parts) if is_ratio else parts.value
    return IndicatorRow(
        park=park,
        indicator=parts.indicator,
        grain=period.grain.value,
        start_us=to_us(period.start),
        value=value,
        numerator=parts.numerator,
        denominator=parts.denominator,
        unit=parts.unit,
        completeness=min(parts.completeness / days, 1.0),
        estimated_share=min(parts.estimated / parts.weight, 1.0) if parts.weight else 0.0,
        method=" ".join(parts.methods),
        factor_set=" ".join(filter(None, parts.factor_sets)),
        factors=tuple(sorted({name for text in parts.factors for name in text.split("\n") if name})),
        reason=_longer_reason(parts, period, days),
        computed_at_us=computed_at_us,
        boundary=parts.boundary,
        uncertainty=_relative(parts, value),
    )


def _quotient(parts: PartsSum) -> float | None:
    if parts.numerator is None or not parts.denominator:
        return None
    return parts.numerator / parts.denominator


def _relative(parts: PartsSum, value: float | None) -> float | None:
    """The parts err together: the same meters and the same factors made them."""
    if parts.uncertain is None or not value or INDICATORS[parts.indicator].accumulation is Accumulation.RATIO:
        return None
    return parts.uncertain / abs(value)


def _longer_reason(parts: PartsSum, period: Period, days: float) -> str:
    said = parts.whys[:LARGEST_REASONS]
    if len(parts.whys) > LARGEST_REASONS:
        said = [*said, f"and {len(parts.whys) - LARGEST_REASONS} other choices of factors"]
    expected, name = (round(days), "days") if period.grain is Grain.MONTH else (12, "months")
    if parts.known < expected:
        said = [*said, f"{parts.known} of {expected} {name} known"]
    return "; ".join(filter(None, said))
