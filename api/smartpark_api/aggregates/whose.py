"""Whose rows a request may have: parks it names are there and theirs, or nobody learns which of the two failed."""

from collections.abc import Sequence

from fastapi import Request
from smartpark.access import Scope
from smartpark_storage.aggregates import identities
from smartpark_storage.connections import Connection

from smartpark_api.access.needs import allowed_parks
from smartpark_api.problems import ProblemError, ProblemKind


def scope_of(request: Request, codes: Sequence[str] = ()) -> frozenset[str] | None:
    """Parks whose aggregates whoever asks may have (None: all); a problem where a named one is not among them."""
    scope = allowed_parks(request, Scope.AGGREGATES_READ)
    for code in codes:
        if scope is not None and code not in scope:
            raise no_park(code)
    return scope


def check_parks(connection: Connection, codes: Sequence[str]) -> None:
    """Refuse parks that are not there: a name that was misspelt must not look like a park without numbers."""
    if codes:
        known = {str(park["code"]) for park in identities(connection, codes).parks}
        for code in codes:
            if code not in known:
                raise no_park(code)


def no_park(code: str) -> ProblemError:
    """The same words for a park that is not theirs and for one that is not there."""
    return ProblemError(
        ProblemKind.PARK_NOT_FOUND, f"there is no park {code!r}; GET /api/v1/aggregates/identities lists yours"
    )
