"""The alert inbox: tabs, groups, and what is done to one or several alerts from the list; rows as they change.

Every form works by itself and answers 303 back to where it was. The page's script asks for the rows that have
changed, and sends the same forms; it is answered rows, with why where something was refused (409).
"""

from typing import Annotated, Final

from fastapi import APIRouter, Query, Request
from smartpark.access import Scope
from smartpark.alerts.events import Acknowledged, Body
from smartpark.alerts.life import RefusedEventError
from smartpark.alerts.words import Cause, Severity
from smartpark_storage.alerts import StaleAlertError, UnknownAlertError, newest_change
from starlette.responses import Response

from smartpark_api.access.desk_rules import people_theirs
from smartpark_api.access.needs import needs
from smartpark_api.access.places import theirs
from smartpark_api.alerts.places import park_of_alert, within
from smartpark_api.alerts.service import act
from smartpark_api.console.alert_address import InboxAddress, Tab, inbox_address
from smartpark_api.console.alert_forms import AlertFormError, body_of
from smartpark_api.console.alerts import fits, gather, gather_rows
from smartpark_api.console.desk import acting, looking
from smartpark_api.console.flash import Flash, see_other
from smartpark_api.console.forms import Form, SentForm
from smartpark_api.database import Now
from smartpark_api.load_requests.service import Desk
from smartpark_api.pages import render
from smartpark_api.problems import ProblemError, ProblemKind
from smartpark_api.routes.console.platform import may_see_platform

router = APIRouter()
MOST_AT_ONCE: Final = 200
MOST_ROWS: Final = 100
_READS: Final = [needs(Scope.ALERTS_READ)]


@router.get("/alerts", dependencies=_READS)
def show_inbox(request: Request) -> Response:
    """Alerts that the address asks for."""
    return inbox_page(request, inbox_address(request.url.query))


def inbox_page(request: Request, address: InboxAddress, *, status: int = 200, wrong: str = "") -> Response:
    """A page of the inbox; with why something was not done."""
    wanted = within(request, address.filter)
    with looking(request) as desk:
        place = newest_change(desk.connection)
        inbox = gather(desk.connection, address, wanted, desk.now)
        now = desk.now
    return render(
        request,
        "console/alerts.html",
        status=status,
        inbox=inbox,
        names=inbox.names,
        address=address,
        now=now,
        place=place,
        shows_platform=may_see_platform(request),
        tabs=list(Tab),
        parks=theirs(request, Scope.ALERTS_READ, inbox.names.parks.values()),
        severities=list(reversed(Severity)),
        causes=list(Cause),
        persons=people_theirs(request, [one for one in inbox.names.persons.values() if one.is_active]),
        wrong=wrong,
    )


@router.get("/alerts/rows", dependencies=_READS)
def show_rows(request: Request, n: Annotated[list[int] | None, Query(max_length=MOST_ROWS)] = None) -> Response:
    """Some alerts as they stand now, for the list to put in their place."""
    return _rows(request, inbox_address(request.url.query), n or [])


def _rows(
    request: Request, address: InboxAddress, numbers: list[int], *, status: int = 200, said: tuple[str, ...] = ()
) -> Response:
    wanted = within(request, address.filter)
    with looking(request) as desk:
        found = gather_rows(desk.connection, wanted, numbers)
        now = desk.now
    fitting = {row.number for row in found.rows if fits(row, address, wanted)}
    return render(
        request,
        "console/_alert_rows.html",
        status=status,
        found=found,
        names=found.names,
        fitting=fitting,
        address=address,
        now=now,
        said=said,
    )


@router.post("/alerts/acts", dependencies=[needs(Scope.ALERTS_WRITE)])
def do_to_many(request: Request, form: SentForm, now: Now) -> Response:
    """Do something to some alerts: to each that can take it; the rest is told."""
    address = inbox_address(form.text("back"))
    picked = [_picked(value) for value in form.texts("pick")][:MOST_AT_ONCE]
    one = form.maybe("one")
    if one is not None:
        # The button of a row counts for that row, whatever else is picked.
        picked = [_picked(one)]
    if not picked:
        return inbox_page(request, address, status=422, wrong="alerts.pick_some")
    try:
        body = Acknowledged() if one is not None else body_of(form, now)
    except AlertFormError as error:
        return inbox_page(request, address, status=422, wrong=next(iter(error.fields.values())))
    for number, _ in picked:
        park_of_alert(request, Scope.ALERTS_WRITE, number)
    with acting(request) as desk:
        refused = _do(desk, picked, body)
    numbers = [number for number, _ in picked]
    if _is_script(request):
        return _rows(request, address, numbers, status=409 if refused else 200, said=tuple(refused.values()))
    return see_other(request, address.to(), *_told(form, numbers, refused))


def _do(desk: Desk, picked: list[tuple[int, int]], body: Body) -> dict[int, str]:
    """Why what was not done could not be, by alert."""
    refused: dict[int, str] = {}
    for number, version in picked:
        try:
            act(desk.connection, number, body, actor=desk.actor or "", now=desk.now, expected=version)
        except (StaleAlertError, RefusedEventError, UnknownAlertError) as error:
            refused[number] = str(error)
    return refused


def _told(form: Form, numbers: list[int], refused: dict[int, str]) -> list[Flash]:
    done = len(numbers) - len(refused)
    deed = "acknowledge" if form.maybe("one") else form.text("do")
    told = [Flash(f"flash.alerts_{deed}", {"n": str(done)})] if done else []
    if refused:
        why = next(iter(refused.values()))
        told.append(Flash("flash.alerts_not_done", {"n": str(len(refused)), "why": why[:200]}, "warn"))
    return told


def _picked(value: str) -> tuple[int, int]:
    """``1204:7`` as the page wrote it: an alert and the version of it that was seen."""
    number, _, version = value.partition(":")
    if not all(part.isascii() and part.isdigit() and len(part) < 18 for part in (number, version)):
        raise ProblemError(ProblemKind.INVALID_REQUEST, f"pick: {value[:40]!r} is no alert with its version")
    return int(number), int(version)


def _is_script(request: Request) -> bool:
    return request.headers.get("x-part") == "rows"
