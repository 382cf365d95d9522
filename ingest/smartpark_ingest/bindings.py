"""What stands behind an alias: the birth's word joined with the registry, as arrays to look a batch up in.

An alias is bound for ever, within one boot, to a point and an exponent; an edge that says otherwise is refused,
because spooled batches of before would silently change their meaning. Nothing here talks to a broker or a database.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from smartpark.errors import WireError
from smartpark.measurands import MEANINGS, Measurand
from smartpark.wire import Birth
from smartpark_storage import PointRecord, Registry

DOUBLE: Final = 127
"""Stands in the exponent columns for "no exponent: float64"."""
UNKNOWN: Final = -1
"""Point id of a point that the registry does not have."""


@dataclass(frozen=True, slots=True)
class Declared:
    """One point as its sender declares it."""

    point: str
    exponent: int | None
    measurand: Measurand | None = None
    """None where the sender does not say (JSON form)."""


@dataclass(frozen=True, slots=True)
class Bindings:
    """Columns with one row (a *slot*) per declared point."""

    declared: tuple[Declared, ...]
    alias: NDArray[np.uint32]
    """Ascending; slot i stands for alias[i]."""
    point_id: NDArray[np.int32]
    """`UNKNOWN` where the registry has no such point."""
    wire_exponent: NDArray[np.int64]
    """Of the numbers on the wire; `DOUBLE` for float64."""
    exponent: NDArray[np.int64]
    """Of the stored numbers; `DOUBLE` for float64."""
    low: NDArray[np.float64]
    """Smallest possible value. [the measurand's unit]"""
    high: NDArray[np.float64]
    """Largest possible value. [the measurand's unit]"""

    def slots_of(self, alias: NDArray[np.uint32]) -> NDArray[np.intp]:
        """Slot of each alias; -1 where no birth declared it."""
        if not self.alias.size:
            return np.full(alias.shape, -1, dtype=np.intp)
        place = np.minimum(np.searchsorted(self.alias, alias), self.alias.size - 1)
        return np.where(self.alias[place] == alias, place, -1)

    def why_unknown(self, slot: int) -> str:
        """Tell a person why the registry has no such point."""
        one = self.declared[slot]
        as_what = "" if one.measurand is None else f" as {one.measurand}"
        return f"point {one.point!r} is not in the catalogue{as_what}"


def bind(declared: Sequence[tuple[int, Declared]], registry: Registry) -> Bindings:
    """Join (alias, declaration) pairs with the registry."""
    ordered = sorted(declared, key=lambda pair: pair[0])
    records = [_record_of(one, registry) for _, one in ordered]
    ranges = [(0.0, 0.0) if r is None else _range_of(r) for r in records]
    return Bindings(
        declared=tuple(one for _, one in ordered),
        alias=np.array([alias for alias, _ in ordered], dtype=np.uint32),
        point_id=np.array([UNKNOWN if r is None else r.point_id for r in records], dtype=np.int32),
        wire_exponent=np.array([_or_double(one.exponent) for _, one in ordered], dtype=np.int64),
        exponent=np.array([DOUBLE if r is None else _or_double(r.exponent) for r in records], dtype=np.int64),
        low=np.array([low for low, _ in ranges], dtype=np.float64),
        high=np.array([high for _, high in ranges], dtype=np.float64),
    )


def _record_of(one: Declared, registry: Registry) -> PointRecord | None:
    record = registry.by_key.get(one.point)
    if record is None or (one.measurand is not None and one.measurand != record.measurand):
        # A voltage stored as a power would be believed; better that somebody looks at it.
        return None
    return record


def _range_of(record: PointRecord) -> tuple[float, float]:
    meaning = MEANINGS[Measurand(record.measurand)]
    return meaning.low, meaning.high


def _or_double(exponent: int | None) -> int:
    return DOUBLE if exponent is None else exponent


class AliasBook:
    """What one edge has declared within one boot."""

    def __init__(self, boot: int) -> None:
        self.boot = boot
        self._declared: dict[int, Declared] = {}
        self._bound: tuple[int, Bindings] | None = None

    def declare(self, birth: Birth) -> None:
        """Add a birth's points; `WireError` when it binds a known alias to something else, and nothing is added."""
        fresh = {p.alias: Declared(p.point, p.exponent, p.measurand) for p in birth.points}
        if len(fresh) != len(birth.points):
            raise WireError(f"birth of {birth.edge!r} uses an alias twice")
        for alias, one in fresh.items():
            before = self._declared.get(alias, one)
            if (before.point, before.exponent) != (one.point, one.exponent):
                raise WireError(
                    f"birth of {birth.edge!r} binds alias {alias} to {one.point} (exponent {one.exponent}), but "
                    f"within boot {birth.boot} it is {before.point} (exponent {before.exponent}) for ever"
                )
        self._declared.update(fresh)
        self._bound = None

    def bindings(self, registry: Registry) -> Bindings:
        """Everything declared so far, joined with this registry; computed anew only when one of them has changed."""
        if self._bound is None or self._bound[0] != registry.version:
            self._bound = registry.version, bind(tuple(self._declared.items()), registry)
        return self._bound[1]
