"""One rule at work: samples in, episodes out, with all that is remembered in between.

At once and in any steps come to the same, as of each detector and of `episodes`. Samples must come in the order of
time, object by object; what is late calls for `at_once` over the stretch it touches (`board` sorts that out).

What is said of values moves with values: a breach fires with the reading that shows that it has lasted, and nothing
here is ended by silence. Time alone speaks only of who does not.

Windows (quarters, hours) come with their start as their time. An episode of windows begins with the start of the
first window in breach and is over at the start of the first one that is fine; it cannot have fired before the end of
the window that showed it.
"""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import numpy as np
from smartpark.alerts.life import Alert
from smartpark.alerts.rules import Rule, Source
from smartpark.clock import from_us

from smartpark_analytics.alerts import episodes
from smartpark_analytics.alerts.episodes import Change, Episodes
from smartpark_analytics.alerts.evaluating.detection import (
    Detection,
    Inputs,
    compact,
    due_rows,
    put,
    taken,
)
from smartpark_analytics.alerts.evaluating.learning import Learner
from smartpark_analytics.alerts.evaluating.telling import Found, episode_at, recorded_carry
from smartpark_analytics.alerts.evaluating.watched import Channel, Selector, Watched
from smartpark_analytics.alerts.rows import is_late, later, some_samples, some_verdicts
from smartpark_analytics.alerts.samples import NEVER_US, NOT_YET_US, Floats, Ints, Level, Samples, Verdicts

_SECOND_US: Final = 1_000_000
WINDOW_US: Final = {Source.QUARTER: 900 * _SECOND_US, Source.HOUR: 3600 * _SECOND_US}
"""Length of the windows of a source. [µs]"""
JUST_HEARD_US: Final = 60 * _SECOND_US
"""Whoever sent something so lately is not silent, however old that was. [µs]"""


class _Newest(NamedTuple):
    """Last verdict with a value of each object, shape (rows,)."""

    time_us: Ints
    value: Floats
    limit: Floats


class Evaluation:
    """A rule, its objects, and what is remembered of them.

    Parameters
    ----------
    rule : Rule
    watched : Watched
        Its objects.
    detection : Detection
        Its detector, bound to their numbers.
    n_series : int
        How many series the caller has numbered.
    learner : Learner, optional
        How the detector learns what is usual, if it has to.
    """

    def __init__(
        self, rule: Rule, watched: Watched, detection: Detection, n_series: int, learner: Learner | None = None
    ) -> None:
        self.rule = rule
        self._learner = learner
        self._is_learnt = False
        self.watched = watched
        self._detection = detection
        self.selectors = {channel: Selector(feed, n_series) for channel, feed in watched.feeds.items()}
        self._for_us = round(rule.for_s * _SECOND_US)
        self._clear_for_us = round(rule.clear_for_s * _SECOND_US)
        self._window_us = WINDOW_US.get(rule.source, 0)
        never = np.full(watched.rows, NEVER_US, np.int64)
        self._holds_us = (
            never
            if detection.believes_for_ever
            else np.full(watched.rows, 3 * self._window_us, np.int64)
            if self._window_us
            else watched.holds_us()
        )
        self._scratch = np.zeros(watched.rows, np.int64)
        self.heard_us: Ints | None = None
        """When, by the clock here, something of each object came last: of whoever is just sending what it has kept,
        time does not say that it is silent. None: not live. [µs]"""
        self._forget()

    @property
    def lookback_us(self) -> int:
        """How much history rebuilds what is remembered, beside the alerts on record. [µs]."""
        return (
            self._detection.lookback_us
            + self._detection.judges_after_us
            + max(self._for_us, self._clear_for_us)
            + self._window_us
        )

    @property
    def history_us(self) -> int:
        """How much history it wants to learn from before it judges anything; 0: it has nothing to learn. [µs]."""
        return 0 if self._learner is None else self._learner.history_us

    def learn(self, samples: Samples) -> None:
        """Learn what is usual from the `history_us` before now, up to the newest; what is open stays open."""
        if self._learner is None:
            return
        inputs = self.select(samples)
        self.know(self._learner.learn(inputs))
        until = np.full(self.watched.rows, NOT_YET_US, np.int64)
        # What is remembered of single samples is made anew by the new measure, and says nothing twice.
        _, self._carry = self._detection.judge(inputs, self._detection.parameters, self._detection.fresh(), until)

    def learnt_from(self, samples: Samples) -> Detection:
        """What `learn` would have it know by; nothing of its own changes, so that it may go on judging meanwhile."""
        return self._detection if self._learner is None else self._learner.learn(self.select(samples))

    def know(self, learnt: Detection) -> None:
        """Judge from now on by what was learnt, of the same objects; call `begin` then."""
        self._detection = learnt
        self._is_learnt = True

    @property
    def is_learnt(self) -> bool:
        """Whether it has learnt what it has to, or has nothing to learn."""
        return self._learner is None or self._is_learnt

    def begin(self, recorded: Iterable[tuple[int, Alert]]) -> None:
        """Forget everything and take up the alerts on record whose condition holds, each with its row.

        Then give the samples of `lookback_us` before the moment from which on it goes on.
        """
        self._forget()
        standing = [(row, alert) for row, alert in recorded if alert.cleared_at is None]
        self._episodes = recorded_carry(self.watched.rows, standing, self._window_us)

    def step(self, samples: Samples, until_us: int = NOT_YET_US, received_us: Ints | None = None) -> list[Found]:
        """Take what has come and say what is new.

        Parameters
        ----------
        samples : Samples
            Rows are the caller's series; later than those before, series by series.
        until_us : int
            No more samples from before this moment; by default time says nothing. [µs]
        received_us : ndarray of int64, shape (n,), optional
            When they came in; for rules about clocks. [µs]

        Returns
        -------
        list of Found
            Episodes that began, fired, grew or ended, of each object in the order of time.
        """
        return self.judge(self.select(samples, received_us), until_us)

    def select(self, samples: Samples, received_us: Ints | None = None) -> Inputs:
        """What of the caller's samples concerns this rule."""
        given = {channel: samples for channel in Channel if channel is not Channel.DELAY}
        if received_us is not None:
            given[Channel.DELAY] = delays(samples, received_us)
        return {
            channel: selector.select(given[channel])
            for channel, selector in self.selectors.items()
            if channel in given
        }

    def judge(self, inputs: Inputs, until_us: int = NOT_YET_US) -> list[Found]:
        """As `step`, of what was selected before."""
        if self._detection.every_us and until_us != NOT_YET_US:
            self._waiting.append(inputs)
            if until_us < self._asked_us + self._detection.every_us:
                return []
            self._asked_us = until_us
            inputs = _together(self._waiting)
            self._waiting = []
        rows = self._rows_at_work(inputs, until_us)
        if not rows.size and not self._detection.believes_for_ever and not self._detection.every_us:
            return []
        findings = self._findings(inputs, rows, until_us)
        if isinstance(findings, Episodes):
            return self._told(findings, None)
        return self._told(*self._to_episodes(findings, until_us))

    def at_once(self, samples: Samples, start_us: int, end_us: int, received_us: Ints | None = None) -> list[Found]:
        """Episodes that fired and touch a span, from its history alone; what is remembered is left as it is.

        Parameters
        ----------
        samples : Samples
            Of the caller's series, from `lookback_us` before the span to its end.
        start_us, end_us : int
            The span, half-open. [µs]
        received_us : ndarray of int64, shape (n,), optional
            As in `step`.
        """
        kept = (self._carry, self._episodes, self._newest, self._waiting, self._asked_us)
        heard, self.heard_us = self.heard_us, None
        try:
            self._forget()
            found = self.step(samples, end_us, received_us)
        finally:
            self._carry, self._episodes, self._newest, self._waiting, self._asked_us = kept
            self.heard_us = heard
        start, end = from_us(start_us), from_us(end_us)
        return [
            one
            for one in found
            if one.episode.fired_at is not None
            and one.episode.since < end
            and (one.episode.cleared_at is None or one.episode.cleared_at > start)
        ]

    @property
    def is_whole(self) -> bool:
        """Whether its objects are looked at together, so that none can be taken up anew by itself."""
        return self._detection.is_whole or bool(self._detection.every_us)

    @property
    def asks_when_received(self) -> bool:
        """Whether it judges by when readings came in: that is not kept, so nothing can be judged anew."""
        return Channel.DELAY in self.selectors

    def redo(self, rows: Ints, samples: Samples, until_us: int = NOT_YET_US) -> list[Found]:
        """Forget some objects and let them go on from their history; what is found since its beginning.

        Parameters
        ----------
        rows : ndarray of int64
            Of a rule that `is_whole`: all of them.
        samples : Samples
            Of the caller's series, from `lookback_us` before what is in doubt until now; those of other objects are
            left aside.
        until_us : int
            As in `step`.
        """
        heard, self.heard_us = self.heard_us, None
        try:
            return self._redo(rows, samples, until_us)
        finally:
            self.heard_us = heard

    @property
    def speaks_of_silence(self) -> bool:
        """Whether time alone makes findings."""
        return self._detection.wakes is not None

    def _redo(self, rows: Ints, samples: Samples, until_us: int) -> list[Found]:
        if self.is_whole:
            self._forget()
            return self.step(samples, until_us)
        put(self._carry, rows, taken(self._detection.fresh(), rows))
        put(self._episodes, rows, episodes.fresh_carry(rows.size))
        self._newest.time_us[rows] = NOT_YET_US
        self._newest.value[rows] = self._newest.limit[rows] = np.nan
        is_wanted = np.zeros(self.watched.rows, np.bool_)
        is_wanted[rows] = True
        given = {channel: some_samples(mine, is_wanted[mine.row]) for channel, mine in self.select(samples).items()}
        return self.judge(given, until_us)

    def _forget(self) -> None:
        rows = self.watched.rows
        self._carry = self._detection.fresh()
        self._episodes = episodes.fresh_carry(rows)
        self._waiting: list[Inputs] = []
        self._asked_us = NOT_YET_US
        nothing = np.full(rows, np.nan)
        self._newest = _Newest(np.full(rows, NOT_YET_US, np.int64), nothing, nothing.copy())

    def _rows_at_work(self, inputs: Inputs, until_us: int) -> Ints:
        """Rows that have samples, or of which time alone says something."""
        parts = [_distinct(samples.row) for samples in inputs.values() if samples.row.size]
        if self._detection.wakes is not None:
            wakes = self._detection.wakes(self._detection.parameters, self._carry)
            parts.append(due_rows(wakes, self._until(until_us)))
        if len(parts) == 1:
            return parts[0]
        return np.unique(np.concatenate(parts)) if parts else np.zeros(0, np.int64)

    def _until(self, until_us: int) -> Ints:
        if self.heard_us is None or self._detection.wakes is None or until_us == NOT_YET_US:
            return np.full(self.watched.rows, until_us, np.int64)
        return np.where(self.heard_us > until_us - JUST_HEARD_US, NOT_YET_US, until_us)

    def _findings(self, inputs: Inputs, rows: Ints, until_us: int) -> Verdicts | Episodes:
        detection = self._detection
        if detection.is_whole or rows.size == self.watched.rows:
            found, self._carry = detection.judge(inputs, detection.parameters, self._carry, self._until(until_us))
            return found
        some = {channel: compact(samples, rows, self._scratch) for channel, samples in inputs.items()}
        parameters, carry = taken(detection.parameters, rows), taken(self._carry, rows)
        found, after = detection.judge(some, parameters, carry, self._until(until_us)[rows])
        put(self._carry, rows, after)
        return found._replace(row=rows[found.row])

    def _to_episodes(self, verdicts: Verdicts, until_us: int) -> tuple[Episodes, Verdicts | None]:
        """Episodes that changed, and the verdicts on their objects."""
        said = verdicts.level == Level.BREACH
        is_open = self._episodes.since_us != NEVER_US
        concerned = is_open.copy()
        concerned[verdicts.row[said]] = True
        matter = concerned[verdicts.row]
        # Most objects are fine and were: nothing of them has to be looked at.
        news = verdicts if matter.all() else some_verdicts(verdicts, matter)
        late = is_late(news.row, news.time_us, self._episodes.seen_us)
        news = some_verdicts(news, ~late) if late.any() else news
        if news.row.size:
            self._remember(news)
            found = self._machine(news, _distinct(news.row), NOT_YET_US)
        else:
            found = _no_episodes()
        if self._detection.believes_for_ever:
            found = _followed_by(found, self._by_time(until_us))
        return found, news

    def _machine(self, verdicts: Verdicts, rows: Ints, until_us: Ints | int) -> Episodes:
        """Let the episodes of some rows go on."""
        place = self._scratch
        place[rows] = np.arange(rows.size)
        found, after = episodes.step(
            verdicts._replace(row=place[verdicts.row]),
            taken(self._episodes, rows),
            for_us=self._for_us,
            clear_for_us=self._clear_for_us,
            holds_us=self._holds_us[rows],
            until_us=until_us,
        )
        put(self._episodes, rows, after)
        return found._replace(row=rows[found.row])

    def _by_time(self, until_us: int) -> Episodes:
        """Episodes that time alone has made last long enough, or be over long enough."""
        if until_us == NOT_YET_US:
            return _no_episodes()
        carry = self._episodes
        holds = carry.since_us != NEVER_US
        is_good = carry.clear_since_us != NEVER_US
        waits = holds & np.where(is_good, carry.fired_us != NEVER_US, carry.fired_us == NEVER_US)
        rows = np.flatnonzero(waits)
        since = np.where(is_good[rows], carry.clear_since_us[rows], carry.since_us[rows])
        span = np.where(is_good[rows], self._clear_for_us, self._for_us).astype(np.int64)
        moment = later(since, span)
        due = moment <= until_us
        # No further than to that moment: what is read later may come later.
        return self._machine(_no_verdicts(), rows[due], moment[due]) if due.any() else _no_episodes()

    def _remember(self, verdicts: Verdicts) -> None:
        known = np.flatnonzero(verdicts.level != Level.UNKNOWN)
        last = known[np.flatnonzero(np.diff(verdicts.row[known], append=-1) != 0)]
        row = verdicts.row[last]
        self._newest.time_us[row] = verdicts.time_us[last]
        self._newest.value[row] = verdicts.value[last]
        self._newest.limit[row] = verdicts.limit[last]

    def _told(self, found: Episodes, verdicts: Verdicts | None) -> list[Found]:
        return [
            Found(
                int(found.row[at]),
                episode_at(found, at, self._last(found, at, verdicts), self._window_us, unit),
                Change(int(found.change[at])),
            )
            for at in range(len(found.row))
            for unit in (self.watched.subjects[int(found.row[at])].unit,)
        ]

    def _last(self, found: Episodes, at: int, verdicts: Verdicts | None) -> tuple[int, float, float]:
        """Moment, value and limit of the last verdict that belongs to an episode."""
        row, over = found.row[at], found.cleared_us[at]
        if verdicts is None:
            return int(found.worst_us[at]), float(found.worst[at]), float(found.worst_limit[at])
        if over != NEVER_US and self._newest.time_us[row] > over:
            begin = int(np.searchsorted(verdicts.row, row))
            own = slice(begin, int(np.searchsorted(verdicts.row, row, side="right")))
            here = begin + int(np.searchsorted(verdicts.time_us[own], over))
            return int(over), float(verdicts.value[here]), float(verdicts.limit[here])
        newest = self._newest
        if newest.time_us[row] == NOT_YET_US:
            return int(found.worst_us[at]), float(found.worst[at]), float(found.worst_limit[at])
        return int(newest.time_us[row]), float(newest.value[row]), float(newest.limit[row])


def delays(samples: Samples, received_us: Ints) -> Samples:
    """How long each sample took to come in. [s]."""
    return Samples(samples.row, samples.time_us, (received_us - samples.time_us) / _SECOND_US)


def _together(parts: Sequence[Inputs]) -> Inputs:
    """Inputs of several steps as those of one."""
    if len(parts) == 1:
        return parts[0]
    channels = dict.fromkeys(channel for part in parts for channel in part)
    return {channel: _joined([part[channel] for part in parts if channel in part]) for channel in channels}


def _joined(parts: Sequence[Samples]) -> Samples:
    both = Samples(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))
    return some_samples(both, np.argsort(both.row, kind="stable"))


def _distinct(row: Ints) -> Ints:
    """Rows of sorted samples, each once."""
    if not row.size:
        return row
    return row[np.flatnonzero(np.diff(row, prepend=-1) != 0)]


def _no_verdicts() -> Verdicts:
    ints, floats = np.zeros(0, np.int64), np.zeros(0)
    return Verdicts(ints, ints, np.zeros(0, np.int8), floats, floats)


def _followed_by(found: Episodes, more: Episodes) -> Episodes:
    if not more.row.size:
        return found
    return Episodes(
        np.concatenate([found.row, more.row]),
        np.concatenate([found.since_us, more.since_us]),
        np.concatenate([found.fired_us, more.fired_us]),
        np.concatenate([found.cleared_us, more.cleared_us]),
        np.concatenate([found.worst, more.worst]),
        np.concatenate([found.worst_limit, more.worst_limit]),
        np.concatenate([found.worst_us, more.worst_us]),
        np.concatenate([found.n_breaches, more.n_breaches]),
        np.concatenate([found.change, more.change]),
    )


def _no_episodes() -> Episodes:
    ints, floats = np.zeros(0, np.int64), np.zeros(0)
    return Episodes(ints, ints, ints, ints, floats, floats, ints, ints, np.zeros(0, np.int8))
