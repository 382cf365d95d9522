"""What every answer carries and every request must show, whoever asks: security headers and a known Host.

No rights are checked here; that is the gate's (`access.gate`), further in.
"""

from collections.abc import Sequence
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from smartpark_api.problems import MEDIA_TYPE, ProblemKind, problem_of

SECURITY_HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}

API_POLICY: Final = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
"""Instead of the pages' policy: what a program reads loads nothing, even where a browser opens it."""
ONLY_HTTPS: Final = "max-age=31536000"
"""Of answers over https: the browser is not to try plain http for a year."""


class Guard:
    """ASGI layer that refuses foreign host names and adds the security headers."""

    def __init__(self, app: ASGIApp, *, host_names: Sequence[str] | None) -> None:
        self._app = app
        self._host_names = None if host_names is None else frozenset(host_names)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                _secure(MutableHeaders(scope=message), scope)
            await send(message)

        host = _without_port(Headers(scope=scope).get("host", ""))
        if self._host_names is not None and host not in self._host_names:
            await _misdirected(scope["path"], host)(scope, receive, send_guarded)
            return
        await self._app(scope, receive, send_guarded)


def _secure(headers: MutableHeaders, scope: Scope) -> None:
    headers.update(SECURITY_HEADERS)
    if scope["scheme"] == "https":
        headers["Strict-Transport-Security"] = ONLY_HTTPS
    if scope["path"].startswith("/api/"):
        headers["Content-Security-Policy"] = API_POLICY
        # What is told to one is not for another whom the same cache serves; what has a tag may be asked about again.
        headers.setdefault("Cache-Control", "private, no-cache" if "etag" in headers else "no-store")


def _without_port(host: str) -> str:
    """Host name of a Host header, brackets of an IPv6 address kept."""
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.partition(":")[0].lower()


def _misdirected(path: str, host: str) -> JSONResponse:
    problem = problem_of(
        ProblemKind.MISDIRECTED,
        f"the host name {host!r} is none of this server's; "
        "open it as http://127.0.0.1, or start it with --allow-network to serve other machines",
        instance=path,
    )
    return JSONResponse(problem.model_dump(exclude_none=True), problem.status, media_type=MEDIA_TYPE)
