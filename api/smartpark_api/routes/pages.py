"""The page "the park now", its live part, where its numbers come from, and the files that pages need."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from smartpark.access import Scope
from smartpark.accounts import PARK
from smartpark.periods import Grain
from smartpark_storage.reads import read_parks
from starlette.responses import RedirectResponse, Response

from smartpark_api.access.needs import needs, open_to_all
from smartpark_api.access.places import theirs
from smartpark_api.access.principal import principal_of
from smartpark_api.assets import assets
from smartpark_api.console.home import alert_tile
from smartpark_api.database import Now, overview_of, picture_of, reading
from smartpark_api.explaining.behind import Behind
from smartpark_api.explaining.evidence import Question
from smartpark_api.load import DAY, hourly, park_load
from smartpark_api.overview import period_text, unit_of
from smartpark_api.pages import render
from smartpark_api.problems import ProblemError, ProblemKind
from smartpark_api.routes.indicators import explanation_of, period_of
from smartpark_api.routes.parks import ParkCode
from smartpark_api.sentences import sentence

router = APIRouter(include_in_schema=False)


@router.get("/parks", dependencies=[needs(Scope.PARKS_READ)])
def show_first_park(request: Request) -> Response:
    """To the first park; to the start where there is none yet."""
    with reading(request) as connection:
        parks = theirs(request, Scope.READINGS_READ, read_parks(connection))
    return RedirectResponse(f"/parks/{parks[0].code}" if parks else "/", 302)


@router.get("/parks/{code}", dependencies=[needs(Scope.READINGS_READ, "path.code")])
def show_park(request: Request, code: ParkCode, now: Now) -> Response:
    """The park now."""
    picture = picture_of(request, code, now=now)
    overview = overview_of(request, code, now=now)
    with reading(request) as connection:
        parks = theirs(request, Scope.READINGS_READ, read_parks(connection))
        load = park_load(connection, code, end=now, span=DAY)
        sees_alerts = principal_of(request).may(Scope.ALERTS_READ, code)
        alerts = alert_tile(connection, code) if sees_alerts else None
    return render(
        request,
        "park.html",
        alerts=alerts,
        now=picture,
        overview=overview,
        parks=parks,
        load=load,
        hours=hourly(load),
    )


@router.get("/parks/{code}/live", dependencies=[needs(Scope.READINGS_READ, "path.code")])
def show_live_part(request: Request, code: ParkCode, now: Now) -> Response:
    """The part of the page that changes, for its script to take the new words and numbers from."""
    return render(
        request, "_now.html", now=picture_of(request, code, now=now), overview=overview_of(request, code, now=now)
    )


@router.get("/parks/{code}/explain", dependencies=[needs(Scope.INDICATORS_READ, "path.code")])
def show_explanation(
    request: Request,
    code: ParkCode,
    *,
    indicator: Annotated[str, Query(max_length=100)],
    period: Annotated[str, Query(max_length=20)],
    boundary: Annotated[str, Query(max_length=200)] = PARK,
) -> Response:
    """Where a number of the page comes from: meters, factors with source, and why these."""
    found = explanation_of(request, Question(indicator, code, period_of(period), boundary))
    grain = Grain.DAY if found.grain == Grain.MONTH.value else Grain.MONTH
    parts = [(part, period_text(part.start, grain)) for part in found.parts]
    return render(
        request,
        "explain.html",
        found=found,
        unit=unit_of(found.indicator),
        period=period,
        parts=parts,
        behind=Behind(),
        sentence=sentence,
    )


@router.get("/assets/{digest}/{name:path}", dependencies=[open_to_all("files of pages, the same for everybody")])
def get_asset(request: Request, digest: str, name: Annotated[str, Path(max_length=100)]) -> Response:
    """A file of the page; its address changes with its content, so it may be kept for ever."""
    asset = assets().get(name)
    if asset is None or asset.digest != digest:
        raise ProblemError(ProblemKind.NOT_FOUND, f"there is no file {name} of that version")
    headers = {"Cache-Control": "public, max-age=31536000, immutable", "ETag": f'"{digest}"'}
    if request.headers.get("if-none-match") == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    return Response(asset.content, media_type=asset.media_type, headers=headers)
