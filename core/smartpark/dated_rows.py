"""Dated rows: which of several holds on a day. For rules and limits; factors have a lookup of their own."""

from collections.abc import Sequence
from datetime import date
from typing import Protocol, TypeVar

from smartpark.errors import FactorNotFoundError


class Dated(Protocol):
    """A row that holds from a day until the day before another."""

    @property
    def valid_from(self) -> date:
        """First day."""
        ...

    @property
    def valid_to(self) -> date | None:
        """Day after the last; none: until further notice."""
        ...


Row = TypeVar("Row", bound=Dated)


def in_force(rows: Sequence[Row], day: date, what: str) -> Row:
    """Newest row that covers the day.

    Raises
    ------
    FactorNotFoundError
        When none does; the message says what was wanted and lists the periods that there are.
    """
    covering = [r for r in rows if r.valid_from <= day and (r.valid_to is None or day < r.valid_to)]
    if not covering:
        known = (
            ", ".join(f"from {r.valid_from} until {r.valid_to or 'further notice'}" for r in rows) or "none at all"
        )
        raise FactorNotFoundError(f"no {what} on {day}; there is: {known}")
    return max(covering, key=lambda r: r.valid_from)
