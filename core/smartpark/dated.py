"""Rows that hold from one day to another: a rule, limit or price with source and grade, and the lookup by day.

Whoever ships a number of a regulation ships it as such a row, never as a constant in code. Where no row covers the
day the lookup raises; it never guesses.
"""

from collections.abc import Iterable
from datetime import date
from typing import Annotated, Protocol, TypeVar

from pydantic import Field, model_validator

from smartpark.errors import SmartparkError
from smartpark.tomlfile import StrictModel

Grade = Annotated[str, Field(pattern=r"^(P|C|S|X|M\d{2})$")]
"""How well attested: P primary text, C two sources, S one source, X computed, M## from memory in percent."""


class RuleNotFoundError(SmartparkError):
    """No row of this rule is in force on that day."""


class DatedRow(StrictModel):
    """What every dated row carries."""

    id: str
    """Stable name, recorded with every number that rests on it."""
    valid_from: date
    """First accounting day."""
    valid_to: date | None = None
    """Day after the last; none: still in force, or until a newer row starts."""
    source: str
    """Document and clause."""
    grade: Grade
    note: str = ""
    """What a reader should know: an open conflict, a proposal of ours."""

    @model_validator(mode="after")
    def _period(self) -> "DatedRow":
        if self.valid_to is not None and self.valid_to <= self.valid_from:
            raise ValueError(f"valid_to {self.valid_to} is not after valid_from {self.valid_from}")
        return self

    def covers(self, on: date) -> bool:
        """Whether the row is in force on a day."""
        return self.valid_from <= on and (self.valid_to is None or on < self.valid_to)


class Dated(Protocol):
    """Anything that holds from a day on."""

    @property
    def valid_from(self) -> date:
        """First day."""
        ...

    @property
    def valid_to(self) -> date | None:
        """Day after the last; none: until further notice."""
        ...


Row = TypeVar("Row", bound=Dated)


def in_force(rows: Iterable[Row], on: date, *, what: str) -> Row:
    """Newest of the rows that cover a day.

    Raises
    ------
    RuleNotFoundError
        When none does; the message names `what` and lists the periods there are.
    """
    candidates = list(rows)
    covering = [row for row in candidates if row.valid_from <= on and (row.valid_to is None or on < row.valid_to)]
    if not covering:
        known = ", ".join(_period_of(row) for row in candidates) or "none at all"
        raise RuleNotFoundError(f"no {what} is in force on {on}; there is: {known}")
    return max(covering, key=lambda row: row.valid_from)


def _period_of(row: Dated) -> str:
    name = f"{row.id} " if isinstance(row, DatedRow) else ""
    return f"{name}from {row.valid_from} until {row.valid_to or 'further notice'}"


def unique_ids(rows: Iterable[DatedRow]) -> None:
    """Refuse rows that share an id: `ValueError` names them."""
    ids = [row.id for row in rows]
    twice = sorted({i for i in ids if ids.count(i) > 1})
    if twice:
        raise ValueError(f"ids used twice: {', '.join(twice)}")
