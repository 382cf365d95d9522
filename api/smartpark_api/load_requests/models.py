"""Load requests as the API takes and gives them; words for people stand beside the codes only in exports."""

from datetime import date
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from smartpark.isotext import IsoInstant
from smartpark.load_requests.events import Body, Details, Person
from smartpark.load_requests.words import (
    Channel,
    Importance,
    Outcome,
    Owner,
    RequestKind,
    RequestSource,
    Stage,
    Standing,
    Supply,
    SuspendReason,
    UserKind,
    VoltageClass,
)

from smartpark_api.models.base import Answer, Instant

_CODE = "LR-2026-000123"
Kva = Annotated[float, Field(description="[kVA]")]


class Given(BaseModel):
    """Base of all that is sent to us: a field nobody knows is an error."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class ClockOut(Answer):
    """Working days used of a limit."""

    used: int
    limit: Annotated[int | None, Field(description="Null: no row of the rules limits it.")]
    left: Annotated[int | None, Field(description="Working days left; negative: so many too late.")]
    due_on: Annotated[date | None, Field(description="Last day in time; null: it stands still, or has no limit.")]
    at_risk_from: date | None
    rule: Annotated[str | None, Field(description="Row that limits it.", examples=["limit:state-grid:scheme:1"])]
    is_running: bool
    standing: Standing


class RequestOut(Answer):
    """A load request as it stands in a list."""

    code: Annotated[str, Field(examples=[_CODE])]
    version: Annotated[int, Field(description="Sequence of the newest event; what a write has to expect.")]
    park: str
    applicant: str
    enterprise: str | None
    kind: RequestKind
    applied_kva: Kva
    existing_kva: Kva
    voltage: VoltageClass
    supply: Supply
    user_kind: UserKind
    importance: Importance
    channel: Channel
    source: RequestSource
    probability: float | None
    wanted_on: date | None
    node: Annotated[str | None, Field(examples=["transformer/TR1"])]
    coincidence: float | None
    customer_no: str | None
    stage: Stage
    owner: Annotated[Owner, Field(description="Who owes the next action.")]
    suspended: Annotated[SuspendReason | None, Field(description="Why its clocks stand still.")]
    outcome: Annotated[Outcome | None, Field(description="Null: it is open.")]
    manager: str | None
    approved_kva: float | None
    reserved_kva: Annotated[float, Field(description="Promised and not yet connected. [kVA]")]
    reworks: int
    opened_at: Instant
    accepted_at: Annotated[Instant | None, Field(description="Null: still a lead.")]
    changed_at: Instant
    energized_at: Instant | None
    ended_at: Instant | None
    stage_clock: ClockOut
    total_clock: ClockOut


class RequestList(Answer):
    """Load requests that fit."""

    as_of: Instant
    requests: list[RequestOut]
    next: Annotated[str | None, Field(description="`after` of the next page; null: this was the last.")]


class EventOut(Answer):
    """One thing that happened."""

    sequence: int
    at: Annotated[Instant, Field(description="When it happened.")]
    recorded_at: Instant
    by: Annotated[str, Field(description="Code of a person, or `system`, or `applicant`.")]
    is_undone: bool
    body: Body


class EventList(Answer):
    """What happened to a request."""

    code: str
    version: Annotated[int, Field(description="Sequence of the newest event.")]
    events: list[EventOut]


class SpanOut(Answer):
    """A turn: a stage in which the owner stayed the same."""

    stage: Stage
    owner: Annotated[Owner | None, Field(description="Null: suspended.")]
    start: Annotated[Instant, Field(serialization_alias="from")]
    end: Annotated[Instant | None, Field(serialization_alias="to")]


class PersonOut(Answer):
    """Somebody who acts."""

    code: str
    name: str
    name_en: str
    email: str
    phone: str | None
    language: str
    is_active: bool


class LimitUseOut(Answer):
    """A limit that counted so far."""

    stage: Stage
    rule: str
    used: int
    limit: int


class RequestDetail(Answer):
    """All there is to say about one request."""

    request: RequestOut
    details: Details
    template: Annotated[str, Field(description="Row of the rules that names its stages.")]
    stages: Annotated[list[Stage], Field(description="Its stages, in order.")]
    events: list[EventOut]
    spans: list[SpanOut]
    days_by_owner: Annotated[dict[Owner, int], Field(description="Working days since acceptance.")]
    days_by_stage: dict[Stage, dict[Owner, int]]
    limits: list[LimitUseOut]
    manager: Annotated[PersonOut | None, Field(description="Of the park, today.")]
    deputy: PersonOut | None
    possible: Annotated[list[str], Field(description="Types of the events it may take now.")]
    undoable: Annotated[int | None, Field(description="Event that whoever asks may still take back.")]


class OpenIn(Given):
    """A request to be opened."""

    details: Details
    is_lead: Annotated[bool, Field(description="Not yet asked for: a visit or a project of the library.")] = False
    at: Annotated[IsoInstant | None, Field(description="When it was accepted or heard of; null: now.")] = None


class ActIn(Given):
    """Something that happens to a request."""

    body: Body
    at: Annotated[IsoInstant | None, Field(description="When it happened; null: now.")] = None
    expected: Annotated[int | None, Field(ge=1, description="Version you have seen, where If-Match is not sent.")] = (
        None
    )


class CommentIn(Given):
    """Something to be said."""

    text: Annotated[str, Field(min_length=1, max_length=4000)]
    is_for_applicant: Annotated[bool, Field(description="Whether the applicant's view shows it.")] = False


class AssignIn(Given):
    """Whose request it becomes."""

    manager: Person
    expected: Annotated[int | None, Field(ge=1, description="Version you have seen, where If-Match is not sent.")] = (
        None
    )


class AssignOne(Given):
    """One of many."""

    code: Annotated[str, Field(examples=[_CODE])]
    expected: Annotated[int, Field(ge=1, description="Version you have seen.")]


class AssignManyIn(Given):
    """Requests that become somebody's: all of them, or none."""

    manager: Person
    requests: Annotated[list[AssignOne], Field(min_length=1, max_length=500)]


class AssignedOut(Answer):
    """Requests that became somebody's."""

    manager: str
    requests: list[RequestOut]


class CardOut(Answer):
    """A request on the board."""

    code: str
    version: int
    applicant: str
    park: str
    applied_kva: Kva
    voltage: VoltageClass
    channel: Channel
    node: str | None
    owner: Owner
    suspended: SuspendReason | None
    manager: str | None
    standing: Standing
    left: Annotated[int | None, Field(description="Working days left of the stage's limit.")]
    due_on: date | None


class ColumnOut(Answer):
    """A stage of the board."""

    stage: Stage
    count: int
    kva: Annotated[float, Field(description="Of all its requests, also of those not shown. [kVA]")]
    overdue: int
    at_risk: int
    due: int
    cards: list[CardOut]


class BoardOut(Answer):
    """Requests under way by stage, the most urgent first."""

    as_of: Instant
    columns: list[ColumnOut]


class AttachmentOut(Answer):
    """A document of a request."""

    attachment: Annotated[str, Field(description="Its id, 32 hexadecimal digits.")]
    name: str
    kind: str
    media_type: str
    size_bytes: int
    sha256: str
    uploaded_by: str
    uploaded_at: Instant


class AttachmentList(Answer):
    """Documents of a request, oldest first."""

    attachments: list[AttachmentOut]


class AttachedOut(Answer):
    """A document that was added."""

    attachment: AttachmentOut
    version: int
