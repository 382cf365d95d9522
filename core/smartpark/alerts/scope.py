"""Which points a rule watches: those that fit its scope and that its detector can make something of.

Storage's registry records are points here, and so are those of a catalogue in a file (`points_of`), so that a rule
can be tried before there is a database. Nothing here knows a reading or a limit.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from smartpark.alerts.detectors import Detector, Limit, Rate, Relative
from smartpark.alerts.rules import Rule, Scope, Source, matches
from smartpark.catalogue import Catalogue, CataloguePoint, Device, DeviceKind, Furnace, Role
from smartpark.flows import MeteredPoint
from smartpark.measurands import Carrier, Kind, Measurand

POLLUTANTS: Final = frozenset(
    {Measurand.SO2_CONCENTRATION, Measurand.NOX_CONCENTRATION, Measurand.DUST_CONCENTRATION}
)
COUNTED_BY: Final = {
    Measurand.ACTIVE_POWER: (Measurand.ACTIVE_ENERGY_IMPORT, Measurand.ACTIVE_ENERGY_EXPORT, 1.0),
    Measurand.REACTIVE_POWER: (Measurand.REACTIVE_ENERGY_IMPORT, Measurand.REACTIVE_ENERGY_EXPORT, 1.0),
    Measurand.GAS_FLOW: (Measurand.GAS_VOLUME, None, 1.0),
    Measurand.STEAM_FLOW: (Measurand.STEAM_MASS, None, 1.0),
    Measurand.WATER_FLOW: (Measurand.WATER_VOLUME, None, 1.0),
    Measurand.HEAT_POWER: (Measurand.HEAT_ENERGY, None, 0.0036),
}
"""Registers that count what a gauge shows, in its direction and the other; and what one unit makes in an hour."""
QUALITY: Final = frozenset(
    {Measurand.VOLTAGE, Measurand.FREQUENCY, Measurand.VOLTAGE_UNBALANCE, Measurand.VOLTAGE_THD}
)
"""What national limits of power quality are held against here."""


class PointFacts(MeteredPoint, Protocol):
    """What is to be known of a point; storage's `PointRecord` is one."""

    @property
    def kind(self) -> Kind: ...  # noqa: D102  its name says it
    @property
    def exponent(self) -> int | None: ...  # noqa: D102  its name says it
    @property
    def register_modulus(self) -> int | None: ...  # noqa: D102  its name says it
    @property
    def multiplier(self) -> float: ...  # noqa: D102  its name says it
    @property
    def max_rate(self) -> float | None: ...  # noqa: D102  its name says it
    @property
    def transformer(self) -> str | None: ...  # noqa: D102  its name says it
    @property
    def device_kind(self) -> DeviceKind: ...  # noqa: D102  its name says it
    @property
    def nominal_voltage_v(self) -> float | None: ...  # noqa: D102  its name says it
    @property
    def o2_reference_pct(self) -> float | None: ...  # noqa: D102  its name says it
    @property
    def emission_limit(self) -> str | None: ...  # noqa: D102  its name says it


@dataclass(frozen=True, slots=True)
class CatalogueFacts:
    """A point of a catalogue that is in no database; fields as in `PointFacts`."""

    point_id: int
    """Its place in the catalogue."""
    key: str
    park: str
    device: str
    code: str
    measurand: Measurand
    kind: Kind
    unit: str
    carrier: Carrier
    exponent: int | None
    register_modulus: int | None
    multiplier: float
    max_rate: float | None
    role: Role
    internal_transfer: bool
    parent_device: str | None
    sub_park: str | None
    enterprise: str | None
    transformer: str | None
    device_kind: DeviceKind
    accuracy_class: float | None
    nominal_voltage_v: float | None
    o2_reference_pct: float | None
    emission_limit: str | None
    is_feedstock: bool = False
    furnace: Furnace | None = None
    installed_at_us: int | None = None
    retired_at_us: int | None = None


def points_of(catalogue: Catalogue) -> tuple[CatalogueFacts, ...]:
    """Points of a catalogue, in its order."""
    devices = {device.code: device for device in catalogue.device}
    return tuple(_facts(number, point, devices[point.device]) for number, point in enumerate(catalogue.points()))


def _facts(number: int, point: CataloguePoint, device: Device) -> CatalogueFacts:
    return CatalogueFacts(
        point_id=number,
        key=point.key,
        park=point.park,
        device=point.device,
        code=point.code,
        measurand=point.measurand,
        kind=point.kind,
        unit=point.unit,
        carrier=point.carrier,
        exponent=point.exponent,
        register_modulus=point.register_modulus,
        multiplier=point.multiplier,
        max_rate=point.max_rate,
        role=device.role,
        internal_transfer=device.internal_transfer,
        parent_device=device.parent,
        sub_park=device.sub_park,
        enterprise=device.enterprise,
        transformer=device.transformer,
        device_kind=device.kind,
        accuracy_class=device.accuracy_class,
        nominal_voltage_v=device.nominal_voltage_v,
        o2_reference_pct=device.o2_reference_pct,
        emission_limit=device.emission_limit,
        is_feedstock=device.is_feedstock,
        furnace=device.furnace,
    )


def fits(scope: Scope, point: PointFacts) -> bool:
    """Whether a point fits all keys of a scope."""
    return (
        _fits_words(scope, point)
        and matches(scope.parks, point.park)
        and matches(scope.sub_parks, point.sub_park)
        and matches(scope.enterprises, point.enterprise)
        and matches(scope.devices, point.device, f"{point.park}/{point.device}")
        and matches(scope.points, point.key, point.code)
        and not (scope.except_points and matches(scope.except_points, point.key, point.code))
    )


def _fits_words(scope: Scope, point: PointFacts) -> bool:
    return all(
        not wanted or word in wanted
        for wanted, word in (
            (scope.measurands, point.measurand),
            (scope.carriers, point.carrier),
            (scope.device_kinds, point.device_kind),
            (scope.roles, point.role),
        )
    )


_SUITS: Final[dict[str, Callable[[PointFacts], bool]]] = {
    "register": lambda point: point.kind is Kind.COUNTER,
    "balance": lambda point: point.kind is Kind.COUNTER,
    "demand_warning": lambda point: point.measurand is Measurand.ACTIVE_POWER,
    "transformer_load": lambda point: point.measurand is Measurand.ACTIVE_POWER and point.transformer is not None,
    "agreement": lambda point: point.measurand in COUNTED_BY,
    "power_factor": lambda point: point.measurand is Measurand.POWER_FACTOR,
    "power_quality": lambda point: point.measurand in QUALITY,
    "emission": lambda point: point.measurand in POLLUTANTS and point.device_kind is DeviceKind.STACK,
}
"""Detectors that can make something of some points only, whatever the source."""
_OF_VALUES: Final = frozenset({"limit", "rate", "night_base", "seasonal", "change_point", "multivariate"})
"""A register's reading itself says nothing to these; what it counted in a window does."""
_KNOWS: Final[dict[Relative, Callable[[PointFacts], bool]]] = {
    Relative.CONTRACT_DEMAND: lambda point: point.measurand is Measurand.ACTIVE_POWER,
    Relative.TRANSFORMER_RATING: lambda point: (
        point.measurand is Measurand.APPARENT_POWER and point.transformer is not None
    ),
    Relative.NOMINAL_VOLTAGE: lambda point: point.measurand is Measurand.VOLTAGE,
    Relative.MAX_RATE: lambda point: point.max_rate is not None,
}


def suits(detector: Detector, point: PointFacts, source: Source = Source.READING) -> bool:
    """Whether a detector can make something of a point at all: rates of gauges, resets of registers."""
    if detector.kind in _SUITS:
        return _SUITS[detector.kind](point)
    if detector.kind in _OF_VALUES and point.kind is Kind.COUNTER and source is Source.READING:
        return False
    relative = detector.relative_to if isinstance(detector, Limit | Rate) else None
    return relative is None or _KNOWS[relative](point)


def watched_points(rule: Rule, points: Sequence[PointFacts]) -> tuple[int, ...]:
    """Places of the points that a rule watches, ascending; those out of service are watched by none."""
    if rule.source is Source.EDGE:
        return ()
    return tuple(
        place
        for place, point in enumerate(points)
        if point.retired_at_us is None and suits(rule.detector, point, rule.source) and fits(rule.scope, point)
    )


def watched_edges(rule: Rule, edges: Iterable[str], park_of: Mapping[str, str]) -> tuple[str, ...]:
    """Codes of the edge agents that a rule watches, sorted.

    Parameters
    ----------
    park_of : mapping of str to str
        Park of each agent, as far as it is known; a rule of some parks watches none of which it is not.
    """
    if rule.source is not Source.EDGE:
        return ()
    parks = rule.scope.parks
    return tuple(
        sorted(
            edge
            for edge in edges
            if matches(rule.scope.edges, edge) and (not parks or matches(parks, park_of.get(edge)))
        )
    )
