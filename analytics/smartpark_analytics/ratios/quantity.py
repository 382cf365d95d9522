"""A number that a ratio is formed from, with all that it was made of: figures as entered, published numbers, sums."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import isnan, nan
from typing import TYPE_CHECKING

from smartpark.addition import in_order

if TYPE_CHECKING:
    from collections.abc import Sequence

    from smartpark_analytics.ratios.rows import Figure, Number


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number that a ratio is formed from, or why there is none."""

    value: float
    """NaN: not known."""
    why: str = ""
    """What is missing where the value is NaN; else what should be known of it, or nothing."""
    completeness: float = 1.0
    estimated_share: float = 0.0
    factor_set: str = ""
    factors: tuple[str, ...] = ()
    source: str = ""
    """Document and name behind an entered figure."""
    name: str = ""
    """Published indicator, kind of figure, or what else it is."""
    entity: str = ""
    unit: str = ""
    formula: str = ""
    """How it follows from its parts, in numbers and + - x / max() alone; empty: it is a figure or number itself."""
    note: str = ""
    """What it is, where that is no matter of arithmetic."""
    figure: Figure | None = None
    """As entered."""
    number: Number | None = None
    """As published."""
    parts: tuple[Quantity, ...] = ()
    """What it was computed from."""

    @property
    def is_known(self) -> bool:
        """Whether there is a number."""
        return not isnan(self.value)


def not_known(why: str, completeness: float = 1.0, *, name: str = "", entity: str = "") -> Quantity:
    """There is no number, and why."""
    return Quantity(nan, why, completeness, name=name, entity=entity)


def added_up(parts: Sequence[Quantity], like: Quantity) -> Quantity:
    """Sum of known parts, from the first to the last; estimated by weight. Named as `like` is."""
    weight = in_order(abs(part.value) for part in parts)
    estimated = in_order(abs(part.value) * part.estimated_share for part in parts)
    return replace(
        like,
        value=in_order(part.value for part in parts),
        estimated_share=estimated / weight if weight else 0.0,
        source="; ".join(part.source for part in parts),
        formula=" + ".join(repr(part.value) for part in parts),
        figure=None,
        parts=tuple(parts),
    )


def sum_of(name: str, parts: Sequence[Quantity], unit: str) -> Quantity:
    """Sum of parts, known where they all are."""
    found = Quantity(0.0, name=name, entity=parts[0].entity if parts else "", unit=unit)
    return added_up(parts, found) if parts else found
