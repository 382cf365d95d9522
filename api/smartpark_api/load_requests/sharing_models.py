"""Links, calendars and webhooks as the API takes and gives them; no secret but where it is made."""

from typing import Annotated, Final, get_args

from pydantic import Field, model_validator
from smartpark.load_requests.events import Body

from smartpark_api.load_requests.models import Given
from smartpark_api.models.base import Answer, Instant

EVENT_TYPES: Final = frozenset(part.model_fields["type"].default for part in get_args(get_args(Body)[0]))
"""Every type of event."""


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
    events: Annotated[
        tuple[str, ...], Field(description="Types of events; empty: all of them.", examples=[["moved"]])
    ] = ()
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
