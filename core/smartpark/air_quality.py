"""Breakpoints of the air quality index, its levels, ambient limits and validity counts: dated rows, looked up by day.

Two editions of HJ 633 are known; the accounting day decides. Nothing is computed here (that is
`smartpark_analytics.air_quality`).
"""

import tomllib
from datetime import date
from enum import StrEnum
from functools import cache
from importlib.resources import files
from itertools import pairwise
from typing import Annotated

from pydantic import Field, model_validator

from smartpark.dated import in_force
from smartpark.measurands import Measurand
from smartpark.tomlfile import StrictModel, parse_model

POLLUTANTS: tuple[Measurand, ...] = (
    Measurand.AMBIENT_SO2,
    Measurand.AMBIENT_NO2,
    Measurand.AMBIENT_CO,
    Measurand.AMBIENT_O3,
    Measurand.AMBIENT_PM10,
    Measurand.AMBIENT_PM25,
)
"""The six that an index needs, in the order in which arrays hold them."""


class Form(StrEnum):
    """Which report an index is for."""

    HOUR = "hour"
    """Real-time report: means of one hour."""
    DAY = "day"
    """Daily report: 24-hour means, and the daily maximum of ozone's 8-hour means."""


class BreakpointColumn(StrictModel):
    """Concentrations of one pollutant at the rows of `AqiEdition.index`."""

    pollutant: Measurand
    form: Form
    decimals: Annotated[int, Field(ge=0, le=1)] = 0
    """Digits to which a concentration is rounded first; the analytics reckon in whole tenths."""
    concentration: tuple[Annotated[float, Field(ge=0, multiple_of=1)], ...]
    """Ascending; shorter than the index where the column ends early. [ug/m3; CO mg/m3]"""


class AqiEdition(StrictModel):
    """One edition of HJ 633."""

    code: str
    valid_from: date
    valid_to: date | None = None
    """Day after the last."""
    source: str
    grade: Annotated[str, Field(pattern=r"^(P|C|S|X|M\d{2})$")]
    index: tuple[int, ...]
    column: tuple[BreakpointColumn, ...]

    @model_validator(mode="after")
    def _has_every_column_once(self) -> "AqiEdition":
        wanted = sorted((p.value, f.value) for p in POLLUTANTS for f in Form)
        if sorted((c.pollutant.value, c.form.value) for c in self.column) != wanted:
            raise ValueError(f"{self.code} needs each of the six pollutants once for the hour and once for the day")
        for column in self.column:
            rows = column.concentration
            if not 2 <= len(rows) <= len(self.index) or any(a >= b for a, b in pairwise(rows)):
                raise ValueError(f"{self.code}: {column.pollutant} {column.form} does not ascend row by row")
        return self

    def columns(self, form: Form) -> tuple[BreakpointColumn, ...]:
        """Columns of one form, in the order of `POLLUTANTS`."""
        found = {column.pollutant: column for column in self.column if column.form is form}
        return tuple(found[pollutant] for pollutant in POLLUTANTS)


class AqiLevel(StrictModel):
    """A level of the index, as people see it."""

    number: Annotated[int, Field(ge=1, le=6)]
    upto: int
    """Highest index of the level."""
    zh: str
    en: str
    colour_zh: str
    colour: Annotated[str, Field(pattern=r"^#[0-9a-f]{6}$")]


class AmbientLimits(StrictModel):
    """Limits of one class of ambient air."""

    document: str
    air_class: Annotated[int, Field(ge=1, le=2)]
    """1 nature reserves, 2 everything else, industrial areas included."""
    valid_from: date
    valid_to: date | None = None
    source: str
    grade: Annotated[str, Field(pattern=r"^(P|C|S|X|M\d{2})$")]
    year: dict[Measurand, float]
    """Limits of yearly means. [ug/m3; CO mg/m3]"""
    day: dict[Measurand, float]
    """Limits of 24-hour means; ozone: of the daily maximum of 8-hour means. [ug/m3; CO mg/m3]"""
    hour: dict[Measurand, float]
    """Limits of hourly means. [ug/m3; CO mg/m3]"""


class AmbientValidity(StrictModel):
    """How much data a mean needs."""

    document: str
    valid_from: date
    valid_to: date | None = None
    hour_minutes: int
    day_hours: int
    eight_hour_hours: int
    """Hours that an 8-hour mean of ozone needs."""
    day_eight_hour_means: int
    """8-hour means that their daily maximum needs, unless it is above the limit."""
    month_days: int
    february_days: int
    year_days: int
    source: str
    grade: Annotated[str, Field(pattern=r"^(P|C|S|X|M\d{2})$")]


class AirQualityRules(StrictModel):
    """Everything in ``data/air_quality.toml``."""

    version: str
    edition: tuple[AqiEdition, ...]
    level: tuple[AqiLevel, ...]
    limits: tuple[AmbientLimits, ...]
    validity: tuple[AmbientValidity, ...]

    def edition_on(self, day: date) -> AqiEdition:
        """Edition of HJ 633 in force on a day; `RuleNotFoundError` lists what there is."""
        return in_force(self.edition, day, what="edition of HJ 633")

    def limits_on(self, day: date, *, air_class: int = 2) -> AmbientLimits:
        """Limits in force on a day; `RuleNotFoundError` lists what there is."""
        return in_force([r for r in self.limits if r.air_class == air_class], day, what=f"class {air_class} limits")

    def validity_on(self, day: date) -> AmbientValidity:
        """Validity counts in force on a day; `RuleNotFoundError` lists what there is."""
        return in_force(self.validity, day, what="validity counts")


@cache
def air_quality_rules() -> AirQualityRules:
    """Rows that come with the platform."""
    text = files("smartpark.data").joinpath("air_quality.toml").read_text(encoding="utf-8")
    return parse_model(tomllib.loads(text), AirQualityRules, file="smartpark/data/air_quality.toml")
