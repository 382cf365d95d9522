"""One factor as a dated row, and the lookup of one row among many, which says why it chose it.

A row that has been used is never edited: a correction is another row, with its own id, that says which one it
supersedes. Where nothing covers the day the lookup raises and lists what there is; it never guesses.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Annotated, Any, Final, cast

from pydantic import Field, model_validator

from smartpark.errors import FactorNotFoundError
from smartpark.factor_kinds import UNITS, FactorKind, in_internal_unit
from smartpark.measurands import MATERIALS, MEDIA, Carrier
from smartpark.tomlfile import StrictModel

MEASURED: Final = "measured"
"""Scope of what the park itself measured, e.g. by its laboratory."""
SUPPLIER: Final = "supplier"
"""Scope of what the supplier states with its deliveries."""
TABLE: Final = "table"
"""Scope of a standard's table; ``table:NAME`` is a named edition beside it."""

_OBSOLETE_PRIMARY: Final = (0.404, 0.33)
"""Coefficients of electricity that old rules used for decades; in kgce/kWh."""


class CountsAs(StrEnum):
    """What a carrier is in a total of energy."""

    ENERGY = "energy"
    MEDIUM = "medium"
    """Energy-consuming working medium: in the total of GB/T 2589 when bought in, not in that of statistics."""
    MATERIAL = "material"
    """No energy: it gives off CO2 in a process."""


class Factor(StrictModel):
    """One dated row; value and unit are the platform's, whatever unit the document uses."""

    id: Annotated[str, Field(min_length=1, max_length=200)]
    """Stable name, recorded with every number computed by it."""
    kind: FactorKind
    carrier: Carrier
    scope: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*(:[A-Za-z0-9_.-]+)?$")]
    """Whose value: ``measured``, ``supplier``, ``table``, ``table:EDITION``, ``national``, ``provincial:FJ`` …"""
    value: Annotated[float, Field(ge=0)]
    unit: str
    """e.g. ``kgce/kWh``; one of those of the kind."""
    as_stated: str = ""
    """Value and unit as the document has them, where they are others."""
    park: str | None = None
    """Whose row it is; none: everybody's."""
    device: str | None = None
    """The one device of the park that it is about; none: every one."""
    data_year: int | None = None
    """Year the value describes, where it is a yearly statistic."""
    published: date | None = None
    """Day on which it became known, where that matters: a lookup as of an earlier day does not see it."""
    valid_from: date
    """First accounting day it may be used for."""
    valid_to: date | None = None
    """Day after the last; none: until a newer row starts."""
    supersedes: str | None = None
    """Id of the row that this one corrects."""
    historical: bool = False
    """Kept to explain old numbers; a lookup takes it only when asked to."""
    uncertainty: Annotated[float, Field(ge=0)] | None = None
    """Relative half-width of the 95 % interval; none: that of its grade. [1]"""
    source: Annotated[str, Field(min_length=4)]
    """Document and clause."""
    grade: Annotated[str, Field(pattern=r"^(P|C|S|X|M\d{2})$")]
    """How well attested: P primary text, C two sources, S one source, X computed, M## from memory in percent."""

    @property
    def counts_as(self) -> CountsAs:
        """What its carrier is in a total of energy."""
        if self.carrier in MEDIA:
            return CountsAs.MEDIUM
        return CountsAs.MATERIAL if self.carrier in MATERIALS else CountsAs.ENERGY

    @property
    def per(self) -> str:
        """Unit of what is multiplied by it: ``kWh`` of ``kgce/kWh``."""
        return self.unit.partition("/")[2]

    def covers(self, day: date) -> bool:
        """Whether it holds on an accounting day."""
        return self.valid_from <= day and (self.valid_to is None or day < self.valid_to)

    @model_validator(mode="before")
    @classmethod
    def _internal_unit(cls, data: object) -> object:
        if not isinstance(data, dict):
            return data
        row = cast("dict[str, Any]", data)
        kind, value, unit = row.get("kind"), row.get("value"), row.get("unit")
        if kind not in set(FactorKind) or not isinstance(value, int | float) or not isinstance(unit, str):
            return row
        converted, internal = in_internal_unit(FactorKind(kind), float(value), unit)
        if internal == unit:
            return row
        return {"as_stated": f"{value!r} {unit}", **row, "value": converted, "unit": internal}

    @model_validator(mode="after")
    def _holds_together(self) -> "Factor":
        if self.valid_to is not None and self.valid_to <= self.valid_from:
            raise ValueError(f"valid_to {self.valid_to} is not after valid_from {self.valid_from}")
        if self.unit == "1" and self.value > 1:
            raise ValueError(f"{self.kind} is a share; {self.value} is more than the whole")
        if self.scope == MEASURED and self.park is None:
            raise ValueError("what was measured belongs to a park: give its code as `park`")
        if self.device is not None and self.park is None:
            raise ValueError(f"device {self.device} of which park? give its code as `park`")
        return self

    @model_validator(mode="after")
    def _primary_is_of_a_year(self) -> "Factor":
        if self.kind is not FactorKind.COAL_EQUIVALENT_PRIMARY:
            return self
        if self.data_year is None:
            raise ValueError("a primary coefficient is that of a year: give it as `data_year`")
        if not self.historical and self.unit == "kgce/kWh" and round(self.value, 4) in _OBSOLETE_PRIMARY:
            raise ValueError(
                f"{self.value} kgce/kWh is an obsolete convention, not the generation rate of {self.data_year}; "
                "mark the row `historical = true` if it is to explain old numbers"
            )
        return self


class Reason(StrEnum):
    """Why a row was chosen."""

    IN_FORCE = "in_force"
    """The row's period covers the day."""
    LATEST_PUBLISHED = "latest_published"
    """No row describes that year yet; the latest one published stands in, as reporting practice has it."""
    MEASURED = "measured"
    """The park's own measurement, which goes before any other."""
    SUPPLIER = "supplier"
    """The supplier's statement; nothing measured covers the day."""
    DATA_YEAR = "data_year"
    """A reporting practice names this data year for the accounting year."""


@dataclass(frozen=True, slots=True)
class FactorChoice:
    """A row, and why it was chosen."""

    factor: Factor
    reason: Reason
    passed_over: tuple[str, ...] = ()
    """Scopes that would have gone before, and have no row for the day."""

    @property
    def value(self) -> float:
        """Number to multiply by, in `unit` of the factor."""
        return self.factor.value

    @property
    def why(self) -> str:
        """Reason in short, as it is kept with a published number."""
        before = f", no row of scope {' or '.join(self.passed_over)}" if self.passed_over else ""
        return f"{self.factor.id}: {self.reason.value}{before}"


def choose_factor(
    rows: Iterable[Factor],
    *,
    kind: FactorKind,
    carrier: Carrier,
    scope: str | Sequence[str],
    on: date,
    park: str | None = None,
    device: str | None = None,
    data_year: int | None = None,
    as_of: date | None = None,
    historical: bool = False,
) -> FactorChoice:
    """Row for an accounting day.

    Parameters
    ----------
    rows : iterable of Factor
    kind, carrier
        What is to be converted.
    scope : str or sequence of str
        Whose value; of several the first that has a row for the day.
    on : date
        The accounting day.
    park, device : str, optional
        Whose rows may be used beside everybody's. The device's go before the park's, and these before everybody's.
    data_year : int, optional
        Take the row that describes this year, whatever its period says.
    as_of : date, optional
        Take nothing that was published after this day.
    historical : bool
        Take rows too that are kept to explain old numbers.

    Raises
    ------
    FactorNotFoundError
        When no row of this kind and carrier covers the day in any of the scopes; the message lists what there is.
    """
    known = [r for r in rows if r.kind == kind and r.carrier == carrier]
    seen = [
        r
        for r in known
        if (r.park is None or r.park == park)
        and (r.device is None or r.device == device)
        and (historical or not r.historical)
        and (as_of is None or r.published is None or r.published <= as_of)
    ]
    corrected = {r.supersedes for r in seen if r.supersedes is not None}
    usable = [r for r in seen if r.id not in corrected]
    wanted = (scope,) if isinstance(scope, str) else tuple(scope)
    for place, name in enumerate(wanted):
        found = [r for r in usable if r.scope == name and (r.data_year == data_year if data_year else r.covers(on))]
        if found:
            row = max(found, key=_rank)
            return FactorChoice(row, _reason(row, on, data_year), wanted[:place])
    when = f"on {on}" if data_year is None else f"of data year {data_year}"
    what = f"{kind} factor for {carrier} of scope {' or '.join(wanted)} {when}"
    raise FactorNotFoundError(_nothing_covers(known, what, kind, wanted))


def _rank(row: Factor) -> tuple[bool, bool, date, str]:
    """Nearest and newest last."""
    return row.device is not None, row.park is not None, row.valid_from, row.id


def _reason(row: Factor, on: date, data_year: int | None) -> Reason:
    if row.scope in {MEASURED, SUPPLIER}:
        return Reason(row.scope)
    if data_year is not None:
        return Reason.DATA_YEAR
    stands_in = row.data_year is not None and row.data_year < on.year
    return Reason.LATEST_PUBLISHED if stands_in else Reason.IN_FORCE


def _nothing_covers(known: Sequence[Factor], what: str, kind: FactorKind, scopes: Sequence[str]) -> str:
    """Say what there is instead; where there is nothing, what to enter."""
    near = ", ".join(f"{row.id} from {row.valid_from}" for row in known if row.scope in scopes)
    others = sorted({row.scope for row in known if row.scope not in scopes})
    message = f"no {what}; there is: {near or 'none at all'}"
    if others:
        message += f"; of other scopes: {', '.join(others)}"
    if not near:
        units = " or ".join(sorted({internal for internal, _ in UNITS[kind].values()}))
        message += f"; enter one with its date, value [{units}] and document: smartpark factors load FILE"
    return message
