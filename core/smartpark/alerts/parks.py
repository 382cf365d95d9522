"""What rules need to know of a park beside its points: contracts, transformers and who owns a meter's demand.

Read from a catalogue for one day; nothing here is looked up later, so that an evaluation rests on values alone.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from smartpark.alerts.scope import PointFacts
from smartpark.catalogue import Catalogue, Role
from smartpark.contracts import contract_on
from smartpark.measurands import Carrier


@dataclass(frozen=True, slots=True)
class ParkFacts:
    """What holds in a park on a day. Of enterprises by code; None: the park itself."""

    park: str
    on: date
    contract_demand_kw: Mapping[str | None, float] = field(default_factory=dict[str | None, float])
    power_factor_standard: Mapping[str | None, str] = field(default_factory=dict[str | None, str])
    rated_kva: Mapping[str, float] = field(default_factory=dict[str, float])
    """Of transformers, by code."""
    sub_park_of: Mapping[str, str] = field(default_factory=dict[str, str])
    """Of enterprises that lie in one."""


def facts_of(catalogue: Catalogue, on: date) -> ParkFacts:
    """Facts of a catalogue on a day; a contract counts more than what is said of an enterprise."""
    owners = (None, *(one.code for one in catalogue.enterprise))
    said = {one.code: one.contract_demand_kw for one in catalogue.enterprise}
    demand: dict[str | None, float] = {}
    standard: dict[str | None, str] = {}
    for owner in owners:
        contract = contract_on(catalogue, owner, on)
        agreed = None if contract is None else contract.contract_demand_kw
        kw = agreed or (catalogue.park.contract_demand_kw if owner is None else said[owner])
        if kw is not None:
            demand[owner] = kw
        if contract is not None and contract.power_factor_standard is not None:
            standard[owner] = contract.power_factor_standard
    return ParkFacts(
        catalogue.park.code,
        on,
        demand,
        standard,
        {one.code: one.rated_kva for one in catalogue.transformer},
        {one.code: one.sub_park for one in catalogue.enterprise if one.sub_park is not None},
    )


def demand_meters(points: Sequence[PointFacts]) -> Mapping[tuple[str, str | None], tuple[str, ...]]:
    """Devices through which all electricity of an owner comes: (park, enterprise or None) to device codes.

    An enterprise's are those whose meter above is not its own as well; the park's those at its boundary.
    """
    meters = {
        (p.park, p.device): p
        for p in points
        if p.carrier is Carrier.ELECTRICITY and p.role is not Role.NONE and p.retired_at_us is None
    }
    found: defaultdict[tuple[str, str | None], list[str]] = defaultdict(list)
    for (park, device), point in meters.items():
        if point.internal_transfer or point.role is Role.GENERATION:
            continue
        if point.role is Role.BOUNDARY:
            found[park, None].append(device)
        above = meters.get((park, point.parent_device or ""))
        if point.enterprise is not None and (above is None or above.enterprise != point.enterprise):
            found[park, point.enterprise].append(device)
    return {owner: tuple(sorted(devices)) for owner, devices in found.items()}


def topmost_behind(points: Iterable[PointFacts]) -> Mapping[tuple[str, str], tuple[str, ...]]:
    """Meters that together carry all that a transformer does: (park, transformer) to device codes."""
    behind = {
        (p.park, p.device): p
        for p in points
        if p.transformer is not None and p.carrier is Carrier.ELECTRICITY and p.retired_at_us is None
    }
    found: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for (park, device), point in behind.items():
        above = behind.get((park, point.parent_device or ""))
        if above is None or above.transformer != point.transformer:
            found[park, point.transformer or ""].append(device)
    return {owner: tuple(sorted(devices)) for owner, devices in found.items()}
