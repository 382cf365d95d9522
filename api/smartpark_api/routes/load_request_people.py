"""The people of the desk: who they are, who is project manager of which park and when, what they like to look at."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from smartpark.access import LOCAL, Scope
from smartpark.isotext import IsoDay
from smartpark.load_requests.events import NAME
from smartpark.load_requests.words import Duty
from smartpark_storage.load_requests import (
    ManagerTerm,
    Person,
    SavedView,
    delete_manager_term,
    delete_saved_view,
    put_manager_term,
    put_person,
    put_saved_view,
    read_manager_terms,
    read_persons,
    read_saved_views,
)
from starlette.responses import Response

from smartpark_api.access.desk_rules import check_may_change_person, people_theirs
from smartpark_api.access.needs import needs
from smartpark_api.access.principal import principal_of
from smartpark_api.database import reading
from smartpark_api.load_requests import service
from smartpark_api.load_requests.answers import person_out, term_out
from smartpark_api.load_requests.identity import CLIENT, known_actor, named_actor
from smartpark_api.load_requests.models import PersonOut
from smartpark_api.load_requests.people_models import (
    ManagerTermOut,
    PersonIn,
    PersonList,
    TermIn,
    TermList,
    ViewIn,
    ViewList,
    ViewOut,
)
from smartpark_api.load_requests.service import Desk
from smartpark_api.load_requests.writes import WRITES, Done, looking, write, write_first
from smartpark_api.lookup import find_park
from smartpark_api.problems import ProblemError, ProblemKind
from smartpark_api.routes.parks import ParkCode

router = APIRouter(tags=["people"])
PersonCode = Annotated[
    str,
    Path(
        max_length=60,
        pattern=NAME,
        description="Code of a person; `applicant` and `system` are reserved.",
        examples=["chen"],
    ),
]
ViewName = Annotated[str, Path(min_length=1, max_length=60, description="Name of the view.")]


@router.get("/persons", dependencies=[needs(Scope.PEOPLE_READ)])
def list_persons(
    request: Request, *, active: Annotated[bool | None, Query(description="Only those who can act.")] = None
) -> PersonList:
    """People by code."""
    with looking(request) as desk:
        found = read_persons(desk.connection, is_active=active)
    return PersonList(persons=[person_out(one) for one in people_theirs(request, found)])


@router.put("/persons/{person}", dependencies=[needs(Scope.PEOPLE_WRITE), *WRITES], response_model=PersonOut)
def put_person_of_the_desk(request: Request, person: PersonCode, given: PersonIn) -> Response:
    """Add a person, or say something else of one. Nobody is deleted: who leaves is no longer active.

    The very first person may be added by nobody else, so that there is somebody to act.
    """
    check_may_change_person(request, person)
    if person in (service.SYSTEM, service.APPLICANT) or person.startswith(CLIENT):
        raise ProblemError(ProblemKind.INVALID_REQUEST, f"{person!r} is reserved for who is no person of the desk")
    row = Person(code=person, **given.model_dump())

    def work(desk: Desk) -> Done:
        put_person(desk.connection, row)
        return Done(person_out(row))

    return write_first(request, work, content=given)


@router.get("/parks/{code}/managers", dependencies=[needs(Scope.PEOPLE_READ, "path.code")])
def list_park_managers(request: Request, code: ParkCode) -> TermList:
    """Project managers and deputies of a park, by day."""
    with looking(request) as desk:
        find_park(desk.connection, code)
        found = read_manager_terms(desk.connection, park=code)
    return TermList(terms=[term_out(one) for one in found])


@router.put(
    "/parks/{code}/managers/{duty}/{valid_from}",
    dependencies=[needs(Scope.PEOPLE_WRITE, "path.code"), *WRITES],
    response_model=ManagerTermOut,
)
def put_park_manager(request: Request, code: ParkCode, duty: Duty, valid_from: IsoDay, given: TermIn) -> Response:
    """Name a project manager or deputy from a day on; no two of a duty on one day."""
    term = ManagerTerm(code, given.person, duty.value, valid_from, given.valid_to)

    def work(desk: Desk) -> Done:
        find_park(desk.connection, code)
        put_manager_term(desk.connection, term)
        return Done(term_out(term))

    return write(request, work, content=given)


@router.delete(
    "/parks/{code}/managers/{duty}/{valid_from}",
    dependencies=[needs(Scope.PEOPLE_WRITE, "path.code"), *WRITES],
    status_code=204,
)
def delete_park_manager(request: Request, code: ParkCode, duty: Duty, valid_from: IsoDay) -> Response:
    """Take back a term that was entered by mistake."""

    def work(desk: Desk) -> Done:
        if not delete_manager_term(desk.connection, code, duty.value, valid_from):
            raise ProblemError(ProblemKind.NOT_FOUND, f"{code} has no {duty} from {valid_from}")
        return Done(None, 204)

    return write(request, work)


@router.get(
    "/saved-views",
    dependencies=[needs(Scope.REQUESTS_READ)],
    responses={403: {"description": "Nobody is named whose views they are."}},
)
def list_saved_views(request: Request) -> ViewList:
    """Saved filters of whoever asks; empty for who does not say who they are."""
    if principal_of(request).name == LOCAL.name and not request.headers.get("smartpark-actor"):
        return ViewList(views=[])
    with reading(request) as connection:
        person = known_actor(connection, named_actor(request))
        found = read_saved_views(connection, person.code)
    return ViewList(views=[ViewOut(name=one.name, query=one.query) for one in found])


@router.put("/saved-views/{name}", dependencies=[needs(Scope.REQUESTS_READ), *WRITES], response_model=ViewOut)
def put_saved_view_of_mine(request: Request, name: ViewName, given: ViewIn) -> Response:
    """Keep a filter under a name."""

    def work(desk: Desk) -> Done:
        put_saved_view(desk.connection, SavedView(_self(desk), name, given.query))
        return Done(ViewOut(name=name, query=given.query))

    return write(request, work, content=given)


@router.delete("/saved-views/{name}", dependencies=[needs(Scope.REQUESTS_READ), *WRITES], status_code=204)
def delete_saved_view_of_mine(request: Request, name: ViewName) -> Response:
    """Forget a filter."""

    def work(desk: Desk) -> Done:
        if not delete_saved_view(desk.connection, _self(desk), name):
            raise ProblemError(ProblemKind.NOT_FOUND, f"you have no view {name!r}")
        return Done(None, 204)

    return write(request, work)


def _self(desk: Desk) -> str:
    if desk.actor is None or desk.actor.startswith(CLIENT):
        raise ProblemError(ProblemKind.NOBODY_ACTS, "views are kept for people: say who you are")
    return desk.actor
