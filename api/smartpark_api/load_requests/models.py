"""Load requests as the API takes and gives them; words for people stand beside the codes only in exports."""

from datetime import date
from typing import Annotated, Final, Literal, get_args

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator
from smartpark.load_requests.events import Body, Details
from smartpark.load_requests.words import (
    Channel,
    Duty,
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
EVENT_TYPES: Final = frozenset(part.model_fields["type"].default for part in get_args(get_args(Body)[0]))
"""Every type of event."""
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
    at: Annotated[AwareDatetime | None, Field(description="When it was accepted or heard of; null: now.")] = None


class ActIn(Given):
    """Something that happens to a request."""

    body: Body
    at: Annotated[AwareDatetime | None, Field(description="When it happened; null: now.")] = None
    expected: Annotated[int | None, Field(ge=1, description="Version you have seen, where If-Match is not sent.")] = (
        None
    )


class CommentIn(Given):
    """Something to be said."""

    text: Annotated[str, Field(min_length=1, max_length=4000)]
    is_for_applicant: Annotated[bool, Field(description="Whether the applicant's view shows it.")] = False


class AssignIn(Given):
    """Whose request it becomes."""

    manager: Annotated[str, Field(min_length=1, max_length=60)]
    expected: Annotated[int | None, Field(ge=1, description="Version you have seen, where If-Match is not sent.")] = (
        None
    )


class AssignOne(Given):
    """One of many."""

    code: Annotated[str, Field(examples=[_CODE])]
    expected: Annotated[int, Field(ge=1, description="Version you have seen.")]


class AssignManyIn(Given):
    """Requests that become somebody's: all of them, or none."""

    manager: Annotated[str, Field(min_length=1, max_length=60)]
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


class LinkIn(Given):
    """A link for the applicant."""

    days: Annotated[int, Field(ge=1, le=366, description="How long it is good for.")] = 90


class LinkOut(Answer):
    """A link of an applicant; its token is told once and not kept."""

    link_id: int
    made_by: str
    made_at: Instant
    expires_at: Instant
    revoked_at: Instant | None


class LinkMade(Answer):
    """A new link: whoever has it sees the reduced view of this request."""

    path: Annotated[str, Field(description="Told once.", examples=["/applicant/…"])]
    expires_at: Instant


class LinkList(Answer):
    """Links of a request, oldest first."""

    links: list[LinkOut]


class PersonIn(Given):
    """Somebody who acts."""

    name: Annotated[str, Field(min_length=1, max_length=60)]
    name_en: Annotated[str, Field(max_length=60)] = ""
    email: Annotated[
        str, Field(max_length=254, pattern=r"^([^@\s]+@[^@\s]+)?$", description="Empty: none known.")
    ] = ""
    phone: Annotated[str | None, Field(max_length=30, pattern=r"^[+0-9 ()-]+$")] = None
    language: Literal["zh", "en"] = "zh"
    is_active: Annotated[bool, Field(description="False: has left, and can act no more.")] = True


class PersonList(Answer):
    """People by code."""

    persons: list[PersonOut]


class TermIn(Given):
    """A person's duty for a park, from a day."""

    person: Annotated[str, Field(min_length=1, max_length=60)]
    valid_to: Annotated[date | None, Field(description="Day after the last; null: until further notice.")] = None


class TermOut(Answer):
    """A person's duty for a park."""

    park: str
    duty: Duty
    person: str
    valid_from: date
    valid_to: date | None


class TermList(Answer):
    """Terms by park, duty and day."""

    terms: list[TermOut]


class ViewIn(Given):
    """A filter with a name."""

    query: Annotated[
        str, Field(max_length=2000, description="As it stands in the address.", examples=["stage=survey"])
    ]


class ViewOut(Answer):
    """A filter somebody has given a name."""

    name: str
    query: str


class ViewList(Answer):
    """Saved filters of whoever asks, by name."""

    views: list[ViewOut]


class WebhookIn(Given):
    """Where to be told of events."""

    url: Annotated[str, Field(max_length=2000, examples=["https://example.org/hooks/park"])]
    secret_ref: Annotated[
        str,
        Field(
            pattern=r"^[a-z0-9][a-z0-9._-]{0,62}$",
            description="Name of the file in the folder of secrets that signs what is sent; never the secret itself.",
        ),
    ]
    park: Annotated[str | None, Field(description="Null: all parks.")] = None
    events: Annotated[list[str], Field(description="Types of events; empty: all of them.", examples=[["moved"]])] = []
    is_active: bool = True


class WebhookOut(Answer):
    """Where somebody is told of events."""

    name: str
    url: str
    secret_ref: str
    park: str | None
    events: list[str]
    is_active: bool


class WebhookList(Answer):
    """Webhooks by name."""

    webhooks: list[WebhookOut]


class WebhookTried(Answer):
    """What a test delivery came to."""

    delivered: bool
    status: Annotated[int | None, Field(description="What the other side answered; null: it could not be asked.")]
    detail: str


class SpreadOut(Answer):
    """Median and ninetieth percentile of a number of durations."""

    count: int
    median: Annotated[float | None, Field(description="Null: nothing was finished.")]
    p90: float | None


class ShareOut(Answer):
    """So many of so many."""

    count: int
    of: int
    value: Annotated[float | None, Field(description="Null: of none. [0-1]")]


class AmountOut(Answer):
    """Requests and their capacity."""

    count: int
    kva: Kva


class StageKpiOut(Answer):
    """How long requests stayed in a stage that they left in the period."""

    stage: Stage
    by_owner: Annotated[dict[Owner, SpreadOut], Field(description="Working days by whose turn it was.")]
    overdue: Annotated[ShareOut, Field(description="Of those the stage has a limit for.")]


class ConversionOut(Answer):
    """Leads of the period, and those that have become applications."""

    source: RequestSource
    leads: AmountOut
    converted: AmountOut
    share: ShareOut


class KpisOut(Answer):
    """What the desk is measured by."""

    as_of: Instant
    start: Annotated[date, Field(serialization_alias="from")]
    end: Annotated[date, Field(serialization_alias="to", description="Day after the last.")]
    received: AmountOut
    open: Annotated[AmountOut, Field(description="At the end of the period.")]
    approved: Annotated[AmountOut, Field(description="Schemes replied in the period.")]
    energized: AmountOut
    planned: Annotated[AmountOut, Field(description="Wanted by customers for a day of the period.")]
    archived: int
    withdrawn: int
    rejected: int
    total_days: Annotated[SpreadOut, Field(description="Acceptance to energization. [working days]")]
    days_by_owner: dict[Owner, SpreadOut]
    stages: list[StageKpiOut]
    in_limit: Annotated[ShareOut, Field(description="Archived with no limit passed (达标率).")]
    green: Annotated[ShareOut, Field(description="Of those received.")]
    reworked: ShareOut
    reworks: int
    first_answer_days: SpreadOut
    first_answer_hours: SpreadOut
    unanswered: int
    conversions: list[ConversionOut]
    overdue_now: Annotated[ShareOut, Field(description="Open today, of all that are open.")]
    at_risk_now: Annotated[list[CardOut], Field(description="At risk, due or overdue today, the most urgent first.")]


class FeedIn(Given):
    """Whose due dates a calendar shows: a person's or a park's."""

    person: Annotated[str | None, Field(max_length=60)] = None
    park: Annotated[str | None, Field(max_length=64)] = None

    @model_validator(mode="after")
    def _is_one(self) -> "FeedIn":
        if (self.person is None) == (self.park is None):
            raise ValueError("a calendar is of a person or of a park")
        return self


class FeedOut(Answer):
    """Where a calendar of due dates is; whoever has the address sees it. Told once."""

    path: Annotated[str, Field(examples=["/api/v1/calendars/….ics"])]
    subject: str


class FeedLinkOut(Answer):
    """An address of a calendar; its token is not kept."""

    link_id: int
    person: str | None
    park: str | None
    made_by: str
    made_at: Instant


class FeedList(Answer):
    """Addresses of calendars that are in use, oldest first."""

    calendars: list[FeedLinkOut]
