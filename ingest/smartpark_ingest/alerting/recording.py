"""From what was found to what is on record and who is told, in one transaction.

What an evaluation finds may be found again: core decides what of it is news (`course`), whether people are told
(`paging`), and whom (`routes`); here the answers are put together and written. When somebody else has written to one
of the alerts meanwhile, all of it is undone and decided anew from what is on record then.
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from smartpark.alerts.course import NOTHING, Course, Episode, Step, proceed, settle
from smartpark.alerts.events import HiddenFrom, Retired, Returned, Worsened
from smartpark.alerts.life import Alert
from smartpark.alerts.paging import Why, due_page, hidden_now, may_hide
from smartpark.alerts.routes import Directory
from smartpark.alerts.rules import Rule
from smartpark.alerts.silences import Silence
from smartpark.alerts.words import AlertState
from smartpark.workdays import CalendarNotCoveredError, WorkdayCalendar
from smartpark_storage import Connection
from smartpark_storage.alerts import active_silences, read_contacts, read_routes

from smartpark_ingest.alerting.book import Book, Entry, Key
from smartpark_ingest.alerting.notify.facts import Due, NameOf
from smartpark_ingest.alerting.notify.planning import Planned, plan_pages
from smartpark_ingest.alerting.reexamining import News, Reexamined, go_on, reexamine

_log = logging.getLogger(__name__)

_LOOK_EVERY: Final = timedelta(seconds=3)
"""How old what is known of silences, contacts and routes may be."""
_SILENCES_BACK: Final = timedelta(days=1)
"""Readings of a span in which nobody is to be told may come so long after it."""


@dataclass(slots=True)
class Recorded:
    """What a transaction came to."""

    changed: list[tuple[int, Alert]] = field(default_factory=list[tuple[int, Alert]])
    forgotten: int = 0
    """Alerts that came to nothing."""
    planned: Planned = field(default_factory=Planned)

    @property
    def is_news(self) -> bool:
        """Whether anything was written."""
        return bool(self.changed) or self.forgotten > 0


class Office:
    """Who is told of what just now: silences, contacts, routes, working days; read again every few seconds."""

    def __init__(self, calendar: WorkdayCalendar) -> None:
        self.calendar = calendar
        self.silences: list[Silence] = []
        self.directory = Directory((), (), calendar)
        self._looked: datetime | None = None
        self.trouble = ""
        """Why it is not known whether today is a working day."""

    def look(self, connection: Connection, now: datetime) -> None:
        """Read what holds now, unless that was done a moment ago."""
        if self._looked is not None and timedelta(0) <= now - self._looked < _LOOK_EVERY:
            return
        self._looked = now
        self.silences = active_silences(connection, now, back=_SILENCES_BACK)
        self.directory = Directory(read_contacts(connection), read_routes(connection), self.calendar)
        self.trouble = ""


class Recorder:
    """Puts down what was found."""

    def __init__(self, book: Book, office: Office) -> None:
        self._book, self._office = book, office
        self.rules: dict[str, Rule] = {}
        """Those in force, by code."""
        self.known: dict[str, Rule] = {}
        """Those that were in force once too: whoever was told of their alerts is told that these are over."""
        self.name_of: NameOf = lambda _: None
        self._parents: list[tuple[str, Alert]] = []

    def is_news(self, news: News) -> bool:
        """Whether an episode says anything that is not on record."""
        return self._course(news) != NOTHING

    def record(
        self,
        connection: Connection,
        found: Iterable[News],
        now: datetime,
        *,
        again: Iterable[Reexamined] = (),
        everything: bool,
        tells: bool = True,
    ) -> Recorded:
        """Write what is news, in the caller's transaction.

        Parameters
        ----------
        connection : Connection
        found : iterable of News
            Of each object in the order of time.
        now : datetime
        again : iterable of Reexamined
            What was judged anew.
        everything : bool
            Whether to look also at alerts of which nothing was found: at least once a second.
        tells : bool
            Whether people may be told already.
        """
        book = self._book
        self._look_for_parents()
        news = [one for one in found if self.is_news(one)]
        due = [entry for entry in book.entries() if everything and self._needs(entry, now)]
        book.hold(connection, {*(one.key for one in news), *(entry.key for entry in due)})
        for one in news:
            alert = book.newest(one.key)
            if alert is None or _is_live(alert, one.episode):
                go_on(book, one, now)
        for one in again:
            reexamine(connection, book, one, now)
        for entry in due:
            book.add(entry, settle(entry.alert, now), now)
        return self.write(connection, now, due, tells=tells)

    def write(
        self, connection: Connection, now: datetime, also: Iterable[Entry] = (), *, tells: bool = True
    ) -> Recorded:
        """Write what the book is to say, and tell people of it and of some others."""
        book = self._book
        self._look_for_parents()
        concerned = {id(entry): entry for entry in (*book.touched(), *also)}
        # Parents first: what they hide is hidden in the same breath.
        for entry in sorted(concerned.values(), key=lambda one: not may_hide(one.alert)):
            self._hide(entry, now)
        forgotten = book.n_forgotten
        recorded = Recorded(book.write(connection), forgotten)
        if tells:
            recorded.planned = self._tell(connection, concerned.values(), now)
        return recorded

    def retire(self, connection: Connection, keys: set[Key], now: datetime) -> None:
        """End open alerts that no rule asks for any more; let others have the severity of their rule."""
        held = [entry.key for entry in self._book.entries() if entry.alert.is_open]
        self._book.hold(connection, held)
        for entry in list(self._book.entries()):
            rule = self.rules.get(entry.key.rule)
            if not entry.alert.is_open:
                continue
            if rule is None or entry.key not in keys:
                what = (
                    "the rule is not in force any more" if rule is None else "the rule does not watch this any more"
                )
                self._book.add(entry, [Step(now, Retired(reason=what))], now)
            elif entry.alert.severity is not rule.severity:
                self._book.add(entry, [Step(now, Worsened(severity=rule.severity))], now)

    def _course(self, news: News) -> Course:
        alert = self._book.newest(news.key)
        if alert is not None and not _is_live(alert, news.episode):
            return NOTHING
        return proceed(alert, news.episode, news.about, news.severity)

    def _needs(self, entry: Entry, now: datetime) -> bool:
        """Whether time, a silence, a route or a parent has made something of an alert due."""
        alert = entry.alert
        if settle(alert, now):
            return True
        if (
            alert.state is not AlertState.PENDING
            and self._is_told_of(entry)
            and _differs(alert, self._why(alert, now))
        ):
            return True
        return self._due(entry, now) is not None

    def _is_told_of(self, entry: Entry) -> bool:
        """Whether it matters that it is hidden. What was over while hidden stays so: it is no news any more."""
        alert = entry.alert
        came_back = any(isinstance(event.body, Returned) for event in entry.events)
        return alert.is_open or (alert.told is None and (alert.hidden is None or came_back))

    def _hide(self, entry: Entry, now: datetime) -> None:
        alert = entry.alert
        if alert.state is AlertState.PENDING or not self._is_told_of(entry):
            return
        why = self._why(alert, now)
        if _differs(alert, why):
            body = HiddenFrom(reason=None, by="") if why is None else HiddenFrom(reason=why.reason, by=why.by)
            self._book.add(entry, [Step(now, body)], now)

    def _why(self, alert: Alert, now: datetime) -> Why | None:
        rule = self.rules.get(alert.about.rule)
        if rule is None:
            return None if alert.hidden is None else Why(alert.hidden, alert.hidden_by)
        try:
            return hidden_now(
                alert,
                rule,
                now,
                parents=self._parents,
                silences=self._office.silences,
                calendar=self._office.calendar,
            )
        except CalendarNotCoveredError as error:
            # Better told on a holiday than not told.
            self._office.trouble = str(error)
            return None

    def _look_for_parents(self) -> None:
        """Once for all alerts of a pass."""
        self._parents = [
            (str(entry.alert_id or entry.alert.about.object), entry.alert) for entry in self._book.parents()
        ]

    def _due(self, entry: Entry, now: datetime) -> Due | None:
        alert, rule = entry.alert, self.rules.get(entry.key.rule) or self.known.get(entry.key.rule)
        if rule is None or entry.alert_id is None:
            return None
        try:
            after = self._office.directory.escalates_after(alert, now)
        except CalendarNotCoveredError as error:
            self._office.trouble, after = str(error), ()
        page = due_page(alert, now, escalates_after=after)
        return None if page is None else Due(entry.alert_id, alert, page, rule)

    def _tell(self, connection: Connection, entries: Iterable[Entry], now: datetime) -> Planned:
        by_id = {entry.alert_id: entry for entry in entries}
        dues = [due for entry in by_id.values() if (due := self._due(entry, now)) is not None]
        if not dues:
            return Planned()
        planned = plan_pages(connection, self._office.directory, dues, now, name_of=self.name_of)
        for alert_id, told in planned.told:
            self._book.add(by_id[alert_id], [Step(now, told)], now)
        self._book.write(connection)
        return planned


def _is_live(alert: Alert, episode: Episode) -> bool:
    """Whether an episode is not over before what is on record began: found again, it is no news."""
    return episode.cleared_at is None or episode.cleared_at > alert.since


def _differs(alert: Alert, why: Why | None) -> bool:
    return (alert.hidden, alert.hidden_by) != ((None, "") if why is None else (why.reason, why.by))
