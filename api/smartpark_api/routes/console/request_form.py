"""A new request, or a lead from a visit or the project library; and the same form for what an open one amends."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request
from smartpark.access import Scope
from smartpark.load_requests.events import Amended
from smartpark.load_requests.requests import RefusedEventError
from smartpark.load_requests.words import (
    Channel,
    Importance,
    RequestKind,
    RequestSource,
    Supply,
    UserKind,
    VoltageClass,
)
from smartpark_storage.connections import Connection
from smartpark_storage.figures import figure_entities
from smartpark_storage.load_requests import StaleVersionError
from smartpark_storage.reads import read_parks
from smartpark_storage.reads_load import read_nodes
from starlette.responses import Response

from smartpark_api.access.needs import check_park, needs
from smartpark_api.access.places import of_load_request, theirs
from smartpark_api.console.desk import acting, looking
from smartpark_api.console.flash import Flash, see_other
from smartpark_api.console.forms import Form, SentForm
from smartpark_api.console.request_forms import Given, RequestFormError, details_form, details_of, is_lead
from smartpark_api.load_requests import service
from smartpark_api.pages import render
from smartpark_api.routes.console.request import Back, Code, newer_events, seen_by

router = APIRouter(prefix="/requests")
_REASON: Final = "reason"


@router.get("/new", dependencies=[needs(Scope.REQUESTS_WRITE)])
def show_new_request(
    request: Request,
    park: Annotated[str, Query(max_length=64)] = "",
    node: Annotated[str, Query(max_length=120)] = "",
) -> Response:
    """Empty form; a park or a node that the address names is filled in."""
    return _new(request, given=Given({"park": park, "node": node}))


def _new(request: Request, *, given: Given | None = None, back: Back | None = None) -> Response:
    with looking(request) as desk:
        values = _choices(request, desk.connection)
    return _form(request, None, given, back, values)


@router.post("/new", dependencies=[needs(Scope.REQUESTS_WRITE)])
def open_new_request(request: Request, form: SentForm) -> Response:
    """Open it; what is wrong is told beside its field."""
    try:
        details = details_of(form)
        check_park(request, Scope.REQUESTS_WRITE, details.park)
        with acting(request) as desk:
            seen = service.open_request(desk, details, is_lead=is_lead(form))
    except RequestFormError as error:
        return _new(request, back=Back(form, wrong=dict(error.fields)))
    except RefusedEventError as error:
        return _new(request, back=Back(form, refused=str(error)))
    return see_other(request, f"/requests/{seen.code}", Flash("flash.opened", {"code": seen.code}))


@router.get("/{code}/amend", dependencies=[needs(Scope.REQUESTS_WRITE, of_load_request)])
def show_amendment(request: Request, code: Code) -> Response:
    """Form of the details as they stand."""
    return _amendment(request, code)


def _amendment(request: Request, code: str, *, back: Back | None = None) -> Response:
    with looking(request) as desk:
        seen = seen_by(desk, code)
        values = _choices(request, desk.connection)
    return _form(request, seen, details_form(seen.request.details), back, values)


@router.post("/{code}/amend", dependencies=[needs(Scope.REQUESTS_WRITE, of_load_request)])
def amend_request(request: Request, code: Code, form: SentForm) -> Response:
    """The details are now these, and why."""
    try:
        body = Amended(reason=_reason(form), details=details_of(form))
        check_park(request, Scope.REQUESTS_WRITE, body.details.park)
        with acting(request) as desk:
            seen_by(desk, code)
            service.act(desk, code, body, expected=form.whole("expected"))
    except RequestFormError as error:
        return _amendment(request, code, back=Back(form, wrong=dict(error.fields)))
    except RefusedEventError as error:
        return _amendment(request, code, back=Back(form, refused=str(error)))
    except StaleVersionError as error:
        return _amendment(request, code, back=Back(form, newer=newer_events(request, code, error.expected)))
    return see_other(request, f"/requests/{code}", Flash("flash.amended", {"code": code}))


def _reason(form: Form) -> str:
    reason = form.maybe(_REASON)
    if reason is None:
        raise RequestFormError({_REASON: "request.wrong_missing"})
    return reason


def _form(
    request: Request, seen: service.RequestView | None, given: Given | None, back: Back | None, values: dict[str, Any]
) -> Response:
    return render(
        request,
        "console/request_form.html",
        status=200 if back is None else back.status,
        seen=seen,
        given=given if back is None else back.form,
        wrong={} if back is None else back.wrong,
        back=back,
        **values,
    )


def _choices(request: Request, connection: Connection) -> dict[str, Any]:
    """What there is to choose from."""
    parks = theirs(request, Scope.REQUESTS_WRITE, read_parks(connection))
    codes = {park.code for park in parks}
    entities = sorted(one for one in figure_entities(connection) if one[0] in codes)
    return {
        "parks": parks,
        "enterprises": [
            (park, entity.removeprefix("enterprise/"))
            for park, entity in entities
            if entity.startswith("enterprise/")
        ],
        "nodes": [(park.code, row) for park in parks for row in read_nodes(connection, park.code)],
        "choices": {
            "kind": list(RequestKind),
            "voltage": list(VoltageClass),
            "supply": list(Supply),
            "user_kind": list(UserKind),
            "importance": list(Importance),
            "channel": list(Channel),
            "source": list(RequestSource),
        },
    }
