"""What rules would have told over a stretch of history: the same evaluation as live, over what is stored.

Readings go through the rules in the order of time, in parts that memory holds, and what is found becomes alerts as it
does live, in memory alone. What is stored by now counts, late readings included: that is what live and late judging
together come to. What is not in it: silences, who was told, and rules about edge agents, of which no history is kept.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np
from smartpark.alerts.course import Course, Step, proceed, settle
from smartpark.alerts.events import About, Event
from smartpark.alerts.life import Alert, RefusedEventError, follow
from smartpark.alerts.rules import Rule, Source, builtin_rules, load_rules
from smartpark.alerts.words import Severity
from smartpark.clock import PARK_ZONE, to_us
from smartpark.errors import SmartparkError
from smartpark.workdays import WorkdayCalendar
from smartpark_analytics.alerts.evaluating import Found
from smartpark_storage import Connection
from smartpark_storage.alerts import read_rules

from smartpark_ingest.alerting.history import WIDTH_US, History
from smartpark_ingest.alerting.judging import judge
from smartpark_ingest.alerting.reexamining import News
from smartpark_ingest.alerting.rules_in_force import InForce, bind, learn
from smartpark_ingest.alerting.surroundings import Scene, look_around

_READINGS_AT_ONCE: Final = 2_000_000
_STEP_US: Final = 10_000_000
"""Of points of which it is not known how often they speak. [µs]"""
_SHORTEST_US: Final = 600_000_000
_LONGEST_US: Final = 7 * 86_400_000_000
_WEEK: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Told:
    """An alert that there would have been."""

    alert: Alert

    def document(self) -> dict[str, Any]:
        """As JSON."""
        alert = self.alert
        return {
            "rule": alert.about.rule,
            "object": alert.about.object,
            "severity": alert.severity.value,
            "since": alert.since.isoformat(),
            "fired_at": None if alert.fired_at is None else alert.fired_at.isoformat(),
            "cleared_at": None if alert.cleared_at is None else alert.cleared_at.isoformat(),
            "reopened": alert.reopened,
            "worst": alert.worst.value,
            "limit": alert.worst.limit,
            "unit": alert.worst.unit,
        }

    def line(self) -> str:
        """For people, in the park's time."""
        alert = self.alert
        over = "holds" if alert.cleared_at is None else f"until {_local(alert.cleared_at)}"
        worst = "" if alert.worst.value is None else f", worst {alert.worst.value:g} {alert.worst.unit}"
        limit = "" if alert.worst.limit is None else f" (limit {alert.worst.limit:g})"
        again = f", came back {alert.reopened} times" if alert.reopened else ""
        return f"{_local(alert.since)} {alert.about.rule} {alert.about.object}: {over}{worst}{limit}{again}"


def _local(moment: datetime) -> str:
    return f"{moment.astimezone(PARK_ZONE):%Y-%m-%d %H:%M:%S}"


@dataclass(slots=True)
class Backtest:
    """What came of it."""

    start: datetime
    end: datetime
    rules: int
    objects: int
    alerts: list[Told] = field(default_factory=list[Told])

    def summary(self) -> dict[str, Any]:
        """Counts."""
        weeks = (self.end - self.start) / _WEEK
        count = len(self.alerts)
        return {
            "alerts": count,
            "objects_with_alerts": len({one.alert.about.object for one in self.alerts}),
            "rules": self.rules,
            "objects": self.objects,
            "per_100_objects_and_week": round(100 * count / self.objects / weeks, 3) if self.objects else 0.0,
        }


def rules_named(connection: Connection, name: str, park: str | None = None) -> list[Rule]:
    """Rules of a file, or the rule of that code in the database or among those that a new park begins with."""
    path = Path(name)
    if path.suffix == ".toml" or path.is_file():
        found = list(load_rules(path))
    else:
        known = {rule.code: rule for rule in builtin_rules()}
        known |= {one.rule.code: one.rule for one in read_rules(connection)}
        if name not in known:
            raise SmartparkError(f"there is no rule {name}; there are: {', '.join(sorted(known))}; or give a file")
        found = [known[name]]
    if park is None:
        return found
    return [rule.model_copy(update={"scope": rule.scope.model_copy(update={"parks": (park,)})}) for rule in found]


def backtest(
    connection: Connection,
    rules: Iterable[Rule],
    start: datetime,
    end: datetime,
    *,
    calendar: WorkdayCalendar,
    progress: Callable[[float], None] | None = None,
) -> Backtest:
    """Let rules judge what is stored of [start, end)."""
    if end <= start:
        raise SmartparkError(f"--to {end.isoformat()} does not come after --from {start.isoformat()}")
    history = History(connection)
    scene = look_around(connection, history.registry, end, calendar=calendar, edge_of={})
    bound: list[InForce] = []
    for rule in rules:
        if rule.source is Source.EDGE:
            raise SmartparkError(f"rule {rule.code} is about edge agents, and what they say is not kept")
        bound.append(learn(connection, history, scene, bind(rule, 1, scene), start))
    found = Backtest(start, end, len(bound), sum(len(one.keys) for one in bound))
    for number, one in enumerate(bound):
        folded = _Fold(one.rule.severity)
        for upto_us, news in _judged(connection, history, scene, one, (to_us(start), to_us(end))):
            folded.take(news)
            if progress is not None:
                share = (upto_us - to_us(start)) / (to_us(end) - to_us(start))
                progress((number + max(0.0, min(share, 1.0))) / len(bound))
        found.alerts += [Told(alert) for alert in folded.finished(start, end)]
    found.alerts.sort(key=lambda told: (told.alert.since, told.alert.about.rule, told.alert.about.object))
    return found


def _judged(
    connection: Connection, history: History, scene: Scene, one: InForce, span_us: tuple[int, int]
) -> Iterator[tuple[int, list[News]]]:
    """What a rule finds, part by part; each part's end."""
    if not one.keys:
        return
    start, end = span_us
    points = scene.point_ids(one.series())
    width = WIDTH_US.get(one.rule.source, 0)
    if width:
        # A window counts once it is over.
        start, end = start // width * width, end // width * width
    at = start - one.evaluation.lookback_us
    step = _part_us(scene, one)
    one.evaluation.begin(())
    while at < end:
        upto = min(at - at % step + step, end)
        values = history.values(connection, points.tolist(), at, upto, one.rule.source)
        found = judge([one], scene.samples(values), upto)
        if one.trouble:
            raise SmartparkError(f"rule {one.rule.code} cannot judge this stretch: {one.trouble}")
        yield upto, [_news(one, news) for _, news in found]
        at = upto


def _part_us(scene: Scene, one: InForce) -> int:
    if one.rule.source is not Source.READING:
        return _LONGEST_US
    series = one.series()
    steps = np.minimum(scene.around.usual_step_us[series], _STEP_US) if series.size else np.array([_STEP_US])
    readings_per_us = float((1.0 / np.maximum(steps, 1)).sum())
    return round(min(max(_READINGS_AT_ONCE / readings_per_us, _SHORTEST_US), _LONGEST_US))


def _news(one: InForce, found: Found) -> News:
    about: About = one.about(found.row, one.subjects[found.row].park, None)
    return News(one.keys[found.row], found.episode, about, one.rule.severity)


class _Fold:
    """Makes alerts of what is found, as live, in memory."""

    def __init__(self, severity: Severity) -> None:
        self._severity = severity
        self._newest: dict[str, Alert] = {}
        self._over: list[Alert] = []

    def take(self, news: Sequence[News]) -> None:
        """What one part has shown."""
        for one in news:
            subject = one.about.object
            alert = self._newest.get(subject)
            if alert is not None:
                alert = self._newest[subject] = _settled(alert, one.episode.since)
            self._follow(subject, proceed(alert, one.episode, one.about, one.severity))

    def finished(self, start: datetime, end: datetime) -> list[Alert]:
        """Alerts that fired and touch the span."""
        every = [*self._over, *(_settled(alert, end) for alert in self._newest.values())]
        return [
            alert
            for alert in every
            if alert.fired_at is not None
            and alert.since < end
            and (alert.cleared_at is None or alert.cleared_at > start)
        ]

    def _follow(self, subject: str, course: Course) -> None:
        alert = self._newest.get(subject)
        if course.is_forgotten:
            del self._newest[subject]
        elif course.is_new:
            if alert is not None:
                self._over.append(alert)
            self._newest[subject] = _followed(None, course.steps)
        elif alert is not None and course.steps:
            self._newest[subject] = _followed(alert, course.steps)


def _followed(alert: Alert | None, steps: Iterable[Step]) -> Alert:
    for step in steps:
        sequence = 1 if alert is None else alert.sequence + 1
        alert = follow(alert, Event(sequence=sequence, at=step.at, recorded_at=step.at, body=step.body))
    if alert is None:
        raise RefusedEventError("an alert begins by having begun")
    return alert


def _settled(alert: Alert, now: datetime) -> Alert:
    steps = settle(alert, now)
    return _followed(alert, steps) if steps else alert
