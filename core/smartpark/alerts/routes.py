"""Whom alerts are told to, by which way and when: contacts and routes as people write them, and what they lead to.

A file is refused whole when anything in it is wrong, with every problem named by file and key. A contact names the
file that holds its address; no address and no secret stands here. Nothing here sends anything. Pure.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, time, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final, Literal, NamedTuple

from pydantic import Field, model_validator

from smartpark.alerts.life import Alert
from smartpark.alerts.paging import Page
from smartpark.alerts.rules import Pattern, Schedule, matches
from smartpark.alerts.words import Cause, PageKind, Severity
from smartpark.catalogue import Code
from smartpark.clock import PARK_ZONE
from smartpark.errors import InvalidFileError, Problem
from smartpark.tomlfile import StrictModel, load_toml, parse_model
from smartpark.workdays import CalendarNotCoveredError, WorkdayCalendar

_DAY: Final = timedelta(days=1)
SecretName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,62}$")]
"""Name of a file in the folder of secrets."""


class ChannelKind(StrEnum):
    """Ways to reach somebody."""

    MAIL = "mail"
    WEBHOOK = "webhook"
    """A program of somebody's, told in JSON that is signed."""
    DINGTALK = "dingtalk"
    WECOM = "wecom"
    FEISHU = "feishu"
    ALERTMANAGER = "alertmanager"
    """An Alertmanager, which then decides on its own whom to tell."""
    APPRISE = "apprise"
    """Any other service that Apprise knows and this installation lets in, MQTT among them."""


CHANNEL_WORDS: Final[Mapping[ChannelKind, tuple[str, str]]] = {
    ChannelKind.MAIL: ("邮件", "e-mail"),
    ChannelKind.WEBHOOK: ("网络回调", "webhook"),
    ChannelKind.DINGTALK: ("钉钉机器人", "DingTalk robot"),
    ChannelKind.WECOM: ("企业微信机器人", "WeCom robot"),
    ChannelKind.FEISHU: ("飞书机器人", "Feishu robot"),
    ChannelKind.ALERTMANAGER: ("Alertmanager", "Alertmanager"),
    ChannelKind.APPRISE: ("其他（Apprise）", "other (Apprise)"),
}
"""Chinese and English."""


class Contact(StrictModel):
    """Somebody, or something, that is told."""

    code: Code
    park: Code | None = None
    """Only routes of that park may lead to it; none: all."""
    name: Annotated[str, Field(min_length=1, max_length=60)]
    language: Literal["zh", "en"] = "zh"
    channel: ChannelKind
    address: SecretName
    """Name of the secret file that says where it is; never the address."""
    digest_at: Annotated[tuple[time, ...], Field(min_length=1, max_length=24)] = (time(8),)
    """When it is told, in one message, what can wait: once a day, or once a shift."""
    most_at_once: Annotated[int, Field(ge=1, le=100)] = 5
    """Matters that begin together are told in messages of their own up to so many; more of them in one message."""
    most_per_hour: Annotated[int, Field(ge=1, le=3600)] = 60
    """Messages; what goes beyond is told in one message each quarter of an hour."""
    is_active: bool = True


class EscalationStep(StrictModel):
    """Whom to tell when nobody has taken note."""

    after_min: Annotated[float, Field(gt=0, le=7 * 1440)]
    """From the moment people were told that it fires."""
    contacts: Annotated[tuple[Code, ...], Field(min_length=1)]


class Quiet(StrictModel):
    """Hours in which people are left alone, but for what is worse than `up_to`; the rest is told when they end."""

    hours: Schedule
    up_to: Severity = Severity.WARNING


class Route(StrictModel):
    """Which alerts are told to whom: what fits all keys that are given; a key that is not given fits everything."""

    code: Code
    park: Code | None = None
    severities: tuple[Severity, ...] = ()
    causes: tuple[Cause, ...] = ()
    rules: tuple[Pattern, ...] = ()
    objects: tuple[Pattern, ...] = ()
    devices: tuple[Pattern, ...] = ()
    hours: Schedule = Schedule()
    """Outside of them the next route that fits is taken; where there is none, people are told when they begin."""
    contacts: Annotated[tuple[Code, ...], Field(min_length=1)]
    escalation: tuple[EscalationStep, ...] = ()
    digest: tuple[Severity, ...] = (Severity.INFO,)
    """Severities that wait for the digest of the contact."""
    quiet: Quiet | None = None
    group_wait_s: Annotated[float, Field(ge=0, le=3600)] | None = None
    """So long a message waits for more of the same matter; none: 0 for critical alerts, else a few seconds."""
    tells_resolved: bool = True
    """Whether people are told that it is over."""
    goes_on: bool = False
    """Whether the routes below this one are taken too."""
    is_active: bool = True

    @model_validator(mode="after")
    def _climbs(self) -> "Route":
        after = [step.after_min for step in self.escalation]
        if after != sorted(set(after)):
            raise ValueError("escalation: each step comes later than the one before it")
        return self

    def fits(self, alert: Alert) -> bool:
        """Whether an alert is its concern, whatever the hour."""
        about = alert.about
        return (
            self.is_active
            and self.park in (None, about.park)
            and (not self.severities or alert.severity in self.severities)
            and (not self.causes or about.cause in self.causes)
            and matches(self.rules, about.rule)
            and matches(self.objects, about.object)
            and matches(self.devices, about.device)
        )

    def waits(self, severity: Severity) -> timedelta:
        """How long a message waits for more of the same matter."""
        if self.group_wait_s is not None:
            return timedelta(seconds=self.group_wait_s)
        return timedelta(0) if severity is Severity.CRITICAL else _GROUP_WAIT


_GROUP_WAIT: Final = timedelta(seconds=5)


class RouteFile(StrictModel):
    """A file of contacts and routes; routes are taken in their order."""

    contact: tuple[Contact, ...] = ()
    route: tuple[Route, ...] = ()


def load_routes(path: Path) -> RouteFile:
    """Read a file of contacts and routes; `InvalidFileError` with every problem, each by its key."""
    return parse_routes(load_toml(path), file=str(path))


def parse_routes(document: Mapping[str, Any], *, file: str) -> RouteFile:
    """Check a parsed file of contacts and routes; `InvalidFileError` as in `load_routes`."""
    found = parse_model(document, RouteFile, file=file)
    problems = [*_twice(found, file), *route_problems(found.route, found.contact, file=file)]
    if problems:
        raise InvalidFileError(problems)
    return found


def _twice(found: RouteFile, file: str) -> Iterator[Problem]:
    for name, entries in (("contact", found.contact), ("route", found.route)):
        counts = Counter(entry.code for entry in entries)
        yield from (Problem(file, f"{name}[{code}].code", "stands twice") for code, n in counts.items() if n > 1)


def route_problems(routes: Iterable[Route], contacts: Iterable[Contact], *, file: str) -> Iterator[Problem]:
    """Contacts that routes lead to and that are not there, or are another park's."""
    known = {contact.code: contact for contact in contacts}
    for route in routes:
        named = [("contacts", route.contacts)]
        named += [(f"escalation[{place}].contacts", step.contacts) for place, step in enumerate(route.escalation)]
        for key, codes in named:
            for code in codes:
                place, contact = f"route[{route.code}].{key}", known.get(code)
                if contact is None:
                    yield Problem(file, place, f"there is no contact {code}")
                elif contact.park is not None and contact.park != route.park:
                    yield Problem(file, place, f"contact {code} is of park {contact.park}, and the route is not")


class Delivery(NamedTuple):
    """One contact that is to be told, and when."""

    contact: str
    due_at: datetime
    is_digest: bool
    """Told with whatever else waits for that moment, not in a message of its own."""


class Directory:
    """All contacts and routes, asked where an alert leads at a moment.

    Parameters
    ----------
    contacts, routes : iterable
        Routes in their order. What is not active, and a contact that is not there, leads nowhere.
    calendar : WorkdayCalendar
        For hours of working days.
    """

    def __init__(self, contacts: Iterable[Contact], routes: Iterable[Route], calendar: WorkdayCalendar) -> None:
        self.contacts = {contact.code: contact for contact in contacts if contact.is_active}
        self._routes = tuple(route for route in routes if route.is_active)
        self._calendar = calendar
        self._fitting: dict[tuple[object, ...], tuple[Route, ...]] = {}
        self.trouble = ""
        """Why it is not known whether a day is worked; then people are told rather than not."""

    def routes_of(self, alert: Alert, now: datetime) -> tuple[Route, ...] | None:
        """Routes that are taken now; empty: none ever is; None: one will be, when its hours begin."""
        fitting = self._all_of(alert)
        taken: list[Route] = []
        for route in fitting:
            if self._is_open(route.hours, now, otherwise=True):
                taken.append(route)
                if not route.goes_on:
                    break
        return tuple(taken) if taken or not fitting else None

    def escalates_after(self, alert: Alert, now: datetime) -> tuple[timedelta, ...]:
        """Steps of its escalation, for `smartpark.alerts.paging.due_page`."""
        return tuple(after for after, _ in self.ladder(alert, now))

    def deliveries(
        self, alert: Alert, page: Page, now: datetime, *, told: Sequence[str] = ()
    ) -> tuple[Delivery, ...] | None:
        """Whom to tell of a page, and when; empty: nobody; None: nobody now, and it stays due.

        Parameters
        ----------
        told : sequence of str
            Contacts that were told of this alert before; they are told of its end.
        """
        routes = self.routes_of(alert, now)
        if page.kind is PageKind.RESOLVED:
            return self._unique(self._farewells(alert, told, routes or self._all_of(alert), now))
        if routes is None:
            return None
        if page.kind is PageKind.ESCALATED:
            steps = self.ladder(alert, now)[alert.escalation : page.step]
            return self._unique(Delivery(code, now, False) for _, contacts in steps for code in contacts)
        return self._unique(self._delivery(alert, route, code, now) for route in routes for code in route.contacts)

    def _is_open(self, hours: Schedule, now: datetime, *, otherwise: bool) -> bool:
        try:
            return hours.is_open(now, self._calendar)
        except CalendarNotCoveredError as error:
            self.trouble = str(error)
            return otherwise

    def _all_of(self, alert: Alert) -> tuple[Route, ...]:
        about = alert.about
        key = (about.park, about.rule, about.object, about.device, about.cause, alert.severity)
        if key not in self._fitting:
            if len(self._fitting) >= _MOST_REMEMBERED:
                self._fitting.clear()
            self._fitting[key] = tuple(route for route in self._routes if route.fits(alert))
        return self._fitting[key]

    def ladder(self, alert: Alert, now: datetime) -> list[tuple[timedelta, tuple[str, ...]]]:
        """Whom to tell while nobody takes note, each after how long, of all routes that are taken now.

        What waits for a digest is nobody's to be late with, and quiet hours do not count: whoever is told when they
        end has their time from then on, and nobody is woken for whoever slept.
        """
        told_at = alert.told_at or now
        found = [
            (self._step_at(alert, route, told_at, step) - told_at, step.contacts)
            for route in self.routes_of(alert, now) or ()
            if alert.severity not in route.digest
            for step in route.escalation
        ]
        return sorted(found, key=lambda one: one[0])

    def _step_at(self, alert: Alert, route: Route, told_at: datetime, step: EscalationStep) -> datetime:
        heard_at = self._awake(alert, route, told_at)
        return self._awake(alert, route, heard_at + timedelta(minutes=step.after_min))

    def _awake(self, alert: Alert, route: Route, moment: datetime) -> datetime:
        """The moment, or the end of the quiet hours that it lies in."""
        quiet = route.quiet
        if quiet is None or alert.severity.rank > quiet.up_to.rank:
            return moment
        return self.quiet_until(quiet.hours, moment)

    def quiet_until(self, hours: Schedule, moment: datetime) -> datetime:
        """The moment, or the end of the hours that it lies in: the last of them, where days off follow each other."""
        for _ in range(_MOST_QUIET_DAYS):
            if not self._is_open(hours, moment, otherwise=False):
                break
            moment = _end(hours, moment)
        return moment

    def _farewells(
        self, alert: Alert, told: Sequence[str], routes: Sequence[Route], now: datetime
    ) -> Iterator[Delivery]:
        for code in told:
            led = [route for route in routes if code in _everybody(route)]
            if not led:
                yield Delivery(code, now, False)
            yield from (self._delivery(alert, route, code, now) for route in led if route.tells_resolved)

    def _delivery(self, alert: Alert, route: Route, code: str, now: datetime) -> Delivery:
        if alert.severity in route.digest:
            contact = self.contacts.get(code)
            return Delivery(code, _next(contact.digest_at, now) if contact else now, True)
        awake_at = self._awake(alert, route, now)
        if awake_at > now:
            return Delivery(code, awake_at, True)
        return Delivery(code, now + route.waits(alert.severity), False)

    def _unique(self, found: Iterable[Delivery]) -> tuple[Delivery, ...]:
        """One of each contact that is there: the soonest."""
        soonest: dict[str, Delivery] = {}
        for one in found:
            if one.contact in self.contacts and one.due_at < soonest.get(one.contact, _NEVER).due_at:
                soonest[one.contact] = one
        return tuple(soonest.values())


_MOST_REMEMBERED: Final = 100_000
_MOST_QUIET_DAYS: Final = 30
"""Longer than any holiday: hours that are always quiet are told in the end."""
_NEVER: Final = Delivery("", datetime.max.replace(tzinfo=PARK_ZONE), False)


def _everybody(route: Route) -> set[str]:
    return {*route.contacts, *(code for step in route.escalation for code in step.contacts)}


def _next(moments: Iterable[time], now: datetime) -> datetime:
    """The first of some times of day that comes after `now`."""
    local = now.astimezone(PARK_ZONE)
    days = (local.date(), local.date() + _DAY)
    found = (datetime.combine(day, moment, PARK_ZONE) for day in days for moment in moments)
    return min(moment for moment in found if moment > now)


def _end(hours: Schedule, now: datetime) -> datetime:
    """When hours that are open at `now` end."""
    return _next((hours.end,), now)
