"""What the desk is measured by in a period, as tables with the shares' two parts, and one chart of the stages."""

from datetime import date, timedelta
from typing import Final

from fastapi import APIRouter, Request
from smartpark.access import Scope
from smartpark.load_requests.words import Owner
from smartpark_storage.load_requests import read_persons, stage_totals
from smartpark_storage.reads import read_parks
from starlette.responses import Response

from smartpark_api.access.desk_rules import people_theirs
from smartpark_api.access.needs import needs
from smartpark_api.access.places import theirs, within
from smartpark_api.console.board_address import address_of
from smartpark_api.console.desk import looking
from smartpark_api.load_requests import service
from smartpark_api.load_requests.answers import year_to_date
from smartpark_api.load_requests.kpi_words import Share
from smartpark_api.pages import render
from smartpark_api.problems import ProblemError, ProblemKind

router = APIRouter()
_LONGEST_DAYS: Final = 3660


@router.get("/requests/kpis", dependencies=[needs(Scope.REQUESTS_READ)])
def show_kpis(request: Request) -> Response:
    """Numbers of a period; without one, of this year."""
    address = address_of(request.url.query)
    with looking(request) as desk:
        start, end = _period(request, desk.today)
        wanted = within(request, address.filter)
        found = service.kpis(desk, wanted, start, end)
        totals = stage_totals(desk.connection, wanted, today=desk.today)
        parks = theirs(request, Scope.REQUESTS_READ, read_parks(desk.connection))
        everybody = read_persons(desk.connection)
        now = desk.now
    told = [stage for stage in found.stages if any(spread.count for spread in stage.by_owner.values())]
    return render(
        request,
        "console/kpis.html",
        address=address,
        found=found,
        now=now,
        stages=told,
        longest=max([stage.by_owner[owner].p90 or 0 for stage in told for owner in Owner], default=0),
        overdue=Share(sum(total.overdue for total in totals), sum(total.count for total in totals)),
        at_risk=sum(total.at_risk + total.due for total in totals),
        owners=list(Owner),
        parks=parks,
        persons={person.code: person for person in people_theirs(request, everybody)},
        last=end - timedelta(days=1),
    )


def _period(request: Request, today: date) -> tuple[date, date]:
    """First day and the day after the last one; people write the last one."""
    try:
        start = _day(request, "from")
        last = _day(request, "last")
    except ValueError as error:
        raise ProblemError(ProblemKind.INVALID_REQUEST, str(error)) from None
    first, end = year_to_date(start, None if last is None else last + timedelta(days=1), today)
    if not 0 < (end - first).days <= _LONGEST_DAYS:
        raise ProblemError(ProblemKind.INVALID_REQUEST, f"{first} to {end} is no period of up to ten years")
    return first, end


def _day(request: Request, name: str) -> date | None:
    text = request.query_params.get(name, "").strip()
    return date.fromisoformat(text) if text else None
