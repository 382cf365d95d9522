"""Who acts on the API: whoever the gate has found to ask, a person or a program (``client:NAME``).

On a server that trusts its machine nobody has proved anything: there the header `Smartpark-Actor` names a known
active person. It counts nowhere else; whoever has proved who they are acts as themselves. Pages do the same with
a cookie.
"""

from typing import Final

from fastapi import Request
from smartpark.access import LOCAL
from smartpark.load_requests.requests import RefusedEventError
from smartpark_storage.connections import Connection
from smartpark_storage.load_requests import Person

from smartpark_api.access.principal import principal_of
from smartpark_api.load_requests.places import check_person
from smartpark_api.problems import ProblemError, ProblemKind

HEADER: Final = "Smartpark-Actor"
CLIENT: Final = "client:"
"""Begins the name of a program that acts; no person's code does."""


def named_actor(request: Request, *, is_required: bool = True) -> str:
    """Code of whoever acts, not yet looked up; a problem where nobody is named.

    Where it is not required, and nobody is named, the code is ``system``.
    """
    principal = principal_of(request)
    given = _header(request)
    if principal.name == LOCAL.name:
        return _required(given) if is_required or given else "system"
    actor = principal.person or principal.name
    if given not in ("", actor):
        detail = f"the header {HEADER} counts only at the machine itself; you act as {actor}, leave it out"
        raise ProblemError(ProblemKind.NOBODY_ACTS, detail)
    return actor


def _required(given: str) -> str:
    if not given:
        detail = f"say who you are: the header {HEADER} carries a person's code (/api/v1/persons lists them)"
        raise ProblemError(ProblemKind.NOBODY_ACTS, detail)
    return given


def _header(request: Request) -> str:
    try:
        # Header values are latin-1 on the wire; programs write UTF-8 into them.
        return request.headers.get(HEADER, "").strip().encode("latin-1").decode("utf-8")
    except UnicodeError:
        raise ProblemError(ProblemKind.NOBODY_ACTS, f"{HEADER} is not text in UTF-8") from None


def known_actor(connection: Connection, code: str) -> Person:
    """Active person of a code, or the program that the gate has let in under its name; a problem otherwise."""
    if code.startswith(CLIENT):
        return Person(code=code, name=code, name_en=code, email="")
    try:
        return check_person(connection, code)
    except RefusedEventError as error:
        raise ProblemError(ProblemKind.NOBODY_ACTS, str(error)) from None
