"""Access tokens that an identity provider gave a program, instead of keys of ours: JWTs, checked with published keys.

Which client of the provider is which program stands in our settings. What the program may do stands in our database,
and the token can only narrow it. Such a token cannot be revoked here before it ends; the program can be shut out.
"""

import base64
import binascii
import json
import logging
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final, cast

from fastapi import Request
from smartpark.access import Scope
from smartpark.errors import SmartparkError

from smartpark_api.access.login.errors import LoginError, Trouble
from smartpark_api.access.login.logins import logins_of
from smartpark_api.access.login.provider import Provider

_log = logging.getLogger(__name__)
_NOT_TRUSTED: Final = "the token is of an issuer whose tokens do not count here"
_AWAY: Final = "the issuer of the token cannot be asked for its keys just now; try again, or use a key of this server"


class ForeignTokenError(SmartparkError):
    """A token that does not hold."""


@dataclass(frozen=True, slots=True)
class ForeignToken:
    """A token that holds."""

    client: str
    """Name of the program here."""
    issuer: str
    """Name of the provider in our settings."""
    token_id: str
    scopes: frozenset[Scope] | None
    """At most these; None: all that the program's roles do."""


async def foreign_token(request: Request, shown: str) -> ForeignToken | None:
    """The token of an identity provider; none when it is nothing of the kind.

    Raises
    ------
    ForeignTokenError
        When it is one and does not hold.
    """
    issuer = _issuer_of(shown)
    if issuer is None:
        return None
    provider = logins_of(request).of_issuer(issuer)
    if provider is None or not provider.settings.programs:
        raise ForeignTokenError(_NOT_TRUSTED)
    try:
        claims = await provider.sworn(shown)
    except LoginError as error:
        _log.warning("token of %s: %s", provider.settings.name, error.detail)
        raise ForeignTokenError(_words(error)) from error
    return _token(provider, claims, shown)


def _words(error: LoginError) -> str:
    is_away = error.trouble in {Trouble.AWAY, Trouble.MISFIT}
    return _AWAY if is_away else f"the token does not hold: {error.detail}"


def _issuer_of(shown: str) -> str | None:
    """Whom the token claims to be of; none when it is no JWT. Nothing of it is believed yet."""
    parts = shown.split(".")
    if len(parts) != 3 or not shown.startswith("ey"):
        return None
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (binascii.Error, ValueError):
        return None
    issuer = cast("dict[str, Any]", claims).get("iss") if isinstance(claims, dict) else None
    return issuer if isinstance(issuer, str) else None


def _token(provider: Provider, claims: Any, shown: str) -> ForeignToken:
    settings = provider.settings
    client = settings.programs.get(str(claims.get("client_id") or claims.get("azp") or ""))
    if client is None:
        raise ForeignTokenError("the token is of a client that is no program here")
    token_id = str(claims.get("jti") or sha256(shown.encode()).hexdigest()[:12])[:60]
    told = claims.get("scope")
    ours = {scope.value: scope for scope in Scope}
    scopes = frozenset(ours[name] for name in (told.split() if isinstance(told, str) else []) if name in ours)
    return ForeignToken(client, settings.name, token_id, scopes or None)
