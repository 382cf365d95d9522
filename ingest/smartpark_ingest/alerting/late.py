"""Readings that came late: the stretch they touch is judged anew, at once, and held against what is on record.

Late readings are collected for a moment, for they come in crowds. The changes that told of them are let go in the
transaction that records what came of it, so that nothing is lost when the process is killed in between. Whoever was
told of what proves wrong is told that it is over; nobody is woken for yesterday.
"""

import logging
import time
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from smartpark.alerts.course import Episode
from smartpark.alerts.rules import Source
from smartpark.clock import from_us, to_us
from smartpark_analytics.alerts.evaluating import Found
from smartpark_analytics.alerts.samples import NOT_YET_US, Ints
from smartpark_storage import Connection
from smartpark_storage.alerts import alerts_between

from smartpark_ingest.alerting.reexamining import Reexamined, last_states
from smartpark_ingest.alerting.rules_in_force import InForce, of_source, put_aside
from smartpark_ingest.alerting.values import Values, joined
from smartpark_ingest.alerting.watching import NO_SPANS, Claimed, Spans, chosen, united

if TYPE_CHECKING:
    from smartpark_ingest.alerting.engine import Engine

_log = logging.getLogger(__name__)

PATIENCE_US: Final = 5_000_000
"""What a reading may be under way before its point counts as silent at that moment. [µs]"""
COLLECT_S: Final = 2.0
"""So long late readings are collected. [s]"""
MOST_HELD: Final = 1000
"""Changes that are held at most before they are judged whatever the time."""
_DAY_US: Final = 86_400_000_000
_LONGEST_US: Final = 31 * _DAY_US
"""So far back are alerts on record looked at from their beginning. [µs]"""
_SLICE_US: Final = 6 * 3_600_000_000


class LateQueue:
    """Stretches that are to be judged anew, and the changes that told of them."""

    def __init__(self) -> None:
        self.held: set[int] = set()
        """Changes in hand."""
        self._spans: list[Spans] = []
        self._since_s: float | None = None

    @property
    def is_empty(self) -> bool:
        """Whether no stretch waits."""
        return not self._spans

    def take(self, claimed: Claimed, *, touches_windows: bool) -> None:
        """Hold what came late; `touches_windows`: or belongs to windows that were judged."""
        if not claimed.late.size and not touches_windows:
            return
        self.held.update(claimed.changes)
        if claimed.late.size:
            self._spans.append(claimed.late)
        self._since_s = self._since_s if self._since_s is not None else time.monotonic()

    def is_due(self, now_s: float) -> bool:
        """Whether it is time to judge what has been collected."""
        if self._since_s is None:
            return False
        return now_s - self._since_s >= COLLECT_S or len(self.held) >= MOST_HELD

    def hurry(self) -> bool:
        """Let it be time now, as nothing more is to come that it could be collected with; false: it was already."""
        was_collecting = self._since_s is not None and self._since_s > float("-inf")
        if was_collecting:
            self._since_s = float("-inf")
        return was_collecting

    def take_spans(self) -> Spans:
        """All stretches, one of each point; none is left."""
        spans, self._spans = self._spans, []
        if not spans:
            return NO_SPANS
        return united(*(np.concatenate(columns) for columns in zip(*spans, strict=True)))

    def done(self) -> list[int]:
        """Changes that have been dealt with; none is held any more."""
        held, self.held, self._since_s = sorted(self.held), set(), None
        return held


class Stretch(NamedTuple):
    """Objects of a rule, and the span in which something about them is in doubt."""

    rows: Ints
    start_us: int
    end_us: int


def reexamine_readings(connection: Connection, engine: "Engine", spans: Spans, now: datetime) -> list[Reexamined]:
    """Judge anew what rules that look at readings make of these stretches."""
    found: list[Reexamined] = []
    # What comes late says nothing of clocks, and when all the rest came is not kept.
    rules = [one for one in of_source(engine.rules, Source.READING) if not one.evaluation.asks_when_received]
    for days in _by_days(spans):
        series = engine.scene.series_of(days.point)
        for one in rules:
            rows = one.rows(series)
            # Whoever has still to learn knows nothing to hold against what is on record.
            if rows.size and one.evaluation.is_learnt:
                doubt = Stretch(rows, int(days.start_us.min()), int(days.end_us.max()))
                with put_aside(one):
                    found.append(_judge_anew(connection, engine, one, doubt, now))
    return found


def _by_days(spans: Spans) -> list[Spans]:
    """Stretches that begin on the same day are judged together."""
    day = spans.start_us // _DAY_US
    return [chosen(spans, day == one) for one in np.unique(day).tolist()]


def _judge_anew(connection: Connection, engine: "Engine", one: InForce, doubt: Stretch, now: datetime) -> Reexamined:
    """Judge some objects of a rule of readings over a stretch, and as long after it as it may matter."""
    lookback = one.evaluation.lookback_us
    doubt = from_the_beginning(connection, one, doubt)
    points = engine.scene.point_ids(one.series(doubt.rows))
    seen = engine.marks.seen_us[points]
    newest = int(seen.max(initial=NOT_YET_US))
    reaches_now = doubt.end_us + lookback >= int(seen[seen != NOT_YET_US].min(initial=newest))
    upto = newest + 1 if reaches_now else doubt.end_us + lookback
    ends = np.where(seen == NOT_YET_US, upto, np.minimum(upto, seen + 1))
    samples = engine.scene.samples(_history(connection, engine, points, doubt.start_us - lookback, ends))
    if reaches_now:
        made = one.evaluation.redo(doubt.rows, samples, to_us(now) - PATIENCE_US)
    else:
        made = one.evaluation.at_once(samples, doubt.start_us, upto)
    return reexamined(engine, one, doubt._replace(end_us=upto), made, reaches_now=reaches_now)


def from_the_beginning(connection: Connection, one: InForce, doubt: Stretch) -> Stretch:
    """What to judge anew, so that alerts on record that it touches are seen from their beginning."""
    rows = np.arange(len(one.keys)) if one.evaluation.is_whole else doubt.rows
    objects = [one.keys[row].object for row in rows.tolist()]
    start, end = from_us(doubt.start_us), from_us(doubt.end_us)
    stored = alerts_between(connection, one.rule.code, objects, start, end)
    earliest = min((to_us(alert.alert.since) for alert in stored), default=doubt.start_us)
    return Stretch(rows, max(min(doubt.start_us, earliest), doubt.start_us - _LONGEST_US), doubt.end_us)


def reexamined(
    engine: "Engine", one: InForce, judged: Stretch, made: Iterable[Found], *, reaches_now: bool
) -> Reexamined:
    """What came of judging rows of a rule anew, in words of alerts."""
    abouts = {row: engine.about(one, row) for row in judged.rows.tolist()}
    start, end = from_us(judged.start_us), from_us(judged.end_us)
    episodes = last_states((news.row, news.episode) for news in made if news.row in abouts)
    return Reexamined(
        one.rule.code,
        {about.object: about for about in abouts.values() if about is not None},
        one.rule.severity,
        {
            about.object: [episode for episode in episodes.get(row, ()) if _touches(episode, start, end)]
            for row, about in abouts.items()
            if about is not None
        },
        start,
        end + timedelta(microseconds=1),
        reaches_now,
    )


def _touches(episode: Episode, start: datetime, end: datetime) -> bool:
    return episode.since <= end and (episode.cleared_at is None or episode.cleared_at > start)


def _history(connection: Connection, engine: "Engine", points: Ints, start_us: int, ends_us: Ints) -> Values:
    """Readings of points, of each no later than it has been judged: what comes after that is live."""
    parts: list[Values] = []
    for at in range(start_us, int(ends_us.max(initial=start_us)), _SLICE_US):
        ends = np.minimum(at + _SLICE_US, ends_us)
        is_any = ends > at
        starts = np.full(int(is_any.sum()), at, np.int64)
        parts.append(engine.history.spans(connection, Spans(points[is_any], starts, ends[is_any])))
    return joined(parts)
