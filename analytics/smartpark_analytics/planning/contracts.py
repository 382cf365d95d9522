"""What a contract with the utility leaves: what was agreed on, less the highest demand of the last twelve months.

By demand in kW where a demand was agreed on, else by capacity in kVA. Nobody's demand is guessed: without a published
month, or with a capacity that nothing measures, there is no number but the reason.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from smartpark.catalogue import Catalogue
from smartpark.contracts import contract_on

METHOD: Final = "contract-headroom/1"
"""Name and version of the method."""
MONTHS: Final = 12


@dataclass(frozen=True, slots=True)
class Agreed:
    """What somebody may draw."""

    code: str
    """Of the contract; where there is none and a demand is known all the same, whose it is."""
    enterprise: str | None
    """Whose; none: the park's."""
    demand_kw: float | None
    capacity_kva: float | None


@dataclass(frozen=True, slots=True)
class Demand:
    """Highest demand of a settlement month, as it was published."""

    start: datetime
    value: float | None
    """None: not known. [kW]"""
    completeness: float
    is_block: bool = False
    """Of quarter-hours by the clock: at least so much, where the sliding demand that is billed is not known."""


@dataclass(frozen=True, slots=True)
class ContractRoom:
    """What is left."""

    capacity: float
    """[kW, kVA]"""
    peak: float | None
    peak_at: datetime | None
    """Begin of the month it was in."""
    headroom: float | None
    """Negative: more than was agreed on has been drawn."""
    completeness: float
    is_lower_bound: bool
    """The peak is at least this, and what is left at most."""
    reason: str | None


def agreements(catalogue: Catalogue | None, on: date) -> list[Agreed]:
    """What was agreed on for a day, of park and enterprises; a contract counts more than what is said of them."""
    if catalogue is None:
        return []
    found: list[Agreed] = []
    said = {None: catalogue.park.contract_demand_kw} | {e.code: e.contract_demand_kw for e in catalogue.enterprise}
    for owner, demand_kw in said.items():
        contract = contract_on(catalogue, owner, on)
        if contract is None:
            code, agreed, capacity = owner or "park", demand_kw, None
        else:
            code, agreed, capacity = contract.code, contract.contract_demand_kw, contract.capacity_kva
        if agreed is not None or capacity is not None:
            found.append(Agreed(code, owner, agreed, capacity))
    return found


def demand_room(agreed_kw: float, months: Sequence[Demand], *, least_completeness: float) -> ContractRoom:
    """What a demand that was agreed on leaves.

    Parameters
    ----------
    agreed_kw : float
        [kW]
    months : sequence of Demand
        Months that began in the last twelve, the running one among them: sliding demand, that of blocks, or both.
    least_completeness : float
        Share of the twelve months that the sliding demand must know, else the peak is a lower bound. [0-1]

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> months = [Demand(datetime(2026, month, 1, tzinfo=UTC), 800.0 + month, 1.0) for month in (1, 2)]
    >>> room = demand_room(1000.0, months, least_completeness=0.5)
    >>> room.peak, room.headroom, round(room.completeness, 3), room.is_lower_bound
    (802.0, 198.0, 0.167, True)
    """
    known = [(month.value, month) for month in months if month.value is not None]
    if not known:
        return ContractRoom(agreed_kw, None, None, None, 0.0, True, "no month of demand has been published in twelve")
    sliding, blocks = (
        min(1.0, sum(month.completeness for _, month in known if month.is_block is is_block) / MONTHS)
        for is_block in (False, True)
    )
    peak, top = max(known, key=lambda one: one[0])
    is_lower_bound = sliding < least_completeness
    return ContractRoom(agreed_kw, peak, top.start, agreed_kw - peak, max(sliding, blocks), is_lower_bound, None)


def capacity_room(
    agreed_kva: float, peak_kva: float | None, at: datetime | None, *, completeness: float, is_lower_bound: bool
) -> ContractRoom:
    """What a capacity that was agreed on leaves, where the apparent power behind it is measured."""
    if peak_kva is None:
        return ContractRoom(agreed_kva, None, None, None, completeness, True, "nothing measures its apparent power")
    return ContractRoom(agreed_kva, peak_kva, at, agreed_kva - peak_kva, completeness, is_lower_bound, None)
