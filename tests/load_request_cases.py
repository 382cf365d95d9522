"""Load requests for tests: details, histories of events that follow from each other, calendars with more holidays."""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import strategies as st
from smartpark.clock import PARK_ZONE
from smartpark.load_requests.clocks import Clocks, clocks_of
from smartpark.load_requests.events import (
    Amended,
    Assigned,
    Attached,
    Body,
    Commented,
    Details,
    Event,
    Handed,
    Moved,
    Opened,
    Rejected,
    Resumed,
    SchemeExtended,
    SchemeReplied,
    SentBack,
    Suspended,
    Undone,
    Withdrawn,
    happened,
)
from smartpark.load_requests.requests import LoadRequest, follow, possible, replay
from smartpark.load_requests.rules import LoadRequestRules, builtin_load_request_rules
from smartpark.load_requests.words import (
    Channel,
    Importance,
    Owner,
    RequestKind,
    RequestSource,
    Stage,
    Supply,
    SuspendReason,
    UserKind,
    VoltageClass,
)
from smartpark.workdays import DayKind, Holiday, WorkdayCalendar, builtin_workdays
from smartpark_storage import Connection
from smartpark_storage.load_requests import append_event, insert_request, read_events

RULES = builtin_load_request_rules()
CALENDAR = builtin_workdays()
MORNING = datetime(2026, 9, 24, 2, 0, tzinfo=UTC)
"""Ten o'clock of Thursday 2026-09-24 in the park's zone."""


def details(**changed: Any) -> Details:
    """An ordinary request at 10 kV."""
    return Details.model_validate(
        {
            "park": "hill",
            "applicant": "晋江纺织有限公司",
            "kind": RequestKind.NEW_SUPPLY,
            "applied_kva": 2000.0,
            "voltage": VoltageClass.KV10,
            "contact_role": "energy manager",
        }
        | changed
    )


def lead_details(**changed: Any) -> Details:
    """The same, from a visit."""
    return details(**({"source": RequestSource.PROACTIVE_VISIT, "probability": 0.5} | changed))


def opened(*, at: datetime = MORNING, by: str = "lin", is_lead: bool = False, **changed: Any) -> Event:
    """First event."""
    made = lead_details(**changed) if is_lead else details(**changed)
    return happened(1, at, by, Opened(details=made, is_lead=is_lead))


def story(*bodies: tuple[datetime, Body], by: str = "lin", first: Event | None = None) -> tuple[Event, ...]:
    """Events that follow from each other, checked one by one."""
    events = (first or opened(),)
    for at, body in bodies:
        event = happened(len(events) + 1, at, by, body)
        follow(events, event, RULES)
        events = (*events, event)
    return events


def with_holidays(calendar: WorkdayCalendar, days: Iterable[date]) -> WorkdayCalendar:
    """The same calendar with more days off."""
    more = dict.fromkeys(days, (DayKind.HOLIDAY, Holiday.OTHER))
    return WorkdayCalendar(years=calendar.years, special={**calendar.special, **more})


def under_regime(regime: str) -> LoadRequestRules:
    """The package's rows, served by the limits of another regime."""
    practice = tuple(row.model_copy(update={"regime": regime}) for row in RULES.practice)
    return RULES.model_copy(update={"practice": practice})


@st.composite
def cases(draw: st.DrawFn) -> dict[str, Any]:
    """Whatever limits and templates depend on."""
    voltage = draw(st.sampled_from(VoltageClass))
    kinds = [k for k in UserKind if k is not UserKind.SMALL_BUSINESS or voltage is VoltageClass.LOW]
    return {
        "voltage": voltage,
        "supply": draw(st.sampled_from(Supply)),
        "user_kind": draw(st.sampled_from(kinds)),
        "importance": draw(st.sampled_from(Importance)),
        "channel": draw(st.sampled_from(Channel)),
    }


def body_of(draw: st.DrawFn, kind: str, state: LoadRequest) -> Body:
    """A body of this type that the request may take."""
    simple: dict[str, Body] = {
        "moved": Moved(to=state.next_stage),
        "resumed": Resumed(),
        "withdrawn": Withdrawn(reason="not wanted"),
        "rejected": Rejected(reason="no capacity"),
        "scheme_replied": SchemeReplied(approved_kva=1600.0),
        "scheme_extended": SchemeExtended(),
        "assigned": Assigned(manager="chen"),
        "commented": Commented(text="called them"),
        "amended": Amended(details=state.details, reason="nothing new"),
        "attached": Attached(attachment="0" * 32, name="a.pdf", kind="licence", size_bytes=1, sha256="0" * 64),
    }
    if kind in simple:
        return simple[kind]
    if kind == "sent_back":
        return SentBack(to=draw(st.sampled_from(state.earlier_stages)), reason="again")
    if kind == "handed":
        return Handed(to=draw(st.sampled_from([owner for owner in Owner if owner is not state.owner])))
    return Suspended(reason=draw(st.sampled_from(SuspendReason)))


_WEIGHTS = ("moved", "moved", "scheme_replied", "handed", "handed", "sent_back", "suspended", "resumed", "resumed")


@st.composite
def histories(draw: st.DrawFn, *, most: int = 14) -> tuple[Event, ...]:
    """Events that follow from each other, over some months of 2025 and 2026, at any hour."""
    at = datetime(2025, 9, 1, tzinfo=UTC) + timedelta(minutes=draw(st.integers(0, 60 * 24 * 60)))
    is_lead = draw(st.booleans())
    events: tuple[Event, ...] = (opened(at=at, is_lead=is_lead, **draw(cases())),)
    for _ in range(draw(st.integers(0, most))):
        state = replay(events, RULES)
        may = possible(state)
        kinds = [kind for kind in _WEIGHTS if kind in may] or sorted(may)
        kind = draw(st.sampled_from(kinds) if draw(st.integers(0, 9)) else st.sampled_from(sorted(may)))
        at += timedelta(minutes=draw(st.integers(0, 12 * 24 * 60)))
        event = happened(len(events) + 1, at, "lin", body_of(draw, kind, state))
        events = (*events, event)
        if draw(st.integers(0, 9)) == 0 and replay(events, RULES).undoable is not None:
            events = (*events, happened(len(events) + 1, at, "lin", Undone(sequence=len(events))))
    return events


def stages_of(events: Sequence[Event]) -> tuple[Stage, ...]:
    """Stages it has been in, in order."""
    return tuple(dict.fromkeys(span.stage for span in replay(events, RULES).spans))


class Desk:
    """Writes requests of one park into a database, as the service does."""

    def __init__(self, connection: Connection, park: str, *, rules: LoadRequestRules = RULES) -> None:
        self.connection = connection
        self.park = park
        self.rules = rules
        self.calendar = CALENDAR
        self.today = MORNING.date()

    def open(self, *, at: datetime = MORNING, is_lead: bool = False, **changed: Any) -> str:
        """Open a request; its code."""
        return self.keep([opened(at=at, is_lead=is_lead, **({"park": self.park} | changed))])

    def keep(self, events: Sequence[Event]) -> str:
        """Insert a request and append the rest, one by one."""
        code = insert_request(self.connection, events[0], *self.reckon(events[:1]))
        for count in range(2, len(events) + 1):
            append_event(self.connection, code, events[count - 1], *self.reckon(events[:count]))
        return code

    def act(self, code: str, body: Body, *, at: datetime | None = None, by: str = "lin") -> None:
        """Append an event to what is on record."""
        events = read_events(self.connection, code)
        event = happened(len(events) + 1, at or events[-1].at, by, body)
        follow(events, event, self.rules)
        append_event(self.connection, code, event, *self.reckon([*events, event]))

    def reckon(self, events: Sequence[Event], *, today: date | None = None) -> tuple[LoadRequest, Clocks]:
        """Request and clocks as of the day of the newest event, or of another one."""
        request = replay(events, self.rules)
        on = today or events[-1].at.astimezone(PARK_ZONE).date()
        return request, clocks_of(request, self.rules, self.calendar, on)
