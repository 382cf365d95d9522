"""Limits of power quality as dated rows from ``data/power_quality_limits.toml``, by quantity and voltage level.

Some limits are bands in which a value should lie all the time, one is a range that the highest and lowest value may
span, some are judged by the value that is kept 95 % of the time: `Basis` says which.
"""

import tomllib
from datetime import date
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Annotated

from pydantic import Field, model_validator

from smartpark.dated import DatedRow, RuleNotFoundError, in_force, unique_ids
from smartpark.tomlfile import StrictModel, parse_model


class QualityQuantity(StrEnum):
    """What is limited."""

    VOLTAGE_DEVIATION = "voltage_deviation"
    FREQUENCY = "frequency"
    VOLTAGE_UNBALANCE = "voltage_unbalance"
    VOLTAGE_THD = "voltage_thd"
    FLICKER = "flicker"


class Basis(StrEnum):
    """What is compared with the limit."""

    TIME = "time"
    """The share of time between `low` and `high`; no standard row here says how large it must be."""
    RANGE = "range"
    """The sum of the absolute highest positive and negative deviation is at most `high`; there is no band."""
    PROBABILITY = "probability"
    """The value that is not exceeded for `probability` of the records is at most `high`."""


class LimitCase(StrEnum):
    """For whom a limit holds."""

    NORMAL = "normal"
    SMALL_SYSTEM = "small_system"
    """Systems of small capacity."""
    PER_USER = "per_user"
    """What one user may cause."""


class QualityLimit(DatedRow):
    """One limit, in `unit`."""

    quantity: QualityQuantity
    case: LimitCase = LimitCase.NORMAL
    kv_from: Annotated[float, Field(ge=0)]
    """Lowest nominal voltage. [kV]"""
    kv_below: Annotated[float, Field(gt=0)]
    """Nominal voltage from which it holds no more. [kV]"""
    unit: str
    basis: Basis
    low: float | None = None
    high: float
    odd_high: float | None = None
    """Limit of each odd harmonic."""
    even_high: float | None = None
    """Limit of each even harmonic."""
    short_time_high: float | None = None
    """What may be reached for a short time."""
    probability: Annotated[float, Field(gt=0, lt=1)] | None = None
    """Share of the records that the judged value is not below."""
    least_hours: Annotated[float, Field(gt=0)] | None = None
    """Known time below which compliance is not judged. [h]"""
    least_completeness: Annotated[float, Field(ge=0, le=1)]
    """Share of a period below which nothing is said of it."""

    @model_validator(mode="after")
    def _says_what_its_basis_needs(self) -> "QualityLimit":
        if self.kv_below <= self.kv_from:
            raise ValueError(f"kv_below {self.kv_below} is not above kv_from {self.kv_from}")
        if (self.low is not None) != (self.basis is Basis.TIME):
            raise ValueError("low belongs to a limit by time, and to no other")
        if (self.probability is not None) != (self.basis is Basis.PROBABILITY):
            raise ValueError("probability belongs to a limit by probability, and to no other")
        return self


class QualityLimits(StrictModel):
    """Every row that comes with the platform; ask by quantity, voltage level and day."""

    version: str
    limit: tuple[QualityLimit, ...]

    @model_validator(mode="after")
    def _ids_are_unique(self) -> "QualityLimits":
        unique_ids(self.limit)
        return self

    def limit_on(
        self, quantity: QualityQuantity, *, nominal_kv: float, on: date, case: LimitCase = LimitCase.NORMAL
    ) -> QualityLimit:
        """Limit of a quantity at a nominal voltage on a day.

        Raises
        ------
        RuleNotFoundError
            When there is none for that level; the message lists the levels there are.
        """
        of_quantity = [row for row in self.limit if (row.quantity, row.case) == (quantity, case)]
        rows = [row for row in of_quantity if row.kv_from <= nominal_kv < row.kv_below]
        if not rows:
            levels = ", ".join(f"{row.kv_from:g}-{row.kv_below:g} kV" for row in of_quantity) or "none at all"
            raise RuleNotFoundError(f"no {case} limit of {quantity} for {nominal_kv:g} kV; there is: {levels}")
        return in_force(rows, on, what=f"limit of {quantity} for {nominal_kv:g} kV")


@cache
def builtin_quality_limits() -> QualityLimits:
    """Limits that come with the platform."""
    text = files("smartpark.data").joinpath("power_quality_limits.toml").read_text(encoding="utf-8")
    return parse_model(tomllib.loads(text), QualityLimits, file="smartpark/data/power_quality_limits.toml")
