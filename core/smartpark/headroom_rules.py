"""Rules by which free capacity is judged, as dated rows from ``data/headroom_rules.toml``.

Arguments of the functions in analytics, never constants there. How far several requests coincide is not among them:
there is no default, whoever asks says it, and without a word every request counts in full.
"""

import tomllib
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Annotated

from pydantic import Field, model_validator

from smartpark.dated import DatedRow, in_force, unique_ids
from smartpark.tomlfile import StrictModel, parse_model

Share = Annotated[float, Field(gt=0, le=1)]


class HeadroomRule(DatedRow):
    """How much of its rating a node may carry, and what of its history is believed."""

    load_share: Share
    """Highest load of a transformer or feeder, as a share of its rating."""
    short_time_factor: Annotated[float, Field(ge=1)]
    """What the remaining units carry while one of several is out (N-1), over their rating; 1: nothing extra."""
    assumed_power_factor: Share
    """Where only active power is measured: kVA = kW over this."""
    frozen_h: Annotated[float, Field(gt=0)]
    """Power that does not change at all for so long is a frozen meter. [h]"""
    spike_ratio: Annotated[float, Field(gt=1)]
    """A single interval above this multiple of its two neighbours on either side is not believed."""
    impossible_share: Annotated[float, Field(gt=1)]
    """Load above this multiple of the rating is not believed."""
    least_completeness: Share
    """Share of the year that must be known, else the maximum is a lower bound."""


class YearlyPeakRule(DatedRow):
    """What a forecast of the yearly peak needs."""

    least_weeks: Annotated[int, Field(ge=1, le=52)]
    """Weeks of the last 52 that must be known."""
    least_week_completeness: Share
    """Share of a week that must be known for its maximum to count."""
    season_weeks: Annotated[int, Field(ge=3)]
    """Width of the median that makes the seasonal curve; odd."""
    growth_weeks: Annotated[int, Field(ge=104)]
    """Weeks of history from which growth is told from two years; less: no growth is claimed."""
    level_spread: Annotated[float, Field(ge=0)]
    """Standard deviation of a year's level against what the years before it promised. [1]"""

    @model_validator(mode="after")
    def _window_has_a_middle(self) -> "YearlyPeakRule":
        if self.season_weeks % 2 == 0:
            raise ValueError(f"season_weeks {self.season_weeks} is even; the median is around a week")
        return self


class HeadroomRules(StrictModel):
    """Every row that comes with the platform; ask by day."""

    version: str
    headroom: tuple[HeadroomRule, ...]
    yearly_peak: tuple[YearlyPeakRule, ...]

    @model_validator(mode="after")
    def _ids_are_unique(self) -> "HeadroomRules":
        unique_ids((*self.headroom, *self.yearly_peak))
        return self

    def headroom_on(self, day: date) -> HeadroomRule:
        """Rule in force on a day."""
        return in_force(self.headroom, day, what="rule of headroom")

    def yearly_peak_on(self, day: date) -> YearlyPeakRule:
        """Rule in force on a day."""
        return in_force(self.yearly_peak, day, what="rule of the yearly peak")


@cache
def builtin_headroom_rules() -> HeadroomRules:
    """Rows that come with the platform."""
    file = files("smartpark.data").joinpath("headroom_rules.toml")
    return parse_model(
        tomllib.loads(file.read_text(encoding="utf-8")), HeadroomRules, file="smartpark/data/headroom_rules.toml"
    )
