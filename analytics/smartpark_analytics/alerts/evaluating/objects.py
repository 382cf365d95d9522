"""Which objects a rule has in a park, which points speak for them, and by what numbers each is judged.

What cannot be judged - no contract is known, no nominal voltage - is left out and said, with its reason, so that
whoever checks a rule sees it. Points are given once for all rules; their places are the series.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from itertools import chain

import numpy as np
from smartpark.accounts import park_accounts
from smartpark.alerts.detectors import (
    Balance,
    ClockDrift,
    DemandWarning,
    Multivariate,
    TransformerLoad,
)
from smartpark.alerts.objects import ObjectKind, ObjectRef
from smartpark.alerts.parks import demand_meters, topmost_behind
from smartpark.alerts.rules import Rule, Source
from smartpark.alerts.scope import watched_edges, watched_points
from smartpark.flows import MeterNode
from smartpark.measurands import Measurand

from smartpark_analytics.alerts.evaluating.point_rows import (
    NotJudgedError,
    Row,
    contract,
    of_point,
    point_row,
    rating,
    whole_of,
)
from smartpark_analytics.alerts.evaluating.surroundings import Surroundings
from smartpark_analytics.alerts.evaluating.watched import Channel, Feed, Subject, Unjudged, Watched
from smartpark_analytics.alerts.samples import NEVER_US, Floats, Ints


def watch(rule: Rule, around: Surroundings) -> Watched:
    """Objects of a rule; none, where nothing fits it."""
    if rule.source is Source.EDGE:
        return _edges(rule, around)
    places = watched_points(rule, around.points)
    if isinstance(rule.detector, Balance):
        return _balances(around, places)
    if isinstance(rule.detector, Multivariate):
        return _channels(around, places)
    rows: list[Row] = []
    unjudged: list[Unjudged] = []
    for subject, make in _candidates(rule, around, places):
        try:
            rows.append(make())
        except NotJudgedError as error:
            unjudged.append(Unjudged(subject, str(error)))
    return _watched(rows, unjudged, around, rule.source)


def _edges(rule: Rule, around: Surroundings) -> Watched:
    place = {edge: number for number, edge in enumerate(around.edges)}
    rows = [
        Row(
            Subject(ObjectRef(ObjectKind.EDGE, edge), around.park_of_edge.get(edge, ""), None, None, "s"),
            {Channel.VALUE: (place[edge],)},
        )
        for edge in watched_edges(rule, around.edges, around.park_of_edge)
    ]
    return _watched(rows, [], around, rule.source)


_Candidate = tuple[ObjectRef, Callable[[], Row]]


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
                    lambda place=place: point_row(rule, around, place, devices),
                )
                for place in places
            ]


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
        resolution=np.array([of_point(around.points[place])["resolution"] for place in series], np.float64),
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


def _powers(around: Surroundings, places: Sequence[int]) -> dict[tuple[str, str], tuple[int, ...]]:
    """Points of active power of each device: of all its phases, where it shows them."""
    return {(park, device): own for park, device, own in _by_device(around, places)}


def _demands(around: Surroundings, places: Sequence[int]) -> list[_Candidate]:
    """Owners of contracts, by the meter that all their electricity comes through."""
    meters = demand_meters(around.points)
    power = _powers(around, places)

    def row(park: str, owner: str | None, devices: tuple[str, ...], subject: ObjectRef) -> Row:
        limit = contract(around, park, owner)
        if len(devices) != 1:
            raise NotJudgedError(f"its demand is the sum of {len(devices)} meters ({', '.join(devices)})")
        device = str(devices[0])
        place = whole_of(around, power[park, device], Measurand.ACTIVE_POWER)
        about = Subject(subject, park, f"{park}/{device}", place, "kW")
        return Row(about, {Channel.VALUE: (place,)}, {"base": limit})

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
    power = _powers(around, places)

    def row(park: str, transformer: str, behind: tuple[str, ...], subject: ObjectRef) -> Row:
        rated_kva = rating(around, park, transformer)
        if any((park, device) not in power for device in behind):
            raise NotJudgedError(f"not all meters behind it show active_power: {', '.join(behind)}")
        if rule.source is Source.READING and len(behind) > 1:
            raise NotJudgedError(f"{len(behind)} meters carry it together; let the rule look at quarters")
        shown = [
            [p for p in devices[park, d] if around.points[p].measurand is Measurand.REACTIVE_POWER] for d in behind
        ]
        reactive = tuple(whole_of(around, own, Measurand.REACTIVE_POWER) for own in shown if own)
        active = tuple(whole_of(around, power[park, device], Measurand.ACTIVE_POWER) for device in behind)
        about = Subject(subject, park, f"{park}/{behind[0]}" if len(behind) == 1 else None, active[0], "1")
        series = {Channel.VALUE: active, Channel.REACTIVE: reactive if len(reactive) == len(active) else ()}
        return Row(about, series, {"base": rated_kva, "meters": float(len(behind))})

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
        row = Row(_about_device(park, device, series[0], "s"), {Channel.DELAY: series})
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


def _watched(rows: list[Row], unjudged: list[Unjudged], around: Surroundings, source: Source) -> Watched:
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


def _feed(rows: Sequence[Row], channel: Channel) -> Feed:
    pairs = [(series, place) for place, row in enumerate(rows) for series in row.series.get(channel, ())]
    table = np.array(pairs, np.int64).reshape(-1, 2)
    return Feed(table[:, 0], table[:, 1])


def _steps(rows: Sequence[Row], around: Surroundings, source: Source) -> Ints:
    if not around.usual_step_us.size or source is Source.EDGE:
        return np.full(len(rows), NEVER_US, np.int64)
    first = [next(iter(row.series.values()))[0] for row in rows]
    return around.usual_step_us[np.array(first, np.int64)] if first else np.zeros(0, np.int64)


__all__ = ["Surroundings", "watch"]
