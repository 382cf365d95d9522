"""Rules that look at quarter-hours and hours: judged when these close, and again when something late touches them.

A window is judged a little after its end, so that what is under way still counts; counters are given time until
`derive` has computed them. A window that was judged and that readings came for afterwards is *touched*: what it was
part of is judged anew. How far windows were judged stands in the checkpoint.
"""

import logging
from datetime import datetime
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray
from smartpark.alerts.rules import Source
from smartpark.clock import from_us, to_us
from smartpark_analytics.alerts.evaluating import Found
from smartpark_analytics.alerts.samples import Ints, Samples
from smartpark_storage import Connection

from smartpark_ingest.alerting.history import WIDTH_US
from smartpark_ingest.alerting.judging import as_news, judge, still_standing
from smartpark_ingest.alerting.late import Stretch, from_the_beginning, reexamined
from smartpark_ingest.alerting.reexamining import Reexamined
from smartpark_ingest.alerting.rules_in_force import InForce, of_source, put_aside
from smartpark_ingest.alerting.values import joined
from smartpark_ingest.alerting.watching import Spans, chosen

if TYPE_CHECKING:
    from smartpark_ingest.alerting.engine import Engine

_log = logging.getLogger(__name__)

GRACE_US: Final = {Source.QUARTER: 30_000_000, Source.HOUR: 60_000_000}
"""Time after the end of a window in which its last readings may arrive. [µs]"""
DERIVE_US: Final = 600_000_000
"""So long after the end of a window counters are waited for. [µs]"""
SOURCES: Final = (Source.QUARTER, Source.HOUR)


class Windows:
    """How far windows have been judged, and which of them readings came for afterwards."""

    def __init__(self) -> None:
        self._until: dict[Source, int] = {}
        self._touched: dict[Source, dict[int, set[int]]] = {source: {} for source in SOURCES}
        """Points by the start of the window. [µs]"""
        self._checked_us = 0

    def judged_until(self) -> tuple[datetime | None, datetime | None]:
        """Quarter-hours and hours that begin before were judged."""
        quarters, hours = (self._until.get(source) for source in SOURCES)
        return None if quarters is None else from_us(quarters), None if hours is None else from_us(hours)

    def resume(self, quarters: datetime | None, hours: datetime | None) -> None:
        """Go on from where another process was."""
        for source, moment in zip(SOURCES, (quarters, hours), strict=True):
            if moment is not None:
                self._until[source] = to_us(moment)

    @property
    def has_touched(self) -> bool:
        """Whether windows wait to be judged anew."""
        return any(self._touched[source] for source in SOURCES)

    def take_up(self, connection: Connection, engine: "Engine", now: datetime) -> None:
        """Give rules the windows they need to know where they stand; then judge those that have closed since."""
        for source in SOURCES:
            rules = of_source(engine.rules, source)
            closed = _closed(source, now)
            until = self._until.setdefault(source, closed)
            if not rules:
                self._until[source] = closed
                continue
            for one in rules:
                if not one.evaluation.is_learnt and one.waits_from_us is None:
                    one.waits_from_us = until
            _show(connection, engine, rules, until, now)
            found = self._judge(connection, engine, source, rules, closed)
            if found:
                engine.record(connection, as_news(found, engine.about), now, (), everything=False, tells=False)

    def join(self, connection: Connection, engine: "Engine", rules: list[InForce], now: datetime) -> None:
        """Let rules come up with the others: these go on from what they remember, and are given nothing twice."""
        for source in SOURCES:
            some = of_source(rules, source)
            if not some:
                continue
            until = self._until.setdefault(source, _closed(source, now))
            for one in some:
                since = until if one.waits_from_us is None else min(one.waits_from_us, until)
                one.waits_from_us = None if one.evaluation.is_learnt else since
                _show(connection, engine, [one], since, now)
                if one.evaluation.is_learnt and since < until:
                    samples = _samples(connection, engine, [one], source, (since, until), fresh=True)
                    news = as_news(judge([one], samples, until), engine.about)
                    engine.record(connection, news, now, (), everything=False, tells=False)

    def touch(self, engine: "Engine", *came: Spans) -> bool:
        """Note windows that were judged and that readings have come for; says whether there were any."""
        found = False
        for source in SOURCES:
            rules = of_source(engine.rules, source)
            until = self._until.get(source)
            if not rules or until is None:
                continue
            watched = engine.watched_by(source)
            for spans in came:
                old = chosen(spans, spans.start_us < until)
                found |= self._touch_spans(source, watched, old, until)
        return found

    def _touch_spans(self, source: Source, watched: NDArray[np.bool_], spans: Spans, until_us: int) -> bool:
        width, touched, found = WIDTH_US[source], self._touched[source], False
        for point, start, end in zip(*(column.tolist() for column in spans), strict=True):
            if point >= watched.size or not watched[point]:
                continue
            for window in range(start - start % width, min(end, until_us), width):
                touched.setdefault(window, set()).add(point)
                found = True
        return found

    def judge(self, connection: Connection, engine: "Engine", now: datetime) -> list[tuple[InForce, Found]]:
        """Judge windows that have closed since last time, of which everything is there."""
        found: list[tuple[InForce, Found]] = []
        for source in SOURCES:
            closed = _closed(source, now)
            if self._until.get(source, closed) >= closed:
                self._until.setdefault(source, closed)
                continue
            rules = of_source(engine.rules, source)
            if not rules:
                self._until[source] = closed
            elif self._is_ready(connection, engine, rules, closed, now):
                found += self._judge(connection, engine, source, rules, closed)
        return found

    def reexamine(self, connection: Connection, engine: "Engine", now: datetime) -> list[Reexamined] | None:
        """Judge touched windows anew; None: counters in them are still to be derived."""
        points = {point for source in SOURCES for some in self._touched[source].values() for point in some}
        oldest = min((window for source in SOURCES for window in self._touched[source]), default=0)
        newest = max((window + WIDTH_US[source] for source in SOURCES for window in self._touched[source]), default=0)
        waits = to_us(now) - self._checked_us < DERIVE_US if self._checked_us else True
        if oldest and waits and engine.history.counters_not_ready(connection, points, newest):
            self._checked_us = self._checked_us or to_us(now)
            return None
        self._checked_us = 0
        found: list[Reexamined] = []
        for source in SOURCES:
            touched, self._touched[source] = self._touched[source], {}
            if touched:
                found += self._judge_anew(connection, engine, source, touched)
        return found

    def _is_ready(
        self, connection: Connection, engine: "Engine", rules: list[InForce], closed_us: int, now: datetime
    ) -> bool:
        if to_us(now) >= closed_us + DERIVE_US:
            return True
        return not engine.history.counters_not_ready(connection, _points(engine, rules).tolist(), closed_us)

    def _judge(
        self, connection: Connection, engine: "Engine", source: Source, rules: list[InForce], closed_us: int
    ) -> list[tuple[InForce, Found]]:
        start = self._until[source]
        if start >= closed_us:
            return []
        samples = _samples(connection, engine, rules, source, (start, closed_us), fresh=True)
        self._until[source] = closed_us
        return judge(rules, samples, closed_us)

    def _judge_anew(
        self, connection: Connection, engine: "Engine", source: Source, touched: dict[int, set[int]]
    ) -> list[Reexamined]:
        width, until = WIDTH_US[source], self._until[source]
        start, end = min(touched), max(touched) + width
        points = np.array(sorted({point for some in touched.values() for point in some}), np.int64)
        series = engine.scene.series_of(points)
        found: list[Reexamined] = []
        for one in of_source(engine.rules, source):
            rows = one.rows(series)
            # Whoever has still to learn knows nothing to hold against what is on record.
            if not rows.size or not one.evaluation.is_learnt:
                continue
            doubt = from_the_beginning(connection, one, Stretch(rows, start, end))
            lookback = one.evaluation.lookback_us
            reaches_now = end + lookback >= until
            upto = until if reaches_now else end + lookback
            mine = engine.scene.point_ids(one.series(doubt.rows)).tolist()
            kept = engine.history.values(connection, mine, doubt.start_us - lookback, upto, source)
            fresh = engine.history.values(connection, mine, start, min(end, upto), source, fresh=True)
            samples = engine.scene.samples(joined([kept, fresh]))
            with put_aside(one):
                made = (
                    one.evaluation.redo(doubt.rows, samples, until)
                    if reaches_now
                    else one.evaluation.at_once(samples, doubt.start_us, upto)
                )
                found.append(reexamined(engine, one, doubt._replace(end_us=upto), made, reaches_now=reaches_now))
        return found


def _show(connection: Connection, engine: "Engine", rules: list[InForce], until_us: int, now: datetime) -> None:
    """Give rules of one source the windows before a moment that they need to know where they stand."""
    lookback = max(one.evaluation.lookback_us for one in rules)
    samples = _samples(connection, engine, rules, rules[0].rule.source, (until_us - lookback, until_us))
    standing = still_standing(engine.book, judge(rules, samples, until_us))
    if standing:
        engine.record(connection, as_news(standing, engine.about), now, (), everything=False, tells=False)


def _closed(source: Source, now: datetime) -> int:
    """End of the last window that has had its time [µs]."""
    width = WIDTH_US[source]
    return (to_us(now) - GRACE_US[source]) // width * width


def _points(engine: "Engine", rules: list[InForce]) -> Ints:
    return engine.scene.point_ids(np.unique(np.concatenate([one.series() for one in rules])))


def _samples(
    connection: Connection,
    engine: "Engine",
    rules: list[InForce],
    source: Source,
    span_us: tuple[int, int],
    *,
    fresh: bool = False,
) -> Samples:
    points = _points(engine, rules).tolist()
    return engine.scene.samples(engine.history.values(connection, points, *span_us, source, fresh=fresh))
