"""What happens to a load request, as immutable events; a request is what its events make of it.

Every event says when it happened, when it was recorded and who said so. Nothing is ever edited: a mistake is undone
by an event, a detail is amended by one.
"""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, TypeAdapter, model_validator

from smartpark.clock import PARK_ZONE
from smartpark.isotext import IsoDay
from smartpark.load_requests.rules import Case
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
from smartpark.tomlfile import StrictModel

Kva = Annotated[float, Field(gt=0, le=10_000_000, allow_inf_nan=False)]
Share = Annotated[float, Field(gt=0, le=1)]
Line = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]
"""One line: it stands in subjects, calendars and tables, where a line break would begin something else."""
Text = Annotated[str, Field(min_length=1, max_length=4000)]
_UNSEEN = r"\x00-\x20\x7f-\xa0\u2000-\u200f\u2028-\u202f\u3000"
"""Signs that nobody sees, for within brackets; told one by one, since the class of spaces is another one in
JavaScript, Python and Rust."""
NAME = rf"^[^{_UNSEEN}]([^\x00-\x1f\x7f-\x9f\u2028\u2029]*[^{_UNSEEN}])?$"
"""Begins and ends with a sign that is seen, in one line."""
EMAIL = rf"^([^@{_UNSEEN}]+@[^@{_UNSEEN}]+)?$"
"""What mail may be sent to, or nothing."""
Person = Annotated[str, Field(min_length=1, max_length=60, pattern=NAME)]
"""Code of a person; ``applicant`` and ``system`` are reserved."""
Actor = Annotated[str, Field(min_length=1, max_length=80, pattern=NAME)]
"""Whoever acts: a person by their code, a program as ``client:NAME``, or a reserved one."""
NodeName = Annotated[str, Field(max_length=120, pattern=r"^(transformer|feeder)/[!-~]+$")]


class Details(StrictModel):
    """What is asked for, by whom, where."""

    park: Annotated[str, Field(min_length=1, max_length=64)]
    enterprise: Annotated[str, Field(max_length=64)] | None = None
    """Code in the catalogue; none: not a tenant yet, see `applicant`."""
    applicant: Line
    """Name of the enterprise, as applied."""
    kind: RequestKind
    applied_kva: Kva
    """Added capacity that is asked for; of an increase the increase alone."""
    existing_kva: Annotated[float, Field(ge=0, le=10_000_000, allow_inf_nan=False)] = 0.0
    voltage: VoltageClass
    supply: Supply = Supply.SINGLE
    user_kind: UserKind = UserKind.ORDINARY
    importance: Importance = Importance.ORDINARY
    wanted_on: IsoDay | None = None
    contact_role: Line
    """Whom to ask, as a role; no private data of persons."""
    source: RequestSource = RequestSource.APPLICATION
    probability: Share | None = None
    """Of a lead: how likely it comes; none: nobody said."""
    channel: Channel = Channel.NORMAL
    node: NodeName | None = None
    """Transformer or feeder where it would connect; none: not known yet."""
    coincidence: Share | None = None
    """Share of it that falls together with the peak; none: nobody said, it counts in full."""
    customer_no: Annotated[str, Field(max_length=40)] | None = None

    @model_validator(mode="after")
    def _belongs_together(self) -> "Details":
        if self.kind is RequestKind.CAPACITY_INCREASE and self.existing_kva <= 0:
            raise ValueError("existing_kva: a capacity increase has a capacity already; enter it")
        if self.source is RequestSource.APPLICATION and self.probability is not None:
            raise ValueError("probability: an application is certain; only a lead has one")
        if self.user_kind is UserKind.SMALL_BUSINESS and self.voltage is not VoltageClass.LOW:
            raise ValueError("user_kind: small_business is served at low voltage")
        return self

    @property
    def case(self) -> Case:
        """What limits and templates depend on."""
        return Case(
            voltage=self.voltage,
            supply=self.supply,
            user_kind=self.user_kind,
            importance=self.importance,
            channel=self.channel,
        )


class Opened(StrictModel):
    """It exists, as a lead or as an application."""

    type: Literal["opened"] = "opened"
    details: Details
    is_lead: bool = False


class Moved(StrictModel):
    """Forward to the next stage, or from the last one into the archive (`to` is none)."""

    type: Literal["moved"] = "moved"
    to: Stage | None
    note: Text | None = None


class SentBack(StrictModel):
    """Rework: back to an earlier stage."""

    type: Literal["sent_back"] = "sent_back"
    to: Stage
    reason: Text


class Handed(StrictModel):
    """Somebody else owes the next action."""

    type: Literal["handed"] = "handed"
    to: Owner
    note: Text | None = None


class Suspended(StrictModel):
    """All clocks stop."""

    type: Literal["suspended"] = "suspended"
    reason: SuspendReason
    note: Text | None = None


class Resumed(StrictModel):
    """Clocks go on."""

    type: Literal["resumed"] = "resumed"
    note: Text | None = None


class Withdrawn(StrictModel):
    """The customer does not want it any more."""

    type: Literal["withdrawn"] = "withdrawn"
    reason: Text


class Rejected(StrictModel):
    """The utility cannot serve it."""

    type: Literal["rejected"] = "rejected"
    reason: Text


class Amended(StrictModel):
    """The details are now these, and why."""

    type: Literal["amended"] = "amended"
    details: Details
    reason: Text


class SchemeReplied(StrictModel):
    """What the utility offers: from now on the capacity is reserved."""

    type: Literal["scheme_replied"] = "scheme_replied"
    approved_kva: Kva
    node: NodeName | None = None
    """Where it connects; none: as in the details."""
    note: Text | None = None


class SchemeExtended(StrictModel):
    """The scheme stays valid for as long again; once."""

    type: Literal["scheme_extended"] = "scheme_extended"
    note: Text | None = None


class Assigned(StrictModel):
    """Whose request it is: the project manager."""

    type: Literal["assigned"] = "assigned"
    manager: Person


class Commented(StrictModel):
    """Somebody said something."""

    type: Literal["commented"] = "commented"
    text: Text
    is_for_applicant: bool = False
    """Whether the applicant's view shows it."""


class Attached(StrictModel):
    """A document was added; its bytes lie outside the database."""

    type: Literal["attached"] = "attached"
    attachment: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
    name: Line
    kind: Line
    size_bytes: Annotated[int, Field(ge=0)]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Undone(StrictModel):
    """The event of that sequence never counted."""

    type: Literal["undone"] = "undone"
    sequence: Annotated[int, Field(ge=2)]


Body = Annotated[
    Opened
    | Moved
    | SentBack
    | Handed
    | Suspended
    | Resumed
    | Withdrawn
    | Rejected
    | Amended
    | SchemeReplied
    | SchemeExtended
    | Assigned
    | Commented
    | Attached
    | Undone,
    Field(discriminator="type"),
]
BODY: TypeAdapter[Body] = TypeAdapter(Body)
"""Reads and writes bodies as JSON."""

UNDOABLE = (Moved, SentBack, Handed, Suspended, Resumed, Assigned)
"""What may be taken back within the moments the practice allows."""


class Event(StrictModel):
    """One thing that happened."""

    sequence: Annotated[int, Field(ge=1)]
    """1, 2, … of the request; also its version, for the optimistic lock."""
    at: AwareDatetime
    """When it happened; clocks go by it."""
    recorded_at: AwareDatetime
    by: Actor
    body: Body

    @model_validator(mode="after")
    def _not_ahead(self) -> "Event":
        try:
            self.at.astimezone(PARK_ZONE)
        except OverflowError:
            raise ValueError(f"at {self.at.isoformat()} is no moment of the park's time") from None
        if self.at > self.recorded_at:
            raise ValueError(f"at {self.at.isoformat()} is later than recorded_at {self.recorded_at.isoformat()}")
        return self


def happened(sequence: int, at: datetime, by: str, body: Body, *, recorded_at: datetime | None = None) -> Event:
    """Event of a moment; recorded then unless said otherwise."""
    return Event(sequence=sequence, at=at, recorded_at=recorded_at or at, by=by, body=body)
