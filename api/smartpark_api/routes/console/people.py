"""People of the desk: who they are, who is project manager of which park from when, and who sits at this page."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Request
from smartpark.access import Scope
from smartpark.clock import PARK_ZONE
from smartpark.load_requests.words import Duty
from smartpark_storage.connections import Connection
from smartpark_storage.load_requests import (
    ManagerTerm,
    ManagerTermConflictError,
    UnknownReferenceError,
    delete_manager_term,
    put_manager_term,
    put_person,
    read_manager_terms,
    read_persons,
)
from smartpark_storage.reads import ParkRow, read_parks
from starlette.responses import Response

from smartpark_api.access.desk_rules import check_may_change_person, people_theirs
from smartpark_api.access.needs import check_park, needs
from smartpark_api.access.places import theirs
from smartpark_api.console.actor import Actor, forget_actor, remember_actor
from smartpark_api.console.flash import Flash, see_other
from smartpark_api.console.forms import Form, SentForm
from smartpark_api.console.people import PersonError, checked_person
from smartpark_api.database import Now, reading, writing
from smartpark_api.pages import render
from smartpark_api.settings import AccessMode
from smartpark_api.words import Language

router = APIRouter(include_in_schema=False, prefix="/people")


@dataclass(frozen=True, slots=True)
class ParkTerms:
    """Who serves a park: now, later and before."""

    park: ParkRow
    terms: Sequence[ManagerTerm]


@router.get("", dependencies=[needs(Scope.PEOPLE_READ)])
def show_people(request: Request, now: Now) -> Response:
    """People and their duties."""
    return _people_page(request, now.astimezone(PARK_ZONE).date())


def _people_page(
    request: Request, today: date, *, status: int = 200, given: Form | None = None, wrong: PersonError | None = None
) -> Response:
    with reading(request) as connection:
        everybody = read_persons(connection)
        parks = _with_terms(connection, theirs(request, Scope.PEOPLE_READ, read_parks(connection)))
    persons = people_theirs(request, everybody)
    return render(
        request,
        "console/people.html",
        status=status,
        persons=persons,
        names={person.code: person for person in everybody},
        parks=parks,
        today=today,
        duties=list(Duty),
        languages=list(Language),
        given=given,
        wrong=wrong,
        one_day=timedelta(days=1),
    )


def _with_terms(connection: Connection, parks: Sequence[ParkRow]) -> list[ParkTerms]:
    terms = read_manager_terms(connection)
    return [ParkTerms(park, [term for term in terms if term.park == park.code]) for park in parks]


@router.post("", dependencies=[needs(Scope.PEOPLE_WRITE)])
def keep_person(request: Request, now: Now, form: SentForm) -> Response:
    """Add a person, or change one."""
    try:
        person = checked_person(form)
    except PersonError as wrong:
        today = now.astimezone(PARK_ZONE).date()
        return _people_page(request, today, status=422, given=form, wrong=wrong)
    check_may_change_person(request, person.code)
    with writing(request) as connection:
        put_person(connection, person)
    return see_other(request, "/people", Flash("people.kept", {"name": person.name}))


@router.post("/terms", dependencies=[needs(Scope.PEOPLE_WRITE)])
def keep_term(request: Request, form: SentForm) -> Response:
    """Name a manager or deputy of a park from a day on; whoever has the duty until now ends the day before."""
    try:
        term = _term_of(form)
        check_park(request, Scope.PEOPLE_WRITE, term.park)
        with writing(request) as connection:
            _end_running(connection, term)
            put_manager_term(connection, term)
    except (ManagerTermConflictError, UnknownReferenceError) as error:
        return see_other(request, "/people", Flash("people.term_refused", {"why": str(error)}, "bad"))
    except (ValueError, OverflowError):
        return see_other(request, "/people", Flash("people.term_wrong", tone="bad"))
    return see_other(request, "/people#terms", Flash("people.term_kept", {"day": str(term.valid_from)}))


def _term_of(form: Form) -> ManagerTerm:
    last = form.maybe("last_day")
    return ManagerTerm(
        park=form.text("park"),
        person=form.text("person"),
        duty=Duty(form.text("duty")).value,
        valid_from=date.fromisoformat(form.text("valid_from")),
        valid_to=None if last is None else date.fromisoformat(last) + timedelta(days=1),
    )


def _end_running(connection: Connection, new: ManagerTerm) -> None:
    """Let the term that would go on for ever end where the new one begins."""
    for term in read_manager_terms(connection, park=new.park):
        if term.duty == new.duty and term.valid_to is None and term.valid_from < new.valid_from:
            ended = ManagerTerm(term.park, term.person, term.duty, term.valid_from, new.valid_from)
            put_manager_term(connection, ended)


@router.post("/terms/remove", dependencies=[needs(Scope.PEOPLE_WRITE)])
def remove_term(request: Request, form: SentForm) -> Response:
    """Take back a term that was entered by mistake."""
    try:
        valid_from = date.fromisoformat(form.text("valid_from"))
    except ValueError:
        return see_other(request, "/people", Flash("people.term_wrong", tone="bad"))
    check_park(request, Scope.PEOPLE_WRITE, form.text("park"))
    with writing(request) as connection:
        delete_manager_term(connection, form.text("park"), form.text("duty"), valid_from)
    return see_other(request, "/people#terms", Flash("people.term_removed"))


@router.get("/me", dependencies=[needs(Scope.PEOPLE_READ)])
def show_me(request: Request, back: Annotated[str, Query(max_length=1000)] = "") -> Response:
    """Ask who is here; where people log in, show who is."""
    if request.app.state.settings.access is not AccessMode.LOCAL:
        return see_other(request, "/me")
    with reading(request) as connection:
        persons = read_persons(connection, is_active=True)
    return render(request, "console/me.html", persons=persons, back=_within(back))


@router.post("/me", dependencies=[needs(Scope.PEOPLE_READ)])
def choose_me(request: Request, form: SentForm) -> Response:
    """Keep who is here, or forget it; where people log in, saying so counts for nothing."""
    if request.app.state.settings.access is not AccessMode.LOCAL:
        return see_other(request, "/me")
    code = form.text("person")
    back = _within(form.text("back")) or "/people/me"
    if not code:
        response = see_other(request, back, Flash("people.nobody_now"))
        forget_actor(response)
        return response
    with reading(request) as connection:
        found = read_persons(connection, code=code, is_active=True)
    if not found:
        return see_other(request, "/people/me", Flash("people.not_active", {"code": code[:60]}, "bad"))
    response = see_other(request, back, Flash("people.you_are_now", {"name": found[0].name}))
    remember_actor(request, response, Actor(found[0].code, found[0].name, found[0].name_en or found[0].name))
    return response


def _within(address: str) -> str:
    """An address of this server, or nothing."""
    is_ours = address.startswith("/") and not address.startswith(("//", "/\\")) and "\n" not in address
    return address if is_ours else ""
