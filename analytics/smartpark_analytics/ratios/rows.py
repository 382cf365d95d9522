"""What ratios are formed from, as storage reads it, and the rows they become. Nothing is computed here."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Protocol

from smartpark.business_figures import FigurePeriod
from smartpark.dated import DatedRow
from smartpark.factors import FactorChoice

from smartpark_analytics.ratios.quantity import Quantity


class Figure(Protocol):
    """A business figure on record."""

    @property
    def entity(self) -> str:
        """``park``, ``sub_park/CODE`` or ``enterprise/CODE``."""
        ...

    @property
    def kind(self) -> str:
        """Which business figure."""
        ...

    @property
    def product(self) -> str:
        """Of which product; empty: of none."""
        ...

    @property
    def price_basis(self) -> str:
        """Prices of which year; empty: current ones."""
        ...

    @property
    def first_day(self) -> date:
        """First day of the period."""
        ...

    @property
    def period(self) -> FigurePeriod:
        """Period that it describes."""
        ...

    @property
    def value(self) -> float | None:
        """What was entered; none: it was taken back."""
        ...

    @property
    def unit(self) -> str:
        """Unit of the value."""
        ...

    @property
    def is_estimated(self) -> bool:
        """Whether it is an estimate."""
        ...

    @property
    def source_document(self) -> str:
        """Document that it comes from."""
        ...

    @property
    def entered_by(self) -> str:
        """Who entered it."""
        ...

    @property
    def note(self) -> str:
        """What they added."""
        ...

    @property
    def revision(self) -> int:
        """1, 2, … of the number."""
        ...

    @property
    def recorded_at(self) -> datetime:
        """When it was recorded."""
        ...


class Entity(Protocol):
    """A park or a part of it."""

    @property
    def entity(self) -> str:
        """``park``, ``sub_park/CODE`` or ``enterprise/CODE``."""
        ...

    @property
    def area_mu(self) -> float | None:
        """Land [mu]; none: not known."""
        ...

    @property
    def is_above_scale(self) -> bool | None:
        """Whether it is above designated size; none: no enterprise."""
        ...

    @property
    def sub_park(self) -> str | None:
        """Sub-park that it belongs to; none: to none."""
        ...


class Number(Protocol):
    """A published number."""

    @property
    def boundary(self) -> str:
        """Part of the park that it is of."""
        ...

    @property
    def indicator(self) -> str:
        """Code of the indicator."""
        ...

    @property
    def grain(self) -> str:
        """Hour, day, month or year."""
        ...

    @property
    def start_us(self) -> int:
        """Start of the period [µs since 1970]."""
        ...

    @property
    def value(self) -> float | None:
        """What is published; none: not known."""
        ...

    @property
    def completeness(self) -> float:
        """Share that is known [0-1]."""
        ...

    @property
    def estimated_share(self) -> float:
        """Share that is estimated [0-1]."""
        ...

    @property
    def factor_set(self) -> str:
        """Version of the factors."""
        ...

    @property
    def factors(self) -> Sequence[str]:
        """Ids of the factors that were used."""
        ...


@dataclass(frozen=True, slots=True)
class Basis:
    """What a row was made of."""

    formula: str
    numerator: tuple[Quantity, ...] = ()
    """Added up from the first to the last they are the numerator; without a denominator, the value itself."""
    denominator: tuple[Quantity, ...] = ()
    deciding: tuple[Quantity, ...] = ()
    """What a level or a threshold was chosen by."""
    rules: tuple[DatedRow, ...] = ()
    """Rows that decided."""
    choices: tuple[FactorChoice, ...] = ()
    """Factors that its own formula uses."""


@dataclass(frozen=True, slots=True)
class RatioRow:
    """A ratio, pace, forecast or level of an entity and period, and how it came about."""

    boundary: str
    indicator: str
    grain: str
    start_us: int
    value: float | None
    numerator: float | None
    denominator: float | None
    unit: str
    completeness: float
    estimated_share: float
    method: str
    factor_set: str
    factors: tuple[str, ...]
    reason: str
    made_of: Callable[[], Basis] = field(compare=False, repr=False)
    """Asked only by who explains the row."""
