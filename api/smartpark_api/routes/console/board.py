"""The request board: columns, table, timeline, and what is done from them without leaving the page.

With htmx a write answers the board anew; without it, 303 back to where the form was. A refusal answers the same page
with what is the matter, and changes nothing: 409 when somebody was faster, 422 when it is not allowed or has no
reason yet.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Path, Query, Request
from smartpark.access import Scope
from smartpark.load_requests.events import Event, Undone
from smartpark.load_requests.requests import RefusedEventError
from smartpark.load_requests.words import Owner
from smartpark_storage.load_requests import (
    Person,
    SavedView,
    StaleVersionError,
    UnknownRequestError,
    delete_saved_view,
    put_saved_view,
    read_events,
    read_persons,
)
from starlette.responses import JSONResponse, Response

from smartpark_api.access.desk_rules import people_theirs
from smartpark_api.access.needs import needs
from smartpark_api.access.places import check_all, of_load_request, theirs, within
from smartpark_api.console.board import gather
from smartpark_api.console.board_address import PATH, BoardAddress, address_of
from smartpark_api.console.desk import acting, looking
from smartpark_api.console.flash import Flash, Undo, see_other
from smartpark_api.console.forms import SentForm
from smartpark_api.console.happened import deed_of, late_news, refusal_of
from smartpark_api.console.judging import judged
from smartpark_api.console.moves import ReasonNeededError, body_of
from smartpark_api.load_requests.service import RequestView, act, assign_many, view
from smartpark_api.pages import render, visitor_of
from smartpark_api.problems import ProblemError, ProblemKind
from smartpark_api.words import Words, words_of

router = APIRouter()
Code = Annotated[str, Path(max_length=20, pattern=r"^LR-[0-9]{4}-[0-9]{6,}$")]
MOST_AT_ONCE: Final = 200
MOST_JUDGED: Final = 60
_LONGEST_NAME: Final = 60


@router.get("/requests", dependencies=[needs(Scope.REQUESTS_READ)])
def show_board(request: Request) -> Response:
    """Requests that the address asks for."""
    return _board_page(request, address_of(request.url.query))


def _board_page(
    request: Request, address: BoardAddress, *flashes: Flash, status: int = 200, focus: str = ""
) -> Response:
    """The board; for htmx the part of it that changes."""
    with looking(request) as desk:
        shown = gather(desk, address, within(request, address.filter))
        today = desk.today
        is_year_known = today.year in desk.calendar.years
    shown = replace(
        shown,
        parks=theirs(request, Scope.REQUESTS_READ, shown.parks),
        persons={person.code: person for person in people_theirs(request, shown.persons.values())},
    )
    if not is_year_known:
        # Rows keep no due day of such a year, and what has none does not look late.
        flashes = (Flash("board.year_unknown", {"year": str(today.year)}, "warn"), *flashes)
    is_part = _is_htmx(request) and request.method == "POST"
    return render(
        request,
        "console/_desk.html" if is_part else "console/board.html",
        status=status,
        shown=shown,
        today=today,
        flashes=flashes,
        focus=focus,
        export=urlencode({**address.asked, "lang": visitor_of(request).language.value}),
    )


def _is_htmx(request: Request) -> bool:
    return request.headers.get("hx-request") == "true"


@router.get("/requests/verdicts", dependencies=[needs(Scope.REQUESTS_READ)])
def tell_verdicts(request: Request, code: Annotated[list[str], Query(max_length=MOST_JUDGED)]) -> Response:
    """Whether there is room for some requests, in words; the board's script asks once the page is there."""
    check_all(request, Scope.REQUESTS_READ, code)
    words = _words(request)
    with looking(request) as desk:
        found = judged(request, desk, code)
    told = {one: {"verdict": verdict, "text": words(f"capacity.verdict_{verdict}")} for one, verdict in found.items()}
    return JSONResponse(told, headers={"Cache-Control": "no-store"})


@router.get("/requests/board/{code}", dependencies=[needs(Scope.REQUESTS_READ, of_load_request)])
def show_menu(request: Request, code: Code, back: Annotated[str, Query(max_length=2000)] = "") -> Response:
    """What can be done with a request: as a part for the board's dialog, or as a page."""
    return _menu(request, code, back)


def _menu(
    request: Request, code: str, back: str, *, status: int = 200, asked: ReasonNeededError | None = None
) -> Response:
    try:
        with looking(request) as desk:
            seen = view(desk, code)
            persons = read_persons(desk.connection, is_active=True)
    except UnknownRequestError as error:
        raise ProblemError(ProblemKind.LOAD_REQUEST_NOT_FOUND, str(error)) from None
    response = render(
        request,
        "console/_menu.html" if _is_htmx(request) else "console/menu.html",
        status=status,
        seen=seen,
        persons=people_theirs(request, persons),
        owners=[owner for owner in Owner if owner is not seen.request.owner],
        back=address_of(back).query,
        asked=asked,
    )
    if _is_htmx(request) and request.method == "POST":
        response.headers["HX-Retarget"] = "#menu-body"
        response.headers["HX-Reswap"] = "innerHTML"
    return response


@router.post("/requests/board/assign", dependencies=[needs(Scope.REQUESTS_WRITE)])
def assign(request: Request, form: SentForm) -> Response:
    """Give several requests to one manager: all of them, or none."""
    address = address_of(form.text("back"))
    picked = [_picked(value) for value in form.texts("pick")][:MOST_AT_ONCE]
    manager = form.text("manager")
    if not picked or not manager:
        return _board_page(request, address, Flash("board.pick_some", tone="warn"), status=422)
    check_all(request, Scope.REQUESTS_WRITE, [one for one, _ in picked])
    try:
        with acting(request) as desk:
            assign_many(desk, picked, manager)
    except UnknownRequestError as error:
        raise ProblemError(ProblemKind.LOAD_REQUEST_NOT_FOUND, str(error)) from None
    except StaleVersionError as stale:
        return _board_page(request, address, _news(request, stale), status=409)
    except RefusedEventError as refused:
        return _board_page(request, address, Flash("board.refused", {"why": str(refused)}, "bad"), status=422)
    return _done(request, address, Flash("board.assigned_many", {"n": str(len(picked))}))


def _picked(value: str) -> tuple[str, int]:
    """``LR-2026-000123:4`` as the page wrote it."""
    code, _, version = value.partition(":")
    if not (version.isascii() and version.isdigit() and len(version) < 10):
        raise ProblemError(ProblemKind.INVALID_REQUEST, f"pick: {value[:40]!r} is no request with its version")
    return code, int(version)


@router.post("/requests/board/{code}", dependencies=[needs(Scope.REQUESTS_WRITE, of_load_request)])
def do_something(request: Request, code: Code, form: SentForm) -> Response:
    """Let what a menu, a drop or a key means happen."""
    address = address_of(form.text("back"))
    try:
        with acting(request) as desk:
            before = view(desk, code)
            _check_seen(before, form.whole("version"))
            seen = act(desk, code, body_of(form, before.request), expected=before.version)
            persons = {person.code: person for person in read_persons(desk.connection)}
    except ReasonNeededError as asked:
        return _menu(request, code, form.text("back"), status=422, asked=asked)
    except UnknownRequestError as error:
        raise ProblemError(ProblemKind.LOAD_REQUEST_NOT_FOUND, str(error)) from None
    except StaleVersionError as stale:
        return _board_page(request, address, _news(request, stale), status=409, focus=code)
    except RefusedEventError as refused:
        return _board_page(request, address, _refusal(request, code, str(refused)), status=422, focus=code)
    return _done(request, address, _told(_words(request), seen, persons, address), focus=code)


def _refusal(request: Request, code: str, why: str) -> Flash:
    """Why it cannot be done, and what can."""
    with looking(request) as desk:
        seen = view(desk, code)
    return refusal_of(_words(request), code, seen.request, why)


def _check_seen(seen: RequestView, version: int | None) -> None:
    """Refuse what was decided in view of another version, before asking for reasons."""
    if version is None:
        raise ProblemError(ProblemKind.VERSION_REQUIRED, "the form does not say which version was seen")
    if version != seen.version:
        raise StaleVersionError(seen.code, expected=version, found=seen.version)


def _told(words: Words, seen: RequestView, persons: Mapping[str, Person], address: BoardAddress) -> Flash:
    """What has been done, and for how long it may be taken back."""
    undo = None
    if seen.undoable is not None and not isinstance(seen.events[-1].body, Undone):
        until = (seen.events[-1].recorded_at.timestamp()) + seen.undo_seconds
        undo = Undo(f"{PATH}/board/{seen.code}", seen.undoable, until, address.query)
    deed = deed_of(words, seen.events[-1], persons)
    values = {"code": seen.code, "applicant": seen.request.details.applicant[:60], "deed": deed}
    return Flash("board.done", values, undo=undo)


def _done(request: Request, address: BoardAddress, flash: Flash, *, focus: str = "") -> Response:
    if _is_htmx(request):
        return _board_page(request, address, flash, focus=focus)
    return see_other(request, address.path, flash)


def _news(request: Request, stale: StaleVersionError) -> Flash:
    """Who was faster, and with what."""
    with looking(request) as desk:
        events: Sequence[Event] = read_events(desk.connection, stale.code)
        persons = {person.code: person for person in read_persons(desk.connection)}
    return late_news(_words(request), stale.code, [one for one in events if one.sequence > stale.expected], persons)


def _words(request: Request) -> Words:
    return words_of(visitor_of(request).language)


@router.post("/requests/views", dependencies=[needs(Scope.REQUESTS_READ)])
def keep_view(request: Request, form: SentForm) -> Response:
    """Give this query a name."""
    address = address_of(form.text("back"))
    name = form.text("name")[:_LONGEST_NAME]
    if not name:
        return _board_page(request, address, Flash("board.view_needs_name", tone="warn"), status=422)
    with acting(request) as desk:
        put_saved_view(desk.connection, SavedView(desk.actor or "", name, address.query))
    return see_other(request, address.path, Flash("board.view_kept", {"name": name}))


@router.post("/requests/views/remove", dependencies=[needs(Scope.REQUESTS_READ)])
def remove_view(request: Request, form: SentForm) -> Response:
    """Forget a name."""
    address = address_of(form.text("back"))
    with acting(request) as desk:
        delete_saved_view(desk.connection, desk.actor or "", form.text("name"))
    return see_other(request, address.path, Flash("board.view_removed"))
