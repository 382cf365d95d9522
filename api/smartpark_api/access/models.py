"""Access as the API takes and gives it. A secret is in one answer only: the one to whoever made it."""

from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from smartpark.access import Role, Scope
from smartpark.isotext import IsoInstant
from smartpark_storage.access import Client, GrantRow, SecretKind, SecretRow, Session

from smartpark_api.models.base import Answer, Instant

ClientName = Annotated[
    str, Field(pattern=r"^[a-z0-9][a-z0-9-]{1,62}$", description="Name of a program.", examples=["province"])
]
SecretId = Annotated[
    str,
    Field(
        pattern=r"^[a-z0-9]{12}$", description="Id of a key, by which people speak of it.", examples=["ab12cd34ef56"]
    ),
]
_Title = Annotated[
    str, Field(min_length=1, max_length=200, description="What it is.", examples=["Provincial platform"])
]
_Contact = Annotated[str, Field(max_length=200, description="Whom to ask about it.", examples=["ops@example.org"])]
_Park = Annotated[str | None, Field(max_length=64, description="Code of the park; null: all parks.")]
_Days = Annotated[int, Field(ge=1, le=1830, description="How long it is good for. [d]")]


class _Given(BaseModel):
    model_config = ConfigDict(extra="forbid")


class MyGrant(Answer):
    """A role of whoever asks."""

    role: Role
    park: _Park


class MyScope(Answer):
    """What whoever asks may do, and where."""

    scope: Scope
    parks: Annotated[list[str] | None, Field(description="Null: in all parks.")]


class Me(Answer):
    """Who asks, as this server sees it."""

    principal: Annotated[str, Field(examples=["client:province"], description="Also what the audit log calls them.")]
    name: str
    proof: Annotated[str, Field(description="What proved it, never the secret.", examples=["key:ab12cd34ef56"])]
    grants: list[MyGrant]
    scopes: list[MyScope]


class ClientIn(_Given):
    """A program that is to have access."""

    title: _Title
    contact: _Contact = ""
    is_disabled: Annotated[bool, Field(description="True: none of its keys opens anything.")] = False


class NewClient(_Given):
    """The same with the name it gets."""

    client: ClientName
    title: _Title
    contact: _Contact = ""


class ClientOut(Answer):
    """A program."""

    client: str
    title: str
    contact: str
    made_by: str
    made_at: Instant
    disabled_at: Instant | None


class ClientList(Answer):
    """Programs by name."""

    clients: list[ClientOut]


class KeyIn(_Given):
    """A new secret of a program."""

    kind: Annotated[
        SecretKind,
        Field(description="`api_key` is sent with each request, `client_secret` exchanged for tokens."),
    ] = SecretKind.API_KEY
    days: _Days = 365
    scopes: Annotated[list[Scope], Field(max_length=30, description="At most these; empty: all that it may do.")] = []

    @model_validator(mode="after")
    def _tokens_are_not_made(self) -> Self:
        if self.kind is SecretKind.ACCESS_TOKEN:
            raise ValueError("kind: access tokens are had at /oauth/token for a client secret")
        return self


class RotateIn(_Given):
    """A new secret in place of one that goes on for a while."""

    overlap_hours: Annotated[int, Field(ge=0, le=720, description="How long the old one still opens. [h]")] = 24
    days: Annotated[_Days | None, Field(description="Null: as long as the old one was made for.")] = None


class KeyMade(Answer):
    """A new secret. This answer is the only place where it ever stands."""

    key: SecretId
    secret: Annotated[str, Field(description="Told once. It is not kept, and nobody can look it up.")]
    expires_at: Instant


class KeyOut(Answer):
    """What is known of a secret, which is never the secret."""

    key: SecretId
    client: str
    kind: SecretKind
    scopes: Annotated[list[str], Field(description="At most these; empty: all that the program may do.")]
    made_by: str
    made_at: Instant
    expires_at: Instant
    revoked_at: Annotated[Instant | None, Field(description="When it ends or ended before its time.")]
    revoked_by: str | None
    last_used_at: Annotated[Instant | None, Field(description="To the hour.")]


class KeyList(Answer):
    """Secrets of a program."""

    keys: list[KeyOut]


class GrantIn(_Given):
    """A role for a person or a program."""

    person: Annotated[str | None, Field(max_length=60, description="Code of a person.", examples=["chen"])] = None
    client: Annotated[ClientName | None, Field(description="Or name of a program.")] = None
    role: Role
    park: _Park = None
    until: Annotated[IsoInstant | None, Field(description="Null: until it is ended.")] = None

    @model_validator(mode="after")
    def _is_of_one(self) -> Self:
        if (self.person is None) == (self.client is None):
            raise ValueError("a grant is of a person or of a client")
        return self

    @property
    def principal(self) -> str:
        """Whose."""
        return f"client:{self.client}" if self.person is None else f"person:{self.person}"


class GrantOut(Answer):
    """A grant."""

    grant: int
    person: str | None
    client: str | None
    role: Role
    park: _Park
    valid_from: Instant
    valid_to: Annotated[Instant | None, Field(description="Null: until it is ended.")]
    granted_by: str
    ended_by: str | None


class GrantList(Answer):
    """Grants in the order they were made."""

    grants: list[GrantOut]


class SessionOut(Answer):
    """Somebody who is logged in."""

    session: Annotated[str, Field(description="By which it is ended; it opens nothing.")]
    person: str
    name: str
    method: Annotated[str, Field(examples=["oidc"])]
    begun_at: Instant
    seen_at: Instant
    expires_at: Instant


class SessionList(Answer):
    """Who is logged in, the newest first."""

    sessions: list[SessionOut]


class AuditOut(Answer):
    """A line of the audit log."""

    entry: int
    at: Instant
    principal: str
    proof: str
    action: str
    park: str | None
    object: str
    status: int
    rows: int | None
    detail: dict[str, Any]
    remote: str
    request_id: str


class AuditPage(Answer):
    """Lines of the audit log, the newest first."""

    entries: list[AuditOut]
    next: Annotated[str | None, Field(description="`after` of the next page; null: there is no more.")]


def client_out(client: Client) -> ClientOut:
    """A program as the API gives it."""
    return ClientOut.model_validate(client, from_attributes=True)


def key_out(row: SecretRow) -> KeyOut:
    """A secret as the API gives it."""
    return KeyOut(
        key=row.secret_id,
        client=row.client,
        kind=row.kind,
        scopes=list(row.scopes),
        made_by=row.made_by,
        made_at=row.made_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        revoked_by=row.revoked_by,
        last_used_at=row.last_used_at,
    )


def grant_out(row: GrantRow) -> GrantOut:
    """A grant as the API gives it."""
    return GrantOut(
        grant=row.grant_id,
        person=row.person,
        client=row.client,
        role=row.role,
        park=row.park,
        valid_from=row.valid_from,
        valid_to=row.valid_to,
        granted_by=row.granted_by,
        ended_by=row.ended_by,
    )


def session_out(session: Session) -> SessionOut:
    """A session as the API gives it."""
    return SessionOut(
        session=session.session_id,
        person=session.person,
        name=session.name,
        method=session.method,
        begun_at=session.begun_at,
        seen_at=session.seen_at,
        expires_at=session.expires_at,
    )


def is_over(row: SecretRow, now: datetime) -> bool:
    """Whether a secret opens nothing any more."""
    return row.expires_at <= now or (row.revoked_at is not None and row.revoked_at <= now)
