"""Everything that an evaluating process has in memory, and its turn of work: claim, read, judge, record, let go.

One turn is one transaction for what it changes: the events of alerts, who is told, and that the readings which led
to them are dealt with. Killed before the commit, nothing has happened, and the next process finds the same readings;
killed after it, nothing is left to do. What is in memory follows from what is stored: it is thrown away whenever it
is in doubt, and built anew (`taking_up`).
"""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray
from smartpark.alerts.events import About
from smartpark.alerts.rules import Source
from smartpark.clock import to_us
from smartpark.workdays import WorkdayCalendar
from smartpark_analytics.alerts.evaluating import Found
from smartpark_analytics.alerts.samples import NEVER_US, NOT_YET_US, Ints
from smartpark_storage import Connection, registry_version, transaction
from smartpark_storage.alerts import StaleAlertError, delete_changes, keep_watch, read_rules
from smartpark_storage.alerts.progress import Checkpoint, claim_changes_but, count_rule_versions, keep_checkpoint

from smartpark_ingest.alerting.book import Book
from smartpark_ingest.alerting.edges import EdgeWatch
from smartpark_ingest.alerting.history import History
from smartpark_ingest.alerting.judging import as_news, judge, share_selectors
from smartpark_ingest.alerting.late import PATIENCE_US, LateQueue, reexamine_readings
from smartpark_ingest.alerting.learning import Learning
from smartpark_ingest.alerting.recording import Office, Recorded, Recorder
from smartpark_ingest.alerting.reexamining import News, Reexamined
from smartpark_ingest.alerting.rules_in_force import InForce, bind, bind_rules, enter_builtin_rules, learn, of_source
from smartpark_ingest.alerting.surroundings import Scene, look_around
from smartpark_ingest.alerting.taking_up import join, take_up
from smartpark_ingest.alerting.values import NO_VALUES, Values
from smartpark_ingest.alerting.watching import WATCHER, Claimed, Watermarks, chosen, split
from smartpark_ingest.alerting.windows import Windows

_log = logging.getLogger(__name__)

CLAIM: Final = 64
"""Changes that one turn deals with."""
_SWEEP_S: Final = 1.0
_CHECKPOINT_S: Final = 15.0
_WATCH_S: Final = 60.0
_STEPS_S: Final = 1800.0
_TRIES: Final = 8
BACK_US: Final = 180_000_000
"""Nobody heard for so long: it was this platform that was away, and all have as long to be heard again. [µs]"""


@dataclass(slots=True)
class Turn:
    """What a turn came to."""

    changes: int = 0
    readings: int = 0
    found: int = 0
    corrected: int = 0
    """Rules and stretches judged anew."""
    alerts: int = 0
    messages: int = 0
    joined: int = 0
    has_more: bool = False
    """Whether another turn is worth while at once."""
    age_s: float = 0.0
    """Of the oldest change when it was dealt with. [s]"""
    unrouted: list[int] = field(default_factory=list[int])


class Engine:
    """Judges what comes; all of it belongs to one connection, whose session has the turn.

    Parameters
    ----------
    calendar : WorkdayCalendar
    learns_at : str, optional
        Database that rules learn from beside the loop; none: they learn as they are taken up, and all wait for them.
    log : callable
        Told what an operator wants to know.
    """

    def __init__(
        self,
        calendar: WorkdayCalendar,
        *,
        learns_at: str | None = None,
        log: Callable[[str], None] = _log.info,
    ) -> None:
        self.book = Book()
        self.office = Office(calendar)
        self.recorder = Recorder(self.book, self.office)
        self.marks = Watermarks()
        self.rules: list[InForce] = []
        self.late = LateQueue()
        self.windows = Windows()
        self.edges = EdgeWatch()
        self.learning = Learning(learns_at)
        self._history: History | None = None
        self._scene: Scene | None = None
        self._watched: dict[Source, NDArray[np.bool_]] = {}
        self._versions = -1
        self._bound_s = time.monotonic()
        self._swept_s = self._kept_s = self._watched_s = float("-inf")
        self._tells_all = True
        self._patient_until_us = NOT_YET_US
        self._log = log

    @property
    def history(self) -> History:
        """What was stored."""
        assert self._history is not None, "begin comes first"  # noqa: S101  an order of calls, not of data
        return self._history

    @property
    def scene(self) -> Scene:
        """What there is."""
        assert self._scene is not None, "begin comes first"  # noqa: S101  as above
        return self._scene

    # --- beginning ---

    def begin(
        self,
        connection: Connection,
        now: datetime,
        progress: Callable[[float], None] | None = None,
        *,
        since: datetime | None = None,
    ) -> None:
        """Build everything from what is stored, and judge what has come since the last checkpoint (or `since`)."""
        enter_builtin_rules(connection, now)
        self._history = History(connection)
        self.book.load(connection, now)
        self._bind(connection, now)
        take_up(connection, self, now, progress, since=since)
        if int(self.marks.seen_us.max(initial=NOT_YET_US)) < to_us(now) - BACK_US:
            self._patient_until_us = to_us(now) + BACK_US
        self._settle_rules(connection, now)
        self._tells_all = True

    def _bind(self, connection: Connection, now: datetime) -> None:
        self._versions, self._bound_s = count_rule_versions(connection), time.monotonic()
        self._scene = look_around(
            connection, self.history.registry, now, calendar=self.office.calendar, edge_of=self._edge_of()
        )
        waiting = {one.rule.code: one.waits_from_us for one in self.rules if not one.evaluation.is_learnt}
        # Half a million objects need not be in memory twice: should this fail, everything is built anew.
        self.rules = []
        self.rules = bind_rules(connection, self.scene)
        for one in self.rules:
            self._recall(connection, one, now)
            one.waits_from_us = None if one.evaluation.is_learnt else waiting.get(one.rule.code)
        self._arrange(connection)
        self.edges.watch(self.scene.edges)

    def _recall(self, connection: Connection, one: InForce, now: datetime) -> None:
        """Let a rule know what it knew; one that learns beside the loop judges nothing until then."""
        if not self.learning.is_beside:
            learn(connection, self.history, self.scene, one, now)
        elif one.evaluation.history_us:
            self.learning.recall(one, self.scene)

    def _arrange(self, connection: Connection) -> None:
        """Everything that follows from which rules there are."""
        self._watched = {}
        share_selectors(self.rules)
        self.recorder.rules = {one.rule.code: one.rule for one in self.rules}
        self.recorder.known = {one.rule.code: one.rule for one in read_rules(connection)}
        self.recorder.name_of = self.scene.name_of
        for one in self.rules:
            if not one.keys:
                self._log(f"rule {one.rule.code} finds nothing to watch")

    def rebind_if_changed(self, connection: Connection, now: datetime) -> bool:
        """Take up rules, catalogue and day as they are now; says whether anything had changed."""
        if self.learning.is_beside:
            self._learn_beside(connection, now)
        is_changed = (
            registry_version(connection) != self.scene.registry_version
            or not self.scene.is_of(now)
            or self.edges.has_new(connection)
            or self._has_found_homes()
            or self._has_found_steps()
        )
        began_s, versions = time.monotonic(), count_rule_versions(connection)
        if is_changed:
            self.history.refresh(connection)
            self._bind(connection, now)
            take_up(connection, self, now, None, from_checkpoint=False)
        elif versions != self._versions:
            self._versions = versions
            self._bind_changed(connection, now)
        else:
            return False
        self._settle_rules(connection, now)
        self._log(f"{len(self.rules)} rules taken up in {time.monotonic() - began_s:.1f} s")
        return True

    def _bind_changed(self, connection: Connection, now: datetime) -> None:
        """Take up rules that are new or others than before; the rest go on from what they remember."""
        kept = {(one.rule.code, one.version): one for one in self.rules if not one.trouble}
        wanted = [(one.rule, one.version) for one in read_rules(connection, active_only=True)]
        self.rules = [kept.get((rule.code, version)) or bind(rule, version, self.scene) for rule, version in wanted]
        remembering = {id(one) for one in kept.values()}
        fresh = [one for one in self.rules if id(one) not in remembering]
        for one in fresh:
            self._recall(connection, one, now)
        self._arrange(connection)
        join(connection, self, fresh, now)

    def _learn_beside(self, connection: Connection, now: datetime) -> None:
        """Put into place what was learnt meanwhile, and let rules learn that have to."""
        for one, learnt in self.learning.take(self.rules, self.scene):
            if learnt.detection is None:
                one.trouble = learnt.trouble
                continue
            one.evaluation.know(learnt.detection)
            join(connection, self, [one], now)
            # What they found while nobody told is told with the next turn.
            self._tells_all = True
        self.learning.begin(self.learning.wanting(self.rules, now), self.scene, now)

    def close(self) -> None:
        """Nothing more is judged."""
        self.learning.close()

    def _has_found_homes(self) -> bool:
        """Whether it is known by now to which park an edge belongs."""
        around = self.scene.around
        homeless = {edge.edge_id for edge in self.scene.edges if edge.code not in around.park_of_edge}
        return bool(homeless) and not homeless.isdisjoint(np.unique(self.marks.edge).tolist())

    def _has_found_steps(self) -> bool:
        """Whether points have begun to speak of which it is not known how often they do; asked seldom."""
        if time.monotonic() - self._bound_s < _STEPS_S:
            return False
        self._bound_s = time.monotonic()
        points = self.scene.point_ids(np.flatnonzero(self.scene.around.usual_step_us == NEVER_US))
        known = points[points < self.marks.seen_us.size]
        return bool((self.marks.seen_us[known] != NOT_YET_US).any())

    def _settle_rules(self, connection: Connection, now: datetime) -> None:
        """Alerts that no rule asks for any more end, the others are as severe as their rule says."""
        with transaction(connection):
            self.book.refresh(connection)
            self.recorder.retire(connection, {key for one in self.rules for key in one.keys}, now)
            self.recorder.write(connection, now, tells=False)

    # --- a turn ---

    def turn(self, connection: Connection, now: datetime) -> Turn:
        """Deal with what has come."""
        is_sweep = time.monotonic() - self._swept_s >= _SWEEP_S or self._tells_all
        changes = claim_changes_but(connection, self.late.held, CLAIM)
        claimed = split(changes, self.marks)
        self._listen(claimed, to_us(now))
        values = self._read(connection, claimed)
        found = self._judge_live(values, claimed, now)
        if is_sweep:
            found += self._judge_time(connection, now)
        turn = Turn(changes=len(changes), readings=values.size, found=len(found), has_more=len(changes) == CLAIM)
        if claimed.received_us:
            turn.age_s = max(0.0, (to_us(now) - claimed.received_us) / 1e6)
        self.late.take(claimed, touches_windows=self.windows.touch(self, claimed.late, claimed.live))
        # Memory is ahead of what is on record until the transaction ends; should that fail, all is built anew.
        self.marks.advance(values.point, values.time_us)
        self._pass_over(claimed)
        done = [number for number in claimed.changes if number not in self.late.held]
        if found or done or is_sweep:
            recorded = self.record(connection, as_news(found, self.about), now, done, everything=is_sweep)
            _count(turn, recorded)
        if is_sweep:
            self._swept_s = time.monotonic()
            self._tells_all = False
        return turn

    def late_turn(self, connection: Connection, now: datetime) -> Turn:
        """Judge anew what late readings touch."""
        turn = Turn()
        if not self.late.is_due(time.monotonic()):
            return turn
        again = reexamine_readings(connection, self, self.late.take_spans(), now)
        of_windows = self.windows.reexamine(connection, self, now)
        done = self.late.done() if of_windows is not None else []
        recorded = self.record(connection, (), now, done, again=[*again, *(of_windows or ())], everything=False)
        turn.changes, turn.corrected = len(done), len(again) + len(of_windows or ())
        _count(turn, recorded)
        return turn

    def record(
        self,
        connection: Connection,
        news: Sequence[News],
        now: datetime,
        done: Sequence[int],
        *,
        again: Sequence[Reexamined] = (),
        everything: bool,
        tells: bool = True,
    ) -> Recorded:
        """One transaction: what is new, who is told, what was dealt with; anew when others wrote meanwhile."""
        for attempt in range(_TRIES):
            try:
                with transaction(connection):
                    self.office.look(connection, now)
                    self.book.refresh(connection)
                    recorded = self.recorder.record(
                        connection, news, now, again=again, everything=everything, tells=tells
                    )
                    if done:
                        delete_changes(connection, done)
                    self._keep(connection, now, has_news=recorded.is_news)
            except StaleAlertError as error:
                if attempt == _TRIES - 1:
                    raise
                self._log(f"{error}; decided anew")
                self.book.load(connection, now)
            else:
                return recorded
        raise AssertionError

    def _judge_live(self, values: Values, claimed: Claimed, now: datetime) -> list[tuple[InForce, Found]]:
        """Give readings to the rules that look at readings."""
        rules = of_source(self.rules, Source.READING)
        if not rules or not values.size:
            return []
        samples = self.scene.samples(values)
        points = self.scene.point_ids(samples.row) if samples.row.size != values.size else values.point
        received = claimed.arrived_us[np.searchsorted(claimed.live.point, points)]
        return judge(rules, samples, to_us(now) - PATIENCE_US, received)

    def _listen(self, claimed: Claimed, now_us: int) -> None:
        """Let rules about silence know who is speaking; after an outage all have the time to speak again."""
        self._patient_until_us = min(self._patient_until_us, now_us + BACK_US)
        self.marks.heard_us = np.minimum(self.marks.heard_us, now_us)
        self.marks.heard_us[np.concatenate([claimed.live.point, claimed.late.point])] = now_us
        for one in self.rules:
            if one.evaluation.speaks_of_silence and one.keys:
                heard = np.full(len(one.keys), self._patient_until_us, np.int64)
                if one.rule.source is not Source.EDGE:
                    for feed in one.evaluation.watched.feeds.values():
                        points = self.scene.point_ids(feed.series)
                        self.marks.reach(int(points.max(initial=0)))
                        np.maximum.at(heard, feed.row, self.marks.heard_us[points])
                one.evaluation.heard_us = heard

    def about(self, one: InForce, row: int) -> About | None:
        """What an alert of a row is about; of an edge that nothing is known of nothing can be said."""
        subject = one.subjects[row]
        if one.rule.source is Source.EDGE:
            return one.about(row, "", subject.object.name) if subject.park else None
        edge = None
        if subject.series is not None:
            point = self.scene.points[subject.series].point_id
            number = int(self.marks.edge[point]) if point < self.marks.edge.size else 0
            edge = self.scene.edge_code(number) if number else None
        return one.about(row, subject.park, edge)

    def _judge_time(self, connection: Connection, now: datetime) -> list[tuple[InForce, Found]]:
        """What time alone says: who is silent, and windows that have closed."""
        until = to_us(now) - PATIENCE_US
        found = judge(of_source(self.rules, Source.READING), self.scene.samples(NO_VALUES), until)
        heard = self.edges.heard(connection)
        found += judge(of_source(self.rules, Source.EDGE), heard, until)
        found += self.windows.judge(connection, self, now)
        return found

    def _read(self, connection: Connection, claimed: Claimed) -> Values:
        return self.history.spans(connection, chosen(claimed.live, self._is_watched(claimed.live.point)))

    def _pass_over(self, claimed: Claimed) -> None:
        """What no rule looks at is judged as soon as it has come."""
        passed = chosen(claimed.live, ~self._is_watched(claimed.live.point))
        is_any = passed.end_us > passed.start_us
        self.marks.advance(passed.point[is_any], passed.end_us[is_any] - 1)

    def _is_watched(self, points: Ints) -> NDArray[np.bool_]:
        """Whether rules look at readings of these points."""
        watched = self.watched_by(Source.READING)
        return (points < watched.size) & watched[np.minimum(points, watched.size - 1)]

    def _keep(self, connection: Connection, now: datetime, *, has_news: bool) -> None:
        """Write down how far all this is: with all news, so that nothing is found twice, else now and then."""
        if has_news or time.monotonic() - self._kept_s >= _CHECKPOINT_S:
            keep_checkpoint(connection, WATCHER, self.checkpoint(now))
            self._kept_s = time.monotonic()
        if time.monotonic() - self._watched_s >= _WATCH_S:
            keep_watch(connection, WATCHER, at=now)
            self._watched_s = time.monotonic()

    def checkpoint(self, now: datetime) -> Checkpoint:
        """How far everything is."""
        known = np.flatnonzero((self.marks.seen_us > 0) | (self.marks.edge > 0))
        return Checkpoint(
            now,
            known.astype(np.int32),
            self.marks.seen_us[known],
            self.marks.edge[known].astype(np.int32),
            *self.windows.judged_until(),
        )

    def watched_by(self, source: Source) -> NDArray[np.bool_]:
        """Whether rules of a source look at each point; by its number."""
        if source not in self._watched:
            points = [self.scene.point_ids(one.series()) for one in of_source(self.rules, source)]
            found = np.zeros(1 + max((int(some.max(initial=0)) for some in points), default=0), np.bool_)
            for some in points:
                found[some] = True
            self._watched[source] = found
        return self._watched[source]

    def _edge_of(self) -> dict[int, int]:
        return {point: edge for point, edge in enumerate(self.marks.edge.tolist()) if edge}


def _count(turn: Turn, recorded: Recorded) -> None:
    turn.alerts += len(recorded.changed)
    turn.messages += recorded.planned.messages
    turn.joined += recorded.planned.joined
    turn.unrouted += recorded.planned.unrouted
