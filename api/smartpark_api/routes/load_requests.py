"""Load requests over HTTP: list, board, numbers, one; open one, let something happen to it.

Every write says who acts (`Smartpark-Actor`), may carry a key (`Idempotency-Key`) so that repeating it changes
nothing, and names the version that was seen (`If-Match`).
"""

from datetime import date
from typing import Annotated, Final

from fastapi import APIRouter, Path, Query, Request
from smartpark.access import Scope
from smartpark.load_requests.events import Amended, Assigned, Attached, Commented
from smartpark_storage.load_requests import read_events, read_rows
from starlette.responses import Response, StreamingResponse

from smartpark_api.access.needs import check_park, needs
from smartpark_api.access.places import check_all, of_load_request, within
from smartpark_api.load_requests import service
from smartpark_api.load_requests.answers import (
    board_out,
    detail_out,
    events_out,
    kpis_out,
    request_out,
    year_to_date,
)
from smartpark_api.load_requests.exports import CSV_TYPE, XLSX_TYPE, table_of_csv, table_of_xlsx
from smartpark_api.load_requests.kpi_models import KpisOut
from smartpark_api.load_requests.listing import BoardQuery, ExportQuery, KpiQuery, PageQuery
from smartpark_api.load_requests.models import (
    ActIn,
    AssignedOut,
    AssignIn,
    AssignManyIn,
    BoardOut,
    CommentIn,
    EventList,
    OpenIn,
    RequestDetail,
    RequestList,
)
from smartpark_api.load_requests.service import Card, Desk
from smartpark_api.load_requests.writes import VERSIONED, WRITES, Done, etag, expected_version, looking, write
from smartpark_api.openapi.answers import BYTES, headers
from smartpark_api.problems import ProblemError, ProblemKind
from smartpark_api.settings import ApiSettings
from smartpark_api.words import Language

router = APIRouter(tags=["load requests"])
RequestCode = Annotated[
    str,
    Path(
        max_length=20,
        pattern=r"^LR-[0-9]{4}-[0-9]{6,}$",
        description="Load request.",
        examples=["LR-2026-000123"],
    ),
]
LONGEST_PERIOD_DAYS: Final = 3660


@router.get("/load-requests", dependencies=[needs(Scope.REQUESTS_READ)])
def list_load_requests(request: Request, wanted: Annotated[PageQuery, Query()]) -> RequestList:
    """Load requests that fit, a page at a time: the next due first, or in another order."""
    with looking(request) as desk:
        rows = read_rows(
            desk.connection,
            within(request, wanted.filter),
            today=desk.today,
            order=wanted.order,
            limit=wanted.limit + 1,
            after=wanted.after,
        )
        shown = rows[: wanted.limit]
        return RequestList(
            as_of=desk.now,
            requests=[request_out(desk, row) for row in shown],
            next=shown[-1].code if len(rows) > wanted.limit else None,
        )


@router.post(
    "/load-requests",
    dependencies=[needs(Scope.REQUESTS_WRITE), *WRITES],
    status_code=201,
    responses={201: {"headers": headers("ETag", "Location")}},
    response_model=RequestDetail,
)
def open_load_request(request: Request, given: OpenIn) -> Response:
    """Open a request, as an application or as a lead; the park's project manager of the day gets it."""
    check_park(request, Scope.REQUESTS_WRITE, given.details.park)

    def work(desk: Desk) -> Done:
        seen = service.open_request(desk, given.details, is_lead=given.is_lead, at=given.at)
        place = {"Location": f"{request.url.path}/{seen.code}"}
        return Done(detail_out(desk, seen), 201, place, version=seen.version)

    return write(request, work, content=given)


@router.get(
    "/load-requests/export",
    dependencies=[needs(Scope.REQUESTS_READ)],
    response_class=Response,
    responses={
        200: {
            "description": "A table.",
            "content": {CSV_TYPE: {"schema": {"type": "string"}}, XLSX_TYPE: {"schema": BYTES}},
            "headers": headers("Content-Disposition"),
        }
    },
)
def export_load_requests(request: Request, wanted: Annotated[ExportQuery, Query()]) -> Response:
    """Load requests that fit as a table, CSV or XLSX, in the words of a language."""
    settings: ApiSettings = request.app.state.settings
    with looking(request) as desk:
        rows = read_rows(
            desk.connection,
            within(request, wanted.filter),
            today=desk.today,
            order=wanted.order,
            limit=settings.max_rows + 1,
        )
        if len(rows) > settings.max_rows:
            raise ProblemError(
                ProblemKind.RANGE_TOO_WIDE, f"there are more than {settings.max_rows} requests: filter them"
            )
        found = service.cards(desk, rows)
        name = f"load-requests-{desk.today}.{wanted.form}"
    return table_response(found, name, form=wanted.form, language=Language(wanted.language))


def table_response(found: tuple[Card, ...], name: str, *, form: str, language: Language) -> Response:
    """A table to be saved."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "private, no-store"}
    if form == "xlsx":
        return Response(table_of_xlsx(found, language), media_type=XLSX_TYPE, headers=headers)
    return StreamingResponse(table_of_csv(found, language), media_type=CSV_TYPE, headers=headers)


@router.get("/load-requests/board", dependencies=[needs(Scope.REQUESTS_READ)])
def get_load_request_board(request: Request, wanted: Annotated[BoardQuery, Query()]) -> BoardOut:
    """Requests under way by stage with count and capacity, the most urgent of each stage as cards."""
    with looking(request) as desk:
        found = service.board(desk, within(request, wanted.filter), per_column=wanted.per_column)
        return board_out(found, now=desk.now)


@router.get("/load-requests/kpis", dependencies=[needs(Scope.REQUESTS_READ)])
def get_load_request_kpis(request: Request, wanted: Annotated[KpiQuery, Query()]) -> KpisOut:
    """What the desk is measured by in a period: capacity, working days by stage and clock, limits kept, leads won."""
    with looking(request) as desk:
        start, end = period_of(wanted.start, wanted.end, desk.today)
        asked = within(request, wanted.filter)
        found = service.kpis(desk, asked, start, end)
        return kpis_out(
            found,
            now=desk.now,
            overdue=service.overdue_now(desk, asked),
            at_risk=service.urgent(desk, asked),
        )


def period_of(start: date | None, end: date | None, today: date) -> tuple[date, date]:
    """Period that is asked for; refused when it is empty or longer than ten years."""
    first, last = year_to_date(start, end, today)
    if not 0 < (last - first).days <= LONGEST_PERIOD_DAYS:
        raise ProblemError(ProblemKind.INVALID_REQUEST, f"from {first} to {last} is no period of up to ten years")
    return first, last


@router.post(
    "/load-requests/assignments", dependencies=[needs(Scope.REQUESTS_WRITE), *WRITES], response_model=AssignedOut
)
def assign_load_requests(request: Request, given: AssignManyIn) -> Response:
    """Make several requests somebody's: all of them, or none when one has changed meanwhile."""
    check_all(request, Scope.REQUESTS_WRITE, [one.code for one in given.requests])

    def work(desk: Desk) -> Done:
        seen = service.assign_many(desk, [(one.code, one.expected) for one in given.requests], given.manager)
        return Done(AssignedOut(manager=given.manager, requests=[request_out(desk, one.row) for one in seen]))

    return write(request, work, content=given)


@router.get(
    "/load-requests/{code}",
    dependencies=[needs(Scope.REQUESTS_READ, of_load_request)],
    responses={200: {"headers": headers("ETag")}},
)
def get_load_request(request: Request, response: Response, code: RequestCode) -> RequestDetail:
    """One request: details, stages, clocks, turns, every event, and what it may take now. The ETag is its version."""
    with looking(request) as desk:
        seen = service.view(desk, code)
        response.headers["ETag"] = etag(seen.version)
        response.headers["Cache-Control"] = "no-store"
        return detail_out(desk, seen)


@router.get("/load-requests/{code}/events", dependencies=[needs(Scope.REQUESTS_READ, of_load_request)])
def list_load_request_events(
    request: Request,
    code: RequestCode,
    *,
    since: Annotated[int, Query(ge=0, description="Only events after this version.")] = 0,
) -> EventList:
    """What happened to a request, in order."""
    with looking(request) as desk:
        events = read_events(desk.connection, code)
    return EventList(code=code, version=events[-1].sequence, events=events_out(events, since=since))


@router.post(
    "/load-requests/{code}/events",
    dependencies=[needs(Scope.REQUESTS_WRITE, of_load_request), *VERSIONED],
    status_code=201,
    response_model=RequestDetail,
)
def add_load_request_event(request: Request, code: RequestCode, given: ActIn) -> Response:
    """Let something happen: move, send back, hand over, suspend, resume, reply, amend, withdraw or undo.

    The body's `type` says what; the answer of GET lists in `possible` what the request may take now.
    """
    if isinstance(given.body, Attached):
        raise ProblemError(
            ProblemKind.INVALID_REQUEST,
            "a document is added by its bytes: POST /api/v1/load-requests/{code}/attachments",
        )
    if isinstance(given.body, Amended):
        check_park(request, Scope.REQUESTS_WRITE, given.body.details.park)

    def work(desk: Desk) -> Done:
        expected = expected_version(request, given.expected, is_required=not isinstance(given.body, service.UNLOCKED))
        seen = service.act(desk, code, given.body, expected=expected, at=given.at)
        return Done(detail_out(desk, seen), 201, version=seen.version)

    return write(request, work, code=code, content=given)


@router.post(
    "/load-requests/{code}/comments",
    dependencies=[needs(Scope.REQUESTS_WRITE, of_load_request), *VERSIONED],
    status_code=201,
    response_model=RequestDetail,
)
def comment_load_request(request: Request, code: RequestCode, given: CommentIn) -> Response:
    """Say something, whatever others did meanwhile; the applicant sees it only where that is said."""

    def work(desk: Desk) -> Done:
        body = Commented(text=given.text, is_for_applicant=given.is_for_applicant)
        seen = service.act(desk, code, body, expected=expected_version(request, None, is_required=False))
        return Done(detail_out(desk, seen), 201, version=seen.version)

    return write(request, work, code=code, content=given)


@router.put(
    "/load-requests/{code}/manager",
    dependencies=[needs(Scope.REQUESTS_WRITE, of_load_request), *VERSIONED],
    response_model=RequestDetail,
)
def assign_load_request(request: Request, code: RequestCode, given: AssignIn) -> Response:
    """Make it somebody's."""

    def work(desk: Desk) -> Done:
        expected = expected_version(request, given.expected)
        seen = service.act(desk, code, Assigned(manager=given.manager), expected=expected)
        return Done(detail_out(desk, seen), version=seen.version)

    return write(request, work, code=code, content=given)
