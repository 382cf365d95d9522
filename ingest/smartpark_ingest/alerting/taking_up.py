"""Taking up the work: what rules remember is built from what is stored, and what came meanwhile is judged in order.

The checkpoint says how far each point had been judged. What lies before it is history: rules are given as much of it
as they need to know where they stand, and it makes no news but of what still holds. What lies behind it is judged as
it would have been, in the order of time and in stretches, each recorded by itself, so that whoever is killed in the
middle goes on from there. Nobody is told before the end, and then only of what matters by then.

Changes that waited, and that this has covered, are dealt with; those that bring readings from before the checkpoint
came late.
"""

import logging
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray
from smartpark.alerts.rules import Source
from smartpark.clock import to_us
from smartpark_analytics.alerts.evaluating import Found
from smartpark_analytics.alerts.samples import NOT_YET_US, Ints
from smartpark_storage import Connection
from smartpark_storage.alerts.progress import newest_readings, read_checkpoint, waiting_changes

from smartpark_ingest.alerting.edges import EdgeWatch
from smartpark_ingest.alerting.judging import as_news, judge, still_standing
from smartpark_ingest.alerting.rules_in_force import InForce, of_source
from smartpark_ingest.alerting.values import Values, chosen
from smartpark_ingest.alerting.watching import WATCHER, Spans

if TYPE_CHECKING:
    from smartpark_ingest.alerting.engine import Engine

_log = logging.getLogger(__name__)

_MINUTE_US: Final = 60_000_000
_SLICE_US: Final = 10 * _MINUTE_US
"""What is read and judged at once. [µs]"""
_LONG_SILENT_US: Final = 2 * 86_400_000_000
"""Points that have been silent for longer are taken up with their last reading alone. [µs]"""


def take_up(
    connection: Connection,
    engine: "Engine",
    now: datetime,
    progress: Callable[[float], None] | None,
    *,
    from_checkpoint: bool = True,
    since: datetime | None = None,
) -> None:
    """Build what the rules of an engine remember, and judge what has come since.

    Parameters
    ----------
    connection : Connection
    engine : Engine
        Its rules are bound, and remember nothing.
    now : datetime
    progress : callable, optional
        Told the share that is done. [0-1]
    from_checkpoint : bool
        Whether what was judged is read from the database; else the engine knows it.
    since : datetime, optional
        Where nothing was ever judged: from when on readings that are stored are; by default none of them.
    """
    if from_checkpoint:
        # What waits now is stored, and will be read below.
        _read_marks(connection, engine, waiting_changes(connection), since)
    _begin(engine, engine.rules)
    _readings(connection, engine, now, progress)
    engine.windows.take_up(connection, engine, now)
    _edges(connection, engine, now)


def join(connection: Connection, engine: "Engine", rules: list[InForce], now: datetime) -> None:
    """Let some rules of an engine begin anew, while the others go on: as `take_up`, up to where these are."""
    _begin(engine, rules)
    _past_readings(connection, engine, rules, now)
    engine.windows.join(connection, engine, rules, now)
    of_edges = of_source(rules, Source.EDGE)
    if of_edges:
        watch = EdgeWatch()
        watch.watch(engine.scene.edges)
        found = judge(of_edges, watch.heard(connection), to_us(now) - _MINUTE_US)
        engine.record(connection, as_news(found, engine.about), now, (), everything=False, tells=False)


def _begin(engine: "Engine", rules: Iterable[InForce]) -> None:
    """Forget everything but the alerts on record."""
    for one in rules:
        row_of = one.row_of()
        standing = [
            (row_of[entry.key.object], entry.alert)
            for entry in engine.book.entries()
            if entry.key.rule == one.rule.code and entry.key.object in row_of and entry.alert.holds
        ]
        one.evaluation.begin(standing)


def _read_marks(connection: Connection, engine: "Engine", waiting: Ints, since: datetime | None) -> None:
    """How far everything was judged; where nothing was ever, what is stored by now (or from before `since`) was."""
    marks, checkpoint = engine.marks, read_checkpoint(connection, WATCHER)
    highest = max((point.point_id for point in engine.scene.points), default=0)
    marks.reach(highest)
    marks.seen_us[:] = NOT_YET_US
    if checkpoint is None:
        newest = newest_readings(connection)
        points = np.array(sorted(newest), np.int64)
        marks.reach(int(points.max(initial=0)))
        last = np.array([newest[point] for point in points.tolist()], np.int64)
        marks.seen_us[points] = last if since is None else np.minimum(last, to_us(since))
    else:
        marks.reach(int(checkpoint.points.max(initial=0)))
        marks.seen_us[checkpoint.points] = checkpoint.seen_us
        marks.edge[checkpoint.points] = checkpoint.edges
        engine.windows.resume(checkpoint.quarters_until, checkpoint.hours_until)
    marks.begin_covering(waiting)


def _readings(
    connection: Connection, engine: "Engine", now: datetime, progress: Callable[[float], None] | None
) -> None:
    rules = of_source(engine.rules, Source.READING)
    if not rules:
        _skip_to_newest(connection, engine)
        return
    points, lookback = _watched_points(engine, rules)
    seen = engine.marks.seen_us[points]
    active = _has_gone_on(connection, points, seen, seen > to_us(now) - _LONG_SILENT_US - lookback)
    _last_words(connection, engine, rules, points[~active], seen[~active])
    points, seen, lookback = points[active], seen[active], lookback[active]
    from_us = np.where(seen == NOT_YET_US, NOT_YET_US, seen - lookback)
    history: list[tuple[InForce, Found]] = []
    gone_on = set[tuple[int, int]]()
    start, end = _bounds(seen, from_us, to_us(now))
    at = start
    while at < end:
        upto = min(at - at % _SLICE_US + _SLICE_US, end)
        values = _span(connection, engine, points[from_us < upto], at, upto)
        is_past = values.time_us <= engine.marks.seen_us[values.point]
        before, since = _parts(values, is_past)
        history += judge(rules, engine.scene.samples(before))
        if since.size:
            found = judge(rules, engine.scene.samples(since), upto if upto < end else NOT_YET_US)
            engine.windows.touch(engine, Spans(since.point, since.time_us, since.time_us + 1))
            engine.marks.advance(since.point, since.time_us)
            gone_on |= {(id(one), news.row) for one, news in found}
            if found:
                engine.record(connection, as_news(found, engine.about), now, (), everything=False, tells=False)
        at = upto
        if progress is not None:
            progress((at - start) / max(end - start, 1))
    # Of what has gone on since, more is known by now.
    standing = still_standing(engine.book, [one for one in history if (id(one[0]), one[1].row) not in gone_on])
    if standing:
        engine.record(connection, as_news(standing, engine.about), now, (), everything=False, tells=False)


def _has_gone_on(connection: Connection, points: Ints, seen: Ints, is_recent: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Points that are not silent: judged lately, or judged long ago and readings have been stored since."""
    if is_recent.all():
        return is_recent
    newest = newest_readings(connection)
    stored = np.array([newest.get(point, NOT_YET_US) for point in points.tolist()], np.int64)
    return is_recent | ((seen != NOT_YET_US) & (stored > seen))


def _past_readings(connection: Connection, engine: "Engine", rules: list[InForce], now: datetime) -> None:
    """Give some rules the readings that the others have judged already, as far back as they need them."""
    rules = of_source(rules, Source.READING)
    if not rules:
        return
    points, lookback = _watched_points(engine, rules)
    seen = engine.marks.seen_us[points]
    active = seen > to_us(now) - _LONG_SILENT_US - lookback
    _last_words(connection, engine, rules, points[~active], seen[~active])
    points, seen, lookback = points[active], seen[active], lookback[active]
    starts = seen - lookback
    at, end = int(starts.min(initial=to_us(now))), int(seen.max(initial=NOT_YET_US)) + 1
    found: list[tuple[InForce, Found]] = []
    while at < end:
        upto = min(at - at % _SLICE_US + _SLICE_US, end)
        values = _span(connection, engine, points[(starts < upto) & (seen >= at)], at, upto)
        past = chosen(values, values.time_us <= engine.marks.seen_us[values.point])
        found += judge(rules, engine.scene.samples(past))
        at = upto
    standing = still_standing(engine.book, found)
    if standing:
        engine.record(connection, as_news(standing, engine.about), now, (), everything=False, tells=False)


def _watched_points(engine: "Engine", rules: list[InForce]) -> tuple[Ints, Ints]:
    """Points that rules look at, and how far back the one that looks back furthest does. [µs]."""
    need = np.full(len(engine.scene.points), -1, np.int64)
    for one in rules:
        series = one.series()
        need[series] = np.maximum(need[series], one.evaluation.lookback_us)
    series = np.flatnonzero(need >= 0)
    points = engine.scene.point_ids(series)
    engine.marks.reach(int(points.max(initial=0)))
    return points, need[series]


def _bounds(seen: Ints, starts: Ints, now_us: int) -> tuple[int, int]:
    """From where to where there is anything to read, a while beyond now for clocks that are fast."""
    known = seen[seen != NOT_YET_US]
    start = int(starts[starts != NOT_YET_US].min(initial=now_us))
    return start, max(int(known.max(initial=now_us)), now_us) + _MINUTE_US


def _span(connection: Connection, engine: "Engine", points: Ints, start_us: int, end_us: int) -> Values:
    start, end = np.full(points.size, start_us, np.int64), np.full(points.size, end_us, np.int64)
    return engine.history.spans(connection, Spans(points, start, end))


def _parts(values: Values, is_first: NDArray[np.bool_]) -> tuple[Values, Values]:
    return chosen(values, is_first), chosen(values, ~is_first)


def _last_words(connection: Connection, engine: "Engine", rules: list[InForce], points: Ints, seen: Ints) -> None:
    """Of points that have been silent for long the last reading alone; of some nothing was ever heard."""
    known = seen != NOT_YET_US
    points, seen = points[known], seen[known]
    if points.size:
        values = engine.history.spans(connection, Spans(points, seen, seen + 1))
        judge(rules, engine.scene.samples(values))


def _skip_to_newest(connection: Connection, engine: "Engine") -> None:
    """Nobody looks at readings: what is stored by now counts as judged."""
    newest = newest_readings(connection)
    if newest:
        points = np.array(sorted(newest), np.int64)
        engine.marks.reach(int(points.max()))
        engine.marks.advance(points, np.array([newest[point] for point in points.tolist()], np.int64))


def _edges(connection: Connection, engine: "Engine", now: datetime) -> None:
    rules = of_source(engine.rules, Source.EDGE)
    heard = engine.edges.heard(connection)
    found = judge(rules, heard, to_us(now) - _MINUTE_US) if rules else []
    if found:
        engine.record(connection, as_news(found, engine.about), now, (), everything=False, tells=False)
