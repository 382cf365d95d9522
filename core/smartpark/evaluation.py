"""Rules by which parks are evaluated: when a ratio is published, budget levels, thresholds, ranking.

Dated rows with source and grade, read from ``data/evaluation.toml`` and asked by day (`smartpark.dated.in_force`);
nothing is evaluated here. Where no row covers a day there is no rule: a threshold is never guessed.
"""

import tomllib
from datetime import date
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Annotated

from pydantic import Field, model_validator

from smartpark.dated import DatedRow
from smartpark.tomlfile import StrictModel, parse_model

Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]


class RatioRule(DatedRow):
    """When a measured amount may be divided by an entered figure."""

    min_completeness: Share
    """Completeness of the measured amount, below which no ratio is published. [0-1]"""


class BudgetRule(DatedRow):
    """Levels of a budget over the year."""

    red_forecast: Positive
    """Forecast over budget above which the level may be red. [1]"""
    red_pace: Positive
    """Pace above which it then is red. [1]"""
    yellow_forecast: Positive
    """Forecast over budget above which it is yellow. [1]"""
    yellow_pace: Positive
    """Pace above which it is yellow. [1]"""
    history_years: Annotated[int, Field(ge=1, le=10)]
    """Complete years that seasonal weights come from."""


class ZeroCarbonRole(StrEnum):
    """How much hangs on an indicator of zero-carbon parks."""

    CORE = "core"
    """Missing it fails the park."""
    GUIDING = "guiding"
    """Expected, and shown with its gap."""


class ZeroCarbonThreshold(DatedRow):
    """What a zero-carbon park has to reach in one indicator."""

    indicator: str
    role: ZeroCarbonRole
    at_most: float | None = None
    """Upper limit, or"""
    at_least: float | None = None
    """lower limit, in `unit`."""
    unit: str
    from_energy_tce: Annotated[float, Field(ge=0)] = 0.0
    """Annual comprehensive energy from which on the row applies. [tce]"""
    to_energy_tce: Positive | None = None
    """Annual comprehensive energy below which it applies; none: without end. [tce]"""

    @model_validator(mode="after")
    def _one_limit(self) -> "ZeroCarbonThreshold":
        if (self.at_most is None) == (self.at_least is None):
            raise ValueError("give either at_most or at_least")
        return self

    @property
    def limit(self) -> float:
        """The limit, whichever way it bounds."""
        return self.at_most if self.at_most is not None else self.at_least or 0.0


class RankingRule(DatedRow):
    """How parks are compared with their peers."""

    min_group: Annotated[int, Field(ge=2)]
    """Parks that a group needs; a smaller one gives way to the next wider."""
    min_coverage: Share
    """Coverage below which a park is shown and not ranked. [0-1]"""
    winsor: Positive
    """Bound of the robust z in both directions. [1]"""


class RankedIndicator(StrictModel):
    """An indicator that parks are compared by."""

    indicator: str
    higher_is_better: bool
    right_skewed: bool
    """Compared by its logarithm."""


class EvaluationRules(StrictModel):
    """A published collection of rules."""

    version: str
    ratio_rule: tuple[RatioRule, ...]
    budget_rule: tuple[BudgetRule, ...]
    zero_carbon: tuple[ZeroCarbonThreshold, ...]
    ranking_rule: tuple[RankingRule, ...]
    ranked: tuple[RankedIndicator, ...]

    def zero_carbon_on(self, day: date) -> list[ZeroCarbonThreshold]:
        """Thresholds in force on a day, the core ones first, by annual energy."""
        found = [row for row in self.zero_carbon if row.covers(day)]
        return sorted(found, key=lambda row: (row.role is not ZeroCarbonRole.CORE, row.from_energy_tce))


@cache
def builtin_rules() -> EvaluationRules:
    """Rules that come with the platform."""
    text = files("smartpark.data").joinpath("evaluation.toml").read_text(encoding="utf-8")
    return parse_model(tomllib.loads(text), EvaluationRules, file="smartpark/data/evaluation.toml")
