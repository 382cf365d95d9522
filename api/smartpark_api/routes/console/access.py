"""Access for administrators, people first: who may do what in which park, how and where they are logged in."""

from datetime import datetime, timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Path, Request
from smartpark.access import Role
from smartpark_storage.access import (
    AccessConflictError,
    UnknownAccessError,
    bind_identity,
    end_session_by_id,
    end_sessions_of,
    make_login_link,
    unbind_identity,
)
from starlette.responses import Response

from smartpark_api.access.audit import audited
from smartpark_api.access.login.logins import logins_of
from smartpark_api.access.login.return_to import own_address
from smartpark_api.access.login.sessions import named_session
from smartpark_api.access.managing import actor_name, check_managed, check_managed_for_long, check_no_wider
from smartpark_api.access.models import GrantIn
from smartpark_api.access.needs import needs
from smartpark_api.console.access import (
    MANAGE,
    FormRefusedError,
    decides_everywhere,
    parks_to_grant,
    people_with_access,
    person_with_access,
    refusals,
    until_of,
)
from smartpark_api.console.flash import Flash, see_other
from smartpark_api.console.forms import Form, SentForm
from smartpark_api.database import Now, writing
from smartpark_api.pages import render
from smartpark_api.problems import ProblemError, ProblemKind
from smartpark_api.routes.access import end_one_grant, make_grant

router = APIRouter(include_in_schema=False, prefix="/access")
_MANAGES: Final = [needs(MANAGE)]
_LINK_HOURS: Final = (1, 8, 24, 72)
Code = Annotated[str, Path(max_length=60)]


@router.get("", dependencies=_MANAGES)
def show_people_with_access(request: Request) -> Response:
    """Everybody with their roles."""
    parks = {park.code: park for park in parks_to_grant(request)}
    return render(request, "console/access/people.html", people=people_with_access(request), parks=parks)


@router.get("/people/{code}", dependencies=_MANAGES)
def show_person(request: Request, code: Code) -> Response:
    """One person."""
    return _person_page(request, code)


def _person_page(request: Request, code: str, *, link: str | None = None, hours: int = 0) -> Response:
    return render(
        request,
        "console/access/person.html",
        who=person_with_access(request, code),
        parks={park.code: park for park in parks_to_grant(request)},
        decides_everywhere=decides_everywhere(request),
        roles=list(Role),
        providers=[one.settings for one in logins_of(request).providers.values()],
        link_hours=_LINK_HOURS,
        this_session=named_session(request),
        link=link,
        hours=hours,
    )


@router.post("/people/{code}/grant", dependencies=_MANAGES)
def grant_person_role(request: Request, code: Code, form: SentForm, now: Now) -> Response:
    """Give a person a role."""
    return granted(request, form, now, f"/access/people/{code}", person=code)


def granted(request: Request, form: Form, now: datetime, back: str, **whose: str) -> Response:
    """Give somebody the role that a form names, and go back to their page."""
    try:
        with refusals():
            until = until_of(form, now)
            given = GrantIn.model_validate(
                {**whose, "role": form.text("role"), "park": form.maybe("park"), "until": until}
            )
            make_grant(request, given, now)
    except FormRefusedError as refused:
        return see_other(request, back, refused.flash)
    return see_other(request, back, Flash("access.granted"))


@router.post("/grants/end", dependencies=_MANAGES)
def end_role(request: Request, form: SentForm, now: Now) -> Response:
    """Take a role away."""
    back = own_address(form.text("back")) or "/access"
    try:
        with refusals():
            end_one_grant(request, form.whole("grant") or 0, now)
    except FormRefusedError as refused:
        return see_other(request, back, refused.flash)
    return see_other(request, back, Flash("access.grant_ended"))


@router.post("/people/{code}/link", dependencies=_MANAGES)
def make_link_for_person(request: Request, code: Code, form: SentForm, now: Now) -> Response:
    """Make a one-time log-in link. It is shown this once, hence no redirect: nobody keeps it, not even we."""
    check_managed(request, f"person:{code}")
    check_no_wider(request, ())
    hours = form.whole("hours") or _LINK_HOURS[0]
    if hours not in _LINK_HOURS:
        raise ProblemError(ProblemKind.INVALID_REQUEST, f"hours: one of {_LINK_HOURS}")
    try:
        with writing(request) as connection:
            token = make_login_link(
                connection, code, by=actor_name(request), at=now, expires_at=now + timedelta(hours=hours)
            )
            audited(request, status=200, detail={"person": code, "hours": hours})
    except UnknownAccessError:
        return see_other(request, f"/access/people/{code}", Flash("access.person_inactive", tone="bad"))
    return _person_page(request, code, link=f"{logins_of(request).root(request)}/login/link/{token}", hours=hours)


@router.post("/people/{code}/bind", dependencies=_MANAGES)
def bind_account(request: Request, code: Code, form: SentForm, now: Now) -> Response:
    """Say which account at an identity provider is this person."""
    check_managed_for_long(request, f"person:{code}")
    check_no_wider(request, ())
    back = f"/access/people/{code}"
    issuer, subject = form.text("issuer"), form.text("subject")[:255]
    if logins_of(request).of_issuer(issuer) is None or not subject:
        return see_other(request, back, Flash("access.account_wrong", tone="bad"))
    try:
        with writing(request) as connection:
            bind_identity(connection, issuer, subject, code, at=now)
            audited(request, detail={"person": code, "issuer": issuer, "subject": subject})
    except AccessConflictError:
        return see_other(request, back, Flash("access.account_taken", {"subject": subject[:80]}, "bad"))
    except UnknownAccessError as error:
        raise ProblemError(ProblemKind.NOT_FOUND, str(error)) from None
    return see_other(request, back, Flash("access.account_bound"))


@router.post("/people/{code}/unbind", dependencies=_MANAGES)
def unbind_account(request: Request, code: Code, form: SentForm) -> Response:
    """Let an account be nobody again; who came in by it stays until their sessions end."""
    who = person_with_access(request, code)
    issuer, subject = form.text("issuer"), form.text("subject")
    back = f"/access/people/{code}"
    if not any((one.issuer, one.subject) == (issuer, subject) for one in who.identities):
        return see_other(request, back, Flash("access.account_gone", tone="warn"))
    with writing(request) as connection:
        unbind_identity(connection, issuer, subject)
        audited(request, detail={"person": code, "issuer": issuer, "subject": subject})
    return see_other(request, back, Flash("access.account_unbound"))


@router.post("/people/{code}/logout", dependencies=_MANAGES)
def log_person_out(request: Request, code: Code, form: SentForm, now: Now) -> Response:
    """End all sessions of a person, or one of them."""
    who = person_with_access(request, code)
    back = own_address(form.text("back")) or f"/access/people/{code}"
    wanted = form.text("session")
    if wanted and wanted not in {one.session_id for one in who.sessions}:
        return see_other(request, back, Flash("access.session_gone", tone="warn"))
    check_managed(request, f"person:{code}")
    by = actor_name(request)
    with writing(request) as connection:
        if wanted:
            end_session_by_id(connection, wanted, by=by, at=now)
        else:
            end_sessions_of(connection, code, by=by, at=now)
        audited(request, detail={"person": code, "session": wanted or "all"})
    return see_other(request, back, Flash("access.session_ended", {"name": who.person.name}))


@router.get("/sessions", dependencies=_MANAGES)
def show_sessions(request: Request) -> Response:
    """Who is logged in."""
    sessions = sorted(
        (one for who in people_with_access(request) for one in who.sessions),
        key=lambda one: one.seen_at,
        reverse=True,
    )
    return render(request, "console/access/sessions.html", sessions=sessions, this_session=named_session(request))
