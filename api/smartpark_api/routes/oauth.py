"""Where programs exchange their secret for a short-lived token, and where they read how (RFC 6749, RFC 8414)."""

from datetime import datetime, timedelta
from typing import Any, Final

from anyio import to_thread
from fastapi import APIRouter, Request
from smartpark.access import Principal, Scope
from smartpark_storage.access import digest_of
from starlette.responses import JSONResponse, Response

from smartpark_api.access.audit import audited, remote_of, write_line
from smartpark_api.access.limits import RateLimits
from smartpark_api.access.login.logins import logins_of
from smartpark_api.access.login.tokens import (
    GRANT_TYPE,
    IssuedToken,
    TokenError,
    TokenRequest,
    authenticated,
    issue,
    token_request,
)
from smartpark_api.access.needs import open_to_all
from smartpark_api.database import Settings, noting
from smartpark_api.settings import ApiSettings

EXCHANGE: Final = "/oauth/token"
_MOST_BYTES: Final = 16 * 2**10
_NOT_KEPT: Final = {"Cache-Control": "no-store", "Pragma": "no-cache"}
router = APIRouter(include_in_schema=False)


@router.post(EXCHANGE, dependencies=[open_to_all("the client proves here who it is")])
async def exchange_secret(request: Request, settings: Settings) -> Response:
    """Exchange a client's name and secret for an access token."""
    limits: RateLimits = request.app.state.limits
    remote = remote_of(request)
    try:
        asked = token_request(request.headers, await _body(request))
        _check_patience(limits, remote, asked)
        issued = await to_thread.run_sync(_exchanged, request, asked, settings)
    except TokenError as error:
        if error.error == "invalid_client":
            limits.failed(remote)
        audited(request, action="token", detail={"error": error.error})
        return _refused(error)
    limits.proved(digest_of(asked.secret))
    now: datetime = request.app.state.clock()
    seconds = int((issued.token.expires_at - now).total_seconds())
    told = {
        "access_token": issued.token.text,
        "token_type": "Bearer",
        "expires_in": seconds,
        "scope": " ".join(issued.scopes),
    }
    return JSONResponse(told, headers=_NOT_KEPT)


def _check_patience(limits: RateLimits, remote: str, asked: TokenRequest) -> None:
    if limits.shut_out(remote, digest_of(asked.secret)) is not None:
        raise TokenError("temporarily_unavailable", "too many attempts from your address failed", status=429)


async def _body(request: Request) -> bytes:
    """The form, which is small; what is not is not read to its end."""
    read = bytearray()
    async for part in request.stream():
        read += part
        if len(read) > _MOST_BYTES:
            raise TokenError("invalid_request", "the form is too long")
    return bytes(read)


def _exchanged(request: Request, asked: TokenRequest, settings: ApiSettings) -> IssuedToken:
    now: datetime = request.app.state.clock()
    with noting(request) as connection:
        secret = authenticated(connection, asked, now)
        # From here on it is known who asks, should they be refused.
        request.state.principal = Principal(f"client:{secret.client}", proof=f"secret:{secret.secret_id}")
        lasts = timedelta(minutes=settings.token_minutes)
        issued = issue(connection, asked, secret, now=now, lasts=lasts)
        told = {"token": issued.token.secret_id, "scopes": list(issued.scopes)}
        audited(request, action="token", object=issued.client, detail=told)
        write_line(request, connection, 200)
    return issued


def _refused(error: TokenError) -> Response:
    headers = dict(_NOT_KEPT)
    if error.status == 401:
        headers["WWW-Authenticate"] = 'Basic realm="smartpark", charset="UTF-8"'
    if error.status == 429:
        headers["Retry-After"] = "60"
    told = {"error": error.error, "error_description": error.description}
    return JSONResponse(told, error.status, headers)


@router.get("/.well-known/oauth-authorization-server", dependencies=[open_to_all("it is how one gets in")])
async def show_metadata(request: Request) -> Response:
    """What this server gives out, and to whom."""
    root = logins_of(request).root(request)
    told: dict[str, Any] = {
        "issuer": root,
        "token_endpoint": root + EXCHANGE,
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "grant_types_supported": [GRANT_TYPE],
        # Required, and yet never empty (RFC 8414, 2 and 3.2); people log in elsewhere, so there is no other.
        "response_types_supported": ["none"],
        "scopes_supported": [scope.value for scope in Scope],
        "ui_locales_supported": ["zh-CN", "en"],
    }
    return JSONResponse(told, headers={"Cache-Control": "public, max-age=3600"})
