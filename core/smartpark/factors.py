"""Conversion coefficients and emission factors: dated rows with a source, and a lookup that says why.

Never a constant in code: the rows live in ``data/factors.toml`` (and later in the database). A lookup returns
the row together with the reason for choosing it; where nothing covers the date it raises, it never guesses.
"""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Annotated

from pydantic import Field, model_validator

from smartpark.errors import FactorNotFoundError
from smartpark.measurands import Carrier
from smartpark.tomlfile import StrictModel, parse_model


class FactorKind(StrEnum):
    """What a factor converts."""

    COAL_EQUIVALENT = "coal_equivalent"
    """Standard coal per physical quantity (GB/T 2589). [kgce per unit]"""
    CARBON_DIOXIDE = "carbon_dioxide"
    """CO2 per physical quantity. [kg per unit]"""


class Factor(StrictModel):
    """One dated row."""

    id: str
    """Stable name, recorded with every number computed by it."""
    kind: FactorKind
    carrier: Carrier
    scope: str
    """Whose value: ``table`` of a standard, ``provincial:FJ``, ``national`` …"""
    value: Annotated[float, Field(ge=0)]
    unit: str
    """e.g. ``kgce/kWh``."""
    data_year: int | None = None
    """Year the value describes, where it is a yearly statistic."""
    valid_from: date
    """First accounting day it may be used for."""
    valid_to: date | None = None
    """Day after the last; none: until a newer row starts."""
    source: str
    """Document and clause."""
    grade: Annotated[str, Field(pattern=r"^(P|C|S|X|M\d{2})$")]
    """How well attested: P primary text, C two sources, S one source, X computed, M## from memory in percent."""

    @model_validator(mode="after")
    def _period(self) -> "Factor":
        if self.valid_to is not None and self.valid_to <= self.valid_from:
            raise ValueError(f"valid_to {self.valid_to} is not after valid_from {self.valid_from}")
        return self


class FactorSet(StrictModel):
    """A published collection of rows."""

    version: str
    factor: tuple[Factor, ...]

    @model_validator(mode="after")
    def _ids_are_unique(self) -> "FactorSet":
        ids = [row.id for row in self.factor]
        twice = {i for i in ids if ids.count(i) > 1}
        if twice:
            raise ValueError(f"factor ids used twice: {', '.join(sorted(twice))}")
        return self


class Reason(StrEnum):
    """Why a row was chosen."""

    IN_FORCE = "in_force"
    """The row's period covers the day."""
    LATEST_PUBLISHED = "latest_published"
    """No row describes that year yet; the latest one published stands in, as reporting practice has it."""


@dataclass(frozen=True, slots=True)
class FactorChoice:
    """A row, and why it was chosen."""

    factor: Factor
    reason: Reason

    @property
    def value(self) -> float:
        """Number to multiply by, in `unit` of the factor."""
        return self.factor.value


def choose_factor(
    rows: Sequence[Factor], *, kind: FactorKind, carrier: Carrier, scope: str, on: date
) -> FactorChoice:
    """Row for an accounting day.

    Raises
    ------
    FactorNotFoundError
        When no row of this kind, carrier and scope covers the day; the message lists what there is.
    """
    candidates = [r for r in rows if (r.kind, r.carrier, r.scope) == (kind, carrier, scope)]
    covering = [r for r in candidates if r.valid_from <= on and (r.valid_to is None or on < r.valid_to)]
    if not covering:
        known = ", ".join(f"{r.id} from {r.valid_from}" for r in candidates) or "none at all"
        raise FactorNotFoundError(f"no {kind} factor for {carrier} of scope {scope} on {on}; there is: {known}")
    row = max(covering, key=lambda r: r.valid_from)
    stands_in = row.data_year is not None and row.data_year < on.year
    return FactorChoice(row, Reason.LATEST_PUBLISHED if stands_in else Reason.IN_FORCE)


@cache
def builtin_factors() -> FactorSet:
    """Rows that come with the platform."""
    text = files("smartpark.data").joinpath("factors.toml").read_text(encoding="utf-8")
    return parse_model(tomllib.loads(text), FactorSet, file="smartpark/data/factors.toml")
