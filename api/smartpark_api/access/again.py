"""Whether what a request has shown still holds, for an answer that goes on for minutes: looked up as at first.

Nothing is counted and nothing written down: that an open page goes on listening keeps no session alive.
"""

from datetime import datetime

from anyio import to_thread
from fastapi import Request
from smartpark.access import NOBODY, Principal

from smartpark_api.access.login.foreign import ForeignToken, ForeignTokenError, foreign_token
from smartpark_api.access.principal import principal_of
from smartpark_api.access.proving import Proved, Shown, by_foreign_token, proved, shown_by
from smartpark_api.database import looking_up
from smartpark_api.settings import ApiSettings


async def principal_again(request: Request) -> Principal:
    """Who a request comes from by what is on record now; NOBODY when what it showed holds no longer."""
    shown = shown_by(request)
    if not shown.is_anything:
        return principal_of(request)
    try:
        foreign = await foreign_token(request, shown.bearer) if shown.bearer else None
    except ForeignTokenError:  # expired meanwhile, or its provider has withdrawn its key
        return NOBODY
    found = await to_thread.run_sync(_look_up, request, shown, foreign)
    return found.principal


def _look_up(request: Request, shown: Shown, foreign: ForeignToken | None) -> Proved:
    settings: ApiSettings = request.app.state.settings
    now: datetime = request.app.state.clock()
    with looking_up(request) as connection:
        if foreign is not None:
            return by_foreign_token(connection, foreign, settings, now)
        return proved(connection, shown, settings, now)
