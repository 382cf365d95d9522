"""Which park a request is about, where its address does not say so: looked up, and unknown where it is not theirs.

Whoever may not see a thing hears exactly what is heard when there is none.
"""

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from fastapi import Request
from smartpark.access import Scope
from smartpark_storage.load_requests import RequestFilter, UnknownRequestError, read_row
from smartpark_storage.reads import ParkRow

from smartpark_api.access.needs import allowed_parks
from smartpark_api.access.principal import principal_of
from smartpark_api.database import looking_up
from smartpark_api.lookup import no_point
from smartpark_api.problems import ProblemError, ProblemKind

_CODE: Final = re.compile(r"LR-\d{4}-\d{6,13}")


def of_load_request(request: Request, scope: Scope) -> str | None:
    """Park of the load request that the address names by ``code``."""
    return park_of_load_request(request, scope, str(request.path_params.get("code")))


def park_of_load_request(request: Request, scope: Scope, code: str) -> str | None:
    """Park of a load request of theirs, or the problem that there is no such request; none for what is no code.

    The server looks itself: what whoever asks may see is decided here, and by the database when the route reads.
    """
    if not _CODE.fullmatch(code):
        return None
    with looking_up(request) as connection:
        try:
            park = read_row(connection, code).park
        except UnknownRequestError as error:
            raise ProblemError(ProblemKind.LOAD_REQUEST_NOT_FOUND, str(error)) from None
    if not principal_of(request).may(scope, park):
        raise ProblemError(ProblemKind.LOAD_REQUEST_NOT_FOUND, f"there is no load request {code}")
    return park


def of_point(request: Request, scope: Scope) -> str:
    """Park of the point whose ``key`` stands in the address."""
    key = str(request.path_params.get("key"))
    park = key.partition("/")[0]
    if not principal_of(request).may(scope, park):
        raise no_point(key)
    return park


def within(request: Request, wanted: RequestFilter) -> RequestFilter:
    """The same load requests as far as they lie in parks of whoever asks."""
    allowed = allowed_parks(request, Scope.REQUESTS_READ)
    return wanted if allowed is None else replace(wanted, parks=tuple(sorted(allowed)))


def theirs(request: Request, scope: Scope, parks: Iterable[ParkRow]) -> list[ParkRow]:
    """Those of some parks in which whoever asks may do something."""
    principal = principal_of(request)
    return [park for park in parks if principal.may(scope, park.code)]


def check_all(request: Request, scope: Scope, codes: Iterable[str]) -> None:
    """Refuse when one of several load requests lies in a park that is not theirs."""
    for code in codes:
        park_of_load_request(request, scope, code)
