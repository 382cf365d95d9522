"""What every route of the app asks for, as it declared it; an app with one that declared nothing is not made."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from anyio import to_thread
from fastapi import FastAPI, Request
from fastapi.routing import APIRoute, iter_route_contexts
from smartpark.errors import SmartparkError
from starlette.types import Scope

from smartpark_api.access.needs import Need, NeedInPark, OpenToAll, Somebody

Declaration = Need | NeedInPark | Somebody | OpenToAll


@dataclass(frozen=True, slots=True)
class Declared:
    """A route and what it asks for."""

    method: str
    path: str
    name: str
    declaration: Declaration
    pattern: re.Pattern[str]


def declared_routes(app: FastAPI) -> list[Declared]:
    """Every route of an app by method.

    Raises
    ------
    SmartparkError
        When one declares nothing, or two things.
    """
    return list(_declared(app))


def _declared(app: FastAPI) -> Iterator[Declared]:
    for context in iter_route_contexts(app.routes):
        if not isinstance(context.original_route, APIRoute):
            continue  # The description of the API, which is for everybody.
        found = _declarations(context.dependant)
        if len(found) != 1:
            raise SmartparkError(
                f"{context.path}: a route declares what it asks for once, by needs or open_to_all; found {len(found)}"
            )
        for method in sorted(context.methods or ()):
            yield Declared(method, str(context.path), str(context.name), found[0], context.path_regex)


def _declarations(dependant: Any) -> list[Declaration]:
    return [one.call for one in dependant.dependencies if isinstance(one.call, Declaration)]


def note_open_writes(app: FastAPI) -> None:
    """Keep which writes are open to all, for the gate."""
    app.state.open_writes = [
        (one.method, one.pattern) for one in declared_routes(app) if isinstance(one.declaration, OpenToAll)
    ]


def is_open(app: FastAPI, scope: Scope) -> bool:
    """Whether a route that is open to all answers this."""
    writes: list[tuple[str, re.Pattern[str]]] = app.state.open_writes
    return any(method == scope["method"] and pattern.match(scope["path"]) for method, pattern in writes)


async def admit(request: Request) -> None:
    """Ask for what the route declares before anything else is looked at; a dependency of the whole app."""
    route = request.scope.get("route")
    for one in route.dependencies if isinstance(route, APIRoute) else ():
        if isinstance(one.dependency, Need | Somebody):
            await one.dependency(request)
        elif isinstance(one.dependency, NeedInPark):
            await to_thread.run_sync(one.dependency, request)
