"""Green electricity claimed for a period: one answer for the share of green power and for market-based carbon.

Claims are business figures of months, quarters and years. A period has what was entered for it as a whole. A month
without a figure has its share of the quarter's by days; a year without one has its quarters', and of a quarter that
nobody entered its months'. So no claim counts twice, and what nobody entered is not claimed.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, Protocol

from smartpark.addition import in_order
from smartpark.business_figures import FigureGrain, FigureKind, FigurePeriod

CLAIMED: Final = (FigureKind.DIRECT_GREEN, FigureKind.GREEN_TRADE, FigureKind.GEC)
"""Green electricity that somebody else has generated. [MWh]"""
GIVEN_AWAY: Final = FigureKind.GEC_SOLD
"""Own green electricity whose certificates were sold. [MWh]"""


class Figure(Protocol):
    """A business figure on record, as storage reads it."""

    @property
    def entity(self) -> str: ...  # noqa: D102  the names say it
    @property
    def kind(self) -> str: ...  # noqa: D102
    @property
    def period(self) -> FigurePeriod: ...  # noqa: D102
    @property
    def value(self) -> float | None: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Claim:
    """What was claimed of one kind."""

    mwh: float = 0.0
    parts: tuple[FigurePeriod, ...] = ()
    """Periods of the figures behind it; none: nobody has entered any."""
    is_share: bool = False
    """A month's share of its quarter."""

    @property
    def is_entered(self) -> bool:
        """Whether there is a figure behind it."""
        return bool(self.parts)


def claims_of(figures: Iterable[Figure], entity: str, period: FigurePeriod) -> dict[FigureKind, Claim]:
    """Claims of an entity in a month or a year, by kind; all kinds are there.

    Parameters
    ----------
    figures : iterable of Figure
        On record, of any entities, kinds and periods.
    entity : str
    period : FigurePeriod
        A month or a year.
    """
    kinds = (*CLAIMED, GIVEN_AWAY)
    known: dict[str, dict[FigurePeriod, float]] = {kind.value: {} for kind in kinds}
    for figure in figures:
        if figure.entity == entity and figure.kind in known and figure.value is not None:
            known[figure.kind][figure.period] = figure.value
    return {kind: claim_of(known[kind.value], period) for kind in kinds}


def claim_of(known: Mapping[FigurePeriod, float], period: FigurePeriod) -> Claim:
    """Claim of a month or a year by what one entity has entered of one kind."""
    if period in known:
        return Claim(known[period], (period,))
    if period.grain is FigureGrain.MONTH:
        quarter = FigurePeriod(period.first.replace(month=(period.first.month - 1) // 3 * 3 + 1), FigureGrain.QUARTER)
        if quarter not in known:
            return Claim()
        days = sum(_days(month) for month in quarter.months)
        return Claim(known[quarter] * _days(period.first) / days, (quarter,), is_share=True)
    parts = [part for month in (1, 4, 7, 10) for part in _parts(known, period.first.replace(month=month))]
    return Claim(in_order(known[part] for part in parts), tuple(parts))


def _parts(known: Mapping[FigurePeriod, float], first: date) -> list[FigurePeriod]:
    """The quarter that begins on a day, or those of its months that were entered."""
    quarter = FigurePeriod(first, FigureGrain.QUARTER)
    if quarter in known:
        return [quarter]
    return [part for month in quarter.months if (part := FigurePeriod(month, FigureGrain.MONTH)) in known]


def _days(first: date) -> int:
    return ((first + timedelta(days=32)).replace(day=1) - first).days
