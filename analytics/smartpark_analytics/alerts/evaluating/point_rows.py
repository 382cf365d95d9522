"""One point as an object of a rule: which series speak for it beside its own, and by what numbers it is judged."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import sqrt

import numpy as np
from smartpark.alerts.detectors import (
    Agreement,
    Emission,
    Gap,
    Limit,
    PowerFactor,
    PowerQuality,
    Rate,
    Relative,
    Stale,
    Stuck,
)
from smartpark.alerts.objects import ObjectKind, ObjectRef
from smartpark.alerts.rules import Rule
from smartpark.alerts.scope import COUNTED_BY, PointFacts
from smartpark.emission_limits import emission_limits
from smartpark.errors import SmartparkError
from smartpark.measurands import Kind, Measurand

from smartpark_analytics.alerts.evaluating.surroundings import Surroundings
from smartpark_analytics.alerts.evaluating.watched import Channel, Subject

_FLOW_OF = {
    Measurand.ACTIVE_ENERGY_IMPORT: Measurand.ACTIVE_POWER,
    Measurand.ACTIVE_ENERGY_EXPORT: Measurand.ACTIVE_POWER,
    Measurand.REACTIVE_ENERGY_IMPORT: Measurand.REACTIVE_POWER,
    Measurand.REACTIVE_ENERGY_EXPORT: Measurand.REACTIVE_POWER,
    Measurand.GAS_VOLUME: Measurand.GAS_FLOW,
    Measurand.STEAM_MASS: Measurand.STEAM_FLOW,
    Measurand.WATER_VOLUME: Measurand.WATER_FLOW,
}

"""The gauge beside a counter whose unit is that of the counter per hour."""


@dataclass(slots=True)
class Row:
    """An object while it is put together."""

    subject: Subject
    series: dict[Channel, tuple[int, ...]]
    numbers: dict[str, float] = field(default_factory=dict[str, float])


class NotJudgedError(SmartparkError):
    """Why an object is left out."""


@dataclass(frozen=True, slots=True)
class _Beside:
    """The other points of a device."""

    around: Surroundings
    places: tuple[int, ...]

    def __call__(self, measurand: Measurand) -> tuple[int, ...]:
        return tuple(place for place in self.places if self.around.points[place].measurand is measurand)


def _speaking(detector: Stale | Gap | Stuck, row: Row, point: PointFacts, beside: _Beside) -> None:
    if not isinstance(detector, Stuck) or point.kind is Kind.GAUGE:
        row.subject = row.subject._replace(unit="s")
        return
    flow = _FLOW_OF.get(point.measurand)
    row.series[Channel.LOAD] = () if flow is None else beside(flow)
    if not row.series[Channel.LOAD]:
        raise NotJudgedError("no gauge beside the counter tells whether anything flows")
    row.numbers["flow_sign"] = -1.0 if "export" in point.measurand else 1.0


def _quality(row: Row, point: PointFacts) -> None:
    row.numbers["base"] = _nominal(point)
    row.numbers["level_kv"] = _between_phases(point) / 1000.0
    if point.measurand is Measurand.VOLTAGE:
        row.subject = row.subject._replace(unit="%")


def point_row(
    rule: Rule, around: Surroundings, place: int, devices: Mapping[tuple[str, str], tuple[int, ...]]
) -> Row:
    """A point with what speaks beside it and what it is held against; `NotJudgedError` says what is missing."""
    point = around.points[place]
    subject = Subject(
        ObjectRef(ObjectKind.POINT, point.key), point.park, f"{point.park}/{point.device}", place, point.unit
    )
    row = Row(subject, {Channel.VALUE: (place,)}, of_point(point))

    beside = _Beside(around, devices[point.park, point.device])
    match rule.detector:
        case Limit(relative_to=relative) | Rate(relative_to=relative) if relative is not None:
            row.numbers["base"] = _base(relative, around, point)
        case Stale() | Gap() | Stuck():
            _speaking(rule.detector, row, point, beside)
        case PowerQuality():
            _quality(row, point)
        case PowerFactor():
            _power_factor(row, rule.detector, around, point, beside(Measurand.ACTIVE_POWER))
        case Agreement():
            _agreement(row, point, beside, around)
        case Emission():
            _emission(row, around, point, beside(Measurand.O2_CONTENT))
        case _:
            pass
    return row


def of_point(point: PointFacts) -> dict[str, float]:
    """Numbers of its instrument, on the primary side."""
    step = np.nan if point.exponent is None else 10.0**point.exponent * point.multiplier
    modulus = np.nan if point.register_modulus is None else point.register_modulus * step
    return {
        "base": 1.0,
        "resolution": step,
        "modulus": modulus,
        "max_rate": np.nan if point.max_rate is None else point.max_rate,
        "is_counter": float(point.kind is Kind.COUNTER),
    }


def _base(relative: Relative, around: Surroundings, point: PointFacts) -> float:
    match relative:
        case Relative.CONTRACT_DEMAND:
            owner = None if point.role.value == "boundary" else point.enterprise
            return contract(around, point.park, owner)
        case Relative.TRANSFORMER_RATING:
            return rating(around, point.park, point.transformer or "")
        case Relative.NOMINAL_VOLTAGE:
            return _nominal(point)
        case Relative.MAX_RATE:
            return point.max_rate or np.nan


def contract(around: Surroundings, park: str, owner: str | None) -> float:
    """Contract demand of an enterprise, or of the park. [kW]."""
    facts = around.parks.get(park)
    demand = None if facts is None else facts.contract_demand_kw.get(owner)
    if demand is None:
        raise NotJudgedError("no contract demand is in the catalogue")
    return demand


def rating(around: Surroundings, park: str, transformer: str) -> float:
    """Rating of a transformer. [kVA]."""
    facts = around.parks.get(park)
    if facts is None or transformer not in facts.rated_kva:
        raise NotJudgedError("rated_kva of the transformer is not in the catalogue")
    return facts.rated_kva[transformer]


def _nominal(point: PointFacts) -> float:
    if point.nominal_voltage_v is None:
        raise NotJudgedError("nominal_voltage_v of the device is not in the catalogue")
    return point.nominal_voltage_v


_PHASES = ("_a", "_b", "_c")


def _between_phases(point: PointFacts) -> float:
    """A meter that shows its phases is nominally between phase and neutral; limits go by that between phases."""
    return _nominal(point) * (sqrt(3.0) if point.code.endswith(_PHASES) else 1.0)


def _power_factor(
    row: Row, detector: PowerFactor, around: Surroundings, point: PointFacts, power: tuple[int, ...]
) -> None:
    owner = None if point.role.value == "boundary" else point.enterprise
    facts = around.parks.get(point.park)
    standard = None if facts is None else facts.power_factor_standard.get(owner)
    if standard is None and detector.below is None:
        raise NotJudgedError("no contract names a power_factor_standard")
    if not power:
        raise NotJudgedError("the device has no active_power, so nobody knows whether there is load")
    row.series[Channel.LOAD] = (whole_of(around, power, Measurand.ACTIVE_POWER),)
    row.numbers["low"] = float(standard or 0.0) if detector.below is None else detector.below
    row.numbers["least_load"] = detector.loaded_above * contract(around, point.park, owner)


def _agreement(row: Row, point: PointFacts, beside: _Beside, around: Surroundings) -> None:
    there, back, per_hour = COUNTED_BY[point.measurand]
    counted, returned = beside(there), () if back is None else beside(back)
    if not counted and not returned:
        raise NotJudgedError("the device has no register of what the gauge shows")
    if not counted:
        raise NotJudgedError(f"the device has no {there}, so its net cannot be known")
    alone = len(beside(point.measurand)) == 1
    counted, returned = (_alike(point, around, places, alone=alone) for places in (counted, returned))
    if not counted:
        raise NotJudgedError("the device has no register of this phase")
    register = around.points[counted[0]]
    row.subject = row.subject._replace(unit=register.unit)
    row.series[Channel.COUNTED], row.series[Channel.RETURNED] = counted[:1], returned[:1]
    row.numbers["resolution"] = of_point(register)["resolution"]
    row.numbers["per_hour"] = per_hour
    row.numbers["meters"] = float(bool(returned))


def _alike(point: PointFacts, around: Surroundings, places: tuple[int, ...], *, alone: bool) -> tuple[int, ...]:
    """Of registers of a device the one that counts what a gauge shows: the whole the whole's, a phase its own.

    Codes of phases begin with their measurand, as those of totals are it. One gauge beside one register is its own
    whatever they are called.
    """
    tail = point.code.removeprefix(point.measurand)
    own = tuple(p for p in places if around.points[p].code.removeprefix(around.points[p].measurand) == tail)
    return own[:1] or (places if alone and len(places) == 1 else ())


def whole_of(around: Surroundings, places: Sequence[int], what: str) -> int:
    """Of points of a device that show the same measurand the one of the whole device.

    Raises
    ------
    NotJudgedError
        When it shows its phases alone.
    """
    totals = [place for place in places if around.points[place].code == around.points[place].measurand]
    if len(places) > 1 and not totals:
        raise NotJudgedError(f"{around.points[places[0]].device} shows its phases and no total {what}")
    return totals[0] if totals else places[0]


def _emission(row: Row, around: Surroundings, point: PointFacts, oxygen: tuple[int, ...]) -> None:
    facts = around.parks.get(point.park)
    if point.emission_limit is None or facts is None:
        raise NotJudgedError("emission_limit of the stack is not in the catalogue")
    limits = emission_limits().on(point.emission_limit, facts.on)
    limit = limits.of(point.measurand)
    if limit is None:
        raise NotJudgedError(f"{point.emission_limit} has no limit of {point.measurand}")
    if not oxygen:
        raise NotJudgedError("the stack has no o2_content to correct by")
    reference = point.o2_reference_pct if point.o2_reference_pct is not None else limits.reference_oxygen_pct
    row.series[Channel.OXYGEN] = oxygen[:1]
    row.numbers |= {"high": limit, "reference_oxygen": reference}
