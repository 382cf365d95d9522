"""Which objects a rule has in a park, which points speak for them, and by what numbers each is judged.

What cannot be judged - no contract is known, no nominal voltage - is left out and said, with its reason, so that
whoever checks a rule sees it. Points are given once for all rules; their places are the series.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import chain
from math import sqrt

import numpy as np
from smartpark.accounts import park_accounts
from smartpark.alerts.detectors import (
    Agreement,
    Balance,
    ClockDrift,
    DemandWarning,
    Emission,
    Gap,
    Limit,
    Multivariate,
    PowerFactor,
    PowerQuality,
    Rate,
    Relative,
    Stale,
    Stuck,
    TransformerLoad,
)
from smartpark.alerts.objects import ObjectKind, ObjectRef
from smartpark.alerts.parks import ParkFacts, demand_meters, topmost_behind
from smartpark.alerts.rules import Rule, Source
from smartpark.alerts.scope import COUNTED_BY, PointFacts, watched_edges, watched_points
from smartpark.emission_limits import emission_limits
from smartpark.errors import SmartparkError
from smartpark.flows import MeterNode
from smartpark.measurands import Kind, Measurand
from smartpark.workdays import builtin_workdays

from smartpark_analytics.alerts.evaluating.learning import Calendar
from smartpark_analytics.alerts.evaluating.of_registers import MeterReplaced
from smartpark_analytics.alerts.evaluating.watched import Channel, Feed, Subject, Unjudged, Watched
from smartpark_analytics.alerts.samples import NEVER_US, Floats, Ints

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


@dataclass(frozen=True, slots=True)
class Surroundings:
    """All that rules may watch. Series are the places of points, or of edges."""

    points: Sequence[PointFacts]
    edges: Sequence[str] = ()
    parks: Mapping[str, ParkFacts] = field(default_factory=dict[str, ParkFacts])
    usual_step_us: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    """How far apart readings of each point usually are; empty: not known of any. [µs]"""
    park_of_edge: Mapping[str, str] = field(default_factory=dict[str, str])
    usual_delay_us: int = 0
    """What a reading takes at least to come in. [µs]"""
    replaced: Sequence[MeterReplaced] = ()
    on: date = date(2026, 1, 1)
    """Day whose limits and contracts hold."""
    calendar: Calendar | None = None
    """Kinds of days, for detectors that tell them apart; none: weekends rest."""

    def days(self) -> Calendar:
        """Kinds of days around `on`."""
        if self.calendar is not None:
            return self.calendar
        return Calendar.of(builtin_workdays(), self.on - timedelta(days=500), self.on + timedelta(days=400))

    def n_series(self, source: Source) -> int:
        """How many series a source has."""
        return len(self.edges) if source is Source.EDGE else len(self.points)

    def by_device(self) -> Mapping[tuple[str, str], tuple[int, ...]]:
        """Places of the points of each device in service."""
        found: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
        for place, point in enumerate(self.points):
            if point.retired_at_us is None:
                found[point.park, point.device].append(place)
        return {device: tuple(places) for device, places in found.items()}


@dataclass(slots=True)
class _Row:
    """An object while it is put together."""

    subject: Subject
    series: dict[Channel, tuple[int, ...]]
    numbers: dict[str, float] = field(default_factory=dict[str, float])


class _NotJudgedError(SmartparkError):
    """Why an object is left out."""


def watch(rule: Rule, around: Surroundings) -> Watched:
    """Objects of a rule; none, where nothing fits it."""
    if rule.source is Source.EDGE:
        return _edges(rule, around)
    places = watched_points(rule, around.points)
    if isinstance(rule.detector, Balance):
        return _balances(around, places)
    if isinstance(rule.detector, Multivariate):
        return _channels(around, places)
    rows: list[_Row] = []
    unjudged: list[Unjudged] = []
    for subject, make in _candidates(rule, around, places):
        try:
            rows.append(make())
        except _NotJudgedError as error:
            unjudged.append(Unjudged(subject, str(error)))
    return _watched(rows, unjudged, around, rule.source)


def _edges(rule: Rule, around: Surroundings) -> Watched:
    place = {edge: number for number, edge in enumerate(around.edges)}
    rows = [
        _Row(
            Subject(ObjectRef(ObjectKind.EDGE, edge), around.park_of_edge.get(edge, ""), None, None, "s"),
            {Channel.VALUE: (place[edge],)},
        )
        for edge in watched_edges(rule, around.edges)
    ]
    return _watched(rows, [], around, rule.source)


_Candidate = tuple[ObjectRef, Callable[[], _Row]]


def _candidates(rule: Rule, around: Surroundings, places: Sequence[int]) -> list[_Candidate]:
    """Objects that fit, each with how its row is made."""
    match rule.detector:
        case DemandWarning():
            return _demands(around, places)
        case TransformerLoad():
            return _transformers(rule, around, places)
        case ClockDrift():
            return _clocks(around, places)
        case _:
            devices = around.by_device()
            return [
                (
                    ObjectRef(ObjectKind.POINT, around.points[place].key),
                    lambda place=place: _point_row(rule, around, place, devices),
                )
                for place in places
            ]


@dataclass(frozen=True, slots=True)
class _Beside:
    """The other points of a device."""

    around: Surroundings
    places: tuple[int, ...]

    def __call__(self, measurand: Measurand) -> tuple[int, ...]:
        return tuple(place for place in self.places if self.around.points[place].measurand is measurand)


def _speaking(detector: Stale | Gap | Stuck, row: _Row, point: PointFacts, beside: _Beside) -> None:
    if not isinstance(detector, Stuck) or point.kind is Kind.GAUGE:
        row.subject = row.subject._replace(unit="s")
        return
    flow = _FLOW_OF.get(point.measurand)
    row.series[Channel.LOAD] = () if flow is None else beside(flow)
    if not row.series[Channel.LOAD]:
        raise _NotJudgedError("no gauge beside the counter tells whether anything flows")
    row.numbers["flow_sign"] = -1.0 if "export" in point.measurand else 1.0


def _quality(row: _Row, point: PointFacts) -> None:
    row.numbers["base"] = _nominal(point)
    row.numbers["level_kv"] = _between_phases(point) / 1000.0
    if point.measurand is Measurand.VOLTAGE:
        row.subject = row.subject._replace(unit="%")


def _point_row(
    rule: Rule, around: Surroundings, place: int, devices: Mapping[tuple[str, str], tuple[int, ...]]
) -> _Row:
    point = around.points[place]
    subject = Subject(
        ObjectRef(ObjectKind.POINT, point.key), point.park, f"{point.park}/{point.device}", place, point.unit
    )
    row = _Row(subject, {Channel.VALUE: (place,)}, _of_point(point))

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


def _balances(around: Surroundings, places: Sequence[int]) -> Watched:
    """Meters that others hang on; the feed's rows are registers, of which `nodes` tell."""
    fitting = {around.points[place].point_id for place in places}
    place_of = {point.point_id: place for place, point in enumerate(around.points)}
    nodes: list[MeterNode] = []
    subjects: list[Subject] = []
    unjudged: list[Unjudged] = []
    for park in sorted({around.points[place].park for place in places}):
        facts = around.parks.get(park)
        accounts = park_accounts(park, around.points, sub_park_of=None if facts is None else facts.sub_park_of)
        for node in accounts.nodes:
            if not any(flow.point_id in fitting for flow in node.parent):
                continue
            subject = ObjectRef(ObjectKind.DEVICE, f"{park}/{node.device}")
            reason = _why_not(node)
            if reason:
                unjudged.append(Unjudged(subject, reason))
                continue
            nodes.append(node)
            subjects.append(
                Subject(subject, park, f"{park}/{node.device}", place_of[node.parent[0].point_id], node.unit)
            )
    series = sorted({place_of[flow.point_id] for node in nodes for flow in (*node.parent, *node.children)})
    feed = Feed(np.array(series, np.int64), np.arange(len(series)))
    register_of = {around.points[place].point_id: row for row, place in enumerate(series)}
    return Watched(
        tuple(subjects),
        {Channel.VALUE: feed},
        tuple(unjudged),
        usual_step_us=np.full(len(nodes), NEVER_US, np.int64),
        resolution=np.array([_of_point(around.points[place])["resolution"] for place in series], np.float64),
        nodes=tuple(nodes),
        register_of=register_of,
    )


def _why_not(node: MeterNode) -> str:
    if not node.is_certain:
        return "it is not known which meter a generator or a meter without parent hangs on"
    nobody = sorted({f.device for f in (*node.parent, *node.children) if f.accuracy_class is None})
    if nobody:
        return f"accuracy_class is not in the catalogue: {', '.join(nobody)}"
    virtual = [flow.device for flow in (*node.parent, *node.children) if flow.point_id < 0]
    return f"it rests on virtual meters: {', '.join(virtual)}" if virtual else ""


def _of_point(point: PointFacts) -> dict[str, float]:
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
            return _contract(around, point.park, owner)
        case Relative.TRANSFORMER_RATING:
            return _rating(around, point.park, point.transformer or "")
        case Relative.NOMINAL_VOLTAGE:
            return _nominal(point)
        case Relative.MAX_RATE:
            return point.max_rate or np.nan


def _contract(around: Surroundings, park: str, owner: str | None) -> float:
    facts = around.parks.get(park)
    demand = None if facts is None else facts.contract_demand_kw.get(owner)
    if demand is None:
        raise _NotJudgedError("no contract demand is in the catalogue")
    return demand


def _rating(around: Surroundings, park: str, transformer: str) -> float:
    facts = around.parks.get(park)
    if facts is None or transformer not in facts.rated_kva:
        raise _NotJudgedError("rated_kva of the transformer is not in the catalogue")
    return facts.rated_kva[transformer]


def _nominal(point: PointFacts) -> float:
    if point.nominal_voltage_v is None:
        raise _NotJudgedError("nominal_voltage_v of the device is not in the catalogue")
    return point.nominal_voltage_v


_PHASES = ("_a", "_b", "_c")


def _between_phases(point: PointFacts) -> float:
    """A meter that shows its phases is nominally between phase and neutral; limits go by that between phases."""
    return _nominal(point) * (sqrt(3.0) if point.code.endswith(_PHASES) else 1.0)


def _power_factor(
    row: _Row, detector: PowerFactor, around: Surroundings, point: PointFacts, power: tuple[int, ...]
) -> None:
    owner = None if point.role.value == "boundary" else point.enterprise
    facts = around.parks.get(point.park)
    standard = None if facts is None else facts.power_factor_standard.get(owner)
    if standard is None and detector.below is None:
        raise _NotJudgedError("no contract names a power_factor_standard")
    if not power:
        raise _NotJudgedError("the device has no active_power, so nobody knows whether there is load")
    row.series[Channel.LOAD] = power[:1]
    row.numbers["low"] = float(standard or 0.0) if detector.below is None else detector.below
    row.numbers["least_load"] = detector.loaded_above * _contract(around, point.park, owner)


def _agreement(row: _Row, point: PointFacts, beside: _Beside, around: Surroundings) -> None:
    there, back, per_hour = COUNTED_BY[point.measurand]
    counted, returned = beside(there), () if back is None else beside(back)
    if not counted and not returned:
        raise _NotJudgedError("the device has no register of what the gauge shows")
    if not counted:
        raise _NotJudgedError(f"the device has no {there}, so its net cannot be known")
    register = around.points[counted[0]]
    row.subject = row.subject._replace(unit=register.unit)
    row.series[Channel.COUNTED], row.series[Channel.RETURNED] = counted[:1], returned[:1]
    row.numbers["resolution"] = _of_point(register)["resolution"]
    row.numbers["per_hour"] = per_hour
    row.numbers["meters"] = float(bool(returned))


def _emission(row: _Row, around: Surroundings, point: PointFacts, oxygen: tuple[int, ...]) -> None:
    facts = around.parks.get(point.park)
    if point.emission_limit is None or facts is None:
        raise _NotJudgedError("emission_limit of the stack is not in the catalogue")
    limits = emission_limits().on(point.emission_limit, facts.on)
    limit = limits.of(point.measurand)
    if limit is None:
        raise _NotJudgedError(f"{point.emission_limit} has no limit of {point.measurand}")
    if not oxygen:
        raise _NotJudgedError("the stack has no o2_content to correct by")
    reference = point.o2_reference_pct if point.o2_reference_pct is not None else limits.reference_oxygen_pct
    row.series[Channel.OXYGEN] = oxygen[:1]
    row.numbers |= {"high": limit, "reference_oxygen": reference}


def _demands(around: Surroundings, places: Sequence[int]) -> list[_Candidate]:
    """Owners of contracts, by the meter that all their electricity comes through."""
    meters = demand_meters(around.points)
    power = {(around.points[place].park, around.points[place].device): place for place in places}

    def row(park: str, owner: str | None, devices: tuple[str, ...], subject: ObjectRef) -> _Row:
        limit = _contract(around, park, owner)
        if len(devices) != 1:
            raise _NotJudgedError(f"its demand is the sum of {len(devices)} meters ({', '.join(devices)})")
        device = str(devices[0])
        about = Subject(subject, park, f"{park}/{device}", power[park, device], "kW")
        return _Row(about, {Channel.VALUE: (power[park, device],)}, {"base": limit})

    found: list[_Candidate] = []
    for (park, owner), devices in sorted(meters.items(), key=str):
        if not any((park, device) in power for device in devices):
            continue
        subject = (
            ObjectRef(ObjectKind.PARK, park) if owner is None else ObjectRef(ObjectKind.ENTERPRISE, f"{park}/{owner}")
        )
        found.append((subject, lambda p=park, o=owner, d=devices, s=subject: row(p, o, d, s)))
    return found


def _transformers(rule: Rule, around: Surroundings, places: Sequence[int]) -> list[_Candidate]:
    devices = around.by_device()
    power = {(around.points[place].park, around.points[place].device): place for place in places}

    def row(park: str, transformer: str, behind: tuple[str, ...], subject: ObjectRef) -> _Row:
        rating = _rating(around, park, transformer)
        if any((park, device) not in power for device in behind):
            raise _NotJudgedError(f"not all meters behind it show active_power: {', '.join(behind)}")
        if rule.source is Source.READING and len(behind) > 1:
            raise _NotJudgedError(f"{len(behind)} meters carry it together; let the rule look at quarters")
        reactive = tuple(
            p for d in behind for p in devices[park, d] if around.points[p].measurand is Measurand.REACTIVE_POWER
        )
        active = tuple(power[park, device] for device in behind)
        about = Subject(subject, park, f"{park}/{behind[0]}" if len(behind) == 1 else None, active[0], "1")
        series = {Channel.VALUE: active, Channel.REACTIVE: reactive if len(reactive) == len(active) else ()}
        return _Row(about, series, {"base": rating, "meters": float(len(behind))})

    found: list[_Candidate] = []
    for (park, transformer), behind in sorted(topmost_behind(around.points).items()):
        if any((park, device) in power for device in behind):
            subject = ObjectRef(ObjectKind.TRANSFORMER, f"{park}/{transformer}")
            found.append((subject, lambda p=park, t=transformer, b=behind, s=subject: row(p, t, b, s)))
    return found


def _by_device(around: Surroundings, places: Sequence[int]) -> list[tuple[str, str, tuple[int, ...]]]:
    """Park, device and the places of its points that fit."""
    found: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for place in places:
        found[around.points[place].park, around.points[place].device].append(place)
    return [(park, device, tuple(series)) for (park, device), series in sorted(found.items())]


def _about_device(park: str, device: str, series: int, unit: str) -> Subject:
    return Subject(ObjectRef(ObjectKind.DEVICE, f"{park}/{device}"), park, f"{park}/{device}", series, unit)


def _clocks(around: Surroundings, places: Sequence[int]) -> list[_Candidate]:
    """Devices: all points of one have one clock."""
    found: list[_Candidate] = []
    for park, device, series in _by_device(around, places):
        row = _Row(_about_device(park, device, series[0], "s"), {Channel.DELAY: series})
        found.append((row.subject.object, lambda row=row: row))
    return found


def _channels(around: Surroundings, places: Sequence[int]) -> Watched:
    """Devices with several channels; the feed's rows are channels, of which `object_of` and `channel_of` tell."""
    subjects: list[Subject] = []
    unjudged: list[Unjudged] = []
    fed: list[tuple[int, int, int]] = []
    for park, device, series in _by_device(around, places):
        about = _about_device(park, device, series[0], "1")
        if len(series) < 2:
            unjudged.append(Unjudged(about.object, "it has one channel only"))
            continue
        fed += [(place, len(subjects), channel) for channel, place in enumerate(series)]
        subjects.append(about)
    table = np.array(fed, np.int64).reshape(-1, 3)
    return Watched(
        tuple(subjects),
        {Channel.VALUE: Feed(table[:, 0], np.arange(len(fed)))} if fed else {},
        tuple(unjudged),
        usual_step_us=np.full(len(subjects), NEVER_US, np.int64),
        object_of=table[:, 1],
        channel_of=table[:, 2],
    )


def _watched(rows: list[_Row], unjudged: list[Unjudged], around: Surroundings, source: Source) -> Watched:
    names = set(chain.from_iterable(row.numbers for row in rows))

    def numbers(name: str) -> Floats:
        values = [row.numbers.get(name, np.nan) for row in rows] if name in names else [np.nan] * len(rows)
        return np.array(values, np.float64)

    return Watched(
        subjects=tuple(row.subject for row in rows),
        feeds={channel: _feed(rows, channel) for channel in Channel if any(row.series.get(channel) for row in rows)},
        unjudged=tuple(unjudged),
        base=numbers("base"),
        low=numbers("low"),
        high=numbers("high"),
        least_load=numbers("least_load"),
        reference_oxygen=numbers("reference_oxygen"),
        resolution=numbers("resolution"),
        modulus=numbers("modulus"),
        max_rate=numbers("max_rate"),
        flow_sign=numbers("flow_sign"),
        meters=numbers("meters"),
        level_kv=numbers("level_kv"),
        per_hour=numbers("per_hour"),
        usual_step_us=_steps(rows, around, source),
        is_counter=np.nan_to_num(numbers("is_counter")).astype(np.bool_),
    )


def _feed(rows: Sequence[_Row], channel: Channel) -> Feed:
    pairs = [(series, place) for place, row in enumerate(rows) for series in row.series.get(channel, ())]
    table = np.array(pairs, np.int64).reshape(-1, 2)
    return Feed(table[:, 0], table[:, 1])


def _steps(rows: Sequence[_Row], around: Surroundings, source: Source) -> Ints:
    if not around.usual_step_us.size or source is Source.EDGE:
        return np.full(len(rows), NEVER_US, np.int64)
    first = [next(iter(row.series.values()))[0] for row in rows]
    return around.usual_step_us[np.array(first, np.int64)] if first else np.zeros(0, np.int64)
