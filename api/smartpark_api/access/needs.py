"""What a route asks of whoever calls it: a scope, and the park that it is about.

Every route declares it, by `needs` or by `open_to_all`; an app with one that does not is not made (`declared`).
NOBODY is told 401, who has the scope nowhere 403, and whose park it is not hears what is heard about a park that
there is none of.
"""

from collections.abc import Callable
from typing import Any, Final

from fastapi import Depends, Request
from smartpark.access import NOBODY, Principal, Scope

from smartpark_api.access.audit import noted_of
from smartpark_api.access.principal import principal_of
from smartpark_api.access.refusing import not_everywhere, not_granted, not_logged_in, unknown_park

EVERY_PARK: Final = "every park"
"""For what belongs to the installation and not to a park of it."""
WATCHED: Final = frozenset({Scope.AGGREGATES_READ})
"""Reads that are written down."""

ParkOf = Callable[[Request, Scope], str | None]
"""Finds the park that a request is about, in a thread; none: it is about no park that there is, and the route says
so. For what lies in a park that is not theirs it raises the problem that is heard when there is no such thing."""


class Need:
    """A scope, asked for in a park where the address names one, and anywhere where it does not."""

    def __init__(self, scope: Scope, park: str | None) -> None:
        self.scope = scope
        self.park = park

    async def __call__(self, request: Request) -> None:
        """Let the request pass, or refuse it."""
        if not _is_first(request, self):
            return
        principal = admitted(request, self.scope)
        if self.park == EVERY_PARK:
            if not principal.may(self.scope, None):
                raise not_everywhere(principal, self.scope)
        else:
            _check(request, principal, self.scope, _named(request, self.park))


class NeedInPark:
    """The same where the park has to be looked up first."""

    def __init__(self, scope: Scope, park: ParkOf) -> None:
        self.scope = scope
        self.park = park

    def __call__(self, request: Request) -> None:
        """Let the request pass, or refuse it."""
        if _is_first(request, self):
            principal = admitted(request, self.scope)
            _check(request, principal, self.scope, self.park(request, self.scope))


class Somebody:
    """No scope, but that whoever asks has proved who they are: for what is their own."""

    async def __call__(self, request: Request) -> None:
        """Let the request pass, or refuse it."""
        if _is_first(request, self) and principal_of(request).name == NOBODY.name:
            raise not_logged_in(request)


class OpenToAll:
    """Nothing is asked: what is shown is for everybody, or for whoever holds the token in the address."""

    def __init__(self, reason: str) -> None:
        self.reason = reason

    async def __call__(self) -> None:
        """Let the request pass."""


def needs(scope: Scope, park: str | ParkOf | None = None) -> Any:
    """Dependency of a route that asks for a scope.

    Parameters
    ----------
    scope : Scope
        What it does.
    park : str or callable, optional
        Which park it is about: ``path.NAME`` or ``query.NAME`` of the address, a function that looks it up, or
        `EVERY_PARK`. Without it the scope is asked for in any park, and the route gives only what lies in
        `allowed_parks`.
    """
    return Depends(NeedInPark(scope, park) if callable(park) else Need(scope, park))


def somebody() -> Any:
    """Dependency of a route that is for everybody who has proved who they are."""
    return Depends(Somebody())


def open_to_all(reason: str) -> Any:
    """Dependency of a route that asks for nothing, and why."""
    return Depends(OpenToAll(reason))


def allowed_parks(request: Request, scope: Scope) -> frozenset[str] | None:
    """Parks in which whoever asks may do this; None: in all of them."""
    return principal_of(request).parks_for(scope)


def check_park(request: Request, scope: Scope, code: str) -> None:
    """Refuse a park that a body names and that is not theirs."""
    _check(request, admitted(request, scope), scope, code)


def check_everywhere(request: Request, scope: Scope) -> None:
    """Refuse what is about the whole installation to whoever may do it in some parks only."""
    principal = admitted(request, scope)
    if not principal.may(scope, None):
        raise not_everywhere(principal, scope)


def admitted(request: Request, scope: Scope) -> Principal:
    """Whoever asks, when they have a scope at least somewhere."""
    principal = principal_of(request)
    noted_of(request).is_watched |= scope in WATCHED
    if principal.name == NOBODY.name:
        raise not_logged_in(request)
    if not principal.allows(scope):
        raise not_granted(principal, scope)
    return principal


def _check(request: Request, principal: Principal, scope: Scope, code: str | None) -> None:
    if code is None:
        return
    if not principal.may(scope, code):
        raise unknown_park(principal, scope, code)
    noted_of(request).park = code


def _named(request: Request, place: str | None) -> str | None:
    if place is None:
        return None
    part, _, name = place.partition(".")
    value: str | None = request.path_params.get(name) if part == "path" else request.query_params.get(name)
    return value


def _is_first(request: Request, declaration: object) -> bool:
    """Whether it has not been asked yet; `declared.admit` asks before the route's own dependencies do."""
    if not hasattr(request.state, "asked"):
        request.state.asked = set[int]()
    asked: set[int] = request.state.asked
    is_first = id(declaration) not in asked
    asked.add(id(declaration))
    return is_first
