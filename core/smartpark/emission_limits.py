"""Limits of stacks, with the reference oxygen that concentrations are corrected to: dated rows, looked up by day.

A catalogue names a stack's limit set by its code (``emission_limit``). Values are hourly means of the corrected
concentration; comparing is the analytics' business.
"""

import tomllib
from datetime import date
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from typing import Annotated, NamedTuple

from pydantic import Field

from smartpark.dated import RuleNotFoundError, in_force
from smartpark.measurands import Measurand
from smartpark.tomlfile import StrictModel, parse_model

Limit = Annotated[float, Field(gt=0)]


class EmissionLimit(StrictModel):
    """Limits of one kind of furnace by one standard."""

    code: str
    """How a catalogue names it: standard, furnace, and which set of limits."""
    zh: str
    en: str
    valid_from: date
    valid_to: date | None = None
    """Day after the last; none: until further notice."""
    reference_oxygen_pct: Annotated[float, Field(ge=0, lt=20.9)]
    """Oxygen that concentrations are corrected to. [%]"""
    dust: Limit | None = None
    """None: no limit was entered, and nothing is judged. [mg/m3]"""
    so2: Limit | None = None
    """[mg/m3]"""
    nox: Limit | None = None
    """As NO2. [mg/m3]"""
    source: str
    grade: Annotated[str, Field(pattern=r"^(P|C|S|X|M\d{2})$")]

    def of(self, measurand: Measurand) -> float | None:
        """Limit of a measured concentration, in mg/m3; None: none was entered.

        Raises
        ------
        KeyError
            When the measurand is none of dust, SO2 and NOx.
        """
        return {
            Measurand.DUST_CONCENTRATION: self.dust,
            Measurand.SO2_CONCENTRATION: self.so2,
            Measurand.NOX_CONCENTRATION: self.nox,
        }[measurand]


class LimitPeriod(NamedTuple):
    """Days on which one limit set of a code is the one in force."""

    start: date
    end: date | None
    """Day after the last; none: until further notice."""
    limit: EmissionLimit


class EmissionLimits(StrictModel):
    """Everything in ``data/emission_limits.toml``."""

    version: str
    limit: tuple[EmissionLimit, ...]

    @property
    def codes(self) -> tuple[str, ...]:
        """All codes, each once."""
        return tuple(dict.fromkeys(row.code for row in self.limit))

    def on(self, code: str, day: date) -> EmissionLimit:
        """Limit set of a code on a day.

        Raises
        ------
        RuleNotFoundError
            When there is none; the message lists the nearest codes, or the periods.
        """
        return in_force(self._of(code), day, what=f"emission limit {code}")

    def periods(self, code: str) -> list[LimitPeriod]:
        """Periods of a code in order, none over another: what `on` says of every day there is a limit.

        Raises
        ------
        RuleNotFoundError
            When no row has the code.
        """
        rows = self._of(code)
        days = sorted({row.valid_from for row in rows} | {row.valid_to for row in rows if row.valid_to is not None})
        found: list[LimitPeriod] = []
        for start, end in zip(days, [*days[1:], None], strict=True):
            if not any(row.valid_from <= start and (row.valid_to is None or start < row.valid_to) for row in rows):
                continue
            row = self.on(code, start)
            if found and found[-1].end == start and found[-1].limit is row:
                found[-1] = found[-1]._replace(end=end)
            else:
                found.append(LimitPeriod(start, end, row))
        return found

    def _of(self, code: str) -> list[EmissionLimit]:
        rows = [row for row in self.limit if row.code == code]
        if not rows:
            known = ", ".join(get_close_matches(code, self.codes, cutoff=0.4) or self.codes)
            raise RuleNotFoundError(f"no emission limit has the code {code!r}; there is: {known}")
        return rows


@cache
def emission_limits() -> EmissionLimits:
    """Rows that come with the platform."""
    text = files("smartpark.data").joinpath("emission_limits.toml").read_text(encoding="utf-8")
    return parse_model(tomllib.loads(text), EmissionLimits, file="smartpark/data/emission_limits.toml")
