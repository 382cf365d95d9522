"""Statements: an indicator over periods as a sum of terms, each an amount times a weight.

The sum is formed from the first term to the last, one addition after the other, so that whoever adds up the terms
of a published number, with a calculator or with a program, gets that number to the last digit.

A statement is as complete as its least complete meter. A meter of which nothing is known in a period leaves it
without a value: a sum without one of its parts is another quantity. A meter that is not awaited in a period counts
with what it measured, and nobody waits for more. A sum without parts is no zero.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from smartpark.accounts import Boundary, Flow
from smartpark.coefficients import Coefficient
from smartpark.factors import FactorSet
from smartpark.measurands import Measurand
from smartpark.steam_meters import as_heat, mass_of

from smartpark_analytics.accounting.coefficients import Context, one
from smartpark_analytics.accounting.recipes import Recipe, Traits
from smartpark_analytics.aggregate import PeriodSums, combined_estimated_share
from smartpark_analytics.uncertainty import half_width_of_class, half_width_of_gaps, relative_half_width

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Term:
    """One summand."""

    flow: Flow
    times: int
    """How often it counts, with its sign."""
    coefficient: Coefficient

    def weight(self, per: float) -> float:
        """What a unit of the flow contributes, in the indicator's unit."""
        return self.times * self.coefficient.value / per


@dataclass(frozen=True, slots=True)
class Uncertainty:
    """Half-widths of what a sum rests on, relative to each; arrays as `relative_half_width` takes them."""

    meter: Ints
    meter_half_width: Floats
    uses_factor: Floats
    factor_half_width: Floats
    estimate: float
    """Of what was apportioned across a gap, relative to itself. [1]"""
    missing: float
    """Of what is missing, relative to what the rest lets expect there. [1]"""

    def of(self, contribution: Floats, completeness: Floats, share: Floats) -> Floats:
        """Relative half-width of the 95 % interval, shape (n_periods,); NaN: not known.

        Completeness is 1 where nobody waits for more.
        """
        if np.isnan(self.meter_half_width).any() or np.isnan(self.factor_half_width).any():
            return np.full(contribution.shape[1], np.nan)
        return relative_half_width(
            contribution,
            meter=self.meter,
            meter_half_width=self.meter_half_width,
            uses_factor=self.uses_factor,
            factor_half_width=self.factor_half_width,
            gap_half_width=half_width_of_gaps(completeness, share, estimate=self.estimate, missing=self.missing),
        )


NOT_KNOWN: Final = Uncertainty(
    np.zeros(0, np.int64), np.array([np.nan]), np.zeros((0, 0)), np.zeros(0), np.nan, np.nan
)


def uncertainty_of(terms: Sequence[Term], factors: FactorSet) -> Uncertainty:
    """Which meters and factors the terms have in common, and how sure each is."""
    meters = sorted({term.flow.device for term in terms})
    classes = {term.flow.device: _class_of(term.flow, factors) for term in terms}
    rows = {c.factor.id: c.factor for t in terms for c in t.coefficient.choices}
    used = [[t.coefficient.sensitivity_to(name) for t in terms] for name in rows]
    gaps = factors.gap_uncertainty
    return Uncertainty(
        np.array([meters.index(term.flow.device) for term in terms], np.int64),
        half_width_of_class(np.array([classes[meter] for meter in meters], np.float64)),
        np.array(used, np.float64).reshape(len(rows), len(terms)),
        np.array([factors.half_width(row) for row in rows.values()], np.float64),
        np.nan if gaps is None else gaps.estimate,
        np.nan if gaps is None else gaps.missing,
    )


def _class_of(flow: Flow, factors: FactorSet) -> float:
    if flow.accuracy_class is not None:
        return flow.accuracy_class
    # Heat by enthalpy is as exact as the meter of the mass.
    by_enthalpy = mass_of(flow.point_id) is not None
    return factors.accuracy_class(Measurand.STEAM_MASS if by_enthalpy else flow.measurand)


@dataclass(frozen=True, slots=True)
class Plan:
    """An indicator of a boundary, ready to be summed."""

    recipe: Recipe
    boundary: str
    terms: tuple[Term, ...]
    uncertainty: Uncertainty = NOT_KNOWN

    @property
    def factor_ids(self) -> tuple[str, ...]:
        """Rows that it rests on, each once, by name."""
        return tuple(sorted({c.factor.id for t in self.terms for c in t.coefficient.choices}))

    @property
    def whys(self) -> list[str]:
        """Why each row was chosen, by name."""
        found = {c.factor.id: c.why for t in self.terms for c in t.coefficient.choices}
        return [found[name] for name in sorted(found)]


@dataclass(frozen=True, slots=True)
class Series:
    """What is known of the counters of a park in some periods."""

    place: Mapping[int, int]
    """Row of each point (or virtual meter)."""
    sums: PeriodSums
    """Shape (n_series, n_periods)."""
    start_us: Ints
    """Shape (n_periods,)."""
    end_us: Ints
    """Shape (n_periods,)."""


@dataclass(frozen=True, slots=True)
class Statement:
    """An indicator over periods; arrays over terms have shape (n_terms, n_periods), the others (n_periods,)."""

    plan: Plan
    amount: Floats
    """Of each term's flow. [its unit]"""
    contribution: Floats
    """[indicator's unit]"""
    value: Floats
    """NaN where it is not known. [indicator's unit]"""
    term_completeness: Floats
    """[0-1]"""
    term_estimated_share: Floats
    """[0-1]"""
    awaited: Bools
    """Which terms a period is incomplete without."""
    completeness: Floats
    """[0-1]"""
    estimated_share: Floats
    """[0-1]"""
    has_part: Bools
    """Whether any term is awaited or known."""
    uncertainty: Floats
    """Relative half-width of the 95 % interval; NaN: not known. [1]"""


def plan_of(recipe: Recipe, boundary: Boundary, context: Context) -> Plan | None:
    """Terms of an indicator; None where none of the boundary's flows counts in it.

    Raises
    ------
    SmartparkError
        When a factor is missing, or per another unit than the meter counts.
    """
    traits = Traits.of(boundary.flows)
    if not recipe.is_whole(traits):
        return None
    counted = [(flow, recipe.counts(flow, traits)) for flow in boundary.flows]
    terms = tuple(_term(recipe, flow, times, context) for flow, times in counted if times)
    return Plan(recipe, boundary.name, terms, uncertainty_of(terms, context.factors)) if terms else None


def _term(recipe: Recipe, flow: Flow, times: int, context: Context) -> Term:
    rule = recipe.rule(flow)
    # What is converted is converted by its heat, where that is known; what is only counted stays in tonnes.
    counted = as_heat(flow) if flow.point_id in context.by_enthalpy and rule is not one else flow
    return Term(counted, times, rule(context, counted))


def state(plan: Plan, series: Series) -> Statement:
    """Sum a plan over the periods of a series.

    Parameters
    ----------
    plan : Plan
    series : Series
        Every flow of the plan has a row.

    Returns
    -------
    Statement
    """
    rows = np.array([series.place[term.flow.point_id] for term in plan.terms], np.intp)
    awaited = awaited_in([term.flow for term in plan.terms], series.start_us, series.end_us)
    known = series.sums.amount[rows]
    completeness, share = series.sums.completeness[rows], series.sums.estimated_share[rows]
    if awaited.all():  # as nearly always; the general way gives the same
        has_part, amount, counted = awaited[0], known, completeness
    else:
        has_part = np.any(awaited | ~np.isnan(known), axis=0)
        amount = np.where(~awaited & np.isnan(known), 0.0, known)
        counted = np.where(awaited, completeness, 1.0)
    weight = np.array([term.weight(plan.recipe.per) for term in plan.terms])
    contribution = amount * weight[:, np.newaxis]
    # Not `sum`, whose order of additions depends on the shape.
    total = np.cumsum(contribution, axis=0)[-1]
    return Statement(
        plan=plan,
        amount=amount,
        contribution=contribution,
        value=np.where(has_part, total, np.nan),
        term_completeness=completeness,
        term_estimated_share=share,
        awaited=awaited,
        completeness=np.where(has_part, counted.min(axis=0), 0.0),
        estimated_share=combined_estimated_share(contribution, share),
        has_part=has_part,
        uncertainty=plan.uncertainty.of(contribution, counted, share),
    )


def awaited_in(flows: Sequence[Flow], start_us: Ints, end_us: Ints) -> Bools:
    """Which periods are incomplete without which flows: `Flow.is_awaited`, shape (n_flows, n_periods)."""
    limits = np.iinfo(np.int64)
    first = [limits.min if f.awaited_from_us is None else f.awaited_from_us for f in flows]
    last = [limits.max if f.awaited_to_us is None else f.awaited_to_us for f in flows]
    if len(start_us) and max(first) <= start_us.min() and end_us.max() <= min(last):
        return np.ones((len(flows), len(start_us)), np.bool_)
    begins = start_us >= np.array(first, np.int64)[:, np.newaxis]
    return begins & (end_us <= np.array(last, np.int64)[:, np.newaxis])


def reason_of(statement: Statement, column: int) -> str:
    """Why these factors, and which meters are not complete: least complete first, three of them by name."""
    awaited = statement.awaited[:, column]
    terms = [
        (t.flow.key, float(c))
        for t, c in zip(statement.plan.terms, statement.term_completeness[:, column], strict=True)
    ]
    share = {key: value for (key, value), waits in zip(terms, awaited.tolist(), strict=True) if waits}
    short = sorted((value, key) for key, value in share.items() if value < 1.0)
    said = [*statement.plan.whys, *(f"{key} known for {value:.1%}" for value, key in short[:3])]
    if not statement.has_part[column]:
        said.append("no meter in service")
    if len(short) > 3:
        said.append(f"and {len(short) - 3} more not complete")
    return "; ".join(said)
