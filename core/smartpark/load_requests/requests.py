"""A load request as its events make it: `replay` folds them, `follow` adds one or refuses it with the reason.

Pure: no clock, no database. What an event may do depends on the state and on the template of stages, which is chosen
anew when details that it depends on are amended.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from smartpark.clock import PARK_ZONE
from smartpark.errors import SmartparkError
from smartpark.load_requests.events import (
    UNDOABLE,
    Amended,
    Assigned,
    Attached,
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
)
from smartpark.load_requests.rules import LoadRequestRules, Template
from smartpark.load_requests.words import Outcome, Owner, RequestSource, Stage, SuspendReason


class RefusedEventError(SmartparkError):
    """The request cannot take this event now."""


@dataclass(frozen=True, slots=True)
class Span:
    """Time in which a stage, its owner and the clocks stayed as they were; half-open."""

    stage: Stage
    owner: Owner | None
    """None: suspended, nobody's clock runs."""
    start: datetime
    end: datetime | None
    """None: still."""


@dataclass(frozen=True, slots=True)
class Scheme:
    """What the utility replied."""

    approved_kva: float
    node: str | None
    replied_at: datetime
    is_extended: bool = False


@dataclass(frozen=True, slots=True)
class LoadRequest:
    """A request at one moment."""

    details: Details
    template: Template
    stage: Stage
    """Last stage, when it has ended."""
    owner: Owner
    """Who owes the next action."""
    opened_at: datetime
    accepted_at: datetime | None
    """When it was accepted; none: a lead. Limits are those in force on that day."""
    spans: tuple[Span, ...]
    sequence: int
    """Of the newest event: its version."""
    changed_at: datetime
    """When the newest event happened."""
    suspended: SuspendReason | None = None
    outcome: Outcome | None = None
    ended_at: datetime | None = None
    energized_at: datetime | None = None
    manager: str | None = None
    scheme: Scheme | None = None
    reworks: int = 0
    undoable: tuple[int, str, datetime] | None = None
    """Sequence, author and time of recording of the newest event, when it is one that may be taken back."""

    @property
    def next_stage(self) -> Stage | None:
        """Stage after the present one; none after the last."""
        order = self.template.order
        later = order[order.index(self.stage) + 1 :] if self.stage in order else ()
        return next(iter(later), None)

    @property
    def earlier_stages(self) -> tuple[Stage, ...]:
        """Stages it may be sent back to."""
        order = self.template.order
        before = order[: order.index(self.stage)] if self.stage in order else ()
        return tuple(stage for stage in before if stage is not Stage.LEAD)

    @property
    def reserved_kva(self) -> float:
        """Capacity [kVA] promised and not yet connected."""
        is_promised = self.scheme is not None and self.outcome is None and self.energized_at is None
        return self.scheme.approved_kva if is_promised and self.scheme is not None else 0.0

    @property
    def stage_since(self) -> datetime:
        """When the present stage began, whoever's turn it has been in it."""
        since = self.spans[-1].start
        for span in reversed(self.spans):
            if span.stage is not self.stage:
                break
            since = span.start
        return since

    @property
    def rules_day(self) -> date:
        """Day whose rules it is served by: that of its acceptance, or of its opening."""
        return (self.accepted_at or self.opened_at).astimezone(PARK_ZONE).date()


def replay(events: Sequence[Event], rules: LoadRequestRules) -> LoadRequest:
    """Request as its events make it.

    Raises
    ------
    RefusedEventError
        When they do not follow from each other.
    """
    undone = {event.body.sequence for event in events if isinstance(event.body, Undone)}
    state: LoadRequest | None = None
    for place, event in enumerate(events, start=1):
        if event.sequence != place:
            raise RefusedEventError(f"event {event.sequence} stands at place {place}")
        if event.sequence in undone or isinstance(event.body, Undone):
            state = None if state is None else replace(state, sequence=event.sequence, undoable=None)
        else:
            state = _apply(state, event, rules)
    if state is None:
        raise RefusedEventError("a request begins by being opened")
    return state


def follow(events: Sequence[Event], new: Event, rules: LoadRequestRules) -> LoadRequest:
    """Request after one more event; its author may undo the newest one within the time the practice allows."""
    if isinstance(new.body, Undone):
        _check_undo(replay(events, rules), new, new.body, rules)
    return replay([*events, new], rules)


def _check_undo(state: LoadRequest, new: Event, body: Undone, rules: LoadRequestRules) -> None:
    within = timedelta(seconds=rules.practice_on(state.rules_day).undo_seconds)
    if state.undoable is None or state.undoable[0] != body.sequence:
        raise RefusedEventError(f"event {body.sequence} cannot be undone: only the newest move can")
    _, author, recorded_at = state.undoable
    if author != new.by:
        raise RefusedEventError(f"event {body.sequence} is {author}'s, who alone may undo it; send it back instead")
    if new.recorded_at - recorded_at > within:
        raise RefusedEventError(
            f"event {body.sequence} was recorded more than {within.seconds} s ago; send the request back instead"
        )


def _apply(state: LoadRequest | None, event: Event, rules: LoadRequestRules) -> LoadRequest:
    if isinstance(event.body, Opened):
        if state is not None:
            raise RefusedEventError("it is open already")
        return _opened(event, event.body, rules)
    if state is None:
        raise RefusedEventError("a request begins by being opened")
    if event.at < state.changed_at:
        raise RefusedEventError(
            f"it happened at {event.at.isoformat()}, and an event of {state.changed_at.isoformat()} is on record"
        )
    if state.outcome is not None and not isinstance(event.body, (Commented, Attached)):
        raise RefusedEventError(f"it has ended: {state.outcome}")
    changed = _HANDLERS[type(event.body)](state, event, event.body, rules)
    undoable = (event.sequence, event.by, event.recorded_at) if isinstance(event.body, UNDOABLE) else None
    return replace(changed, sequence=event.sequence, changed_at=event.at, undoable=undoable)


def _opened(event: Event, body: Opened, rules: LoadRequestRules) -> LoadRequest:
    if body.is_lead == (body.details.source is RequestSource.APPLICATION):
        wanted = "an application is no lead" if body.is_lead else "only an application begins with its acceptance"
        raise RefusedEventError(f"source {body.details.source}: {wanted}")
    template = rules.template_for(body.details.case, event.at.astimezone(PARK_ZONE).date())
    stage = Stage.LEAD if body.is_lead else Stage.ACCEPTANCE
    row = template.row(stage)
    if row is None:
        raise RefusedEventError(f"{template.id} has no stage {stage}")
    return LoadRequest(
        details=body.details,
        template=template,
        stage=stage,
        owner=row.first_owner,
        opened_at=event.at,
        accepted_at=None if body.is_lead else event.at,
        spans=(Span(stage, row.first_owner, event.at, None),),
        sequence=event.sequence,
        changed_at=event.at,
    )


def _turn(state: LoadRequest, at: datetime, *, stage: Stage, owner: Owner, is_stopped: bool = False) -> LoadRequest:
    """End the running span and begin another."""
    *before, last = state.spans
    now_on = Span(stage, None if is_stopped else owner, at, None)
    return replace(state, stage=stage, owner=owner, spans=(*before, replace(last, end=at), now_on))


def _ended(state: LoadRequest, at: datetime, outcome: Outcome) -> LoadRequest:
    *before, last = state.spans
    return replace(state, outcome=outcome, ended_at=at, suspended=None, spans=(*before, replace(last, end=at)))


def _require_running(state: LoadRequest) -> None:
    if state.suspended is not None:
        raise RefusedEventError(f"it is suspended ({state.suspended}); resume it first")


def _moved(state: LoadRequest, event: Event, body: Moved, rules: LoadRequestRules) -> LoadRequest:
    _require_running(state)
    if body.to is not state.next_stage:
        may = state.next_stage or "the archive"
        raise RefusedEventError(f"from {state.stage} it moves to {may}, not to {body.to or 'the archive'}")
    if state.stage is Stage.SCHEME_REPLY and state.scheme is None:
        raise RefusedEventError("no scheme has been replied yet: record approved_kva first")
    energized_at = event.at if state.stage is Stage.ENERGIZATION else state.energized_at
    if body.to is None:
        return replace(_ended(state, event.at, Outcome.ARCHIVED), energized_at=energized_at)
    accepted_at = state.accepted_at
    template = state.template
    if body.to is Stage.ACCEPTANCE and accepted_at is None:
        accepted_at = event.at
        template = rules.template_for(state.details.case, event.at.astimezone(PARK_ZONE).date())
    owner = _first_owner(template, body.to)
    turned = _turn(state, event.at, stage=body.to, owner=owner)
    return replace(turned, accepted_at=accepted_at, energized_at=energized_at, template=template)


def _first_owner(template: Template, stage: Stage) -> Owner:
    row = template.row(stage)
    if row is None:
        raise RefusedEventError(f"{template.id} has no stage {stage}")
    return row.first_owner


def _sent_back(state: LoadRequest, event: Event, body: SentBack, _rules: LoadRequestRules) -> LoadRequest:
    _require_running(state)
    if body.to not in state.earlier_stages:
        may = ", ".join(state.earlier_stages) or "none: it is at its first"
        raise RefusedEventError(f"from {state.stage} it goes back to an earlier stage ({may}), not to {body.to}")
    turned = _turn(state, event.at, stage=body.to, owner=_first_owner(state.template, body.to))
    order = state.template.order
    is_before_energized = order.index(body.to) <= order.index(Stage.ENERGIZATION)
    is_before_scheme = order.index(body.to) <= order.index(Stage.SCHEME_REPLY)
    return replace(
        turned,
        reworks=state.reworks + 1,
        energized_at=None if is_before_energized else state.energized_at,
        scheme=None if is_before_scheme else state.scheme,
    )


def _handed(state: LoadRequest, event: Event, body: Handed, _rules: LoadRequestRules) -> LoadRequest:
    _require_running(state)
    if body.to is state.owner:
        raise RefusedEventError(f"it is the turn of the {body.to} already")
    return _turn(state, event.at, stage=state.stage, owner=body.to)


def _suspended(state: LoadRequest, event: Event, body: Suspended, _rules: LoadRequestRules) -> LoadRequest:
    _require_running(state)
    return replace(
        _turn(state, event.at, stage=state.stage, owner=state.owner, is_stopped=True), suspended=body.reason
    )


def _resumed(state: LoadRequest, event: Event, _body: Resumed, _rules: LoadRequestRules) -> LoadRequest:
    if state.suspended is None:
        raise RefusedEventError("it is not suspended")
    return replace(_turn(state, event.at, stage=state.stage, owner=state.owner), suspended=None)


def _withdrawn(state: LoadRequest, event: Event, _body: Withdrawn, _rules: LoadRequestRules) -> LoadRequest:
    if state.energized_at is not None:
        raise RefusedEventError("it is energized; what stands is archived, not withdrawn")
    return _ended(state, event.at, Outcome.WITHDRAWN)


def _rejected(state: LoadRequest, event: Event, _body: Rejected, _rules: LoadRequestRules) -> LoadRequest:
    row = state.template.row(state.stage)
    if row is None or not row.may_reject:
        raise RefusedEventError(f"in {state.stage} it is not rejected any more; send it back or let it be withdrawn")
    return _ended(state, event.at, Outcome.REJECTED)


def _amended(state: LoadRequest, _event: Event, body: Amended, rules: LoadRequestRules) -> LoadRequest:
    if body.details.park != state.details.park:
        raise RefusedEventError("a request stays in its park; withdraw it and open another")
    if state.accepted_at is not None and body.details.source is not state.details.source:
        raise RefusedEventError("where an accepted request came from is not amended")
    if state.accepted_at is None and body.details.source is RequestSource.APPLICATION:
        raise RefusedEventError("a lead keeps where it came from; when it is applied for, move it to acceptance")
    template = rules.template_for(body.details.case, state.rules_day)
    if template.row(state.stage) is None:
        raise RefusedEventError(
            f"{template.id} has no stage {state.stage}; first send the request back to a stage that both have"
        )
    return replace(state, details=body.details, template=template)


def _scheme_replied(state: LoadRequest, event: Event, body: SchemeReplied, _rules: LoadRequestRules) -> LoadRequest:
    _require_running(state)
    if state.stage is not Stage.SCHEME_REPLY:
        raise RefusedEventError(f"a scheme is replied in {Stage.SCHEME_REPLY}, and the request is in {state.stage}")
    return replace(state, scheme=Scheme(body.approved_kva, body.node or state.details.node, event.at))


def _scheme_extended(
    state: LoadRequest, _event: Event, _body: SchemeExtended, _rules: LoadRequestRules
) -> LoadRequest:
    if state.scheme is None:
        raise RefusedEventError("there is no scheme to extend")
    if state.scheme.is_extended:
        raise RefusedEventError("a scheme is extended once, and this one has been")
    return replace(state, scheme=replace(state.scheme, is_extended=True))


def _assigned(state: LoadRequest, _event: Event, body: Assigned, _rules: LoadRequestRules) -> LoadRequest:
    return replace(state, manager=body.manager)


def _unchanged(state: LoadRequest, _event: Event, _body: object, _rules: LoadRequestRules) -> LoadRequest:
    return state


_HANDLERS: dict[type, Callable[[LoadRequest, Event, Any, LoadRequestRules], LoadRequest]] = {
    Moved: _moved,
    SentBack: _sent_back,
    Handed: _handed,
    Suspended: _suspended,
    Resumed: _resumed,
    Withdrawn: _withdrawn,
    Rejected: _rejected,
    Amended: _amended,
    SchemeReplied: _scheme_replied,
    SchemeExtended: _scheme_extended,
    Assigned: _assigned,
    Commented: _unchanged,
    Attached: _unchanged,
}


def possible(state: LoadRequest) -> frozenset[str]:
    """Types of the events that the request may take now; what a page offers."""
    always = {"commented", "attached"}
    if state.outcome is not None:
        return frozenset(always)
    always |= {"amended", "assigned"} | (set() if state.energized_at is not None else {"withdrawn"})
    row = state.template.row(state.stage)
    always |= {"rejected"} if row is not None and row.may_reject else set()
    always |= {"scheme_extended"} if state.scheme is not None and not state.scheme.is_extended else set()
    if state.suspended is not None:
        return frozenset(always | {"resumed"})
    always |= {"handed", "suspended"} | ({"sent_back"} if state.earlier_stages else set())
    if state.stage is Stage.SCHEME_REPLY:
        always |= {"scheme_replied"}
    if state.stage is not Stage.SCHEME_REPLY or state.scheme is not None:
        always |= {"moved"}
    return frozenset(always)


def last_undoable(state: LoadRequest, by: str, now: datetime, rules: LoadRequestRules) -> int | None:
    """Sequence of the event that this person may still take back."""
    if state.undoable is None or state.undoable[1] != by:
        return None
    within = timedelta(seconds=rules.practice_on(state.rules_day).undo_seconds)
    return state.undoable[0] if now - state.undoable[2] <= within else None


def next_sequence(events: Iterable[Event]) -> int:
    """Sequence of the next event."""
    return max((event.sequence for event in events), default=0) + 1
