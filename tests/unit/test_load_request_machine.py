"""The state machine of load requests against a model of its own, over all templates; and refusals by example.

The model knows stages, turns and endings from tables written here. It shares no code with the machine.
"""

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from load_request_cases import MORNING, RULES, cases, details, histories, lead_details, opened, story
from smartpark.load_requests.events import (
    BODY,
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
from smartpark.load_requests.requests import (
    LoadRequest,
    RefusedEventError,
    follow,
    last_undoable,
    next_sequence,
    possible,
    replay,
)
from smartpark.load_requests.words import (
    Importance,
    Outcome,
    Owner,
    RequestSource,
    Stage,
    SuspendReason,
    UserKind,
    VoltageClass,
)

UTILITY, CUSTOMER = Owner.UTILITY, Owner.CUSTOMER
BEFORE = {Stage.LEAD: UTILITY, Stage.ACCEPTANCE: UTILITY, Stage.SURVEY: UTILITY}
STUDY = {Stage.ACCESS_STUDY: CUSTOMER}
REPLY = {Stage.SCHEME_REPLY: UTILITY}
REVIEW = {Stage.DESIGN_REVIEW: CUSTOMER}
WORKS = {Stage.CONSTRUCTION: CUSTOMER}
MIDWAY = {Stage.MID_INSPECTION: CUSTOMER}
INSPECTED = {Stage.COMPLETION_INSPECTION: CUSTOMER, Stage.CONTRACT: CUSTOMER}
LAST = {Stage.ENERGIZATION: UTILITY, Stage.ARCHIVING: UTILITY}
REJECTABLE = {Stage.ACCEPTANCE, Stage.SURVEY, Stage.ACCESS_STUDY, Stage.SCHEME_REPLY}


def stages(asked: Details) -> dict[Stage, Owner]:
    """Stages of a case with who owes the first action."""
    if asked.voltage is VoltageClass.LOW:
        return BEFORE | REPLY | LAST
    study = {} if asked.voltage is VoltageClass.KV10 else STUDY
    if asked.importance is Importance.ORDINARY and asked.user_kind is not UserKind.SPECIAL_LOAD:
        return BEFORE | study | REPLY | WORKS | INSPECTED | LAST
    return BEFORE | study | REPLY | REVIEW | WORKS | MIDWAY | INSPECTED | LAST


@dataclass(frozen=True)
class Model:
    """What a request is, as simply as can be."""

    details: Details
    stage: Stage
    owner: Owner
    is_accepted: bool
    version: int = 1
    is_suspended: bool = False
    outcome: str | None = None
    approved: float | None = None
    is_extended: bool = False
    is_energized: bool = False
    manager: str | None = None
    reworks: int = 0
    turns: list[tuple[Stage, Owner | None]] = field(default_factory=list)

    @property
    def order(self) -> list[Stage]:
        return list(stages(self.details))

    @property
    def ahead(self) -> Stage | None:
        place = self.order.index(self.stage) + 1
        return self.order[place] if place < len(self.order) else None

    @property
    def behind(self) -> list[Stage]:
        return [stage for stage in self.order[: self.order.index(self.stage)] if stage is not Stage.LEAD]

    def may(self, body: Body) -> bool:  # noqa: PLR0911 - one line per kind of event
        """Whether an event is allowed now."""
        if isinstance(body, (Commented, Attached)):
            return True
        if self.outcome is not None or isinstance(body, Opened):
            return False
        if isinstance(body, Assigned):
            return True
        if isinstance(body, Withdrawn):
            return not self.is_energized
        if isinstance(body, Rejected):
            return self.stage in REJECTABLE
        if isinstance(body, SchemeExtended):
            return self.approved is not None and not self.is_extended
        if isinstance(body, Amended):
            return self._may_amend(body.details)
        if isinstance(body, Resumed):
            return self.is_suspended
        return not self.is_suspended and self._may_on(body)

    def _may_amend(self, asked: Details) -> bool:
        is_source_kept = (
            asked.source is self.details.source if self.is_accepted else asked.source is not RequestSource.APPLICATION
        )
        return asked.park == self.details.park and is_source_kept and self.stage in stages(asked)

    def _may_on(self, body: Body) -> bool:
        if isinstance(body, Moved):
            is_replied = self.stage is not Stage.SCHEME_REPLY or self.approved is not None
            return body.to is self.ahead and is_replied
        if isinstance(body, SentBack):
            return body.to in self.behind
        if isinstance(body, Handed):
            return body.to is not self.owner
        if isinstance(body, SchemeReplied):
            return self.stage is Stage.SCHEME_REPLY
        return isinstance(body, Suspended)

    def after(self, body: Body) -> "Model":
        """What becomes of it."""
        new = replace(self, version=self.version + 1)
        if isinstance(body, Moved):
            is_energized = self.is_energized or self.stage is Stage.ENERGIZATION
            if body.to is None:
                return replace(new, outcome="archived", is_energized=is_energized)
            return new.turn(body.to, is_energized=is_energized, is_accepted=True)
        if isinstance(body, SentBack):
            place = self.order.index(body.to)
            keeps_scheme = place > self.order.index(Stage.SCHEME_REPLY)
            return new.turn(
                body.to,
                reworks=self.reworks + 1,
                approved=self.approved if keeps_scheme else None,
                is_extended=self.is_extended and keeps_scheme,
                is_energized=self.is_energized and place > self.order.index(Stage.ENERGIZATION),
            )
        return replace(new, **self._changes(body))

    def _changes(self, body: Body) -> dict[str, Any]:
        changes: dict[type, dict[str, Any]] = {
            Withdrawn: {"outcome": body.type, "is_suspended": False},
            Rejected: {"outcome": body.type, "is_suspended": False},
            SchemeExtended: {"is_extended": True},
            Suspended: {"is_suspended": True, "turns": [*self.turns, (self.stage, None)]},
            Resumed: {"is_suspended": False, "turns": [*self.turns, (self.stage, self.owner)]},
        }
        if isinstance(body, Handed):
            return {"owner": body.to, "turns": [*self.turns, (self.stage, body.to)]}
        if isinstance(body, Amended):
            return {"details": body.details}
        if isinstance(body, SchemeReplied):
            return {"approved": body.approved_kva, "is_extended": False}
        if isinstance(body, Assigned):
            return {"manager": body.manager}
        return changes.get(type(body), {})

    def turn(self, stage: Stage, **changes: Any) -> "Model":
        owner = stages(self.details)[stage]
        return replace(self, stage=stage, owner=owner, turns=[*self.turns, (stage, owner)], **changes)


def seen(state: LoadRequest) -> Model:
    """The machine's state in the words of the model."""
    return Model(
        details=state.details,
        stage=state.stage,
        owner=state.owner,
        is_accepted=state.accepted_at is not None,
        version=state.sequence,
        is_suspended=state.suspended is not None,
        outcome=None if state.outcome is None else state.outcome.value,
        approved=None if state.scheme is None else state.scheme.approved_kva,
        is_extended=state.scheme is not None and state.scheme.is_extended,
        is_energized=state.energized_at is not None,
        manager=state.manager,
        reworks=state.reworks,
        turns=[(span.stage, span.owner) for span in state.spans],
    )


def other_details(asked: Details, case: dict[str, Any], *, source: RequestSource, park: str) -> Details:
    changes = case | {"source": source, "park": park, "applied_kva": asked.applied_kva + 1}
    changes |= {"probability": None if source is RequestSource.APPLICATION else 0.5}
    return Details.model_validate(asked.model_dump() | changes)


SOURCES = st.sampled_from(RequestSource)
PEOPLE = st.sampled_from(["lin", "chen"])
LATER = st.integers(0, 3 * 24 * 3600)


def is_taken(events: tuple[Event, ...], new: Event) -> bool:
    try:
        follow(events, new, RULES)
    except RefusedEventError:
        return False
    return True


class Machine(RuleBasedStateMachine):
    """Every event, wanted or not, is tried on both; they agree on what is allowed and on what becomes of it."""

    def __init__(self) -> None:
        super().__init__()
        self.events: tuple[Event, ...] = ()
        self.stored: list[Event] = []
        self.compared = 0
        self.now = MORNING
        self.earlier: Model | None = None
        """Before the newest event."""

    @initialize(case=cases(), is_lead=st.booleans(), source=SOURCES, steps=st.integers(0, 11))
    def open_it(self, case: dict[str, Any], *, is_lead: bool, source: RequestSource, steps: int) -> None:
        asked = other_details(details(), case, source=source, park="hill")
        event = happened(1, self.now, "lin", Opened(details=asked, is_lead=is_lead))
        if is_lead == (source is RequestSource.APPLICATION):
            with pytest.raises(RefusedEventError, match="source"):
                follow([], event, RULES)
            is_lead = not is_lead
            event = happened(1, self.now, "lin", Opened(details=asked, is_lead=is_lead))
        follow([], event, RULES)
        self.events = (event,)
        stage = Stage.LEAD if is_lead else Stage.ACCEPTANCE
        self.model = Model(asked, stage, UTILITY, not is_lead, turns=[(stage, UTILITY)])
        for _ in range(steps):
            self.go_on_as_is_usual(by="lin", later=86_400)

    def try_it(self, body: Body, by: str, later: int) -> None:
        self.now += timedelta(seconds=later)
        event = happened(len(self.events) + 1, self.now, by, body)
        before = replay(self.events, RULES)
        if not self.model.may(body):
            with pytest.raises(RefusedEventError):
                follow(self.events, event, RULES)
            return
        # Details are free: that they may be amended does not say that they may be amended to these.
        assert body.type in possible(before)
        self.earlier, self.model = self.model, self.model.after(body)
        self.events = (*self.events, event)
        follow(self.events[:-1], event, RULES)

    @rule(by=PEOPLE, later=LATER)
    def move_on(self, by: str, later: int) -> None:
        self.try_it(Moved(to=self.model.ahead), by, later)

    @rule(by=PEOPLE, later=LATER)
    def go_on_as_is_usual(self, by: str, later: int) -> None:
        """What brings a request to its end, so that late stages are reached too."""
        if self.model.outcome is not None:
            return
        if self.model.is_suspended:
            self.try_it(Resumed(), by, later)
        if self.model.stage is Stage.SCHEME_REPLY and self.model.approved is None:
            self.try_it(SchemeReplied(approved_kva=1500.0), by, later)
        self.try_it(Moved(to=self.model.ahead), by, later)

    @rule(to=st.sampled_from([*Stage, None]), by=PEOPLE, later=LATER)
    def move_anywhere(self, to: Stage | None, by: str, later: int) -> None:
        self.try_it(Moved(to=to), by, later)

    @rule(to=st.sampled_from(Stage), by=PEOPLE, later=LATER)
    def send_back(self, to: Stage, by: str, later: int) -> None:
        self.try_it(SentBack(to=to, reason="again"), by, later)

    @rule(to=st.sampled_from(Owner), by=PEOPLE, later=LATER)
    def hand(self, to: Owner, by: str, later: int) -> None:
        self.try_it(Handed(to=to), by, later)

    @rule(reason=st.sampled_from(SuspendReason), by=PEOPLE, later=LATER)
    def suspend(self, reason: SuspendReason, by: str, later: int) -> None:
        self.try_it(Suspended(reason=reason), by, later)

    @rule(kva=st.sampled_from([500.0, 2000.0]), by=PEOPLE, later=LATER)
    def reply(self, kva: float, by: str, later: int) -> None:
        self.try_it(SchemeReplied(approved_kva=kva), by, later)

    @rule(
        case=cases(), source=SOURCES, park=st.sampled_from(["hill", "hill", "hill", "yard"]), by=PEOPLE, later=LATER
    )
    def amend(self, case: dict[str, Any], source: RequestSource, park: str, by: str, later: int) -> None:
        asked = other_details(self.model.details, case, source=source, park=park)
        self.try_it(Amended(details=asked, reason="new"), by, later)

    @rule(
        body=st.sampled_from(
            [
                Resumed(),
                SchemeExtended(),
                Assigned(manager="chen"),
                Assigned(manager="wu"),
                Commented(text="called"),
                Attached(attachment="0" * 32, name="a.pdf", kind="licence", size_bytes=1, sha256="0" * 64),
            ]
        ),
        by=PEOPLE,
        later=LATER,
    )
    def do(self, body: Body, by: str, later: int) -> None:
        self.try_it(body, by, later)

    @precondition(lambda self: len(self.events) > 6)
    @rule(body=st.sampled_from([Withdrawn(reason="sold"), Rejected(reason="no capacity"), opened().body]), by=PEOPLE)
    def end_it(self, body: Body, by: str) -> None:
        self.try_it(body, by, 60)

    @precondition(lambda self: self.events)
    @rule(by=PEOPLE, later=st.integers(0, 14), back=st.integers(0, 2))
    def undo(self, by: str, later: int, back: int) -> None:
        """Whoever moved it may take that back at once; nobody else, nothing else, and not later."""
        self.now += timedelta(seconds=later)
        newest = self.events[-1]
        wanted = max(2, newest.sequence - back)
        event = happened(len(self.events) + 1, self.now, by, Undone(sequence=wanted))
        state = replay(self.events, RULES)
        is_move = isinstance(newest.body, (Moved, SentBack, Handed, Suspended, Resumed, Assigned))
        is_soon = self.now - newest.recorded_at <= timedelta(seconds=10)
        if not (is_move and is_soon and newest.by == by and wanted == newest.sequence):
            with pytest.raises(RefusedEventError, match=r"undo|ago"):
                follow(self.events, event, RULES)
            return
        assert last_undoable(state, by, self.now, RULES) == wanted
        assert self.earlier is not None
        before = replay(self.events[:-1], RULES)
        after = follow(self.events, event, RULES)
        assert after == replace(before, sequence=event.sequence, undoable=None)
        self.events = (*self.events, event)
        self.model, self.earlier = replace(self.earlier, version=event.sequence), None

    @invariant()
    def both_say_the_same(self) -> None:
        if len(self.events) == self.compared:
            return
        self.compared = len(self.events)
        state = replay(self.events, RULES)
        assert seen(state) == self.model
        assert state.sequence == len(self.events) == next_sequence(self.events) - 1
        self.compare_what_is_offered(state)
        self.compare_what_is_stored(state)
        self.compare_what_is_reserved(state)

    def compare_what_is_offered(self, state: LoadRequest) -> None:
        """Every event that is offered is taken, and every other refused."""
        bodies: dict[str, Body] = {
            "moved": Moved(to=self.model.ahead),
            "handed": Handed(to=next(owner for owner in Owner if owner is not self.model.owner)),
            "suspended": Suspended(reason=SuspendReason.OTHER),
            "resumed": Resumed(),
            "withdrawn": Withdrawn(reason="x"),
            "rejected": Rejected(reason="x"),
            "amended": Amended(details=self.model.details, reason="x"),
            "scheme_replied": SchemeReplied(approved_kva=1.0),
            "scheme_extended": SchemeExtended(),
            "assigned": Assigned(manager="wu"),
            "commented": Commented(text="x"),
            "attached": Attached(attachment="0" * 32, name="a", kind="a", size_bytes=1, sha256="0" * 64),
            "sent_back": SentBack(to=next(iter(self.model.behind), Stage.LEAD), reason="x"),
        }
        offered = possible(state)
        assert offered <= set(bodies)
        for kind, body in bodies.items():
            event = happened(len(self.events) + 1, self.now, "lin", body)
            assert (kind in offered) == self.model.may(body), kind
            assert is_taken(self.events, event) == self.model.may(body), kind

    def compare_what_is_stored(self, state: LoadRequest) -> None:
        """Events that were written and read again make the same state."""
        new = self.events[len(self.stored) :]
        self.stored += [Event.model_validate_json(event.model_dump_json()) for event in new]
        assert replay(self.stored, RULES) == state

    def compare_what_is_reserved(self, state: LoadRequest) -> None:
        """What is promised is reserved until it is connected."""
        is_promised = self.model.outcome is None and not self.model.is_energized
        assert state.reserved_kva == ((self.model.approved or 0.0) if is_promised else 0.0)


TestMachine = Machine.TestCase
TestMachine.settings = settings(max_examples=50, stateful_step_count=20, deadline=None)


@pytest.mark.parametrize("voltage", VoltageClass)
@pytest.mark.parametrize("importance", [Importance.ORDINARY, Importance.FIRST])
def test_every_template_leads_from_a_lead_to_the_archive(voltage: VoltageClass, importance: Importance):
    events: tuple[Event, ...] = (opened(is_lead=True, voltage=voltage, importance=importance),)
    expected = stages(lead_details(voltage=voltage, importance=importance))
    at = MORNING
    owners: dict[Stage, Owner] = {}
    while (state := replay(events, RULES)).outcome is None:
        owners[state.stage] = state.owner
        at += timedelta(days=1)
        is_reply = state.stage is Stage.SCHEME_REPLY and state.scheme is None
        body: Body = SchemeReplied(approved_kva=1000.0) if is_reply else Moved(to=state.next_stage)
        events = (*events, happened(len(events) + 1, at, "lin", body))
    assert owners == expected
    assert state.outcome is Outcome.ARCHIVED
    assert state.energized_at is not None
    assert state.ended_at == at


@given(histories())
def test_a_body_survives_the_journey_through_json(events: tuple[Event, ...]):
    for event in events:
        assert BODY.validate_python(BODY.dump_python(event.body, mode="json")) == event.body
        assert BODY.validate_json(BODY.dump_json(event.body)) == event.body


@given(histories())
def test_a_stage_began_when_its_first_turn_did(events: tuple[Event, ...]):
    state = replay(events, RULES)
    trailing = [span for span in state.spans if span.stage is state.stage]
    assert state.stage_since in {span.start for span in trailing}
    assert state.stage_since <= state.spans[-1].start
    earlier = [span for span in state.spans if span.stage is not state.stage]
    assert all(span.start <= state.stage_since for span in earlier)


def test_events_out_of_place_are_refused():
    first, second = story((MORNING, Commented(text="called")))
    with pytest.raises(RefusedEventError, match="event 2 stands at place 1"):
        replay([second], RULES)
    with pytest.raises(RefusedEventError, match="begins by being opened"):
        replay([], RULES)
    with pytest.raises(RefusedEventError, match="begins by being opened"):
        replay([happened(1, MORNING, "lin", Commented(text="called"))], RULES)
    with pytest.raises(RefusedEventError, match="open already"):
        replay([first, happened(2, MORNING, "lin", first.body)], RULES)
    early = happened(2, MORNING - timedelta(seconds=1), "lin", Commented(text="called"))
    with pytest.raises(RefusedEventError, match="is on record"):
        replay([first, early], RULES)


def test_what_a_person_is_told_when_refused():
    events = story((MORNING, Suspended(reason=SuspendReason.DOCUMENTS_MISSING)))

    def refusal(body: Body, *, of: tuple[Event, ...] = events) -> str:
        with pytest.raises(RefusedEventError) as caught:
            follow(of, happened(len(of) + 1, MORNING, "lin", body), RULES)
        return str(caught.value)

    assert refusal(Moved(to=Stage.SURVEY)) == "it is suspended (documents_missing); resume it first"
    assert "moves to survey, not to contract" in refusal(Moved(to=Stage.CONTRACT), of=events[:1])
    assert "none: it is at its first" in refusal(SentBack(to=Stage.SURVEY, reason="x"), of=events[:1])
    assert "stays in its park" in refusal(Amended(details=details(park="yard"), reason="x"))
    low = details(voltage=VoltageClass.LOW)
    at_works = story(
        (MORNING, Moved(to=Stage.SURVEY)),
        (MORNING, Moved(to=Stage.SCHEME_REPLY)),
        (MORNING, SchemeReplied(approved_kva=1000.0)),
        (MORNING, Moved(to=Stage.CONSTRUCTION)),
    )
    assert "template:low:1 has no stage construction" in refusal(Amended(details=low, reason="x"), of=at_works)
    assert "a lead keeps where it came from" in refusal(
        Amended(details=details(), reason="x"), of=(opened(is_lead=True),)
    )


def test_a_detail_that_contradicts_another_is_refused():
    with pytest.raises(ValueError, match="existing_kva"):
        details(kind="capacity_increase")
    with pytest.raises(ValueError, match="probability"):
        details(probability=0.5)
    with pytest.raises(ValueError, match="small_business is served at low voltage"):
        details(user_kind=UserKind.SMALL_BUSINESS)
    with pytest.raises(ValueError, match="later than recorded_at"):
        happened(1, MORNING, "lin", Commented(text="x"), recorded_at=MORNING - timedelta(seconds=1))
