"""What a request shows, and whether it holds: a program's key or token, or a person's session. Rights are elsewhere.

A header counts before a cookie. What was shown and does not hold is told as it is (expired, revoked, disabled); of a
secret that is wrong nobody hears more than that.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

from fastapi import Request
from smartpark.access import LOCAL, NOBODY, Principal
from smartpark_storage.access import (
    FoundSecret,
    SecretKind,
    SecretRefusal,
    Session,
    find_secret,
    find_session,
    grants_of,
    read_client,
)
from smartpark_storage.connections import Connection

from smartpark_api.access.login.foreign import ForeignToken
from smartpark_api.access.login.logins import logins_of
from smartpark_api.access.principal import COOKIES
from smartpark_api.settings import AccessMode, ApiSettings

_MOST: Final = 500
"""Letters of anything that can be one of ours."""
_MOST_OF_JWT: Final = 8000
"""Letters of a token of an identity provider."""
_PROOFS: Final = {SecretKind.API_KEY: "key", SecretKind.ACCESS_TOKEN: "token"}
_WORDS: Final = {
    SecretRefusal.MALFORMED: "what the header Authorization carries is no key of ours, or a letter in it is wrong",
    SecretRefusal.UNKNOWN: "the key or token is not known here",
    SecretRefusal.EXPIRED: "the key or token has expired; make another, or fetch another token",
    SecretRefusal.REVOKED: "the key or token has been revoked",
    SecretRefusal.DISABLED: "the program that the key or token belongs to has been disabled",
}
_SESSION_OVER: Final = "the session has ended or was left alone for too long; log in again"
_NOT_BEARER: Final = "the header Authorization is understood as: Bearer, then an API key or an access token"
_TO_BE_EXCHANGED: Final = (
    "that is a client secret: exchange it for an access token at /oauth/token, and send the token"
)


@dataclass(frozen=True, slots=True)
class Shown:
    """What a request shows of itself."""

    bearer: str | None = None
    session: str | None = None
    complaint: str = ""
    """Why it cannot even be looked up."""

    @property
    def is_anything(self) -> bool:
        """Whether there is something to look at."""
        return bool(self.bearer or self.session or self.complaint)

    @property
    def digest(self) -> bytes:
        """By which it is recognised again without being kept."""
        return sha256((self.bearer or self.session or "").encode()).digest()


@dataclass(frozen=True, slots=True)
class Proved:
    """Who it is."""

    principal: Principal
    refusal: str = ""
    """Why what was shown is not believed."""
    secret_used: str | None = None
    """Id of a secret whose last use is to be written down."""
    session_seen: str | None = None
    """Text of a session that is to be written down as seen."""


def shown_by(request: Request) -> Shown:
    """Header or cookie of a request."""
    header = request.headers.get("authorization")
    if header is not None:
        scheme, _, secret = header.strip().partition(" ")
        secret = secret.strip()
        most = _MOST_OF_JWT if secret.startswith("ey") else _MOST
        is_bearer = scheme.lower() == "bearer" and 0 < len(secret) <= most and secret.isascii()
        return Shown(bearer=secret) if is_bearer else Shown(complaint=_NOT_BEARER)
    # The other name counts for nothing here: over https a neighbour of this host could have planted it.
    cookie = request.cookies.get(COOKIES[0] if logins_of(request).is_secure(request) else COOKIES[1])
    return Shown(session=cookie if cookie is not None and len(cookie) <= _MOST else None)


def without_proof(settings: ApiSettings, refusal: str = "") -> Proved:
    """Whoever shows nothing: the machine itself where the server trusts it, else nobody."""
    return Proved(LOCAL if settings.access is AccessMode.LOCAL and not refusal else NOBODY, refusal)


def proved(connection: Connection, shown: Shown, settings: ApiSettings, now: datetime) -> Proved:
    """Look up what was shown."""
    if shown.complaint:
        return without_proof(settings, shown.complaint)
    if shown.bearer is not None:
        return _by_secret(connection, shown.bearer, settings, now)
    if shown.session is None:
        return without_proof(settings)
    idle = timedelta(minutes=settings.session_idle_minutes)
    session = find_session(connection, shown.session, now=now, idle=idle)
    if session is not None:
        return _by_session(connection, session, shown.session, now)
    # A cookie that is out of date does not shut out whoever would be let in without one.
    is_local = settings.access is AccessMode.LOCAL
    return without_proof(settings, "" if is_local else _SESSION_OVER)


def _by_secret(connection: Connection, text: str, settings: ApiSettings, now: datetime) -> Proved:
    found = find_secret(connection, text, now)
    if isinstance(found, SecretRefusal):
        return without_proof(settings, _WORDS[found])
    if found.kind not in _PROOFS:
        return without_proof(settings, _TO_BE_EXCHANGED)
    return Proved(
        _client(connection, found, now), secret_used=found.secret_id if found.is_to_be_touched(now) else None
    )


def by_foreign_token(connection: Connection, token: ForeignToken, settings: ApiSettings, now: datetime) -> Proved:
    """The program of ours that an identity provider has sworn to."""
    client = read_client(connection, token.client)
    if client is None:
        return without_proof(settings, "the program that the token is bound to is not known here")
    if client.disabled_at is not None:
        return without_proof(settings, _WORDS[SecretRefusal.DISABLED])
    name = f"client:{client.client}"
    proof = f"jwt:{token.issuer}:{token.token_id}"
    return Proved(Principal(name, grants_of(connection, name, now), token.scopes, proof=proof, display=client.title))


def _client(connection: Connection, found: FoundSecret, now: datetime) -> Principal:
    name = f"client:{found.client}"
    return Principal(
        name,
        grants_of(connection, name, now),
        found.scopes,
        proof=f"{_PROOFS[found.kind]}:{found.secret_id}",
        display=found.title,
    )


def _by_session(connection: Connection, session: Session, text: str, now: datetime) -> Proved:
    name = f"person:{session.person}"
    principal = Principal(
        name, grants_of(connection, name, now), proof="session", display=session.name, display_en=session.name_en
    )
    return Proved(principal, session_seen=text if session.is_to_be_touched(now) else None)
