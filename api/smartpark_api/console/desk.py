"""The desk behind a page: a connection in one transaction, the rules and working days of this installation, who acts.

Pages use the service through it and never ask our own HTTP. What the service refuses is told by the page itself.
"""

from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime

from fastapi import Request
from smartpark_storage.connections import Connection
from smartpark_storage.load_requests import read_persons

from smartpark_api.console.actor import Actor, actor_of, required_actor
from smartpark_api.database import looking_up, reading, writing
from smartpark_api.load_requests.installation import calendar_of, rules_of
from smartpark_api.load_requests.service import Desk
from smartpark_api.problems import ProblemError, ProblemKind
from smartpark_api.settings import ApiSettings


@contextmanager
def looking(request: Request) -> Generator[Desk, None, None]:
    """Desk for a page that only shows."""
    with reading(request) as connection:
        yield _desk(request, connection, actor_of(request))


@contextmanager
def looking_by_token(request: Request) -> Generator[Desk, None, None]:
    """The same for nobody with a token in their hand: the page looks at the token first, and shows what it opens."""
    with looking_up(request) as connection:
        yield _desk(request, connection, None)


@contextmanager
def acting(request: Request) -> Generator[Desk, None, None]:
    """Desk for a write, by the person the visitor says they are; committed at the end.

    Raises
    ------
    ProblemError
        When nobody is named, or a person who is not active any more.
    """
    actor = required_actor(request)
    with writing(request) as connection:
        if not read_persons(connection, code=actor.code, is_active=True):
            raise ProblemError(ProblemKind.NOBODY_ACTS, f"{actor.code} is not active any more; say who you are")
        yield _desk(request, connection, actor)


def _desk(request: Request, connection: Connection, actor: Actor | None) -> Desk:
    settings: ApiSettings = request.app.state.settings
    now: datetime = request.app.state.clock()
    return Desk(connection, rules_of(settings), calendar_of(settings), now, actor.code if actor else None)
