"""What somebody who is logged in may do, and where they are logged in."""

from datetime import timedelta
from typing import Final

from fastapi import APIRouter, Request
from smartpark_storage.access import read_sessions
from smartpark_storage.reads import read_parks
from starlette.responses import RedirectResponse, Response

from smartpark_api.access.login.sessions import named_session
from smartpark_api.access.needs import open_to_all
from smartpark_api.access.principal import principal_of
from smartpark_api.database import Now, Settings, looking_up
from smartpark_api.pages import render, visitor_of
from smartpark_api.settings import AccessMode
from smartpark_api.words import words_of

router = APIRouter(include_in_schema=False)
_OWN: Final = open_to_all("everybody sees what they may do themselves")


@router.get("/me", dependencies=[_OWN])
def show_rights(request: Request, now: Now, settings: Settings) -> Response:
    """Rights and sessions of whoever looks."""
    principal = principal_of(request)
    if principal.person is None:
        is_local = settings.access is AccessMode.LOCAL
        return RedirectResponse("/people/me" if is_local else "/login?back=/me", 303, {"Cache-Control": "no-store"})
    words = words_of(visitor_of(request).language)
    granted = {grant.park for grant in principal.grants}
    with looking_up(request) as connection:
        sessions = read_sessions(connection, person=principal.person, at=now)
        parks = {park.code: words.either(park.name, park.name_en) for park in read_parks(connection)}
    idle_since = now - timedelta(minutes=settings.session_idle_minutes)
    return render(
        request,
        "console/rights.html",
        grants=sorted(principal.grants, key=lambda grant: (grant.park is not None, grant.park or "", grant.role)),
        parks={code: name for code, name in parks.items() if code in granted},
        sessions=[session for session in sessions if session.seen_at > idle_since],
        this_session=named_session(request),
        is_ours=True,
    )
