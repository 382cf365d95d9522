"""Silences and windows of planned work as a page: in force, to come, over; and a form for another."""

from typing import Annotated, Final

from fastapi import APIRouter, Query, Request
from smartpark.access import Scope
from smartpark.alerts.words import Cause, Severity
from smartpark_storage.alerts import UnknownAlertError, end_silence, read_alert, read_silences
from smartpark_storage.reads import read_parks
from starlette.responses import Response

from smartpark_api.access.needs import check_everywhere, check_park, needs
from smartpark_api.access.places import theirs
from smartpark_api.access.principal import principal_of
from smartpark_api.alerts.places import SilenceId, of_silence
from smartpark_api.alerts.silencing import STATES, keep_silence, state_of
from smartpark_api.console.alert_forms import SPANS, AlertFormError, silence_of
from smartpark_api.console.alerts import names_of
from smartpark_api.console.desk import acting, looking
from smartpark_api.console.flash import Flash, see_other
from smartpark_api.console.forms import Form, SentForm
from smartpark_api.database import Now
from smartpark_api.pages import render
from smartpark_api.problems import ProblemError, ProblemKind

router = APIRouter()
PATH: Final = "/alerts/silences"
_MOST_OVER: Final = 50


@router.get(PATH, dependencies=[needs(Scope.ALERTS_READ)])
def show_silences(request: Request, alert: Annotated[int | None, Query(ge=1, le=2**62)] = None) -> Response:
    """Silences; with an alert, the form already says what it is about."""
    return _page(request, prefilled=_about(request, alert))


def _about(request: Request, number: int | None) -> dict[str, str]:
    """What a silence of an alert says; nothing where it is none of theirs."""
    if number is None:
        return {}
    try:
        with looking(request) as desk:
            about = read_alert(desk.connection, number).alert.about
    except UnknownAlertError:
        return {}
    if not principal_of(request).may(Scope.ALERTS_READ, about.park):
        return {}
    return {"park": about.park, "objects": about.object, "rules": about.rule}


def _page(
    request: Request,
    *,
    prefilled: dict[str, str] | None = None,
    form: Form | None = None,
    wrong: dict[str, str] | None = None,
) -> Response:
    principal = principal_of(request)
    with looking(request) as desk:
        found = [
            one
            for one in read_silences(desk.connection)
            if one.silence.park is None or principal.may(Scope.ALERTS_READ, one.silence.park)
        ]
        names = names_of(desk.connection, [])
        parks = theirs(request, Scope.ALERTS_WRITE, read_parks(desk.connection))
        now = desk.now
    by_state = {state: [one for one in found if state_of(one, now) == state] for state in ("in_force", *STATES)}
    by_state["over"] = by_state["over"][:_MOST_OVER]
    given = dict(prefilled or {})
    if form is not None:
        given = {name: ", ".join(form.texts(name)) for name in form}
    return render(
        request,
        "console/alert_silences.html",
        status=422 if wrong else 200,
        by_state=by_state,
        names=names,
        parks=parks,
        may_all=principal.may(Scope.ALERTS_WRITE, None),
        may_end={one.silence.silence_id for one in found if principal.may(Scope.ALERTS_WRITE, one.silence.park)},
        now=now,
        given=given,
        wrong=wrong or {},
        causes=list(Cause),
        severities=list(reversed(Severity)),
        spans=list(SPANS),
    )


@router.post(PATH, dependencies=[needs(Scope.ALERTS_WRITE)])
def make_silence_here(request: Request, form: SentForm, now: Now) -> Response:
    """Make one."""
    try:
        asked = silence_of(form, now)
    except AlertFormError as error:
        return _page(request, form=form, wrong=error.fields)
    if asked.park is None:
        check_everywhere(request, Scope.ALERTS_WRITE)
    else:
        check_park(request, Scope.ALERTS_WRITE, asked.park)
    with acting(request) as desk:
        if asked.park is not None and not read_parks(desk.connection, asked.park):
            raise ProblemError(ProblemKind.PARK_NOT_FOUND, f"there is no park {asked.park!r}")
        keep_silence(desk.connection, asked, by=desk.actor or "", now=desk.now)
    return see_other(request, PATH, Flash("flash.silence_made"))


@router.post(PATH + "/{silence}/end", dependencies=[needs(Scope.ALERTS_WRITE, of_silence)])
def end_silence_here(request: Request, silence: SilenceId, form: SentForm) -> Response:
    """End one now; the form says nothing more than its address."""
    del form
    with acting(request) as desk:
        is_ended = end_silence(desk.connection, silence, by=desk.actor or "", at=desk.now)
    flash = Flash("flash.silence_ended") if is_ended else Flash("flash.silence_over", tone="warn")
    return see_other(request, PATH, flash)
