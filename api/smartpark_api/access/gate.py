"""The gate: finds out who asks, counts how often, and writes down what is to be, before an answer leaves.

It stands before the routing: whoever is nobody gets no body read that they might send, and a request without rights
costs no more than a look at its proof. What each route asks for is declared there (`needs`).
"""

import logging
import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from anyio import to_thread
from fastapi import HTTPException, Request
from smartpark.access import LOCAL, NOBODY
from smartpark.errors import SmartparkError
from smartpark_storage.access import touch_secret, touch_session
from starlette.datastructures import MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from smartpark_api.access.audit import READING, audited, is_due, remote_of, write_line
from smartpark_api.access.declared import is_open
from smartpark_api.access.limits import RateLimits, Standing
from smartpark_api.access.login.foreign import ForeignToken, ForeignTokenError, foreign_token
from smartpark_api.access.proving import Proved, Shown, by_foreign_token, proved, shown_by, without_proof
from smartpark_api.access.refusing import not_logged_in, too_many
from smartpark_api.access.secrecy import REQUEST_ID, redacted
from smartpark_api.database import looking_up, noting
from smartpark_api.handlers import answer_to
from smartpark_api.problems import ProblemError, ProblemKind
from smartpark_api.settings import AccessMode, ApiSettings, is_loopback

ID_HEADER: Final = "X-Request-Id"
_NEVER_ASKED: Final = ("/assets/", "/healthz", "/readyz", "/oauth/token")
"""Nobody is looked up for these; the last one finds out itself who asks."""
_MOST_BODY: Final = 8 * 2**20
"""Of what the API reads whole before it knows what is asked; several times the longest list it takes. [B]"""
_READ_IN_PARTS: Final = "/attachments"
"""Ends the address of documents, which are held to a length of their own."""
_TOO_LONG: Final = f"a body has at most {_MOST_BODY >> 20} MiB here"
_PASSED_ON: Final = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")
_PROXY: Final = (
    "this server trusts the machine it is on, and the request came through something that serves others; "
    "start the server with SMARTPARK_ACCESS=enforced"
)
_log = logging.getLogger(__name__)


class Gate:
    """ASGI layer before the routing; inside of the layer that adds security headers."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        request.state.request_id = secrets.token_hex(8)
        token = REQUEST_ID.set(request.state.request_id)
        try:
            await self._serve(request, receive, send)
        finally:
            REQUEST_ID.reset(token)

    async def _serve(self, request: Request, receive: Receive, send: Send) -> None:
        settings: ApiSettings = request.app.state.settings
        _is_known_as(request, without_proof(settings, _through_a_proxy(request, settings)))
        answer = _Answer(request, receive, send)
        refusal = await _admitted(request)
        if refusal is not None:
            await refusal(request.scope, receive, answer.send)
            return
        try:
            await self._app(request.scope, _held_short(request, receive), answer.send)
        except BaseException:  # raised again; the answer is made outside of this layer, its line is written here
            await answer.end(500)
            raise


async def _admitted(request: Request) -> Response | None:
    """Find out who asks; an answer when they are not let through at all."""
    try:
        await _identified(request)
        _check_origin(request)
        _check_not_anonymous(request)
        _check_announced(request)
    except SmartparkError as error:
        return await answer_to(request, error)
    return None


async def _identified(request: Request) -> None:
    """Put the principal where everybody finds it, and count the request."""
    is_never_asked = request.url.path.startswith(_NEVER_ASKED)
    if is_never_asked and request.method in READING:
        return
    # What is sent to those addresses is counted all the same: each leaves a line in the audit log.
    limits: RateLimits = request.app.state.limits
    shown = Shown() if is_never_asked else shown_by(request)
    if shown.is_anything:
        found = await _looked_up(request, shown, limits)
        _is_known_as(request, found)
    standing = limits.asked(request.state.principal, remote_of(request))
    request.state.standing = standing
    if standing is not None and standing.is_over:
        raise too_many(standing, "requests")


async def _looked_up(request: Request, shown: Shown, limits: RateLimits) -> Proved:
    remote = remote_of(request)
    shut_out = limits.shut_out(remote, shown.digest)
    if shut_out is not None:
        raise too_many(shut_out, "proofs that did not hold came from your address")
    try:
        foreign = await foreign_token(request, shown.bearer) if shown.bearer else None
    except ForeignTokenError as error:
        found = without_proof(request.app.state.settings, str(error))
    else:
        found = await to_thread.run_sync(_look_up, request, shown, foreign)
    if found.refusal:
        # Sessions that are over come from whole offices at once, and there is nothing in one to guess.
        if shown.session is None:
            limits.failed(remote)
        _log.info("%s showed what does not hold: %s", remote, found.refusal)
    elif found.principal.proof:
        limits.proved(shown.digest)
    return found


def _look_up(request: Request, shown: Shown, foreign: ForeignToken | None) -> Proved:
    """In a thread: ask the database."""
    settings: ApiSettings = request.app.state.settings
    now: datetime = request.app.state.clock()
    if shown.complaint:
        return without_proof(settings, shown.complaint)
    with looking_up(request) as connection:
        found = (
            by_foreign_token(connection, foreign, settings, now)
            if foreign is not None
            else proved(connection, shown, settings, now)
        )
    if found.secret_used is None and found.session_seen is None:
        return found
    with noting(request) as connection:
        if found.secret_used is not None:
            touch_secret(connection, found.secret_used, at=now)
        if found.session_seen is not None:
            touch_session(connection, found.session_seen, at=now)
    return found


def _is_known_as(request: Request, found: Proved) -> None:
    request.state.principal = found.principal
    request.state.refusal = found.refusal


def _through_a_proxy(request: Request, settings: ApiSettings) -> str:
    """Why whoever shows nothing is not the machine itself after all: somebody passes requests of others on to us."""
    if settings.access is AccessMode.ENFORCED:
        return ""
    is_direct = request.client is None or is_loopback(request.client.host)
    return "" if is_direct and not any(name in request.headers for name in _PASSED_ON) else _PROXY


def _check_origin(request: Request) -> None:
    """Refuse what another site lets a browser do with somebody's cookie, or on the machine that is trusted."""
    if request.method in READING or request.state.principal.proof not in ("session", LOCAL.proof):
        return
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    is_foreign = site is not None and site not in ("same-origin", "none")
    is_foreign |= origin is not None and origin.partition("://")[2] != request.headers.get("host", "")
    if is_foreign:
        raise ProblemError(ProblemKind.FORM_REFUSED, "it was sent by a page of another site")


def _check_not_anonymous(request: Request) -> None:
    """Refuse a write of nobody before its body is read, unless its route is open to all."""
    is_write = request.method not in READING and not request.url.path.startswith(_NEVER_ASKED)
    if is_write and request.state.principal.name == NOBODY.name and not is_open(request.app, request.scope):
        audited(request)
        raise not_logged_in(request)


def _is_read_whole(request: Request) -> bool:
    path = request.url.path
    return path.startswith("/api/") and not path.endswith(_READ_IN_PARTS)


def _check_announced(request: Request) -> None:
    """Refuse a body that says it is too long; the framework would read it before anybody asks for rights."""
    announced = request.headers.get("content-length", "")
    if _is_read_whole(request) and announced.isdigit() and int(announced) > _MOST_BODY:
        raise ProblemError(ProblemKind.BODY_TOO_LARGE, _TOO_LONG)


def _held_short(request: Request, receive: Receive) -> Receive:
    """The same for a body that does not say how long it is."""
    if not _is_read_whole(request):
        return receive
    read = 0

    async def counting() -> Message:
        nonlocal read
        message = await receive()
        read += len(message.get("body", b""))
        if read > _MOST_BODY:
            raise HTTPException(413, _TOO_LONG)
        return message

    return counting


class _Answer:
    """What goes back: with the headers of the gate, and after its line in the audit log."""

    def __init__(self, request: Request, receive: Receive, send: Send) -> None:
        self._request = request
        self._receive = receive
        self._send = send
        self._has_begun = False
        self._is_withheld = False

    async def send(self, message: Message) -> None:
        """Pass a part of the answer on."""
        if message["type"] == "http.response.start":
            status: int = message["status"]
            if not await self.end(status) and status < 400:
                await self._withhold()
                return
            self._has_begun = True
            MutableHeaders(scope=message).update(self._headers())
        if not self._is_withheld:
            await self._send(message)

    async def end(self, status: int) -> bool:
        """See that what has to be written down is; False: it could not be."""
        if self._has_begun or not is_due(self._request, status):
            return True
        try:
            await to_thread.run_sync(self._note, status)
        except SmartparkError as error:
            path = redacted(self._request.url.path)
            _log.error("no line in the audit log for %s %s (%d): %s", self._request.method, path, status, error)
            return False
        return True

    def _note(self, status: int) -> None:
        with noting(self._request) as connection:
            write_line(self._request, connection, status)

    async def _withhold(self) -> None:
        """Hand nothing out that nobody could say of who had it."""
        self._is_withheld = True
        detail = "what is handed out is written down first, and that cannot be done now"
        problem = await answer_to(self._request, ProblemError(ProblemKind.DATABASE_AWAY, detail))
        problem.headers.update(self._headers())
        await problem(self._request.scope, self._receive, self._send)

    def _headers(self) -> Mapping[str, str]:
        standing: Standing | None = getattr(self._request.state, "standing", None)
        told = {ID_HEADER: self._request.state.request_id}
        return told if standing is None else told | standing.headers
