"""How much data the means of a stack need, and what stands in for lost hours: dated rows, looked up by day.

Applied in `smartpark_analytics.cems_hours` and `smartpark_analytics.cems_substitution`.
"""

import tomllib
from datetime import date
from functools import cache
from importlib.resources import files
from math import inf
from typing import Annotated, Final

from pydantic import Field

from smartpark.dated import RuleNotFoundError, in_force
from smartpark.tomlfile import StrictModel, parse_model

DEFAULT_PRACTICE: Final = "hj75-2017"


class StackValidity(StrictModel):
    """How much data a mean needs."""

    practice: str
    valid_from: date
    valid_to: date | None = None
    hour_minutes: Annotated[int, Field(ge=1, le=60)]
    day_hours: Annotated[int, Field(ge=1, le=24)]
    month_days: Annotated[int, Field(ge=1, le=31)]
    february_days: Annotated[int, Field(ge=1, le=28)]
    oxygen_suspicious_pct: float
    """Oxygen above which a corrected concentration is flagged. [%]"""
    source: str
    grade: Annotated[str, Field(pattern=r"^(P|C|S|X|M\d{2})$")]

    def days_of(self, month: int) -> int:
        """Valid days that a month needs, by its number."""
        return self.february_days if month == 2 else self.month_days


class SubstitutionRow(StrictModel):
    """One row of the table of substitutes."""

    practice: str
    valid_from: date
    valid_to: date | None = None
    capture_from: Annotated[float, Field(ge=0, le=1)]
    """Capture rate of the quarter from which it holds, inclusive. [0-1]"""
    capture_below: float = inf
    """… and below which. [0-1]"""
    longest_hours: float = inf
    """Longest run of bad hours that it covers. [h]"""
    look_back_hours: Annotated[int, Field(ge=1)]
    """Valid hours before the run of which the maximum is taken."""
    source: str
    grade: Annotated[str, Field(pattern=r"^(P|C|S|X|M\d{2})$")]


class CemsRules(StrictModel):
    """Everything in ``data/cems_rules.toml``."""

    version: str
    validity: tuple[StackValidity, ...]
    substitution: tuple[SubstitutionRow, ...]

    def validity_on(self, day: date, practice: str = DEFAULT_PRACTICE) -> StackValidity:
        """Validity counts on a day; `RuleNotFoundError` lists what there is."""
        rows = [row for row in self.validity if row.practice == practice]
        return in_force(rows, day, what=f"validity counts of practice {practice}")

    def substitution_on(self, day: date, practice: str = DEFAULT_PRACTICE) -> tuple[SubstitutionRow, ...]:
        """Rows of the table of substitutes on a day; `RuleNotFoundError` when there are none."""
        found = tuple(
            row
            for row in self.substitution
            if row.practice == practice and row.valid_from <= day and (row.valid_to is None or day < row.valid_to)
        )
        if not found:
            known = ", ".join(f"{row.practice} from {row.valid_from}" for row in self.substitution) or "none at all"
            raise RuleNotFoundError(f"no substitution rule of practice {practice} on {day}; there is: {known}")
        return found


@cache
def cems_rules() -> CemsRules:
    """Rows that come with the platform."""
    text = files("smartpark.data").joinpath("cems_rules.toml").read_text(encoding="utf-8")
    return parse_model(tomllib.loads(text), CemsRules, file="smartpark/data/cems_rules.toml")
