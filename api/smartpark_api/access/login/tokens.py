"""Access tokens for programs: the client credentials grant of OAuth 2.0 (RFC 6749, 4.4), and nothing else of it.

A request is taken apart here without a database, so that each of the RFC's errors (5.2) is decided in one place; what
is exchanged for what is a matter of `issue`. Small code of our own: Authlib's server wants its own requests, clients
and token stores, insists on https behind a proxy that has ended it already, and tells a stranger which clients exist.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import parse_qsl, unquote_plus

from smartpark.access import ROLE_SCOPES, Scope, unknown_scopes
from smartpark.errors import SmartparkError
from smartpark_storage.access import (
    FoundSecret,
    NewSecret,
    SecretKind,
    SecretRefusal,
    find_secret,
    grants_of,
    make_secret,
    sweep_tokens,
    touch_secret,
)
from smartpark_storage.connections import Connection

GRANT_TYPE: Final = "client_credentials"
FORM: Final = "application/x-www-form-urlencoded"
_ONCE: Final = ("grant_type", "client_id", "client_secret", "scope")
_SCOPE: Final = re.compile(r"[!#-\[\]-~]+(?: [!#-\[\]-~]+)*")
"""Appendix A.4."""
_NOT_KNOWN: Final = "the client is not known here, or its secret is not right"
_KEPT: Final = timedelta(days=1)
"""For how long a token that ended stays on record."""


class TokenError(SmartparkError):
    """An error of RFC 6749, 5.2."""

    def __init__(self, error: str, description: str, *, status: int = 400) -> None:
        super().__init__(f"{error}: {description}")
        self.error = error
        self.description = description
        self.status = status


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """What a program asks for."""

    client: str
    secret: str
    scopes: tuple[str, ...] | None
    """None: all that it may."""


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """What it gets."""

    token: NewSecret
    client: str
    had_with: str
    scopes: tuple[str, ...]


def token_request(headers: Mapping[str, str], body: bytes) -> TokenRequest:
    """The request of a header and a form.

    Raises
    ------
    TokenError
        When it is not one.
    """
    if headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
        raise TokenError("invalid_request", f"the body has to be {FORM}")
    form = _fields(body)
    grant_type = form.get("grant_type")
    if not grant_type:
        raise TokenError("invalid_request", "grant_type is missing")
    client, secret = _credentials(headers.get("authorization"), form)
    if grant_type != GRANT_TYPE:
        raise TokenError("unsupported_grant_type", f"only {GRANT_TYPE} is given out here")
    return TokenRequest(client, secret, _scopes(form.get("scope")))


def _fields(body: bytes) -> dict[str, str]:
    try:
        pairs = parse_qsl(body.decode("utf-8"), keep_blank_values=True, errors="strict", max_num_fields=50)
    except ValueError as error:
        raise TokenError("invalid_request", "the body is not a form in UTF-8") from error
    names = [name for name, _ in pairs]
    twice = [name for name in _ONCE if names.count(name) > 1]
    if twice:
        raise TokenError("invalid_request", f"{twice[0]} is there more than once")
    # Without a value is like not there (3.2); what is not understood is passed over.
    return {name: value for name, value in pairs if value and name in _ONCE}


def _credentials(header: str | None, form: Mapping[str, str]) -> tuple[str, str]:
    """Name and secret, by header or by form, not by both (2.3.1)."""
    if header is None:
        if "client_id" not in form or "client_secret" not in form:
            raise _stranger("the client has to say who it is, by Basic or by client_id and client_secret")
        return form["client_id"], form["client_secret"]
    if "client_secret" in form:
        raise TokenError("invalid_request", "the client says who it is twice: by the header and by the form")
    scheme, _, given = header.partition(" ")
    try:
        client, colon, secret = base64.b64decode(given.strip(), validate=True).decode("utf-8").partition(":")
    except (binascii.Error, UnicodeDecodeError):
        client, colon, secret = "", "", ""
    if scheme.lower() != "basic" or not colon:
        raise _stranger("the header Authorization is not understood; Basic is")
    client, secret = unquote_plus(client), unquote_plus(secret)
    if form.get("client_id", client) != client:
        raise TokenError("invalid_request", "the header and the form name different clients")
    return client, secret


def _scopes(text: str | None) -> tuple[str, ...] | None:
    if text is None:
        return None
    if not _SCOPE.fullmatch(text):
        raise TokenError("invalid_scope", "scope is a list of names with one blank between them")
    wanted = tuple(dict.fromkeys(text.split(" ")))
    unknown = unknown_scopes(wanted)
    if unknown:
        raise TokenError("invalid_scope", f"there is no scope {unknown[0][:60]}")
    return wanted


def _stranger(description: str) -> TokenError:
    return TokenError("invalid_client", description, status=401)


def authenticated(connection: Connection, asked: TokenRequest, now: datetime) -> FoundSecret:
    """The secret that was shown, when it is one and the client's own.

    Raises
    ------
    TokenError
        When it is not; a stranger does not hear whether the client exists.
    """
    found = find_secret(connection, asked.secret, now)
    if isinstance(found, SecretRefusal):
        is_guess = found in {SecretRefusal.UNKNOWN, SecretRefusal.MALFORMED}
        raise _stranger(_NOT_KNOWN if is_guess else f"{_NOT_KNOWN}: it is {found}")
    if found.kind is not SecretKind.CLIENT_SECRET or found.client != asked.client:
        raise _stranger(_NOT_KNOWN)
    return found


def issue(
    connection: Connection, asked: TokenRequest, secret: FoundSecret, *, now: datetime, lasts: timedelta
) -> IssuedToken:
    """Make a token, no wider than what was asked for and no longer than the secret it is had with.

    Raises
    ------
    TokenError
        When more is asked for than the client may.
    """
    allowed = _allowed(connection, secret, now)
    scopes = asked.scopes or tuple(sorted(allowed))
    beyond = [scope for scope in scopes if scope not in allowed]
    if beyond or not scopes:
        raise TokenError("invalid_scope", f"the client may not have {beyond[0] if beyond else 'anything at all yet'}")
    token = make_secret(
        connection,
        secret.client,
        SecretKind.ACCESS_TOKEN,
        by=f"client:{secret.client}",
        at=now,
        expires_at=min(now + lasts, secret.expires_at),
        scopes=scopes,
        had_with=secret.secret_id,
    )
    if secret.is_to_be_touched(now):
        touch_secret(connection, secret.secret_id, at=now)
    sweep_tokens(connection, before=now - _KEPT)
    return IssuedToken(token, secret.client, secret.secret_id, scopes)


def _allowed(connection: Connection, secret: FoundSecret, now: datetime) -> frozenset[Scope]:
    """What the roles of the client do anywhere, as far as its secret goes."""
    granted = grants_of(connection, f"client:{secret.client}", now)
    scopes = frozenset(scope for grant in granted for scope in ROLE_SCOPES[grant.role])
    return scopes if secret.scopes is None else scopes & secret.scopes
