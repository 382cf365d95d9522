"""Who is at the page: whoever is logged in; else, where the server trusts its machine, a person chosen at /people/me.

What is chosen there is kept in a signed cookie. It names a person and proves nothing: whoever can open the page can
say they are anybody, and therefore it counts in local mode only.
"""

import json
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Final

from fastapi import Request
from starlette.responses import Response

from smartpark_api.access.principal import principal_of
from smartpark_api.console.forms import signer_of
from smartpark_api.problems import ProblemError, ProblemKind
from smartpark_api.settings import AccessMode, ApiSettings

COOKIE: Final = "actor"
_PURPOSE: Final = "actor"
_KEPT_FOR: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Actor:
    """A person as the cookie names them; the names are for showing, the code is what counts."""

    code: str
    name: str
    name_en: str


def actor_of(request: Request) -> Actor | None:
    """Who the visitor is, or says they are; none: they have not said."""
    principal = principal_of(request)
    if principal.person is not None:
        return Actor(principal.person, principal.display, principal.display_en or principal.display)
    settings: ApiSettings = request.app.state.settings
    if settings.access is not AccessMode.LOCAL:
        return None
    signed = request.cookies.get(COOKIE)
    now: datetime = request.app.state.clock()
    text = signer_of(request).read(_PURPOSE, signed, now=now, kept_for=_KEPT_FOR) if signed else None
    return None if text is None else Actor(**json.loads(text))


def required_actor(request: Request) -> Actor:
    """The same, for what needs a name under it."""
    actor = actor_of(request)
    if actor is None:
        raise ProblemError(ProblemKind.NOBODY_ACTS, "say who you are first, at /people/me")
    return actor


def remember_actor(request: Request, response: Response, actor: Actor) -> None:
    """Keep who they are."""
    now: datetime = request.app.state.clock()
    signed = signer_of(request).sign(_PURPOSE, json.dumps(asdict(actor)), at=now)
    seconds = int(_KEPT_FOR.total_seconds())
    response.set_cookie(COOKIE, signed, max_age=seconds, httponly=True, samesite="strict")


def forget_actor(response: Response) -> None:
    """Be nobody again."""
    response.delete_cookie(COOKIE, httponly=True, samesite="strict")
