"""What happens to an alert, as immutable events; an alert is what its events make of it.

``at`` is when it happened in the measured world (or when somebody did it), ``recorded_at`` when it became known here:
the distance between the two is what keeps late data from waking people.
"""

from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, TypeAdapter

from smartpark.alerts.words import Cause, Hidden, Label, PageKind, Resolution, Severity
from smartpark.load_requests.events import Actor, Person, Text
from smartpark.tomlfile import StrictModel

SYSTEM = "system"
"""Actor of what no person did."""


class Evidence(StrictModel):
    """What was measured, and against what."""

    value: float | None = None
    """None: there is none, as of an edge that is silent."""
    limit: float | None = None
    unit: str = ""


class About(StrictModel):
    """What an alert is about; it never changes."""

    park: str
    rule: str
    rule_version: Annotated[int, Field(ge=1)]
    object: str
    """See `smartpark.alerts.objects`."""
    cause: Cause
    device: str | None = None
    """``park/code``."""
    edge: str | None = None
    """Through which it is read; none: not known."""


class Began(StrictModel):
    """The condition holds, since `at`; nobody is told yet."""

    type: Literal["began"] = "began"
    about: About
    severity: Severity
    evidence: Evidence


class Fired(StrictModel):
    """It has lasted as long as its rule asks."""

    type: Literal["fired"] = "fired"
    evidence: Evidence


class Measured(StrictModel):
    """What it shows now, and the worst so far; from time to time while it fires."""

    type: Literal["measured"] = "measured"
    evidence: Evidence
    worst: Evidence
    worst_at: AwareDatetime


class Worsened(StrictModel):
    """Its severity is another one now."""

    type: Literal["worsened"] = "worsened"
    severity: Severity


class Cleared(StrictModel):
    """The condition is over since `at`; an alert that flaps waits until it has settled."""

    type: Literal["cleared"] = "cleared"
    evidence: Evidence
    settle_s: Annotated[float, Field(ge=0)] = 0.0
    """So long it must stay fine before it counts as resolved."""


class Settled(StrictModel):
    """It has stayed fine."""

    type: Literal["settled"] = "settled"


class Returned(StrictModel):
    """The condition holds again, before it had settled or soon after it was over: the same real event."""

    type: Literal["returned"] = "returned"
    evidence: Evidence


class Acknowledged(StrictModel):
    """Somebody sees to it."""

    type: Literal["acknowledged"] = "acknowledged"


class Unacknowledged(StrictModel):
    """Nobody does any more."""

    type: Literal["unacknowledged"] = "unacknowledged"


class Assigned(StrictModel):
    """It is somebody's; none: nobody's."""

    type: Literal["assigned"] = "assigned"
    to: Person | None


class Snoozed(StrictModel):
    """Not told of until a moment; none: told of again."""

    type: Literal["snoozed"] = "snoozed"
    until: AwareDatetime | None


class Commented(StrictModel):
    """Somebody says something about it."""

    type: Literal["commented"] = "commented"
    text: Text


class Resolved(StrictModel):
    """Somebody says it is dealt with. It does not fire again before the condition has been over once."""

    type: Literal["resolved"] = "resolved"
    resolution: Resolution
    note: Text | None = None


class Labelled(StrictModel):
    """Whether it was right to tell people; none: taken back."""

    type: Literal["labelled"] = "labelled"
    label: Label | None


class HiddenFrom(StrictModel):
    """People are not told of it for a reason; none: they are."""

    type: Literal["hidden"] = "hidden"
    reason: Hidden | None
    by: str = ""
    """Alert, silence or window that hides it."""


class Corrected(StrictModel):
    """Data that came later move its beginning, its end or its worst value."""

    type: Literal["corrected"] = "corrected"
    since: AwareDatetime
    cleared_at: AwareDatetime | None
    worst: Evidence
    worst_at: AwareDatetime


class Withdrawn(StrictModel):
    """Data that came later show that it never was."""

    type: Literal["withdrawn"] = "withdrawn"
    reason: str


class Retired(StrictModel):
    """Its rule no longer asks for it, or its object is gone."""

    type: Literal["retired"] = "retired"
    reason: str


class Told(StrictModel):
    """It was planned, for good, to tell people; recorded together with what is to be sent."""

    type: Literal["told"] = "told"
    kind: PageKind
    contacts: tuple[str, ...]
    """Nobody: no route leads anywhere."""
    step: Annotated[int, Field(ge=0)] = 0
    """Of an escalation."""


Body = (
    Began
    | Fired
    | Measured
    | Worsened
    | Cleared
    | Settled
    | Returned
    | Acknowledged
    | Unacknowledged
    | Assigned
    | Snoozed
    | Commented
    | Resolved
    | Labelled
    | HiddenFrom
    | Corrected
    | Withdrawn
    | Retired
    | Told
)


class Event(StrictModel):
    """One thing that happened."""

    sequence: Annotated[int, Field(ge=1)]
    at: AwareDatetime
    recorded_at: AwareDatetime
    actor: Actor = SYSTEM
    body: Annotated[Body, Field(discriminator="type")]


BODY: TypeAdapter[Body] = TypeAdapter(Annotated[Body, Field(discriminator="type")])
"""Reads a body from JSON."""
