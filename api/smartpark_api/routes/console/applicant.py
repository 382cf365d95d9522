"""What an applicant sees by a link: where the request is, by when, what is asked of them, what was said to them.

No names of persons, nothing of the network, no other request. Whoever has the link sees it, until it expires or is
revoked; a link that shows nothing does not say which of the three it is.
"""

from typing import Annotated

from fastapi import APIRouter, Path, Request
from smartpark.load_requests.words import Owner, Stage
from smartpark_storage.load_requests import request_of_link
from smartpark_storage.reads import read_parks
from starlette.responses import Response

from smartpark_api.access.needs import open_to_all
from smartpark_api.console.desk import looking_by_token
from smartpark_api.console.steps import steps_of
from smartpark_api.console.timeline import comments_for_applicant
from smartpark_api.load_requests import service
from smartpark_api.pages import render

router = APIRouter(prefix="/applicant")
_HEADERS = {"X-Robots-Tag": "noindex, nofollow"}


@router.get("/{token}", dependencies=[open_to_all("whoever has the link sees the request")])
def show_applicant(request: Request, token: Annotated[str, Path(max_length=100)]) -> Response:
    """Reduced view of one request."""
    with looking_by_token(request) as desk:
        code = request_of_link(desk.connection, token, desk.now)
        if code is None:
            return render(request, "console/applicant_gone.html", status=404, headers=_HEADERS)
        seen = service.view(desk, code)
        steps = steps_of(seen, desk.rules, desk.calendar)
        park = read_parks(desk.connection, seen.request.details.park)[0]
    return render(
        request,
        "console/applicant.html",
        headers=_HEADERS,
        seen=seen,
        details=seen.request.details,
        steps=[step for step in steps if step.stage is not Stage.LEAD],
        park=park,
        comments=comments_for_applicant(seen.events),
        is_their_turn=seen.request.outcome is None
        and seen.request.suspended is None
        and seen.request.owner is Owner.CUSTOMER,
        today=desk.today,
    )
