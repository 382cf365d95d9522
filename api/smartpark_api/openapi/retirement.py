"""Addresses that will go: marked at their route, told in the description and with every answer until they are gone.

`Deprecation` (RFC 9745) says since when an address should not be used any more, `Sunset` (RFC 8594) when it stops to
answer, `Link` what to use instead. How long is between them is policy: docs/api-versioning.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from email.utils import format_datetime
from typing import Any, Final

from fastapi import Depends, FastAPI
from fastapi.routing import APIRoute, iter_route_contexts
from smartpark.clock import PARK_ZONE
from smartpark.errors import SmartparkError
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from smartpark_api.openapi.answers import headers
from smartpark_api.openapi.operations import Operation

LEAST_NOTICE: Final = timedelta(days=365)
"""An address answers for so long, at least, after it was marked;"""
LONGER_NOTICE: Final = {"aggregates": 2 * LEAST_NOTICE, "submissions": 2 * LEAST_NOTICE}
"""so long, what provinces pull, by tag."""


@dataclass(frozen=True, slots=True)
class Retirement:
    """When an address goes, and what stands in its place."""

    since: date
    """First day on which it should not be used any more, in the park's zone."""
    sunset: date
    """First day on which it may be gone."""
    instead: str | None = None
    """Address to use; none: nothing takes its place."""

    async def __call__(self) -> None:
        """Do nothing: it is a dependency so that a route can carry it, and is read by the layer below."""

    @property
    def headers(self) -> dict[str, str]:
        """What every answer carries."""
        told = {
            "Deprecation": f"@{int(_midnight(self.since).timestamp())}",
            "Sunset": format_datetime(_midnight(self.sunset).astimezone(UTC), usegmt=True),
        }
        return told | ({} if self.instead is None else {"Link": f'<{self.instead}>; rel="successor-version"'})


def retires(*, since: date, sunset: date, instead: str | None = None) -> Any:
    """Mark a route, among its `dependencies`, as one that will go."""
    return Depends(Retirement(since, sunset, instead))


def check_notices(app: FastAPI) -> None:
    """Refuse to go on where a notice is shorter than the policy promises.

    Raises
    ------
    SmartparkError
        It names the address, and how long it answers at least.
    """
    for route in iter_route_contexts(app.routes):
        found = _marked(route.original_route) if isinstance(route.original_route, APIRoute) else None
        if found is not None:
            least = max(LONGER_NOTICE.get(str(tag), LEAST_NOTICE) for tag in (*route.tags, ""))
            if found.sunset - found.since < least:
                raise SmartparkError(
                    f"{route.path}: an address that is retired on {found.since} answers until {found.since + least} "
                    f"at least, not {found.sunset}: docs/api-versioning.md"
                )


def retirements_of(app: FastAPI) -> dict[tuple[str, str], Retirement]:
    """Every address of an app that will go, by method and path."""
    return {
        (method.lower(), str(route.path_format)): found
        for route in iter_route_contexts(app.routes)
        if isinstance(route.original_route, APIRoute) and (found := _marked(route.original_route)) is not None
        for method in route.methods or ()
    }


def describe_retirement(operation: Operation, retirement: Retirement, shared: Mapping[str, Any]) -> None:
    """Say in the description that an operation will go; `shared` are the answers that operations have in common."""
    told = f"Retired: not to be used any more since {retirement.since}, may be gone from {retirement.sunset}"
    instead = "." if retirement.instead is None else f"; use `{retirement.instead}`."
    content = operation.content
    content["deprecated"] = True
    content["description"] = f"{content.get('description', '')}\n\n{told}{instead}".strip()
    for status, answer in content["responses"].items():
        own = shared[answer["$ref"].rpartition("/")[2]] if "$ref" in answer else answer
        content["responses"][status] = own | {"headers": own.get("headers", {}) | headers(*retirement.headers)}


class TellRetirement:
    """ASGI layer that tells with every answer of a marked route, problems included, that it will go."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""

        async def telling(message: Message) -> None:
            route = scope.get("route")
            found = _marked(route) if isinstance(route, APIRoute) else None
            if found is not None and message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(found.headers)
            await send(message)

        await self._app(scope, receive, telling if scope["type"] == "http" else send)


def _marked(route: APIRoute) -> Retirement | None:
    return next((one.dependency for one in route.dependencies if isinstance(one.dependency, Retirement)), None)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), PARK_ZONE)
