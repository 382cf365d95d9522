"""Who acts on the API: a person says so in a header; nobody's word is proved here.

There is no log-in yet. The header `Smartpark-Actor` must name a known active person. That names people, it does not
prove them, and is why the server takes writes from its own machine only. Pages do the same with a signed cookie.
"""

from typing import Final

from fastapi import Request
from smartpark.load_requests.requests import RefusedEventError
from smartpark_storage.connections import Connection
from smartpark_storage.load_requests import Person

from smartpark_api.load_requests.places import check_person
from smartpark_api.problems import ProblemError, ProblemKind
from smartpark_api.settings import ApiSettings

HEADER: Final = "Smartpark-Actor"


def named_actor(request: Request, *, is_required: bool = True) -> str:
    """Code in the header, not yet looked up; a problem where there is none, or this server takes no writes.

    Where it is not required, and there is none, the code is ``system``.
    """
    settings: ApiSettings = request.app.state.settings
    if settings.host_names is None:
        raise ProblemError(
            ProblemKind.WRITES_ARE_LOCAL,
            "this server answers the network and knows no log-in yet, so it takes nothing in; "
            "use `smartpark requests`, or a server without --allow-network",
        )
    given = request.headers.get(HEADER, "").strip()
    if not given and not is_required:
        return "system"
    if not given:
        detail = f"say who you are: the header {HEADER} carries a person's code (/api/v1/persons lists them)"
        raise ProblemError(ProblemKind.NOBODY_ACTS, detail)
    try:
        # Header values are latin-1 on the wire; programs write UTF-8 into them.
        return given.encode("latin-1").decode("utf-8")
    except UnicodeError:
        raise ProblemError(ProblemKind.NOBODY_ACTS, f"{HEADER} is not text in UTF-8") from None


def known_actor(connection: Connection, code: str) -> Person:
    """Active person of a code, or a problem."""
    try:
        return check_person(connection, code)
    except RefusedEventError as error:
        raise ProblemError(ProblemKind.NOBODY_ACTS, str(error)) from None
