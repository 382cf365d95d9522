"""Which points of a device count in the balance of its park, and with which sign: the one place that says so.

What counts is what crosses the park's boundary (role *boundary*) and what is made inside it (*generation*); energy
handed on inside (*internal transfer*), meters that split it up, and working media do not. Energy registers make up
amounts, active power makes up the load. Sums, gaps and factors are the business of those who ask; so is which points
to ask about (those in service, or the retired ones too). The view ``park.boundary_flow`` says the same in SQL, and a
test holds the two together.

What counts for a sub-park or an enterprise follows from the tree of its meters: see `smartpark.accounts`.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from smartpark.catalogue import Role
from smartpark.measurands import MATERIALS, MEDIA, Carrier, Measurand

ACTIVE_ENERGY: Final = frozenset({Measurand.ACTIVE_ENERGY_IMPORT, Measurand.ACTIVE_ENERGY_EXPORT})
ENERGY: Final = ACTIVE_ENERGY | {
    Measurand.GAS_VOLUME,
    Measurand.HEAT_ENERGY,
    Measurand.STEAM_MASS,
    Measurand.FUEL_MASS,
}
SHARED: Final = ENERGY | {Measurand.ACTIVE_POWER}
"""What meters show by phase or tariff too, beside the whole: a total is the point whose code is its measurand."""
PARTS: Final = frozenset(
    {*(f"_{phase}" for phase in ("a", "b", "c", "l1", "l2", "l3")), *(f"_t{number}" for number in range(1, 10))}
    | {"_sharp", "_peak", "_flat", "_valley"}
)
"""Behind a measurand: what one phase of it is called, and what was counted while one tariff held (尖峰平谷)."""
ELECTRIC: Final = frozenset({Carrier.ELECTRICITY, Carrier.PHOTOVOLTAIC})
NOT_ENERGY: Final = MEDIA | MATERIALS
"""Working media (耗能工质) are not energy in the park's total (GB/T 2589-2020; statistics leave them out); what a
process decomposes is no energy at all."""


class Measures(NamedTuple):
    """A point as the rule sees it."""

    code: str
    measurand: str
    is_retired: bool = False


def signs_at_boundary(role: str, carrier: str, points: Sequence[Measures], *, internal_transfer: bool) -> list[int]:
    """Sign of each point of one device in its park's sum.

    Parameters
    ----------
    role, carrier : str
        Of the device.
    points : sequence of Measures
        All points of the device that are to be considered: which registers there are decides what they mean.
    internal_transfer : bool
        Whether the device measures energy handed on inside the park.

    Returns
    -------
    list of int
        For each point +1 where it counts what comes into the park or is made there, -1 where it counts the contrary,
        and 0 where it does not count.
    """
    if internal_transfer or role not in {Role.BOUNDARY, Role.GENERATION}:
        return [0] * len(points)
    # Power is positive into the consumer, so a generator's product is its export and its power negative. One with a
    # register of one direction only is a production meter, whichever way it is wired.
    is_generator = role == Role.GENERATION
    is_reversed = is_generator and any(point.measurand == Measurand.ACTIVE_ENERGY_EXPORT for point in points)
    totals = {measurand for measurand in SHARED if _has_total(points, measurand)}
    return [
        0
        if point.measurand in totals and is_part(point)
        else _power_sign(carrier, is_reversed=is_reversed)
        if point.measurand == Measurand.ACTIVE_POWER
        else _energy_sign(point.measurand, carrier, is_generator=is_generator, is_reversed=is_reversed)
        for point in points
    ]


def is_part(point: Measures) -> bool:
    """Whether a point's code says that it shows a part of what the total beside it shows.

    Every other point of active power does; of registers those of phases and tariffs: one of another feeder adds up.
    """
    if point.measurand == Measurand.ACTIVE_POWER:
        return point.code != point.measurand
    return point.code in {f"{point.measurand}{part}" for part in PARTS}


def _has_total(points: Sequence[Measures], measurand: str) -> bool:
    """Whether a device counts with one point: with all of its phases, where no total is in service."""
    own = [point for point in points if point.measurand == measurand]
    return any(point.code == measurand for point in [one for one in own if not one.is_retired] or own)


def _power_sign(carrier: str, *, is_reversed: bool) -> int:
    if carrier not in ELECTRIC:
        return 0
    return -1 if is_reversed else 1


def _energy_sign(measurand: str, carrier: str, *, is_generator: bool, is_reversed: bool) -> int:
    if carrier in NOT_ENERGY or measurand not in (ACTIVE_ENERGY if is_generator else ENERGY):
        return 0
    exports = measurand == Measurand.ACTIVE_ENERGY_EXPORT
    if is_generator:
        return 1 if exports or not is_reversed else -1
    return -1 if exports else 1
