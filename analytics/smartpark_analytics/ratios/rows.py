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
    def entity(self) -> str: ...  # noqa: D102  the names say it
    @property
    def kind(self) -> str: ...  # noqa: D102
    @property
    def product(self) -> str: ...  # noqa: D102
    @property
    def price_basis(self) -> str: ...  # noqa: D102
    @property
    def first_day(self) -> date: ...  # noqa: D102
    @property
    def period(self) -> FigurePeriod: ...  # noqa: D102
    @property
    def value(self) -> float | None: ...  # noqa: D102
    @property
    def unit(self) -> str: ...  # noqa: D102
    @property
    def is_estimated(self) -> bool: ...  # noqa: D102
    @property
    def source_document(self) -> str: ...  # noqa: D102
    @property
    def entered_by(self) -> str: ...  # noqa: D102
    @property
    def note(self) -> str: ...  # noqa: D102
    @property
    def revision(self) -> int: ...  # noqa: D102
    @property
    def recorded_at(self) -> datetime: ...  # noqa: D102


class Entity(Protocol):
    """A park or a part of it."""

    @property
    def entity(self) -> str: ...  # noqa: D102
    @property
    def area_mu(self) -> float | None: ...  # noqa: D102
    @property
    def is_above_scale(self) -> bool | None: ...  # noqa: D102
    @property
    def sub_park(self) -> str | None: ...  # noqa: D102


class Number(Protocol):
    """A published number."""

    @property
    def boundary(self) -> str: ...  # noqa: D102
    @property
    def indicator(self) -> str: ...  # noqa: D102
    @property
    def grain(self) -> str: ...  # noqa: D102
    @property
    def start_us(self) -> int: ...  # noqa: D102
    @property
    def value(self) -> float | None: ...  # noqa: D102
    @property
    def completeness(self) -> float: ...  # noqa: D102
    @property
    def estimated_share(self) -> float: ...  # noqa: D102
    @property
    def factor_set(self) -> str: ...  # noqa: D102
    @property
    def factors(self) -> Sequence[str]: ...  # noqa: D102


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
