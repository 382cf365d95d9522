"""What every answer carries and every request must show, whoever asks: security headers and a known Host.

No rights are checked here; until access control exists the server listens to its own machine only.
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
                MutableHeaders(scope=message).update(SECURITY_HEADERS)
            await send(message)

        host = _without_port(Headers(scope=scope).get("host", ""))
        if self._host_names is not None and host not in self._host_names:
            await _misdirected(scope["path"], host)(scope, receive, send_guarded)
            return
        await self._app(scope, receive, send_guarded)


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
