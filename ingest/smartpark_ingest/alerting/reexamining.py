"""What a stretch of the past shows when it is judged anew, against what is on record of it.

What is on record and holds is followed on, as live; what was over is corrected, withdrawn, or found as it was; what
was missed is entered without waking anybody. Nothing here reads a reading.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from smartpark.alerts.course import NOTHING, Course, Episode, Step, correct, proceed
from smartpark.alerts.events import About, Corrected, Withdrawn
from smartpark.alerts.life import Alert
from smartpark.alerts.words import AlertState, Severity
from smartpark_storage import Connection
from smartpark_storage.alerts import StoredAlert, alerts_between

from smartpark_ingest.alerting.book import Book, Key

_NEVER_WAS: Final = "later data show that the condition did not hold"


class News(NamedTuple):
    """An episode that began, went on or ended."""

    key: Key
    episode: Episode
    about: About
    severity: Severity


@dataclass(frozen=True, slots=True)
class Reexamined:
    """A rule and objects of which a stretch was judged anew."""

    rule: str
    abouts: Mapping[str, About]
    """By object: all that were judged, whether anything was found or not."""
    severity: Severity
    found: Mapping[str, Sequence[Episode]]
    """By object, in order: as they came out in the end."""
    start: datetime
    end: datetime
    reaches_now: bool
    """Whether it was judged until where live judging goes on."""


def reexamine(connection: Connection, book: Book, one: Reexamined, now: datetime) -> None:
    """Put into the book what follows, in the caller's transaction; nobody else writes these alerts until it ends."""
    keys = [Key(one.rule, subject) for subject in one.abouts]
    book.hold(connection, keys)
    on_record: defaultdict[str, list[StoredAlert]] = defaultdict(list)
    stored = alerts_between(connection, one.rule, list(one.abouts), one.start, one.end)
    for alert in book.hold_others(connection, stored):
        on_record[alert.alert.about.object].append(alert)
    for subject, about in one.abouts.items():
        _reexamine(book, one, about, on_record[subject], now)


def _reexamine(book: Book, one: Reexamined, about: About, stored: Sequence[StoredAlert], now: datetime) -> None:
    key, episodes = Key(one.rule, about.object), one.found.get(about.object, ())
    newest = book.newest(key)
    holding = newest if newest is not None and newest.holds else None
    live = [episode for episode in episodes if _is_live(episode, holding)]
    past = [episode for episode in episodes if episode not in live and episode.fired_at is not None]
    over = [alert for alert in stored if not alert.alert.holds]
    found = correct([alert.alert for alert in over], past, about, one.severity, start=one.start, end=one.end)
    for place, course in found.changed:
        book.add(book.take_older(over[place]), course.steps, now)
    for course in found.missed:
        book.follow(key, course, now)
    if one.reaches_now:
        _go_on(book, [News(key, episode, about, one.severity) for episode in live], key, one.start, now)


def _is_live(episode: Episode, holding: Alert | None) -> bool:
    """Whether an episode tells of what holds, by the record or by what was found."""
    if episode.cleared_at is None:
        return True
    return holding is not None and episode.cleared_at > holding.since


def _go_on(book: Book, news: Sequence[News], key: Key, start: datetime, now: datetime) -> None:
    """Follow what holds, or let it go when nothing of it is left."""
    newest = book.newest(key)
    if newest is None or not newest.holds or news or newest.since < start:
        for one in news:
            go_on(book, one, now)
    elif newest.state is AlertState.PENDING:
        book.follow(key, Course(is_forgotten=True), now)
    else:
        book.follow(key, Course(steps=(Step(newest.since, Withdrawn(reason=_NEVER_WAS)),)), now)


def go_on(book: Book, news: News, now: datetime) -> None:
    """Let the book follow an episode that concerns what holds, or what begins."""
    key, episode = news.key, news.episode
    alert = book.newest(key)
    if alert is not None and alert.holds and episode.since < alert.since:
        # It began earlier than was known.
        if alert.state is AlertState.PENDING:
            book.follow(key, Course(is_forgotten=True), now)
        elif alert.fired_at is not None:
            earlier = Corrected(since=episode.since, cleared_at=None, worst=episode.worst, worst_at=episode.worst_at)
            book.follow(key, Course(steps=(Step(episode.since, earlier),)), now)
    course = proceed(book.newest(key), episode, news.about, news.severity)
    if course != NOTHING:
        book.follow(key, course, now)


def last_states(found: Iterable[tuple[int, Episode]]) -> dict[int, list[Episode]]:
    """Episodes of each row in order, each as it came out in the end."""
    by_row: defaultdict[int, dict[datetime, Episode]] = defaultdict(dict)
    for row, episode in found:
        by_row[row][episode.since] = episode
    return {row: [one[since] for since in sorted(one)] for row, one in by_row.items()}
