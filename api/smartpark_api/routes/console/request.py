"""A load request's page: where it stands and why, what may happen next as plain forms, everything that happened.

A form that was made from an older version is not lost: the page comes back with what happened meanwhile and with what
was typed, to be sent again. Who has no JavaScript misses the drawn chart, nothing else.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Path, Request
from smartpark.access import Scope
from smartpark.load_requests.events import Event, Undone
from smartpark.load_requests.requests import RefusedEventError
from smartpark.load_requests.words import Importance, Owner, SuspendReason
from smartpark_analytics.planning.loads import NetworkLoads
from smartpark_storage.load_requests import (
    StaleVersionError,
    UnknownRequestError,
    read_attachments,
    read_links,
    read_persons,
)
from smartpark_storage.reads import read_parks
from smartpark_storage.reads_load import read_nodes
from starlette.responses import Response

from smartpark_api.access.desk_rules import people_theirs
from smartpark_api.access.needs import needs
from smartpark_api.access.places import of_load_request
from smartpark_api.console import duration_chart
from smartpark_api.console.desk import acting, looking
from smartpark_api.console.flash import Flash, Undo, see_other
from smartpark_api.console.forms import Form, SentForm
from smartpark_api.console.request_forms import RequestFormError, body_of, happened_at
from smartpark_api.console.steps import steps_of
from smartpark_api.console.timeline import entries_of
from smartpark_api.load_requests import service
from smartpark_api.load_requests.asking import capacity_for, network_of
from smartpark_api.load_requests.attachments import KINDS
from smartpark_api.load_requests.capacity_models import CapacityOut
from smartpark_api.load_requests.service import Desk, RequestView
from smartpark_api.load_requests.standing import days_left
from smartpark_api.pages import render, visitor_of
from smartpark_api.problems import ProblemError, ProblemKind
from smartpark_api.settings import ApiSettings
from smartpark_api.snapshot import Snapshots
from smartpark_api.words import words_of

router = APIRouter(prefix="/requests/{code}")
Code = Annotated[str, Path(max_length=20)]


@dataclass(frozen=True)
class Back:
    """What a form that was not taken leaves on the page."""

    form: Form
    wrong: dict[str, str] = field(default_factory=dict[str, str])
    """Words' keys by field."""
    refused: str = ""
    """Why core did not take it."""
    newer: tuple[Event, ...] = ()
    """What happened since the page was made."""

    @property
    def status(self) -> int:
        """409 when somebody was faster, else 422."""
        return 409 if self.newer else 422


@router.get("", dependencies=[needs(Scope.REQUESTS_READ, of_load_request)])
def show_request(request: Request, code: Code) -> Response:
    """One request."""
    return page_of(request, code)


def page_of(request: Request, code: str, *, back: Back | None = None, new_link: str = "") -> Response:
    """Page of a request; with what a form left behind, or a link that is shown this once."""
    with looking(request) as desk:
        values = _values(request, desk, seen_by(desk, code))
    # Names stand beside what happened; to choose from are only people of one's own parks.
    values["persons"] = {person.code: person for person in people_theirs(request, values["persons"].values())}
    newer = set[int]() if back is None else {event.sequence for event in back.newer}
    return render(
        request,
        "console/request.html",
        status=200 if back is None else back.status,
        back=back,
        wrong={} if back is None else back.wrong,
        newer=newer,
        new_link=new_link,
        **values,
    )


def _values(request: Request, desk: Desk, seen: RequestView) -> dict[str, Any]:
    """What the page and its print have in common."""
    words = words_of(visitor_of(request).language)
    park = seen.request.details.park
    persons = {person.code: person for person in read_persons(desk.connection)}
    settings: ApiSettings = request.app.state.settings
    return {
        "seen": seen,
        "details": seen.request.details,
        "steps": steps_of(seen, desk.rules, desk.calendar),
        "entries": entries_of(seen.events, words, persons),
        "total": desk.rules.total_for(seen.request.details.case, seen.request.rules_day),
        "stages_by": seen.request.template,
        "documents": read_attachments(desk.connection, code=seen.code),
        "takes_documents": settings.attachments_folder is not None,
        "links": read_links(desk.connection, seen.code),
        "persons": persons,
        "nodes": read_nodes(desk.connection, park),
        "park": read_parks(desk.connection, park)[0],
        "asked": {"kva": "", "from": "", "node": "", "coincidence": ""},
        "wrong_ask": "",
        "is_print": False,
        "capacity": _capacity_at_hand(request, desk, seen),
        "today": desk.today,
        "now": desk.now,
        "owners": list(Owner),
        "suspend_reasons": list(SuspendReason),
        "document_kinds": KINDS,
        "days_left": days_left(seen.row, desk.calendar, desk.today),
        "closes": f"{desk.rules.practice_on(seen.request.rules_day).closes:%H:%M}",
        "chart": duration_chart,
        "grafana": _grafana(settings, park),
        "is_important": seen.request.details.importance is not Importance.ORDINARY,
    }


def _grafana(settings: ApiSettings, park: str) -> str | None:
    """Load of the park in Grafana; none where nobody said where that is."""
    if settings.grafana_url is None:
        return None
    return f"{settings.grafana_url}/d/park-overview?{urlencode({'var-park': park, 'from': 'now-7d', 'to': 'now'})}"


def _capacity_at_hand(request: Request, desk: Desk, seen: RequestView) -> CapacityOut | None:
    """Capacity where the network has been read a moment ago; else the page asks for it when it is open."""
    networks: Snapshots[NetworkLoads] = request.app.state.networks
    loads = networks.fresh(seen.request.details.park, now=desk.now)
    return None if loads is None else capacity_for(desk.connection, loads, seen.row)


def seen_by(desk: Desk, code: str) -> RequestView:
    """A request, or the problem that there is none."""
    try:
        return service.view(desk, code)
    except UnknownRequestError as error:
        raise ProblemError(ProblemKind.LOAD_REQUEST_NOT_FOUND, str(error)) from None


@router.get("/print", dependencies=[needs(Scope.REQUESTS_READ, of_load_request)])
def print_request(request: Request, code: Code) -> Response:
    """The same on paper, with the capacity; the browser prints it, or makes a PDF of it."""
    with looking(request) as desk:
        values = _values(request, desk, seen_by(desk, code))
        loads = network_of(request, desk.connection, values["park"].code, now=desk.now)
        values["capacity"] = capacity_for(desk.connection, loads, values["seen"].row)
        values["is_print"] = True
    return render(request, "console/request_print.html", **values)


@router.post("/acts", dependencies=[needs(Scope.REQUESTS_WRITE, of_load_request)])
def do_act(request: Request, code: Code, form: SentForm) -> Response:
    """Let something happen to it."""
    try:
        body = body_of(form)
        at = happened_at(form)
        with acting(request) as desk:
            seen = service.act(desk, code, body, expected=form.whole("expected"), at=at)
            undo = _undo(code, seen, desk)
    except UnknownRequestError as error:
        raise ProblemError(ProblemKind.LOAD_REQUEST_NOT_FOUND, str(error)) from None
    except RequestFormError as error:
        return page_of(request, code, back=Back(form, wrong=dict(error.fields)))
    except RefusedEventError as error:
        return page_of(request, code, back=Back(form, refused=str(error)))
    except StaleVersionError as error:
        return page_of(request, code, back=Back(form, newer=newer_events(request, code, error.expected)))
    return see_other(request, f"/requests/{code}", Flash(f"flash.{body.type}", {"code": code}, undo=undo))


def _undo(code: str, seen: RequestView, desk: Desk) -> Undo | None:
    if seen.undoable is None:
        return None
    until = desk.now + timedelta(seconds=seen.undo_seconds)
    return Undo(f"/requests/{code}/undo", seen.undoable, until.timestamp())


def newer_events(request: Request, code: str, since: int) -> tuple[Event, ...]:
    """What happened after a version."""
    with looking(request) as desk:
        return tuple(event for event in seen_by(desk, code).events if event.sequence > since)


@router.post("/undo", dependencies=[needs(Scope.REQUESTS_WRITE, of_load_request)])
def undo_act(request: Request, code: Code, form: SentForm) -> Response:
    """Take the newest event back, within the moments that the practice allows."""
    sequence = form.whole("sequence") or 0
    try:
        with acting(request) as desk:
            service.act(desk, code, Undone(sequence=max(sequence, 2)), expected=sequence)
    except UnknownRequestError as error:
        raise ProblemError(ProblemKind.LOAD_REQUEST_NOT_FOUND, str(error)) from None
    except RefusedEventError as error:
        return page_of(request, code, back=Back(form, refused=str(error)))
    except StaleVersionError as error:
        return page_of(request, code, back=Back(form, newer=newer_events(request, code, error.expected)))
    return see_other(request, f"/requests/{code}", Flash("flash.undone", {"code": code}))
