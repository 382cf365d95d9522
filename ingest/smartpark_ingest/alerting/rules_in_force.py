"""Rules at work: each with its version, its evaluation, and what an alert of each of its objects is about.

Rules come from the database. A rule that a new park begins with is entered there when the database has none of that
name, and brought up to date as long as nobody has changed it. Nothing here reads a reading.
"""

import logging
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np
from smartpark.alerts.events import SYSTEM, About
from smartpark.alerts.rules import Rule, Source, builtin_rules
from smartpark.clock import to_us
from smartpark_analytics.alerts.evaluating import Evaluation, Subject, evaluation_of
from smartpark_analytics.alerts.samples import Ints
from smartpark_storage import Connection
from smartpark_storage.alerts import put_rules, read_rules
from smartpark_storage.window_sums import QUARTER_US

from smartpark_ingest.alerting.book import Key
from smartpark_ingest.alerting.history import WIDTH_US, History
from smartpark_ingest.alerting.surroundings import Scene
from smartpark_ingest.alerting.values import Values, joined

_log = logging.getLogger(__name__)
FAULTS: Final = (ValueError, TypeError, LookupError, ArithmeticError, AssertionError)
"""Of programs and numbers; what ails the database or the machine is another matter."""
_LESSON: Final = 500
"""Points of which weeks are read at once."""


@dataclass(slots=True)
class InForce:
    """A rule at work."""

    rule: Rule
    version: int
    evaluation: Evaluation
    keys: tuple[Key, ...]
    """By row."""
    waits_from_us: int | None = None
    """Of windows, while it has not learnt yet what is usual: those from here on it has still to judge. [µs]"""
    trouble: str = ""
    """Why it judges nothing until rules are taken up again."""

    @property
    def subjects(self) -> Sequence[Subject]:
        """By row."""
        return self.evaluation.watched.subjects

    def row_of(self) -> dict[str, int]:
        """Row of each object."""
        return {key.object: row for row, key in enumerate(self.keys)}

    def series(self, rows: Ints | None = None) -> Ints:
        """Series that speak for some rows, or for all; each once, ascending."""
        feeds = self.evaluation.watched.feeds.values()
        parts = [feed.series if rows is None else feed.series[np.isin(feed.row, rows)] for feed in feeds]
        return np.unique(np.concatenate(parts)) if parts else np.zeros(0, np.int64)

    def rows(self, series: Ints) -> Ints:
        """Rows that some of these series speak for; each once, ascending."""
        feeds = self.evaluation.watched.feeds.values()
        parts = [feed.row[np.isin(feed.series, series)] for feed in feeds]
        return np.unique(np.concatenate(parts)) if parts else np.zeros(0, np.int64)

    def about(self, row: int, park: str, edge: str | None) -> About:
        """What an alert of a row is about."""
        subject = self.subjects[row]
        return About(
            park=subject.park or park,
            rule=self.rule.code,
            rule_version=self.version,
            object=self.keys[row].object,
            cause=self.rule.cause,
            device=subject.device,
            edge=edge,
        )


def enter_builtin_rules(connection: Connection, now: datetime) -> int:
    """Enter rules that the database does not have, or has as they came before; how many were new."""
    known = {found.rule.code: found for found in read_rules(connection)}
    wanted = [rule for rule in builtin_rules() if rule.code not in known or known[rule.code].written_by == SYSTEM]
    return sum(put.is_new for put in put_rules(connection, wanted, by=SYSTEM, at=now))


def bind_rules(connection: Connection, scene: Scene, codes: Iterable[str] | None = None) -> list[InForce]:
    """Active rules of the database, or those of them, each bound to what it watches."""
    wanted = None if codes is None else set(codes)
    versions = read_rules(connection, active_only=True)
    return [bind(one.rule, one.version, scene) for one in versions if wanted is None or one.rule.code in wanted]


def bind(rule: Rule, version: int, scene: Scene) -> InForce:
    """A rule at work in a scene."""
    evaluation = evaluation_of(rule, scene.around)
    keys = tuple(Key(rule.code, str(subject.object)) for subject in evaluation.watched.subjects)
    return InForce(rule, version, evaluation, keys)


def learn(connection: Connection, history: History, scene: Scene, one: InForce, until: datetime) -> InForce:
    """Show a rule what was usual until a moment, where it has to learn that."""
    evaluation = one.evaluation
    if not evaluation.history_us or not one.keys:
        return one
    samples = scene.samples(joined(list(lessons(connection, history, scene, one, until))))
    with put_aside(one):
        evaluation.learn(samples)
    return one


def lessons(
    connection: Connection, history: History, scene: Scene, one: InForce, until: datetime
) -> Iterator[Values]:
    """What a rule learns from, some points after the other."""
    width = WIDTH_US.get(one.rule.source, QUARTER_US)
    end = to_us(until) // width * width
    points = scene.point_ids(one.series()).tolist()
    for first in range(0, len(points), _LESSON):
        some = points[first : first + _LESSON]
        yield history.values(connection, some, end - one.evaluation.history_us, end, one.rule.source)


def of_source(rules: Iterable[InForce], *sources: Source) -> list[InForce]:
    """Those that look at these sources, have anything to watch, and are at work."""
    return [one for one in rules if one.rule.source in sources and one.keys and not one.trouble]


@contextmanager
def put_aside(one: InForce) -> Generator[None]:
    """Let a fault in one rule, at readings nobody thought of, not end all others: it is put aside, and told."""
    try:
        yield
    except FAULTS as error:
        one.trouble = f"{type(error).__name__}: {error}"
        _log.exception("rule %s is put aside until rules are taken up again", one.rule.code)
