"""The desk: open a request, let something happen to it, look at one or at all of them.

Every act reads the events under a lock, lets core decide, and appends one event; nothing is decided here. Whoever
acts on a version that is no longer the newest is refused with `StaleVersionError`, whatever a request cannot take now
with `RefusedEventError`. Pages and routes call this directly; it knows neither HTTP nor HTML.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from pydantic import ValidationError
from smartpark.clock import PARK_ZONE
from smartpark.dated import RuleNotFoundError
from smartpark.load_requests.clocks import Clocks, clocks_of
from smartpark.load_requests.events import (
    Amended,
    Assigned,
    Attached,
    Body,
    Commented,
    Details,
    Event,
    Opened,
    SchemeReplied,
    happened,
)
from smartpark.load_requests.requests import (
    LoadRequest,
    RefusedEventError,
    follow,
    last_undoable,
    possible,
    replay,
)
from smartpark.load_requests.rules import LoadRequestRules
from smartpark.load_requests.words import Stage, Standing
from smartpark.workdays import CalendarNotCoveredError, WorkdayCalendar
from smartpark_storage.connections import Connection
from smartpark_storage.load_requests import (
    Measured,
    Person,
    RequestFilter,
    RequestRow,
    StageTotal,
    StaleVersionError,
    append_event,
    insert_request,
    manager_on,
    read_board,
    read_events,
    read_row,
    read_rows,
    stage_totals,
)

from smartpark_api.load_requests.kpi_words import Kpis, Share
from smartpark_api.load_requests.kpis import measured_kpis
from smartpark_api.load_requests.places import check_node, check_person, check_place
from smartpark_api.load_requests.standing import days_left

SYSTEM = "system"
"""Who acts when nobody does."""
APPLICANT = "applicant"
UNLOCKED = (Commented, Attached)
"""What may be added whatever others did meanwhile."""


@dataclass(frozen=True, slots=True)
class Desk:
    """Where somebody works: a connection in a transaction, the rules, the working days, the moment and the person."""

    connection: Connection
    rules: LoadRequestRules
    calendar: WorkdayCalendar
    now: datetime
    actor: str | None = None
    """Code of whoever acts; none: only looks."""

    @property
    def today(self) -> date:
        """Day in the park's zone."""
        return self.now.astimezone(PARK_ZONE).date()


@dataclass(frozen=True, slots=True)
class RequestView:
    """All there is to say about one request."""

    row: RequestRow
    request: LoadRequest
    events: tuple[Event, ...]
    clocks: Clocks
    manager: Person | None
    """Project manager of its park today; none: nobody is named."""
    deputy: Person | None
    possible: frozenset[str]
    """Types of the events it may take now."""
    undoable: int | None
    """Sequence of the event that whoever asks may still take back."""
    undo_seconds: int
    """For how long after its recording."""

    @property
    def code(self) -> str:
        """As people call it."""
        return self.row.code

    @property
    def version(self) -> int:
        """Sequence of the newest event: what an act has to expect."""
        return self.request.sequence


@dataclass(frozen=True, slots=True)
class Card:
    """A request on the board."""

    row: RequestRow
    standing: Standing
    left: int | None
    """Working days left of the limit of the stage; negative: so many too late; none: nothing limits it."""


@dataclass(frozen=True, slots=True)
class Column:
    """A stage of the board."""

    stage: Stage
    count: int
    kva: float
    """Applied capacity of all requests of the stage, also of those not shown. [kVA]"""
    overdue: int
    at_risk: int
    due: int
    cards: tuple[Card, ...]
    """The most urgent ones."""
    waiting: int = 0
    """Whose turn it is not the utility's, and which are not suspended."""
    suspended: int = 0

    @property
    def hidden(self) -> int:
        """Requests of the stage that are not among the cards."""
        return max(0, self.count - len(self.cards))


@dataclass(frozen=True, slots=True)
class Board:
    """Requests under way, by stage."""

    today: date
    columns: tuple[Column, ...]

    @property
    def count(self) -> int:
        """Requests of all columns."""
        return sum(column.count for column in self.columns)

    @property
    def kva(self) -> float:
        """Their applied capacity [kVA]."""
        return sum(column.kva for column in self.columns)

    @property
    def overdue(self) -> int:
        """How many are too late."""
        return sum(column.overdue for column in self.columns)


def open_request(desk: Desk, details: Details, *, is_lead: bool = False, at: datetime | None = None) -> RequestView:
    """Open a request and give it to the park's project manager of the day.

    Raises
    ------
    smartpark.load_requests.requests.RefusedEventError
        When it cannot begin like that, or its park, enterprise or node is not in the catalogue.
    """
    check_place(desk.connection, details)
    event = _event(desk, 1, Opened(details=details, is_lead=is_lead), at)
    request, clocks = _followed(desk, (), event)
    code = insert_request(desk.connection, event, request, clocks)
    manager, _ = manager_on(desk.connection, details.park, desk.today)
    if manager is not None:
        _append(desk, code, (event,), _event(desk, 2, Assigned(manager=manager.code), at, by=SYSTEM))
    return view(desk, code)


def act(desk: Desk, code: str, body: Body, *, expected: int | None, at: datetime | None = None) -> RequestView:
    """Let something happen to a request.

    Parameters
    ----------
    expected : int or None
        Version that whoever acts has seen; None: whatever it is now, for comments and documents.
    at : datetime, optional
        When it happened, if not now; never before the newest event.

    Raises
    ------
    smartpark_storage.load_requests.StaleVersionError
        When something else happened meanwhile.
    smartpark.load_requests.requests.RefusedEventError
        When the request cannot take it now.
    """
    if isinstance(body, Opened):
        raise RefusedEventError("it is open already")
    events = read_events(desk.connection, code, for_update=True)
    found = events[-1].sequence
    if expected is None and not isinstance(body, UNLOCKED):
        raise RefusedEventError("say which version of the request you have seen")
    if expected is not None and expected != found:
        raise StaleVersionError(code, expected=expected, found=found)
    _check_words(desk, events, body)
    _append(desk, code, events, _event(desk, found + 1, body, at))
    return view(desk, code)


def assign_many(desk: Desk, requests: Sequence[tuple[str, int]], manager: str) -> list[RequestView]:
    """Make several requests somebody's, each on the version that was seen: all of them, or none."""
    # In the order of their codes, so that two who assign the same ones wait for each other and do not block.
    return [act(desk, code, Assigned(manager=manager), expected=expected) for code, expected in sorted(requests)]


def view(desk: Desk, code: str) -> RequestView:
    """A request with its events, clocks and what it may take now; `UnknownRequestError` when there is none."""
    events = read_events(desk.connection, code)
    request = replay(events, desk.rules)
    manager, deputy = manager_on(desk.connection, request.details.park, desk.today)
    return RequestView(
        row=read_row(desk.connection, code),
        request=request,
        events=events,
        clocks=clocks_of(request, desk.rules, desk.calendar, desk.today),
        manager=manager,
        deputy=deputy,
        possible=possible(request),
        undoable=None if desk.actor is None else last_undoable(request, desk.actor, desk.now, desk.rules),
        undo_seconds=desk.rules.practice_on(request.rules_day).undo_seconds,
    )


def board(desk: Desk, wanted: RequestFilter, *, per_column: int = 50) -> Board:
    """Requests under way by stage, the most urgent of each on top."""
    totals = {total.stage: total for total in stage_totals(desk.connection, wanted, today=desk.today)}
    rows = read_board(desk.connection, wanted, totals, today=desk.today, per_stage=per_column)
    return Board(
        desk.today,
        tuple(_column(stage, totals.get(stage), cards(desk, rows.get(stage, ()))) for stage in Stage),
    )


def cards(desk: Desk, rows: Sequence[RequestRow]) -> tuple[Card, ...]:
    """Rows with how their clocks stand today."""
    return tuple(Card(row, row.standing(desk.today), days_left(row, desk.calendar, desk.today)) for row in rows)


def kpis(desk: Desk, wanted: RequestFilter, start: date, end: date) -> Kpis:
    """Numbers of a period, half-open, of the requests that fit."""
    return measured_kpis(desk.connection, Measured(wanted, start, end, desk.today), desk.rules, desk.calendar)


def overdue_now(desk: Desk, wanted: RequestFilter) -> Share:
    """Open requests that are too late today, of all that are open."""
    totals = stage_totals(desk.connection, wanted, today=desk.today)
    return Share(sum(total.overdue for total in totals), sum(total.count for total in totals))


def urgent(desk: Desk, wanted: RequestFilter, *, most: int = 100) -> tuple[Card, ...]:
    """Requests that are overdue, due or at risk today, the most urgent first."""
    rows: list[RequestRow] = []
    for standing in (Standing.OVERDUE, Standing.DUE, Standing.AT_RISK):
        if len(rows) < most:
            asked = replace(wanted, standing=standing, is_open=True)
            rows += read_rows(desk.connection, asked, today=desk.today, limit=most - len(rows))
    return cards(desk, rows)


def _column(stage: Stage, total: StageTotal | None, found: tuple[Card, ...]) -> Column:
    if total is None:
        return Column(stage, 0, 0.0, 0, 0, 0, ())
    return Column(
        stage,
        total.count,
        total.kva,
        total.overdue,
        total.at_risk,
        total.due,
        found,
        total.waiting,
        total.suspended,
    )


def _event(desk: Desk, sequence: int, body: Body, at: datetime | None, *, by: str | None = None) -> Event:
    author = by or desk.actor
    if author is None:
        raise RefusedEventError("nobody is named who does it")
    try:
        return happened(sequence, at or desk.now, author, body, recorded_at=desk.now)
    except ValidationError as error:
        raise RefusedEventError("; ".join(str(finding["msg"]) for finding in error.errors())) from None


def reckoned(desk: Desk, events: Sequence[Event]) -> tuple[LoadRequest, Clocks]:
    """State and clocks of a history as of today."""
    try:
        request = replay(events, desk.rules)
        return request, clocks_of(request, desk.rules, desk.calendar, desk.today)
    except (RuleNotFoundError, CalendarNotCoveredError) as error:
        raise RefusedEventError(str(error)) from None


def _followed(desk: Desk, events: Sequence[Event], new: Event) -> tuple[LoadRequest, Clocks]:
    """State and clocks after one more event; what the rules or the calendar do not know refuses it."""
    try:
        request = follow(events, new, desk.rules)
        return request, clocks_of(request, desk.rules, desk.calendar, desk.today)
    except (RuleNotFoundError, CalendarNotCoveredError) as error:
        raise RefusedEventError(str(error)) from None


def _append(desk: Desk, code: str, events: Sequence[Event], new: Event) -> None:
    request, clocks = _followed(desk, events, new)
    append_event(desk.connection, code, new, request, clocks)


def _check_words(desk: Desk, events: Sequence[Event], body: Body) -> None:
    """What a body names has to exist."""
    opened = events[0].body
    if isinstance(body, SchemeReplied) and body.node is not None and isinstance(opened, Opened):
        check_node(desk.connection, opened.details.park, body.node)
    if isinstance(body, Amended):
        check_place(desk.connection, body.details)
    if isinstance(body, Assigned):
        check_person(desk.connection, body.manager)
