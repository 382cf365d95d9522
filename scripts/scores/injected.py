"""Faults injected into real series: what the platform's default rules find of them, and what three baselines find.

The protocol was written down before anything was scored: docs/methods/alerts.md, "Injected faults". Faults are those
of `smartpark_simulators.series_faults`; series are UC San Diego's and a steel works'. Whatever raises alarms is
treated alike: alarms of one meter that follow each other within a day are one, it is a hit when it begins within a
fault of that meter (or of one beneath it) or shortly after, and alarms beside known defects of the series count for
nothing.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import meters
import numpy as np
from meters import QUARTER_US, RealPark, Say
from methods import LIMIT, Floats, Ints, Judge, Method, Stretch, walk_forward
from smartpark.alerts.rules import Rule, Source, builtin_rules
from smartpark.alerts.scope import points_of
from smartpark.clock import from_us, to_us
from smartpark.measurands import Kind, Measurand
from smartpark_analytics.alerts.episodes import Change
from smartpark_analytics.alerts.evaluating import Board, Calendar, Readings, Surroundings
from smartpark_analytics.alerts.samples import Samples
from smartpark_simulators.series_faults import DAY_US, HOUR_US, Injected, SeriesFault, Shown, draw, show
from tqdm import tqdm

WEEK_US = 7 * DAY_US
LEARNT = 4
"""Weeks that are only learnt from; no fault lies in them. [weeks]"""
SLOT = 2
"""A fault begins within the first of so many weeks, on each branch of the tree. [weeks]"""
GRACE_US = 6 * HOUR_US
"""An alarm so long after the end of a fault still is one of it. [µs]"""
AFTER_US = DAY_US
"""What a meter that is right again causes so long after the end is neither hit nor false. [µs]"""
QUIET_US = DAY_US
"""Alarms of one meter closer than this are one. [µs]"""
SEEDS = (11, 12, 13)
GAIN_FAULTS = frozenset({SeriesFault.RATIO, SeriesFault.PHASE_LOST, SeriesFault.CREEP})
LEAST_SHARE = 0.1
"""Gain faults are injected into meters that carry at least so much of what their parent counts."""
WITHIN_CLASS = 0.5
"""A healthy meter is off by up to so much of its class."""
WINDOWS = {Source.QUARTER: 1, Source.HOUR: 4}
"""Quarters in a window."""


@dataclass(frozen=True, slots=True)
class Scene:
    """A park with faults in it, as it is read."""

    park: RealPark
    faults: tuple[Injected, ...]
    shown: dict[str, Shown]
    """By device."""
    known: dict[str, np.ndarray]
    """Whether the published series is sound, by device; shape (n,)."""


class Alarm(NamedTuple):
    """Somebody is told."""

    device: str
    at_us: int
    what: str


def scene(park: RealPark, seed: int) -> Scene:
    """Draw faults and read the meters."""
    generator = np.random.default_rng([seed, len(park.meters)])
    faults = tuple(_faults(park, generator))
    n = len(park.instants)
    shown: dict[str, Shown] = {}
    known: dict[str, np.ndarray] = {}
    for meter in park.meters:
        own = [fault for fault in faults if fault.meter == meter.code]
        gain = 1.0 + generator.uniform(-1, 1) * WITHIN_CLASS * 0.01
        shown[meter.code] = show(meter.true_kw, park.instants, own, gain=gain)
        known[meter.code] = np.isfinite(meter.true_kw) & ~meters.frozen(meter.true_kw)
    for code in (*park.feeders, "M0"):
        gain = 1.0 + generator.uniform(-1, 1) * WITHIN_CLASS * 0.005
        shown[code] = show(park.beneath(code), park.instants, [], gain=gain)
        known[code] = np.ones(n, np.bool_)
        for meter in park.meters:
            if code in ("M0", meter.feeder):
                known[code] &= known[meter.code]
    return Scene(park, faults, shown, known)


def _faults(park: RealPark, generator: np.random.Generator) -> Iterable[Injected]:
    """One fault on each branch in every slot; kinds come in turn, in an order of the seed."""
    start = int(park.instants[0]) + LEARNT * WEEK_US
    slots = (int(park.instants[-1]) - start) // (SLOT * WEEK_US)
    branches: defaultdict[str, list[meters.Meter]] = defaultdict(list)
    for meter in park.meters:
        branches[meter.feeder].append(meter)
    kinds = [kind for _ in range(slots * len(branches)) for kind in generator.permutation(list(SeriesFault)).tolist()]
    for slot in range(slots):
        first = start + slot * SLOT * WEEK_US
        for feeder in sorted(branches):
            kind = SeriesFault(kinds.pop(0))
            eligible = [meter for meter in branches[feeder] if _suits(kind, meter, park, first)]
            if not eligible:
                continue
            meter = eligible[int(generator.integers(0, len(eligible)))]
            fault = draw(generator, kind, meter.code, first_us=first, end_us=first + WEEK_US, step_us=QUARTER_US)
            yield _where_it_matters(fault, meter, park, generator)


def _suits(kind: SeriesFault, meter: meters.Meter, park: RealPark, first: int) -> bool:
    week = (park.instants >= first) & (park.instants < first + WEEK_US)
    true_kw = meter.true_kw[week]
    if not np.isfinite(true_kw).all():
        return False
    if kind not in GAIN_FAULTS:
        return True
    return bool(np.abs(true_kw).mean() >= LEAST_SHARE * np.abs(park.beneath(meter.feeder)[week]).mean())


def _where_it_matters(
    fault: Injected, meter: meters.Meter, park: RealPark, generator: np.random.Generator
) -> Injected:
    """A spike needs something to multiply: it comes at a moment of at least a tenth of the meter's usual high."""
    if fault.kind is not SeriesFault.SPIKE:
        return fault
    near = np.flatnonzero(np.abs(park.instants - fault.start_us) < 3 * DAY_US)
    high = np.nanquantile(np.abs(meter.true_kw), 0.99)
    loaded = near[np.abs(np.nan_to_num(meter.true_kw[near])) >= 0.1 * high]
    at = int(park.instants[loaded[int(generator.integers(0, len(loaded)))]]) if len(loaded) else fault.start_us
    return Injected(fault.kind, fault.meter, at, at, fault.size)


# --- the platform -------------------------------------------------------------------------------------------------


def by_rules(scene: Scene, rules: Sequence[Rule]) -> list[Alarm]:
    """What the platform's rules tell, week by week; what is usual is learnt anew every week."""
    park = scene.park
    points = points_of(park.catalogue())
    on = from_us(int(park.instants[0])).date()
    around = Surroundings(
        points,
        usual_step_us=np.full(len(points), QUARTER_US, np.int64),
        on=on,
        calendar=Calendar.of(meters.CLOSED.get(park.name), on - timedelta(days=60), on + timedelta(days=500)),
    )
    board = Board(rules, around)
    table = {p.key: _column(p.measurand, scene.shown[p.device]) for p in points}
    windows = {source: _windows(points, table, scene, quarters) for source, quarters in WINDOWS.items()}
    alarms: list[Alarm] = []
    weeks = range(int(park.instants[0]), int(park.instants[-1]), WEEK_US)
    for number, first in enumerate(weeks):
        if number >= LEARNT:
            _learn(board, windows, first)
        last = min(first + WEEK_US, int(park.instants[-1]) + QUARTER_US)
        readings = Readings(*_readings(points, table, scene, first, last))
        given = {source: Readings(_between(some, first, last)) for source, some in windows.items()}
        alarms += _step(board, {Source.READING: readings, **given}, last)
    return alarms


def _column(measurand: Measurand, shown: Shown) -> Floats:
    return {
        Measurand.ACTIVE_POWER: shown.power,
        Measurand.ACTIVE_ENERGY_IMPORT: shown.imported,
        Measurand.ACTIVE_ENERGY_EXPORT: shown.exported,
    }[measurand]


def _step(board: Board, given: dict[Source, Readings], last: int) -> Iterable[Alarm]:
    for source, readings in given.items():
        for place, found in board.step(source, readings, last).found:
            if found.episode.fired_at is not None and Change.FIRED in found.change:
                one = board.evaluations[place]
                device = (one.watched.subjects[found.row].device or "/M0").partition("/")[2]
                yield Alarm(device, to_us(found.episode.fired_at), one.rule.code)


def _readings(
    points: Sequence[Any], table: dict[str, Floats], scene: Scene, first: int, last: int
) -> tuple[Samples, Ints]:
    instants = scene.park.instants
    inside = np.flatnonzero((instants >= first) & (instants < last))
    rows, times, values, received = [], [], [], []
    for row, point in enumerate(points):
        shown = scene.shown[point.device]
        own = inside[shown.said[inside]]
        times.append(instants[own] + shown.offset_us[own])
        received.append(instants[own] + 2_000_000)
        values.append(np.rint(table[point.key][own] / meters.STEP) * meters.STEP)
        rows.append(np.full(len(own), row))
    flat = Samples(np.concatenate(rows), np.concatenate(times), np.concatenate(values))
    return flat, np.concatenate(received)


def _windows(points: Sequence[Any], table: dict[str, Floats], scene: Scene, quarters: int) -> Samples:
    """Means of power, and what registers counted; a window of which something is missing is not there."""
    instants = scene.park.instants
    n = (len(instants) - 1) // quarters
    starts = np.arange(n) * quarters
    rows, times, values = [], [], []
    for row, point in enumerate(points):
        shown, column = scene.shown[point.device], table[point.key]
        if point.kind is Kind.COUNTER:
            ends = starts + quarters
            moved = np.rint((column[ends] - column[starts]) / meters.STEP) * meters.STEP
            value = np.where(shown.said[starts] & shown.said[ends] & (moved >= 0), moved, np.nan)
        else:
            said = np.where(shown.said, column, np.nan)[: n * quarters].reshape(n, quarters)
            value = said.mean(axis=1)
        known = np.flatnonzero(np.isfinite(value))
        rows.append(np.full(len(known), row))
        times.append(instants[starts[known]])
        values.append(value[known])
    return Samples(np.concatenate(rows), np.concatenate(times), np.concatenate(values))


def _between(samples: Samples, first: int, last: int) -> Samples:
    inside = (samples.time_us >= first) & (samples.time_us < last)
    return Samples(*(column[inside] for column in samples))


def _learn(board: Board, windows: dict[Source, Samples], now: int) -> None:
    for one in board.evaluations:
        if one.history_us and one.watched.rows:
            one.learn(_between(windows[one.rule.source], now - one.history_us, now))


# --- baselines ----------------------------------------------------------------------------------------------------


def by_method(scene: Scene, method: Method) -> list[Alarm]:
    """What a baseline tells of each meter's power and energy."""
    return [
        Alarm(device, at, "baseline")
        for device, scores in scores_of(scene, method).items()
        for at in begun(scene.park.instants, scores)
    ]


def scores_of(scene: Scene, method: Method) -> dict[str, Floats]:
    """Scores of each device, learnt anew every week from the four before."""
    found: dict[str, Floats] = {}
    per_week = WEEK_US // QUARTER_US
    for device, shown in scene.shown.items():
        moved = np.diff(shown.imported - shown.exported, append=np.nan)
        values = np.stack([np.where(shown.said, shown.power, np.nan), np.where(shown.said, moved, np.nan)], axis=1)
        series = Stretch(scene.park.instants, values)
        first = LEARNT * per_week + int(np.argmax(np.isfinite(values).any(axis=1)))
        found[device] = walk_forward(_Cautious(method), series, first, per_week, LEARNT * per_week)
    return found


class Scaled(NamedTuple):
    """A method with another limit than its own."""

    method: Method
    scale: float
    """[limits of the method]"""

    def fit(self, train: Stretch) -> Judge:
        """As the method learns."""
        judge_plain = self.method.fit(train)
        return lambda stretch: judge_plain(stretch) / self.scale


class _Cautious(NamedTuple):
    """A method that says nothing of a stretch of which nothing is known, nor after one."""

    method: Method

    def fit(self, train: Stretch) -> Judge:
        """Learn where there is something to learn from."""
        judge_known = self.method.fit(train) if np.isfinite(train.values).all(axis=1).sum() > 1 else None

        def judge(stretch: Stretch) -> Floats:
            if judge_known is None or not np.isfinite(stretch.values).all(axis=1).any():
                return np.full(len(stretch.time_us), np.nan)
            return judge_known(stretch)

        return judge


def begun(instants: Ints, scores: Floats, scale: float = 1.0) -> list[int]:
    """Moments at which a score goes beyond `scale` times its limit; known when the quarter-hour is over."""
    beyond = np.nan_to_num(scores, nan=0.0) > LIMIT * scale
    begins = beyond & ~np.concatenate([[False], beyond[:-1]])
    return (instants[begins] + QUARTER_US).tolist()


# --- what it comes to ---------------------------------------------------------------------------------------------


class Outcome(NamedTuple):
    """What was found in a scene."""

    delays_s: dict[int, float]
    """Of each fault that was found, by its number. [s]"""
    hits: int
    """Alarms that told of a fault."""
    false: tuple[Alarm, ...]
    faults: tuple[Injected, ...]
    point_weeks: float


def judge(scene: Scene, alarms: Iterable[Alarm], points_each: int = 3) -> Outcome:
    """Hold alarms against faults, by the protocol."""
    park = scene.park
    start = int(park.instants[0]) + LEARNT * WEEK_US
    delays: dict[int, float] = {}
    hits, false = 0, list[Alarm]()
    for alarm, members in _merged(alarm for alarm in alarms if alarm.at_us >= start):
        told = [(n, a) for a in members for n in _of_faults(scene, a)]
        for number, member in told:
            delay = (member.at_us - scene.faults[number].start_us) / 1e6
            delays[number] = min(delays.get(number, np.inf), delay)
        if told:
            hits += 1
        elif not any(_is_excused(scene, member) for member in members):
            false.append(alarm)
    weeks = (int(park.instants[-1]) - start) / WEEK_US
    return Outcome(delays, hits, tuple(false), scene.faults, points_each * len(scene.shown) * weeks)


def _merged(alarms: Iterable[Alarm]) -> Iterable[tuple[Alarm, list[Alarm]]]:
    """Alarms of one device that follow each other closely, each group by its first."""
    group: list[Alarm] = []
    for alarm in sorted(alarms, key=lambda one: (one.device, one.at_us)):
        if group and (alarm.device != group[0].device or alarm.at_us - group[-1].at_us > QUIET_US):
            yield group[0], group
            group = []
        group.append(alarm)
    if group:
        yield group[0], group


def _concerns(scene: Scene, device: str, meter: str) -> bool:
    """Whether an alarm of a device may tell of a meter: its own, or that of a meter above it."""
    feeder = next(one.feeder for one in scene.park.meters if one.code == meter)
    return device in (meter, feeder, "M0")


def _of_faults(scene: Scene, alarm: Alarm) -> list[int]:
    return [
        number
        for number, fault in enumerate(scene.faults)
        if _concerns(scene, alarm.device, fault.meter) and fault.start_us <= alarm.at_us <= fault.end_us + GRACE_US
    ]


def _is_excused(scene: Scene, alarm: Alarm) -> bool:
    """Beside a known defect of the published series, or what follows from a fault that is over."""
    for fault in scene.faults:
        if _concerns(scene, alarm.device, fault.meter) and 0 <= alarm.at_us - fault.end_us <= AFTER_US + GRACE_US:
            return True
    near = np.abs(scene.park.instants - alarm.at_us) <= GRACE_US
    return not bool(scene.known[alarm.device][near].all())


def summary(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Recall, precision, delay and false alarms over all scenes."""
    faults = sum(len(one.faults) for one in outcomes)
    delays = [delay for one in outcomes for delay in one.delays_s.values()]
    hits, false = sum(one.hits for one in outcomes), sum(len(one.false) for one in outcomes)
    weeks = sum(one.point_weeks for one in outcomes)
    recall = len(delays) / faults if faults else None
    precision = hits / (hits + false) if hits + false else None
    return {
        "recall": recall,
        "precision": precision,
        "f1": 2 * recall * precision / (recall + precision) if recall and precision else 0.0,
        "false_alarms_per_100_points_week": 100.0 * false / weeks if weeks else None,
        "delay_p50_s": float(np.median(delays)) if delays else None,
        "faults": faults,
        "found": len(delays),
        "false": false,
        "point_weeks": weeks,
        "recall_by_kind": _by_kind(outcomes),
        "false_by_rule": dict(Counter(alarm.what for one in outcomes for alarm in one.false)),
    }


def _by_kind(outcomes: Sequence[Outcome]) -> dict[str, str]:
    """Found of how many, by kind of fault."""
    every = Counter(fault.kind.value for one in outcomes for fault in one.faults)
    found = Counter(one.faults[number].kind.value for one in outcomes for number in one.delays_s)
    return {kind: f"{found[kind]}/{n}" for kind, n in sorted(every.items())}


def run(shared: Path | None, baselines: dict[str, Method], say: Say, *, development: bool = False) -> dict[str, Any]:
    """Score the default rules and the baselines on all parks at hand, with each seed."""
    scenes = [scene(park, seed) for park in meters.parks(shared, say, is_development=development) for seed in SEEDS]
    report = summary([judge(one, by_rules(one, builtin_rules())) for one in scenes])
    report["series"] = sorted({meter.code for one in scenes for meter in one.park.meters})
    report["baselines"] = {}
    for name, method in tqdm(baselines.items(), desc="injected"):
        report["baselines"][name] = summary([judge(one, by_method(one, method)) for one in scenes])
    return report
