"""What HJ 212 lays down, as rows with source and grade: editions, systems, letters of data, factors, units.

The rows are in ``data/hj212.toml``. What a station sends is the business of its settings; this only says what the
words mean and what stands where settings say nothing.
"""

import tomllib
from datetime import date
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from typing import Annotated, Literal

from pydantic import Field, model_validator

from smartpark.dated import Grade, in_force
from smartpark.indicators import INDICATORS
from smartpark.measurands import Measurand
from smartpark.tomlfile import StrictModel, parse_model
from smartpark.uplinks.hj212 import Hj212Error

Medium = Literal["air", "water"]


class Attested(StrictModel):
    """A row that says where it is from."""

    source: str
    grade: Grade


class Edition(Attested):
    """An edition of the standard, and the limits that it sets."""

    year: int
    version: Annotated[int, Field(ge=0, le=63)]
    """In the Flag."""
    valid_from: date
    valid_to: date | None = None
    longest_segment: Annotated[int, Field(ge=100, le=9999)]
    longest_cp: Annotated[int, Field(ge=100, le=9999)]
    """Of ``CP=&&…&&``, name and marks included."""
    reply_timeout_s: Annotated[float, Field(gt=0)]
    resends: Annotated[int, Field(ge=0)]
    marks_late_data: bool
    """Whether data that are sent later carry ``RF=1``."""


class NormalShare(Attested):
    """Which share of the parts must be normal for the whole to be normal."""

    medium: Medium
    least: Annotated[float, Field(gt=0, le=1)]
    valid_from: date
    valid_to: date | None = None


class System(Attested):
    """System code (ST)."""

    code: str
    zh: str
    en: str
    medium: Medium


class Letter(Attested):
    """Mark of a value (Flag)."""

    code: str
    zh: str
    en: str


class Factor(Attested):
    """What is measured, as the standard codes it."""

    code: str
    zh: str
    en: str
    unit: str
    """As the standard has it; practice differs."""
    total_unit: str | None = None
    code_2005: str | None = None


class Binding(Attested):
    """A measurand of ours as a factor, with the indicators published of it."""

    measurand: Measurand
    factor: str
    systems: tuple[str, ...]
    unit: str
    total: str | None = None
    """Indicator that is its total: ``Cou``."""
    corrected: str | None = None
    """Indicator that is its corrected mean: ``ZsAvg``."""
    index: str | None = None
    """Indicator that moves when its mean does."""


class Conversion(StrictModel):
    """From one unit to another: value x times / per."""

    unit: str
    to: str
    times: Annotated[float, Field(gt=0)]
    per: Annotated[float, Field(gt=0)]


class Hj212Tables(StrictModel):
    """Everything in ``data/hj212.toml``."""

    version: str
    edition: tuple[Edition, ...]
    normal_share: tuple[NormalShare, ...]
    system: tuple[System, ...]
    letter: tuple[Letter, ...]
    factor: tuple[Factor, ...]
    binding: tuple[Binding, ...]
    conversion: tuple[Conversion, ...]

    @model_validator(mode="after")
    def _hangs_together(self) -> "Hj212Tables":
        codes = {row.code for row in self.factor}
        for row in self.binding:
            wanted = {row.total, row.corrected, row.index} - {None}
            if row.factor not in codes or not wanted <= set(INDICATORS):
                raise ValueError(f"binding of {row.measurand}: unknown factor or indicator")
        return self

    def edition_of(self, year: int) -> Edition:
        """Edition of a year."""
        found = next((row for row in self.edition if row.year == year), None)
        if found is None:
            known = ", ".join(str(row.year) for row in self.edition)
            raise Hj212Error(f"there is no edition {year}; there is: {known}")
        return found

    def factor_of(self, code: str) -> Factor:
        """Factor of a code."""
        found = next((row for row in self.factor if row.code == code), None)
        if found is None:
            codes = [row.code for row in self.factor]
            near = get_close_matches(code, codes, cutoff=0.4) or codes
            raise Hj212Error(f"there is no factor {code!r}; there is: {', '.join(near)}")
        return found

    def system_of(self, code: str) -> System:
        """System of a code."""
        found = next((row for row in self.system if row.code == code), None)
        if found is None:
            raise Hj212Error(f"there is no system {code!r}; there is: {', '.join(row.code for row in self.system)}")
        return found

    def binding_of(self, measurand: Measurand, system: str) -> Binding | None:
        """What a measurand is in a system; none: settings have to say it."""
        found = (row for row in self.binding if row.measurand is measurand and system in row.systems)
        return next(found, None)

    def normal_share_on(self, medium: Medium, day: date) -> float:
        """Share of normal parts that makes a whole normal."""
        rows = [row for row in self.normal_share if row.medium == medium]
        return in_force(rows, day, what=f"share of normal data, {medium}").least

    def scale(self, unit: str, to: str) -> tuple[float, float]:
        """Times and per, from one unit to another.

        Examples
        --------
        >>> hj212_tables().scale("m3/h", "m3/s")
        (1.0, 3600.0)
        """
        if unit == to:
            return 1.0, 1.0
        found = next((row for row in self.conversion if (row.unit, row.to) == (unit, to)), None)
        if found is None:
            known = ", ".join(row.to for row in self.conversion if row.unit == unit) or "nothing else"
            raise Hj212Error(f"{unit} cannot be told in {to}; it can in {known}")
        return found.times, found.per


@cache
def hj212_tables() -> Hj212Tables:
    """Rows that come with the platform."""
    text = files("smartpark.data").joinpath("hj212.toml").read_text(encoding="utf-8")
    return parse_model(tomllib.loads(text), Hj212Tables, file="smartpark/data/hj212.toml")
