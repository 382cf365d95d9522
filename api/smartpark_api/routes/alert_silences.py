"""Silences and windows of planned work over HTTP: listed, made, ended. Each has an end from the beginning."""

from typing import Annotated, Final

from fastapi import APIRouter, Query, Request
from smartpark.access import Scope
from smartpark_storage.alerts import end_silence, read_silences
from smartpark_storage.reads import read_parks
from starlette.responses import Response

from smartpark_api.access.needs import check_everywhere, check_park, needs
from smartpark_api.access.principal import principal_of
from smartpark_api.alerts.acting_models import SilenceIn, SilenceList, SilenceOut
from smartpark_api.alerts.places import SilenceId, of_silence
from smartpark_api.alerts.silencing import State, keep_silence, silence_given, silence_out, state_of
from smartpark_api.database import Now, reading
from smartpark_api.load_requests.service import Desk
from smartpark_api.load_requests.writes import WRITES, Done, write
from smartpark_api.openapi.answers import headers
from smartpark_api.problems import ProblemError, ProblemKind

router = APIRouter(tags=["alerts"])
MOST: Final = 500
"""Of a list, the newest."""


@router.get("/alerts/silences", dependencies=[needs(Scope.ALERTS_READ)])
def list_silences(
    request: Request,
    *,
    now: Now,
    park: Annotated[str | None, Query(max_length=64, description="Of this one, and of all parks.")] = None,
    state: Annotated[State | None, Query(description="At this moment.")] = None,
) -> SilenceList:
    """Silences and windows of planned work, the newest first; the last 500."""
    if park is not None:
        check_park(request, Scope.ALERTS_READ, park)
    principal = principal_of(request)
    with reading(request) as connection:
        found = [
            one
            for one in read_silences(connection, park=park)
            if one.silence.park is None or principal.may(Scope.ALERTS_READ, one.silence.park)
        ]
    shown = [one for one in found if state in (None, state_of(one, now))]
    return SilenceList(silences=[silence_out(one, now=now) for one in shown[:MOST]])


@router.post(
    "/alerts/silences",
    dependencies=[needs(Scope.ALERTS_WRITE), *WRITES],
    status_code=201,
    responses={201: {"headers": headers("Location")}},
    response_model=SilenceOut,
)
def make_silence(request: Request, given: SilenceIn) -> Response:
    """Let people not be told of what fits for a while, three months at most; alerts stay on record."""
    if given.park is None:
        check_everywhere(request, Scope.ALERTS_WRITE)
    else:
        check_park(request, Scope.ALERTS_WRITE, given.park)

    def work(desk: Desk) -> Done:
        asked = silence_given(given, now=desk.now)
        if asked.park is not None and not read_parks(desk.connection, asked.park):
            raise ProblemError(ProblemKind.PARK_NOT_FOUND, f"there is no park {asked.park!r}")
        kept = keep_silence(desk.connection, asked, by=desk.actor or "system", now=desk.now)
        place = {"Location": f"{request.url.path}/{kept.silence.silence_id}"}
        return Done(silence_out(kept, now=desk.now), 201, place)

    return write(request, work, content=given)


@router.delete(
    "/alerts/silences/{silence}",
    dependencies=[needs(Scope.ALERTS_WRITE, of_silence), *WRITES],
    response_model=SilenceOut,
)
def end_silence_now(request: Request, silence: SilenceId) -> Response:
    """End a silence now; it stays on record."""

    def work(desk: Desk) -> Done:
        if not end_silence(desk.connection, silence, by=desk.actor or "system", at=desk.now):
            raise ProblemError(ProblemKind.CONFLICT, f"silence {silence} has ended already")
        (kept,) = read_silences(desk.connection, silence_id=silence)
        return Done(silence_out(kept, now=desk.now))

    return write(request, work)
