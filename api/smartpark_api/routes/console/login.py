"""Logging in and out: the page that offers the ways in, the way to an identity provider and back, one-time links.

Whatever goes wrong on the way is told as a page that says what to do, and written down; nobody is half logged in.
"""

import hmac
import logging
from datetime import datetime
from typing import Annotated, Final

from anyio import to_thread
from fastapi import APIRouter, Path, Query, Request
from smartpark_storage.access import LinkRefusal, digest_of, use_login_link
from smartpark_storage.load_requests import read_persons
from starlette.responses import RedirectResponse, Response

from smartpark_api.access.audit import audited, remote_of
from smartpark_api.access.limits import RateLimits
from smartpark_api.access.login.errors import LoginError, Trouble
from smartpark_api.access.login.finding import person_of
from smartpark_api.access.login.handshake import COOKIE, KEPT_FOR, Handshake, begin, opened, sealed
from smartpark_api.access.login.logins import logins_of
from smartpark_api.access.login.provider import Account, Provider
from smartpark_api.access.login.return_to import own_address
from smartpark_api.access.login.sessions import give_cookie, let_in, let_out, take_cookies
from smartpark_api.access.needs import open_to_all
from smartpark_api.access.principal import principal_of, refusal_of
from smartpark_api.console.forms import SentForm, signer_of
from smartpark_api.database import noting
from smartpark_api.pages import render, visitor_of
from smartpark_api.settings import AccessMode, ApiSettings

router = APIRouter(include_in_schema=False)
_log = logging.getLogger(__name__)
_TO_GET_IN: Final = open_to_all("it is how one gets in")
_TO_GET_OUT: Final = open_to_all("whoever is not logged in may log out as well")
_SUSPICIOUS: Final = frozenset({Trouble.FORGED, Trouble.SPENT, Trouble.STALE})
"""Counted against the address they come from."""

Name = Annotated[str, Path(pattern=r"^[a-z0-9][a-z0-9-]{0,30}$")]
Back = Annotated[str, Query(max_length=4000)]
Token = Annotated[str, Path(min_length=20, max_length=200, pattern=r"^[A-Za-z0-9_-]+$")]


@router.get("/login", dependencies=[_TO_GET_IN])
def show_login(request: Request, back: Back = "") -> Response:
    """Offer the ways in."""
    principal = principal_of(request)
    own = own_address(back)
    if principal.person is not None:
        return _see_other(own or "/")
    settings: ApiSettings = request.app.state.settings
    return render(
        request,
        "console/login.html",
        providers=[one.settings for one in logins_of(request).providers.values()],
        back=own,
        is_local=settings.access is AccessMode.LOCAL,
        is_over=bool(refusal_of(request)),
    )


@router.get("/login/oidc/{name}/start", dependencies=[_TO_GET_IN])
async def start_login(request: Request, name: Name, back: Back = "") -> Response:
    """Send somebody to their identity provider."""
    logins = logins_of(request)
    provider = logins.provider(name)
    handshake = begin(signer_of(request), name, own_address(back))
    try:
        address = await provider.leaving(
            handshake,
            redirect_uri=logins.callback(request, name),
            language=visitor_of(request).language.tag,
        )
    except LoginError as error:
        return await _trouble(request, error, name)
    response = _see_other(address)
    now: datetime = request.app.state.clock()
    response.set_cookie(
        _cookie_name(request),
        sealed(signer_of(request), handshake, now=now),
        max_age=int(KEPT_FOR.total_seconds()),
        httponly=True,
        # The way back begins at another site, and this has to come along.
        samesite="lax",
        secure=logins.is_secure(request),
    )
    return response


@router.get("/login/oidc/{name}", dependencies=[_TO_GET_IN])
async def finish_login(request: Request, name: Name) -> Response:
    """Take in somebody who comes back from their identity provider."""
    logins = logins_of(request)
    provider = logins.provider(name)
    try:
        _check_patience(request)
        handshake = _handshake(request, name)
        account = await provider.returned(
            request.query_params, handshake, redirect_uri=logins.callback(request, name)
        )
        token = await to_thread.run_sync(_entered, request, provider, account)
    except LoginError as error:
        response = await _trouble(request, error, name)
    else:
        response = _see_other(handshake.back or "/")
        give_cookie(request, response, token)
    response.delete_cookie(_cookie_name(request), httponly=True, samesite="lax", secure=logins.is_secure(request))
    return response


def _handshake(request: Request, name: str) -> Handshake:
    now: datetime = request.app.state.clock()
    handshake = opened(signer_of(request), request.cookies.get(_cookie_name(request)), now=now)
    if handshake is None or handshake.issuer != name:
        raise LoginError(Trouble.STALE, "no log-in with this provider is under way in that browser")
    if not hmac.compare_digest(handshake.state.encode(), request.query_params.get("state", "").encode()):
        raise LoginError(Trouble.STALE, "the answer does not belong to the log-in under way (state)")
    return handshake


def _entered(request: Request, provider: Provider, account: Account) -> str:
    now: datetime = request.app.state.clock()
    with noting(request) as connection:
        person = person_of(connection, account, provider.settings, now=now)
        return let_in(request, connection, person, "oidc", proof=f"oidc:{provider.settings.name}", account=account)


@router.get("/login/link/{token}", dependencies=[_TO_GET_IN])
def show_link(request: Request, token: Token) -> Response:
    """Ask before a one-time link is used up: programs that read mail follow links, but press no buttons."""
    return render(request, "console/login_link.html", token=token)


@router.post("/login/link", dependencies=[_TO_GET_IN])
async def use_link(request: Request, form: SentForm) -> Response:
    """Take in somebody with a one-time link."""
    token = form.text("token")[:200]
    try:
        _check_patience(request, token)
        session = await to_thread.run_sync(_entered_by_link, request, token)
    except LoginError as error:
        return await _trouble(request, error, "")
    response = _see_other("/")
    give_cookie(request, response, session)
    return response


def _entered_by_link(request: Request, token: str) -> str:
    now: datetime = request.app.state.clock()
    with noting(request) as connection:
        person = use_login_link(connection, token, at=now)
        if isinstance(person, LinkRefusal):
            raise LoginError(Trouble.SPENT, f"the one-time link is {person}")
        if not read_persons(connection, code=person, is_active=True):
            raise LoginError(Trouble.INACTIVE, f"{person} is not active")
        return let_in(request, connection, person, "link", proof="link")


@router.post("/logout", dependencies=[_TO_GET_OUT])
async def leave(request: Request, form: SentForm) -> Response:
    """End the session, or all sessions of the person."""
    is_everywhere = form.text("everywhere") == "yes"
    ended = await to_thread.run_sync(lambda: let_out(request, everywhere=is_everywhere))
    provider = logins_of(request).of_issuer(ended.issuer) if ended else None
    response = _see_other("/logged-out" + (f"?from={provider.settings.name}" if provider else ""))
    take_cookies(response)
    return response


@router.get("/logged-out", dependencies=[_TO_GET_OUT])
async def show_logged_out(
    request: Request, name: Annotated[str, Query(alias="from", max_length=40)] = ""
) -> Response:
    """Say so; where the session came from an identity provider, go and end the one there too.

    By a page and not by a redirect of the form: the content security policy lets forms lead to ourselves only.
    """
    logins = logins_of(request)
    provider = logins.providers.get(name)
    farewell = None
    if provider is not None:
        try:
            farewell = await provider.farewell(back=f"{logins.root(request)}/logged-out")
        except LoginError as error:
            _log.warning("%s", error)
    return render(request, "console/logged_out.html", provider=provider and provider.settings, farewell=farewell)


def _check_patience(request: Request, token: str | None = None) -> None:
    limits: RateLimits = request.app.state.limits
    standing = limits.shut_out(remote_of(request), digest_of(token or ""))
    if standing is not None:
        raise LoginError(Trouble.OFTEN, "too many attempts that failed", seconds=str(max(1, standing.resets_in_s)))


async def _trouble(request: Request, error: LoginError, name: str) -> Response:
    """The page that says what went wrong; it is written down by the gate, and counted where it looks like trying."""
    _log.warning("%s", error)
    if error.trouble in _SUSPICIOUS:
        limits: RateLimits = request.app.state.limits
        limits.failed(remote_of(request))
    audited(request, action="login", object=name or "link", detail={"trouble": error.trouble.value, **error.told})
    provider = logins_of(request).providers.get(name)
    return await to_thread.run_sync(
        lambda: render(
            request,
            "console/login_trouble.html",
            status=error.trouble.status,
            headers={"Retry-After": error.told["seconds"]} if error.trouble is Trouble.OFTEN else None,
            trouble=error.trouble,
            told=error.told,
            provider=None if provider is None else provider.settings,
        )
    )


def _see_other(address: str) -> Response:
    return RedirectResponse(address, 303, {"Cache-Control": "no-store"})


def _cookie_name(request: Request) -> str:
    return f"__Host-{COOKIE}" if logins_of(request).is_secure(request) else COOKIE
