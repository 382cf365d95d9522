"""Who is at the page: a person chosen at /people/me, kept in a signed cookie.

It names a person and proves nothing: until there is a log-in, whoever can open the page can say they are anybody.
"""

import json
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Final

from fastapi import Request
from starlette.responses import Response

from smartpark_api.console.forms import signer_of
from smartpark_api.problems import ProblemError, ProblemKind

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
    """Who the visitor says they are; none: they have not said."""
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
